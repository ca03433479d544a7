"""The projection operator in any boundary and of any size, by the general operator on multipoles.

What the methods return is said at :class:`.projection.ProjectionOperator`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipoles.electrostatics import MultipoleElectrostatics
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.multipoles.pair_blocks import COMPONENTS, LARGEST_L


class SummedProjection:
    """:class:`.projection.ProjectionOperator` for arguments of ``projection_operator`` there."""

    def __init__(
        self,
        configuration: Configuration,
        density_width: float,
        widths: FloatArray,
        l_max: int,
        external: Sequence[UniformField | ExternalCharges],
        tolerance: float,
        method: str,
    ) -> None:
        self.configuration = configuration
        self._energy = MultipoleElectrostatics(
            configuration,
            density_width,
            LARGEST_L,
            external=external,
            method=method,
            tolerance=tolerance,
        )
        self._potential = self._energy.features(density_width, LARGEST_L)
        self._features = self._energy.features(widths, l_max) if len(widths) else None
        self.n_features = len(widths) * (l_max + 1) ** 2
        number = len(configuration)
        self._zero = np.zeros((number, COMPONENTS))
        self.external = (
            self._features(self._zero) if self._features else np.zeros((number, self.n_features))
        )

    def apply(self, multipoles: FloatArray) -> FloatArray:
        if self._features is None:
            return np.zeros((len(self._zero), 0))
        return self._features.jvp_multipoles(multipoles)

    def transpose(self, cotangent: FloatArray) -> FloatArray:
        if self._features is None:
            return self._zero.copy()
        return self._features.vjp_multipoles(cotangent)

    def jvp_positions(self, multipoles: FloatArray, displacement: FloatArray) -> FloatArray:
        if self._features is None:
            return np.zeros((len(self._zero), 0))
        return self._features.jvp_positions(multipoles, displacement)

    def vjp_positions(self, multipoles: FloatArray, cotangent: FloatArray) -> FloatArray:
        if self._features is None:
            return np.zeros((len(self._zero), 3))
        return self._features.vjp_positions(multipoles, cotangent)

    def energy(self, multipoles: FloatArray) -> float:
        return self._energy.energy(multipoles)

    def potential(self, multipoles: FloatArray) -> FloatArray:
        return self._potential(multipoles)

    def kernel(self, multipoles: FloatArray) -> FloatArray:
        return self._potential.jvp_multipoles(multipoles)

    def forces_fixed_p(self, multipoles: FloatArray) -> FloatArray:
        return self._energy.forces(multipoles)

    def position_gradient(self, multipoles: FloatArray, cotangent: FloatArray | None) -> FloatArray:
        gradient = -self.forces_fixed_p(multipoles)
        if cotangent is None:
            return gradient
        return gradient + self.vjp_positions(multipoles, cotangent)

    def potential_jvp_positions(
        self, multipoles: FloatArray, displacement: FloatArray
    ) -> FloatArray:
        return self._potential.jvp_positions(multipoles, displacement)

    @property
    def matrix(self) -> FloatArray:
        return _columns(self.apply, self._zero.shape)

    @property
    def energy_matrix(self) -> FloatArray:
        return _columns(self.kernel, self._zero.shape)

    def position_jacobian(self, multipoles: FloatArray) -> FloatArray:
        return _columns(
            lambda displacement: self.jvp_positions(multipoles, displacement),
            (len(self._zero), 3),
        )


def _columns(linear: Callable[[FloatArray], FloatArray], shape: tuple[int, int]) -> FloatArray:
    """The matrix of a linear map on arrays of ``shape``, flattened on both sides."""
    units = np.eye(shape[0] * shape[1]).reshape(-1, *shape)
    return np.array([linear(unit).ravel() for unit in units]).T
