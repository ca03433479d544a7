"""The closed-form (G_N, F_N): a consistent occupation, the same polynomial as its series."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scc.bodyorder.explicit import ExplicitOccupation, explicit_polynomial, explicit_rate
from scc.errors import InputError
from scc.occupations.fermi_dirac import FermiDirac

MU = 0.1


def _cases():
    betas = st.one_of(st.floats(0.5, 4.0).map(math.exp), st.just(math.inf))
    inners = st.one_of(st.just(0.0), st.floats(0.05, 0.5))
    return st.tuples(betas, inners, st.floats(0.8, 3.0), st.integers(4, 40), st.integers(0, 9999))


def _made(case):
    beta, inner, outer, degree, seed = case
    assume(inner > 0.0 or math.isfinite(beta))
    occupation = ExplicitOccupation.construct(beta, MU, inner, outer, degree)
    rng = np.random.default_rng(seed)
    s = rng.uniform(inner, outer, (3, 6)) * rng.choice([-1.0, 1.0], (3, 6))
    return occupation, MU + s


@given(_cases())
def test_divided_differences_are_those_of_the_values(case) -> None:
    """Quotients of values over separations of 0.1 and more; rounding of the recurrence eps N⁴."""
    occupation, (x, y, z) = _made(case)
    f, g = occupation.occupation, occupation.grand_potential
    apart = np.minimum(np.minimum(abs(x - y), abs(y - z)), abs(x - z)) > 0.1
    x, y, z = x[apart], y[apart], z[apart]
    size = 1.0 + float(np.sum(np.abs(occupation.slope) * np.arange(len(occupation.slope)) ** 4))
    tolerance = 1e-13 * size * (1.0 + occupation.outer / occupation._half) ** 2
    first = occupation.divided_difference(x, y)
    assert np.allclose(first * (x - y), f(x) - f(y), rtol=0, atol=tolerance)
    other = occupation.grand_potential_divided_difference(x, y)
    assert np.allclose(other * (x - y), g(x) - g(y), rtol=0, atol=tolerance)
    second = occupation.second_divided_difference(x, y, z)
    difference = first - occupation.divided_difference(y, z)
    assert np.allclose(second * (x - z), difference, rtol=0, atol=10 * tolerance)


@given(_cases())
def test_derivatives_are_those_of_complex_step(case) -> None:
    """F_N = G_N′ through the Chebyshev series on the hull, a polynomial of its own."""
    occupation, (x, _, _) = _made(case)
    assume(
        occupation.inner == 0.0
        or explicit_rate(occupation.beta, occupation.inner, occupation.outer) * occupation.degree
        < 25.0
    )
    series = explicit_polynomial(
        occupation.beta, MU, occupation.inner, occupation.outer, occupation.degree
    )
    assert series.degree == occupation.degree
    unit = 1e-14 * occupation.degree**3 / occupation.outer * (1.0 + occupation.outer)
    unit *= 1.0 + float(np.sum(np.abs(occupation.slope)))
    assert np.allclose(series.grand_potential(x), occupation.grand_potential(x), rtol=0, atol=unit)
    assert np.allclose(series.occupation(x), occupation.occupation(x), rtol=0, atol=10 * unit)


def test_it_converges_to_fermi_dirac_in_all_derivatives() -> None:
    x = MU + np.array([-0.9, -0.35, 0.2, 0.8])
    for beta in (30.0, math.inf):
        exact = FermiDirac(beta, MU)
        occupation = ExplicitOccupation.construct(beta, MU, 0.2, 1.0, 160)
        for name, count in (
            ("grand_potential", 1),
            ("occupation", 1),
            ("derivative", 1),
            ("divided_difference", 2),
            ("grand_potential_divided_difference", 2),
            ("second_divided_difference", 3),
        ):
            arguments = [x, x[::-1], np.roll(x, 1)][:count]
            found = getattr(occupation, name)(*arguments)
            assert np.allclose(found, getattr(exact, name)(*arguments), rtol=0, atol=1e-9), name


def test_what_is_off_its_set_is_refused() -> None:
    occupation = ExplicitOccupation.construct(math.inf, MU, 0.2, 1.0, 20)
    occupation.check_spectrum([MU - 1.0, MU - 0.2, MU + 0.5])
    for level in (MU, MU + 0.1, MU - 1.1, math.nan):
        with pytest.raises(InputError, match="outside"):
            occupation.check_spectrum([MU + 0.5, level])
    assert occupation.with_chemical_potential(MU) is occupation
    with pytest.raises(InputError, match="chemical potential"):
        occupation.with_chemical_potential(0.0)
    with pytest.raises(InputError, match="degree"):
        ExplicitOccupation.construct(math.inf, MU, 0.2, 1.0, 3)
