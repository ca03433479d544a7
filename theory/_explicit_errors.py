"""Errors of explicit polynomials and of their derivatives at matrices: m₀, m₁, m₂ of Theorem 8.

X is {B ≤ |x−µ| ≤ A} around the levels of a system and of all H within δ of it. With E_j bounds of
the tails Σ_{k>n} |a_k| (1, k², k²(k²−1)/3) of the series of Lemma 7 and h = (A²−B²)/2,

    ‖(F−F_N)(H)‖ ≤ m₀ = ½A E₀,   ‖D(F−F_N)(H)[A₁]‖ ≤ m₁‖A₁‖,  m₁ = ½(E₀ + 2A²E₂/h),
    ‖D²(F−F_N)(H)[A₁,A₂]‖ ≤ m₂‖A₁‖‖A₂‖,  m₂ = 2A E₂/h + ½A (4A²E₄/h² + 2E₂/h),

in the operator norm, or with one factor and the left side in the Frobenius norm. For F − F_N =
½ s R(s²), R = Σ_{k>n} a_k T_k, and the derivatives of T_k at matrices are sums of products of
Chebyshev polynomials with positive weights, hence at most T_k′(1) = k² and T_k″(1) = k²(k²−1)/3.
"""

import math
from dataclasses import dataclass

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.explicit import explicit_rate, series
from scc.theory import lemma_7
from scc.theory._occupation_derivatives import (
    first_constant,
    frobenius_second_constant,
    second_constant,
)
from scc.theory.system import TightBindingSystem

_EPS = float(np.finfo(np.float64).eps)
_RADIUS = 0.02
# Below βd = 3 a gap is not worth a set of two intervals.
_COLD = 3.0


@dataclass(frozen=True)
class Geometry:
    """δ, d, A, B of the module docstring (Hartree), θ, and β."""

    beta: float
    radius: float
    distance: float
    inner: float
    outer: float

    @classmethod
    def of(cls, system: TightBindingSystem) -> "Geometry":
        """δ is 0.02 Hartree or, where X has a gap, a quarter of d."""
        d = min(system.gap_below, system.gap_above)
        gapped = system.zero_temperature or system.beta * d > _COLD
        radius = min(_RADIUS, 0.25 * d) if gapped else _RADIUS
        outer = float(np.max(np.abs(system.levels - system.mu))) + radius
        return cls(system.beta, radius, d, d - radius if gapped else 0.0, outer)

    @property
    def theta(self) -> float:
        """The rate of Lemma 7 on X."""
        return explicit_rate(self.beta, self.inner, self.outer)


@dataclass(frozen=True)
class Errors:
    """m₀, m₁, m₂ (Hartree⁰, ⁻¹, ⁻²) and ‖G − G_N‖_X for each degree, ℓ₁ and ℓ₂ on the ball."""

    degrees: FloatArray
    value: FloatArray
    first: FloatArray
    second: FloatArray
    grand_potential: FloatArray
    first_constant: float
    second_constant: float
    frobenius_second_constant: float

    @classmethod
    def of(cls, geometry: Geometry, degrees: FloatArray) -> "Errors":
        """Even degrees N ≥ 4."""
        A, B, beta = geometry.outer, geometry.inner, geometry.beta
        h = 0.5 * (A - B) * (A + B)
        zeroth, second, fourth = tails(beta, B, A, degrees)
        left = max(geometry.distance - geometry.radius, 0.0)
        return cls(
            degrees,
            0.5 * A * zeroth,
            0.5 * (zeroth + 2.0 * A**2 * second / h),
            2.0 * A * second / h + 0.5 * A * (4.0 * A**2 * fourth / h**2 + 2.0 * second / h),
            lemma_7.bound(beta, B, A, degrees)[1],
            first_constant(beta, left),
            second_constant(beta, left),
            frobenius_second_constant(beta, left),
        )


def tails(
    beta: float, inner: float, outer: float, degrees: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Bounds of E₀, E₂, E₄ = Σ_{k≥m} |a_k| (1, k², k²(k²−1)/3), m = N/2.

    |a_k| q^{−k} falls with k (Lemma 7), so |a_k| ≤ |a_m| q^{k−m} ≤ 2ā q^k; sums of k^i q^{k−m} have
    closed forms. |a_m| is known up to the rounding of the transform that computes it, less than a
    few eps log m of the Euclidean length of the coefficients.
    """
    m = np.asarray(degrees, dtype=np.float64) // 2
    last = int(np.max(m))
    coefficients = np.abs(series(beta, inner, outer, last)[0])
    rounding = 4.0 * _EPS * math.log2(4.0 * last + 64.0) * float(np.linalg.norm(coefficients))
    rate = 2.0 * explicit_rate(beta, inner, outer)
    q, p = math.exp(-rate), -math.expm1(-rate)
    closed = 2.0 * (coefficients[0] + rounding) * np.exp(-rate * m)
    front = np.minimum(closed, coefficients[m.astype(np.int64)] + rounding)
    # Σ_{j≥0} j^i q^j for i = 0…4
    sums = (
        1.0 / p,
        q / p**2,
        q * (1 + q) / p**3,
        q * (1 + 4 * q + q**2) / p**4,
        q * (1 + 11 * q + 11 * q**2 + q**3) / p**5,
    )
    squares = m**2 * sums[0] + 2 * m * sums[1] + sums[2]
    fourths = m**4 * sums[0] + 4 * m**3 * sums[1] + 6 * m**2 * sums[2] + 4 * m * sums[3] + sums[4]
    return front * sums[0], front * squares, front * (fourths - squares) / 3.0
