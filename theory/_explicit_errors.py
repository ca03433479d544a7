"""Errors of explicit polynomials and of their derivatives at matrices: m₀…m₃ of Theorem 8.

X is {B ≤ |x−µ| ≤ A} around the levels of a system and of all H within δ of it. With E_j bounds of
the tails Σ_{k>n} |a_k| T_k^{(j)}(1) of the series of Lemma 7 and h = (A²−B²)/2, t_j = E_j/h^j,

    ‖(F−F_N)(H)‖ ≤ m₀ = ½A t₀,   ‖D^j(F−F_N)(H)[A₁,…,A_j]‖ ≤ m_j ‖A₁‖…‖A_j‖,
    m_j = ½(j g_{j−1} + A g_j),   g₀ = t₀,  g₁ = 2A t₁,  g₂ = 4A²t₂ + 2t₁,  g₃ = 8A³t₃ + 12A t₂,

in the operator norm, or with one factor and the left side in the Frobenius norm. For F − F_N =
½ s R(s²), R = Σ_{k>n} a_k T_k, and g_j bounds D^j of S ↦ R(S²): S² has the derivatives SA + AS ≤ 2A
and AB + BA ≤ 2. Those of T_k at matrices are sums of products of Chebyshev polynomials with
positive weights, hence at most T_k′(1) = k², T_k″(1) = k²(k²−1)/3, T_k‴(1) = k²(k²−1)(k²−4)/15.
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
    third_constant,
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
    """m₀…m₃ (Hartree^{−j}) and ‖G − G_N‖_X for each degree; ℓ₁…ℓ₃ on the ball."""

    degrees: FloatArray
    value: FloatArray
    first: FloatArray
    second: FloatArray
    third: FloatArray
    grand_potential: FloatArray
    first_constant: float
    second_constant: float
    third_constant: float
    frobenius_second_constant: float

    @classmethod
    def of(cls, geometry: Geometry, degrees: FloatArray) -> "Errors":
        """Even degrees N ≥ 4."""
        A, B, beta = geometry.outer, geometry.inner, geometry.beta
        h = 0.5 * (A - B) * (A + B)
        t = [tail / h**order for order, tail in enumerate(tails(beta, B, A, degrees))]
        g = [t[0], 2 * A * t[1], 4 * A**2 * t[2] + 2 * t[1], 8 * A**3 * t[3] + 12 * A * t[2]]
        left = max(geometry.distance - geometry.radius, 0.0)
        return cls(
            degrees,
            0.5 * A * g[0],
            0.5 * (g[0] + A * g[1]),
            0.5 * (2.0 * g[1] + A * g[2]),
            0.5 * (3.0 * g[2] + A * g[3]),
            lemma_7.bound(beta, B, A, degrees)[1],
            first_constant(beta, left),
            second_constant(beta, left),
            third_constant(beta, left),
            frobenius_second_constant(beta, left),
        )


def tails(
    beta: float, inner: float, outer: float, degrees: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Bounds of E_j = Σ_{k≥m} |a_k| T_k^{(j)}(1), m = N/2, j = 0…3.

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
    # Σ_{i≥0} i^j q^i: Eulerian polynomials over (1 − q)^{j+1}
    eulerian = (
        *((1,), (1,), (1, 1), (1, 4, 1), (1, 11, 11, 1), (1, 26, 66, 26, 1)),
        (1, 57, 302, 302, 57, 1),
    )
    sums = [
        np.polyval(row, q) * (q if power else 1.0) / p ** (power + 1)
        for power, row in enumerate(eulerian)
    ]

    def moment(power: int) -> FloatArray:  # Σ_{i≥0} (m + i)^power q^i
        terms = [math.comb(power, j) * m ** (power - j) * sums[j] for j in range(power + 1)]
        return np.asarray(np.sum(terms, axis=0))

    second, fourth, sixth = moment(2), moment(4), moment(6)
    return (
        front * sums[0],
        front * second,
        front * (fourth - second) / 3.0,
        front * (sixth - 5.0 * fourth + 4.0 * second) / 15.0,
    )
