"""Boundary conditions of the Coulomb problem: open, slab, periodic; screened or not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ase.geometry import complete_cell, minkowski_reduce

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError


@dataclass(frozen=True, eq=False)
class Boundary:
    """Where charges repeat, and what the interaction is.

    Attributes:
        cell: (3, 3), bohr, one lattice vector a row, or None in open boundaries.
        periodic: one flag per cell vector: none (open), two (slab) or all three (periodic).
        screening: κ ≥ 0, bohr⁻¹; e^{−κr}/r for κ > 0.
        surface_permittivity: ε' of the medium that surrounds the infinite crystal (a sphere of
            it): inf is tin foil, 1 vacuum. Only for three periodic directions without screening.
    Raises:
        InputError: one periodic direction; values outside the ranges above; a surface term where
            there is none.
    """

    cell: FloatArray | None
    periodic: tuple[bool, bool, bool]
    screening: float = 0.0
    surface_permittivity: float = math.inf

    def __post_init__(self) -> None:
        if sum(self.periodic) == 1:
            raise InputError(
                "electrostatics periodic in one direction only is not implemented: periodic is "
                f"{self.periodic}"
            )
        if any(self.periodic) and self.cell is None:
            raise InputError(f"periodic is {self.periodic}, but there is no cell")
        if not (0.0 <= self.screening < math.inf):
            raise InputError(f"screening is {self.screening}, must be finite and ≥ 0")
        if not self.surface_permittivity > 0.0:
            raise InputError(
                f"surface permittivity is {self.surface_permittivity}, must be > 0 (inf: tin foil)"
            )
        if math.isfinite(self.surface_permittivity) and (
            not all(self.periodic) or self.screening > 0.0
        ):
            raise InputError(
                f"a surface term (permittivity {self.surface_permittivity}) belongs to three "
                "periodic directions without screening"
            )

    @classmethod
    def of(
        cls,
        configuration: Configuration,
        screening: float = 0.0,
        surface_permittivity: float = math.inf,
    ) -> Boundary:
        """The boundary condition that a configuration's cell and flags say."""
        cell = configuration.cell if any(configuration.periodic) else None
        return cls(cell, configuration.periodic, screening, surface_permittivity)

    @property
    def kind(self) -> str:
        """ "open", "slab" or "periodic"."""
        return {0: "open", 2: "slab", 3: "periodic"}[sum(self.periodic)]

    @cached_property
    def reduced_cell(self) -> FloatArray:
        """The same lattice by its shortest vectors (3, 3); unit normals where nothing repeats.

        Minkowski reduction by ASE. Sums over images of a needle of a cell need it: the needle has
        many more images within a distance. Identity in open boundaries.
        """
        if self.cell is None:
            return np.eye(3)
        flags = np.array(self.periodic)
        cell = complete_cell(np.where(flags[:, None], self.cell, 0.0))  # type: ignore[no-untyped-call]
        reduced, _ = minkowski_reduce(cell, pbc=flags)  # type: ignore[no-untyped-call]
        return np.asarray(reduced, dtype=np.float64)

    @property
    def measure(self) -> float:
        """Ω (periodic, bohr³), area of the cell (slab, bohr²), 1 (open): what stress divides by."""
        if self.cell is None:
            return 1.0
        if self.kind == "periodic":
            return float(abs(np.linalg.det(self.cell)))
        rows = self.cell[np.flatnonzero(self.periodic)]
        return float(np.linalg.norm(np.cross(rows[0], rows[1])))
