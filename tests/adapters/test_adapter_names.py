"""Codes by name, as ASE calculators, and what is said where a code is not installed."""

import sys

import numpy as np
import pytest
from strategies.moved_molecules import WATER, molecule
from tblite.ase import TBLite

from scc.adapters.calculator import AdapterCalculator
from scc.adapters.registry import SUBJECTS, subject_by_name
from scc.adapters.tblite import TBLiteSubject
from scc.configuration import to_ase
from scc.errors import ConvergenceError, InputError
from scc.units import ANGSTROM, EV

H2O = molecule(*WATER)


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_name_solves_water(name):
    subject = subject_by_name(name)
    solved = subject.solve(H2O)
    assert subject.name == name
    assert solved.converged
    assert solved.iterations >= len(solved.residuals) > 3
    assert np.sum(solved.charges) == pytest.approx(subject.total_charge, abs=1e-6)
    assert solved.charges[0] < 0.3
    assert solved.forces.shape == (3, 3)
    assert {"H", "O", "Cl"} <= subject.elements


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match=r"no code 'gfn3'.*gfn2.*pyscf-rhf"):
        subject_by_name("gfn3")


@pytest.mark.parametrize(("name", "package"), [("gfn2", "tblite"), ("pyscf-lda", "pyscf")])
def test_a_missing_package_is_one_line_with_the_command(name, package, monkeypatch):
    for module in [m for m in sys.modules if m.split(".")[0] == package]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"scc.adapters.{package}", raising=False)
    with pytest.raises(InputError) as caught:
        subject_by_name(name)
    assert f"pip install {package}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_calculator_speaks_the_units_of_ase():
    """tblite's own calculator; its constants differ from ours in the eighth digit."""
    atoms, theirs = to_ase(H2O), to_ase(H2O)
    atoms.calc = AdapterCalculator("gfn2")
    subject = subject_by_name("gfn2")
    theirs.calc = TBLite(method="GFN2-xTB", verbosity=0, accuracy=subject.threshold)
    assert atoms.get_potential_energy() == pytest.approx(theirs.get_potential_energy(), rel=1e-7)
    np.testing.assert_allclose(atoms.get_forces(), theirs.get_forces(), atol=1e-6)
    np.testing.assert_allclose(atoms.get_charges(), theirs.get_charges(), atol=1e-7)
    np.testing.assert_allclose(atoms.get_dipole_moment(), theirs.get_dipole_moment(), atol=1e-6)
    solved = subject.solve(H2O)
    assert atoms.get_potential_energy() == pytest.approx(solved.energy / EV, rel=1e-12)
    np.testing.assert_allclose(atoms.get_forces(), solved.forces * ANGSTROM / EV, atol=1e-12)


def test_the_calculator_starts_from_the_last_geometry():
    warm, cold = AdapterCalculator("gfn1"), AdapterCalculator("gfn1", warm=False)
    counts = []
    for calculator in (warm, cold):
        atoms = to_ase(H2O)
        atoms.calc = calculator
        atoms.get_potential_energy()
        atoms.positions[1, 1] += 0.001
        atoms.get_forces()
        counts.append(calculator.solution.iterations)
    assert counts[0] < counts[1]


def test_charges_and_spins_the_code_is_not_set_to_are_refused():
    """Of the atoms; silently the neutral molecule would be solved."""
    atoms = to_ase(H2O)
    atoms.set_initial_charges([1.0, 0.0, 0.0])
    atoms.calc = AdapterCalculator("gfn2")
    with pytest.raises(InputError, match="net charge 1 of the atoms: the code is set to 0"):
        atoms.get_potential_energy()
    atoms.calc = AdapterCalculator(TBLiteSubject(total_charge=1.0))
    assert np.sum(atoms.get_charges()) == pytest.approx(1.0, abs=1e-9)
    atoms.set_initial_magnetic_moments([1.0, 0.0, 0.0])
    with pytest.raises(InputError, match="magnetic"):
        atoms.get_potential_energy()
    plain = to_ase(H2O)
    plain.info["charge"] = -1
    plain.calc = AdapterCalculator("gfn2")
    with pytest.raises(InputError, match="net charge -1"):
        plain.get_potential_energy()


def test_an_scf_that_gives_up_is_an_error_and_not_a_number():
    atoms = to_ase(H2O)
    atoms.calc = AdapterCalculator(TBLiteSubject(max_iterations=2))
    with pytest.raises(ConvergenceError, match="2 iterations"):
        atoms.get_potential_energy()
    atoms.calc.subject = TBLiteSubject()
    assert atoms.get_potential_energy() < 0.0
