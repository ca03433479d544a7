"""The figure of Theorem 8, from the series of its systems."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scc.claims._size_axis import size_axis
from scc.claims.claim import SystemResult

NAMES = {
    "onsite": "on-site B",
    "loewdin": "Gaussian A, Loewdin",
    "orthonormal": "Gaussian A, orthonormal by assumption",
}
# Errors above are not asymptotic, those below carry the rounding of the two solutions.
WINDOW = (1e-2, 3e-11)


def draw(results: Sequence[SystemResult]) -> Figure:
    figure = Figure(figsize=(9.6, 7.6), layout="constrained")
    panels = figure.subplots(2, 2)
    rates = [result for result in results if result.parameters["kind"] == "rate"]
    sizes = [result for result in results if result.parameters["kind"] == "size"]
    onsite = [result for result in rates if result.parameters["model"] == "onsite"]
    gaussian = [result for result in rates if result.parameters["model"] != "onsite"]
    _draw_rates(panels[0, 0], onsite, "(a) on-site model B")
    _draw_rates(panels[0, 1], gaussian, "(b) Gaussian model A")
    _draw_sizes(panels[1, 0], [result for result in sizes if "fit" not in result.series])
    _draw_growth(panels[1, 1], [result for result in sizes if "fit" in result.series])
    return figure


def _draw_rates(axes: Axes, results: Sequence[SystemResult], title: str) -> None:
    for result, colour in zip(results, ("C0", "C1", "C2", "C3", "C4"), strict=False):
        p, series = result.parameters, result.series
        degrees, errors, theta = series["degrees"], series["v"], float(series["theta"])
        beta = r"\infty" if p["beta"] == "inf" else p["beta"]
        overlap = {"loewdin": "Löwdin, ", "orthonormal": "$S = 1$ assumed, "}.get(p["model"], "")
        label = rf"{overlap}$\beta = {beta}$, $M = {p['atoms']}$"
        shown = errors > WINDOW[1]
        axes.semilogy(degrees[shown], errors[shown], "o", ms=4, color=colour, label=label)
        energies = np.maximum(series["energy"], 1e-16)
        kept = energies > 1e-12
        axes.semilogy(degrees[kept], energies[kept], "+", ms=5, color=colour, alpha=0.6)
        n = np.linspace(degrees[shown][0], degrees[shown][-1])
        used = shown & (errors < WINDOW[0])
        shape = 0.5 * np.log(degrees[used]) - theta * degrees[used]
        offset = np.mean(np.log(errors[used]) - shape)
        axes.semilogy(n, np.sqrt(n) * np.exp(offset - theta * n), "-", lw=1, color=colour)
    axes.plot(
        [], [], "k-", lw=1, label=r"$\propto N^{1/2} e^{-\theta N}$, $\theta$ of Green's function"
    )
    axes.plot([], [], "k+", ms=5, label=r"$|\mathcal{G}_N - \mathcal{G}|$")
    axes.plot([], [], "ko", ms=4, label=r"$\|\hat v^*_N - \hat v^*\|_\infty$")
    axes.set_xlabel("degree $N$")
    axes.set_ylabel("error (Hartree)")
    axes.set_title(title, fontsize="medium")
    axes.legend(fontsize="x-small")


def _draw_sizes(axes: Axes, results: Sequence[SystemResult]) -> None:
    for result in results:
        p = result.parameters
        label = (
            f"{NAMES[p['model']].replace('oe', 'ö')}, $\\beta = {p['beta']}$, $N = {p['degree']}$"
        )
        axes.plot(result.series["sizes"], 1e3 * result.series["errors"], "o-", ms=5, label=label)
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("number of atoms $M$")
    axes.set_ylabel(r"$\|\hat v^*_N - \hat v^*\|_\infty$ (mHartree)")
    axes.set_title("(c) finite temperature: independent of $M$", fontsize="medium")
    if results:
        axes.legend(fontsize="x-small", loc="lower right")


def _draw_growth(axes: Axes, results: Sequence[SystemResult]) -> None:
    for result, colour in zip(results, ("C0", "C1"), strict=False):
        series = result.series
        sizes = series["sizes"]
        slope, offset = series["fit"]
        label = f"largest, $N = {result.parameters['degree']}$"
        axes.semilogx(sizes, 1e3 * series["errors"], "o", ms=5, color=colour, label=label)
        grid = np.geomspace(sizes[0], sizes[-1])
        axes.semilogx(grid, 1e3 * (offset + slope * np.log(grid)), "-", lw=1, color=colour)
        axes.semilogx(
            sizes,
            1e3 * series["middle"],
            "s",
            ms=5,
            mfc="none",
            color=colour,
            label="in the middle",
        )
        predicted = series["middle"][-1] + series["potential"] - series["potential"][-1]
        axes.semilogx(sizes, 1e3 * predicted, "--", lw=1, color=colour)
        size_axis(axes, sizes)
    axes.plot([], [], "k-", lw=1, label=r"$a + b\,\ln M$ fitted")
    axes.plot([], [], "k--", lw=1, label=r"$2\sigma\ln M$ of the line charge created by $F_N$")
    axes.set_ylabel(r"$|\hat v^*_N - \hat v^*|$ (mHartree)")
    axes.set_title(r"(d) on-site insulator, $\beta=\infty$: grows like $\ln M$", fontsize="medium")
    axes.legend(fontsize="x-small")
