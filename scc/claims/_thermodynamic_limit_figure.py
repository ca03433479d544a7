"""Figure of the claim thermodynamic-limit: clusters, open lattices, periodic crystals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from scc.claims.claim import SystemResult


def draw(results: Sequence[SystemResult]) -> Figure:
    """Site energy against R with its bound; powers of n; exponentials of n."""
    figure = Figure(figsize=(13, 5.0), layout="constrained")
    clusters, islands, crystals = figure.subplots(1, 3)
    kinds: dict[str, list[SystemResult]] = {"cluster": [], "open": [], "periodic": []}
    for result in results:
        kinds[result.parameters["kind"]].append(result)
    for index, result in enumerate(kinds["cluster"]):
        _draw_cluster(clusters, result, f"C{index}")
    for result in kinds["open"]:
        _draw_open(islands, result)
    for index, result in enumerate(kinds["periodic"]):
        _draw_periodic(crystals, result, f"C{index}")
    clusters.set(xlabel="radius R [bohr]", ylabel="|E − E(cluster)| [Ha]", yscale="log")
    clusters.set_title("fixed v̂: measured and bound (dashed)", fontsize=9)
    islands.set(
        xlabel="atoms along an edge, n",
        ylabel="distance from the limit [a.u.]",
        xscale="log",
        yscale="log",
    )
    islands.xaxis.set_minor_formatter(NullFormatter())
    islands.set_title("equilibrium, open: predicted powers (lines)", fontsize=9)
    crystals.set(xlabel="sites along an edge, n", ylabel="change per atom [a.u.]", yscale="log")
    crystals.set_title("equilibrium, periodic: predicted rates (lines)", fontsize=9)
    for axes, columns in ((clusters, 2), (islands, 2), (crystals, 1)):
        if axes.lines:
            axes.legend(fontsize=6, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=columns)
    return figure


def _draw_cluster(axes: Any, result: SystemResult, colour: str) -> None:
    p, s = result.parameters, result.series
    label = f"{p['dimension']}D, β = {p['beta']}"
    seen = s["site energy"] > 0.0
    axes.plot(s["radius"][seen], s["site energy"][seen], "o", ms=3, color=colour, label=label)
    axes.plot(s["radius"], s["bound of site energy"], "--", lw=1, color=colour)


def _draw_open(axes: Any, result: SystemResult) -> None:
    dimension = int(result.parameters["dimension"])
    marker = {1: "o", 2: "s", 3: "^"}[dimension]
    names = [name for name in result.series if not name.startswith("predicted ")]
    for index, name in enumerate(names):
        n, y = result.series[name]
        power = float(result.series[f"predicted {name}"][0])
        colour = f"C{3 * index + dimension - 1}"
        label = f"{dimension}D, {name}: n^-{power:g}"
        axes.plot(n, y, marker, ms=4, color=colour, label=label)
        axes.plot(n, y[-1] * (n / n[-1]) ** -power, "-", lw=0.8, color=colour)


def _draw_periodic(axes: Any, result: SystemResult, colour: str) -> None:
    for name, marker in (("energy per atom", "o"), ("force on displaced atoms", "v")):
        if name not in result.series:
            continue
        n, y = result.series[name]
        rate, power = result.series[f"predicted {name}"][:2]
        label = f"{result.description}, {name}"
        axes.plot(n, y, marker, ms=3, color=colour, label=label)
        law = n**-power * np.exp(-rate * n)
        # Through the geometric mean of the points: the error oscillates about its envelope.
        level = np.exp(np.mean(np.log(y / law)))
        axes.plot(n, level * law, "-", lw=0.8, color=colour)
