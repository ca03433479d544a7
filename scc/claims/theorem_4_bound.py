"""Theorem 4 with constants: every measured derivative lies below its explicit bound.

Random systems as for every bound, and chains on which the decay spans many decades: measured
derivatives beside three bounds. *Paper*: Lemma 12 with ½𝔡 and Corollary 14, which halves the rate.
*Sharp*: :mod:`scc.theory.theorem_4`. *Tilted*: the same with the norms of the tilted resolvent,
:mod:`scc.theory._tilted`. r in bohr.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scc.claims import _bounds
from scc.claims._bound_figure import legend_below, looseness
from scc.claims._theorem_4_chains import chain_of, hopping_system, model_b_system, to_the_right
from scc.claims.claim import Claim, System, SystemResult
from scc.theory import theorem_4
from scc.theory._perturbations import by_feature, by_position, measured
from scc.theory._resolvent_bounds import resolvent_bounds
from scc.theory._tilted import tilted_bounds
from scc.theory.statement import Check, satisfied

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHAINS = (
    hopping_system(math.inf, 0.0, 1.6, 96),
    hopping_system(8.0, 0.5, 0.0, 96),
    model_b_system(math.inf, 2.0, 96),
    model_b_system(6.0, 0.0, 96, (1.0, 1.0)),
)


def systems(full: bool) -> list[System]:
    return [*CHAINS, *_bounds.bound_systems("theorem_4", full, gaussian=True)]


def measure(system: System) -> SystemResult:
    """A chain, or a random system."""
    if "kind" not in system.parameters:
        return _bounds.measure(system)
    case = chain_of(system.parameters)
    hypotheses = theorem_4.hypotheses(case)
    source, right = to_the_right(case)
    plain = resolvent_bounds(case)
    tilted = tilted_bounds(case, plain)
    checks: list[Check] = []
    series = {"distance": case.distances[source, right]}
    for perturbation in (by_feature(case, source), by_position(case, source, 0)):
        locality = theorem_4.bound(case, perturbation, plain)
        sharper = theorem_4.tilted_bound(case, perturbation, tilted)
        derivatives = measured(case, perturbation)
        limits = {
            "p, paper": locality.paper_populations(),
            "p, sharp": locality.populations(),
            "p, tilted": sharper.populations(),
            "E, sharp": locality.site_energies(),
            "E, tilted": sharper.site_energies(),
        }
        for what, limit in limits.items():
            index = 0 if what.startswith("p") else 1
            name = f"∂/∂{perturbation.name}_m {what}"
            error = theorem_4.rounding(locality)[index]
            checks.append(Check.of(name, derivatives[index], limit, error))
            series[name] = limit[right]
        for index, what in enumerate(("p", "E")):
            series[f"∂/∂{perturbation.name}_m {what}"] = np.abs(derivatives[index])[right]
    ratios = {check.quantity: check.looseness for check in checks if np.any(check.measured)}
    largest = max(check.worst for check in checks)
    return system.result(
        hypotheses=hypotheses,
        measured={"largest measured / allowed": largest, "bound / measured": ratios},
        predicted={"largest measured / allowed": 1.0},
        holds=all(c.holds for c in checks) if satisfied(hypotheses) else None,
        series=series,
    )


def draw(results: Sequence[SystemResult]) -> Figure:
    """Decay and its bounds on the four chains; derivatives by r_m; looseness on random systems."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.5, 8.4), layout="constrained")
    axes = figure.subplots(2, 3)
    chains = [r for r in results if "kind" in r.parameters]
    for panel, r in zip(axes[:, :2].flat, chains, strict=False):
        _decay(panel, r, "v̂")
    moved = [r for r in chains if np.any(r.series["∂/∂r_m p"])]
    if moved:
        _decay(axes[0, 2], moved[-1], "r")
    if chains:
        axes[0, 0].legend(fontsize="x-small", ncols=2)
    looseness(axes[1, 2], results)
    legend_below(figure, axes[1, 2])
    return figure


def _decay(axes: Axes, r: SystemResult, variable: str) -> None:
    styles = {"paper": ":", "sharp": "--", "tilted": "-"}
    distance = r.series["distance"]
    for what, marker, colour in (("p", "o", "C0"), ("E", "s", "C3")):
        values = r.series[f"∂/∂{variable}_m {what}"]
        label = f"∂{what}_ℓ/∂{variable}_m"
        axes.plot(distance, values, marker, ms=3, color=colour, label=label)
        for form, style in styles.items():
            bound = r.series.get(f"∂/∂{variable}_m {what}, {form}")
            if bound is not None:
                label = f"bound of ∂{what}, {form}"
                axes.plot(distance, bound, style, lw=1.2, color=colour, label=label)
    axes.set_yscale("log")
    axes.set_ylim(1e-17, 1e5)
    axes.set_title(f"{r.description}: ∂/∂{variable}_m", fontsize="small")
    axes.set_xlabel("r_ℓm (bohr)")
    axes.set_ylabel("magnitude (atomic units)")


CLAIM = Claim(
    id="theorem-4-bound",
    statement=(
        "The derivatives of site energies E_ℓ and populations p_ℓ with respect to v̂_m and "
        "r_m, at fixed v̂, lie below explicit bounds C e^{−η r_ℓm} computed from H, its "
        "derivatives, β and the gap."
    ),
    source="Theorem 4, eqs. (3.3)–(3.5)",
    systems=systems,
    measure=measure,
    draw=draw,
    family=_bounds.bound_family("theorem_4", gaussian=True),
)
