"""Chebyshev series p(t) = Σ_k c_k T_k(t): values, divided differences, functions of matrices.

No difference of function values is ever divided by a difference of arguments, so coalescing
arguments are ordinary ones. Arguments are dimensionless, the series lives on [−1, 1].
"""

from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike

from scc.arrays import FloatArray


def series_value(coefficients: FloatArray, t: ArrayLike) -> FloatArray:
    """p(t), same shape as t."""
    return np.asarray(
        np.polynomial.chebyshev.chebval(np.asarray(t, dtype=np.float64), coefficients)
    )


def series_divided_difference(coefficients: FloatArray, t: ArrayLike, s: ArrayLike) -> FloatArray:
    """p[t, s], broadcast; p'(t) where t = s.

    By T_k[t,s] = Σ_{i+j=k−1} U_i(t) (2−δ_{j0}) T_j(s), p[t,s] = Σ_ij U_i(t) c_{i+j+1} (2−δ_{j0})
    T_j(s), a Hankel matrix between two short vectors: for all pairs of n eigenvalues the work of
    one product of (n, N) matrices.
    """
    t, s = np.asarray(t, dtype=np.float64), np.asarray(s, dtype=np.float64)
    order = len(coefficients) - 1
    if order == 0:
        return np.zeros(np.broadcast_shapes(t.shape, s.shape))
    first_kind = _polynomials(s, s, order)
    first_kind[..., 1:] *= 2.0
    hankel = scipy.linalg.hankel(coefficients[1:])
    return np.asarray(
        np.einsum(
            "...k,...k->...", _polynomials(t, 2.0 * t, order), first_kind @ hankel, optimize=False
        )
    )


def series_second_divided_difference(
    coefficients: FloatArray, t: ArrayLike, s: ArrayLike, r: ArrayLike
) -> FloatArray:
    """p[t, s, r], broadcast; p''(t)/2 where t = s = r.

    Clenshaw's backward recurrence b_k = c_k + 2t b_{k+1} − b_{k+2}, p = c_0 + t b_1 − b_2, to which
    the product rule of divided differences, (t b)[t,s] = t b[t,s] + b(s), applies term by term.
    """
    t, s, r = (np.asarray(argument, dtype=np.float64) for argument in (t, s, r))
    pair_shape = np.broadcast_shapes(s.shape, r.shape)
    shape = np.broadcast_shapes(t.shape, pair_shape)
    value, later = np.zeros(r.shape), np.zeros(r.shape)
    first, first_later = np.zeros(pair_shape), np.zeros(pair_shape)
    second, second_later = np.zeros(shape), np.zeros(shape)
    for c in coefficients[:0:-1]:
        second, second_later = 2.0 * (t * second + first) - second_later, second
        first, first_later = 2.0 * (s * first + value) - first_later, first
        value, later = c + 2.0 * r * value - later, value
    return np.asarray(t * second + first - second_later)


def _polynomials(t: FloatArray, linear: FloatArray, count: int) -> FloatArray:
    """Chebyshev polynomials of degree < count along a new last axis: T_k (linear = t), U_k (2t)."""
    values = np.ones((*t.shape, count))
    if count > 1:
        values[..., 1] = linear
    for k in range(2, count):
        values[..., k] = 2.0 * t * values[..., k - 1] - values[..., k - 2]
    return values


def series_of_matrix(coefficients: FloatArray, scaled: Any, identity: Any) -> Any:
    """Σ_k c_k T_k(A) by T_{k+1} = 2A T_k − T_{k−1}: degree-1 matrix products, no diagonalisation.

    scaled: A, a dense array or a SciPy sparse array with spectrum in [−1, 1]; identity: 1 of the
    same kind. Sparse in, sparse out: T_k(A) fills exactly the entries that k hops reach.
    """
    total = coefficients[0] * identity
    previous, current = identity, scaled
    for k, c in enumerate(coefficients[1:], start=1):
        total = total + c * current
        if k + 1 < len(coefficients):
            previous, current = current, 2.0 * (scaled @ current) - previous
    return total
