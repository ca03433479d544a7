"""The prior chosen inside a fit: left-out rows decide, blocks for themselves, folds by group."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc.ace.block_equations import BlockEquations, solve_chosen
from scc.ace.density_design import DensityDesign
from scc.ace.density_fit import DensityWeights
from scc.ace.fit import fit_density
from scc.ace.normal_equations import NormalEquations
from scc.ace.prior_choice import chosen_prior, described, fold_labels, prior_scale
from scc.ace.response_training import respond
from scc.ace.training_cluster import Spread, TrainingCluster
from scc.errors import InputError
from tests.strategies.water_training import small_form, small_set

SEEDS = st.integers(0, 2**32 - 1)
CANDIDATES = ((1e-3, 1.0), (1.0, 1.0), (1e3, 1.0), (1.0, 3.0))
DEGREE = np.array([0.0, 1.0, 2.0, 3.0, 4.0])


def _scale(prior: tuple[float, float]) -> np.ndarray:
    return (1.0 + DEGREE) ** prior[1]


def _rows(rng: np.random.Generator, theta: np.ndarray, noise: float, number: int = 6):
    rows = rng.normal(size=(number, len(theta)))
    return rows, rows @ theta + noise * rng.normal(size=number)


def _folds(rng: np.random.Generator, theta: np.ndarray, noise: float, number: int = 3):
    made = [_rows(rng, theta, noise) for _ in range(number)]
    parts = []
    for rows, targets in made:
        part = NormalEquations(len(theta))
        part.add(rows, targets)
        parts.append(part)
    return made, parts


@pytest.mark.parametrize("strength", [0.0, 3.0])
@given(SEEDS)
def test_the_choice_is_that_of_cross_validation_by_hand(strength: float, seed: int) -> None:
    """Against numpy's least squares with the prior as rows; penalties count in fits alone."""
    rng = np.random.default_rng(seed)
    made, parts = _folds(rng, rng.normal(size=5), noise=1.0)
    extra = strength * rng.normal(size=(len(made), 2, 5))
    held = []
    for rows in extra:
        held.append(NormalEquations(5))
        held[-1].add(rows, np.zeros(2))

    def loss(ridge: float, gamma: float) -> float:
        total = 0.0
        prior = np.sqrt(ridge) * np.diag(_scale((ridge, gamma)))
        for left_out, (rows, targets) in enumerate(made):
            others = [fold for fold in range(len(made)) if fold != left_out]
            matrix = [made[fold][0] for fold in others] + [extra[fold] for fold in others] + [prior]
            right = [made[fold][1] for fold in others] + [np.zeros(2 * len(others) + 5)]
            theta = np.linalg.lstsq(np.concatenate(matrix), np.concatenate(right))[0]
            total += float(np.sum((rows @ theta - targets) ** 2))
        return total

    found = chosen_prior(parts, CANDIDATES, _scale, held)
    best = min(loss(*candidate) for candidate in CANDIDATES)
    assert loss(*found) == pytest.approx(best, rel=1e-6)


def test_noise_makes_the_prior_strong_and_truth_makes_it_weak() -> None:
    rng = np.random.default_rng(0)
    _, exact = _folds(rng, rng.normal(size=5), noise=0.0)
    _, nothing_but_noise = _folds(rng, np.zeros(5), noise=1.0)
    assert chosen_prior(exact, CANDIDATES, _scale) == (1e-3, 1.0)
    assert chosen_prior(nothing_but_noise, CANDIDATES, _scale) == (1e3, 1.0)


def test_blocks_choose_for_themselves() -> None:
    """One block exact, one of noise: a common prior would be wrong for one of them."""
    rng = np.random.default_rng(1)
    truth = rng.normal(size=5)
    parts = []
    for _ in range(3):
        part = BlockEquations([slice(0, 5), slice(5, 10)])
        part.add(*_rows(rng, truth, 0.0), 1.0, slice(0, 5))
        part.add(*_rows(rng, np.zeros(5), 1.0), 1.0, slice(5, 10))
        parts.append(part)
    theta, priors = solve_chosen(parts, {prior: np.tile(_scale(prior), 2) for prior in CANDIDATES})
    assert priors == [(1e-3, 1.0), (1e3, 1.0)]
    assert np.allclose(theta[:5], truth, atol=0.05)
    assert np.max(np.abs(theta[5:])) < 0.05


@given(SEEDS)
def test_block_equations_are_the_joined_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = BlockEquations([slice(2, 5), slice(0, 2)])
    for span in (slice(0, 2), slice(2, 5)):
        size = span.stop - span.start
        blocks.add(*_rows(rng, rng.normal(size=size), 1.0), rng.uniform(1.0, 2.0, size=6), span)
    joined, scale = blocks.joined(), _scale((1.0, 1.0))
    assert np.allclose(blocks.solve(0.1, scale), joined.solve(0.1, scale), rtol=1e-9, atol=1e-12)
    theta = rng.normal(size=5)
    assert blocks.loss(theta) == pytest.approx(joined.loss(theta), rel=1e-9)
    twice = BlockEquations.total([blocks, blocks.scaled(1.0)])
    assert twice.loss(theta) == pytest.approx(2.0 * blocks.loss(theta), rel=1e-9)


def test_a_trajectory_is_in_one_fold_and_few_make_few_folds() -> None:
    frames = small_set(6).frames
    labels = fold_labels(frames, 3)
    groups = {frame.group for frame in frames}
    assert set(labels.tolist()) == set(range(min(3, len(groups))))
    for group in groups:
        own = {int(k) for k, frame in zip(labels, frames, strict=True) if frame.group == group}
        assert len(own) == 1
    assert fold_labels(frames[:1], 4).tolist() == [0]


@pytest.mark.parametrize(("candidates", "number"), [((), 3), (CANDIDATES, 1)])
def test_nothing_to_choose_is_refused(candidates, number) -> None:
    _, parts = _folds(np.random.default_rng(0), np.ones(5), 0.0, number)
    with pytest.raises(InputError, match="nothing to choose"):
        chosen_prior(parts, candidates, _scale)


def test_a_large_factor_of_products_of_three_leaves_the_model_of_order_two() -> None:
    """Orders nest, so κ → ∞ must give back the lower order; κ = 1 must not."""
    frames = small_set(5)

    def multipoles(order: int, *prior: float) -> np.ndarray:
        design = DensityDesign(small_form(order=order))
        spread = Spread.of(frames, ("H", "O"))
        clusters = [TrainingCluster(frame, design, spread) for frame in frames.frames]
        theta = fit_density(design, clusters, DensityWeights(priors=(prior,), steps=1))
        model = design.model(theta)
        return np.concatenate([respond(cluster, model).multipoles for cluster in clusters])

    two = multipoles(2, 0.1, 1.0)
    nested = multipoles(3, 0.1, 1.0, 1e6)
    assert np.allclose(nested, two, rtol=0.0, atol=1e-8)
    assert np.max(np.abs(multipoles(3, 0.1, 1.0, 1.0) - two)) > 1e-5


def test_only_products_of_three_are_held_by_the_factor() -> None:
    degree, order = np.array([0.0, 1.0, 2.0, 5.0]), np.array([0, 1, 2, 3])
    assert np.array_equal(prior_scale(degree, order, 2.0), [1.0, 4.0, 9.0, 36.0])
    assert np.array_equal(prior_scale(degree, order, 2.0, 10.0), [1.0, 4.0, 9.0, 360.0])
    assert described((0.01, 2.0, 100.0)) == "0.01 2 100"
