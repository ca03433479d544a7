"""What the energy functional asks of an explicit energy of the density, E[ρ].

A term lives on *density coefficients* D at one fixed geometry: electron populations p (M,) for
atom-centred charges, the density matrix D (n, n), ρ = Σ D_ab φ_a φ_b, for pair densities. Its
derivative V = ∂E/∂D is the conjugate potential: V_ℓ = ∫ V m_ℓ, or V_ab = ∫ φ_a φ_b V.
"""

from typing import Protocol, runtime_checkable

from scc.arrays import FloatArray


@runtime_checkable
class DensityTerm(Protocol):
    """One summand of E[ρ], prepared at a geometry r.

    Signs: V is the potential felt by an electron. Energies in Hartree, lengths in Bohr.
    """

    @property
    def convex(self) -> bool:
        """Whether E is a convex function of D (true for v_C; false for exchange–correlation)."""
        ...

    def energy(self, density: FloatArray) -> float:
        """E[D]."""
        ...

    def potential(self, density: FloatArray) -> FloatArray:
        """V = ∂E/∂D, the shape of D."""
        ...

    def kernel(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        """dV = ∂²E/∂D² · dD at D."""
        ...

    def position_gradient(self, density: FloatArray) -> FloatArray:
        """∂E/∂r at fixed D, (M, 3)."""
        ...

    def potential_position_jvp(self, density: FloatArray, displacement: FloatArray) -> FloatArray:
        """∂V/∂r · dr at fixed D for a displacement dr (M, 3)."""
        ...

    def site_energies(self, density: FloatArray) -> FloatArray | None:
        """The part of E that belongs to the site energies E_ℓ (M,), or None: E is long-ranged."""
        ...


@runtime_checkable
class LocalDensityTerm(DensityTerm, Protocol):
    """A term whose site energies e_ℓ[D], Σ e_ℓ = E, are local: it enters E_ℓ of (3.4), (3.5)."""

    def site_energies_jvp(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        """Σ ∂e_ℓ/∂D · dD, (M,)."""
        ...

    def site_potential(self, density: FloatArray, weights: FloatArray) -> FloatArray:
        """∂(Σ_ℓ a_ℓ e_ℓ)/∂D for weights a (M,)."""
        ...

    def site_position_jvp(self, density: FloatArray, displacement: FloatArray) -> FloatArray:
        """∂e_ℓ/∂r · dr at fixed D, (M,)."""
        ...

    def site_position_contract(self, density: FloatArray, weights: FloatArray) -> FloatArray:
        """∂(Σ_ℓ a_ℓ e_ℓ)/∂r at fixed D, (M, 3)."""
        ...
