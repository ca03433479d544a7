"""Figures of what falls: double logarithmic, against distance or step."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from scc.battery.property import Finding


def draw_decay(axes: Axes, finding: Finding, label: str) -> None:
    """Double logarithmic; zeros, and what is at rounding, at the lower edge."""
    distance = finding.series["distance"].ravel()
    off_site = distance > 0.0
    curves = {n: v.ravel() for n, v in finding.series.items() if n != "distance"}
    top = max((float(np.max(v)) for v in curves.values()), default=0.0) or 1.0
    for (name, values), marker in zip(curves.items(), ".x+", strict=False):
        drawn = np.maximum(values, 1e-16 * top)
        axes.plot(distance[off_site], drawn[off_site], marker, ms=4, label=name)
    double_logarithmic(axes, "distance [bohr]", label)


def double_logarithmic(axes: Axes, x: str, y: str, allowed: float | None = None) -> None:
    """Scales, labels, a legend, and a line at what is allowed."""
    if allowed is not None:
        axes.axhline(allowed, color="k", lw=0.8, ls=":")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.legend(fontsize="small")
