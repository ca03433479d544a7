"""Mutual energies of Gaussian multipoles in mpmath, by a route of their own: Fourier–Bessel.

With D_A(ik) = i^λ R_A(k)/(2λ−1)!! and the harmonic parts S_L of R_A R_B = Σ_L k^{λ+λ'−L} S_L(k),

    K_AB(X) = (1/(2π)³) ∫ 4π/k² e^{−k²w/2} D_A(ik) D_B(−ik) e^{ik·X} d³k
            = (2/π) Σ_L (−1)^{(λ−λ'+L)/2} S_L(X̂)/((2λ−1)!!(2λ'−1)!!) I_L,
    I_L = ∫₀^∞ k^{λ+λ'} e^{−k²w/2} j_L(kr) dk,

I_L being a confluent hypergeometric function. No derivative, recurrence or Boys
function of the code under test enters; the harmonics come from their closed form, in fractions.
"""

from fractions import Fraction
from functools import cache
from math import comb, factorial

import mpmath as mp
import numpy as np


def _times(one, other):
    """Product of polynomials {exponents: coefficient}."""
    result = {}
    for s, a in one.items():
        for t, b in other.items():
            key = (s[0] + t[0], s[1] + t[1], s[2] + t[2])
            result[key] = result.get(key, 0) + a * b
    return result


def _power(polynomial, exponent):
    result = {(0, 0, 0): Fraction(1)}
    for _ in range(exponent):
        result = _times(result, polynomial)
    return result


_SQUARED = {(2, 0, 0): Fraction(1), (0, 2, 0): Fraction(1), (0, 0, 2): Fraction(1)}


def _scaled(polynomial, factor):
    return {t: factor * c for t, c in polynomial.items()}


def _added(*polynomials):
    result = {}
    for polynomial in polynomials:
        for t, c in polynomial.items():
            result[t] = result.get(t, 0) + c
    return {t: c for t, c in result.items() if c != 0}


def _laplacian(polynomial):
    result = {}
    for t, c in polynomial.items():
        for axis in range(3):
            if t[axis] >= 2:
                lowered = list(t)
                lowered[axis] -= 2
                key = tuple(lowered)
                result[key] = result.get(key, 0) + c * t[axis] * (t[axis] - 1)
    return result


@cache
def solid_harmonic(degree, order):
    """(square of a prefactor, polynomial): R_λµ = √prefactor × polynomial, both rational.

    (x+iy)^|µ| times d^|µ|/dz^|µ| of the Legendre polynomial, made homogeneous.
    """
    m = abs(order)
    vertical = {}
    for k in range((degree - m) // 2 + 1):
        left = degree - 2 * k
        coefficient = Fraction(
            (-1) ** k * comb(degree, k) * comb(2 * degree - 2 * k, degree) * factorial(left),
            2**degree * factorial(left - m),
        )
        term = _times(_power(_SQUARED, k), {(0, 0, left - m): coefficient})
        vertical = _added(vertical, term)
    # real (µ ≥ 0) or imaginary (µ < 0) part of (x + iy)^m
    horizontal = {}
    for k in range(m + 1):
        if (k % 2 == 0) == (order >= 0):
            horizontal[m - k, k, 0] = Fraction((-1) ** (k // 2) * comb(m, k))
    prefactor = Fraction(factorial(degree - m), factorial(degree + m)) * (1 if m == 0 else 2)
    return prefactor, _times(vertical, horizontal)


def _odd_factorial(n):
    """(2n−1)!!"""
    return factorial(2 * n) // (2**n * factorial(n))


def _harmonic_part(polynomial, degree):
    """The harmonic H in a homogeneous polynomial H + r²(…) of that degree."""
    result, current = {}, polynomial
    for i in range(degree // 2 + 1):
        factor = Fraction(
            (-1) ** i * _odd_factorial(degree - i), 2**i * factorial(i) * _odd_factorial(degree)
        )
        result = _added(result, _scaled(_times(_power(_SQUARED, i), current), factor))
        current = _laplacian(current)
    return result


@cache
def product_parts(left, right):
    """R_A R_B = √prefactor Σ_L r^{λ+λ'−L} S_L: (prefactor, {L: S_L}); left = (λ, µ)."""
    (a, one), (b, other) = solid_harmonic(*left), solid_harmonic(*right)
    degree = left[0] + right[0]
    current, parts = _times(one, other), {}
    for j in range(degree // 2 + 1):
        rest = degree - 2 * j
        factor = Fraction(1)
        for i in range(1, j + 1):  # Δ^j (r^{2j} H) = factor · H
            factor *= 2 * i * (2 * i + 2 * rest + 1)
        part = _scaled(_harmonic_part(current, rest), 1 / factor)
        if part:
            parts[rest] = part
        current = _laplacian(current)
    return a * b, parts


def _value(polynomial, powers):
    return mp.fsum(
        mp.mpf(c.numerator) / c.denominator * powers[0][t[0]] * powers[1][t[1]] * powers[2][t[2]]
        for t, c in polynomial.items()
    )


def bessel_integral(power, degree, r, w):
    """∫₀^∞ k^power e^{−k²w/2} j_degree(kr) dk; w = 0: its limit for r > 0."""
    half = mp.mpf(1) / 2
    if w == 0:
        if power == degree:
            return mp.pi / 2 * _odd_factorial(power) / r ** (power + 1)
        return mp.mpf(0)  # power − degree is even and > 0: derivatives of δ(X)
    a, b = (power + degree + 1) * half, degree + 3 * half
    t = r * r / (2 * w)
    if b - a <= 0:  # Kummer: a polynomial times e^{−t}
        series = mp.exp(-t) * mp.hyp1f1(b - a, b, t)
    else:
        series = mp.hyp1f1(a, b, -t)
    front = mp.sqrt(mp.pi) / 4 * (r / 2) ** degree * (2 / w) ** a
    return front * mp.gamma(a) / mp.gamma(b) * series


def components(l_max):
    """(λ, µ) in the order of the index λ²+λ+µ."""
    return [(n, m) for n in range(l_max + 1) for m in range(-n, n + 1)]


def coulomb_block(left_l, right_l, target, source, w, digits=40):
    """K_AB (mpf, nested list) of every A up to left_l and B up to right_l; w: sum of variances.

    The positions are the floats they are; their difference is taken exactly.
    """
    with mp.workdps(digits):
        x = [mp.mpf(float(a)) - mp.mpf(float(b)) for a, b in zip(target, source, strict=True)]
        w = mp.mpf(w)
        r = mp.sqrt(mp.fsum(c * c for c in x))
        direction = [c / r for c in x] if r > 0 else [mp.mpf(0)] * 3
        powers = [[c**k for k in range(left_l + right_l + 1)] for c in direction]
        integrals = {}
        rows = []
        for left in components(left_l):
            row = []
            for right in components(right_l):
                prefactor, parts = product_parts(left, right)
                n = left[0] + right[0]
                total = mp.mpf(0)
                for degree, part in parts.items():
                    if r == 0 and degree > 0:
                        continue
                    if (n, degree) not in integrals:
                        integrals[n, degree] = bessel_integral(n, degree, r, w)
                    sign = (-1) ** ((left[0] - right[0] + degree) // 2)
                    total += sign * _value(part, powers) * integrals[n, degree]
                norm = _odd_factorial(left[0]) * _odd_factorial(right[0])
                root = mp.sqrt(mp.mpf(prefactor.numerator) / prefactor.denominator)
                row.append(2 / mp.pi * root * total / norm)
            rows.append(row)
        return rows


def block_errors(ours, exact, left_l, right_l):
    """max |ours − exact| over max |exact| for each (λ, λ'): (left_l+1, right_l+1).

    Nothing where the whole block is zero: there ours must be zero too.
    """
    errors = np.zeros((left_l + 1, right_l + 1))
    for a in range(left_l + 1):
        for b in range(right_l + 1):
            pairs = [
                (mp.mpf(float(ours[i, j])), exact[i][j])
                for i in range(a**2, (a + 1) ** 2)
                for j in range(b**2, (b + 1) ** 2)
            ]
            largest = max(abs(e) for _, e in pairs)
            difference = max(abs(o - e) for o, e in pairs)
            if largest == 0:
                errors[a, b] = 0.0 if difference == 0 else np.inf
            else:
                errors[a, b] = float(difference / largest)
    return errors
