"""Norms of families of symmetric matrices: of d ↦ Σ d_k A_k, and of X ↦ (⟨A_k, X⟩)_k.

|⟨A, X⟩| ≤ ‖A‖₁‖X‖. As forms, ±Σ d_k A_k ≤ ‖d‖_∞ Σ|A_k|, and (Σ d_k A_k)² ≤ ‖d‖_2² ΣA_k²; both are
proved in :mod:`scc.theory._theorem_8_gaussian_steps`.
"""

import math

import numpy as np

from scc.arrays import FloatArray


def trace_norms(matrices: FloatArray) -> FloatArray:
    """‖A‖₁ for symmetric A (…, n, n)."""
    return np.asarray(np.sum(np.abs(np.linalg.eigvalsh(matrices)), axis=-1))


def joint_norm(matrices: FloatArray) -> float:
    """‖Σ|A_k|‖ ≥ ‖Σ d_k A_k‖ for |d_k| ≤ 1, |A| the absolute value of a symmetric matrix."""
    levels, vectors = np.linalg.eigh(matrices)
    total = np.einsum("kia,ka,kja->ij", vectors, np.abs(levels), vectors, optimize=True)
    return float(np.linalg.norm(total, 2))


def as_map(matrices: FloatArray) -> float:
    """‖d ↦ Σ d_k A_k‖ from ℓ² to the Frobenius norm."""
    return float(np.linalg.norm(matrices.reshape(len(matrices), -1), 2))


def square_norm(matrices: FloatArray) -> float:
    """‖ΣA_k²‖^½ ≥ ‖Σ d_k A_k‖ for ‖d‖_2 = 1."""
    return math.sqrt(float(np.linalg.norm(np.einsum("mij,mjk->ik", matrices, matrices), 2)))
