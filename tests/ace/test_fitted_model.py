"""The fitted model at fixed v̂: what it depends on, what it is invariant under, its derivatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.fitted_models import CUTOFF, moved, random_model, water
from strategies.multipoles import multipole_rotation

from scc.ace.density_model import DensityModel
from scc.ace.model import FittedModel
from scc.configuration import Configuration
from scc.errors import InputError

FEATURE_SETS = [(0, 0), (1, 0), (2, 1), (3, 2)]


@st.composite
def states(draw, most=3):
    """(model, configuration, features, generator); features of every set, none of them zero."""
    model = random_model(*draw(st.sampled_from(FEATURE_SETS)), order=draw(st.integers(1, 2)))
    generator = draw(generators())
    configuration = water(draw(st.integers(1, most)), generator)
    features = 0.3 * generator.normal(size=(len(configuration), model.features.n_features))
    return model, configuration, features, generator


def evaluate(model, configuration, features):
    state = model.prepare(configuration).evaluate(features)
    return state.density, state.site_energies


def turned(features, model, rotation):
    if features.shape[1] == 0:
        return features
    each = multipole_rotation(model.features.l_max, rotation)
    parts = np.split(features, len(model.features.widths), axis=1)
    return np.concatenate([part @ each.T for part in parts], axis=1)


@settings(max_examples=15)
@given(states())
def test_rotations_reflections_and_translations_turn_multipoles_along(case):
    model, configuration, features, generator = case
    orthogonal = np.linalg.qr(generator.normal(size=(3, 3)))[0]
    density, energies = evaluate(model, configuration, features)
    placed = Configuration(
        configuration.species,
        configuration.positions @ orthogonal.T + generator.normal(size=3),
    )
    after, energies_after = evaluate(model, placed, turned(features, model, orthogonal))
    expected = density @ multipole_rotation(2, orthogonal).T
    assert np.allclose(after, expected, rtol=0.0, atol=1e-11)
    assert np.allclose(energies_after, energies, rtol=0.0, atol=1e-11)


@settings(max_examples=10)
@given(states())
def test_atoms_in_another_order_are_the_same_atoms(case):
    model, configuration, features, generator = case
    order = generator.permutation(len(configuration))
    shuffled = Configuration(
        tuple(configuration.species[i] for i in order), configuration.positions[order]
    )
    for one, other in zip(
        evaluate(model, configuration, features),
        evaluate(model, shuffled, features[order]),
        strict=True,
    ):
        assert np.allclose(one[order], other, rtol=0.0, atol=1e-12)


@settings(max_examples=15)
@given(states(), st.floats(-3.0, 3.0))
def test_a_constant_shift_of_the_potential_changes_nothing(case, shift):
    model, configuration, features, _ = case
    shifted = features.copy()
    if features.shape[1]:
        shifted[:, :: (model.features.l_max + 1) ** 2] += shift
    for one, other in zip(
        evaluate(model, configuration, features),
        evaluate(model, configuration, shifted),
        strict=True,
    ):
        assert np.allclose(one, other, rtol=0.0, atol=1e-11)


@given(states())
def test_net_charge_is_zero_whatever_the_features(case):
    density, _ = evaluate(*case[:3])
    assert abs(np.sum(density[:, 0])) <= 1e-13 * (1.0 + np.sum(np.abs(density[:, 0])))


@settings(max_examples=10)
@given(generators())
def test_nothing_beyond_the_cut_off_of_a_site_moves_it_by_one_bit(generator):
    model = random_model(3, 2)
    near = water(2, generator)
    far = water(2, generator)
    gap = CUTOFF + 1e-9 + np.max(near.positions[:, 0]) - np.min(far.positions[:, 0])
    far_positions = far.positions + np.array([gap, 0.0, 0.0])
    features = 0.3 * generator.normal(size=(12, 27))

    def sites(extra, changed):
        configuration = Configuration(
            near.species + far.species, np.concatenate([near.positions, far_positions + extra])
        )
        values = features.copy()
        values[6:] += changed
        state = model.prepare(configuration).evaluate(values)
        densities = [state.density_state.site_multipoles(site) for site in range(6)]
        return np.array(densities), state.site_energies[:6]

    push = np.abs(generator.normal(size=(6, 3))) * np.array([1.0, 0.3, 0.3])
    densities, energies = sites(0.0, 0.0)
    densities_after, energies_after = sites(push, generator.normal(size=(6, 27)))
    assert np.array_equal(densities, densities_after)
    assert np.array_equal(energies, energies_after)
    assert np.all(densities[:, 6:] == 0.0)


@settings(max_examples=10)
@given(states())
def test_site_densities_add_up(case):
    model, configuration, features, _ = case
    state = model.prepare(configuration).evaluate(features)
    total = sum(state.density_state.site_multipoles(site) for site in range(len(configuration)))
    assert np.allclose(total, state.density, rtol=0.0, atol=1e-13)


@settings(max_examples=7)
@given(states(most=2))
def test_derivatives_in_positions_are_derivatives(case):
    model, configuration, features, generator = case
    state = model.prepare(configuration).evaluate(features)
    displacement = generator.normal(size=configuration.positions.shape)

    def along(step):
        return evaluate(model, moved(configuration, step * displacement), features)

    change = state.density_position_jvp(displacement)
    assert_derivative(change, lambda s: along(s)[0], 1e-3, 1.0 + np.max(np.abs(change)))
    change = state.site_energies_position_jvp(displacement)
    assert_derivative(
        change, lambda s: along(s)[1], 1e-3, 1.0 + np.max(np.abs(change)), noise=1e-14
    )


@settings(max_examples=15)
@given(states())
def test_derivatives_in_features_are_derivatives(case):
    model, configuration, features, generator = case
    bound = model.prepare(configuration)
    state = bound.evaluate(features)
    direction = generator.normal(size=features.shape)
    # Affine and quadratic: differences over any step are exact.
    ahead, behind = bound.evaluate(features + direction), bound.evaluate(features - direction)
    slope = 0.5 * (ahead.density - behind.density)
    assert np.allclose(state.density_jvp(direction), slope, rtol=0.0, atol=1e-10)
    slope = 0.5 * (ahead.site_energies - behind.site_energies)
    assert np.allclose(state.site_energies_jvp(direction), slope, rtol=0.0, atol=1e-10)
    curve = 0.5 * (ahead.feature_energy_vjp() - behind.feature_energy_vjp())
    assert np.allclose(state.feature_energy_second_vjp(direction), curve, rtol=0.0, atol=1e-10)
    bend = ahead.feature_energy + behind.feature_energy - 2.0 * state.feature_energy
    again = np.vdot(direction, state.feature_energy_second_vjp(direction))
    assert bend == pytest.approx(again, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("features", FEATURE_SETS[1:])
def test_random_energies_are_quadratic_in_the_features(features):
    """Without a function of two features the tests above would not see second derivatives."""
    generator = np.random.default_rng(0)
    model, configuration = random_model(*features), water(2, generator)
    direction = generator.normal(size=(6, model.features.n_features))
    state = model.prepare(configuration).evaluate(0.3 * direction)
    assert np.max(np.abs(state.feature_energy_second_vjp(direction))) > 1e-3


@settings(max_examples=15)
@given(states())
def test_products_from_left_and_right_agree(case):
    model, configuration, features, generator = case
    state = model.prepare(configuration).evaluate(features)
    direction = generator.normal(size=features.shape)
    displacement = generator.normal(size=configuration.positions.shape)
    potential = generator.normal(size=(len(configuration), 9))
    weights = generator.normal(size=len(configuration))
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
        assert abs(np.vdot(left, forward) - np.vdot(backward, right)) <= 1e-12 * scale


def test_an_unknown_element_is_named():
    salt = Configuration(("O", "H", "Na"), np.array([[0.0, 0, 0], [1.8, 0, 0], [0, 4.0, 0]]))
    with pytest.raises(InputError, match="atom 2 is Na; this basis knows H, O"):
        random_model().prepare(salt)


@settings(max_examples=5)
@given(generators())
def test_features_of_another_shape_or_not_finite_are_refused(generator):
    bound = random_model().prepare(water(1, generator))
    with pytest.raises(InputError, match=r"shape \(3, 1\)"):
        bound.evaluate(np.zeros((3, 1)))
    with pytest.raises(InputError, match="NaN"):
        bound.evaluate(np.full((3, 8), np.nan))


def test_parts_that_do_not_belong_together_are_refused():
    small, large = random_model(1, 0), random_model(2, 1)
    with pytest.raises(InputError, match="different features"):
        FittedModel("mixed", small.density, large.energy)
    part = small.density
    with pytest.raises(InputError, match="density λ = 0 have shape"):
        DensityModel(
            part.specification,
            part.width,
            part.n_flow,
            dict(large.density.coefficients),
            part.flow_offsets,
        )
