r"""Functions as sums of Hermite Gaussians, and bilinear forms between two such families.

    Λ_t(x; p, P) = ∂_P^t [ (p/π)^{3/2} e^{−p|x−P|²} ],     t = (t₁, t₂, t₃),

so Λ_0 has unit charge. Products of orbitals, smeared nuclei and potential functions Ξ are all of
this form. For a translation-invariant kernel v(x − y),

    ∬ Λ_t(x; p, P) v(x−y) Λ_s(y; q, Q) = (−1)^{|s|} ∂_X^{t+s} v_α(X),   X = P − Q, 1/α = 1/p + 1/q,

v_α being v convolved with one normalised Gaussian of exponent α: whatever v is, its derivatives
are all that an integral needs. Here v = δ (overlaps); 1/r lives in :mod:`scc.electrostatics`.

Reference: L. E. McMurchie, E. R. Davidson, J. Comput. Phys. 26, 218 (1978).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from scc.arrays import FloatArray
from scc.basis.polynomials import monomial_count, monomial_exponents, sum_index

KernelDerivatives = Callable[[FloatArray, FloatArray, int], FloatArray]
"""(α (...), X (..., 3), order) ↦ ∂_X^t v_α(X) for all |t| ≤ order: (n_t, ...)."""

_PAIRS_A_CHUNK = 1 << 14  # centre pairs treated at once: the work arrays then stay in the cache


@dataclass(frozen=True)
class HermiteBlock:
    """Hermite Gaussians of one order at k centres, and their coefficients in f functions.

    ``coefficients`` is sparse (n_t·k, f); row t·k + i belongs to Λ_t at centre i. An exponent may
    be inf: a point charge.
    """

    order: int
    exponents: FloatArray  # (k,) bohr⁻²
    centres: FloatArray  # (k, 3) bohr
    coefficients: Any  # scipy sparse array


@dataclass(frozen=True)
class HermiteExpansion:
    """f functions, each a linear combination of Hermite Gaussians."""

    blocks: tuple[HermiteBlock, ...]
    n_functions: int

    def combine(self, weights: FloatArray) -> "HermiteExpansion":
        """The functions Σ_f weights[f, g] · function_f; weights (f,) or (f, g)."""
        weights = weights.reshape(self.n_functions, -1)
        blocks = tuple(
            HermiteBlock(b.order, b.exponents, b.centres, sp.csr_array(b.coefficients @ weights))
            for b in self.blocks
        )
        return HermiteExpansion(blocks, weights.shape[1])

    def charges(self) -> FloatArray:
        """∫ f dx of each function (f,)."""
        total = np.zeros(self.n_functions)
        for block in self.blocks:
            total += block.coefficients[: len(block.exponents)].sum(axis=0)
        return total

    def first_moments(self) -> FloatArray:
        """∫ x f dx of each function about the origin (3, f), bohr times charge.

        ∫ x Λ_0 = P and ∫ x Λ_{e_i} = e_i; higher Λ have no first moment.
        """
        total = np.zeros((3, self.n_functions))
        for block in self.blocks:
            k = len(block.exponents)
            total += (block.coefficients[:k].T @ block.centres).T
            if block.order > 0:
                for t, axis in ((1, 0), (2, 1), (3, 2)):
                    total[axis] += block.coefficients[t * k : (t + 1) * k].sum(axis=0)
        return total


def bilinear_form(
    kernel: KernelDerivatives, left: HermiteExpansion, right: HermiteExpansion
) -> FloatArray:
    """∬ f(x) v(x−y) g(y) for all functions f of ``left`` and g of ``right``: (n_left, n_right)."""
    result = np.zeros((left.n_functions, right.n_functions))
    for b in right.blocks:
        parity = (-1.0) ** monomial_exponents(b.order).sum(axis=1)
        signs = sp.diags_array(np.repeat(parity, len(b.exponents)))
        right_coefficients = sp.csr_array(signs @ b.coefficients)
        for a in left.blocks:
            _add_block(result, kernel, a, b, right_coefficients)
    return result


def _add_block(
    result: FloatArray,
    kernel: KernelDerivatives,
    a: HermiteBlock,
    b: HermiteBlock,
    right_coefficients: Any,
) -> None:
    """Adds left coefficientsᵀ · K · right coefficients of two blocks, rows of K in chunks."""
    k, n = len(a.exponents), len(b.exponents)
    n_left, n_right = monomial_count(a.order), monomial_count(b.order)
    index = sum_index(a.order, b.order)
    left_coefficients = sp.csr_array(a.coefficients)
    step = max(1, _PAIRS_A_CHUNK // n)
    for start in range(0, k, step):
        rows = np.arange(start, min(start + step, k))
        alpha = 1.0 / (1.0 / a.exponents[rows, None] + 1.0 / b.exponents[None, :])
        separation = a.centres[rows, None, :] - b.centres[None, :, :]
        derivatives = kernel(alpha, separation, a.order + b.order)
        matrix = np.empty((n_left, len(rows), n_right, n))
        for t in range(n_left):
            for s in range(n_right):
                matrix[t, :, s, :] = derivatives[index[t, s]]
        half = matrix.reshape(n_left * len(rows), n_right * n) @ right_coefficients
        chunk = left_coefficients[(np.arange(n_left)[:, None] * k + rows).ravel()]
        columns = np.unique(chunk.indices)
        result[columns] += chunk[:, columns].T @ half


def gaussian_kernel(alpha: FloatArray, separation: FloatArray, order: int) -> FloatArray:
    """Derivatives for v = δ: ∂_X^t [(α/π)^{3/2} e^{−α|X|²}], by the Hermite recurrence per axis.

    With h_t = e^{αx²} ∂_x^t e^{−αx²}: h_{t+1} = −2α (x h_t + t h_{t−1}).
    """
    factor = -2.0 * alpha[..., None]
    hermite = [np.ones_like(separation)]
    for t in range(order):
        following = separation * hermite[t]
        if t > 0:
            following += t * hermite[t - 1]
        hermite.append(factor * following)
    squared = np.einsum("...i,...i->...", separation, separation)
    value = (alpha / np.pi) ** 1.5 * np.exp(-alpha * squared)
    indices = monomial_exponents(order)
    result = np.empty((len(indices), *alpha.shape))
    for n, (t, u, v) in enumerate(indices):
        result[n] = value * hermite[t][..., 0] * hermite[u][..., 1] * hermite[v][..., 2]
    return result
