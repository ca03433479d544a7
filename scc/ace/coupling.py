r"""Coupling of real harmonics: Clebsch–Gordan coefficients for two, and for one to three factors.

Real components a_µ, µ = −l … l, transform like the real solid harmonics R_lµ. With Y^real = U Y,

    C_{m₁m₂M} = Σ U*_{m₁µ₁} U*_{m₂µ₂} U_{Mµ} ⟨l₁µ₁l₂µ₂|Lµ⟩,
    [a ⊗ b]_LM = Σ C_{m₁m₂M} a_{m₁} b_{m₂},

is real for even l₁+l₂+L and imaginary for odd (then i is divided out; such a result is a pseudo-
tensor). The coefficients ⟨l₁µ₁l₂µ₂|Lµ⟩ are exact values of SymPy; every C is made once, when first
asked for. Several couplings of equal factors may agree, or vanish: :func:`coupling` keeps an
orthonormal set, in the order of the intermediate l.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from scc.arrays import FloatArray

_NEGLIGIBLE = 1e-6
"""Squared norms below this are zero: for l ≤ 4 the others are 0.047 or more, these below 1e-30."""


@cache
def clebsch_gordan(l1: int, l2: int, total: int) -> FloatArray:
    """C of the module docstring, (2l₁+1, 2l₂+1, 2L+1): Σ_{m₁m₂} C_{m₁m₂M} C_{m₁m₂M'} = δ_MM'."""
    from sympy.physics.wigner import clebsch_gordan as exact  # SymPy takes most of a second

    standard = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * total + 1))
    for m1, m2 in itertools.product(range(-l1, l1 + 1), range(-l2, l2 + 1)):
        if abs(m1 + m2) <= total:
            value = float(exact(l1, l2, total, m1, m2, m1 + m2))
            standard[l1 + m1, l2 + m2, total + m1 + m2] = value
    one, two, both = (_real_from_standard(rank) for rank in (l1, l2, total))
    coupled = np.einsum("am,bn,cp,mnp->abc", one.conj(), two.conj(), both, standard)
    result = coupled.real if (l1 + l2 + total) % 2 == 0 else coupled.imag
    result = np.where(np.abs(result) < 1e-12, 0.0, result)
    result.flags.writeable = False
    return result


def _real_from_standard(l: int) -> FloatArray:  # noqa: E741  (the field's letter)
    """U: real harmonics without Condon–Shortley phase from complex ones with it."""
    matrix = np.zeros((2 * l + 1, 2 * l + 1), dtype=complex)
    matrix[l, l] = 1.0
    for m in range(1, l + 1):
        sign = (-1.0) ** m
        matrix[l + m, l - m], matrix[l + m, l + m] = np.sqrt(0.5), sign * np.sqrt(0.5)
        matrix[l - m, l - m], matrix[l - m, l + m] = 1j * np.sqrt(0.5), -1j * sign * np.sqrt(0.5)
    return matrix


@cache
def coupling(ranks: tuple[int, ...], equal: tuple[int, ...], total: int) -> tuple[FloatArray, ...]:
    """All independent couplings of one to three factors to L, of natural parity.

    Parameters
    ----------
    ranks: l of each factor.
    equal: a label for each factor; factors of the same label are the same object (and equal l).
    total: L.

    Returns
    -------
    Tensors (2l₁+1, …, 2L+1), symmetric in equal factors, orthonormal in the sense
    Σ_{m…} U^q_{m…M} U^{q'}_{m…M'} = δ_qq' δ_MM'; none if Σl + L is odd: the result would be a
    pseudo-tensor.
    """
    if (sum(ranks) + total) % 2 == 1:
        return ()
    kept: list[FloatArray] = []
    for tensor in _trees(ranks, total):
        candidate = _symmetrised(tensor, equal)
        for _ in range(2):  # twice is enough for orthogonality to rounding
            for other in kept:
                candidate = candidate - _overlap(other, candidate) * other
        norm = _overlap(candidate, candidate)
        if norm > _NEGLIGIBLE:
            kept.append(candidate / np.sqrt(norm))
    for tensor in kept:
        tensor[np.abs(tensor) < 1e-12] = 0.0
        tensor.flags.writeable = False
    return tuple(kept)


def _overlap(left: FloatArray, right: FloatArray) -> float:
    """Σ_{m…} U_{m…M} U'_{m…M}, the same for every M (Schur)."""
    return float(np.sum(left * right)) / int(left.shape[-1])


def _trees(ranks: tuple[int, ...], total: int) -> list[FloatArray]:
    """((l₁ l₂)l₁₂ l₃)L for all l₁₂, increasing; an orthonormal basis of all couplings."""
    if len(ranks) == 1:
        return [np.eye(2 * total + 1)] if ranks[0] == total else []
    if len(ranks) == 2:
        allowed = abs(ranks[0] - ranks[1]) <= total <= sum(ranks)
        return [np.array(clebsch_gordan(*ranks, total))] if allowed else []
    l1, l2, l3 = ranks
    between = range(max(abs(l1 - l2), abs(total - l3)), min(l1 + l2, total + l3) + 1)
    return [
        np.einsum("abm,mcn->abcn", clebsch_gordan(l1, l2, l12), clebsch_gordan(l12, l3, total))
        for l12 in between
    ]


def _symmetrised(tensor: FloatArray, equal: tuple[int, ...]) -> FloatArray:
    """The mean over all exchanges of equal factors."""
    factors = range(len(equal))
    exchanges = [
        order
        for order in itertools.permutations(factors)
        if all(equal[order[k]] == equal[k] for k in factors)
    ]
    moved = [np.transpose(tensor, (*order, len(equal))) for order in exchanges]
    return np.asarray(sum(moved)) / len(moved)
