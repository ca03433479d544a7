"""Pieces of certificates that would make every proof worthless if they were wrong."""

import math
from decimal import Decimal

import flint
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.certify import decimals
from scc.certify.ball_occupations import FermiDiracBall, FrozenOccupation, PolynomialBall
from scc.certify.check_algebra import fermi, negative_eigenvalues, projector
from scc.certify.eigensystem import eigensystem
from scc.certify.failure import CertificationError, RefusedError
from scc.certify.newton_kantorovich import radii
from scc.certify.norms import frobenius, identity, matrix, spectral
from scc.certify.onsite_hopping import switch
from scc.errors import InputError
from scc.models.switching import SmoothSwitch

finite = st.floats(allow_nan=False, allow_infinity=False)
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True)
def precision():
    with flint.ctx.workprec(192):
        yield


def symmetric(seed, size, degenerate=False):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(size, size))
    if degenerate:
        values = rng.integers(-2, 3, size).astype(float)
        Q = np.linalg.qr(A)[0]
        A = Q * values @ Q.T
    return 0.5 * (A + A.T)


@given(finite)
def test_a_float_is_written_with_all_its_digits(value):
    assert Decimal(decimals.exact(value)) == Decimal(value)
    assert decimals.ball(decimals.exact(value)).overlaps(flint.arb(value))


@given(st.floats(-1e6, 1e6), st.floats(0.0, 1e3), st.floats(0.0, 1.0))
def test_a_stated_enclosure_contains_the_ball_and_hardly_more(middle, radius, slack):
    ball = flint.arb(middle, radius)
    stated = decimals.enclosure(ball, flint.arb(slack))
    assert decimals.states(stated, ball)
    m, r = (Decimal(x) for x in stated)
    # One place of the radius's five digits is lost to either rounding.
    assert r <= Decimal("1.001") * (Decimal(radius) + Decimal(slack)) + Decimal("1e-30")
    assert not decimals.states([str(m + 3 * r), str(r)], ball)


@given(st.floats(-1e6, 1e6), st.integers(1, 12))
def test_upper_and_lower_decimals_are_on_their_sides(value, digits):
    ball = flint.arb(value) / 3
    assert decimals.ball(decimals.upper(ball, digits)) >= ball
    assert decimals.ball(decimals.lower(ball, digits)) <= ball


@pytest.mark.parametrize("text", ["nan", "inf", "1e99999", "0x1", "", None, 1.5, "1_0 0"])
def test_what_is_no_decimal_is_refused(text):
    with pytest.raises(InputError):
        decimals.ball(text)


@given(seeds, st.integers(1, 12), st.booleans())
def test_levels_are_enclosed_also_where_they_coincide(seed, size, degenerate):
    A = symmetric(seed, size, degenerate)
    system = eigensystem(matrix(A))
    # Beyond float64 by far, or the centre of a certificate could not be.
    assert system.error < flint.arb("1e-40") * (1 + frobenius(matrix(A)))
    trace = sum(system.enclosed(), flint.arb(0))
    assert trace.overlaps(matrix(A).trace())
    squares = sum((x * x for x in system.enclosed()), flint.arb(0))
    assert squares.overlaps((matrix(A) * matrix(A)).trace())
    np.testing.assert_allclose(
        [float(x) for x in system.levels], np.linalg.eigvalsh(A), atol=1e-12 * size
    )


@given(seeds, st.integers(1, 8), st.integers(1, 8))
def test_the_spectral_norm_is_bounded_sharply(seed, rows, columns):
    A = np.random.default_rng(seed).normal(size=(rows, columns))
    exact = np.linalg.norm(A, 2)
    bound = float(spectral(matrix(A)))
    # The largest singular value is backward stable: 1e-14 relative.
    assert exact * (1 - 1e-14) <= bound <= exact * (1 + 1e-6)


@given(seeds, st.integers(1, 8))
def test_signs_of_eigenvalues_are_counted_or_refused(seed, size):
    A = symmetric(seed, size)
    below = int(np.sum(np.linalg.eigvalsh(A) < 0))
    assert negative_eigenvalues(matrix(A)) == below
    level = eigensystem(matrix(A)).enclosed()[0]
    with pytest.raises(RefusedError):
        negative_eigenvalues(matrix(A) - level * identity(size))


@given(seeds, st.integers(2, 7), st.floats(0.5, 200.0))
def test_doubling_and_sign_iteration_contain_the_spectral_functions(seed, size, beta):
    A = symmetric(seed, size)
    system = eigensystem(matrix(A))
    C, levels = system.orbitals, system.levels
    occupation = FermiDiracBall(flint.arb(beta), flint.arb(0))
    values = occupation.occupations(levels)
    own = fermi(matrix(A), flint.arb(beta), flint.arb(0))
    filled = size // 2
    low, high = (levels[filled - 1] + levels[filled]) / 2, levels[filled] - flint.arb("1e-12")
    cold = projector(matrix(A), low, high)
    frozen = FrozenOccupation(filled, None).occupations(levels)
    for i in range(size):
        for j in range(size):
            warm = sum((C[i, k] * f * C[j, k] for k, f in enumerate(values)), flint.arb(0))
            zero = sum((C[i, k] * f * C[j, k] for k, f in enumerate(frozen)), flint.arb(0))
            # The reference is no enclosure: it is exact to the error of the eigenvectors.
            assert abs(own[i, j] - warm).lower() <= 1e-40 * beta
            assert own[i, j].rad() < 1e-25
            assert abs(cold[i, j] - zero).lower() <= 1e-40


@given(st.floats(0.0, 6.0))
def test_the_switch_and_its_slope_are_those_of_the_model(r):
    value, slope = switch(flint.arb(r), flint.arb(1.5), flint.arb(4.0))
    model = SmoothSwitch(1.5, 4.0)
    distance = np.array([r])
    # s has condition numbers up to 1/x² ~ 1e6 near its ends in float64.
    assert abs(float(value) - model(distance)[0]) < 1e-9
    assert abs(float(slope) - model.derivative(distance)[0]) < 1e-9


def test_a_distance_at_the_end_of_a_switch_is_no_obstacle():
    for end in (1.5, 4.0):
        value, slope = switch(flint.arb(end, 1e-20), flint.arb(1.5), flint.arb(4.0))
        assert value.rad() < 1e-300
        assert slope.rad() < 1e-300


@given(st.integers(2, 24), st.floats(1.0, 20.0), st.floats(-0.8, 0.8), seeds)
def test_polynomials_in_balls_are_those_of_the_library(degree, beta, mu, seed):
    occupation = PolynomialOccupation.interpolate(SpectralSet(((-1.2, 1.3),)), degree, beta, mu)
    ball = PolynomialBall(
        flint.arb(-1.2), flint.arb(1.3), [flint.arb(c) for c in occupation.coefficients]
    )
    x = np.sort(np.random.default_rng(seed).uniform(-1.2, 1.3, 4))
    levels = [flint.arb(value) for value in x]
    scale = 1e-13 * degree**4 * (1.0 + np.max(np.abs(occupation.coefficients)))
    np.testing.assert_allclose(
        [float(f) for f in ball.occupations(levels)], occupation.occupation(x), atol=scale
    )
    assert float(ball.grand_potential(levels)) == pytest.approx(
        2 * float(np.sum(occupation.grand_potential(x))), abs=8 * scale
    )
    divided = ball.divided_differences(levels)
    expected = occupation.divided_difference(x[:, None], x[None, :])
    found = [[float(divided[i, j]) for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(found, expected, atol=scale)
    assert float(ball.lipschitz(levels)) >= np.max(np.abs(expected)) * (1 - 1e-12)
    second = occupation.second_divided_difference(x[:, None, None], x[:, None], x)
    assert float(ball.second_derivative) >= 2 * np.max(np.abs(second)) * (1 - 1e-9) - scale


class Quadratic:
    """Φ(x) = (x² − 1 − ε)/2 near x̄ = 1: DΦ = x, Y = ε/2, ω(r) = r, zeros ±√(1+ε)."""

    def __init__(self, epsilon):
        self.newton_step = flint.arb(epsilon) / 2

    def modulus(self, radius):
        return +radius


@given(st.floats(1e-12, 2.0))
def test_newton_kantorovich_finds_the_root_of_a_quadratic_or_says_why_not(epsilon):
    apart = math.sqrt(1.0 + epsilon) - 1.0
    if epsilon / 2 > 0.26:  # Y + r² ≤ r needs Y ≤ 1/4
        with pytest.raises(CertificationError, match="must be below 1"):
            radii(Quadratic(epsilon))
    elif epsilon / 2 < 0.12:  # doubling finds an interval of radii wider than a factor 2
        found = radii(Quadratic(epsilon))
        assert apart * (1 - 1e-12) <= float(found.existence) <= 1.2 * epsilon
        # The other zero is at −√(1+ε), and ω(r) < 1 ends at r = 1.
        assert 0.98 < float(found.uniqueness) < 1.0


def test_an_unbounded_step_is_no_certificate():
    problem = Quadratic(1.0)
    problem.newton_step = flint.arb.pos_inf()
    with pytest.raises(CertificationError, match="no finite bound"):
        radii(problem)
