"""The checker's integrals are another code: both must enclose the same numbers, to 40 digits."""

import flint
import numpy as np
import pytest
from flint import arb, arb_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.basis import basis_sets, matrices
from strategies.configurations import generators

from scc.basis.shells import BasisSet
from scc.certify.decimals import exact
from scc.certify.failure import RefusedError
from scc.certify.gaussian import check_integrals, check_interaction
from scc.certify.gaussian.boys import boys
from scc.certify.gaussian.integrals import GaussianIntegrals


@pytest.fixture(autouse=True)
def _precision():
    with flint.ctx.workprec(192):
        yield


def stated(basis, charges, exponent):
    """What a certificate says of a basis and its nuclei."""
    shells = [
        [
            {
                "angular_momentum": shell.angular_momentum,
                "exponents": [exact(a) for a in shell.exponents],
                "coefficients": [exact(c) for c in shell.coefficients],
            }
            for shell in atom
        ]
        for atom in basis.shells
    ]
    return {
        "positions": [[exact(x) for x in row] for row in basis.positions],
        "parameters": {
            "shells": shells,
            "shells_of_atom": list(range(len(shells))),
            "nuclear_charges": [exact(z) for z in charges],
            "nuclear_exponent": None if exponent is None else exact(exponent),
        },
    }


@given(order=st.integers(0, 6), argument=st.one_of(st.floats(0.0, 4.0), st.floats(0.0, 1e4)))
def test_boys_functions_that_differ(order, argument):
    for one, other in zip(
        boys(order, arb(argument)), check_interaction.boys(order, arb(argument)), strict=True
    ):
        assert one.overlaps(other)
        assert other.rad() < arb(10) ** -45 and one.rad() < arb(10) ** -45  # noqa: PT018


@settings(max_examples=8)
@given(data=st.data(), exponent=st.sampled_from([None, 0.7, 30.0]))
def test_integrals_and_forces_that_differ(data, exponent):
    basis = data.draw(basis_sets(largest_l=1, most_atoms=2))
    # Nuclei apart, also where the strategy lets them coincide.
    apart = np.array([[0.0, 0.0, 0.0], [0.7, 0.3, -0.2]])[: len(basis)]
    basis = BasisSet(basis.positions + apart, basis.shells)
    n = basis.n_functions
    charges = data.draw(generators()).uniform(0.5, 3.0, len(basis))
    one = GaussianIntegrals(basis, charges, None if exponent is None else [exponent] * len(basis))
    other = check_integrals.Integrals(stated(basis, charges, exponent))
    tiny = arb(10) ** -40
    for name in ("overlap", "kinetic", "nuclear", "repulsion"):
        left, right = getattr(one, name), getattr(other, name)
        assert left.overlaps(right), name
        assert all(abs(x).upper() < tiny for x in (left - right).entries()), name
    assert one.nuclear_energy.overlaps(other.nuclear_energy())
    density, weighted = data.draw(matrices(n, n)), data.draw(matrices(n, n))
    density = arb_mat((density + density.T).tolist())
    weighted = arb_mat((weighted + weighted.T).tolist())
    for overlap in (weighted, None):
        left = arb_mat(one.energy_gradient(density, overlap))
        right = arb_mat(other.energy_gradient(density, overlap))
        assert left.overlaps(right)
        assert all(abs(x).upper() < tiny for x in (left - right).entries())
    assert one.coulomb_matrix(density).overlaps(other.coulomb(density))


def test_d_functions_are_refused_by_the_checker():
    document = {
        "positions": [["0", "0", "0"]],
        "parameters": {
            "shells": [[{"angular_momentum": 2, "exponents": ["1"], "coefficients": ["1"]}]],
            "shells_of_atom": [0],
            "nuclear_charges": ["1"],
            "nuclear_exponent": None,
        },
    }
    with pytest.raises(RefusedError, match="l = 2"):
        check_integrals.Integrals(document)
