"""Green's function of the complement of X with pole at infinity: the sharp exponents of Lemma 7."""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import dct

from scc.arrays import FloatArray
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError

_FIRST_ORDER = 32
_LAST_ORDER = 1 << 13
# Two successive quadrature orders agree to this (relative to 1 + value): the summation of a few
# thousand terms of order one leaves a few 1e-15.
_QUADRATURE_TOLERANCE = 2e-14


def greens_function(X: SpectralSet, z: ArrayLike) -> FloatArray:
    """g(z) ≥ 0: harmonic off X, zero on X, ln|z| + O(1) at infinity. Complex z of any shape.

    One interval: g = Re arcosh((2z−a−b)/(b−a)) = 2 ln|√(z−a)+√(z−b)| − ln(b−a).
    Two: g'(z) = (z−c)/√Π(z−e_i) over the four endpoints e_i, c such that the integral over the gap
    vanishes (H. Widom, Adv. Math. 3 (1969) 127), integrated from the nearest endpoint e along
    z(s) = e + (z−e)s², which removes the root singularity. Absolute error about 1e-14, to which an
    error u in z adds u|g'(z)|, large at endpoints.
    """
    points = np.asarray(z, dtype=np.complex128)
    # g is symmetric about the real axis, and on the upper side of it all roots are principal.
    upper = points.real + 1j * np.abs(points.imag)
    on_set = (points.imag == 0.0) & (X.distance(points.real) == 0.0)
    if X.gap is None:
        roots = np.sqrt(upper - X.lower) + np.sqrt(upper - X.upper)
        value = 2.0 * np.log(np.abs(roots)) - math.log(X.upper - X.lower)
        return np.where(on_set, 0.0, np.maximum(value, 0.0))
    endpoints = np.array(X.intervals).ravel()
    critical = critical_point(X)
    nearest = endpoints[np.argmin(np.abs(upper[..., None] - endpoints), axis=-1)]
    difference = upper - nearest

    def integrated(order: int) -> FloatArray:
        node, weight = _fejer(order)
        t = nearest[..., None] + difference[..., None] * node**2
        # (t−c) dt / √(t−e) = 2 √(z−e) (t−c) ds; the other three roots are regular.
        integrand = t - critical
        for endpoint in endpoints:
            other = nearest[..., None] != endpoint
            integrand = integrand / np.where(other, np.sqrt(t - endpoint), 1.0)
        return np.asarray((2.0 * np.sqrt(difference) * (integrand @ weight)).real)

    return np.where(on_set, 0.0, np.maximum(_converged(integrated), 0.0))


@lru_cache(maxsize=256)
def critical_point(X: SpectralSet) -> float:
    """c in the gap with g'(c) = 0, where g is largest on the gap. Gauss-Chebyshev quadrature.

    c = ∫_gap x w(x) dx / ∫_gap w(x) dx, w = 1/√|Π(x−e_i)|. Raises InputError for one interval.
    """
    if X.gap is None:
        raise InputError(f"one interval {X.intervals[0]} has no gap and no critical point")
    low, high = X.gap

    def mean(order: int) -> FloatArray:
        node = np.cos(np.pi * (np.arange(order) + 0.5) / order)
        x = 0.5 * (low + high) + 0.5 * (high - low) * node
        weight = 1.0 / np.sqrt((x - X.lower) * (X.upper - x))
        return np.asarray(np.dot(node, weight) / np.sum(weight))

    return float(0.5 * (low + high) + 0.5 * (high - low) * _converged(mean))


def capacity(X: SpectralSet) -> float:
    """Logarithmic capacity exp(−lim(g(z) − ln|z|)) in Hartree: a quarter of an interval's length.

    Two intervals: with L the hull's length and b its upper end,
    lim(g − ln|z|) = ∫_b^∞ [g'(t) − 1/(t−b+L)] dt − ln L, t = b + L s²/(1−s²).
    """
    length = X.upper - X.lower
    if X.gap is None:
        return 0.25 * length
    critical = critical_point(X)
    (first, low), (high, _) = X.intervals

    def constant(order: int) -> FloatArray:
        node, weight = _fejer(order)
        rest = 1.0 - node**2
        beyond = length * node**2 / rest  # t − b
        t = X.upper + beyond
        root = np.sqrt((t - first) * (t - low) * (t - high))
        # 2L s ds/rest² cancels the root of t−b = L s²/rest.
        derivative = 2.0 * math.sqrt(length) * (t - critical) / (root * rest**1.5)
        return np.asarray(np.dot(weight, derivative - 2.0 * node / rest))

    return length * math.exp(-float(_converged(constant)))


def convergence_rate(X: SpectralSet, beta: float, mu: float) -> float:
    """θ of Lemma 7: ‖F−F_N‖ + ‖G−G_N‖ = e^{−θN+o(N)} on X for the best polynomials.

    β < ∞: g at the poles µ ± iπ/β of F nearest to X (g grows away from the real axis, so they
    carry the smallest value). β = ∞: g at the critical point of the gap, above which the
    continuations from the two intervals meet; ∞ when µ is outside the hull and G is linear on X.

    Raises InputError for β ≤ 0 and, at β = ∞, for µ inside an interval of X.
    """
    if not beta > 0.0:
        raise InputError(f"inverse temperature beta must be in (0, inf], got {beta}")
    if math.isfinite(beta):
        return float(greens_function(X, complex(mu, math.pi / beta)))
    if not X.lower < mu < X.upper:
        return math.inf
    if X.gap is None or not X.gap[0] <= mu <= X.gap[1]:
        raise InputError(f"at beta = inf the chemical potential {mu} must lie in a gap of {X}")
    return float(greens_function(X, critical_point(X)))


@lru_cache(maxsize=16)
def _fejer(order: int) -> tuple[FloatArray, FloatArray]:
    """Fejér's first rule on [0, 1]: nodes sin²(θ_j/2), weights (1 − 2Σ_k cos 2kθ_j/(4k²−1))/n."""
    angle = np.pi * (np.arange(order) + 0.5) / order
    moments = np.zeros(order)
    moments[::2] = -1.0 / (np.arange(0, order, 2) ** 2 - 1.0)
    return np.sin(0.5 * angle) ** 2, np.asarray(dct(moments, type=3)) / order


def _converged(rule: Callable[[int], FloatArray]) -> FloatArray:
    """Double the order of a quadrature rule until it repeats itself."""
    order = _FIRST_ORDER
    previous = rule(order)
    while order < _LAST_ORDER:
        order *= 2
        current = rule(order)
        if np.all(np.abs(current - previous) <= _QUADRATURE_TOLERANCE * (1.0 + np.abs(current))):
            return current
        previous = current
    raise InputError(
        "Green's function: a gap or interval is too small beside the other for the quadrature"
    )
