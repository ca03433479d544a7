"""E_xc[D] by quadrature: against PySCF, and every derivative against finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyscf import dft, gto
from scipy.spatial.transform import Rotation
from strategies.xc import (
    generators,
    positive_density_matrix,
    small_bases,
    symmetric_matrix,
)

from scc.basis.shells import BasisSet, Shell
from scc.basis.sto3g import sto3g
from scc.configuration import Configuration
from scc.errors import InputError
from scc.functional.exchange_correlation_term import ExchangeCorrelation
from scc.functional.quadrature import MolecularGrid
from scc.functional.terms import DensityTerm, LocalDensityTerm
from scc.functional.xc import functional_from_name

MOLECULES = {
    "water": (("O", "H", "H"), [[0.0, 0.1, 0.2], [0.0, 1.43, -0.9], [0.1, -1.43, -0.9]]),
    "lithium hydride": (("Li", "H"), [[0.0, 0.0, 0.0], [0.5, 0.4, 2.9]]),
}
names = st.sampled_from(["dirac", "lda"])

# Five-point differences with h = 2e-4. The stiffest coordinate is a cell boundary between atoms
# 0.9 bohr apart: truncation falls as h⁴ and was measured as 7e-8 relative at h = 1e-3, so 1e-10
# here; rounding, eps |E|/h, is below 1e-11. D changes by at most 1e-3 of its smallest eigenvalue.
STEP = 2e-4
TOLERANCE = 1e-8


def five_point(function):
    """d/dt of function(t) at 0."""
    below2, below, above, above2 = (function(k * STEP) for k in (-2, -1, 1, 2))
    return (below2 - 8.0 * below + 8.0 * above - above2) / (12.0 * STEP)


def coarse_term(basis, functional):
    """Derivatives are those of the discrete energy: a coarse grid tests them harder than a fine."""
    grid = MolecularGrid(basis.positions, radial=14, degree=9)
    return ExchangeCorrelation(basis, grid, functional_from_name(functional))


def moved_term(basis, functional, displacement):
    return coarse_term(basis.with_positions(basis.positions + displacement), functional)


def assert_close(measured, expected, scale=0.0):
    """Relative to the largest component; ``scale`` where that may be zero by symmetry."""
    bound = TOLERANCE * max(np.max(np.abs(expected)), scale)
    np.testing.assert_allclose(measured, expected, rtol=0.0, atol=bound)


def pyscf_reference(name):
    """(our basis, D in our order, PySCF's molecule, D in PySCF's order, our index of each)."""
    species, positions = MOLECULES[name]
    basis = sto3g(Configuration(species, np.array(positions)))
    molecule = gto.M(
        atom=list(zip(species, positions, strict=True)), basis="sto-3g", unit="Bohr", verbose=0
    )
    generator = np.random.default_rng(3)
    ours = positive_density_matrix(generator, basis.n_functions)
    # PySCF orders p functions x, y, z; ours are µ = −1, 0, 1 = y, z, x.
    order, first = [], 0
    for atom in basis.shells:
        for shell in atom:
            inner = [0] if shell.angular_momentum == 0 else [2, 0, 1]
            order += [first + i for i in inner]
            first += len(inner)
    return basis, ours, molecule, ours[np.ix_(order, order)], np.array(order)


@pytest.mark.parametrize("name", MOLECULES)
def test_energy_or_potential_differs_from_pyscf(name):
    """E_xc, V_xc and the electron count of a fixed dense D, O 1s included, to 1e-7.

    PySCF's finest grid (level 9: 200 × 1454 points, Becke's cells) has converged to 2e-9 Hartree,
    ours (100 × 2354 points an atom, other cells) to 3e-8.
    """
    basis, ours, molecule, theirs, order = pyscf_reference(name)
    grids = dft.gen_grid.Grids(molecule)
    grids.level = 9
    grids.prune = None
    grids.build()
    grid = MolecularGrid(basis.positions, radial=100, degree=83)
    for functional, code in (("dirac", "lda,"), ("lda", "lda,pw")):
        electrons, energy, potential = dft.numint.NumInt().nr_rks(molecule, grids, code, theirs)
        term = ExchangeCorrelation(basis, grid, functional_from_name(functional))
        assert term.energy(ours) == pytest.approx(energy, abs=1e-7)
        measured = term.potential(ours)[np.ix_(order, order)]
        np.testing.assert_allclose(measured, potential, rtol=0.0, atol=1e-7)
        assert term.integrated_density(ours) == pytest.approx(electrons, abs=1e-7)
    exact = np.sum(theirs * molecule.intor("int1e_ovlp"))
    assert term.integrated_density(ours) == pytest.approx(exact, abs=1e-7)


@given(small_bases(), generators, names)
def test_potential_is_not_derivative_of_energy(basis, generator, functional):
    term = coarse_term(basis, functional)
    density = positive_density_matrix(generator, basis.n_functions)
    direction = symmetric_matrix(generator, basis.n_functions)
    expected = five_point(lambda t: term.energy(density + t * direction))
    potential = term.potential(density)
    assert_close(np.sum(potential * direction), expected, scale=np.max(np.abs(potential)))
    np.testing.assert_array_equal(potential, potential.T)


@given(small_bases(), generators, names)
def test_kernel_is_not_derivative_of_potential(basis, generator, functional):
    term = coarse_term(basis, functional)
    density = positive_density_matrix(generator, basis.n_functions)
    direction = symmetric_matrix(generator, basis.n_functions)
    expected = five_point(lambda t: term.potential(density + t * direction))
    assert_close(term.kernel(density, direction), expected)


@given(small_bases(), generators, names)
def test_kernel_not_symmetric_or_not_concave(basis, generator, functional):
    """⟨A, K B⟩ = ⟨B, K A⟩ and ⟨A, K A⟩ ≤ 0, as ε_xc'' ≤ 0."""
    term = coarse_term(basis, functional)
    density = positive_density_matrix(generator, basis.n_functions)
    a, b = (symmetric_matrix(generator, basis.n_functions) for _ in range(2))
    ka, kb = term.kernel(density, a), term.kernel(density, b)
    # Cauchy–Schwarz in the (definite) kernel bounds both sides by the diagonal entries.
    bound = np.sqrt(np.sum(a * ka) * np.sum(b * kb))
    assert np.sum(b * ka) == pytest.approx(np.sum(a * kb), abs=1e-12 * bound)
    assert np.sum(a * ka) <= 0.0


@given(small_bases(), generators, names)
def test_force_misses_pulay_or_weight_terms(basis, generator, functional):
    """∂E_xc/∂r of the discrete energy, on a grid coarse enough for weights to matter."""
    density = positive_density_matrix(generator, basis.n_functions)
    displacement = generator.uniform(-1.0, 1.0, size=basis.positions.shape)
    term = coarse_term(basis, functional)
    expected = five_point(lambda t: moved_term(basis, functional, t * displacement).energy(density))
    gradient = term.position_gradient(density)
    # A cluster of one atom has no gradient: compare with its energy per bohr then.
    scale = max(np.max(np.abs(gradient)), 1e-3 * abs(term.energy(density)))
    assert_close(np.sum(gradient * displacement), expected, scale=scale)
    # The discrete energy is exactly translation invariant.
    assert np.max(np.abs(np.sum(gradient, axis=0))) <= 1e-11 * max(1.0, scale)


@given(small_bases(), generators, names)
def test_potential_response_to_displacement_wrong(basis, generator, functional):
    density = positive_density_matrix(generator, basis.n_functions)
    displacement = generator.uniform(-1.0, 1.0, size=basis.positions.shape)
    term = coarse_term(basis, functional)
    expected = five_point(
        lambda t: moved_term(basis, functional, t * displacement).potential(density)
    )
    assert_close(
        term.potential_position_jvp(density, displacement),
        expected,
        scale=1e-3 * np.max(np.abs(term.potential(density))),
    )


@given(small_bases(), generators, names)
def test_site_energies_or_their_derivatives_wrong(basis, generator, functional):
    """Σ e_ℓ = E, and the two Jacobian products of e_ℓ in D and in r against differences."""
    term = coarse_term(basis, functional)
    density = positive_density_matrix(generator, basis.n_functions)
    direction = symmetric_matrix(generator, basis.n_functions)
    displacement = generator.uniform(-1.0, 1.0, size=basis.positions.shape)
    energies = term.site_energies(density)
    assert np.sum(energies) == pytest.approx(term.energy(density), rel=1e-12)
    scale = 1e-3 * np.max(np.abs(energies))
    assert_close(
        term.site_energies_jvp(density, direction),
        five_point(lambda t: term.site_energies(density + t * direction)),
        scale=scale,
    )
    assert_close(
        term.site_position_jvp(density, displacement),
        five_point(
            lambda t: moved_term(basis, functional, t * displacement).site_energies(density)
        ),
        scale=scale,
    )


@given(small_bases(), generators, names)
def test_site_products_are_not_adjoint(basis, generator, functional):
    """⟨a, de⟩ by the forward products equals the contracted ones; a = 1 gives the totals."""
    term = coarse_term(basis, functional)
    density = positive_density_matrix(generator, basis.n_functions)
    direction = symmetric_matrix(generator, basis.n_functions)
    displacement = generator.uniform(-1.0, 1.0, size=basis.positions.shape)
    a = generator.normal(size=len(basis))
    forward = term.site_energies_jvp(density, direction)
    assert np.sum(term.site_potential(density, a) * direction) == pytest.approx(
        a @ forward, abs=1e-12 * np.abs(a) @ np.abs(term.site_energies(density))
    )
    contracted = term.site_position_contract(density, a)
    assert np.sum(contracted * displacement) == pytest.approx(
        a @ term.site_position_jvp(density, displacement),
        abs=1e-11 * max(1.0, np.max(np.abs(contracted))),
    )
    ones = np.ones(len(basis))
    np.testing.assert_allclose(
        term.site_potential(density, ones), term.potential(density), rtol=1e-12, atol=1e-14
    )


@given(small_bases(), generators, names)
def test_negative_density_gives_nan_or_energy(basis, generator, functional):
    """ρ ≤ 0 contributes nothing: D = 0 and D < 0 give zeros, indefinite D finite values."""
    term = coarse_term(basis, functional)
    n = basis.n_functions
    direction = symmetric_matrix(generator, n)
    displacement = generator.normal(size=basis.positions.shape)
    for density in (np.zeros((n, n)), -positive_density_matrix(generator, n)):
        assert term.energy(density) == 0.0
        assert np.all(term.potential(density) == 0.0)
        assert np.all(term.kernel(density, direction) == 0.0)
        assert np.all(term.position_gradient(density) == 0.0)
        assert np.all(term.potential_position_jvp(density, displacement) == 0.0)
    mixed = symmetric_matrix(generator, n)
    for value in (
        term.site_energies(mixed),
        term.potential(mixed),
        term.kernel(mixed, direction),
        term.position_gradient(mixed),
        term.potential_position_jvp(mixed, displacement),
    ):
        assert np.all(np.isfinite(value))
    assert term.energy(mixed) <= 0.0


@given(small_bases(), generators)
def test_antisymmetric_part_of_density_matrix_leaks(basis, generator):
    """ρ sees only the symmetric part of D; so must every derivative."""
    term = coarse_term(basis, "lda")
    n = basis.n_functions
    density = positive_density_matrix(generator, n)
    skew = generator.normal(size=(n, n))
    skewed = density + 0.1 * (skew - skew.T)
    displacement = generator.normal(size=basis.positions.shape)
    for method in (term.energy, term.potential, term.position_gradient):
        np.testing.assert_allclose(method(skewed), method(density), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(
        term.potential_position_jvp(skewed, displacement),
        term.potential_position_jvp(density, displacement),
        rtol=1e-9,
        atol=1e-11,
    )


def test_functional_none_contributes():
    basis = BasisSet(np.zeros((1, 3)), [[Shell(0, (0.7,), (1.0,))]])
    term = coarse_term(basis, "none")
    assert term.convex
    assert term.energy(np.eye(1)) == 0.0
    assert not coarse_term(basis, "dirac").convex


def test_term_does_not_fit_the_functional():
    """The energy functional recognises the term, and its site decomposition, by these protocols."""
    term = coarse_term(BasisSet(np.zeros((1, 3)), [[Shell(0, (0.7,), (1.0,))]]), "lda")
    assert isinstance(term, DensityTerm)
    assert isinstance(term, LocalDensityTerm)


def test_hydrogenlike_exchange_constant_wrong():
    """One s Gaussian, D = 2: E_x = −c₀ 2^{4/3} (2a/π)² (3π/8a)^{3/2} exactly."""
    a = 0.8
    basis = BasisSet(np.array([[0.3, -2.0, 1.0]]), [[Shell(0, (a,), (1.0,))]])
    grid = MolecularGrid(basis.positions, radial=60, degree=5)
    term = ExchangeCorrelation(basis, grid, functional_from_name("dirac"))
    constant = 0.75 * (3.0 / np.pi) ** (1.0 / 3.0)
    expected = -constant * 2.0 ** (4 / 3) * (2 * a / np.pi) ** 2 * (3 * np.pi / (8 * a)) ** 1.5
    assert term.energy(2.0 * np.eye(1)) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=5)
@given(generators)
def test_orientation_error_larger_than_stated(generator):
    """E_xc of water on the default grid varies with orientation by less than 2e-5 Hartree."""
    species, positions = MOLECULES["water"]
    water = np.array(positions)
    basis = sto3g(Configuration(species, water))
    # An s-only density matrix needs no rotation of the orbitals.
    diagonal = np.zeros((7, 7))
    diagonal[[0, 1, 5, 6], [0, 1, 5, 6]] = [2.0, 2.0, 1.0, 1.0]
    energies = []
    for rotation in Rotation.random(2, rng=generator):
        rotated = basis.with_positions(rotation.apply(water))
        grid = MolecularGrid(rotated.positions)
        term = ExchangeCorrelation(rotated, grid, functional_from_name("lda"))
        energies.append(term.energy(diagonal))
    assert abs(energies[0] - energies[1]) < 2e-5


def test_mismatched_grid_or_matrix_accepted():
    basis = BasisSet(np.zeros((1, 3)), [[Shell(0, (0.7,), (1.0,))]])
    with pytest.raises(InputError, match="not at the same positions"):
        ExchangeCorrelation(basis, MolecularGrid(np.ones((1, 3))), functional_from_name("lda"))
    with pytest.raises(InputError, match=r"shape \(2, 2\), not \(1, 1\)"):
        coarse_term(basis, "lda").energy(np.eye(2))
