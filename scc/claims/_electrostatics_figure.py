"""Figure of the claim ``electrostatics``: actual errors against asked ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scc.claims.claim import SystemResult


def draw_electrostatics(
    results: Sequence[SystemResult], boundaries: Sequence[str], beyond: float, digits: float
) -> Figure:
    """A panel for each boundary condition, and one for what no tolerance enters.

    Args:
        boundaries: seven names, in the order of the panels.
        beyond: how many times the asked error is never reached.
        digits: what the deviations of the last panel have to stay below.
    """
    figure = Figure(figsize=(13.0, 6.8), layout="constrained")
    panels = figure.subplots(2, 4)
    tolerance = [result for result in results if "errors" in result.series]
    for axes, name in zip(panels.flat, boundaries, strict=False):
        chosen = [r for r in tolerance if r.parameters["boundary"] == name]
        _draw_errors(axes, chosen, name, beyond)
    for axes in panels[:, 0]:
        axes.set_ylabel("actual error")
    for axes in (*panels[1, :3], panels[0, 3]):
        axes.set_xlabel("asked tolerance")
    handles = [
        handle
        for axes in panels.flat[:-1]
        for handle in axes.get_legend_handles_labels()[0]
        if not str(handle.get_label()).startswith("_")
    ]
    shown = {str(handle.get_label()): handle for handle in handles}
    figure.legend(
        shown.values(), shown.keys(), loc="outside lower center", ncols=8, fontsize="small"
    )
    _draw_deviations(panels[1, 3], [r for r in results if "deviation" in r.series], digits)
    return figure


_STYLES = {"direct": ("C2", 0.45), "ewald": ("C0", 1.0), "mesh": ("C3", 2.2)}  # colour, dodge


def _draw_errors(axes: Axes, results: Sequence[SystemResult], name: str, beyond: float) -> None:
    line = np.array([1e-11, 1e1])
    axes.loglog(line, line, "k-", lw=1, label="asked")
    axes.loglog(line, beyond * line, "k:", lw=0.8, label=f"{beyond:g} times asked")
    for result in results:
        method = result.parameters["method"]
        colour, dodge = _STYLES[method]
        errors = np.maximum(result.series["errors"], 2e-16)
        asked = np.broadcast_to(result.series["tolerances"] * dodge, errors.shape[:2])
        for index, (marker, quantity) in enumerate((("o", "energy"), ("^", "forces"))):
            axes.loglog(
                asked.ravel(),
                errors[:, :, index].ravel(),
                marker,
                ms=4,
                mfc="none" if index == 0 else colour,
                mec=colour,
                mew=0.8,
                label=f"{method}, {quantity}",
            )
    axes.set_xlim(1e-11, 1e-1)
    axes.set_ylim(1e-16, 1e1)
    axes.set_xticks([1e-9, 1e-6, 1e-3])
    axes.set_title(name, fontsize="medium")


_CRYSTALS = {"nacl": "NaCl", "cscl": "CsCl", "wigner_bcc": "Wigner crystal, bcc"}


def _draw_deviations(axes: Axes, results: Sequence[SystemResult], digits: float) -> None:
    axes.set_xscale("log")
    axes.set_xlim(1e-22, 1e-10)
    values = np.maximum([float(result.series["deviation"]) for result in results], 1e-16)
    for place, (result, value) in enumerate(zip(reversed(results), reversed(values), strict=True)):
        p = result.parameters
        crystal = p["kind"] == "madelung"
        name = _CRYSTALS.get(p["name"], p["name"]) if crystal else f"splitting, {p['boundary']}"
        axes.text(1e-22, place, f" {name}", va="center", ha="left", fontsize="x-small")
        axes.plot(value, place, "s" if crystal else "D", ms=4, color="C4" if crystal else "C5")
    axes.axvline(digits, color="k", lw=1)
    axes.set_yticks([])
    axes.set_xticks([1e-16, 1e-14, 1e-12, 1e-10])
    axes.set_xlabel("relative deviation")
    axes.set_title("Madelung constants; splitting", fontsize="medium")
