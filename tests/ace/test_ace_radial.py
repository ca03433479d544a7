"""Radial functions: wrong slopes, not orthonormal, a kink at the cut-off, sets that do not nest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial.legendre import leggauss
from strategies.finite_differences import assert_derivative

from scc.ace.radial import RadialBasis, flow_functions
from scc.errors import InputError

cutoffs = st.floats(2.0, 20.0)
bond_lengths = st.floats(1.0, 4.0)
numbers = st.integers(1, 14)


@given(cutoffs, numbers, bond_lengths, st.floats(0.0, 1.2))
def test_slope_is_not_the_derivative(cutoff, number, bond_length, fraction):
    basis = RadialBasis(cutoff, number, bond_length)
    r = np.array([fraction * cutoff])
    # Poles of the switch stand at complex r_c (3 ± i√3)/4 and beyond, those of x at ± i r₀; an
    # h of a thousandth of the nearest distance keeps polynomials of degree 14 exact as well.
    step = 1e-3 * min(0.3 * cutoff, bond_length)
    size = float(np.max(np.abs(basis(np.linspace(0.0, cutoff, 400))[1])))
    assert_derivative(basis(r)[1], lambda t: basis(r + t)[0], step, size)


@given(cutoffs, numbers, bond_lengths)
def test_functions_are_not_orthonormal(cutoff, number, bond_length):
    nodes, weights = leggauss(700)
    values, _ = RadialBasis(cutoff, number, bond_length)(0.5 * cutoff * (nodes + 1.0))
    gram = values.T @ (values * (0.5 * cutoff * weights)[:, None])
    assert np.max(np.abs(gram - np.eye(number))) <= 1e-6


@given(cutoffs, numbers, bond_lengths)
def test_fewer_functions_are_not_the_first_of_more(cutoff, number, bond_length):
    r = np.linspace(0.0, cutoff, 50)
    few, many = RadialBasis(cutoff, number, bond_length), RadialBasis(cutoff, 16, bond_length)
    for some, all_of_them in zip(few(r), many(r), strict=True):
        assert np.max(np.abs(some - all_of_them[:, :number])) <= 1e-6 * np.max(np.abs(some))


@given(cutoffs, numbers, bond_lengths)
def test_function_has_a_kink_at_the_cutoff_or_sees_beyond(cutoff, number, bond_length):
    basis = RadialBasis(cutoff, number, bond_length)
    largest = np.max(np.abs(basis(np.linspace(0.0, cutoff, 400))[0]))
    # A factor (1 − r/r_c)⁴, three continuous derivatives, would still be 1e-8 here.
    for part in basis(np.array([0.99 * cutoff])):
        assert np.max(np.abs(part)) * min(cutoff, 1.0) <= 1e-12 * largest
    for part in basis(cutoff * np.array([1.0, 1.0 + 1e-15, 1.5, 100.0])):
        assert not np.any(part)


def _least_squares_error(basis, r, target):
    values, _ = basis(r)
    return np.max(np.abs(values @ np.linalg.lstsq(values, target, rcond=None)[0] - target))


def test_bond_lengths_of_water_are_not_resolved():
    """Six functions follow the Morse curve of an OH bond, 0.8 to 1.25 Å, to 1e-3 of its depth;
    twelve follow a bump of 0.25 Å where hydrogen bonds and neighbouring oxygens are, to 2 %."""
    angstrom = 1.8897
    bonds = np.linspace(0.8, 1.25, 60) * angstrom
    morse = (1.0 - np.exp(-1.2 * (bonds - 1.81))) ** 2
    assert _least_squares_error(RadialBasis(4.0 * angstrom, 6), bonds, morse) <= 1e-3
    contacts = np.linspace(1.5, 3.5, 200) * angstrom
    for place in (1.9, 2.8):
        bump = np.exp(-0.5 * ((contacts / angstrom - place) / 0.25) ** 2)
        assert _least_squares_error(RadialBasis(4.0 * angstrom, 12), contacts, bump) <= 2e-2


def test_flow_functions_are_others():
    r = np.linspace(0.5, 7.0, 30)
    assert np.array_equal(flow_functions(7.0, 5)(r)[0], RadialBasis(7.0, 5)(r)[0])


@pytest.mark.parametrize(
    ("cutoff", "number", "bond_length", "named"),
    [
        (0.0, 3, 2.0, "cut-off"),
        (np.nan, 3, 2.0, "cut-off"),
        (7.0, 0, 2.0, "radial functions"),
        (7.0, 25, 2.0, "radial functions"),
        (7.0, 3, -1.0, "bond length"),
    ],
)
def test_nonsense_is_accepted(cutoff, number, bond_length, named):
    with pytest.raises(InputError, match=named):
        RadialBasis(cutoff, number, bond_length)
