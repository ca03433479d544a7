r"""The variational model: one local grand potential, concave in v̂, from which everything follows.

    g(r, v̂) = g⁰(r) + b(r)·v̂ + ½ v̂ᵀχ(r)v̂,   χ = −BᵀB ⪯ 0,      p = ∂g/∂v̂ = b + χ v̂,

b without features a :class:`.density_model.DensityModel` (charges by flows, dipoles, quadrupoles),
χ a :class:`.variational_response.ResponseModel`, g⁰ a :class:`.energy_model.EnergyModel`. Features
are projections on the density functions themselves, K = J ⪰ 0 with self-interaction. The energy

    E(r, v̂) = g − v̂·p + E_H[p] = g⁰ − ½ v̂ᵀχv̂ + E_H[r, p(r, v̂)]

has ∂E/∂v̂ = χ (∂E_H/∂p − v̂): it is stationary where v̂ = K p + v̂_ext. Hence

- forces are partial derivatives at fixed v̂: the adjoint equation has the right-hand side zero;
- p* is the minimum over p = b − Bᵀw of ½|w|² + E_H[p], strictly convex in w: one equilibrium,
  always, of the linear equation (1 + B K Bᵀ) w = B (K b + v̂_ext), symmetric and ≥ 1;
- dE/dv̂_ext = p*, and the response dp*/dv̂_ext = −Bᵀ(1 + B K Bᵀ)⁻¹B is symmetric;
- g sees v̂_00 in differences only, so net charge is conserved, Σ_i ∂g/∂v̂_i00 = 0, site by site.

E_ℓ = g⁰_ℓ + ½ Σ w_ℓ² and site ℓ's density depend on (r, v̂) within the cut-off of ℓ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from scc.ace.affine_model import AffineModel, AffineState, BoundAffineModel
from scc.ace.density_model import DensityModel, DensityState
from scc.ace.energy_model import EnergyModel, EnergyState
from scc.ace.features import FeatureSet
from scc.ace.variational_response import BoundResponse, ResponseModel
from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError


@dataclass(frozen=True, eq=False)
class VariationalModel(AffineModel):
    """Parameters of g; used like a :class:`.model.FittedModel`.

    Attributes
    ----------
    name: of the model.
    permanent: b. response: χ. energy: g⁰.
    provenance: JSON values: data, options and figures of the fit.

    Raises
    ------
    InputError: b or g⁰ with features, parts with different elements or widths.
    """

    name: str
    permanent: DensityModel
    response: ResponseModel
    energy: EnergyModel
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part, name in ((self.permanent, "b"), (self.energy, "g⁰")):
            if part.specification.features.n_features:
                raise InputError(f"{name} of a variational model has no features")
            if part.specification.species != self.species:
                raise InputError(
                    f"{name} and the response have different elements: "
                    f"{part.specification.species}, {self.species}"
                )
        if self.permanent.width != self.response.width:
            raise InputError(
                f"density functions of width {self.permanent.width}, features of width "
                f"{self.response.width}: a variational model has one"
            )

    @property
    def width(self) -> float:
        """σ of density functions and features, bohr."""
        return self.permanent.width

    @property
    def features(self) -> FeatureSet:
        """One width, λ ≤ 2."""
        return self.response.specification.features

    @property
    def species(self) -> tuple[str, ...]:
        """Elements with parameters."""
        return self.response.specification.species

    @property
    def cutoff(self) -> float:
        """Beyond it, bohr, nothing of a site depends on positions or v̂."""
        parts = self.permanent, self.response, self.energy
        return max(part.specification.cutoff for part in parts)

    def prepare(self, configuration: Configuration) -> BoundVariationalModel:
        """Bind to a geometry. InputError for an element without parameters."""
        return BoundVariationalModel(self, configuration)


class BoundVariationalModel(BoundAffineModel):
    """g(r, ·) at one geometry."""

    def __init__(self, model: VariationalModel, configuration: Configuration) -> None:
        self.model = model
        nothing = np.zeros((len(configuration), 0))
        self.permanent: DensityState = model.permanent.prepare(configuration).evaluate(nothing)
        self.energy: EnergyState = model.energy.prepare(configuration).evaluate(nothing)
        self.response: BoundResponse = model.response.prepare(configuration)
        super().__init__(configuration, model.features)

    def evaluate(self, features: FloatArray) -> VariationalState:
        """g and its derivatives at v̂. InputError for features of another shape or not finite."""
        return VariationalState(self, self.checked(features))


class VariationalState(AffineState):
    """E_i(r, v̂), p(r, v̂) = ∂g/∂v̂ and their derivative products; Hartree, bohr, e."""

    def __init__(self, bound: BoundVariationalModel, features: FloatArray) -> None:
        super().__init__(bound.nuclear_charges, features)
        self._bound = bound
        self._response = bound.response
        self._amplitudes = bound.response.amplitudes(features)

    @cached_property
    def density(self) -> FloatArray:
        """p = b + χ v̂ (M, 9), multipoles of ρ − ν."""
        return self._bound.permanent.multipoles + self._response.multipoles(self._amplitudes)

    @cached_property
    def site_energies(self) -> FloatArray:
        """g⁰_i + ½ Σ w_i², (M,): they add up to g − v̂·p."""
        return self._bound.energy.site_energies + self._response.site_energies(self._amplitudes)

    @property
    def grand_potential(self) -> float:
        """g(r, v̂), Hartree."""
        return self.feature_energy + float(np.sum(self.features * self.density))

    def site_multipoles(self, site: int) -> FloatArray:
        """What b and the amplitudes of one site put on all atoms, (M, 9); sites add up to p."""
        own = np.zeros(len(self.features))
        own[site] = 1.0
        induced = self._response.multipoles(self._response.weighted(self._amplitudes, own))
        return self._bound.permanent.site_multipoles(site) + induced

    # Derivatives of the density.

    def density_jvp(self, direction: FloatArray) -> FloatArray:
        """χ dv̂, (M, 9)."""
        return self._response.apply(direction)

    def density_vjp(self, potential: FloatArray) -> FloatArray:
        """χᵀ A = χ A, (M, 9)."""
        return self._response.apply(potential)

    def density_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """∂p/∂r·dr at fixed v̂, (M, 9): of b, and −(∂B/∂r·dr)ᵀw − Bᵀ(∂w/∂r·dr)."""
        changed = self._response.position_jvp(self.features, displacement)
        return (
            self._bound.permanent.position_jvp(displacement)
            + self._response.multipoles(changed)
            + self._response.moved_multipoles(self._amplitudes, displacement)
        )

    def density_position_vjp(self, potential: FloatArray) -> FloatArray:
        """∂⟨A, p⟩/∂r at fixed v̂, (M, 3): of ⟨A, b⟩ − w(A)·w(v̂), w being linear."""
        other = self._response.amplitudes(potential)
        return (
            self._bound.permanent.position_vjp(potential)
            - self._response.position_vjp(potential, self._amplitudes)
            - self._response.position_vjp(self.features, other)
        )

    # Derivatives of the energy.

    def feature_energy_vjp(self) -> FloatArray:
        """∂ΣE_i/∂v̂ = −χ v̂, (M, 9)."""
        return -self._response.multipoles(self._amplitudes)

    def feature_energy_position_vjp(self) -> FloatArray:
        """∂ΣE_i/∂r at fixed v̂, (M, 3)."""
        return self.site_energies_position_vjp(np.ones(len(self.features)))

    def feature_energy_second_vjp(self, direction: FloatArray) -> FloatArray:
        """∂²ΣE_i/∂v̂²·dv̂ = −χ dv̂, (M, 9)."""
        return -self._response.apply(direction)

    def site_energies_jvp(self, direction: FloatArray) -> FloatArray:
        """dE_i along dv̂, (M,)."""
        return self._response.site_products(self._amplitudes, self._response.amplitudes(direction))

    def site_energies_vjp(self, weights: FloatArray) -> FloatArray:
        """∂Σ a_i E_i/∂v̂, (M, 9)."""
        return -self._response.multipoles(self._response.weighted(self._amplitudes, weights))

    def site_energies_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """dE_i along dr at fixed v̂, (M,)."""
        changed = self._response.position_jvp(self.features, displacement)
        return self._bound.energy.jvp(displacement, None) + self._response.site_products(
            self._amplitudes, changed
        )

    def site_energies_position_vjp(self, weights: FloatArray) -> FloatArray:
        """∂Σ a_i E_i/∂r at fixed v̂, (M, 3)."""
        weighted = self._response.weighted(self._amplitudes, weights)
        return self._bound.energy.vjp(weights)[0] + self._response.position_vjp(
            self.features, weighted
        )
