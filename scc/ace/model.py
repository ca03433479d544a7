r"""The fitted model: a local density and a local energy on the same potential features.

A :class:`FittedModel` is parameters; bound to a configuration it takes v̂ (M, F) to site energies
E_i and multipoles p (M, 9) of ρ − ν with their derivative products. p = b(r) + χ(r) v̂ is affine
(``affine = True``), E_i at most quadratic. What is far away enters through v̂ only: E_i, and the
density of site i, do not depend on positions or v̂ beyond the cut-off of i. How v̂ follows from p is
the business of :class:`scc.functional.projection_functional.ProjectionFunctional`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from scc.ace.affine_model import AffineModel, AffineState, BoundAffineModel
from scc.ace.density_model import BoundDensity, DensityModel, DensityState
from scc.ace.energy_model import BoundEnergy, EnergyModel, EnergyState
from scc.ace.features import FeatureSet
from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.errors import InputError


@dataclass(frozen=True, eq=False)
class FittedModel(AffineModel):
    """Parameters of E_i(r, v̂) and p(r, v̂), and where they come from.

    Attributes
    ----------
    name: of the model.
    density, energy: the two parts, on the same elements and features.
    provenance: JSON values: data, options and figures of the fit.

    Raises
    ------
    InputError: parts with different elements or features.
    """

    name: str
    density: DensityModel
    energy: EnergyModel
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        one, other = self.density.specification, self.energy.specification
        if one.features != other.features:
            raise InputError(
                f"density and energy have different features: {one.features}, {other.features}"
            )
        if one.species != other.species:
            raise InputError(
                f"density and energy have different elements: {one.species}, {other.species}"
            )

    @property
    def width(self) -> float:
        """σ_ρ of the density functions, bohr."""
        return self.density.width

    @property
    def features(self) -> FeatureSet:
        """Widths and largest λ of the potential features."""
        return self.density.specification.features

    @property
    def species(self) -> tuple[str, ...]:
        """Elements with parameters."""
        return self.density.specification.species

    @property
    def cutoff(self) -> float:
        """Beyond it, bohr, nothing of a site depends on positions or v̂."""
        return max(self.density.specification.cutoff, self.energy.specification.cutoff)

    def prepare(self, configuration: Configuration) -> BoundFittedModel:
        """Bind to a geometry. InputError for an element without parameters."""
        return BoundFittedModel(self, configuration)


class BoundFittedModel(BoundAffineModel):
    """E_i(r, ·) and p(r, ·) at one geometry."""

    def __init__(self, model: FittedModel, configuration: Configuration) -> None:
        self.model = model
        self.density: BoundDensity = model.density.prepare(configuration)
        self.energy: BoundEnergy = model.energy.prepare(configuration)
        super().__init__(configuration, model.features)

    def evaluate(self, features: FloatArray) -> FittedState:
        """E_i and p at v̂. InputError for features of another shape or not finite."""
        return FittedState(self, self.checked(features))


class FittedState(AffineState):
    """E_i(r, v̂), p(r, v̂) and their derivative products at one (r, v̂); Hartree, bohr, e."""

    def __init__(self, bound: BoundFittedModel, features: FloatArray) -> None:
        super().__init__(bound.nuclear_charges, features)
        self._bound = bound

    @cached_property
    def density_state(self) -> DensityState:
        """The density part."""
        return self._bound.density.evaluate(self.features)

    @cached_property
    def energy_state(self) -> EnergyState:
        """The energy part."""
        return self._bound.energy.evaluate(self.features)

    @property
    def density(self) -> FloatArray:
        """p (M, 9), multipoles of ρ − ν."""
        return self.density_state.multipoles

    @property
    def site_energies(self) -> FloatArray:
        """E_i (M,)."""
        return self.energy_state.site_energies

    def site_multipoles(self, site: int) -> FloatArray:
        """The density of one site as multipoles on all atoms, (M, 9); sites add up to p."""
        return self.density_state.site_multipoles(site)

    # Derivatives of the density.

    def response_blocks(self, atoms: IntArray) -> FloatArray:
        """χ between the atoms of groups (G, g), (G, 9g, gF): for preconditioners."""
        return self.density_state.response_blocks(atoms)

    def density_jvp(self, direction: FloatArray) -> FloatArray:
        """χ dv̂, (M, 9)."""
        return self.density_state.feature_jvp(direction)

    def density_vjp(self, potential: FloatArray) -> FloatArray:
        """χᵀ A, (M, F), for A (M, 9)."""
        return self.density_state.feature_vjp(potential)

    def density_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """∂p/∂r·dr at fixed v̂, (M, 9)."""
        return self.density_state.position_jvp(displacement)

    def density_position_vjp(self, potential: FloatArray) -> FloatArray:
        """∂⟨A, p⟩/∂r at fixed v̂, (M, 3)."""
        return self.density_state.position_vjp(potential)

    # Derivatives of the energy.

    @cached_property
    def _energy_gradient(self) -> tuple[FloatArray, FloatArray]:
        return self.energy_state.vjp(np.ones(len(self.features)))

    def feature_energy_vjp(self) -> FloatArray:
        """∂ΣE_i/∂v̂, (M, F)."""
        return self._energy_gradient[1]

    def feature_energy_position_vjp(self) -> FloatArray:
        """∂ΣE_i/∂r at fixed v̂, (M, 3)."""
        return self._energy_gradient[0]

    def feature_energy_second_vjp(self, direction: FloatArray) -> FloatArray:
        """∂²ΣE_i/∂v̂²·dv̂, (M, F).

        E is a quadratic polynomial of v̂, so half the difference of its gradients at v̂ ± dv̂ is
        exact; rounding is that of the gradient.
        """
        ahead = self._bound.evaluate(self.features + direction).feature_energy_vjp()
        behind = self._bound.evaluate(self.features - direction).feature_energy_vjp()
        return 0.5 * (ahead - behind)

    def site_energies_jvp(self, direction: FloatArray) -> FloatArray:
        """dE_i along dv̂, (M,)."""
        return self.energy_state.jvp(None, direction)

    def site_energies_vjp(self, weights: FloatArray) -> FloatArray:
        """∂Σ a_i E_i/∂v̂, (M, F)."""
        return self.energy_state.vjp(weights)[1]

    def site_energies_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """dE_i along dr at fixed v̂, (M,)."""
        return self.energy_state.jvp(displacement, None)

    def site_energies_position_vjp(self, weights: FloatArray) -> FloatArray:
        """∂Σ a_i E_i/∂r at fixed v̂, (M, 3)."""
        return self.energy_state.vjp(weights)[0]
