"""The variational model: everything is a derivative of one concave grand potential."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative, derivative
from strategies.fitted_models import moved, random_model, water
from strategies.multipoles import multipole_rotation
from strategies.variational_models import random_variational, response_design

from scc.ace.basis import BasisSpecification, TotalDegree
from scc.ace.predict import predict
from scc.ace.variational_model import VariationalModel
from scc.ace.variational_response import ResponseModel
from scc.configuration import Configuration
from scc.electrostatics.multipoles import ExternalCharges, UniformField
from scc.equilibration import NewtonKrylov, equilibrate
from scc.errors import InputError
from scc.functional.projection_functional import ProjectionFunctional

FIELD = UniformField(np.array([0.003, -0.002, 0.004]))


@st.composite
def states(draw, most=3):
    """(model, configuration, features, generator)."""
    model = random_variational(draw(st.integers(1, 2)), draw(st.integers(0, 2)))
    generator = draw(generators())
    configuration = water(draw(st.integers(1, most)), generator)
    return model, configuration, 0.3 * generator.normal(size=(len(configuration), 9)), generator


def outside(generator):
    place = np.array([[-6.0, 2.0, 3.0]]) + generator.normal(size=3)
    return FIELD, ExternalCharges(place, np.array([0.5]))


def dense_response(bound):
    matrix = bound.response.matrix.toarray()
    return -matrix.T @ matrix


@settings(max_examples=15)
@given(states())
def test_multipoles_are_the_derivative_of_the_grand_potential(case):
    model, configuration, features, generator = case
    bound = model.prepare(configuration)
    direction = generator.normal(size=features.shape)

    def along(step):
        return bound.evaluate(features + step * direction).grand_potential

    # g is quadratic: a difference over any step is exact.
    slope = 0.5 * (along(1.0) - along(-1.0))
    expected = np.vdot(bound.evaluate(features).density, direction)
    assert slope == pytest.approx(expected, rel=1e-11, abs=1e-11)


@settings(max_examples=15)
@given(states())
def test_the_grand_potential_is_concave_and_its_curvature_is_the_response(case):
    model, configuration, features, generator = case
    bound = model.prepare(configuration)
    chi = dense_response(bound)
    assert np.array_equal(chi, chi.T)
    direction = generator.normal(size=features.shape)
    found = bound.evaluate(features).density_jvp(direction)
    assert np.allclose(found.ravel(), chi @ direction.ravel(), rtol=0.0, atol=1e-12)
    middle = bound.evaluate(features).grand_potential
    ends = [bound.evaluate(features + s * direction).grand_potential for s in (-1.0, 1.0)]
    bend = sum(ends) - 2.0 * middle
    assert bend < 0.0
    assert bend == pytest.approx(float(np.vdot(direction, found)), rel=1e-9)


@settings(max_examples=15)
@given(states(), st.floats(-3.0, 3.0))
def test_net_charge_is_zero_and_a_constant_shift_is_not_seen(case, shift):
    model, configuration, features, _ = case
    bound = model.prepare(configuration)
    state = bound.evaluate(features)
    allowed = 1e-13 * (1.0 + np.sum(np.abs(state.density[:, 0])))
    assert abs(np.sum(state.density[:, 0])) <= allowed
    shifted = features.copy()
    shifted[:, 0] += shift
    other = bound.evaluate(shifted)
    assert np.allclose(other.density, state.density, rtol=0.0, atol=1e-11)
    assert np.allclose(other.site_energies, state.site_energies, rtol=0.0, atol=1e-11)


@settings(max_examples=10)
@given(states())
def test_rotations_and_another_order_of_atoms_turn_everything_along(case):
    model, configuration, features, generator = case
    orthogonal = np.linalg.qr(generator.normal(size=(3, 3)))[0]
    order = generator.permutation(len(configuration))
    turn = multipole_rotation(2, orthogonal).T
    placed = Configuration(
        tuple(configuration.species[i] for i in order),
        (configuration.positions @ orthogonal.T + generator.normal(size=3))[order],
    )
    before = model.prepare(configuration).evaluate(features)
    after = model.prepare(placed).evaluate((features @ turn)[order])
    assert np.allclose(after.density, (before.density @ turn)[order], rtol=0.0, atol=1e-11)
    assert np.allclose(after.site_energies, before.site_energies[order], rtol=0.0, atol=1e-11)


@settings(max_examples=6)
@given(states(most=2))
def test_derivatives_in_positions_are_derivatives(case):
    model, configuration, features, generator = case
    state = model.prepare(configuration).evaluate(features)
    displacement = generator.normal(size=configuration.positions.shape)

    def along(step):
        return model.prepare(moved(configuration, step * displacement)).evaluate(features)

    change = state.density_position_jvp(displacement)
    assert_derivative(change, lambda s: along(s).density, 1e-3, 1.0 + np.max(np.abs(change)))
    change = state.site_energies_position_jvp(displacement)
    assert_derivative(change, lambda s: along(s).site_energies, 1e-3, 1.0 + np.max(np.abs(change)))


@settings(max_examples=10)
@given(states())
def test_products_from_left_and_right_agree(case):
    model, configuration, features, generator = case
    state = model.prepare(configuration).evaluate(features)
    number = len(configuration)
    direction, potential = generator.normal(size=(2, number, 9))
    displacement = generator.normal(size=(number, 3))
    weights = generator.normal(size=number)
    pairs = [
        (state.density_jvp(direction), potential, state.density_vjp(potential), direction),
        (
            state.density_position_jvp(displacement),
            potential,
            state.density_position_vjp(potential),
            displacement,
        ),
        (state.site_energies_jvp(direction), weights, state.site_energies_vjp(weights), direction),
        (
            state.site_energies_position_jvp(displacement),
            weights,
            state.site_energies_position_vjp(weights),
            displacement,
        ),
    ]
    for forward, left, backward, right in pairs:
        scale = 1.0 + np.linalg.norm(forward) * np.linalg.norm(left)
        assert abs(np.vdot(left, forward) - np.vdot(backward, right)) <= 1e-11 * scale


@settings(max_examples=10)
@given(states(), st.booleans())
def test_the_energy_is_stationary_at_the_equilibrium(case, surrounded):
    model, configuration, _, generator = case
    external = outside(generator) if surrounded else ()
    found = predict(model, configuration, external=external, tolerance=1e-12)
    state = found.equilibrium.state
    size = 1.0 + np.max(np.abs(state.local.feature_energy_vjp()))
    assert np.max(np.abs(state.gradient)) <= 1e-10 * size
    # E = g + ½ pᵀJp + p·U − v̂·p, as a sum of its three parts.
    g = state.local.grand_potential
    assert found.energy == pytest.approx(
        g - np.vdot(found.features, found.multipoles) + state.long_range_energy, abs=1e-10
    )


@settings(max_examples=6)
@given(st.integers(1, 2), generators(), st.booleans())
def test_partial_derivatives_at_fixed_features_are_the_forces(number, generator, surrounded):
    model = random_variational()
    configuration = water(number, generator)
    external = outside(generator) if surrounded else ()
    found = predict(model, configuration, external=external, tolerance=1e-11)
    direction = generator.normal(size=configuration.positions.shape)
    direction /= np.linalg.norm(direction)
    partial = found.equilibrium.state.forces(np.zeros_like(found.features))  # no adjoint
    assert np.allclose(partial, found.forces, rtol=0.0, atol=1e-8)

    def energy(step):
        place = moved(configuration, step * direction)
        return predict(model, place, external=external, tolerance=1e-11).energy

    slope = -float(np.vdot(partial, direction))
    size = float(np.linalg.norm(partial))
    errors = [abs(derivative(energy, step)[0] - slope) / size for step in (1e-2, 2e-3)]
    assert max(errors) <= 1e-6
    assert min(errors) <= 1e-8


@settings(max_examples=8)
@given(generators())
def test_the_energy_of_a_field_is_that_of_the_dipole(generator):
    model, configuration = random_variational(), water(2, generator)
    push = generator.normal(size=3)

    def at(step):
        field = UniformField(1e-3 * step * push)
        return predict(model, configuration, external=(field,), tolerance=1e-12)

    # E*(𝓔) is a quadratic function: differences are exact.
    slope = 0.5 * (at(1.0).energy - at(-1.0).energy)
    expected = -1e-3 * float(push @ at(0.0).dipole)
    assert slope == pytest.approx(expected, rel=1e-6, abs=1e-9)


@settings(max_examples=8)
@given(st.integers(1, 3), generators())
def test_the_response_of_the_equilibrium_is_symmetric(number, generator):
    model, configuration = random_variational(), water(number, generator)
    alpha = predict(model, configuration).polarisability()
    assert np.allclose(alpha, alpha.T, rtol=0.0, atol=1e-7 * np.max(np.abs(alpha)))
    assert np.min(np.linalg.eigvalsh(0.5 * (alpha + alpha.T))) > 0.0


@settings(max_examples=8)
@given(st.sampled_from([0.3, 1.0, 10.0, 100.0]), generators())
def test_there_is_one_equilibrium_however_strong_the_response(strength, generator):
    model, configuration = random_variational(strength=strength), water(2, generator)
    bound, operator = model.prepare(configuration), model.operator(configuration)
    kernel = operator.matrix
    matrix = bound.response.matrix.toarray()
    amplitudes = np.linalg.eigvalsh(np.eye(len(matrix)) + matrix @ kernel @ matrix.T)
    assert amplitudes[0] >= 1.0 - 1e-10 * amplitudes[-1]
    product = np.linalg.eigvals(np.eye(len(kernel)) - dense_response(bound) @ kernel)
    assert np.min(product.real) >= 1.0 - 1e-10 * np.max(np.abs(product))
    found = predict(model, configuration)
    elsewhere = predict(model, configuration, features=generator.normal(size=(6, 9)))
    assert found.stable
    assert elsewhere.stable
    assert np.allclose(found.multipoles, elsewhere.multipoles, rtol=0.0, atol=1e-7)


@settings(max_examples=4)
@given(generators())
def test_newton_finds_the_same(generator):
    model, configuration = random_variational(), water(2, generator)
    functional = ProjectionFunctional(model.prepare(configuration), model.operator(configuration))
    found = equilibrate(functional, solver=NewtonKrylov(), tolerance=1e-10)
    assert np.allclose(found.density, predict(model, configuration).multipoles, atol=1e-8)


@settings(max_examples=6)
@given(generators())
def test_nothing_beyond_the_cut_off_of_a_site_moves_it_by_one_bit(generator):
    model = random_variational()
    near, far = water(2, generator), water(1, generator)
    gap = model.response.specification.cutoff + 1e-9
    gap += np.max(near.positions[:, 0]) - np.min(far.positions[:, 0])
    features = 0.3 * generator.normal(size=(9, 9))

    def sites(extra, changed):
        positions = np.concatenate([near.positions, far.positions + np.array([gap + extra, 0, 0])])
        values = features.copy()
        values[6:] += changed
        configuration = Configuration(near.species + far.species, positions)
        state = model.prepare(configuration).evaluate(values)
        return np.array([state.site_multipoles(site) for site in range(6)]), state.site_energies[:6]

    densities, energies = sites(0.0, 0.0)
    densities_after, energies_after = sites(0.7, generator.normal(size=(3, 9)))
    assert np.array_equal(densities, densities_after)
    assert np.array_equal(energies, energies_after)
    assert np.all(densities[:, 6:] == 0.0)
    assert np.max(np.abs(np.sum(densities[:, :, 0], axis=1))) <= 1e-14


@settings(max_examples=6)
@given(states())
def test_sites_add_up(case):
    model, configuration, features, _ = case
    state = model.prepare(configuration).evaluate(features)
    total = sum(state.site_multipoles(site) for site in range(len(configuration)))
    assert np.allclose(total, state.density, rtol=0.0, atol=1e-13)


def test_parts_that_do_not_belong_together_are_refused():
    model, direct = random_variational(), random_model(1, 0)
    with pytest.raises(InputError, match="b of a variational model has no features"):
        VariationalModel("mixed", direct.density, model.response, model.energy)
    with pytest.raises(InputError, match="g⁰ of a variational model has no features"):
        VariationalModel("mixed", model.permanent, model.response, direct.energy)
    design = response_design()
    old = design.specification
    constant = TotalDegree(limits=((2.0, 4.0),), l_max=2)
    with pytest.raises(InputError, match="feature degree 1 and no others"):
        ResponseModel(
            BasisSpecification(old.species, old.cutoff, 1, constant, old.features, 1, (0, 1, 2)),
            {},
        )
