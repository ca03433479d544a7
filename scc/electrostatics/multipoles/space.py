r"""What error estimates need to know of a geometry: cells, volumes, densities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ase.geometry import minkowski_reduce

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.reciprocal_kernels import (
    FreeKernel,
    PeriodicKernel,
    ReciprocalKernel,
    SlabKernel,
)
from scc.electrostatics.multipoles.sites import Sites

_COUNTABLE = 4000  # wave vectors up to which they are summed, not integrated over


def reciprocal_kernel(
    boundary: Boundary, targets: Sites, sources: Sites, smooth_variance: float, tail_widths: float
) -> ReciprocalKernel:
    """Green's function of the cell, or of a box around targets and sources.

    Args:
        tail_widths: t/√W, W the largest joint variance: how far the box reaches beyond the sites.
    """
    if boundary.kind == "periodic":
        assert boundary.cell is not None
        return PeriodicKernel(boundary.cell, boundary.screening)
    positions = np.concatenate([targets.positions, sources.positions])
    widest = float(targets.variances.max(initial=0.0) + sources.variances.max(initial=0.0))
    tail = tail_widths * math.sqrt(max(widest, smooth_variance))
    if boundary.kind == "slab":
        assert boundary.cell is not None
        plane = boundary.cell[np.flatnonzero(boundary.periodic)]
        return SlabKernel.covering(plane, positions, tail, boundary.screening)
    return FreeKernel.covering(positions, tail, boundary.screening)


@dataclass(frozen=True, eq=False)
class Space:
    """Where sites and waves live.

    Attributes:
        kernel: Green's function of the reciprocal sum, with its cell.
        density: sites in a cubic bohr, around a site.
        periodic: three directions repeat, so that a net charge acts on everything.
        screening: κ.
    """

    kernel: ReciprocalKernel
    density: float
    periodic: bool
    screening: float

    @cached_property
    def cell(self) -> FloatArray:
        """Of the reciprocal sum, (3, 3)."""
        return self.kernel.cell

    @cached_property
    def volume(self) -> float:
        """Of that cell."""
        return float(abs(np.linalg.det(self.cell)))

    @property
    def strength(self) -> float:
        """⟨G²⟩ over that of 4π/Ωk²: (1 − cos kR)² of open boundaries averages to 3/2."""
        return 1.0 if np.any(self.kernel.projector) else 1.5

    @cached_property
    def is_slab(self) -> bool:
        """Two directions repeat."""
        return not self.periodic and bool(np.any(self.kernel.projector))

    def crowding(self, number: int, reach: float = 0.0) -> float:
        """Sites around a site over those at the mean density of ``cell``.

        Boxes reach beyond the sites, and sites of a crystal may lie in a part of the cell (what
        their local density says is then taken for half). Within ``reach`` sites count as if they
        were spread over all of it.
        """
        filled = number / self.density
        if self.periodic:
            return max(1.0, 0.5 * self.volume / max(filled, reach**3))
        if self.is_slab:
            length = float(np.linalg.norm(self.cell[2]))
            return max(1.0, length / max(filled * length / self.volume, reach))
        return max(1.0, self.volume / max(filled, reach**3))

    def images(self, reach: float) -> float:
        """Periodic images of a site within ``reach``, itself included; they all act alike."""
        if self.periodic:
            return max(1.0, reach**3 / self.volume)
        if self.is_slab:
            return max(1.0, reach**2 * float(np.linalg.norm(self.cell[2])) / self.volume)
        return 1.0

    def damping(self, variance: float) -> float:
        """e^{−κ²W}, what squares of screened interactions contain besides those of Coulomb's."""
        return math.exp(-(self.screening**2) * variance)

    @cached_property
    def skewness(self) -> float:
        """Largest |a_j||b_j|, b the reciprocal vectors: 1 for right angles."""
        inverse = np.linalg.inv(self.cell)
        lengths = np.linalg.norm(self.cell, axis=1) * np.linalg.norm(inverse, axis=0)
        return float(lengths.max())

    def waves(self, largest: float) -> tuple[FloatArray, FloatArray] | None:
        """|k| and G(k) of all 0 < |k| ≤ ``largest``, sorted; None if they are too many to list."""
        if self.volume * largest**3 / (6.0 * np.pi**2) > _COUNTABLE:
            return None
        reciprocal = 2.0 * np.pi * np.linalg.inv(self._reduced).T
        bounds = np.floor(largest * np.linalg.norm(self._reduced, axis=1) / (2.0 * np.pi))
        if np.prod(2.0 * bounds + 1.0) > 20.0 * _COUNTABLE:
            return None
        axes = [np.arange(-b, b + 1) for b in bounds]
        vectors = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3) @ reciprocal
        length = np.linalg.norm(vectors, axis=1)
        order = np.argsort(length)
        order = order[(length[order] > 0.0) & (length[order] <= largest)]
        return length[order], self.kernel.values(vectors[order])

    @cached_property
    def _reduced(self) -> FloatArray:
        reduced, _ = minkowski_reduce(self.cell)  # type: ignore[no-untyped-call]
        return np.asarray(reduced, dtype=np.float64)


def space_of(
    boundary: Boundary,
    targets: Sites,
    sources: Sites,
    smooth_variance: float,
    tail_widths: float,
    density: float,
) -> Space:
    """The space of :func:`reciprocal_kernel`, sites lying ``density`` to a cubic bohr."""
    kernel = reciprocal_kernel(boundary, targets, sources, smooth_variance, tail_widths)
    return Space(kernel, density, boundary.kind == "periodic", boundary.screening)
