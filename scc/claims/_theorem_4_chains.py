"""Chains on which the bounds of Theorem 4 are held against measured decay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scc.arrays import IntArray
from scc.claims._onsite_systems import (
    half_filled_case,
    hopping_chain,
    model_b_case,
    model_b_chain,
)
from scc.claims.claim import System
from scc.theory.system import TightBindingSystem


def hopping_system(beta: float, mu: float, gap: float, atoms: int) -> System:
    """Nearest-neighbour hopping −1, levels ∓gap/2."""
    what = f"beta = inf, levels ±{0.5 * gap:g}" if math.isinf(beta) else f"beta = {beta:g}"
    name = f"hopping chain, M = {atoms}, {what}, mu = {mu:g}"
    return System(name, {**_plain("hopping", beta, gap, atoms), "mu": mu})


def model_b_system(
    beta: float, gap: float, atoms: int, spacings: tuple[float, float] = (1.0, 1.3)
) -> System:
    """Model B, v̂ = v̂* held fixed."""
    label = f"{beta:g}"
    name = f"model B chain, M = {atoms}, beta = {label}, levels ±{0.5 * gap:g}"
    charges = [1.0, 1.0] if gap == 0.0 else [1.4, 0.6]
    parameters = {**_plain("model B", beta, gap, atoms), "spacings": list(spacings)}
    return System(name, parameters | {"charges": charges})


def chain_of(parameters: Mapping[str, Any]) -> TightBindingSystem:
    """The system of any kind; ``bare model B`` has v̂ = 0 and half filling."""
    beta = float(parameters["beta"])
    if parameters["kind"] == "hopping":
        case = hopping_chain(parameters["atoms"], beta, parameters["mu"], parameters["gap"])
        return TightBindingSystem(case.model, case.state.features, beta, parameters["mu"])
    if parameters["kind"] == "model B":
        case = model_b_case(parameters)
    else:
        spacings, charges = parameters["spacings"], parameters["charges"]
        model = model_b_chain(parameters["atoms"], tuple(spacings), parameters["gap"], charges)
        case = half_filled_case(model, np.zeros(parameters["atoms"]), beta, 1)
    return TightBindingSystem(case.model, case.state.features, beta, case.state.chemical_potential)


def to_the_right(system: TightBindingSystem) -> tuple[int, IntArray]:
    """(m, atoms to the right of it): m an eighth from the left end."""
    source = system.atoms // 8
    return source, np.arange(source + 1, system.atoms)


def _plain(kind: str, beta: float, gap: float, atoms: int) -> dict[str, Any]:
    label = "inf" if math.isinf(beta) else beta
    return {"kind": kind, "beta": label, "gap": gap, "atoms": atoms}
