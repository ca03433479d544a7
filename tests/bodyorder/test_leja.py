"""Leja points: nested, greedy, distributed like the equilibrium measure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.spectra import spectral_sets

from scc.bodyorder.green import capacity, greens_function
from scc.bodyorder.leja import leja_points
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError

sets = st.integers(1, 2).flatmap(spectral_sets)


@given(sets, st.integers(2, 60), st.integers(1, 60))
def test_longer_sequence_does_not_extend_the_shorter(X, longer, shorter):
    shorter = min(shorter, longer)
    points = leja_points(X, longer)
    np.testing.assert_array_equal(points[:shorter], leja_points(X, shorter))
    assert np.unique(points).size == longer
    assert np.all(X.distance(points) == 0.0)


@given(sets, st.integers(2, 60))
def test_next_point_is_not_the_greedy_one(X, count):
    points = leja_points(X, count)
    elsewhere = X.sample(701)

    def log_product(x):
        with np.errstate(divide="ignore"):
            return np.log(np.abs(x[:, None] - points[:-1])).sum(axis=1)

    # The candidates are a fixed grid of 4001 points; between them the product is larger by less
    # than the square of (spacing / distance to the nearest node).
    assert log_product(points[-1:])[0] >= log_product(elsewhere).max() - 0.01


@given(sets)
def test_points_are_not_distributed_like_the_equilibrium_measure(X):
    # (1/n) Σ ln|z − x_j| → g(z) + ln cap(X) off X, with an error O(ln n / n): Lemma 7's rate.
    n = 200
    points = leja_points(X, n)
    length = X.upper - X.lower
    z = np.array([X.upper + 0.3 * length, X.lower + (0.4 + 0.5j) * length, X.lower - 2j * length])
    mean = np.log(np.abs(z[:, None] - points)).mean(axis=1)
    np.testing.assert_allclose(mean, greens_function(X, z) + np.log(capacity(X)), atol=5.0 / n)


@pytest.mark.parametrize("count", [0, -3, 5000])
def test_impossible_number_of_points_is_accepted(count):
    with pytest.raises(InputError, match=f"got {count}"):
        leja_points(SpectralSet(((-1.0, 1.0),)), count)
