"""The constants of (2.12) and (2.20): |∂^α φ(x)| ≤ c e^{−α|x|} for Gaussian functions, any rate α.

R_lµ are Racah's: Σ_µ R_lµ² = r^{2l}. They are harmonic, so that half the Laplacian of a sum of
squares is the sum of squared gradients, and

    |R| ≤ r^l,   |∇R| ≤ √(l(2l+1)) r^{l−1},   |∇∇R|_F ≤ √(l(2l+1)(l−1)(2l−1)) r^{l−2}.

With g = e^{−ar²}, |∇g| = 2ar g, |∇∇g|_F ≤ (2√3 a + 4a²r²) g, and
sup_r r^p e^{−ar²+αr} is attained at r = (α + √(α² + 8ap))/(4a).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from scc.basis.shells import Shell
from scc.basis.three_centre import PotentialFunction


class OrbitalEnvelope(NamedTuple):
    """Suprema of |φ| e^{α|x|}, |∇φ| e^{α|x|} and |∇∇φ|_F e^{α|x|}, atomic units."""

    value: float
    gradient: float
    hessian: float


def shell_envelope(shell: Shell, alpha: float) -> OrbitalEnvelope:
    """For each of the 2l+1 functions of a contracted shell, at the rate α > 0 (1/bohr)."""
    pairs = zip(shell.exponents, shell.radial_coefficients, strict=True)
    return _envelope(shell.angular_momentum, [(a, abs(float(c))) for a, c in pairs], alpha)


def potential_envelope(function: PotentialFunction, alpha: float) -> OrbitalEnvelope:
    """For each of the 2l+1 functions Ξ_c."""
    terms = [(function.exponent, abs(function.prefactor))]
    return _envelope(function.angular_momentum, terms, alpha)


def _envelope(degree: int, terms: Sequence[tuple[float, float]], alpha: float) -> OrbitalEnvelope:
    first = math.sqrt(degree * (2 * degree + 1))
    second = first * math.sqrt(max((degree - 1) * (2 * degree - 1), 0))
    value = gradient = hessian = 0.0
    for a, c in terms:

        def top(power: int, a: float = a) -> float:
            return gaussian_peak(power, a, alpha) if power >= 0 else 0.0

        value += c * top(degree)
        gradient += c * (first * top(degree - 1) + 2.0 * a * top(degree + 1))
        hessian += c * (
            second * top(degree - 2)
            + (4.0 * a * first + 2.0 * math.sqrt(3.0) * a) * top(degree)
            + 4.0 * a * a * top(degree + 2)
        )
    return OrbitalEnvelope(value, gradient, hessian)


def gaussian_peak(power: int, a: float, alpha: float) -> float:
    """sup over r ≥ 0 of r^p e^{−ar²+αr}."""
    r = (alpha + math.sqrt(alpha * alpha + 8.0 * a * power)) / (4.0 * a)
    return float(r**power * math.exp(alpha * r - a * r * r))
