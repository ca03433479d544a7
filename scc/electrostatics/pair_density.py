r"""Electrostatic energy of a pair density ρ(x) = Σ_ab D_ab φ_a(x) φ_b(x) in the field of nuclei.

    E[D] = Tr D V_nuc + ½ (D|D) + E_nn,       V_nuc,ab = −Σ_k Z_k ∬ φ_a φ_b(x) m_k(y)/|x−y|,

eq. (2.1) with the nucleus–nucleus energy added, without which forces would be unphysical. m_k is a
normalised Gaussian ∝ e^{−a_k|x−r_k|²} (Remark 1) or a point. Everything is a function of D at one
geometry; ∂/∂r moves orbitals and nuclei together at fixed D.
"""

from collections.abc import Sequence

import numpy as np

from scc.arrays import FloatArray
from scc.basis.shells import BasisSet
from scc.basis.three_centre import ThreeCentreIntegrals
from scc.electrostatics.electron_repulsion import (
    LARGEST_BYTES,
    STORED_ELEMENTS,
    ElectronRepulsion,
    require_feasible,
)
from scc.electrostatics.hermite_coulomb import coulomb_kernel
from scc.electrostatics.nuclei import checked_exponents, nuclear_repulsion, unit_charges
from scc.errors import InputError


class PairDensityCoulomb:
    """The density term E_el + E_nn of the Gaussian-orbital model; a ``DensityTerm``.

    Parameters
    ----------
    basis:
        Orbitals; nuclei sit at ``basis.positions``.
    nuclear_charges:
        Z_k (M,), zero or fractional allowed.
    nuclear_exponents:
        a_k (M,) in bohr⁻² of smeared nuclei, inf for a point; None: point nuclei.
    stored_elements:
        Largest four-index array kept in memory; larger ones are recomputed at every use.
    largest_bytes:
        Systems whose four-index array would exceed this are refused before anything is made.

    Density matrices D (n, n) count electrons (2P for closed shells). Potentials (n, n) in Hartree
    are those felt by an electron, V_ab = ∂E/∂D_ab = ∫ φ_a φ_b V.

    Raises InputError for lengths that do not match, exponents that are not positive, charges that
    are not finite, coinciding point nuclei, or a system too large.
    """

    def __init__(
        self,
        basis: BasisSet,
        nuclear_charges: FloatArray | Sequence[float],
        nuclear_exponents: FloatArray | Sequence[float] | None = None,
        *,
        stored_elements: int = STORED_ELEMENTS,
        largest_bytes: float = LARGEST_BYTES,
    ) -> None:
        require_feasible(basis, largest_bytes)
        self.basis = basis
        self.nuclear_charges = np.array(nuclear_charges, dtype=np.float64)
        if self.nuclear_charges.shape != (len(basis),):
            raise InputError(
                f"nuclear charges have shape {self.nuclear_charges.shape}, not ({len(basis)},)"
            )
        for k, charge in enumerate(self.nuclear_charges):
            if not np.isfinite(charge):
                raise InputError(f"charge {charge} of nucleus {k} is not finite")
        exponents = checked_exponents(nuclear_exponents, len(basis))
        self.nuclear_energy, self._nuclear_gradient = nuclear_repulsion(
            basis.positions, self.nuclear_charges, exponents
        )
        self._attraction = ThreeCentreIntegrals(
            basis, unit_charges(basis.positions, exponents), coulomb_kernel
        )
        self._attracting = -self.nuclear_charges[:, None]
        self._repulsion = ElectronRepulsion(basis.pair_densities, stored_elements)
        self.nuclear_potential = self._attraction.feature_matrix(self._attracting)
        """V_nuc (n, n)."""

    @property
    def convex(self) -> bool:
        """True: ½(D|D) is a square norm of ρ, the rest affine."""
        return True

    def energy(self, density: FloatArray) -> float:
        """E[D] = Tr D V_nuc + ½ (D|D) + E_nn in Hartree."""
        hartree = 0.5 * self._repulsion.coulomb_matrix(density)
        return float(np.sum(density * (self.nuclear_potential + hartree))) + self.nuclear_energy

    def potential(self, density: FloatArray) -> FloatArray:
        """V = V_nuc + J[D] (n, n)."""
        return self.nuclear_potential + self._repulsion.coulomb_matrix(density)

    def kernel(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        """dV = J[dD] (n, n); E is quadratic, so D does not matter."""
        return self._repulsion.coulomb_matrix(direction)

    def position_gradient(self, density: FloatArray) -> FloatArray:
        """∂E/∂r at fixed D (M, 3), Hartree/bohr: orbitals and nuclei move."""
        return (
            self._attraction.position_contract(density, self._attracting)
            + self._repulsion.position_gradient(density)
            + self._nuclear_gradient
        )

    def potential_position_jvp(self, density: FloatArray, displacement: FloatArray) -> FloatArray:
        """∂V/∂r · dr at fixed D for dr (M, 3): (n, n)."""
        attraction = self._attraction.position_perturb(displacement, self._attracting)
        return attraction + self._repulsion.potential_position_jvp(density, displacement)

    def site_energies(self, density: FloatArray) -> None:
        """None: the energy is long-ranged and belongs to no site."""
        return None
