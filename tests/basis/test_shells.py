"""Shells and basis sets: what can be wrong with them, and the tabulated STO-3G."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyscf import gto
from strategies.basis import basis_sets, exponents

from scc.basis.evaluate import evaluate
from scc.basis.overlap import overlap
from scc.basis.shells import BasisSet, Shell, single_gaussian
from scc.basis.sto3g import sto3g, sto3g_shells
from scc.configuration import Configuration
from scc.errors import InputError


@given(basis_sets(largest_l=3))
def test_every_orbital_has_unit_norm(basis):
    np.testing.assert_allclose(np.diag(overlap(basis).matrix), 1.0, rtol=1e-13)


@given(exponents)
def test_single_gaussian_is_the_stated_function(exponent):
    basis = single_gaussian(Configuration(("H",), np.array([[0.1, 0.2, 0.3]])), exponent)
    (value,) = evaluate(basis, np.array([[0.1, 0.2, 1.3]]))
    assert value[0, 0] == pytest.approx((2 * exponent / np.pi) ** 0.75 * np.exp(-exponent))


def test_sto3g_holds_the_published_tables_of_all_18_elements():
    symbols = list(sto3g_shells())
    assert symbols[0] == "H"
    assert symbols[-1] == "Ar"
    assert len(symbols) == 18
    for symbol in symbols:
        reference = gto.basis.load("sto-3g", symbol)
        assert len(reference) == len(sto3g_shells()[symbol])
        for shell, (l, *rows) in zip(sto3g_shells()[symbol], reference, strict=True):  # noqa: E741
            assert shell.angular_momentum == l
            np.testing.assert_array_equal(np.transpose([shell.exponents, shell.coefficients]), rows)


def test_functions_are_counted_and_owned_by_their_atoms():
    basis = sto3g(Configuration(("H", "O", "Na"), np.diag([0.0, 3.0, 6.0])))
    assert basis.n_functions == 1 + 5 + 9
    np.testing.assert_array_equal(basis.atom_of_function, [0] + [1] * 5 + [2] * 9)


def test_unknown_element_is_named_with_its_atom():
    with pytest.raises(InputError, match="atom 1 is 'Fe'"):
        sto3g(Configuration(("H", "Fe"), np.diag([0.0, 3.0, 0.0])[:2]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, (1.0,), (1.0,)), "angular momentum -1"),
        ((0, (-2.0,), (1.0,)), "-2.0"),
        ((0, (float("nan"),), (1.0,)), "nan"),
        ((0, (float("inf"),), (1.0,)), "inf"),
        ((0, (1.0, 2.0), (1.0,)), "2 exponents and 1"),
        ((0, (), ()), "0 exponents"),
        ((0, (1.0,), (0.0,)), "no finite norm"),
        ((0, (1.0,), (float("nan"),)), "no finite norm"),
    ],
)
def test_impossible_shells_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Shell(*arguments)


def test_impossible_basis_sets_are_refused():
    s = Shell(0, (1.0,), (1.0,))
    with pytest.raises(InputError, match="1 lists of shells for 2 atoms"):
        BasisSet(np.zeros((2, 3)), [[s]])
    with pytest.raises(InputError, match="shape"):
        BasisSet(np.zeros((2, 2)), [[s], [s]])
    with pytest.raises(InputError, match="no functions"):
        BasisSet(np.zeros((1, 3)), [[]])


@given(st.data(), basis_sets(largest_l=1, most_atoms=2))
def test_an_atom_without_functions_changes_nothing(data, basis):
    ghost = BasisSet(
        np.vstack([basis.positions, [data.draw(st.tuples(*[st.floats(-2, 2)] * 3))]]),
        [*basis.shells, ()],
    )
    np.testing.assert_array_equal(overlap(ghost).matrix, overlap(basis).matrix)
