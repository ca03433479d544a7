"""Conservation of charge: net charges add up to the charge of the system, whatever the geometry."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from scc.battery.bench import Bench, charges_of, described
from scc.battery.property import Finding, Property

DEFORMED = 3


def measure(bench: Bench) -> Finding:
    """|Σq − Q| of every structure and of randomly deformed copies of the smallest."""
    rng = bench.random()
    structures = list(bench.structures)
    solved = [bench.solution(structure) for structure in structures]
    for _ in range(DEFORMED):
        moves = 0.1 * rng.standard_normal((len(bench.smallest), 3))
        structures.append(bench.smallest.displaced(moves))
        solved.append(bench.fresh(structures[-1]))
    totals = np.array([float(np.sum(charges_of(one))) for one in solved])
    errors = np.abs(totals - bench.subject.total_charge)
    worst = float(np.max(errors))
    holds = worst <= bench.tolerance
    numbers = {
        "structures": [described(s) for s in structures],
        "|sum of charges - Q| [e]": errors,
        "allowed [e]": bench.tolerance,
    }
    atoms = np.array([float(len(s)) for s in structures])
    sign = "<=" if holds else ">"
    return Finding(
        holds,
        f"|sum of charges - Q| {worst:.1e} {sign} {bench.tolerance:.1e} e",
        numbers,
        {"atoms": atoms, "error": errors},
    )


def draw(axes: Axes, finding: Finding) -> None:
    """The defect of every structure."""
    axes.plot(finding.series["atoms"], np.maximum(finding.series["error"], 1e-17), "o")
    axes.axhline(float(finding.numbers["allowed [e]"]), color="k", lw=0.8, ls=":")
    axes.set_yscale("log")
    axes.set_xlabel("atoms")
    axes.set_ylabel("|Σq − Q| [e]")


PROPERTY = Property(
    "charge conservation",
    "Net charges add up to the charge of the system.",
    "10 times the accuracy of the solutions.",
    measure,
    draw,
)
