r"""CENT: charge equilibration with electronegativities of the environment, eq. (1.3).

    E(r, q) = Σ_ℓ [χ_ℓ(r) q_ℓ + ½ U_ℓ q_ℓ²] + ½ Σ_ℓk q_ℓ q_k J_ℓk(r),      Σ q_ℓ = Q,
    J_ℓk = erf(τ_ℓk r_ℓk)/r_ℓk,  τ_ℓk = 1/√(2(σ_ℓ² + σ_k²)),      J_ℓℓ = 1/(σ_ℓ√π)

for charges spread as m_ℓ ∝ e^{−x²/2σ_ℓ²}: S. A. Ghasemi, A. Hofstetter, S. Saha, S. Goedecker,
Phys. Rev. B 92 (2015) 045131, whose α is √2 σ. (They take χ_ℓ from a neural network; J is the Ewald
sum in a cell periodic in all three directions.) As a local model v̂ = q and E_ℓ = χ_ℓ q + ½ U q²,
local because χ_ℓ is.

A *parameterisation* supplies χ(r), U and σ; the one that ships is :class:`.eeq_2019.EEQ2019`. U may
be negative as long as U + J is positive definite for charges of a given sum: EEQ-2019 has such
elements (H, Mn, …), so that a solution's stability is looked at and not taken for granted.

:func:`scc.equilibration.equilibrate` solves the general problem; for thousands of atoms
:func:`scc.equilibration.linear_charges.linear_charges` solves the same linear equations faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipole_coulomb import MultipoleCoulomb
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.errors import InputError
from scc.models.charge_state import Electronegativity, QuadraticCharges
from scc.models.eeq_2019 import EEQ2019


class Parameterisation(Protocol):
    """χ(r), U and σ of every atom; each raises InputError for an element without parameters."""

    def electronegativity(self, configuration: Configuration) -> Electronegativity:
        """χ(r) with its derivatives, Hartree per elementary charge."""
        ...

    def hardness(self, configuration: Configuration) -> FloatArray:
        """U (M,), Hartree, beyond what a Gaussian does to itself."""
        ...

    def widths(self, configuration: Configuration) -> FloatArray:
        """σ (M,), bohr, > 0."""
        ...


@dataclass(frozen=True)
class CENT:
    """The model; ``prepare`` binds it to a geometry."""

    parameters: Parameterisation = field(default_factory=EEQ2019)
    name: str = "cent"

    def prepare(
        self,
        configuration: Configuration,
        *,
        external: Sequence[UniformField | ExternalCharges] = (),
    ) -> BoundCENT:
        """Bind to a geometry.

        Args:
            external: fields and charges, in the sign of ρ − ν.
        Raises:
            InputError: an element without parameters; parameters that are not finite, or a width
                that is not positive, naming the atom.
        """
        chi = self.parameters.electronegativity(configuration)
        hardness = self.parameters.hardness(configuration)
        widths = self.parameters.widths(configuration)
        named = {"electronegativity": chi.values, "hardness": hardness, "width": widths}
        for name, values in named.items():
            for atom in np.flatnonzero(~np.isfinite(values)):
                raise InputError(f"{name} of atom {atom} is {values[atom]}, must be finite")
        for atom in np.flatnonzero(widths <= 0.0):
            raise InputError(f"width of the charge on atom {atom} is {widths[atom]}, must be > 0")
        return BoundCENT(configuration, chi, hardness, widths, tuple(external))


class BoundCENT:
    """E(r, ·) at one geometry; v̂ = q."""

    affine = True

    def __init__(
        self,
        configuration: Configuration,
        electronegativity: Electronegativity,
        hardness: FloatArray,
        widths: FloatArray,
        external: tuple[UniformField | ExternalCharges, ...] = (),
    ) -> None:
        self.configuration = configuration
        self.feature_shape = (len(configuration),)
        self.electronegativity, self.hardness = electronegativity, hardness
        self.widths, self.external = widths, external

    @property
    def convex(self) -> bool:
        """Whether U > 0: J ≻ 0 then makes everything positive."""
        return bool(np.all(self.hardness > 0.0))

    @cached_property
    def electrostatics(self) -> tuple[MultipoleCoulomb]:
        """½ qᵀJq, self-energies included."""
        return (MultipoleCoulomb(self.configuration, self.widths, external=self.external),)

    @cached_property
    def curvature(self) -> FloatArray:
        """U + J_ℓℓ (M,), or J_ℓℓ where that is not positive."""
        own = 1.0 / (np.sqrt(np.pi) * self.widths)
        return np.asarray(np.where(own + self.hardness > 0.0, own + self.hardness, own))

    def evaluate(self, features: FloatArray) -> QuadraticCharges:
        """E_ℓ = χ_ℓ(r) q + ½ U q² and D = −q."""
        return QuadraticCharges(features, self.electronegativity, self.hardness)
