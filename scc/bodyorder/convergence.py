"""Measured rates of F_N → F and G_N → G on X, to hold against Green's function (Lemma 7).

The interpolants are those of PolynomialOccupation, kept in Newton form and in ball arithmetic: a
rate needs errors far below double precision, because the algebraic prefactor and the irregular
Leja points move the exponent by ten per cent where float64 ends.
"""

import math
from dataclasses import dataclass

import flint
import numpy as np

from scc.arrays import BoolArray, FloatArray, IntArray
from scc.bodyorder.ball_functions import grand_potential_ball, occupation_ball
from scc.bodyorder.green import convergence_rate, critical_point, greens_function
from scc.bodyorder.interpolation import newton_coefficients
from scc.bodyorder.leja import leja_points
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import ConvergenceError, InputError

# Errors are used only where their balls are narrower than this fraction of them.
_RELATIVE_RADIUS = 1e-3


@dataclass(frozen=True, eq=False)
class InterpolationErrors:
    """Suprema over X of |F−F_N| (occupation) and |G−G_N| (grand_potential, Hartree); degrees N."""

    degrees: IntArray
    occupation: FloatArray
    grand_potential: FloatArray

    @property
    def total(self) -> FloatArray:
        """‖F−F_N‖_∞ + ‖G−G_N‖_∞, the left side of Lemma 7."""
        return self.occupation + self.grand_potential


@dataclass(frozen=True, eq=False)
class RateMeasurement:
    """θ in ‖F−F_N‖ + ‖G−G_N‖ ~ N^p e^{−θN}: least squares over the errors inside a window.

    rate: measured θ; uncertainty: standard error of the slope (scatter only, not the bias of p);
    predicted: Green's function value; errors: all degrees; used: mask of those in the window;
    delayed: True when β < ∞ and the pole lies below the critical level of the gap. F then looks
    like its β = ∞ limit, with the faster rate g(c), until errors are far below e^{−β dist(µ,X)},
    and the predicted rate need not show in the window.
    """

    rate: float
    uncertainty: float
    predicted: float
    delayed: bool
    errors: InterpolationErrors
    used: BoolArray


def interpolation_errors(
    X: SpectralSet, beta: float, mu: float, largest_degree: int
) -> InterpolationErrors:
    """Errors of G_N and F_N = G_N' for every N ≤ largest_degree in one pass over Newton's form.

    The supremum is taken over a longer Leja sequence and the endpoints of X: its points beyond N
    are where the error of G_N peaks (greedy maxima of |ω_{N+1}|), its points up to N, zeros of
    that error, where the error of its derivative F_N does.
    Raises InputError as grand_potential_ball, ConvergenceError if 16384 bits fail.
    """
    if largest_degree < 1:
        raise InputError(f"polynomial degree must be >= 1, got {largest_degree}")
    points = leja_points(X, largest_degree + 1 + largest_degree // 4 + 10)
    nodes = points[: largest_degree + 1]
    sample = np.union1d(points, X.intervals)
    precision = 256
    while precision <= 1 << 14:
        balls = _errors(X, beta, mu, nodes, sample, precision)
        if balls is not None:
            return InterpolationErrors(np.arange(largest_degree + 1), *balls)
        precision *= 2
    raise ConvergenceError(f"errors of degree {largest_degree} need more than 16384 bits")


def measured_rate(
    X: SpectralSet,
    beta: float,
    mu: float,
    window: tuple[float, float] = (1e-3, 1e-25),
    prefactor_power: float = 1.0,
) -> RateMeasurement:
    """Fit ln(error) = −θN + p ln N + const over the degrees whose error lies in the window.

    p = 1 (prefactor_power): Hermite's formula at the logarithmic branch point of G gives
    N⁻¹e^{−θN} for G, and differentiation N² at the endpoints. At β = ∞ the saddle at c gives
    N^{−1/2} (N^{−3/2} when µ = c, where the jump of G vanishes), so p = 3/2 (1/2), of which 1 is
    the middle. A wrong p by ½ shifts θ by ½θ/(θN) ≈ 1.5 % over the window 1e-3…1e-25, which has
    θN = 7…58; over 1e-3…1e-11 it would be 3-4 %, and the scatter of Leja points as much again.

    Raises InputError when the exact rate is infinite (G linear on X) or the window is empty.
    """
    predicted = convergence_rate(X, beta, mu)
    if not math.isfinite(predicted):
        raise InputError(f"G is linear on {X}: interpolation of degree 1 is exact")
    high, low = window
    degree = 2.0
    for _ in range(20):
        degree = (-math.log(low) + prefactor_power * math.log(degree) + 3.0) / predicted + 2.0
    errors = interpolation_errors(X, beta, mu, math.ceil(degree))
    used = (errors.total < high) & (errors.total > low) & (errors.degrees >= 2)
    if np.count_nonzero(used) < 3:
        raise InputError(f"fewer than 3 degrees have errors in the window {window}")
    n = errors.degrees[used].astype(np.float64)
    logarithm = np.log(errors.total[used]) - prefactor_power * np.log(n)
    (slope, _), covariance = np.polyfit(n, logarithm, 1, cov="unscaled")
    residual = logarithm - np.polyval(np.polyfit(n, logarithm, 1), n)
    scatter = math.sqrt(float(residual @ residual) / max(n.size - 2, 1))
    delayed = (
        X.gap is not None
        and math.isfinite(beta)
        and predicted < float(greens_function(X, critical_point(X)))
    )
    uncertainty = scatter * math.sqrt(float(covariance[0, 0]))
    return RateMeasurement(float(-slope), uncertainty, predicted, delayed, errors, used)


def _errors(
    X: SpectralSet, beta: float, mu: float, nodes: FloatArray, sample: FloatArray, precision: int
) -> tuple[FloatArray, FloatArray] | None:
    """Suprema of |F−F_N| and |G−G_N| for all N, or None when the balls are too wide."""
    grand_potential = grand_potential_ball(X, beta, mu)
    occupation = occupation_ball(X, beta, mu)
    points = [flint.arb(float(node)) for node in nodes]
    # Balls double their radius at every order of Newton's table, but not in the sums below.
    with flint.ctx.workprec(precision + 4 * len(points)):
        newton = newton_coefficients(grand_potential, points)
    terms = list(zip(points, newton, strict=True))
    largest_f, largest_g = [0.0] * len(points), [0.0] * len(points)
    radius_f = radius_g = 0.0
    with flint.ctx.workprec(precision):
        for value in sample:
            x = flint.arb(float(value))
            remaining_g, remaining_f = grand_potential(x), occupation(x)
            nodal, nodal_derivative = flint.arb(1), flint.arb(0)
            for k, (point, difference) in enumerate(terms):
                remaining_g = remaining_g - difference * nodal
                remaining_f = remaining_f - difference * nodal_derivative
                largest_g[k] = max(largest_g[k], abs(float(remaining_g)))
                largest_f[k] = max(largest_f[k], abs(float(remaining_f)))
                step = x - point
                nodal_derivative = nodal + step * nodal_derivative
                nodal = step * nodal
            # Radii only grow with k: the last ones bound all.
            radius_f = max(radius_f, float(remaining_f.rad()))
            radius_g = max(radius_g, float(remaining_g.rad()))
    errors_f, errors_g = np.array(largest_f), np.array(largest_g)
    if radius_f > _RELATIVE_RADIUS * errors_f.min() or radius_g > _RELATIVE_RADIUS * errors_g.min():
        return None
    return errors_f, errors_g
