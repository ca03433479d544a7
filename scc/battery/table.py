"""Scheme × property: every shipped model checked, side by side, each row kept as it is finished.

``DIR/<model>/verdicts.json`` with its figures, then ``DIR/table.json`` and ``DIR/table.md``.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from scc.battery.check import check
from scc.battery.properties import PROPERTIES
from scc.battery.property import Property
from scc.battery.report import FILE, write
from scc.battery.structures import default_structures
from scc.errors import InputError
from scc.output import write_text

SIGNS = {"pass": "✓", "fail": "✗", "unsupported": "–"}

Row = dict[str, Any]
"""What ``verdicts.json`` of a model holds, or {"model", "error"} where it could not be checked."""


def rows(
    names: Sequence[str], directory: Path, *, workers: int, resume: bool, version: str
) -> Iterator[Row]:
    """Check the models, several at once, and yield each row when it is there.

    Args:
        directory: where rows are kept.
        resume: rows in the directory that this version of the code wrote are not measured again.
        version: written into each row.
    Raises:
        InputError: the directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    pending = []
    for name in names:
        known = _known(_folder(directory, name) / FILE, version) if resume else None
        if known is None:
            pending.append(name)
        else:
            yield known | {"model": name}
    jobs = (delayed(_row)(name, _folder(directory, name), version) for name in pending)
    yield from Parallel(n_jobs=min(workers, max(len(pending), 1)), return_as="generator_unordered")(
        jobs
    )


def write_table(directory: Path, found: Sequence[Row]) -> None:
    """``table.json`` and ``table.md`` of the rows, in the order given."""
    text = json.dumps(list(found), indent=1, allow_nan=False, ensure_ascii=False)
    write_text(directory / "table.json", text + "\n")
    write_text(directory / "table.md", markdown(found))


def markdown(found: Sequence[Row]) -> str:
    """The table, what each ✗ and – stands for, and where each column is measured and tested."""
    ids = [one.id for one in PROPERTIES]
    lines = [
        "| model | " + " | ".join(ids) + " |",
        "|---" * (len(ids) + 1) + "|",
    ]
    for row in found:
        signs = [SIGNS[verdict] for verdict in verdicts_of(row).values()]
        cells = signs or ["–"] * len(ids)
        lines.append(f"| {row['model']} | " + " | ".join(cells) + " |")
    lines += ["", cost(found)]
    lines += ["", "✓ passes, ✗ fails, – unsupported, and why:", ""]
    for row in found:
        if "error" in row:
            lines.append(f"- {row['model']}: not checked: {row['error']}")
        for entry in row.get("properties", ()):
            if entry["verdict"] != "pass":
                lines.append(
                    f"- {row['model']}, {entry['id']}: {SIGNS[entry['verdict']]} {entry['summary']}"
                )
    lines += ["", "Columns, their thresholds, where they are measured and tested:", ""]
    for one in PROPERTIES:
        lines.append(f"- {one.id}: {one.statement} Threshold: {one.threshold} {_files(one)}")
    return "\n".join(lines) + "\n"


def cost(found: Sequence[Row]) -> str:
    """One sentence: processor time of all rows, and of the three that took most of it."""
    seconds = {row["model"]: float(row.get("cpu_seconds") or 0.0) for row in found}
    most = sorted(seconds, key=lambda name: -seconds[name])[:3]
    parts = ", ".join(f"{name} {seconds[name]:.0f} s" for name in most)
    return f"Processor time: {sum(seconds.values()) / 60.0:.1f} minutes ({parts})."


def verdicts_of(row: Row) -> Mapping[str, str]:
    """Property → verdict, in the order of the columns; empty for a model that was not checked."""
    return {entry["id"]: entry["verdict"] for entry in row.get("properties", ())}


def module_of(one: Property) -> str:
    """The module of a property, its file without the suffix."""
    return one.measure.__module__.rpartition(".")[2]


def _files(one: Property) -> str:
    module = module_of(one)
    return f"(`scc/battery/{module}.py`, `tests/battery/test_battery_{module}.py`)"


def _row(name: str, directory: Path, version: str) -> Row:
    """Check one model on the structures that ship, and keep the result with what it cost."""
    start = time.process_time()
    with threadpool_limits(1):
        try:
            checked = check(name, default_structures())
        except InputError as error:
            return {"model": name, "error": str(error)}
        except Exception as error:  # one model's defect does not cost the others their rows
            return {"model": name, "error": f"{type(error).__name__}: {error}"}
        write(directory, checked, code=version, cpu_seconds=time.process_time() - start)
    row: Row = json.loads((directory / FILE).read_text(encoding="utf-8"))
    return row | {"model": name}


def _folder(directory: Path, name: str) -> Path:
    """Where a row is kept: names of files and objects have slashes and colons."""
    return directory / re.sub(r"[^\w.-]+", "_", name)


def _known(path: Path, version: str) -> Row | None:
    """A row that is there, whole, and of this version."""
    try:
        row: Row = json.loads(path.read_text(encoding="utf-8"))
        return row if row["code"] == version else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
