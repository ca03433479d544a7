"""E_ℓ and p_ℓ of one site, at fixed v̂, in clusters of growing radius cut out of one system.

Measured are |E_ℓ(Λ) − E_ℓ(Λ_R)| and |p_ℓ(Λ) − p_ℓ(Λ_R)|. By the identity behind
:mod:`scc.theory.thermodynamic_limit`, what is lost travels from ℓ to the surface and back:

    p_ℓ(Λ) − p_ℓ(Λ_R) = 2 (2/β) Σ_n Re u(z_n)ᵀ G(z_n) u(z_n),      u(z) = W (z − H_R)⁻¹ e_ℓ,

so that the rate is that of |u(z)|², twice the decay of Green's function, at z = µ + iπ/β, or where
in the gap it is largest. Clusters of lattices have corners, directions of slow decay (diagonals)
and steps from shell to shell; all are in |u|² as well, and the prediction is

    ln|ΔE| = ln|u(z)|² − s ln R + const,

slope 1 against ln|u|², with s from the integral over energies: ½ at β = ∞ for its stationary
point; at β < ∞ 0 for the population and 1 for the energy, an integral along the cut of G that
starts at the pole. The slope is the median of those between all pairs of radii (Theil and Sen),
which zeros of an oscillating difference do not move; E_ℓ, where powers of 1/R compete, has them,
and its slope counts with its uncertainty. µ lies off the middle of the gap, where by symmetry the
leading order of E_ℓ vanishes.

The bounds of the statement hold at every radius. Λ itself is finite: radii stop at 0.7 of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import theilslopes

from scc.arrays import FloatArray
from scc.claims._local_derivatives import GAP_ENERGIES, beta_of
from scc.claims._periodic_ionic_crystal import HOPPING, SPACING
from scc.claims.claim import System, SystemResult
from scc.configuration import Configuration, chain, lattice
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.theory import thermodynamic_limit as theory
from scc.theory._cut import Cut
from scc.theory.system import TightBindingSystem

SLOPE_TOLERANCE = 0.2
"""Of a slope of 1, over the few lattice spacings that clusters in three dimensions have."""

FLOOR = 1e-13
EXTENT = 0.7


def configuration(dimension: int, size: int) -> Configuration:
    """Open lattice of size^dimension sites, alternating species."""
    if dimension == 1:
        return chain(size, SPACING, ("Na", "Cl"))
    if dimension == 2:
        return lattice("square", size, SPACING, ("Na", "Cl"))
    return lattice("rock-salt", size, SPACING)


def measure_clusters(system: System) -> SystemResult:
    """Rates against 2γ, and both differences against their bounds at every radius."""
    p = system.parameters
    whole = configuration(p["dimension"], p["size"])
    model = OnsiteTightBinding(model_b(p["gap"], hopping=HOPPING)).prepare(whole)
    features = np.random.default_rng(p["seed"]).uniform(-p["disorder"], p["disorder"], len(whole))
    case = TightBindingSystem(model, features, beta_of(system), p["mu"])
    r = np.linalg.norm(whole.positions, axis=1)
    site = int(np.argmin(r))
    distance = case.distances[site]
    radii = np.unique(np.round(distance[distance < EXTENT * distance.max()], 6))
    radii = radii[:: max(1, len(radii) // p["radii"])] + 1e-6
    cuts = [Cut(case, site, float(radius)) for radius in radii]
    # Norms of |H| of the largest cluster dominate those of all others.
    norms = theory.trial_norms(cuts[-1].cluster)
    found = np.array([cut.measured() for cut in cuts])
    bounds = np.array([theory.bound(cut, norms) for cut in cuts])
    rounding = 8.0 * case.rounding_unit * (1.0 + 0.25 * min(case.beta, 2.0 / case.gap_below))
    inside = bool(np.all(found <= bounds + rounding))
    returned = max((_returned(cuts, z) for z in _energies(case)), key=lambda u: float(u[0] / u[-1]))
    powers = (0.5, 0.5) if case.zero_temperature else (0.0, 1.0)
    measured: dict[str, Any] = {}
    predicted: dict[str, Any] = {"tolerance of slopes": SLOPE_TOLERANCE}
    series: dict[str, Any] = {"radius": radii, "returned": returned}
    holds = inside
    for column, name in enumerate(("population", "site energy")):
        values = found[:, column]
        used = values > FLOOR
        reduced = np.log(values[used]) + powers[column] * np.log(radii[used])
        fit = theilslopes(reduced, np.log(returned[used]))
        measured[f"slope of {name} against |u|^2"] = float(fit.slope)
        uncertainty = 0.5 * float(fit.high_slope - fit.low_slope)
        measured[f"uncertainty (95 %) of slope of {name}"] = uncertainty
        predicted[f"slope of {name} against |u|^2"] = 1.0
        allowed = SLOPE_TOLERANCE + (uncertainty if name == "site energy" else 0.0)
        holds = holds and abs(float(fit.slope) - 1.0) <= allowed
        series[name], series[f"bound of {name}"] = values, bounds[:, column]
    span = float(radii[-1] - radii[0])
    measured["decades of the site energy"] = float(np.log10(found[0, 1] / found[-1, 1]))
    measured["2 gamma over these radii [1/bohr]"] = float(np.log(returned[0] / returned[-1])) / span
    clear = found[:, 1] > 10.0 * rounding
    measured["smallest bound / measured, site energy"] = float(
        np.min(bounds[clear, 1] / found[clear, 1])
    )
    predicted["smallest bound / measured, site energy"] = "at least 1"
    return system.result(
        hypotheses={
            **theory.hypotheses(case),
            "gap below and above mu [Ha]": f"{case.gap_below:.4f}, {case.gap_above:.4f}",
            "largest cluster": len(cuts[-1].atoms),
        },
        measured=measured,
        predicted=predicted,
        holds=holds,
        series=series,
    )


def _energies(case: TightBindingSystem) -> list[complex]:
    """µ + iπ/β, or a few energies in the gap."""
    if not case.zero_temperature:
        return [complex(case.mu, np.pi / case.beta)]
    low, high = case.mu - case.gap_below, case.mu + case.gap_above
    return [complex(low + share * (high - low)) for share in GAP_ENERGIES]


def _returned(cuts: Sequence[Cut], z: complex) -> FloatArray:
    """|u(z)|² of every cluster."""
    found = []
    for cut in cuts:
        state = cut.cluster.state
        weights = state.eigenvectors[cut.own[0]] / (z - state.eigenvalues)
        u = cut.coupling @ (state.eigenvectors @ weights)
        found.append(float(np.sum(np.abs(u) ** 2)))
    return np.array(found)
