"""The fit of the energy: rows are what predictions do, an energy that is there is found again."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc.ace.density_design import DensityDesign
from scc.ace.density_fit import DensityWeights
from scc.ace.energy_fit import EnergyDesign, EnergyWeights, energy_rows
from scc.ace.fit import FitSettings, fit, fit_energy
from scc.ace.model import FittedModel
from scc.ace.normal_equations import NormalEquations
from scc.ace.predict import predict
from scc.ace.reference_set import ReferenceSet
from scc.ace.response_training import respond
from scc.ace.training_cluster import Spread, TrainingCluster
from scc.errors import InputError
from tests.strategies.water_training import Kept, small_energy, small_form, small_set

SEEDS = st.integers(0, 2**32 - 1)
SET = small_set(5)
DENSITY = DensityDesign(small_form())
ENERGY = EnergyDesign(small_energy())
SPREAD = Spread.of(SET, ("H", "O"))


def _clusters(frames: ReferenceSet = SET) -> list[TrainingCluster]:
    return [TrainingCluster(frame, DENSITY, SPREAD) for frame in frames.frames]


CLUSTERS = _clusters()


def _density(seed: int):
    return DENSITY.model(0.02 * np.random.default_rng(seed).normal(size=DENSITY.n_columns))


@given(SEEDS)
@settings(max_examples=15)
def test_rows_times_coefficients_are_predicted_energies_and_forces(seed: int) -> None:
    """dp*/dr with 3M right-hand sides against the adjoint of predictions: two ways to a force."""
    rng = np.random.default_rng(seed)
    cluster = CLUSTERS[seed % len(CLUSTERS)]
    density = _density(seed)
    coefficients = rng.normal(size=ENERGY.n_columns)
    model = FittedModel("test", density, ENERGY.model(coefficients, -1.5))
    frame = cluster.frame
    external = () if frame.external is None else (frame.external,)
    found = predict(model, frame.configuration, external=external, tolerance=1e-11)
    rows = energy_rows(ENERGY, cluster, respond(cluster, density))
    energy = rows.values @ coefficients - 1.5 * frame.n_molecules - (rows.energy - frame.energy)
    assert found.energy == pytest.approx(energy, rel=1e-9)
    forces = rows.forces @ coefficients - (rows.force - frame.forces.ravel())
    scale = np.abs(forces).max()
    assert np.allclose(found.forces.ravel(), forces, rtol=0.0, atol=1e-8 * scale)


@pytest.mark.parametrize("seed", range(2))
def test_an_energy_of_the_form_is_recovered(seed: int) -> None:
    density = _density(seed)
    truth = ENERGY.model(0.1 * np.random.default_rng(seed).normal(size=ENERGY.n_columns), -3.0)
    made = []
    for frame in SET.frames:
        external = () if frame.external is None else (frame.external,)
        found = predict(
            FittedModel("truth", density, truth), frame.configuration, external=external
        )
        made.append(replace(frame, energy=found.energy, forces=found.forces))
    clusters = _clusters(ReferenceSet(tuple(made)))
    _, energy = fit_energy(ENERGY, clusters, density, EnergyWeights(ridge=1e-7))
    for frame in made:
        external = () if frame.external is None else (frame.external,)
        found = predict(
            FittedModel("fitted", density, energy), frame.configuration, external=external
        )
        assert abs(found.energy - frame.energy) < 1e-5
        assert np.max(np.abs(found.forces - frame.forces)) < 1e-5


def test_heavier_energies_are_fitted_better_and_forces_worse() -> None:
    density = _density(0)
    errors = []
    for weight in (1e-2, 1e-5):
        coefficients, _ = fit_energy(
            ENERGY, CLUSTERS, density, EnergyWeights(energy=weight, ridge=1e-4)
        )
        energy = force = 0.0
        for cluster in CLUSTERS:
            rows = energy_rows(ENERGY, cluster, respond(cluster, density))
            constant = sum(c.frame.energy for c in CLUSTERS) / sum(
                c.frame.n_molecules for c in CLUSTERS
            )
            off = rows.values @ coefficients + constant * rows.n_molecules - rows.energy
            energy += (off / rows.n_molecules) ** 2
            force += float(np.sum((rows.forces @ coefficients - rows.force) ** 2))
        errors.append((energy, force))
    assert errors[1][0] < errors[0][0]
    assert errors[1][1] > errors[0][1]


PRIORS = ((0.1, 1.0), (1.0, 2.0), (10.0, 1.0))


@pytest.mark.parametrize("priors", [(), PRIORS])
@pytest.mark.parametrize("stop", ["density-0", "density-1", "energy-rows", "energy"])
def test_a_fit_killed_at_any_stage_and_resumed_is_bit_identical(stop: str, priors) -> None:
    settings_ = FitSettings(
        small_form(),
        small_energy(),
        DensityWeights(steps=1, priors=priors, folds=2),
        EnergyWeights(ridge=1e-2, priors=priors, folds=2),
    )
    whole = fit(SET, settings_, seed=3)
    stages = Kept(stop)
    with pytest.raises(KeyboardInterrupt):
        fit(SET, settings_, seed=3, stages=stages)
    stages.stop = ""
    resumed = fit(SET, settings_, seed=3, stages=stages)
    assert np.array_equal(resumed.theta, whole.theta)
    assert np.array_equal(resumed.coefficients, whole.coefficients)
    assert np.array_equal(resumed.energy.constants, whole.energy.constants)


def test_one_prior_to_choose_from_is_that_prior() -> None:
    """Folds are dealt and added up again: no row is lost, none counted twice."""
    fitted = [
        fit(
            SET,
            FitSettings(
                small_form(),
                small_energy(),
                DensityWeights(0.3, 2.0, steps=1, priors=priors),
                EnergyWeights(0.3, 2.0, priors=priors),
            ),
        )
        for priors in ((), ((0.3, 2.0),))
    ]
    # Sums in another order, times the condition number; a row lost or doubled is 1e-2 and more.
    for one, other in (
        (fitted[0].theta, fitted[1].theta),
        (fitted[0].coefficients, fitted[1].coefficients),
    ):
        assert np.allclose(one, other, rtol=0.0, atol=1e-6 * np.max(np.abs(one)))


def test_settings_are_plain_values_and_checked() -> None:
    import json

    from scc.ace.features import FeatureSet

    settings_ = FitSettings(
        small_form(), small_energy(), DensityWeights(priors=PRIORS), EnergyWeights(priors=PRIORS)
    )
    assert json.loads(json.dumps(settings_.as_dict())) == settings_.as_dict()
    with pytest.raises(InputError, match="same features"):
        FitSettings(small_form(), small_energy(FeatureSet()))


@given(SEEDS)
def test_normal_equations_solve_the_penalised_problem(seed: int) -> None:
    """Against an orthogonal factorisation of the stacked rows."""
    rng = np.random.default_rng(seed)
    rows, targets = rng.normal(size=(30, 8)), rng.normal(size=30)
    weights, scale, ridge = rng.uniform(0.1, 2.0, 30), rng.uniform(0.5, 2.0, 8), 0.3
    equations = NormalEquations(8)
    equations.add(rows[:10], targets[:10], weights[:10])
    other = NormalEquations(8)
    other.add(rows[10:], targets[10:], weights[10:])
    equations.accumulate(other)
    stacked = np.concatenate([np.sqrt(weights)[:, None] * rows, np.sqrt(ridge) * np.diag(scale)])
    wanted = np.concatenate([np.sqrt(weights) * targets, np.zeros(8)])
    expected = np.linalg.lstsq(stacked, wanted, rcond=None)[0]
    solution = equations.solve(ridge, scale)
    assert np.allclose(solution, expected, rtol=0.0, atol=1e-11)
    assert equations.loss(solution) == pytest.approx(weights @ (rows @ solution - targets) ** 2)
    kept = NormalEquations.from_arrays(equations.arrays())
    assert np.array_equal(kept.solve(ridge, scale), solution)


@pytest.mark.parametrize("ridge", [0.0, -1.0, float("nan")])
def test_a_ridge_that_is_not_positive_is_refused(ridge: float) -> None:
    with pytest.raises(InputError, match="ridge must be positive"):
        NormalEquations(3).solve(ridge, np.ones(3))


def test_a_ridge_below_rounding_is_refused() -> None:
    equations = NormalEquations(2)
    equations.add(np.array([[1e8, 1e8], [1e8, 1e8]]), np.zeros(2))
    with pytest.raises(InputError, match="below the rounding"):
        equations.solve(1e-12, np.ones(2))
