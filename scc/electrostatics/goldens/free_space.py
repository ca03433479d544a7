"""Open boundaries: one pair, no images, nothing smooth."""

from __future__ import annotations

from scc.electrostatics.goldens.numbers import ExactArray, Real, exact, zeros
from scc.electrostatics.goldens.polynomials import monomials


class FreeSpace:
    """κ ≥ 0 in all of space; see :class:`.pair_sum.Lattice`."""

    def __init__(self, screening: float) -> None:
        self.screening = exact(screening)
        self.vectors = zeros(0, 3)
        self.smooth_variance: Real | None = None

    def smooth(self, separation: ExactArray, variance: Real, order: int) -> ExactArray:
        """Zero."""
        return zeros(len(monomials(order)))

    def smooth_strain(
        self, separation: ExactArray, tensor: ExactArray, polynomial: ExactArray, order: int
    ) -> ExactArray:
        """Zero."""
        return zeros(3, 3)
