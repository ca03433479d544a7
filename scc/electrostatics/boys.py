r"""The Boys functions F_n(T) = ∫₀¹ u^{2n} e^{−Tu²} du, n = 0…order, for every T ≥ 0.

Small T: the highest order by a Taylor expansion about the nearest point of a table, lower orders by
the downward recurrence F_n = (2T F_{n+1} + e^{−T})/(2n+1), which only adds positive terms.
Large T: F_0 = ½√(π/T) erf(√T) and upward, F_{n+1} = ((2n+1) F_n − e^{−T})/(2T), stable as soon as
e^{−T} is small against (2n+1)F_n. The table is made from the series
F_n(T) = e^{−T} Σ_k (2T)^k / ((2n+1)(2n+3)…(2n+2k+1)), again of positive terms.

Reference: T. Helgaker, P. Jørgensen, J. Olsen, Molecular Electronic-Structure Theory (2000), §9.8.
"""

from functools import cache

import numpy as np
from scipy.special import erf

from scc.arrays import FloatArray

_STEPS_PER_UNIT = 64
_TAYLOR_TERMS = 7  # (1/128)^7 / 7! = 3e-19 of F_n: below rounding


def _largest_tabulated(order: int) -> int:
    """T from which the upward recurrence loses no digit: e^{−T} < 1e-6 (2n+1) F_n for n < order."""
    return 20 + 2 * order


@cache
def _table(order: int) -> FloatArray:
    """(−1)^k F_{order+k}(T_g)/k! on T_g = g/64, k < 7: (7, n_grid)."""
    grid = np.arange(_STEPS_PER_UNIT * _largest_tabulated(order) + 1) / _STEPS_PER_UNIT
    top = order + _TAYLOR_TERMS - 1
    term = np.full_like(grid, 1.0 / (2 * top + 1))
    total = term.copy()
    k = 0
    while np.any(term > 1e-18 * total):
        k += 1
        term *= 2 * grid / (2 * top + 2 * k + 1)
        total += term
    decay = np.exp(-grid)
    functions = [total * decay]
    for n in range(top - 1, order - 1, -1):
        functions.append((2 * grid * functions[-1] + decay) / (2 * n + 1))
    factor = 1.0
    rows = []
    for k, function in enumerate(reversed(functions)):
        factor *= -1.0 / k if k > 0 else 1.0
        rows.append(factor * function)
    return np.array(rows)


def boys(order: int, argument: FloatArray) -> FloatArray:
    """F_0…F_order at T ≥ 0 of any shape: (order+1, ...), each to a few units in the last place."""
    t = np.asarray(argument, dtype=np.float64)
    flat = t.ravel()
    result = np.empty((order + 1, flat.size))
    small = flat < _largest_tabulated(order)
    if np.all(small):
        _fill_small(order, flat, result)
    else:
        inner = np.empty((order + 1, int(small.sum())))
        _fill_small(order, flat[small], inner)
        result[:, small] = inner
        outer = np.empty((order + 1, flat.size - inner.shape[1]))
        _fill_large(order, flat[~small], outer)
        result[:, ~small] = outer
    return result.reshape(order + 1, *t.shape)


def _fill_small(order: int, t: FloatArray, result: FloatArray) -> None:
    table = _table(order)
    node = np.rint(t * _STEPS_PER_UNIT).astype(np.int64)
    step = t - node / _STEPS_PER_UNIT
    value = table[-1][node]
    for row in table[-2::-1]:
        value *= step
        value += row[node]
    result[order] = value
    if order == 0:
        return
    decay = np.exp(-t)
    for n in range(order - 1, -1, -1):
        result[n] = (2 * t * result[n + 1] + decay) / (2 * n + 1)


def _fill_large(order: int, t: FloatArray, result: FloatArray) -> None:
    root = np.sqrt(t)
    result[0] = 0.5 * np.sqrt(np.pi) * erf(root) / root
    decay = np.exp(-t)
    for n in range(order):
        result[n + 1] = ((2 * n + 1) * result[n] - decay) / (2 * t)
