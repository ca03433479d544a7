r"""The local energy: Σ_i E_i(r, v̂), linear in coefficients and at most quadratic in v̂.

    E_i = E^{Z_i} + Σ_α c^{Z_i}_α B⁰_α(i)

with basis functions of feature degree at most two. The Hartree energy of the density is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scc.ace.basis import Basis, BasisState, BoundBasis
from scc.ace.coefficients import checked_coefficients
from scc.ace.compiled import CompiledCoefficients
from scc.ace.specification import BasisSpecification
from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError


@dataclass(frozen=True, eq=False)
class EnergyModel:
    """Parameters of E_i(r, v̂), Hartree.

    Attributes
    ----------
    specification: of the basis: output 0 only.
    coefficients: (n_species, n_0).
    constants: E^Z, (n_species,).

    Raises
    ------
    InputError: shapes that do not belong to the specification, values that are not finite.
    """

    specification: BasisSpecification
    coefficients: FloatArray
    constants: FloatArray

    def __post_init__(self) -> None:
        put = object.__setattr__
        if tuple(self.specification.l_out) != (0,):
            raise InputError(f"an energy has output 0, not {self.specification.l_out}")
        basis = Basis(self.specification)
        n_species = len(self.specification.species)
        shape = (n_species, basis.functions(0))
        put(self, "coefficients", checked_coefficients(self.coefficients, shape, "the energy"))
        put(self, "constants", checked_coefficients(self.constants, (n_species,), "the constants"))
        put(self, "_basis", basis)
        put(self, "_compiled", basis.compile({0: self.coefficients[:, :, None]}))

    def prepare(self, configuration: Configuration) -> BoundEnergy:
        """Bind to a geometry. InputError for an element without parameters."""
        basis: Basis = self._basis  # type: ignore[attr-defined]
        compiled: CompiledCoefficients = self._compiled  # type: ignore[attr-defined]
        bound = basis.prepare(configuration)
        return BoundEnergy(compiled, self.constants[bound.kind], bound)


class BoundEnergy:
    """E_i(r, ·) at one geometry."""

    def __init__(
        self, coefficients: CompiledCoefficients, constants: FloatArray, basis: BoundBasis
    ) -> None:
        self.coefficients, self.constants, self._basis = coefficients, constants, basis

    def evaluate(self, features: FloatArray) -> EnergyState:
        """E_i and their derivatives at v̂ (M, F)."""
        return EnergyState(self, self._basis.evaluate(features))


class EnergyState:
    """E_i(r, v̂) and their derivative products at one (r, v̂)."""

    def __init__(self, bound: BoundEnergy, basis: BasisState) -> None:
        self._coefficients, self._basis = bound.coefficients, basis
        self.site_energies = bound.constants + basis.contract(self._coefficients)[0][:, 0, 0]
        """E_i (M,), Hartree."""

    def jvp(
        self, displacement: FloatArray | None = None, direction: FloatArray | None = None
    ) -> FloatArray:
        """dE_i (M,) along dr (M, 3) and dv̂ (M, F)."""
        change = self._basis.jvp(self._coefficients, displacement, direction)
        return np.asarray(change[0][:, 0, 0])

    def vjp(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(∂/∂r (M, 3), ∂/∂v̂ (M, F)) of Σ_i a_i E_i for a (M,)."""
        return self._basis.vjp(self._coefficients, {0: weights[:, None, None]})
