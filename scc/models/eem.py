r"""EEM, electronegativity equalisation of Mortier, Ghosh and Shankar (JACS 108 (1986) 4315), (1.2).

Point charges in open boundaries or in crystals:

    E(r, q) = Σ_ℓ [χ*_ℓ q_ℓ + η*_ℓ q_ℓ²] + ½ Σ_{ℓ≠k} q_ℓ q_k / r_ℓk,    Σ q_ℓ = Q,

so the electronegativity of an atom is χ* + 2η*q + Σ q_k/r_ℓk (η* is half of the hardness ∂²E/∂q²).
Nothing bounds E at short distance: two like atoms nearer than 1/2η* have no minimum, which an
equilibration reports as *unstable*. The published parameters belong to STO-3G Mulliken charges.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipole_coulomb import MultipoleCoulomb
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.errors import InputError
from scc.models.charge_state import ConstantElectronegativity, QuadraticCharges
from scc.units import EV


@dataclass(frozen=True)
class EEMElement:
    """χ* and η*, eV."""

    chi: float
    hardness: float


def published_elements() -> dict[str, EEMElement]:
    """The published parameters: H, C, N, O, F, Al, Si, P."""
    text = files("scc.models").joinpath("eem_elements.json").read_text(encoding="utf-8")
    return {symbol: EEMElement(**row) for symbol, row in json.loads(text)["elements"].items()}


@dataclass(frozen=True)
class EEM:
    """Parameters of EEM; ``elements``: symbol → :class:`EEMElement`."""

    elements: Mapping[str, EEMElement] = field(default_factory=published_elements)
    name: str = "eem"

    def prepare(
        self,
        configuration: Configuration,
        *,
        external: Sequence[UniformField | ExternalCharges] = (),
    ) -> BoundEEM:
        """Bind to a geometry. InputError for an element without parameters."""
        missing = sorted(set(configuration.species) - set(self.elements))
        if missing:
            raise InputError(
                f"EEM has no parameters for {missing[0]}; it has {', '.join(self.elements)}"
            )
        rows = [self.elements[symbol] for symbol in configuration.species]
        chi = np.array([row.chi for row in rows]) * EV
        hardness = 2.0 * np.array([row.hardness for row in rows]) * EV
        term = MultipoleCoulomb(configuration, 0.0, external=external)
        return BoundEEM(configuration, chi, hardness, term)


class BoundEEM:
    """E(r, ·) at one geometry; v̂ = q."""

    affine = True
    convex = False  # points have no energy of their own: J is indefinite

    def __init__(
        self,
        configuration: Configuration,
        chi: FloatArray,
        hardness: FloatArray,
        term: MultipoleCoulomb,
    ) -> None:
        self.configuration = configuration
        self.feature_shape = (len(configuration),)
        self.electrostatics = (term,)
        self.curvature = hardness
        self._chi, self._hardness = ConstantElectronegativity(chi), hardness

    def evaluate(self, features: FloatArray) -> QuadraticCharges:
        """E_ℓ = χ*q + η*q² and D = −q."""
        return QuadraticCharges(features, self._chi, self._hardness)
