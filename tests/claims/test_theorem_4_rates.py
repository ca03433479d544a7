"""Claims about the rate of Theorem 4's bound: at other temperatures and gaps than the listed ones,
and able to fail."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scc.claims import theorem_4_asymptotics, theorem_4_bound
from scc.claims._hopping_chain_rates import exact_gap_rate, exact_rate
from scc.claims._theorem_4_chains import hopping_system
from scc.theory import theorem_4

quick = settings(max_examples=6, suppress_health_check=list(HealthCheck), deadline=None)


def hot(beta, mu):
    return hopping_system(beta, mu, 0.0, max(40, math.ceil(20.0 / exact_rate(beta, mu))))


@quick
@given(st.floats(1.0, 10.0), st.floats(0.6, 1.5))
def test_rate_of_the_bound_far_below_the_measured_one_at_some_temperature(beta, mu):
    result = theorem_4_asymptotics.measure(hot(beta, mu))
    assert result.holds
    assert 0.9 < result.measured["measured / sharp"] < 1.5


@quick
@given(st.floats(0.4, 4.0))
def test_rate_of_the_bound_far_below_the_measured_one_at_some_gap(gap):
    atoms = max(40, math.ceil(20.0 / exact_gap_rate(gap)))
    result = theorem_4_asymptotics.measure(hopping_system(math.inf, 0.0, gap, atoms))
    assert result.holds
    assert 0.9 < result.measured["measured / sharp"] < 1.4


def test_rate_a_fourth_of_the_measured_one_passes(monkeypatch):
    for name in ("rate", "paper_rate"):
        original = getattr(theorem_4, name)
        monkeypatch.setattr(theorem_4, name, lambda case, f=original: 0.25 * f(case))
    monkeypatch.setattr(theorem_4_asymptotics, "tilted_exponent", lambda case, z: 0.0)
    assert theorem_4_asymptotics.measure(hot(4.0, 0.7)).holds is False


@pytest.mark.parametrize("power", [0.5, 2.0])
@pytest.mark.parametrize("of", ["temperature", "gap", "both"])
def test_rate_proportional_to_another_power_passes(monkeypatch, of, power):
    (system,) = (s for s in theorem_4_asymptotics.systems(False) if s.parameters.get("of") == of)
    assert theorem_4_asymptotics.measure(system).holds is True
    original = theorem_4.uniform_rate
    monkeypatch.setattr(theorem_4, "uniform_rate", lambda *a: original(*a) ** power)
    assert theorem_4_asymptotics.measure(system).holds is False


def test_chain_above_its_bound_passes(monkeypatch):
    chain = hopping_system(2.0, 0.5, 0.0, 40)
    result = theorem_4_bound.measure(chain)
    assert result.holds is True
    rounding = 40 * np.finfo(np.float64).eps
    assert np.all(result.series["∂/∂v̂_m p"] <= result.series["∂/∂v̂_m p, tilted"] + rounding)
    original = theorem_4.LocalityBound.populations
    monkeypatch.setattr(theorem_4.LocalityBound, "populations", lambda self: 0.02 * original(self))
    assert theorem_4_bound.measure(chain).holds is False


def test_figures_cannot_be_drawn():
    systems = theorem_4_asymptotics.systems(False)
    chosen = [systems[0], systems[-1]]
    results = [theorem_4_asymptotics.measure(system) for system in chosen]
    assert len(theorem_4_asymptotics.draw(results).axes) == 6
    bounds = [theorem_4_bound.measure(s) for s in theorem_4_bound.systems(False)[4:6]]
    chain = theorem_4_bound.measure(hopping_system(2.0, 0.5, 0.0, 40))
    assert len(theorem_4_bound.draw([chain, *bounds]).axes) == 6
