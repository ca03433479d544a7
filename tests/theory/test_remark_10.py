"""The polynomials' Fermi level: what random systems do not show."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc.bodyorder.green import critical_point
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import remark_10
from scc.theory._fermi_level_family import FermiLevelFamily

X = SpectralSet(((-1.0, 1.2),))
GAPPED = SpectralSet(((-1.0, -0.3), (0.4, 1.0)))
LEVELS = np.linspace(-0.9, 1.1, 24)


def test_interpolated_occupation_is_the_mu_derivative_of_the_family() -> None:
    family, mu, h = FermiLevelFamily(X, 16, 8.0), 0.1, 1e-4
    difference = family.at(mu + h).occupation(LEVELS) - family.at(mu - h).occupation(LEVELS)
    slope = -family.indicator_slope(family.indicator(mu), LEVELS)
    # h²/6 of a third derivative of size β³, times the N² of differentiation in x.
    assert np.allclose(difference / (2.0 * h), slope, rtol=0.0, atol=h**2 / 6 * 8.0**3 * 16**2)


@settings(max_examples=15)
@given(mu=st.floats(-0.29, 0.39), degree=st.integers(4, 24))
def test_one_gap_one_line_at_zero_temperature(mu, degree) -> None:
    """F_{N,µ} is linear in µ over the whole gap, so one level and one slope say everything."""
    family = FermiLevelFamily(GAPPED, degree, math.inf)
    levels = np.concatenate([np.linspace(-0.95, -0.35, 7), np.linspace(0.45, 0.95, 7)])
    first = family.zero_temperature_level(levels, 14.0, 0.0)
    again = family.zero_temperature_level(levels, 14.0, mu)
    slope = abs(2.0 * np.sum(family.indicator_slope(family.indicator(0.0), levels)))
    # Counts carry rounding of 14 values of a series with coefficients of order one, N² of slope.
    assert abs(first - again) <= 1e-13 * degree**2 * (1.0 + abs(first)) / slope


def test_the_level_goes_to_the_critical_point_whatever_the_levels() -> None:
    family = FermiLevelFamily(GAPPED, 24, math.inf)
    rng = np.random.default_rng(3)
    places = []
    for _ in range(40):
        filled = int(rng.integers(3, 12))
        levels = np.concatenate([rng.uniform(-1.0, -0.3, filled), rng.uniform(0.4, 1.0, 8)])
        places.append(family.zero_temperature_level(levels, 2.0 * filled, 0.0))
    # The median, for a trace may cancel; 1/N of the gap is the next order.
    assert abs(np.median(places) - critical_point(GAPPED)) < 0.7 / 24


def test_no_root_in_the_bracket_is_said() -> None:
    family = FermiLevelFamily(X, 12, 8.0)
    with pytest.raises(InputError, match="no Fermi level of the polynomial"):
        family.fermi_level(LEVELS, 24.0, 0.6, 0.7)


@settings(max_examples=25)
@given(beta=st.floats(1.0, 50.0), eta=st.floats(1e-9, 1e-2), states=st.floats(1.0, 100.0))
def test_delta_is_where_the_count_has_moved_by_the_error(beta, eta, states) -> None:
    delta = remark_10.shift_bound(beta, 10, eta, states)
    if math.isinf(delta):
        assert 20.0 * eta * beta >= states
    else:
        assert states * -math.expm1(-beta * delta) / beta == pytest.approx(20.0 * eta, rel=1e-9)


def test_too_poor_a_polynomial_has_no_bound() -> None:
    family = FermiLevelFamily(X, 3, 60.0)
    assert math.isinf(remark_10.bound(LEVELS, 0.1, family))


def test_bound_holds_where_the_level_is_found_far_from_the_start() -> None:
    family = FermiLevelFamily(X, 12, 8.0)
    delta = remark_10.bound(LEVELS, 0.1, family)
    electrons = 2.0 * float(np.sum(FermiDirac(8.0, 0.1).occupation(LEVELS)))
    level = family.fermi_level(LEVELS, electrons, -0.9, 1.1)
    assert 0.0 < abs(level - 0.1) <= delta < 0.1
