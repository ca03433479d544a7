r"""A fitted model closed by projection: v̂ = ∫Vψ, eq. (4.1), solved as a fixed point.

The local model gives site energies and net multipoles p = ρ(r, v̂) (M, 9) of ρ − ν, its ``density``;
:mod:`scc.electrostatics.multipoles.projection` gives K, J and the external potential:

    E(r, v̂) = Σ_ℓ E_ℓ(r, v̂) + E_H[r, ρ(r, v̂)],
    R(r, v̂) = v̂ − K(r) ρ(r, v̂) − v̂_ext(r) = 0.

E is *not* stationary in v̂ at a solution, so forces need the adjoint λ (features), from the implicit
function theorem: with χ = ∂ρ/∂v̂ and V = ∂E_H/∂p,

    (1 − χᵀKᵀ) λ = ∂ΣE_ℓ/∂v̂ + χᵀ V,
    dE/dr = ∂ΣE_ℓ/∂r + ∂E_H/∂r|_p + (∂ρ/∂r|_v̂)ᵀ (V + Kᵀλ) + ∂⟨λ, K p + v̂_ext⟩/∂r|_p.

Stability: a damped iteration with small enough steps converges to the solution iff every eigenvalue
of 1 − Kχ has a positive real part, undamped iff the spectral radius of Kχ is below 1.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipoles.projection import ProjectionOperator
from scc.errors import InputError
from scc.functional.closure import Projection


class ResponsiveState(Protocol):
    """What of a :class:`scc.models.protocol.LocalState` this closure uses.

    D = p (M, 9) are multipoles of ρ − ν, e·bohr^λ; features (M, F).
    """

    @property
    def features(self) -> FloatArray: ...
    @property
    def density(self) -> FloatArray: ...
    @property
    def site_energies(self) -> FloatArray: ...
    @property
    def feature_energy(self) -> float: ...
    def density_jvp(self, direction: FloatArray) -> FloatArray: ...
    def density_vjp(self, potential: FloatArray) -> FloatArray: ...
    def density_position_jvp(self, displacement: FloatArray) -> FloatArray: ...
    def density_position_vjp(self, potential: FloatArray) -> FloatArray: ...
    def feature_energy_vjp(self) -> FloatArray: ...
    def feature_energy_position_vjp(self) -> FloatArray: ...


class ResponsiveModel(Protocol):
    """What of a :class:`scc.models.protocol.BoundModel` this closure uses.

    A model whose density is affine in v̂ may say so by an attribute ``affine = True``: its
    self-consistency is then one linear equation and is solved as such.
    """

    @property
    def configuration(self) -> Configuration: ...
    @property
    def feature_shape(self) -> tuple[int, ...]: ...
    def evaluate(self, features: FloatArray) -> Any:
        """A :class:`ResponsiveState`; further arguments (occupation, …) must have defaults."""
        ...


class ProjectionFunctional:
    """E and R of the module docstring at one geometry.

    Args:
        model: bound local model; ``evaluate(features)`` gives a :class:`ResponsiveState`.
        operator: K, J and the external potential at the same geometry.
    Raises:
        InputError: the model's features are not those of the operator.
    """

    def __init__(self, model: ResponsiveModel, operator: ProjectionOperator) -> None:
        expected = (len(operator.configuration), operator.n_features)
        if tuple(model.feature_shape) != expected:
            raise InputError(
                f"the model has features of shape {tuple(model.feature_shape)}, "
                f"the projection operator {expected}"
            )
        self.model, self.operator = model, operator
        self.closure = Projection(operator)
        self.affine = bool(getattr(model, "affine", False))

    @property
    def configuration(self) -> Configuration:
        return self.model.configuration

    def initial_features(self) -> FloatArray:
        """v̂ = 0: no field."""
        return np.zeros(self.model.feature_shape)

    def evaluate(self, features: FloatArray) -> ProjectionState:
        """Everything at v̂."""
        return ProjectionState(self, self.model.evaluate(features))


class ProjectionState:
    """E, R and their derivatives at one v̂; ``local`` is the model's state."""

    def __init__(self, functional: ProjectionFunctional, local: ResponsiveState) -> None:
        self.functional, self.local = functional, local
        self.features, self.density = local.features, local.density

    @cached_property
    def energy(self) -> float:
        """Σ E_ℓ + E_H[ρ], Hartree."""
        return self.local.feature_energy + self.long_range_energy

    @cached_property
    def long_range_energy(self) -> float:
        """E_H[ρ], Hartree, the energy in the external potential included."""
        return self.functional.operator.energy(self.density)

    @property
    def site_energies(self) -> FloatArray:
        """E_ℓ (M,), Hartree."""
        return self.local.site_energies

    @cached_property
    def residual(self) -> FloatArray:
        """R = v̂ − Kρ(r, v̂) − v̂_ext, (M, F)."""
        return self.features - self.functional.closure.features(self.density)

    def residual_jvp(self, direction: FloatArray) -> FloatArray:
        """(1 − Kχ) dv̂, (M, F)."""
        return direction - self.functional.operator.apply(self.local.density_jvp(direction))

    def residual_vjp(self, cotangent: FloatArray) -> FloatArray:
        """(1 − χᵀKᵀ) w, (M, F)."""
        return cotangent - self.local.density_vjp(self.functional.operator.transpose(cotangent))

    def residual_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """∂R/∂r·dr at fixed v̂, (M, F): −(∂K/∂r·dr) p − K ∂ρ/∂r·dr − ∂v̂_ext/∂r·dr."""
        operator = self.functional.operator
        moved = self.local.density_position_jvp(displacement)
        return -operator.apply(moved) - operator.jvp_positions(self.density, displacement)

    @cached_property
    def potential(self) -> FloatArray:
        """V = ∂E_H/∂p, (M, 9)."""
        return self.functional.operator.potential(self.density)

    @cached_property
    def gradient(self) -> FloatArray:
        """∂E/∂v̂ = ∂ΣE_ℓ/∂v̂ + χᵀV, (M, F); it does not vanish at a solution."""
        return self.local.feature_energy_vjp() + self.local.density_vjp(self.potential)

    def forces(self, adjoint: FloatArray, pulled: FloatArray | None = None) -> FloatArray:
        """−dE/dr along the solution, (M, 3), Hartree/bohr, for λ with (1 − χᵀKᵀ)λ = ∂E/∂v̂.

        ``pulled`` is Kᵀλ, where that is known.
        """
        operator = self.functional.operator
        pull = self.potential + (operator.transpose(adjoint) if pulled is None else pulled)
        return -(
            operator.position_gradient(self.density, adjoint)
            + self.local.feature_energy_position_vjp()
            + self.local.density_position_vjp(pull)
        )
