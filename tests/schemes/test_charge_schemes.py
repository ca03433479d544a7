"""BpopNN- and 4G-like schemes: derivatives, forces, invariances, locality, charge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from strategies.finite_differences import assert_derivative
from strategies.fitted_models import moved, water
from strategies.trained_schemes import MEANS, random_4g, random_bpopnn, random_charge_energy

from scc.configuration import Configuration
from scc.electrostatics.multipoles import UniformField
from scc.equilibration import equilibrate
from scc.errors import InputError
from scc.functional.direct_functional import DirectFunctional
from scc.models.charge_state import ChargeState
from scc.schemes.charge_features import ChargeFeatures

MODELS = {"bpopnn": random_bpopnn(), "4g": random_4g()}
seeds = st.integers(0, 2**31)


def near_mean(configuration, rng):
    kinds = [("H", "O").index(symbol) for symbol in configuration.species]
    return MEANS[kinds] + rng.normal(scale=0.15, size=len(kinds))


@given(seeds, st.integers(1, 2))
@settings(max_examples=10)
def test_features_have_the_slopes_and_curvatures_they_say(seed, powers):
    rng = np.random.default_rng(seed)
    phi = ChargeFeatures(MEANS, powers)
    charges, kind, direction = rng.normal(size=5), rng.integers(0, 2, size=5), rng.normal(size=5)
    found = phi(charges, kind)
    for analytic, values in ((found.slopes, 0), (found.curvatures, 1)):
        size = float(np.max(np.abs(analytic)))
        assert_derivative(
            analytic * direction[:, None],
            lambda t, k=values: phi(charges + t * direction, kind)[k],
            2e-3,
            max(size, 1.0),
            relative=1e-6,
        )


@given(seeds, st.integers(1, 2))
@settings(max_examples=5)
def test_every_derivative_product_of_a_local_energy_is_one(seed, powers):
    rng = np.random.default_rng(seed)
    configuration = water(2, rng)
    energy = random_charge_energy(powers, seed % 1000, 1e-2)
    charges, weights = near_mean(configuration, rng), rng.normal(size=6)
    moves, turns = rng.normal(size=(6, 3)), rng.normal(scale=0.1, size=6)

    def at(step=0.0, along_charges=True):
        place = configuration if along_charges else moved(configuration, step * moves)
        return energy.prepare(place).evaluate(charges + step * turns * along_charges)

    state = at()
    assert isinstance(state, ChargeState)
    pairs = [
        (state.site_energies_jvp(turns), lambda t: at(t).site_energies),
        (state.site_energies_position_jvp(moves), lambda t: at(t, False).site_energies),
        (state.feature_energy_second_vjp(turns), lambda t: at(t).feature_energy_vjp()),
        (
            state.feature_energy_position_vjp_along(turns),
            lambda t: at(t).feature_energy_position_vjp(),
        ),
        (
            state.feature_energy_second_position_vjp(moves),
            lambda t: at(t, False).feature_energy_vjp(),
        ),
    ]
    for analytic, f in pairs:
        assert_derivative(analytic, f, 4e-3, max(1.0, np.max(np.abs(analytic))), relative=1e-7)
    # Products with a are the transposed ones; those of a = 1 are the gradients.
    one, other = weights @ state.site_energies_jvp(turns), state.site_energies_vjp(weights) @ turns
    assert one == pytest.approx(other, rel=1e-9, abs=1e-12)
    one = weights @ state.site_energies_position_jvp(moves)
    other = np.vdot(state.site_energies_position_vjp(weights), moves)
    assert one == pytest.approx(other, rel=1e-9, abs=1e-12)
    ones = np.ones(6)
    np.testing.assert_allclose(
        state.feature_energy_vjp(), state.site_energies_vjp(ones), atol=1e-11
    )


def test_a_second_derivative_along_a_small_step_is_rounding():
    """Conjugate gradients ask along directions as small as what they leave of a residual."""
    rng = np.random.default_rng(4)
    configuration = water(3, rng)
    charges, direction = near_mean(configuration, rng), rng.normal(size=9)
    state = random_charge_energy(2, 0, 1e-2).prepare(configuration).evaluate(charges)
    for name in ("feature_energy_second_vjp", "feature_energy_position_vjp_along"):
        product = getattr(state, name)
        whole, small = product(direction), product(1e-12 * direction)
        assert np.max(np.abs(small * 1e12 - whole)) < 1e-12 * np.max(np.abs(whole))
        assert not np.any(product(np.zeros(9)))


@pytest.mark.parametrize("name", MODELS)
@given(seeds)
@settings(max_examples=2)
def test_forces_are_derivatives_of_the_energy_in_a_field_too(name, seed):
    rng = np.random.default_rng(seed)
    configuration, field = water(2, rng), [UniformField(rng.normal(scale=0.005, size=3))]
    direction = rng.normal(size=(6, 3))
    model = MODELS[name]

    def solved(step, start=None):
        functional = model.functional(moved(configuration, step * direction), field)
        return equilibrate(functional, features=start, tolerance=1e-12, throw=True)

    found = solved(0.0)
    assert found.stable
    assert abs(np.sum(found.charges)) < 1e-10
    slope = -np.vdot(found.forces, direction)
    size = float(np.linalg.norm(found.forces) * np.linalg.norm(direction))
    assert_derivative(
        slope, lambda t: solved(t, found.charges).energy, 2e-3, size, relative=1e-6, noise=1e-10
    )


@pytest.mark.parametrize("name", MODELS)
def test_energy_and_charges_do_not_notice_rotations_reflections_and_the_order_of_atoms(name):
    rng = np.random.default_rng(1)
    configuration, model = water(2, rng), MODELS[name]
    turn = -Rotation.random(random_state=2).as_matrix()
    order = rng.permutation(6)
    other = Configuration(
        tuple(configuration.species[i] for i in order),
        configuration.positions[order] @ turn.T + rng.normal(size=3),
    )
    one, two = (equilibrate(model.functional(c), throw=True) for c in (configuration, other))
    assert one.energy == pytest.approx(two.energy, abs=1e-9)
    np.testing.assert_allclose(one.charges[order], two.charges, atol=1e-9)
    np.testing.assert_allclose(one.forces[order] @ turn.T, two.forces, atol=1e-8)


@pytest.mark.parametrize("name", MODELS)
def test_nothing_local_depends_on_what_is_beyond_the_cutoff(name):
    rng = np.random.default_rng(3)
    model, near = MODELS[name], water(1, rng)
    far = near.positions + np.array([model.cutoff + 10.0, 0.0, 0.0])
    pair = Configuration(near.species * 2, np.concatenate([near.positions, far]))
    charges = near_mean(pair, rng)
    alone = model.prepare(near).evaluate(charges[:3]).site_energies
    functional = model.functional(pair)
    together = functional.model.evaluate(charges).site_energies
    np.testing.assert_allclose(together[:3], alone, rtol=1e-12)


def test_the_energy_of_bpopnn_is_lowest_at_its_charges():
    rng = np.random.default_rng(4)
    functional = MODELS["bpopnn"].functional(water(2, rng))
    found = equilibrate(functional, throw=True)
    for _ in range(5):
        change = rng.normal(scale=0.01, size=6)
        other = functional.evaluate(found.charges + change - np.mean(change))
        assert other.energy > found.energy


def test_the_energy_of_4g_is_not_stationary_at_its_charges_but_its_equations_hold():
    functional = MODELS["4g"].functional(water(2, np.random.default_rng(5)))
    assert isinstance(functional, DirectFunctional)
    assert functional.affine
    assert not functional.variational
    found = equilibrate(functional, throw=True)
    even = found.state.gradient - np.mean(found.state.gradient)
    assert np.max(np.abs(even)) > 1e-3
    residual = found.state.equations.gradient
    assert np.max(np.abs(residual - np.mean(residual))) < 1e-9


@pytest.mark.parametrize("name", MODELS)
def test_charges_that_are_no_charges_are_refused_by_name(name):
    bound = MODELS[name].prepare(water(1, np.random.default_rng(0)))
    with pytest.raises(InputError, match=r"shape \(2,\), expected \(3,\)"):
        bound.evaluate(np.zeros(2))
    with pytest.raises(InputError, match="NaN"):
        bound.evaluate(np.array([0.0, np.nan, 0.0]))
    with pytest.raises(InputError, match="Ar"):
        MODELS[name].prepare(Configuration(("Ar",), np.zeros((1, 3))))


def test_parameters_that_do_not_belong_together_are_refused():
    good = random_charge_energy(2, 0)
    with pytest.raises(InputError, match="not features of charges"):
        type(good)(good.energy, ChargeFeatures(MEANS, 1), good.hardness)
    with pytest.raises(InputError, match="hardness"):
        type(good)(good.energy, good.features, np.array([0.1, np.nan]))
    with pytest.raises(InputError, match="powers"):
        ChargeFeatures(MEANS, 3)
    with pytest.raises(InputError, match="width"):
        type(MODELS["bpopnn"])("x", good, 0.0)
    model = MODELS["4g"]
    with pytest.raises(InputError, match="positions alone"):
        type(model)("x", good.energy, model.hardness, model.energy, 1.0)
