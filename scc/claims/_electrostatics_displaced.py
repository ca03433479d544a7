r"""Dipoles as pairs of displaced charges: the scheme, and the error that it must have.

One-sided, a site's charge and dipole become charges d_i/h at r + h e_i along three fixed axes and
what is left of q at r; central, ±d_i/2h at r ± h e_i. In front of a Gaussian,

    Σ_i d_i (e^{h∂_i} − 1)/h = d·∇ + (h/2) Σ_i d_i ∂_i² + O(h²),
    Σ_i d_i sinh(h∂_i)/h     = d·∇ + (h²/6) Σ_i d_i ∂_i³ + O(h⁴)       (∂ by the site's position),

so one-sided displacement adds second moments h d_i along the fixed axes, whose traceless part is a
quadrupole (the trace is felt by overlapping Gaussians only), and central displacement third
moments. They turn neither with the dipole nor with the cluster. With U_a the potential, smeared by
site a's own width, of all other sites, the energy is wrong by

    h Σ_a Σ_i ½ d_ai ∂_i² U_a    or    h² Σ_a Σ_i (1/6) d_ai ∂_i³ U_a .

The step in use is 0.02 Å for energies and 0.1 Å for features: ACEsuit/mace#1719 reports energies of
SO2 that change by 2 meV when it turns; WillBaldwin0/graph_electrostatics#8 replaces the scheme.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import erf

from scc.arrays import FloatArray
from scc.basis.polynomials import monomial_count, monomial_index, sum_index
from scc.electrostatics.derivative_tensors import derivative_tensors
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.moments import parities


@dataclass(frozen=True)
class Dipoles:
    """Gaussians of one width with charges and dipoles.

    Attributes:
        positions: (M, 3), bohr.
        charges: (M,).
        dipoles: (M, 3), e bohr.
        width: σ, bohr.
    """

    positions: FloatArray
    charges: FloatArray
    dipoles: FloatArray
    width: float

    @property
    def multipoles(self) -> FloatArray:
        """(M, 4), index λ²+λ+µ."""
        return np.column_stack([self.charges, self.dipoles[:, [1, 2, 0]]])

    def turned(self, rotation: FloatArray) -> Dipoles:
        """Positions and dipoles turned by the (3, 3) rotation."""
        return Dipoles(
            self.positions @ rotation.T, self.charges, self.dipoles @ rotation.T, self.width
        )


def displaced_charges(
    system: Dipoles, step: float, central: bool, precision: type = np.float64
) -> tuple[Any, Any]:
    """Positions (M, n, 3) and charges (M, n) that stand for the dipoles, n = 4 or 7."""
    arms = np.concatenate([np.eye(3), -np.eye(3)]) if central else np.eye(3)
    offsets = np.concatenate([np.zeros((1, 3)), step * arms])
    sign = arms.sum(axis=1) / (2.0 * step if central else step)
    arm_charges = sign * system.dipoles[:, np.argmax(np.abs(arms), axis=1)]
    centre = system.charges - arm_charges.sum(axis=1)
    places: Any = system.positions[:, None].astype(precision) + offsets.astype(precision)
    return places, np.column_stack([centre, arm_charges]).astype(precision)


def displaced_energy(
    system: Dipoles, step: float, central: bool, precision: type = np.float64
) -> float:
    """½ Σ q q' erf(r/2σ)/r over charges of different sites, Hartree; sums in ``precision``."""
    places, charges = displaced_charges(system, step, central, precision)
    return 0.5 * float(np.sum(charges * _potential(system.width, places, places, charges)))


def displaced_features(
    system: Dipoles, probe_width: float, step: float, central: bool
) -> FloatArray:
    """v̂ (M, 4) for λ ≤ 1 without self-interaction: the potential and its divided differences."""
    places, charges = displaced_charges(system, step, central)
    width = float(np.sqrt(0.5 * (system.width**2 + probe_width**2)))
    potential = _potential(width, places, places, charges)
    if central:
        slopes = (potential[:, 1:4] - potential[:, 4:7]) / (2.0 * step)
    else:
        slopes = (potential[:, 1:4] - potential[:, :1]) / step
    return np.column_stack([potential[:, :1], slopes[:, [1, 2, 0]]])


def _potential(width: float, targets: Any, sources: Any, charges: Any) -> Any:
    """Σ q erf(r/2σ)/r at (M, n, 3) of the charges of other sites."""
    separation = targets[:, :, None, None] - sources
    distance = np.sqrt(np.sum(separation**2, axis=-1))  # (M, n, M, n)
    own = np.arange(len(targets))
    distance[own, :, own] = 1.0
    kernel = erf(distance * charges.dtype.type(0.5 / width)) / distance
    kernel[own, :, own] = 0.0
    return np.einsum("anbm,bm->an", kernel, charges)


def leading_energy_error(system: Dipoles, central: bool) -> float:
    """The coefficient of h (one-sided) or h² (central) in the energy, Hartree/bohr^power."""
    power = 3 if central else 2
    moments = np.column_stack([system.charges, system.dipoles])
    derivatives = _derivatives(system, system.width, moments, power)
    pure = derivatives[:, _pure(power)]
    return float(np.sum(system.dipoles * pure)) / (6.0 if central else 2.0)


def leading_feature_error(system: Dipoles, probe_width: float, central: bool) -> FloatArray:
    """The coefficient of h (one-sided) or h² (central) in v̂ (M, 4)."""
    power = 3 if central else 2
    factor = 1.0 / (6.0 if central else 2.0)
    moments = np.column_stack([system.charges, system.dipoles])
    exact = _derivatives(system, probe_width, moments, power)
    added = np.zeros((len(moments), monomial_count(power)))
    added[:, _pure(power)] = factor * system.dipoles
    change = _derivatives(system, probe_width, added, 1)
    slopes = change[:, 1:4] + factor * exact[:, _pure(power)]
    return np.column_stack([change[:, :1], slopes[:, [1, 2, 0]]])


def _pure(power: int) -> list[int]:
    """Positions of x^power, y^power, z^power among the monomials."""
    index = monomial_index(power)
    return [index[power, 0, 0], index[0, power, 0], index[0, 0, power]]


def _derivatives(
    system: Dipoles, probe_width: float, moments: FloatArray, order: int
) -> FloatArray:
    """∂^t U_a, |t| ≤ order, (M, n_t), of Cartesian moments (M, n_s) of all other sites."""
    source_order = next(n for n in range(4) if monomial_count(n) == moments.shape[1])
    separation = system.positions[:, None] - system.positions
    squared = np.sum(separation**2, axis=-1)
    own = np.arange(len(moments))
    squared[own, own] = 1.0
    variance = np.full_like(squared, system.width**2 + probe_width**2)
    radial = CoulombKernel().derivatives(order + source_order, variance, squared)
    radial[:, own, own] = 0.0
    tensor = derivative_tensors(radial, separation)[sum_index(order, source_order)]
    signed = moments * parities(source_order)
    return np.asarray(np.einsum("tsab,bs->at", tensor, signed, optimize=True))
