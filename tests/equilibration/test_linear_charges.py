"""The linear equations of CENT: the general map, exact matrices, and what has no minimum."""

import numpy as np
import pytest
import scipy.linalg
from ase import Atoms
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies.cent import Bare, element_clusters, element_crystals
from strategies.configurations import generators

from scc.adapters.calculator import AdapterCalculator
from scc.configuration import Configuration, lattice
from scc.electrostatics.ewald_charges import EwaldInteraction
from scc.electrostatics.gaussian_charges import OpenInteraction
from scc.equilibration import equilibrate
from scc.equilibration.linear_charges import ChargeSolver, linear_charges
from scc.equilibration.mixed_precision import solve_matrix
from scc.errors import InputError
from scc.functional import DirectFunctional
from scc.models.cent import CENT
from scc.units import ANGSTROM, EV


def bordered(matrix, chi, total):
    """[A 1; 1ᵀ 0] [q; µ] = [−χ; Q], by LAPACK's solver for any matrix."""
    number = len(chi)
    system = np.ones((number + 1, number + 1))
    system[:number, :number] = matrix
    system[number, number] = 0.0
    return scipy.linalg.solve(system, np.append(-chi, total))


def positive(bound, matrix):
    """Smallest eigenvalue of U + J on charges of sum 0 over the largest."""
    full = matrix + np.diag(bound.hardness)
    basis = scipy.linalg.null_space(np.ones((1, len(full))))
    if basis.shape[1] == 0:
        return 1.0
    values = np.linalg.eigvalsh(basis.T @ full @ basis)
    return values[0] / np.abs(values).max()


@given(element_clusters(min_atoms=1, max_atoms=25), st.integers(-2, 2))
def test_the_saddle_point_and_the_general_map_agree(configuration, charge):
    """To 1e-12 in charges, µ, energy and forces."""
    bound = CENT().prepare(configuration)
    found = linear_charges(bound, charge)
    general = equilibrate(DirectFunctional(bound, total_charge=float(charge)), throw=True)
    assert np.max(np.abs(found.charges - general.charges)) < 1e-12
    assert abs(found.chemical_potential - general.chemical_potential) < 1e-12
    assert abs(found.energy - general.energy) < 1e-12 * max(1.0, abs(general.energy))
    assert np.max(np.abs(found.forces - general.forces)) < 1e-12 * max(
        1.0, float(np.abs(general.forces).max())
    )


@given(element_clusters(max_atoms=25), st.floats(-1.0, 1.0))
def test_charges_solve_the_bordered_system_of_the_dense_matrix(configuration, charge):
    bound = CENT().prepare(configuration)
    matrix = OpenInteraction(configuration.positions, bound.widths).matrix
    exact = bordered(matrix + np.diag(bound.hardness), bound.electronegativity.values, charge)
    found = linear_charges(bound, charge)
    assert np.max(np.abs(found.charges - exact[:-1])) < 1e-12
    assert abs(found.chemical_potential - exact[-1]) < 1e-12


@settings(max_examples=15)
@given(element_crystals(), st.sampled_from((0, 1)))
def test_charges_of_crystals_are_those_of_the_ewald_matrix_whatever_its_splitting(
    configuration, charge
):
    """Two splittings of the dense sum, and the matrix-free operator with its preconditioner."""
    bound = CENT().prepare(configuration)
    size = abs(np.linalg.det(configuration.cell)) ** (1 / 3)
    answers = []
    for eta in (3.0 / size, 5.0 / size):
        matrix = EwaldInteraction(configuration, bound.widths, eta).matrix
        assume(positive(bound, matrix) > 1e-3)  # else there is no minimum, or nearly none
        matrix = matrix + np.diag(bound.hardness)
        answers.append(bordered(matrix, bound.electronegativity.values, charge))
    assert np.max(np.abs(answers[0] - answers[1])) < 1e-10
    found = linear_charges(bound, charge)
    assert np.max(np.abs(found.charges - answers[0][:-1])) < 1e-8
    assert abs(found.chemical_potential - answers[0][-1]) < 1e-8


def ionic_crystal(cells, seed=0):
    """Rock salt of 8 cells³ ions, jittered, spacing 5.3 bohr."""
    crystal = lattice("rock-salt", 2 * cells, 5.3, periodic=True)
    species = tuple("Na" if symbol == crystal.species[0] else "Cl" for symbol in crystal.species)
    jitter = np.random.default_rng(seed).normal(scale=0.3, size=crystal.positions.shape)
    return Configuration(species, crystal.positions + jitter, crystal.cell, crystal.periodic)


def test_a_supercell_has_the_charges_of_its_cell():
    """Twice along each vector: eight times the energy, the same charges and forces."""
    cell = ionic_crystal(1)
    shifts = np.array(list(np.ndindex(2, 2, 2))) @ cell.cell
    large = Configuration(
        cell.species * 8,
        (shifts[:, None] + cell.positions).reshape(-1, 3),
        2.0 * cell.cell,
        cell.periodic,
    )
    one = linear_charges(CENT().prepare(cell))
    eight = linear_charges(CENT().prepare(large))
    assert np.max(np.abs(eight.charges - np.tile(one.charges, 8))) < 1e-8
    assert abs(eight.energy - 8.0 * one.energy) < 1e-8
    assert np.max(np.abs(eight.forces - np.tile(one.forces, (8, 1)))) < 1e-8


def test_forces_in_a_crystal_are_minus_the_derivative_of_the_energy():
    """Differences of order four, h = 0.02 bohr; the mesh moves energies by 1e-10 of their terms."""
    crystal = ionic_crystal(1)
    direction = np.random.default_rng(1).normal(size=crystal.positions.shape)
    direction /= np.linalg.norm(direction)

    def energy(h):
        place = crystal.positions + h * direction
        moved = Configuration(crystal.species, place, crystal.cell, crystal.periodic)
        return linear_charges(CENT().prepare(moved)).energy

    h = 0.02
    slope = (8 * (energy(h) - energy(-h)) - (energy(2 * h) - energy(-2 * h))) / (12 * h)
    found = linear_charges(CENT().prepare(crystal))
    assert abs(slope + np.vdot(found.forces, direction)) < 1e-6


def test_iterations_do_not_grow_with_the_crystal():
    """16 times the atoms, 2.5 times the length: without M they would be 2.5 times more."""
    counts = [linear_charges(CENT().prepare(ionic_crystal(n))).iterations for n in (2, 5)]
    assert counts[1] <= counts[0] + 6, counts


def test_the_mesh_and_the_matrix_agree_for_a_molecule():
    configuration = Configuration(
        ("O", "H", "H", "Na"),
        np.array([[0.0, 0.0, 0.0], [1.8, 0.0, 0.0], [-0.5, 1.7, 0.0], [0.0, -1.0, 4.0]]),
    )
    bound = CENT().prepare(configuration)
    one, other = (linear_charges(bound, 1.0, method=method) for method in ("matrix", "mesh"))
    assert np.max(np.abs(one.charges - other.charges)) < 1e-10
    assert np.max(np.abs(one.forces - other.forces)) < 1e-10


# Matrices that single precision, or positive definiteness of A itself, will not do for.


@given(generators(), st.integers(2, 30), st.sampled_from((1e-1, 1e-5, 1e-9)))
def test_any_positive_definite_matrix_is_solved_to_rounding(generator, number, smallest):
    """Eigenvalues from ``smallest`` to 1: residuals at rounding, only the lower triangle read."""
    vectors, _ = np.linalg.qr(generator.normal(size=(number, number)))
    matrix = (vectors * np.geomspace(smallest, 1.0, number)) @ vectors.T
    matrix = 0.5 * (matrix + matrix.T)
    right = matrix @ generator.normal(size=number)
    triangle = np.where(np.tri(number, dtype=bool), matrix, np.nan)
    total = float(generator.normal())
    found = solve_matrix(triangle, right, total)
    residual = matrix @ found.x + found.multiplier - right
    assert np.max(np.abs(residual)) < 1e-11 * (np.abs(right).max() + np.abs(found.x).max())
    assert abs(found.x.sum() - total) < 1e-12 * (1.0 + np.abs(found.x).sum())


@given(generators(), st.integers(3, 20))
def test_curvature_along_the_total_charge_may_be_negative(generator, number):
    """A − c11ᵀ has the same minimum at fixed charge as A, although it is indefinite."""
    factor = generator.normal(size=(number, number))
    matrix = factor @ factor.T + np.eye(number)
    right = generator.normal(size=number)
    lowered = matrix - np.abs(matrix).max()
    one, other = (solve_matrix(np.ascontiguousarray(m), right, 0.0) for m in (matrix, lowered))
    size = 1.0 + np.abs(one.x).max()
    assert np.max(np.abs(one.x - other.x)) < 1e-9 * size


def test_one_atom_has_the_total_charge():
    atom = Configuration(("O",), np.zeros((1, 3)))
    found = linear_charges(CENT().prepare(atom), -1.0)
    assert found.charges[0] == -1.0
    assert np.all(found.forces == 0.0)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("hardness", [-2.0, -0.45])
def test_hardness_without_a_minimum_is_said_in_one_line(periodic, hardness):
    """J_ℓℓ = 1/√π = 0.56 of σ = 1: like charges gain by parting. The general map agrees."""
    crystal = lattice("cubic", 3, 2.0, species=("Ne",), periodic=periodic)
    bound = CENT(Bare(hardness)).prepare(crystal)
    bound.electronegativity.values[:] = np.random.default_rng(0).normal(size=len(crystal))
    with pytest.raises(InputError, match=r"^[^\n]*hardness matrix[^\n]*no minimum[^\n]*$"):
        linear_charges(bound)
    assert equilibrate(DirectFunctional(bound, total_charge=0.0)).status == "unstable"


@pytest.mark.parametrize("periodic", [False, True])
def test_a_symmetric_saddle_is_no_minimum_on_the_mesh(periodic):
    """Two hydrogens that differ in nothing have equal charges, which is a maximum along q₁ − q₂."""
    cell = np.eye(3) * 9.0 if periodic else None
    place = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.5]])
    bound = CENT().prepare(Configuration(("H", "H"), place, cell, (periodic,) * 3))
    with pytest.raises(InputError, match="no minimum"):
        linear_charges(bound, method="mesh")


@pytest.mark.parametrize("distance", [0.2, 0.757, 0.7575, 1.4])
def test_two_hydrogens_too_close_have_no_charges(distance):
    """J_HH(0) + U_H = J_HH(r) at r = 0.75722 bohr, where EEQ-2019 loses its minimum."""
    pair = Configuration(("H", "H"), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, distance]]))
    bound = CENT().prepare(pair)
    matrix = OpenInteraction(pair.positions, bound.widths).matrix
    if matrix[0, 0] + bound.hardness[0] > matrix[0, 1]:
        assert distance > 0.7572
        assert np.max(np.abs(linear_charges(bound).charges)) < 1e-12
        return
    assert distance < 0.7573
    with pytest.raises(InputError, match="no minimum"):
        linear_charges(bound)


@pytest.mark.parametrize("charge", [np.nan, np.inf, None, "1", [1.0, 0.0]])
def test_impossible_total_charges_are_refused(charge):
    atom = Configuration(("O",), np.zeros((1, 3)))
    with pytest.raises(InputError, match=r"^the total charge is"):
        linear_charges(CENT().prepare(atom), charge)


@pytest.mark.parametrize("method", ["matrix", "mesh"])
def test_an_atom_loses_more_electrons_than_it_has(method):
    bound = CENT().prepare(Configuration(("O", "H"), [[0, 0, 0], [0, 0, 1.8]]))
    with pytest.raises(InputError, match="a charge of 10 e is more than all 9 electrons"):
        linear_charges(bound, 10.0, method=method)
    assert np.sum(linear_charges(bound, 9.0, method=method).charges) == pytest.approx(9.0)


def test_coincident_atoms_are_refused():
    with pytest.raises(InputError, match="bohr apart"):
        Configuration(("O", "H"), np.zeros((2, 3)))


def test_slabs_unknown_methods_and_matrices_of_crystals_are_refused():
    slab = Configuration(("O",), np.zeros((1, 3)), np.eye(3) * 9.0, (True, True, False))
    with pytest.raises(InputError, match="three directions"):
        linear_charges(CENT().prepare(slab))
    crystal = Configuration(("O",), np.zeros((1, 3)), np.eye(3) * 9.0, (True, True, True))
    with pytest.raises(InputError, match="open boundaries"):
        linear_charges(CENT().prepare(crystal), method="matrix")
    with pytest.raises(InputError, match="'lu'"):
        linear_charges(CENT().prepare(crystal), method="lu")
    with pytest.raises(InputError, match="dipole"):
        _ = linear_charges(CENT().prepare(crystal)).dipole


def test_ase_gets_energy_forces_charges_and_dipole_in_its_units():
    atoms = Atoms("OHH", [[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])
    atoms.calc = AdapterCalculator(ChargeSolver())
    configuration = Configuration(("O", "H", "H"), atoms.positions * ANGSTROM)
    found = linear_charges(CENT().prepare(configuration))
    assert abs(atoms.get_potential_energy() * EV - found.energy) < 1e-12
    assert np.max(np.abs(atoms.get_forces() * EV / ANGSTROM - found.forces)) < 1e-12
    assert np.max(np.abs(atoms.get_charges() - found.charges)) < 1e-12
    dipole = found.charges @ configuration.positions / ANGSTROM
    assert np.max(np.abs(atoms.get_dipole_moment() - dipole)) < 1e-12
