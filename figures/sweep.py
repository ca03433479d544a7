"""A sweep: what was measured and what is predicted, against the parameter with the most values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scc.claims.parameters import Family, Value
from scc.errors import InputError
from scc.sweeps.measure import family_of
from scc.sweeps.table import Row, claim_of_table, read_table

SHIPPED = Path(__file__).with_name("sweep.csv")
"""scc sweep theorem-4 --over beta=4:8:32:inf,gap=0.5..4+0.5 --out figures/sweep.csv"""

_LINES = 8  # more would not be told apart


def draw() -> Figure:
    """The sweep that is kept beside this script: rates of Theorem 4 against gap and temperature."""
    return draw_from(SHIPPED)


def draw_from(path: Path) -> Figure:
    """The sweep in a table of ``scc sweep``.

    Points are measured, lines predicted; the second parameter that varies gives the colour, all
    others lie on top of each other. Hollow: the system decides nothing; crossed out: it fails.

    Raises:
        InputError: it is no table of a sweep, or has no row with numbers.
    """
    claim = claim_of_table(path)
    family = family_of(claim)
    rows = read_table(path, family)
    shown = [row for row in rows if math.isfinite(row.numbers.get("measured", math.nan))]
    if not shown:
        raise InputError(f"{path} has no row with a measured number")
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.subplots()
    across, colour = _axes_of(rows, family)
    _draw(axes, shown, across, colour)
    missing = len(rows) - len(shown)
    left_out = f", {missing} without a number" if missing else ""
    axes.set_title(f"{claim}: {len(rows)} systems{left_out}", fontsize="medium")
    axes.set_xlabel(f"{across}: {family.parameter(across).meaning}")
    axes.set_ylabel(family.quantity.partition(";")[0], fontsize="small")
    fixed = {
        p.name: rows[0].parameters[p.name]
        for p in family.parameters
        if len({row.parameters[p.name] for row in rows}) == 1
    }
    versions = ", ".join(sorted({row.version for row in rows}))
    settings = ", ".join(f"{name} = {_short(value)}" for name, value in fixed.items())
    figure.supxlabel(f"{settings}; scc {versions}", fontsize="x-small")
    return figure


def _axes_of(rows: Sequence[Row], family: Family) -> tuple[str, str | None]:
    """The numeric parameter with the most values, and the next one that varies at all."""
    values = {p.name: {row.parameters[p.name] for row in rows} for p in family.parameters}
    numeric = [p.name for p in family.parameters if not isinstance(p.default, str)]
    across = max(numeric, key=lambda name: len(values[name]))
    others = [name for name in values if name != across and 1 < len(values[name]) <= _LINES]
    return across, max(others, key=lambda name: len(values[name]), default=None)


def _draw(axes: Axes, rows: Sequence[Row], across: str, colour: str | None) -> None:
    groups: dict[Value | None, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.parameters[colour] if colour else None, []).append(row)
    for index, (value, group) in enumerate(groups.items()):
        label = None if colour is None else f"{colour} = {_short(value)}"
        x = np.array([float(row.parameters[across]) for row in group])
        measured = np.array([row.numbers["measured"] for row in group])
        predicted = np.array([row.numbers.get("predicted", math.nan) for row in group])
        verdicts = np.array([row.verdict for row in group])
        order = np.argsort(x, kind="stable")
        tone = f"C{index}"
        axes.plot(x[order], predicted[order], "-", lw=1, color=tone)
        decided = verdicts == "holds"
        axes.plot(x[decided], measured[decided], "o", ms=4, color=tone, label=label)
        wrong = np.isin(verdicts, ("fails", "error"))
        axes.plot(x[wrong], measured[wrong], "x", ms=8, mew=2, color="C3")
        axes.plot(x[~decided], measured[~decided], "o", ms=4, mfc="w", color=tone)
    axes.plot([], [], "k-", lw=1, label="predicted")
    if any(row.verdict == "fails" for row in rows):
        axes.plot([], [], "x", ms=8, mew=2, color="C3", label="fails")
    if any(not row.speaks_against and row.verdict != "holds" for row in rows):
        axes.plot([], [], "o", ms=4, mfc="w", color="k", label="decides nothing")
    places = [float(row.parameters[across]) for row in rows]
    finite = [place for place in places if math.isfinite(place)]
    if finite and min(finite) > 0.0 and max(finite) >= 30.0 * min(finite):
        axes.set_xscale("log")
    values = [row.numbers["measured"] for row in rows]
    if min(values) > 0.0 and max(values) >= 100.0 * min(values):
        axes.set_yscale("log")
    axes.legend(fontsize="small")


def _short(value: Value | None) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
