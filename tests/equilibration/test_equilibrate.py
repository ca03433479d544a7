"""The equilibration map: critical points, forces, invariances, periodic cells."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies.configurations import generators, rotations
from strategies.finite_differences import assert_derivative
from strategies.onsite import (
    SOURCED,
    SPECIES,
    model_systems,
    molecules,
    onsite_build,
    relaxable_cases,
    synthetic_cases,
    unit,
)

from scc.configuration import Configuration, chain, lattice
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.solvers import Anderson, Damped, NewtonKrylov
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional
from scc.models.hopping import NearestNeighbourHopping
from scc.models.model_systems import ModelSystem, model_b
from scc.models.onsite import OnsiteTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical

EPS = np.finfo(np.float64).eps
TIGHT = 1e-12


def _relaxed(case, tolerance=1e-10):
    equilibrium = equilibrate(case.functional, tolerance=tolerance)
    assume(equilibrium.converged)
    return equilibrium


def _onsite(configuration, parameters, **options):
    return EnergyFunctional(OnsiteTightBinding(parameters).prepare(configuration), **options)


def _energy_size(equilibrium):
    """Largest of the terms the energy is a sum of."""
    local, density = equilibrium.state.local, equilibrium.density
    levels = np.abs(local.eigenvalues) + abs(local.chemical_potential)
    v = np.abs(equilibrium.functional.model.assembly.feature_matrix(equilibrium.features))
    explicit = sum(abs(term.energy(density)) for term in equilibrium.functional.terms)
    return 1.0 + 2.0 * float(np.sum(levels)) + 2.0 * float(np.sum(v)) + explicit


# -- what a converged result is ---------------------------------------------------------------


@given(case=relaxable_cases())
def test_converged_means_a_critical_point_and_a_minimum(case):
    """T(v̂*) = 0, v̂* = V[ρ], λ_min(ε) ≥ 1 because J > 0 and E[ρ] is convex."""
    equilibrium = equilibrate(case.functional)
    if isinstance(case.ensemble, Canonical):
        assert equilibrium.converged
    assume(equilibrium.converged)
    assert equilibrium.residual <= 1e-10
    assert equilibrium.history[-1] == equilibrium.residual
    state = equilibrium.state
    # T is −½ χ₀ (V − v): bounded by ‖χ₀‖ ‖J‖ times the density residual.
    size = max(1.0, case.beta if case.beta < math.inf else 1.0 / equilibrium.gap)
    size *= len(state.local.eigenvalues) * 10.0
    assert np.max(np.abs(state.residual)) <= 1e-10 * size
    low, high = equilibrium.extreme_eigenvalues
    assert 1.0 - 1e-12 * high <= low <= high
    assert equilibrium.stable
    if isinstance(case.ensemble, Canonical):
        total = float(np.sum(equilibrium.functional.model.nuclear_charges))
        assert np.sum(equilibrium.charges) == pytest.approx(
            total - case.ensemble.electrons, abs=1e-11 * size
        )


@given(case=relaxable_cases(max_atoms=7), rng=generators())
def test_no_other_features_have_a_lower_energy(case, rng):
    """(1.5): with E[ρ] convex 𝒢 as a functional of γ is convex, and γ(v̂*) its minimiser."""
    equilibrium = _relaxed(case)
    direction = rng.normal(size=case.features.shape)
    for length in (1e-3, 0.1, 1.0, 10.0):
        try:
            other = case.functional.evaluate(equilibrium.features + length * direction)
        except InputError:  # no gap there at β = ∞
            continue
        assert other.energy >= equilibrium.energy - 10.0 * EPS * _energy_size(equilibrium)


@settings(max_examples=15)
@given(case=relaxable_cases(max_atoms=8))
def test_three_solvers_find_one_solution(case):
    """Anderson, Newton–Krylov and damped iteration below 2/λ_max: same ρ, same energy."""
    reference = _relaxed(case, tolerance=1e-11)
    solvers = [
        NewtonKrylov(),
        Anderson(depth=5, damping=0.3, preconditioned=False),
        Damped(1.0 / reference.lambda_max),
    ]
    # Residual and error differ by (ε†)⁻¹; its 1-norm is the ∞-norm of ε⁻¹.
    error = 2e-11 * np.linalg.norm(np.linalg.inv(reference.dielectric.dense()), 1)
    for solver in solvers:
        other = equilibrate(case.functional, solver, tolerance=1e-11, max_builds=2000)
        assume(other.converged)
        np.testing.assert_allclose(
            other.density, reference.density, atol=10.0 * len(case.configuration) * error
        )
        assert other.energy == pytest.approx(reference.energy, abs=1e-13 * _energy_size(reference))


@given(case=relaxable_cases(max_atoms=8), rng=generators())
def test_the_start_does_not_matter(case, rng):
    """E[ρ] convex: one equilibrium, whatever v̂ it is sought from."""
    reference = _relaxed(case)
    start = 0.3 * rng.normal(size=case.features.shape)
    try:
        other = equilibrate(case.functional, features=start)
    except InputError:  # no gap at the start
        return
    if other.converged:
        error = 2e-10 * np.linalg.norm(np.linalg.inv(reference.dielectric.dense()), 1)
        np.testing.assert_allclose(
            other.density, reference.density, atol=10.0 * len(case.configuration) * error
        )
    again = equilibrate(case.functional, features=reference.features, tolerance=1e-9)
    assert again.converged


# -- forces -----------------------------------------------------------------------------------


def _equilibrated_energy(case, start, displacement):
    positions = case.configuration.positions

    def energy(t):
        moved = case.functional_at(positions + t * displacement)
        result = equilibrate(moved, features=start, tolerance=1e-11)
        # 𝒢 is stationary: a residual of 1e-9 changes it by 1e-18.
        assert result.residual <= 1e-9, result.status
        return result.energy

    return energy


@given(case=relaxable_cases(max_atoms=8), rng=generators())
def test_hellmann_feynman_forces_differentiate_the_equilibrated_energy(case, rng):
    """−dE/dr after re-equilibration, ≤ 1e-8 of the largest component, all ensembles."""
    equilibrium = _relaxed(case, tolerance=1e-11)
    displacement = unit(rng, case.configuration.positions.shape)
    assert_derivative(
        -np.vdot(equilibrium.forces, displacement),
        _equilibrated_energy(case, equilibrium.features, displacement),
        0.5 * case.position_step(displacement),
        np.max(np.abs(equilibrium.forces)),
        noise=EPS * _energy_size(equilibrium),
    )


@settings(max_examples=10)
@given(case=synthetic_cases(betas=st.floats(0.5, 5.0)), rng=generators())
def test_forces_in_a_restricted_feature_space(case, rng):
    """Expansion (2.19) with few Ξ, moving W and D: T = 0 and Hellmann–Feynman with Pulay terms."""
    equilibrium = _relaxed(case, tolerance=1e-11)
    assert np.max(np.abs(equilibrium.state.gradient)) <= 1e-11
    displacement = unit(rng, case.configuration.positions.shape)
    assert_derivative(
        -np.vdot(equilibrium.forces, displacement),
        _equilibrated_energy(case, equilibrium.features, displacement),
        0.5 * case.position_step(displacement),
        np.max(np.abs(equilibrium.forces)),
        noise=EPS * _energy_size(equilibrium),
    )


@given(configuration=molecules(max_atoms=5), beta=st.floats(2.0, 30.0), charge=st.floats(-0.5, 0.5))
def test_no_net_force_and_no_torque_in_open_boundary(configuration, beta, charge):
    """ΣF = 0, Σ r × F = 0: what translation and rotation invariance mean for forces."""
    model = OnsiteTightBinding(SOURCED).prepare(configuration)
    ensemble = Canonical(model.neutral_electrons - charge)
    equilibrium = equilibrate(EnergyFunctional(model, beta=beta, ensemble=ensemble))
    forces, positions = equilibrium.forces, configuration.positions
    # Holds at any v̂, converged or not, so only rounding of the pair forces is allowed: those of
    # J are at most charge²/r², of H⁰ and the repulsion of the size of the energy.
    allowed = 10.0 * EPS * len(forces) * _energy_size(equilibrium) * max(1.0, beta)
    np.testing.assert_allclose(np.sum(forces, axis=0), 0.0, atol=allowed)
    torque = np.sum(np.cross(positions, forces), axis=0)
    np.testing.assert_allclose(torque, 0.0, atol=allowed * (1.0 + np.max(np.abs(positions))))


# -- invariances ------------------------------------------------------------------------------


@given(
    configuration=molecules(max_atoms=5), beta=st.floats(2.0, 20.0), q=rotations(), rng=generators()
)
def test_equilibrium_moves_turns_and_renumbers_with_the_atoms(configuration, beta, q, rng):
    """Energy, charges, Fermi level invariant; forces covariant. p orbitals included."""
    order = rng.permutation(len(configuration))
    other = Configuration(
        tuple(configuration.species[i] for i in order),
        configuration.positions[order] @ q.T + rng.normal(size=3) * 5.0,
    )
    one = equilibrate(_onsite(configuration, SOURCED, beta=beta), tolerance=TIGHT)
    two = equilibrate(_onsite(other, SOURCED, beta=beta), tolerance=TIGHT)
    assume(one.residual < 1e-11 and two.residual < 1e-11)
    amplification = 1.0 + np.linalg.norm(np.linalg.inv(one.dielectric.dense()), 1)
    allowed = 1e-11 * amplification * max(1.0, beta)
    assert two.energy == pytest.approx(one.energy, abs=20.0 * EPS * _energy_size(one))
    assert two.fermi_level == pytest.approx(one.fermi_level, abs=allowed * beta)
    np.testing.assert_allclose(two.charges, one.charges[order], atol=allowed)
    np.testing.assert_allclose(
        two.forces, one.forces[order] @ q.T, atol=allowed * max(1.0, np.max(np.abs(one.forces)))
    )


@given(
    parameters=model_systems(),
    shift=st.floats(-3.0, 3.0),
    beta=st.one_of(st.floats(0.5, 50.0), st.just(math.inf)),
    canonical=st.booleans(),
    rng=generators(),
)
def test_a_shift_of_all_levels_and_of_mu_is_a_gauge(parameters, shift, beta, canonical, rng):
    """Charges, forces, v̂ unchanged; the energy moves by cN (canonical) or not at all."""
    configuration = chain(6, (1.0, 1.6), SPECIES, 0.2, rng)
    shifted = ModelSystem(
        parameters.hopping,
        {symbol: level + shift for symbol, level in parameters.onsite.items()},
        parameters.width,
        parameters.nuclear_charge,
    )
    one_ensemble = two_ensemble = Canonical(6.0)
    if not canonical:
        relaxed = equilibrate(_onsite(configuration, parameters, beta=beta, ensemble=one_ensemble))
        assume(relaxed.converged and (beta < math.inf or relaxed.gap > 0.1))
        one_ensemble = GrandCanonical(relaxed.fermi_level)
        two_ensemble = GrandCanonical(relaxed.fermi_level + shift)
    one = equilibrate(_onsite(configuration, parameters, beta=beta, ensemble=one_ensemble))
    two = equilibrate(_onsite(configuration, shifted, beta=beta, ensemble=two_ensemble))
    assume(one.converged)
    assert two.converged
    error = 2e-10 * np.linalg.norm(np.linalg.inv(one.dielectric.dense()), 1) * 6.0
    np.testing.assert_allclose(two.charges, one.charges, atol=error)
    np.testing.assert_allclose(two.features, one.features, atol=10.0 * error)
    np.testing.assert_allclose(two.forces, one.forces, atol=10.0 * error)
    moved = shift * 6.0 if canonical else 0.0
    assert two.energy - one.energy == pytest.approx(moved, abs=50.0 * EPS * _energy_size(two))


# -- periodic cells ---------------------------------------------------------------------------


def _molecular_parameters():
    return ModelSystem(
        NearestNeighbourHopping(0.7, 2.0), {"Na": -0.4, "Cl": 0.4}, 0.6, {"Na": 1.3, "Cl": 0.7}
    )


@pytest.mark.parametrize("repeats", [(2, 1, 1), (1, 2, 2), (3, 1, 1)])
@pytest.mark.parametrize("beta", [8.0, math.inf])
def test_a_supercell_of_molecules_has_the_energy_of_its_cells(repeats, beta):
    """Molecules that do not hop between cells have flat bands, so Γ-point folding is exact.

    (With hopping between cells the supercell samples k points that the small cell does not, and
    the two energies per cell rightly differ.) The Ewald sum is exact for any cell.
    """
    rng = np.random.default_rng(5)
    positions = np.array([[0.0, 0.0, 0.0], [1.5, 0.2, 0.1], [0.3, 1.6, -0.2], [1.2, 1.4, 1.3]])
    species = ("Na", "Cl", "Cl", "Na")
    cell = np.diag([5.5, 6.0, 5.8]) + 0.2 * rng.normal(size=(3, 3))
    shifts = np.array(list(np.ndindex(*repeats)))
    many = np.concatenate([positions + shift @ cell for shift in shifts])
    big_cell = cell * np.array(repeats)[:, None]
    small = Configuration(species, positions, cell, (True, True, True))
    big = Configuration(species * len(shifts), many, big_cell, (True, True, True))
    one = equilibrate(_onsite(small, _molecular_parameters(), beta=beta))
    two = equilibrate(_onsite(big, _molecular_parameters(), beta=beta))
    assert one.converged
    assert two.converged
    n = len(shifts)
    # Charges are converged to 1e-10, the energy to its square; sums of 1e3 terms of order one.
    assert two.energy == pytest.approx(n * one.energy, abs=1e-12 * n)
    np.testing.assert_allclose(two.charges, np.tile(one.charges, n), atol=1e-9)
    np.testing.assert_allclose(two.forces, np.tile(one.forces, (n, 1)), atol=1e-9)


@settings(max_examples=8)
@given(parameters=model_systems(), rng=generators(), beta=st.floats(1.0, 20.0))
def test_forces_and_images_in_a_periodic_cell(parameters, rng, beta):
    """Hellmann–Feynman in a jittered rock-salt cell; atoms may be moved to other images."""
    configuration = lattice("rock-salt", 2, 2.2, SPECIES, periodic=True, jitter=0.3, rng=rng)
    equilibrium = equilibrate(_onsite(configuration, parameters, beta=beta), tolerance=1e-11)
    assume(equilibrium.converged)
    build = onsite_build(parameters)
    displacement = unit(rng, configuration.positions.shape)

    def energy(t):
        moved = Configuration(
            configuration.species,
            configuration.positions + t * displacement,
            configuration.cell,
            configuration.periodic,
        )
        other = EnergyFunctional(build(moved)[0], beta=beta)
        return equilibrate(other, features=equilibrium.features, tolerance=1e-11).energy

    assert_derivative(
        -np.vdot(equilibrium.forces, displacement),
        energy,
        min(1e-3, 0.002 / beta),
        np.max(np.abs(equilibrium.forces)),
        noise=EPS * _energy_size(equilibrium),
    )
    images = rng.integers(-2, 3, size=(len(configuration), 3))
    wrapped = Configuration(
        configuration.species,
        configuration.positions + images @ configuration.cell,
        configuration.cell,
        configuration.periodic,
    )
    same = equilibrate(_onsite(wrapped, parameters, beta=beta), tolerance=1e-11)
    assume(same.converged)
    assert same.energy == pytest.approx(equilibrium.energy, abs=50.0 * EPS * _energy_size(same))
    np.testing.assert_allclose(same.charges, equilibrium.charges, atol=1e-9)


def test_a_periodic_metal_keeps_its_symmetry():
    """Rock-salt cell with hopping between cells: equivalent sites, no forces, neutral."""
    configuration = lattice("rock-salt", 4, 2.0, SPECIES, periodic=True)
    result = equilibrate(_onsite(configuration, model_b(gap=0.5), beta=10.0))
    assert result.converged
    assert np.sum(result.charges) == pytest.approx(0.0, abs=1e-9)
    for symbol in SPECIES:
        same = result.charges[np.array(configuration.species) == symbol]
        np.testing.assert_allclose(same, same[0], atol=1e-9)
    np.testing.assert_allclose(result.forces, 0.0, atol=1e-9)
