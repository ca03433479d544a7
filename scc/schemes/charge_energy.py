r"""A local energy of positions and charges: a hardness, and a polynomial in both,

    E_i(r, q) = ½ η_{Z_i} (q_i − q̄_{Z_i})² + Σ_α c^{Z_i}_α B⁰_α(i; r, φ(q)).

B⁰ are the invariants of :mod:`scc.ace.basis` with the charge features φ of :mod:`.charge_features`
in place of potentials; q (M,) are net charges. E_i depends on positions and charges within the
cut-off of i only. In φ the sum is quadratic, so that half the difference of its gradients at φ ± δ
is their derivative along δ without truncation error:

    ∂²E/∂q∂q' = φ' (∂²E/∂φ∂φ) φ' + diag(φ'' ∂E/∂φ + η),       ∂²E/∂r∂q = (∂²E/∂r∂φ) φ'.

Hartree, bohr, e.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scc.ace.energy_model import BoundEnergy, EnergyModel, EnergyState
from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.errors import InputError
from scc.models.charge_state import ChargeState
from scc.schemes.charge_features import ChargeFeatures, feature_set


@dataclass(frozen=True, eq=False)
class ChargeEnergy:
    """Parameters of E_i(r, q).

    Attributes
    ----------
    energy: coefficients of a basis whose features are φ.
    features: φ.
    hardness: η (n_species,), Hartree/e².

    Raises
    ------
    InputError: other features in the basis, means or hardness of another number of elements.
    """

    energy: EnergyModel
    features: ChargeFeatures
    hardness: FloatArray

    def __post_init__(self) -> None:
        hardness = np.array(self.hardness, dtype=np.float64)
        hardness.flags.writeable = False
        object.__setattr__(self, "hardness", hardness)
        specification = self.energy.specification
        if specification.features != feature_set(self.features.powers):
            raise InputError(f"not features of charges: {specification.features}")
        if len(self.features.means) != len(specification.species):
            raise InputError(
                f"{len(self.features.means)} mean charges for the elements {specification.species}"
            )
        if hardness.shape != self.features.means.shape or not np.all(np.isfinite(hardness)):
            raise InputError(f"hardness of the elements {specification.species} is {hardness}")

    def prepare(self, configuration: Configuration) -> BoundChargeEnergy:
        """Bind to a geometry. InputError for an element without parameters."""
        return BoundChargeEnergy(self, configuration)


class BoundChargeEnergy:
    """E_i(r, ·) at one geometry."""

    def __init__(self, model: ChargeEnergy, configuration: Configuration) -> None:
        self.model, self.configuration = model, configuration
        self.energy: BoundEnergy = model.energy.prepare(configuration)
        species = model.energy.specification.species
        self.kind: IntArray = np.array([species.index(s) for s in configuration.species])

    def evaluate(self, charges: FloatArray) -> ChargeEnergyState:
        """E_i at q (M,). InputError for another shape or values that are not finite."""
        return ChargeEnergyState(self, checked_charges(charges, len(self.kind)))


class ChargeEnergyState(ChargeState):
    """E_i(r, q) and their derivative products at one (r, q)."""

    def __init__(self, bound: BoundChargeEnergy, charges: FloatArray) -> None:
        super().__init__(charges)
        self._bound = bound
        self._phi = bound.model.features(charges, bound.kind)
        self._state = bound.energy.evaluate(self._phi.values)
        self._hardness = bound.model.hardness[bound.kind]
        self._off = charges - bound.model.features.means[bound.kind]

    @property
    def site_energies(self) -> FloatArray:
        """E_i (M,)."""
        return self._state.site_energies + 0.5 * self._hardness * self._off**2

    def site_energies_jvp(self, direction: FloatArray) -> FloatArray:
        own = self._hardness * self._off * direction
        return self._state.jvp(None, self._phi.slopes * direction[:, None]) + own

    def site_energies_position_jvp(self, displacement: FloatArray) -> FloatArray:
        return self._state.jvp(displacement, None)

    def site_energies_vjp(self, weights: FloatArray) -> FloatArray:
        """∂Σ a_i E_i/∂q, (M,)."""
        own = weights * self._hardness * self._off
        return np.asarray(np.sum(self._state.vjp(weights)[1] * self._phi.slopes, axis=1) + own)

    def site_energies_position_vjp(self, weights: FloatArray) -> FloatArray:
        """∂Σ a_i E_i/∂r at fixed q, (M, 3)."""
        return self._state.vjp(weights)[0]

    def feature_energy_vjp(self) -> FloatArray:
        own = self._hardness * self._off
        return np.asarray(np.sum(self._gradient[1] * self._phi.slopes, axis=1) + own)

    def feature_energy_position_vjp(self) -> FloatArray:
        return self._gradient[0]

    def feature_energy_second_vjp(self, direction: FloatArray) -> FloatArray:
        change = self._along(direction)[1]
        bent = self._phi.curvatures * self._gradient[1] * direction[:, None]
        own = self._hardness * direction
        return np.asarray(np.sum(change * self._phi.slopes + bent, axis=1) + own)

    def feature_energy_position_vjp_along(self, direction: FloatArray) -> FloatArray:
        return self._along(direction)[0]

    def feature_energy_second_position_vjp(self, displacement: FloatArray) -> FloatArray:
        """∂_r(∂ΣE/∂q)·dr, (M,): one evaluation an atom, for small systems."""
        units = np.eye(len(self.charges))
        along = [self.feature_energy_position_vjp_along(unit) for unit in units]
        return np.array([float(np.vdot(change, displacement)) for change in along])

    @cached_property
    def _gradient(self) -> tuple[FloatArray, FloatArray]:
        """(∂/∂r (M, 3), ∂/∂φ (M, F)) of Σ E_i."""
        return self._gradient_at(self._phi.values)

    def _along(self, direction: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The change of :attr:`_gradient` along dφ = φ' dq: exact for any step, so for one like φ.

        A step as small as dq may be would leave little of the difference but rounding.
        """
        change = self._phi.slopes * direction[:, None]
        size = float(np.max(np.abs(change), initial=0.0))
        if size == 0.0:
            return np.zeros((len(direction), 3)), np.zeros_like(change)
        step = change / size
        ahead = self._gradient_at(self._phi.values + step)
        behind = self._gradient_at(self._phi.values - step)
        half = 0.5 * size
        return half * (ahead[0] - behind[0]), half * (ahead[1] - behind[1])

    def _gradient_at(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        state: EnergyState = self._bound.energy.evaluate(features)
        return state.vjp(np.ones(len(self.charges)))


def checked_charges(charges: FloatArray, number: int) -> FloatArray:
    """q (M,) in float64. InputError for another shape, NaN or infinity."""
    charges = np.asarray(charges, dtype=np.float64)
    if charges.shape != (number,):
        raise InputError(f"charges have shape {charges.shape}, expected ({number},)")
    if not np.all(np.isfinite(charges)):
        raise InputError("charges contain NaN or infinity")
    return charges
