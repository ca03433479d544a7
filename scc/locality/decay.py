"""Exponential or algebraic? A decision from the data alone, with 'inconclusive' as an answer.

The local slope in a log–log plot, −d ln|a|/d ln r = p + η r, is constant for a power and grows in
proportion to r for an exponential. So the product r^{−p} e^{−ηr} is fitted to the envelope in the
outer part of the range, and the question is how much of the fall across that window belongs to
the exponential factor: E = η (r_high − r_low), with its uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from scc.arrays import FloatArray
from scc.errors import InputError
from scc.locality.envelope import Envelope, envelope
from scc.locality.fits import Fit, fit_exponential, fit_power, fit_product

Kind = Literal["exponential", "algebraic", "finite", "inconclusive"]

NEAR_FIELDS = (1.0 / 30.0, 1.0 / 15.0, 1.0 / 8.0)
"""The window of the decision starts at this fraction of its end: decay is about large distances,
but a power and an exponential are told apart by the ratio of the largest to the smallest. Later
starts are tried in turn as long as a near field of another law leaves the verdict open."""

ASYMPTOTIC = 0.1
"""Rate and power are then measured from this fraction of the window's end on."""

EDGE = 0.75
"""The window ends at this fraction of the largest distance at the latest, and where 99 % of all
pairs are nearer: the pairs beyond join one end of the system to the other, and they are few."""

SHARE = 0.3
"""Exponential if the exponential factor makes up more than this share of the fall of ln|a| across
the window, algebraic if less. It is 1 for e^{−ηr}, 0 for a power, and at least 0.55 for
r^{−2} e^{−ηr} with η r_high ≥ 8."""

EXPONENTIAL_FALL = 3.0
"""… and exponential only if E exceeds this, a factor 20 across the window;"""

ALGEBRAIC_FALL = 2.0
"""an E below this, a factor 7, never speaks against a power: finite size alone makes as much."""

LEAST_FALL = 3.0
"""Less fall than this in ln|a| over the whole range is no decay to speak of."""

FLAT_POWER, FLAT_LEVEL = 0.5, 1e-6
"""A tail with a smaller power, at a smaller fraction of the maximum, is noise above the floor."""

_LEAST_POINTS = 6
_FINITE_JUMP = np.log(1e3)


@dataclass(frozen=True)
class Decay:
    """Verdict on the decay of a quantity with distance.

    Attributes
    ----------
    kind:
        ``"exponential"``; ``"algebraic"`` (power 0: no decay at large distance); ``"finite"``: zero
        beyond a distance without having decayed towards the noise (for the sake of bounds, an
        exponential of infinite rate); ``"inconclusive"``: the data do not tell.
    reason:
        One line: the numbers behind the verdict.
    r_range:
        Distances that rate and power were fitted to. For ``"finite"``, up to the last non-zero.
    fall, fall_uncertainty:
        E = η (r_high − r_low) of the product fit, and its standard deviation.
    exponential, algebraic:
        Both fits in that window, None where too few points were left.
    envelope:
        The data they were fitted to.
    """

    kind: Kind
    reason: str
    r_range: tuple[float, float]
    fall: float
    fall_uncertainty: float
    exponential: Fit | None
    algebraic: Fit | None
    envelope: Envelope

    @property
    def rate(self) -> float:
        """η if exponential, inf if of finite range, else NaN."""
        if self.kind == "finite":
            return np.inf
        return self.exponential.rate if self.kind == "exponential" and self.exponential else np.nan

    @property
    def power(self) -> float:
        """p if algebraic, else NaN."""
        return self.algebraic.power if self.kind == "algebraic" and self.algebraic else np.nan

    @property
    def uncertainty(self) -> float:
        """One standard deviation of :attr:`rate` or :attr:`power`, whichever was decided."""
        if self.kind == "exponential" and self.exponential:
            return self.exponential.rate_uncertainty
        if self.kind == "algebraic" and self.algebraic:
            return self.algebraic.power_uncertainty
        return 0.0 if self.kind == "finite" else np.nan


def decide(
    r: FloatArray,
    a: FloatArray,
    prefactor_power: float = 0.0,
    r_range: tuple[float, float] | None = None,
    floor: float | None = None,
) -> Decay:
    """Decide how |a| decays with r over all pairs, from the data alone.

    1. Envelope of |a| above the noise floor (:func:`envelope`).
    2. Zero from a distance on where, going on as before, |a| would still be a thousand times the
       floor: ``finite``.
    3. Window [r_high/30, r_high], r_high the end of the envelope, but not beyond 3/4 of the
       largest distance nor the distance below which 99 % of all pairs lie; ``r_range`` overrides.
       Product fit there: E ± σ, and the whole fall W = E + p ln(r_high/r_low).
    4. E − 2σ > max(3, 0.3 W): ``exponential``. E + 2σ < max(2, 0.3 W) and |a| falling by more
       than e³ over the whole range: ``algebraic``. Neither: the same from r_high/15, then from
       r_high/8; then ``inconclusive``. A flat tail below 1e-6 of the maximum is taken for noise
       above the floor, and ``inconclusive`` too.
    5. Rate and power from [r_high/10, r_high] (or ``r_range``).

    Parameters
    ----------
    r, a, floor:
        As in :func:`envelope`.
    prefactor_power:
        s in the reported rate's fit C r^{−s} e^{−ηr}; the verdict does not depend on it.
    r_range:
        Window of distances, if another one is meant.

    Raises
    ------
    InputError
        As :func:`envelope` does, and for an empty ``r_range``.
    """
    if r_range is not None and not 0.0 <= r_range[0] < r_range[1]:
        raise InputError(f"r_range must be increasing and not negative, got {r_range}")
    data = envelope(r, a, floor=floor)
    finite = _finite_range(data)
    if finite is not None:
        return finite
    high = min(float(data.distance[-1]), EDGE * data.largest_distance, data.crowded_distance)
    windows = [r_range] if r_range else [(start * high, high) for start in NEAR_FIELDS]
    if _count(data, windows[0]) < _LEAST_POINTS:
        reason = f"only {_count(data, windows[0])} distances above the floor {data.floor:.3g}"
        return Decay("inconclusive", reason, windows[0], np.nan, np.nan, None, None, data)

    verdicts = [
        _verdict(data, window) for window in windows if _count(data, window) >= _LEAST_POINTS
    ]
    kind, reason, fall, sigma = next((v for v in verdicts if v[0] != "inconclusive"), verdicts[0])
    asymptotic = r_range or (ASYMPTOTIC * high, high)
    if _count(data, asymptotic) < _LEAST_POINTS:
        asymptotic = windows[0]
    exponential = fit_exponential(data, prefactor_power, asymptotic)
    algebraic = fit_power(data, asymptotic)
    return Decay(kind, reason, algebraic.r_range, fall, sigma, exponential, algebraic, data)


def _verdict(data: Envelope, window: tuple[float, float]) -> tuple[Kind, str, float, float]:
    """Kind, reason, E and its standard deviation from the product fit in one window."""
    product = fit_product(data, window)
    low, high = product.r_range
    fall, sigma = product.rate * (high - low), product.rate_uncertainty * (high - low)
    whole = fall + product.power * float(np.log(high / low))
    reason = (
        f"of a fall by e^-{whole:.1f} over r = {low:.4g}..{high:.4g} "
        f"the exponential factor makes e^-({fall:.1f} ± {sigma:.1f})"
    )
    level = float(data.magnitude[-1] / data.magnitude.max())
    if level < FLAT_LEVEL and _tail_power(data, (low, high)) < FLAT_POWER:
        reason = f"flat at {level:.1g} of the maximum: noise above the floor {data.floor:.3g}?"
        return "inconclusive", reason, fall, sigma
    if fall - 2.0 * sigma > max(EXPONENTIAL_FALL, SHARE * whole):
        return "exponential", reason, fall, sigma
    if fall + 2.0 * sigma < max(ALGEBRAIC_FALL, SHARE * whole) and _total_fall(data) > LEAST_FALL:
        return "algebraic", reason, fall, sigma
    return "inconclusive", reason, fall, sigma


def _count(data: Envelope, window: tuple[float, float]) -> int:
    return int(((data.distance >= window[0]) & (data.distance <= window[1])).sum())


def _tail_power(data: Envelope, window: tuple[float, float]) -> float:
    """Power fitted to the outer two thirds of a window; inf if it holds too few distances."""
    tail = (max(window[0], window[1] / 3.0), window[1])
    return fit_power(data, tail).power if _count(data, tail) >= _LEAST_POINTS else np.inf


def _total_fall(data: Envelope) -> float:
    """By how much ln|a| falls from the largest value to the last."""
    return float(np.log(data.magnitude.max() / data.magnitude[-1]))


def _finite_range(data: Envelope) -> Decay | None:
    """The verdict ``finite``, if the quantity stops before it has decayed to the floor."""
    reach = float(data.distance[-1]) if len(data) else 0.0
    # A node of an oscillation can hide the last few distances, not a tenth of the range.
    if not data.ends_in_noise or data.largest_distance < 1.1 * reach:
        return None
    if len(data) == 0:
        reason = "zero for every pair at a positive distance"
    else:
        # Expected at the next distance measured: a straight line in r through the outer third.
        tail = (reach * 2.0 / 3.0, reach)
        slope = fit_exponential(data, r_range=tail).rate if _count(data, tail) > 1 else 0.0
        last = float(np.log(data.magnitude[-1]))
        expected = last - max(slope, 0.0) * (data.next_distance - reach)
        if data.floor > 0.0 and expected - np.log(data.floor) < _FINITE_JUMP:
            return None
        reason = f"zero beyond r = {reach:.6g}, where the magnitude is still {np.exp(last):.3g}"
    return Decay("finite", reason, (0.0, reach), np.inf, 0.0, None, None, data)
