r"""Method and parameters for an asked tolerance.

Errors are relative to the rms force and to ½Σ|p·V|. A geometry is prepared before multipoles are
known, so a first plan takes these scales from near neighbours (:mod:`.natural_scale`). Once forces
have been computed, :func:`.error_estimate.error_estimate` for the true multipoles is held against
the true scales, and :func:`tighten` makes a better plan if that is not enough.

Forces that vanish by symmetry have no relative error. What they are held to is the smallest
tolerance, 1e-13, times the natural scale: rounding in the terms that cancel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.cost_model import direct_cost
from scc.electrostatics.multipoles.error_estimate import SMALLEST_TOLERANCE
from scc.electrostatics.multipoles.natural_scale import (
    Surroundings,
    natural_scale,
    surroundings,
)
from scc.electrostatics.multipoles.parameter_search import Channel, Problem, cheapest, mesh_shape
from scc.electrostatics.multipoles.reciprocal_kernels import ReciprocalKernel
from scc.electrostatics.multipoles.site_powers import Powers, degree_squares
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.space import Space, reciprocal_kernel, space_of
from scc.errors import InputError

METHODS = ("auto", "direct", "ewald", "mesh")
_STEP = 1.25
_LARGEST_HALVINGS = 60  # 1e-18 of the error: any grid has a step in between
_QUICK = 0.25  # s: direct sums this fast need no rival


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
        cost: predicted time of preparation and five evaluations, s.
    """

    method: str
    smooth_variance: float = 0.0
    real_cutoff: float = 0.0
    reciprocal_cutoff: float | None = None
    mesh_shape: tuple[int, int, int] | None = None
    spline_order: int | None = None
    tail_widths: float = 0.0
    cost: float = 0.0
    _problem: Problem | None = field(default=None, repr=False)
    _factor: float = field(default=1.0, repr=False)

    @property
    def parameters(self) -> tuple[object, ...]:
        """All that results depend on."""
        return (
            self.method,
            self.smooth_variance,
            self.real_cutoff,
            self.reciprocal_cutoff,
            self.mesh_shape,
            self.spline_order,
        )

    def kernel(self, boundary: Boundary, targets: Sites, sources: Sites) -> ReciprocalKernel:
        """The Green's function in the reciprocal space of the cell or of the box."""
        s, tail = self.smooth_variance, self.tail_widths
        return reciprocal_kernel(boundary, targets, sources, s, tail)

    def for_targets(self, boundary: Boundary, targets: Sites, sources: Sites) -> Plan:
        """This plan for other targets, probes of features or points of a map.

        ``sources`` are the sites or external charges. What the sites are narrow enough for stays
        as it is. Narrower pairs than theirs need more: s is then at least the smallest joint
        variance w of the sites, to which waves were chosen, and the cut-off is ``tail_widths`` √s.
        In slabs and open boundaries wide or distant targets need a larger box, and so more nodes
        of the same spacing.
        """
        if self._problem is None or self.method == "direct":
            return self
        plan, sites = self, self._problem.sources
        narrowest = float(sites.variances.min())
        joint = float(targets.variances.min(initial=math.inf) + sources.variances.min())
        if joint < 2.0 * narrowest:
            s = max(self.smooth_variance, 2.0 * narrowest)
            real = max(self.real_cutoff, self.tail_widths * math.sqrt(s))
            plan = replace(self, smooth_variance=s, real_cutoff=real)
        if self.mesh_shape is None or boundary.kind == "periodic":
            return plan
        assert self.spline_order is not None
        own = self.kernel(boundary, sites, sites).cell
        there = plan.kernel(boundary, targets, sources).cell
        spacing = np.linalg.norm(own, axis=1) / np.array(self.mesh_shape)
        return replace(plan, mesh_shape=mesh_shape(there, spacing, self.spline_order))

    def space(self, boundary: Boundary, targets: Sites, sources: Sites) -> Space:
        """What the error formulas need to know about the geometry."""
        density = self.surroundings(boundary, sources).density
        s, tail = self.smooth_variance, self.tail_widths
        return space_of(boundary, targets, sources, s, tail, density)

    def surroundings(self, boundary: Boundary, sources: Sites) -> Surroundings:
        """Near neighbours of the sources, remembered if the plan was made for these."""
        if self._problem is not None and self._problem.sources is sources:
            return self._problem.near
        return surroundings(boundary, sources)


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
        targets, sources: the same sites; :meth:`Plan.for_targets` serves others.
        tolerance: relative to the rms force and to ½Σ|p·V|, as estimated from near neighbours;
            what the true ones ask for beyond that is :func:`tighten`'s.
        method: "auto", "direct" (open boundaries), "ewald" or "mesh" (any).
        reference: typical multipoles of the sources (N, (l_max+1)²); None (or only zeros) makes the
            plan hold for multipoles of any one λ alone.
    Raises:
        InputError: tolerance not between 1e-13 and 1; an unknown method; "direct" under periodic
            boundaries; a method that cannot reach the tolerance.
    """
    check_request(boundary, tolerance, method)
    direct = Plan("direct", cost=direct_cost(len(sources), sources.l_max))
    if method == "direct" or (
        method == "auto" and boundary.kind == "open" and direct.cost < _QUICK
    ):
        return direct
    near = surroundings(boundary, sources)
    channels = tuple(_channels(boundary, sources, near, tolerance, reference))
    problem = Problem(boundary, targets, sources, near, method, tolerance, channels)
    if boundary.kind == "open" and method == "auto":
        problem = replace(problem, method="mesh")
        mesh = _searched(problem, 1.0)
        return mesh if mesh.cost < direct.cost else direct
    return _searched(problem, 1.0)


def check_request(boundary: Boundary, tolerance: float, method: str) -> None:
    """Whether a plan can be asked for at all.

    Raises:
        InputError: as :func:`choose_plan`, but for what only a search finds out.
    """
    try:
        sensible = SMALLEST_TOLERANCE <= tolerance < 1.0
    except TypeError:
        sensible = False
    if not sensible:
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


def tighten(plan: Plan, factor: float) -> Plan:
    """A plan of the same method with errors at most 1/factor of this one's, factor > 1.

    It aims at a quarter less than that, and never returns the same parameters: cut-offs and meshes
    have steps, and forces that vanish may turn out smaller every time.

    Raises:
        InputError: no parameters are that accurate.
    """
    if plan._problem is None or plan.method == "direct":
        return plan
    problem = replace(plan._problem, method=plan.method)
    total = plan._factor / (_STEP * factor)
    for _ in range(_LARGEST_HALVINGS):
        finer = _searched(problem, total)
        if finer.parameters != plan.parameters:
            return finer
        total /= 2.0
    raise InputError(
        f"no parameters of method {plan.method!r} are better for the tolerance {problem.tolerance}"
    )


def _searched(problem: Problem, factor: float) -> Plan:
    return Plan(*cheapest(problem, factor), problem, factor)


def _channels(
    boundary: Boundary,
    sources: Sites,
    near: Surroundings,
    tolerance: float,
    reference: FloatArray | None,
) -> Iterator[Channel]:
    given = reference is not None and bool(np.any(reference))
    multipoles = np.ones((len(sources), sources.n_components))
    if given:
        multipoles = np.asarray(reference)
    powers = Powers.of(sources, multipoles, boundary.screening)
    squares = degree_squares(multipoles)
    if given:
        scale = natural_scale(near, squares)
        yield Channel(powers, tolerance * scale.force, tolerance * scale.energy)
        return
    for degree in range(sources.l_max + 1):
        alone = np.where(np.arange(sources.l_max + 1) == degree, squares, 0.0)
        scale = natural_scale(near, alone)
        yield Channel(powers.only(degree), tolerance * scale.force, tolerance * scale.energy)
