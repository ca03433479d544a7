"""Linear response against re-equilibration: displacements, potentials, fields, sum rules."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.onsite import SPECIES, relaxable_cases, synthetic_cases, unit

from scc.configuration import chain
from scc.electrostatics.site_terms import ExternalPotential
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.response import LinearResponse
from scc.errors import ConvergenceError, InputError
from scc.functional.energy import EnergyFunctional
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical

# A density residual of 1e-12 is worth this much in a re-equilibrated quantity, times ‖ε⁻¹‖.
TIGHT = 1e-12


def _relaxed(case):
    equilibrium = equilibrate(case.functional, tolerance=TIGHT)
    assume(equilibrium.residual <= 1e-11)
    return equilibrium


def _noise(equilibrium, case):
    """What the residual of a re-equilibration does to v̂, ρ and E_ℓ."""
    inverse = np.linalg.norm(np.linalg.inv(equilibrium.dielectric.dense()), 1)
    slope = min(case.beta, 1.0 / case.scale)
    return 3e-13 * inverse * max(1.0, slope)


def _check(equilibrium, change, again, step, noise):
    """All four quantities of a Change against re-equilibration of ``again(t)``."""
    names = ("features", "density", "charges", "site_energies")

    @cache
    def at(t):
        result = equilibrate(again(t), features=equilibrium.features, tolerance=TIGHT)
        assert result.residual <= 1e-10, result.status
        return (result.features, result.density, result.charges, result.state.site_energies)

    for k, name in enumerate(names):
        analytic = getattr(change, name)
        size = max(np.max(np.abs(analytic)), 1e-3)
        # Solving with ε leaves 1e-9 at worst, re-equilibration noise/step.
        assert_derivative(analytic, lambda t, k=k: at(t)[k], step, size, relative=1e-7, noise=noise)


@settings(max_examples=12)
@given(case=relaxable_cases(max_atoms=6), rng=generators())
def test_response_to_a_displacement(case, rng):
    """dv̂, dρ, dq and dE_ℓ of the equilibrated system when the atoms move."""
    equilibrium = _relaxed(case)
    displacement = unit(rng, case.configuration.positions.shape)
    change = LinearResponse(equilibrium).to_displacement(displacement)
    positions = case.configuration.positions
    step = 0.5 * case.position_step(displacement)
    _check(
        equilibrium,
        change,
        lambda t: case.functional_at(positions + t * displacement),
        step,
        _noise(equilibrium, case),
    )


@settings(max_examples=12)
@given(case=relaxable_cases(max_atoms=6), rng=generators())
def test_response_to_an_external_potential(case, rng):
    """The same for a potential put on the atoms; E_ℓ does not contain the external energy."""
    equilibrium = _relaxed(case)
    potential = unit(rng, case.features.shape)
    change = LinearResponse(equilibrium).to_potential(potential)
    model, extra = case.build(case.configuration)

    def perturbed(t):
        external = ExternalPotential(t * potential, model.nuclear_charges)
        return EnergyFunctional(
            model, beta=case.beta, ensemble=case.ensemble, extra_terms=[*extra, external]
        )

    step = min(case.scale / 100.0, 1e-2)
    _check(equilibrium, change, perturbed, step, _noise(equilibrium, case))


@settings(max_examples=8)
@given(case=synthetic_cases(betas=st.floats(0.5, 4.0)), rng=generators())
def test_response_in_a_restricted_feature_space(case, rng):
    """Expansion form: through the Hessian of 𝒢, features and density matrix moving with r."""
    equilibrium = equilibrate(case.functional, tolerance=TIGHT)
    assume(equilibrium.residual <= 1e-11 and equilibrium.status != "unstable")
    assume(equilibrium.converged)
    values = np.abs(np.linalg.eigvalsh(equilibrium.hessian))
    assume(values[0] > 1e-3 * values[-1])  # otherwise v̂ itself is not determined
    displacement = unit(rng, case.configuration.positions.shape)
    change = LinearResponse(equilibrium).to_displacement(displacement)
    positions = case.configuration.positions
    _check(
        equilibrium,
        change,
        lambda t: case.functional_at(positions + t * displacement),
        0.5 * case.position_step(displacement),
        1e-11 / values[0],
    )


@settings(max_examples=10)
@given(case=relaxable_cases(max_atoms=6))
def test_polarisability_is_symmetric_positive_and_the_slope_of_the_dipole(case):
    """α = ∂µ/∂E: an electron feels +E·x, so the dipole −∫xρ follows the field."""
    equilibrium = _relaxed(case)
    response = LinearResponse(equilibrium)
    alpha = response.polarisability()
    size = max(1e-3, np.max(np.abs(alpha)))
    np.testing.assert_allclose(alpha, alpha.T, atol=1e-8 * size)
    assert np.linalg.eigvalsh(0.5 * (alpha + alpha.T))[0] >= -1e-8 * size
    model, extra = case.build(case.configuration)
    positions = case.configuration.positions
    field = np.array([0.3, -0.5, 0.8])

    def dipole(t):
        uniform = ExternalPotential.uniform_field(
            case.configuration, t * field, model.nuclear_charges
        )
        functional = EnergyFunctional(
            model, beta=case.beta, ensemble=case.ensemble, extra_terms=[*extra, uniform]
        )
        result = equilibrate(functional, features=equilibrium.features, tolerance=TIGHT)
        return positions.T @ result.charges

    reach = 1.0 + np.max(np.abs(positions))
    step = min(case.scale / 100.0, 1e-2) / reach
    noise = _noise(equilibrium, case) * reach * len(positions)
    assert_derivative(alpha @ field, dipole, step, size, relative=1e-7, noise=noise)


@settings(max_examples=8)
@given(case=relaxable_cases(max_atoms=5), rng=generators())
def test_born_charges_are_slopes_of_the_dipole_and_add_up_to_the_charge(case, rng):
    """Z*_ℓ = ∂µ/∂r_ℓ and Σ_ℓ Z*_ℓ = (total charge) 1 in open boundary without a field."""
    model, _ = case.build(case.configuration)
    functional = EnergyFunctional(model, beta=case.beta, ensemble=case.ensemble)
    try:
        equilibrium = equilibrate(functional, tolerance=TIGHT)
    except InputError:  # µ was put in the gap of the system with its field
        assume(False)
    assume(equilibrium.residual <= 1e-11)
    born = LinearResponse(equilibrium).born_charges()
    size = max(1.0, np.max(np.abs(born)))
    total = float(np.sum(equilibrium.charges))
    np.testing.assert_allclose(np.sum(born, axis=0), total * np.eye(3), atol=1e-8 * size)
    positions = case.configuration.positions
    displacement = unit(rng, positions.shape)

    def dipole(t):
        moved, _ = case.build(
            type(case.configuration)(case.configuration.species, positions + t * displacement)
        )
        other = EnergyFunctional(moved, beta=case.beta, ensemble=case.ensemble)
        result = equilibrate(other, features=equilibrium.features, tolerance=TIGHT)
        return (positions + t * displacement).T @ result.charges

    expected = np.einsum("lab,lb->a", born, displacement)
    reach = 1.0 + np.max(np.abs(positions))
    noise = _noise(equilibrium, case) * reach * len(positions)
    step = 0.5 * case.position_step(displacement)
    assert_derivative(expected, dipole, step, size, relative=1e-7, noise=noise)


@given(case=relaxable_cases(max_atoms=8), rng=generators())
def test_a_rigid_translation_changes_nothing(case, rng):
    """All atoms moved alike: dq = 0 and dE_ℓ = 0 (a field apart, which is not translated)."""
    model, _ = case.build(case.configuration)
    functional = EnergyFunctional(
        model, beta=case.beta, ensemble=Canonical(model.neutral_electrons)
    )
    try:
        equilibrium = equilibrate(functional)
    except InputError:
        assume(False)
    assume(equilibrium.converged)
    rigid = np.tile(rng.normal(size=3), (len(case.configuration), 1))
    change = LinearResponse(equilibrium).to_displacement(rigid)
    beta = min(case.beta, 1.0 / max(equilibrium.gap, 1e-3))
    allowed = 1e-9 * max(1.0, beta)
    np.testing.assert_allclose(change.charges, 0.0, atol=allowed)
    np.testing.assert_allclose(change.site_energies, 0.0, atol=allowed)
    np.testing.assert_allclose(change.features, 0.0, atol=allowed)


def test_a_filled_band_responds_with_nothing_rather_than_with_an_error():
    """χ₀ ~ e^{−490}: a right-hand side whose norm underflows is no singular ε."""
    model = OnsiteTightBinding(model_b()).prepare(chain(4, 1.0, SPECIES))
    filled = equilibrate(EnergyFunctional(model, beta=10.0, ensemble=GrandCanonical(50.0)))
    response = LinearResponse(filled)
    displacement = np.outer(np.arange(4.0), np.ones(3))
    assert 0.0 < np.max(np.abs(filled.state.local.potential_response(np.arange(4.0)))) < 1e-170
    for change in (response.to_potential(np.arange(4.0)), response.to_displacement(displacement)):
        np.testing.assert_allclose(change.density, 0.0, atol=1e-170)
        assert np.all(np.isfinite(change.site_energies))


def test_response_needs_a_converged_equilibrium():
    model = OnsiteTightBinding(model_b(gap=0.0)).prepare(chain(20, 1.0, SPECIES))
    stalled = equilibrate(EnergyFunctional(model, beta=10.0), max_builds=2)
    with pytest.raises(ConvergenceError, match="stalled") as error:
        LinearResponse(stalled)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("shape", [(4,), (3, 3), (4, 2)])
def test_displacements_of_another_shape_are_refused(shape):
    model = OnsiteTightBinding(model_b()).prepare(chain(4, 1.0, SPECIES))
    response = LinearResponse(equilibrate(EnergyFunctional(model, beta=math.inf)))
    with pytest.raises(InputError, match="displacement has shape"):
        response.to_displacement(np.zeros(shape))
