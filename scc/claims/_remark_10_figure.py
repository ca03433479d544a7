"""The figure of remark 10: one panel a system."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scc.claims._size_axis import size_axis
from scc.claims.claim import SystemResult


def draw(results: Sequence[SystemResult]) -> Figure:
    rows = -(-max(len(results), 1) // 3)
    columns = min(max(len(results), 1), 3)
    figure = Figure(figsize=(5.0 * columns, 4.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(results) :]:
        axes.axis("off")
    kinds: dict[str, Callable[[Axes, SystemResult], None]] = {
        "degrees": _degrees,
        "sizes": _sizes,
        "equilibrated": _equilibrated,
        "zero": _zero,
        "body order": _body_order,
    }
    for axes, result in zip(panels, results, strict=False):
        kinds[result.parameters["kind"]](axes, result)
        axes.set_title(result.description, fontsize="small")
        axes.legend(fontsize="x-small")
    return figure


def _degrees(axes: Axes, r: SystemResult) -> None:
    n = r.series["degrees"]
    axes.semilogy(n, r.series["bound"], "k--", lw=1, label="Δ, the bound")
    axes.semilogy(n, r.series["shift"], "o", ms=4, label="$|ε_{F,N} − ε_F|$ (Ha)")
    axes.semilogy(n, r.series["energy"], "s", ms=4, label="$|W(ε_{F,N}) − W(ε_F)|$ (Ha)")
    theta = r.predicted["rate of eps_F,N"]
    for name, rate in (("shift", theta), ("energy", 2.0 * theta)):
        first = r.series[name][0] * np.exp(-rate * (n - n[0]))
        axes.semilogy(n, first, "-", color="0.5", lw=1)
    axes.plot([], [], "-", color="0.5", lw=1, label="$e^{−θN}$, $e^{−2θN}$")
    axes.set_ylim(1e-18, 10.0)
    axes.set_xlabel("degree N")
    axes.set_ylabel("error (Hartree)")


def _sizes(axes: Axes, r: SystemResult) -> None:
    axes.loglog(r.series["sizes"], r.series["shift"], "o", label="$|ε_{F,N} − ε_F|$ (Ha)")
    atoms, far = r.series["atoms"], r.series["far"]
    axes.loglog(atoms, far, "s", label="far $|∂p/∂v|$ (electrons/Ha)")
    axes.loglog(atoms, far[-1] * atoms[-1] / atoms, "k-", lw=1, label="1/M")
    axes.set_ylabel("error, response")
    size_axis(axes, [*atoms, *r.series["sizes"]])


def _equilibrated(axes: Axes, r: SystemResult) -> None:
    label = "$\\|v^\\star_N - v^\\star\\|_\\infty$, canonical (Ha)"
    axes.loglog(r.series["sizes"], r.series["error"], "o", label=label)
    middle = float(np.exp(np.mean(np.log(r.series["error"]))))
    axes.set_ylim(middle / 10.0, middle * 10.0)
    axes.set_ylabel("error (Hartree)")
    size_axis(axes, r.series["sizes"])


def _zero(axes: Axes, r: SystemResult) -> None:
    axes.axhspan(0.0, 1.0, color="0.9", label="the gap")
    place = np.clip(r.series["place"], -2.0, 3.0)
    axes.plot(r.series["degrees"], place, "o", ms=4, label="place of $ε_{F,N}$ (clipped)")
    axes.axhline(float(r.series["saddle"]), color="k", lw=1, label="c, critical point of g")
    axes.set_ylim(-2.1, 3.1)
    axes.set_xlabel("degree N")
    axes.set_ylabel("level, in gaps above the lower edge")


def _body_order(axes: Axes, r: SystemResult) -> None:
    n = r.series["orders"]
    axes.semilogy(n, np.maximum(r.series["fixed"], 1e-18), "o", label="fixed µ")
    axes.semilogy(n, r.series["canonical"], "s", label="$ε_{F,N}$ of each sub-cluster")
    axes.set_xlabel("number n of further atoms")
    axes.set_ylim(1e-16, 1e4)
    axes.set_ylabel("$|U_n|$ (electrons)")
