r"""The cheapest parameters that an error estimate allows.

For each trial of the splitting variance s, r_c is the shortest cut-off and k_c (or, for every
spline order, the mesh) the coarsest whose estimated errors stay below the allowed ones, half of the
square going to the pairs and half to the waves; the s whose pairs and waves together cost least
(:mod:`.cost_model`) is taken. Besides a geometric series, s runs through the values at which all
sites narrower than some width become one class.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.fft import next_fast_len

from scc.arrays import BoolArray, FloatArray
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.cost_model import mesh_cost, pair_cost, wave_cost
from scc.electrostatics.multipoles.error_estimate import ENERGY_SAFETY, force_safety
from scc.electrostatics.multipoles.error_tables import GRID
from scc.electrostatics.multipoles.mesh_tables import SPACINGS, SPLINE_ORDERS
from scc.electrostatics.multipoles.natural_scale import Surroundings
from scc.electrostatics.multipoles.site_powers import Powers
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.space import Space, space_of
from scc.electrostatics.multipoles.squared_errors import (
    SquaredErrors,
    mesh_errors,
    pair_errors,
    wave_errors,
)
from scc.errors import InputError

_SHORTEST, _LONGEST = 0.2, 3.5  # √s in units of the distance of neighbours
_TYPICAL = 0.6  # √s of the cheapest plan for many sites, in the same units
_TRIALS = 8  # values of s in between
_WIDTHS = 4  # values of s that belong to widths
_MANY = 8  # classes of widths that surely cost more than a larger s with fewer
_LARGEST_MESH = 1 << 26  # nodes; its arrays take half a gigabyte each
# Planned errors are smaller than allowed, so that forces may turn out smaller than they seemed
# without a second plan becoming necessary.
_MARGIN = 1.5


@dataclass(frozen=True, eq=False)
class Channel:
    """Multipoles to be served, and the errors allowed for them (Hartree, bohr)."""

    powers: Powers
    force: float
    energy: float

    def accepts(self, errors: SquaredErrors, share: float) -> BoolArray:
        """Where a grid of errors stays below ``share`` of the allowed ones."""
        force = share * self.force / force_safety(self.powers.number)
        energy = share * self.energy / ENERGY_SAFETY
        return np.asarray((errors.force <= force**2) & (errors.energy <= energy**2))


@dataclass(frozen=True, eq=False)
class Problem:
    """All that parameters depend on; ``method`` is "auto", "ewald" or "mesh"."""

    boundary: Boundary
    targets: Sites
    sources: Sites
    near: Surroundings
    method: str
    tolerance: float
    channels: tuple[Channel, ...]

    def classes(self, s: float) -> int:
        """Kinds of sites that waves or meshes treat one by one: each too wide a width, the rest."""
        variances = self.sources.variances
        wide = variances > s - float(self.targets.variances.max(initial=0.0))
        return len(np.unique(variances[wide])) + int(not np.all(wide))


class Parameters(NamedTuple):
    """See :class:`.plan.Plan`."""

    method: str
    smooth_variance: float
    real_cutoff: float
    reciprocal_cutoff: float | None
    mesh_shape: tuple[int, int, int] | None
    spline_order: int | None
    tail_widths: float
    cost: float


def cheapest(problem: Problem, factor: float) -> Parameters:
    """The cheapest parameters with errors at most ``factor`` times the allowed ones.

    Raises:
        InputError: there are none.
    """
    orders = _Orders()
    found: dict[float, Parameters] = {}

    def look(lengths: FloatArray) -> None:
        for length in lengths:
            if found and problem.classes(length**2) > _MANY:
                continue
            best = min((p.cost for p in found.values()), default=math.inf)
            for parameters in _with_splitting(problem, float(length) ** 2, factor, orders, best):
                known = found.get(float(length))
                if known is None or parameters.cost < known.cost:
                    found[float(length)] = parameters

    lengths = _lengths(problem)
    # The largest first, at which all sites are one class, if there are many; else likely ones
    # first, so that what costs more by its pairs alone is not looked into.
    if problem.classes(float(lengths.min()) ** 2) <= _MANY:
        typical = _TYPICAL * problem.near.density ** (-1.0 / 3.0)
        lengths = lengths[np.argsort(np.abs(np.log(lengths / typical)), kind="stable")]
    look(lengths)
    if not found:
        raise InputError(
            f"no parameters of method {problem.method!r} reach the tolerance {problem.tolerance}"
        )
    ratio = (_LONGEST / _SHORTEST) ** (1.0 / (_TRIALS - 1))
    for step in (ratio**0.5, ratio**0.25):
        centre = min(found, key=lambda length: found[length].cost)
        look(np.array([centre / step, centre * step]))
    return min(found.values(), key=lambda parameters: parameters.cost)


def mesh_shape(
    cell: FloatArray, spacing: FloatArray | float, spline_order: int
) -> tuple[int, int, int]:
    """The fastest shape at least as fine as ``spacing`` (one, or one for each row of ``cell``)."""
    lengths = np.linalg.norm(cell, axis=1)
    needed = np.ceil(lengths / spacing * (1.0 - 1e-9))
    needed = np.maximum(needed, spline_order).astype(int)
    n1, n2, n3 = (int(next_fast_len(int(n), real=True)) for n in needed)
    return n1, n2, n3


def _lengths(problem: Problem) -> FloatArray:
    """Trials of √s."""
    series = problem.near.density ** (-1.0 / 3.0) * np.geomspace(_SHORTEST, _LONGEST, _TRIALS)
    widths = np.unique(problem.sources.variances)
    if len(widths) > _WIDTHS:
        widths = np.quantile(widths, np.linspace(0.0, 1.0, _WIDTHS))
    joint = np.sqrt(widths + float(problem.targets.variances.max(initial=0.0)))
    lengths = np.concatenate([series, joint[joint > 0.0] * (1.0 + 1e-9)])
    # the largest first, at which all sites are one class
    return np.sort(lengths)[::-1]


class _Orders:
    """Spline orders to try: all at first, then those next to the last best one."""

    def __init__(self) -> None:
        self._best: int | None = None

    def __iter__(self) -> Iterator[int]:
        if self._best is None:
            return iter(SPLINE_ORDERS)
        place = SPLINE_ORDERS.index(self._best)
        return iter(SPLINE_ORDERS[max(place - 1, 0) : place + 2])

    def best(self, order: int) -> None:
        """The order that the last s liked most."""
        self._best = order


def _with_splitting(
    problem: Problem, s: float, factor: float, orders: _Orders, most: float
) -> Iterator[Parameters]:
    """The parameters for each method that reaches the tolerance with this s, unless the pairs alone
    cost more than ``most``.
    """
    root = math.sqrt(s)
    share = factor / (_MARGIN * math.sqrt(2.0))
    # one e^{−t²/2W} as small as the tolerance, and a margin for the derivatives in front of it
    tail = 3.0 + math.sqrt(2.0 * math.log(1.0 / (problem.tolerance * min(factor, 1.0))))
    space = space_of(
        problem.boundary, problem.targets, problem.sources, s, tail, problem.near.density
    )
    number, l_max = len(problem.targets), problem.sources.l_max
    powers = [channel.powers for channel in problem.channels]
    pairs = _accepted(problem, share, [pair_errors(p, p, space, s) for p in powers])
    if not pairs[-1]:
        return
    real = root * float(GRID[_first_of_tail(pairs)])
    classes = problem.classes(s)
    cost = pair_cost(number, _neighbours(problem, space, s, real), l_max)
    if cost > most:
        return
    if problem.method in ("auto", "ewald"):
        waves = _accepted(problem, share, [wave_errors(p, p, space, s) for p in powers])
        if waves[-1]:
            k = float(GRID[_first_of_tail(waves)]) / root
            count = space.volume * k**3 / (6.0 * math.pi**2)
            total = cost + wave_cost(number, count, l_max, classes)
            yield Parameters("ewald", s, real, k, None, None, tail, total)
    if problem.method in ("auto", "mesh"):
        best: Parameters | None = None
        for order in orders:
            errors = [mesh_errors(p, p, space, s, order) for p in powers]
            fine = _accepted(problem, share, errors)
            if not fine[0]:
                continue
            h = root * float(SPACINGS[len(fine) - 1 - _first_of_tail(fine[::-1])])
            shape = mesh_shape(space.cell, h, order)
            if math.prod(shape) > _LARGEST_MESH:
                continue
            total = cost + mesh_cost(number, shape, order, l_max, classes)
            if best is None or total < best.cost:
                best = Parameters("mesh", s, real, None, shape, order, tail, total)
                orders.best(order)
        if best is not None:
            yield best


def _neighbours(problem: Problem, space: Space, s: float, real_cutoff: float) -> float:
    """Pairs at each site, none if all Gaussians are wider than s."""
    narrowest = problem.targets.variances.min() + problem.sources.variances.min()
    if narrowest >= s:
        return 0.0
    around = space.density * 4.0 / 3.0 * math.pi * real_cutoff**3
    if problem.boundary.kind == "open":
        return min(around, float(len(problem.sources)))
    return around


def _accepted(problem: Problem, share: float, errors: list[SquaredErrors]) -> BoolArray:
    rows = [c.accepts(e, share) for c, e in zip(problem.channels, errors, strict=True)]
    return np.asarray(np.all(rows, axis=0))


def _first_of_tail(good: BoolArray) -> int:
    """First index from which on all are good."""
    bad = np.flatnonzero(np.logical_not(good))
    return int(bad[-1]) + 1 if len(bad) else 0
