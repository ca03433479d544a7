"""Truncation bounds where the answer is known, and against what surrounds a cluster."""

import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc.configuration import chain
from scc.models.model_systems import ModelSystem, model_b, nearest_neighbour_chain
from scc.models.onsite import OnsiteTightBinding
from scc.theory import thermodynamic_limit as theory
from scc.theory._cut import Cut
from scc.theory.system import TightBindingSystem


def hopping_chain(atoms, beta, mu):
    model = OnsiteTightBinding(nearest_neighbour_chain()).prepare(chain(atoms, 1.0, "Na"))
    return TightBindingSystem(model, np.zeros(atoms), beta, mu)


@pytest.mark.parametrize("beta", [2.0, 6.0])
def test_bounds_fall_slower_than_twice_the_decay_of_greens_function(beta):
    # µ = 0 at the middle of the band of the infinite chain: γ = arcsinh(π/2β), exactly.
    rate = 2.0 * math.asinh(0.5 * math.pi / beta)
    system = hopping_chain(121, beta, 0.0)
    norms = theory.trial_norms(system)
    radii = np.arange(8, 56, 8)
    cuts = [Cut(system, 60, float(r)) for r in radii]
    sharp = np.log([theory.bound(cut, norms)[1] for cut in cuts])
    computed = np.log([theory.computed_population_bound(cut, norms) for cut in cuts])
    paper = np.log([theory.bound(cut, norms, "lemma 12")[1] for cut in cuts])
    # 1/c(η)² ~ (rR)² at the best η costs 2/R of the rate over this window.
    window = float(radii[-1] - radii[0])
    assert abs((sharp[0] - sharp[-1]) / window - rate) < 2.0 * np.log(radii[-1] / radii[0]) / window
    assert abs((computed[0] - computed[-1]) / window - rate) < 0.01 * rate
    assert (paper[0] - paper[-1]) / window < (sharp[0] - sharp[-1]) / window


@settings(max_examples=20)
@given(st.floats(-1.0, 1.0), st.floats(1.0, 30.0), st.integers(0, 2**32 - 1))
def test_an_environment_exceeds_what_the_cluster_allows(shift, beta, seed):
    # The cluster stays; what lies beyond R changes species, spacing and v̂.
    rng = np.random.default_rng(seed)
    core, outer = 21, 12
    inside = chain(core, (1.0, 1.3), ("Na", "Cl"))
    v_inside = rng.uniform(-0.3, 0.3, core)
    found, allowed = [], []
    for _ in range(3):
        outside = chain(outer, rng.uniform(0.9, 2.0), tuple(rng.choice(["Na", "Cl"], 5)))
        start = inside.positions[-1, 0] + rng.uniform(1.0, 4.0) - outside.positions[0, 0]
        moved = outside.positions + np.array([start, 0.0, 0.0])
        positions = np.vstack([inside.positions, moved])
        whole = type(inside)(inside.species + outside.species, positions)
        model = OnsiteTightBinding(model_b(1.0)).prepare(whole)
        v = np.concatenate([v_inside, rng.uniform(-2.0, 2.0, outer)])
        system = TightBindingSystem(model, v, beta, shift)
        cut = Cut(system, 0, float(positions[core - 1, 0] - positions[0, 0]) + 1e-9)
        assert len(cut.atoms) == core
        norms = theory.trial_norms(system)
        rounding = 2.0 * beta * system.rounding_unit
        found.append(cut.measured()[0])
        allowed.append(theory.computed_population_bound(cut, norms) + rounding)
        assert cut.measured()[1] <= theory.bound(cut, norms)[1] + rounding + 1e-12
    assert np.all(np.array(found) <= allowed)


def test_a_cluster_that_nothing_reaches_is_said_to_lose_something():
    positions = chain(6, 1.0, "Na")
    far = np.array(positions.positions)
    far[3:, 0] += 50.0
    model = OnsiteTightBinding(model_b(1.0)).prepare(type(positions)(positions.species, far))
    system = TightBindingSystem(model, np.zeros(6), 5.0, 0.1)
    cut = Cut(system, 0, 3.0)
    norms = theory.trial_norms(system)
    assert theory.bound(cut, norms) == (0.0, 0.0)
    assert theory.computed_population_bound(cut, norms) == 0.0
    assert max(cut.measured()) <= 10.0 * system.rounding_unit


class Repelling(ModelSystem):
    """A model system whose atoms repel like 1/r³ as well."""

    def repulsion_energies(self, configuration):
        r = np.linalg.norm(configuration.displacements(), axis=-1)
        return 0.5 * np.sum(np.where(r > 0.0, 1.0 / np.where(r > 0.0, r, 1.0) ** 3, 0.0), axis=1)


def test_pair_repulsion_is_no_part_of_what_the_electrons_lose():
    plain = model_b(gap=1.0)
    repelling = Repelling(**{field.name: getattr(plain, field.name) for field in fields(plain)})
    configuration = chain(20, 1.2, ("Na", "Cl"))
    lost = []
    for parameters in (plain, repelling):
        model = OnsiteTightBinding(parameters).prepare(configuration)
        system = TightBindingSystem(model, np.zeros(20), 5.0, 0.0)
        lost.append(Cut(system, 10, 6.0).measured())
        assert model.assembly.repulsion_energies()[10] == (
            0.0 if parameters is plain else pytest.approx(0.69, rel=0.05)
        )
    assert lost[1] == pytest.approx(lost[0], abs=1e-13)
