"""The figure of dissociation: charge of a fragment against distance, and its approach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from scc.claims.claim import SystemResult


def draw(results: Sequence[SystemResult]) -> Figure:
    figure = Figure(figsize=(11.0, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for index, result in enumerate(results):
        distances = result.series["distances"]
        charges = result.series["charges"]
        colour = f"C{index % 10}"
        left.plot(distances, charges, "o", ms=3, color=colour, label=result.description)
        limit = float(result.series["limit"])
        left.axhline(limit, color=colour, lw=0.8, ls="--")
        slope = float(result.series["slope"])
        if slope != 0.0:
            right.plot(distances, np.abs(charges - limit), "o", ms=3, color=colour)
            right.plot(distances, np.abs(slope) / distances, "-", lw=0.8, color=colour)
    left.set_xscale("log")
    left.set_xlabel("distance R (bohr)")
    left.set_ylabel("charge Q of the first fragment (e)")
    left.set_title("dashed: predicted at infinity (in truth 0)", fontsize="small")
    left.set_ylim(top=0.9)  # the legend stands above all points
    left.legend(fontsize="x-small", loc="upper right")
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_xlabel("distance R (bohr)")
    right.set_ylabel(r"$|Q - Q_\infty|$ (e)")
    right.set_title(r"lines: predicted $2Q_\infty/((\eta_A+\eta_B)R)$, no fit", fontsize="small")
    return figure
