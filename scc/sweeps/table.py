"""The table of a sweep: CSV, one row a system, the same columns for every claim but its own names.

    claim, parameters…, measured, predicted, numbers beside…, verdict, error, version, key

Floats are written with the digits that determine them (``repr``), so that a table is the same when
the numbers are. Wall times are no part of it. No number: an empty cell.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scc.claims.parameters import Family, Value
from scc.errors import InputError
from scc.output import write_text

LAST = ("verdict", "error", "version", "key")


@dataclass(frozen=True)
class Row:
    """One system.

    Attributes:
        claim: id.
        key: digest of claim, version and parameters.
        version: of the code that measured it.
        parameters: all of the family, by name.
        numbers: ``measured``, ``predicted`` and those beside; empty if there was an error.
        verdict: ``holds``, ``fails``, ``inconclusive``, ``hypothesis violated: …`` or ``error``.
        error: its message, or empty.
        seconds: wall time [s], in the journal only.
    """

    claim: str
    key: str
    version: str
    parameters: dict[str, Value]
    numbers: dict[str, float]
    verdict: str
    error: str = ""
    seconds: float = 0.0

    @property
    def speaks_against(self) -> bool:
        """It fails, or could not be measured."""
        return self.verdict in ("fails", "error")

    def measured_in(self, seconds: float) -> Row:
        """The same with its wall time."""
        return replace(self, seconds=seconds)


def columns(family: Family) -> list[str]:
    """Names of the columns."""
    names = [parameter.name for parameter in family.parameters]
    return ["claim", *names, "measured", "predicted", *family.beside, *LAST]


def cells(row: Row, family: Family) -> list[str]:
    """The row as text, in the order of :func:`columns`."""
    numbers = [row.numbers.get(name, math.nan) for name in ("measured", "predicted")]
    numbers += [row.numbers.get(name, math.nan) for name in family.beside]
    return [
        row.claim,
        *(str(row.parameters[parameter.name]) for parameter in family.parameters),
        *("" if math.isnan(number) else repr(float(number)) for number in numbers),
        *(row.verdict, row.error, row.version, row.key),
    ]


def row_of(texts: Sequence[str], family: Family) -> Row:
    """Inverse of :func:`cells`.

    Raises:
        InputError: it is no such row.
    """
    names = columns(family)
    if len(texts) != len(names):
        raise InputError(f"{len(texts)} cells instead of {len(names)}")
    named = dict(zip(names, texts, strict=True))
    parameters = {p.name: p.read(named[p.name]) for p in family.parameters}
    try:
        numbers = {
            name: float(named[name])
            for name in ("measured", "predicted", *family.beside)
            if named[name]
        }
    except ValueError as error:
        raise InputError(str(error)) from None
    return Row(
        claim=named["claim"],
        key=named["key"],
        version=named["version"],
        parameters=parameters,
        numbers=numbers,
        verdict=named["verdict"],
        error=named["error"],
    )


def line(texts: Sequence[str]) -> str:
    """One line of CSV with its end."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(texts)
    return buffer.getvalue()


def write_table(path: Path, rows: Sequence[Row], family: Family) -> None:
    """Complete or not at all. InputError if it cannot be written."""
    lines = [line(columns(family)), *(line(cells(row, family)) for row in rows)]
    write_text(path, "".join(lines))


def read_table(path: Path, family: Family) -> list[Row]:
    """The rows of a table of this family.

    Raises:
        InputError: the file cannot be read, or is not a table of this family; with the line.
    """
    lines = read_cells(path)
    if not lines or lines[0] != columns(family):
        raise InputError(f"{path} is not the table of a sweep with these parameters and columns")
    rows = []
    for place, texts in enumerate(lines[1:], 2):
        try:
            rows.append(row_of(texts, family))
        except InputError as error:
            raise InputError(f"{path}, line {place}: {error}") from None
    return rows


def claim_of_table(path: Path) -> str:
    """The claim that a table is of.

    Raises:
        InputError: it cannot be read or is no table of a sweep.
    """
    lines = read_cells(path)
    if len(lines) < 2 or lines[0][:1] != ["claim"] or not lines[1]:
        raise InputError(f"{path} is not the table of a sweep, or has no rows")
    return lines[1][0]


def read_cells(path: Path) -> list[list[str]]:
    """The CSV as texts. InputError if it cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read {path}: {reason}") from None
