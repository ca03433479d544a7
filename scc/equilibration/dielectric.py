"""The dielectric operator ε = 1 − K χ₀ at a state: stability, and the map from bare to screened.

χ₀ = 2 DF(H) (restricted to the density coefficients) is the independent-particle response
dD = χ₀ dV, K = ∂V/∂D is v_C (plus ε_xc″). A bare perturbation dV_ext gives the self-consistent
potential ε⁻¹dV_ext; a bare change of density dD_ext gives (ε†)⁻¹dD_ext, ε† = 1 − χ₀K. χ₀ ≤ 0 and
K ≥ 0 make the spectrum of ε real and ≥ 1: it is self-adjoint in ⟨x, y⟩ = −xᵀχ₀y.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import scipy.linalg
from scipy.sparse.linalg import ArpackError, LinearOperator, eigs, onenormest

from scc.arrays import FloatArray
from scc.equilibration.krylov import REQUESTED, solve_krylov
from scc.equilibration.work import Work
from scc.errors import ConvergenceError
from scc.functional.energy import FunctionalState

# Share of a Ritz vector in the start of the recursion (relative, in the metric K) from which it
# counts. The start lies in the range of χ₀ to rounding; the dense spectrum draws the same line.
_LEAST_WEIGHT = 1e-12


class DielectricOperator:
    """ε at one :class:`FunctionalState`; potentials and densities have the shape of D."""

    def __init__(self, state: FunctionalState, work: Work | None = None) -> None:
        self.state = state
        self.work = work if work is not None else Work()
        self.shape = state.density.shape
        self.size = int(np.prod(self.shape))

    @cached_property
    def _precondition(self) -> Callable[[FloatArray], FloatArray]:
        return local_response_preconditioner(self.state)

    def independent_response(self, potential: FloatArray) -> FloatArray:
        """χ₀ dV, electrons."""
        self.work.response_applications += 1
        return self.state.local.potential_response(potential)

    def kernel(self, density: FloatArray) -> FloatArray:
        """K dD, Hartree."""
        return self.state.functional.kernel(self.state.density, density)

    def _minus_response(self, potential: FloatArray) -> FloatArray:
        return -self.independent_response(potential)

    def apply(self, potential: FloatArray) -> FloatArray:
        """ε dV = dV − K χ₀ dV."""
        return potential - self.kernel(self.independent_response(potential))

    def apply_adjoint(self, density: FloatArray) -> FloatArray:
        """ε† dD = dD − χ₀ K dD."""
        return density - self.independent_response(self.kernel(density))

    def solve(self, potential: FloatArray) -> FloatArray:
        """ε⁻¹ dV. Raises ConvergenceError when ε is singular to working precision."""
        # ε⁻¹ = 1 + K (ε†)⁻¹ χ₀: one route for both, preconditioned on the density side.
        return potential + self.kernel(self.solve_adjoint(self.independent_response(potential)))

    def solve_adjoint(self, density: FloatArray, tolerance: float = REQUESTED) -> FloatArray:
        """(ε†)⁻¹ dD. Raises ConvergenceError when ε is singular to working precision."""
        return solve_krylov(
            self.apply_adjoint,
            density,
            "dielectric equation",
            precondition=self._precondition,
            tolerance=tolerance,
        )

    def extreme_eigenvalues(
        self, tolerance: float = 1e-6, max_steps: int = 200, dense_below: int = 256
    ) -> tuple[float, float]:
        """(λ_min, λ_max) of ε: dense for small systems, else Lanczos.

        Only directions with χ₀x ≠ 0 count; on the null space of χ₀ (constants at β = ∞, say)
        ε = 1. Needs −χ₀ ≥ 0, i.e. exact occupations. Each Lanczos step, and each column of the
        dense matrix, costs one χ₀ application. ``tolerance``: relative change of both values over
        three steps.
        """
        if self.size <= dense_below:
            return self._dense_extremes()
        return self._lanczos_extremes(tolerance, max_steps)

    def _dense_extremes(self) -> tuple[float, float]:
        """Spectrum of 1 + X^{1/2} K X^{1/2}, X = −χ₀, on the range of X.

        X ≥ 0 is Lemma 11. Polynomial occupations need not obey it; then the eigenvalues of the
        non-symmetric ε itself are taken (their real parts, should a pair be complex). For exact
        occupations a negative X is an error and raises ConvergenceError.
        """
        units = self._symmetric_units()
        columns = [-self.independent_response(unit) for unit in units]
        response = np.array([[np.vdot(unit, column) for column in columns] for unit in units])
        values, vectors = scipy.linalg.eigh(0.5 * (response + response.T))
        largest = float(np.max(np.abs(values)))
        if largest == 0.0:
            return 1.0, 1.0
        if values[0] < -1e-10 * largest:
            if self.state.functional.has_exact_occupation:
                raise ConvergenceError(
                    f"the response −χ₀ has the negative eigenvalue {values[0]:.3e}: "
                    "it should be positive (Lemma 11)"
                )
            potentials = [self.kernel(column) for column in columns]
            epsilon = np.array([[np.vdot(unit, v) for v in potentials] for unit in units])
            spectrum = np.sort(np.linalg.eigvals(np.eye(len(units)) + epsilon).real)
            return float(spectrum[0]), float(spectrum[-1])
        keep = values > 1e-12 * largest
        root = vectors[:, keep] * np.sqrt(values[keep])
        densities = [np.tensordot(column, units, axes=1) for column in root.T]
        screened = [self.kernel(density) for density in densities]
        inner = np.array([[np.vdot(d, k) for k in screened] for d in densities])
        spectrum = 1.0 + scipy.linalg.eigvalsh(0.5 * (inner + inner.T))
        return float(spectrum[0]), float(spectrum[-1])

    def _symmetric_units(self) -> FloatArray:
        """Orthonormal basis of potentials: unit vectors, or of the symmetric matrices."""
        if not self._matrices:
            return np.eye(self.size).reshape(self.size, *self.shape)
        n = self.shape[0]
        rows, columns = np.tril_indices(n)
        units = np.zeros((len(rows), n, n))
        weight = np.where(rows == columns, 1.0, np.sqrt(0.5))
        index = np.arange(len(rows))
        units[index, rows, columns] = weight
        units[index, columns, rows] = weight
        return units

    @property
    def _matrices(self) -> bool:
        """Whether densities are symmetric matrices."""
        model = self.state.functional.model
        return model.complete and len(self.shape) == 2 and self.shape[0] == self.shape[1]

    def _start(self) -> FloatArray:
        """A random density in the range of χ₀, where all of the spectrum that counts lives."""
        return self._minus_response(np.random.default_rng(0).standard_normal(self.shape))

    def _lanczos_extremes(self, tolerance: float, max_steps: int) -> tuple[float, float]:
        """Krylov extremes of ε† on the range of χ₀, which it maps into itself.

        E[ρ] convex: Lanczos in ⟨x, y⟩ = xᵀKy, in which ε† is self-adjoint, with full
        reorthogonalisation. Otherwise K defines no metric and Arnoldi (ARPACK) is used.
        """
        if not self.state.functional.convex:
            return self._arnoldi_extremes(tolerance)
        v = self._start()
        s = self.kernel(v)
        norm = float(np.sqrt(max(float(np.vdot(v, s)), 0.0)))
        if norm == 0.0:
            return 1.0, 1.0
        v, s = v / norm, s / norm
        basis: list[FloatArray] = []
        duals: list[FloatArray] = []
        alphas: list[float] = []
        betas: list[float] = []
        history: list[tuple[float, float]] = []
        for _ in range(min(max_steps, self.size)):
            basis.append(v)
            duals.append(s)
            w = self._minus_response(s)  # ε†v − v
            alphas.append(1.0 + float(np.vdot(s, w)))
            for _repeat in range(2):  # twice is enough (Kahan, Parlett)
                for old, dual in zip(basis, duals, strict=True):
                    w = w - float(np.vdot(dual, w)) * old
            t = self.kernel(w)
            square = float(np.vdot(w, t))
            ritz, vectors = scipy.linalg.eigh_tridiagonal(np.array(alphas), np.array(betas))
            # What rounding lets in from null(χ₀), where ε = 1, has no part in the start.
            ritz = ritz[np.abs(vectors[0]) > _LEAST_WEIGHT]
            history.append((float(ritz[0]), float(ritz[-1])))
            # Exhausted: the next vector would be what rounding left, and that lies in null(χ₀).
            if square <= 1e-14 * history[-1][1] ** 2:
                break
            if len(history) > 6 and all(
                np.allclose(history[-1], history[-1 - k], rtol=tolerance, atol=0.0)
                for k in (1, 2, 3)
            ):
                break
            norm = float(np.sqrt(square))
            betas.append(norm)
            v, s = w / norm, t / norm
        return history[-1]

    def _arnoldi_extremes(self, tolerance: float) -> tuple[float, float]:
        operator = LinearOperator(
            (self.size, self.size),
            matvec=lambda x: self.apply_adjoint(x.reshape(self.shape)).ravel(),
            dtype=np.float64,
        )
        start = self._start().ravel()
        found = []
        for which in ("SR", "LR"):
            try:
                values = eigs(
                    operator,
                    k=1,
                    which=which,
                    v0=start,
                    tol=tolerance,
                    ncv=min(self.size - 1, 40),
                    maxiter=50,
                    return_eigenvectors=False,
                )
            except ArpackError as error:
                raise ConvergenceError(f"spectrum of the dielectric operator: {error}") from error
            found.append(float(values[0].real))
        return found[0], found[1]

    def dense(self) -> FloatArray:
        """ε as a matrix on flattened potentials (small systems)."""
        columns = [self.apply(unit.reshape(self.shape)).ravel() for unit in np.eye(self.size)]
        return np.array(columns).T

    def inverse_norm(self, dense_below: int = 256) -> float:
        """‖ε⁻¹‖_{ℓ∞→ℓ∞}: the gauge-free form of the stability constant (3.12).

        Dense for small systems; otherwise the 1-norm of (ε†)⁻¹ = (ε⁻¹)ᵀ by Higham and Tisseur's
        estimator, a lower bound almost always attained, from a few solves.
        """
        if self.size <= dense_below:
            return float(np.max(np.sum(np.abs(np.linalg.inv(self.dense())), axis=1)))
        operator = LinearOperator(
            (self.size, self.size),
            matvec=lambda x: self.solve_adjoint(x.reshape(self.shape)).ravel(),
            rmatvec=lambda x: self.solve(x.reshape(self.shape)).ravel(),
            dtype=np.float64,
        )
        return float(onenormest(operator))


def local_response_preconditioner(
    state: FunctionalState,
) -> Callable[[FloatArray], FloatArray]:
    """Approximate (1 − χ₀K)⁻¹ with χ₀ replaced by the local density of states at µ.

    χ₀ ≈ −diag(L) + L⊗L/ΣL (second term in the canonical ensemble), L_ℓ = −2 tr F′(H)_ℓℓ: exact on
    long wave lengths in a metal, where it removes the growth of the iteration count with system
    size, and the identity in an insulator (L = 0). Herbst & Levitt, J. Phys.: Condens. Matter 33
    (2021) 085503. Identity where the kernel is not available as a matrix.
    """
    matrices = [getattr(term, "matrix", None) for term in state.functional.terms]
    if state.density.ndim != 1 or not any(m is not None for m in matrices):
        return lambda residual: residual
    # Polynomial occupations can have F_N′ > 0 somewhere; a preconditioner must stay definite.
    levels = np.maximum(state.local.local_density_of_states, 0.0)
    if float(np.max(levels, initial=0.0)) < 1e-8:
        return lambda residual: residual
    kernel = np.asarray(sum(m for m in matrices if m is not None))
    model = -np.diag(levels)
    if state.local.canonical:
        model = model + np.outer(levels, levels) / np.sum(levels)
    factors = scipy.linalg.lu_factor(np.eye(len(levels)) - model @ kernel)
    return lambda residual: np.asarray(scipy.linalg.lu_solve(factors, residual))
