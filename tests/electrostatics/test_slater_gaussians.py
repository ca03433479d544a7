"""Slater charges in Gaussians against exact integrals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammainc, gammaincc, gammaln
from strategies.finite_differences import assert_derivative

from scc.electrostatics.radial import coulomb_radial
from scc.electrostatics.slater_gaussians import ERROR, FOLLOWING_ERROR, expansion
from scc.errors import InputError

shells = st.integers(1, 6)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(160)
NODES, WEIGHTS = 0.5 * (NODES + 1.0), 0.5 * WEIGHTS


def potential(shell, exponent, r):
    """∫ρ/|x − y| of |ns⟩² at distance r: inside charge over r, and what lies outside."""
    x = 2.0 * exponent * r
    outside = exponent / shell * gammaincc(2 * shell, x)
    return gammainc(2 * shell + 1, x) / r + outside


def exact_repulsion(n1, z1, n2, z2, distance):
    """Two |ns⟩² at a distance: the potential of one averaged over spheres around the other.

    ∫ φ(t) t dt is elementary, as tφ = 1 − e^{−x}[Σ_{k≤2n} x^k/k! − (x/2n)Σ_{k<2n} x^k/k!], x = αt;
    what is left is one integral of a function analytic on both sides of s = distance.
    """
    a1, a2 = 2.0 * z1, 2.0 * z2
    weights = np.ones(2 * n1 + 1)  # of k! P(k+1, x)/k!
    weights[1:] -= np.arange(1, 2 * n1 + 1) / (2 * n1)

    def moment(t):
        return t - sum(c * gammainc(k + 1, a1 * t) for k, c in enumerate(weights)) / a1

    total = 0.0
    end = distance + (60.0 + 6.0 * n2) / a2
    for low, high in ((0.0, distance), (distance, end)):
        s, w = NODES * (high - low) + low, WEIGHTS * (high - low)
        average = (moment(distance + s) - moment(np.abs(distance - s))) / (2.0 * distance * s)
        shell = a2 * np.exp(2 * n2 * np.log(a2 * s) - a2 * s - gammaln(2 * n2 + 1))
        total += w @ (shell * average)
    return total


def by_quadrature(n1, z1, n2, z2, distance):
    """The same by two nested adaptive quadratures, with nothing done by hand."""

    def integrand(s):
        x = 2.0 * z2 * s
        shell = 2.0 * z2 * np.exp(2 * n2 * np.log(x) - x - gammaln(2 * n2 + 1))
        low, high = abs(distance - s), distance + s
        mean = quad(lambda t: potential(n1, z1, t) * t, low, high, epsabs=1e-12)[0]
        return shell * mean / (2.0 * distance * s)

    spans = ((1e-12, distance), (distance, 3.0 * distance), (3.0 * distance, 40.0 / z2))
    return sum(quad(integrand, *span, epsabs=1e-11)[0] for span in spans)


def repulsion(n1, z1, n2, z2, distance):
    one, two = expansion(n1, z1), expansion(n2, z2)
    tau = 1.0 / np.sqrt(2.0 * (one.widths[:, None] ** 2 + two.widths**2))
    kernel = coulomb_radial(np.full_like(tau, distance), tau)
    return float(one.coefficients(np.array(z1)) @ kernel @ two.coefficients(np.array(z2)))


def test_two_hydrogen_atoms_have_not_their_closed_form():
    """Slater 1s–1s: 1/r − e^{−2ζr}(1/r + 11ζ/8 + 3ζ²r/4 + ζ³r²/6), and 5ζ/8 at r = 0."""
    for r in (0.5, 2.0, 5.0):
        closed = 1 / r - np.exp(-2 * r) * (1 / r + 11 / 8 + 3 * r / 4 + r * r / 6)
        assert exact_repulsion(1, 1.0, 1, 1.0, r) == pytest.approx(closed, abs=1e-12)
        assert repulsion(1, 1.0, 1, 1.0, r) == pytest.approx(closed, abs=ERROR)
    mixed = exact_repulsion(2, 0.8, 1, 1.1, 2.5)
    assert mixed == pytest.approx(exact_repulsion(1, 1.1, 2, 0.8, 2.5), abs=1e-12)
    assert mixed == pytest.approx(by_quadrature(2, 0.8, 1, 1.1, 2.5), abs=1e-9)
    assert repulsion(1, 1.0, 1, 1.0, 0.0) == pytest.approx(0.625, abs=ERROR)


@given(shells, shells, st.floats(0.3, 1.2), st.floats(0.3, 1.2), st.floats(0.2, 12.0))
@settings(max_examples=60)
def test_the_stated_error_is_exceeded(n1, n2, z1, z2, distance):
    exact = exact_repulsion(n1, z1, n2, z2, distance)
    assert abs(repulsion(n1, z1, n2, z2, distance) - exact) < ERROR * max(z1, z2)


@given(shells, st.floats(0.25, 2.0), st.floats(0.3, 1.6), st.floats(0.2, 12.0))
@settings(max_examples=60)
def test_hydrogen_that_follows_its_charge_exceeds_its_error(shell, ratio, other, distance):
    """QEq's 32 Gaussians for ζ_H from ¼ to 2 ζ⁰ (q = −0.8 … 1): every shell, and each other."""
    hydrogen, zeta = expansion(1, 1.07, 32, 0.25), 1.07 * ratio
    for lowest in (1.0,) if shell > 1 else (1.0, 0.25):
        partner = expansion(shell, other, 32, lowest)
        tau = 1.0 / np.sqrt(2.0 * (hydrogen.widths[:, None] ** 2 + partner.widths**2))
        kernel = coulomb_radial(np.full_like(tau, distance), tau)
        weights = hydrogen.coefficients(np.array(zeta)), partner.coefficients(np.array(other))
        found = float(weights[0] @ kernel @ weights[1])
        exact = exact_repulsion(1, zeta, shell, other, distance)
        assert abs(found - exact) < FOLLOWING_ERROR * max(zeta, other)


@given(shells, st.floats(0.2, 3.0), st.floats(0.25, 2.0), st.floats(0.05, 30.0))
def test_the_potential_is_wrong_at_another_exponent(shell, exponent, ratio, distance):
    gaussians = expansion(shell, exponent, 40, lowest=0.25)
    zeta = ratio * exponent
    tau = 1.0 / (np.sqrt(2.0) * gaussians.widths)
    values = coulomb_radial(np.full_like(tau, distance / zeta), tau)
    found = float(gaussians.coefficients(np.array(zeta)) @ values)
    # A probe of no width sees what a Slater density, wider, averages over.
    assert abs(found - potential(shell, zeta, distance / zeta)) < 1e-6 * zeta


@given(shells, st.floats(0.2, 3.0), st.floats(0.5, 1.5))
def test_the_charge_is_not_one_or_its_derivatives_are_not(shell, exponent, ratio):
    gaussians = expansion(shell, exponent, 32, lowest=0.25)
    zeta = ratio * exponent
    at = np.array(zeta)
    assert gaussians.coefficients(at).sum() == pytest.approx(1.0, abs=1e-13)
    first, second = gaussians.first_derivatives(at), gaussians.second_derivatives(at)
    step = 2e-3 * exponent
    size = float(np.max(np.abs(first)))
    assert_derivative(first, lambda t: gaussians.coefficients(at + t), step, size, 1e-7)
    size = float(np.max(np.abs(second)))
    assert_derivative(second, lambda t: gaussians.first_derivatives(at + t), step, size, 1e-7)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((7, 1.0), "shell is 7"),
        ((1, -1.0), "exponent is -1.0"),
        ((1, float("nan")), "exponent is nan"),
        ((1, 1.0, 3), "at least 4 Gaussians"),
        ((1, 1.0, 24, 0.0), "lowest relative exponent is 0.0"),
    ],
)
def test_an_impossible_expansion_is_made(arguments, part):
    with pytest.raises(InputError, match=part):
        expansion(*arguments)
