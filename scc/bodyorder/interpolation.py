"""Interpolation in given points as Chebyshev series, in arbitrary precision with error bounds.

On two intervals a rounding error u in one interpolated value grows to u·e^{N g(c)} inside the gap
(g Green's function, c its critical point), and Chebyshev coefficients on the convex hull see the
gap. Newton's divided differences and the change of basis are therefore done in ball arithmetic
(python-flint), at a precision raised until every coefficient is certified beyond double precision.
"""

from collections.abc import Sequence

import flint
import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.ball_functions import BallFunction
from scc.errors import ConvergenceError

# Certified beyond float64 (2^-53) by a margin that makes the final rounding the only error.
_TARGET_BITS = 60
_LARGEST_PRECISION = 1 << 16


def chebyshev_interpolants(
    function: BallFunction, nodes: FloatArray, lower: float, upper: float, degrees: Sequence[int]
) -> list[FloatArray]:
    """Chebyshev coefficients on [lower, upper] of the interpolants of the given degrees N.

    The interpolant of degree N takes the values of ``function`` (arb → arb) in nodes[:N+1], which
    must be distinct. Returns one array (N+1,) a degree, each entry accurate to 2⁻⁵³ of the largest.
    Raises ConvergenceError if 65536 bits do not suffice.
    """
    precision = 128 + 4 * max(degrees)
    while precision <= _LARGEST_PRECISION:
        with flint.ctx.workprec(precision):
            interpolants = _interpolants(function, nodes, lower, upper, set(degrees))
            if all(_certified(coefficients) for coefficients in interpolants.values()):
                rounded = {
                    degree: np.array([float(c.mid()) for c in coefficients])
                    for degree, coefficients in interpolants.items()
                }
                return [rounded[degree] for degree in degrees]
        precision *= 2
    raise ConvergenceError(
        f"interpolation of degree {max(degrees)} needs more than {_LARGEST_PRECISION} bits"
    )


def newton_coefficients(function: BallFunction, points: list[flint.arb]) -> list[flint.arb]:
    """d_k = f[x_0, …, x_k] at the current working precision, as balls."""
    table = [function(point) for point in points]
    for order in range(1, len(points)):
        for i in range(len(points) - 1, order - 1, -1):
            table[i] = (table[i] - table[i - 1]) / (points[i] - points[i - order])
    return table


def _interpolants(
    function: BallFunction, nodes: FloatArray, lower: float, upper: float, degrees: set[int]
) -> dict[int, list[flint.arb]]:
    """P_N = Σ_{k≤N} d_k ω_k with divided differences d_k and ω_k = Π_{j<k} (x − x_j)."""
    points = [flint.arb(float(node)) for node in nodes[: max(degrees) + 1]]
    newton = newton_coefficients(function, points)
    centre = (flint.arb(lower) + flint.arb(upper)) / 2
    half = (flint.arb(upper) - flint.arb(lower)) / 2
    interpolant = [flint.arb(0)]
    nodal = [flint.arb(1)]
    found = {}
    for k, difference in enumerate(newton):
        interpolant = [c + difference * w for c, w in zip(interpolant, nodal[:-1], strict=False)]
        interpolant.append(difference * nodal[-1])
        if k in degrees:
            found[k] = interpolant
        nodal = _times_linear(nodal, centre - points[k], half)
    return found


def _times_linear(series: list[flint.arb], shift: flint.arb, half: flint.arb) -> list[flint.arb]:
    """Chebyshev coefficients of (half·t + shift)·series(t), by 2t T_k = T_{k+1} + T_{|k−1|}."""
    quarter = half / 2
    product = [shift * c for c in series] + [flint.arb(0)]
    for k, c in enumerate(series):
        moved = quarter * c
        product[k + 1] += moved
        product[abs(k - 1)] += moved
    return product


def _certified(coefficients: list[flint.arb]) -> bool:
    """Whether all radii are below 2^-60 of the largest coefficient."""
    largest = max(float(abs(c).upper()) for c in coefficients)
    widest = max(float(c.rad()) for c in coefficients)
    return widest <= largest * 2.0**-_TARGET_BITS
