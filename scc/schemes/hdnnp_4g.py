r"""4G-HDNNP-like: charges by equilibration, then a short-range energy that sees them.

After T. W. Ko, J. A. Finkler, S. Goedecker and J. Behler, Nat. Commun. 12, 398 (2021). Charges
solve the equilibration equations with environment-dependent electronegativities,

    E_QEq(r, q) = Σ_i (χ_i(r) q_i + ½ η_{Z_i} q_i²) + E_elec(r, q),   ∂E_QEq/∂q_i = λ,   Σ q = Q,
    E_elec = ½ Σ_ij q_i J_ij(r) q_j   (Gaussian charges, own energies included),

with χ and η trained on reference charges; the energy is another function of them,

    E(r) = E_elec(r, q*) + Σ_i E_i(r, q*_i),

which is not stationary in q: the equations belong to another functional than the energy, and
forces need the adjoint (closure *direct* with ``equations``). In the original χ_i and E_i are
networks on symmetry functions, E_i with the atom's own charge as one more input; here they are sums
over invariants of :mod:`scc.ace.basis`, E_i with φ(q_i) of :mod:`.charge_features` among their
factors. One σ serves all elements, where the original takes covalent radii. Hartree, bohr, e.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from scc.ace.coefficients import checked_width
from scc.ace.energy_model import BoundEnergy, EnergyModel, EnergyState
from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipole_coulomb import MultipoleCoulomb
from scc.errors import InputError
from scc.functional.direct_functional import DirectFunctional
from scc.models.charge_state import QuadraticCharges
from scc.schemes.bpopnn import External
from scc.schemes.charge_energy import (
    BoundChargeEnergy,
    ChargeEnergy,
    ChargeEnergyState,
    checked_charges,
)


@dataclass(frozen=True, eq=False)
class Hdnnp4gModel:
    """Parameters.

    Attributes
    ----------
    electronegativity: χ_i(r), Hartree/e, a sum over basis functions without features.
    hardness: η of each element (n_species,), Hartree/e², on top of the Gaussian's own 1/(σ√π).
    energy: E_i(r, q_i).
    width: σ of the Gaussian charges, bohr.

    Raises
    ------
    InputError: parts of different elements, features in χ, a hardness that is not finite.
    """

    name: str
    electronegativity: EnergyModel
    hardness: FloatArray
    energy: ChargeEnergy
    width: float
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own, other = self.electronegativity.specification, self.energy.energy.specification
        if own.species != other.species:
            raise InputError(f"different elements: {own.species}, {other.species}")
        if own.features.n_features:
            raise InputError("electronegativities depend on positions alone, not on features")
        hardness = np.array(self.hardness, dtype=np.float64)
        if hardness.shape != (len(own.species),) or not np.all(np.isfinite(hardness)):
            raise InputError(f"hardness of {own.species} is {hardness}")
        hardness.flags.writeable = False
        object.__setattr__(self, "hardness", hardness)
        object.__setattr__(self, "width", checked_width(self.width, "charge"))

    @property
    def species(self) -> tuple[str, ...]:
        """Elements with parameters."""
        return self.electronegativity.specification.species

    @property
    def cutoff(self) -> float:
        """Beyond it, bohr, nothing of a site depends on positions or charges."""
        parts = self.electronegativity, self.energy.energy
        return max(part.specification.cutoff for part in parts)

    def prepare(self, configuration: Configuration, external: External = ()) -> BoundShortRange:
        """E_i at a geometry. InputError for an element without parameters."""
        return BoundShortRange(self, configuration, _coulomb(self, configuration, external))

    def functional(
        self, configuration: Configuration, external: External = (), total_charge: float = 0.0
    ) -> DirectFunctional:
        """E(r, q) at the charges of E_QEq, in the potential of external charges and fields."""
        bound = self.prepare(configuration, external)
        charges = BoundEquilibration(self, configuration, bound.electrostatics)
        equations = DirectFunctional(charges, total_charge=total_charge)
        return DirectFunctional(bound, equations=equations)


class BoundShortRange:
    """E_i(r, ·) at one geometry, v̂ = q (M,)."""

    affine = False
    convex = False

    def __init__(
        self,
        model: Hdnnp4gModel,
        configuration: Configuration,
        electrostatics: tuple[MultipoleCoulomb, ...],
    ) -> None:
        self.model, self.configuration = model, configuration
        self.feature_shape = (len(configuration),)
        self.electrostatics = electrostatics
        self._energy: BoundChargeEnergy = model.energy.prepare(configuration)

    def evaluate(self, features: FloatArray) -> ChargeEnergyState:
        """E_i at q (M,). InputError for another shape or values that are not finite."""
        return self._energy.evaluate(features)


class BoundEquilibration:
    """χ_i(r) q_i + ½ η q_i² at one geometry."""

    affine = True

    def __init__(
        self,
        model: Hdnnp4gModel,
        configuration: Configuration,
        electrostatics: tuple[MultipoleCoulomb, ...],
    ) -> None:
        self.configuration = configuration
        self.feature_shape = (len(configuration),)
        self.electrostatics = electrostatics
        self.electronegativity = BoundElectronegativity(model.electronegativity, configuration)
        kinds = [model.species.index(symbol) for symbol in configuration.species]
        self.hardness = model.hardness[kinds]
        self.convex = bool(np.all(self.hardness > 0.0))

    def evaluate(self, features: FloatArray) -> QuadraticCharges:
        """At q (M,). InputError for another shape or values that are not finite."""
        charges = checked_charges(features, len(self.hardness))
        return QuadraticCharges(charges, self.electronegativity, self.hardness)


class BoundElectronegativity:
    """χ_i at one geometry and its derivative products."""

    def __init__(self, model: EnergyModel, configuration: Configuration) -> None:
        self._bound: BoundEnergy = model.prepare(configuration)
        self._number = len(configuration)

    @property
    def values(self) -> FloatArray:
        """χ (M,)."""
        return self._state.site_energies

    def jvp(self, displacement: FloatArray) -> FloatArray:
        """∂χ_i/∂r·dr, (M,)."""
        return self._state.jvp(displacement, None)

    def vjp(self, weights: FloatArray) -> FloatArray:
        """∂(Σ a_i χ_i)/∂r, (M, 3)."""
        return self._state.vjp(weights)[0]

    @cached_property
    def _state(self) -> EnergyState:
        return self._bound.evaluate(np.zeros((self._number, 0)))


def _coulomb(
    model: Hdnnp4gModel, configuration: Configuration, external: External
) -> tuple[MultipoleCoulomb, ...]:
    return (MultipoleCoulomb(configuration, model.width, external=external),)
