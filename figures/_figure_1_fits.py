"""The 36 fits behind figure 1, one row of figure_1.csv each.

A row says what it was made of: hashes of the data files and of the settings. Rows of other data or
settings are out of date; they stay in the file and count for nothing once the present ones are
there. Every finished fit is written at once, the file whole or not at all, so that a run that was
killed goes on where it was.

Splits: the training trajectories are dealt to three folds, and split k does without fold k. The
test set takes no part in any choice: bases are those of :mod:`scc.ace.water_fit`, weights the same
for all twelve models, with priors strong enough for the largest: chosen without features, orders 2
and 3, on the clusters that split 1 leaves out of training.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from scc import __version__
from scc.ace.evaluation import errors, outcomes, self_consistent, teacher_forced
from scc.ace.fit import FitSettings, fit
from scc.ace.model import FittedModel
from scc.ace.reference_set import ReferenceSet, read_reference_set
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

MODES = {"teacher_forced": teacher_forced, "self_consistent": self_consistent}
ERRORS = tuple(errors([]))
_REFITS = 2
_DENSITY_PRIOR = {"ridge": 1.0, "smoothness": 2.0, "damping": 0.01, "response": 1.0}
_ENERGY_PRIOR = {"ridge": 0.1, "smoothness": 3.0}

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
        """Of the fit; refits cost little and need no line search, unlike Gauss-Newton steps."""
        base = water_settings(self.n_max, self.l_max, self.order)
        density = replace(base.density_weights, steps=_REFITS, gauss_newton=False, **_DENSITY_PRIOR)
        energy = replace(base.energy_weights, **_ENERGY_PRIOR)
        return replace(base, density_weights=density, energy_weights=energy)

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
) -> None:
    """Fit and judge what is missing. InputError where there are no data files."""
    data = data_digest(folder)
    if data is None:
        raise InputError(f"the water clusters ({folder}) are not part of this installation")
    wanted = missing_points(read_rows(path), data)
    progress(f"figure 1: {len(wanted)} of {len(points())} fits to do")
    training = read_reference_set([folder / name for name in TRAIN])
    test = read_reference_set(folder / TEST)
    for number, point in enumerate(wanted, start=1):
        row = dict(zip(_KEY, point.key(data), strict=True)) | judged(point, training, test)
        write_rows([*read_rows(path), row], path)
        progress(
            f"figure 1: {number}/{len(wanted)} order {point.order}, ({point.n_max},{point.l_max}), "
            f"split {point.split}: {row['self_consistent_force_rmse_mev_per_angstrom']} meV/Å, "
            f"{row['seconds']} s"
        )


def judged(point: Point, training: ReferenceSet, test: ReferenceSet) -> dict[str, str]:
    """Fit on the point's part of the training set; errors on the test set."""
    used = training.without(training.folds(len(SPLITS))[point.split - 1])
    start = time.monotonic()
    fitted = fit(used, point.settings(), SEED)
    seconds = time.monotonic() - start
    model = FittedModel("figure 1", fitted.density, fitted.energy)
    row = {
        "version": __version__,
        "training_clusters": str(len(used)),
        "training_molecules": str(sum(frame.n_molecules for frame in used.frames)),
        "test_clusters": str(len(test)),
        "seconds": f"{seconds:.0f}",
    }
    for mode, method in MODES.items():
        found = errors(outcomes(model, test.frames, method))
        row |= {f"{mode}_{name}": f"{value:.6g}" for name, value in found.items()}
    return row
