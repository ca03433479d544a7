"""The ASE calculator: units, molecular dynamics, relaxation, restarts, refusals."""

import numpy as np
import pytest
from ase import units
from ase.calculators.calculator import all_changes
from ase.md.verlet import VelocityVerlet
from strategies.fitted_models import random_model, water

from scc.ace.calculator import SCCCalculator
from scc.ace.energy_model import EnergyModel
from scc.ace.model import FittedModel
from scc.ace.predict import predict
from scc.configuration import to_ase
from scc.errors import ConvergenceError, InputError
from scc.units import ANGSTROM, EV


def model():
    return random_model(2, 1, order=2, response=0.5)


def cluster(number=2, seed=0):
    atoms = to_ase(water(number, np.random.default_rng(seed)))
    atoms.calc = SCCCalculator(model())
    return atoms


def test_results_are_the_prediction_in_units_of_ase():
    atoms = cluster()
    found = predict(model(), water(2, np.random.default_rng(0)))
    assert atoms.get_potential_energy() == pytest.approx(found.energy / EV, abs=1e-6)
    assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()
    assert np.allclose(atoms.get_forces(), found.forces * ANGSTROM / EV, atol=1e-7)
    assert np.allclose(atoms.get_charges(), found.charges, atol=1e-8)
    assert np.allclose(atoms.get_dipole_moment(), found.dipole / ANGSTROM, atol=1e-8)
    # ASE's conventions once more: charges and atomic dipoles in e and e·Å.
    own = -found.multipoles[:, [3, 1, 2]].sum(axis=0) / ANGSTROM
    expected = atoms.get_charges() @ atoms.positions + own
    assert np.allclose(atoms.get_dipole_moment(), expected, atol=1e-8)


def test_forces_are_differences_in_units_of_ase():
    atoms = cluster()
    forces, step = atoms.get_forces(), 1e-3
    direction = np.random.default_rng(1).normal(size=forces.shape)
    energies = []
    for sign in (1, -1):
        place = atoms.copy()
        place.calc = SCCCalculator(model())
        place.positions += sign * step * direction
        energies.append(place.get_potential_energy())
    slope = (energies[0] - energies[1]) / (2 * step)
    # The error of a central difference: h² f'''/6, here some 1e-5 of the force.
    assert slope == pytest.approx(-np.vdot(forces, direction), rel=1e-4)


def test_energy_is_conserved_in_molecular_dynamics_to_second_order():
    drifts = []
    for step in (0.5, 0.25):
        atoms = cluster()
        rng = np.random.default_rng(2)
        atoms.set_momenta(rng.normal(size=(6, 3)) * np.sqrt(0.02 * atoms.get_masses()[:, None]))
        energies = [atoms.get_total_energy()]
        dynamics = VelocityVerlet(atoms, step * units.fs)
        for _ in range(round(3.0 / step)):
            dynamics.run(1)
            energies.append(atoms.get_total_energy())
        kinetic = atoms.get_kinetic_energy()
        drifts.append(np.ptp(energies))
        assert kinetic > 1e-2
    # Verlet: the fluctuation falls with the square of the step; nothing else is left.
    assert drifts[1] < 0.35 * drifts[0]
    assert drifts[0] < 0.05 * kinetic


def test_the_next_geometry_starts_from_the_last_features():
    atoms = cluster()
    atoms.get_forces()
    cold = atoms.calc.prediction.scf_iterations
    atoms.positions[0, 0] += 1e-5
    atoms.get_forces()
    assert atoms.calc.prediction.scf_iterations < cold
    # Other atoms: from zero field.
    other = to_ase(water(1, np.random.default_rng(4)))
    other.calc = atoms.calc
    energy = other.get_potential_energy()
    other.calc = SCCCalculator(model())
    assert energy == other.get_potential_energy()


def test_forces_asked_for_after_the_energy_cost_no_second_solution():
    atoms = cluster()
    atoms.get_potential_energy()
    solution = atoms.calc.prediction
    atoms.get_forces()
    assert atoms.calc.prediction is solution


def _salt(atoms):
    atoms[0].symbol = "Na"


def _charged(atoms):
    atoms.set_initial_charges([1.0] + [0.0] * (len(atoms) - 1))


def _magnetic(atoms):
    atoms.set_initial_magnetic_moments([1.0] * len(atoms))


def _split(atoms):
    atoms.positions[1] += 1.5


def _not_a_number(atoms):
    atoms.positions[1, 1] = np.nan


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_salt, "atom 0 is Na"),
        (_charged, "net charge 1"),
        (_magnetic, "magnetic"),
        (_split, "no O–H bond"),
        (_not_a_number, "not finite|nan|NaN"),
    ],
)
def test_what_the_model_is_not_for_is_refused_in_one_line(spoil, reason):
    atoms = cluster()
    atoms.get_potential_energy()
    spoil(atoms)
    with pytest.raises(InputError, match=reason) as refusal:
        atoms.get_potential_energy()
    assert "\n" not in str(refusal.value)
    assert atoms.calc.results == {}


def test_a_net_charge_in_info_is_refused():
    atoms = cluster()
    atoms.info["charge"] = -1
    with pytest.raises(InputError, match="net charge -1"):
        atoms.get_potential_energy()


def test_a_crystal_has_energy_and_forces_but_no_dipole_and_no_stress():
    atoms = cluster()
    atoms.set_cell(np.diag([9.0, 9.0, 9.0]))
    atoms.pbc = True
    assert np.isfinite(atoms.get_potential_energy())
    assert np.all(np.isfinite(atoms.get_forces()))
    with pytest.raises(InputError, match="periodic"):
        atoms.get_dipole_moment()
    with pytest.raises(Exception, match="stress"):
        atoms.get_stress()


def test_an_unstable_response_ends_in_an_error_not_in_forces():
    atoms = to_ase(water(4, np.random.default_rng(0)))
    atoms.calc = SCCCalculator(random_model(3, 2, response=30.0))
    with pytest.raises(ConvergenceError, match="unstable"):
        atoms.get_forces()
    assert atoms.calc.results == {}


def test_no_atoms_and_no_such_model_are_errors():
    with pytest.raises(InputError, match="no fitted model"):
        SCCCalculator("no-such-model")
    with pytest.raises(InputError, match="no atoms"):
        SCCCalculator(model()).calculate()


def test_constants_of_the_elements_move_the_energy_and_nothing_else():
    energy = model().energy
    shifted = FittedModel(
        "shifted",
        model().density,
        EnergyModel(energy.specification, energy.coefficients, energy.constants + 1.0),
    )
    one, two = cluster(), cluster()
    two.calc = SCCCalculator(shifted)
    two.calc.calculate(two, ["energy", "forces"], all_changes)
    difference = two.get_potential_energy() - one.get_potential_energy()
    assert difference == pytest.approx(6.0 / EV, abs=1e-8)
    assert np.allclose(one.get_forces(), two.get_forces(), rtol=0.0, atol=1e-12)
