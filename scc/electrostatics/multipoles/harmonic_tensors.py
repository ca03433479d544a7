r"""Derivatives of a radial function by solid harmonics, without the cancellation of Cartesian ones.

Products of the operators R_λµ(∂) are sums of Q_{LM,j} = R_LM(∂)(∇²)^j, and by Hobson's theorem

    R_LM(∂)(∇²)^j v(|X|) = R_LM(X) h_{L,j}(r),      h_{L,0} = g_L,
    h_{L,j} = (2L+3) h_{L+1,j−1} + r² h_{L+2,j−1},   g_n = ((1/r) d/dr)^n v.

Two multipoles λ ≠ λ' at a distance much below their widths interact through L = |λ−λ'| ≥ 1 and
smaller terms: the block goes like r^{|λ−λ'|}, and here every term does. In Cartesian derivatives
it is a difference of numbers that do not vanish with r. At large distance the parts j > 0, which
vanish for 1/r, are all that is lost in rounding, and they are of the block's own size.

A basis (order, traces) is the list of all Q with L + 2j ≤ order and j ≤ traces; with traces = 0 it
is numbered as multipoles are, λ²+λ+µ.

Reference: E. W. Hobson, The Theory of Spherical and Ellipsoidal Harmonics (1931), §79.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.basis.solid_harmonics import solid_harmonics


class Basis(NamedTuple):
    """All R_LM(∂)(∇²)^j with L + 2j ≤ order, j ≤ traces."""

    order: int
    traces: int


class Shell(NamedTuple):
    """The 2L+1 operators of one L and j, from ``start`` on in their basis."""

    degree: int
    traces: int
    start: int

    @property
    def span(self) -> slice:
        """Where M = −L…L stand."""
        return slice(self.start, self.start + 2 * self.degree + 1)


class Coupling(NamedTuple):
    """What the operators of one (L, j) contribute to the products Q_p Q_q.

    Attributes:
        degree, traces: L and j.
        columns: those p that have such products (n_p,).
        coefficients: G[M, p, q] (2L+1, n_p, n_q), Q_p Q_q = Σ G Q_{LM,j}.
    """

    degree: int
    traces: int
    columns: IntArray
    coefficients: FloatArray


@cache
def shells(basis: Basis) -> tuple[Shell, ...]:
    """The shells of a basis, by j, then by L."""
    result: list[Shell] = []
    start = 0
    for traces in range(basis.traces + 1):
        for degree in range(basis.order - 2 * traces + 1):
            result.append(Shell(degree, traces, start))
            start += 2 * degree + 1
    return tuple(result)


def basis_size(basis: Basis) -> int:
    """Number of operators."""
    return sum(2 * shell.degree + 1 for shell in shells(basis))


@cache
def _product(left: int, right: int) -> dict[int, FloatArray]:
    """R_a R_b = Σ_L r^{l+l'−L} Σ_M c[M, a, b] R_LM: (2L+1, 2l+1, 2l'+1) for each L.

    c = (2L+1) ⟨R_a R_b R_LM⟩ over the unit sphere, by a quadrature exact for this degree.
    """
    degree = left + right
    z, weight = np.polynomial.legendre.leggauss(degree + 1)
    angle = 2.0 * np.pi * np.arange(2 * degree + 1) / (2 * degree + 1)
    radius = np.sqrt(1.0 - z**2)
    points = np.stack(
        [
            np.outer(radius, np.cos(angle)),
            np.outer(radius, np.sin(angle)),
            np.outer(z, np.ones_like(angle)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    weights = np.repeat(weight, len(angle)) / (2.0 * len(angle))
    values = solid_harmonics(degree, points)
    result = {}
    for total in range(abs(left - right), degree + 1, 2):
        tensor = (2 * total + 1) * np.einsum(
            "x,xm,xa,xb->mab",
            weights,
            values[:, total**2 : (total + 1) ** 2],
            values[:, left**2 : (left + 1) ** 2],
            values[:, right**2 : (right + 1) ** 2],
        )
        # What is zero by symmetry must be: 1e-17 of a term that does not vanish with r would show.
        tensor[np.abs(tensor) < 1e-12] = 0.0
        result[total] = tensor
    return result


@cache
def couplings(targets: Basis, sources: Basis) -> tuple[Coupling, ...]:
    """Q_p Q_q of two bases as sums of Q_{LM,j}, one entry for each (L, j) that occurs."""
    sizes = basis_size(targets), basis_size(sources)
    tensors: dict[tuple[int, int], FloatArray] = {}
    for p in shells(targets):
        for q in shells(sources):
            for degree, product in _product(p.degree, q.degree).items():
                traces = p.traces + q.traces + (p.degree + q.degree - degree) // 2
                tensor = tensors.setdefault((degree, traces), np.zeros((2 * degree + 1, *sizes)))
                tensor[:, p.span, q.span] += product
    result = []
    for (degree, traces), tensor in sorted(tensors.items()):
        columns = np.flatnonzero(np.any(tensor != 0.0, axis=(0, 2)))
        result.append(Coupling(degree, traces, columns, tensor[:, columns]))
    return tuple(result)


@cache
def raising(l_max: int) -> FloatArray:
    """∂_i R_A(∂) = Σ_q r[A, i, q] Q_q in the basis (l_max+1, 1): ((l_max+1)², 3, n_q)."""
    raised = Basis(l_max + 1, 1)
    result = np.zeros(((l_max + 1) ** 2, 3, basis_size(raised)))
    where = {(shell.degree, shell.traces): shell.span for shell in shells(raised)}
    for degree in range(l_max + 1):
        rows = slice(degree**2, (degree + 1) ** 2)
        for total, product in _product(degree, 1).items():
            traces = (degree + 1 - total) // 2
            # R_1 = (y, z, x)
            result[rows, :, where[total, traces]] = product[:, :, [2, 0, 1]].transpose(1, 2, 0)
    return result


@cache
def parities(basis: Basis) -> FloatArray:
    """(−1)^L of each operator, its sign under X → −X: (n,)."""
    return np.concatenate([np.full(2 * s.degree + 1, (-1.0) ** s.degree) for s in shells(basis)])


def radial_parts(radial: FloatArray, squared: FloatArray) -> dict[tuple[int, int], FloatArray]:
    """h_{L,j} for all L + 2j ≤ order, from g_n (order+1, …) and r² (…)."""
    order = len(radial) - 1
    result = {(degree, 0): radial[degree] for degree in range(order + 1)}
    for traces in range(1, order // 2 + 1):
        for degree in range(order - 2 * traces + 1):
            result[degree, traces] = (2 * degree + 3) * result[degree + 1, traces - 1] + (
                squared * result[degree + 2, traces - 1]
            )
    return result
