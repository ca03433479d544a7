r"""Cardinal B-splines M_p: interpolation weights, their derivatives, their Fourier transform.

A plane wave is represented on a mesh of unit spacing by

    e^{2πiκu} ≈ Σ_m w(u − m) e^{2πiκm} / ŵ(κ),    w(u) = M_p(u + p/2),   ŵ(κ) = (sin πκ/πκ)^p ,

w being centred and of support p. By Poisson's formula the sum is Σ_n ŵ(κ+n) e^{2πi(κ+n)u}: the
terms n ≠ 0 are the aliases.

Reference: C. de Boor, A Practical Guide to Splines (Springer 1978), chapter X.
"""

from functools import cache

import numpy as np

from scc.arrays import FloatArray

LARGEST_ORDER = 20


def spline_weights(order: int, fractions: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weights of the ``order`` mesh points a spline reaches, and their derivatives.

    Args:
        order: p ≥ 1; polynomials of degree p − 1.
        fractions: t (n,) in [0, 1).
    Returns:
        M_p(t + p−1−j) and M_p'(t + p−1−j), both (n, p), j = 0…p−1. With t = u − p/2 − ⌊u − p/2⌋
        they belong to the mesh points ⌊u − p/2⌋ + 1 + j.
    """
    lower = np.zeros((1, len(fractions)))
    values = np.ones((1, len(fractions)))
    for q in range(2, order + 1):
        lower = values
        shifts = np.arange(q, dtype=np.float64)[:, None]
        values = np.zeros((q, len(fractions)))
        values[:-1] = (fractions + shifts[:-1]) * lower
        values[1:] += (q - fractions - shifts[1:]) * lower
        values /= q - 1
    slopes = np.zeros_like(values)
    if order > 1:
        slopes[:-1] = lower
        slopes[1:] -= lower
    return np.ascontiguousarray(values[::-1].T), np.ascontiguousarray(slopes[::-1].T)


@cache
def squared_transform_sum(order: int, number: int) -> FloatArray:
    r"""Σ_n ŵ(κ+n)² at κ = m/number in the order of the discrete Fourier transform: (number,).

    M_p * M_p = M_2p, so by Poisson's formula it is exactly Σ_j M_2p(p + j) cos 2πκj, |j| < p.
    """
    at_integers = spline_weights(2 * order, np.zeros(1))[0][0, ::-1]  # M_2p(0), …, M_2p(2p−1)
    kappa = np.fft.fftfreq(number)[:, None]
    j = np.arange(1, order)
    cosines = np.cos(2.0 * np.pi * kappa * j)
    result = at_integers[order] + 2.0 * (cosines @ at_integers[order + 1 :])
    result.setflags(write=False)
    return np.asarray(result)
