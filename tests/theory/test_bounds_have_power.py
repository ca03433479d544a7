"""Would the bound tests notice? A bound whose rate exceeds the measured one by a fifth, with the
constant that fits the near half, and one with half the best constant: both turn the checks red."""

import math
from dataclasses import replace
from functools import cache, cached_property

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies.decaying_chains import decaying_chains
from strategies.theory_systems import built

from scc.claims._hopping_chain_rates import exact_gap_rate, exact_rate
from scc.claims._onsite_systems import hopping_chain
from scc.locality import envelope, fit_exponential
from scc.theory import (
    _resolvent_bounds,
    _tilted,
    _weighted_norms,
    corollary_14,
    lemma_12,
    lemma_13,
    theorem_4,
    theorem_4_density,
    theorem_4_exchange,
)
from scc.theory._perturbations import by_feature, measured, sampled_atoms
from scc.theory.random_systems import Recipe, random_system
from scc.theory.statement import Check, violations
from scc.theory.system import TightBindingSystem

STATEMENTS = (
    lemma_12,
    lemma_13,
    corollary_14,
    theorem_4,
    theorem_4_density,
    theorem_4_exchange,
)
EXCESS = 1.2
LEAST_FALL = 12.0
"""Decay that a measured rate is taken from, in powers of e."""

quick = settings(max_examples=6, suppress_health_check=list(HealthCheck), deadline=None)


def mutilated(r, values, error):
    """C e^{−1.2 η r}, η measured where the values stand clear of rounding, C the smallest constant
    that holds in the nearer half of that range; None where too little decay is seen."""
    values = np.abs(values)
    clear = (r > 0.0) & (values > 30.0 * error)
    if np.count_nonzero(clear) < 8:
        return None
    data = envelope(r[clear], values[clear], bins=20)
    reach = float(data.distance[-1])
    rate = fit_exponential(data, r_range=(0.2 * reach, reach)).rate
    if rate * reach < LEAST_FALL:
        return None
    near = clear & (r <= 0.5 * reach)
    constant = np.max(values[near] * np.exp(EXCESS * rate * r[near]))
    # At r = 0 the statement is about something else, the response of the atom itself.
    return np.where(r > 0.0, constant * np.exp(-EXCESS * rate * r), np.inf)


# -- a rate above the measured one ---------------------------------------------------------------


@pytest.mark.parametrize("variable", ["v̂", "r"])
@quick
@given(recipe=decaying_chains())
def test_theorem_4_with_a_rate_a_fifth_above_the_measured_one_goes_unnoticed(recipe, variable):
    system = built(recipe)
    seen = set()

    def too_fast(method, index, what):
        original = getattr(theorem_4.LocalityBound, method)

        def bound(self):
            if self.perturbation.name != variable or self.projected is not None:
                return original(self)
            r = system.distances[:, self.perturbation.atom]
            values = measured(system, self.perturbation)[index]
            wrong = mutilated(r, values, theorem_4.rounding(self)[index])
            if wrong is None:
                return original(self)
            seen.add(f"|∂/∂{variable}_m {what}|, sharp")
            return wrong

        return bound

    with pytest.MonkeyPatch.context() as patch:
        for method, index, what in (("populations", 0, "p_ℓ"), ("site_energies", 1, "E_ℓ")):
            patch.setattr(theorem_4.LocalityBound, method, too_fast(method, index, what))
        found = {line.partition(":")[0] for line in violations(theorem_4.checks(system))}
    assume(seen)
    assert seen <= found


@quick
@given(recipe=decaying_chains())
def test_resolvent_with_a_rate_a_fifth_above_the_measured_one_goes_unnoticed(recipe):
    system = built(recipe)
    seen = []

    def too_fast(system, z):
        resolvent = np.abs(np.linalg.inv(z * np.eye(len(system.levels)) - system.hamiltonian))
        distance = lemma_12.distances_to_spectrum(system, z)[0]
        error = 8.0 * system.rounding_unit * (1.0 + abs(z)) / distance**2
        wrong = mutilated(system.orbital_distances, resolvent, error)
        seen.append(wrong is not None)
        return np.full(resolvent.shape, np.inf) if wrong is None else wrong

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lemma_12, "bound", too_fast)
        found = [line for line in violations(lemma_12.checks(system)) if "sharp" in line]
    assume(any(seen))
    assert len(found) == sum(seen)


@quick
@given(recipe=decaying_chains())
def test_entries_with_a_rate_a_fifth_above_the_measured_one_go_unnoticed(recipe):
    """F(H)_ℓk and its first derivatives, Lemma 13: r is the length of the chain of orbitals."""
    system = built(recipe)
    seen = []

    def too_fast(system, chains, resolvent=None):
        limits = original(system, chains, resolvent)
        values, error = lemma_13._exact(system, resolvent, "F", chains)
        ((start, end),) = lemma_13.orderings(chains)
        wrong = mutilated(np.sum(system.orbital_distances[start, end], axis=1), values, error)
        seen.append(wrong is not None)
        return limits if wrong is None else {"F": wrong, "G": limits["G"]}

    original = lemma_13.bound
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lemma_13, "bound", too_fast)
        patch.setattr(lemma_13, "_SAMPLES", {0: 400, 1: 400})
        found = [line for line in violations(lemma_13.checks(system)) if "F|" in line]
    assume(any(seen))
    assert len(found) == sum(seen)


# -- half the best constant ----------------------------------------------------------------------


@cache
def some_systems():
    """Systems of all kinds, small and cheap."""
    common = {"beta": math.inf, "gap": 0.2}
    recipes = [
        Recipe(atoms=2, beta=1.0, splitting=0.05, disorder=0.02, spacing=2.0, decay=1.5),
        Recipe(atoms=12, beta=2.0),
        Recipe(atoms=30, dimension=3, beta=20.0),
        Recipe(atoms=16, dimension=2, **common),
        Recipe(model="orthonormal", atoms=8, beta=4.0),
        Recipe(model="loewdin", atoms=8, dimension=2, beta=30.0),
        Recipe(model="orthonormal", atoms=6, **common),
        Recipe(model="loewdin", atoms=8, **common),
    ]
    return [random_system(recipe) for recipe in recipes]


@cache
def all_checks(statement):
    """quantity → checks, over :func:`some_systems`."""
    found = {}
    for system in some_systems():
        if all(value is not False for value in statement.hypotheses(system).values()):
            for check in statement.checks(system):
                found.setdefault(check.quantity, []).append(check)
    return found


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda m: m.__name__.split(".")[-1])
def test_half_the_best_constant_is_hidden_by_rounding(statement):
    """The smallest valid multiple of a bound, halved: red for every quantity of the statement. It
    is what entries ten times above their rounding allow, hence the eleven times below."""
    for quantity, checks in all_checks(statement).items():
        best = max(1.0 / check.looseness for check in checks if math.isfinite(check.looseness))
        halved = [Check.of(quantity, c.measured, 0.5 * best * c.bound, c.rounding) for c in checks]
        assert violations(halved), quantity
        exact = [
            Check.of(quantity, c.measured, (1.0 + 1e-9) * best * c.bound, 11.0 * c.rounding)
            for c in checks
        ]
        assert violations(exact) == [], quantity


@quick
@given(recipe=decaying_chains(), data=st.data())
def test_half_the_best_constant_at_the_measured_rate_goes_unnoticed(recipe, data):
    system = built(recipe)
    atom = data.draw(st.sampled_from(sampled_atoms(system, theorem_4.SAMPLED_ATOMS)))
    perturbation = by_feature(system, atom)
    locality = theorem_4.bound(system, perturbation)
    r = system.distances[:, atom]
    for values, error in zip(
        measured(system, perturbation), theorem_4.rounding(locality), strict=True
    ):
        clear = np.abs(values) > 30.0 * error
        pairs = envelope(r[clear], values[clear], bins=20)
        rate = fit_exponential(pairs).rate
        best = float(np.max(np.abs(values[clear]) * np.exp(rate * r[clear])))
        for factor, red in ((0.5, True), (1.0 + 1e-12, False)):
            bound = np.where(clear, factor * best * np.exp(-rate * r), np.inf)
            assert bool(violations([Check.of("decay", values, bound, error)])) is red


# -- the code itself, wrong ----------------------------------------------------------------------


@cache
def sharp_systems():
    """Where the bounds are nearly attained: hopping chains, atoms far apart, a large common v."""
    found = list(some_systems())
    for beta, mu, gap in ((1.0, 0.0, 0.0), (3.0, 0.3, 0.0), (math.inf, 0.0, 3.2)):
        atoms = math.ceil(20.0 / (exact_gap_rate(gap) if gap else exact_rate(beta, mu)))
        case = hopping_chain(max(40, atoms), beta, mu, gap)
        found.append(TightBindingSystem(case.model, case.state.features, beta, mu))
    first = found[0]
    raised = replace(first, features=first.features + 50.0, mu=first.mu + 50.0)
    return [*found, raised]


def caught(statement):
    """Whether any system turns red."""
    return any(
        violations(statement.checks(system))
        for system in sharp_systems()
        if all(value is not False for value in statement.hypotheses(system).values())
    )


def scaled(owner, name, factor):
    """(owner, name, that property or function times a factor)."""
    original = owner.__dict__[name]
    if isinstance(original, cached_property):
        return owner, name, property(lambda self: factor * original.func(self))
    return owner, name, lambda *arguments: factor * original(*arguments)


def lowered(name, by):
    """(class, name, that logarithm of a bound of Theorem 4 less a number)."""
    original = theorem_4.LocalityBound.__dict__[name]
    return theorem_4.LocalityBound, name, property(lambda self: original.func(self) - by)


def reweighted(name, factor):
    """The spectral line with other weights."""
    original = _resolvent_bounds.spectral_line

    def line(system, reach):
        found = original(system, reach)
        return replace(found, **{name: factor * getattr(found, name)})

    return _resolvent_bounds, "spectral_line", line


def stretched_distances():
    """min over η of −1.2 ηr − ln c."""
    original = lemma_12.log_envelope
    return lemma_12, "log_envelope", lambda norms, c, r: original(norms, c, 1.2 * r)


MISTAKES = {
    "antisymmetric part a fifth too small": (
        lemma_12,
        lambda: scaled(_weighted_norms.WeightedNorms, "odd", 0.8),
    ),
    "symmetric part left out": (
        lemma_12,
        lambda: scaled(_weighted_norms.WeightedNorms, "even", 0.0),
    ),
    "Schur's norm halved": (
        lemma_12,
        lambda: scaled(_weighted_norms.WeightedNorms, "stretch", 0.5),
    ),
    "rate of the resolvent a fifth too large": (lemma_12, stretched_distances),
    "c a fifth too large": (theorem_4_density, lambda: scaled(lemma_12, "denominators_at", 1.2)),
    "norm of H halved beyond it": (
        lemma_13,
        lambda: scaled(_weighted_norms.WeightedNorms, "whole", 0.5),
    ),
    "density counted once": (
        theorem_4_exchange,
        lambda: scaled(_resolvent_bounds.ResolventBounds, "occupation_response", 0.5),
    ),
    "half the poles": (corollary_14, lambda: reweighted("occupation", 0.5)),
    "row sums halved": (corollary_14, lambda: scaled(corollary_14, "row_sums", 0.5)),
    "singular values half as large again": (
        theorem_4,
        lambda: scaled(_tilted, "smallest_singular_values", 1.5),
    ),
    "half the cuts of G": (lemma_13, lambda: reweighted("grand_potential", 0.5)),
    "rate a fifth too large": (
        theorem_4,
        lambda: scaled(theorem_4.LocalityBound, "log_distance_weight", 1.2),
    ),
    "perturbation halved": (theorem_4, lambda: lowered("log_strength", math.log(2.0))),
    "−v DF left out of E": (theorem_4, lambda: lowered("_log_potential_weight", 60.0)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_in_a_bound_goes_unnoticed(mistake, monkeypatch):
    statement, make = MISTAKES[mistake]
    monkeypatch.setattr(*make())
    assert caught(statement)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda m: m.__name__.split(".")[-1])
def test_systems_that_catch_mistakes_are_red_without_one(statement):
    assert not caught(statement)
