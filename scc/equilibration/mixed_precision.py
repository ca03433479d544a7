r"""The saddle point of a kept matrix: A q + µ1 = −χ, 1ᵀq = Q, factorised in single precision.

With a factor M ≈ A, the residual r = −(χ + Aq + µ1), computed in double precision, improves q by

    q ← q + M⁻¹r − m (1ᵀM⁻¹r),      m = M⁻¹1/(1ᵀM⁻¹1),      µ = −m·(χ + Aq),

which stays on 1ᵀq = Q and gains as many digits a step as M is accurate to (iterative refinement:
N. J. Higham, Accuracy and Stability of Numerical Algorithms, SIAM 2002, chapter 12). Half the price
of a factor in double precision, and the same answer. Where single precision will not do, M is in
double precision; and as only 1ᵀq = 0 matters to the minimum, A + c11ᵀ is tried where A itself is
not positive definite.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg.blas import dsymv
from scipy.linalg.lapack import dpotrf, dpotrs, spotrf, spotrs

from scc.arrays import FloatArray
from scc.equilibration.saddle_point import SaddlePoint
from scc.errors import ConvergenceError, InputError

_MOST_STEPS = 40
_ACCEPTED = 1e-11  # of the residual, relative to |χ| + |A||q|
_SINGULAR = 1e-13  # pivot² over the largest: all but three digits are lost
_DOUBTFUL = 1e-4  # the same in single precision, where rounding is 1e-7
_LIFT = 100.0  # c over the largest element of A

Factor = Callable[[FloatArray], FloatArray]


def solve_matrix(triangle: FloatArray, right: FloatArray, total: float) -> SaddlePoint:
    """q with Aq + µ1 = ``right``, 1ᵀq = ``total``: a minimum, to rounding.

    Args:
        triangle: A (M, M), C-contiguous; only its lower triangle is looked at.
        right: −χ (M,).
    Raises:
        InputError: A is not positive definite for charges of a given sum.
        ConvergenceError: refinement does not reach rounding.
    """
    upper = triangle.T  # what LAPACK calls it, in Fortran's order
    number = len(triangle)
    if number == 1:
        charges = np.array([float(total)])
        return SaddlePoint(charges, float(right[0] - triangle[0, 0] * total), True)
    inverse = _factorised(triangle)
    lifted = inverse(np.ones(number))
    lifted /= np.sum(lifted)
    charges = total * lifted
    best = SaddlePoint(charges, 0.0, True)
    best_size, size = np.inf, 0.0
    for _ in range(_MOST_STEPS):
        image = dsymv(1.0, upper, charges, lower=0)
        residual = right - image
        multiplier = float(lifted @ residual)
        residual -= multiplier
        size = float(np.max(np.abs(residual)))
        if not size < 0.5 * best_size:  # rounding, or no convergence
            break
        best, best_size = SaddlePoint(charges, multiplier, True), size
        step = inverse(residual)
        charges = charges + step - lifted * np.sum(step)
        charges += (total - np.sum(charges)) / number
    if size < best_size:
        best, best_size = SaddlePoint(charges, multiplier, True), size
    # A is, up to c11ᵀ, positive definite: its diagonal is as large as any element.
    largest = float(np.max(np.abs(np.diagonal(triangle))))
    scale = float(np.max(np.abs(right))) + largest * float(np.max(np.abs(best.x)))
    if not best_size <= _ACCEPTED * scale:
        raise ConvergenceError(
            f"charges not found to rounding: relative residual {best_size / scale:.2e} "
            "(the hardness matrix is nearly singular)"
        )
    return best


def _factorised(triangle: FloatArray) -> Factor:
    """M⁻¹, positive definite."""
    single, info = spotrf(triangle.astype(np.float32).T, lower=0, overwrite_a=1, clean=0)
    if info == 0 and _pivots(single) > _DOUBTFUL:

        def quick(r: FloatArray) -> FloatArray:
            size = float(np.max(np.abs(r))) or 1.0  # residuals of 1e-40 are zero in float32
            return size * np.asarray(
                spotrs(single, (r / size).astype(np.float32), lower=0)[0], float
            )

        return quick
    largest = float(np.max(np.abs(np.diagonal(triangle))))
    for lift in (0.0, _LIFT * largest):
        double, info = dpotrf(triangle.T + lift, lower=0, overwrite_a=1, clean=0)
        if info == 0 and _pivots(double) > _SINGULAR:
            return _in_double(double)
    raise InputError(
        "the hardness matrix is singular or indefinite for charges of a given sum: their energy "
        "has no minimum (atoms too close, or hardness too negative)"
    )


def _in_double(factor: FloatArray) -> Factor:
    return lambda r: np.asarray(dpotrs(factor, r, lower=0)[0])


def _pivots(factor: FloatArray) -> float:
    pivots = np.abs(np.diagonal(factor))
    return float((pivots.min() / pivots.max()) ** 2)
