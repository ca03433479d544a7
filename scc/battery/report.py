"""A checked model on disk: ``verdicts.json`` and a figure for each property that was measured."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from scc import __version__
from scc.battery.bench import described
from scc.battery.check import Checked
from scc.battery.property import Verdict
from scc.configuration import Configuration
from scc.configuration.files import written_atomically
from scc.json_values import plain
from scc.output import write_text

FILE = "verdicts.json"


def write(
    directory: Path,
    checked: Checked,
    code: str = __version__,
    cpu_seconds: float | None = None,
) -> Path:
    """``DIR/verdicts.json`` and ``DIR/figures/*.png``; the JSON last: where it is, all is.

    ``code`` says what measured it, where that is more than the version; ``cpu_seconds`` what that
    took, all threads together.

    Raises:
        InputError: the folder cannot be written. OSError: it cannot be made.
    """
    figures = directory / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for verdict in checked.verdicts:
        if verdict.finding is not None:
            with written_atomically(figures / figure_name(verdict)) as temporary:
                drawn(verdict).savefig(temporary, dpi=120)
    path = directory / FILE
    text = json.dumps(
        document(checked, code, cpu_seconds), indent=1, allow_nan=False, ensure_ascii=False
    )
    write_text(path, text + "\n")
    return path


def document(
    checked: Checked, code: str = __version__, cpu_seconds: float | None = None
) -> dict[str, Any]:
    """What ``verdicts.json`` holds: plain JSON; numbers that are not finite are null, with why."""
    return plain(
        {
            "scc": __version__,
            "code": code,
            "cpu_seconds": None if cpu_seconds is None else round(cpu_seconds, 1),
            "model": checked.name,
            "structures": _described(checked.structures),
            "refused": {str(index): reason for index, reason in checked.refused.items()},
            "passed": checked.passed,
            "properties": [_entry(verdict) for verdict in checked.verdicts],
        }
    )


def figure_name(verdict: Verdict) -> str:
    """``locality-E.png``."""
    return verdict.property.id.replace(" ", "-") + ".png"


def drawn(verdict: Verdict) -> Figure:
    """The figure of a verdict with a finding."""
    assert verdict.finding is not None
    figure = Figure(figsize=(4.8, 3.4), layout="constrained")
    axes = figure.subplots()
    verdict.property.draw(axes, verdict.finding)
    axes.set_title(f"{verdict.property.id}: {verdict.judgement}", fontsize="medium")
    return figure


def _described(structures: Iterable[Configuration]) -> list[str]:
    return [described(structure) for structure in structures]


def _entry(verdict: Verdict) -> dict[str, Any]:
    one, finding = verdict.property, verdict.finding
    return {
        "id": one.id,
        "statement": one.statement,
        "threshold": one.threshold,
        "verdict": verdict.judgement,
        "summary": verdict.summary,
        "seconds": round(verdict.seconds, 3),
        "figure": None if finding is None else f"figures/{figure_name(verdict)}",
        "numbers": {} if finding is None else dict(finding.numbers),
    }
