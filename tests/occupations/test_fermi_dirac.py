"""The spectral functions against 200-digit arithmetic and against their definitions."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.spectra import coalescing_energies, inverse_temperatures, powers_of_ten, signed

from scc.errors import InputError
from scc.occupations.fermi_dirac import FermiDirac, entropy

EPS = np.finfo(np.float64).eps
# Below this an exponential has lost digits to gradual underflow.
UNDERFLOW = 1e-290

# Steps of 1e-9 Hartree: at β = ∞ energies 1e-300 apart would overflow any divided difference.
chemical_potentials = st.integers(-(10**10), 10**10).map(lambda steps: 1e-9 * steps)


class Reference:
    """F and G and their divided differences in 200 digits, from the definitions.

    Where µ lies above the middle argument 1−F is differenced instead of F, whose digits are all
    nines there; coinciding arguments are taken apart by 1e-50/β.
    """

    def __init__(self, beta: float, mu: float) -> None:
        self.beta, self.mu = mpmath.mpf(beta), mpmath.mpf(mu)

    def reduced(self, *arguments: float) -> list[mpmath.mpf]:
        apart: list[mpmath.mpf] = []
        for argument in arguments:
            value = self.beta * (mpmath.mpf(argument) - self.mu)
            while any(value == other for other in apart):
                value += mpmath.mpf("1e-50")
            apart.append(value)
        return sorted(apart)

    @staticmethod
    def fermi(a: mpmath.mpf) -> mpmath.mpf:
        return 1 / (1 + mpmath.exp(a))

    def first(self, *arguments: float) -> mpmath.mpf:
        return self.beta * self._first(*self.reduced(*arguments))

    def _first(self, a: mpmath.mpf, b: mpmath.mpf) -> mpmath.mpf:
        if b < 0:
            return self._first(-b, -a)
        return (self.fermi(b) - self.fermi(a)) / (b - a)

    def second(self, *arguments: float) -> tuple[mpmath.mpf, mpmath.mpf]:
        """F[x,y,z] and the sum of the magnitudes of the two terms that F'' consists of."""
        a, b, c = self.reduced(*arguments)
        value = (self._first(b, c) - self._first(a, b)) / (c - a)

        def term(sign: int) -> mpmath.mpf:
            p, q, r = (mpmath.exp(sign * argument) for argument in (a, b, c))
            exponential = ((r - q) / (c - b) - (q - p) / (b - a)) / (c - a)
            return exponential / ((1 + p) * (1 + q) * (1 + r))

        return self.beta**2 * value, self.beta**2 * (term(1) + term(-1))

    def mean(self, *arguments: float) -> mpmath.mpf:
        a, b = self.reduced(*arguments)
        return (mpmath.log1p(mpmath.exp(-a)) - mpmath.log1p(mpmath.exp(-b))) / (b - a)


def rounding(reference: Reference, *arguments: float) -> float:
    """ε·(1+max|β(x−µ)|): the relative error that one rounding of β(x−µ) makes in e^{β(x−µ)}."""
    return float(EPS * (1 + max(abs(reference.beta * (x - reference.mu)) for x in arguments)))


@given(st.data(), inverse_temperatures(), chemical_potentials)
def test_divided_differences_lose_digits_when_arguments_coalesce(data, beta, mu):
    x, y, z = data.draw(coalescing_energies(3, beta, mu))
    exact, fermi = Reference(beta, mu), FermiDirac(beta, mu)
    with mpmath.workdps(200):
        # Eight roundings, each amplified by the exponent: measured worst 2.6.
        bound = 8 * rounding(exact, x, y, z)
        first = exact.first(x, y)
        assert abs(float(fermi.divided_difference(x, y)) - first) <= bound * abs(first) + UNDERFLOW
        mean = exact.mean(x, y)
        assert abs(float(fermi.grand_potential_divided_difference(x, y)) - mean) <= (
            bound * mean + UNDERFLOW
        )
        second, size = exact.second(x, y, z)
        assert abs(float(fermi.second_divided_difference(x, y, z)) - second) <= (
            bound * size + UNDERFLOW
        )


@given(
    st.integers(-3000, 3000).map(lambda steps: 1e-3 * steps),
    powers_of_ten(-5.0, 1.0),
    st.integers(0, 1000),
)
def test_second_difference_loses_digits_at_moderate_spread(a, spread, thousandths):
    # Spreads around one, where the series hands over to the quotient: three digits more than above.
    energies = [a, a + spread * (thousandths / 1000), a + spread]
    exact, fermi = Reference(1.0, 0.0), FermiDirac(1.0, 0.0)
    with mpmath.workdps(200):
        second, size = exact.second(*energies)
        error = abs(float(fermi.second_divided_difference(*energies)) - second)
        assert error <= 8 * rounding(exact, *energies) * size


@given(st.data(), inverse_temperatures(), chemical_potentials)
def test_values_and_derivative_overflow_or_cancel(data, beta, mu):
    (x,) = data.draw(coalescing_energies(1, beta, mu))
    exact, fermi = Reference(beta, mu), FermiDirac(beta, mu)
    with mpmath.workdps(200):
        bound = 8 * rounding(exact, x)
        (a,) = exact.reduced(x)
        occupation = exact.fermi(a)
        assert abs(float(fermi.occupation(x)) - occupation) <= bound * occupation + UNDERFLOW
        grand = -mpmath.log1p(mpmath.exp(-a)) / exact.beta
        assert abs(float(fermi.grand_potential(x)) - grand) <= bound * abs(grand) + UNDERFLOW
        derivative = -exact.beta * occupation * exact.fermi(-a)
        assert abs(float(fermi.derivative(x)) - derivative) <= bound * abs(derivative) + UNDERFLOW


@given(inverse_temperatures(), chemical_potentials, signed(-6.0, 6.0))
def test_entropy_inconsistent_with_grand_potential(beta, mu, reduced):
    x = mu + reduced / beta
    fermi = FermiDirac(beta, mu)
    occupation = fermi.occupation(x)
    kinetic = (x - mu) * occupation
    left = kinetic + entropy(occupation) / beta
    # S(F) forgets the hole 1−F below rounding; its slope there is |β(x−µ)| < 40.
    bound = 100 * EPS * (abs(kinetic) + 1 / beta)
    assert abs(left - fermi.grand_potential(x)) <= bound


@given(st.data(), chemical_potentials)
def test_step_function_differs_from_its_definition(data, mu):
    # Exact rational arithmetic on the definition; equal arguments on one side of µ give zero.
    energies = data.draw(coalescing_energies(3, 1.0, mu, largest=2.0))
    fermi = FermiDirac(math.inf, mu)
    level = Fraction(mu)

    def step(x: Fraction) -> Fraction:
        return Fraction(1, 2) if x == level else Fraction(int(x < level))

    def first(x: Fraction, y: Fraction) -> Fraction:
        return Fraction(0) if x == y else (step(x) - step(y)) / (x - y)

    x, y, z = sorted(Fraction(energy) for energy in energies)
    if y == level and level in (x, z):
        with pytest.raises(InputError, match="no derivative at the chemical potential"):
            fermi.second_divided_difference(*energies)
        return
    second = Fraction(0) if x == z else (first(y, z) - first(x, y)) / (z - x)
    terms = 0.0 if x == z else float((abs(first(y, z)) + abs(first(x, y))) / (z - x))
    assert abs(fermi.second_divided_difference(*energies) - float(second)) <= 8 * EPS * terms
    assert math.isclose(
        fermi.divided_difference(*energies[:2]),
        first(Fraction(energies[0]), Fraction(energies[1])),
        rel_tol=8 * EPS,
    )
    low, high = sorted((Fraction(energies[0]), Fraction(energies[1])))
    if low == high:
        mean = step(low)
    else:
        mean = (min(high - level, Fraction(0)) - min(low - level, Fraction(0))) / (high - low)
    measured = fermi.grand_potential_divided_difference(*energies[:2])
    assert math.isclose(measured, mean, rel_tol=8 * EPS)
    assert fermi.occupation(energies[0]) == float(step(Fraction(energies[0])))
    assert math.isclose(
        fermi.grand_potential(energies[0]), min(Fraction(energies[0]) - level, Fraction(0))
    )


@given(st.data(), chemical_potentials)
def test_low_temperature_is_not_continuous_with_zero_temperature(data, mu):
    # All arguments at least 1e-3 from µ and β = 1e6: F differs from the step by e^{-1000}.
    offsets = [data.draw(signed(-3.0, 1.0)) for _ in range(3)]
    energies = [mu + offset for offset in offsets]
    cold, frozen = FermiDirac(1e6, mu), FermiDirac(math.inf, mu)
    tolerance = {"rtol": 1e-12, "atol": 1e-290}
    np.testing.assert_allclose(cold.occupation(energies), frozen.occupation(energies), **tolerance)
    np.testing.assert_allclose(
        cold.grand_potential(energies), frozen.grand_potential(energies), **tolerance
    )
    np.testing.assert_allclose(
        cold.divided_difference(*energies[:2]),
        frozen.divided_difference(*energies[:2]),
        **tolerance,
    )
    # Differences of 1/(distance) terms of size up to 1e3 each, over a width of at least 1e-3.
    np.testing.assert_allclose(
        cold.second_divided_difference(*energies),
        frozen.second_divided_difference(*energies),
        rtol=1e-11,
        atol=1e-9,
    )


@given(st.data(), st.sampled_from((0.5, 30.0, math.inf)))
def test_divided_differences_depend_on_the_order_of_arguments(data, beta):
    x, y, z = (data.draw(signed(-9.0, 1.0)) for _ in range(3))
    fermi = FermiDirac(beta, 0.0)
    assert fermi.divided_difference(x, y) == fermi.divided_difference(y, x)
    reference = fermi.second_divided_difference(x, y, z)
    for order in ((y, x, z), (z, y, x), (y, z, x)):
        assert fermi.second_divided_difference(*order) == reference


def test_broadcasting_changes_values_or_shapes():
    rng = np.random.default_rng(0)
    x = rng.normal(size=5)
    for beta in (3.0, math.inf):
        fermi = FermiDirac(beta, 0.1)
        third = fermi.second_divided_difference(
            x[:, None, None], x[None, :, None], x[None, None, :]
        )
        assert third.shape == (5, 5, 5)
        assert third[1, 2, 3] == fermi.second_divided_difference(x[1], x[2], x[3])
        assert fermi.divided_difference(x[:, None], x).shape == (5, 5)
        np.testing.assert_array_equal(
            np.diagonal(fermi.divided_difference(x[:, None], x)), fermi.derivative(x)
        )
        np.testing.assert_array_equal(
            fermi.grand_potential_divided_difference(x, x), fermi.occupation(x)
        )


def test_chemical_potential_is_not_replaced():
    moved = FermiDirac(3.0, 0.1).with_chemical_potential(0.7)
    assert moved == FermiDirac(3.0, 0.7)


@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan])
def test_impossible_temperature_is_accepted(beta):
    with pytest.raises(InputError, match=f"got {beta}"):
        FermiDirac(beta, 0.0)


@pytest.mark.parametrize("mu", [math.inf, -math.inf, math.nan])
def test_infinite_chemical_potential_is_accepted(mu):
    with pytest.raises(InputError, match="chemical potential must be finite"):
        FermiDirac(1.0, mu)


@pytest.mark.parametrize("occupation", [-0.1, 1.5, math.nan])
def test_entropy_outside_its_domain(occupation):
    with pytest.raises(InputError, match="outside"):
        entropy([0.5, occupation])


def test_entropy_of_full_and_empty_levels_is_nan():
    np.testing.assert_array_equal(entropy([0.0, 1.0]), [0.0, 0.0])
    assert entropy(0.5) == pytest.approx(-math.log(2.0), rel=4 * EPS)
