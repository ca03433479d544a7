"""What a tight-binding model has to say about its geometry, and nothing more.

The spectral calculus of :mod:`scc.models.tight_binding` works for any model whose Hamiltonian is
H(r, v̂) = H⁰(r) + v(r, v̂), v = Σ_mc v̂_mc W_mc, eq. (2.19), in an orthonormal basis. An *assembly*
supplies H⁰, W and the map between the density operator P = F(H) and the density coefficients D,
together with their derivatives in r. When ``diagonal`` is true the features and the density see
only diagonals, and every matrix below may be a vector of diagonal entries.
"""

from typing import Any, Protocol

from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration


class HamiltonianAssembly(Protocol):
    """H⁰(r), W(r) and P ↦ D at one geometry. A, P are symmetric (n, n); dr is (M, 3)."""

    @property
    def configuration(self) -> Configuration: ...
    @property
    def atom_of_orbital(self) -> IntArray: ...
    @property
    def feature_shape(self) -> tuple[int, ...]: ...
    @property
    def diagonal(self) -> bool: ...
    @property
    def complete(self) -> bool: ...
    @property
    def neutral_electrons(self) -> float: ...
    @property
    def electrostatics(self) -> tuple[Any, ...]: ...
    @property
    def free_hamiltonian(self) -> FloatArray:
        """H⁰, eq. (2.14), in the orthonormal basis (n, n)."""
        ...

    @property
    def nuclear_charges(self) -> FloatArray:
        """Z_ℓ of the valence, (M,)."""
        ...

    def initial_density(self) -> FloatArray:
        """D of superposed neutral atoms, where an iteration may start."""
        ...

    def feature_matrix(self, features: FloatArray) -> FloatArray:
        """v = Σ v̂_mc W_mc, eq. (2.19)."""
        ...

    def feature_contract(self, matrix: FloatArray) -> FloatArray:
        """⟨A, W_mc⟩, the shape of v̂: the adjoint of :meth:`feature_matrix`."""
        ...

    def feature_position_jvp(self, matrix: FloatArray, displacement: FloatArray) -> FloatArray:
        """⟨A, ∂_r W_mc · dr⟩, the shape of v̂."""
        ...

    def hamiltonian_perturb(
        self, displacement: FloatArray, features: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """(∂_r H⁰ · dr, ∂_r v · dr at fixed v̂), both (n, n)."""
        ...

    def hamiltonian_contract(
        self, free: FloatArray, potential: FloatArray, features: FloatArray
    ) -> FloatArray:
        """⟨A, ∂_r H⁰⟩ + ⟨B, ∂_r v⟩ at fixed v̂, (M, 3)."""
        ...

    def extract(self, matrix: FloatArray) -> FloatArray:
        """P ↦ D, without the factor 2 of spin."""
        ...

    def embed(self, potential: FloatArray) -> FloatArray:
        """V ↦ the operator of the potential, the adjoint of :meth:`extract`."""
        ...

    def extract_perturb(self, matrix: FloatArray, displacement: FloatArray) -> FloatArray:
        """∂_r extract(P) · dr at fixed P."""
        ...

    def embed_perturb(self, potential: FloatArray, displacement: FloatArray) -> FloatArray:
        """∂_r embed(V) · dr at fixed V."""
        ...

    def extract_contract(self, matrix: FloatArray, potential: FloatArray) -> FloatArray:
        """⟨V, ∂_r extract(P)⟩, (M, 3)."""
        ...

    def dipole_potentials(self) -> FloatArray:
        """Conjugate coefficients of x_a for a = x, y, z: (3, *shape of D)."""
        ...

    def dipole_potentials_perturb(self, displacement: FloatArray) -> FloatArray:
        """∂_r of :meth:`dipole_potentials` · dr."""
        ...

    def repulsion_energies(self) -> FloatArray:
        """Short-range pair energies shared between their two atoms, (M,)."""
        ...

    def repulsion_jvp(self, displacement: FloatArray) -> FloatArray:
        """∂_r (repulsion)_ℓ · dr, (M,)."""
        ...

    def repulsion_contract(self, weights: FloatArray) -> FloatArray:
        """∂_r Σ_ℓ a_ℓ (repulsion)_ℓ, (M, 3)."""
        ...
