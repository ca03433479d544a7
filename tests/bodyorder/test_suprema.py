"""Sup-norms of F − p and G − p: proved bounds bracket what dense sampling in mpmath sees."""

import math
import time

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.spectra import betas_or_zero_temperature, gapped_sets

from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet, spectral_set
from scc.bodyorder.suprema import polynomial_errors, series_error
from scc.errors import InputError

ACCEPTED = 1.10


def _exact(which, beta, mu, x):
    shifted = mpmath.mpf(x) - mpmath.mpf(mu)
    if math.isinf(beta):
        if which == "F":
            return mpmath.mpf(1 if shifted < 0 else 0)
        return shifted if shifted < 0 else mpmath.mpf(0)
    if which == "F":
        return 1 / (1 + mpmath.exp(beta * shifted))
    return -mpmath.log1p(mpmath.exp(-beta * shifted)) / beta


def _sampled(coefficients, which, X, beta, mu, points=3):
    """max over a grid of ``points`` for each degree, in 60 digits plus those Clenshaw loses."""
    count = points * (len(coefficients) + 10)
    with mpmath.workdps(60 + len(coefficients)):
        low, high = mpmath.mpf(X.lower), mpmath.mpf(X.upper)
        largest = mpmath.mpf(0)
        for x in X.sample(count):
            t = (2 * mpmath.mpf(float(x)) - low - high) / (high - low)
            later = last = mpmath.mpf(0)
            for c in coefficients[:0:-1]:
                later, last = mpmath.mpf(float(c)) + 2 * t * later - last, later
            value = mpmath.mpf(float(coefficients[0])) + t * later - last
            largest = max(largest, abs(_exact(which, beta, mu, float(x)) - value))
        return float(largest)


@settings(max_examples=15)
@given(
    X=gapped_sets(),
    beta=betas_or_zero_temperature(7.0),
    degree=st.integers(1, 30),
    whole=st.booleans(),
)
def test_no_sampled_error_exceeds_the_bound_and_it_is_not_loose(X, beta, degree, whole) -> None:
    if whole and math.isfinite(beta):
        X = SpectralSet(((X.lower, X.upper),))
    polynomial = PolynomialOccupation.interpolate(X, degree, beta, 0.0)
    errors = polynomial_errors(polynomial)
    for which, series, found in (
        ("F", polynomial.occupation_coefficients, errors.occupation),
        ("G", polynomial.coefficients, errors.grand_potential),
    ):
        sampled = _sampled(series, which, X, beta, 0.0)
        assert found.lower <= found.upper <= 1.03 * found.lower
        assert sampled <= found.upper * (1 + 1e-12)
        assert found.lower >= 0.95 * sampled


@given(
    size=st.floats(-12.0, 0.0).map(lambda e: 10.0**e),
    order=st.integers(1, 60),
    two=st.booleans(),
)
def test_a_known_error_is_enclosed(size, order, two) -> None:
    """At β = ∞ with µ above X, F = 1: p = 1 + s T_k(t) has the error s (its largest, at t = −1)."""
    X = SpectralSet(((-2.0, -1.0), (-0.5, 3.0)) if two else ((-2.0, 3.0),))
    coefficients = np.zeros(order + 1)
    coefficients[0], coefficients[order] = 1.0, size
    found = series_error(coefficients, "F", X, math.inf, 4.0)
    assert found.lower <= size <= found.upper <= 1.03 * size


def test_rounding_of_the_coefficients_counts() -> None:
    X = spectral_set(-1.0, 1.0, 0.1, 0.3, 0.3)
    polynomial = PolynomialOccupation.interpolate(X, 150, math.inf, 0.1)
    found = polynomial_errors(polynomial).grand_potential
    assert 1e-18 < found.lower < 1e-14  # the exact interpolant is good to e^{-150 θ} = 3e-21
    moved = polynomial.coefficients.copy()
    moved[7] += 2.0**-40
    changed = series_error(moved, "G", X, math.inf, 0.1)
    assert 0.9 * 2.0**-40 < changed.lower <= changed.upper < 1.1 * 2.0**-40


def test_a_step_thinner_than_any_grid_is_not_missed() -> None:
    """F jumps by 1 within 1e-6 of µ: no constant is closer than ½, and ½ is that far away."""
    X = SpectralSet(((-1.0, 1.0),))
    found = series_error(np.array([0.5]), "F", X, 1e7, 0.123456)
    assert found.lower <= 0.5 <= found.upper <= 0.515
    # a polynomial that is right except there
    found = series_error(np.array([0.0]), "G", X, 1e7, -0.999999)
    assert found.lower == pytest.approx(1e-6 + math.exp(-10.0) / 1e7, rel=0.05)


@pytest.mark.parametrize(
    ("gaps", "beta"),
    [((0.0, 0.0), 5.0), ((0.0, 0.0), 80.0), ((0.1, 0.2), math.inf), ((0.3, 0.3), 40.0)],
)
def test_acceptance_degree_120_within_ten_per_cent(gaps, beta) -> None:
    X = spectral_set(-1.0, 1.0, 0.1, *gaps)
    polynomial = PolynomialOccupation.interpolate(X, 120, beta, 0.1)
    start = time.process_time()
    errors = polynomial_errors(polynomial)
    assert time.process_time() - start < 30.0
    sampled_f = _sampled(polynomial.occupation_coefficients, "F", X, beta, 0.1, 2)
    sampled_g = _sampled(polynomial.coefficients, "G", X, beta, 0.1, 2)
    assert sampled_f <= errors.occupation.upper <= ACCEPTED * sampled_f
    assert sampled_g <= errors.grand_potential.upper <= ACCEPTED * sampled_g


def test_what_makes_no_sense_is_refused() -> None:
    X = SpectralSet(((-1.0, 1.0),))
    with pytest.raises(InputError, match="coefficients"):
        series_error(np.array([1.0, math.nan]), "F", X, 1.0, 0.0)
    with pytest.raises(InputError, match="'F' or 'G'"):
        series_error(np.ones(2), "H", X, 1.0, 0.0)
    with pytest.raises(InputError, match="gap"):
        series_error(np.ones(2), "F", X, math.inf, 0.0)
