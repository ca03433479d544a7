"""B-spline weights and their transform, against scipy's B-splines and plain alias sums."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from scc.electrostatics.multipoles.splines import (
    LARGEST_ORDER,
    spline_weights,
    squared_transform_sum,
)

orders = st.integers(1, LARGEST_ORDER)
fractions = st.floats(0.0, 1.0, exclude_max=True)


@given(orders, fractions)
def test_weights_are_not_those_of_the_cardinal_spline(order, t):
    values, slopes = spline_weights(order, np.array([t]))
    spline = BSpline.basis_element(np.arange(order + 1), extrapolate=False)
    places = t + order - 1 - np.arange(order)
    # the largest weight is of order one; sums of positive terms lose an ulp a step
    assert np.max(np.abs(values[0] - spline(places))) <= 1e-14
    if order > 2 or (order == 2 and 0.0 < t < 1.0):
        assert np.max(np.abs(slopes[0] - spline.derivative()(places))) <= 2e-14


@given(st.integers(3, LARGEST_ORDER), fractions)
def test_a_constant_and_a_slope_are_not_reproduced(order, t):
    values, slopes = spline_weights(order, np.array([t]))
    # the node of weight j is at j − (t + p/2 − 1) from the point
    distance = np.arange(order) - (t + 0.5 * order - 1.0)
    assert abs(np.sum(values) - 1.0) <= 1e-14
    assert abs(np.sum(slopes)) <= 1e-14
    assert abs(np.sum(values * distance)) <= 1e-13
    assert abs(np.sum(slopes * distance) - 1.0) <= 1e-13


@given(st.integers(2, LARGEST_ORDER), st.integers(2, 40))
def test_influence_denominator_is_not_the_sum_over_aliases(order, number):
    kappa = np.fft.fftfreq(number)[:, None]
    aliases = np.arange(-3000, 3001)
    expected = np.sum(np.sinc(kappa + aliases) ** (2 * order), axis=1)
    # left out: 2 Σ_{n>3000} (πn)^{−4} = 3e-13 at most; values are sums of cosines of size one
    error = np.abs(squared_transform_sum(order, number) - expected)
    assert np.max(error) <= 1e-12
