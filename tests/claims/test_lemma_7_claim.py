"""What the measurement behind lemma-7 would not notice, and its asymptotic formulas."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scc.bodyorder.ball_functions import occupation_ball
from scc.bodyorder.green import convergence_rate, critical_point
from scc.bodyorder.interpolation import chebyshev_interpolants
from scc.bodyorder.leja import leja_points
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet, spectral_set
from scc.claims import lemma_7
from scc.claims._rate_asymptotics import leading_rate
from scc.claims.claim import System
from scc.claims.tasks import measure_system


def _system(kind, edges, beta, **rest):
    return System("a test", {"kind": kind, "set": list(edges), "beta": beta, **rest})


def test_wrong_rate_is_not_noticed(monkeypatch):
    system = _system("rate", (-0.3, 0.3, 0.05, 0.0, 0.0), "10")
    assert lemma_7.measure(system).holds is True
    original = lemma_7.convergence_rate
    # 8 % off: the pole of a temperature 8 % off.
    monkeypatch.setattr(lemma_7, "convergence_rate", lambda *args: 1.08 * original(*args))
    assert lemma_7.measure(system).holds is False


def test_small_rate_is_decided():
    result = lemma_7.measure(_system("rate", (-1.0, 1.0, 0.0, 0.0, 0.0), "80"))
    assert result.holds is None
    assert result.violated == ["theta >= 0.1"]


def test_hidden_pole_is_decided():
    # The residue of the pole is e^{-400 0.1} = 4e-18: the window sees the rate of beta = inf.
    result = lemma_7.measure(_system("rate", (-1.0, 1.0, 0.0, 0.1, 0.3), "400"))
    assert result.holds is None
    assert result.violated == ["no delay by a small residue of the pole"]


class InterpolatedTwice(PolynomialOccupation):
    """F_N interpolates F on its own and is not G_N'."""

    def __post_init__(self):
        super().__post_init__()
        X = self.spectral_set
        function = occupation_ball(X, self.beta, self.chemical_potential)
        nodes = leja_points(X, self.degree)
        (series,) = chebyshev_interpolants(function, nodes, X.lower, X.upper, [self.degree - 1])
        object.__setattr__(self, "_occupation_series", series)


@pytest.mark.parametrize("degree", [5, 20, 60])
def test_another_f_passes_for_the_derivative_of_g(degree):
    X = spectral_set(-1.0, 1.0, 0.1, 0.1, 0.5)
    rng = np.random.default_rng(1)
    right = PolynomialOccupation.interpolate(X, degree, math.inf, 0.1)
    mismatch, rounding = lemma_7.derivative_mismatch(right, rng)
    assert mismatch <= rounding < 1e-12
    wrong = InterpolatedTwice.interpolate(X, degree, math.inf, 0.1)
    mismatch, rounding = lemma_7.derivative_mismatch(wrong, rng)
    assert mismatch > 1e6 * rounding


@settings(max_examples=20)
@given(
    below=st.floats(0.05, 0.3),
    above=st.floats(0.05, 0.3),
    mu=st.floats(-0.5, 0.5),
    degree=st.integers(40, 80),
)
def test_integrated_f_misses_by_another_amount(below, above, mu, degree):
    """Half of |µ − c|, with the ripple that Leja points leave of it."""
    X = spectral_set(-1.0, 1.0, mu, below, above)
    assume(convergence_rate(X, math.inf, mu) * degree > 8.0)
    offset = abs(mu - critical_point(X))
    assume(offset > 0.03)
    (series,) = chebyshev_interpolants(
        occupation_ball(X, math.inf, mu), leja_points(X, degree + 1), -1.0, 1.0, [degree]
    )
    x = X.sample(300)
    integral = np.polynomial.Chebyshev(series).integ()(x) - np.minimum(x - mu, 0.0)
    # The step of the interpolant has the width of one oscillation at c.
    ripple = (below + above) / (convergence_rate(X, math.inf, mu) * degree)
    assert abs(0.5 * np.ptp(integral) - 0.5 * offset) < ripple


@given(
    scale=st.floats(-6.0, -1.5).map(lambda power: 10.0**power),
    below=st.floats(0.02, 1.0),
    above=st.floats(0.02, 1.0),
    temperature=st.floats(0.05, 1.0),
    mu=st.floats(-0.9, 0.9),
)
def test_leading_term_leads_nowhere(scale, below, above, temperature, mu):
    """θ = leading term · (1 + O(scale)), gaps and β⁻¹ of the order of the scale; and the paper's
    β⁻¹ + √g₋√g₊ is a lower bound."""
    gaps = scale * 0.1 * below, scale * 0.1 * above
    beta = 1.0 / (0.1 * scale * temperature)
    X = spectral_set(-1.0, 1.0, mu, *gaps)
    theta = convergence_rate(X, beta, mu)
    relative = scale * (1.0 + math.pi) / (1.0 - abs(mu))
    assert theta == pytest.approx(leading_rate(X, beta, mu, *gaps), rel=relative)
    density = 1.0 / math.sqrt(1.0 - mu * mu)
    paper = density * (math.pi / beta + math.sqrt(gaps[0] * gaps[1])) / math.sqrt(2.0)
    assert theta >= paper * (1.0 - relative)


@given(scale=st.floats(1e-6, 1e-2), mu=st.floats(-0.8, 0.4), above=st.floats(0.05, 0.4))
def test_band_edge_has_the_exponent_of_the_middle(scale, mu, above):
    """θ ∝ β^{−1/2} with the constant of the edge, when µ is the upper end of a band."""
    X = SpectralSet(((-1.0, mu), (mu + above, 1.0)))
    beta = math.pi / (scale * above)
    theta = convergence_rate(X, beta, mu)
    leading = leading_rate(X, beta, mu, 0.0, above)
    assert theta == pytest.approx(leading, rel=10.0 * scale / (1.0 - abs(mu)) + 1e-9)


def test_asymptotics_and_the_integral_fail():
    chosen = [s for s in lemma_7.systems(False) if s.parameters["kind"] != "rate"]
    results = [
        measure_system(lemma_7.measure, s) for s in chosen if s.parameters.get("atoms", 0) <= 30
    ]
    assert len(results) == 6
    assert all(result.holds for result in results), [r.description for r in results if not r.holds]
    figure = lemma_7.draw(results)
    assert len(figure.axes) == 4
