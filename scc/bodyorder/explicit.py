"""Polynomials F_N, G_N with F_N = G_N′ in closed form, on a set symmetric about µ (Lemma 7).

On X = [µ−A, µ−B] ∪ [µ+B, µ+A], one interval for B = 0, with s = x − µ and u = s²,

    F = ½ (1 − s f(u)),   f(u) = tanh(β√u/2)/√u,        G = ½ s − e(u),   e′ = f/4,

e(u) = β⁻¹ ln(2 cosh(β√u/2)); f = u^{−1/2} and e = ½√u at β = ∞. Both are analytic off the negative
half-axis, so their Chebyshev series Σ a_k T_k and Σ b_k T_k in u ∈ [B², A²] converge. Cutting f
after T_n and integrating, with the constant b_0, gives polynomials of degree 2n+1 and 2n+2 whose
constants match on the two sides of the gap because e is even in s.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.fft
from numpy.polynomial.chebyshev import chebint, chebval
from numpy.typing import ArrayLike

from scc.arrays import FloatArray
from scc.bodyorder.chebyshev import series_divided_difference, series_second_divided_difference
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError

# a_k < e^{−40} a_0 is lost beside a_0: enough Chebyshev points that nothing larger is aliased.
_LARGEST_EXPONENT = 40.0
# Rounding of a_k grows by e^{θN} in the gap, where F_N is not to leave float64.
_LARGEST_GROWTH = 33.0
_LARGEST_DEGREE = 1 << 16


def explicit_rate(beta: float, inner: float, outer: float) -> float:
    """θ = arcsinh √((B² + (π/β)²)/(A² − B²)): Green's function of the set at µ + iπ/β.

    g_X(µ+s) = ½ g_{[B²,A²]}(s²), and ½ arcosh(1 + 2q) = arcsinh √q. B, A and β⁻¹ in Hartree.
    Raises InputError unless 0 ≤ B < A and β > 0, and when both B and β⁻¹ are 0.
    """
    if not beta > 0.0:
        raise InputError(f"inverse temperature beta must be in (0, inf], got {beta}")
    if not 0.0 <= inner < outer < math.inf:
        raise InputError(f"inner and outer radius must be 0 <= B < A, got {inner} and {outer}")
    if inner == 0.0 and math.isinf(beta):
        raise InputError("at beta = inf polynomials converge to a step only beside a gap")
    pole = math.pi / beta
    return math.asinh(math.hypot(inner, pole) / math.sqrt((outer - inner) * (outer + inner)))


@dataclass(frozen=True, eq=False)
class ExplicitOccupation:
    """(G_N, F_N) of the module docstring as an ``Occupation``; arguments in Hartree, in X only.

    beta: 1/Hartree, may be inf; chemical_potential µ, inner B, outer A: Hartree; degree N of G_N,
    even; slope: (n+1,) coefficients a_k of f, 1/Hartree; even: (n+2,) those of e_N, Hartree.
    Values are sums of b_k cos kφ, accurate to eps Σ k |b_k|. Make one with :meth:`construct`.
    """

    beta: float
    chemical_potential: float
    inner: float
    outer: float
    slope: FloatArray
    even: FloatArray

    @classmethod
    def construct(cls, beta: float, mu: float, inner: float, outer: float, degree: int) -> Self:
        """N is the largest even number ≤ degree; O(N log N).

        Raises InputError for degree < 4 or > 65536, and as :func:`explicit_rate`.
        """
        explicit_rate(beta, inner, outer)
        if not 4 <= degree <= _LARGEST_DEGREE:
            raise InputError(f"polynomial degree must be in 4..{_LARGEST_DEGREE}, got {degree}")
        slope, mean = series(beta, inner, outer, degree // 2 - 1)
        half = 0.5 * (outer - inner) * (outer + inner)
        even = np.asarray(chebint(slope, scl=0.25 * half), dtype=np.float64)
        even[0] = mean
        return cls(beta, mu, inner, outer, slope, even)

    @property
    def degree(self) -> int:
        """N, of G_N; F_N has degree N − 1."""
        return 2 * len(self.slope)

    def with_chemical_potential(self, chemical_potential: float) -> Self:
        """Itself at the same µ; InputError at another, whose X is another set."""
        if chemical_potential != self.chemical_potential:
            raise InputError(
                f"the polynomial belongs to chemical potential {self.chemical_potential}, "
                f"not {chemical_potential}"
            )
        return self

    def grand_potential(self, x: ArrayLike) -> FloatArray:
        """G_N(x) = ½ s − e_N(s²), Hartree."""
        s = self._shifted(x)
        return np.asarray(0.5 * s - self._sum(self.even, s))

    def occupation(self, x: ArrayLike) -> FloatArray:
        """F_N(x) = ½(1 − s f_N(s²))."""
        s = self._shifted(x)
        return np.asarray(0.5 - 0.5 * s * self._sum(self.slope, s))

    def derivative(self, x: ArrayLike) -> FloatArray:
        """F_N′(x) in 1/Hartree."""
        return self.divided_difference(x, x)

    def divided_difference(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """F_N[x, y] = −½ (f_N(t²) + s (s + t) f_N[s², t²]) in 1/Hartree."""
        s, t = self._shifted(x), self._shifted(y)
        inner = series_divided_difference(self.slope, self._scaled(s), self._scaled(t))
        return np.asarray(-0.5 * (self._sum(self.slope, t) + s * (s + t) * inner / self._half))

    def grand_potential_divided_difference(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """G_N[x, y] = ½ − (s + t) e_N[s², t²]."""
        s, t = self._shifted(x), self._shifted(y)
        inner = series_divided_difference(self.even, self._scaled(s), self._scaled(t))
        return np.asarray(0.5 - (s + t) * inner / self._half)

    def second_divided_difference(self, x: ArrayLike, y: ArrayLike, z: ArrayLike) -> FloatArray:
        """F_N[x, y, z] = −½ (g[t, r] + s g[s, t, r]) in 1/Hartree², g(s) = f_N(s²).

        g[t, r] = (t + r) f_N[t², r²], g[s, t, r] = f_N[s², t²] + (t + r)(s + r) f_N[s², t², r²].
        """
        s, t, r = self._shifted(x), self._shifted(y), self._shifted(z)
        a, b, c = self._scaled(s), self._scaled(t), self._scaled(r)
        first = series_divided_difference(self.slope, b, c) / self._half
        other = series_divided_difference(self.slope, a, b) / self._half
        second = series_second_divided_difference(self.slope, a, b, c) / self._half**2
        return np.asarray(-0.5 * ((t + r) * first + s * (other + (t + r) * (s + r) * second)))

    def check_spectrum(self, eigenvalues: ArrayLike, slack: float = 1e-8) -> None:
        """Raise InputError, naming the value, when an eigenvalue leaves X by more than slack."""
        values = np.asarray(eigenvalues, dtype=np.float64).ravel()
        distance = np.abs(values - self.chemical_potential)
        outside = np.maximum(distance - self.outer, self.inner - distance)
        if not np.all(outside <= slack):
            worst = int(np.argmax(np.where(np.isnan(outside), np.inf, outside)))
            raise InputError(
                f"eigenvalue {values[worst]:.9g} is at {distance[worst]:.9g} from mu, outside "
                f"[{self.inner:.9g}, {self.outer:.9g}] by more than {slack:g}"
            )

    @property
    def _half(self) -> float:
        return 0.5 * (self.outer - self.inner) * (self.outer + self.inner)

    def _shifted(self, x: ArrayLike) -> FloatArray:
        return np.asarray(np.asarray(x, dtype=np.float64) - self.chemical_potential)

    def _scaled(self, s: FloatArray) -> FloatArray:
        """y ∈ [−1, 1] of u = s²."""
        return np.asarray((s * s - 0.5 * (self.outer**2 + self.inner**2)) / self._half)

    def _sum(self, coefficients: FloatArray, s: FloatArray) -> FloatArray:
        """Σ_k c_k cos kφ, u = A² cos²(φ/2) + B² sin²(φ/2): no recurrence, no loss at the ends.

        Arguments that rounding has put off X count as its end points.
        """
        size = np.abs(s)
        above = np.maximum((size - self.inner) * (size + self.inner), 0.0)
        below = np.maximum((self.outer - size) * (self.outer + size), 0.0)
        angle = 2.0 * np.arctan2(np.sqrt(below), np.sqrt(above))
        return np.asarray(np.cos(angle[..., None] * np.arange(len(coefficients))) @ coefficients)


def explicit_polynomial(
    beta: float, mu: float, inner: float, outer: float, degree: int
) -> PolynomialOccupation:
    """The same as Chebyshev series on [µ−A, µ+A], for matrix polynomials, suprema, body orders.

    Derivatives of the series amplify rounding by up to N³ where the closed form does not. Raises
    InputError as ExplicitOccupation.construct, and where θN > 33 loses F_N in the gap to rounding.
    """
    exact = ExplicitOccupation.construct(beta, mu, inner, outer, degree)
    theta = explicit_rate(beta, inner, outer)
    if inner > 0.0 and theta * degree > _LARGEST_GROWTH:
        raise InputError(
            f"degree {degree} at the rate {theta:.4g} is beyond float64: "
            f"use a degree below {_LARGEST_GROWTH / theta:.0f}"
        )
    # A polynomial of degree N in s/A from its values in N+1 Chebyshev points, in the gap too.
    s = outer * _nodes(exact.degree + 1)
    half, centre = 0.5 * (outer - inner) * (outer + inner), 0.5 * (outer**2 + inner**2)
    coefficients = _transform(0.5 * s - chebval((s * s - centre) / half, exact.even))
    both = ((mu - outer, mu - inner), (mu + inner, mu + outer))
    X = SpectralSet(both if inner > 0.0 else ((mu - outer, mu + outer),))
    return PolynomialOccupation(X, exact.degree, beta, mu, coefficients)


def series(beta: float, inner: float, outer: float, n: int) -> tuple[FloatArray, float]:
    """(a_0…a_n, b_0): Chebyshev coefficients on [B², A²] of f, and the mean coefficient of e."""
    theta = explicit_rate(beta, inner, outer)
    count = n + 2 + math.ceil(0.5 * _LARGEST_EXPONENT / theta)
    half, centre = 0.5 * (outer - inner) * (outer + inner), 0.5 * (outer**2 + inner**2)
    root = np.sqrt(np.maximum(centre + half * _nodes(count), 0.0))
    if math.isinf(beta):
        return _transform(1.0 / root)[: n + 1], float(np.mean(0.5 * root))
    product = 0.5 * beta * root
    even = 0.5 * root + np.log1p(np.exp(-2.0 * product)) / beta
    return _transform(np.tanh(product) / root)[: n + 1], float(np.mean(even))


def _nodes(count: int) -> FloatArray:
    """Zeros of T_count, ascending index from 1 to −1."""
    return np.asarray(np.cos(np.pi * (np.arange(count) + 0.5) / count))


def _transform(values: FloatArray) -> FloatArray:
    """Chebyshev coefficients of the interpolant of values at :func:`_nodes`."""
    coefficients = np.asarray(scipy.fft.dct(values, type=2)) / len(values)
    coefficients[0] *= 0.5
    return coefficients
