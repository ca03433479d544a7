"""From a boundary condition, a plan and two sets of sites to the operator between them."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.background import Background
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.direct_sum import DirectSum
from scc.electrostatics.multipoles.interaction import Interaction, SumOfInteractions
from scc.electrostatics.multipoles.kernels import CoulombKernel, RadialKernel
from scc.electrostatics.multipoles.mesh_sum import MeshSum
from scc.electrostatics.multipoles.own_site import OwnSite
from scc.electrostatics.multipoles.plan import Plan
from scc.electrostatics.multipoles.reciprocal_sum import ReciprocalSum
from scc.electrostatics.multipoles.screened_splitting import (
    EqualCharges,
    Weighted,
    screened_charges,
)
from scc.electrostatics.multipoles.short_range import ShortRangeSum
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.surface import SurfaceTerm
from scc.electrostatics.multipoles.yukawa import YukawaKernel


@cache
def radial_kernel(screening: float) -> RadialKernel:
    """1/r, or e^{−κr}/r for κ > 0, between Gaussians."""
    return YukawaKernel(screening) if screening > 0.0 else CoulombKernel()


def assembled(
    boundary: Boundary,
    plan: Plan,
    targets: Sites,
    sources: Sites,
    own_site: bool,
    self_interaction: bool,
    like: SumOfInteractions | None = None,
) -> SumOfInteractions:
    """All pieces of the operator from ``sources`` to ``targets``.

    Args:
        own_site: target a sits on source a (same positions, same order).
        self_interaction: whether what source a does at target a, zero translation, counts. Only
            with ``own_site``; for a point on a point, where it is infinite, it never does.
        like: the operator of the same positions, plan and ``own_site`` for other widths: its pair
            list and, in a crystal, its interpolation are used again.
    """
    kernel = radial_kernel(boundary.screening)
    parts: list[Interaction] = []
    if plan.method == "direct":
        parts.append(DirectSum(targets, sources, kernel, own_site))
    else:
        known = _unwrapped(like) if like is not None else ()
        if boundary.screening > 0.0:
            equal = EqualCharges(kernel, boundary.screening)
            split = _split(boundary, plan, targets, sources, equal, own_site, known)
            weights = [screened_charges(sites, boundary.screening) for sites in (targets, sources)]
            parts.append(Weighted(SumOfInteractions(split), *weights))
        else:
            parts.extend(_split(boundary, plan, targets, sources, kernel, own_site, known))
    if own_site and self_interaction:
        variances = targets.variances + sources.variances
        if np.any(variances > 0.0):
            parts.append(_own(kernel, variances, targets, sources))
    return SumOfInteractions(parts)


def _split(
    boundary: Boundary,
    plan: Plan,
    targets: Sites,
    sources: Sites,
    kernel: RadialKernel,
    own_site: bool,
    known: Sequence[Interaction],
) -> list[Interaction]:
    """v_w = (v_w − v_W) + v_W, W = max(w, s); reciprocal space contains the own site's v_W."""
    of_sites, plan = plan, plan.for_targets(boundary, targets, sources)
    s = plan.smooth_variance
    if (s, plan.real_cutoff) != (of_sites.smooth_variance, of_sites.real_cutoff):
        known = ()  # made for other parameters
    # an operator of wide sites has an empty list, which says nothing about narrower ones
    pairs = next((p.pairs for p in known if isinstance(p, ShortRangeSum) and len(p.pairs)), None)
    parts: list[Interaction] = []
    if float(targets.variances.min() + sources.variances.min()) < s:
        parts.append(
            ShortRangeSum(targets, sources, boundary, kernel, s, plan.real_cutoff, own_site, pairs)
        )
    mesh = next((p for p in known if isinstance(p, MeshSum)), None)
    if mesh is not None and boundary.kind == "periodic":
        parts.append(mesh.between(targets, sources))
    elif plan.method == "mesh":
        reciprocal = plan.kernel(boundary, targets, sources)
        shape, order = plan.mesh_shape, plan.spline_order
        assert shape is not None
        assert order is not None
        parts.append(MeshSum(targets, sources, reciprocal, s, shape, order))
    else:
        reciprocal = plan.kernel(boundary, targets, sources)
        assert plan.reciprocal_cutoff is not None
        parts.append(ReciprocalSum(targets, sources, reciprocal, s, plan.reciprocal_cutoff))
    if own_site:
        smooth = np.maximum(targets.variances + sources.variances, s)
        parts.append(OwnSite(kernel, smooth, targets.l_max, sources.l_max, -1.0))
    if boundary.kind == "periodic" and boundary.screening == 0.0:
        parts.append(Background(targets, sources, boundary.measure, s))
        if np.isfinite(boundary.surface_permittivity):
            parts.append(
                SurfaceTerm(targets, sources, boundary.measure, boundary.surface_permittivity)
            )
    return parts


def _unwrapped(operator: SumOfInteractions) -> Sequence[Interaction]:
    """All pieces, also those of a screened splitting."""
    pieces: list[Interaction] = []
    for part in operator.parts:
        if isinstance(part, Weighted) and isinstance(part.inner, SumOfInteractions):
            pieces.extend(part.inner.parts)
        else:
            pieces.append(part)
    return pieces


def _own(
    kernel: RadialKernel, variances: FloatArray, targets: Sites, sources: Sites
) -> Interaction:
    """Own-site terms; none for points on points, given the weight zero."""
    smeared = variances > 0.0
    safe = np.where(smeared, variances, 1.0)
    return OwnSite(kernel, safe, targets.l_max, sources.l_max, np.where(smeared, 1.0, 0.0))
