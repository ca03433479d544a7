r"""Method and parameters for an asked tolerance: the cheapest that the error estimate allows.

For each trial of the splitting variance s, r_c is the shortest cut-off and k_c (or the mesh and the
spline order) the coarsest whose estimated errors stay below ``tolerance`` times the natural scale
of forces and energies; the s whose pairs and waves together cost least is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.fft import next_fast_len

from scc.arrays import BoolArray, FloatArray
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.cost_model import mesh_cost, pair_cost, wave_cost
from scc.electrostatics.multipoles.error_estimate import (
    SAFETY,
    SMALLEST_TOLERANCE,
    SquaredErrors,
    mesh_errors,
    pair_errors,
    wave_errors,
)
from scc.electrostatics.multipoles.error_tables import GRID
from scc.electrostatics.multipoles.mesh_tables import SPACINGS, SPLINE_ORDERS
from scc.electrostatics.multipoles.natural_scale import (
    Surroundings,
    natural_scale,
    surroundings,
)
from scc.electrostatics.multipoles.reciprocal_kernels import ReciprocalKernel
from scc.electrostatics.multipoles.site_powers import Powers, degree_squares
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.space import Space, reciprocal_kernel
from scc.errors import InputError

METHODS = ("auto", "direct", "ewald", "mesh")
_SHORTEST, _LONGEST = 0.2, 3.5  # √s in units of the distance of neighbours
_TRIALS = 8  # splitting variances looked at
_DIRECT_BELOW = 20000  # open sites up to which the direct sum is faster than a mesh


@dataclass(frozen=True, eq=False)
class Plan:
    """How the operator is evaluated.

    Attributes:
        method: "direct", "ewald" or "mesh".
        smooth_variance: s, bohr²; 0 for the direct sum, which has no parameters.
        real_cutoff: r_c, bohr.
        reciprocal_cutoff: k_c, bohr⁻¹, of "ewald".
        mesh_shape, spline_order: of "mesh".
        tail_widths: t/√W, how far the boxes of slabs and open boundaries reach beyond the sites.
        cost: predicted time of one application, s.
    """

    method: str
    smooth_variance: float = 0.0
    real_cutoff: float = 0.0
    reciprocal_cutoff: float | None = None
    mesh_shape: tuple[int, int, int] | None = None
    spline_order: int | None = None
    tail_widths: float = 0.0
    cost: float = 0.0
    _problem: _Problem | None = field(default=None, repr=False)
    _factor: float = field(default=1.0, repr=False)

    def kernel(self, boundary: Boundary, targets: Sites, sources: Sites) -> ReciprocalKernel:
        """The Green's function in the reciprocal space of the cell or of the box."""
        s, tail = self.smooth_variance, self.tail_widths
        return reciprocal_kernel(boundary, targets, sources, s, tail)

    def space(self, boundary: Boundary, targets: Sites, sources: Sites) -> Space:
        """What the error formulas need to know about the geometry."""
        kernel = self.kernel(boundary, targets, sources)
        density = self.surroundings(boundary, sources).density
        return Space(kernel, density, boundary.kind == "periodic", boundary.screening)

    def surroundings(self, boundary: Boundary, sources: Sites) -> Surroundings:
        """Near neighbours of the sources, remembered if the plan was made for these."""
        if self._problem is not None and self._problem.sources is sources:
            return self._problem.near
        return surroundings(boundary, sources)


@dataclass(frozen=True, eq=False)
class _Channel:
    """Multipoles to be served and the errors allowed for them."""

    powers: Powers
    force: float
    energy: float

    def accepts(self, errors: SquaredErrors, share: float) -> BoolArray:
        force = errors.force <= (share * self.force) ** 2
        energy = errors.energy <= (share * self.energy) ** 2
        return np.asarray(force & energy)


@dataclass(frozen=True, eq=False)
class _Problem:
    boundary: Boundary
    targets: Sites
    sources: Sites
    near: Surroundings
    method: str
    tolerance: float
    channels: tuple[_Channel, ...]


def choose_plan(
    boundary: Boundary,
    targets: Sites,
    sources: Sites,
    tolerance: float,
    method: str = "auto",
    reference: FloatArray | None = None,
) -> Plan:
    """The cheapest plan whose estimated errors are within ``tolerance``.

    Args:
        tolerance: relative to the rms force and to ½Σ|p·V|, as estimated from near neighbours;
            what the true ones ask for beyond that is :func:`tighten`'s.
        method: "auto", "direct" (open boundaries), "ewald" or "mesh" (any).
        reference: typical multipoles of the sources (N, (l_max+1)²); None makes the plan hold for
            multipoles of any one λ alone.
    Raises:
        InputError: tolerance not between 1e-13 and 1; an unknown method; "direct" under periodic
            boundaries.
    """
    if not SMALLEST_TOLERANCE <= tolerance < 1.0:
        raise InputError(
            f"tolerance is {tolerance}, must be < 1 and at least {SMALLEST_TOLERANCE}: sums of "
            "many float64 terms are not more accurate than that"
        )
    if method not in METHODS:
        raise InputError(f"method is {method!r}, must be one of {', '.join(METHODS)}")
    if method == "direct" and boundary.kind != "open":
        raise InputError(
            f"method 'direct' needs open boundaries, found periodic={boundary.periodic}"
        )
    if method == "auto" and boundary.kind == "open":
        method = "direct" if len(sources) < _DIRECT_BELOW else "mesh"
    near = surroundings(boundary, sources)
    channels = tuple(_channels(sources, near, tolerance, reference))
    problem = _Problem(boundary, targets, sources, near, method, tolerance, channels)
    if method == "direct":
        return Plan("direct", _problem=problem)
    return _best(problem, 1.0)


def tighten(plan: Plan, factor: float) -> Plan:
    """A plan of the same method with errors at most 1/factor of this one's, factor > 1."""
    if plan._problem is None or plan.method == "direct":
        return plan
    return _best(replace(plan._problem, method=plan.method), plan._factor / (1.1 * factor))


def _channels(
    sources: Sites, near: Surroundings, tolerance: float, reference: FloatArray | None
) -> Iterator[_Channel]:
    multipoles = reference
    if multipoles is None:
        multipoles = np.ones((len(sources), sources.n_components))
    powers, squares = Powers.of(sources, multipoles), degree_squares(multipoles)
    if reference is not None:
        scale = natural_scale(near, squares)
        yield _Channel(powers, tolerance * scale.force, tolerance * scale.energy)
        return
    for degree in range(sources.l_max + 1):
        alone = np.where(np.arange(sources.l_max + 1) == degree, squares, 0.0)
        scale = natural_scale(near, alone)
        yield _Channel(powers.only(degree), tolerance * scale.force, tolerance * scale.energy)


def _best(problem: _Problem, factor: float) -> Plan:
    """The cheapest over a grid of s, then between its neighbours."""
    spacing = problem.near.density ** (-1.0 / 3.0)
    unit = spacing if spacing < 1e50 else 1.0  # one open site alone has no neighbours
    orders = _Orders()
    found: dict[float, Plan] = {}

    def look(lengths: FloatArray) -> None:
        for length in lengths:
            for plan in _with_splitting(problem, float(length) ** 2, factor, orders):
                known = found.get(float(length))
                if known is None or plan.cost < known.cost:
                    found[float(length)] = plan

    look(unit * np.geomspace(_SHORTEST, _LONGEST, _TRIALS))
    if not found:
        raise InputError(f"no {problem.method} parameters reach the tolerance {problem.tolerance}")
    ratio = (_LONGEST / _SHORTEST) ** (1.0 / (_TRIALS - 1))
    for step in (ratio**0.5, ratio**0.25):
        centre = min(found, key=lambda length: found[length].cost)
        look(np.array([centre / step, centre * step]))
    return min(found.values(), key=lambda plan: plan.cost)


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
        self._best = order


def _with_splitting(problem: _Problem, s: float, factor: float, orders: _Orders) -> Iterator[Plan]:
    """One plan for each method that reaches the tolerance with this s."""
    root = math.sqrt(s)
    share = factor / (SAFETY * math.sqrt(2.0))
    tail = 3.0 + math.sqrt(2.0 * math.log(1.0 / (problem.tolerance * min(factor, 1.0))))
    draft = Plan("ewald", s, tail_widths=tail, _problem=problem, _factor=factor)
    space = draft.space(problem.boundary, problem.targets, problem.sources)
    number, l_max = len(problem.targets), problem.sources.l_max
    powers = [channel.powers for channel in problem.channels]
    pairs = _accepted(problem, share, [pair_errors(p, p, space, s) for p in powers])
    if not pairs[-1]:
        return
    real = root * float(GRID[_first_of_tail(pairs)])
    cost = pair_cost(number, space.density * 4.0 / 3.0 * math.pi * real**3, l_max)
    if problem.method in ("auto", "ewald"):
        waves = _accepted(problem, share, [wave_errors(p, p, space, s) for p in powers])
        if waves[-1]:
            k = float(GRID[_first_of_tail(waves)]) / root
            count = space.volume * k**3 / (6.0 * math.pi**2)
            total = cost + wave_cost(number, count, l_max)
            yield replace(draft, real_cutoff=real, reciprocal_cutoff=k, cost=total)
    if problem.method in ("auto", "mesh"):
        best: Plan | None = None
        for order in orders:
            errors = [mesh_errors(p, p, space, s, order) for p in powers]
            fine = _accepted(problem, share, errors)
            if not fine[0]:
                continue
            h = root * float(SPACINGS[len(fine) - 1 - _first_of_tail(fine[::-1])])
            shape = mesh_shape(space.cell, h, order)
            total = cost + mesh_cost(number, shape, order, l_max)
            if best is None or total < best.cost:
                best = Plan("mesh", s, real, None, shape, order, tail, total, problem, factor)
                orders.best(order)
        if best is not None:
            yield best


def _accepted(problem: _Problem, share: float, errors: list[SquaredErrors]) -> BoolArray:
    rows = [c.accepts(e, share) for c, e in zip(problem.channels, errors, strict=True)]
    return np.asarray(np.all(rows, axis=0))


def _first_of_tail(good: BoolArray) -> int:
    """First index from which on all are good."""
    bad = np.flatnonzero(np.logical_not(good))
    return int(bad[-1]) + 1 if len(bad) else 0


def mesh_shape(cell: FloatArray, spacing: float, spline_order: int) -> tuple[int, int, int]:
    """The fastest shape at least as fine as ``spacing`` along each row of ``cell``."""
    lengths = np.linalg.norm(cell, axis=1)
    needed = np.maximum(np.ceil(lengths / spacing), spline_order).astype(int)
    n1, n2, n3 = (int(next_fast_len(int(n), real=True)) for n in needed)
    return n1, n2, n3
