r"""What is lost by cutting the sums off: mean square errors for uncorrelated random multipoles.

Multipoles of independent random direction on sites of uniform density N/Ω, P_λ = Σ_k Σ_µ p_kλµ²,
K_AB(r) the derivative R_A(∂)R_B(−∂)/((2λ_A−1)!!(2λ_B−1)!!) of a radial function f:

- pairs beyond r_c, f = v_w − v_W = erfc(r/√2s)/r − erfc(r/√2w)/r:
  ⟨U_λt²⟩ = Σ_λs (P_λs/Ω) ∫_{r_c}^∞ Σ_AB K_AB²/(2λ_s+1) 4πr² dr;
- wave vectors beyond k_c, W = max(w, s): the same with
  ∫ dk³ Ω/(2π)³ (4π/Ωk²)² k^{2(λt+λs)} e^{−k²W} / ((2λ_s+1)(2λ_t−1)!!²(2λ_s−1)!!²);
- forces have one derivative more, F² = (1/N) Σ P_λt/(2λ_t+1) ⟨|∇U_λt|²⟩;
- energies: ⟨δE²⟩ = ½ Σ P_λt/(2λ_t+1) ⟨U_λt²⟩, and what every site loses of its own reciprocal
  energy, which has one sign, ½ Σ_λ P_λ (2/π) ∫_{k_c}^∞ k^{2λ} e^{−k²W/2} dk/((2λ+1)(2λ−1)!!²).

Every integral is a power of s times a function of x = r_c/√s or y = k_c√s, tabulated here. With
screening κ, f is the short-ranged part of :mod:`.screened_splitting`, a function of κ√s, too.

Reference: J. Kolafa, J. W. Perram, Mol. Simul. 9, 351 (1992), for point charges.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import erfc, erfcx

from scc.arrays import FloatArray
from scc.basis.polynomials import sum_index
from scc.electrostatics.derivative_tensors import derivative_tensors
from scc.electrostatics.multipoles.moments import (
    multipole_operators,
    parities,
    raised_index,
)

_STEP = 0.05
_TINY = 1e-280  # strongly screened tails underflow
GRID = np.arange(0.3, 12.0, _STEP)  # x = r_c/√s and y = k_c√s of all tables


class PairTails(NamedTuple):
    """∫_x^∞ 4πr² dr (…) for s = 1 and f = erfc(r/√2)/r, on :data:`GRID`."""

    potential: FloatArray  # (λt, λs, x): Σ_AB K_AB²
    gradient: FloatArray  # (λt, λs, x): Σ_AB |∇K_AB|²
    mean: FloatArray  # (x,): f


class WaveTails(NamedTuple):
    """∫_y^∞ dk (…), n = 0…n_max, on :data:`GRID`: (n, y)."""

    squared: FloatArray  # k^{2n−2} e^{−k²}
    own: FloatArray  # k^{2n} e^{−k²/2}


@lru_cache(maxsize=64)
def pair_tails(target_l: int, source_l: int, screening: float = 0.0) -> PairTails:
    """Tables for all λt ≤ target_l, λs ≤ source_l; ``screening`` is κ√s."""
    order = target_l + source_l + 1
    r = _extended()
    radial = _complementary(order, r, screening)
    separation = np.zeros((len(r), 3))
    separation[:, 2] = r
    tensor = derivative_tensors(radial, separation)
    left = multipole_operators(target_l)
    right = multipole_operators(source_l) * parities(source_l)
    index = sum_index(target_l, source_l)
    raised = raised_index(order - 1)
    value = _degree_sums(left, tensor[index], right)
    gradient = np.sum([_degree_sums(left, tensor[raised[i][index]], right) for i in range(3)], 0)
    measure = 4.0 * np.pi * r**2
    return PairTails(_tail(value * measure), _tail(gradient * measure), _tail(radial[0] * measure))


@cache
def wave_tails(n_max: int) -> WaveTails:
    """Tables for n = 0…n_max."""
    k = _extended()
    n = np.arange(n_max + 1)[:, None]
    return WaveTails(
        _tail(k ** (2 * n - 2) * np.exp(-(k**2))), _tail(k ** (2 * n) * np.exp(-0.5 * k**2))
    )


def _extended() -> FloatArray:
    return np.append(GRID, GRID[-1] + _STEP)


def _tail(values: FloatArray) -> FloatArray:
    """∫_x^∞ for values that fall like exponentials between grid points: (..., n) → (..., n−1)."""
    values = np.maximum(values, _TINY)
    upper, lower = values[..., 1:], values[..., :-1]
    rate = np.log(lower / upper)
    flat = np.abs(rate) < 1e-8
    pieces = np.where(flat, lower, (lower - upper) / np.where(flat, 1.0, rate))
    # the last one stands for all that is beyond
    pieces[..., -1] = lower[..., -1] / np.where(flat, 1.0, rate)[..., -1]
    return np.asarray(np.cumsum(pieces[..., ::-1], axis=-1)[..., ::-1] * _STEP)


def _degree_sums(left: FloatArray, tensor: FloatArray, right: FloatArray) -> FloatArray:
    """Σ_{A∈λt, B∈λs} (left tensor rightᵀ)_AB²: (λt, λs, r) from tensor (t, s, r)."""
    squared = np.einsum("at,tsr,bs->abr", left, tensor, right, optimize=True) ** 2
    for axis in (0, 1):
        starts = np.arange(int(np.sqrt(squared.shape[axis]))) ** 2
        squared = np.add.reduceat(squared, starts, axis=axis)
    return np.asarray(squared)


def _complementary(order: int, r: FloatArray, screening: float) -> FloatArray:
    r"""g_n of what v̄_1 lacks of v̄_0, erfc(r/√2)/r without screening. With G_n = (−1)^n g_n,

    r² G_{n+1} = (2n+1) G_n + κ² G_{n−1} + √(2/π) e^{−(r²+κ²)/2}: positive terms, starting from
    G_0 = [e^{−κr} erfc(ρ−a) + e^{κr} erfc(ρ+a)]/2r,  ρ = r/√2, a = κ/√2, and, with a minus,
    κ² G_{−1} = κ/2 [e^{−κr} erfc(ρ−a) − e^{κr} erfc(ρ+a)].
    """
    rho, a = r / np.sqrt(2.0), screening / np.sqrt(2.0)
    gauss = np.exp(-0.5 * (r**2 + screening**2))
    one, other = np.exp(-screening * r) * erfc(rho - a), gauss * erfcx(rho + a)
    previous, current = 0.5 * screening * (one - other), 0.5 * (one + other) / r
    result = np.empty((order + 1, len(r)))
    result[0] = current
    for n in range(order):
        following = (2 * n + 1) * current + previous + np.sqrt(2.0 / np.pi) * gauss
        previous, current = screening**2 * current, following / r**2
        result[n + 1] = (-1.0) ** (n + 1) * current
    return result
