"""CENT with EEQ-2019: a second code's charges, derivatives, coordination numbers, invariances."""

import importlib.util
import json
from pathlib import Path

import mpmath
import numpy as np
import pytest
from ase.data import chemical_symbols
from hypothesis import given
from hypothesis import strategies as st
from strategies.cent import ELEMENTS, Bare, element_clusters, element_crystals, moved
from strategies.configurations import generators, rotations
from strategies.finite_differences import assert_derivative, assert_scan

from scc.configuration import Configuration, cluster
from scc.equilibration.linear_charges import linear_charges
from scc.errors import InputError
from scc.models.cent import CENT
from scc.models.coordination_numbers import CoordinationNumbers
from scc.models.eeq_2019 import EEQ2019

FOLDER = Path(__file__).with_name("eeq_2019")
PEER = json.loads((FOLDER / "peer_charges.json").read_text(encoding="utf-8"))


# A second code.


@pytest.mark.parametrize("system", PEER["systems"], ids=lambda system: system["name"])
def test_charges_energies_and_forces_are_those_of_tad_multicharge(system):
    """1e-8: its √CN has a floor of 1.5e-8, felt by lone atoms only; all else is rounding."""
    species = tuple(chemical_symbols[z] for z in system["numbers"])
    configuration = Configuration(species, np.array(system["positions_bohr"]))
    found = linear_charges(CENT().prepare(configuration), system["total_charge"])
    assert np.max(np.abs(found.charges - system["charges"])) < 1e-8
    assert abs(found.energy - system["energy_hartree"]) < 1e-8
    gradient = np.array(system["gradient_hartree_per_bohr"])
    assert np.max(np.abs(found.forces + gradient)) < 1e-8


@given(element_clusters(max_atoms=30), st.integers(-1, 1))
def test_charges_are_those_of_an_installed_tad_multicharge(configuration, charge):
    pytest.importorskip("tad_multicharge", reason="tad-multicharge (with torch) is not installed")
    specification = importlib.util.spec_from_file_location(
        "write_peer_charges", FOLDER / "write_peer_charges.py"
    )
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    found = linear_charges(CENT().prepare(configuration), charge)
    charges, energy, gradient = script.peer(
        configuration.atomic_numbers, configuration.positions, charge
    )
    assert np.max(np.abs(found.charges - charges)) < 1e-8
    assert abs(found.energy - energy) < 1e-8
    assert np.max(np.abs(found.forces + gradient)) < 1e-8


def test_parameters_are_86_elements_with_a_citation():
    text = (Path(EEQ2019.electronegativity.__globals__["__file__"])).with_suffix(".json")
    data = json.loads(text.read_text(encoding="utf-8"))
    assert tuple(data["elements"]) == ELEMENTS
    assert "10.1063/1.5090222" in data["source"]


# Coordination numbers.


@given(st.floats(0.5, 5.0), st.floats(0.3, 2.5), st.floats(0.3, 2.5))
def test_small_coordination_numbers_keep_relative_accuracy(distance, one, other):
    """Against mpmath: √CN would turn an absolute error of 1e-16 into 1e-8."""
    pair = Configuration(("H", "H"), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, distance]]))
    found = CoordinationNumbers(pair, np.array([one, other]), 7.5, 8.0).values
    with mpmath.workdps(60):
        n = mpmath.erfc(mpmath.mpf(7.5) * (mpmath.mpf(distance) / (one + other) - 1)) / 2
        exact = mpmath.log(1 + mpmath.exp(8)) - mpmath.log(1 + mpmath.exp(8 - n))
        if n < 1e-34:  # counting has ended
            assert np.all(found < 2e-34)
            return
        # erfc(x) has the relative condition number 2x², and x one of 7.5 r/R.
        assert np.all(np.abs(found / float(exact) - 1.0) < 1e-12)


def test_coordination_numbers_saturate_at_the_cap():
    """Thirteen neighbours of one atom count less than eight."""
    generator = np.random.default_rng(0)
    shell = generator.normal(size=(13, 3))
    shell *= 2.0 / np.linalg.norm(shell, axis=1, keepdims=True)
    crowd = Configuration(("H",) * 14, np.vstack([np.zeros(3), shell]))
    numbers = CoordinationNumbers(crowd, np.full(14, 2.0), 7.5, 8.0)
    assert abs(numbers.uncapped[0] - 13.0) < 1e-4
    assert 7.9 < numbers.values[0] < 8.0003355  # log(1 + e⁸)


@given(st.one_of(element_clusters(), element_crystals()), generators())
def test_electronegativities_have_their_derivatives(configuration, generator):
    """jvp against central differences, vjp as its transpose; neighbours by images included."""
    number = len(configuration)
    displacement = generator.normal(size=(number, 3))
    weights = generator.normal(size=number)
    parameters = EEQ2019()
    chi = parameters.electronegativity(configuration)
    change = chi.jvp(displacement)
    gradient = chi.vjp(weights)
    assert abs(np.vdot(gradient, displacement) - weights @ change) <= 1e-13 * (
        np.abs(gradient).sum() * np.abs(displacement).max() + np.abs(change).sum()
    )
    # Counts vary over R/7.5 ≥ 0.2 bohr; size: the largest slope there can be is κ s/R ~ 1.
    assert_derivative(
        change,
        lambda h: parameters.electronegativity(moved(configuration, h * displacement)).values,
        2e-3,
        1.0,
    )


def test_an_atom_that_comes_into_reach_changes_nothing_at_once():
    """χ(r) of a pair on both sides of where counting begins, and χ alone."""
    alone = EEQ2019().electronegativity(Configuration(("H",), np.zeros((1, 3)))).values[0]
    for distance in np.linspace(3.0, 5.0, 201):
        pair = Configuration(("H", "H"), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, distance]]))
        chi = EEQ2019().electronegativity(pair)
        assert np.all(np.isfinite(chi.vjp(np.ones(2))))
        if distance > 3.55:  # 2.17 R
            assert np.all(np.abs(chi.values - alone) < 1e-15)


# Energy and forces.


@given(element_clusters(), generators(), st.integers(-2, 2))
def test_forces_are_minus_the_derivative_of_the_energy(configuration, generator, charge):
    """Partial derivatives only: E is stationary in the charges."""
    direction = generator.normal(size=configuration.positions.shape)
    model = CENT()
    found = linear_charges(model.prepare(configuration), charge)
    assert_derivative(
        -np.vdot(found.forces, direction),
        lambda h: linear_charges(model.prepare(moved(configuration, h * direction)), charge).energy,
        2e-3,
        max(1.0, float(np.abs(found.forces).sum())),
    )


def test_difference_quotients_of_the_energy_approach_the_force_as_h_squared():
    configuration = cluster(6, 3.0, np.random.default_rng(3), species=("O", "H", "Na", "C"))
    direction = np.random.default_rng(4).normal(size=(6, 3))
    model = CENT()
    found = linear_charges(model.prepare(configuration))
    assert_scan(
        -np.vdot(found.forces, direction),
        lambda h: linear_charges(model.prepare(moved(configuration, h * direction))).energy,
        (1e-2, 5e-3, 2.5e-3, 1.25e-3),
    )


@given(element_clusters(), rotations(), generators())
def test_charges_do_not_care_how_the_molecule_is_turned_shifted_or_numbered(
    configuration, rotation, generator
):
    found = linear_charges(CENT().prepare(configuration), 1.0)
    order = generator.permutation(len(configuration))
    other = Configuration(
        tuple(configuration.species[i] for i in order),
        (configuration.positions @ rotation.T + generator.normal(size=3) * 10.0)[order],
    )
    again = linear_charges(CENT().prepare(other), 1.0)
    # rounding of positions ~ 20 bohr, times dq/dr ~ 1, times the condition number ~ 100
    assert np.max(np.abs(again.charges - found.charges[order])) < 1e-12
    assert abs(again.energy - found.energy) < 1e-12 * max(1.0, abs(found.energy))
    assert np.max(np.abs(again.forces - (found.forces @ rotation.T)[order])) < 1e-11
    assert abs(found.charges.sum() - 1.0) < 1e-13
    assert np.max(np.abs(found.forces.sum(axis=0))) < 1e-12


# Input that cannot be right.


@pytest.mark.parametrize("symbol", ["X", "Fr", "Og"])
def test_unknown_elements_are_named(symbol):
    pair = Configuration(("H", symbol), np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]]))
    with pytest.raises(InputError, match=rf"^atom 1: EEQ-2019 has no [^\n]* {symbol} [^\n]*$"):
        CENT().prepare(pair)


@pytest.mark.parametrize(
    ("hardness", "width", "what"),
    [(np.nan, 1.0, "hardness of atom 0 is nan"), (1.0, 0.0, "width of the charge on atom 0 is 0")],
)
def test_parameters_that_make_no_sense_are_named(hardness, width, what):
    pair = Configuration(("H", "H"), np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]]))
    with pytest.raises(InputError, match=what):
        CENT(Bare(hardness, width)).prepare(pair)
