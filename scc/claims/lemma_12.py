"""Lemma 12: the resolvent of a tight-binding Hamiltonian decays exponentially (Combes–Thomas).

Random systems as for every bound, and two chains on which the decay spans many decades: a metal at
its first pole and an insulator at mid-gap, with the paper's bound and the sharper one.
r in bohr.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scc.claims import _bounds
from scc.claims._bound_figure import beside_looseness
from scc.claims._theorem_4_chains import chain_of, hopping_system, to_the_right
from scc.claims.claim import Claim, System, SystemResult
from scc.theory import lemma_12, theorem_4
from scc.theory.statement import satisfied

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHAINS = (hopping_system(4.0, 0.5, 0.0, 80), hopping_system(math.inf, 0.0, 1.6, 80))


def systems(full: bool) -> list[System]:
    return [*CHAINS, *_bounds.bound_systems("lemma_12", full, gaussian=True)]


def measure(system: System) -> SystemResult:
    """A chain, or a random system."""
    if "kind" not in system.parameters:
        return _bounds.measure(system)
    case = chain_of(system.parameters)
    hypotheses = lemma_12.hypotheses(case)
    checks = lemma_12.checks(case)
    z = theorem_4.slowest_point(case)
    source, right = to_the_right(case)
    resolvent = np.abs(np.linalg.inv(z * np.eye(case.atoms) - case.hamiltonian))
    return system.result(
        hypotheses=hypotheses,
        measured={
            "largest measured / allowed": max(check.worst for check in checks),
            "bound / measured": {check.quantity: check.looseness for check in checks},
        },
        predicted={
            "largest measured / allowed": 1.0,
            "exponent, paper": lemma_12.paper_exponent(case, z),
            "exponent, sharp": lemma_12.best_exponent(case, z),
        },
        holds=all(check.holds for check in checks) if satisfied(hypotheses) else None,
        series={
            "distance": case.distances[source, right],
            "measured": resolvent[source, right],
            "paper": lemma_12.paper_bound(case, z)[source, right],
            "sharp": lemma_12.bound(case, z)[source, right],
        },
    )


def draw(results: Sequence[SystemResult]) -> Figure:
    """The two chains, and looseness on random systems."""
    return beside_looseness(results, _decay, 2, 13.0)


def _decay(axes: Axes, r: SystemResult) -> None:
    for name, style in (("measured", "ko"), ("paper", "C3:"), ("sharp", "C0-")):
        axes.semilogy(r.series["distance"], r.series[name], style, ms=3, label=name)
    axes.set_xlabel("r_ℓk (bohr)")
    axes.set_ylabel("|(z − H)⁻¹| (1/Hartree)")
    axes.set_ylim(1e-13, 1e2)


CLAIM = Claim(
    id="lemma-12",
    statement=(
        "|[(z − H)⁻¹]_ℓk| ≤ (2/𝔡) e^{−η r_ℓk} for the largest η with max_ℓ Σ_k |H_ℓk|(e^{ηr} "
        "− 1) ≤ 𝔡/2, 𝔡 = dist(z, σ(H)); and sharper, with e^{−ηr}/c(η), c from the symmetric "
        "and the antisymmetric part of the tilted H, at the poles of the Fermi function and "
        "in gaps."
    ),
    source="Lemma 12",
    systems=systems,
    measure=measure,
    draw=draw,
    family=_bounds.bound_family("lemma_12", gaussian=True),
)
