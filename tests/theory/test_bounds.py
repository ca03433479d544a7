"""Every bound of theory/ holds on every random system, and every derivation runs.

Under ``make fuzz`` each statement meets 10⁴ on-site and 500 Gaussian systems.
"""

import os

import pytest
from hypothesis import HealthCheck, given, reject, settings
from strategies.theory_systems import gaussian_recipes, onsite_recipes

from scc.errors import InputError
from scc.theory import statements
from scc.theory.random_systems import random_system
from scc.theory.statement import satisfied, violations

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


def _hold(module, recipe) -> None:
    try:
        system = random_system(recipe)
    except InputError:  # no splitting opens the gap asked for
        reject()
    if satisfied(module.hypotheses(system)):
        assert violations(module.checks(system)) == []
