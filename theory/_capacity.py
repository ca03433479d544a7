"""Capacity of a cluster of Gaussian charges, bounded by that of a conducting spheroid around them.

Cap = 1ᵀJ⁻¹1 = 1/min{qᵀJq : Σq = 1} (Thomson). Let s be the unit charge on a conductor of capacity C
with every r_ℓ at least h inside: its potential is 1/C inside and positive outside, so
⟨q, s⟩ ≥ (1 − t|q|₁)/C, t the share of a Gaussian beyond h. With ⟨q, s⟩² ≤ qᵀJq/C and
|q|₁² ≤ M qᵀJq/λ_min(J),

    Cap ≤ (√C + t √(M/λ_min(J)))².

Spheroids with half-axes a ≥ b, c = √(a² − b²): C = c/artanh(c/a) prolate ~ a/ln(2a/b),
C = c/arccos(b/a) oblate ~ 2a/π; a ball of radius h about a point of an ellipsoid lies inside the
ellipsoid enlarged by 1 + h/b.
"""

import math

import mpmath
import numpy as np
from scipy.special import erfc

from scc.arrays import FloatArray

_REACHES = (3.0, 4.0, 5.0, 6.0, 8.0)
"""Distances h tried, in widths σ; t falls from 3e-2 to 5e-14."""


def prolate(a: float, b: float) -> float:
    """Capacity in bohr, half-axes a ≥ b = b."""
    c = math.sqrt(max(a * a - b * b, 0.0))
    return c / math.log((a + c) / b) if c > 1e-6 * a else a  # artanh(c/a), no cancellation


def oblate(a: float, b: float) -> float:
    """Capacity in bohr, half-axes a = a ≥ b."""
    c = math.sqrt(max(a * a - b * b, 0.0))
    return c / math.acos(b / a) if c > 1e-6 * a else a


def gaussian_tail(ratio: float) -> float:
    """Share of a three-dimensional Gaussian of width σ farther than ratio · σ from its centre."""
    beyond = math.sqrt(2.0 / math.pi) * ratio * math.exp(-0.5 * ratio**2)
    return float(erfc(ratio / math.sqrt(2.0))) + beyond


def spheroid_capacity(positions: FloatArray, inside: float) -> float:
    """Least capacity of the spheres and spheroids tried with all points ``inside`` deep, bohr."""
    centred = positions - 0.5 * (positions.max(axis=0) + positions.min(axis=0))
    axes = np.linalg.svd(centred, full_matrices=True)[2]
    along = np.abs(centred @ axes.T)
    total = np.linalg.norm(centred, axis=1)
    found = [float(np.max(total)) + inside]
    for capacity, axis in ((prolate, 0), (oblate, 2)):
        straight = along[:, axis]
        across = np.sqrt(np.maximum(total**2 - straight**2, 0.0))
        long, short = (straight, across) if capacity is prolate else (across, straight)
        for share in (1.2, 1.5, 2.0, 3.0):
            b = share * max(float(np.max(short)), inside)
            a = max(float(np.max(long / np.sqrt(1.0 - (short / b) ** 2))), b)
            found.append(capacity(a, b) * (1.0 + inside / b))
    return min(found)


def capacity_bound(positions: FloatArray, width: float, softest: float) -> float:
    """Upper bound of 1ᵀJ⁻¹1 in bohr for Gaussians of widths ≤ ``width``; softest: λ_min(J) > 0."""
    return min(
        (
            math.sqrt(spheroid_capacity(positions, reach * width))
            + gaussian_tail(reach) * math.sqrt(len(positions) / softest)
        )
        ** 2
        for reach in _REACHES
    )


def derivation() -> dict[str, bool]:
    """The closed forms against Chandrasekhar's integral 1/C = ½∫ dλ/√Π(a_i² + λ), and the tail."""

    def by_integral(a: float, b: float, c: float) -> float:
        def integrand(y: mpmath.mpf) -> mpmath.mpf:  # λ = y²
            return 2 * y / mpmath.sqrt((a**2 + y**2) * (b**2 + y**2) * (c**2 + y**2))

        return float(2 / mpmath.quad(integrand, [0, 1, 3, 10, 100, mpmath.inf]))

    def shell(x: mpmath.mpf) -> mpmath.mpf:
        return mpmath.sqrt(2 / mpmath.pi) * x**2 * mpmath.exp(-(x**2) / 2)

    tail = float(mpmath.quad(shell, [2, 4, 8, mpmath.inf]))
    outer = np.array([2.0, 2.0, 0.9])
    # The support function of the enlarged ellipsoid exceeds that of ellipsoid plus ball.
    directions = np.random.default_rng(0).normal(size=(2000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    support = np.linalg.norm(directions * outer, axis=1)
    return {
        "capacity of a prolate spheroid": abs(by_integral(3, 1, 1) - prolate(3, 1)) < 1e-9,
        "capacity of an oblate spheroid": abs(by_integral(3, 3, 1) - oblate(3, 1)) < 1e-9,
        "capacity of a long one is a/ln(2a/b)": abs(prolate(1e6, 1) * math.log(2e6) / 1e6 - 1)
        < 1e-6,
        "capacity of a flat one is 2a/pi": abs(oblate(1e6, 1) * math.pi / 2e6 - 1) < 1e-5,
        "Gaussian tail": abs(tail - gaussian_tail(2.0)) < 1e-10,
        "enlarged ellipsoid": bool(np.all(support * (1 + 0.3 / 0.9) >= support + 0.3 - 1e-12)),
    }
