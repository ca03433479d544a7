r"""The interaction of two Gaussians as a function of their distance, and its radial derivatives.

Two spherical Gaussians of variances σ_a², σ_b² interact like one point and one Gaussian of variance
w = σ_a² + σ_b². Every Cartesian derivative of v_w(|X|) follows from

    g_n(r) = ((1/r) d/dr)^n v_w(r),      n = 0, 1, …

(see :mod:`scc.electrostatics.derivative_tensors`), so a kernel is nothing but these functions.
"""

from typing import Protocol

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.boys import boys


class RadialKernel(Protocol):
    """v_w(r) and its radial derivatives."""

    def derivatives(
        self, order: int, variance: FloatArray, squared_distance: FloatArray
    ) -> FloatArray:
        """g_0…g_order, shape (order+1, …), for w ≥ 0 and r² of shapes that broadcast.

        w = 0 is a point, for which r must not vanish. Hartree and bohr.
        """


class CoulombKernel:
    r"""v_w(r) = erf(r/√(2w))/r, the point limit 1/r.

    g_n = (−1/w)^n √(2/(πw)) F_n(r²/2w) with the Boys functions F_n; for a point, and where
    e^{−r²/2w} is below rounding, g_n = (−1)^n (2n−1)!!/r^{2n+1}. Each to a few units in the last
    place at every r.
    """

    def derivatives(
        self, order: int, variance: FloatArray, squared_distance: FloatArray
    ) -> FloatArray:
        """See :class:`RadialKernel`."""
        variance, squared = np.broadcast_arrays(variance, squared_distance)
        # The Gaussian takes Γ(n+½, T)/Γ(n+½) ≤ e^{−T} T^n of g_n away: 1e-17 at this T, n ≤ 12.
        point = squared > 2.0 * (80 + 2 * order) * variance
        point |= variance == 0.0
        if not np.any(point):
            return _smeared(order, variance, squared)
        if np.all(point):
            return _point(order, squared)
        result = np.empty((order + 1, *squared.shape))
        result[:, point] = _point(order, squared[point])
        result[:, ~point] = _smeared(order, variance[~point], squared[~point])
        return result


def _smeared(order: int, variance: FloatArray, squared: FloatArray) -> FloatArray:
    result = boys(order, squared / (2.0 * variance))
    factor = np.sqrt(2.0 / (np.pi * variance))
    for n in range(order + 1):
        result[n] *= factor
        factor = factor / -variance
    return result


def _point(order: int, squared: FloatArray) -> FloatArray:
    result = np.empty((order + 1, *squared.shape))
    inverse = 1.0 / squared
    result[0] = np.sqrt(inverse)
    for n in range(order):
        result[n + 1] = -(2 * n + 1) * inverse * result[n]
    return result
