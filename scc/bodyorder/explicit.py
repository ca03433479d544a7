"""Polynomials F_N, G_N with F_N = G_N′ in closed form, on a set symmetric about µ (Lemma 7).

On X = [µ−A, µ−B] ∪ [µ+B, µ+A], one interval for B = 0, with s = x − µ and u = s²,

    F = ½ (1 − s f(u)),   f(u) = tanh(β√u/2)/√u,        G = ½ s − e(u),   e′ = f/4,

e(u) = β⁻¹ ln(2 cosh(β√u/2)); f = u^{−1/2} and e = ½√u at β = ∞. Both are analytic off the negative
half-axis, so their Chebyshev series Σ a_k T_k and Σ b_k T_k in u ∈ [B², A²] converge. Cutting f
after T_n and integrating, with the constant b_0, gives polynomials of degree 2n+1 and 2n+2 whose
constants match on the two sides of the gap because e is even in s.
"""

import math

import numpy as np
import scipy.fft
from numpy.polynomial.chebyshev import chebint, chebval

from scc.arrays import FloatArray
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError

# a_k < e^{−40} a_0 is lost beside a_0: enough Chebyshev points that nothing larger is aliased.
_LARGEST_EXPONENT = 40.0
# Rounding of a_k grows by e^{θN} in the gap, where F_N is not to leave float64.
_LARGEST_GROWTH = 33.0
_LARGEST_DEGREE = 1 << 16


def explicit_rate(beta: float, inner: float, outer: float) -> float:
    """θ = arcsinh √((B² + (π/β)²)/(A² − B²)): Green's function of the set at µ + iπ/β.

    g_X(µ+s) = ½ g_{[B²,A²]}(s²), and ½ arcosh(1 + 2q) = arcsinh √q. B, A and β⁻¹ in Hartree.
    Raises InputError unless 0 ≤ B < A and β > 0, and when both B and β⁻¹ are 0.
    """
    if not beta > 0.0:
        raise InputError(f"inverse temperature beta must be in (0, inf], got {beta}")
    if not 0.0 <= inner < outer < math.inf:
        raise InputError(f"inner and outer radius must be 0 <= B < A, got {inner} and {outer}")
    if inner == 0.0 and math.isinf(beta):
        raise InputError("at beta = inf polynomials converge to a step only beside a gap")
    pole = math.pi / beta
    return math.asinh(math.hypot(inner, pole) / math.sqrt((outer - inner) * (outer + inner)))


def explicit_polynomial(
    beta: float, mu: float, inner: float, outer: float, degree: int
) -> PolynomialOccupation:
    """(G_N, F_N) of the module docstring, N the largest even number ≤ degree; O(N log N).

    beta: 1/Hartree, may be inf; µ, B = inner, A = outer in Hartree. Errors: ``theory/lemma_7.py``.
    Raises InputError for degree < 4 or > 65536, where θN > 33 loses F_N in the gap to rounding,
    and as :func:`explicit_rate`.
    """
    theta = explicit_rate(beta, inner, outer)
    if not 4 <= degree <= _LARGEST_DEGREE:
        raise InputError(f"polynomial degree must be in 4..{_LARGEST_DEGREE}, got {degree}")
    if inner > 0.0 and theta * degree > _LARGEST_GROWTH:
        raise InputError(
            f"degree {degree} at the rate {theta:.4g} is beyond float64: "
            f"use a degree below {_LARGEST_GROWTH / theta:.0f}"
        )
    n = degree // 2 - 1
    slope, mean = series(beta, inner, outer, n)
    half, centre = 0.5 * (outer - inner) * (outer + inner), 0.5 * (outer**2 + inner**2)
    integral = chebint(slope, scl=0.25 * half)
    integral[0] = mean
    # A polynomial of degree 2n+2 in s/A from its values in as many Chebyshev points.
    count = 2 * n + 3
    s = outer * _nodes(count)
    values = 0.5 * s - chebval((s * s - centre) / half, integral)
    coefficients = _transform(values)
    intervals = ((mu - outer, mu + outer),)
    X = SpectralSet(
        ((mu - outer, mu - inner), (mu + inner, mu + outer)) if inner > 0.0 else intervals
    )
    return PolynomialOccupation(X, 2 * n + 2, beta, mu, coefficients)


def series(beta: float, inner: float, outer: float, n: int) -> tuple[FloatArray, float]:
    """(a_0…a_n, b_0): Chebyshev coefficients on [B², A²] of f, and the mean coefficient of e."""
    theta = explicit_rate(beta, inner, outer)
    count = n + 2 + math.ceil(0.5 * _LARGEST_EXPONENT / theta)
    half, centre = 0.5 * (outer - inner) * (outer + inner), 0.5 * (outer**2 + inner**2)
    root = np.sqrt(np.maximum(centre + half * _nodes(count), 0.0))
    if math.isinf(beta):
        return _transform(1.0 / root)[: n + 1], float(np.mean(0.5 * root))
    product = 0.5 * beta * root
    even = 0.5 * root + np.log1p(np.exp(-2.0 * product)) / beta
    return _transform(np.tanh(product) / root)[: n + 1], float(np.mean(even))


def _nodes(count: int) -> FloatArray:
    """Zeros of T_count, ascending index from 1 to −1."""
    return np.asarray(np.cos(np.pi * (np.arange(count) + 0.5) / count))


def _transform(values: FloatArray) -> FloatArray:
    """Chebyshev coefficients of the interpolant of values at :func:`_nodes`."""
    coefficients = np.asarray(scipy.fft.dct(values, type=2)) / len(values)
    coefficients[0] *= 0.5
    return coefficients
