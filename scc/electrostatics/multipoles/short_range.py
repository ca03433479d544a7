r"""The short-ranged part v_w − v_W of an interaction, W = max(w, s), by a sum over near pairs.

What v_W, the interaction of wider Gaussians, leaves out decays like e^{−r²/2s} and is summed over
all pairs of targets and images of sources within a cut-off. Pairs as wide as s or wider have no
such part.
"""

from __future__ import annotations

import math

import numpy as np

from scc.arrays import FloatArray
from scc.basis.polynomials import monomial_count
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.interaction import Field
from scc.electrostatics.multipoles.kernels import RadialKernel
from scc.electrostatics.multipoles.moments import (
    cartesian_moments,
    moved_moments,
    multipole_operators,
    raised_index,
)
from scc.electrostatics.multipoles.pair_derivatives import PairDerivatives
from scc.electrostatics.multipoles.pair_list import PairList, no_pairs, pair_list
from scc.electrostatics.multipoles.sites import Sites
from scc.errors import InputError


class ShortRangeSum:
    r"""K_aA,kB = Σ_n R_A(∇_y)R_B(∇_r) [v_w − v_W](y_a − r_k − n) / ((2λ_A−1)!!(2λ_B−1)!!).

    n runs over the lattice translations of the periodic directions, |y_a − r_k − n| < cut-off,
    w = σ_a² + σ_k², W = max(w, s). The pairs are found at once, the derivatives of the kernel when
    first asked for; up to 256 MB of them are kept, so that further products cost a few sparse
    matrix–vector products. A cut-off is a truncation: the derivatives are those of the sum as it
    stands, without what a pair does when it crosses the cut-off.

    Args:
        targets, sources: the sites, anywhere, inside the cell or not.
        boundary: which directions repeat; its screening is the kernel's business.
        kernel: v.
        smooth_variance: s > 0, bohr².
        cutoff: > 0, bohr; it may exceed the cell.
        own_site: target a is source a, at the same place; that pair is left out at n = 0.
        pairs: a list made by another sum with the same positions, cell, cut-off and ``own_site``
            (``.pairs`` of that sum), to be used instead of searching again.
    Raises:
        InputError: a cut-off or s out of range; ``own_site`` for sites that do not coincide; a
            point target on a point source, their interaction being infinite.
    """

    def __init__(
        self,
        targets: Sites,
        sources: Sites,
        boundary: Boundary,
        kernel: RadialKernel,
        smooth_variance: float,
        cutoff: float,
        own_site: bool = False,
        pairs: PairList | None = None,
    ) -> None:
        if not 0.0 < smooth_variance < math.inf:
            raise InputError(f"smooth variance is {smooth_variance}, must be finite and > 0")
        if not 0.0 < cutoff < math.inf:
            raise InputError(f"cut-off is {cutoff}, must be finite and > 0")
        if own_site and not np.array_equal(targets.positions, sources.positions):
            raise InputError(
                f"{len(targets)} targets do not sit on the {len(sources)} sources one by one"
            )
        if pairs is None:
            narrowest = targets.variances.min(initial=math.inf) + sources.variances.min(
                initial=math.inf
            )
            if narrowest < smooth_variance:
                pairs = pair_list(targets.positions, sources.positions, boundary, cutoff, own_site)
            else:
                pairs = no_pairs(len(targets), len(sources), own_site)
        _check_points(pairs, targets, sources, boundary)
        self.pairs = pairs
        self._targets, self._sources = targets, sources
        self._derivatives = PairDerivatives(
            pairs, targets.variances, sources.variances, kernel, smooth_variance
        )
        self._exchanged = False

    def potential(self, sources: FloatArray) -> FloatArray:
        """U(c), (N_t, n_t)."""
        own = self._sources.l_max
        return self._potential(cartesian_moments(sources, own), own)

    def field(self, sources: FloatArray) -> Field:
        """U(c) and ∂U/∂y_a."""
        order, own = self._targets.l_max, self._sources.l_max
        cartesian = self._derivatives.contract(
            cartesian_moments(sources, own), own, order + 1, self._exchanged
        )
        operators = multipole_operators(order)
        gradient = cartesian[:, raised_index(order)] @ operators.T  # (N_t, 3, n_t)
        return Field(
            cartesian[:, : monomial_count(order)] @ operators.T, gradient.transpose(0, 2, 1)
        )

    def moved(self, sources: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_k dr_k·∂U/∂r_k, all images moving along."""
        own = self._sources.l_max
        moments = moved_moments(cartesian_moments(sources, own), displacement, own)
        return self._potential(moments, own + 1)

    def strain(self, targets: FloatArray, sources: FloatArray) -> FloatArray:
        """∂B/∂ε_ij = Σ_pairs X_j ∂_{X_i} B_pair."""
        left = cartesian_moments(targets, self._targets.l_max), self._targets.l_max
        right = cartesian_moments(sources, self._sources.l_max), self._sources.l_max
        if self._exchanged:
            left, right = right, left
        return self._derivatives.strain(*left, *right)

    @property
    def transposed(self) -> ShortRangeSum:
        """Targets and sources exchanged; the pairs and what is kept of them are shared."""
        other = object.__new__(ShortRangeSum)
        other.pairs = self.pairs
        other._targets, other._sources = self._sources, self._targets
        other._derivatives = self._derivatives
        other._exchanged = not self._exchanged
        return other

    def _potential(self, moments: FloatArray, source_order: int) -> FloatArray:
        order = self._targets.l_max
        cartesian = self._derivatives.contract(moments, source_order, order, self._exchanged)
        return np.asarray(cartesian @ multipole_operators(order).T)


def _check_points(pairs: PairList, targets: Sites, sources: Sites, boundary: Boundary) -> None:
    """Points closer than the rounding of their coordinates are in the same place."""
    spread = 1.0 if boundary.cell is None else float(np.abs(boundary.cell).max())
    for sites in (targets, sources):
        spread = max(spread, float(np.abs(sites.positions).max(initial=0.0)))
    tolerance = 8.0 * np.finfo(np.float64).eps * spread
    for pair in np.flatnonzero(pairs.squared <= tolerance**2):
        row = int(np.searchsorted(pairs.row_start, pair, side="right")) - 1
        target, source = int(pairs.row_target[row]), int(pairs.column_source[pairs.column[pair]])
        if targets.variances[target] + sources.variances[source] == 0.0:
            raise InputError(
                f"point target {target} lies on point source {source} (or an image of it): "
                "their interaction is infinite"
            )
