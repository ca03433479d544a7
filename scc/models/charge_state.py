r"""What all charge-equilibration models share: v̂ = q, net atomic charges, and D = −q.

A model of charges is then one file: its parameters, its terms of E_H on D = −q (M,), electrons in
excess, and a subclass of :class:`ChargeState` with E_ℓ(r, q) and its derivatives. For site energies

    E_ℓ = χ_ℓ(r) q_ℓ + ½ U_ℓ q_ℓ²

(QEq and EEM without hydrogen's rule, CENT) that subclass is here too: :class:`QuadraticCharges`
needs U and an object that differentiates χ(r). In E_H = ½ qᵀJq Gaussians have their own energy
½ q²/(σ√π): U is what a model's hardness has beyond that.
"""

from abc import ABC, abstractmethod
from typing import Protocol

import numpy as np

from scc.arrays import FloatArray


class ChargeState(ABC):
    """E_ℓ(r, q) of independent or interacting sites; everything about D = −q is done here.

    Shapes: q, dq, weights and A (M,), displacements (M, 3). Hartree, bohr.
    """

    def __init__(self, charges: FloatArray) -> None:
        self.features = charges
        self.density = -charges

    @property
    def charges(self) -> FloatArray:
        """q (M,)."""
        return self.features

    # What a model says.

    @property
    @abstractmethod
    def site_energies(self) -> FloatArray:
        """E_ℓ (M,)."""

    @abstractmethod
    def site_energies_jvp(self, direction: FloatArray) -> FloatArray:
        """∂E_ℓ/∂q·dq at fixed r, (M,)."""

    @abstractmethod
    def site_energies_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """∂E_ℓ/∂r·dr at fixed q, (M,)."""

    @abstractmethod
    def feature_energy_vjp(self) -> FloatArray:
        """∂ΣE_ℓ/∂q, (M,)."""

    @abstractmethod
    def feature_energy_second_vjp(self, direction: FloatArray) -> FloatArray:
        """∂²ΣE_ℓ/∂q²·dq, (M,)."""

    @abstractmethod
    def feature_energy_position_vjp(self) -> FloatArray:
        """∂ΣE_ℓ/∂r at fixed q, (M, 3)."""

    @abstractmethod
    def feature_energy_second_position_vjp(self, displacement: FloatArray) -> FloatArray:
        """∂_r(∂ΣE_ℓ/∂q)·dr, (M,)."""

    @abstractmethod
    def feature_energy_position_vjp_along(self, direction: FloatArray) -> FloatArray:
        """∂_r⟨dq, ∂ΣE_ℓ/∂q⟩, (M, 3): the transpose of the one above."""

    # D = −q.

    def density_jvp(self, direction: FloatArray) -> FloatArray:
        """−dq."""
        return -direction

    def density_vjp(self, potential: FloatArray) -> FloatArray:
        """−A."""
        return -potential

    def density_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """Zero."""
        return np.zeros_like(self.density)

    def density_position_vjp(self, potential: FloatArray) -> FloatArray:
        """Zero."""
        return np.zeros((len(self.density), 3))

    def density_second_vjp(self, direction: FloatArray, potential: FloatArray) -> FloatArray:
        """Zero."""
        return np.zeros_like(self.density)

    def density_second_position_vjp(
        self, displacement: FloatArray, potential: FloatArray
    ) -> FloatArray:
        """Zero."""
        return np.zeros_like(self.density)

    def density_position_vjp_along(
        self, direction: FloatArray, potential: FloatArray
    ) -> FloatArray:
        """Zero."""
        return np.zeros((len(self.density), 3))


class Electronegativity(Protocol):
    """χ_ℓ(r) at one geometry, Hartree per elementary charge."""

    @property
    def values(self) -> FloatArray:
        """χ (M,)."""
        ...

    def jvp(self, displacement: FloatArray) -> FloatArray:
        """∂χ_ℓ/∂r·dr, (M,)."""
        ...

    def vjp(self, weights: FloatArray) -> FloatArray:
        """∂(Σ a_ℓ χ_ℓ)/∂r, (M, 3)."""
        ...


class ConstantElectronegativity:
    """χ of the element alone."""

    def __init__(self, values: FloatArray) -> None:
        self.values = values

    def jvp(self, displacement: FloatArray) -> FloatArray:
        """Zero (M,)."""
        return np.zeros_like(self.values)

    def vjp(self, weights: FloatArray) -> FloatArray:
        """Zero (M, 3)."""
        return np.zeros((len(self.values), 3))


class QuadraticCharges(ChargeState):
    """E_ℓ = χ_ℓ(r) q_ℓ + ½ U_ℓ q_ℓ².

    Args:
        charges: q (M,). electronegativity: χ(r). hardness: U (M,), Hartree, any sign.
    """

    def __init__(
        self, charges: FloatArray, electronegativity: Electronegativity, hardness: FloatArray
    ) -> None:
        super().__init__(charges)
        self._chi, self._hardness = electronegativity, hardness

    @property
    def site_energies(self) -> FloatArray:
        q = self.features
        return q * (self._chi.values + 0.5 * self._hardness * q)

    def site_energies_jvp(self, direction: FloatArray) -> FloatArray:
        return self.feature_energy_vjp() * direction

    def site_energies_position_jvp(self, displacement: FloatArray) -> FloatArray:
        return self.features * self._chi.jvp(displacement)

    def feature_energy_vjp(self) -> FloatArray:
        return self._chi.values + self._hardness * self.features

    def feature_energy_second_vjp(self, direction: FloatArray) -> FloatArray:
        return self._hardness * direction

    def feature_energy_position_vjp(self) -> FloatArray:
        return self._chi.vjp(self.features)

    def feature_energy_second_position_vjp(self, displacement: FloatArray) -> FloatArray:
        return self._chi.jvp(displacement)

    def feature_energy_position_vjp_along(self, direction: FloatArray) -> FloatArray:
        return self._chi.vjp(direction)
