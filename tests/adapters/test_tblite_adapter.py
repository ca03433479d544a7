"""GFN2- and GFN1-xTB through the adapter: what tblite says itself, and derivatives of it."""

import numpy as np
import pytest
from ase.data import atomic_numbers
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.moved_molecules import WATER, molecule, moved_molecules
from tblite.interface import Calculator

from scc.adapters.surroundings import Surroundings
from scc.adapters.tblite import TBLiteSubject
from scc.configuration import Configuration, chain
from scc.errors import ConvergenceError, InputError

METHODS = ("GFN2-xTB", "GFN1-xTB")
H2O = molecule(*WATER)
# Central differences with step h of energies that are exact to 1e-10: 1e-10/h + h²E‴ with
# h = 1e-3 and E‴ up to 10.
STEP, DIFFERENCE = 1e-3, 3e-6


def tight(method, **options):
    return TBLiteSubject(method, threshold=1e-4, **options)


def moved(configuration, displacement):
    return Configuration(configuration.species, configuration.positions + displacement)


@pytest.mark.parametrize("method", METHODS)
def test_numbers_are_those_of_tblite(method):
    numbers = np.array([atomic_numbers[s] for s in H2O.species])
    calculator = Calculator(method, numbers, H2O.positions)
    calculator.set("verbosity", 0)
    calculator.set("accuracy", 0.01)
    theirs = calculator.singlepoint()
    ours = TBLiteSubject(method).solve(H2O)
    assert ours.converged
    assert ours.energy == theirs.get("energy")
    np.testing.assert_array_equal(ours.forces, -theirs.get("gradient"))
    np.testing.assert_array_equal(ours.charges, theirs.get("charges"))
    np.testing.assert_array_equal(ours.dipole, theirs.get("dipole"))


@settings(max_examples=8)
@given(
    configuration=moved_molecules(),
    method=st.sampled_from(METHODS),
    rng=generators(),
    with_field=st.booleans(),
)
def test_forces_are_minus_the_slope_of_the_energy(configuration, method, rng, with_field):
    """In a field too: the field does work on the moving charges."""
    surroundings = Surroundings(rng.normal(scale=5e-3, size=3) if with_field else np.zeros(3))
    subject = tight(method)
    direction = rng.normal(size=configuration.positions.shape)
    direction /= np.linalg.norm(direction)
    ahead, behind = (
        subject.solve(moved(configuration, sign * STEP * direction), None, surroundings).energy
        for sign in (1.0, -1.0)
    )
    forces = subject.solve(configuration, None, surroundings).forces
    slope = -(ahead - behind) / (2.0 * STEP)
    assert np.sum(forces * direction) == pytest.approx(slope, abs=DIFFERENCE)


@settings(max_examples=8)
@given(configuration=moved_molecules(), method=st.sampled_from(METHODS), axis=st.integers(0, 2))
def test_energy_in_a_field_falls_with_the_dipole(configuration, method, axis):
    """dE/dE_i = −d_i: the sign convention of CONTRIBUTING."""
    subject, step = tight(method), np.eye(3)[axis] * 1e-4
    ahead, behind = (
        subject.solve(configuration, surroundings=Surroundings(sign * step)).energy
        for sign in (1.0, -1.0)
    )
    dipole = subject.solve(configuration).dipole
    assert -(ahead - behind) / 2e-4 == pytest.approx(dipole[axis], abs=1e-5)


@given(configuration=moved_molecules(), method=st.sampled_from(METHODS))
def test_charges_add_up(configuration, method):
    for total in (0.0, 1.0):
        solved = TBLiteSubject(method, total_charge=total).solve(configuration)
        assert np.sum(solved.charges) == pytest.approx(total, abs=1e-9)


@settings(max_examples=10)
@given(configuration=moved_molecules(), method=st.sampled_from(METHODS), rng=generators())
def test_every_start_ends_where_the_own_start_does(configuration, method, rng):
    """Insulating molecules have one solution; a converged one is kept, neutral atoms are SAD."""
    subject = TBLiteSubject(method)
    own = subject.solve(configuration)
    again = subject.solve(configuration, own)
    neutral = subject.solve(configuration, np.zeros(len(configuration)))
    drawn = subject.solve(configuration, rng)
    assert again.iterations <= 3
    assert neutral.residuals == own.residuals
    assert drawn.residuals[0] != own.residuals[0]
    for other in (again, neutral, drawn):
        assert other.energy == pytest.approx(own.energy, abs=1e-9)
        np.testing.assert_allclose(other.charges, own.charges, atol=subject.accuracy)


@settings(max_examples=10)
@given(configuration=moved_molecules(), method=st.sampled_from(METHODS))
def test_the_stated_accuracy_of_charges_holds(configuration, method):
    subject = TBLiteSubject(method)
    best = TBLiteSubject(method, threshold=1e-6).solve(configuration)
    assert np.max(np.abs(subject.solve(configuration).charges - best.charges)) <= subject.accuracy


def test_given_charges_are_where_the_scf_starts():
    """The better the start, the smaller the first residual."""
    subject = TBLiteSubject("GFN1-xTB")
    solved = subject.solve(H2O)
    near = subject.solve(H2O, solved.charges)
    far = subject.solve(H2O, -3.0 * solved.charges)
    assert near.residuals[0] < subject.solve(H2O).residuals[0] < far.residuals[0]


def test_a_restart_leaves_the_first_solution_alone():
    subject = TBLiteSubject()
    first = subject.solve(H2O)
    energy = first.energy
    subject.solve(moved(H2O, np.eye(3) * 0.2), first)
    assert first.restart.get("energy") == energy
    np.testing.assert_allclose(np.sum(first.forces, axis=0), 0.0, atol=1e-12)


def test_what_does_not_converge_says_so():
    found = TBLiteSubject(max_iterations=3).solve(H2O)
    assert not found.converged
    assert found.iterations == len(found.residuals) == 3
    assert np.isnan(found.energy)
    with pytest.raises(ConvergenceError, match="3 iterations"):
        _ = found.forces
    with pytest.raises(InputError, match="left nothing"):
        TBLiteSubject().solve(H2O, found)


def test_bad_input_is_named():
    subject = TBLiteSubject()
    with pytest.raises(InputError, match=r"atom 1.*X"):
        subject.solve(Configuration(("H", "X"), np.diag([1.0, 2.0, 3.0])[:2]))
    with pytest.raises(InputError, match="periodic"):
        subject.solve(Configuration(("H",), np.zeros((1, 3)), np.eye(3) * 9.0, (True,) * 3))
    with pytest.raises(InputError, match="other atoms"):
        subject.solve(chain(2, 1.4, "H"), subject.solve(H2O))
    with pytest.raises(InputError, match=r"shape \(5,\)"):
        subject.solve(H2O, np.zeros(5))
    with pytest.raises(InputError, match="not finite"):
        subject.solve(H2O, np.full(3, np.nan))
    with pytest.raises(InputError, match="GFN0"):
        TBLiteSubject("GFN0-xTB")
    with pytest.raises(InputError, match="threshold"):
        TBLiteSubject(threshold=0.0)
    with pytest.raises(NotImplementedError, match="point charges"):
        subject.solve(H2O, None, Surroundings(positions=np.ones((1, 3)), charges=np.ones(1)))


@pytest.mark.parametrize("charge", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("distance", [8.0, 15.0])
def test_a_diverging_scf_is_no_error_of_the_input(distance, charge):
    """Stretched LiH: some starts run out of cycles, some break tblite's eigensolver."""
    pair = Configuration(("Li", "H"), np.diag([0.0, 0.0, distance])[1:])
    solved = TBLiteSubject().solve(pair, np.array([charge, -charge]))
    assert solved.converged == np.isfinite(solved.energy)
    assert solved.iterations == len(solved.residuals) > 0


def test_a_start_where_the_dispersion_is_singular_is_one_without_solution():
    """D4 scales with 1/(Z_eff + q), which is 0 for H⁻: tblite's first matrix is not finite."""
    pair = Configuration(("Li", "H"), np.diag([0.0, 0.0, 8.0])[1:])
    solved = TBLiteSubject("GFN2-xTB").solve(pair, np.array([1.0, -1.0]))
    assert not solved.converged
    assert solved.iterations == 0
