"""Ensembles: fixed chemical potential, or fixed electron number and the Fermi level it implies."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import log_expit, logsumexp

from scc.arrays import FloatArray
from scc.errors import InputError


@dataclass(frozen=True)
class GrandCanonical:
    """Electrons exchanged with a reservoir at chemical_potential µ (Hartree), (2.9).

    Raises InputError when µ is not finite.
    """

    chemical_potential: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.chemical_potential):
            raise InputError(f"chemical potential must be finite, got {self.chemical_potential}")


@dataclass(frozen=True)
class Canonical:
    """A fixed number of electrons (electrons, not pairs; any real ≥ 0 at finite temperature).

    Raises InputError when the number is negative or not finite.
    """

    electrons: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.electrons) and self.electrons >= 0.0):
            raise InputError(f"number of electrons must be finite and >= 0, got {self.electrons}")


Ensemble: TypeAlias = GrandCanonical | Canonical


def fermi_level(eigenvalues: ArrayLike, electrons: float, beta: float) -> float:
    """ε_F with 2 Σ_i F_{β,ε_F}(λ_i) = electrons (section 2.1 of the paper), in Hartree.

    eigenvalues: (n,) in any order, Hartree; beta: 1/Hartree in (0, ∞].

    Finite β: the balance of electrons above and holes below the m lowest states, m = electrons/2
    rounded, is solved in logarithms, so that the level is as well determined in the middle of a
    gap of 10⁴/β, where the electron number itself is flat, as inside a band.
    β = ∞: middle of the gap between the highest occupied and the lowest empty eigenvalue; with no
    electrons, or with all states filled, one Hartree outside the spectrum (any such µ will do).

    Raises InputError for β ≤ 0, eigenvalues that are not finite, fewer than 0 or more than 2n
    electrons, exactly 0 or 2n at finite β (ε_F = ∓∞), and at β = ∞ an odd or fractional number or
    a vanishing gap.
    """
    levels = np.sort(np.asarray(eigenvalues, dtype=np.float64).ravel())
    states = levels.size
    if not beta > 0.0:
        raise InputError(f"inverse temperature beta must be in (0, inf], got {beta}")
    if states == 0 or not np.isfinite(levels).all():
        raise InputError(f"the Fermi level needs finite eigenvalues, got {levels}")
    if not electrons >= 0.0:
        raise InputError(f"number of electrons must be >= 0, got {electrons}")
    if electrons > 2 * states:
        raise InputError(f"{electrons} electrons do not fit in {states} states (2 electrons each)")
    if math.isinf(beta):
        return _middle_of_gap(levels, electrons)
    if electrons in (0, 2 * states):
        raise InputError(
            f"{electrons} electrons in {states} states have no Fermi level at beta = {beta}: "
            "at finite temperature the number lies strictly between 0 and twice the states"
        )
    return _balance(levels, electrons, beta)


def _middle_of_gap(levels: FloatArray, electrons: float) -> float:
    pairs = electrons / 2.0
    if pairs != int(pairs):
        raise InputError(f"electron pairs are required at beta = inf, got {electrons} electrons")
    occupied = int(pairs)
    if occupied == 0:
        return float(levels[0] - 1.0)
    if occupied == levels.size:
        return float(levels[-1] + 1.0)
    highest, lowest = float(levels[occupied - 1]), float(levels[occupied])
    # Degenerate levels come out of a diagonalisation apart by a few roundings of ‖H‖.
    rounding = 8.0 * np.finfo(np.float64).eps * levels.size * float(np.max(np.abs(levels)))
    if lowest - highest <= rounding:
        raise InputError(
            f"no gap at {electrons} electrons: the highest occupied and the lowest empty "
            f"eigenvalue coincide at {highest}"
        )
    return 0.5 * (highest + lowest)


def _balance(levels: FloatArray, electrons: float, beta: float) -> float:
    """Solve Σ_{i>m} F(λ_i) + (m−N/2)⁺ = Σ_{i≤m} (1−F(λ_i)) + (N/2−m)⁺ in logarithms."""
    pairs = electrons / 2.0
    filled = round(pairs)
    with np.errstate(divide="ignore"):
        missing = float(np.log(max(filled - pairs, 0.0)))
        excess = float(np.log(max(pairs - filled, 0.0)))
    lower, upper = levels[:filled], levels[filled:]

    def imbalance(mu: float) -> float:
        above = logsumexp(np.append(log_expit(-beta * (upper - mu)), missing))
        below = logsumexp(np.append(log_expit(beta * (lower - mu)), excess))
        return float(above - below)

    # If all levels were at one end of the spectrum, ε_F = λ + β⁻¹ ln(N/(2n−N)): a bracket, widened
    # by its own rounding.
    shift = math.log(electrons / (2 * levels.size - electrons)) / beta
    low, high = float(levels[0]) + shift, float(levels[-1]) + shift
    rounding = np.finfo(np.float64).eps
    margin = 1e3 * rounding * (abs(low) + abs(high) + 1.0 / beta)
    tolerance = rounding * max(abs(low), abs(high), 1.0 / beta)
    low, high = low - margin, high + margin
    return float(brentq(imbalance, low, high, xtol=tolerance, rtol=4.0 * rounding, maxiter=500))
