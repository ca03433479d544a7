"""The journal of a sweep: every row, appended as it arrives, never rewritten.

``table.csv`` has the journal ``table.journal.csv`` beside it: the columns of the table and
``seconds``. A row is one write of one line, on disk (fsync) before the next. If the process is
killed within a write the last line has no end, and is cut off when the journal is opened again.
Rows of other claims, parameters or code stay where they are: they are found by their key, or not.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from scc.claims.parameters import Family
from scc.errors import InputError
from scc.sweeps.table import Row, cells, columns, line, read_cells, row_of


def journal_path(table: Path) -> Path:
    """``table.journal.csv``."""
    return table.with_name(f"{table.stem}.journal.csv")


class Journal:
    """An open journal, which no other process can open; a context manager.

    Attributes:
        path: the file, made if missing.
        rows: key -> row, of all that was in it.

    Raises:
        InputError: another sweep has it open; it is no journal of this claim and these columns; a
            line before the last is not a row; it cannot be written.
    """

    def __init__(self, path: Path, claim_id: str, family: Family) -> None:
        self.path = path
        self.family = family
        try:
            self._file = open(path, "a+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}") from None
        try:
            self._lock()
            self.rows = self._read(claim_id)
        except BaseException:
            self._file.close()
            raise

    def append(self, row: Row) -> None:
        """Write a row and see it on disk.

        Raises:
            InputError: the disk is full, or gone.
        """
        self._write([*cells(row, self.family), repr(row.seconds)])
        self.rows[row.key] = row

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"another sweep is writing {self.path}") from None

    def _read(self, claim_id: str) -> dict[str, Row]:
        self._cut_off_unfinished()
        header = [*columns(self.family), "seconds"]
        lines = read_cells(self.path)
        if not lines:
            self._write(header)
            return {}
        if lines[0] != header:
            raise InputError(
                f"{self.path} has other columns than a sweep of {claim_id}: give another --out"
            )
        rows = {}
        for place, texts in enumerate(lines[1:], 2):
            try:
                row = row_of(texts[:-1], self.family)
            except InputError as error:
                raise InputError(f"{self.path}, line {place}: {error}") from None
            if row.claim != claim_id:
                raise InputError(
                    f"{self.path} is of claim {row.claim}, not {claim_id}: give another --out"
                )
            rows[row.key] = row
        return rows

    def _cut_off_unfinished(self) -> None:
        self._file.seek(0)
        content = self._file.read()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            self._file.truncate(end)

    def _write(self, texts: list[str]) -> None:
        data = line(texts).encode()
        try:
            if self._file.write(data) != len(data):
                raise OSError(28, "No space left on device")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror}") from None
