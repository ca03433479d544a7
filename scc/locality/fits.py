"""Least-squares fits of exponentials, powers and their product to an envelope.

All three are linear in their parameters on a logarithmic scale:

    ln|a| = c − s ln r − η r        exponential, s fixed
    ln|a| = c − p ln r              power
    ln|a| = c − p ln r − η r        product

An oscillating quantity touches its envelope only here and there. So a fit is made in rounds: the
window is cut into segments, in each the point *highest above the current fit* is taken, and the
line through these is the next fit. Highest points and slope are thus found without the bias that
maxima of a falling function have. Segments must be longer than the oscillation, whose period is
not known, and many otherwise: several numbers of segments are tried, the surest fit is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from scc.arrays import FloatArray, IntArray
from scc.errors import InputError
from scc.locality.envelope import Envelope

SEGMENTS = (48, 24, 12, 6)
_ROUNDS = 20
_BLOCKS = 8


@dataclass(frozen=True)
class Fit:
    """|a| ≈ e^{log_prefactor} r^{−power} e^{−rate r} on ``r_range``.

    Uncertainties are one standard deviation: delete-a-block jackknife over contiguous blocks of
    segments, which sees residuals correlated along r, widened by Student's t for few points so that
    two of them hold 95 %, combined in square with the drift, the
    change of the parameter when only the outer half of the window is fitted (not for the product,
    which half a window does not determine). Zero for parameters held fixed, inf when there are too
    few points to tell. ``residual`` is the root mean square of ln|a| − fit over the ``points``
    used.
    """

    log_prefactor: float
    rate: float
    rate_uncertainty: float
    power: float
    power_uncertainty: float
    residual: float
    r_range: tuple[float, float]
    points: int

    def __call__(self, r: FloatArray) -> FloatArray:
        """The fitted magnitude at distances r > 0."""
        r = np.asarray(r, dtype=np.float64)
        return np.exp(self.log_prefactor - self.power * np.log(r) - self.rate * r)


def fit_exponential(
    data: Envelope,
    prefactor_power: float = 0.0,
    r_range: tuple[float, float] | None = None,
) -> Fit:
    """|a| ≈ C r^{−s} e^{−ηr} with s = ``prefactor_power`` given, not fitted: C and η.

    The rate is in inverse units of the distances. Raises InputError with fewer than two points.
    """
    if not np.isfinite(prefactor_power):
        raise InputError(f"prefactor power must be finite, got {prefactor_power}")
    r, logarithm = _points(data, r_range, 2)
    design = np.stack([np.ones_like(r), -r / r[-1]], axis=1)
    best = _best_line(design, logarithm + prefactor_power * np.log(r), r, with_drift=True)
    rate, sigma = best.parameters[1] / r[-1], best.spread[1] / r[-1]
    return best.fit(r, rate=(rate, sigma), power=(prefactor_power, 0.0))


def fit_power(data: Envelope, r_range: tuple[float, float] | None = None) -> Fit:
    """|a| ≈ C r^{−p}: C and p. Raises InputError with fewer than two points."""
    r, logarithm = _points(data, r_range, 2)
    design = np.stack([np.ones_like(r), -np.log(r)], axis=1)
    best = _best_line(design, logarithm, r, with_drift=True)
    return best.fit(r, rate=(0.0, 0.0), power=(best.parameters[1], best.spread[1]))


def fit_product(data: Envelope, r_range: tuple[float, float] | None = None) -> Fit:
    """|a| ≈ C r^{−p} e^{−ηr}: C, p and η, the model that has both others as special cases.

    Raises InputError with fewer than three points.
    """
    r, logarithm = _points(data, r_range, 3)
    design = np.stack([np.ones_like(r), -np.log(r), -r / r[-1]], axis=1)
    best = _best_line(design, logarithm, r, with_drift=False)
    return best.fit(
        r,
        rate=(best.parameters[2] / r[-1], best.spread[2] / r[-1]),
        power=(best.parameters[1], best.spread[1]),
    )


@dataclass(frozen=True)
class _Line:
    """Parameters of a linear fit to the highest points, their spread, and how good it is."""

    parameters: FloatArray
    spread: FloatArray
    residual: float
    points: int

    def fit(self, r: FloatArray, rate: tuple[float, float], power: tuple[float, float]) -> Fit:
        return Fit(
            log_prefactor=float(self.parameters[0]),
            rate=float(rate[0]),
            rate_uncertainty=float(rate[1]),
            power=float(power[0]),
            power_uncertainty=float(power[1]),
            residual=self.residual,
            r_range=(float(r[0]), float(r[-1])),
            points=self.points,
        )


def _points(
    data: Envelope, r_range: tuple[float, float] | None, least: int
) -> tuple[FloatArray, FloatArray]:
    lower, upper = r_range if r_range is not None else (0.0, np.inf)
    chosen = (data.distance >= lower) & (data.distance <= upper)
    r = data.distance[chosen]
    if len(r) < least:
        raise InputError(f"the fit needs {least} distances in {r_range}, got {len(r)}")
    return r, np.log(data.magnitude[chosen])


def _best_line(design: FloatArray, logarithm: FloatArray, r: FloatArray, with_drift: bool) -> _Line:
    """The fit whose last parameter has the smallest spread, among the numbers of segments."""
    best: _Line | None = None
    for segments in SEGMENTS:
        picked, parameters = _highest_points(design, logarithm, r, segments)
        spread = _jackknife(design[picked], logarithm[picked])
        residual = logarithm[picked] - design[picked] @ parameters
        freedom = max(len(picked) - len(parameters), 1)
        if with_drift:
            drift = _drift(design, logarithm, r, segments, parameters)
            spread = np.hypot(spread, drift)
        line = _Line(parameters, spread, float(np.sqrt(residual @ residual / freedom)), len(picked))
        if best is None or spread[-1] < best.spread[-1]:
            best = line
    assert best is not None
    return best


def _highest_points(
    design: FloatArray, logarithm: FloatArray, r: FloatArray, segments: int
) -> tuple[IntArray, FloatArray]:
    """Indices of the point highest above the fit in each segment, and the fit through them."""
    extent = max(float(r[-1] - r[0]), np.finfo(np.float64).tiny)
    segment = np.maximum(np.ceil((r - r[0]) / extent * segments), 1.0)
    parameters = np.linalg.lstsq(design, logarithm, rcond=None)[0]
    picked: IntArray = np.arange(len(r), dtype=np.int64)
    for _ in range(_ROUNDS):
        order = np.lexsort((logarithm - design @ parameters, segment))
        again = np.asarray(
            order[np.flatnonzero(np.diff(segment[order], append=np.inf))], dtype=np.int64
        )
        if np.array_equal(again, picked):
            break
        picked = again
        parameters = np.linalg.lstsq(design[picked], logarithm[picked], rcond=None)[0]
    return picked, np.asarray(parameters, dtype=np.float64)


def _jackknife(design: FloatArray, logarithm: FloatArray) -> FloatArray:
    """Standard deviation of the parameters from leaving out one contiguous block at a time."""
    points, unknowns = design.shape
    blocks = min(_BLOCKS, points)
    if points < unknowns + 2:
        return np.full(unknowns, np.inf)
    label = np.arange(points) * blocks // points
    left_out = np.array(
        [
            np.linalg.lstsq(design[label != b], logarithm[label != b], rcond=None)[0]
            for b in range(blocks)
        ]
    )
    deviation = left_out - left_out.mean(axis=0)
    spread = np.sqrt((blocks - 1) / blocks * (deviation**2).sum(axis=0))
    two_sided = stdtrit(min(points - unknowns, blocks - 1), 0.5 + 0.5 * 0.9545)
    return np.asarray(0.5 * two_sided * spread, dtype=np.float64)


def _drift(
    design: FloatArray,
    logarithm: FloatArray,
    r: FloatArray,
    segments: int,
    parameters: FloatArray,
) -> FloatArray:
    """|parameters of the outer half of the window − those of the whole|, segments as long."""
    outer = r >= 0.5 * (r[0] + r[-1])
    if outer.sum() < design.shape[1] + 1:
        return np.zeros_like(parameters)
    half = max(segments // 2, 1)
    _, outside = _highest_points(design[outer], logarithm[outer], r[outer], half)
    return np.abs(outside - parameters)
