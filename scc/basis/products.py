r"""Products of two primitive Gaussians, or of their derivatives, as Hermite Gaussians.

    x_A^i x_B^j e^{−a x_A²} e^{−b x_B²} = e^{−µX²} √(π/p) Σ_t E_t^{ij} ∂_P^t [√(p/π) e^{−p x_P²}]

per axis, p = a + b, µ = ab/p, P = (aA + bB)/p, X = A − B, with the recurrence

    E_t^{i+1,j} = E_{t−1}^{ij}/2p + (P−A) E_t^{ij} + (t+1) E_{t+1}^{ij},   likewise with P−B in j.

Reference: L. E. McMurchie, E. R. Davidson, J. Comput. Phys. 26, 218 (1978), eqs. (2.17)–(2.22).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.basis.polynomials import (
    coordinate_matrices,
    derivative_matrices,
    monomial_count,
    monomial_exponents,
)
from scc.basis.shells import BasisSet, PrimitiveShells
from scc.basis.solid_harmonics import solid_harmonic_coefficients

SCREENING = 1e-18
"""Primitive pairs with e^{−µ|A−B|²} below this are left out.

Such a pair of normalised s functions overlaps by less than this; contraction coefficients and
angular factors add two digits at most, so every integral is off by less than about 1e-16 times
the largest of its kind: below rounding.
"""


@dataclass(frozen=True)
class PrimitiveProducts:
    """k products (∂^d φ)_a (∂^e φ)_b of primitive shells of two angular momenta.

    ``coefficients`` (k, n_t, 3^d, 2l+1, 3^e, 2m+1), contraction coefficients included, over Λ_t of
    ``exponents`` (k,) at ``centres`` (k, 3). ``first_functions`` (k, 2): indices of the µ = −l
    functions of the left and right shell. ``labels`` (k, 2): see PrimitiveShells.
    """

    order: int
    exponents: FloatArray
    centres: FloatArray
    coefficients: FloatArray
    first_functions: IntArray
    labels: IntArray


@cache
def _angular_part(angular_momentum: int, derivatives: int) -> tuple[FloatArray, ...]:
    """Polynomials Q_n with ∂^d (R_lµ e^{−ax²}) = (Σ_n aⁿ Q_n) e^{−ax²}: each (3^d, 2l+1, n)."""
    powers = [solid_harmonic_coefficients(angular_momentum)[None]]
    for d in range(derivatives):
        degree = angular_momentum + d
        differentiate, multiply = derivative_matrices(degree), coordinate_matrices(degree)
        shape = (3 ** (d + 1), 2 * angular_momentum + 1, monomial_count(degree + 1))
        new = [np.zeros(shape)]
        new += [np.zeros_like(new[0]) for _ in powers]
        for n, q in enumerate(powers):
            for target, operators, factor in (
                (n, differentiate, 1.0),
                (n + 1, multiply, -2.0),
            ):
                applied = np.einsum("dmi,xij->xdmj", q, operators)
                new[target] += factor * applied.reshape(new[0].shape)
        powers = new
    return tuple(powers)


def polynomials(shells: PrimitiveShells, derivatives: int) -> FloatArray:
    """∂^d φ = polynomial · e^{−a|x|²} about the centre: (k, 3^d, 2l+1, n(l+d)), c_k included.

    The axes of d derivatives are one index of 3^d.
    """
    parts = _angular_part(shells.angular_momentum, derivatives)
    total = np.zeros((len(shells.exponent), *parts[0].shape))
    for n, part in enumerate(parts):
        total += (shells.coefficient * shells.exponent**n)[:, None, None, None] * part
    return total


def _hermite_coefficients(
    left: int, right: int, p: FloatArray, from_left: FloatArray, from_right: FloatArray
) -> FloatArray:
    """E_t^{ij} without the exponential, i ≤ left, j ≤ right: (left+1, right+1, t, k, 3).

    ``from_left`` = P − A and ``from_right`` = P − B are (k, 3).
    """
    top = left + right
    table = np.zeros((left + 1, right + 1, top + 1, *from_left.shape))
    table[0, 0, 0] = 1.0
    half = 0.5 / p[:, None]

    def raised(e: FloatArray, shift: FloatArray) -> FloatArray:
        new = shift * e
        new[1:] += half * e[:-1]
        new[:-1] += np.arange(1, top + 1)[:, None, None] * e[1:]
        return new

    for i in range(left + 1):
        if i > 0:
            table[i, 0] = raised(table[i - 1, 0], from_left)
        for j in range(right):
            table[i, j + 1] = raised(table[i, j], from_right)
    return table


def primitive_products(
    basis: BasisSet,
    left_derivatives: int,
    right_derivatives: int,
    *,
    triangle: bool,
    order: int | None = None,
    screening: float = SCREENING,
) -> Iterator[PrimitiveProducts]:
    """All products (∂^d φ_a)(∂^e φ_b) of primitives, one class of angular momenta at a time.

    ``triangle``: only shell pairs I ≥ J. ``order``: keep Hermite terms |t| ≤ order only (0 when
    integrals over all space are wanted). ``screening``: see :data:`SCREENING`.
    """
    for a in basis.primitives:
        for b in basis.primitives:
            i, j = surviving_pairs(basis, a, b, triangle, screening)
            if len(i) > 0:
                yield _product(basis, a, b, i, j, left_derivatives, right_derivatives, order)


def surviving_pairs(
    basis: BasisSet, a: PrimitiveShells, b: PrimitiveShells, triangle: bool, screening: float
) -> tuple[IntArray, IntArray]:
    """Indices (i, j) into two groups of primitives of the pairs that are not negligible."""
    separation = basis.positions[a.atom][:, None] - basis.positions[b.atom][None]
    reduced = a.exponent[:, None] * b.exponent / (a.exponent[:, None] + b.exponent)
    kept = reduced * np.einsum("abx,abx->ab", separation, separation) <= -np.log(screening)
    if triangle:
        kept &= a.shell[:, None] >= b.shell
    i, j = np.nonzero(kept)
    return i, j


def _product(
    basis: BasisSet,
    a: PrimitiveShells,
    b: PrimitiveShells,
    i: IntArray,
    j: IntArray,
    left_derivatives: int,
    right_derivatives: int,
    order: int | None,
) -> PrimitiveProducts:
    left = a.angular_momentum + left_derivatives
    right = b.angular_momentum + right_derivatives
    order = left + right if order is None else order
    p = a.exponent[i] + b.exponent[j]
    start = basis.positions[a.atom[i]]
    separation = start - basis.positions[b.atom[j]]
    from_left = -(b.exponent[j] / p)[:, None] * separation
    from_right = (a.exponent[i] / p)[:, None] * separation
    exponential = np.exp(
        -a.exponent[i] * b.exponent[j] / p * np.einsum("kx,kx->k", separation, separation)
    )
    table = _hermite_coefficients(left, right, p, from_left, from_right)
    # One axis after the other: (left monomial, right monomial, t, k).
    ia, ib, it = monomial_exponents(left), monomial_exponents(right), monomial_exponents(order)
    expansion = np.ones((len(ia), len(ib), len(it), len(p)))
    for axis in range(3):
        expansion *= table[
            ia[:, None, None, axis], ib[None, :, None, axis], it[None, None, :, axis], :, axis
        ]
    expansion *= exponential * (np.pi / p) ** 1.5
    half = np.einsum("kebj,ijtk->kiteb", polynomials(b, right_derivatives)[j], expansion)
    coefficients = np.einsum(
        "kdai,kiteb->ktdaeb", polynomials(a, left_derivatives)[i], half, optimize=True
    )
    return PrimitiveProducts(
        order,
        p,
        start + from_left,
        coefficients,
        np.stack([a.first_function[i], b.first_function[j]], axis=1),
        np.stack([a.label[i], b.label[j]], axis=1),
    )
