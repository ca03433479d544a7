"""Löwdin orthogonalisation and its derivative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.basis import assert_close, matrices
from strategies.finite_differences import derivative

from scc.basis.orthogonalisation import Loewdin
from scc.errors import InputError


@st.composite
def overlaps(draw):
    """Positive matrices with condition up to 1e6, often with coalescing eigenvalues."""
    n = draw(st.integers(1, 8))
    vectors, _ = np.linalg.qr(draw(matrices(n, n)))
    exponent = st.one_of(st.floats(-6, 0), st.sampled_from([0.0, -1.0, -1.0 + 1e-9]))
    eigenvalues = 10.0 ** np.array([draw(exponent) for _ in range(n)])
    overlap = vectors * eigenvalues @ vectors.T
    return (overlap + overlap.T) / 2


@given(overlaps())
def test_orthogonalises(overlap):
    x = Loewdin(overlap).inverse_square_root
    # The eigenvalues carry an absolute error ε‖S‖, a relative one ε·condition ≤ 1e-10 · n.
    assert_close(x @ overlap @ x, np.eye(len(x)), tolerance=1e-8)
    assert_close(x, x.T, tolerance=1e-14)


@given(st.data(), overlaps())
def test_derivative_is_the_slope_of_the_inverse_root(data, overlap):
    loewdin = Loewdin(overlap)
    smallest = loewdin.eigenvalues[0]
    direction = data.draw(matrices(len(overlap), len(overlap)))
    direction = direction + direction.T
    direction *= smallest / max(np.abs(direction).max(), 1e-30)
    slope, _ = derivative(lambda h: Loewdin(overlap + h * direction).inverse_square_root, 2e-3)
    # The nearest singularity is at |h| ≥ 1/n = 1/8: (h·8)⁸·9!/630 ~ 1e-11; rounding is
    # ε·condition/h ~ 1e-7.
    scale = np.abs(loewdin.inverse_square_root).max()
    assert_close(loewdin.derivative(direction), slope, tolerance=1e-6, scale=scale)


@given(st.data(), overlaps())
def test_derivative_solves_its_defining_equation_exactly(data, overlap):
    # X S X = 1 differentiates to dX S X + X dS X + X S dX = 0.
    loewdin = Loewdin(overlap)
    x = loewdin.inverse_square_root
    n = len(overlap)
    ds = data.draw(matrices(n, n))
    ds = ds + ds.T
    dx = loewdin.derivative(ds)
    assert_close(
        dx @ overlap @ x + x @ overlap @ dx,
        -x @ ds @ x,
        tolerance=1e-8,  # as the condition number times ε
        scale=np.abs(x).max() ** 2 * np.abs(ds).max(),
    )


@given(st.data(), overlaps())
def test_adjoint_pairs_with_the_derivative(data, overlap):
    loewdin = Loewdin(overlap)
    n = len(overlap)
    b, ds = data.draw(matrices(n, n)), data.draw(matrices(n, n))
    ds = ds + ds.T
    left = np.sum(b * loewdin.derivative(ds))
    right = np.sum(loewdin.adjoint(b) * ds)
    scale = np.abs(loewdin.derivative(ds)).max() * n * n
    assert left == pytest.approx(right, abs=1e-12 * max(scale, 1e-300))
    np.testing.assert_array_equal(loewdin.adjoint(b).shape, (n, n))


def test_linear_dependence_names_the_smallest_eigenvalue():
    with pytest.raises(InputError, match=r"smallest overlap eigenvalue 1e-1[12]"):
        Loewdin(np.array([[1.0, 1.0 - 1e-11], [1.0 - 1e-11, 1.0]]))
    with pytest.raises(InputError, match="linearly dependent"):
        Loewdin(np.array([[1.0, 2.0], [2.0, 1.0]]))


def test_overlaps_that_are_not_overlaps_are_refused():
    with pytest.raises(InputError, match="not finite"):
        Loewdin(np.array([[1.0, np.nan], [np.nan, 1.0]]))
    with pytest.raises(InputError, match="not symmetric"):
        Loewdin(np.array([[1.0, 0.1], [0.2, 1.0]]))
