"""One figure for each claim, as PNG and PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from scc.claims.claim import Claim, SystemResult
from scc.configuration.files import written_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FORMATS = ("png", "pdf")


def figure_paths(directory: Path, name: str) -> list[Path]:
    """``<directory>/<name>.png`` and ``.pdf``."""
    return [directory / f"{name}.{suffix}" for suffix in _FORMATS]


def draw_claim(claim: Claim, results: Sequence[SystemResult], directory: Path) -> None:
    """Draw the claim from the results that are not errors and save it under ``directory``.

    Raises: whatever ``claim.draw`` raises; InputError when ``directory`` cannot be written. Then no
    figure of an earlier run is left to be taken for this one's.
    """
    for path in figure_paths(directory, claim.id):
        path.unlink(missing_ok=True)
    measured = [result for result in results if result.error is None]
    draw = measured_against_predicted if claim.draw is None or not measured else claim.draw
    save_figure(draw(measured), directory, claim.id)


def save_figure(figure: Figure, directory: Path, name: str) -> list[Path]:
    """Save as PNG (150 dots per inch) and PDF without a date, so that equal data give equal files.

    Raises:
        InputError: ``directory`` is missing or not writable.
    """
    paths = figure_paths(directory, name)
    for path in paths:
        with written_atomically(path) as temporary:
            metadata = {"CreationDate": None} if path.suffix == ".pdf" else None
            figure.savefig(temporary, dpi=150, bbox_inches="tight", metadata=metadata)
    return paths


def scalar_pairs(result: SystemResult) -> dict[str, tuple[float, float]]:
    """name -> (measured, predicted) for the names under which both are a number."""
    pairs = {}
    for name, measured in result.measured.items():
        predicted = result.predicted.get(name)
        if _is_number(measured) and _is_number(predicted):
            pairs[name] = (float(measured), float(predicted))
    return pairs


def measured_against_predicted(results: Sequence[SystemResult]) -> Figure:
    """The figure of a claim that draws none: every number that is both measured and predicted."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.8, 4.2), layout="constrained")
    axes = figure.subplots()
    points: dict[str, list[tuple[float, float]]] = {}
    for result in results:
        for name, pair in scalar_pairs(result).items():
            points.setdefault(name, []).append(pair)
    values = [value for pairs in points.values() for pair in pairs for value in pair]
    if not values:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no system gave a number to compare", ha="center", va="center")
        return figure
    for name, pairs in points.items():
        measured, predicted = zip(*pairs, strict=True)
        axes.plot(predicted, measured, "o", ms=5, label=name)
    low, high = min(values), max(values)
    if low > 0:
        axes.set_xscale("log")
        axes.set_yscale("log")
    if low < high:
        axes.plot([low, high], [low, high], "-", color="0.6", lw=1, zorder=0, label="equal")
    axes.set_xlabel("predicted")
    axes.set_ylabel("measured")
    axes.legend(fontsize="small")
    return figure


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
