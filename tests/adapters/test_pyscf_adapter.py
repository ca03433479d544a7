"""LDA, PBE and reduced Hartree–Fock: our own model, derivatives, and the SCF map itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyscf import lib
from strategies.configurations import generators
from strategies.moved_molecules import AMMONIA, WATER, molecule, moved_molecules

from scc.adapters.pyscf import PySCFSubject
from scc.adapters.surroundings import Surroundings
from scc.configuration import Configuration, chain
from scc.equilibration.equilibrate import equilibrate
from scc.errors import ConvergenceError, InputError
from scc.functional.energy import EnergyFunctional
from scc.models.gaussian import GaussianTightBinding

H2O = molecule(*WATER)
SOLID = (WATER, AMMONIA)  # gaps that the displacements do not close, also without exchange
CHARGES = Surroundings(positions=[[0.0, 1.0, 5.0], [4.0, -2.0, 1.0]], charges=[0.4, -0.7])


def reduced(**options):
    return PySCFSubject("rhf", basis="sto-3g", density_fitting=False, threshold=1e-12, **options)


def moved(configuration, displacement):
    return Configuration(configuration.species, configuration.positions + displacement)


@settings(max_examples=8)
@given(configuration=moved_molecules(SOLID))
def test_reduced_hartree_fock_is_our_gaussian_model(configuration):
    """Energy, forces, dipole and the spectrum of ε by two codes."""
    theirs = reduced().solve(configuration)
    functional = EnergyFunctional(GaussianTightBinding().prepare(configuration))
    ours = equilibrate(functional)
    assert theirs.converged
    assert ours.converged
    # Hartree; forces and dipoles are linear in the gradient left by PySCF, 1e-6.
    assert theirs.energy == pytest.approx(ours.energy, abs=1e-9)
    np.testing.assert_allclose(theirs.forces, ours.forces, atol=1e-5)
    dipole = ours.functional.model.nuclear_charges @ configuration.positions - np.einsum(
        "xab,ab->x", functional.model.dipole_potentials(), ours.density
    )
    np.testing.assert_allclose(theirs.dipole, dipole, atol=1e-5)
    spectrum = reduced().stability(theirs)
    np.testing.assert_allclose(spectrum[:2], ours.extreme_eigenvalues, rtol=1e-5)


def test_lanczos_spectrum_is_the_dense_one(monkeypatch):
    subject = reduced()
    solved = subject.solve(chain(12, 1.8, "H"))
    dense = subject.stability(solved)
    monkeypatch.setattr("scc.adapters.pyscf._DENSE_BELOW", 0)
    np.testing.assert_allclose(subject.stability(solved)[:2], dense[:2], rtol=1e-5)


@pytest.mark.parametrize("functional", ["lda", "pbe"])
def test_spectrum_is_that_of_the_scf_map(functional):
    """1 − dΦ/dD by differences of D ↦ density of H[D], n(n+1)/2 directions."""
    subject = PySCFSubject(functional, basis="sto-3g", density_fitting=False, threshold=1e-13)
    solved = subject.solve(H2O)
    field = solved.restart
    density, size, step = field.make_rdm1(), field.mol.nao, 1e-4

    def built(start):
        levels, orbitals = field.eig(field.get_hcore() + field.get_veff(dm=start), field.get_ovlp())
        return field.make_rdm1(orbitals, field.get_occ(levels, orbitals))

    pairs = [(i, j) for i in range(size) for j in range(i + 1)]
    jacobian = np.empty((len(pairs), len(pairs)))
    for column, (i, j) in enumerate(pairs):
        unit = np.zeros((size, size))
        unit[i, j] = unit[j, i] = step
        change = (built(density + unit) - built(density - unit)) / (2.0 * step)
        jacobian[:, column] = [change[pair] for pair in pairs]
    values = 1.0 - np.linalg.eigvals(jacobian)
    assert np.max(np.abs(values.imag)) < 1e-5
    spectrum = subject.stability(solved)
    # dΦ/dD is 0 where a change moves no electron between occupied and virtual.
    moving = values.real[np.abs(values - 1.0) > 1e-5]
    assert len(moving) == 5 * (size - 5)
    assert spectrum.largest == pytest.approx(np.max(moving), abs=1e-5)
    assert spectrum.smallest == pytest.approx(np.min(moving), abs=1e-5)


@pytest.mark.parametrize("functional", ["lda", "pbe"])
def test_forces_with_moving_grids_are_the_slope_of_the_energy(functional):
    """With the derivative of the weights the grid does not matter; without it 1e-5 is its size."""
    options = {"basis": "sto-3g", "density_fitting": False, "threshold": 1e-12, "grid_level": 2}
    configuration = moved(H2O, np.random.default_rng(1).normal(scale=0.1, size=(3, 3)))
    direction = np.random.default_rng(2).normal(size=(3, 3))
    step = 1e-3
    subject = PySCFSubject(functional, grid_response=True, **options)
    ahead, behind = (
        subject.solve(moved(configuration, sign * step * direction)).energy for sign in (1, -1)
    )
    slope = -(ahead - behind) / (2.0 * step)
    forces = subject.solve(configuration).forces
    assert np.sum(forces * direction) == pytest.approx(slope, abs=1e-5)
    rough = PySCFSubject(functional, **options).solve(configuration).forces
    assert np.max(np.abs(np.sum(rough, axis=0))) > 20 * np.max(np.abs(np.sum(forces, axis=0)))


@settings(max_examples=6)
@given(configuration=moved_molecules(SOLID), rng=generators())
def test_forces_among_point_charges_are_the_slope_of_the_energy(configuration, rng):
    direction, step = rng.normal(size=configuration.positions.shape), 1e-4
    subject = reduced()
    ahead, behind = (
        subject.solve(moved(configuration, sign * step * direction), None, CHARGES).energy
        for sign in (1, -1)
    )
    forces = subject.solve(configuration, None, CHARGES).forces
    slope = -(ahead - behind) / (2.0 * step)
    assert np.sum(forces * direction) == pytest.approx(slope, abs=1e-5)


@settings(max_examples=6)
@given(configuration=moved_molecules(SOLID), axis=st.integers(0, 2))
def test_energy_in_a_uniform_field_falls_with_the_dipole(configuration, axis):
    step, subject = np.eye(3)[axis] * 1e-4, reduced()
    ahead, behind = (
        subject.solve(configuration, None, Surroundings(sign * step)).energy for sign in (1, -1)
    )
    dipole = subject.solve(configuration).dipole
    assert -(ahead - behind) / 2e-4 == pytest.approx(dipole[axis], abs=1e-5)


@settings(max_examples=4)
@given(configuration=moved_molecules(SOLID), rng=generators())
def test_warm_electrons_are_those_of_our_gaussian_model(configuration, rng):
    """kT = 0.05 Hartree: free energy, charges of the dipole and forces by two codes."""
    subject = reduced(temperature=0.05)
    theirs = subject.solve(configuration)
    bound = GaussianTightBinding().prepare(configuration)
    ours = equilibrate(EnergyFunctional(bound, beta=20.0))
    assert theirs.energy == pytest.approx(ours.energy, abs=1e-8)
    np.testing.assert_allclose(theirs.forces, ours.forces, atol=2e-5)
    assert subject.solve(configuration, rng).energy == pytest.approx(ours.energy, abs=1e-8)
    with pytest.raises(NotImplementedError, match="kT = 0"):
        subject.stability(theirs)


def test_a_far_charge_is_a_uniform_field():
    """Q at distance R: E = Q/R² towards it, to 1/R; the two doors of Surroundings agree."""
    distance, size = 1e3, 1e4
    energy = reduced().solve(H2O).energy
    uniform = reduced().solve(H2O, None, Surroundings(np.array([0, 0, -size / distance**2])))
    far = Surroundings(positions=[[0.0, 0.0, distance]], charges=[size])
    charge = reduced().solve(H2O, None, far)
    assert charge.energy - energy == pytest.approx(uniform.energy - energy, rel=2e-2)
    assert abs(uniform.energy - energy) > 1e-3


@settings(max_examples=6)
@given(configuration=moved_molecules(SOLID), shift=st.floats(-2.0, 2.0))
def test_a_constant_potential_changes_nothing(configuration, shift):
    plain, shifted = reduced().solve(configuration), reduced().solve_shifted(configuration, shift)
    assert shifted.energy == pytest.approx(plain.energy, abs=1e-9)
    np.testing.assert_allclose(shifted.charges, plain.charges, atol=1e-5)
    np.testing.assert_allclose(shifted.forces, plain.forces, atol=1e-5)


@settings(max_examples=8)
@given(configuration=moved_molecules(SOLID), rng=generators())
def test_reduced_energy_is_convex_so_every_start_ends_in_it(configuration, rng):
    subject = reduced()
    own = subject.solve(configuration)
    density = own.restart.make_rdm1()
    for start in (own, density, rng):
        found = subject.solve(configuration, start)
        assert found.converged
        assert found.energy == pytest.approx(own.energy, abs=1e-9)
        np.testing.assert_allclose(found.charges, own.charges, atol=subject.accuracy)
    assert subject.solve(configuration, own).iterations <= 3


@pytest.mark.parametrize("functional", ["lda", "pbe", "rhf"])
def test_the_stated_accuracy_of_charges_holds_by_pyscf(functional):
    options = {"basis": "sto-3g", "density_fitting": False}
    subject = PySCFSubject(functional, **options)
    best = PySCFSubject(functional, threshold=1e-13, **options).solve(H2O)
    assert np.max(np.abs(subject.solve(H2O).charges - best.charges)) <= subject.accuracy


def test_iterations_count_every_diagonalisation():
    subject = reduced()
    counted = []
    molecule_, original = subject.molecule(H2O), PySCFSubject.mean_field

    class Counting(PySCFSubject):
        def mean_field(self, *arguments):
            field = original(self, *arguments)
            eig = field.eig
            field.eig = lambda *a, **k: counted.append(1) or eig(*a, **k)
            return field

    assert molecule_.nelectron == 10
    solved = Counting("rhf", basis="sto-3g", density_fitting=False).solve(H2O)
    assert solved.iterations == len(counted)
    assert len(solved.residuals) == len(counted) - 1


def test_what_pyscf_cannot_converge_says_so():
    found = reduced(max_iterations=2).solve(H2O)
    assert not found.converged
    assert found.iterations == 2
    assert np.isnan(found.energy)
    with pytest.raises(ConvergenceError, match="2 iterations"):
        _ = found.charges
    with pytest.raises(ConvergenceError, match="spectrum"):
        reduced().stability(found)


def test_an_eigensolver_that_gives_up_within_the_scf_is_no_solution(monkeypatch):
    """DIIS's matrix after long circling at rounding: PBE, NaCl at 12 Å, now and then."""
    extrapolate, calls = lib.diis.DIIS.extrapolate, []

    def give_up(self, nd=None):
        calls.append(nd)
        if len(calls) == 4:
            raise np.linalg.LinAlgError("Internal Error.")
        return extrapolate(self, nd)

    monkeypatch.setattr(lib.diis.DIIS, "extrapolate", give_up)
    found = reduced().solve(H2O)
    assert not found.converged
    assert 4 <= found.iterations <= 6
    assert np.isnan(found.energy)
    with pytest.raises(ConvergenceError, match="did not converge"):
        _ = found.forces
    with pytest.raises(InputError, match="nothing to start from"):
        reduced().solve(H2O, found)


def test_bad_input_of_pyscf_is_named():
    subject = reduced()
    with pytest.raises(InputError, match=r"atom 0.*Au"):
        subject.solve(Configuration(("Au",), np.zeros((1, 3))))
    with pytest.raises(InputError, match=r"atom 0.*X"):
        PySCFSubject("rhf", basis="cc-pvdz").solve(Configuration(("X",), np.zeros((1, 3))))
    with pytest.raises(InputError, match="3 electrons"):
        subject.solve(chain(3, 1.8, "H"))
    with pytest.raises(InputError, match="periodic"):
        subject.solve(Configuration(("He",), np.zeros((1, 3)), np.eye(3) * 9.0, (True,) * 3))
    with pytest.raises(InputError, match="other atoms"):
        subject.solve(H2O, subject.solve(chain(2, 1.4, "H")))
    with pytest.raises(InputError, match=r"shape \(3,\)"):
        subject.solve(H2O, np.zeros(3))
    with pytest.raises(InputError, match="not finite"):
        subject.solve(H2O, np.full((7, 7), np.nan))
    with pytest.raises(InputError, match="whole charge"):
        reduced(total_charge=0.5).solve(H2O)
    with pytest.raises(InputError, match="temperature"):
        reduced(temperature=-1.0)
    with pytest.raises(InputError, match="b3lyp"):
        PySCFSubject("b3lyp")
    with pytest.raises(InputError, match="no-such-basis"):
        PySCFSubject("lda", basis="no-such-basis").solve(H2O)
    with pytest.raises(NotImplementedError, match="uniform field"):
        _ = subject.solve(H2O, None, Surroundings(np.array([0.0, 0.0, 1e-3]))).forces
    for wrong in ({"field": [1.0]}, {"charges": [1.0]}, {"field": [0.0, np.inf, 0.0]}):
        with pytest.raises(InputError):
            Surroundings(**wrong)
