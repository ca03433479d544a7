r"""Spherical multipoles as differential operators: R_λµ(∂)/(2λ−1)!! = Σ_t D[λµ, t] ∂^t.

Since φ_B(x − r) = Σ_t D[B, t] ∂_r^t g_σ(x − r), the Cartesian (Hermite) moments of a site are
c_t = Σ_B p_B D[B, t], and the potential conjugate to p_A is U_A = Σ_t D[A, t] ∂_y^t U.
Monomials are numbered as in :mod:`scc.basis.polynomials`, sorted by degree.
"""

from functools import cache

import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.basis.polynomials import monomial_count, monomial_exponents, monomial_index
from scc.basis.solid_harmonics import solid_harmonic_coefficients


def double_factorial(odd: int) -> int:
    """n!! for odd n ≥ −1."""
    return int(np.prod(np.arange(odd, 0, -2), dtype=np.int64))


@cache
def normalisations(l_max: int) -> FloatArray:
    """1/(2λ−1)!! for each component of multipoles up to l_max: ((l_max+1)²,)."""
    return np.concatenate(
        [np.full(2 * n + 1, 1.0 / double_factorial(2 * n - 1)) for n in range(l_max + 1)]
    )


@cache
def multipole_operators(l_max: int) -> FloatArray:
    """D of the module docstring: ((l_max+1)², n_monomials(l_max))."""
    matrix = np.zeros(((l_max + 1) ** 2, monomial_count(l_max)))
    for degree in range(l_max + 1):
        block = solid_harmonic_coefficients(degree) / double_factorial(2 * degree - 1)
        matrix[degree**2 : (degree + 1) ** 2, : block.shape[1]] = block
    return matrix


@cache
def raised_index(order: int) -> IntArray:
    """Position of t + e_i among the monomials of ``order`` + 1: (3, n_monomials(order))."""
    index = monomial_index(order + 1)
    unit = np.eye(3, dtype=np.int64)
    return np.array(
        [[index[tuple(t + unit[i])] for t in monomial_exponents(order)] for i in range(3)],
        dtype=np.int64,
    )


@cache
def parities(order: int) -> FloatArray:
    """(−1)^{|t|} for all monomials of degree ≤ order."""
    return np.asarray((-1.0) ** monomial_exponents(order).sum(axis=1))


def cartesian_moments(coefficients: FloatArray, l_max: int) -> FloatArray:
    """c_t (N, n_t) from spherical multipoles (N, (l_max+1)²)."""
    return coefficients @ multipole_operators(l_max)


def total_dipole(positions: FloatArray, multipoles: FloatArray) -> FloatArray:
    """Σ_i (p_i00 r_i + p_i1) as (x, y, z), e·bohr: of multipoles (M, ≥ 4) at (M, 3), bohr."""
    return np.asarray(multipoles[:, 0] @ positions + np.sum(multipoles[:, [3, 1, 2]], axis=0))


def moved_moments(moments: FloatArray, displacement: FloatArray, order: int) -> FloatArray:
    """Moments of order + 1 of (dr_k·∇_{r_k}) applied to each site's density: (N, n(order+1))."""
    raised = np.zeros((len(moments), monomial_count(order + 1)))
    for axis, target in enumerate(raised_index(order)):
        raised[:, target] += moments * displacement[:, axis, None]
    return raised
