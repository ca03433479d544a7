"""Forces are minus the derivative of the energy, by an h-scan.

Along random directions of all atoms, dE/ds by central differences over six steps h, halved each
time, and by their Richardson extrapolations, (4 D(h/2) − D(h))/3. The error of a difference has a
part that falls with h and one, from the convergence of the energy, that grows like 1/h. The slope
is the extrapolation that agrees best with the next one, whatever the forces say (C. J. F. Ridders,
Adv. Eng. Softw. 4 (1982) 75): the h at which errors cancel by accident is not picked.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from scc.arrays import FloatArray
from scc.battery.bench import Bench, described, forces_of
from scc.battery.decay_figure import double_logarithmic
from scc.battery.property import Finding, Property
from scc.configuration import Configuration

LARGEST_STEP = 0.16
STEPS = 6
DIRECTIONS = 2

RELATIVE = 1e-5
"""Of the largest force: a wrong or missing term is larger, the truncation of an extrapolated
difference at h = 0.005 … 0.02 bohr is smaller."""

PER_ACCURACY = 30.0
"""1/bohr: an energy off by its accuracy makes this much of slope over the median step. Forces
themselves are off by one accuracy of the charges."""


def measure(bench: Bench) -> Finding:
    """The smallest structure, its bonds loaded by a random move so that no force vanishes."""
    rng = bench.random()
    structure = bench.smallest
    structure = structure.displaced(0.05 * rng.standard_normal((len(structure), 3)))
    forces = forces_of(bench.fresh(structure))
    scale = float(np.max(np.abs(forces)))
    converged = bench.subject.accuracy + PER_ACCURACY * bench.energy_accuracy
    allowed = RELATIVE * scale + converged
    steps: FloatArray = LARGEST_STEP / 2.0 ** np.arange(STEPS, dtype=np.float64)
    errors, chosen = np.zeros((DIRECTIONS, 2 * STEPS - 1)), np.zeros(DIRECTIONS)
    for row in range(DIRECTIONS):
        direction = rng.standard_normal((len(structure), 3))
        direction /= np.linalg.norm(direction)
        slopes = np.array([_slope(bench, structure, direction, h) for h in steps])
        extrapolated = (4.0 * slopes[1:] - slopes[:-1]) / 3.0
        exact = -float(np.vdot(forces, direction))
        errors[row] = np.abs(np.concatenate([slopes, extrapolated]) - exact)
        chosen[row] = errors[row, STEPS + best(extrapolated)]
    worst = float(np.max(chosen))
    holds = worst <= allowed
    numbers = {
        "structure": described(structure),
        "largest force [Hartree/bohr]": scale,
        "|dE/ds + F·d|, worst direction [Hartree/bohr]": worst,
        "allowed [Hartree/bohr]": allowed,
        "h [bohr]": steps,
    }
    sign = "<=" if holds else ">"
    series = {"h": steps, "plain": errors[:, :STEPS], "extrapolated": errors[:, STEPS:]}
    return Finding(
        holds, f"|F + dE/dr| {worst:.1e} {sign} {allowed:.1e} Hartree/bohr", numbers, series
    )


def best(slopes: FloatArray) -> int:
    """Which of a sequence at h, h/2, … to believe: that from which the next differs least."""
    return int(np.argmin(np.abs(np.diff(slopes))))


def _slope(bench: Bench, structure: Configuration, direction: FloatArray, step: float) -> float:
    ahead = bench.fresh(structure.displaced(step * direction)).energy
    behind = bench.fresh(structure.displaced(-step * direction)).energy
    return (ahead - behind) / (2.0 * step)


def draw(axes: Axes, finding: Finding) -> None:
    """Errors against h."""
    h = finding.series["h"]
    for row, colour in enumerate(("C0", "C1")):
        labels = ("central difference", "extrapolated") if row == 0 else (None, None)
        axes.plot(h, finding.series["plain"][row], "o-", color=colour, label=labels[0])
        axes.plot(h[1:], finding.series["extrapolated"][row], "x--", color=colour, label=labels[1])
    allowed = float(finding.numbers["allowed [Hartree/bohr]"])
    double_logarithmic(axes, "h [bohr]", "|dE/ds + F·d| [Hartree/bohr]", allowed)


PROPERTY = Property(
    "forces",
    "Forces are minus the derivative of the energy at self-consistency.",
    f"{RELATIVE:g} of the largest force, the accuracy of charges, and {PER_ACCURACY:g}/bohr times "
    "that of energies, at the h where the slope has settled.",
    measure,
    draw,
)
