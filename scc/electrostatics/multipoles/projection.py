r"""The projection closure v̂ = K(r) p + v̂_ext and the energy E_H[p], one object per geometry.

Atoms carry multipoles p (M, 9), λ ≤ 2, of n = ρ − ν, all of one Gaussian width σ_ρ. The operator
takes them to the projections (4.1) of their potential on probes of widths σ_1…σ_N, λ ≤ l_max,

    v̂ = K(r) p + v̂_ext,        (M, F),  F = N (l_max+1)²,  index n(l_max+1)² + λ² + λ + µ,

and to their energy

    E_H(r, p) = ½ ⟨p, J(r) p⟩ + ⟨p, U_ext(r)⟩,    V = ∂E_H/∂p = J p + U_ext,

both with self-interaction: J, and K where the probe has the width σ_ρ and the same λ, are symmetric
positive semi-definite, and V is the projection on the density's own functions. Everything that an
equilibration, its forces and a fit ask of the two is here; what differs between ways of summing is
small (:class:`Operators`).

Units Hartree, bohr, e. V is what an electron feels: external *physical* charges q > 0 attract,
see :func:`scc.electrostatics.multipoles.external.physical_charges`. Their mutual energy is not in
E_H. External charges do not move with the atoms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipoles.electrostatics import MultipoleElectrostatics
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.multipoles.sites import checked_widths
from scc.errors import InputError

SOURCE_L = 2
"""Largest λ of the density's multipoles."""

N_MULTIPOLES = (SOURCE_L + 1) ** 2


class ProjectionOperator(Protocol):
    """v̂ = K p + v̂_ext and E_H at one geometry; see the module docstring. Atoms M, features F."""

    configuration: Configuration
    n_features: int

    @property
    def external(self) -> FloatArray:
        """v̂_ext (M, F)."""
        ...

    def apply(self, multipoles: FloatArray) -> FloatArray:
        """K p, (M, F), without v̂_ext."""
        ...

    def transpose(self, cotangent: FloatArray) -> FloatArray:
        """Kᵀ w, (M, 9), for w (M, F)."""
        ...

    def jvp_positions(self, multipoles: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_m dr_m·∂(K p + v̂_ext)/∂r_m at fixed p, (M, F)."""
        ...

    def vjp_positions(self, multipoles: FloatArray, cotangent: FloatArray) -> FloatArray:
        """∂⟨w, K p + v̂_ext⟩/∂r at fixed p, (M, 3)."""
        ...

    def energy(self, multipoles: FloatArray) -> float:
        """E_H(p), external energy included, Hartree."""
        ...

    def potential(self, multipoles: FloatArray) -> FloatArray:
        """V = ∂E_H/∂p = J p + U_ext, (M, 9)."""
        ...

    def kernel(self, multipoles: FloatArray) -> FloatArray:
        """J p, (M, 9): the linear part of :meth:`potential`."""
        ...

    def forces_fixed_p(self, multipoles: FloatArray) -> FloatArray:
        """−∂E_H/∂r at fixed p, (M, 3)."""
        ...

    def potential_jvp_positions(
        self, multipoles: FloatArray, displacement: FloatArray
    ) -> FloatArray:
        """Σ_m dr_m·∂V/∂r_m at fixed p, (M, 9)."""
        ...

    @property
    def matrix(self) -> FloatArray:
        """K dense, (M F, 9 M), row a F + feature, column b 9 + component."""
        ...

    @property
    def energy_matrix(self) -> FloatArray:
        """J dense, (9 M, 9 M)."""
        ...

    def position_jacobian(self, multipoles: FloatArray) -> FloatArray:
        """∂(K p + v̂_ext)/∂r at fixed p, dense: (M F, 3 M), column 3 m + axis."""
        ...


def projection_operator(
    configuration: Configuration,
    density_width: float,
    widths: Sequence[float],
    l_max: int,
    *,
    external: Sequence[UniformField | ExternalCharges] = (),
    tolerance: float = 1e-10,
    method: str = "auto",
) -> ProjectionOperator:
    """The operator for a configuration, whatever its size and boundary.

    Args:
        density_width: σ_ρ > 0, bohr.
        widths, l_max: σ_n ≥ 0, bohr, and largest λ ∈ {0, 1, 2} of the probes; no widths, F = 0.
        external: fields and charges, in the sign of ρ − ν.
        tolerance: see :class:`MultipoleElectrostatics`.
        method: "auto", or a method of :class:`MultipoleElectrostatics`.
    Raises:
        InputError: any of these out of its range.
    """
    if l_max not in range(SOURCE_L + 1):
        raise InputError(f"probe l_max is {l_max}, must be one of 0, 1, …, {SOURCE_L}")
    sigma = checked_widths(np.asarray(widths, dtype=np.float64), len(widths), "feature")
    if not 0.0 < density_width < np.inf:
        raise InputError(f"density width is {density_width}, must be finite and > 0")
    return SummedProjection(configuration, density_width, sigma, l_max, external, tolerance, method)


class SummedProjection:
    """:class:`ProjectionOperator` by :class:`MultipoleElectrostatics`: any boundary, any size."""

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
            SOURCE_L,
            external=external,
            method=method,
            tolerance=tolerance,
        )
        self._potential = self._energy.features(density_width, SOURCE_L)
        self._features = self._energy.features(widths, l_max) if len(widths) else None
        self.n_features = len(widths) * (l_max + 1) ** 2
        number = len(configuration)
        self._zero = np.zeros((number, N_MULTIPOLES))
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
