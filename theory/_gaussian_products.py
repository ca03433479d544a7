"""Integrals of equal s Gaussians by the Gaussian product theorem, and their exponential envelopes.

φ_ℓ = (2a/π)^{3/4} e^{−a|x−r_ℓ|²}, Ξ_m = p e^{−b|x−r_m|²}. With c = ½(r_ℓ + r_k), d = |c − r_m| and
r = r_ℓk,

    T(r) = (a/2)(3 − ar²) e^{−ar²/2},     W = w e^{−ar²/2 − qd²},
    w = p (2a/(2a+b))^{3/2},              q = 2ab/(2a+b).

With t = r_ℓm + r_mk: t² ≤ 2(r_ℓm² + r_mk²) = 4d² + r², d ≤ t/2, and a/2 ≥ q/4, hence
ar²/2 + qd² ≥ (q/4)t². All suprema are then of |polynomial| · e^{−αr²+ηr} over r ≥ 0, which a
polynomial equation gives exactly.
"""

import math

import numpy as np
from numpy.polynomial import Polynomial

from scc.basis.shells import BasisSet
from scc.basis.three_centre import PotentialFunction
from scc.theory.packing import Packing, best_gaussian_sum


def envelope_peak(polynomial: Polynomial, alpha: float, eta: float, nearest: float = 0.0) -> float:
    """sup over r ≥ nearest of |p(r)| e^{−αr²+ηr}: at a zero of p′ + p(η − 2αr), or at the end."""
    stationary = (polynomial.deriv() + polynomial * Polynomial([eta, -2.0 * alpha])).roots()
    # Complex pairs that rounding split off a double root are tried as well: harmless.
    r = np.append(stationary.real[stationary.real > nearest], nearest)
    values = np.abs(polynomial(r)) * np.exp(r * (eta - alpha * r))
    # At a maximum the value is as good as the square of the error of its place.
    return float(np.max(values) * (1.0 + 1e-9))


def equal_exponent(basis: BasisSet) -> float | None:
    """a, if every atom has one and the same primitive s function; else None."""
    shells = {shell for atom in basis.shells for shell in atom}
    single = all(len(atom) == 1 for atom in basis.shells) and len(shells) == 1
    shell = next(iter(shells))
    if not single or shell.angular_momentum != 0 or len(shell.exponents) != 1:
        return None
    return shell.exponents[0]


def kinetic_peaks(a: float, eta: float, nearest: float) -> tuple[float, float, float]:
    """(T(0), sup over r ≥ nearest of |T| e^{ηr}, sup of |T′| e^{ηr}), Hartree and Hartree/bohr."""
    value = Polynomial([1.5 * a, 0.0, -0.5 * a * a])
    slope = value.deriv() - value * Polynomial([0.0, a])
    return (
        1.5 * a,
        envelope_peak(value, 0.5 * a, eta, nearest),
        envelope_peak(slope, 0.5 * a, eta, nearest),
    )


def feature_peaks(
    a: float, function: PotentialFunction, eta: float, found: list[Packing]
) -> tuple[float, float, float]:
    """Constants of Σ_m |W_m| e^{ηr}, of |W_m| e^{ηt} and of |∂/∂r_m Σ_j v̂_j W_j| e^{ηt}, ‖v̂‖ = 1.

    Three cases of the last: m apart from ℓ ≠ k or ℓ = k; m = ℓ ≠ k; m = ℓ = k. The gradient of
    e^{−ar²/2−qd_j²} in r_ℓ is at most ar + qd_j, in r_j it is 2qd_j, and d e^{−qd²} is at most
    e^{−qd²/2}/√(eq).
    """
    b = function.exponent
    w = abs(function.prefactor) * (2.0 * a / (2.0 * a + b)) ** 1.5
    q = 2.0 * a * b / (2.0 * a + b)
    one, linear = Polynomial([1.0]), Polynomial([0.0, 1.0])
    sums = best_gaussian_sum(q, found)
    weighted = best_gaussian_sum(0.5 * q, found) / math.sqrt(math.e * q)
    overlap, stretched = envelope_peak(one, 0.5 * a, eta), envelope_peak(linear, 0.5 * a, eta)
    apart = q * envelope_peak(linear, 0.25 * q, eta)
    bond = (a * sums + q) * stretched + q * weighted * overlap
    site = 2.0 * q * weighted
    return w * sums * overlap, w * envelope_peak(one, 0.25 * q, eta), w * max(apart, bond, site)
