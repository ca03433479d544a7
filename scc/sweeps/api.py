"""A sweep from its grid to its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from scc.claims.parameters import Value
from scc.claims.store import code_version
from scc.errors import InputError
from scc.output import check_writable
from scc.sweeps.grid import grid
from scc.sweeps.journal import Journal, journal_path
from scc.sweeps.measure import family_of, key_of
from scc.sweeps.table import Row, write_table
from scc.sweeps.workers import with_dask, with_joblib


class Progress(Protocol):
    """Told what happens during :func:`sweep`."""

    def started(self, points: int, known: int, others: int) -> None:
        """``known`` of the points are in the journal; ``others`` rows in it are not of this code or
        not of this grid."""

    def finished(self, row: Row) -> None:
        """A row is on disk."""


class Silent:
    """A :class:`Progress` that says nothing."""

    def started(self, points: int, known: int, others: int) -> None:
        """Nothing."""

    def finished(self, row: Row) -> None:
        """Nothing."""


def sweep(
    claim_id: str,
    over: Mapping[str, Sequence[Value]],
    out: Path,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> list[Row]:
    """Measure a claim on all combinations of ``over`` and write the table ``out``.

    Rows are kept in a journal beside the table the moment they arrive (:mod:`scc.sweeps.journal`);
    those of the same claim, parameters and code are not measured again. The table is written when
    all rows are there, in the order of the grid. It depends on the code, the libraries and the
    machine that measured it, not on workers, interruptions or the order in which rows arrived.

    Args:
        claim_id: a claim with parameters (:func:`scc.sweeps.measure.sweepable`).
        over: parameter -> values, as :func:`scc.sweeps.grid.parse` returns; all other parameters
            have their defaults.
        out: the table, ``*.csv``, in an existing folder.
        workers: joblib processes.
        scheduler: address of a Dask scheduler, whose workers measure instead.
        progress: told what happens.

    Raises:
        InputError: bad claim, parameters, files or address; a worker of the cluster runs other
            code than this.
        WorkerError: a worker died.
    """
    if workers < 1:
        raise InputError(f"workers must be at least 1, got {workers}")
    if out.suffix != ".csv":
        raise InputError(f"the table of a sweep is a .csv file, not {out}")
    family = family_of(claim_id)
    points = grid(over, family)
    version = code_version()
    keys = [key_of(claim_id, version, point) for point in points]
    progress = Silent() if progress is None else progress
    check_writable(out)
    with Journal(journal_path(out), claim_id, family) as journal:
        wanted = set(keys)
        missing = [p for p, key in zip(points, keys, strict=True) if key not in journal.rows]
        others = len(journal.rows.keys() - wanted)
        progress.started(len(points), len(points) - len(missing), others)
        if missing:
            finished = (
                with_joblib(claim_id, missing, workers)
                if scheduler is None
                else with_dask(claim_id, missing, scheduler)
            )
            with closing(finished):
                for row in finished:
                    if row.version != version:
                        raise InputError(f"a worker runs scc {row.version}, this is {version}")
                    journal.append(row)
                    progress.finished(row)
        rows = [journal.rows[key] for key in keys]
    write_table(out, rows, family)
    return rows
