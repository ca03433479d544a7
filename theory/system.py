"""What the bounds see of a system: H(r, v̂) with its geometry, its features and (β, µ).

Grand-canonical, as the paper's statements are: β ∈ (0, ∞] and µ are given, v̂ is an independent
variable. Orbitals count as orthonormal; which treatment of the overlap is behind H is the model's
business (``model.assembly``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.models.assembly import HamiltonianAssembly
from scc.models.tight_binding import BoundTightBinding, TightBindingState
from scc.occupations.fermi_dirac import FermiDirac


@dataclass(frozen=True)
class TightBindingSystem:
    """A bound tight-binding model at one (r, v̂, β, µ). Hartree, Bohr.

    Attributes
    ----------
    model:
        On-site or Gaussian-orbital tight binding with atom-centred features.
    features:
        v̂, (M,) or (M, features per atom).
    beta, mu:
        β in (0, ∞] 1/Hartree and µ in Hartree; at β = ∞ µ lies in a gap of H.
    description:
        One line that identifies the system.
    """

    model: BoundTightBinding
    features: FloatArray
    beta: float
    mu: float
    description: str = ""

    @cached_property
    def state(self) -> TightBindingState:
        """E_ℓ, ρ_ℓ and their derivative products at (r, v̂, β, µ)."""
        return self.model.evaluate(self.features, FermiDirac(self.beta, self.mu))

    @property
    def assembly(self) -> HamiltonianAssembly:
        return self.model.assembly

    @property
    def configuration(self) -> Configuration:
        return self.model.configuration

    @property
    def atoms(self) -> int:
        """M."""
        return len(self.configuration)

    @property
    def zero_temperature(self) -> bool:
        """β = ∞."""
        return bool(np.isinf(self.beta))

    @cached_property
    def hamiltonian(self) -> FloatArray:
        """H = H⁰ + v, (n, n), Hartree."""
        return self.model.hamiltonian(self.features)

    @cached_property
    def potential(self) -> FloatArray:
        """v = Σ v̂_mc W_mc, (n, n), Hartree."""
        v = self.assembly.feature_matrix(self.features)
        return np.diag(v) if v.ndim == 1 else v

    @property
    def levels(self) -> FloatArray:
        """Eigenvalues of H, ascending (n,)."""
        return self.state.eigenvalues

    @property
    def owner(self) -> IntArray:
        """The atom of each orbital, (n,)."""
        return self.assembly.atom_of_orbital

    @cached_property
    def distances(self) -> FloatArray:
        """r_ℓk between atoms, (M, M), bohr; nearest image where periodic."""
        if any(self.configuration.periodic):
            return np.asarray(np.linalg.norm(self.configuration.displacements(), axis=-1))
        positions = self.configuration.positions
        return np.asarray(np.linalg.norm(positions[:, None] - positions[None, :], axis=-1))

    @cached_property
    def orbital_distances(self) -> FloatArray:
        """r between the atoms of two orbitals, (n, n), bohr."""
        return np.asarray(self.distances[np.ix_(self.owner, self.owner)])

    @cached_property
    def minimal_spacing(self) -> float:
        """𝔪 = min_{ℓ≠k} r_ℓk, bohr (∞ for one atom)."""
        apart = self.distances[~np.eye(self.atoms, dtype=bool)]
        return float(np.min(apart, initial=np.inf))

    @property
    def gap_below(self) -> float:
        """g₋ = µ − max σ(H) ∩ (−∞, µ] (∞ if nothing is occupied)."""
        below = self.levels[self.levels <= self.mu]
        return float(self.mu - below[-1]) if len(below) else float("inf")

    @property
    def gap_above(self) -> float:
        """g₊ = min σ(H) ∩ [µ, ∞) − µ (∞ if all is occupied)."""
        above = self.levels[self.levels >= self.mu]
        return float(above[0] - self.mu) if len(above) else float("inf")

    @cached_property
    def rounding_unit(self) -> float:
        """u = n · eps · (1 + ‖H‖ + |µ|): backward error of a dense symmetric eigensolver, Hartree.

        A spectral function of H with Lipschitz constant L is measured with an error below L u.
        """
        size = 1.0 + float(np.max(np.abs(self.levels))) + abs(self.mu)
        return float(len(self.levels) * np.finfo(np.float64).eps * size)

    def feature_perturbations(self) -> Iterator[tuple[int, int, FloatArray]]:
        """(m, c, W_mc) for every feature: W_mc = ∂H/∂v̂_mc, (n, n)."""
        per_atom = self.features.size // self.atoms
        for index in range(self.features.size):
            unit = np.zeros(self.features.size)
            unit[index] = 1.0
            w = self.assembly.feature_matrix(unit.reshape(self.features.shape))
            yield index // per_atom, index % per_atom, np.diag(w) if w.ndim == 1 else w

    def position_perturbations(self) -> Iterator[tuple[int, int, FloatArray, FloatArray]]:
        """(m, axis, ∂H⁰/∂r, ∂v/∂r) at fixed v̂ for every atom and Cartesian axis, (n, n) each."""
        for atom in range(self.atoms):
            for axis in range(3):
                displacement = np.zeros((self.atoms, 3))
                displacement[atom, axis] = 1.0
                free, potential = self.assembly.hamiltonian_perturb(displacement, self.features)
                yield atom, axis, free, potential

    def per_atom_pairs(self, matrix: FloatArray) -> FloatArray:
        """Largest |A_ab| over the orbitals a of ℓ and b of k, (M, M)."""
        blocks = np.zeros((self.atoms, self.atoms))
        np.maximum.at(blocks, (self.owner[:, None], self.owner[None, :]), np.abs(matrix))
        return blocks
