"""Convergence as the system grows: the iterations that self-consistency takes do not.

Copies of the smallest structure side by side, 1, 2, 4, … of them up to the subject's largest, and
the given structures, each solved from the subject's own start.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from scc.battery.bench import Bench, described
from scc.battery.property import Finding, Property
from scc.battery.subject import UnsupportedError

POWER = 1.0 / 6.0
"""Charge sloshing: λ_max(ε) of a metal grows with the square of its length, M^{1/3} in three
dimensions, and a Krylov-type iteration takes as many steps as the square root of that. The line is
drawn at half of the power it gives, M^{1/3}."""

RANGE = 4.0
"""Sizes from the largest over this: a single molecule has fewer modes than the iteration has steps,
and what grows from there only to saturate does not grow."""

ROUNDING = 2
"""Iterations are integers: this many more over the range are no growth."""


def measure(bench: Bench) -> Finding:
    """Iterations against the number of atoms."""
    structures = list(bench.structures)
    copies = 2
    while copies * len(bench.smallest) <= bench.subject.largest:
        try:
            structures.append(bench.grown(copies * len(bench.smallest)))
        except UnsupportedError:
            break
        copies *= 2
    structures.sort(key=len)
    atoms = np.array([float(len(s)) for s in structures])
    solved = [bench.solve(s) for s in structures]
    numbers = {"structures": [described(s) for s in structures], "atoms": atoms}
    failed = [described(s) for s, one in zip(structures, solved, strict=True) if not one.converged]
    if failed:
        numbers["unconverged"] = failed
        return Finding(False, f"does not converge: {failed[0]}", numbers, {"atoms": atoms})
    if atoms[-1] < 2.0 * RANGE * atoms[0]:
        raise UnsupportedError(
            f"converges on {int(atoms[0])} to {int(atoms[-1])} atoms: no {RANGE:g}-fold range of "
            "sizes beyond the smallest to see growth in"
        )
    counted = [one.iterations for one in solved]
    if any(count is None for count in counted):
        raise UnsupportedError("converges at every size, but does not tell its iterations")
    counts = np.array(counted, dtype=np.float64)
    large = atoms >= atoms[-1] / RANGE
    power = float(np.polyfit(np.log(atoms[large]), np.log(counts[large]), 1)[0])
    more = int(counts[-1] - counts[large][0])
    holds = power <= POWER or more <= ROUNDING
    numbers |= {"iterations": counts, "power of M": power, "more over the range": more}
    summary = (
        f"{int(counts[0])} iterations for {int(atoms[0])} atoms, {int(counts[-1])} for "
        f"{int(atoms[-1])}: M^{power:.2f}"
    )
    return Finding(holds, summary, numbers, {"atoms": atoms, "iterations": counts})


def draw(axes: Axes, finding: Finding) -> None:
    """Iterations against atoms."""
    if "iterations" in finding.series:
        axes.plot(finding.series["atoms"], finding.series["iterations"], "o-")
    axes.set_xscale("log")
    axes.set_xlabel("atoms")
    axes.set_ylabel("iterations")


PROPERTY = Property(
    "growing systems",
    "The iteration converges at every size, in a number of steps that does not grow with it.",
    f"converged everywhere, and over the largest {RANGE:g}-fold range of sizes at most {ROUNDING} "
    "iterations more, or a power of M below 1/6: half of charge sloshing's in three dimensions.",
    measure,
    draw,
)
