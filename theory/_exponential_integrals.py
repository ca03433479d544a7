"""Integrals of products of exponentials e^{−Σ η_l |x − r_l|} that have closed forms, for Lemma 9.

Two centres in one, two and three dimensions; any number of centres on a line.
"""

import math

import numpy as np
from scipy.special import iv, k0, k1

from scc.arrays import FloatArray
from scc.theory.packing import BALL


def exponential_integral(dimension: int) -> float:
    """∫ e^{−|x|} dx over R^dimension = ω_dΓ(d) = d! v_d."""
    return math.factorial(dimension) * BALL[dimension]


def two_centre_integral(first: float, second: float, r: FloatArray, dimension: int) -> FloatArray:
    """∫ e^{−η_1|x−r_1| − η_2|x−r_2|} dx in closed form, r = r_12 > 0.

    Elliptic (d = 2) and prolate spheroidal (d = 3) coordinates, |x−r_1| ± |x−r_2| = rξ, rν.
    """
    r = np.asarray(r, dtype=np.float64)
    a, b = 0.5 * r * (first + second), 0.5 * r * abs(first - second)
    if dimension == 1:
        outside = (np.exp(-first * r) + np.exp(-second * r)) / (first + second)
        return np.asarray(outside + r * np.exp(-a) * _sinhc(b))
    if dimension == 2:
        # ∫sinh²u e^{−a cosh u} = K₁(a)/a,  ∫sin²v e^{−b cos v} over a period = 2π I₁(b)/b.
        second_part = np.where(b > 0.0, iv(1, b) / np.where(b > 0.0, b, 1.0), 0.5)
        return np.asarray(0.5 * np.pi * r**2 * (k1(a) / a * iv(0, b) + k0(a) * second_part))
    # ∫_1^∞ ξ^j e^{−aξ} and ∫_{−1}^1 ν^j e^{−bν} for j = 0, 2.
    xi = np.exp(-a) / a, np.exp(-a) * (1.0 / a + 2.0 / a**2 + 2.0 / a**3)
    small = b < 0.5
    safe = np.where(small, 1.0, b)
    series = 2.0 * sum(b ** (2 * j) / (math.factorial(2 * j) * (2 * j + 3)) for j in range(9))
    direct = 2.0 * ((safe**2 + 2.0) * np.sinh(safe) - 2.0 * safe * np.cosh(safe)) / safe**3
    nu = 2.0 * _sinhc(b), np.where(small, series, direct)
    return np.asarray(0.25 * np.pi * r**3 * (xi[1] * nu[0] - xi[0] * nu[1]))


def line_integral(etas: tuple[float, ...], points: FloatArray) -> float:
    """∫ e^{−Φ(x)} dx over the real line, exactly, piece by piece; points (n,)."""
    order = np.argsort(points)
    x, eta = np.asarray(points, dtype=np.float64)[order], np.asarray(etas)[order]
    heights = np.exp(-np.abs(x[:, None] - x[None, :]) @ eta)
    total = float((heights[0] + heights[-1]) / np.sum(eta))
    for i in range(len(x) - 1):
        # Φ is linear in between: the integral is a logarithmic mean of the ends.
        steepness = abs(float(np.sum(eta[: i + 1]) - np.sum(eta[i + 1 :]))) * float(x[i + 1] - x[i])
        larger = float(max(heights[i], heights[i + 1]))
        share = 1.0 if steepness == 0.0 else -math.expm1(-steepness) / steepness
        total += larger * share * float(x[i + 1] - x[i])
    return total


def _sinhc(b: FloatArray) -> FloatArray:
    """sinh(b)/b."""
    return np.asarray(np.where(b > 1e-4, np.sinh(b) / np.where(b > 1e-4, b, 1.0), 1.0 + b**2 / 6.0))
