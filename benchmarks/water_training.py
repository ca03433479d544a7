"""Ways to train the density of the water model, side by side: same folds, same columns.

    python benchmarks/water_training.py [--folds 0 1 …] [--only NAME …]

Every way is fitted to the clusters of data/water/train_first.xyz without one of four folds of
trajectories and judged on that fold, self-consistently from zero field (a row says what was made
from which data with which settings). Rows are kept in water_training.csv as soon as they are there,
and none is computed twice; the table is printed at the end, as Markdown, means over folds.

Besides the errors of `scc evaluate`: *radius* and *real* are the largest |µ| and the smallest
Re(1 − µ) of the eigenvalues µ of χK over the judged clusters; *α* is the error of polarisability
tensors where there are labels, *skew* the antisymmetric part of the model's own, both relative to
the size of the labelled tensors, in percent.
"""

import argparse
import csv
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from scc.ace.evaluation import errors, outcomes, self_consistent
from scc.ace.fit import FitSettings, fit
from scc.ace.model import FittedModel
from scc.ace.predict import PredictiveModel, predict
from scc.ace.reference_frame import ReferenceFrame
from scc.ace.reference_set import ReferenceSet, read_reference_set
from scc.ace.selection import COLUMNS
from scc.ace.variational_training import fit_variational
from scc.ace.variational_water import water_variational_settings
from scc.ace.water_fit import water_settings
from scc.configuration.files import written_atomically
from scc.electrostatics.multipoles.moments import total_dipole

FOLDER = Path(__file__).resolve().parent
DATA = FOLDER.parent / "data" / "water" / "train_first.xyz"
ROWS = FOLDER / "water_training.csv"
FOLDS, SEED = 4, 0
ERRORS = {
    **{name: (title, form) for title, (name, form) in COLUMNS.items()},
    "scf_iterations_max": ("iter.", "{:.0f}"),
    "scf_unconverged": ("unconv.", "{:.0f}"),
    "radius": ("radius", "{:.2f}"),
    "real": ("real", "{:.2f}"),
    "alpha": ("α %", "{:.1f}"),
    "skew": ("skew %", "{:.1f}"),
    "seconds": ("s", "{:.0f}"),
}
KEY = ("data", "settings", "name", "fold")
Train = Callable[[ReferenceSet], PredictiveModel]


def ways() -> dict[str, tuple[str, Train]]:
    """Name → (settings as text, fit)."""
    base = water_settings(3, 2, 2)
    # One prior for all: what is compared is training, not how well each chooses its prior.
    weights = replace(base.density_weights, priors=())
    found = {
        name: _direct(replace(base, density_weights=replace(weights, **changed)))
        for name, changed in {
            "teacher-forced": {"steps": 0, "noise": 0.0},
            "noise 0.1": {"steps": 0, "noise": 0.1},
            "noise 0.3": {"steps": 0, "noise": 0.3},
            "refit": {},
            "Gauss–Newton": {"gauss_newton": True},
            "refit, radius 3": {"radius": 3.0},
            "refit, radius 30": {"radius": 30.0},
            "refit, symmetry 1": {"symmetry": 1.0},
            "refit, symmetry 10": {"symmetry": 10.0},
        }.items()
    }
    settings = water_variational_settings()
    found["variational"] = (
        json.dumps(settings.as_dict(), sort_keys=True),
        lambda used: fit_variational(used, settings, SEED),
    )
    return found


def _direct(settings: FitSettings) -> tuple[str, Train]:
    def train(used: ReferenceSet) -> FittedModel:
        fitted = fit(used, settings, SEED)
        return FittedModel("compared", fitted.density, fitted.energy)

    return json.dumps(settings.as_dict(), sort_keys=True), train


def judged(train: Train, training: ReferenceSet, fold: int) -> dict[str, float]:
    """All columns of one way on one fold."""
    left_out = training.folds(FOLDS, SEED)[fold]
    start = time.process_time()
    model = train(training.without(left_out))
    seconds = time.process_time() - start
    frames = training.subset(left_out).frames
    found: dict[str, float] = dict(errors(outcomes(model, frames, self_consistent)))
    spectra = [_spectrum(model, frame) for frame in frames]
    found["radius"] = max(radius for radius, _ in spectra)
    found["real"] = min(real for _, real in spectra)
    found["alpha"], found["skew"] = polarisability_errors(model, frames)
    return found | {"seconds": seconds}


def _spectrum(model: PredictiveModel, frame: ReferenceFrame) -> tuple[float, float]:
    external = () if frame.external is None else (frame.external,)
    spectrum = predict(model, frame.configuration, external=external).equilibrium.spectrum
    return spectrum.radius, spectrum.smallest_real


def polarisability_errors(
    model: PredictiveModel, frames: tuple[ReferenceFrame, ...]
) -> tuple[float, float]:
    """Error and antisymmetric part of α over frames with labels, percent of the labels' size."""
    error = skew = size = 0.0
    for frame in frames:
        if frame.polarisation is None:
            continue
        positions = frame.configuration.positions
        columns = [-total_dipole(positions, frame.polarisation[:, :, axis]) for axis in range(3)]
        reference = np.stack(columns, axis=1)
        own = predict(model, frame.configuration).polarisability()
        error += float(np.sum((own - reference) ** 2))
        skew += float(np.sum((0.5 * (own - own.T)) ** 2))
        size += float(np.sum(reference**2))
    if size == 0.0:
        return np.nan, np.nan
    return 100.0 * float(np.sqrt(error / size)), 100.0 * float(np.sqrt(skew / size))


def read_rows() -> list[dict[str, str]]:
    """What is there."""
    if not ROWS.is_file():
        return []
    with ROWS.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def write_rows(rows: list[dict[str, str]]) -> None:
    """The whole file or nothing."""
    with written_atomically(ROWS) as temporary, temporary.open("w", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [*KEY, *ERRORS], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def digest(text: bytes) -> str:
    """16 hexadecimal digits."""
    return hashlib.sha256(text).hexdigest()[:16]


def table(rows: list[dict[str, str]]) -> str:
    """Markdown: a line a way, means over its folds (worst for iterations, radius and real)."""
    lines = ["| | folds | " + " | ".join(name for name, _ in ERRORS.values()) + " |"]
    lines.append("|---" * (len(ERRORS) + 2) + "|")
    gather = {"scf_iterations_max": np.max, "scf_unconverged": np.sum}
    gather |= {"radius": np.max, "real": np.min}
    for name in dict.fromkeys(row["name"] for row in rows):
        own = [row for row in rows if row["name"] == name]
        cells = [
            form.format(gather.get(key, np.nanmean)([float(row[key]) for row in own]))
            for key, (_, form) in ERRORS.items()
        ]
        lines.append(f"| {name} | {len(own)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Compute what is missing, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folds", type=int, nargs="+", default=[0], choices=range(FOLDS))
    parser.add_argument("--only", nargs="+", choices=ways())
    options = parser.parse_args()
    data = digest(DATA.read_bytes())
    training = read_reference_set(DATA)
    keys = {}
    for fold in options.folds:
        for name, (settings, train) in ways().items():
            key = dict(zip(KEY, (data, digest(settings.encode()), name, str(fold)), strict=True))
            keys[tuple(key.values())] = key
            known = {tuple(row[part] for part in KEY) for row in read_rows()}
            if tuple(key.values()) in known or (options.only and name not in options.only):
                continue
            found = judged(train, training, fold)
            row = key | {column: f"{found[column]:.6g}" for column in ERRORS}
            write_rows([*read_rows(), row])
            print(table([row]).splitlines()[-1], flush=True)
    rows = {tuple(row[part] for part in KEY): row for row in read_rows()}
    print(table([rows[key] for key in keys if key in rows]))


if __name__ == "__main__":
    main()
