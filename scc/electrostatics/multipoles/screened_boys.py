r"""Screened Boys functions Y_n(T, α) = ∫₀¹ s^{2n} e^{−Ts² − α(1/s² − 1)} ds, n = 0…order.

Y_n(T, 0) is the Boys function F_n(T). The integrand is positive, so Gauss–Legendre quadrature has
no cancellation; it converges fast unless α is small and n too, when a layer of width √α at s = 0 is
not resolved. There the quadrature gives only a high order N, and the rest follows from

    (2n+1) Y_n = e^{−T} + 2T Y_{n+1} − 2α Y_{n−1},
    2α Y_{−1} = (√π/2) √α e^{−T} [erfcx(√α − √T) + erfcx(√α + √T)],

a tridiagonal system between Y_{−1} and Y_{N}, whose elimination has positive pivots.

For T ≤ max(α, 2 + order) relative errors are some 100 ε and those of e^{−T}; nothing underflows
but e^{−T}.
"""

import math
from functools import cache

import mpmath as mp
import numpy as np
from scipy.special import erfcx

from scc.arrays import FloatArray

_NODES = 32
_FEWER_NODES = 24  # enough for order ≥ 5, α ≤ 1, T ≤ 2
_SMALL_SCREENING = 1.0
_LEAST_TOP = 5  # lowest order whose integrand is smooth enough at s = 0 for any α
_NEGLIGIBLE = 40.0  # e^{−40} of the integrand's value at s = 1 is left out
_CHUNK = 2048


def screened_boys(order: int, argument: FloatArray, screening: FloatArray) -> FloatArray:
    """Y_0…Y_order: (order+1, N), from T and α (N,)."""
    result = np.empty((order + 1, argument.size))
    small = screening <= _SMALL_SCREENING
    for chosen, function in ((small, _weakly_screened), (~small, _strongly_screened)):
        where = np.flatnonzero(chosen)
        for start in range(0, where.size, _CHUNK):
            part = where[start : start + _CHUNK]
            result[:, part] = function(order, argument[part], screening[part])
    return result


@cache
def _nodes(number: int) -> tuple[FloatArray, FloatArray]:
    """1 − x and weights on (0, 1), each a correctly rounded number.

    In double precision the outermost weights, on which all rests when e^{−T s² − …} is steep, would
    carry 1e-13.
    """
    complements, weights = [], []
    with mp.workdps(30):
        for k in range(1, number + 1):
            x = mp.cos(mp.pi * (k - mp.mpf(1) / 4) / (number + mp.mpf(1) / 2))
            for _ in range(4):  # Newton's method, from 1e-4
                one, other = mp.mpf(1), x
                for n in range(1, number):
                    one, other = other, ((2 * n + 1) * x * other - n * one) / (n + 1)
                slope = number * (one - x * other) / (1 - x * x)
                x -= other / slope
            complements.append(float((1 - x) / 2))
            weights.append(float(1 / ((1 - x * x) * slope * slope)))
    return np.array(complements), np.array(weights)


def _weakly_screened(order: int, t: FloatArray, alpha: FloatArray) -> FloatArray:
    top = max(order, _LEAST_TOP)
    complement, weights = _nodes(_FEWER_NODES if np.max(t) <= 2.0 else _NODES)
    squared = (1.0 - complement) ** 2
    lost = complement * (2.0 - complement)  # 1 − s²
    # e^T Y_N
    values = np.exp(np.multiply.outer(t, lost) - np.multiply.outer(alpha, lost / squared))
    following = values @ (weights * squared**top)

    root, rho = np.sqrt(alpha), np.sqrt(t)
    edge = 0.5 * math.sqrt(math.pi) * root * (erfcx(root - rho) + erfcx(root + rho))
    pivots, sides = [np.ones_like(t)], [1.0 - edge]
    for n in range(1, top):
        factor = 2.0 * alpha / pivots[-1]
        pivots.append(2 * n + 1 + 2.0 * t * factor)
        sides.append(1.0 - factor * sides[-1])
    decay = np.exp(-t)
    result = np.empty((order + 1, t.size))
    if order == top:
        result[order] = decay * following
    for n in range(top - 1, -1, -1):
        following = (sides[n] + 2.0 * t * following) / pivots[n]
        if n <= order:
            result[n] = decay * following
    return result


def _strongly_screened(order: int, t: FloatArray, alpha: FloatArray) -> FloatArray:
    # T(1 − q) − α(1/q − 1) = −L at q = s²: the rest of (0, 1) does not count.
    total = alpha + t + _NEGLIGIBLE
    least = 2.0 * alpha / (total + np.sqrt(total * total - 4.0 * alpha * t))
    length = (1.0 - least) / (1.0 + np.sqrt(least))
    complement, weights = _nodes(_NODES)
    away = np.multiply.outer(length, complement)  # 1 − s
    squared = (1.0 - away) ** 2
    values = np.exp(away * (2.0 - away) * (t[:, None] - alpha[:, None] / squared))
    scale = length * np.exp(-t)
    result = np.empty((order + 1, t.size))
    for n in range(order + 1):
        result[n] = scale * (values @ weights)
        if n < order:
            values *= squared
    return result
