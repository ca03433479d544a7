r"""Radial derivatives of the short-ranged part v_w − v_W of an interaction, W = max(w, s)."""

import numpy as np
from scipy.special import erfc

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.kernels import CoulombKernel, RadialKernel


def short_ranged(
    kernel: RadialKernel,
    order: int,
    variance: FloatArray,
    smooth_variance: float,
    squared: FloatArray,
) -> FloatArray:
    """g_0…g_order of v_w − v_W, shape (order+1, P), exactly 0 where w ≥ s.

    Args:
        variance: w (P,), or of shape () if it is the same for all pairs.
        smooth_variance: s > 0.
        squared: r² (P,), > 0 where w = 0.
    """
    if variance.ndim == 0:
        if variance >= smooth_variance:
            return np.zeros((order + 1, *squared.shape))
        return _difference(kernel, order, float(variance), smooth_variance, squared)
    result = np.zeros((order + 1, *squared.shape))
    point = variance == 0.0
    smeared = ~point & (variance < smooth_variance)
    if np.any(point):
        result[:, point] = _difference(kernel, order, 0.0, smooth_variance, squared[point])
    if np.any(smeared):
        result[:, smeared] = _difference(
            kernel, order, variance[smeared], smooth_variance, squared[smeared]
        )
    return result


def _difference(
    kernel: RadialKernel,
    order: int,
    variance: FloatArray | float,
    smooth_variance: float,
    squared: FloatArray,
) -> FloatArray:
    if isinstance(kernel, CoulombKernel) and np.ndim(variance) == 0 and variance == 0.0:
        return complementary(order, smooth_variance, squared)
    narrow = kernel.derivatives(order, np.asarray(variance), squared)
    return np.asarray(
        narrow - kernel.derivatives(order, np.asarray(smooth_variance), squared), dtype=np.float64
    )


def complementary(order: int, variance: float, squared: FloatArray) -> FloatArray:
    r"""g_n of erfc(ηr)/r, η = 1/√(2w): the short-ranged part between points.

    B_n = (−1)^n g_n obeys B_n = [(2n−1) B_{n−1} + (2η²)^n e^{−η²r²}/(η√π)]/r², a sum of positive
    terms: each to a few units in the last place at every r > 0.
    """
    eta_squared = 0.5 / variance
    eta = np.sqrt(eta_squared)
    distance = np.sqrt(squared)
    result = np.empty((order + 1, *squared.shape))
    np.divide(erfc(eta * distance), distance, out=result[0])
    if order == 0:
        return result
    inverse = 1.0 / squared
    decay = np.exp(-eta_squared * squared) / (eta * np.sqrt(np.pi))
    for n in range(1, order + 1):
        decay *= 2.0 * eta_squared
        # with the sign (−1)^n of g_n
        np.multiply(2 * n - 1, result[n - 1], out=result[n])
        result[n] += decay if n % 2 == 1 else -decay
        result[n] *= -inverse
    return result
