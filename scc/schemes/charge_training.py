r"""Labelled clusters as schemes of charges see them, and the linear algebra of Σ q = 0.

Both fits ask how charges that solve R(q) = λ, Σ q = 0, move when R changes by dR:

    dq = −S dR,     S = Z (ZᵀHZ)⁻¹ Zᵀ,     H = ∂R/∂q,   Z an orthonormal basis of {Σ dq = 0}.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg

from scc.ace.energy_fit import EnergyDesign
from scc.ace.reference_frame import ReferenceFrame
from scc.ace.reference_set import ReferenceSet
from scc.arrays import BoolArray, FloatArray, IntArray
from scc.electrostatics.multipole_coulomb import MultipoleCoulomb
from scc.schemes.reference_charges import reference_charges, reference_response


@dataclass(frozen=True)
class ChargeAims:
    """Errors that count as one in the fits of charges.

    Attributes
    ----------
    charge: e.
    field: strength that multiplies responses dq/d𝓔, atomic units.
    """

    charge: float = 0.005
    field: float = 0.01


class ChargeCluster:
    """A frame with its reference charges and the Coulomb interaction of Gaussians of one width."""

    def __init__(
        self, frame: ReferenceFrame, species: Sequence[str], width: float, kind: str
    ) -> None:
        self.frame = frame
        self.charges = reference_charges(frame, kind)
        """q^ref (M,), e."""
        self.response = reference_response(frame, kind)
        """dq^ref/d𝓔 (M, 3), or None."""
        self.species: IntArray = np.array([species.index(s) for s in frame.configuration.species])
        external = () if frame.external is None else (frame.external,)
        self.coulomb = MultipoleCoulomb(frame.configuration, width, external=external)

    @cached_property
    def kernel(self) -> FloatArray:
        """J (M, M)."""
        unit = np.eye(len(self.charges))
        zero = np.zeros(len(self.charges))
        return np.stack([self.coulomb.kernel(zero, column) for column in unit], axis=1)

    def electronegativity(self, charges: FloatArray) -> FloatArray:
        """∂E_elec/∂q = −V, (M,), Hartree/e."""
        return -self.coulomb.potential(-charges)

    def coulomb_energy(self, charges: FloatArray) -> float:
        """E_elec, external potential included, Hartree."""
        return self.coulomb.energy(-charges)

    def coulomb_gradient(self, charges: FloatArray) -> FloatArray:
        """∂E_elec/∂r at fixed q, (M, 3)."""
        return self.coulomb.position_gradient(-charges)

    def coulomb_mixed(self, charges: FloatArray) -> FloatArray:
        """∂²E_elec/∂r∂q (3M, M): E_elec is quadratic in q, half a difference is exact."""
        columns = [
            0.5 * (self.coulomb_gradient(charges + unit) - self.coulomb_gradient(charges - unit))
            for unit in np.eye(len(charges))
        ]
        return np.stack([column.ravel() for column in columns], axis=1)


def charge_clusters(
    training: ReferenceSet, species: Sequence[str], width: float, kind: str
) -> list[ChargeCluster]:
    """Of all frames of a set."""
    return [ChargeCluster(frame, species, width, kind) for frame in training.frames]


def mean_charges(clusters: Sequence[ChargeCluster], n_species: int) -> FloatArray:
    """Mean reference charge of each element, (n_species,), e."""
    charges = np.concatenate([cluster.charges for cluster in clusters])
    kinds = np.concatenate([cluster.species for cluster in clusters])
    return np.array([np.mean(charges[kinds == kind]) for kind in range(n_species)])


def balanced(size: int) -> FloatArray:
    """Z (M, M−1), orthonormal columns, each with sum zero."""
    return np.asarray(scipy.linalg.null_space(np.ones((1, size))))


def response_operator(hessian: FloatArray) -> FloatArray:
    """S (M, M). Raises LinAlgError where H is not positive definite on Σ dq = 0."""
    basis = balanced(len(hessian))
    factor = scipy.linalg.cho_factor(basis.T @ hessian @ basis, lower=True)
    return np.asarray(basis @ scipy.linalg.cho_solve(factor, basis.T))


def live_columns(design: EnergyDesign) -> BoolArray:
    """Columns that are not identically zero: φ_0 = 0 (``v10``) makes none, (n_columns,)."""
    dead = np.array(["v10" in label for label in design.basis.labels(0)])
    return np.append(np.tile(~dead, design.n_species), True)
