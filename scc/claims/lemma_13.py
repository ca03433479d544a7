"""Lemma 13: entries of F(H), G(H) and their derivatives decay along chains of atoms, and those of
F − F_N, G − G_N besides like e^{−θN}.

Random systems as for every bound, and three on which the degree N grows: what is measured of
F(H) − F_N(H) and its first derivatives (largest entry), and the constants of the bound on contours
at shares κ of Green's function, which should fall at the rate (1 − κ)θ in N.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from scc.claims import _bounds
from scc.claims._bound_figure import beside_looseness
from scc.claims.claim import Claim, System, SystemResult
from scc.theory import lemma_13
from scc.theory._daleckii_krein import entries, polynomial_moment, rounding
from scc.theory._interpolation_error import contour_around, exponent, interpolant
from scc.theory.random_systems import Recipe
from scc.theory.statement import Check, satisfied

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DEGREES = (8, 16, 24, 32, 40, 48, 56, 64)
SHARES = (0.1, 0.35, 0.7)
LEAST = 0.75
"""Measured rate in N over (1 − κ)θ at least: Leja points attain the rate only in the limit."""


def systems(full: bool) -> list[System]:
    growing = []
    for beta, label in ((2.0, "2"), (6.0, "6"), (math.inf, "inf")):
        recipe = Recipe(atoms=16, beta=beta, gap=0.6, disorder=0.1)
        parameters = asdict(recipe) | {"beta": label, "kind": "degree"}
        growing.append(System(f"degree N, chain of 16, beta = {label}", parameters))
    return [*growing, *_bounds.bound_systems("lemma_13", full, gaussian=True)]


def measure(system: System) -> SystemResult:
    """Growing degree, or a random system."""
    if "kind" not in system.parameters:
        return _bounds.measure(system)
    case = _bounds.case_of(system)
    hypotheses = lemma_13.hypotheses(case)
    size = len(case.levels)
    chains = np.random.default_rng(13).integers(0, size, (200, 4))
    levels, orbitals = case.levels, case.state.eigenvectors
    exact = entries(case.state.occupation, "F", levels, orbitals, chains)  # type: ignore[arg-type]
    largest: list[float] = []
    constants: dict[float, list[float]] = {share: [] for share in SHARES}
    checks: list[Check] = []
    for degree in DEGREES:
        polynomial = interpolant(case, degree)
        contours = [contour_around(case, polynomial, share) for share in SHARES]
        difference = exact - entries(polynomial, "F", levels, orbitals, chains)
        first, second = (polynomial_moment(polynomial, "F", 1 + i) for i in (0, 1))
        error = 2.0 * rounding(case, (first, second), 1)
        limit = lemma_13.difference_bound(case, contours, chains)["F"]
        checks.append(Check.of(f"|∂(F − F_N)|, N = {degree}", difference, limit, error))
        largest.append(float(np.max(np.abs(difference))))
        for share, contour in zip(SHARES, contours, strict=True):
            # At zero distance: the contour integral times c^{−2}.
            constants[share].append(contour.occupation / contour.denominators[0] ** 2)
    theta = exponent(case, interpolant(case, DEGREES[0]).spectral_set)
    rates = {
        share: float(-np.polyfit(DEGREES[2:], np.log(values[2:]), 1)[0])
        for share, values in constants.items()
    }
    attained = all(rates[share] >= LEAST * (1.0 - share) * theta for share in SHARES)
    return system.result(
        hypotheses=hypotheses,
        measured={
            "largest measured / allowed": max(check.worst for check in checks),
            **{f"rate in N, share {share:g}": rate for share, rate in rates.items()},
        },
        predicted={
            "largest measured / allowed": 1.0,
            **{f"rate in N, share {share:g}": (1.0 - share) * theta for share in SHARES},
        },
        holds=all(check.holds for check in checks) and attained if satisfied(hypotheses) else None,
        series={
            "largest": np.array(largest),
            "theta": np.array([theta]),
            **{f"share {share:g}": np.array(values) for share, values in constants.items()},
        },
    )


def draw(results: Sequence[SystemResult]) -> Figure:
    """Decay with the degree, and looseness on random systems."""
    return beside_looseness(results, _against_degree, 3, 17.0)


def _against_degree(axes: Axes, r: SystemResult) -> None:
    axes.semilogy(DEGREES, r.series["largest"], "ko-", ms=4, label="measured |∂(F − F_N)|")
    for index, share in enumerate(SHARES):
        label = f"bound at r = 0, κ = {share:g}"
        axes.semilogy(DEGREES, r.series[f"share {share:g}"], f"C{index}--", label=label)
    theta = float(r.series["theta"][0])
    line = r.series["largest"][0] * np.exp(-theta * (np.array(DEGREES) - DEGREES[0]))
    axes.semilogy(DEGREES, line, "k:", label="e^{−θN}")
    axes.set_xlabel("degree N of G_N")
    axes.set_ylabel("|∂(F − F_N)_ℓk/∂H| (1/Hartree)")
    axes.set_ylim(1e-17, 1e8)


CLAIM = Claim(
    id="lemma-13",
    statement=(
        "The j-th derivatives of F(H)_ℓk and G(H)_ℓk with respect to entries of H, j = 0, 1, "
        "2, are bounded by a constant times e^{−ηL}, L the length of the chain ℓ → ℓ₁, k₁ → "
        "ℓ₂, …, k_j → k, summed over orderings; those of F − F_N and G − G_N too, with "
        "constants that fall as e^{−θN}. Constants from the poles of F, and from a contour "
        "with Hermite's formula."
    ),
    source="Lemma 13, eq. (6.10)",
    systems=systems,
    measure=measure,
    draw=draw,
    family=_bounds.bound_family("lemma_13", gaussian=True),
)
