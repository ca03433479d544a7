"""The figure of Theorem 4: exact rates, ordered chains on both models, random configurations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scc.claims.claim import SystemResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DERIVATIVES = {
    "density by potential": ("∂p/∂v̂", "C0", "o"),
    "site energy by potential": ("∂E/∂v̂", "C1", "s"),
    "density by position": ("∂p/∂r", "C2", "^"),
    "site energy by position": ("∂E/∂r", "C3", "v"),
    "density at points by potential": ("∂ρ(x)/∂v̂", "C4", "D"),
    "density at points by position": ("∂ρ(x)/∂r", "C5", "P"),
}


def draw(results: Sequence[SystemResult]) -> Figure:
    """Six panels from the measured systems."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.0, 7.6), layout="constrained")
    axes = figure.subplots(2, 3)
    exact = [r for r in results if r.parameters["kind"] == "exact"]
    _finite_temperature(axes[0, 0], exact)
    _zero_temperature(axes[0, 1], exact)
    _deviations(axes[0, 2], exact)
    ordered = [r for r in results if r.parameters["kind"] == "ordered"]
    points = [r for r in results if r.parameters["kind"] == "points"]
    _ordered(axes[1, 0], [r for r in ordered if r.parameters["model"] == "onsite"])
    axes[1, 0].set_title("on-site model B, v̂ = v̂* held fixed", fontsize="medium")
    _ordered(axes[1, 1], [r for r in ordered if r.parameters["model"] == "gaussian"] + points)
    axes[1, 1].set_title("Gaussian model A, v̂ = v̂* held fixed", fontsize="medium")
    _random(axes[1, 2], [r for r in results if r.parameters["kind"] == "random"])
    for label, panel in zip("abcdef", axes.flat, strict=True):
        panel.set_title(f"({label}) {panel.get_title()}", fontsize="medium", loc="center")
    return figure


def _legend(axes: Axes, **options: Any) -> None:
    """A legend, unless there is nothing to say (some systems were not measured)."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**options)


def _finite_temperature(axes: Axes, exact: Sequence[SystemResult]) -> None:
    shown = [r for r in exact if r.parameters["mu"] == 0.0 and r.parameters["gap"] == 0.0]
    smallest = {}
    for r in sorted(shown, key=lambda r: -r.parameters["atoms"]):
        smallest[float(r.parameters["beta"])] = r
    for index, (beta, r) in enumerate(sorted(smallest.items())):
        _points_and_line(axes, r, "density", f"β = {beta:g}", f"C{index}")
    axes.set_xlabel("distance r (bohr)")
    axes.set_ylabel("|∂p/∂v̂| (electrons / Hartree)")
    axes.set_ylim(1e-15, 3.0)
    axes.set_xlim(0.0, 80.0)
    axes.set_title("hopping chain, µ = 0; lines: 2 arcsinh(π/2βt)", fontsize="medium")
    _legend(axes, fontsize="small")


def _zero_temperature(axes: Axes, exact: Sequence[SystemResult]) -> None:
    gapped = [r for r in exact if r.parameters["gap"] > 0.0]
    for index, r in enumerate(gapped):
        _points_and_line(axes, r, "density", f"D = {r.parameters['gap']:g}", f"C{index}", 0.5)
    axes.set_xlabel("distance r (bohr)")
    axes.set_ylabel("√r |∂p/∂v̂|")
    axes.set_ylim(1e-14, 3.0)
    axes.set_xlim(0.0, 80.0)
    axes.set_title("β = ∞, levels ±D/2; lines: 2 arcsinh(D/4t)", fontsize="medium")
    _legend(axes, fontsize="small")


def _points_and_line(
    axes: Axes, r: SystemResult, name: str, label: str, colour: str, power: float = 0.0
) -> None:
    """Envelope times r^power, and a line of exactly the predicted slope through the fit."""
    distance, magnitude = r.series[f"{name} distance"], r.series[f"{name} magnitude"]
    log_prefactor, fitted, _ = r.series[f"{name} fit"]
    rate = float(r.predicted[f"rate of {name}"])
    axes.semilogy(distance, magnitude * distance**power, "o", ms=3, color=colour, label=label)
    middle = 0.5 * (distance[0] + distance[-1])
    line = np.linspace(0.0, distance[-1], 50)
    height = math.exp(log_prefactor - fitted * middle)
    axes.semilogy(line, height * np.exp(-rate * (line - middle)), "-", lw=1, color=colour)


def _deviations(axes: Axes, exact: Sequence[SystemResult]) -> None:
    styles = {"density": ("o", "∂p/∂v̂"), "site energy": ("s", "∂E/∂v̂")}
    for name, (marker, label) in styles.items():
        for kind, colour in (("µ = 0", "C0"), ("µ ≠ 0", "C1"), ("β = ∞", "C2")):
            found = [
                (r.predicted[f"rate of {name}"], r.measured[f"rate of {name}"])
                for r in exact
                if f"rate of {name}" in r.measured and _kind(r) == kind
            ]
            if not found:
                continue
            predicted, measured = np.array(found).T
            deviation = 100.0 * (measured / predicted - 1.0)
            axes.plot(predicted, deviation, marker, ms=5, color=colour, label=f"{label}, {kind}")
    for tolerance, colour in ((0.5, "C0"), (3.0, "0.4")):
        for sign in (-1.0, 1.0):
            axes.axhline(sign * tolerance, ls=":", lw=1, color=colour)
    axes.axhline(0.0, lw=0.8, color="0.6")
    axes.set_xlabel("predicted rate (1/bohr)")
    axes.set_ylabel("measured / predicted − 1 (%)")
    axes.set_title("exact rates; dotted: tolerances 0.5 %, 3 %", fontsize="medium")
    _legend(axes, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, 0.93), ncols=2)


def _kind(r: SystemResult) -> str:
    if r.parameters["beta"] == "inf":
        return "β = ∞"
    return "µ = 0" if r.parameters["mu"] == 0.0 else "µ ≠ 0"


def _ordered(axes: Axes, results: Sequence[SystemResult]) -> None:
    for r in results:
        names = [name for name in _DERIVATIVES if f"{name} distance" in r.series]
        rate = float(r.predicted[f"rate of {names[0]}"])
        reach = 0.0
        for name in names:
            label, colour, marker = _DERIVATIVES[name]
            distance, magnitude = r.series[f"{name} distance"], r.series[f"{name} magnitude"]
            known = label in axes.get_legend_handles_labels()[1]
            axes.semilogy(
                distance,
                magnitude,
                marker,
                ms=3,
                color=colour,
                fillstyle="none" if r.parameters["beta"] == "inf" else "full",
                label=None if known else label,
            )
            reach = max(reach, float(distance[-1]))
        line = np.linspace(0.0, reach, 50)
        style = "--" if r.parameters["beta"] == "inf" else "-"
        if r.parameters["kind"] == "points":
            style = "-."
        axes.semilogy(line, 3.0 * np.exp(-rate * line), style, lw=1, color="k")
    axes.set_xlabel("distance r, or |x − r_ℓ| + r_ℓm (bohr)")
    axes.set_ylabel("envelope of derivatives (atomic units)")
    axes.set_ylim(1e-15, 30.0)
    axes.plot([], [], "--", color="k", lw=1, label="2γ, β = ∞ (open symbols)")
    axes.plot([], [], "-", color="k", lw=1, label="2γ, β < ∞ (filled)")
    if any(r.parameters["kind"] == "points" for r in results):
        axes.plot([], [], "-.", color="k", lw=1, label="2γ, β < ∞ (points x)")
    _legend(axes, fontsize="x-small", ncols=2)


def _random(axes: Axes, results: Sequence[SystemResult]) -> None:
    largest = 0.0
    for model, fill in (("onsite", "full"), ("gaussian", "none")):
        for dimension in (1, 2, 3):
            pairs = []
            for r in results:
                if r.parameters["model"] != model or r.parameters["dimension"] != dimension:
                    continue
                for name in _DERIVATIVES:
                    measured = r.measured.get(f"rate of {name}")
                    predicted = r.predicted.get(f"rate of {name}")
                    if measured is not None and predicted is not None:
                        pairs.append((predicted, measured))
            if not pairs:
                continue
            predicted_rates, measured_rates = np.array(pairs).T
            label = f"{dimension}D, {'on-site' if model == 'onsite' else 'Gaussian'}"
            axes.plot(
                predicted_rates,
                measured_rates,
                "os^"[dimension - 1],
                ms=5,
                color=f"C{dimension - 1}",
                fillstyle=fill,
                label=label,
            )
            largest = max(largest, predicted_rates.max(), measured_rates.max())
    axes.plot([0.0, 1.05 * largest], [0.0, 1.05 * largest], "-", color="0.5", lw=1)
    axes.set_xlim(0.0, 1.05 * largest if largest else 1.0)
    axes.set_ylim(0.0, 1.05 * largest if largest else 1.0)
    axes.set_xlabel("2γ from Green's function (1/bohr)")
    axes.set_ylabel("measured rate (1/bohr)")
    axes.set_title("random configurations, random v̂", fontsize="medium")
    _legend(axes, fontsize="small")
