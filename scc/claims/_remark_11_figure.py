"""The figure of remark 11: ‖v*_N − v*‖_∞ against M, one panel a system, with predicted growth."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from scc.arrays import FloatArray
from scc.claims.claim import SystemResult

_STYLES = {"plain": ("o", "C3"), "E1": ("s", "C0"), "E2": ("D", "C2")}
_NAMES = {
    "plain": "$F_N$",
    "E1": "E1, charge spread evenly",
    "E2": "E2, calibrated on small clusters",
}


def draw(results: Sequence[SystemResult]) -> Figure:
    columns = 3
    rows = -(-len(results) // columns)
    figure = Figure(figsize=(13.0, 3.9 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, result in zip(panels, results, strict=False):
        sizes = result.series["sizes"]
        insulator = result.parameters["beta"] == "inf"
        for name, (marker, colour) in _STYLES.items():
            if name in result.series and (insulator or name == "plain"):
                values = result.series[name]
                axes.plot(sizes, values, marker, ms=5, color=colour, label=_NAMES[name])
        plain = result.series["plain"]
        line = np.geomspace(sizes[0], sizes[-1], 100)
        dimension = result.parameters.get("dimension", 1)
        if insulator:
            shape, label = _law(dimension)
            fit = np.polyfit(shape(sizes), plain, 1)
            axes.plot(line, np.polyval(fit, shape(line)), "k-", lw=1, label=f"a + b {label}")
            if "floor" in result.series:
                floor = result.series["floor"]
                axes.plot(sizes, floor, "k--", lw=1, label="lower bound, charge over capacity")
        else:
            axes.axhline(plain[-1], color="k", lw=1, label="no growth")
        axes.set_xscale("log")
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        if high < 10.0 * low:
            axes.set_ylim(np.sqrt(low * high) / 6.0, np.sqrt(low * high) * 6.0)
        axes.xaxis.set_minor_formatter(NullFormatter())
        if sizes[-1] < 20.0 * sizes[0]:
            axes.set_xticks(sizes, [f"{size:.0f}" for size in sizes])
        axes.set_title(result.description, fontsize="small")
        axes.set_xlabel("number of atoms M")
        axes.legend(fontsize="x-small")
    for axes in panels[len(results) :]:
        axes.axis("off")
    for row in range(rows):
        panels[columns * row].set_ylabel(r"$\|v^\star_N - v^\star\|_\infty$ (Ha)")
    return figure


def _law(dimension: int) -> tuple[Callable[[FloatArray], FloatArray], str]:
    if dimension == 1:
        return np.log, "ln M"
    power = 1.0 - 1.0 / dimension

    def shape(x: FloatArray) -> FloatArray:
        return np.asarray(x**power)

    return shape, {2: "$M^{1/2}$", 3: "$M^{2/3}$"}[dimension]
