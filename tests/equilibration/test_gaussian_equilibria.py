"""Equilibria of the Gaussian-orbital model: forces, response, stability.

Finite differences re-equilibrate at every point, from the features found in the middle.
"""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies.configurations import generators, rotations
from strategies.finite_differences import assert_derivative
from strategies.gaussian_models import (
    GaussianCase,
    Recipe,
    UniformField,
    determined,
    energy_size,
    nodeless,
    relaxable_gaussians,
)
from strategies.onsite import unit

from scc.basis.shells import single_gaussian
from scc.basis.sto3g import sto3g
from scc.basis.three_centre import PotentialFunction
from scc.configuration import Configuration, cluster
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.response import LinearResponse
from scc.equilibration.solvers import Anderson, NewtonKrylov
from scc.errors import ConvergenceError, InputError
from scc.functional.energy import EnergyFunctional
from scc.functional.exchange_correlation_term import ExchangeCorrelation
from scc.functional.quadrature import MolecularGrid
from scc.functional.xc import Dirac, LocalDensityApproximation
from scc.models.gaussian import GaussianTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical

EPS = np.finfo(np.float64).eps
TIGHT = 1e-12


def _relaxed(case, tolerance=TIGHT):
    """Converged to ``tolerance``, or at least to a hundred times that, where rounding ends it."""
    try:
        equilibrium = equilibrate(
            case.functional, features=case.features, tolerance=tolerance, max_builds=80
        )
    except InputError as error:  # β = ∞: levels may cross on the way; then there is no such state
        assume("no gap" not in str(error))
        raise
    assume(equilibrium.status in {"converged", "stalled"})
    assume(0.0 < equilibrium.residual <= 100.0 * tolerance)
    if not equilibrium.converged:
        equilibrium = equilibrate(
            case.functional,
            features=equilibrium.features,
            tolerance=2.0 * equilibrium.residual,
        )
    assume(equilibrium.converged and determined(equilibrium) and nodeless(equilibrium))
    return equilibrium


def _again(functional, start):
    """The equilibrium of a neighbouring functional."""
    result = equilibrate(functional, features=start, tolerance=TIGHT, max_builds=60)
    assert result.residual <= 1e-10, result.status
    return result


# -- forces ------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(case=relaxable_gaussians(field=True), rng=generators())
def test_hellmann_feynman_forces_differentiate_the_equilibrated_energy(case, rng):
    """−dE/dr ≤ 1e-8 of the largest component: Pulay terms of φ, Ξ and S, quadrature weights."""
    equilibrium = _relaxed(case)
    displacement = unit(rng, case.configuration.positions.shape)
    positions = case.configuration.positions

    def energy(t):
        moved = case.functional_at(positions + t * displacement)
        return _again(moved, equilibrium.features).energy

    assert_derivative(
        -np.vdot(equilibrium.forces, displacement),
        energy,
        0.5 * case.position_step(displacement),
        np.max(np.abs(equilibrium.forces)),
        noise=EPS * energy_size(equilibrium),
    )


@settings(max_examples=15)
@given(case=relaxable_gaussians(xc="none"))
def test_no_net_force_and_no_torque(case):
    """Translation and rotation change nothing; rounding of integrals is all there is."""
    equilibrium = _relaxed(case)
    forces, positions = equilibrium.forces, case.configuration.positions
    # Integrals of tight functions (a ≤ 131 bohr⁻² in oxygen) gain √a for each gradient.
    rounding = 100.0 * EPS * energy_size(equilibrium)
    np.testing.assert_allclose(np.sum(forces, axis=0), 0.0, atol=rounding)
    torque = np.sum(np.cross(positions, forces), axis=0)
    # p functions turn with the frame: 𝒢 is invariant when v̂ turns too, and ∂𝒢/∂v̂ is not quite 0.
    unsolved = np.sum(np.abs(equilibrium.state.gradient)) * np.max(np.abs(equilibrium.features))
    allowed = rounding * (1.0 + np.max(np.abs(positions))) + 2.0 * unsolved
    assert allowed < 1e-9 * energy_size(equilibrium)
    np.testing.assert_allclose(torque, 0.0, atol=allowed)


def test_net_force_with_exchange_correlation_vanishes_and_the_torque_is_that_of_the_grid():
    """Points move with their atoms, so no net force on any grid; they do not turn with them."""
    rng = np.random.default_rng(4)
    q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    positions = np.array([[0.0, 0.0, 0.0], [1.43, 0.0, 1.11], [-1.43, 0.0, 1.11]]) @ q.T
    configuration = Configuration(("O", "H", "H"), positions)
    model = GaussianTightBinding().prepare(configuration)
    torques = []
    for radial, degree in ((20, 11), (40, 23), (60, 41)):
        grid = MolecularGrid(positions, radial, degree)
        term = ExchangeCorrelation(model.assembly.basis, grid, LocalDensityApproximation())
        result = equilibrate(EnergyFunctional(model, extra_terms=(term,)), tolerance=1e-8)
        np.testing.assert_allclose(np.sum(result.forces, axis=0), 0.0, atol=1e-11)
        torques.append(np.max(np.abs(np.sum(np.cross(positions, result.forces), axis=0))))
    # Measured 1.2e-2, 2e-4, 6e-6 Hartree; (100, 53) leaves 1e-6.
    assert torques[1] < 0.1 * torques[0]
    assert torques[2] < 0.1 * torques[1]
    assert torques[2] < 1e-4


@settings(max_examples=10)
@given(case=relaxable_gaussians(xc="none", overlap="loewdin"), q=rotations(), rng=generators())
def test_equilibrium_moves_turns_and_renumbers_with_the_atoms(case, q, rng):
    """p orbitals and p functions Ξ turn with the frame; energies and charges do not notice."""
    one = _relaxed(case)
    order = rng.permutation(len(case.configuration))
    configuration = Configuration(
        tuple(case.configuration.species[i] for i in order),
        case.configuration.positions[order] @ q.T + rng.normal(size=3),
    )
    model, extra = case.build(configuration)
    functional = EnergyFunctional(model, beta=case.beta, ensemble=case.ensemble, extra_terms=extra)
    two = equilibrate(functional, tolerance=TIGHT, max_builds=120)
    assume(two.residual <= 1e-10)
    assert two.energy == pytest.approx(one.energy, abs=100.0 * EPS * energy_size(one))
    np.testing.assert_allclose(two.charges, one.charges[order], atol=1e-8)
    np.testing.assert_allclose(
        two.forces, one.forces[order] @ q.T, atol=1e-8 * max(1.0, np.max(np.abs(one.forces)))
    )


# -- response ----------------------------------------------------------------------------------


def _compare(change, f, step, complete, beta_scale, size):
    """Every field of a Change against differences of re-equilibrated states."""
    fields = ["density", "populations", "site_energies"] + ["features"] * complete
    for name in fields:
        analytic = getattr(change, name)
        # Densities are converged to 1e-12 times (ε†)⁻¹ and the steepness of F.
        assert_derivative(
            analytic,
            lambda t, name=name: f(t)[name],
            step,
            float(np.max(np.abs(analytic))),
            noise=size * 1e-13 * beta_scale,
        )


def _fields(result):
    return {
        "density": result.density,
        "populations": result.state.local.populations,
        "site_energies": result.state.site_energies,
        "features": result.features,
    }


def _steepness(case, equilibrium):
    """dD per dV, and how much ∂𝒢/∂v̂ = 0 leaves D undetermined: K^{1/2}K⁻¹ in the softest v̂."""
    steep = 1.0 / equilibrium.gap if math.isinf(case.beta) else case.beta
    if case.functional.model.complete:
        return steep
    response = np.linalg.eigvalsh(-equilibrium.state.local.feature_response())
    kept = response[response > 1e-10 * response[-1]] / response[-1]
    return steep / math.sqrt(np.min(kept, initial=1.0))


@settings(max_examples=10)
@given(case=relaxable_gaussians(), rng=generators())
def test_response_to_displacements(case, rng):
    """dv̂, dD, dp, dE_ℓ by solving with ε against re-equilibration at moved atoms."""
    equilibrium = _relaxed(case)
    displacement = unit(rng, case.configuration.positions.shape)
    change = LinearResponse(equilibrium).to_displacement(displacement)
    positions = case.configuration.positions
    cache = {}

    def moved(t):
        if t not in cache:
            functional = case.functional_at(positions + t * displacement)
            cache[t] = _fields(_again(functional, equilibrium.features))
        return cache[t]

    _compare(
        change,
        moved,
        case.position_step(displacement),
        case.functional.model.complete,
        _steepness(case, equilibrium),
        1.0 + np.max(np.abs(equilibrium.features)),
    )


@settings(max_examples=10)
@given(case=relaxable_gaussians(), rng=generators())
def test_response_to_an_external_potential(case, rng):
    """A uniform field switched on: the perturbation is the one of UniformField."""
    equilibrium = _relaxed(case)
    model = case.functional.model
    field = unit(rng, (3,))
    dV = UniformField(model, field).potential(equilibrium.density)
    change = LinearResponse(equilibrium).to_potential(dV)
    cache = {}

    def switched(t):
        if t not in cache:
            functional = EnergyFunctional(
                model,
                beta=case.beta,
                ensemble=case.ensemble,
                terms=(*case.functional.terms, UniformField(model, t * field)),
            )
            cache[t] = _fields(_again(functional, equilibrium.features))
        return cache[t]

    norm = np.linalg.norm(model.assembly.embed(dV), 2)
    _compare(
        change,
        switched,
        min(case.scale / (100.0 * norm), 1e-3),
        model.complete,
        _steepness(case, equilibrium),
        1.0 + np.max(np.abs(equilibrium.features)),
    )


@settings(max_examples=10)
@given(case=relaxable_gaussians())
def test_born_charges_add_up_to_the_total_charge(case):
    """Σ_ℓ Z*_ℓ = (Σ Z − ∫ρ)·1: a rigid shift carries the whole charge; ∫ρ = Tr(DS)."""
    equilibrium = _relaxed(case)
    born = LinearResponse(equilibrium).born_charges()
    model = case.functional.model
    electrons = float(np.vdot(equilibrium.density, model.assembly.overlap.matrix))
    total = float(np.sum(model.nuclear_charges)) - electrons
    np.testing.assert_allclose(np.sum(born, axis=0), total * np.eye(3), atol=1e-7)


@settings(max_examples=8)
@given(case=relaxable_gaussians(), rng=generators())
def test_born_charges_are_the_response_of_forces_to_a_field(case, rng):
    """Z*_ℓ,ab = ∂µ_a/∂r_ℓb = ∂F_ℓb/∂E_a: two derivations, one number."""
    equilibrium = _relaxed(case)
    born = LinearResponse(equilibrium).born_charges()
    model = case.functional.model
    field = unit(rng, (3,))

    def forces(t):
        functional = EnergyFunctional(
            model,
            beta=case.beta,
            ensemble=case.ensemble,
            terms=(*case.functional.terms, UniformField(model, t * field)),
        )
        return _again(functional, equilibrium.features).forces

    norm = np.linalg.norm(
        model.assembly.embed(UniformField(model, field).potential(equilibrium.density)), 2
    )
    assert_derivative(
        np.einsum("lab,a->lb", born, field),
        forces,
        min(case.scale / (100.0 * norm), 1e-3),
        float(np.max(np.abs(born))),
        noise=1e-12 * _steepness(case, equilibrium),
    )


@settings(max_examples=7)
@given(case=relaxable_gaussians())
def test_polarisability_is_symmetric_and_the_curvature_of_the_energy(case):
    """α_ab = −∂²E/∂E_a∂E_b, by differences of the dipole moment; positive for a minimum."""
    equilibrium = _relaxed(case)
    alpha = LinearResponse(equilibrium).polarisability()
    size = float(np.max(np.abs(alpha)))
    np.testing.assert_allclose(alpha, alpha.T, atol=1e-9 * max(size, 1.0))
    model = case.functional.model
    dipoles = model.dipole_potentials()
    norm = max(np.linalg.norm(model.assembly.embed(x), 2) for x in dipoles)
    step = min(case.scale / (100.0 * norm), 1e-3)
    for b, direction in enumerate(np.eye(3)):

        def dipole(t, direction=direction):
            term = UniformField(model, t * direction)
            functional = EnergyFunctional(
                model,
                beta=case.beta,
                ensemble=case.ensemble,
                terms=(*case.functional.terms, term),
            )
            found = _again(functional, equilibrium.features)
            return -np.tensordot(dipoles, found.density, 2)

        assert_derivative(
            alpha[:, b],
            dipole,
            step,
            size,
            noise=1e-13 * _steepness(case, equilibrium) * np.sum(np.abs(dipoles)),
        )
    if equilibrium.functional.convex and model.complete:
        assert np.linalg.eigvalsh(alpha)[0] >= -1e-9 * max(size, 1.0)


# -- stability ---------------------------------------------------------------------------------


@given(case=relaxable_gaussians(xc="none", complete=True))
def test_without_exchange_every_solution_is_stable(case):
    """λ_min(ε) ≥ 1 for v_C > 0, ε_xc = 0."""
    equilibrium = _relaxed(case, tolerance=1e-9)
    low, high = equilibrium.extreme_eigenvalues
    assert 1.0 - 1e-10 * high <= low <= high
    assert equilibrium.stable


@pytest.mark.parametrize("features", [None, (PotentialFunction(0, 1.0),)])
def test_filled_shells_respond_to_nothing(features):
    """Four electrons in the two orbitals of H₂: χ₀ = 0, ε = 1, with exchange as well."""
    configuration = Configuration(("H", "H"), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.5]]))
    recipe = Recipe(sto3g, features, "loewdin", xc="lda")
    model, extra = recipe(configuration)
    functional = EnergyFunctional(model, ensemble=Canonical(4.0), extra_terms=extra)
    result = equilibrate(functional)
    assert result.status == "converged"
    assert result.extreme_eigenvalues == (1.0, 1.0)
    response = LinearResponse(result)
    np.testing.assert_allclose(response.polarisability(), 0.0, atol=1e-12)
    # Two protons and four electrons; D = 2/S moves with the orbitals all the same.
    np.testing.assert_allclose(np.sum(response.born_charges(), axis=0), -2.0 * np.eye(3), atol=1e-9)


def _dilute_ring(scale, exchange, atoms=8):
    """Two electrons on a ring of eight Gaussians, all lengths times ``scale``."""
    angle = 2.0 * np.pi * np.arange(atoms) / atoms
    radius = 1.4 * scale / (2.0 * math.sin(math.pi / atoms))
    positions = radius * np.stack([np.cos(angle), np.sin(angle), np.zeros(atoms)], axis=1)
    configuration = Configuration(("H",) * atoms, positions)
    basis = partial(single_gaussian, exponent=0.4 / scale**2)
    model = GaussianTightBinding(
        basis, nuclear_charges={"H": 2.0 / atoms}, nuclear_exponent=0.8 / scale**2
    ).prepare(configuration)
    grid = MolecularGrid(positions, 30, 17, radius=scale)
    terms = (ExchangeCorrelation(model.assembly.basis, grid, Dirac()),) if exchange else ()
    return EnergyFunctional(model, beta=10.0 * scale**2, extra_terms=terms)


def test_dirac_exchange_makes_a_dilute_ring_unstable_and_the_status_says_so():
    """K of −c₀ρ^{4/3} beats 4π/q² at low density: symmetric state found, λ_min(ε) < 0."""
    solver = NewtonKrylov(start=Anderson(damping=0.05))
    found = equilibrate(_dilute_ring(100.0, True), solver, tolerance=1e-9)
    assert found.status == "unstable"
    assert not found.converged
    assert found.residual <= 1e-9
    assert found.lambda_min < 0.0
    with pytest.raises(ConvergenceError, match="unstable") as error:
        found.require_converged()
    assert "\n" not in str(error.value)
    # The symmetric state, up to the octahedral grid that tells atoms on diagonals from the others.
    np.testing.assert_allclose(found.charges, 0.0, atol=0.01)
    dense = equilibrate(_dilute_ring(10.0, True), solver, tolerance=1e-9)
    assert dense.status == "converged"
    assert 0.0 < dense.lambda_min < 1.0
    for scale in (10.0, 100.0):
        without = equilibrate(_dilute_ring(scale, False), solver, tolerance=1e-9)
        assert without.status == "converged"
        assert without.lambda_min >= 1.0 - 1e-9


@settings(max_examples=10)
@given(
    rng=generators(),
    beta=st.floats(2.0, 20.0),
    scale=st.floats(1.0, 3.0),
    charge=st.floats(-0.3, 0.3),
)
def test_whatever_is_called_converged_with_exchange_is_a_stable_critical_point(
    rng, beta, scale, charge
):
    """Random clusters with Dirac exchange: a status, and the curvature that goes with it."""
    configuration = cluster(4, 2.0 * scale, rng, species="H")
    model = GaussianTightBinding(
        partial(single_gaussian, exponent=0.6 / scale**2), nuclear_exponent=1.0
    ).prepare(configuration)
    grid = MolecularGrid(configuration.positions, 12, 11, radius=scale)
    exchange = ExchangeCorrelation(model.assembly.basis, grid, Dirac())
    functional = EnergyFunctional(
        model, beta=beta, ensemble=Canonical(4.0 - charge), extra_terms=(exchange,)
    )
    result = equilibrate(functional, max_builds=60)
    assert result.status in {"converged", "stalled", "diverged", "unstable"}
    if result.status in {"converged", "unstable"}:
        assert np.max(np.abs(result.state.gradient)) <= 1e-7
        assert (result.lambda_min > 0.0) == (result.status == "converged")
        curvature = np.linalg.eigvalsh(result.hessian)
        if result.status == "converged" and result.lambda_min > 1e-6:
            assert curvature[0] >= -1e-8 * beta * len(curvature)


# -- ensembles ---------------------------------------------------------------------------------


@pytest.mark.parametrize("xc", ["none", "lda"])
@pytest.mark.parametrize("overlap", ["loewdin", "orthonormal"])
def test_the_ensembles_share_their_forces(xc, overlap):
    """At µ = ε_F(N) both have the same density and forces, and 𝒢 + µN = E."""
    configuration = Configuration(
        ("O", "H", "H"), np.array([[0.0, 0.1, 0.0], [1.43, 0.0, 1.11], [-1.4, 0.2, 1.0]])
    )
    recipe = Recipe(sto3g, None, overlap, xc=xc)
    case = GaussianCase(configuration, recipe, 15.0, Canonical(9.4), np.zeros((7, 7)), 0.2)
    one = equilibrate(case.functional, tolerance=TIGHT)
    assert one.residual <= 1e-11
    grand = case.functional.with_ensemble(GrandCanonical(one.fermi_level))
    two = equilibrate(grand, tolerance=TIGHT)
    assert two.residual <= 1e-11
    np.testing.assert_allclose(two.density, one.density, atol=1e-9)
    np.testing.assert_allclose(two.forces, one.forces, atol=1e-8)
    assert two.energy + two.fermi_level * 9.4 == pytest.approx(one.energy, abs=1e-9)
