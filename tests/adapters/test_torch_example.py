"""The torch example is a model the battery takes: forces, charges, symmetry. Needs torch."""

import ase
import numpy as np
import pytest
from strategies.scripts import ROOT, script

pytest.importorskip("torch", reason="torch is not installed: pip install torch")

_PATH = "examples/torch_model.py"
torch_model = script(_PATH)

WATER = ase.Atoms("OH2O", [[0, 0, 0], [0.76, 0.0, 0.59], [-0.76, 0.1, 0.59], [0.0, 0.5, 3.9]])


def test_forces_of_the_torch_model_are_the_slope_of_its_energy():
    atoms = WATER.copy()
    atoms.calc = torch_model.TorchCharges()
    direction = np.random.default_rng(0).normal(size=(4, 3))
    forces = atoms.get_forces()
    energies = []
    for sign in (1.0, -1.0):
        atoms.positions = WATER.positions + sign * 1e-5 * direction
        energies.append(atoms.get_potential_energy())
    # Rounding 1e-14/1e-5, truncation 1e-10.
    slope = -(energies[0] - energies[1]) / 2e-5
    assert np.sum(forces * direction) == pytest.approx(slope, abs=1e-7)


def test_charges_of_the_torch_model_add_up_and_move_with_the_environment():
    atoms = WATER.copy()
    atoms.calc = torch_model.TorchCharges()
    before = atoms.get_charges().copy()
    assert np.sum(before) == pytest.approx(0.0, abs=1e-12)
    atoms.rattle(0.1, seed=1)
    assert np.max(np.abs(atoms.get_charges() - before)) > 1e-3


def test_the_battery_takes_the_torch_model():
    from scc.battery.models import subject_of
    from scc.configuration import from_ase

    subject = subject_of(f"{ROOT / _PATH}:TorchCharges")
    solved = subject.solve(from_ase(WATER))
    assert solved.converged
    assert np.sum(solved.charges) == pytest.approx(0.0, abs=1e-12)
