"""The figure of the claim lemma-7: errors against the degree, θ against temperature and gap."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scc.arrays import FloatArray
from scc.claims.claim import SystemResult


def draw(results: Sequence[SystemResult]) -> Figure:
    figure = Figure(figsize=(9.6, 7.6), layout="constrained")
    panels = figure.subplots(2, 2)
    rates = [result for result in results if "errors" in result.series]
    one = [r for r in rates if r.description.startswith("one interval [-0.3, 0.3], mu = 0.05")]
    two = [r for r in rates if r.description.startswith("two") and r.parameters["beta"] == "inf"]
    _draw_errors(panels[0, 0], one, r"(a) $X = [-0.3, 0.3]$, $\mu = 0.05$", _temperature_label)
    _draw_errors(panels[0, 1], two, r"(b) two intervals in $[-1, 1]$, $\beta = \infty$", _gap_label)
    _draw_asymptotics(panels[1, 0], [r for r in results if "leading" in r.series])
    _draw_integrated(panels[1, 1], [r for r in results if "integrated" in r.series])
    return figure


def _temperature_label(result: SystemResult) -> str:
    return rf"$\beta = {result.parameters['beta']}$"


def _gap_label(result: SystemResult) -> str:
    below, above = result.parameters["set"][3:]
    return rf"$g_\mp = {below:g}, {above:g}$"


def _draw_errors(
    axes: Axes, results: Sequence[SystemResult], title: str, label: Callable[[SystemResult], str]
) -> None:
    colours = colormaps["viridis"](np.linspace(0.05, 0.85, max(len(results), 1)))
    for result, colour in zip(results, colours, strict=False):
        degrees, errors = result.series["degrees"], result.series["errors"]
        used = result.series["used"]
        # A tenth of the points is enough to see the line.
        step = max(1, len(degrees) // 45)
        axes.semilogy(degrees[::step], errors[::step], "o", ms=3, color=colour, label=label(result))
        axes.semilogy(
            degrees[used], _predicted_curve(result, degrees, errors, used), "-", color=colour, lw=1
        )
    axes.plot([], [], "k-", lw=1, label=r"$\propto N\,e^{-\theta N}$, $\theta$ of Green's function")
    axes.set_xlim(0, 260)
    axes.set_ylim(1e-25, 1e5)
    axes.set_xlabel("degree $N$")
    axes.set_ylabel(r"$\|F-F_N\|_\infty + \|G-G_N\|_\infty$ (Hartree)")
    axes.set_title(title, fontsize="medium")
    axes.legend(fontsize="x-small", loc="upper right", ncols=2)


def _predicted_curve(
    result: SystemResult, degrees: FloatArray, errors: FloatArray, used: FloatArray
) -> FloatArray:
    """N e^{−θN} with the predicted θ and the prefactor that fits best."""
    shape = np.log(degrees[used]) - result.predicted["rate theta"] * degrees[used]
    return np.asarray(np.exp(shape + np.mean(np.log(errors[used]) - shape)))


def _draw_asymptotics(axes: Axes, results: Sequence[SystemResult]) -> None:
    for result, marker in zip(results, "osD^", strict=False):
        name = result.description.split(": ", 1)[1]
        scale = result.series["scale"]
        (line,) = axes.loglog(scale, result.series["theta"], marker, ms=4, label=_in_symbols(name))
        axes.loglog(scale, result.series["leading"], "-", lw=1, color=line.get_color())
    axes.plot([], [], "k-", lw=1, label="leading term")
    axes.set_xlabel(r"scale $\to 0$ of $\beta^{-1}$ and $g_\pm$ (Hartree)")
    axes.set_ylabel(r"$\theta$")
    axes.set_title(
        r"(c) $\theta$ against temperature and gap, $X \subset [-1, 1]$", fontsize="medium"
    )
    axes.legend(fontsize="x-small")


def _in_symbols(name: str) -> str:
    edge = r"$\beta^{-1} = s$, $g_- = 0$, $g_+ = 0.5$ ($\theta\sim\beta^{-1/2}$)"
    symbols = {
        "beta = inf, g to 0": r"$\beta=\infty$, $g_- = s,\ g_+ = 2s$",
        "no gap, beta to inf": r"$\beta^{-1} = s$, no gap",
        "1/beta = g/3 to 0": r"$\beta^{-1} = s/3$, $g_\pm = s/2$",
        "mu at a band edge, beta to inf": edge,
    }
    return symbols.get(name, name)


def _draw_integrated(axes: Axes, results: Sequence[SystemResult]) -> None:
    for result in results:
        degrees = result.series["degrees"]
        axes.semilogy(
            degrees,
            result.series["interpolated"],
            "o-",
            ms=4,
            lw=1,
            label="$G$ interpolated, $F_N = G_N'$",
        )
        axes.semilogy(
            degrees,
            result.series["integrated"],
            "s-",
            ms=4,
            lw=1,
            label="$F$ interpolated, then integrated",
        )
        axes.axhline(
            float(result.series["floor"]), color="k", lw=1, ls="--", label=r"$|\mu - c|/2$"
        )
    axes.set_xlabel("degree $N$")
    axes.set_ylabel(r"error of the grand potential on $X$ (Hartree)")
    axes.set_title(
        r"(d) why $G$ is interpolated: $g_- = 0.1$, $g_+ = 0.5$, $\beta=\infty$", fontsize="medium"
    )
    axes.legend(fontsize="x-small")
