"""The figure of equilibrated-decay: the contrast on both models, symmetric and metallic chains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scc.claims.claim import SystemResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {"potential": "C0", "charge": "C1", "site energy": "C2"}
_SYMBOLS = {"potential": "v̂*", "charge": "q", "site energy": "E"}


def draw(results: Sequence[SystemResult]) -> Figure:
    """Four panels, double-logarithmic: powers are straight lines there, exponentials cliffs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 8.6), layout="constrained")
    axes = figure.subplots(2, 2)
    by_symmetry = {(r.parameters["model"], r.parameters["symmetry"]): r for r in results}
    _contrast(axes[0, 0], by_symmetry.get(("onsite", "none")))
    axes[0, 0].set_title("on-site, dimerised heteronuclear chain", fontsize="medium")
    _contrast(axes[0, 1], by_symmetry.get(("gaussian", "none")))
    axes[0, 1].set_title("Gaussian orbitals, dimerised heteronuclear chain", fontsize="medium")
    _symmetric(axes[1, 0], by_symmetry)
    _metal(axes[1, 1], by_symmetry.get(("onsite", "metal")))
    for label, panel in zip("abcd", axes.flat, strict=True):
        panel.set_title(f"({label}) {panel.get_title()}", fontsize="medium")
        panel.set_xlabel("distance r (bohr)")
    return figure


def _contrast(axes: Axes, r: SystemResult | None) -> None:
    if r is None:
        return
    for name, colour in _COLOURS.items():
        _equilibrated(axes, r, name, colour, f"∂{_SYMBOLS[name]}/∂r, v̂ equilibrated")
    for name in ("charge", "site energy"):
        distance, magnitude = r.series[f"fixed {name}"]
        label = f"∂{_SYMBOLS[name]}/∂r, v̂ fixed"
        axes.loglog(distance, magnitude, "x", ms=3.5, mew=0.8, color=_COLOURS[name], label=label)
    rate = r.predicted["rate of charge at fixed potential"]
    line = np.geomspace(1.0, 300.0, 400)
    axes.loglog(line, 2.0 * np.exp(-rate * line), "--", lw=1, color="0.4", label="$e^{-2γr}$")
    axes.set_ylim(1e-14, 3.0)
    axes.set_xlim(1.0, 400.0)
    axes.set_ylabel("response to the displacement of one atom (a.u.)")
    axes.legend(fontsize="x-small", loc="lower left")


def _equilibrated(axes: Axes, r: SystemResult, name: str, colour: str, label: str) -> None:
    distance, magnitude = r.series[f"equilibrated {name}"]
    log_prefactor, fitted, predicted, low, high = r.series[f"fit {name}"]
    axes.loglog(distance, magnitude, ".", ms=2.5, color=colour, alpha=0.6)
    middle = math.sqrt(low * high)
    line = np.array([low, high])
    height = math.exp(log_prefactor - fitted * math.log(middle))
    text = f"{label}: $r^{{-{predicted:g}}}$ ({fitted:.2f})"
    axes.loglog(line, height * (line / middle) ** -predicted, "-", color=colour, lw=2, label=text)


def _symmetric(axes: Axes, by_symmetry: dict[tuple[str, str], SystemResult]) -> None:
    shown = (
        ("inversion at the atoms", "uniform heteronuclear", 1.0),
        ("vanishing Born charges", "dimerised homonuclear (× 0.01)", 0.01),
    )
    for symmetry, text, scale in shown:
        r = by_symmetry.get(("onsite", symmetry))
        if r is None:
            continue
        for name, colour in _COLOURS.items():
            distance, magnitude = r.series[f"equilibrated {name}"]
            log_prefactor, fitted, predicted, low, high = r.series[f"fit {name}"]
            filled = "full" if scale == 1.0 else "none"
            axes.loglog(
                distance, scale * magnitude, ".", ms=3, color=colour, fillstyle=filled, alpha=0.5
            )
            middle = math.sqrt(low * high)
            line = np.array([low, high])
            height = scale * math.exp(log_prefactor - fitted * math.log(middle))
            label = f"{text}, {_SYMBOLS[name]}: $r^{{-{predicted:g}}}$ ({fitted:.2f})"
            style = "-" if scale == 1.0 else "--"
            axes.loglog(
                line, height * (line / middle) ** -predicted, style, lw=2, color=colour, label=label
            )
    axes.set_xlim(5.0, 400.0)
    axes.set_ylim(1e-14, 3e-2)
    axes.set_ylabel("response to the displacement of one atom (a.u.)")
    axes.set_title("symmetric chains, v̂ equilibrated: larger powers", fontsize="medium")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize="x-small", loc="lower left")


def _metal(axes: Axes, r: SystemResult | None) -> None:
    axes.set_title("metallic chain, potential on one atom: 1/(r ln² r)", fontsize="medium")
    axes.set_ylabel("r × response")
    if r is None:
        return
    distance = r.series["distance"]
    for name, unit in (("potential", ""), ("charge", " (electrons / Hartree)")):
        here, infinite = r.series[f"equilibrated {name}"], r.series[f"infinite {name}"]
        label = f"∂{_SYMBOLS[name]}/∂V{unit}, M = {r.parameters['atoms']}"
        axes.loglog(distance, distance * here, "o", ms=3.5, color=_COLOURS[name], label=label)
        axes.loglog(distance, distance * infinite, "-", lw=1, color="k")
    axes.plot([], [], "-", color="k", lw=1, label="infinite chain, predicted")
    axes.legend(fontsize="x-small")
