"""Theorem 4's claim: its exact rates at random temperatures, and that it can fail."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies.configurations import generators

from scc.claims import _hopping_chain_rates, theorem_4
from scc.claims._gaussian_systems import random_gaussian_case
from scc.claims._local_derivatives import (
    distances_from,
    green_function,
    local_derivatives,
    predicted_rate,
    spread_atoms,
)
from scc.claims._onsite_systems import hopping_chain, random_case
from scc.claims.claim import System
from scc.occupations.fermi_dirac import FermiDirac


def exact(beta, mu=0.0, gap=0.0, atoms=0):
    rate = (
        _hopping_chain_rates.exact_gap_rate(gap)
        if gap
        else _hopping_chain_rates.exact_rate(beta, mu)
    )
    atoms = atoms or max(40, math.ceil(20.0 / rate))
    parameters = {"kind": "exact", "atoms": atoms, "beta": beta, "mu": mu, "gap": gap}
    return System("chain", parameters)


@given(st.floats(1.0, 16.0), st.sampled_from([-1.0, 1.0]), st.floats(0.6, 1.7), st.booleans())
def test_rate_wrong_at_some_temperature_or_filling(beta, sign, magnitude, long):
    rate = _hopping_chain_rates.exact_rate(beta, magnitude)
    atoms = min(600, max(40, math.ceil((60.0 if long else 20.0) / rate)))
    result = theorem_4.measure(exact(beta, sign * magnitude, atoms=atoms))
    assert result.holds, (result.measured, result.predicted)


@given(st.floats(1.0, 16.0))
def test_rate_wrong_at_half_filling(beta):
    result = theorem_4.measure(exact(beta))
    assert result.holds, (result.measured, result.predicted)


@given(st.floats(0.4, 3.2))
def test_rate_wrong_in_an_insulator(gap):
    result = theorem_4.measure(exact("inf", gap=gap))
    assert result.holds, (result.measured, result.predicted)


@pytest.mark.parametrize(
    ("beta", "mu", "gap"), [(4.0, 0.0, 0.0), (4.0, 1.2, 0.0), ("inf", 0.0, 0.8)]
)
def test_a_rate_five_per_cent_off_passing_for_the_right_one(beta, mu, gap, monkeypatch):
    right = _hopping_chain_rates.exact_rate, _hopping_chain_rates.exact_gap_rate
    monkeypatch.setattr(_hopping_chain_rates, "exact_rate", lambda *a: 1.05 * right[0](*a))
    monkeypatch.setattr(_hopping_chain_rates, "exact_gap_rate", lambda *a: 1.05 * right[1](*a))
    assert theorem_4.measure(exact(beta, mu, gap, atoms=200)).holds is False


def test_closed_form_of_the_rate_at_half_filling():
    for beta in (1.0, 3.7, 16.0):
        expected = 2.0 * math.asinh(0.5 * math.pi / beta)
        assert _hopping_chain_rates.exact_rate(beta, 0.0) == pytest.approx(expected, rel=1e-14)


@given(st.floats(0.05, 3.0), st.floats(0.1, 3.0), st.floats(0.0, 6.0))
def test_envelope_of_a_damped_cosine_carrying_its_oscillation(rate, wave_number, phase):
    assume(abs(math.sin(wave_number)) > 0.1)
    r = np.arange(12.0)
    values = np.exp(-rate * r) * np.cos(wave_number * r + phase)
    envelope = _hopping_chain_rates.teager_kaiser(values)
    exactly = abs(math.sin(wave_number)) * np.exp(-rate * r[1:-1])
    # Squares of numbers up to e^{rate} larger than the result are subtracted.
    assert envelope == pytest.approx(exactly, rel=1e-12 * math.exp(2.0 * rate))


@given(st.floats(1.0, 10.0), st.floats(-1.5, 1.5))
def test_predicted_rate_not_that_of_the_exact_greens_function(beta, mu):
    rate = _hopping_chain_rates.exact_rate(beta, mu)
    case = hopping_chain(max(60, math.ceil(40.0 / rate)), beta, mu)
    predicted, _ = predicted_rate(case, [len(case.model.configuration) // 2])
    assert predicted == pytest.approx(rate, rel=1e-3)  # one pole: exponential from r = 1 on


def _random_parameters(model, rng):
    p = {"dimension": int(rng.integers(1, 4)), "atoms": 12, "seed": int(rng.integers(2**31))}
    beta = [2.0, "inf"][rng.integers(2)]
    if model == "onsite":
        return {**p, "spacing": 1.2, "gap": 8.0, "beta": beta, "disorder": 0.3}
    extra = {"exponent": 0.7, "overlap": ["loewdin", "orthonormal"][rng.integers(2)]}
    return {**p, "spacing": 2.0, "contrast": 3.0, "beta": beta, "disorder": 0.1, **extra}


@pytest.mark.parametrize("model", ["onsite", "gaussian"])
@given(rng=generators())
def test_derivative_of_another_atom_or_quantity_than_it_says(model, rng):
    """Against central differences: error ~ step² third derivatives, here below 1e-5."""
    build = random_case if model == "onsite" else random_gaussian_case
    p = _random_parameters(model, rng)
    case = build(p)
    configuration, state = case.model.configuration, case.state
    atom = int(rng.integers(len(configuration)))
    direction = rng.normal(size=3)
    found = local_derivatives(case.model, state, [atom], direction[None])
    step = 1e-4

    def at(sign):
        positions = configuration.positions.copy()
        positions[atom] += sign * step * direction
        moved = type(configuration)(configuration.species, positions)
        return _rebuilt(build, p, moved).evaluate(state.features, state.occupation)

    def shifted(sign):
        features = state.features.copy()
        features[atom] += sign * step
        return case.model.evaluate(features, state.occupation)

    for plus, minus, density, energy in (
        (shifted(1), shifted(-1), found.density_by_potential, found.energy_by_potential),
        (at(1), at(-1), found.density_by_position, found.energy_by_position),
    ):
        for attribute, magnitudes in (("populations", density), ("site_energies", energy)):
            quotient = (getattr(plus, attribute) - getattr(minus, attribute)) / (2.0 * step)
            scale = max(1.0, float(np.max(magnitudes)))
            assert magnitudes[0] == pytest.approx(np.abs(quotient), abs=1e-5 * scale)
    assert found.distance[0] == pytest.approx(
        np.linalg.norm(configuration.positions - configuration.positions[atom], axis=1)
    )


def _rebuilt(build, p, configuration):
    """The bound model of ``build(p)`` at another geometry."""
    from scc.claims._gaussian_systems import model_a
    from scc.models.model_systems import model_b
    from scc.models.onsite import OnsiteTightBinding

    if build is random_case:
        return OnsiteTightBinding(model_b(p["gap"])).prepare(configuration)
    return model_a(configuration, p["exponent"], overlap=p["overlap"])


def test_greens_function_not_the_resolvent():
    case = random_gaussian_case(_random_parameters("gaussian", np.random.default_rng(3)))
    z = 0.3 + 0.7j
    hamiltonian = case.model.hamiltonian(case.state.features)
    resolvent = np.abs(np.linalg.inv(z * np.eye(len(hamiltonian)) - hamiltonian))
    assert green_function(case, z, [3, 7]) == pytest.approx(resolvent[[3, 7]], rel=1e-10)


def test_spread_atoms_reach_from_the_centre_to_the_rim():
    case = random_case({**_random_parameters("onsite", np.random.default_rng(1)), "atoms": 40})
    configuration = case.model.configuration
    chosen = spread_atoms(configuration, 6)
    offsets = np.linalg.norm(configuration.positions - configuration.positions.mean(axis=0), axis=1)
    assert len(set(chosen)) == 6
    assert offsets[chosen[0]] == offsets.min()
    assert offsets[chosen[-1]] == offsets.max()
    assert distances_from(configuration, chosen).shape == (6, 40)


def test_canonical_state_is_not_local_and_the_verdict_sees_it():
    case = hopping_chain(120, 4.0, 0.5)
    canonical = case.model.evaluate(case.state.features, FermiDirac(4.0, 0.0), 120.0)
    derivatives = local_derivatives(case.model, canonical, [60], np.eye(3)[:1])
    from scc.locality import decide

    decay = decide(derivatives.distance, derivatives.density_by_potential)
    assert theorem_4._verdict([decay.kind], [decay.rate], 0.8) is False


@pytest.mark.parametrize("index", range(len(theorem_4._ordered())))
def test_ordered_chains_of_both_models(index):
    system = theorem_4._ordered()[index]
    result = theorem_4.measure(system)
    assert result.holds, (result.measured, result.predicted)


def test_figure_of_the_cheap_systems():
    chosen = [s for s in theorem_4.systems(False) if s.parameters["atoms"] <= 110]
    results = [theorem_4.measure(s) for s in chosen if s.parameters["kind"] == "exact"]
    figure = theorem_4.CLAIM.draw(results)
    assert len(figure.axes) == 6
    assert [len(axes.lines) > 0 for axes in figure.axes[:3]] == [True] * 3
