"""Smoothness along a path: no jumps of energy, charges or forces, no hysteresis of the SCF.

One fragment of the smallest structure (of two copies side by side, where that is one molecule) is
pulled away over 9 bohr, through whatever cut-offs the model has. Energy, charges and the force
along the path are sampled, and refined where they are not yet smooth (:mod:`.refinement`). Then the
coarse path once more forwards and once backwards, each solution started from the last: both ways
must see the same states.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from matplotlib.axes import Axes

from scc.arrays import FloatArray
from scc.battery.arrangements import fragments, pull, side_by_side
from scc.battery.bench import Bench, charges_of, described, forces_of
from scc.battery.property import Finding, Property
from scc.battery.refinement import Refined, refine
from scc.battery.subject import Solved, Start, UnsupportedError
from scc.configuration import Configuration

LENGTH = 9.0
POINTS = 10
LEAST_WIDTH = 2e-3
MOST = 160

JUMPS = {"energy": 1e-6, "charges": 1e-5, "forces": 1e-5}
"""Hartree: a thousandth of k_B T at room temperature. e: as much, in a potential of 0.1 Hartree/e
as between neighbouring atoms. Hartree/bohr: 0.5 meV/Å, below the error of any fit."""


def measure(bench: Bench) -> Finding:
    """Jumps, then hysteresis."""
    structure = bench.smallest
    if fragments(structure).max() == 0:
        structure = side_by_side(structure, 2)
    if len(structure) > bench.subject.largest:
        raise UnsupportedError(f"{bench.subject.name} is too costly for {described(structure)}")
    direction = pull(structure)
    path = _Path(bench, structure, direction)
    grid = np.linspace(0.0, LENGTH, POINTS)
    first = path.solve(0.0, None)
    if not first.converged:
        raise UnsupportedError(f"no converged solution for {described(structure)}")
    names = path.names(first)
    allowed = {name: jump + bench.tolerance for name, jump in JUMPS.items()}
    allowed["energy"] = JUMPS["energy"] + bench.energy_tolerance
    tolerance = np.array([allowed[name] for name in names])
    numbers: dict[str, object] = {"structure": described(structure), "allowed jumps": allowed}
    try:
        refined = refine(path.observed, grid, tolerance, LEAST_WIDTH, MOST)
    except _NoSolutionError as lost:
        return Finding(False, f"no solution at {lost} bohr along the path", numbers)
    numbers |= {
        "solutions": len(refined.places),
        "jumps: place [bohr], of, height [atomic units]": [
            [place, names[component], height] for place, component, height in refined.jumps
        ],
    }
    series = {"s": refined.places, "values": refined.values}
    if refined.jumps:
        place, component, height = max(refined.jumps, key=lambda jump: jump[2])
        name = names[component]
        summary = f"{name}: jump of {height:.1e} at {place:.2f} bohr (allowed {allowed[name]:.0e})"
        return Finding(False, summary, numbers, series)
    if refined.exhausted:
        raise UnsupportedError(f"not resolved with {MOST} solutions: {_roughest(refined, names)}")
    return _with_hysteresis(bench, path, grid, numbers, series)


def _with_hysteresis(
    bench: Bench,
    path: _Path,
    grid: FloatArray,
    numbers: dict[str, object],
    series: dict[str, FloatArray],
) -> Finding:
    smooth = f"no jump in {len(series['s'])} solutions"
    try:
        ways = [path.followed(grid), path.followed(grid[::-1])[::-1]]
    except NotImplementedError as error:
        numbers["hysteresis"] = f"not measured: {error}"
        return Finding(True, f"{smooth}; hysteresis not measured", numbers, series)
    except _NoSolutionError as lost:
        return Finding(False, f"the followed solution is lost at {lost} bohr", numbers, series)
    apart = np.max(np.abs(np.array(ways[0]) - np.array(ways[1])), axis=0)
    energy, rest = float(apart[0]), float(np.max(apart[1:], initial=0.0))
    numbers |= {
        "hysteresis: energy [Hartree]": energy,
        "hysteresis: charges [e], forces [Hartree/bohr]": rest,
        "allowed hysteresis": [bench.energy_tolerance, bench.tolerance],
    }
    holds = energy <= bench.energy_tolerance and rest <= bench.tolerance
    summary = (
        f"{smooth}; hysteresis {energy:.1e} Hartree (allowed {bench.energy_tolerance:.1e}), "
        f"charges and forces {rest:.1e} (allowed {bench.tolerance:.1e})"
    )
    return Finding(holds, summary, numbers, series)


class _NoSolutionError(Exception):
    """str: where."""


class _Path:
    """Observables (energy, charges, force along the path) at s bohr."""

    def __init__(self, bench: Bench, structure: Configuration, direction: FloatArray) -> None:
        self.bench, self.structure, self.direction = bench, structure, direction

    def solve(self, s: float, start: Start) -> Solved:
        return self.bench.subject.solve(self.structure.displaced(s * self.direction), start)

    def names(self, solved: Solved) -> list[str]:
        """What each component of :meth:`observed` is."""
        return [name for name, values in self._parts(solved) for _ in values]

    def observed(self, s: float) -> FloatArray:
        """From the subject's own start. Raises _NoSolutionError."""
        return self._vector(s, self.solve(s, None))

    def followed(self, grid: FloatArray) -> list[FloatArray]:
        """Each solution started from the last one."""
        last: Start = None
        found = []
        for s in grid:
            last = self.solve(float(s), last)
            found.append(self._vector(float(s), last))
        return found

    def _vector(self, s: float, solved: Solved) -> FloatArray:
        if not solved.converged:
            raise _NoSolutionError(f"{s:.3g}")
        vector = np.concatenate([values for _, values in self._parts(solved)])
        if not np.all(np.isfinite(vector)):
            raise _NoSolutionError(f"{s:.3g} (not a number)")
        return vector

    def _parts(self, solved: Solved) -> list[tuple[str, FloatArray]]:
        parts = [("energy", np.array([solved.energy]))]
        with suppress(UnsupportedError):
            parts.append(("charges", charges_of(solved)))
        with suppress(UnsupportedError):
            along = float(np.vdot(forces_of(solved), self.direction))
            parts.append(("forces", np.array([along])))
        return parts


def _roughest(refined: Refined, names: list[str]) -> str:
    """Which observable is sampled most densely where."""
    place = float(refined.places[int(np.argmin(np.diff(refined.places)))])
    return f"{', '.join(dict.fromkeys(names))} near {place:.2f} bohr"


def draw(axes: Axes, finding: Finding) -> None:
    """Energy along the path, every solution a point."""
    if "s" in finding.series:
        s, values = finding.series["s"], finding.series["values"]
        axes.plot(s, values[:, 0] - values[-1, 0], ".-", ms=3, lw=0.6)
    axes.set_xlabel("fragment pulled away by [bohr]")
    axes.set_ylabel("energy [Hartree]")


PROPERTY = Property(
    "smoothness",
    "Energy, charges and forces are smooth along a path, and the same on the way back.",
    "jumps of 1e-6 Hartree (a thousandth of k_B T), 1e-5 e, 1e-5 Hartree/bohr; hysteresis: 10 "
    "times the accuracy of the solutions.",
    measure,
    draw,
)
