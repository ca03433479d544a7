"""Choosing by cross-validation: fits on all folds but one, judged on the clusters of that one.

``python -m scc.ace.selection TABLE TRAIN.xyz… [--folds K] [--only N]`` prints one of

    training    teacher-forced, with noise, refits, Gauss–Newton: what self-consistency costs
    features    (0,0), (1,0), (2,1), (3,2) for every order
    widths      of the density and of the features
    learning    parts of the training set
    weights     priors chosen and given, energies against forces

as a Markdown table of validation errors, means over the folds with their spread. The test set has
no part in it: whoever passes it as TRAIN has only themselves to blame.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scc.ace.density_fit import DensityWeights
from scc.ace.evaluation import errors, outcomes, self_consistent, teacher_forced
from scc.ace.features import FeatureSet
from scc.ace.fit import FitSettings, fit
from scc.ace.model import FittedModel
from scc.ace.predict import PredictiveModel
from scc.ace.reference_set import ReferenceSet, read_reference_set
from scc.ace.water_fit import water_settings

Errors = dict[str, float]
Variant = Callable[[ReferenceSet], tuple[ReferenceSet, FitSettings]]
"""Training frames of a fold → those used and the settings of the fit."""

COLUMNS = {
    "force": ("force_rmse_mev_per_angstrom", "{:.1f}"),
    "energy": ("energy_rmse_mev_per_molecule", "{:.2f}"),
    "q %": ("charge_rmse_percent", "{:.1f}"),
    "µ %": ("dipole_rmse_percent", "{:.2f}"),
    "θ %": ("quadrupole_rmse_percent", "{:.2f}"),
    "dipole": ("total_dipole_rmse_e_bohr", "{:.3f}"),
}


@dataclass(frozen=True, eq=False)
class Validation:
    """Errors on the left-out clusters, one entry a fold, and seconds of the fits."""

    self_consistent: list[Errors]
    teacher_forced: list[Errors]
    seconds: list[float]


def cross_validate(
    training: ReferenceSet, variant: Variant, folds: int = 4, only: int | None = None, seed: int = 0
) -> Validation:
    """:func:`validate` the fits of a variant.

    Raises InputError as :meth:`ReferenceSet.folds` and :func:`fit` do.
    """

    def train(frames: ReferenceSet) -> FittedModel:
        used, settings = variant(frames)
        fitted = fit(used, settings, seed)
        return FittedModel("validation", fitted.density, fitted.energy)

    return validate(training, train, folds, only, seed)


def validate(
    training: ReferenceSet,
    train: Callable[[ReferenceSet], PredictiveModel],
    folds: int = 4,
    only: int | None = None,
    seed: int = 0,
) -> Validation:
    """Train without each fold in turn (the first ``only`` of them) and judge on it."""
    found = Validation([], [], [])
    for fold in training.folds(folds, seed)[:only]:
        start = time.monotonic()
        model = train(training.without(fold))
        found.seconds.append(time.monotonic() - start)
        left_out = training.subset(fold).frames
        found.self_consistent.append(errors(outcomes(model, left_out, self_consistent)))
        found.teacher_forced.append(errors(outcomes(model, left_out, teacher_forced)))
    return found


def fit_and_judge(
    used: ReferenceSet, settings: FitSettings, judged: ReferenceSet, seed: int = 0
) -> tuple[float, dict[str, Errors]]:
    """Seconds of a fit, and its errors on other clusters, teacher-forced and self-consistent."""
    start = time.monotonic()
    fitted = fit(used, settings, seed)
    seconds = time.monotonic() - start
    model = FittedModel("judged", fitted.density, fitted.energy)
    modes = {"teacher_forced": teacher_forced, "self_consistent": self_consistent}
    return seconds, {
        name: errors(outcomes(model, judged.frames, mode)) for name, mode in modes.items()
    }


def header() -> str:
    """The two lines above the :func:`row` s of a table."""
    names = [*COLUMNS, "iterations", "unconverged", "s"]
    return "| | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 1) + "|"


def row(name: str, found: Validation) -> str:
    """A line of the table: self-consistent (teacher-forced), mean ± spread over folds."""
    cells = []
    for key, form in COLUMNS.values():
        own = np.array([one[key] for one in found.self_consistent])
        told = np.array([one[key] for one in found.teacher_forced])
        cell = form.format(np.mean(own))
        if len(own) > 1:
            cell += " ± " + form.format(np.std(own) / np.sqrt(len(own)))
        cells.append(f"{cell} ({form.format(np.mean(told))})")
    unconverged = sum(int(one["scf_unconverged"]) for one in found.self_consistent)
    iterations = max(int(one["scf_iterations_max"]) for one in found.self_consistent)
    cells += [f"{iterations}", f"{unconverged}", f"{np.mean(found.seconds):.0f}"]
    return f"| {name} | " + " | ".join(cells) + " |"


def _plain(settings: FitSettings) -> Variant:
    return lambda training: (training, settings)


def _training() -> Iterator[tuple[str, Variant]]:
    base = water_settings(3, 2, 2)
    # One prior for all: what is compared is training, not how well each chooses its prior.
    weights = replace(base.density_weights, priors=())
    for name, changed in {
        "teacher-forced": replace(weights, steps=0, noise=0.0, field=0.0),
        "teacher-forced, responses": replace(weights, steps=0, noise=0.0),
        "noise": replace(weights, steps=0, noise=0.3, field=0.0),
        "noise, responses": replace(weights, steps=0, noise=0.1),
        "refit": replace(weights, field=0.0),
        "refit, responses": weights,
        "Gauss–Newton": replace(weights, gauss_newton=True, field=0.0),
        "Gauss–Newton, responses": replace(weights, gauss_newton=True),
        "refit, responses, radius": replace(weights, radius=10.0),
        "refit, responses, symmetry": replace(weights, symmetry=1.0),
    }.items():
        yield name, _plain(replace(base, density_weights=changed))


def _features() -> Iterator[tuple[str, Variant]]:
    for order in (1, 2, 3):
        for n_max, l_max in ((0, 0), (1, 0), (2, 1), (3, 2)):
            yield f"ν = {order}, ({n_max},{l_max})", _plain(water_settings(n_max, l_max, order))


def _widths() -> Iterator[tuple[str, Variant]]:
    base = water_settings(3, 2, 2)
    for density in (0.8, 1.0, 1.2, 1.5):
        for widths in ((1.0, 1.8, 2.9), (1.0, 2.0, 4.0), (0.7, 1.4, 2.8), (1.5, 2.5, 4.0)):
            features = FeatureSet(widths, 2)
            specification = replace(base.density.specification, features=features)
            form = replace(base.density, width=density, specification=specification)
            energy = replace(base.energy, features=features)
            name = f"σ_ρ = {density}, σ_n = {widths}"
            yield name, _plain(replace(base, density=form, energy=energy))


def _learning() -> Iterator[tuple[str, Variant]]:
    settings = water_settings(3, 2, 2)

    def part(divisor: int) -> Variant:
        def choose(training: ReferenceSet) -> tuple[ReferenceSet, FitSettings]:
            return training.subset(training.folds(divisor, 1)[0]), settings

        return choose

    for divisor in (4, 2):
        yield f"1/{divisor}", part(divisor)
    yield "all", _plain(settings)


def _weights() -> Iterator[tuple[str, Variant]]:
    base = water_settings(3, 2, 2)
    yield "priors chosen in the fit", _plain(base)
    density = replace(base.density_weights, priors=())
    energy = replace(base.energy_weights, priors=())
    base = replace(base, density_weights=density, energy_weights=energy)
    for factor in (0.1, 1.0, 10.0):
        changed: DensityWeights = replace(density, ridge=factor * density.ridge)
        yield f"density ridge {changed.ridge:g}", _plain(replace(base, density_weights=changed))
    for factor in (0.1, 1.0, 10.0):
        ridge = replace(energy, ridge=factor * energy.ridge)
        yield f"energy ridge {ridge.ridge:g}", _plain(replace(base, energy_weights=ridge))
    for factor in (0.3, 1.0, 3.0):
        weight = replace(energy, energy=factor * energy.energy)
        yield f"energy weight {weight.energy:g}", _plain(replace(base, energy_weights=weight))


TABLES: dict[str, Callable[[], Iterator[tuple[str, Variant]]]] = {
    "training": _training,
    "features": _features,
    "widths": _widths,
    "learning": _learning,
    "weights": _weights,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, a line as soon as it is there."""
    parser = argparse.ArgumentParser(prog="python -m scc.ace.selection", description=__doc__)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("train", nargs="+")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--only", type=int)
    options = parser.parse_args(arguments)
    training = read_reference_set(options.train)
    print(header(), flush=True)
    for name, variant in TABLES[options.table]():
        print(row(name, cross_validate(training, variant, options.folds, options.only)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
