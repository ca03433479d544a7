"""Löwdin's symmetric orthogonalisation X = S^{−1/2} and its derivative.

P.-O. Löwdin, J. Chem. Phys. 18, 365 (1950). The derivative of a matrix function in the eigenbasis
S = U diag(s) Uᵀ is Daleckii and Krein's: dX = U (X[s_i, s_j] ∘ Uᵀ dS U) Uᵀ with the divided
differences of s^{−1/2},

    X[s, t] = −1 / (√s √t (√s + √t)),

a form without cancellation for coalescing eigenvalues.
"""

import numpy as np

from scc.arrays import FloatArray
from scc.errors import InputError

LINEAR_DEPENDENCE = 1e-10
"""Orbitals count as linearly dependent when min s < this · max s: X then loses five digits."""


class Loewdin:
    """X = S^{−1/2} (``inverse_square_root``, (n, n)) of a symmetric positive overlap S (n, n).

    Raises InputError naming the smallest eigenvalue when the orbitals are linearly dependent
    (:data:`LINEAR_DEPENDENCE`), or S is not finite and symmetric.
    """

    def __init__(self, overlap: FloatArray, threshold: float = LINEAR_DEPENDENCE) -> None:
        if not np.all(np.isfinite(overlap)):
            raise InputError("the overlap matrix has entries that are not finite")
        asymmetry = float(np.max(np.abs(overlap - overlap.T)))
        if asymmetry > 1e-10 * float(np.max(np.abs(overlap))):
            raise InputError(f"the overlap matrix is not symmetric: S − Sᵀ reaches {asymmetry:.3g}")
        self.eigenvalues, self._vectors = np.linalg.eigh(overlap)
        smallest, largest = self.eigenvalues[0], self.eigenvalues[-1]
        if smallest <= threshold * largest:
            raise InputError(
                f"orbitals are linearly dependent: smallest overlap eigenvalue {smallest:.3g} "
                f"is below {threshold:g} times the largest, {largest:.3g}"
            )
        root = np.sqrt(self.eigenvalues)
        self.inverse_square_root: FloatArray = (self._vectors / root) @ self._vectors.T
        self._divided = -1.0 / (root[:, None] * root * (root[:, None] + root))

    def derivative(self, overlap_change: FloatArray) -> FloatArray:
        """dX in the direction dS, symmetric (n, n)."""
        return self._apply(overlap_change)

    def adjoint(self, weights: FloatArray) -> FloatArray:
        """Symmetric A with ⟨B, dX⟩ = ⟨A, dS⟩ for every symmetric dS; B (n, n) need not be."""
        return self._apply(0.5 * (weights + weights.T))

    def _apply(self, matrix: FloatArray) -> FloatArray:
        u = self._vectors
        applied: FloatArray = u @ (self._divided * (u.T @ matrix @ u)) @ u.T
        return applied
