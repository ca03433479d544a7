"""The spectral calculus of tight binding: g = 2 Tr G(H⁰ + v) and everything that follows from it.

One local grand potential g(r, v̂) = 2 Tr G(H⁰(r) + v(r, v̂)) generates the model:
∂g/∂v̂_mc = 2 ⟨F(H), W_mc⟩ = ∫ ρ Ξ_mc, and E = g − v̂·∂g/∂v̂ = 2 Tr[G(H) − vF(H)] is the local part of
(3.1). All derivative products are Daleckii–Krein formulas in the eigenbasis of H,
DF(H)[A]_ij = F[λ_i, λ_j] A_ij (Lemma 11).

In the canonical ensemble µ = ε_F(H) follows H through 2 Tr F(H − µ) = N, so every direction A is
first replaced by ΠA = A − (⟨F′(H), A⟩ / Tr F′(H)) 1: the rank-one term of Remark 6.
"""

from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError
from scc.models.assembly import HamiltonianAssembly
from scc.occupations.ensemble import fermi_level
from scc.occupations.fermi_dirac import entropy
from scc.occupations.occupation import Occupation

# Below this distance of µ from the spectrum (Hartree) F jumps within rounding of an eigenvalue and
# zero-temperature occupations mean nothing.
_SMALLEST_GAP = 1e-9
# Up to this many orbitals the n³ second divided differences are kept (36 MB).
_KEPT_TENSOR = 160


class BoundTightBinding:
    """A tight-binding model at a fixed geometry (see :class:`scc.models.protocol.BoundModel`)."""

    def __init__(self, assembly: HamiltonianAssembly) -> None:
        self.assembly = assembly
        self.configuration: Configuration = assembly.configuration
        self.feature_shape = assembly.feature_shape
        self.complete = assembly.complete
        self.neutral_electrons = assembly.neutral_electrons
        self.nuclear_charges = assembly.nuclear_charges

    @property
    def electrostatics(self) -> tuple[Any, ...]:
        """The explicit long-range energy that belongs to the model (built when first asked for)."""
        return self.assembly.electrostatics

    @property
    def largest_electron_count(self) -> float:
        """2n: every orbital doubly occupied."""
        return 2.0 * len(self.assembly.atom_of_orbital)

    def initial_density(self) -> FloatArray:
        """D of superposed neutral atoms."""
        return self.assembly.initial_density()

    def dipole_potentials(self) -> FloatArray:
        """Conjugate coefficients of x, y, z: (3, *shape of D)."""
        return self.assembly.dipole_potentials()

    def dipole_potentials_perturb(self, displacement: FloatArray) -> FloatArray:
        """Their derivative along dr (M, 3)."""
        return self.assembly.dipole_potentials_perturb(displacement)

    def fit_features(self, potential: FloatArray) -> FloatArray:
        """v̂ whose v is closest to embed(V) in the Frobenius norm; minimal for redundant Ξ."""
        if self.complete:
            return potential
        right = self.assembly.feature_contract(self.assembly.embed(potential)).ravel()
        gram = np.empty((right.size, right.size))
        for k, unit in enumerate(np.eye(right.size)):
            w = self.assembly.feature_matrix(unit.reshape(self.feature_shape))
            gram[:, k] = self.assembly.feature_contract(w).ravel()
        fitted = np.linalg.lstsq(gram, right, rcond=1e-10)[0]
        return np.asarray(fitted.reshape(self.feature_shape))

    def hamiltonian(self, features: FloatArray) -> FloatArray:
        """H(r, v̂) = H⁰ + Σ v̂_mc W_mc, (n, n), Hartree."""
        v = self.assembly.feature_matrix(features)
        h0 = self.assembly.free_hamiltonian
        return h0 + (np.diag(v) if v.ndim == 1 else v)

    def evaluate(
        self, features: FloatArray, occupation: Occupation, electrons: float | None = None
    ) -> "TightBindingState":
        """Diagonalise H(r, v̂) and occupy it.

        Canonical when ``electrons`` (counted with spin) is given: µ is then the Fermi level of
        H(r, v̂) and ``occupation`` supplies β only. Grand-canonical otherwise. Raises InputError
        for NaN or wrongly shaped features, an impossible electron count, or µ on an eigenvalue
        at β = ∞.
        """
        features = np.asarray(features, dtype=np.float64)
        if features.shape != self.feature_shape:
            raise InputError(
                f"features have shape {features.shape}, the model expects {self.feature_shape}"
            )
        if not np.all(np.isfinite(features)):
            raise InputError("features contain NaN or infinity")
        # Divide and conquer: eigenvectors orthogonal to 1e-15; the default driver leaves 1e-13.
        eigenvalues, eigenvectors = scipy.linalg.eigh(self.hamiltonian(features), driver="evd")
        check_spectrum = getattr(occupation, "check_spectrum", None)
        if check_spectrum is not None:  # a polynomial means something on its spectral set only
            check_spectrum(eigenvalues)
        if electrons is not None:
            mu = fermi_level(eigenvalues, electrons, occupation.beta)
            occupation = occupation.with_chemical_potential(mu)
        elif np.isinf(occupation.beta):
            mu = occupation.chemical_potential
            nearest = float(eigenvalues[np.argmin(np.abs(eigenvalues - mu))])
            if abs(nearest - mu) < _SMALLEST_GAP:
                raise InputError(
                    f"chemical potential {mu:.10g} lies on the eigenvalue {nearest:.10g}: "
                    "zero temperature needs a gap"
                )
        return TightBindingState(
            self.assembly, features, occupation, eigenvalues, eigenvectors, electrons is not None
        )


class TightBindingState:
    """E_ℓ, ρ_ℓ of (3.4)–(3.6) and their derivative products at one (r, v̂, µ)."""

    def __init__(
        self,
        assembly: HamiltonianAssembly,
        features: FloatArray,
        occupation: Occupation,
        eigenvalues: FloatArray,
        eigenvectors: FloatArray,
        canonical: bool,
    ) -> None:
        self.assembly = assembly
        self.features = features
        self.occupation = occupation
        self.chemical_potential = float(occupation.chemical_potential)
        self.eigenvalues = eigenvalues
        self.eigenvectors = eigenvectors
        self.canonical = canonical
        self._f = occupation.occupation(eigenvalues)
        slopes = occupation.derivative(eigenvalues)
        total = float(np.sum(slopes))
        # F′(λ_i) / Tr F′(H): the Fermi-level response dµ/dH; absent where nothing sits at µ.
        self._level_weights = slopes / total if canonical and total != 0.0 else None
        self._slopes = slopes

    # -- values -------------------------------------------------------------------------------

    @property
    def electrons(self) -> float:
        """2 Tr F(H): the electron count of the orthonormal orbitals."""
        return float(2.0 * np.sum(self._f))

    def electrons_below(self, chemical_potential: float) -> float:
        """Number of electrons that fill all states below µ."""
        return 2.0 * float(np.count_nonzero(self.eigenvalues < chemical_potential))

    @property
    def gap(self) -> float:
        """g = g₋ + g₊: distance between the eigenvalues next to µ (∞ if all lie on one side)."""
        below = self.eigenvalues[self.eigenvalues < self.chemical_potential]
        above = self.eigenvalues[self.eigenvalues >= self.chemical_potential]
        if len(below) == 0 or len(above) == 0:
            return float("inf")
        return float(above[0] - below[-1])

    @cached_property
    def density_operator(self) -> FloatArray:
        """γ_TB = F(H), (n, n)."""
        C = self.eigenvectors
        return np.asarray((C * self._f) @ C.T)

    @cached_property
    def density(self) -> FloatArray:
        """D with ρ = 2 φᵀ F(H) φ, eq. (3.6) summed over ℓ."""
        if self.assembly.diagonal:
            return 2.0 * self.assembly.extract((self.eigenvectors**2) @ self._f)
        return 2.0 * self.assembly.extract(self.density_operator)

    @property
    def populations(self) -> FloatArray:
        """p_ℓ = 2 tr F(H)_ℓℓ, electrons in the orthonormal orbitals of atom ℓ, (M,)."""
        return 2.0 * self._per_site(self._diagonal(self._f))

    @property
    def local_density_of_states(self) -> FloatArray:
        """L_ℓ = −2 tr F′(H)_ℓℓ ≥ 0, states at µ in Hartree⁻¹ on each atom, (M,)."""
        return -2.0 * self._per_site(self._diagonal(self._slopes))

    @property
    def grand_potential(self) -> float:
        """g(r, v̂) = 2 Tr G(H)."""
        return float(2.0 * np.sum(self.occupation.grand_potential(self.eigenvalues)))

    @cached_property
    def site_energies(self) -> FloatArray:
        """E_ℓ = 2 tr[G(H) − vF(H)]_ℓℓ, eq. (3.5) without ε_xc, plus short-range repulsion; (M,).

        In the canonical ensemble G is replaced by G + µF, so that Σ E_ℓ is the local part of
        𝒢 + µN.
        """
        g = self.occupation.grand_potential(self.eigenvalues)
        if self.canonical:
            g = g + self.chemical_potential * self._f
        return self._per_site(self._diagonal(g) - self._v_times_f) * 2.0 + self._repulsion

    @cached_property
    def kinetic_site_energies(self) -> FloatArray:
        """E_ℓ = 2 tr[(H⁰ − µ)F + β⁻¹S(F)]_ℓℓ, the first form of (3.1); (3.4) at β = ∞; (M,).

        Equals :attr:`site_energies` for exact occupations; polynomial ones have no entropy, so
        there it means something at β = ∞ only.
        """
        h0f = np.einsum("ij,ij->i", self.assembly.free_hamiltonian, self.density_operator)
        s = entropy(self._f) / self.occupation.beta  # zero at β = ∞
        mu_f = 0.0 if self.canonical else self.chemical_potential * self._diagonal(self._f)
        return self._per_site(h0f - mu_f + self._diagonal(s)) * 2.0 + self._repulsion

    @property
    def feature_energy(self) -> float:
        """Σ_ℓ E_ℓ."""
        return float(np.sum(self.site_energies))

    # -- derivatives of the density -----------------------------------------------------------

    def density_jvp(self, direction: FloatArray) -> FloatArray:
        """dD = ∂D/∂v̂ · dv̂ = 2 extract(DF(H)[Π dv])."""
        return self._density_response(self.assembly.feature_matrix(direction))

    def potential_response(self, potential: FloatArray) -> FloatArray:
        """χ₀ A = 2 extract(DF(H)[Π embed(A)]): response of D to a potential A (shape of D)."""
        return self._density_response(self.assembly.embed(potential))

    def density_vjp(self, potential: FloatArray) -> FloatArray:
        """(∂D/∂v̂)ᵀ A = 2 ⟨DF(H)[Π embed(A)], W_mc⟩."""
        return self.assembly.feature_contract(self._response_matrix(self.assembly.embed(potential)))

    def density_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """∂D/∂r · dr at fixed v̂."""
        dh0, dv = self.assembly.hamiltonian_perturb(displacement, self.features)
        moved = self.assembly.extract_perturb(2.0 * self.density_operator, displacement)
        return self._density_response(dh0 + dv) + moved

    def density_position_vjp(self, potential: FloatArray) -> FloatArray:
        """(∂D/∂r)ᵀ A at fixed v̂, (M, 3)."""
        matrix = self._apply(self._f_divided, self.assembly.embed(potential), full=True) * 2.0
        return self.assembly.hamiltonian_contract(
            matrix, matrix, self.features
        ) + self.assembly.extract_contract(2.0 * self.density_operator, potential)

    def populations_jvp(self, direction: FloatArray) -> FloatArray:
        """dp_ℓ = 2 tr DF(H)[Π dv]_ℓℓ, (M,)."""
        return self._populations_response(self.assembly.feature_matrix(direction))

    def populations_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """dp_ℓ for a displacement at fixed v̂, (M,)."""
        dh0, dv = self.assembly.hamiltonian_perturb(displacement, self.features)
        return self._populations_response(dh0 + dv)

    def density_second_vjp(self, direction: FloatArray, potential: FloatArray) -> FloatArray:
        """⟨A, ∂²D/∂v̂² [dv̂, ·]⟩, the shape of v̂: O(n³) with second divided differences."""
        dv = self.assembly.feature_matrix(direction)
        return self.assembly.feature_contract(
            self._reduce(self._second(dv, self.assembly.embed(potential)))
        )

    def density_second_position_vjp(
        self, displacement: FloatArray, potential: FloatArray
    ) -> FloatArray:
        """⟨A, ∂_r ∂_v̂ D [dr, ·]⟩, the shape of v̂."""
        dh0, dv = self.assembly.hamiltonian_perturb(displacement, self.features)
        embedded = self.assembly.embed(potential)
        second = self._second(dh0 + dv, embedded)
        second = second + 2.0 * self._apply(
            self._f_divided, self.assembly.embed_perturb(potential, displacement), full=True
        )
        first = 2.0 * self._apply(self._f_divided, embedded, full=True)
        return self.assembly.feature_contract(
            self._reduce(second)
        ) + self.assembly.feature_position_jvp(self._reduce(first), displacement)

    def feature_response(self) -> FloatArray:
        """K = 2 ⟨DF(H)[Π W_mc], W_m′c′⟩ (negative semi-definite, Lemma 11), all features dense."""
        size = int(np.prod(self.assembly.feature_shape))
        columns = np.empty((size, size))
        unit = np.zeros(size)
        for k in range(size):
            unit[k] = 1.0
            w = self.assembly.feature_matrix(unit.reshape(self.assembly.feature_shape))
            columns[:, k] = self.assembly.feature_contract(self._response_matrix(w)).ravel()
            unit[k] = 0.0
        return 0.5 * (columns + columns.T)

    # -- derivatives of Σ E_ℓ = g − v̂·∂g/∂v̂ ---------------------------------------------------

    def feature_energy_vjp(self) -> FloatArray:
        """∂(Σ E_ℓ)/∂v̂ = −2 ⟨DF(H)[Π v], W_mc⟩, the shape of v̂ (because F = G′)."""
        return -self.assembly.feature_contract(self._response_matrix(self._v))

    def feature_energy_position_vjp(self) -> FloatArray:
        """∂(Σ E_ℓ)/∂r at fixed v̂, (M, 3): ⟨2F − 2DF[Πv], ∂H⟩ − ⟨2F, ∂v⟩ plus repulsion."""
        response = 2.0 * self._apply(self._f_divided, self._v, full=True)
        occupied = 2.0 * self.density_operator
        return self.assembly.hamiltonian_contract(
            occupied - response, -response, self.features
        ) + self.assembly.repulsion_contract(np.ones(len(self.assembly.configuration)))

    def feature_energy_second_vjp(self, direction: FloatArray) -> FloatArray:
        """∂²(Σ E_ℓ)/∂v̂² · dv̂, the shape of v̂."""
        dv = self.assembly.feature_matrix(direction)
        return -self.assembly.feature_contract(
            self._response_matrix(dv) + self._reduce(self._second(dv, self._v))
        )

    def feature_energy_second_position_vjp(self, displacement: FloatArray) -> FloatArray:
        """∂_r ∂_v̂ (Σ E_ℓ) · dr, the shape of v̂."""
        dh0, dv = self.assembly.hamiltonian_perturb(displacement, self.features)
        response = self._response_matrix(self._v)
        return -(
            self.assembly.feature_contract(
                self._reduce(self._second(dh0 + dv, self._v)) + self._response_matrix(dv)
            )
            + self.assembly.feature_position_jvp(response, displacement)
        )

    # -- derivatives of the site energies -----------------------------------------------------

    def site_energies_jvp(self, direction: FloatArray) -> FloatArray:
        """Σ ∂E_ℓ/∂v̂ · dv̂, (M,)."""
        dv = self.assembly.feature_matrix(direction)
        return self._site_jvp(dv, dv)

    def site_energies_position_jvp(self, displacement: FloatArray) -> FloatArray:
        """Σ ∂E_ℓ/∂r · dr at fixed v̂, (M,)."""
        dh0, dv = self.assembly.hamiltonian_perturb(displacement, self.features)
        return self._site_jvp(dh0 + dv, dv) + self.assembly.repulsion_jvp(displacement)

    def site_energies_vjp(self, weights: FloatArray) -> FloatArray:
        """∂(Σ_ℓ a_ℓ E_ℓ)/∂v̂, the shape of v̂."""
        free, potential = self._site_vjp(weights)
        return self.assembly.feature_contract(self._reduce(free + potential))

    def site_energies_position_vjp(self, weights: FloatArray) -> FloatArray:
        """∂(Σ_ℓ a_ℓ E_ℓ)/∂r at fixed v̂, (M, 3)."""
        free, potential = self._site_vjp(weights)
        return self.assembly.hamiltonian_contract(
            free, free + potential, self.features
        ) + self.assembly.repulsion_contract(weights)

    # -- building blocks ----------------------------------------------------------------------

    @cached_property
    def _repulsion(self) -> FloatArray:
        return self.assembly.repulsion_energies()

    @cached_property
    def _v(self) -> FloatArray:
        return self.assembly.feature_matrix(self.features)

    @cached_property
    def _v_times_f(self) -> FloatArray:
        """Diagonal of vF(H), (n,)."""
        if self._v.ndim == 1:
            return self._v * self._diagonal(self._f)
        return np.asarray(np.einsum("ij,ij->i", self._v, self.density_operator))

    @cached_property
    def _f_divided(self) -> FloatArray:
        lam = self.eigenvalues
        return self.occupation.divided_difference(lam[:, None], lam[None, :])

    @cached_property
    def _g_divided(self) -> FloatArray:
        lam = self.eigenvalues
        return self.occupation.grand_potential_divided_difference(lam[:, None], lam[None, :])

    def _diagonal(self, values: FloatArray) -> FloatArray:
        """Diagonal of O(H) from O(λ)."""
        return np.asarray((self.eigenvectors**2) @ values)

    def _per_site(self, values: FloatArray) -> FloatArray:
        """Sum orbital quantities over the orbitals of each atom, (M,)."""
        summed = np.bincount(
            self.assembly.atom_of_orbital,
            weights=values,
            minlength=len(self.assembly.configuration),
        )
        return np.asarray(summed, dtype=np.float64)

    def _reduce(self, matrix: FloatArray) -> FloatArray:
        return np.diagonal(matrix) if self.assembly.diagonal and matrix.ndim == 2 else matrix

    def _into_eigenbasis(self, matrix: FloatArray) -> FloatArray:
        C = self.eigenvectors
        if matrix.ndim == 1:
            return np.asarray(C.T @ (matrix[:, None] * C))
        return np.asarray(C.T @ matrix @ C)

    def _project(self, inner: FloatArray) -> FloatArray:
        """Π in the eigenbasis: take off the common shift that the Fermi level follows."""
        if self._level_weights is None:
            return inner
        shift = float(self._level_weights @ np.diagonal(inner))
        projected = inner.copy()
        projected.flat[:: len(inner) + 1] -= shift
        return projected

    def _project_adjoint(self, inner: FloatArray) -> FloatArray:
        if self._level_weights is None:
            return inner
        projected = inner.copy()
        projected.flat[:: len(inner) + 1] -= np.trace(inner) * self._level_weights
        return projected

    def _out(self, inner: FloatArray, full: bool) -> FloatArray:
        C = self.eigenvectors
        left = C @ inner
        if full:
            return np.asarray(left @ C.T)
        return np.asarray(np.einsum("ij,ij->i", left, C))

    def _apply(self, divided: FloatArray, matrix: FloatArray, full: bool) -> FloatArray:
        """DO(H)[ΠA]: the whole matrix, or its diagonal."""
        return self._out(divided * self._project(self._into_eigenbasis(matrix)), full)

    def _response_matrix(self, matrix: FloatArray) -> FloatArray:
        return 2.0 * self._apply(self._f_divided, matrix, full=not self.assembly.diagonal)

    def _populations_response(self, matrix: FloatArray) -> FloatArray:
        return 2.0 * self._per_site(self._apply(self._f_divided, matrix, full=False))

    def _density_response(self, matrix: FloatArray) -> FloatArray:
        return self.assembly.extract(self._response_matrix(matrix))

    def _second(self, first: FloatArray, second: FloatArray) -> FloatArray:
        """2 Π*D²F(H)[ΠA, ΠB], (n, n): its pairing with C is the third derivative of 2 Tr G."""
        a = self._project(self._into_eigenbasis(first))
        b = self._project(self._into_eigenbasis(second))
        inner = np.empty_like(a)
        for i in range(len(a)):  # one row at a time keeps F[λ_i, λ_k, λ_j] at n² numbers
            f2 = self._second_divided_row(i)  # index (k, j)
            inner[i] = a[i] @ (f2 * b) + b[i] @ (f2 * a)
        return self._out(2.0 * self._project_adjoint(inner), full=True)

    def _second_divided_row(self, i: int) -> FloatArray:
        """F[λ_i, λ_k, λ_j] for all k, j; the whole tensor is kept for small systems."""
        lam = self.eigenvalues
        if len(lam) > _KEPT_TENSOR:
            return self.occupation.second_divided_difference(lam[i], lam[:, None], lam[None, :])
        return np.asarray(self._second_divided[i])

    @cached_property
    def _second_divided(self) -> FloatArray:
        lam = self.eigenvalues
        return self.occupation.second_divided_difference(
            lam[:, None, None], lam[None, :, None], lam[None, None, :]
        )

    def _site_jvp(self, dh: FloatArray, dv: FloatArray) -> FloatArray:
        full = self._v.ndim == 2
        inner = self._into_eigenbasis(dh)
        shift = (
            float(self._level_weights @ np.diagonal(inner))
            if self._level_weights is not None
            else 0.0
        )
        inner = self._project(inner)
        df = self._out(self._f_divided * inner, full)
        df_diagonal = np.diagonal(df) if full else df
        change = self._out(self._g_divided * inner, full=False)
        if self.canonical:
            change = (
                change + shift * self._diagonal(self._f) + self.chemical_potential * (df_diagonal)
            )
        if full:
            v_df = np.einsum("ij,ij->i", self._v, df)
            dv = np.diag(dv) if dv.ndim == 1 else dv
        else:
            v_df = self._v * df
        if dv.ndim == 1:
            dv_f = dv * self._diagonal(self._f)
        else:
            dv_f = np.einsum("ij,ij->i", dv, self.density_operator)
        return self._per_site(change - v_df - dv_f) * 2.0

    def _site_vjp(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(A, B) with d Σ a_ℓ E_ℓ = ⟨A, dH⟩ + ⟨B, dv⟩."""
        p = np.asarray(weights, dtype=np.float64)[self.assembly.atom_of_orbital]
        weighted = self._into_eigenbasis(p)
        v = np.diag(self._v) if self._v.ndim == 1 else self._v
        pv = 0.5 * (p[:, None] * v + v * p[None, :])
        inner = self._g_divided * weighted - self._f_divided * self._into_eigenbasis(pv)
        if self.canonical:
            inner = inner + self.chemical_potential * self._f_divided * weighted
        inner = self._project_adjoint(inner)
        if self._level_weights is not None:
            inner = inner + float(np.diagonal(weighted) @ self._f) * np.diag(self._level_weights)
        pf = 0.5 * (p[:, None] + p[None, :]) * self.density_operator
        return 2.0 * self._out(inner, full=True), -2.0 * pf
