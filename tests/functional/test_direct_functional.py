"""Derivatives of E(r, v̂) and of its equations, where density and count depend on everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.direct_models import ToyDirect, toys
from strategies.finite_differences import assert_derivative

from scc.configuration import Configuration
from scc.errors import InputError
from scc.functional.closure import Direct
from scc.functional.direct_functional import DirectFunctional
from scc.functional.energy import EnergyFunctional
from scc.models.qeq import QEq
from scc.models.registry import model_by_name

# Differences of order eight, step 1e-2, of functions that vary over a bohr or an electron: 1e-10;
# the toy's second derivatives are themselves differences.
STEP, RELATIVE = 1e-2, 1e-7


def drawn(toy, rng, mu=0.2):
    model, configuration = toy
    functional = DirectFunctional(model.prepare(configuration), total_charge=0.3)
    features = 0.4 * rng.normal(size=functional.model.feature_shape)
    return model, configuration, functional.evaluate(features, mu), features


def at(model, configuration, features, mu=0.2):
    return DirectFunctional(model.prepare(configuration), total_charge=0.3).evaluate(features, mu)


@given(toys(), generators())
@settings(max_examples=10)
def test_a_term_is_missing_from_the_gradient_in_the_variables(toy, rng):
    model, configuration, state, v = drawn(toy, rng)
    dv = rng.normal(size=v.shape)

    def energy(t):
        return at(model, configuration, v + t * dv).energy

    size = float(np.max(np.abs(state.gradient)))
    assert_derivative(np.vdot(state.gradient, dv), energy, STEP, 4.0 * size, RELATIVE)

    def count(t):
        return at(model, configuration, v + t * dv).excess

    assert_derivative(np.vdot(state.count_gradient, dv), count, STEP, 4.0, RELATIVE)


@given(toys(), generators())
@settings(max_examples=6)
def test_the_hessian_is_not_the_derivative_of_the_residual(toy, rng):
    model, configuration, state, v = drawn(toy, rng)
    dv, other = rng.normal(size=(2, *v.shape))
    product = state.hessian_vector_product(dv)

    def residual(t):
        return at(model, configuration, v + t * dv).residual

    assert_derivative(product, residual, STEP, 1.0 + float(np.max(np.abs(product))), RELATIVE)
    mirrored = np.vdot(dv, state.hessian_vector_product(other))
    assert np.vdot(other, product) == pytest.approx(mirrored, rel=1e-7, abs=1e-8)


@given(toys(), generators())
@settings(max_examples=6)
def test_positions_enter_somewhere_that_the_position_derivatives_forget(toy, rng):
    model, configuration, state, v = drawn(toy, rng)
    dr = rng.normal(size=(len(configuration), 3))

    def moved(t):
        return at(model, configuration.displaced(t * dr), v)

    gradient = state.position_gradient
    size = 1.0 + float(np.max(np.abs(gradient)))
    assert_derivative(np.vdot(gradient, dr), lambda t: moved(t).energy, STEP, size, RELATIVE)
    jvp = state.residual_position_jvp(dr)
    size = 1.0 + float(np.max(np.abs(jvp)))
    assert_derivative(jvp, lambda t: moved(t).residual, STEP, size, RELATIVE)
    count = state.excess_position_jvp(dr)
    assert_derivative(count, lambda t: moved(t).excess, STEP, 1.0, RELATIVE)
    lagrangian = np.vdot(state.lagrangian_position_gradient, dr)
    assert lagrangian == pytest.approx(np.vdot(gradient, dr) - 0.2 * count, rel=1e-9, abs=1e-9)


@given(toys(), generators())
@settings(max_examples=6)
def test_the_adjoint_product_is_not_the_transpose_of_the_forward_one(toy, rng):
    _, configuration, state, v = drawn(toy, rng)
    dr, cotangent = rng.normal(size=(len(configuration), 3)), rng.normal(size=v.shape)
    forward = np.vdot(cotangent, state.residual_position_jvp(dr))
    forward += 0.7 * state.excess_position_jvp(dr)
    backward = np.vdot(state.residual_position_vjp(cotangent, 0.7), dr)
    assert forward == pytest.approx(backward, rel=1e-7, abs=1e-8)


def test_the_counter_counts_dipoles():
    closure = Direct(total_charge=0.0)
    assert np.array_equal(closure.counter(np.ones((2, 4))), [[1, 0, 0, 0], [1, 0, 0, 0]])
    assert np.array_equal(closure.counter(np.ones(3)), [1, 1, 1])


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"total_charge": 0.0, "chemical_potential": 0.1}, "give a total charge or"),
        ({"total_charge": float("nan")}, "total charge is nan"),
        ({"chemical_potential": float("inf")}, "chemical potential is inf"),
        ({"total_charge": np.array([0.0, 1.0])}, "total charge is .0. 1.., must be one"),
        ({"total_charge": "1"}, "total charge is 1, must be one finite number"),
    ],
)
def test_an_impossible_ensemble_is_accepted(arguments, part):
    bound = ToyDirect(np.zeros(2)).prepare(Configuration(("H", "H"), [[0, 0, 0], [0, 0, 2.0]]))
    with pytest.raises(InputError, match=part):
        DirectFunctional(bound, **arguments)


def test_each_closure_takes_the_models_of_the_other():
    """Charges have no occupation, levels no direct closure, and what is not bound has neither."""
    pair = Configuration(("H", "H"), [[0, 0, 0], [0, 0, 2.0]])
    with pytest.raises(InputError, match=r"BoundQEq is no bound model with .* DirectFunctional"):
        EnergyFunctional(QEq().prepare(pair), beta=10.0)
    with pytest.raises(InputError, match=r"BoundTightBinding is no bound .* EnergyFunctional"):
        DirectFunctional(model_by_name("onsite").prepare(pair))
    for functional in (EnergyFunctional, DirectFunctional):
        with pytest.raises(InputError, match=r"QEq is no bound .*prepare"):
            functional(QEq())


def test_variables_of_a_wrong_shape_or_not_finite_are_accepted():
    bound = ToyDirect(np.zeros(2)).prepare(Configuration(("H", "H"), [[0, 0, 0], [0, 0, 2.0]]))
    functional = DirectFunctional(bound)
    with pytest.raises(InputError, match=r"shape \(2,\), expected \(2, 4\)"):
        functional.evaluate(np.zeros(2))
    bad = np.zeros((2, 4))
    bad[1, 2] = np.nan
    with pytest.raises(InputError, match=r"variable \(1, 2\) is nan"):
        functional.evaluate(bad)


@given(st.integers(-1, 2))  # H2 has two electrons to lose
def test_equations_of_another_model_take_a_second_charge(extra):
    configuration = Configuration(("H", "H"), [[0, 0, 0], [0, 0, 2.0]])
    bound = ToyDirect(np.zeros(2)).prepare(configuration)
    equations = DirectFunctional(bound, total_charge=float(extra))
    assert DirectFunctional(bound, equations=equations).closure.total_charge == extra
    with pytest.raises(InputError, match="their own charge"):
        DirectFunctional(bound, total_charge=1.0, equations=equations)
