"""Remark 12: projections (4.1) and expansions (2.19) of the potential are the same for orthonormal
functions only; otherwise going back costs the condition number of their Gram matrix.

Two kinds of system. *Random* systems of both models: every bound of ``scc.theory.remark_12``.
*Uniform chains* of Gaussians e^{−a|x|²}: λ between θ₄(q) and θ₃(q), q = e^{−ab²/2}, for any number
of atoms; and the digits that are lost in earnest, by rounding projections to single precision and
solving for the coefficients in double.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import mpmath
import numpy as np

from scc.arrays import FloatArray
from scc.basis.three_centre import PotentialFunction
from scc.claims import _bounds
from scc.claims.claim import Claim, System, SystemResult
from scc.theory.remark_12 import condition_bound_of_chain, gram_matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OVERLAPS = (3.0, 2.0, 1.4, 1.0, 0.7, 0.5, 0.4, 0.34)
"""a b² of the chains; at 0.3 κ reaches 1e7 and single precision is used up."""


def systems(full: bool) -> list[System]:
    """Random systems of both models, and one series of chains for each number of atoms."""
    sizes = (8, 40, 200, 600) if full else (8, 40, 200)
    chains = [
        System(f"uniform chain of {atoms}, a b^2 from 3 to 0.34", {"atoms": atoms})
        for atoms in sizes
    ]
    return [*chains, *_bounds.bound_systems("remark_12", full, gaussian=True)]


def measure(system: System) -> SystemResult:
    """A series of chains, or all bounds on a random system."""
    if "statement" in system.parameters:
        return _bounds.measure(system)
    atoms = system.parameters["atoms"]
    conditions, predictions, lost, lost_potential = [], [], [], []
    inside = True
    for overlap in _OVERLAPS:
        positions = np.zeros((atoms, 3))
        positions[:, 0] = np.arange(atoms)
        S = gram_matrix(positions, (PotentialFunction(0, overlap),))
        levels = np.linalg.eigvalsh(S)
        low, high = _theta_bounds(overlap)
        rounding = 8.0 * atoms * np.finfo(np.float64).eps * high
        inside &= bool(levels[0] >= low - rounding and levels[-1] <= high + rounding)
        conditions.append(float(levels[-1] / levels[0]))
        predictions.append(condition_bound_of_chain(overlap, 1.0))
        coefficients, potential = _digits_lost(S)
        lost.append(coefficients)
        lost_potential.append(potential)
    condition = np.array(conditions)
    # κ itself is known to n·eps·κ.
    allowed = np.array(predictions) * (1.0 + 8.0 * atoms * np.finfo(np.float64).eps * condition)
    ceiling = np.log10(condition)
    within = bool(
        np.all(np.array(lost) <= ceiling) and np.all(np.array(lost_potential) <= ceiling / 2)
    )
    return system.result(
        hypotheses={"S is numerically invertible": bool(np.max(condition) < 1e12)},
        measured={
            "condition number": conditions,
            "digits of the coefficients lost": lost,
            "digits of V lost": lost_potential,
        },
        predicted={
            "condition number": predictions,
            "digits of the coefficients lost": np.log10(predictions).tolist(),
            "digits of V lost": (0.5 * np.log10(predictions)).tolist(),
        },
        holds=inside and bool(np.all(condition <= allowed)) and within,
        series={
            "overlap": np.array(_OVERLAPS),
            "condition": condition,
            "lost": np.array(lost),
            "lost of V": np.array(lost_potential),
        },
    )


def _theta_bounds(overlap: float) -> tuple[float, float]:
    with mpmath.workdps(50):
        q = mpmath.exp(-mpmath.mpf(overlap) / 2)
        return float(mpmath.jtheta(4, 0, q)), float(mpmath.jtheta(3, 0, q))


def _digits_lost(S: FloatArray) -> tuple[float, float]:
    """log₁₀ of the amplification of the error of projections rounded to single precision, in the
    coefficients and in V. The smooth v̂ = 1 has large projections: the worst case of (i)."""
    v = np.ones(len(S))
    projections = S @ v
    rounded = projections.astype(np.float32).astype(np.float64)
    given = np.linalg.norm(rounded - projections) / np.linalg.norm(projections)
    change = np.linalg.solve(S, rounded - projections)
    coefficients = np.linalg.norm(change) / np.linalg.norm(v) / given
    potential = math.sqrt(change @ S @ change) / math.sqrt(v @ S @ v) / given
    return math.log10(coefficients), math.log10(potential)


def draw(results: Sequence[SystemResult]) -> Figure:
    """Digits lost against a b², and looseness of the bounds on random systems."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    overlap = np.geomspace(min(_OVERLAPS), max(_OVERLAPS), 60)
    exact = np.log10([condition_bound_of_chain(x, 1.0) for x in overlap])
    axes.plot(1.0 / overlap, exact, "k-", lw=1, label="$\\log_{10} θ_3/θ_4$")
    axes.plot(1.0 / overlap, exact / 2, "k--", lw=1, label="half of it")
    asymptote = (np.pi**2 / (2 * overlap) - np.log(2.0)) / np.log(10.0)
    axes.plot(1.0 / overlap, asymptote, ":", color="0.5", label="$½e^{π²/2ab²}$")
    chains = [r for r in results if "overlap" in r.series]
    for index, result in enumerate(chains):
        x, label = 1.0 / result.series["overlap"], result.parameters["atoms"]
        colour = f"C{index}"
        axes.plot(x, np.log10(result.series["condition"]), "_", color=colour, ms=9)
        axes.plot(x, result.series["lost"], "o", ms=4, color=colour, label=f"v̂, M = {label}")
        axes.plot(x, result.series["lost of V"], "s", ms=3, color=colour, mfc="none")
    axes.set_xlabel("overlap 1/(a b²)")
    axes.set_ylabel("decimal digits lost (bars: log₁₀ κ; squares: V)")
    axes.legend(fontsize=8)
    return figure


CLAIM = Claim(
    id="remark-12",
    statement=(
        "Projections are S v̂: the same as coefficients only for orthonormal functions (S = 1). "
        "Errors of projections are amplified at most by 1/λ_min, relatively by κ(S), in V itself "
        "by 1/√λ_min; for Gaussians on a chain of any length λ lies between θ₄(q) and θ₃(q), "
        "q = e^(−ab²/2), and κ approaches ½ exp(π²/2ab²)."
    ),
    source="Remark 12, eqs. (2.19), (4.1)",
    systems=systems,
    measure=measure,
    draw=draw,
    family=_bounds.bound_family("remark_12", gaussian=True),
)
