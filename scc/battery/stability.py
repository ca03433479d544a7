r"""Stability of the solution: the operator that multiplies small deviations is positive, (3.12).

ε = 1 − Kχ₀ (tight binding), 1 − Kχ (projection: real parts), or the Hessian of the energy on the
charges that the constraint allows (direct). A solution with an eigenvalue ≤ 0 is a saddle or a
repelling point: a damped iteration leaves it however small its steps are.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from scc.battery.bench import Bench, described
from scc.battery.property import Finding, Property
from scc.battery.subject import TellsStability, UnsupportedError, unsupported_is_said


def measure(bench: Bench) -> Finding:
    """The smallest eigenvalue over the structures."""
    subject = bench.subject
    if not isinstance(subject, TellsStability):
        raise UnsupportedError("does not tell the operator of its self-consistency")
    with unsupported_is_said():
        found = [subject.stability(bench.solution(structure)) for structure in bench.structures]
    smallest = np.array([extremes.smallest for extremes in found])
    largest = np.array([extremes.largest for extremes in found])
    holds = bool(np.all(smallest > 0.0))
    least = float(np.min(smallest))
    numbers = {
        "operator": found[0].operator,
        "structures": [described(s) for s in bench.structures],
        "smallest eigenvalue": smallest,
        "largest modulus": largest,
    }
    summary = f"smallest eigenvalue of {found[0].operator}: {least:.4g} {'>' if holds else '<='} 0"
    atoms = np.array([float(len(s)) for s in bench.structures])
    return Finding(
        holds, summary, numbers, {"atoms": atoms, "smallest": smallest, "largest": largest}
    )


def draw(axes: Axes, finding: Finding) -> None:
    """Extremes against the number of atoms."""
    axes.plot(finding.series["atoms"], finding.series["smallest"], "o", label="smallest")
    axes.plot(finding.series["atoms"], finding.series["largest"], "s", label="largest modulus")
    axes.axhline(0.0, color="k", lw=0.8)
    axes.set_xlabel("atoms")
    axes.set_ylabel("eigenvalue")
    axes.legend(fontsize="small")


PROPERTY = Property(
    "stability",
    "Every solution is stable: no eigenvalue of its stability operator has a real part <= 0.",
    "0, on the spectrum of the operator of (3.12) in its gauge-free form.",
    measure,
    draw,
)
