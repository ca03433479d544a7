"""Lemma 7: the measured rate of F_N → F, G_N → G is the Green's function value."""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from strategies.spectra import spectral_problems

from scc.bodyorder.convergence import interpolation_errors, measured_rate
from scc.bodyorder.green import convergence_rate, critical_point, greens_function
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError
from scc.occupations.fermi_dirac import FermiDirac


@settings(max_examples=12)
@given(
    st.sampled_from([(1, False), (2, False), (2, True)]).flatmap(lambda k: spectral_problems(*k))
)
@example((SpectralSet(((-1.0, 1.0),)), 25.0, 0.1))
@example((SpectralSet(((-1.0, -0.4), (0.4, 1.0))), math.inf, 0.0))
def test_measured_rate_is_not_greens_function(problem):
    X, beta, mu = problem
    predicted = convergence_rate(X, beta, mu)
    # 25 decades take 58/θ degrees; above θ = 3 the window has fewer than 15 of them.
    assume(0.125 <= predicted <= 3.0)
    measurement = measured_rate(X, beta, mu)
    assume(not measurement.delayed)
    assert measurement.predicted == predicted
    assert measurement.rate == pytest.approx(predicted, rel=0.05)
    assert measurement.uncertainty < 0.02 * predicted


def test_small_rate_is_missed():
    X = SpectralSet(((-1.0, 1.0),))
    measurement = measured_rate(X, 31.0, 0.1)
    assert 0.1 < measurement.predicted < 0.105
    assert measurement.rate == pytest.approx(measurement.predicted, rel=0.05)


def test_cold_electrons_with_a_gap_look_as_fast_as_at_zero_temperature():
    # The pole lies below the critical level (θ < g(c)), but its residue is e^{-β·0.1} = 1e-17.
    X, beta, mu = SpectralSet(((-1.0, -0.1), (0.3, 1.0))), 400.0, 0.0
    measurement = measured_rate(X, beta, mu, window=(1e-3, 1e-15))
    critical = float(greens_function(X, critical_point(X)))
    assert measurement.delayed
    assert measurement.predicted < 0.9 * critical
    assert measurement.rate == pytest.approx(critical, rel=0.05)


@settings(max_examples=8)
@given(
    st.sampled_from([(1, False), (2, False), (2, True)]).flatmap(lambda k: spectral_problems(*k))
)
@example((SpectralSet(((0.0, 1.0),)), 67.31703824144982, 0.0))
def test_float64_polynomials_have_other_errors_than_the_balls(problem):
    # The rates are measured in ball arithmetic: this ties them to PolynomialOccupation.
    X, beta, mu = problem
    predicted = convergence_rate(X, beta, mu)
    assume(0.3 <= predicted <= 3.0)
    degrees = [int(decades / predicted) + 2 for decades in (3, 8, 16)]
    # Errors are looked at on Leja points beyond the degree; a few gaps wait long for theirs.
    errors = interpolation_errors(X, beta, mu, 4 * degrees[-1])
    x = X.sample(1500)
    exact = FermiDirac(beta, mu)
    for polynomial in PolynomialOccupation.sequence(X, degrees, beta, mu):
        n = polynomial.degree
        f = np.abs(polynomial.occupation(x) - exact.occupation(x)).max()
        g = np.abs(polynomial.grand_potential(x) - exact.grand_potential(x)).max()
        floor = 1e-13 * n**2 * max(1.0, max(abs(X.lower), abs(X.upper)) / (X.upper - X.lower))
        # The two samples of X are different: between two nodes the maximum is missed by a few %.
        assert f == pytest.approx(errors.occupation[n], rel=0.1, abs=floor)
        assert g == pytest.approx(
            errors.grand_potential[n], rel=0.1, abs=floor * (X.upper - X.lower)
        )
        np.testing.assert_allclose(
            errors.total[n], errors.occupation[n] + errors.grand_potential[n]
        )


def test_rate_of_an_exact_interpolation():
    with pytest.raises(InputError, match="linear"):
        measured_rate(SpectralSet(((-1.0, -0.5), (0.5, 1.0))), math.inf, 2.0)
    with pytest.raises(InputError, match="fewer than 3 degrees"):
        measured_rate(SpectralSet(((-1.0, 1.0),)), 10.0, 0.0, window=(1e-3, 0.9e-3))
    with pytest.raises(InputError, match="got 0"):
        interpolation_errors(SpectralSet(((-1.0, 1.0),)), 10.0, 0.0, 0)
