"""The 36 fits behind figure 1, one row of figure_1.csv each.

A row says what it was made of: hashes of the data files and of the settings. Rows of other data or
settings are out of date; they stay in the file and count for nothing once the present ones are
there. Every finished fit is written at once, the file whole or not at all, so that a run that was
killed goes on where it was.

Splits: the training trajectories are dealt to three folds, and split k does without fold k. The
test set takes no part in any choice: settings are those of :mod:`scc.ace.water_fit` for all twelve
models, and each chooses its priors by the same rule, cross-validation over its own training
clusters. Fits run side by side, one process a core.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from joblib import Parallel, delayed, parallel_config

from scc import __version__
from scc.ace.evaluation import errors
from scc.ace.fit import FitSettings
from scc.ace.reference_set import ReferenceSet, read_reference_set
from scc.ace.selection import fit_and_judge
from scc.ace.water_fit import water_settings
from scc.configuration.files import written_atomically
from scc.errors import InputError

FOLDER = Path(__file__).resolve().parent
ROWS = FOLDER / "figure_1.csv"
DATA = FOLDER.parent / "data" / "water"
TRAIN, TEST = ("train_first.xyz", "train.xyz"), "test.xyz"

ORDERS = (1, 2, 3)
FEATURES = ((0, 0), (1, 0), (2, 1), (3, 2))
SPLITS = (1, 2, 3)
SEED = 0

MODES = ("teacher_forced", "self_consistent")
ERRORS = tuple(errors([]))

_COMMAND = "# made by: scc figure 1 --compute"
_KEY = ("data_sha256", "settings_sha256", "order", "n_max", "l_max", "split")
_MADE = ("version", "training_clusters", "training_molecules", "test_clusters", "seconds")
COLUMNS = _KEY + _MADE + tuple(f"{mode}_{name}" for mode in MODES for name in ERRORS)

Row = Mapping[str, str]


@dataclass(frozen=True)
class Point:
    """One fit: products of up to ``order`` factors, features (n_max, l_max), training split."""

    order: int
    n_max: int
    l_max: int
    split: int

    @property
    def n_features(self) -> int:
        """Potential features of an atom."""
        return self.n_max * (self.l_max + 1) ** 2

    def settings(self) -> FitSettings:
        """Of the fit: those of ``scc fit``."""
        return water_settings(self.n_max, self.l_max, self.order)

    def key(self, data: str) -> tuple[str, ...]:
        """What identifies its row."""
        numbers = (self.order, self.n_max, self.l_max, self.split)
        return data, settings_digest(), *map(str, numbers)


def points() -> list[Point]:
    """All fits: the first split, then the others order by order, so that a part is a figure."""
    groups = [(order, SPLITS[:1]) for order in ORDERS] + [(order, SPLITS[1:]) for order in ORDERS]
    return [
        Point(order, *each, split)
        for order, splits in groups
        for split in splits
        for each in FEATURES
    ]


@cache
def settings_digest() -> str:
    """Hash of the settings of all fits together, 16 hexadecimal digits: one procedure, one hash."""
    ordered = sorted(points(), key=lambda point: (point.split, point.order, point.n_features))
    settings = [point.settings().as_dict() for point in ordered]
    text = json.dumps([settings, SEED, len(SPLITS)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def data_digest(folder: Path = DATA) -> str | None:
    """Hash of the data files, 16 hexadecimal digits; None where there are none."""
    paths = [folder / name for name in (*TRAIN, TEST)]
    if not all(path.is_file() for path in paths):
        return None
    seen = hashlib.sha256()
    for path in paths:
        seen.update(hashlib.sha256(path.read_bytes()).digest())
    return seen.hexdigest()[:16]


def read_rows(path: Path = ROWS) -> list[dict[str, str]]:
    """All rows of the file; none if it is not there. InputError for another table."""
    if not path.is_file():
        return []
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    reader = csv.DictReader(lines)
    rows = list(reader)
    if tuple(reader.fieldnames or ()) != COLUMNS or any(None in row.values() for row in rows):
        raise InputError(f"{path} is not the table of figure 1: remove it, or restore it")
    return rows


def write_rows(rows: Iterable[Row], path: Path = ROWS) -> None:
    """The whole file, atomically."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with written_atomically(path) as temporary:
        temporary.write_text(f"{_COMMAND}\n{text.getvalue()}", encoding="utf-8")


def key_of(row: Row) -> tuple[str, ...]:
    """The key of a row in the file."""
    return tuple(row[name] for name in _KEY)


def valid_rows(rows: Sequence[Row], data: str) -> list[Row]:
    """Rows of these data and of the present settings, one for each point that has one."""
    known = {key_of(row): row for row in rows}
    return [known[key] for key in (point.key(data) for point in points()) if key in known]


def missing_points(rows: Sequence[Row], data: str) -> list[Point]:
    """Points without a valid row."""
    known = {key_of(row) for row in rows}
    return [point for point in points() if point.key(data) not in known]


def compute(
    progress: Callable[[str], None] = lambda message: None,
    folder: Path = DATA,
    path: Path = ROWS,
    workers: int = 1,
) -> None:
    """Fit and judge what is missing, ``workers`` at a time, each a process of one BLAS thread.

    A row is written as soon as it and all before it are there. InputError where there are no data.
    """
    data = data_digest(folder)
    if data is None:
        raise InputError(f"the water clusters ({folder}) are not part of this installation")
    wanted = missing_points(read_rows(path), data)
    progress(f"figure 1: {len(wanted)} of {len(points())} fits to do")
    training = read_reference_set([folder / name for name in TRAIN])
    test = read_reference_set(folder / TEST)
    for number, (point, found) in enumerate(
        zip(wanted, _side_by_side(wanted, training, test, workers), strict=True), start=1
    ):
        row = dict(zip(_KEY, point.key(data), strict=True)) | found
        write_rows([*read_rows(path), row], path)
        progress(
            f"figure 1: {number}/{len(wanted)} order {point.order}, ({point.n_max},{point.l_max}), "
            f"split {point.split}: {row['self_consistent_force_rmse_mev_per_angstrom']} meV/Å, "
            f"{row['seconds']} s"
        )


def _side_by_side(
    wanted: Sequence[Point], training: ReferenceSet, test: ReferenceSet, workers: int
) -> Iterable[dict[str, str]]:
    """:func:`judged` of each, in their order."""
    if workers == 1:
        return (judged(point, training, test) for point in wanted)
    pool = Parallel(n_jobs=workers, return_as="generator", pre_dispatch=workers, batch_size=1)
    # What other processes run is of scc itself: this module need not be importable there.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        found = pool(
            delayed(fit_and_judge)(used(point, training), point.settings(), test, SEED)
            for point in wanted
        )
    return (
        _row(used(point, training), test, *each) for point, each in zip(wanted, found, strict=True)
    )


def used(point: Point, training: ReferenceSet) -> ReferenceSet:
    """The point's part of the training set."""
    return training.without(training.folds(len(SPLITS))[point.split - 1])


def judged(point: Point, training: ReferenceSet, test: ReferenceSet) -> dict[str, str]:
    """Fit on the point's part of the training set; errors on the test set."""
    part = used(point, training)
    return _row(part, test, *fit_and_judge(part, point.settings(), test, SEED))


def _row(
    part: ReferenceSet,
    test: ReferenceSet,
    seconds: float,
    found: Mapping[str, Mapping[str, float]],
) -> dict[str, str]:
    row = {
        "version": __version__,
        "training_clusters": str(len(part)),
        "training_molecules": str(sum(frame.n_molecules for frame in part.frames)),
        "test_clusters": str(len(test)),
        "seconds": f"{seconds:.0f}",
    }
    for mode in MODES:
        row |= {f"{mode}_{name}": f"{value:.6g}" for name, value in found[mode].items()}
    return row
