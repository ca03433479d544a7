r"""The Coulomb energy of atom-centred Gaussian or point multipoles as a density term.

    E(D) = ½ ⟨D, J D⟩ + ⟨D, U_ext⟩,    V = ∂E/∂D = J D + U_ext,

D are the multipoles of n = ρ − ν, *electrons in excess* (for charges D = −q, q the net charge):
(M,) for l_max = 0, else (M, (l_max+1)²). J, its conventions in periodic cells and its accuracy are
those of :class:`.multipoles.electrostatics.MultipoleElectrostatics`: Gaussians interact with
themselves, J_ℓℓ = 1/(σ_ℓ√π), points do not. Up to ``LARGEST_PAIRWISE`` charges in open boundaries
keep J as a matrix (exact to rounding, fast to apply again and again); the rest is matrix-free.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.gaussian_charges import OpenInteraction
from scc.electrostatics.multipoles.electrostatics import MultipoleElectrostatics
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.radial import coulomb_radial, coulomb_radial_slope

LARGEST_PAIRWISE = 3000
"""Charges in open boundaries up to which J is kept: 72 MB, and as much again for its slope."""


class MultipoleCoulomb:
    """A :class:`scc.functional.terms.DensityTerm` (see the module docstring); Hartree, bohr.

    Args:
        configuration: positions, cell.
        widths: σ ≥ 0, bohr, of m ∝ e^{−x²/2σ²}: one number, one per atom, or one per species
            {"O": 1.0, …}; 0 is a point.
        l_max: largest λ.
        external: fields and charges, in the sign of ρ − ν.
        method, tolerance: of the matrix-free operator.
    Raises:
        InputError: as MultipoleElectrostatics.
    """

    def __init__(
        self,
        configuration: Configuration,
        widths: FloatArray | float | Mapping[str, float],
        l_max: int = 0,
        *,
        external: Sequence[UniformField | ExternalCharges] = (),
        method: str = "auto",
        tolerance: float = 1e-10,
    ) -> None:
        few = l_max == 0 and len(configuration) <= LARGEST_PAIRWISE
        pairwise = few and method == "auto" and not any(configuration.periodic)
        self.operator = MultipoleElectrostatics(
            configuration,
            widths,
            l_max,
            external=external,
            method="direct" if pairwise else method,
            tolerance=tolerance,
        )
        sites = self.operator.sites
        self._shape = (len(sites),) if l_max == 0 else (len(sites), sites.n_components)
        self._pairs = OpenCharges(sites.positions, np.sqrt(sites.variances)) if pairwise else None
        self._external = bool(external)

    @cached_property
    def convex(self) -> bool:
        """Whether J ⪰ 0 for certain: all are Gaussians (points leave out their own energy)."""
        return bool(np.all(self.operator.sites.variances > 0.0))

    @property
    def matrix(self) -> FloatArray | None:
        """J (M, M), Hartree, where it is kept."""
        return None if self._pairs is None else self._pairs.matrix

    @property
    def own(self) -> FloatArray:
        """J_ℓℓ = 1/(σ_ℓ√π) (M,), Hartree, images left out; 0 for points."""
        width = np.sqrt(self.operator.sites.variances)
        smeared = width > 0.0
        return np.where(smeared, 1.0 / (np.sqrt(np.pi) * np.where(smeared, width, 1.0)), 0.0)

    def energy(self, density: FloatArray) -> float:
        """E(D), Hartree."""
        if self._pairs is None:
            return self.operator.energy(density)
        outside = self._outside_potential
        return float(np.vdot(density, 0.5 * (self._pairs.matrix @ density) + outside))

    def potential(self, density: FloatArray) -> FloatArray:
        """V = J D + U_ext, the shape of D, felt by an electron."""
        if self._pairs is None:
            return self.operator.potential(density).reshape(self._shape)
        return np.asarray(self._pairs.matrix @ density + self._outside_potential)

    def kernel(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        """J dD."""
        if self._pairs is None:
            return self.operator.kernel(direction).reshape(self._shape)
        return np.asarray(self._pairs.matrix @ direction)

    def position_gradient(self, density: FloatArray) -> FloatArray:
        """∂E/∂r at fixed D, (M, 3), Hartree/bohr."""
        if self._pairs is None:
            return -self.operator.forces(density)
        gradient = 0.5 * self._pairs.position_contract(density, density)
        if self._external:
            gradient = gradient + density[:, None] * self.operator.external_field.gradient[:, 0]
        return gradient

    def potential_position_jvp(self, density: FloatArray, displacement: FloatArray) -> FloatArray:
        """∂V/∂r·dr at fixed D, the shape of D, for dr (M, 3)."""
        if self._pairs is None:
            moved = self.operator.potential_jvp_positions(density, displacement)
            return moved.reshape(self._shape)
        change = self._pairs.position_jvp(density, displacement)
        if self._external:
            slope = self.operator.external_field.gradient[:, 0]
            change = change + np.sum(slope * displacement, axis=1)
        return change

    def site_energies(self, density: FloatArray) -> None:
        """None: electrostatics is the non-local part, (3.2) keeps it whole."""
        return None

    @property
    def _outside_potential(self) -> FloatArray:
        return self.operator.external_field.potential.reshape(self._shape)


class OpenCharges(OpenInteraction):
    """J_ℓk of charges some of which may be points: 1/r between two points, 0 for a point's own."""

    def __init__(self, positions: FloatArray, widths: FloatArray) -> None:
        self._positions = positions
        variance = widths[:, None] ** 2 + widths[None, :] ** 2
        self._points = variance == 0.0
        self._tau = 1.0 / np.sqrt(2.0 * np.where(self._points, 1.0, variance))

    @cached_property
    def matrix(self) -> FloatArray:
        """J (M, M), Hartree."""
        smeared = coulomb_radial(self._distances, self._tau)
        return self._with_points(smeared, -1)

    @cached_property
    def _slope(self) -> FloatArray:
        smeared = coulomb_radial_slope(self._distances, self._tau)
        return -self._with_points(-smeared, -3)

    def _with_points(self, smeared: FloatArray, power: int) -> FloatArray:
        apart = self._points & (self._distances > 0.0)
        smeared[self._points] = 0.0
        smeared[apart] = self._distances[apart] ** power
        return smeared
