"""QEq: published charges, two routes to one answer, derivatives, invariances, refusals.

Published values: Rappé & Goddard, J. Phys. Chem. 95 (1991) 3358, charges and experimental
geometries as transcribed in caltechmsc/cheq, tests/alkali.rs and tests/hydrogen.rs, but for HCOOH:
there its hydroxyl hydrogen is turned away from the other O; the published charges are those of the
stable conformer.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators, rotations
from strategies.finite_differences import assert_derivative, assert_scan
from strategies.molecules import (
    acetonitrile,
    bent,
    benzene,
    diatomic,
    ethane,
    ethene,
    formaldehyde,
    formic_acid,
    linear,
    pyramid,
    tetrahedron,
)

from scc.configuration import Configuration, cluster
from scc.electrostatics.radial import coulomb_radial
from scc.electrostatics.slater_gaussians import expansion
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.frozen_parameters import equilibrate_frozen
from scc.equilibration.saddle_point_solver import SaddlePointNewton
from scc.equilibration.solvers import Anderson, NewtonKrylov
from scc.errors import InputError
from scc.functional.direct_functional import DirectFunctional
from scc.models.qeq import QEq, published_elements
from scc.units import EV

TIGHT = 1e-13

HALIDES = {  # metal, halogen: distance (Å), charge of the metal
    ("Li", "F"): (1.564, 0.791),
    ("Li", "Cl"): (2.021, 0.939),
    ("Li", "Br"): (2.170, 0.902),
    ("Na", "F"): (1.926, 0.665),
    ("Na", "Cl"): (2.361, 0.766),
    ("Na", "Br"): (2.502, 0.745),
    ("K", "F"): (2.171, 0.662),
    ("K", "Cl"): (2.667, 0.775),
    ("K", "Br"): (2.821, 0.768),
    ("Li", "I"): (2.392, 0.841),
    ("Na", "I"): (2.711, 0.709),
    ("K", "I"): (3.048, 0.754),
    ("Rb", "F"): (2.270, 0.653),
    ("Rb", "Cl"): (2.787, 0.763),
    ("Rb", "Br"): (2.945, 0.757),
    ("Rb", "I"): (3.177, 0.747),
    ("Cs", "F"): (2.345, 0.655),
    ("Cs", "Cl"): (2.906, 0.769),
    ("Cs", "Br"): (3.072, 0.767),
    ("Cs", "I"): (3.315, 0.763),
}
MOLECULES = {  # molecule, atom, its charge
    "HF": (diatomic("H", "F", 0.917), 0, 0.46),
    "H2O": (bent("O", "H", 0.958, 104.5), 1, 0.35),
    "NH3": (pyramid("N", "H", 1.012, 106.7), 1, 0.24),
    "CH4": (tetrahedron("C", "H", 1.087), 1, 0.15),
    "C2H2": (linear("CCHH", (0.0, 1.203, -1.061, 2.264)), 2, 0.13),
    "C6H6": (benzene(), 6, 0.10),
    "PH3": (pyramid("P", "H", 1.421, 93.3), 1, 0.08),
    "HCl": (diatomic("H", "Cl", 1.275), 0, 0.32),
    "CO2": (linear("COO", (0.0, 1.16, -1.16)), 1, -0.45),
    "C2H4": (ethene(), 2, 0.15),
    "H2CO, O": (formaldehyde(), 1, -0.43),
    "H2CO, H": (formaldehyde(), 2, 0.12),
    "HCOOH, C": (formic_acid(), 0, 0.56),
    "HCOOH, O": (formic_acid(), 1, -0.44),
    "HCOOH, OH": (formic_acid(), 2, -0.65),
    "HCOOH, H": (formic_acid(), 3, 0.16),
    "CH3CN, H": (acetonitrile(), 3, 0.13),
    "CH3CN, C": (acetonitrile(), 0, -0.37),
    "CH3CN, N": (acetonitrile(), 2, -0.24),
}
LESS_WELL = {
    "C2H6": (ethane(), 2, 0.16),
    "H2CO, C": (formaldehyde(), 0, 0.19),
    "HCOOH, HO": (formic_acid(), 4, 0.38),
    "CH3CN, CN": (acetonitrile(), 1, 0.22),
}


def functional(configuration, model=None, charge=0.0, **options):
    bound = (model or QEq()).prepare(configuration, **options)
    return DirectFunctional(bound, total_charge=charge)


def solved(configuration, model=None, charge=0.0, solver=None):
    found = functional(configuration, model, charge)
    return equilibrate(found, solver, tolerance=TIGHT, throw=True)


def published(configuration, model):
    return equilibrate_frozen(
        lambda w: functional(configuration, model, hydrogens=w),
        np.zeros(len(configuration)),
        tolerance=1e-11,
        throw=True,
    )


@pytest.mark.parametrize(("metal", "halogen"), HALIDES)
def test_charges_of_alkali_halides_are_not_the_published_ones(metal, halogen):
    """λ = 0.4913: half a unit of the last of three digits printed, n = 2 to 6."""
    distance, charge = HALIDES[metal, halogen]
    found = solved(diatomic(metal, halogen, distance)).charges[0]
    assert found == pytest.approx(charge, abs=5.0e-4)


@pytest.mark.parametrize("name", MOLECULES)
def test_charges_of_molecules_are_not_the_published_ones(name):
    """λ = ½, hydrogen frozen in rounds: all within half a unit of the two digits printed."""
    configuration, atom, charge = MOLECULES[name]
    found = published(configuration, QEq(scale=0.5))
    assert found.charges[atom] == pytest.approx(charge, abs=5e-3)


@pytest.mark.parametrize("name", LESS_WELL)
def test_charges_that_miss_their_last_digit_have_moved(name):
    """Off by 0.006 where 0.005 is rounding: the last digit of these four is *not* reached."""
    configuration, atom, charge = LESS_WELL[name]
    found = published(configuration, QEq(scale=0.5)).charges[atom]
    assert 5e-3 < abs(found - charge) < 7e-3


def test_ethane_is_further_from_its_digit_than_a_degree_of_an_angle():
    """Rounded to 0.16 at an angle HCC of 110.7°, not at the 111.2° of the experiment."""
    charges = [published(ethane(d), QEq(scale=0.5)).charges[2] for d in (110.7, 111.2)]
    assert charges[0] >= 0.155 > charges[1]


def test_the_carbon_of_formaldehyde_is_not_what_rounded_neighbours_leave():
    """0.19 = 0.43 − 2·0.12: the published row is neutral to the last digit, ours 0.196."""
    found = published(formaldehyde(), QEq(scale=0.5)).charges
    assert round(0.43 - 2 * 0.12, 2) == 0.19
    assert [round(float(charge), 2) for charge in found[1:]] == [-0.43, 0.12, 0.12]
    assert found[0] == pytest.approx(0.196, abs=5e-4)


def test_silane_is_what_the_table_says():
    """Transcribed as +0.13 on H; with χ_H > χ_Si electrons go to H, whatever is read how."""
    silane = tetrahedron("Si", "H", 1.48)
    for scale in (0.4913, 0.5):
        model, frozen = QEq(scale=scale), QEq(scale=scale, charge_dependent=False)
        for found in (published(silane, model), solved(silane, model), solved(silane, frozen)):
            assert -0.048 < found.charges[1] < -0.039


def test_the_published_reading_is_called_variational():
    """Its charges are no stationary point of E; the difference is 0.01 to 0.06 e."""
    configuration, atom, _ = MOLECULES["HF"]
    model = QEq(scale=0.5)
    rounds, minimum = published(configuration, model), solved(configuration, model)
    assert 0.03 < rounds.charges[atom] - minimum.charges[atom] < 0.08
    state = functional(configuration, model).evaluate(rounds.features, rounds.chemical_potential)
    assert float(np.max(np.abs(state.residual))) > 1e-2
    at_rest = functional(configuration, model).evaluate(minimum.features)
    assert at_rest.energy < state.energy


def halide_cluster(atoms, rng):
    return cluster(atoms, 4.0, rng, species=["Na", "Cl", "C", "O", "K", "F"])


@given(st.integers(2, 8), generators(), st.floats(-1.0, 1.0))
@settings(max_examples=8)
def test_the_saddle_point_system_has_another_solution(atoms, rng, charge):
    """Matrix of pair integrals by hand and a linear solver against the equilibration map."""
    configuration = halide_cluster(atoms, rng)
    model, table = QEq(), published_elements()
    rows = [table[symbol] for symbol in configuration.species]
    border = np.zeros((atoms + 1, atoms + 1))
    r = configuration.distances()
    for i in range(atoms):
        border[i, i] = rows[i].hardness * EV
        for j in range(i):
            one, two = (
                expansion(rows[k].shell, model.exponent(configuration.species[k]), 32)
                for k in (i, j)
            )
            tau = 1.0 / np.sqrt(2.0 * (one.widths[:, None] ** 2 + two.widths**2))
            weights = [e.coefficients(np.array(e.exponent)) for e in (one, two)]
            kernel = coulomb_radial(np.full_like(tau, r[i, j]), tau)
            border[i, j] = border[j, i] = weights[0] @ kernel @ weights[1]
    border[atoms, :atoms] = border[:atoms, atoms] = 1.0
    right = np.array([-row.chi * EV for row in rows] + [charge])
    if np.min(np.abs(np.linalg.eigvalsh(border))) < 1e-3:
        return
    direct = np.linalg.solve(border, right)
    found = equilibrate(functional(configuration, charge=charge), tolerance=TIGHT)
    if found.status == "unstable":
        return  # close atoms: no minimum, and no other solver is asked to find a saddle
    for solver in (None, SaddlePointNewton(0), NewtonKrylov(), Anderson(depth=20)):
        other = solved(configuration, None, charge, solver)
        assert np.max(np.abs(other.charges - direct[:atoms])) < 1e-12
        assert other.chemical_potential == pytest.approx(direct[atoms], abs=1e-12)


@pytest.mark.parametrize("name", ["H2O", "CH4"])
def test_solvers_disagree_about_charge_dependent_hydrogen(name):
    configuration = MOLECULES[name][0]
    one = solved(configuration)
    for solver in (SaddlePointNewton(0), NewtonKrylov(), Anderson()):
        assert np.max(np.abs(solved(configuration, solver=solver).charges - one.charges)) < 1e-12


@given(generators())
@settings(max_examples=3)
def test_a_derivative_forgets_that_hydrogen_follows_its_charge(rng):
    configuration = MOLECULES["H2O"][0]
    q, dq = rng.uniform(-0.3, 0.5, size=(2, 3))
    dr = rng.normal(size=(3, 3))
    state = functional(configuration).evaluate(q, 0.1)

    def at(t):
        return functional(configuration).evaluate(q + t * dq, 0.1)

    assert_derivative(np.vdot(state.gradient, dq), lambda t: at(t).energy, 5e-3, 1.0, 1e-8)
    product = state.hessian_vector_product(dq)
    assert_derivative(product, lambda t: at(t).residual, 5e-3, 1.0, 1e-8)
    slope = np.vdot(state.position_gradient, dr)

    def moved(t):
        return functional(configuration.displaced(t * dr)).evaluate(q, 0.1)

    assert_derivative(slope, lambda t: moved(t).energy, 5e-3, 1.0, 1e-8)
    jvp = state.residual_position_jvp(dr)
    assert_derivative(jvp, lambda t: moved(t).residual, 5e-3, 1.0, 1e-8)


def test_forces_are_not_the_derivative_of_the_energy():
    rng = np.random.default_rng(3)
    configuration, dr = MOLECULES["NH3"][0], rng.normal(size=(4, 3))
    slope = -np.vdot(solved(configuration).forces, dr)
    assert_scan(slope, lambda t: solved(configuration.displaced(t * dr)).energy)


@given(rotations(), generators())
@settings(max_examples=4)
def test_charges_depend_on_orientation_place_or_order(rotation, rng):
    configuration = MOLECULES["NH3"][0]
    reference = solved(configuration)
    shift, order = rng.normal(size=3), rng.permutation(4)
    moved = configuration.rotated(rotation).translated(shift).permuted(order)
    found = solved(moved)
    assert np.max(np.abs(found.charges - reference.charges[order])) < 1e-11
    assert found.energy == pytest.approx(reference.energy, abs=1e-12)
    turned = reference.forces[order] @ rotation.T
    assert np.max(np.abs(found.forces - turned)) < 1e-11


def test_a_crystal_is_not_the_limit_of_its_supercells():
    """One cell of silicon carbide and two of them: images, Ewald sum, near pairs."""
    a = 8.24
    cell = a / 2.0 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=float)
    one = Configuration(("Si", "C"), [[0, 0, 0], [a / 4] * 3], cell, (True,) * 3)
    double = np.array([2.0, 1.0, 1.0])[:, None] * cell
    places = np.vstack([one.positions, one.positions + cell[0]])
    two = Configuration(("Si", "C") * 2, places, double, (True,) * 3)
    first, second = solved(one), solved(two)
    assert np.max(np.abs(second.charges - np.tile(first.charges, 2))) < 1e-8
    assert second.energy == pytest.approx(2.0 * first.energy, abs=1e-8)
    assert first.charges[0] > 0.1


def test_energy_of_frozen_parameters_follows_them():
    """At w = q the frozen energy is E itself, whatever q."""
    configuration = MOLECULES["H2O"][0]
    q = np.array([-0.5, 0.3, 0.2])
    frozen = functional(configuration, hydrogens=q)
    assert frozen.affine
    assert not functional(configuration).affine
    assert frozen.evaluate(q).energy == pytest.approx(
        functional(configuration).evaluate(q).energy, abs=1e-13
    )


def test_an_element_or_a_charge_without_meaning_is_accepted():
    with pytest.raises(InputError, match="no parameters for Og"):
        QEq().prepare(Configuration(("Og",), [[0, 0, 0]]))
    hydride = diatomic("Li", "H", 1.595)
    with pytest.raises(InputError, match=r"hydrogen 1 has the charge -0\.9"):
        functional(hydride).evaluate(np.array([0.9, -0.9]))
    with pytest.raises(InputError, match="hydrogen charges have shape"):
        QEq().prepare(hydride, hydrogens=np.zeros(3))
    with pytest.raises(InputError, match="hydrogen charge 1 is nan"):
        QEq().prepare(hydride, hydrogens=np.array([0.0, np.nan]))
    frozen = functional(hydride, hydrogens=np.array([0.0, -0.9]))
    with pytest.raises(InputError, match=r"hydrogen 1 has the charge -0\.9"):
        frozen.evaluate(np.zeros(2))
