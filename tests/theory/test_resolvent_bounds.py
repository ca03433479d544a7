"""Moments of the resolvent along the spectral line against the sums and integrals they bound."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from strategies.theory_systems import built, onsite_recipes

from scc.theory import theorem_4
from scc.theory._perturbations import by_feature
from scc.theory._resolvent_bounds import resolvent_bounds
from scc.theory.random_systems import Recipe, random_system

quick = settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)


@cache
def small_system(beta):
    return resolvent_bounds(random_system(Recipe(atoms=4, beta=beta, gap=0.3)))


def poles(order, beta, distance, first):
    """j! 2β⁻¹ Σ_{n ≥ first} (d² + y_n²)^{−(j+1)/2} but for what is beyond 20000 poles."""
    heights = math.pi / beta * (2.0 * np.arange(first, 20_000) + 1.0)
    powers = np.hypot(distance, heights) ** -(order + 1.0)
    return math.factorial(order) * 2.0 / beta * float(np.sum(powers))


def cut_short(resolvent, distance, height):
    """The same bounds with one node, at this height: all that is left is the tail beyond it."""
    at_node = np.full((1, len(resolvent.rates)), -math.log(math.hypot(distance, height)))
    line = replace(
        resolvent.line,
        offset=0.0,
        heights=np.array([height]),
        occupation=np.zeros(1),
        grand_potential=np.zeros(1),
    )
    return replace(resolvent, line=line, whole_part=at_node)


@settings(max_examples=40)
@given(
    distance=st.floats(0.05, 2.0),
    ratio=st.floats(0.2, 20.0),
    order=st.sampled_from((1, 2, 3)),
)
def test_the_tail_of_a_moment_below_the_integral_it_stands_for(distance, ratio, order) -> None:
    height, p = ratio * distance, order + 1
    found = cut_short(small_system(math.inf), distance, height)

    def tail(power):
        value = quad(lambda s: s**power * math.hypot(distance, s) ** -p, height, math.inf)[0]
        return math.factorial(order) * value / math.pi

    assert found.occupation_moment(order) >= tail(0) * (1.0 - 1e-6)
    if order > 1:
        assert found.grand_potential_moment(order) >= tail(1) * (1.0 - 1e-6)


@settings(max_examples=40)
@given(distance=st.floats(0.05, 2.0), beta=st.floats(2.0, 100.0), order=st.sampled_from((1, 2, 3)))
def test_the_tail_of_a_moment_below_the_poles_it_stands_for(distance, beta, order) -> None:
    line = small_system(10.0)
    line = replace(line, line=replace(line.line, beta=beta))
    found = cut_short(line, distance, math.pi / beta)
    assert found.occupation_moment(order) >= poles(order, beta, distance, 1)


@quick
@given(recipe=onsite_recipes(largest=20))
def test_moments_below_the_closed_forms_or_far_above(recipe) -> None:
    """A rounding allowance that is a multiple of the truth would hide violations."""
    system = built(recipe)
    resolvent = resolvent_bounds(system)
    below, above = system.gap_below, system.gap_above
    assume(math.isfinite(below + above))
    d = 0.5 * (below + above) if system.zero_temperature else min(below, above)
    for order in (1, 2, 3):
        if system.zero_temperature:
            exact = (0.5 / d, 2.0 / math.pi / d**2, 1.5 / d**3)[order - 1]
        else:
            exact = poles(order, system.beta, d, 0)
        moment = resolvent.occupation_moment(order)
        # Levels are known to u only: 𝔡 is taken smaller by that.
        assert exact * (1.0 - 1e-9) <= moment <= 2.0 * exact * (1.0 + 1e-6)


@quick
@given(recipe=onsite_recipes(largest=20))
def test_the_paper_s_constant_below_the_sharper_ones(recipe) -> None:
    system = built(recipe)
    perturbation = by_feature(system, 0)
    assume(min(system.gap_below, system.gap_above) > 1e-3)
    locality = theorem_4.bound(system, perturbation)
    assert np.all(locality.paper_populations() >= locality.populations() * (1.0 - 1e-9))
