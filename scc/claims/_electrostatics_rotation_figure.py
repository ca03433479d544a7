"""Figure of the claim ``rotational-invariance``: displaced charges beside the operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scc.claims.claim import SystemResult


def draw_rotations(results: Sequence[SystemResult], steps_in_use: tuple[float, float]) -> Figure:
    """Energy and features against the step, and the energy of a turning cluster.

    Args:
        steps_in_use: for energies and features, angstrom; the first one's ``energy about an axis``.
    """
    figure = Figure(figsize=(12.6, 4.3), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    displaced = [result for result in results if "steps" in result.series]
    operators = [result for result in results if "steps" not in result.series]
    for result, colour in zip(displaced, ("C3", "C0"), strict=False):
        name = "central" if result.parameters["central"] else "one-sided"
        series = result.series
        steps = series["steps"]
        left.loglog(steps, series["energy"], "o-", ms=3, lw=1, color=colour, label=name)
        single = "energy in single precision"
        left.loglog(
            steps, series[single], ":", lw=1, color=colour, label=f"{name}, single precision"
        )
        left.loglog(steps, series["predicted energy"], "k--", lw=0.8)
        middle.loglog(steps, series["features"], "o-", ms=3, lw=1, color=colour, label=name)
        middle.loglog(steps, series["predicted features"], "k--", lw=0.8)
        right.plot(series["angles"], series["energy about an axis"], "-", color=colour, label=name)
    water = [r for r in operators if r.parameters["kind"] == "operator water"]
    _line(left, water, "change of the energy [meV]")
    _line(middle, operators, "change of the features over the largest")
    for axes in (left, middle):
        axes.plot([], [], "k--", lw=0.8, label="predicted, no fit")
        axes.set_xlim(1e-8, 1.0)
        axes.set_xlabel("step $h$ (Å)")
        axes.legend(fontsize="x-small", loc="lower left", bbox_to_anchor=(0.0, 0.1))
    for axes, step in ((left, steps_in_use[0]), (middle, steps_in_use[1])):
        axes.axvline(step, color="0.6", lw=1, ls=":")
        axes.annotate(
            f"in use: {step:g} Å",
            (step, 0.12),
            xycoords=("data", "axes fraction"),
            rotation=90,
            ha="right",
            va="bottom",
            fontsize="x-small",
            color="0.4",
        )
    left.set_ylim(1e-12, 1e6)
    middle.set_ylim(1e-16, 1e2)
    left.set_ylabel("change of the energy over 12 rotations (meV)")
    middle.set_ylabel(r"change of the features $\lambda = 1$ / largest")
    left.set_title("(a) energy, eight water molecules", fontsize="medium")
    middle.set_title("(b) potential features", fontsize="medium")
    right.axhline(0.0, color="C2", lw=4, alpha=0.5, label="this operator", zorder=0)
    right.set_xlabel("angle about $z$ (degrees)")
    right.set_ylabel("energy less its mean (meV)")
    right.set_xlim(0.0, 360.0)
    right.set_xticks(range(0, 361, 60))
    right.set_title(f"(c) the cluster turns, $h = {steps_in_use[0]:g}$ Å", fontsize="medium")
    right.legend(fontsize="x-small")
    return figure


def _line(axes: Axes, results: Sequence[SystemResult], name: str) -> None:
    values: list[Any] = [result.measured[name] for result in results]
    if values:
        axes.axhline(max(*values, 1e-300), color="C2", lw=1.5, label="this operator")
