r"""Potentials from outside: a uniform field, and fixed external charges.

Multipoles are those of n = ρ − ν (electrons minus nuclei), so the potential is that felt by an
electron, whose charge is −1: a uniform electric field 𝓔 gives U(x) = +𝓔·x. Users who describe true
charges (nuclei positive) reverse the sign of 𝓔; external charges are given in the convention of the
multipoles, as amounts of ρ − ν.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.interaction import Field
from scc.electrostatics.multipoles.sites import Sites, checked_widths
from scc.errors import InputError


@dataclass(frozen=True, eq=False)
class UniformField:
    """U(x) = 𝓔·x, Hartree, for 𝓔 (3,) in Hartree/(e·bohr).

    Raises:
        InputError: not three finite components.
    """

    vector: FloatArray

    def __post_init__(self) -> None:
        vector = np.array(self.vector, dtype=np.float64)
        if vector.shape != (3,) or not np.all(np.isfinite(vector)):
            raise InputError(f"a uniform field has three finite components, found {self.vector}")
        object.__setattr__(self, "vector", vector)

    def check(self, boundary: Boundary) -> None:
        """Raises InputError if U is not periodic where the boundary is."""
        if boundary.cell is None:
            return
        for index in np.flatnonzero(boundary.periodic):
            along = float(boundary.cell[index] @ self.vector)
            scale = float(np.linalg.norm(boundary.cell[index]) * np.linalg.norm(self.vector))
            if abs(along) > 1e-12 * scale:
                raise InputError(
                    f"a uniform field has no periodic potential, but cell vector {index} is "
                    f"periodic and the potential changes by {along} along it"
                )

    def field(self, targets: Sites) -> Field:
        """U_a0 = 𝓔·y_a, U_a1µ = 𝓔_µ (index y, z, x), nothing for λ ≥ 2; gradient of U_a0 is 𝓔."""
        potential = np.zeros((len(targets), targets.n_components))
        gradient = np.zeros((*potential.shape, 3))
        potential[:, 0] = targets.positions @ self.vector
        gradient[:, 0, :] = self.vector
        if targets.l_max > 0:
            potential[:, 1:4] = self.vector[[1, 2, 0]]
        return Field(potential, gradient)


@dataclass(frozen=True, eq=False)
class ExternalCharges:
    """Fixed charges (repeated with the cell where the boundary is periodic).

    Attributes:
        positions: (K, 3), bohr. charges: (K,), in the sign convention of the multipoles.
        widths: σ (K,) or one number, bohr; 0 is a point.
    Raises:
        InputError: shapes that do not match, values that are not finite, a negative width.
    """

    positions: FloatArray
    charges: FloatArray
    widths: FloatArray | float = 0.0

    def __post_init__(self) -> None:
        put = object.__setattr__
        positions = np.array(self.positions, dtype=np.float64)
        charges = np.array(self.charges, dtype=np.float64)
        if positions.ndim != 2 or positions.shape[1] != 3 or charges.shape != (len(positions),):
            raise InputError(
                f"external charges need positions (K, 3) and charges (K,), found "
                f"{positions.shape} and {charges.shape}"
            )
        if len(positions) == 0:
            raise InputError("external charges: there are none")
        widths = checked_widths(self.widths, len(positions), "external charge")
        if not np.all(np.isfinite(charges)):
            bad = int(np.flatnonzero(~np.isfinite(charges))[0])
            raise InputError(f"external charge {bad} is {charges[bad]}, must be finite")
        Sites(positions, widths**2, 0)
        put(self, "positions", positions)
        put(self, "charges", charges)
        put(self, "widths", widths)

    @property
    def sites(self) -> Sites:
        """The charges as sources of λ = 0."""
        return Sites(self.positions, np.asarray(self.widths) ** 2, 0)


def physical_charges(
    positions: FloatArray, charges: FloatArray, widths: FloatArray | float = 0.0
) -> ExternalCharges:
    """External charges given as physics gives them: q (K,) in e, positive for a nucleus.

    What an electron feels of them is −q/|x − R|; as amounts of ρ − ν they are −q.
    """
    return ExternalCharges(positions, -np.asarray(charges, dtype=np.float64), widths)
