r"""The 9 × 9 matrices of all pairs between two small groups of atoms, at once.

For λ ≤ 2 on both sides and X = y_a − r_b (see :mod:`.harmonic_tensors`),

    K_aA,bB = Σ_{L,j,M} G[LjM, A, B] R_LM(X) h_{L,j}(r),      t_{LjM} = R_LM h_{L,j},

with 35 terms t; norms and signs are in G. The block of (λ_A, λ_B) needs only those with
L + 2j = λ_A + λ_B, and K_(λ_B, λ_A) is (−1)^{λ_A+λ_B} times the transposed components: six products
of a small constant matrix with the terms make all 81 entries. Derivatives follow from

    ∂_i t = ∂_i R_LM h_{L,j} + X_i R_LM h_{L+1,j},

∂_i R_LM being a combination of R_{L−1}. Everything is accurate to a few units in the last place of
the largest entry of each (λ_A, λ_B) block at any distance, X = 0 included if the variance is not 0.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from scc.arrays import FloatArray
from scc.basis.solid_harmonics import solid_harmonic_shells
from scc.electrostatics.multipoles.harmonic_tensors import Basis, couplings, radial_parts, raising
from scc.electrostatics.multipoles.kernels import RadialKernel
from scc.electrostatics.multipoles.moments import normalisations

LARGEST_L = 2
COMPONENTS = (LARGEST_L + 1) ** 2
ORDER = 2 * LARGEST_L
# (L, j) of the terms, so that what a block (λ_A, λ_B) needs stands together.
_TERMS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (3, 0), (0, 2), (2, 1), (4, 0))
N_TERMS = sum(2 * degree + 1 for degree, _ in _TERMS)


class _Block(NamedTuple):
    """λ_A ≤ λ_B: entries (n_A n_B, n_terms) times the terms of ``span``."""

    left: slice
    right: slice
    span: slice
    coefficients: FloatArray
    mirrored: float  # sign of the block (λ_B, λ_A)


@cache
def _spans() -> dict[tuple[int, int], slice]:
    spans, start = {}, 0
    for degree, traces in _TERMS:
        spans[degree, traces] = slice(start, start + 2 * degree + 1)
        start += 2 * degree + 1
    return spans


@cache
def coupling() -> FloatArray:
    """G (N_TERMS, 9, 9), norms and (−1)^{λ_B} included."""
    basis = Basis(LARGEST_L, 0)
    norms = normalisations(LARGEST_L)
    degree = np.floor(np.sqrt(np.arange(COMPONENTS)))
    result = np.zeros((N_TERMS, COMPONENTS, COMPONENTS))
    for piece in couplings(basis, basis):
        span = _spans()[piece.degree, piece.traces]
        result[span, piece.columns] = piece.coefficients
    return result * norms[:, None] * (norms * (-1.0) ** degree)


@cache
def term_parities() -> FloatArray:
    """(−1)^L of each term: its sign under X → −X."""
    return np.concatenate([np.full(2 * degree + 1, (-1.0) ** degree) for degree, _ in _TERMS])


@cache
def _blocks() -> tuple[_Block, ...]:
    result = []
    for one in range(LARGEST_L + 1):
        for other in range(one, LARGEST_L + 1):
            left, right = (slice(n**2, (n + 1) ** 2) for n in (one, other))
            spans = [
                _spans()[degree, traces]
                for degree, traces in _TERMS
                if degree + 2 * traces == one + other and degree >= other - one
            ]
            span = slice(min(s.start for s in spans), max(s.stop for s in spans))
            entries = coupling()[span, left, right]
            matrix = np.ascontiguousarray(entries.reshape(len(entries), -1).T)
            result.append(_Block(left, right, span, matrix, (-1.0) ** (one + other)))
    return tuple(result)


@cache
def _gradient_matrix() -> FloatArray:
    """∂_i R_a = Σ_b g[i, a, b] R_b for R up to L = 4: (3 · 25, 16)."""
    degree = ORDER
    result = np.zeros((3, (degree + 1) ** 2, degree**2))
    # x_i R_a = (x_i R_a − r² ∂_i R_a/(2L+1)) + r² ∂_i R_a/(2L+1), and the bracket is harmonic: the
    # part of x_i R_a with a factor r², as :func:`raising` has it for operators, is the derivative.
    raised = raising(degree)
    where = (degree + 2) ** 2  # operators with one trace follow those without
    for order in range(1, degree + 1):
        rows = slice(order**2, (order + 1) ** 2)
        below = slice((order - 1) ** 2, order**2)
        trace = raised[rows, :, where + below.start : where + below.stop]
        result[:, rows, below] = (2 * order + 1) * trace.transpose(1, 0, 2)
    return result.reshape(3 * (degree + 1) ** 2, degree**2)


class PairGeometry:
    """X, r² and R_LM(X) for all pairs of targets (n, 3) and sources (m, 3), bohr.

    Arrays of one number a pair are (n, m); ``harmonics`` (25, n, m).
    """

    def __init__(self, targets: FloatArray, sources: FloatArray) -> None:
        self.separation = np.ascontiguousarray((targets[:, None, :] - sources).transpose(2, 0, 1))
        self.squared = np.einsum("iab,iab->ab", self.separation, self.separation)
        self.harmonics = np.concatenate(solid_harmonic_shells(ORDER, *self.separation))

    def gradients(self) -> FloatArray:
        """∂_i R_LM: (3, 25, n, m)."""
        shape = self.squared.shape
        lower = self.harmonics[: ORDER**2].reshape(ORDER**2, -1)
        return np.asarray((_gradient_matrix() @ lower).reshape(3, -1, *shape))


class PairTerms:
    """The terms of one kernel v_w for the pairs of a :class:`PairGeometry`.

    Args:
        variance: w > 0, bohr².
        derivatives: whether products with gradients will be asked for.
    """

    def __init__(
        self,
        geometry: PairGeometry,
        kernel: RadialKernel,
        variance: float,
        derivatives: bool = False,
    ) -> None:
        self._geometry = geometry
        order = ORDER + 1 if derivatives else ORDER
        radial = kernel.derivatives(order, np.full(1, variance), geometry.squared)
        self._parts = radial_parts(radial, geometry.squared)

    def values(self) -> FloatArray:
        """t (35, n, m)."""
        result = np.empty((N_TERMS, *self._geometry.squared.shape))
        for (degree, traces), span in _spans().items():
            shell = self._geometry.harmonics[degree**2 : (degree + 1) ** 2]
            np.multiply(shell, self._parts[degree, traces], out=result[span])
        return result

    def directional(self, gradients: FloatArray, arms: FloatArray) -> FloatArray:
        """δ·∇t (35, n, m), from δ·∇R_LM (25, n, m) and δ·X (n, m)."""
        result = np.empty((N_TERMS, *self._geometry.squared.shape))
        for (degree, traces), span in _spans().items():
            shell = slice(degree**2, (degree + 1) ** 2)
            np.multiply(gradients[shell], self._parts[degree, traces], out=result[span])
            slope = arms * self._parts[degree + 1, traces]
            result[span] += self._geometry.harmonics[shell] * slope
        return result

    def add_to(self, weights: FloatArray, value: FloatArray, slope: FloatArray) -> None:
        """Collects Σ_τ c_τ ∇t = Σ_LM value_LM ∇R_LM + X Σ_LM slope_LM R_LM, c (35, n, m).

        ``value`` and ``slope`` (25, n, m) are added to.
        """
        for (degree, traces), span in _spans().items():
            shell = slice(degree**2, (degree + 1) ** 2)
            value[shell] += weights[span] * self._parts[degree, traces]
            slope[shell] += weights[span] * self._parts[degree + 1, traces]


class BlockEntries(NamedTuple):
    """Entries of K with λ_A ≤ λ_B for all pairs: (n_A, n_B, n, m), index [A, B, a, b].

    ``mirrored`` times the same numbers, A and B exchanged, are those of (λ_B, λ_A).
    """

    left: slice
    right: slice
    values: FloatArray
    mirrored: float


def block_entries(terms: FloatArray) -> Iterator[BlockEntries]:
    """K from t (35, n, m), for any coefficients t, block by block."""
    _, targets, sources = terms.shape
    flat = terms.reshape(N_TERMS, -1)
    for block in _blocks():
        width = block.left.stop - block.left.start
        values = (block.coefficients @ flat[block.span]).reshape(width, -1, targets, sources)
        yield BlockEntries(block.left, block.right, values, block.mirrored)


def pair_matrix(terms: FloatArray) -> FloatArray:
    """K from t (35, n, m), for any coefficients t: (9, n, 9, m), index [A, a, B, b]."""
    _, targets, sources = terms.shape
    result = np.empty((COMPONENTS, targets, COMPONENTS, sources))
    for left, right, values, mirrored in block_entries(terms):
        result[left, :, right] = values.transpose(0, 2, 1, 3)
        if left != right:
            np.multiply(values.transpose(1, 2, 0, 3), mirrored, out=result[right, :, left])
    return result
