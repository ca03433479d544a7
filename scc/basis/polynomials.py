"""Polynomials in (x, y, z) as coefficient vectors over the monomials x^i y^j z^k, i+j+k ≤ order.

The monomials are sorted by degree, so the coefficients of a lower order are a prefix of those of a
higher one. The same numbering serves for the indices (t, u, v) of Hermite Gaussians.
"""

from functools import cache

import numpy as np

from scc.arrays import FloatArray, IntArray


def monomial_count(order: int) -> int:
    """Number of monomials of degree ≤ order, (order+1)(order+2)(order+3)/6."""
    return (order + 1) * (order + 2) * (order + 3) // 6


@cache
def monomial_exponents(order: int) -> IntArray:
    """Exponents (i, j, k) of all monomials of degree ≤ order, (n, 3), sorted by degree."""
    rows = [
        (i, j, degree - i - j)
        for degree in range(order + 1)
        for i in range(degree, -1, -1)
        for j in range(degree - i, -1, -1)
    ]
    return np.array(rows, dtype=np.int64)


@cache
def monomial_index(order: int) -> dict[tuple[int, int, int], int]:
    """Position of each (i, j, k) in :func:`monomial_exponents`."""
    return {(int(i), int(j), int(k)): n for n, (i, j, k) in enumerate(monomial_exponents(order))}


@cache
def sum_index(left_order: int, right_order: int) -> IntArray:
    """Index of the exponents' sum: entry (t, t') numbers monomial t + t' of the summed order."""
    index = monomial_index(left_order + right_order)
    return np.array(
        [
            [index[tuple(t + s)] for s in monomial_exponents(right_order)]
            for t in monomial_exponents(left_order)
        ],
        dtype=np.int64,
    )


@cache
def derivative_matrices(order: int) -> FloatArray:
    """∂/∂x, ∂/∂y, ∂/∂z on polynomials: (3, n(order), n(order+1)), to be applied from the right."""
    index = monomial_index(order + 1)
    matrices = np.zeros((3, monomial_count(order), monomial_count(order + 1)))
    for row, exponents in enumerate(monomial_exponents(order)):
        for axis in range(3):
            if exponents[axis] > 0:
                lowered = exponents.copy()
                lowered[axis] -= 1
                matrices[axis, row, index[tuple(lowered)]] = exponents[axis]
    return matrices


@cache
def coordinate_matrices(order: int) -> FloatArray:
    """Multiplication by x, y, z: (3, n(order), n(order+1)), to be applied from the right."""
    index = monomial_index(order + 1)
    matrices = np.zeros((3, monomial_count(order), monomial_count(order + 1)))
    for row, exponents in enumerate(monomial_exponents(order)):
        for axis in range(3):
            raised = exponents.copy()
            raised[axis] += 1
            matrices[axis, row, index[tuple(raised)]] = 1.0
    return matrices


def evaluate_monomials(order: int, points: FloatArray) -> FloatArray:
    """All monomials of degree ≤ order at points (..., 3): (n, ...)."""
    powers = [np.ones_like(points)]
    for _ in range(order):
        powers.append(powers[-1] * points)
    return np.array(
        [
            powers[i][..., 0] * powers[j][..., 1] * powers[k][..., 2]
            for i, j, k in monomial_exponents(order)
        ]
    )
