"""The fit of the density: rows are derivatives, a density that is there is found again."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc.ace.density_design import DensityDesign
from scc.ace.density_fit import (
    DensityWeights,
    noise_equations,
    refit_equations,
    self_consistent_rows,
    teacher_forced_equations,
    teacher_forced_rows,
)
from scc.ace.features import FeatureSet
from scc.ace.fit import fit_density
from scc.ace.model import FittedModel
from scc.ace.predict import predict
from scc.ace.reference_set import ReferenceSet
from scc.ace.response_training import respond
from scc.ace.training_cluster import AIMS, Spread, TrainingCluster
from tests.strategies.water_training import (
    Kept,
    small_energy,
    small_form,
    small_set,
    with_responses,
)

SEEDS = st.integers(0, 2**32 - 1)
DESIGN = DensityDesign(small_form())
SET = small_set()
SPREAD = Spread.of(SET, ("H", "O"))


def _clusters(frames: ReferenceSet = SET, design: DensityDesign = DESIGN) -> list[TrainingCluster]:
    return [TrainingCluster(frame, design, SPREAD) for frame in frames.frames]


CLUSTERS = _clusters()


def _theta(seed: int, size: float = 0.02) -> np.ndarray:
    return size * np.random.default_rng(seed).normal(size=DESIGN.n_columns)


@given(SEEDS)
def test_design_times_coefficients_is_the_model(seed: int) -> None:
    """D(r, v̂)θ and DensityModel(θ) are two codes for one thing."""
    rng = np.random.default_rng(seed)
    cluster = CLUSTERS[seed % len(CLUSTERS)]
    theta = _theta(seed)
    features = rng.normal(size=cluster.operator.external.shape)
    state = DESIGN.model(theta).prepare(cluster.frame.configuration).evaluate(features)
    expected = cluster.bound.rows(features) @ theta
    assert np.allclose(state.multipoles.ravel(), expected, rtol=0.0, atol=1e-12)


@given(SEEDS)
def test_blocks_have_everything_that_is_not_zero(seed: int) -> None:
    cluster = CLUSTERS[seed % len(CLUSTERS)]
    features = np.random.default_rng(seed).normal(size=cluster.operator.external.shape)
    rows = cluster.bound.rows(features)
    for own, columns in cluster.bound.blocks():
        rows[own, columns] = 0.0
    assert not np.any(rows)


@given(SEEDS)
def test_charges_add_up_to_zero_for_every_column(seed: int) -> None:
    cluster = CLUSTERS[seed % len(CLUSTERS)]
    features = np.random.default_rng(seed).normal(size=cluster.operator.external.shape)
    charges = cluster.bound.rows(features)[::9]
    assert np.allclose(charges.sum(axis=0), 0.0, atol=1e-12 * np.abs(charges).max())


@given(SEEDS)
@settings(max_examples=10)
def test_the_direct_solution_is_the_iterated_one(seed: int) -> None:
    """(1 − χK)⁻¹ by factorisation against the solver that predictions use."""
    cluster = CLUSTERS[seed % len(CLUSTERS)]
    density = DESIGN.model(_theta(seed))
    specification = small_energy()
    energy = _zero_energy(specification)
    external = () if cluster.frame.external is None else (cluster.frame.external,)
    found = predict(
        FittedModel("test", density, energy), cluster.frame.configuration, external=external
    )
    assert found.converged
    direct = respond(cluster, density)
    # Solved to 1e-9 in ρ_out − ρ_in.
    size = 1e-8 * np.linalg.norm(np.linalg.inv(direct.screening), 2)
    assert np.allclose(found.multipoles, direct.multipoles, rtol=0.0, atol=size)


def _zero_energy(specification):
    from scc.ace.energy_fit import EnergyDesign

    design = EnergyDesign(specification)
    return design.model(np.zeros(design.n_columns), 0.0)


@given(SEEDS)
@settings(max_examples=10)
def test_gauss_newton_rows_are_derivatives_of_the_solution(seed: int) -> None:
    """X dθ = p*(θ + dθ) − p*(θ) + O(dθ²), by differences at two steps; responses too."""
    frames = with_responses(SET, seed)
    cluster = _clusters(frames)[seed % len(SET)]
    theta, change = _theta(seed), _theta(seed + 1, 1.0)
    weights = DensityWeights(field=0.5, gauss_newton=True)

    def solution(coefficients: np.ndarray) -> np.ndarray:
        response = respond(cluster, DESIGN.model(coefficients))
        fields = [
            np.linalg.solve(response.screening, response.chi @ np.ravel(field))
            for field in cluster.field_features
        ]
        return np.concatenate([response.multipoles.ravel(), *fields])

    response = respond(cluster, DESIGN.model(theta))
    rows, targets, _ = self_consistent_rows(cluster, response, theta, weights)
    step = 1e-6
    numeric = (solution(theta + step * change) - solution(theta - step * change)) / (2.0 * step)
    scale = np.abs(numeric).max()
    # Central differences: 1e-12 × third derivative, and 1e-16 / 1e-6 of rounding.
    assert np.allclose(rows @ change, numeric, rtol=0.0, atol=1e-6 * scale)
    reference = np.concatenate(
        [
            cluster.frame.multipoles.ravel(),
            *np.moveaxis(cluster.frame.polarisation, 2, 0).reshape(3, -1),
        ]
    )
    assert np.allclose(targets - rows @ theta, reference - solution(theta), atol=1e-9 * scale)


@given(SEEDS)
@settings(max_examples=10)
def test_a_field_of_the_wrong_sign_or_axis_is_put_on_a_cluster(seed: int) -> None:
    """An electron feels +𝓔·x of a field that pushes positive charges along 𝓔."""
    cluster = CLUSTERS[seed % (len(CLUSTERS) - 1)]
    response = respond(cluster, DESIGN.model(_theta(seed)))
    features = DESIGN.form.specification.features
    positions = cluster.frame.configuration.positions
    for axis, component in enumerate((3, 1, 2)):
        shape = (len(positions), len(features.widths), features.n_components)
        bare = cluster.field_features[axis].reshape(shape)
        expected = np.zeros(shape)
        expected[:, :, 0] = positions[:, axis, None]
        expected[:, :, component] = 1.0
        assert np.array_equal(bare, expected)
    assert response.chi.shape == (cluster.matrix.shape[1], cluster.matrix.shape[0])


@pytest.mark.parametrize("seed", range(3))
def test_a_density_of_the_form_is_recovered(seed: int) -> None:
    """Labels made by a model of the form: both fits give its multipoles and responses back."""
    truth = DESIGN.model(_theta(seed))
    made = []
    for cluster in CLUSTERS:
        response = respond(cluster, truth)
        fields = [
            np.linalg.solve(response.screening, response.chi @ np.ravel(field))
            for field in cluster.field_features
        ]
        made.append(
            replace(
                cluster.frame,
                multipoles=response.multipoles,
                polarisation=np.stack(fields, axis=1).reshape(-1, 9, 3),
            )
        )
    clusters = _clusters(ReferenceSet(tuple(made)))
    for steps, gauss_newton in ((0, False), (2, False), (2, True)):
        weights = DensityWeights(
            1e-6,
            1.0,
            1.0,
            noise=0.0,
            damping=0.0,
            field=0.03,
            steps=steps,
            gauss_newton=gauss_newton,
        )
        theta = fit_density(DESIGN, clusters, weights)
        for cluster in clusters:
            found = respond(cluster, DESIGN.model(theta)).multipoles
            assert np.max(np.abs(found - cluster.frame.multipoles)) < 1e-5


def test_gauss_newton_beats_teacher_forcing_where_it_is_judged() -> None:
    """Self-consistent residuals on the training set itself fall, with the same prior."""
    losses = []
    for steps in (0, 1, 3):
        weights = DensityWeights(
            1e-4, 1.0, 1.0, noise=0.0, damping=0.0, field=0.0, steps=steps, gauss_newton=True
        )
        density = DESIGN.model(fit_density(DESIGN, CLUSTERS, weights))
        losses.append(
            sum(
                float(
                    cluster.weights
                    @ np.ravel(respond(cluster, density).multipoles - cluster.frame.multipoles) ** 2
                )
                for cluster in CLUSTERS
            )
        )
    assert losses[1] < losses[0]
    assert losses[2] < losses[1]


def _spectral_radius(response) -> float:
    """Largest modulus of the eigenvalues of χK."""
    product = np.eye(len(response.screening)) - response.screening
    return float(np.max(np.abs(np.linalg.eigvals(product))))


def test_noise_shrinks_the_response() -> None:
    radii = []
    for noise in (0.0, 0.3, 3.0):
        weights = DensityWeights(ridge=1e-4, noise=noise, field=0.0, steps=0)
        density = DESIGN.model(fit_density(DESIGN, CLUSTERS, weights))
        radii.append(max(_spectral_radius(respond(c, density)) for c in CLUSTERS))
    assert radii[0] > radii[1] > radii[2]


def test_noise_penalty_is_the_expectation_over_noise() -> None:
    """|∂D(Kξ)θ|² averaged over draws of the penalty, against targets averaged over noisy inputs."""
    theta = _theta(0)
    cluster = CLUSTERS[0]
    rng = np.random.default_rng(1)
    features = cluster.features(cluster.frame.multipoles)
    clean = cluster.bound.rows(features) @ theta
    draws = np.stack([cluster.noise(rng) for _ in range(400)])
    moved = np.stack(
        [cluster.bound.rows(features + cluster.tangent_features(d)) @ theta for d in draws[:200]]
    )
    found = np.mean((moved - clean) ** 2 @ cluster.weights)
    penalties = [noise_equations(DESIGN, [cluster], seed).loss(theta) for seed in range(200)]
    spread = np.std(penalties) / np.sqrt(200) + np.std((moved - clean) ** 2 @ cluster.weights) / (
        np.sqrt(200)
    )
    assert abs(found - np.mean(penalties)) < 5.0 * spread
    assert np.allclose(draws[:, :, 0].sum(axis=1), 0.0, atol=1e-12)


def test_responses_weigh_with_the_square_of_the_field() -> None:
    """Residuals are multiplied by the field, so their squares by its square, in every step."""
    frames = with_responses(SET, 3)
    theta = _theta(3)
    for cluster in _clusters(frames)[:2]:
        response = respond(cluster, DESIGN.model(theta))
        for gauss_newton in (False, True):
            weights = DensityWeights(field=0.2, gauss_newton=gauss_newton)
            for _, _, found in (
                teacher_forced_rows(cluster, weights),
                self_consistent_rows(cluster, response, theta, weights),
            ):
                expected = np.outer([1.0, 0.04, 0.04, 0.04], cluster.weights)
                assert np.allclose(found, expected.ravel(), rtol=1e-14)


def test_penalty_of_noise_goes_with_its_square() -> None:
    """First stage: teacher-forced rows, δ² times the penalty of unit noise, and the prior."""
    weights = DensityWeights(noise=0.3, steps=0)
    equations = teacher_forced_equations(DESIGN, CLUSTERS, weights).joined()
    penalty = noise_equations(DESIGN, CLUSTERS, seed=5).joined()
    prior = weights.ridge * np.diag(weights.scale(DESIGN) ** 2)
    theta = fit_density(DESIGN, CLUSTERS, weights, seed=5)
    slope = (equations.matrix + 0.09 * penalty.matrix + prior) @ theta - equations.vector
    assert np.linalg.norm(slope) < 1e-8 * np.linalg.norm(equations.vector)


def test_penalty_of_damping_goes_with_its_square() -> None:
    """The same of a refit, from the solution before it."""
    weights = DensityWeights(noise=0.1, damping=0.3, steps=1)
    stages = Kept()
    theta = fit_density(DESIGN, CLUSTERS, weights, seed=5, stages=stages)
    start = stages.arrays["density-0"]["theta"]
    equations = refit_equations(DESIGN, CLUSTERS, start, weights).joined()
    penalty = noise_equations(DESIGN, CLUSTERS, seed=5).joined()
    prior = weights.ridge * np.diag(weights.scale(DESIGN) ** 2)
    slope = (equations.matrix + 0.09 * penalty.matrix + prior) @ theta - equations.vector
    assert np.linalg.norm(slope) < 1e-8 * np.linalg.norm(equations.vector)


def test_equations_of_blocks_are_those_of_all_rows() -> None:
    weights = DensityWeights()
    equations = teacher_forced_equations(DESIGN, CLUSTERS, weights).joined()
    rows, targets, weight = (
        np.concatenate(part)
        for part in zip(*[teacher_forced_rows(c, weights) for c in CLUSTERS], strict=True)
    )
    expected = rows.T @ (weight[:, None] * rows)
    assert np.allclose(equations.matrix, expected, rtol=0.0, atol=1e-12 * np.abs(expected).max())
    theta = _theta(5)
    loss = float(weight @ (rows @ theta - targets) ** 2)
    assert equations.loss(theta) == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize("gauss_newton", [False, True])
def test_a_resumed_fit_is_bit_identical(gauss_newton: bool) -> None:
    weights = DensityWeights(steps=2, gauss_newton=gauss_newton)
    whole = fit_density(DESIGN, CLUSTERS, weights, seed=7, stages=Kept())
    for stop in ("density-0", "density-1", "density-2"):
        stages = Kept(stop)
        with pytest.raises(KeyboardInterrupt):
            fit_density(DESIGN, _clusters(), weights, seed=7, stages=stages)
        stages.stop = ""
        assert np.array_equal(
            fit_density(DESIGN, _clusters(), weights, seed=7, stages=stages), whole
        )
    assert not np.array_equal(fit_density(DESIGN, CLUSTERS, weights, seed=8), whole)


def test_without_features_there_is_one_stage() -> None:
    design = DensityDesign(small_form(FeatureSet()))
    stages = Kept()
    clusters = _clusters(design=design)
    theta = fit_density(design, clusters, DensityWeights(), stages=stages)
    assert stages.computed == ["density-0"]
    found = respond(clusters[0], design.model(theta))
    expected = clusters[0].bound.rows(found.features) @ theta
    assert np.allclose(found.multipoles.ravel(), expected, rtol=0.0, atol=1e-13)
    assert _spectral_radius(found) == 0.0


def test_spread_is_that_of_each_element_and_rank() -> None:
    spread = SPREAD.rows(SET.frames[0])
    symbols = np.concatenate([f.configuration.species for f in SET.frames])
    everything = np.concatenate([f.multipoles for f in SET.frames])
    oxygen = everything[symbols == "O"]
    assert spread[0, 0] == pytest.approx(np.std(oxygen[:, 0]))
    assert spread[0, 3] == pytest.approx(np.sqrt(np.mean(oxygen[:, 1:4] ** 2)))
    assert np.all(CLUSTERS[0].weights.reshape(-1, 9)[0, 4:] == (spread[0, 4] * AIMS[2]) ** -2.0)


def test_only_products_with_a_feature_are_held_back() -> None:
    plain = DensityWeights(response=1.0).scale(DESIGN)
    held = DensityWeights(response=30.0).scale(DESIGN)
    products = (DESIGN.feature_degree == 1) & (DESIGN.order > 1)
    assert 0 < np.count_nonzero(products) < len(plain)
    assert np.array_equal(held, np.where(products, 30.0 * plain, plain))


def test_a_chosen_prior_holds_products_of_features_with_neighbours_as_before() -> None:
    """ridge·scale² of those: the weak prior's is that of the settings, the strong one's its own."""
    weights = DensityWeights()
    given = weights.ridge * weights.scale(DESIGN) ** 2
    meets = (DESIGN.feature_degree > 0) & (DESIGN.order > 1)
    assert meets.any()
    assert not meets.all()
    assert np.allclose(weights.ridge * weights.scale(DESIGN, (0.1, 1.0)) ** 2, given)
    weak = 0.001 * weights.scale(DESIGN, (0.001, 1.0)) ** 2
    assert np.allclose(weak[meets], given[meets])
    assert np.all(weak[~meets] < given[~meets])
    strong = 1e6 * weights.scale(DESIGN, (1e6, 1.0)) ** 2
    assert np.all(strong > given)
