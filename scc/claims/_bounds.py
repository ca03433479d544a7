"""A statement of ``theory/`` as a claim: on random systems, everything it bounds stays below it.

``scc/claims/lemma_12.py`` is then three lines: ``CLAIM = bound_claim("lemma-12", …)``. Measured is
the largest measured/allowed over all checks of a system, predicted is 1; looseness bound/measured
and, where the statement has one, rate/rate are reported beside it.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from scc.claims._bound_figure import draw
from scc.claims.claim import Claim, System, SystemResult
from scc.claims.parameters import Family, Parameter, number
from scc.theory.random_systems import Model, Recipe, random_system
from scc.theory.statement import Check, satisfied
from scc.theory.system import TightBindingSystem


def bound_claim(
    claim_id: str, statement: str, source: str, gaussian: bool = True, onsite: bool = True
) -> Claim:
    """The claim that the checks of ``scc.theory.<claim_id>`` hold; the module name is that of the
    id up to a trailing ``-bound``. ``onsite``: whether the on-site model satisfies its hypotheses.
    """
    module = claim_id.removesuffix("-bound").replace("-", "_")

    def systems(full: bool) -> list[System]:
        return bound_systems(module, full, gaussian)

    family = bound_family(module, gaussian, onsite)
    return Claim(claim_id, statement, source, systems, measure, draw, family)


def bound_systems(module: str, full: bool, gaussian: bool) -> list[System]:
    """Random systems by seed: dimensions 1-3, temperatures 1 to ∞, both models."""
    rng = np.random.default_rng(4)
    found: list[System] = []
    models: tuple[Model, ...] = ("onsite",)
    if gaussian:
        models = ("onsite", "onsite", "orthonormal", "loewdin")
    for repeat in range(6 if full else 1):
        for dimension in (1, 2, 3):
            for beta in (1.0, 8.0, 60.0, math.inf):
                model = models[(len(found) + repeat) % len(models)]
                atoms = int(rng.integers(4, 60 if full else 30)) if model == "onsite" else 8
                found.append(drawn(rng, module, model, dimension, atoms, beta))
    return found


def bound_family(module: str, gaussian: bool, onsite: bool = True) -> Family:
    """All random systems of :class:`scc.theory.random_systems.Recipe`, by M, β, gap and seed."""
    models = ("onsite",) * onsite + ("orthonormal", "loewdin") * gaussian
    parameters = (
        Parameter("M", 20 if onsite else 8, "atoms", 4, 1000),
        Parameter("beta", 8.0, "inverse temperature, 1/Hartree; inf", 0.1, math.inf),
        Parameter("gap", 1.0, "splitting of the levels of the two species, Hartree", 0.05, 64.0),
        Parameter("disorder", 0.2, "v̂ uniform in ± this, Hartree", 0.0, 2.0),
        Parameter("dimension", 1, "of the arrangement of the atoms", 1, 3),
        Parameter("model", models[0], "on-site, or Gaussian orbitals", choices=models),
        Parameter("seed", 0, "of geometry and v̂", 0, 2**31 - 1),
    )

    def system(values: Mapping[str, Any]) -> System:
        recipe = Recipe(
            model=values["model"],
            dimension=values["dimension"],
            atoms=values["M"],
            seed=values["seed"],
            splitting=values["gap"],
            disorder=values["disorder"],
            beta=values["beta"],
        )
        return _system(recipe, module)

    def numbers(result: SystemResult) -> dict[str, float]:
        loose = [number(value) for value in result.measured["bound / measured"].values()]
        return {
            "measured": number(result.measured["largest measured / allowed"]),
            "predicted": 1.0,
            "tightest": min(loose, default=math.nan),
            "loosest": max(loose, default=math.nan),
        }

    return Family(
        parameters,
        system,
        "largest measured value over what its bound allows",
        "<=",
        numbers,
        ("tightest", "loosest"),
    )


def drawn(
    rng: np.random.Generator, module: str, model: Model, dimension: Any, atoms: int, beta: float
) -> System:
    """One random system for the statement ``module``, levels split by 0.05 to 3 Hartree."""
    recipe = Recipe(
        model=model,
        dimension=dimension,
        atoms=atoms,
        seed=int(rng.integers(2**31)),
        splitting=float(np.exp(rng.uniform(math.log(0.05), math.log(3.0)))),
        disorder=float(rng.uniform(0.0, 0.5)),
        beta=beta,
        share=float(rng.uniform(0.25, 0.75)),
    )
    return _system(recipe, module)


def _system(recipe: Recipe, module: str) -> System:
    p = recipe
    label = repr(p.beta).removesuffix(".0")  # infinity as a string, which JSON can hold
    name = f"{p.model}, {p.dimension}D, M = {p.atoms}, beta = {p.beta:g}, seed {p.seed}"
    return System(name, asdict(recipe) | {"beta": label, "statement": module})


def case_of(system: System) -> TightBindingSystem:
    """The random system the parameters describe, those that are no part of its recipe left out."""
    names = {field.name for field in fields(Recipe)}
    recipe = {key: value for key, value in system.parameters.items() if key in names}
    return random_system(Recipe(**{**recipe, "beta": float(recipe["beta"])}))


def measure(system: System) -> SystemResult:
    """All checks of the statement on one random system."""
    statement: Any = importlib.import_module(f"scc.theory.{system.parameters['statement']}")
    case = case_of(system)
    hypotheses = statement.hypotheses(case)
    checks: list[Check] = statement.checks(case) if satisfied(hypotheses) else []
    measured: dict[str, Any] = {
        "largest measured / allowed": max((c.worst for c in checks), default=0.0)
    }
    predicted: dict[str, Any] = {"largest measured / allowed": 1.0}
    looseness: dict[str, Any] = {}
    for check in checks:
        if math.isfinite(check.looseness):
            looseness[check.quantity] = check.looseness
        if check.rates is not None:
            measured[f"rate of {check.quantity}"], predicted[f"rate of {check.quantity}"] = (
                check.rates
            )
    measured["bound / measured"] = looseness
    pairs = np.array([[float(np.max(c.measured, initial=0.0)), c.worst] for c in checks])
    return system.result(
        hypotheses=hypotheses,
        measured=measured,
        predicted=predicted,
        holds=all(check.holds for check in checks) if checks else None,
        series={"largest value and its ratio to the allowed": pairs.reshape(-1, 2)},
    )
