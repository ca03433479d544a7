"""Theorem 4 where its rate is known in closed form: nearest-neighbour hopping −t on a chain.

On the chain H_ℓ,ℓ±1 = −t the Matsubara sum of :mod:`scc.claims._local_derivatives` is explicit:
G_ℓm(z) ∝ e^{iθ|ℓ−m|}, cos θ = −z/2t. At finite β the term of the nearest pole wins,

    ∂p_ℓ/∂v_m ~ Re[c e^{2iθ₀r}],             rate 2|Im arccos(−(µ + iπ/β)/2t)|,
    ∂E_ℓ/∂v_m ~ Re[c′ e^{2iθ₀r}]/r,          the same rate,

the latter because G(z) = −β⁻¹ ln(1 + e^{−β(z−µ)}) has a branch cut µ + i[π/β, ∞) where F has poles.
The terms oscillate with 2Re θ₀ = 2k_F. Their envelope is taken exactly: a damped cosine has
√|x_r² − x_{r−1}x_{r+1}| ∝ e^{−ηr} (the Teager–Kaiser operator). At µ = 0 on this bipartite chain
∂p alternates, ∂E vanishes by symmetry. At β = ∞ with levels ∓D/2 the sum is an integral along
the imaginary axis, whose stationary point gives ∂p ~ r^{−1/2} e^{−ηr}, η = 2 arcsinh(D/4t), and,
one order further down because µ lies at mid-gap, ∂E ~ r^{−3/2} e^{−ηr}. Prefactor powers are
fixed, never fitted. Distances start where the second pole is below 1e-3 and stop 5/η before the
end of the chain.

t = 1 sets the unit of energy; spacing 1.
"""

from __future__ import annotations

import math

import numpy as np

from scc.arrays import FloatArray
from scc.claims._local_derivatives import beta_of
from scc.claims._onsite_systems import hopping_chain
from scc.claims.claim import System, SystemResult
from scc.locality import envelope, fit_exponential

RATE_TOLERANCE = {"mu = 0": 0.005, "mu != 0": 0.03, "beta = inf": 0.03}

FLOOR = 100.0 * np.finfo(np.float64).eps
"""Noise floor relative to the largest value: rounding of the eigenvectors of H."""


def exact_rate(beta: float, mu: float, pole: int = 0) -> float:
    """2|Im arccos(−(µ + iπ(2n+1)/β)/2)| for t = 1; 2 arcsinh(π/2β) at µ = 0, n = 0."""
    return 2.0 * abs(float(np.arccos(-0.5 * (mu + 1j * np.pi * (2 * pole + 1) / beta)).imag))


def exact_gap_rate(gap: float) -> float:
    """2 arcsinh(D/4) for t = 1 and levels ∓D/2 at β = ∞."""
    return 2.0 * math.asinh(0.25 * gap)


def measure_hopping_chain(system: System) -> SystemResult:
    """∂p_ℓ/∂v_m and ∂E_ℓ/∂v_m at v̂ = 0. Parameters: atoms, beta, mu, gap (β = ∞ if not zero)."""
    p = system.parameters
    beta, mu, gap, atoms = beta_of(system), float(p["mu"]), float(p["gap"]), int(p["atoms"])
    case = hopping_chain(atoms, beta, mu, gap)
    # One end is near, whose reflection multiplies everything further along by a constant; the
    # other is far.
    source = atoms // 8
    r = np.arange(1.0, atoms - source)
    unit = np.eye(atoms)[source]
    density = case.state.populations_jvp(unit)[source + 1 :]
    energy = case.state.site_energies_jvp(unit)[source + 1 :]

    zero_temperature = math.isinf(beta)
    rate = exact_gap_rate(gap) if zero_temperature else exact_rate(beta, mu)
    # From where the corrections are small: the next pole, or the 1/r of the stationary point.
    start = 5.0 / rate if zero_temperature else 7.0 / (exact_rate(beta, mu, 1) - rate)
    window = (start, r[-1] - 5.0 / rate)
    tolerance = RATE_TOLERANCE[
        "beta = inf" if zero_temperature else ("mu = 0" if mu == 0.0 else "mu != 0")
    ]
    powers = (0.5, 1.5) if zero_temperature else (0.0, 1.0)
    vanishes = not zero_temperature and mu == 0.0
    measured: dict[str, float] = {}
    series: dict[str, FloatArray] = {}
    holds = True
    quantities = zip(("density", "site energy"), (density, energy), powers, strict=True)
    for name, values, power in quantities:
        if name == "site energy" and vanishes:
            measured["largest site energy derivative"] = float(np.max(np.abs(energy)))
            holds = holds and measured["largest site energy derivative"] < 1e-12
            continue
        oscillates = not zero_temperature and mu != 0.0
        distance = r[1:-1] if oscillates else r
        magnitude = teager_kaiser(values) if oscillates else np.abs(values)
        data = envelope(distance, magnitude, floor=FLOOR * float(np.max(np.abs(values))))
        fit = fit_exponential(data, power, window)
        measured[f"rate of {name}"] = fit.rate
        measured[f"uncertainty of rate of {name}"] = fit.rate_uncertainty
        series[f"{name} distance"], series[f"{name} magnitude"] = data.distance, data.magnitude
        series[f"{name} fit"] = np.array([fit.log_prefactor, fit.rate, fit.power])
        holds = holds and abs(fit.rate / rate - 1.0) <= tolerance
    predicted = {name: rate for name in measured if name.startswith("rate")}
    if vanishes:
        predicted["largest site energy derivative"] = 0.0
    return system.result(
        hypotheses={
            "beta < inf or mu in a gap": not zero_temperature or case.state.gap > 0.0,
            "gap": case.state.gap,
            "M >= 20/rate": atoms >= 20.0 / rate,
        },
        measured=measured,
        predicted={**predicted, "relative tolerance of rates": tolerance},
        holds=holds,
        series=series,
    )


def teager_kaiser(values: FloatArray) -> FloatArray:
    """√|x_r² − x_{r−1}x_{r+1}| at the inner points; |A sin 2k| e^{−ηr} for A e^{−ηr} cos(2kr + φ).

    Kaiser, ICASSP 1990, 381.
    """
    return np.asarray(np.sqrt(np.abs(values[1:-1] ** 2 - values[:-2] * values[2:])))
