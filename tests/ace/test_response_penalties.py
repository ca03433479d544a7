"""Penalties on the response: rows are derivatives of what they penalise, and lower it."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from scc.ace.density_design import DensityDesign
from scc.ace.density_fit import DensityWeights
from scc.ace.fit import fit_density
from scc.ace.response_penalties import ENERGY, LEADING, PAIRS, radius_rows, symmetry_rows
from scc.ace.response_training import respond
from scc.ace.training_cluster import Spread, TrainingCluster
from scc.errors import InputError
from tests.strategies.water_training import small_form, small_set

DESIGN = DensityDesign(small_form())
SET = small_set(5)
SPREAD = Spread.of(SET, ("H", "O"))
CLUSTERS = [TrainingCluster(frame, DESIGN, SPREAD) for frame in SET.frames]


def _theta(seed: int, size: float = 0.02) -> np.ndarray:
    return size * np.random.default_rng(seed).normal(size=DESIGN.n_columns)


def _matrix(cluster: TrainingCluster, theta: np.ndarray) -> np.ndarray:
    """χK of the model, by another code than the rows."""
    return respond(cluster, DESIGN.model(theta)).chi @ cluster.matrix


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_radius_rows_are_the_leading_eigenvalues_and_their_slopes(seed: int) -> None:
    cluster = CLUSTERS[seed % len(CLUSTERS)]
    theta, direction = _theta(seed), _theta(seed + 1)
    rows = radius_rows(cluster, respond(cluster, DESIGN.model(theta)))
    values = scipy.linalg.eigvals(_matrix(cluster, theta))
    leading = values[np.argsort(-np.abs(values), kind="stable")[:LEADING]]
    # µ is homogeneous in the coefficients of χ, so the rows times θ are µ itself.
    found = (rows @ theta).reshape(LEADING, 2)
    assert np.allclose(found[:, 0], leading.real, atol=1e-8)
    assert np.allclose(np.abs(found[:, 1]), np.abs(leading.imag), atol=1e-8)
    step = 1e-4
    gaps = np.abs(values[:, None] - leading[0])
    if np.sort(gaps.ravel())[1] < 1e-3:
        return  # nearly degenerate: perturbation theory of first order says nothing of one value

    def nearest(sign: float) -> complex:
        moved = scipy.linalg.eigvals(_matrix(cluster, theta + sign * step * direction))
        return complex(moved[np.argmin(np.abs(moved - leading[0]))])

    slope = (nearest(1.0) - nearest(-1.0)) / (2.0 * step)
    expected = rows[0] @ direction, rows[1] @ direction
    assert abs(slope - complex(*expected)) < 1e-4 * (1.0 + abs(slope))


@pytest.mark.parametrize("seed", range(3))
def test_symmetry_rows_are_the_antisymmetric_part(seed: int) -> None:
    """Against JχK − (JχK)ᵀ as matrices, with the same draws."""
    cluster, theta = CLUSTERS[seed], _theta(seed)
    product = cluster.operator.energy_matrix @ _matrix(cluster, theta)
    rng = np.random.default_rng(seed)
    draws = [[np.ravel(cluster.noise(rng)) for _ in range(2)] for _ in range(PAIRS)]
    expected = [one @ (product - product.T) @ other / ENERGY for one, other in draws]
    found = symmetry_rows(cluster, np.random.default_rng(seed)) @ theta
    assert np.allclose(found, expected, rtol=1e-9, atol=1e-12 * np.max(np.abs(expected)))
    assert np.max(np.abs(expected)) > 1e-6  # a symmetric response would prove nothing


def test_a_penalty_on_the_radius_lowers_it() -> None:
    radii = []
    for radius in (0.0, 1.0, 10.0):
        theta = fit_density(DESIGN, CLUSTERS, DensityWeights(ridge=1e-2, radius=radius))
        radii.append(max(np.abs(scipy.linalg.eigvals(_matrix(c, theta))).max() for c in CLUSTERS))
    assert radii[0] > radii[1] > radii[2]


def test_a_penalty_on_asymmetry_lowers_it() -> None:
    sizes = []
    for symmetry in (0.0, 1.0, 100.0):
        theta = fit_density(DESIGN, CLUSTERS, DensityWeights(ridge=1e-2, symmetry=symmetry))
        total = 0.0
        for cluster in CLUSTERS:
            spread = np.ravel(cluster.spread)
            product = cluster.operator.energy_matrix @ _matrix(cluster, theta)
            total += np.sum((spread[:, None] * (product - product.T) * spread) ** 2)
        sizes.append(total)
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize("penalty", ["radius", "symmetry"])
def test_penalties_do_not_go_with_gauss_newton_steps(penalty: str) -> None:
    with pytest.raises(InputError, match="Gauss–Newton"):
        DensityWeights(gauss_newton=True, **{penalty: 1.0})
