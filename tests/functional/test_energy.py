"""𝒢(r, v̂): two forms, two decompositions, and every derivative against finite differences."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf, xlogy
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.onsite import SPECIES, cases, onsite_build, onsite_cases, unit

from scc.configuration import chain
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional
from scc.models.model_systems import model_b
from scc.occupations.ensemble import Canonical, GrandCanonical
from scc.occupations.fermi_dirac import FermiDirac

EPS = np.finfo(np.float64).eps


def _energy_size(case):
    """Largest of the terms 𝒢 is a sum of, times their number."""
    local = case.state.local
    levels = np.abs(local.eigenvalues) + abs(local.chemical_potential)
    v = np.abs(case.functional.model.assembly.feature_matrix(case.features))
    explicit = sum(abs(term.energy(case.state.density)) for term in case.functional.terms)
    return 1.0 + 2.0 * float(np.sum(levels)) + 2.0 * float(np.sum(v)) + explicit


# -- values -----------------------------------------------------------------------------------


@given(case=onsite_cases(max_atoms=9, betas=st.floats(0.5, 10.0), extra=False))
def test_energy_against_the_formulas_written_out(case):
    """(3.1) on-site with numpy alone: 2Tr[(H⁰−µ)F + S/β] + ½(p−Z)J(p−Z) − self-energies."""
    model, configuration = case.functional.model, case.configuration
    H0, atom = model.assembly.free_hamiltonian, model.assembly.atom_of_orbital
    values, vectors = np.linalg.eigh(H0 + np.diag(case.features[atom]))
    mu = case.state.chemical_potential
    f = 1.0 / (1.0 + np.exp(case.beta * (values - mu)))
    F = vectors @ np.diag(f) @ vectors.T
    p = 2.0 * np.bincount(atom, weights=np.diagonal(F))
    Z = model.nuclear_charges
    sigma = model.electrostatics[0].widths
    r = np.linalg.norm(configuration.positions[:, None] - configuration.positions[None, :], axis=-1)
    tau = 1.0 / np.sqrt(2.0 * (sigma[:, None] ** 2 + sigma[None, :] ** 2))
    J = np.where(r > 0.0, erf(tau * r) / np.where(r > 0.0, r, 1.0), 2.0 * tau / math.sqrt(math.pi))
    entropy = np.sum(xlogy(f, f) + xlogy(1.0 - f, 1.0 - f)) / case.beta
    reservoir = 0.0 if isinstance(case.ensemble, Canonical) else mu * np.sum(p)
    expected = 2.0 * np.sum(H0 * F) - reservoir + 2.0 * entropy
    expected += 0.5 * (p - Z) @ J @ (p - Z) - 0.5 * np.sum(np.diagonal(J) * Z**2)
    expected += np.sum(model.assembly.repulsion_energies())
    assert case.state.energy == pytest.approx(expected, abs=1e-13 * _energy_size(case))
    np.testing.assert_allclose(case.state.density, p, atol=1e-12)
    np.testing.assert_allclose(case.state.potential, J @ (p - Z), atol=1e-11)


@given(case=cases())
def test_both_forms_of_the_energy_agree(case):
    """2Tr[(H⁰−µ)F + β⁻¹S] against 2Tr[G − vF]: the two lines of (3.1); at β = ∞ (3.4), (3.5)."""
    allowed = 50 * EPS * len(case.state.local.eigenvalues) * _energy_size(case)
    assert case.state.energy == pytest.approx(case.state.kinetic_form_energy, abs=allowed)


@given(case=cases())
def test_site_energies_and_long_range_energy_add_up(case):
    """(3.2): nothing counted twice, local terms in E_ℓ, long-ranged ones outside."""
    state = case.state
    allowed = 50 * EPS * len(state.local.eigenvalues) * _energy_size(case)
    total = float(np.sum(state.site_energies)) + state.long_range_energy
    assert state.energy == pytest.approx(total, abs=allowed)
    local = [t for t in case.functional.terms if t.site_energies(state.density) is not None]
    expected = sum(term.energy(state.density) for term in local) + state.local.feature_energy
    assert float(np.sum(state.site_energies)) == pytest.approx(expected, abs=allowed)


@given(case=onsite_cases(betas=st.floats(0.5, 50.0)))
def test_ensembles_agree_at_the_same_chemical_potential(case):
    """Canonical at N(µ) is grand-canonical at µ: energy 𝒢 + µN, same density, same E_ℓ + µp_ℓ."""
    functional = case.functional
    grand = functional.with_ensemble(GrandCanonical(case.state.chemical_potential))
    g = grand.evaluate(case.features)
    canonical = functional.with_ensemble(Canonical(g.electrons)).evaluate(case.features)
    np.testing.assert_allclose(canonical.density, g.density, atol=1e-11)
    expected = g.energy + g.chemical_potential * g.electrons
    # µ returned by the Fermi-level search is worth ½β(µ−µ')² in energy, and N to rounding.
    assert canonical.energy == pytest.approx(expected, abs=1e-12 * _energy_size(case))
    sites = g.site_energies + g.chemical_potential * g.local.populations
    np.testing.assert_allclose(canonical.site_energies, sites, atol=1e-11 * _energy_size(case))


@given(case=onsite_cases(extra=False))
def test_zero_temperature_is_the_limit_of_low_temperature(case):
    """At βg = 400 the exact zero-temperature energy to rounding, entropy included."""
    if not math.isinf(case.beta):
        return
    beta = 100.0 / case.scale  # scale ≤ distance of µ from the levels
    warm = EnergyFunctional(case.functional.model, beta=beta, ensemble=case.ensemble)
    a, b = warm.evaluate(case.features), case.functional.evaluate(case.features)
    # e^{−100} of a level at most.
    np.testing.assert_allclose(a.density, b.density, atol=1e-12)
    assert a.energy == pytest.approx(b.energy, abs=1e-13 * _energy_size(case))


# -- gradients --------------------------------------------------------------------------------


@given(case=cases(), rng=generators())
def test_gradient_in_the_features(case, rng):
    """∂𝒢/∂v̂ ≤ 1e-8 relative, all ensembles, with and without further terms; T = −½ of it."""
    direction = unit(rng, case.features.shape)
    gradient = case.state.gradient
    assert_derivative(
        np.vdot(gradient, direction),
        lambda t: case.shifted(t * direction).energy,
        case.feature_step(direction),
        np.max(np.abs(gradient)),
        noise=EPS * _energy_size(case),
    )


@given(case=cases(), rng=generators())
def test_gradient_in_the_positions(case, rng):
    """∂𝒢/∂r at fixed v̂ ≤ 1e-8 relative: H⁰, W, D, J, external fields and repulsion."""
    displacement = unit(rng, case.configuration.positions.shape)
    gradient = case.state.position_gradient
    assert_derivative(
        np.vdot(gradient, displacement),
        lambda t: case.moved(t * displacement).energy,
        case.position_step(displacement),
        np.max(np.abs(gradient)),
        noise=EPS * _energy_size(case),
    )


@settings(max_examples=10)
@given(case=onsite_cases(max_atoms=3))
def test_every_component_of_both_gradients(case):
    """Component by component, relative to the largest: a direction cannot hide a wrong atom."""
    gradient = case.state.gradient
    for atom in range(len(case.configuration)):
        direction = np.zeros_like(case.features)
        direction[atom] = 1.0
        assert_derivative(
            gradient[atom],
            lambda t, d=direction: case.shifted(t * d).energy,
            case.feature_step(direction),
            np.max(np.abs(gradient)),
            noise=EPS * _energy_size(case),
        )
    gradient = case.state.position_gradient
    for index in np.ndindex(*gradient.shape):
        displacement = np.zeros_like(gradient)
        displacement[index] = 1.0
        assert_derivative(
            gradient[index],
            lambda t, d=displacement: case.moved(t * d).energy,
            case.position_step(displacement),
            np.max(np.abs(gradient)),
            noise=EPS * _energy_size(case),
        )


@given(case=cases())
def test_residual_is_the_projected_difference_of_potentials(case):
    """T_mc = ⟨DF(H)[W_mc], v − V⟩ by its definition, (2.27), dense; equal to −½ ∂𝒢/∂v̂."""
    state, assembly = case.state, case.functional.model.assembly
    values, vectors = np.linalg.eigh(case.functional.model.hamiltonian(case.features))
    divided = state.local.occupation.divided_difference(values[:, None], values[None, :])
    slopes = state.local.occupation.derivative(values)
    v = assembly.feature_matrix(case.features) - assembly.embed(state.potential)
    v = np.diag(v) if v.ndim == 1 else v
    inner = vectors.T @ v @ vectors
    if isinstance(case.ensemble, Canonical) and np.sum(slopes) != 0.0:
        inner = inner - np.eye(len(inner)) * (slopes @ np.diagonal(inner)) / np.sum(slopes)
    weighted = vectors @ (divided * inner) @ vectors.T
    expected = assembly.feature_contract(weighted)
    size = float(np.max(np.abs(divided))) * np.linalg.norm(v) * max(1.0, np.max(np.abs(expected)))
    np.testing.assert_allclose(
        state.residual, expected, atol=100 * len(values) * EPS * (size + 1.0) / case.scale, rtol=0.0
    )
    np.testing.assert_array_equal(state.residual, -0.5 * state.gradient)


# -- second derivatives -----------------------------------------------------------------------


@given(case=cases(), rng=generators())
def test_hessian_products(case, rng):
    """∂²𝒢/∂v̂² dv̂ differentiates the gradient; away from critical points D²F enters."""
    direction = unit(rng, case.features.shape)
    product = case.state.hessian_vector_product(direction)
    assert_derivative(
        product,
        lambda t: case.shifted(t * direction).gradient,
        case.feature_step(direction),
        np.max(np.abs(product)),
        noise=EPS * _energy_size(case) / case.scale,
    )


@given(case=cases(), rng=generators())
def test_mixed_derivative_in_features_and_positions(case, rng):
    """∂_r ∂_v̂ 𝒢 dr differentiates the gradient; the right-hand side of the response equations."""
    displacement = unit(rng, case.configuration.positions.shape)
    product = case.state.gradient_position_jvp(displacement)
    assert_derivative(
        product,
        lambda t: case.moved(t * displacement).gradient,
        case.position_step(displacement),
        np.max(np.abs(product)),
        noise=EPS * _energy_size(case) / case.scale,
    )


@given(case=cases(), rng=generators())
def test_mixed_derivative_is_the_derivative_of_the_force(case, rng):
    """⟨dv̂, ∂_r∂_v̂ 𝒢 dr⟩ taken the other way round: along v̂ of ∂𝒢/∂r."""
    displacement = unit(rng, case.configuration.positions.shape)
    direction = unit(rng, case.features.shape)
    product = case.state.gradient_position_jvp(displacement)
    assert_derivative(
        np.vdot(product, direction),
        lambda t: np.vdot(case.shifted(t * direction).position_gradient, displacement),
        case.feature_step(direction),
        np.max(np.abs(product)),
        noise=EPS * _energy_size(case) / case.scale,
    )


@given(case=cases(), rng=generators())
def test_hessian_is_symmetric(case, rng):
    a, b = rng.normal(size=(2, *case.features.shape))
    product_a = case.state.hessian_vector_product(a)
    product_b = case.state.hessian_vector_product(b)
    size = np.linalg.norm(product_a) * np.linalg.norm(b) + _energy_size(case) / case.scale
    n = len(case.state.local.eigenvalues)
    assert np.vdot(a, product_b) == pytest.approx(
        np.vdot(product_a, b), abs=50 * n * EPS * size / case.scale
    )


@given(case=cases(), rng=generators())
def test_site_energies_with_their_local_terms(case, rng):
    """∂E_ℓ/∂v̂ and ∂E_ℓ/∂r of the functional: the model's part and that of local terms."""
    direction = unit(rng, case.features.shape)
    displacement = unit(rng, case.configuration.positions.shape)
    along_v = case.state.site_energies_jvp(direction)
    along_r = case.state.site_energies_position_jvp(displacement)
    noise = EPS * _energy_size(case)
    assert_derivative(
        along_v,
        lambda t: case.shifted(t * direction).site_energies,
        case.feature_step(direction),
        np.max(np.abs(along_v)),
        noise=noise,
    )
    assert_derivative(
        along_r,
        lambda t: case.moved(t * displacement).site_energies,
        case.position_step(displacement),
        np.max(np.abs(along_r)),
        noise=noise,
    )


# -- inputs that cannot be --------------------------------------------------------------------


def _model(atoms=4):
    configuration = chain(atoms, 1.0, SPECIES)
    return onsite_build(model_b())(configuration)[0]


@pytest.mark.parametrize("beta", [0.0, -1.0, -math.inf, math.nan])
def test_temperatures_that_do_not_exist_are_refused(beta):
    with pytest.raises(InputError, match="beta must be in") as error:
        EnergyFunctional(_model(), beta=beta)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("mu", [math.nan, math.inf])
def test_chemical_potentials_that_are_not_finite_are_refused(mu):
    with pytest.raises(InputError, match="chemical potential"):
        EnergyFunctional(_model(), ensemble=GrandCanonical(mu))


def test_an_occupation_must_go_with_its_ensemble():
    """Polynomials are made for one µ: canonical, or another µ, would silently change them."""
    occupation = FermiDirac(2.0, 0.1)
    with pytest.raises(InputError, match="grand-canonical"):
        EnergyFunctional(_model(), occupation=occupation, ensemble=Canonical(4.0))
    with pytest.raises(InputError, match="chemical potential"):
        EnergyFunctional(_model(), occupation=occupation, ensemble=GrandCanonical(0.2))
    functional = EnergyFunctional(_model(), occupation=occupation, ensemble=GrandCanonical(0.1))
    exact = EnergyFunctional(_model(), beta=2.0, ensemble=GrandCanonical(0.1))
    v = np.linspace(-0.3, 0.3, 4)
    assert functional.evaluate(v).energy == exact.evaluate(v).energy


@pytest.mark.parametrize(
    ("ensemble", "beta"),
    [(Canonical(9.0), 2.0), (Canonical(10.0), math.inf), (Canonical(3.0), math.inf)],
)
def test_electron_counts_that_do_not_fit_are_refused(ensemble, beta):
    functional = EnergyFunctional(_model(), beta=beta, ensemble=ensemble)
    with pytest.raises(InputError) as error:
        functional.evaluate(functional.initial_features())
    assert "\n" not in str(error.value)
