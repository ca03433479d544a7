"""Krylov solutions: the residual asked for, in the norm asked for, in no more steps than GMRES."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.linalg import LinearOperator, gmres
from strategies.configurations import generators

from scc.equilibration.krylov import smallest_residual, solve_krylov
from scc.errors import ConvergenceError


@st.composite
def equations(draw):
    """(1 − X, right): X not symmetric, of any spectral radius below one."""
    generator = draw(generators())
    size = draw(st.integers(1, 40))
    matrix = generator.normal(size=(size, size))
    radius = draw(st.floats(0.01, 0.9))
    matrix *= radius / np.max(np.abs(np.linalg.eigvals(matrix)))
    return np.eye(size) - matrix, generator.normal(size=size)


@given(equations(), st.sampled_from([1e-3, 1e-6, 1e-9]))
def test_no_component_of_the_residual_is_larger_than_asked_for(equation, largest):
    matrix, right = equation
    steps = []

    def apply(x):
        steps.append(1)
        return matrix @ x

    x = smallest_residual(apply, right, largest)
    # Rounding of forty products, each of size |right|.
    assert np.max(np.abs(right - matrix @ x)) <= largest + 1e-13 * np.linalg.norm(right)
    assert len(steps) <= len(right)
    # SciPy, asked for the Euclidean norm, cannot be quicker to the larger component.
    theirs = []
    operator = LinearOperator(
        matrix.shape, matvec=lambda x: (theirs.append(1), matrix @ x)[1], dtype=float
    )
    gmres(operator, right, rtol=0.0, atol=largest, restart=len(right), maxiter=1)
    assert len(steps) <= max(len(theirs), 1)


@given(equations())
def test_shapes_are_kept_and_nothing_is_done_for_nothing(equation):
    matrix, right = equation
    pair = np.stack([right, 2.0 * right])
    x = smallest_residual(lambda y: y @ matrix.T, pair, 1e-10)
    assert x.shape == pair.shape
    assert np.allclose(x @ matrix.T, pair, atol=1e-9)
    zero = smallest_residual(lambda y: pytest.fail("no product needed"), 0.0 * pair, 1e-10)
    assert np.all(zero == 0.0)


def test_a_singular_operator_gives_the_best_there_is():
    matrix = np.diag([1.0, 2.0, 0.0])
    x = smallest_residual(lambda y: matrix @ y, np.array([1.0, 1.0, 1.0]), 1e-12)
    assert np.allclose(matrix @ x, [1.0, 1.0, 0.0], atol=1e-10)
    with pytest.raises(ConvergenceError, match="test equation not solved"):
        solve_krylov(lambda y: matrix @ y, np.array([1.0, 1.0, 1.0]), "test equation")
