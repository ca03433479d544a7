"""Rigorous sup-norms of G − p and F − p on X for a Chebyshev series p with float64 coefficients.

On an interval I a polynomial of degree K obeys, over the m > K Chebyshev points of I,

    ‖q‖_I ≤ max_j |q(x_j)| / cos(πK/2m)        (H. Ehlich, K. Zeller, Math. Z. 86 (1964) 41)

since q(cos φ) stays above ‖q‖ cos K(φ − φ₀) about its maximum (M. Riesz) and an angle of the
points lies within π/2m of φ₀. The error e = G − p is such a polynomial up to
r = dist(G, polynomials of degree K), p itself being one of degree ≤ K, hence

    max_j |e(x_j)| ≤ ‖e‖_I ≤ (max_j |e(x_j)| + r) / cos(πK/2m) + r.

r = 0 at β = ∞, where G and F are polynomials on each interval of X. At β < ∞, for |f| ≤ B in the
ellipse with the foci at the ends of I and half-axes |I|(ρ ± 1/ρ)/4, Chebyshev coefficients are at
most 2Bρ^{−k}, and r ≤ 2Bρ^{−K}/(ρ−1). Values e(x_j) are balls at 80 + 3N bits or more: the power
form of p, with coefficients up to (1+√2)^N, is then good beyond double precision, and rounding of
the coefficients of p counts as part of p. No step is estimated.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import flint
import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.ball_functions import BallFunction, grand_potential_ball, occupation_ball
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import ConvergenceError, InputError

Which = Literal["F", "G"]

# m = 8K points: 1/cos(π/16) = 1.0196. r is at most this fraction of the error.
_POINTS_PER_DEGREE = 8
_REMAINDER = 2.0**-8
# An interval is halved while r asks for a degree beyond 3N + 72.
_LARGEST_EXCESS = 3
_EXTRA_DEGREE = 24
_LARGEST_PRECISION = 1 << 14
# Balls are narrow enough when below this fraction of the largest value, or below this number.
_RELATIVE_RADIUS = 2.0**-20
_NEGLIGIBLE = 2.0**-200
# How near to the poles of F (in units of their distance π/β to the axis), and to µ (in units of
# the distance of an interval that does not reach it), the ellipses tried come.
_STRIPS = (0.5, 0.7, 0.85, 0.95, 0.99)
_HALF_PLANES = (0.05, 0.2, 0.5)


@dataclass(frozen=True)
class Supremum:
    """lower ≤ sup_X |f − p| ≤ upper, both proved; lower is the largest sampled value."""

    lower: float
    upper: float


@dataclass(frozen=True)
class PolynomialErrors:
    """Suprema over X of |F − F_N| (occupation) and |G − G_N| (grand_potential, Hartree)."""

    occupation: Supremum
    grand_potential: Supremum


def polynomial_errors(occupation: PolynomialOccupation) -> PolynomialErrors:
    """‖F−F_N‖_∞ and ‖G−G_N‖_∞ on X for the float64 polynomials that ``occupation`` evaluates.

    What evaluation in float64 adds to them (Clenshaw's rounding) is not included. The upper bounds
    are about two per cent above the lower ones. Raises as :func:`series_error`.
    """
    X, beta, mu = occupation.spectral_set, occupation.beta, occupation.chemical_potential
    return PolynomialErrors(
        series_error(occupation.occupation_coefficients, "F", X, beta, mu),
        series_error(occupation.coefficients, "G", X, beta, mu),
    )


def series_error(
    coefficients: FloatArray, which: Which, X: SpectralSet, beta: float, mu: float
) -> Supremum:
    """sup_X |f − Σ_k c_k T_k(t)|, f = F or G (Hartree), t = (2x − a − b)/(b − a), [a, b] = hull(X).

    coefficients: (N+1,) floats taken as exact, as are β in (0, ∞], µ and the ends of X (Hartree).

    Raises InputError for empty or not finite coefficients, ``which`` other than F and G, and as
    grand_potential_ball; ConvergenceError if 16384 bits do not resolve the error.
    """
    coefficients = np.asarray(coefficients, dtype=np.float64)
    if coefficients.ndim != 1 or not len(coefficients) or not np.all(np.isfinite(coefficients)):
        raise InputError("a Chebyshev series needs a finite, non-empty vector of coefficients")
    if which not in ("F", "G"):
        raise InputError(f"the function must be 'F' or 'G', got {which!r}")
    function = (occupation_ball if which == "F" else grand_potential_ball)(X, beta, mu)
    degree = len(coefficients) - 1
    precision = 80 + 3 * degree
    while precision <= _LARGEST_PRECISION:
        with flint.ctx.workprec(precision):
            found = _supremum(_error(coefficients, function, X), degree, which, X, beta, mu)
        if found is not None:
            return found
        precision *= 2
    raise ConvergenceError(f"the error of degree {degree} needs more than 16384 bits")


def _error(coefficients: FloatArray, function: BallFunction, X: SpectralSet) -> BallFunction:
    """x ↦ f(x) − p(x) in balls, p in powers of t, evaluated by Horner's rule inside FLINT."""
    polynomial = flint.arb_poly([0])
    for k, c in enumerate(coefficients):  # T_k has integer coefficients
        polynomial += flint.arb(float(c)) * flint.arb_poly(flint.fmpz_poly.chebyshev_t(k))
    centre = (flint.arb(X.lower) + flint.arb(X.upper)) / 2
    half = (flint.arb(X.upper) - flint.arb(X.lower)) / 2
    return lambda x: function(x) - polynomial((x - centre) / half)


def _supremum(
    error: BallFunction, degree: int, which: Which, X: SpectralSet, beta: float, mu: float
) -> Supremum | None:
    """The enclosure, or None where balls are too wide for a good one."""
    least = max(degree, 1)  # the linear part of G left out on intervals below µ
    scale = max(_largest(error, part, 2 * least)[0] for part in X.intervals)
    allowed = max(_REMAINDER * scale, _NEGLIGIBLE)
    lower = upper = 0.0
    for interval in X.intervals:
        for part, order, remainder in _parts(interval, least, which, beta, mu, allowed):
            low, high = _largest(error, part, _POINTS_PER_DEGREE * order)
            if high - low > max(_RELATIVE_RADIUS * high, _NEGLIGIBLE):
                return None
            lower = max(lower, low)
            # (high + r)/cos(πK/2m) + r, rounded upwards by more than the rounding of this line
            factor = 1.0 / math.cos(math.pi / (2 * _POINTS_PER_DEGREE))
            upper = max(upper, ((high + remainder) * factor + remainder) * (1.0 + 1e-12))
    return Supremum(lower, upper)


def _largest(
    error: BallFunction, interval: tuple[float, float], points: int
) -> tuple[float, float]:
    """Bounds of max_j |e(x_j)| over the Chebyshev points x_j of the interval."""
    centre = (flint.arb(interval[0]) + flint.arb(interval[1])) / 2
    half = (flint.arb(interval[1]) - flint.arb(interval[0])) / 2
    low = high = flint.arb(0)
    for j in range(points):
        node = flint.arb.cos_pi_fmpq(flint.fmpq(2 * j + 1, 2 * points))
        value = abs(error(centre + half * node))
        low, high = low.max(value.abs_lower()), high.max(value.abs_upper())
    # To the nearest float, then to the next: conversion rounds by half a unit.
    return max(math.nextafter(float(low), -math.inf), 0.0), math.nextafter(float(high), math.inf)


def _parts(
    interval: tuple[float, float],
    degree: int,
    which: Which,
    beta: float,
    mu: float,
    allowed: float,
) -> Iterator[tuple[tuple[float, float], int, float]]:
    """(part, K, r ≤ allowed): the interval, halved where one polynomial would need a large K."""
    if math.isinf(beta):
        yield interval, degree, 0.0
        return
    order, remainder = _approximation(interval, which, beta, mu, allowed)
    middle = 0.5 * (interval[0] + interval[1])
    splits = interval[0] < middle < interval[1]
    if order <= _LARGEST_EXCESS * (degree + _EXTRA_DEGREE) or not splits:
        yield interval, max(order, degree), remainder
        return
    for part in ((interval[0], middle), (middle, interval[1])):
        yield from _parts(part, degree, which, beta, mu, allowed)


def _approximation(
    interval: tuple[float, float], which: Which, beta: float, mu: float, allowed: float
) -> tuple[int, float]:
    """(K, r) with dist(f, polynomials of degree K ≥ 1) ≤ r ≤ allowed on the interval, β < ∞."""
    best: tuple[int, float] | None = None
    for rho, bound in _ellipses(interval, which, beta, mu):
        # 2Bρ^{−K}/(ρ−1) ≤ allowed, and then the proof that it is.
        prefactor = 2 * bound / (flint.arb(rho) - 1)
        order = max(1, math.ceil(float((prefactor / allowed).log()) / math.log(rho)))
        remainder = prefactor * flint.arb(rho) ** (-order)
        while not remainder <= allowed:
            order += 1
            remainder /= rho
        if best is None or order < best[0]:
            best = order, allowed
    assert best is not None  # the strips below always qualify
    return best


def _ellipses(
    interval: tuple[float, float], which: Which, beta: float, mu: float
) -> Iterator[tuple[float, flint.arb]]:
    """(ρ, B): |f| ≤ B inside the ellipse ρ about the interval; f may lack a linear function.

    With w = e^{−β(z−µ)}, 1 − F = 1/(1+w) and G = −β⁻¹ ln(1+w). *Strip* |Im z| ≤ y < π/β: w lies
    on rays with angle ≤ βy, so |1+w| ≥ 1, or sin βy where βy > π/2, and |arg(1+w)| ≤ π.
    *Half-plane* |Re z − µ| ≥ u: with a = e^{−βu}, |F| ≤ a/(1−a) and |G| ≤ −β⁻¹ ln(1−a) above µ;
    below it the same holds for 1 − F and for G − (z − µ).
    """
    low, high = flint.arb(interval[0]), flint.arb(interval[1])
    half, centre = (high - low) / 2, (high + low) / 2
    inverse_temperature, level = flint.arb(beta), flint.arb(mu)
    for share in _STRIPS:
        ratio = share * math.pi / (beta * float(half))
        rho = ratio + math.hypot(ratio, 1.0)
        if not 1.0 < rho < 1e6:
            rho = 1e6
        angle = inverse_temperature * half * (flint.arb(rho) - 1 / flint.arb(rho)) / 2
        if not angle < flint.arb.pi():
            continue
        closest = flint.arb(1) if angle <= flint.arb.pi() / 2 else angle.sin()
        if which == "F":
            yield rho, 1 / closest
            continue
        left = centre - half * (flint.arb(rho) + 1 / flint.arb(rho)) / 2 - level
        largest = (-inverse_temperature * left).exp().log1p()
        yield rho, (largest.max(-closest.log()) + flint.arb.pi()) / inverse_temperature
    distance = flint.arb(0).max(low - level).max(level - high)
    if not distance > 0:
        return
    for share in _HALF_PLANES:
        axis = 1.0 + (1.0 - share) * float(distance / half)
        rho = min(axis + math.sqrt(axis * axis - 1.0), 1e6)
        reach = half * (flint.arb(rho) + 1 / flint.arb(rho)) / 2 - half
        far = (-inverse_temperature * (distance - reach)).exp()
        if rho > 1.0 and far < 1:
            bound = far / (1 - far) if which == "F" else -(-far).log1p() / inverse_temperature
            yield rho, bound
