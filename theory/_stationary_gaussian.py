"""T and T_N of the Gaussian-orbital model about a v̂ that is a critical point. ε_xc = 0.

Matrices (n, n) are in the orthonormal orbitals; W_mc is that of ``assembly``, in either treatment
of the overlap. J is γ ↦ ∫φ⊗φ v_C φᵀγφ, and Φ = v − V, V = ∫φ⊗φ V_eff[ρ]. At v̂* + w, H = H* + v(w),

    T(v̂* + w)_mc = ⟨DF(H)[W_mc], Φ⟩,   Φ = Φ* + v(w) − 2J(F(H) − F(H*)),
    DT[d]_mc = ⟨W_mc, D²F(H)[v(d), Φ] + DF(H)[v(d) − 2J DF(H)[v(d)]]⟩,

and T_N is the same with F_N in place of F(H) and its derivatives (F(H*) stays). Any v̂ is made a
critical point by an external potential Σ a_mc Ξ_mc, which is linear in ρ and adds v(a) to V:

    Φ* = Φ₀ − v(a),   ⟨DF(H*)[W_mc], Φ₀ − v(a)⟩ = 0 for all mc,

Φ₀ that without it. So v̂* is a solution where v − V is not zero but the best that Ξ can do, (2.25).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from scc.arrays import FloatArray
from scc.bodyorder.explicit import ExplicitOccupation
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import lemma_3
from scc.theory._best_approximation import mismatch
from scc.theory._explicit_divided_differences import divided_differences
from scc.theory.system import TightBindingSystem

Occupation = FermiDirac | ExplicitOccupation


@dataclass(frozen=True)
class Spectral:
    """F, DF, D²F of one occupation at one H, by divided differences. H = C diag(levels) Cᵀ."""

    occupation: Occupation
    levels: FloatArray
    vectors: FloatArray

    @classmethod
    def of(cls, occupation: Occupation, hamiltonian: FloatArray) -> "Spectral":
        levels, vectors = np.linalg.eigh(hamiltonian)
        return cls(occupation, levels, vectors)

    @cached_property
    def value(self) -> FloatArray:
        """F(H)."""
        return np.asarray((self.vectors * self.occupation.occupation(self.levels)) @ self.vectors.T)

    @cached_property
    def grand_potential(self) -> float:
        """Tr G(H), Hartree."""
        return float(np.sum(self.occupation.grand_potential(self.levels)))

    @cached_property
    def _divided(self) -> FloatArray:
        x = self.levels
        if isinstance(self.occupation, ExplicitOccupation):
            return divided_differences(self.occupation, x)
        return self.occupation.divided_difference(x[:, None], x[None, :])

    @cached_property
    def _second_divided(self) -> FloatArray:
        x = self.levels
        return self.occupation.second_divided_difference(
            x[:, None, None], x[None, :, None], x[None, None, :]
        )

    def first(self, directions: FloatArray) -> FloatArray:
        """DF(H)[A] for A (…, n, n)."""
        C = self.vectors
        return np.asarray(C @ (self._divided * (C.T @ directions @ C)) @ C.T)

    def second(self, directions: FloatArray, other: FloatArray) -> FloatArray:
        """D²F(H)[A, B] for A (K, n, n) and one B (n, n), all symmetric."""
        C = self.vectors
        A, B = C.T @ directions @ C, C.T @ other @ C
        half = np.einsum("ikj,mik,kj->mij", self._second_divided, A, B, optimize=True)
        return np.asarray(C @ (half + np.swapaxes(half, 1, 2)) @ C.T)


@dataclass(frozen=True)
class StationaryMap:
    """v̂ ↦ T(v̂) of one system about v̂*.

    hamiltonian: H* (n, n); perturbations: W (K, n, n); kernel: J (n, n, n, n), Hartree;
    mismatch: Φ* (n, n); exact: F at H*.
    """

    hamiltonian: FloatArray
    perturbations: FloatArray
    kernel: FloatArray
    mismatch: FloatArray
    exact: Spectral

    @classmethod
    def of(cls, system: TightBindingSystem) -> "StationaryMap":
        """About the v̂ of the system, with the external potential of the module docstring."""
        functional = lemma_3.grand_canonical(system)
        state = functional.evaluate(system.features)
        W = np.array([w for _, _, w in system.feature_perturbations()])
        n = len(system.levels)
        J = np.empty((n, n, n, n))
        zero = np.zeros_like(state.density)
        for i in range(n):
            for j in range(i + 1):
                unit = np.zeros((n, n))
                unit[i, j] = unit[j, i] = 0.5 if i != j else 1.0
                D = system.assembly.extract(unit)
                J[i, j] = J[j, i] = system.assembly.embed(functional.kernel(zero, D))
        exact = Spectral.of(FermiDirac(system.beta, system.mu), system.hamiltonian)
        phi = -mismatch(system, state)
        weighted = exact.first(W)
        gram = np.einsum("mij,kij->mk", weighted, W)
        a = np.linalg.lstsq(gram, np.einsum("mij,ij->m", weighted, phi), rcond=1e-12)[0]
        phi = phi - np.tensordot(a, W, 1)
        return cls(system.hamiltonian, W, J, 0.5 * (phi + phi.T), exact)

    def potential(self, operators: FloatArray) -> FloatArray:
        """J(A) for A (…, n, n)."""
        return np.asarray(np.tensordot(operators, self.kernel, 2))

    def operator(self, w: FloatArray) -> FloatArray:
        """v(w) = Σ w_mc W_mc."""
        return np.asarray(np.tensordot(w, self.perturbations, 1))

    def contract(self, operators: FloatArray) -> FloatArray:
        """⟨A, W_mc⟩ for A (…, n, n): (…, K)."""
        return np.asarray(np.tensordot(operators, self.perturbations, ((-2, -1), (1, 2))))

    def at(self, occupation: Occupation, w: ArrayLike) -> tuple[Spectral, FloatArray]:
        """F(H* + v(w)) and Φ(v̂* + w) of an occupation."""
        v = self.operator(np.asarray(w, dtype=np.float64))
        spectral = Spectral.of(occupation, self.hamiltonian + v)
        change = spectral.value - self.exact.value
        return spectral, self.mismatch + v - 2.0 * self.potential(change)

    def value(self, occupation: Occupation, w: ArrayLike) -> FloatArray:
        """T(v̂* + w), (K,), electrons."""
        spectral, phi = self.at(occupation, w)
        return self.contract(spectral.first(phi))

    def jacobian(self, occupation: Occupation, w: ArrayLike) -> FloatArray:
        """DT(v̂* + w), (K, K): rows mc, columns directions; electrons/Hartree."""
        spectral, phi = self.at(occupation, w)
        first = spectral.first(self.perturbations)
        slope = self.perturbations - 2.0 * self.potential(first)
        rows = self.contract(spectral.second(self.perturbations, phi) + spectral.first(slope))
        return np.asarray(rows.T)

    def energy_change(self, occupation: Occupation, w: ArrayLike) -> float:
        """𝒢_N(v̂* + w) − 𝒢(v̂*), Hartree."""
        return self.energy_of(occupation, self.operator(np.asarray(w, dtype=np.float64)))

    def energy_of(self, occupation: Occupation, v: FloatArray) -> float:
        """The same for v(w) = v, any symmetric (n, n).

        With Δ = F_N(H* + v(w)) − F(H*): 2Tr[G_N − G] − 2⟨v, F + Δ⟩ − 2⟨Φ*, Δ⟩ + 2⟨Δ, JΔ⟩.
        """
        spectral = Spectral.of(occupation, self.hamiltonian + v)
        change = spectral.value - self.exact.value
        free = 2.0 * (spectral.grand_potential - self.exact.grand_potential)
        linear = float(np.vdot(v, spectral.value) + np.vdot(self.mismatch, change))
        return free - 2.0 * linear + 2.0 * float(np.vdot(change, self.potential(change)))
