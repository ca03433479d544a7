"""Y_lm(r̂), real solid harmonics in Racah normalisation on the unit sphere, and their gradients."""

from __future__ import annotations

import numpy as np

from scc.arrays import FloatArray
from scc.basis.polynomials import derivative_matrices, evaluate_monomials, monomial_count
from scc.basis.solid_harmonics import solid_harmonic_coefficients


def unit_harmonics(largest: int, units: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Y_lm at unit vectors (P, 3), (P, (l+1)²), and r ∂Y_lm/∂r_a, (P, (l+1)², 3).

    Y_lm(r) = R_lm(r)/r^l, so r ∂Y/∂r_a = ∂R/∂r_a(r̂) − l R(r̂) r̂_a.
    """
    table = np.zeros(((largest + 1) ** 2, monomial_count(largest)))
    ranks = np.zeros((largest + 1) ** 2)
    for l in range(largest + 1):  # noqa: E741
        rows = slice(l * l, (l + 1) ** 2)
        table[rows, : monomial_count(l)] = solid_harmonic_coefficients(l)
        ranks[rows] = l
    monomials = evaluate_monomials(largest, units)
    values = (table @ monomials).T
    if largest == 0:
        return values, np.zeros((len(units), 1, 3))
    lowered = [table @ _lowering(largest, axis) @ monomials for axis in range(3)]
    gradients = np.stack(lowered, axis=-1).transpose(1, 0, 2)
    return values, gradients - (ranks * values)[:, :, None] * units[:, None, :]


def _lowering(order: int, axis: int) -> FloatArray:
    """∂/∂x_axis on polynomials of degree ≤ order, written as ones of the same degree."""
    return np.asarray(derivative_matrices(order)[axis][:, : monomial_count(order)])
