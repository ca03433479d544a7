r"""The fit of a model from labelled clusters: stages that follow each other, resumable.

    density-0      teacher-forced with noise on the input (:mod:`.density_fit`)
    density-k      step k on the self-consistent prediction: a refit, or Gauss–Newton
    energy-rows    normal equations of energies and forces (:mod:`.energy_fit`)
    energy         their solution

Every stage is a function of the training set, the settings, the seed and earlier stages, and its
arrays are kept as they are: a fit killed and resumed ends with the same bits as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from scc.ace.block_equations import BlockEquations, solve_chosen
from scc.ace.density_design import DensityDesign, DensityForm
from scc.ace.density_fit import (
    DensityWeights,
    mixed_equations,
    noise_equations,
    refit_equations,
    self_consistent_loss,
    teacher_forced_equations,
)
from scc.ace.density_model import DensityModel
from scc.ace.energy_fit import (
    EnergyDesign,
    EnergyRows,
    EnergyWeights,
    add_rows,
    energy_rows,
    mean_energy,
    solve_energy,
)
from scc.ace.energy_model import EnergyModel
from scc.ace.normal_equations import NormalEquations
from scc.ace.prior_choice import described, fold_labels
from scc.ace.reference_frame import ReferenceFrame
from scc.ace.reference_set import ReferenceSet
from scc.ace.response_training import respond
from scc.ace.specification import BasisSpecification
from scc.ace.training_cluster import Spread, TrainingCluster
from scc.arrays import FloatArray
from scc.errors import InputError

HALVINGS = 6
"""Steps shorter than 2⁻⁵ of a Gauss–Newton step mean that it has converged."""

Progress = Callable[[str], None]
Arrays = Mapping[str, FloatArray]


class Stages(Protocol):
    """Where finished stages are kept; :class:`scc.ace.checkpoint.Checkpoint` is one."""

    def run(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """The arrays of a stage, computed if they are not there yet."""
        ...


class InMemory:
    """Stages that are not kept."""

    def run(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        return compute()


@dataclass(frozen=True)
class FitSettings:
    """Everything a fit depends on besides data and seed.

    Attributes
    ----------
    density: basis, width and flows of the density.
    energy: basis of the energy: output 0, features of the density's.
    density_weights, energy_weights: see there.
    """

    density: DensityForm
    energy: BasisSpecification
    density_weights: DensityWeights = field(default_factory=DensityWeights)
    energy_weights: EnergyWeights = field(default_factory=EnergyWeights)

    def __post_init__(self) -> None:
        if self.energy.features != self.density.specification.features:
            raise InputError("density and energy must have the same features")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values: part of what a checkpoint or a model file says it was made from."""
        return {
            "density": self.density.as_dict(),
            "energy": self.energy.as_dict(),
            "density_weights": self.density_weights.as_dict(),
            "energy_weights": self.energy_weights.as_dict(),
        }


@dataclass(frozen=True, eq=False)
class Fitted:
    """The two parts of a model, with the vectors they were made from."""

    density: DensityModel
    energy: EnergyModel
    theta: FloatArray
    coefficients: FloatArray


def fit(
    training: ReferenceSet,
    settings: FitSettings,
    seed: int = 0,
    stages: Stages | None = None,
    progress: Progress = lambda message: None,
) -> Fitted:
    """Fit density and energy.

    Args:
        seed: of the noise.
        stages: where finished stages are kept; not at all by default.
        progress: called with a line before each stage.
    Raises:
        InputError: a set without one of the elements; a ridge too small.
    """
    stages = stages or InMemory()
    design = DensityDesign(settings.density)
    spread = Spread.of(training, settings.density.specification.species)
    clusters = [TrainingCluster(frame, design, spread) for frame in training.frames]
    theta = fit_density(design, clusters, settings.density_weights, seed, stages, progress)
    density = design.model(theta)
    coefficients, energy = fit_energy(
        EnergyDesign(settings.energy), clusters, density, settings.energy_weights, stages, progress
    )
    return Fitted(density, energy, theta, coefficients)


def fit_density(
    design: DensityDesign,
    clusters: Sequence[TrainingCluster],
    weights: DensityWeights,
    seed: int = 0,
    stages: Stages | None = None,
    progress: Progress = lambda message: None,
) -> FloatArray:
    """θ of the density: teacher-forced, then steps at its own solution (refits or Gauss–Newton)."""
    stages = stages or InMemory()
    scale = weights.scale(design)
    frames = [cluster.frame for cluster in clusters]
    labels = fold_labels(frames, weights.folds if weights.priors else 1)
    folds = [np.flatnonzero(labels == fold).tolist() for fold in range(int(labels.max()) + 1)]
    dealt = [[clusters[number] for number in fold] for fold in folds]
    unit_noise: list[BlockEquations] = []

    def penalties(noise: float) -> list[BlockEquations]:
        if noise == 0.0:
            return []
        if not unit_noise:
            for part, fold in zip(dealt, folds, strict=True):
                unit_noise.append(noise_equations(design, part, seed, fold))
        return [penalty.scaled(noise**2) for penalty in unit_noise]

    def solved(parts: Sequence[BlockEquations], noise: float) -> Arrays:
        if not weights.priors or len(parts) == 1:
            return {
                "theta": BlockEquations.total([*parts, *penalties(noise)]).solve(
                    weights.ridge, scale
                )
            }
        scales = {prior: weights.scale(design, prior) for prior in weights.priors}
        theta, priors = solve_chosen(parts, scales, penalties(noise))
        progress("density: ridge, γ of each block " + ", ".join(map(described, priors)))
        return {"theta": theta}

    def first() -> Arrays:
        parts = [teacher_forced_equations(design, part, weights) for part in dealt]
        return solved(parts, weights.noise)

    def next_step(start: FloatArray) -> Arrays:
        if not weights.mixes:
            parts = [refit_equations(design, part, start, weights) for part in dealt]
            return solved(parts, weights.damping)
        equations = mixed_equations(design, clusters, start, weights, seed)
        held = penalties(weights.damping)
        for penalty in held:
            equations.accumulate(penalty.joined())
        end = equations.solve(weights.ridge, scale)
        if not weights.gauss_newton:
            return {"theta": end}

        def objective(theta: FloatArray) -> float:
            noise = sum(penalty.loss(theta) for penalty in held)
            prior = weights.ridge * float(np.sum((scale * theta) ** 2))
            return self_consistent_loss(design, clusters, theta, weights) + noise + prior

        return {"theta": lowered(objective, start, end)}

    progress(f"density: {design.n_columns} coefficients, teacher-forced")
    theta = stages.run("density-0", first)["theta"]
    # Without features p does not depend on v̂, and teacher-forced is self-consistent.
    steps = weights.steps if design.form.specification.features.n_features else 0
    for step in range(1, steps + 1):
        progress(f"density: self-consistent, step {step} of {steps}")
        theta = stages.run(f"density-{step}", lambda start=theta: next_step(start))["theta"]  # type: ignore[misc]
    return theta


def lowered(
    objective: Callable[[FloatArray], float], start: FloatArray, end: FloatArray
) -> FloatArray:
    """The first of end, the point half way to it, … where the objective is below that of start."""
    before = objective(start)
    for halvings in range(HALVINGS):
        candidate = start + 0.5**halvings * (end - start)
        if objective(candidate) < before:
            return candidate
    return start


def fit_energy(
    design: EnergyDesign,
    clusters: Sequence[TrainingCluster],
    density: DensityModel,
    weights: EnergyWeights,
    stages: Stages | None = None,
    progress: Progress = lambda message: None,
) -> tuple[FloatArray, EnergyModel]:
    """Coefficients of the energy on the density's own solution, and the energy."""
    progress(f"energy: {design.n_columns} coefficients, forces of {len(clusters)} clusters")
    frames = [cluster.frame for cluster in clusters]
    rows = (energy_rows(design, c, respond(c, density)) for c in clusters)
    return energy_of_rows(design, frames, rows, weights, stages, progress)


def energy_of_rows(
    design: EnergyDesign,
    frames: Sequence[ReferenceFrame],
    rows: Iterable[EnergyRows],
    weights: EnergyWeights,
    stages: Stages | None = None,
    progress: Progress = lambda message: None,
) -> tuple[FloatArray, EnergyModel]:
    """Coefficients (n_columns,) and the energy: the stages ``energy-rows`` and ``energy``.

    Args:
        rows: of each frame, taken one by one unless their stage is kept.
    """
    stages = stages or InMemory()
    constant = mean_energy(frames)
    labels = fold_labels(frames, weights.folds if weights.priors else 1).tolist()

    def summed() -> Arrays:
        parts: dict[int, NormalEquations] = {}
        for row, label in zip(rows, labels, strict=True):
            part = parts.setdefault(label, NormalEquations(design.n_columns))
            add_rows(part, row, constant, weights)
        return {
            f"{label}-{key}": value
            for label, part in sorted(parts.items())
            for key, value in part.arrays().items()
        }

    def solved() -> Arrays:
        names = ("matrix", "vector", "square")
        parts = [
            NormalEquations.from_arrays({name: kept[f"{label}-{name}"] for name in names})
            for label in range(len(kept) // len(names))
        ]
        coefficients, prior = solve_energy(design, parts, weights)
        progress("energy: ridge, γ " + described(prior))
        return {"coefficients": coefficients}

    kept = stages.run("energy-rows", summed)
    coefficients = stages.run("energy", solved)["coefficients"]
    return coefficients, design.model(coefficients, constant)
