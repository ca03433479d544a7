r"""Theorem 4 of the shipped water model: E_ℓ and ρ_ℓ at fixed v̂ know nothing beyond the cut-off.

Tight binding is exponentially local; a fitted model is exactly so: (3.3) with zero on the right for
r_ℓm > r_c. Two measurements on a droplet of liquid at its own v̂*:

* ∂E_ℓ/∂r_m and ∂E_ℓ/∂v̂_m of some ℓ and all m, by the model's own derivatives: exactly 0.0 beyond
  r_c;
* ρ_ℓ, the multipoles that site ℓ puts on itself and its neighbours: everything beyond r_c of ℓ is
  moved (staying beyond) and given another v̂, and ρ_ℓ and E_ℓ must stay as they were, to rounding.

The contrast is what the features are for: with v̂ = v̂*(r), dE_ℓ/dr_m decays like a power of r_ℓm,
drawn beside it, and is not zero at any distance: :data:`EQUILIBRATED` and more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scc.ace.predict import predict
from scc.arrays import FloatArray
from scc.claims._water_systems import MODEL, droplet, model_of
from scc.claims.claim import Claim, System, SystemResult
from scc.configuration import Configuration

ROUNDING = 1e-12
"""Of E_ℓ (relative) and of the multipoles of ρ_ℓ (e bohr^λ): sums of some thousand terms."""

EQUILIBRATED = 1e-9
"""Hartree/bohr: the largest dE_ℓ/dr_m beyond the cut-off is above it once v̂ follows."""

_SAMPLED = 6


def systems(full: bool) -> list[System]:
    """Droplets of liquid."""
    return [
        System(
            f"droplet of {number} molecules, seed {seed}",
            {"model": MODEL, "molecules": number, "seed": seed},
        )
        for number, seed in ((12, 0), (30, 1), (100, 2), (216, 3))[: 4 if full else 2]
    ]


def measure(system: System) -> SystemResult:
    """Derivatives of E_ℓ of some sites; their ρ_ℓ and E_ℓ with everything else changed."""
    p = system.parameters
    model, configuration = model_of(p["model"]), droplet(p["molecules"], p["seed"])
    cutoff = model.cutoff
    found = predict(model, configuration, tolerance=1e-10)
    state: Any = found.equilibrium.state.local
    distances = configuration.distances()
    outside = distances > cutoff
    atoms = len(configuration)

    rng = np.random.default_rng(p["seed"])
    sites = rng.choice(atoms, size=min(_SAMPLED, atoms), replace=False)
    beyond = 0.0
    for site in sites:
        weights = np.zeros(atoms)
        weights[site] = 1.0
        for values in (state.site_energies_position_vjp(weights), state.site_energies_vjp(weights)):
            beyond = max(beyond, float(np.max(np.abs(values[outside[site]]), initial=0.0)))

    density_change, energy_change = 0.0, 0.0
    for site in sites:
        moved, other = changed_outside(configuration, found.features, int(site), cutoff, rng)
        after = model.prepare(moved).evaluate(other)
        before_density = state.site_multipoles(int(site))
        after_density = after.site_multipoles(int(site))
        density_change = max(density_change, float(np.max(np.abs(after_density - before_density))))
        relative = after.site_energies[site] / state.site_energies[site] - 1.0
        energy_change = max(energy_change, abs(float(relative)))

    source = int(sites[0])
    fixed, equilibrated = slopes_of_all(found.equilibrium, source)
    far = outside[source]
    largest = float(np.max(equilibrated[far], initial=0.0))
    return system.result(
        hypotheses={
            "solution stable": found.stable,
            "pairs beyond the cut-off": int(np.sum(outside)),
            "atoms beyond the cut-off of a site that move": bool(far.any()),
        },
        measured={
            "largest derivative of E_l beyond the cut-off": beyond,
            "change of rho_l, all beyond changed": density_change,
            "relative change of E_l, all beyond changed": energy_change,
            "largest dE_l/dr_m beyond the cut-off, v = v*(r) [Hartree/bohr]": largest,
        },
        predicted={
            "largest derivative of E_l beyond the cut-off": 0.0,
            "change of rho_l, all beyond changed": f"<= {ROUNDING:g}",
            "relative change of E_l, all beyond changed": f"<= {ROUNDING:g}",
            "largest dE_l/dr_m beyond the cut-off, v = v*(r) [Hartree/bohr]": (
                f">= {EQUILIBRATED:g}"
            ),
        },
        holds=beyond == 0.0
        and density_change <= ROUNDING
        and energy_change <= ROUNDING
        and largest >= EQUILIBRATED,
        series={
            "distance": distances[source],
            "fixed": fixed,
            "equilibrated": equilibrated,
            "cutoff": np.array([cutoff]),
        },
    )


def changed_outside(
    configuration: Configuration,
    features: FloatArray,
    site: int,
    cutoff: float,
    rng: np.random.Generator,
) -> tuple[Configuration, FloatArray]:
    """Another configuration and v̂ that agree with these within the cut-off of a site.

    Atoms beyond move by up to half their distance to the cut-off's sphere, at most 0.5 bohr.
    """
    place = configuration.positions[site]
    distance = np.linalg.norm(configuration.positions - place, axis=1)
    room = np.minimum(0.5 * (distance - cutoff), 0.5)
    far = room > 0.0
    step = rng.normal(size=(len(distance), 3))
    step *= (room / np.linalg.norm(step, axis=1))[:, None]
    positions = configuration.positions + np.where(far[:, None], step, 0.0)
    other = features + np.where(far[:, None], rng.normal(size=features.shape), 0.0)
    return Configuration(configuration.species, positions), other


def slopes_of_all(equilibrium: Any, source: int) -> tuple[FloatArray, FloatArray]:
    """Largest |∂E_ℓ/∂r_m| over the components of one atom m, Hartree/bohr, (M,) each.

    Returns:
        At fixed v̂, and with v̂ = v̂*(r).
    """
    state = equilibrium.state
    local = state.local
    fixed, equilibrated = np.zeros((2, 3, len(state.density)))
    for axis in range(3):
        displacement = np.zeros((len(state.density), 3))
        displacement[source, axis] = 1.0
        change = equilibrium.solve_response(-state.residual_position_jvp(displacement))
        fixed[axis] = local.site_energies_position_jvp(displacement)
        equilibrated[axis] = fixed[axis] + local.site_energies_jvp(change)
    return np.max(np.abs(fixed), axis=0), np.max(np.abs(equilibrated), axis=0)


def draw(results: Sequence[SystemResult]) -> Figure:
    """|∂E_ℓ/∂r_m| against r_ℓm for the largest droplet, at fixed and at equilibrated v̂."""
    figure = Figure(figsize=(6.0, 4.2), layout="constrained")
    axes = figure.subplots()
    largest = max(results, key=lambda r: len(r.series.get("distance", ())), default=None)
    if largest is None or "distance" not in largest.series:
        axes.set_axis_off()
        return figure
    series = largest.series
    r, cutoff = series["distance"], float(series["cutoff"][0])
    floor = 1e-11
    # Exact zeros are drawn at the lower edge.
    axes.plot(r, np.maximum(series["fixed"], floor), "o", ms=4, label=r"fixed $\hat v$")
    axes.plot(
        r,
        np.maximum(series["equilibrated"], floor),
        ".",
        ms=4,
        label=r"$\hat v = \hat v^*(r)$",
    )
    axes.axvline(cutoff, color="k", lw=0.8, ls=":", label=r"cut-off; zeros at the lower edge")
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.7 * floor)
    axes.set_xlabel(r"$r_{\ell m}$ [bohr]")
    axes.set_ylabel(r"$|\partial E_\ell/\partial r_m|$ [Hartree/bohr]")
    axes.set_title(largest.description, fontsize="medium")
    axes.legend(fontsize="small", loc="upper right")
    return figure


CLAIM = Claim(
    id="theorem-4-water",
    statement=(
        "In the shipped water model E_ℓ and ρ_ℓ at fixed v̂ do not depend at all on positions or v̂ "
        "beyond the cut-off: derivatives are exactly zero, and changing everything there changes "
        "nothing. Once v̂ equilibrates, they depend on everything."
    ),
    source="Theorem 4, eq. (3.3), for a local model with a cut-off",
    systems=systems,
    measure=measure,
    draw=draw,
)
