"""𝒢(r, v̂) of the Gaussian-orbital model: every derivative against finite differences.

Acceptance: ≤ 1e-8 of the largest component (eighth-order differences; what they cannot resolve,
rounding of 𝒢 over the step, is allowed on top and printed by the assertion).
"""

import numpy as np
import pytest
from hypothesis import given, settings
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.gaussian_models import energy_size, gaussian_cases
from strategies.onsite import unit

EPS = np.finfo(np.float64).eps


def _noise(case):
    return EPS * energy_size(case)


@given(case=gaussian_cases(), rng=generators())
def test_gradient_in_the_features(case, rng):
    """∂𝒢/∂v̂ = 2⟨DF(H)[W], V − v⟩ in all ensembles, overlap modes, features; T = −½ of it."""
    direction = unit(rng, case.features.shape)
    gradient = case.state.gradient
    assert_derivative(
        np.vdot(gradient, direction),
        lambda t: case.shifted(t * direction).energy,
        case.feature_step(direction),
        np.max(np.abs(gradient)),
        noise=_noise(case),
    )


@given(case=gaussian_cases(field=True), rng=generators())
def test_gradient_in_the_positions(case, rng):
    """∂𝒢/∂r at fixed v̂: Pulay terms of φ and Ξ, S^{-1/2}, quadrature weights, nuclei."""
    displacement = unit(rng, case.configuration.positions.shape)
    gradient = case.state.position_gradient
    assert_derivative(
        np.vdot(gradient, displacement),
        lambda t: case.moved(t * displacement).energy,
        case.position_step(displacement),
        np.max(np.abs(gradient)),
        noise=_noise(case),
    )


@given(case=gaussian_cases(), rng=generators())
def test_hessian_products(case, rng):
    """∂²𝒢/∂v̂² dv̂ differentiates the gradient, D²F and ε_xc″ included."""
    direction = unit(rng, case.features.shape)
    product = case.state.hessian_vector_product(direction)
    assert_derivative(
        product,
        lambda t: case.shifted(t * direction).gradient,
        case.feature_step(direction),
        np.max(np.abs(product)),
        noise=_noise(case) / case.scale,
    )


@settings(max_examples=15)
@given(case=gaussian_cases(), rng=generators())
def test_mixed_derivative_in_features_and_positions(case, rng):
    """∂_r∂_v̂ 𝒢 dr, the right-hand side of the response equations."""
    displacement = unit(rng, case.configuration.positions.shape)
    product = case.state.gradient_position_jvp(displacement)
    assert_derivative(
        product,
        lambda t: case.moved(t * displacement).gradient,
        case.position_step(displacement),
        np.max(np.abs(product)),
        noise=_noise(case) / case.scale,
    )


@settings(max_examples=15)
@given(case=gaussian_cases(), rng=generators())
def test_site_energies_with_their_local_terms(case, rng):
    """∂E_ℓ/∂v̂ and ∂E_ℓ/∂r with ∫_{N_ℓ} ε_xc, whose cells move."""
    direction = unit(rng, case.features.shape)
    displacement = unit(rng, case.configuration.positions.shape)
    along_v = case.state.site_energies_jvp(direction)
    along_r = case.state.site_energies_position_jvp(displacement)
    assert_derivative(
        along_v,
        lambda t: case.shifted(t * direction).site_energies,
        case.feature_step(direction),
        np.max(np.abs(along_v)),
        noise=_noise(case),
    )
    assert_derivative(
        along_r,
        lambda t: case.moved(t * displacement).site_energies,
        case.position_step(displacement),
        np.max(np.abs(along_r)),
        noise=_noise(case),
    )


@settings(max_examples=15)
@given(case=gaussian_cases(), rng=generators())
def test_density_and_populations_and_their_derivatives(case, rng):
    """dD and dp along v̂ and r: the right-hand sides of everything in response.py."""
    direction = unit(rng, case.features.shape)
    displacement = unit(rng, case.configuration.positions.shape)
    local = case.state.local
    for analytic, f, step in (
        (
            local.density_jvp(direction),
            lambda t: case.shifted(t * direction).density,
            case.feature_step(direction),
        ),
        (
            local.density_position_jvp(displacement),
            lambda t: case.moved(t * displacement).density,
            case.position_step(displacement),
        ),
        (
            local.populations_jvp(direction),
            lambda t: case.shifted(t * direction).local.populations,
            case.feature_step(direction),
        ),
        (
            local.populations_position_jvp(displacement),
            lambda t: case.moved(t * displacement).local.populations,
            case.position_step(displacement),
        ),
    ):
        assert_derivative(
            analytic, f, step, np.max(np.abs(analytic)), noise=_noise(case) / case.scale
        )


@given(case=gaussian_cases(), rng=generators())
def test_products_from_the_left_are_adjoint_to_those_from_the_right(case, rng):
    """⟨a, J x⟩ = ⟨Jᵀa, x⟩ for E_ℓ and D, in v̂ and r, and ∂²𝒢 symmetric."""
    local, state = case.state.local, case.state
    direction = rng.normal(size=case.features.shape)
    displacement = rng.normal(size=case.configuration.positions.shape)
    weights = rng.normal(size=len(case.configuration))
    potential = rng.normal(size=state.density.shape)
    potential = potential + potential.T
    other = rng.normal(size=case.features.shape)
    for left, right, jvp, vjp in (
        (weights, direction, local.site_energies_jvp, local.site_energies_vjp),
        (weights, displacement, local.site_energies_position_jvp, local.site_energies_position_vjp),
        (potential, direction, local.density_jvp, local.density_vjp),
        (potential, displacement, local.density_position_jvp, local.density_position_vjp),
        (other, direction, state.hessian_vector_product, state.hessian_vector_product),
    ):
        forward, backward = jvp(right), vjp(left)
        size = np.linalg.norm(left) * np.linalg.norm(forward)
        size += np.linalg.norm(right) * np.linalg.norm(backward) + energy_size(case) / case.scale
        n = len(local.eigenvalues)
        assert np.vdot(left, forward) == pytest.approx(
            np.vdot(backward, right), abs=100 * n * EPS * size
        )


@given(case=gaussian_cases())
def test_both_forms_and_both_decompositions_of_the_energy_agree(case):
    """2Tr[(H⁰−µ)F + β⁻¹S] = 2Tr[G − vF], (3.1), and Σ E_ℓ + E_el = 𝒢, (3.2)."""
    state = case.state
    allowed = 50 * EPS * len(state.local.eigenvalues) * energy_size(case)
    assert state.energy == pytest.approx(state.kinetic_form_energy, abs=allowed)
    total = float(np.sum(state.site_energies)) + state.long_range_energy
    assert state.energy == pytest.approx(total, abs=allowed)
