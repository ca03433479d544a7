"""Every bound of theory/ holds on every random system, and every derivation runs.

Under ``make fuzz`` each statement meets 10⁴ on-site and 500 Gaussian systems.
"""

import math
import os
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from strategies.theory_systems import built, gaussian_recipes, onsite_recipes

from scc.basis.three_centre import PotentialFunction
from scc.configuration import Configuration
from scc.models.gaussian import GaussianTightBinding
from scc.theory import statements
from scc.theory.statement import satisfied, violations
from scc.theory.system import TightBindingSystem

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
_names = {module.__name__.rpartition(".")[2]: module for module in statements.bounded()}
# A statement may say MODELS = ("onsite",) where it is about on-site features only.
_gaussian = [name for name in _names if "gaussian" in getattr(_names[name], "MODELS", "gaussian")]


@pytest.mark.parametrize("module", statements.derived(), ids=lambda m: m.__name__.split(".")[-1])
def test_each_step_of_the_derivation_holds(module) -> None:
    steps = module.derivation()
    assert steps
    assert [step for step, holds in steps.items() if holds is not True] == []


@pytest.mark.parametrize("name", _names)
@settings(max_examples=10_000 if FUZZ else 25, suppress_health_check=list(HealthCheck))
@given(recipe=onsite_recipes())
def test_no_onsite_system_exceeds_its_bound(name, recipe) -> None:
    _hold(_names[name], recipe)


@pytest.mark.parametrize("name", _gaussian)
@settings(max_examples=500 if FUZZ else 10, suppress_health_check=list(HealthCheck))
@given(recipe=gaussian_recipes())
def test_no_gaussian_system_exceeds_its_bound(name, recipe) -> None:
    _hold(_names[name], recipe)


@pytest.mark.parametrize("name", _gaussian)
def test_no_molecule_with_several_orbitals_an_atom_exceeds_its_bound(name) -> None:
    """Water in STO-3G with s and p features; each statement is about one of the four at least."""
    said = [_about(_names[name], system) for system in _water()]
    assert any(said)


@cache
def _water() -> list[TightBindingSystem]:
    """Both treatments of the overlap, β = 5 and ∞, µ in the middle of the gap."""
    positions = np.array([[0.0, 0.0, 0.0], [1.43, 1.1, 0.0], [-1.43, 1.1, 0.0]])
    water = Configuration(["O", "H", "H"], positions)
    features = (PotentialFunction(0, 0.5), PotentialFunction(1, 0.8))
    found = []
    for overlap in ("loewdin", "orthonormal"):
        model = GaussianTightBinding(features=features, overlap=overlap).prepare(water)
        v = np.random.default_rng(0).uniform(-0.3, 0.3, model.feature_shape)
        levels = np.linalg.eigvalsh(model.hamiltonian(v))
        mu = 0.5 * (levels[4] + levels[5])
        found += [TightBindingSystem(model, v, beta, mu) for beta in (5.0, math.inf)]
    return found


def _hold(module, recipe) -> None:
    _about(module, built(recipe))


def _about(module, system) -> bool:
    """Whether the hypotheses hold; then so do the bounds."""
    if not satisfied(module.hypotheses(system)):
        return False
    assert violations(module.checks(system)) == []
    return True
