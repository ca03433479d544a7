"""The preconditioner is the inverse response of molecules: exact for one, fewer steps for many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc.ace.predict import TOLERANCE
from scc.ace.registry import fitted_model
from scc.ace.response_training import response_matrix
from scc.claims._water_systems import droplet
from scc.configuration import Configuration
from scc.electrostatics.multipoles.projection import projection_operator
from scc.equilibration.molecule_preconditioner import molecule_preconditioner, molecules
from scc.equilibration.problems import ProjectionFixedPoint
from scc.equilibration.solvers import LinearSolve
from scc.equilibration.work import Work
from scc.functional.projection_functional import ProjectionFunctional

WATER = fitted_model("water")


class _Plain(ProjectionFixedPoint):
    def preconditioner(self, iterate):
        return lambda residual: residual


def _solved(kind, configuration, tolerance=TOLERANCE):
    functional = ProjectionFunctional(WATER.prepare(configuration), WATER.operator(configuration))
    work = Work()
    problem = kind(functional, work)
    outcome = LinearSolve().run(problem, problem.start(None), tolerance, 100)
    assert outcome.status == "converged"
    return outcome.iterate.x, work.density_builds + work.response_applications


def test_pair_blocks_are_those_of_the_operator() -> None:
    configuration = droplet(3, 1)
    count, widths, l_max = len(configuration), (1.0, 2.5), 1
    operator = projection_operator(configuration, 0.8, widths, l_max)
    x = configuration.positions
    blocks = operator.pair_blocks((x[:, None] - x[None]).reshape(-1, 3))
    dense = blocks.reshape(count, count, 8, 9).transpose(0, 2, 1, 3).reshape(8 * count, -1)
    assert np.max(np.abs(dense - operator.matrix)) < 1e-13


def test_blocks_of_the_response_are_exact_for_a_molecule_alone() -> None:
    bound = WATER.prepare(droplet(1, 0))
    state = bound.evaluate(np.zeros(bound.feature_shape))
    (block,) = state.response_blocks(np.array([[2, 0, 1]]))
    order = [2, 0, 1]
    number, features = bound.feature_shape
    dense = response_matrix(bound.density).reshape(number, 9, number, features)
    expected = dense[order][:, :, order].reshape(9 * number, -1)
    assert np.max(np.abs(block - expected)) < 1e-14 * np.max(np.abs(expected))


def test_one_molecule_is_solved_at_once() -> None:
    configuration = droplet(1, 0)
    # start, residual, one step, verification
    assert _solved(ProjectionFixedPoint, configuration)[1] <= 4
    assert _solved(_Plain, configuration)[1] > 6


@pytest.mark.parametrize("number", [8, 27])
def test_same_solution_in_fewer_steps(number: int) -> None:
    configuration = droplet(number, 2)
    with_blocks, steps = _solved(ProjectionFixedPoint, configuration)
    plain, plain_steps = _solved(_Plain, configuration)
    # Residuals below the tolerance; 1/min |1 − µ| is below 2 for this model.
    assert np.max(np.abs(with_blocks - plain)) < 1e2 * TOLERANCE
    assert steps < plain_steps


def test_a_singular_block_leaves_the_residual_alone() -> None:
    configuration = droplet(1, 0)
    precondition = molecule_preconditioner(
        configuration,
        lambda atoms: np.broadcast_to(np.eye(27), (1, 27, 27)),
        lambda separations: np.broadcast_to(np.eye(9), (9, 9, 9)) * _own(separations),
    )
    residual = np.arange(27.0).reshape(3, 9)
    assert np.array_equal(precondition.apply(residual), residual)
    assert np.array_equal(precondition.transpose(residual), residual)


def test_transposed_blocks_are_the_transpose_of_the_blocks() -> None:
    """Of two waters and an ion-like atom apart: blocks of two sizes."""
    waters = droplet(2, 3)
    positions = np.concatenate([waters.positions, [[40.0, 0.0, 0.0]]])
    configuration = Configuration((*waters.species, "O"), positions)
    bound, operator = WATER.prepare(configuration), WATER.operator(configuration)
    state = bound.evaluate(np.zeros(bound.feature_shape))
    found = molecule_preconditioner(configuration, state.response_blocks, operator.pair_blocks)
    units = np.eye(9 * len(configuration)).reshape(-1, len(configuration), 9)
    ahead = np.array([found.apply(unit).ravel() for unit in units])
    back = np.array([found.transpose(unit).ravel() for unit in units])
    assert np.max(np.abs(ahead - back.T)) <= 1e-14 * np.max(np.abs(ahead))
    assert np.max(np.abs(ahead - ahead.T)) > 1e-3 * np.max(np.abs(ahead))


def _own(separations):
    return (np.linalg.norm(separations, axis=1) == 0.0)[:, None, None]


@given(st.integers(1, 6), st.integers(0, 100))
def test_molecules_of_a_droplet_are_its_waters(number: int, seed: int) -> None:
    configuration = droplet(number, seed)
    (found,) = molecules(configuration)
    assert sorted(map(sorted, found.tolist())) == [
        [3 * i, 3 * i + 1, 3 * i + 2] for i in range(number)
    ]


def test_a_network_counts_atom_by_atom() -> None:
    chain = Configuration(["O"] * 30, np.arange(30)[:, None] * np.array([2.0, 0.0, 0.0]))
    (found,) = molecules(chain)
    assert found.shape == (30, 1)
