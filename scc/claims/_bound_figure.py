"""How loose the bounds of a statement are on random systems, one row for each quantity."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from scc.claims.claim import SystemResult

_MARKERS = {"onsite": "o", "orthonormal": "s", "loewdin": "^"}
_MODELS = {"onsite": "on-site", "orthonormal": "Gaussian, S = 1 assumed", "loewdin": "Löwdin"}
_FEW_DECADES = 20.0
"""Axes shorter than this factor get ticks between the powers of ten."""


def draw(results: Sequence[SystemResult]) -> Figure:
    """Nothing but the looseness; as high as there are quantities."""
    quantities = {name for r in _random(results) for name in r.measured["bound / measured"]}
    figure = Figure(figsize=(8.5, 1.9 + 0.3 * len(quantities)), layout="constrained")
    axes = figure.subplots()
    looseness(axes, results)
    if quantities:
        legend_below(figure, axes)
    return figure


def beside_looseness(
    results: Sequence[SystemResult],
    panel: Callable[[Axes, SystemResult], None],
    number: int,
    width: float,
) -> Figure:
    """``number`` panels, one for each system that was not drawn at random, and the looseness.

    ``panel`` plots with labels; title and legend are added here.
    """
    figure = Figure(figsize=(width, 4.6), layout="constrained")
    *panels, last = figure.subplots(1, number + 1)
    chosen = [r for r in results if "statement" not in r.parameters]
    for axes, r in zip(panels, chosen, strict=False):
        panel(axes, r)
        axes.set_title(r.description, fontsize="small")
        axes.legend(fontsize="x-small")
    looseness(last, results)
    if _random(results):
        legend_below(figure, last)
    return figure


def looseness(axes: Axes, results: Sequence[SystemResult]) -> None:
    """bound/measured at the tightest entry, a mark for each system; 1 is where a bound breaks.

    Colours tell temperatures and markers models; the labels are for a legend of the figure.
    """
    drawn = _random(results)
    names = sorted({name for r in drawn for name in r.measured["bound / measured"]}, reverse=True)
    betas = sorted({str(r.parameters["beta"]) for r in drawn}, key=float)
    for r in drawn:
        index = betas.index(str(r.parameters["beta"]))
        lift = 0.5 * (index + 0.5) / len(betas) - 0.25
        ratios = np.array([r.measured["bound / measured"].get(name, np.nan) for name in names])
        axes.plot(
            ratios,
            np.arange(len(names)) - lift,
            _MARKERS[r.parameters["model"]],
            ms=3.5,
            color=f"C{index}",
            fillstyle="none",
        )
    for index, beta in enumerate(betas):
        axes.plot([], [], "-", lw=4, color=f"C{index}", label=f"β = {beta}")
    for model in _MODELS:
        if any(r.parameters["model"] == model for r in drawn):
            label = _MODELS[model]
            axes.plot([], [], _MARKERS[model], ms=3.5, color="k", fillstyle="none", label=label)
    axes.set_yticks(range(len(names)), names, fontsize="x-small")
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.axvline(1.0, color="k", lw=1)
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = axes.get_xlim()
    if high < _FEW_DECADES * low:
        ticks = [tick for tick in (1, 2, 3, 5, 10, 20) if low <= tick <= high]
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    axes.set_xlabel("bound / measured, tightest entry", fontsize="small")


def legend_below(figure: Figure, axes: Axes) -> None:
    """The legend of :func:`looseness`, below everything."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower right", ncols=len(labels), fontsize=7)


def _random(results: Sequence[SystemResult]) -> list[SystemResult]:
    """Those of :func:`scc.claims._bounds.bound_systems` about which a bound says something."""
    return [r for r in results if "statement" in r.parameters and r.measured["bound / measured"]]
