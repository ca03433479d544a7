"""Two fragments at growing distance: what charge equilibration does to them, and what it should.

For net charges ±Q on fragments whose energies are E_A(Q), E_B(−Q), and a distance R at which only
those charges are seen, E_A(Q) + E_B(−Q) − Q²/R is stationary where

    µ_B(−Q) − µ_A(Q) = 2Q/R,      µ = −∂E/∂Q of the isolated fragment.

At infinity µ_A(Q∞) = µ_B(−Q∞); with η = −∂µ/∂Q the approach is Q − Q∞ → 2Q∞/((η_A + η_B) R), and
the answer of B's charge to a potential on A is 1/(η_A + η_B), whatever the distance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.equilibration.direct_equilibrium import DirectEquilibrium
from scc.equilibration.equilibrate import equilibrate
from scc.functional.direct_functional import DirectFunctional
from scc.models.qeq import QEq
from scc.models.registry import charge_model_by_name
from scc.units import ANGSTROM, EV

_WATER = (("O", "H", "H"), [[0, 0, 0], [0.757, 0.587, 0], [-0.757, 0.587, 0]])
_METHANE = (
    ("C", "H", "H", "H", "H"),
    0.6276 * np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]),
)
_CARBON_DIOXIDE = (("C", "O", "O"), [[0, 0, 0], [1.16, 0, 0], [-1.16, 0, 0]])
MOLECULES = {"H2O": _WATER, "CH4": _METHANE, "CO2": _CARBON_DIOXIDE}
_TIGHT = 1e-14
_STEP = 1e-3  # of charge, for η of molecules: µ is linear but for hydrogen


def fragment(name: str) -> Configuration:
    """A molecule of ``MOLECULES``, or an atom."""
    if name in MOLECULES:
        species, positions = MOLECULES[name]
        return Configuration(species, np.asarray(positions, dtype=np.float64) * ANGSTROM)
    return Configuration((name,), np.zeros((1, 3)))


def together(one: Configuration, other: Configuration, distance: float) -> Configuration:
    """Both, first atoms ``distance`` bohr apart along z."""
    shift = one.positions[0] - other.positions[0] + np.array([0.0, 0.0, distance])
    return Configuration(
        one.species + other.species, np.vstack([one.positions, other.positions + shift])
    )


@dataclass(frozen=True)
class Fragment:
    """µ(Q), η(Q), E(Q) of an isolated fragment, Hartree."""

    potential: Callable[[float], float]
    hardness: Callable[[float], float]
    energy: Callable[[float], float]


def atom_in_qeq(symbol: str) -> Fragment:
    """In closed form: E = χq + ½J(1 + κq)q², κ = 1/ζ⁰ for hydrogen, else 0."""
    model = QEq()
    element = model.elements[symbol]
    chi, hardness = element.chi * EV, element.hardness * EV
    kappa = 1.0 / model.hydrogen_exponent if symbol == "H" else 0.0
    return Fragment(
        lambda q: -(chi + hardness * q * (1.0 + 1.5 * kappa * q)),
        lambda q: hardness * (1.0 + 3.0 * kappa * q),
        lambda q: q * (chi + 0.5 * hardness * q * (1.0 + kappa * q)),
    )


def molecule_in(model: str, configuration: Configuration) -> Fragment:
    """From equilibria of the molecule alone at total charge Q."""

    def at(charge: float) -> DirectEquilibrium:
        return solve(model, configuration, charge)

    def hardness(charge: float) -> float:
        ahead, behind = at(charge + _STEP), at(charge - _STEP)
        return -(ahead.chemical_potential - behind.chemical_potential) / (2.0 * _STEP)

    return Fragment(lambda q: at(q).chemical_potential, hardness, lambda q: at(q).energy)


def solve(model: str, configuration: Configuration, charge: float = 0.0) -> DirectEquilibrium:
    """The minimum at a total charge. Raises ConvergenceError where there is none."""
    bound: Any = charge_model_by_name(model).prepare(configuration)
    functional = DirectFunctional(bound, total_charge=charge)
    return equilibrate(functional, tolerance=_TIGHT, throw=True)


def charge_at(one: Fragment, other: Fragment, inverse_distance: float = 0.0) -> float:
    """Q of fragment A with µ_B(−Q) − µ_A(Q) = 2Q/R."""

    def imbalance(charge: float) -> float:
        pull = 2.0 * charge * inverse_distance
        return other.potential(-charge) - one.potential(charge) - pull

    return float(brentq(imbalance, -0.6, 0.6, xtol=1e-15, rtol=1e-14))


def fragment_charge(result: Any, atoms: int) -> float:
    """Net charge of the first ``atoms``, elementary charges."""
    return float(np.sum(result.charges[:atoms]))


def answer_at_distance(result: DirectEquilibrium, atoms: int) -> float:
    """−dQ_B for a unit potential, felt by electrons, on the first ``atoms``, 1/Hartree."""
    potential: FloatArray = np.zeros_like(result.density)
    potential[:atoms] = 1.0
    return -float(np.sum(result.to_potential(potential).charges[atoms:]))
