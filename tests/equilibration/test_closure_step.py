"""The closure step: χ with one gap for all, and what it saves on chains of hydrogen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.scripts import script

from scc.configuration import Configuration, chain
from scc.equilibration.closure_step import ClosureStep, closure_step
from scc.equilibration.commutator_diis import CommutatorDIIS
from scc.equilibration.equilibrate import equilibrate
from scc.functional.energy import EnergyFunctional
from scc.models.gaussian import GaussianTightBinding

hydrogen_chains = script("benchmarks/hydrogen_chains.py")


@given(rng=generators(), atoms=st.integers(1, 6), gap=st.floats(0.1, 3.0))
def test_response_is_exact_where_all_gaps_are_one(rng, atoms, gap):
    """H with two levels: χ₀ = 2DF by first-order perturbation theory, its charges by closure."""
    sizes = rng.integers(1, 4, size=atoms)
    atom = np.repeat(np.arange(atoms), sizes)
    size = len(atom)
    occupied = int(rng.integers(0, size + 1))
    vectors = np.linalg.qr(rng.normal(size=(size, size)))[0]
    levels = np.where(np.arange(size) < occupied, 0.0, gap)
    P = vectors[:, :occupied] @ vectors[:, :occupied].T
    Q = np.eye(size) - P
    kernel = rng.normal(size=(atoms, atoms))
    kernel = kernel @ kernel.T  # repulsive: 1 − χK is invertible
    change = rng.normal(size=(size, size))
    change = change + change.T
    mismatch = P @ change @ Q + Q @ change @ P
    step = ClosureStep(atom, kernel).step(mismatch, P, 1.0 / gap)

    def response(potential):
        inner = vectors.T @ potential @ vectors
        difference = levels[:, None] - levels[None, :]
        weights = np.where(difference != 0.0, -1.0 / np.maximum(np.abs(difference), 0.1), 0.0)
        return 2.0 * vectors @ (weights * inner) @ vectors.T

    def charges(matrix):
        return np.bincount(atom, weights=np.diagonal(matrix), minlength=atoms)

    # The charges q of the step solve q = r + χ₀[K q] with the exact χ₀.
    first = response(change)
    screened = charges(step)
    back = charges(first + response(np.diag((kernel @ screened)[atom])))
    scale = 1.0 + np.max(np.abs(kernel)) * (1.0 + np.max(np.abs(screened)))
    np.testing.assert_allclose(screened, back, atol=1e-10 * scale / gap)
    off = ~np.eye(size, dtype=bool)
    np.testing.assert_allclose(step[off], first[off], atol=1e-10 / gap)


def test_kernel_is_that_of_the_models_own_orbitals():
    """On the diagonal exactly; far apart 1/r."""
    configuration = Configuration(
        ("O", "H", "H"), np.array([[0.0, 0, 0], [1.43, 0, 1.11], [0.0, 0.0, 40.0]])
    )
    functional = EnergyFunctional(GaussianTightBinding().prepare(configuration), beta=10.0)
    density = functional.model.initial_density()
    made = closure_step(functional, density)
    assembly = functional.model.assembly
    for index in (0, 1):
        own = (assembly.atom_of_orbital == index).astype(float)
        spread = assembly.extract(np.diag(own / own.sum()))
        hardness = np.vdot(spread, functional.kernel(density, spread))
        assert made.kernel[index, index] == pytest.approx(hardness, rel=1e-12)
    np.testing.assert_array_equal(made.kernel, made.kernel.T)
    assert made.kernel[0, 2] == pytest.approx(1.0 / 40.0, rel=1e-12)
    assert made.kernel[0, 1] < 1.0 / np.hypot(1.43, 1.11)


@settings(max_examples=6)
@given(spacing=st.floats(1.4, 2.6), atoms=st.sampled_from([8, 12]))
def test_the_solution_is_the_same_with_and_without(spacing, atoms):
    functional = EnergyFunctional(GaussianTightBinding().prepare(chain(atoms, spacing, "H")))
    plain = equilibrate(functional, CommutatorDIIS(aligned=1.0))
    stepped = equilibrate(functional)
    assert plain.converged
    assert stepped.converged
    assert stepped.energy == pytest.approx(plain.energy, abs=1e-10)
    np.testing.assert_allclose(stepped.density, plain.density, atol=1e-7)


@pytest.mark.parametrize("share", [-2.0, 3.0])
def test_steps_that_mislead_are_given_up(share, monkeypatch):
    """A gap far from the true one costs some builds, not the solution."""
    functional = EnergyFunctional(GaussianTightBinding().prepare(chain(12, 1.8, "H")))
    plain = equilibrate(functional, CommutatorDIIS(aligned=1.0))
    monkeypatch.setattr("scc.equilibration.commutator_diis._SHARE", share)
    misled = equilibrate(functional)
    assert misled.converged
    assert plain.density_builds < misled.density_builds <= 2 * plain.density_builds
    assert misled.energy == pytest.approx(plain.energy, abs=1e-10)


def _no_later_than_pyscf(atoms, spacing):
    configuration = chain(atoms, spacing, "H")
    field = hydrogen_chains.reduced_hartree_fock(configuration)
    own, applications = hydrogen_chains.own_residuals(configuration, field)
    others = [hydrogen_chains.diis_residuals(field, start) for start in (None, np.eye(atoms))]
    for tolerance in hydrogen_chains.TOLERANCES:
        ours = hydrogen_chains.builds(own, tolerance)
        assert ours is not None
        for residuals in others:
            theirs = hydrogen_chains.builds(residuals, tolerance)
            assert theirs is None or ours + applications <= theirs, (spacing, tolerance)


@pytest.mark.parametrize("spacing", hydrogen_chains.SPACINGS)
def test_no_more_builds_than_pyscf_at_the_same_residual(spacing):
    """Evaluated for both by PySCF; its own last diagonalisation, which measures it, not counted."""
    _no_later_than_pyscf(20, spacing)


@pytest.mark.slow
@pytest.mark.parametrize("atoms", [40, 60])
@pytest.mark.parametrize("spacing", hydrogen_chains.SPACINGS)
def test_no_more_builds_than_pyscf_on_longer_chains(atoms, spacing):
    _no_later_than_pyscf(atoms, spacing)
