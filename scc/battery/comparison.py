"""How far two solutions of what should be one state are apart, in energy, charges and forces."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from scc.arrays import FloatArray
from scc.battery.bench import Bench
from scc.battery.property import Finding

UNITS = {"energy": "Hartree", "charges": "e", "forces": "Hartree/bohr"}


def differences(
    ones: Mapping[str, FloatArray], others: Mapping[str, FloatArray]
) -> dict[str, float]:
    """Largest absolute difference of each observable that both have."""
    return {n: float(np.max(np.abs(ones[n] - others[n]))) for n in ones if n in others}


def judged(bench: Bench, cases: Mapping[str, Mapping[str, float]]) -> Finding:
    """Every difference of every case, name → :func:`differences`, against the bench's tolerance."""
    allowed = dict.fromkeys(UNITS, bench.tolerance) | {"energy": bench.energy_tolerance}
    worst = ("", "", -1.0)
    numbers: dict[str, object] = {}
    for case, found in cases.items():
        for name, value in found.items():
            numbers[f"{case}: {name} [{UNITS[name]}]"] = value
            # NaN compares false with everything: it must not hide behind that.
            ratio = value / allowed[name] if np.isfinite(value) else np.inf
            if ratio > worst[2]:
                worst = (case, name, ratio)
    case, name, ratio = worst
    numbers |= {f"allowed: {n} [{UNITS[n]}]": v for n, v in allowed.items()}
    holds = ratio <= 1.0
    value = cases[case][name]
    sign = "<=" if holds else ">"
    summary = f"{case}: {name} off by {value:.1e} {sign} {allowed[name]:.1e} {UNITS[name]}"
    ratios = np.array([v / allowed[n] for found in cases.values() for n, v in found.items()])
    return Finding(holds, summary, numbers, {"ratio": ratios})


def draw_ratios(axes: Axes, finding: Finding) -> None:
    """Each difference over what is allowed, with its name."""
    names = [n.split(" [")[0] for n in finding.numbers if not n.startswith("allowed")]
    ratios = np.maximum(finding.series["ratio"], 1e-12)
    places = np.arange(len(ratios))
    axes.barh(places, ratios, color=["C0" if r <= 1.0 else "C3" for r in ratios])
    axes.set_yticks(places, names[: len(ratios)], fontsize="small")
    axes.axvline(1.0, color="k", lw=0.8, ls=":")
    axes.set_xscale("log")
    axes.set_xlabel("difference / allowed")
