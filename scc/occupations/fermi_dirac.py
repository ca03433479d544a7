"""The Fermi-Dirac function, its grand potential and their divided differences, (2.7)-(2.9).

With a = β(x−µ) everything is a divided difference of f(a) = 1/(1+eᵃ) or g(a) = −ln(1+e⁻ᵃ), g' = f.
All formulas below are sums of terms of one sign (F[x,y,z]: of the two signs that F'' has) with
non-positive exponents: nothing overflows, and nothing cancels when arguments coalesce.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, xlog1py, xlogy

from scc.arrays import BoolArray, FloatArray
from scc.errors import InputError

# Below this spread of the arguments (in units of 1/β) the exponential's second divided difference
# is summed as a Taylor series; above it the two averages it subtracts differ by a third or more.
_SERIES_SPREAD = 1.0
# (k+1)/(k+2)! < 1e-18 at k = 18: the remainder for spreads below 1 is under rounding.
_SERIES_TERMS = 19


def entropy(occupation: ArrayLike) -> FloatArray:
    """S(p) = p ln p + (1−p) ln(1−p) per level and spin, in (−ln 2, 0); S(0) = S(1) = 0. Eq. (2.7).

    Raises InputError when an occupation lies outside [0, 1].
    """
    p = np.asarray(occupation, dtype=np.float64)
    outside = ~((p >= 0.0) & (p <= 1.0))
    if outside.any():
        raise InputError(f"occupation {p[outside].flat[0]!s} outside [0, 1] has no entropy")
    return np.asarray(xlogy(p, p) + xlog1py(1.0 - p, -p))


@dataclass(frozen=True)
class FermiDirac:
    """F(x) = 1/(1+e^{β(x−µ)}) and G(x) = −β⁻¹ ln(1+e^{−β(x−µ)}), for β ∈ (0, ∞].

    G' = F and (x−µ)F + β⁻¹S(F) = G (section 2.1 of the paper). At β = ∞, F is the indicator of
    (−∞, µ) with F(µ) = ½, and G(x) = min(x−µ, 0).

    beta: 1/Hartree; chemical_potential: Hartree. Energies in Hartree, any broadcastable shapes.
    Raises InputError when β is not in (0, ∞] or µ is not finite.
    """

    beta: float
    chemical_potential: float

    def __post_init__(self) -> None:
        if not self.beta > 0.0:
            raise InputError(f"inverse temperature beta must be in (0, inf], got {self.beta}")
        if not math.isfinite(self.chemical_potential):
            raise InputError(f"chemical potential must be finite, got {self.chemical_potential}")

    def with_chemical_potential(self, chemical_potential: float) -> Self:
        """The same temperature at another µ (Hartree)."""
        return type(self)(self.beta, float(chemical_potential))

    def grand_potential(self, x: ArrayLike) -> FloatArray:
        """G(x) = −β⁻¹ ln(1+e^{−β(x−µ)}) in Hartree; min(x−µ, 0) at β = ∞."""
        shifted = self._shifted(x)
        if math.isinf(self.beta):
            return np.minimum(shifted, 0.0)
        decay = np.log1p(np.exp(-np.abs(self.beta * shifted)))
        return np.asarray(np.minimum(shifted, 0.0) - decay / self.beta)

    def occupation(self, x: ArrayLike) -> FloatArray:
        """F(x) = 1/(1+e^{β(x−µ)}); indicator of (−∞, µ), ½ at µ, at β = ∞."""
        shifted = self._shifted(x)
        if math.isinf(self.beta):
            return np.asarray(0.5 - 0.5 * np.sign(shifted))
        return np.asarray(expit(-self.beta * shifted))

    def derivative(self, x: ArrayLike) -> FloatArray:
        """F'(x) = −β F(x)(1−F(x)) in 1/Hartree; 0 away from µ at β = ∞ (InputError at µ)."""
        return self.divided_difference(x, x)

    def divided_difference(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """F[x, y] in 1/Hartree: −(β/4) sinhc(β(x−y)/2) / (cosh(β(x−µ)/2) cosh(β(y−µ)/2)).

        Written with the factors e^{±} collected: the exponent left is −min(|a|, |b|) when a, b
        have one sign and 0 otherwise. InputError at β = ∞ when both arguments equal µ.
        """
        x, y = self._shifted(x), self._shifted(y)
        if math.isinf(self.beta):
            return self._step_divided_difference(x, y)
        a, b = self.beta * x, self.beta * y
        nearest = np.minimum(np.abs(a), np.abs(b))
        exponent = np.where(np.sign(a) * np.sign(b) > 0.0, -nearest, 0.0)
        averaged = _mean_exponential(self.beta * np.abs(x - y)) * np.exp(exponent)
        weights = (1.0 + np.exp(-np.abs(a))) * (1.0 + np.exp(-np.abs(b)))
        return np.asarray(-self.beta * averaged / weights)

    def grand_potential_divided_difference(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """G[x, y], the mean of F between x and y; F(x) where x = y.

        g(a)−g(b) = ln(1 + f(a)(e^{a−b} − 1)); by g[a,b] = 1 − g[−a,−b] it is enough to know it
        where a+b ≥ 0, and there the logarithm's argument is below ½ or the direct difference of g
        loses nothing.
        """
        x, y = self._shifted(x), self._shifted(y)
        distance = np.abs(x - y)
        if math.isinf(self.beta):
            apart = distance > 0.0
            difference = np.abs(np.minimum(x, 0.0) - np.minimum(y, 0.0))
            ratio = difference / np.where(apart, distance, 1.0)
            return np.where(apart, ratio, 0.5 - 0.5 * np.sign(x))
        reflected = x + y < 0.0
        low, high = np.minimum(x, y), np.maximum(x, y)
        a = self.beta * np.where(reflected, -high, low)
        b = self.beta * np.where(reflected, -low, high)
        t = self.beta * distance
        # Arguments on one side of µ, or close to it.
        occupied = expit(-a)
        averaged = occupied * _mean_exponential(t)
        near = averaged * _log1m_ratio(np.where(a > -1.0, averaged * t, 0.0))
        # Arguments on different sides of µ, at least 1/β away: a < −1, b > 1.
        far = (np.log1p(np.exp(-np.abs(a))) - a - np.log1p(np.exp(-np.abs(b)))) / np.where(
            t > 0.0, t, 1.0
        )
        mean = np.where(a > -1.0, near, far)
        return np.where(reflected, 1.0 - mean, mean)

    def second_divided_difference(self, x: ArrayLike, y: ArrayLike, z: ArrayLike) -> FloatArray:
        """F[x, y, z] in 1/Hartree², symmetric; F''(x)/2 where all arguments coalesce.

        From f·(1+exp) = 1 and the product rule for divided differences,

            f[a,b,c] = f(−a)f(−b)f(−c) exp[−a,−b,−c] − f(a)f(b)f(c) exp[a,b,c],

        two positive terms. For a ≤ b ≤ c, with φ(t, p) = exp[−t−p, −t, 0], a± = max(±a, 0),

            f[a,b,c] = e^{−a⁺−c⁻} (e^{−b⁻} φ(b−a, c−b) − e^{−b⁺} φ(c−b, b−a)) / Π(1+e^{−|·|}).

        Its rounding error is relative to the sum of the two terms, which is at most of the size
        of max|F''| and cancels only where F'' changes sign. InputError at β = ∞ when two or three
        arguments equal µ.
        """
        x, y, z = self._shifted(x), self._shifted(y), self._shifted(z)
        low = np.minimum(np.minimum(x, y), z)
        high = np.maximum(np.maximum(x, y), z)
        middle = np.maximum(np.minimum(x, y), np.minimum(np.maximum(x, y), z))
        if math.isinf(self.beta):
            below = self._step_divided_difference(low, middle)
            above = self._step_divided_difference(middle, high)
            return np.asarray((above - below) / np.where(high > low, high - low, 1.0))
        a, b, c = self.beta * low, self.beta * middle, self.beta * high
        lower_gap, upper_gap = self.beta * (middle - low), self.beta * (high - middle)
        holes = np.exp(np.minimum(b, 0.0)) * _second_exponential(lower_gap, upper_gap)
        electrons = np.exp(-np.maximum(b, 0.0)) * _second_exponential(upper_gap, lower_gap)
        common = np.exp(np.minimum(c, 0.0) - np.maximum(a, 0.0))
        weights = (
            (1.0 + np.exp(-np.abs(a))) * (1.0 + np.exp(-np.abs(b))) * (1.0 + np.exp(-np.abs(c)))
        )
        return np.asarray(self.beta**2 * common * (holes - electrons) / weights)

    def _shifted(self, x: ArrayLike) -> FloatArray:
        return np.asarray(np.asarray(x, dtype=np.float64) - self.chemical_potential)

    def _step_divided_difference(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """F[x, y] of the step function, arguments relative to µ."""
        apart: BoolArray = np.asarray(x != y)
        if ((x == 0.0) & (y == 0.0)).any():
            raise InputError(
                "at beta = inf the occupation has no derivative at the chemical potential, but "
                f"an eigenvalue equals {self.chemical_potential}"
            )
        difference = 0.5 * (np.sign(y) - np.sign(x))
        return np.where(apart, difference / np.where(apart, x - y, 1.0), 0.0)


def _mean_exponential(t: FloatArray) -> FloatArray:
    """exp[−t, 0] = (1−e⁻ᵗ)/t for t ≥ 0, 1 at t = 0."""
    positive = t > 0.0
    return np.where(positive, -np.expm1(-t) / np.where(positive, t, 1.0), 1.0)


def _log1m_ratio(w: FloatArray) -> FloatArray:
    """−ln(1−w)/w for 0 ≤ w < 1, 1 at w = 0."""
    positive = w > 0.0
    return np.where(positive, -np.log1p(-w) / np.where(positive, w, 1.0), 1.0)


def _second_exponential(t: FloatArray, p: FloatArray) -> FloatArray:
    """exp[−t−p, −t, 0] for t, p ≥ 0: ½ at t = p = 0."""
    spread = np.asarray(t + p)
    series = spread < _SERIES_SPREAD
    divisor = np.where(series, 1.0, spread)
    result = np.asarray((_mean_exponential(t) - np.exp(-t) * _mean_exponential(p)) / divisor)
    if series.any():
        # e^{−t−p} Σ_k h_k(p, t+p)/(k+2)!, complete homogeneous polynomials: positive terms only.
        first, last = p[series], spread[series]
        power = np.ones_like(first)
        homogeneous = np.ones_like(first)
        factorial = 2.0
        total = 0.5 * homogeneous
        for k in range(1, _SERIES_TERMS):
            power = power * first
            homogeneous = last * homogeneous + power
            factorial *= k + 2
            total += homogeneous / factorial
        result[series] = np.exp(-last) * total
    return result
