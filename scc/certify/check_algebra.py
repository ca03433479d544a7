"""Linear algebra of the checker, in ball arithmetic: signs of eigenvalues, inverses, F(H).

F(H) at β < ∞ is had by doubling β, at β = ∞ by Newton's iteration for the matrix sign:

    F_{2β} = F_β² (F_β² + (1−F_β)²)⁻¹ ,      F_{β/2^k} = (1 + e^{β(H−µ)/2^k})⁻¹ .
"""

from __future__ import annotations

import flint
import numpy as np
from numpy.typing import ArrayLike

from scc.arrays import FloatArray
from scc.certify.failure import RefusedError

ArbMat = flint.arb_mat


def unit(size: int, value: flint.arb | int = 1) -> ArbMat:
    """value · 1."""
    return ArbMat([[value if i == j else 0 for j in range(size)] for i in range(size)])


def inverse(matrix: ArbMat) -> ArbMat:
    """A⁻¹ for every A in the balls: X + XR ± |X| r²/(1−r) from any X, R = 1 − AX, r = ‖R‖ < 1.

    LU factorisation in ball arithmetic would lose a bit or two a row instead.
    """
    size, middle = matrix.nrows(), matrix.mid()
    two = unit(size, 2)
    X = _matrix(np.linalg.inv(_floats(matrix)))
    for _ in range(8):
        product = middle * X
        X = (X * (two - product)).mid()
        if row_norm(two / 2 - product) < flint.arb(2) ** (-flint.ctx.prec // 2):
            break
    R = two / 2 - matrix * X
    r = row_norm(R)
    if not r < 1:
        raise RefusedError("a matrix is not certainly invertible")
    rest = flint.arb(0, (row_norm(X) * r * r / (1 - r)).upper())
    return ArbMat(size, size, [entry + rest for entry in (X + X * R).entries()])


def negative_eigenvalues(matrix: ArbMat) -> int:
    """Their number. RefusedError where it is not certain.

    X = UᵀAU with the float64 eigenvectors U of A, whatever they are worth, has the inertia of A
    (Sylvester) if it is not singular, and the signs of its diagonal if that dominates every row.
    """
    U = _matrix(np.linalg.eigh(_floats(matrix))[1])
    found = 0
    for i, row in enumerate((U.transpose() * matrix * U).tolist()):
        others = sum((abs(x) for j, x in enumerate(row) if j != i), flint.arb(0))
        if not abs(row[i]) > others:
            raise RefusedError(f"an eigenvalue near {row[i].str(3, radius=False)} has no sure sign")
        found += bool(row[i] < 0)
    return found


def positive(matrix: ArbMat) -> bool:
    """Whether a symmetric matrix is certainly positive definite."""
    try:
        return negative_eigenvalues(matrix) == 0
    except RefusedError:
        return False


def levels_below(H: ArbMat, energy: flint.arb) -> int:
    """Number of eigenvalues below an energy that is none."""
    return negative_eigenvalues(H - unit(H.nrows(), energy))


def fermi(H: ArbMat, beta: flint.arb, mu: flint.arb) -> ArbMat:
    """F(H) at β < ∞ by doubling."""
    one = unit(H.nrows())
    exponent = (H - unit(H.nrows(), mu)) * beta
    doublings = 0
    while not row_norm(exponent) < 2:
        exponent, doublings = exponent / 2, doublings + 1
    F = inverse(one + exponent.exp())
    for _ in range(doublings):
        filled, empty = F * F, (one - F) * (one - F)
        F = filled * inverse(filled + empty)
        F = (F + F.transpose()) / 2
    return F


def projector(H: ArbMat, low: flint.arb, high: flint.arb) -> ArbMat:
    """The spectral projector below a gap (low, high) free of levels.

    Newton's X ← (X + X⁻¹)/2 commutes with H; on a level at x₀ ∈ [d, 1] (in units of ‖H − m‖) it has
    (x_k − 1)/(x_k + 1) = ((x₀−1)/(x₀+1))^{2^k}, so |x_k − 1| ≤ 2q/(1−q), q = ((1−d)/(1+d))^{2^k}.
    """
    size = H.nrows()
    X = H - unit(size, (low + high) / 2)
    scale = row_norm(X)
    distance = (high - low) / (2 * scale)
    X = X / scale
    q = (1 - distance) / (1 + distance)
    while not q < flint.arb(2) ** (-flint.ctx.prec * 3 // 4):
        X = (X + inverse(X)) / 2
        X, q = (X + X.transpose()) / 2, q * q
    error = flint.arb(0, (q / (1 - q)).upper())
    return ArbMat(size, size, [e + error for e in ((unit(size) - X) / 2).entries()])


def _floats(matrix: ArbMat) -> FloatArray:
    middles = [float(entry.mid()) for entry in matrix.entries()]
    return np.array(middles).reshape(matrix.nrows(), matrix.ncols())


def _matrix(values: ArrayLike) -> ArbMat:
    return ArbMat([[float(x) for x in row] for row in np.asarray(values)])


def row_norm(matrix: ArbMat) -> flint.arb:
    """max_i Σ_j |A_ij| ≥ ‖A‖₂ for symmetric A, an exact number. RefusedError if it is infinite."""
    sums = [sum((abs(x) for x in row), flint.arb(0)).upper() for row in matrix.tolist()]
    if not all(value.is_finite() for value in sums):  # max would pass over NaN
        raise RefusedError("a matrix has no finite norm")
    return max(sums)


def length(values: list[flint.arb]) -> flint.arb:
    """Euclidean norm, an upper bound."""
    return sum((x * x for x in values), flint.arb(0)).upper().sqrt().upper()
