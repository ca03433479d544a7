r"""Method and parameters for an asked tolerance: the cheapest that the error estimate allows.

For each trial of the splitting variance s, r_c is the shortest cut-off and k_c (or the mesh and the
spline order) the coarsest whose estimated errors stay below ``tolerance`` times the natural scale
of forces and energies; the s whose pairs and waves together cost least is taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.fft import next_fast_len

from scc.arrays import BoolArray, FloatArray
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.cost_model import mesh_cost, pair_cost, wave_cost
from scc.electrostatics.multipoles.error_estimate import (
    SAFETY,
    SMALLEST_TOLERANCE,
    Powers,
    Space,
    SquaredErrors,
    mesh_errors,
    pair_errors,
    wave_errors,
)
from scc.electrostatics.multipoles.natural_scale import natural_scale, neighbourhood
from scc.electrostatics.multipoles.reciprocal_kernels import (
    FreeKernel,
    PeriodicKernel,
    ReciprocalKernel,
    SlabKernel,
)
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.truncation import GRID, SPACINGS, SPLINE_ORDERS
from scc.errors import InputError

METHODS = ("auto", "direct", "ewald", "mesh")
_TRIALS = 24  # splitting variances looked at
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
        tail_widths: t/√W of the cells of slabs and open boundaries.
        safety: what expected errors were multiplied by.
    """

    method: str
    smooth_variance: float = 0.0
    real_cutoff: float = 0.0
    reciprocal_cutoff: float | None = None
    mesh_shape: tuple[int, int, int] | None = None
    spline_order: int | None = None
    tail_widths: float = 0.0
    safety: float = SAFETY
    problem: _Problem | None = field(default=None, repr=False)
    factor: float = field(default=1.0, repr=False)

    def kernel(self, boundary: Boundary, targets: Sites, sources: Sites) -> ReciprocalKernel:
        """The Green's function in the reciprocal space of the cell or of the box."""
        return _kernel(boundary, targets, sources, self.smooth_variance, self.tail_widths)

    def space(self, boundary: Boundary, targets: Sites, sources: Sites) -> Space:
        """What the error formulas need to know about the geometry."""
        return _space(boundary, targets, sources, self.smooth_variance, self.tail_widths)


@dataclass(frozen=True, eq=False)
class _Channel:
    """Multipoles to be served and the errors allowed for them."""

    powers: Powers
    force: float
    energy: float


@dataclass(frozen=True, eq=False)
class _Problem:
    boundary: Boundary
    targets: Sites
    sources: Sites
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
    if method == "direct" or (
        method == "auto" and boundary.kind == "open" and len(sources) < _DIRECT_BELOW
    ):
        return Plan("direct")
    if boundary.kind == "open" and method == "auto":
        method = "mesh"
    channels = tuple(
        _Channel(powers, tolerance * force, tolerance * energy)
        for powers, force, energy in _references(boundary, sources, reference)
    )
    return _best(_Problem(boundary, targets, sources, method, tolerance, channels), 1.0)


def tighten(plan: Plan, factor: float) -> Plan:
    """A plan of the same method with errors at most 1/factor of this one's, factor > 1."""
    if plan.problem is None:
        return plan
    smallest = SMALLEST_TOLERANCE / plan.problem.tolerance
    total = max(min(plan.factor / (1.1 * factor), plan.factor), 1e-3 * smallest)
    return _best(replace(plan.problem, method=plan.method), total)


def _references(
    boundary: Boundary, sources: Sites, reference: FloatArray | None
) -> list[tuple[Powers, float, float]]:
    near = neighbourhood(boundary, sources)
    starts = np.arange(sources.l_max + 1) ** 2
    unit = np.ones((len(sources), sources.n_components))
    multipoles = unit if reference is None else reference
    per_site = np.add.reduceat(multipoles**2, starts, axis=1)
    powers = Powers.of(sources, multipoles)
    if reference is not None:
        scale = natural_scale(near, per_site)
        return [(powers, scale.force, scale.energy)]
    result = []
    for degree in range(sources.l_max + 1):
        alone = np.zeros_like(per_site)
        alone[:, degree] = per_site[:, degree]
        scale = natural_scale(near, alone)
        result.append((powers.scaled(degree), scale.force, scale.energy))
    return result


def _best(problem: _Problem, factor: float) -> Plan:
    spacing = _site_spacing(problem)
    lengths = spacing * np.geomspace(0.05, 3.0, _TRIALS)
    best: tuple[float, Plan] | None = None
    for s in lengths**2:
        for method in ("ewald", "mesh") if problem.method == "auto" else (problem.method,):
            found = _with_splitting(problem, float(s), method, factor)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
    if best is None:
        raise InputError(f"no {problem.method} parameters reach the tolerance {problem.tolerance}")
    return best[1]


def _with_splitting(
    problem: _Problem, s: float, method: str, factor: float
) -> tuple[float, Plan] | None:
    root = math.sqrt(s)
    shares = factor / (SAFETY * math.sqrt(2.0))
    tail = 3.0 + math.sqrt(2.0 * math.log(1.0 / (problem.tolerance * min(factor, 1.0))))
    space = _space(problem.boundary, problem.targets, problem.sources, s, tail)
    targets, sources = problem.targets, problem.sources

    def allowed(errors: SquaredErrors, channel: _Channel) -> BoolArray:
        force = errors.force <= (shares * channel.force) ** 2
        energy = errors.energy <= (shares * channel.energy) ** 2
        return np.asarray(force & energy)

    pairs = np.all(
        [allowed(pair_errors(c.powers, c.powers, space, s), c) for c in problem.channels], axis=0
    )
    if not pairs[-1]:
        return None
    real = root * float(GRID[_first_of_tail(pairs)])
    density = len(sources) / space.pairs
    cost = pair_cost(len(targets), density * 4.0 / 3.0 * math.pi * real**3, sources.l_max)
    if method == "ewald":
        waves = np.all(
            [allowed(wave_errors(c.powers, c.powers, space, s), c) for c in problem.channels],
            axis=0,
        )
        if not waves[-1]:
            return None
        k = float(GRID[_first_of_tail(waves)]) / root
        number = space.waves * k**3 / (6.0 * math.pi**2)
        cost += wave_cost(len(targets), number, sources.l_max)
        return cost, Plan("ewald", s, real, k, tail_widths=tail, problem=problem, factor=factor)
    best: tuple[float, Plan] | None = None
    for order in SPLINE_ORDERS:
        if order < sources.l_max + 3:
            continue
        fine = np.all(
            [
                allowed(mesh_errors(c.powers, c.powers, space, s, order), c)
                for c in problem.channels
            ],
            axis=0,
        )
        if not fine[0]:
            continue
        h = root * float(SPACINGS[np.argmin(fine) - 1 if not fine[-1] else len(fine) - 1])
        shape = mesh_shape(space.cell, h, order)
        total = cost + mesh_cost(len(targets), shape, order, sources.l_max)
        if best is None or total < best[0]:
            plan = Plan("mesh", s, real, None, shape, order, tail, problem=problem, factor=factor)
            best = total, plan
    return best


def _first_of_tail(good: BoolArray) -> int:
    """First index from which on all are good."""
    bad = np.flatnonzero(~good)
    return int(bad[-1]) + 1 if len(bad) else 0


def mesh_shape(cell: FloatArray, spacing: float, spline_order: int) -> tuple[int, int, int]:
    """The fastest shape at least as fine as ``spacing`` along each row of ``cell``."""
    lengths = np.linalg.norm(cell, axis=1)
    needed = np.maximum(np.ceil(lengths / spacing), spline_order).astype(int)
    n1, n2, n3 = (int(next_fast_len(int(n), real=True)) for n in needed)
    return n1, n2, n3


def _site_spacing(problem: _Problem) -> float:
    space = _space(problem.boundary, problem.targets, problem.sources, 1e-6, 1.0)
    return float((space.pairs) ** (1.0 / 3.0))


def _kernel(
    boundary: Boundary, targets: Sites, sources: Sites, s: float, tail_widths: float
) -> ReciprocalKernel:
    if boundary.kind == "periodic":
        assert boundary.cell is not None
        return PeriodicKernel(boundary.cell, boundary.screening)
    positions = np.concatenate([targets.positions, sources.positions])
    widest = float(targets.variances.max(initial=0.0) + sources.variances.max(initial=0.0))
    tail = tail_widths * math.sqrt(max(widest, s))
    if boundary.kind == "slab":
        assert boundary.cell is not None
        plane = boundary.cell[np.flatnonzero(boundary.periodic)]
        return SlabKernel.covering(plane, positions, tail, boundary.screening)
    return FreeKernel.covering(positions, tail, boundary.screening)


def _space(
    boundary: Boundary, targets: Sites, sources: Sites, s: float, tail_widths: float
) -> Space:
    kernel = _kernel(boundary, targets, sources, s, tail_widths)
    strength = 1.0 if boundary.kind == "periodic" else 1.5
    volume = float(abs(np.linalg.det(kernel.cell)))
    if boundary.kind != "periodic":
        volume = _filled(boundary, sources.positions)
    return Space(volume, kernel.cell, strength, boundary.screening)


def _filled(boundary: Boundary, positions: FloatArray) -> float:
    """Volume of the box around the sites, each direction longer by one site's share of it."""
    number = max(len(positions), 1)
    if boundary.kind == "slab":
        assert boundary.cell is not None
        rows = boundary.cell[np.flatnonzero(boundary.periodic)]
        normal = np.cross(rows[0], rows[1])
        area = float(np.linalg.norm(normal))
        height = float(np.ptp(positions @ (normal / area)))
        lengths, base = np.array([height]), area
    else:
        lengths, base = np.ptp(positions, axis=0), 1.0
    share = 1.0
    for _ in range(20):  # share³ = volume per site
        share = float(base * np.prod(lengths + share) / number) ** (1.0 / 3.0)
    return base * float(np.prod(lengths + share))
