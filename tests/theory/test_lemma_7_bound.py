"""Lemma 7's constants: bounds for nodes of any kind, closed forms of θ, and that they can fail."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies.spectra import betas_or_zero_temperature, gapped_sets

from scc.bodyorder import hermite_bound
from scc.bodyorder.explicit import explicit_polynomial, explicit_rate, series
from scc.bodyorder.green import convergence_rate, critical_point, greens_function
from scc.bodyorder.spectral_set import SpectralSet, spectral_set
from scc.errors import InputError
from scc.theory import lemma_7
from scc.theory.random_systems import Recipe, random_system
from scc.theory.statement import violations


def _systems():
    betas = (1.0, 5.0, 25.0, 100.0, math.inf, math.inf)
    return [
        random_system(Recipe(atoms=24, seed=seed, beta=beta, splitting=1.0, gap=0.2))
        for seed, beta in enumerate(betas)
    ]


def _interpolation_error(nodes, beta, x):
    """(G − P, F − P′) at x, µ = 0, in 60 digits: Newton's form and its derivative."""
    with mpmath.workdps(60):

        def grand(z):
            if math.isinf(beta):
                return mpmath.mpf(min(z, 0))
            return -mpmath.log1p(mpmath.exp(-beta * z)) / beta

        points = [mpmath.mpf(float(node)) for node in nodes]
        table = [grand(p) for p in points]
        for order in range(1, len(points)):
            for i in range(len(points) - 1, order - 1, -1):
                table[i] = (table[i] - table[i - 1]) / (points[i] - points[i - order])
        z = mpmath.mpf(float(x))
        value = slope = mpmath.mpf(0)
        for point, difference in zip(points[::-1], table[::-1], strict=True):
            slope = slope * (z - point) + value
            value = value * (z - point) + difference
        occupation = 1 / (1 + mpmath.exp(beta * z)) if math.isfinite(beta) else mpmath.mpf(z < 0)
        return float(abs(grand(z) - value)), float(abs(occupation - slope))


@settings(max_examples=30)
@given(
    X=gapped_sets(),
    beta=betas_or_zero_temperature(6.0),
    count=st.integers(2, 14),
    seed=st.integers(0, 2**32 - 1),
)
def test_hermite_bound_holds_for_nodes_anywhere_in_x(X, beta, count, seed) -> None:
    rng = np.random.default_rng(seed)
    nodes = rng.choice(X.sample(200), count, replace=False)
    occupation, grand_potential = hermite_bound.hermite_bounds(nodes, X, beta, 0.0)
    for x in np.union1d(rng.choice(X.sample(400), 20), X.intervals):
        error_g, error_f = _interpolation_error(nodes, beta, x)
        assert error_g <= grand_potential
        assert error_f <= occupation


@given(X=gapped_sets(), beta=betas_or_zero_temperature(6.0), whole=st.booleans())
def test_closed_forms_stay_below_greens_function(X, beta, whole) -> None:
    if whole and math.isfinite(beta):
        X = SpectralSet(((X.lower, X.upper),))
    sharp = convergence_rate(X, beta, 0.0) + 1e-12
    assert 0.0 < lemma_7.rate_bound(X, beta, 0.0) <= sharp
    assert 0.0 < lemma_7.paper_rate_bound(X, beta, 0.0) <= sharp
    if math.isinf(beta):  # where the critical point is, θ is largest
        assert sharp >= greens_function(X, 0.0)


@given(
    outer=st.floats(0.5, 4.0),
    share=st.floats(0.01, 0.9),
    beta=betas_or_zero_temperature(6.0),
    mu=st.floats(-1.0, 1.0),
)
def test_closed_form_of_theta_is_exact_on_symmetric_sets(outer, share, beta, mu) -> None:
    inner = share * outer
    X = SpectralSet(((mu - outer, mu - inner), (mu + inner, mu + outer)))
    sharp = convergence_rate(X, beta, mu)
    assert lemma_7.rate_bound(X, beta, mu) == pytest.approx(sharp, rel=1e-9)
    if math.isinf(beta):
        assert critical_point(X) == pytest.approx(mu, abs=1e-9)
        assert sharp == pytest.approx(math.atanh(share), rel=1e-9)


def test_theta_is_of_the_order_of_temperature_and_gap() -> None:
    """Slope 1 ± 0.05 in log–log as β⁻¹ + g → 0, of the bound itself."""
    scales = np.geomspace(1e-3, 1e-1, 9)
    for temperature, gap in ((1.0, 0.0), (0.0, 1.0), (0.3, 1.0)):
        rates = []
        for scale in scales:
            X = spectral_set(-1.0, 1.0, 0.1, gap * scale, 2.0 * gap * scale)
            beta = 1.0 / (temperature * scale) if temperature else math.inf
            rates.append(lemma_7.rate_bound(X, beta, 0.1))
        slope = np.polyfit(np.log(scales), np.log(rates), 1)[0]
        assert abs(slope - 1.0) < 0.05


@given(
    beta=betas_or_zero_temperature(6.0),
    inner=st.one_of(st.just(0.0), st.floats(0.05, 0.5)),
    outer=st.floats(0.8, 3.0),
    degree=st.integers(4, 30),
)
def test_explicit_polynomial_is_a_derivative_pair_and_obeys_its_bound(
    beta, inner, outer, degree
) -> None:
    if math.isinf(beta) and inner == 0.0:
        inner = 0.05
    assume(inner == 0.0 or explicit_rate(beta, inner, outer) * degree < 33.0)
    polynomial = explicit_polynomial(beta, 0.25, inner, outer, degree)
    assert polynomial.degree == 2 * (degree // 2)
    # The even part of F_N is the constant ½, that of G_N − s/2 all of it.
    assert np.max(np.abs(polynomial.occupation_coefficients[2::2]), initial=0.0) < 1e-9
    limits = lemma_7.bound(beta, inner, outer, degree)
    roundings = lemma_7.explicit_rounding(beta, 0.25, inner, outer, degree)
    for x in polynomial.spectral_set.sample(50):
        with mpmath.workdps(40):
            z = mpmath.mpf(float(x)) - mpmath.mpf(0.25)
            if math.isinf(beta):
                grand, occupied = mpmath.mpf(min(z, 0)), mpmath.mpf(z < 0)
            else:
                grand = -mpmath.log1p(mpmath.exp(-beta * z)) / beta
                occupied = 1 / (1 + mpmath.exp(beta * z))
        assert abs(polynomial.occupation(x) - float(occupied)) <= limits[0] + roundings[0]
        assert abs(polynomial.grand_potential(x) - float(grand)) <= limits[1] + roundings[1]


def test_the_exact_mean_of_the_series_is_an_agm() -> None:
    mean = series(math.inf, 0.3, 1.7, 3)[0][0]
    assert mean == pytest.approx(1.0 / float(mpmath.agm(0.3, 1.7)), rel=1e-13)


def test_bounds_of_half_the_best_constant_are_caught(monkeypatch) -> None:
    """The best constant that the measurements allow, halved, is violated, for either bound."""
    systems = _systems()
    checks = [check for system in systems for check in lemma_7.checks(system)]
    assert violations(checks) == []
    hermite = max(c.worst for c in checks if "Leja" in c.quantity)
    explicit = max(c.worst for c in checks if "explicit" in c.quantity)
    assert hermite > 0.5  # neither bound is so loose that it tests nothing
    assert explicit > 0.2
    whole_h, whole_e = hermite_bound.hermite_bounds, lemma_7.bound
    monkeypatch.setattr(
        lemma_7, "hermite_bounds", lambda *a: tuple(0.5 * hermite * b for b in whole_h(*a))
    )
    broken = violations([c for system in systems for c in lemma_7.checks(system)])
    assert broken
    assert all("Leja" in line for line in broken)
    monkeypatch.setattr(lemma_7, "hermite_bounds", whole_h)
    monkeypatch.setattr(lemma_7, "bound", lambda *a: tuple(0.5 * explicit * b for b in whole_e(*a)))
    broken = violations([c for system in systems for c in lemma_7.checks(system)])
    assert broken
    assert all("explicit" in line for line in broken)


def test_a_rate_too_large_by_a_fifth_is_caught(monkeypatch) -> None:
    whole = lemma_7.explicit_rate

    def broken_bound(beta, inner, outer, degree):
        occupation, grand = lemma_7_bound(beta, inner, outer, degree)
        extra = np.exp(-0.2 * whole(beta, inner, outer) * np.asarray(degree))
        return occupation * extra, grand * extra

    lemma_7_bound = lemma_7.bound
    monkeypatch.setattr(lemma_7, "bound", broken_bound)
    broken = violations([c for system in _systems() for c in lemma_7.checks(system)])
    assert any("explicit" in line for line in broken)
    hermite = lemma_7.hermite_bounds

    def faster(nodes, X, beta, mu):
        extra = math.exp(-0.2 * convergence_rate(X, beta, mu) * (len(nodes) - 1))
        return tuple(extra * limit for limit in hermite(nodes, X, beta, mu))

    monkeypatch.setattr(lemma_7, "hermite_bounds", faster)
    broken = violations([c for system in _systems() for c in lemma_7.checks(system)])
    assert any("Leja" in line for line in broken)
    monkeypatch.setattr(
        lemma_7, "rate_bound", lambda X, beta, mu: 1.2 * convergence_rate(X, beta, mu)
    )
    broken = violations([c for system in _systems() for c in lemma_7.checks(system)])
    assert any("theta" in line for line in broken)


def test_what_makes_no_sense_is_refused() -> None:
    X = SpectralSet(((-1.0, 1.0),))
    with pytest.raises(InputError, match="two nodes"):
        hermite_bound.hermite_bounds(np.zeros(1), X, 1.0, 0.0)
    with pytest.raises(InputError, match="gap"):
        hermite_bound.hermite_bounds(np.array([-1.0, 1.0]), X, math.inf, 0.0)
    with pytest.raises(InputError, match="degree"):
        explicit_polynomial(1.0, 0.0, 0.0, 1.0, 3)
    with pytest.raises(InputError, match="beside a gap"):
        explicit_rate(math.inf, 0.0, 1.0)
    with pytest.raises(InputError, match="0 <= B < A"):
        explicit_rate(1.0, 1.0, 1.0)
    with pytest.raises(InputError, match="beyond float64"):
        explicit_polynomial(math.inf, 0.0, 0.5, 1.0, 200)
