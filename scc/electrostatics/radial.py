"""The two radial functions all Coulomb interactions of spherical Gaussian charges are made of."""

import numpy as np
from scipy.special import erf

from scc.arrays import FloatArray

_SERIES_BELOW = 1.0  # T = τ²r² under which F_1 is summed as a series
_SERIES_TERMS = 18  # 1/(18! · 39) = 4e-18: the first term left out at T = 1


def coulomb_radial(distance: FloatArray, tau: FloatArray | float) -> FloatArray:
    """erf(τr)/r, continued by 2τ/√π at r = 0.  Any broadcastable shapes; bohr and bohr⁻¹.

    No cancellation anywhere: erf is relatively accurate down to τr = 0.
    """
    distance, tau = np.broadcast_arrays(np.asarray(distance, float), np.asarray(tau, float))
    at_origin = 2.0 * tau / np.sqrt(np.pi)
    apart = distance > 0.0
    safe = np.where(apart, distance, 1.0)
    return np.asarray(np.where(apart, erf(tau * distance) / safe, at_origin))


def coulomb_radial_slope(distance: FloatArray, tau: FloatArray | float) -> FloatArray:
    r"""(1/r) d/dr [erf(τr)/r] = -(4/√π) τ³ F_1(τ²r²): the gradient is this times the vector r.

    F_1(T) = ∫₀¹ t² e^{-Tt²} dt is the first Boys function.  For T ≥ 1 the closed form
    (√π erf(√T)/(2√T) - e^{-T}) / 2T loses at most one bit; below, Σ (-T)^n / (n! (2n+3)).
    """
    distance, tau = np.broadcast_arrays(np.asarray(distance, float), np.asarray(tau, float))
    argument = tau * distance
    squared = argument**2
    small = squared < _SERIES_BELOW
    series_argument = np.where(small, squared, 0.0)
    series = np.zeros_like(squared)
    for order in range(_SERIES_TERMS - 1, -1, -1):  # nested: Σ aₙ (-T)ⁿ/n! = a₀ - T (a₁ - T/2 (…))
        series = 1.0 / (2 * order + 3) - series_argument * series / (order + 1)
    closed_argument = np.where(small, 1.0, argument)
    boys_zero = 0.5 * np.sqrt(np.pi) * erf(closed_argument) / closed_argument
    closed = 0.5 * (boys_zero - np.exp(-(closed_argument**2))) / closed_argument**2
    return np.asarray(-4.0 / np.sqrt(np.pi) * tau**3 * np.where(small, series, closed))


def pair_tau(widths: FloatArray) -> FloatArray:
    """τ_ℓk = 1/√(2(σ_ℓ² + σ_k²)), shape (M, M), bohr⁻¹, for widths σ (M,) in bohr."""
    return 1.0 / np.sqrt(2.0 * (widths[:, None] ** 2 + widths[None, :] ** 2))
