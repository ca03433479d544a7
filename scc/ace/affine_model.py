"""What the forms of a fitted model have in common as local models with p affine in v̂.

:class:`.model.FittedModel` and :class:`.variational_model.VariationalModel` differ in what p(r, v̂)
and E_i(r, v̂) are; how v̂ is checked, closed and counted in electrons is the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from ase.data import atomic_numbers

from scc.ace.features import FeatureSet
from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.multipoles.projection import ProjectionOperator, projection_operator
from scc.errors import InputError


class AffineModel(ABC):
    """Parameters: features, and the width of the density functions."""

    @property
    @abstractmethod
    def width(self) -> float:
        """σ_ρ of the Gaussian density functions, bohr."""

    @property
    @abstractmethod
    def features(self) -> FeatureSet:
        """Widths and largest λ of the potential features."""

    def operator(
        self,
        configuration: Configuration,
        external: Sequence[UniformField | ExternalCharges] = (),
        tolerance: float = 1e-10,
    ) -> ProjectionOperator:
        """v̂ = K p + v̂_ext and E_H for this model's widths; see :func:`projection_operator`."""
        return projection_operator(
            configuration,
            self.width,
            self.features.widths,
            self.features.l_max,
            external=external,
            tolerance=tolerance,
        )


class BoundAffineModel:
    """A model at one geometry of M atoms; v̂ has shape (M, F)."""

    affine = True

    def __init__(self, configuration: Configuration, features: FeatureSet) -> None:
        self.configuration = configuration
        self.feature_shape = (len(configuration), features.n_features)
        self.nuclear_charges = np.array([float(atomic_numbers[s]) for s in configuration.species])
        """Z_i (M,), all electrons counted."""

    def checked(self, features: FloatArray) -> FloatArray:
        """v̂ in float64. InputError for another shape, NaN or infinity."""
        features = np.asarray(features, dtype=np.float64)
        if features.shape != self.feature_shape:
            raise InputError(
                f"features have shape {features.shape}, the model expects {self.feature_shape}"
            )
        if not np.all(np.isfinite(features)):
            raise InputError("features contain NaN or infinity")
        return features


class AffineState(ABC):
    """What follows from p and E_i at one (r, v̂) whatever they are; Hartree, bohr, e."""

    def __init__(self, nuclear_charges: FloatArray, features: FloatArray) -> None:
        self._nuclear_charges, self.features = nuclear_charges, features

    @property
    @abstractmethod
    def density(self) -> FloatArray:
        """p (M, 9), multipoles of ρ − ν."""

    @property
    @abstractmethod
    def site_energies(self) -> FloatArray:
        """E_i (M,)."""

    @abstractmethod
    def density_jvp(self, direction: FloatArray) -> FloatArray:
        """χ dv̂, (M, 9)."""

    @abstractmethod
    def density_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """∂p/∂r·dr at fixed v̂, (M, 9)."""

    @property
    def feature_energy(self) -> float:
        """Σ_i E_i."""
        return float(np.sum(self.site_energies))

    @property
    def populations(self) -> FloatArray:
        """Electrons on each atom, Z_i + p_i00, (M,)."""
        return self._nuclear_charges + self.density[:, 0]

    def populations_jvp(self, direction: FloatArray) -> FloatArray:
        """dp_00 along dv̂, (M,)."""
        return self.density_jvp(direction)[:, 0]

    def populations_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """dp_00 along dr at fixed v̂, (M,)."""
        return self.density_position_jvp(displacement)[:, 0]

    def density_second_vjp(self, direction: FloatArray, potential: FloatArray) -> FloatArray:
        """⟨∂²p/∂v̂²[dv̂, ·], A⟩ = 0, (M, F): p is affine in v̂."""
        return np.zeros_like(self.features)
