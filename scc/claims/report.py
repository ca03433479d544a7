"""The two summaries of a run: ``claims.json`` for programs, ``report.html`` for readers."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from scc import __version__
from scc.claims.claim import ClaimResult, SystemResult
from scc.claims.drawing import figure_paths, scalar_pairs
from scc.json_values import plain
from scc.output import write_text

_LISTED = 6  # entries of a list that are shown before it is abbreviated


def claims_document(results: Sequence[ClaimResult]) -> dict[str, Any]:
    """The content of ``claims.json``.

    ``holds`` of a system is null when it decides nothing (a hypothesis is violated, or the
    measurement is inconclusive); a system that raised has ``measured = {"error": message}``.
    Non-finite numbers are null with the reason beside them (:func:`scc.json_values.plain`).
    """
    return {
        "claims": [
            {
                "id": result.id,
                "statement": result.statement,
                "source": result.source,
                "holds": result.holds,
                "seconds": result.seconds,
                "systems": [
                    {
                        "description": system.description,
                        "parameters": plain(system.parameters),
                        "hypotheses": plain(system.hypotheses),
                        "measured": plain(system.measured),
                        "predicted": plain(system.predicted),
                        "holds": system.holds,
                    }
                    for system in result.systems
                ],
            }
            for result in results
        ]
    }


def write_claims_json(path: Path, results: Sequence[ClaimResult]) -> None:
    """Write :func:`claims_document` atomically.

    Raises:
        InputError: ``path`` cannot be written.
    """
    text = json.dumps(claims_document(results), indent=1, allow_nan=False, ensure_ascii=False)
    write_text(path, text + "\n")


def summary(result: ClaimResult) -> str:
    """``measured against predicted`` in one line: an error, a failing system, or, if all hold, the
    number farthest from its prediction (relative)."""
    if result.figure_error is not None:
        return f"figure not drawn: {result.figure_error}"
    if not result.systems:
        return "no systems"
    for system in result.systems:
        if system.error is not None:
            return f"{system.description}: {system.error}"
    failing = [system for system in result.systems if system.holds is False]
    shown = failing or [system for system in result.systems if system.holds]
    if not shown:
        return f"{result.systems[0].description}: {result.systems[0].verdict}"
    numbers = [
        (abs(measured - predicted) / max(abs(measured), abs(predicted), 1e-300), index, name)
        for index, system in enumerate(shown)
        for name, (measured, predicted) in scalar_pairs(system).items()
    ]
    if not numbers:
        return shown[0].description
    _, index, name = max(numbers)
    measured, predicted = scalar_pairs(shown[index])[name]
    return (
        f"{name} {format_value(measured)} (predicted {format_value(predicted)}; "
        f"{shown[index].description})"
    )


def format_value(value: object) -> str:
    """A number with four digits, a list by its first entries, anything else as it is."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        shown = ", ".join(format_value(entry) for entry in value[:_LISTED])
        return f"[{shown}, … {len(value)} values]" if len(value) > _LISTED else f"[{shown}]"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {format_value(entry)}" for name, entry in value.items())
    return str(value)


def write_report(
    path: Path, results: Sequence[ClaimResult], figures: Path, unfinished: Sequence[str] = ()
) -> None:
    """Write a page that needs no other file: the figures are in it.

    Args:
        path: the page.
        results: the claims on it.
        figures: where ``<id>.png`` are.
        unfinished: ids of claims that belong to the run and have no result yet.

    Raises:
        InputError: ``path`` cannot be written.
    """
    rows = "".join(_summary_row(result) for result in results)
    rows += "".join(
        f"<tr><td>{escape(claim_id)}</td><td colspan=5 class=open>not finished</td></tr>"
        for claim_id in unfinished
    )
    held = sum(result.holds for result in results)
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>scc: {held} of {len(results) + len(unfinished)} claims hold</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{held} of {len(results) + len(unfinished)} claims hold</h1>
<p>Self-consistent Coulomb interactions for machine-learned interatomic potentials, scc
{__version__}. Hartree atomic units. A claim holds when no system speaks against it and at least
one speaks for it; a system that violates a hypothesis decides nothing.</p>
<table>
<tr><th>claim</th><th>holds</th><th>systems</th><th>seconds</th><th>source</th>
<th>farthest from prediction</th></tr>
{rows}
</table>
{"".join(_section(result, figures) for result in results)}
</body>
</html>
"""
    write_text(path, page)


def count_verdicts(result: ClaimResult) -> str:
    """``12 hold, 1 fails, 2 open``: the systems by verdict, absent ones left out."""
    verdicts = [system.holds for system in result.systems]
    counts = {
        "hold": verdicts.count(True),
        "fail": verdicts.count(False),
        "open": verdicts.count(None),
    }
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "none"


def _summary_row(result: ClaimResult) -> str:
    return (
        f'<tr><td><a href="#{escape(result.id)}">{escape(result.id)}</a></td>'
        f"<td class={_css(result.holds)}>{format_value(result.holds)}</td>"
        f"<td>{count_verdicts(result)}</td><td class=number>{result.seconds:.1f}</td>"
        f"<td>{escape(result.source)}</td><td>{escape(summary(result))}</td></tr>\n"
    )


def _section(result: ClaimResult, figures: Path) -> str:
    rows = "".join(_system_rows(system) for system in result.systems)
    return f"""
<section id="{escape(result.id)}">
<h2>{escape(result.id)} <span class={_css(result.holds)}>
{"holds" if result.holds else "does not hold"}</span></h2>
<p class=statement>{escape(result.statement)}</p>
<p class=source>{escape(result.source)}; {count_verdicts(result)}; {result.seconds:.1f} s</p>
{_figure(result, figures)}
<table>
<tr><th>system</th><th>verdict</th><th>hypotheses</th><th>quantity</th><th>measured</th>
<th>predicted</th></tr>
{rows}
</table>
</section>
"""


def _figure(result: ClaimResult, figures: Path) -> str:
    if result.figure_error is not None:
        return f"<p class=fails>figure not drawn: {escape(result.figure_error)}</p>"
    try:
        image = base64.b64encode(figure_paths(figures, result.id)[0].read_bytes()).decode()
    except OSError:
        return ""
    return f'<img alt="figure of {escape(result.id)}" src="data:image/png;base64,{image}">'


def _system_rows(system: SystemResult) -> str:
    names = list(dict.fromkeys([*system.measured, *system.predicted])) or [""]
    span = f"rowspan={len(names)}"
    hypotheses = "<br>".join(_hypothesis(name, value) for name, value in system.hypotheses.items())
    head = (
        f"<td {span}>{escape(system.description)}<details><summary>parameters</summary>"
        f"{escape(format_value(dict(system.parameters)))}</details></td>"
        f"<td {span} class={_css(system.holds)}>{escape(system.verdict)}</td>"
        f"<td {span}>{hypotheses}</td>"
    )
    rows = []
    for name in names:
        cells = "".join(
            f"<td>{escape(format_value(values[name])) if name in values else ''}</td>"
            for values in (system.measured, system.predicted)
        )
        rows.append(f"<tr>{head}<td>{escape(name)}</td>{cells}</tr>\n")
        head = ""
    return "".join(rows)


def _hypothesis(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"<span class={_css(value)}>{'✓' if value else '✗'}</span> {escape(name)}"
    return f"{escape(name)}: {escape(format_value(value))}"


def _css(holds: bool | None) -> str:
    return {True: "holds", False: "fails", None: "open"}[holds]


_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; max-width: 76rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.7rem 0.25rem 0;
         border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }
th { border-bottom: 2px solid #888; }
img { max-width: min(100%, 46rem); display: block; margin: 1rem 0; }
details { color: #666; font-size: 0.85em; } .source { color: #666; }
.number { text-align: right; } .statement { max-width: 50rem; }
.holds { color: #14692b; } .fails { color: #b3151b; font-weight: 600; } .open { color: #8a6100; }
"""
