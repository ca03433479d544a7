"""On-site (self-consistent-charge) tight binding: H = H⁰(r) + diag(v̂_ℓ), the work-horse model.

Here W_m is the projector on the orbitals of atom m, D are the electron populations
p_ℓ = 2 Σ_{a∈ℓ} F(H)_aa and V = J(p − Z): one feature per atom, complete in the sense of (2.26).
The orbitals are orthonormal by assumption, so neutrality is counted by 2 Tr F(H) = Σ p_ℓ.
"""

import math
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import scipy.sparse

from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.electrostatics.gaussian_charges import GaussianChargeCoulomb
from scc.errors import InputError
from scc.models.tight_binding import BoundTightBinding


class OnsiteParameters(Protocol):
    """H⁰(r), widths and charges for the species of a configuration (Hartree, Bohr)."""

    def atom_of_orbital(self, configuration: Configuration) -> IntArray: ...
    def hamiltonian(self, configuration: Configuration) -> scipy.sparse.csr_matrix: ...
    def position_perturb(
        self, configuration: Configuration, displacement: FloatArray
    ) -> scipy.sparse.csr_matrix: ...
    def position_contract(self, configuration: Configuration, matrix: FloatArray) -> FloatArray: ...
    def widths(self, configuration: Configuration) -> FloatArray: ...
    def nuclear_charges(self, configuration: Configuration) -> FloatArray: ...
    def repulsion_energies(self, configuration: Configuration) -> FloatArray: ...
    def repulsion_site_contract(
        self, configuration: Configuration, weights: FloatArray
    ) -> FloatArray: ...
    def repulsion_site_jvp(
        self, configuration: Configuration, displacement: FloatArray
    ) -> FloatArray: ...


class OnsiteTightBinding:
    """LocalModel with on-site features: E_ℓ = 2 tr[G(H) − vF(H)]_ℓℓ, p_ℓ = 2 tr F(H)_ℓℓ.

    Parameters
    ----------
    parameters
        Hopping, levels, widths and charges, e.g. ``model_b(...)`` or ``sourced_parameters()``.

    ``prepare`` raises InputError for an element without parameters, naming atom and element.
    """

    name = "onsite"

    def __init__(self, parameters: OnsiteParameters) -> None:
        self.parameters = parameters

    def prepare(self, configuration: Configuration) -> BoundTightBinding:
        """Bind to a geometry: H⁰ is assembled once (sparse) and kept dense for diagonalisation."""
        return BoundTightBinding(OnsiteAssembly(self.parameters, configuration))


class OnsiteAssembly:
    """H⁰(r) and the site projectors W_m at one geometry (HamiltonianAssembly, diagonal)."""

    diagonal = True
    complete = True

    def __init__(self, parameters: OnsiteParameters, configuration: Configuration) -> None:
        self.parameters = parameters
        self.configuration = configuration
        self.feature_shape: tuple[int, ...] = (len(configuration),)
        self.atom_of_orbital = parameters.atom_of_orbital(configuration)
        self.nuclear_charges = parameters.nuclear_charges(configuration)
        self.neutral_electrons = total_charge(self.nuclear_charges)

    @cached_property
    def electrostatics(self) -> tuple[Any, ...]:
        """Default explicit long-range energy: ½ (p − Z)ᵀ J (p − Z) less the nuclear self-energy."""
        return (
            GaussianChargeCoulomb(
                self.configuration,
                self.parameters.widths(self.configuration),
                self.nuclear_charges,
            ),
        )

    @cached_property
    def sparse_hamiltonian(self) -> scipy.sparse.csr_matrix:
        """H⁰ as a sparse matrix (n, n)."""
        return self.parameters.hamiltonian(self.configuration)

    @cached_property
    def free_hamiltonian(self) -> FloatArray:
        h0 = np.asarray(self.sparse_hamiltonian.toarray(), dtype=np.float64)
        if not np.all(np.isfinite(h0)):
            raise InputError("the Hamiltonian contains NaN or infinity")
        return h0

    def feature_matrix(self, features: FloatArray) -> FloatArray:
        return np.asarray(features)[self.atom_of_orbital]

    def feature_contract(self, matrix: FloatArray) -> FloatArray:
        diagonal = np.diagonal(matrix) if matrix.ndim == 2 else matrix
        summed = np.bincount(
            self.atom_of_orbital, weights=diagonal, minlength=len(self.configuration)
        )
        return np.asarray(summed, dtype=np.float64)

    def feature_position_jvp(self, matrix: FloatArray, displacement: FloatArray) -> FloatArray:
        return np.zeros(self.feature_shape)

    def hamiltonian_perturb(
        self, displacement: FloatArray, features: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        dh0 = self.parameters.position_perturb(self.configuration, displacement).toarray()
        return np.asarray(dh0), np.zeros_like(dh0)

    def hamiltonian_contract(
        self, free: FloatArray, potential: FloatArray, features: FloatArray
    ) -> FloatArray:
        return self.parameters.position_contract(self.configuration, free)

    # The density coefficients are the populations, so extract = feature_contract and its adjoint.
    extract = feature_contract
    embed = feature_matrix

    def extract_perturb(self, matrix: FloatArray, displacement: FloatArray) -> FloatArray:
        return np.zeros(self.feature_shape)

    def embed_perturb(self, potential: FloatArray, displacement: FloatArray) -> FloatArray:
        return np.zeros(len(self.atom_of_orbital))

    def extract_contract(self, matrix: FloatArray, potential: FloatArray) -> FloatArray:
        return np.zeros((len(self.configuration), 3))

    def initial_density(self) -> FloatArray:
        return self.nuclear_charges.copy()

    def dipole_potentials(self) -> FloatArray:
        """Potential of a unit field along each axis: +r_ℓa for an electron on atom ℓ, (3, M)."""
        return self.configuration.positions.T.copy()

    def dipole_potentials_perturb(self, displacement: FloatArray) -> FloatArray:
        return np.asarray(displacement.T)

    def repulsion_energies(self) -> FloatArray:
        return self.parameters.repulsion_energies(self.configuration)

    def repulsion_jvp(self, displacement: FloatArray) -> FloatArray:
        return self.parameters.repulsion_site_jvp(self.configuration, displacement)

    def repulsion_contract(self, weights: FloatArray) -> FloatArray:
        return self.parameters.repulsion_site_contract(self.configuration, weights)


def total_charge(charges: FloatArray) -> float:
    """Σ Z_ℓ; the integer itself where the sum is an integer within the rounding of its terms.

    1.4 and 0.6 are no binary fractions: 500 pairs of them are an even number of electrons all the
    same, as β = ∞ requires.
    """
    total = math.fsum(charges)
    rounding = np.finfo(np.float64).eps * math.fsum(np.abs(charges))
    return float(round(total)) if abs(total - round(total)) <= rounding else total
