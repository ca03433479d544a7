"""Looseness of the checks of a statement on random systems, one row for each quantity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scc.claims.claim import SystemResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def looseness(axes: Axes, results: Sequence[SystemResult]) -> None:
    """bound/measured at the tightest entry, a mark for each system; 1 is where a bound breaks."""
    names = sorted({name for r in results for name in r.measured["bound / measured"]})
    for height, name in enumerate(names):
        ratios = [r.measured["bound / measured"].get(name, np.nan) for r in results]
        axes.plot(ratios, np.full(len(ratios), height), "|", ms=12)
    axes.set_yticks(range(len(names)), names, fontsize="x-small")
    axes.axvline(1.0, color="k", lw=1)
    axes.set_xscale("log")
    axes.set_xlabel("bound / measured, tightest entry of a random system")
