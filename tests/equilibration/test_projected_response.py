"""Equations with χK at a solution against dense ones, and the steps that a preconditioner saves."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given
from strategies.responsive_models import toy_cases

from scc.ace.predict import predict
from scc.ace.registry import fitted_model
from scc.ace.response_training import response_matrix
from scc.claims._water_systems import droplet
from scc.equilibration import equilibrate, projected_response
from scc.equilibration.molecule_preconditioner import IDENTITY
from scc.equilibration.projected_response import ProjectedResponse, ResponsePreconditioners
from scc.equilibration.work import Work
from scc.errors import ConvergenceError
from scc.functional.projection_functional import ProjectionFunctional

WATER = fitted_model("water")


def _dense(solution):
    """χ (9M, MF) and K (MF, 9M)."""
    bound = solution.functional.model
    return response_matrix(bound.density), solution.functional.operator.matrix


def _close(found, expected, relative):
    size = np.max(np.abs(expected))
    assert np.max(np.abs(found.ravel() - expected)) <= relative * size


@pytest.mark.parametrize("number", [1, 5])
def test_adjoint_response_and_forces_are_those_of_dense_equations(number):
    """1/min |1 − µ| is below 2 for this model; residuals of 1e-11 are components, not norms."""
    solution = predict(WATER, droplet(number, 1)).equilibrium
    chi, k = _dense(solution)
    gradient = solution.state.gradient
    dense = np.linalg.solve(np.eye(len(k)) - chi.T @ k.T, gradient.ravel())
    _close(solution.adjoint, dense, 1e-9)
    found = solution.state.forces(dense.reshape(gradient.shape))
    _close(solution.forces, found.ravel(), 1e-10)
    source = np.random.default_rng(2).normal(size=gradient.shape)
    dense = np.linalg.solve(np.eye(len(k)) - k @ chi, source.ravel())
    _close(solution.solve_response(source), dense, 1e-9)


def test_preconditioned_equations_have_the_same_solutions_in_fewer_steps():
    """Adjoint, response and a bare (1 − χK)⁻¹ with the blocks of molecules, and without."""
    configuration = droplet(12, 2)
    functional = ProjectionFunctional(WATER.prepare(configuration), WATER.operator(configuration))
    state = functional.evaluate(functional.initial_features())
    generator = np.random.default_rng(0)
    features, density = state.features.shape, state.density.shape
    source, change = generator.normal(size=features), generator.normal(size=density)

    def solved(work):
        response = ProjectedResponse(state, ResponsePreconditioners(functional), work)
        adjoint = response.adjoint(source)
        return [*adjoint, response.features(source), response.solve(change)]

    quick, slow = Work(), Work()
    found = solved(quick)
    with patch.object(projected_response, "molecule_preconditioner", lambda *_: IDENTITY):
        expected = solved(slow)
    for one, other in zip(found, expected, strict=True):
        assert np.max(np.abs(one - other)) <= 1e-9 * np.max(np.abs(other))
    assert quick.response_applications <= 0.85 * slow.response_applications


@given(case=toy_cases(affine=False, max_atoms=4))
def test_adjoint_of_any_model_solves_its_equation(case):
    """Not affine: χ differs from state to state; a kept preconditioner must not be another's."""
    here = equilibrate(case.functional())
    assume(here.converged and here.spectrum.smallest_modulus > 1e-2)
    shape = here.features.shape
    rows = [here.state.residual_jvp(u.reshape(shape)).ravel() for u in np.eye(here.features.size)]
    expected = np.linalg.solve(np.array(rows), here.state.gradient.ravel())
    size = np.max(np.abs(expected), initial=0.0)
    assert np.max(np.abs(here.adjoint.ravel() - expected), initial=0.0) <= 1e-7 * size


def test_only_an_affine_model_has_one_preconditioner_for_all_states():
    configuration = droplet(2, 0)
    functional = ProjectionFunctional(WATER.prepare(configuration), WATER.operator(configuration))
    one = functional.evaluate(functional.initial_features())
    other = functional.evaluate(functional.initial_features() + 0.01)
    kept = ResponsePreconditioners(functional)
    assert kept.at(one) is kept.at(other)
    functional.affine = False
    assert kept.at(one) is not kept.at(other)


def test_a_singular_equation_is_refused_by_its_name():
    """µ = 1 by force: the response of one water scaled until 1 − χK has no inverse."""
    configuration = droplet(1, 0)
    functional = ProjectionFunctional(WATER.prepare(configuration), WATER.operator(configuration))
    state = functional.evaluate(functional.initial_features())
    chi, k = response_matrix(functional.model.density), functional.operator.matrix
    values = np.linalg.eigvals(chi @ k)
    factor = 1.0 / values[np.abs(values.imag) < 1e-12].real.min()
    whole = functional.operator
    with (
        patch.object(whole, "apply", lambda p: factor * (k @ p.ravel()).reshape(3, -1)),
        patch.object(whole, "transpose", lambda w: factor * (k.T @ w.ravel()).reshape(3, 9)),
        patch.object(projected_response, "molecule_preconditioner", lambda *_: IDENTITY),
    ):
        response = ProjectedResponse(state, ResponsePreconditioners(functional), Work())
        generator = np.random.default_rng(1)
        with pytest.raises(ConvergenceError, match="adjoint equation not solved"):
            response.adjoint(generator.normal(size=state.features.shape))
        with pytest.raises(ConvergenceError, match="response equation not solved"):
            response.solve(generator.normal(size=state.density.shape))
