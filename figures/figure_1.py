"""Errors of water models against the number of potential features, for every body order."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from scc.errors import InputError
from scc.figures import _figure_1_fits as fits

PANELS = {
    "force_rmse_mev_per_angstrom": ("forces", "error [meV/Å]"),
    "charge_rmse_percent": ("charges, λ = 0", "error [% of spread]"),
    "dipole_rmse_percent": ("dipoles, λ = 1", "error [% of spread]"),
    "quadrupole_rmse_percent": ("quadrupoles, λ = 2", "error [% of spread]"),
}
STYLES = {"self_consistent": ("o-", "self-consistent"), "teacher_forced": ("s:", "teacher-forced")}


def compute(progress: Callable[[str], None]) -> None:
    """Fit what is missing for the present data and settings (the CSV has the seconds of each)."""
    fits.compute(progress, workers=os.cpu_count() or 1)


def outdated() -> str | None:
    """Why the rows in the file are not those of the present data and settings; None if they are."""
    rows, data = fits.read_rows(), fits.data_digest()
    if data is None:
        return None  # nothing to compare with: the rows are what was shipped
    missing = len(fits.missing_points(rows, data))
    if not missing:
        return None
    return (
        f"{missing} of {len(fits.points())} fits of figure 1 are not those of the present water "
        "set and settings: scc figure 1 --compute fits them"
    )


def draw() -> Figure:
    """Test errors, mean and standard deviation over training splits, of the rows in figure_1.csv.

    Present rows if all are there, else the largest set of rows of one water set and procedure.
    InputError without rows.
    """
    return drawn(chosen_rows(fits.read_rows(), fits.data_digest()))


def chosen_rows(rows: Sequence[fits.Row], data: str | None) -> list[fits.Row]:
    """The present rows if complete, else the largest set of rows of one water set and procedure."""
    if not rows:
        raise InputError("figure 1 has no fits yet: scc figure 1 --compute")
    present = fits.valid_rows(rows, data) if data is not None else []
    if len(present) == len(fits.points()):
        return present
    groups: dict[tuple[str, ...], dict[tuple[str, ...], fits.Row]] = {}
    for row in rows:
        key = fits.key_of(row)
        groups.setdefault(key[:2], {})[key] = row
    # Of equally large sets the last that was begun.
    return list(max(reversed(groups.values()), key=len).values())


def drawn(rows: Sequence[fits.Row]) -> Figure:
    """The figure of these rows."""
    figure = Figure(figsize=(11.0, 3.9), layout="constrained")
    for axes, (key, (title, label)) in zip(figure.subplots(1, 4), PANELS.items(), strict=True):
        _panel(axes, rows, key)
        axes.set_title(title, fontsize="medium")
        axes.set_ylabel(label)
    # Between ν = 1 and the others there is room.
    figure.axes[2].legend(fontsize="x-small", loc="center left")
    figure.supxlabel(_provenance(rows), fontsize="x-small")
    return figure


def _panel(axes: Axes, rows: Sequence[fits.Row], key: str) -> None:
    places = np.arange(len(fits.FEATURES))
    for order in fits.ORDERS:
        for mode, (style, name) in STYLES.items():
            found = [_values(rows, order, features, f"{mode}_{key}") for features in fits.FEATURES]
            shown = np.array([len(values) > 0 for values in found])
            if not shown.any():
                continue
            mean = np.array([np.mean(values) for values in found if len(values)])
            bar = [np.std(values, ddof=1) if len(values) > 1 else 0.0 for values in found]
            # Side by side, so that bars can be told apart.
            x = places[shown] + 0.05 * (order - 2) + (0.02 if mode == "self_consistent" else -0.02)
            axes.errorbar(
                x,
                mean,
                np.array(bar)[shown],
                fmt=style,
                color=f"C{order - 1}",
                ms=4,
                lw=1.2,
                capsize=2,
                mfc="w" if mode == "teacher_forced" else None,
                label=rf"$\nu$ = {order}, {name}",
            )
    axes.set_xticks(places, [str(n * (l_max + 1) ** 2) for n, l_max in fits.FEATURES])
    axes.set_xlabel("potential features")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0), numticks=20))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def _values(
    rows: Sequence[fits.Row], order: int, features: tuple[int, int], column: str
) -> np.ndarray:
    """One number a split."""
    wanted = [str(order), *map(str, features)]
    own = [row for row in rows if [row["order"], row["n_max"], row["l_max"]] == wanted]
    return np.array([float(row[column]) for row in own])


def _provenance(rows: Sequence[fits.Row]) -> str:
    """What the numbers are of."""
    first = rows[0]
    splits = sorted({row["split"] for row in rows})
    sizes = sorted({int(row["training_clusters"]) for row in rows})
    some = "" if len(rows) == len(fits.points()) else f", {len(rows)} of {len(fits.points())} fits"
    return (
        f"{first['test_clusters']} test clusters; {len(splits)} training splits of "
        f"{sizes[0]}–{sizes[-1]} clusters{some}, bars: standard deviation over splits; "
        f"data {first['data_sha256']}, version {first['version']}"
    )
