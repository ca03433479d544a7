r"""Polynomials in three variables: monomials by degree, solid harmonics, multipoles as operators.

A polynomial is its coefficients over :func:`monomials`. The real solid harmonics in Racah
normalisation come from their closed form (Helgaker, Jørgensen, Olsen, Molecular
Electronic-Structure Theory, 2000, §6.4), and a unit multipole at r is R_λµ(∂_r)/(2λ−1)!! applied to
a spherical density: its potential far away is R_λµ(x − r)/|x − r|^{2λ+1}, that is, its multipole
moment is one.
"""

from __future__ import annotations

from functools import cache
from math import comb, factorial

import flint
import numpy as np

from scc.electrostatics.goldens.numbers import (
    ExactArray,
    Real,
    working_precision,
    zeros,
)

Exponents = tuple[int, int, int]
UNITS: tuple[Exponents, ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


@cache
def monomials(order: int) -> tuple[Exponents, ...]:
    """Exponents (i, j, k) of degree 0…order, lower degrees first."""
    return tuple(
        (i, j, degree - i - j)
        for degree in range(order + 1)
        for i in range(degree, -1, -1)
        for j in range(degree - i, -1, -1)
    )


@cache
def position(order: int) -> dict[Exponents, int]:
    """Where a monomial stands in :func:`monomials`."""
    return {exponents: index for index, exponents in enumerate(monomials(order))}


def plus(left: Exponents, right: Exponents) -> Exponents:
    """Exponents of the product of two monomials."""
    return (left[0] + right[0], left[1] + right[1], left[2] + right[2])


def lowered(t: Exponents, axis: int) -> Exponents:
    """Exponents without one factor of x_axis."""
    return (t[0] - (axis == 0), t[1] - (axis == 1), t[2] - (axis == 2))


def strained(polynomial: ExactArray, order: int, tensor: ExactArray, i: int, j: int) -> Real:
    """Σ_t c_t t_j ∂^{t − e_j + e_i} f from ∂^t f: P(∂)f as ∂_j → ∂_j + ε ∂_i, to first order."""
    place = position(order)
    result = flint.arb(0)
    for t, coefficient in zip(monomials(order), polynomial, strict=True):
        if t[j]:
            result += t[j] * coefficient * tensor[place[plus(lowered(t, j), UNITS[i])]]
    return result


def product(left: ExactArray, left_order: int, right: ExactArray, right_order: int) -> ExactArray:
    """Coefficients of the product, of degree ``left_order + right_order``."""
    place = position(left_order + right_order)
    result = zeros(len(place))
    for t, a in zip(monomials(left_order), left, strict=True):
        for u, b in zip(monomials(right_order), right, strict=True):
            result[place[plus(t, u)]] += a * b
    return result


def reflected(coefficients: ExactArray, order: int) -> ExactArray:
    """P(−x)."""
    return np.asarray(coefficients * [(-1) ** sum(t) for t in monomials(order)])


@cache
def solid_harmonic(degree: int, order: int) -> dict[Exponents, Real]:
    """R_{λ=degree, µ=order}: coefficient by monomial; R_1 = (y, z, x) for µ = −1, 0, 1."""
    with working_precision():  # whatever that of the first caller
        return _solid_harmonic(degree, order)


def _solid_harmonic(degree: int, order: int) -> dict[Exponents, Real]:
    m = abs(order)
    norm = flint.arb(factorial(degree - m)) / factorial(degree + m)
    norm = (norm * (1 if m == 0 else 2)).sqrt()
    result: dict[Exponents, Real] = {}
    for k in range((degree - m) // 2 + 1):
        height = degree - 2 * k - m
        outer = (-1) ** k * comb(degree, k) * comb(2 * degree - 2 * k, degree)
        outer *= factorial(degree - 2 * k) // factorial(height)
        for t in _planar(m, sine=order < 0):
            for i in range(k + 1):
                for j in range(k - i + 1):  # r^{2k} by the multinomial theorem
                    ways = factorial(k) // (factorial(i) * factorial(j) * factorial(k - i - j))
                    key = (t[0] + 2 * i, t[1] + 2 * j, height + 2 * (k - i - j))
                    value = norm * (outer * ways * t[2]) / 2**degree
                    result[key] = result.get(key, flint.arb(0)) + value
    return result


def _planar(m: int, sine: bool) -> list[tuple[int, int, int]]:
    """Re (or Im) of (x + iy)^m: powers of x and y, coefficient."""
    return [
        (m - p, p, comb(m, p) * (1, 1, -1, -1)[p % 4]) for p in range(m + 1) if (p % 2 == 1) == sine
    ]


@cache
def multipole_operator(degree: int, order: int) -> dict[Exponents, Real]:
    """R_λµ(∂)/(2λ−1)!!: coefficient by derivative."""
    odd = 1
    for factor in range(2 * degree - 1, 0, -2):
        odd *= factor
    with working_precision():
        return {t: value / odd for t, value in solid_harmonic(degree, order).items()}


def operators(l_max: int) -> list[dict[Exponents, Real]]:
    """One operator a component, in the order λ²+λ+µ."""
    return [
        multipole_operator(degree, order)
        for degree in range(l_max + 1)
        for order in range(-degree, degree + 1)
    ]


def moments(multipoles: ExactArray, l_max: int) -> ExactArray:
    """Σ_A p_A R_A(∂)/(2λ−1)!! of one site's multipoles, as a polynomial of degree l_max."""
    place = position(l_max)
    result = zeros(len(place))
    for coefficient, operator in zip(multipoles, operators(l_max), strict=True):
        for t, value in operator.items():
            result[place[t]] += coefficient * value
    return result
