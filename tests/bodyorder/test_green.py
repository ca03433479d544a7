"""Green's function against mpmath quadrature, closed forms and its own invariances."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies.spectra import powers_of_ten, spectral_problems, spectral_sets

from scc.bodyorder.green import capacity, convergence_rate, critical_point, greens_function
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError

# Documented absolute accuracy of the quadrature.
QUADRATURE = 1e-13

sets = st.integers(1, 2).flatmap(spectral_sets)


@st.composite
def points_around(draw, X):
    length = X.upper - X.lower
    real = X.lower + length * draw(st.floats(-1.0, 2.0))
    return complex(real, length * draw(st.one_of(st.just(0.0), powers_of_ten(-3.0, 0.5))))


def conditioning(X, z):
    """|g'(z)| times a rounding of z: what no algorithm avoids next to the endpoints."""
    endpoints = np.array(X.intervals).ravel()
    nearest = np.abs(z - endpoints).min()
    length = X.upper - X.lower
    rounding = np.finfo(float).eps * (np.abs(endpoints).max() + abs(z))
    return rounding * 4.0 / math.sqrt(length * max(nearest, rounding))


def mp_critical_point(X):
    """The zero of g' from integrals over the gap, by mpmath's tanh-sinh rule."""
    endpoints = [mpmath.mpf(e) for interval in X.intervals for e in interval]
    middle, half = (endpoints[1] + endpoints[2]) / 2, (endpoints[2] - endpoints[1]) / 2

    def moment(k):
        def integrand(angle):
            x = middle + half * mpmath.cos(angle)
            return x**k / mpmath.sqrt((x - endpoints[0]) * (endpoints[3] - x))

        return mpmath.quad(integrand, [0, mpmath.pi])

    return moment(1) / moment(0)


def mp_green(X, z):
    """Re ∫ (t−c)/√Π(t−e) dt from the upper endpoint, along an arc through the upper half plane."""
    endpoints = [mpmath.mpf(e) for interval in X.intervals for e in interval]
    critical = mp_critical_point(X)
    z = mpmath.mpc(z.real, abs(z.imag))

    def derivative(t):
        root = mpmath.mpf(1)
        for endpoint in endpoints:
            root *= mpmath.sqrt(t - endpoint)
        return (t - critical) / root

    start = endpoints[3]
    above = mpmath.mpc((start + z.real) / 2, abs(start - z.real) + z.imag + endpoints[3] / 7)
    # Square-root substitutions at both ends: z may be close to an endpoint too.
    first = mpmath.quad(
        lambda s: derivative(start + (above - start) * s**2) * 2 * s * (above - start), [0, 1]
    )
    second = mpmath.quad(
        lambda s: derivative(z + (above - z) * s**2) * 2 * s * (above - z), [0, 0.5, 1]
    )
    return float(mpmath.re(first - second))


@settings(max_examples=6)
@given(st.data())
def test_two_intervals_disagree_with_quadrature(data):
    X = data.draw(spectral_sets(2))
    shifted = SpectralSet(tuple((low - X.lower, high - X.lower) for low, high in X.intervals))
    z = data.draw(points_around(shifted))
    with mpmath.workdps(20):
        assert critical_point(shifted) == pytest.approx(
            float(mp_critical_point(shifted)), abs=QUADRATURE * shifted.upper
        )
        expected = mp_green(shifted, z)
    assert abs(float(greens_function(shifted, z)) - expected) <= (
        QUADRATURE + conditioning(shifted, z)
    )


@given(st.data())
def test_one_interval_disagrees_with_its_closed_form(data):
    X = data.draw(spectral_sets(1))
    z = data.draw(points_around(X))
    with mpmath.workdps(40):
        centred = (2 * mpmath.mpc(z) - X.lower - X.upper) / (mpmath.mpf(X.upper) - X.lower)
        expected = abs(float(mpmath.re(mpmath.acosh(centred))))
    assert abs(float(greens_function(X, z)) - expected) <= QUADRATURE + conditioning(X, z)
    assert capacity(X) == (X.upper - X.lower) / 4


@given(powers_of_ten(-2.0, 1.0), powers_of_ten(-1.0, 1.0), st.data())
def test_symmetric_intervals_disagree_with_the_square_map(inner, width, data):
    # [−b,−a] ∪ [a,b] is the preimage of [a²,b²] under z², so g(z) = ½ g_{[a²,b²]}(z²).
    outer = inner + width
    X = SpectralSet(((-outer, -inner), (inner, outer)))
    z = data.draw(points_around(X))
    with mpmath.workdps(40):
        a, b = mpmath.mpf(inner) ** 2, mpmath.mpf(outer) ** 2
        expected = (
            abs(float(mpmath.re(mpmath.acosh((2 * mpmath.mpc(z) ** 2 - a - b) / (b - a))))) / 2
        )
    assert abs(float(greens_function(X, z)) - expected) <= QUADRATURE + conditioning(X, z)
    assert abs(critical_point(X)) <= QUADRATURE * outer
    assert capacity(X) == pytest.approx(math.sqrt(outer**2 - inner**2) / 2, rel=QUADRATURE)


@given(sets, powers_of_ten(-1.0, 1.0), st.floats(-3.0, 3.0), st.data())
def test_affine_maps_change_greens_function(X, scale, shift, data):
    z = data.draw(points_around(X))
    mapped = SpectralSet(
        tuple((scale * low + shift, scale * high + shift) for low, high in X.intervals)
    )
    moved = scale * z + shift
    tolerance = 2 * QUADRATURE + conditioning(X, z) + conditioning(mapped, moved)
    assert abs(greens_function(X, z) - greens_function(mapped, moved)) <= tolerance
    assert capacity(mapped) == pytest.approx(scale * capacity(X), rel=1e-12)


@given(sets)
def test_greens_function_is_not_zero_exactly_on_the_set(X):
    assert np.all(greens_function(X, X.sample(33)) == 0.0)
    length = X.upper - X.lower
    outside = np.array([X.lower - 1e-3 * length, X.upper + 1e-3 * length])
    assert np.all(greens_function(X, outside) > 0.0)
    # Large z: g = ln|z| − ln cap + O(1/z) about the hull's middle.
    far = 0.5 * (X.lower + X.upper) + 1e6 * length * np.array([1.0, -1.0, 1j])
    expected = math.log(1e6 * length) - math.log(capacity(X))
    np.testing.assert_allclose(greens_function(X, far), expected, atol=1e-6)


@given(spectral_sets(2))
def test_critical_point_is_not_the_maximum_over_the_gap(X):
    gap = np.linspace(*X.gap, 101)
    values = greens_function(X, gap)
    assert values[0] == values[-1] == 0.0
    top = float(greens_function(X, critical_point(X)))
    assert np.all(values <= top + QUADRATURE)
    # The nearest grid point is within 1/200 of the gap, where g is flat to (spacing/width)².
    assert top <= values.max() * 1.001


@given(st.integers(1, 2).flatmap(lambda n: spectral_problems(n, False)))
@example((SpectralSet(((-1.0, 1.0),)), 20.0, 0.0))
def test_rate_is_not_the_value_at_the_nearest_pole(problem):
    X, beta, mu = problem
    rate = convergence_rate(X, beta, mu)
    poles = np.array([complex(mu, (2 * n + 1) * math.pi / beta) for n in range(4)])
    values = greens_function(X, poles)
    assert rate == pytest.approx(values.min(), abs=QUADRATURE)
    assert np.argmin(values) == 0
    assert rate == pytest.approx(float(greens_function(X, poles[0].conjugate())), abs=QUADRATURE)
    if X.gap is None and X.lower < mu < X.upper:
        # Joukowski map of the Bernstein ellipse through the pole, semi-axes (ρ ± 1/ρ)/2.
        centred = 2.0 * (mu - 0.5 * (X.lower + X.upper)) / (X.upper - X.lower)
        imaginary = 2.0 * math.pi / beta / (X.upper - X.lower)
        axes = math.cosh(rate), math.sinh(rate)
        assert (centred / axes[0]) ** 2 + (imaginary / axes[1]) ** 2 == pytest.approx(1, abs=1e-9)


def test_zero_temperature_rate():
    X = SpectralSet(((-2.0, -0.5), (0.5, 2.0)))
    # Symmetric: ½ arcosh((b²+a²)/(b²−a²)) at z = 0.
    expected = 0.5 * math.acosh((4.0 + 0.25) / (4.0 - 0.25))
    for mu in (0.0, 0.3, -0.5):
        assert convergence_rate(X, math.inf, mu) == pytest.approx(expected, abs=QUADRATURE)
    assert convergence_rate(X, math.inf, 2.5) == math.inf
    assert convergence_rate(SpectralSet(((-1.0, 1.0),)), math.inf, -1.0) == math.inf


@pytest.mark.parametrize(("beta", "mu"), [(math.inf, 1.0), (0.0, 0.0), (math.nan, 0.0)])
def test_rate_without_a_meaning_is_returned(beta, mu):
    with pytest.raises(InputError):
        convergence_rate(SpectralSet(((-2.0, -0.5), (0.5, 2.0))), beta, mu)
    with pytest.raises(InputError, match="no gap"):
        critical_point(SpectralSet(((-1.0, 1.0),)))


def test_extreme_gap_is_returned_unconverged():
    with pytest.raises(InputError, match="too small"):
        greens_function(SpectralSet(((0.0, 1e-12), (1.0, 2.0))), 0.5)
