"""Failures hunted: biased rates and powers, wrong sign of the prefactor, small uncertainty."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.decay import exponentials, powers

from scc.errors import InputError
from scc.locality import envelope, fit_exponential, fit_power, fit_product

distances = st.lists(st.floats(0.1, 100.0), min_size=5, max_size=300, unique=True).map(np.sort)


@given(distances, st.floats(0.01, 0.25), st.floats(-2.0, 7.0), st.floats(1e-3, 1e3))
def test_exact_law_is_not_recovered(r, rate, power, prefactor):
    """Undisturbed, a fit is limited by rounding, amplified by its conditioning."""
    data = envelope(r, prefactor * r**-power * np.exp(-rate * r), floor=0.0)
    spread = np.ptp(r) / r.max()
    if len(data) < 3 or spread < 0.1:
        return
    # ln|a| up to ~ 60 rounds to 1e-14; times (number of points) / (relative extent).
    tolerance = 1e-10 / spread
    exponential = fit_exponential(data, power)
    assert exponential.rate == pytest.approx(rate, abs=tolerance)
    assert exponential.log_prefactor == pytest.approx(np.log(prefactor), abs=1e2 * tolerance)
    assert exponential.power == power
    np.testing.assert_allclose(exponential(data.distance), data.magnitude, rtol=1e-8)
    bare = envelope(r, prefactor * r**-power, floor=0.0)
    algebraic = fit_power(bare)
    assert algebraic.power == pytest.approx(power, abs=tolerance)
    np.testing.assert_allclose(algebraic(bare.distance), bare.magnitude, rtol=1e-8)
    if spread > 0.5:
        product = fit_product(data)
        np.testing.assert_allclose(product(data.distance), data.magnitude, rtol=1e-7)


@given(
    exponentials(
        geometries=("chain", "dimer", "jitter", "1d"),
        min_atoms=100,
        scatters=(0.0,),
        max_rate=1.0,
        least=15.0,
    )
)
def test_oscillation_biases_the_rate(sample):
    """Envelope of cos²(kr + φ) e^{−ηr}: within 3 %, what Theorem 4's claim asks for."""
    data = envelope(sample.r, sample.a)
    fit = fit_exponential(data, sample.power, (0.1 * data.distance[-1], np.inf))
    assert fit.rate == pytest.approx(sample.rate, rel=0.03)


@given(powers(geometries=("chain", "jitter", "1d"), min_atoms=200, scatters=(0.0,), edge=0.0))
def test_oscillation_biases_the_power(sample):
    data = envelope(sample.r, sample.a)
    fit = fit_power(data, (0.1 * data.distance[-1], np.inf))
    # The near field has died out to 3 % at the lower end, and a peak can fall between two atoms.
    assert fit.power == pytest.approx(sample.power, abs=0.15)


def test_uncertainty_is_too_small():
    """80 noisy oscillating exponentials: two thirds within 1 σ, nine tenths within 3 σ at least."""
    r = np.arange(1.0, 200.0)
    deviations = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        a = np.exp(-0.1 * r + 0.5 * rng.normal(size=len(r)))
        a *= np.cos(rng.uniform(0.3, 2.8) * r + rng.uniform(0.0, np.pi)) ** 2
        fit = fit_exponential(envelope(r, a))
        assert 0.0 < fit.rate_uncertainty < 0.1
        deviations.append(abs(fit.rate - 0.1) / fit.rate_uncertainty)
    assert (np.array(deviations) < 1.0).mean() >= 2 / 3
    assert (np.array(deviations) < 3.0).mean() >= 0.9


def test_too_few_points_give_a_number_instead_of_an_error():
    data = envelope(np.array([1.0, 2.0]), np.array([1.0, 0.5]))
    assert fit_exponential(data).rate == pytest.approx(np.log(2.0))
    assert fit_exponential(data).rate_uncertainty == np.inf
    with pytest.raises(InputError, match="needs 3 distances"):
        fit_product(data)
    with pytest.raises(InputError, match="needs 2 distances"):
        fit_power(data, (1.5, 3.0))
    with pytest.raises(InputError, match="prefactor power"):
        fit_exponential(data, np.nan)
