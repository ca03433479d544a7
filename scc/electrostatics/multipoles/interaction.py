r"""The contract every piece of the electrostatic operator keeps, and the sum of such pieces.

A piece is a bilinear form between target coefficients t (on sites y_a) and source coefficients c
(on sites r_k),

    B(t, c) = Σ_aA t_aA U_aA(c),      U_aA(c) = Σ_kB K_aA,kB(y, r) c_kB,

K being the mutual energy of unit multipoles. Energies, potentials, features, forces, stress and all
their adjoint products are made of the five products below; whoever offers them (direct sum, Ewald,
mesh, background, surface term, …) can be added to the operator.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from scc.arrays import FloatArray


class Field(NamedTuple):
    """U (N_t, n_t) and its gradient ∂U_aA/∂y_a (N_t, n_t, 3)."""

    potential: FloatArray
    gradient: FloatArray


class Interaction(Protocol):
    """B of the module docstring for one geometry."""

    def potential(self, sources: FloatArray) -> FloatArray:
        """U(c): (N_t, n_t), for c (N_s, n_s)."""

    def field(self, sources: FloatArray) -> Field:
        """U(c) and its derivative with respect to the target's own position, sources at rest."""

    def moved(self, sources: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_k (dr_k · ∂/∂r_k) U(c), targets at rest: (N_t, n_t), for dr (N_s, 3)."""

    def strain(self, targets: FloatArray, sources: FloatArray) -> FloatArray:
        """∂B/∂ε_ij at x → (1 + ε)x for all sites and the cell, all else fixed: (3, 3).

        ε is any matrix, not only a symmetric one: multipole components and widths stay as they
        are, they do not turn with it.
        """

    @property
    def transposed(self) -> "Interaction":
        """The same form with targets and sources exchanged."""


class SumOfInteractions:
    """Several pieces between the same targets and sources, at least one."""

    def __init__(self, parts: Sequence[Interaction]) -> None:
        self.parts = tuple(parts)

    def potential(self, sources: FloatArray) -> FloatArray:
        """Sum of the parts' U(c)."""
        return np.asarray(sum(part.potential(sources) for part in self.parts))

    def field(self, sources: FloatArray) -> Field:
        """Sum of the parts' fields."""
        fields = [part.field(sources) for part in self.parts]
        return Field(
            np.asarray(sum(f.potential for f in fields)),
            np.asarray(sum(f.gradient for f in fields)),
        )

    def moved(self, sources: FloatArray, displacement: FloatArray) -> FloatArray:
        """Sum of the parts' responses to moved sources."""
        return np.asarray(sum(part.moved(sources, displacement) for part in self.parts))

    def strain(self, targets: FloatArray, sources: FloatArray) -> FloatArray:
        """Sum of the parts' strain derivatives."""
        return np.asarray(sum(part.strain(targets, sources) for part in self.parts))

    @property
    def transposed(self) -> "SumOfInteractions":
        """Sum of the transposed parts."""
        return SumOfInteractions([part.transposed for part in self.parts])
