"""The figure of decay: every series of a finding against its ``distance``."""

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
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("distance [bohr]")
    axes.set_ylabel(label)
    axes.legend(fontsize="small")
