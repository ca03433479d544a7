"""The Boys functions for all arguments."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc.electrostatics.boys import boys

arguments = st.one_of(
    st.floats(0.0, 60.0),
    st.floats(-300.0, 6.0).map(lambda x: 10.0**x),
    # both sides of the points of the table and of the switch to the asymptotic branch
    st.integers(0, 50 * 128).map(lambda k: k / 128),
)


@given(st.integers(0, 14), st.lists(arguments, min_size=1, max_size=20))
def test_relative_accuracy_for_all_arguments(order, values):
    ours = boys(order, np.array(values))
    for n in range(order + 1):
        for value, t in zip(ours[n], values, strict=True):
            with mp.workdps(40):
                exact = float(mp.hyp1f1(n + mp.mpf(1) / 2, n + mp.mpf(3) / 2, -mp.mpf(t)))
            assert value == pytest.approx(exact / (2 * n + 1), rel=1e-14, abs=0)


def test_the_definition_as_an_integral():
    with mp.workdps(30):
        for n, t in ((0, 0.3), (2, 5.0), (5, 31.0)):
            exact = mp.quad(lambda u, n=n, t=t: u ** (2 * n) * mp.exp(-t * u * u), [0, 0.5, 1])
            assert boys(n, np.array([t]))[n, 0] == pytest.approx(float(exact), rel=1e-14)


def test_shape_and_empty_input():
    assert boys(2, np.zeros((3, 4))).shape == (3, 3, 4)
    assert boys(1, np.zeros((0,))).shape == (2, 0)
