r"""BpopNN-like: one nonlinear local function of environments and charges, minimised over charges.

Eq. (1.4) of the paper, after X. Xie, K. A. Persson and D. W. Small, J. Chem. Theory Comput. 16,
4256 (2020): the energy is a learned function of positions *and* of atomic populations, and the
populations of a molecule are those that minimise it,

    E(r) = min_q { Σ_i [½ η_{Z_i} (q_i − q̄_{Z_i})² + f_{Z_i}(G_i(r), q)] + ½ Σ_ij q_i J_ij(r) q_j },

under Σ_i q_i = Q, J the Coulomb interaction of Gaussian charges, their own energies included. In
the original f is a Behler–Parrinello network on symmetry functions that carry populations of centre
and neighbours; here it is the polynomial of :class:`.charge_energy.ChargeEnergy`, nonlinear in both
and linear in its parameters. f need not be convex: whether a solution is a minimum, the Hessian
says, and there may be others. Solvers start from q = q̄, about which f is made.

E is stationary in q (closure *direct*, eq. (1.5)): forces are partial derivatives. Hartree, bohr,
e.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scc.ace.coefficients import checked_width
from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipole_coulomb import MultipoleCoulomb
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.functional.direct_functional import DirectFunctional
from scc.schemes.charge_energy import BoundChargeEnergy, ChargeEnergy, ChargeEnergyState

External = Sequence[UniformField | ExternalCharges]


@dataclass(frozen=True, eq=False)
class BpopnnModel:
    """Parameters: f, the width σ of the Gaussian charges (bohr), and where they come from.

    Raises
    ------
    InputError: a width that is not positive.
    """

    name: str
    energy: ChargeEnergy
    width: float
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", checked_width(self.width, "charge"))

    @property
    def species(self) -> tuple[str, ...]:
        """Elements with parameters."""
        return self.energy.energy.specification.species

    @property
    def cutoff(self) -> float:
        """Beyond it, bohr, nothing of a site depends on positions or charges."""
        return self.energy.energy.specification.cutoff

    def prepare(self, configuration: Configuration, external: External = ()) -> BoundBpopnn:
        """Bind to a geometry. InputError for an element without parameters."""
        return BoundBpopnn(self, configuration, external)

    def functional(
        self, configuration: Configuration, external: External = (), total_charge: float = 0.0
    ) -> DirectFunctional:
        """E(r, q) under Σ q = Q, in the potential of external charges and fields."""
        return DirectFunctional(self.prepare(configuration, external), total_charge=total_charge)


class BoundBpopnn:
    """E_i(r, ·) at one geometry, v̂ = q (M,), and its electrostatics."""

    affine = False
    convex = False

    def __init__(
        self, model: BpopnnModel, configuration: Configuration, external: External
    ) -> None:
        self.model, self.configuration = model, configuration
        self.feature_shape = (len(configuration),)
        self._energy: BoundChargeEnergy = model.energy.prepare(configuration)
        own = 1.0 / (np.sqrt(np.pi) * model.width)
        stiff = model.energy.hardness[self._energy.kind] + own
        self.guess = model.energy.features.means[self._energy.kind]  # f is made for q near them
        self.curvature: FloatArray = np.where(stiff > 0.0, stiff, own)  # without that of f
        self.electrostatics = (MultipoleCoulomb(configuration, model.width, external=external),)

    def evaluate(self, features: FloatArray) -> ChargeEnergyState:
        """E_i at q (M,). InputError for another shape or values that are not finite."""
        return self._energy.evaluate(features)
