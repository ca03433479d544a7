r"""The fit of a variational model from labelled clusters: stages that follow each other, resumable.

    response         b and χ by damped Gauss–Newton on the self-consistent prediction, with a small
                     b: what χ is, responses and external charges say more than static multipoles
    permanent        b in its full size at that χ, by least squares: p* is linear in it
    joint            b and χ once more together, a few steps
    energy-rows      normal equations of g⁰, energies and forces at fixed v̂*
    energy           their solution

Every stage is a function of the training set, the settings, the seed and earlier stages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from scc.ace.density_design import DensityDesign, DensityForm
from scc.ace.energy_fit import EnergyDesign, EnergyRows, EnergyWeights
from scc.ace.fit import Arrays, InMemory, Progress, Stages, energy_of_rows
from scc.ace.predict import predict
from scc.ace.reference_frame import ReferenceFrame
from scc.ace.reference_set import ReferenceSet
from scc.ace.response_design import ResponseDesign
from scc.ace.specification import BasisSpecification
from scc.ace.training_cluster import Spread
from scc.ace.variational_energy import variational_energy_rows
from scc.ace.variational_fit import (
    RESPONSE_FIELD,
    DensityFit,
    VariationalCluster,
    fit_permanent,
    improve,
)
from scc.ace.variational_model import VariationalModel
from scc.arrays import FloatArray
from scc.errors import InputError


@dataclass(frozen=True)
class VariationalSettings:
    """Everything a fit depends on besides data and seed.

    Attributes
    ----------
    permanent: of b: basis without features, width σ, flows.
    starter: the small b while χ is found.
    response: basis of the amplitudes. channels: their numbers n_k for L = 0, 1, 2.
    energy: basis of g⁰, without features.
    ridge: of the prior on θ and c; a residual of 1 is the error aimed at.
    response_field: strengths that multiply responses dp/d𝓔, by λ.
    steps: of the first stage. joint_steps: of both together.
    energy_weights: of g⁰.
    """

    permanent: DensityForm
    starter: DensityForm
    response: BasisSpecification
    channels: tuple[int, int, int]
    energy: BasisSpecification
    ridge: float = 1.0
    response_field: tuple[float, float, float] = RESPONSE_FIELD
    steps: int = 15
    joint_steps: int = 0
    energy_weights: EnergyWeights = field(default_factory=lambda: EnergyWeights(ridge=100.0))

    def __post_init__(self) -> None:
        if self.starter.width != self.permanent.width:
            raise InputError("both densities of a variational fit must have the same width")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values: part of what a checkpoint or a model file says it was made from."""
        parts = ("permanent", "starter", "response", "energy", "energy_weights")
        plain = {name: getattr(self, name).as_dict() for name in parts}
        plain |= {name: list(getattr(self, name)) for name in ("channels", "response_field")}
        return asdict(self) | plain


def fit_variational(
    training: ReferenceSet,
    settings: VariationalSettings,
    seed: int = 0,
    stages: Stages | None = None,
    progress: Progress = lambda message: None,
    name: str = "variational",
) -> VariationalModel:
    """Fit b, χ and g⁰.

    Args:
        seed: of where the amplitudes start.
        stages: where finished stages are kept; not at all by default.
        progress: called with a line now and then.
    Raises:
        InputError: a set without one of the elements; widths that differ; a ridge too small.
    """
    stages = stages or InMemory()
    run = stages.run
    spread = Spread.of(training, settings.response.species)
    response = ResponseDesign(settings.response, dict(enumerate(settings.channels)))

    def bound(form: DensityForm) -> list[VariationalCluster]:
        design = DensityDesign(form)
        return [
            VariationalCluster(frame, design, response, spread, settings.response_field)
            for frame in training.frames
        ]

    row = run("response", lambda: _first(bound(settings.starter), settings, seed, progress))["c"]
    progress("density: at that response")
    design = DensityDesign(settings.permanent)
    clusters: list[VariationalCluster] = []

    def full() -> list[VariationalCluster]:
        if not clusters:
            clusters.extend(bound(settings.permanent))
        return clusters

    def permanent() -> Arrays:
        return {"theta": fit_permanent(full(), row, 1.0 + design.degree, settings.ridge)}

    theta = run("permanent", permanent)["theta"]
    if settings.joint_steps:
        found = run("joint", lambda: _together(full(), theta, row, settings, progress))
        theta, row = found["theta"], found["c"]
    energy = EnergyDesign(settings.energy)
    bare = VariationalModel(
        name, design.model(theta), response.model(row), energy.model(np.zeros(energy.n_columns), 0)
    )
    progress(f"energy: {energy.n_columns} coefficients, forces of {len(training)} clusters")
    # g⁰ on what electrostatics and response leave; the g⁰ = 0 of ``bare`` plays no part.
    rows = (_equilibrium_rows(energy, frame, bare) for frame in training.frames)
    _, fitted = energy_of_rows(energy, training.frames, rows, settings.energy_weights, stages)
    return VariationalModel(name, bare.permanent, bare.response, fitted)


def _equilibrium_rows(
    design: EnergyDesign, frame: ReferenceFrame, model: VariationalModel
) -> EnergyRows:
    external = () if frame.external is None else (frame.external,)
    features = predict(model, frame.configuration, external=external).features
    return variational_energy_rows(design, frame, model, features)


def _first(
    clusters: Sequence[VariationalCluster],
    settings: VariationalSettings,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    row = clusters[0].response.start(np.random.default_rng(seed))
    scale = _scale(DensityDesign(settings.starter), clusters[0].response)
    theta = fit_permanent(clusters, row, scale[: -len(row)], settings.ridge)
    found = improve(
        clusters, DensityFit(theta, row), scale, settings.ridge, settings.steps, progress=progress
    )
    return {"c": found.row}


def _together(
    clusters: Sequence[VariationalCluster],
    theta: FloatArray,
    row: FloatArray,
    settings: VariationalSettings,
    progress: Progress,
) -> dict[str, Any]:
    found = improve(
        clusters,
        DensityFit(theta, row),
        _scale(DensityDesign(settings.permanent), clusters[0].response),
        settings.ridge,
        settings.joint_steps,
        progress=progress,
    )
    return {"theta": found.theta, "c": found.row}


def _scale(design: DensityDesign, response: ResponseDesign) -> FloatArray:
    return np.asarray(1.0 + np.concatenate([design.degree, response.degree]))
