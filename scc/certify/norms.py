"""Norms of ball vectors and matrices as exact upper bounds; float64 to balls and back."""

from __future__ import annotations

from collections.abc import Sequence

import flint
import numpy as np
from numpy.typing import ArrayLike

from scc.arrays import FloatArray

# n^{1/2^k} = 1 + 10⁻⁶ for n = 200: the bound by traces of powers is sharp to that.
_SQUARINGS = 23


def matrix(values: ArrayLike) -> flint.arb_mat:
    """A float64 array (m, n), or (n,) as a column, as exact balls."""
    array = np.asarray(values, dtype=np.float64)
    array = array[:, None] if array.ndim == 1 else array
    rows, columns = array.shape
    return flint.arb_mat(rows, columns, [flint.arb(x) for x in array.ravel().tolist()])


def column(values: Sequence[flint.arb]) -> flint.arb_mat:
    """A list of balls as a column."""
    return flint.arb_mat(len(values), 1, list(values))


def diagonal(values: Sequence[flint.arb]) -> flint.arb_mat:
    """diag(values)."""
    size = len(values)
    found = flint.arb_mat(size, size)
    for i, value in enumerate(values):
        found[i, i] = value
    return found


def identity(size: int) -> flint.arb_mat:
    """1 (size, size)."""
    return diagonal([flint.arb(1)] * size)


def floats(balls: flint.arb_mat) -> FloatArray:
    """Midpoints, rounded to float64, (m, n)."""
    flat = [float(entry.mid()) for entry in balls.entries()]
    return np.array(flat).reshape(balls.nrows(), balls.ncols())


def frobenius(balls: flint.arb_mat) -> flint.arb:
    """An exact number ≥ ‖A‖_F; the Euclidean norm of a column."""
    entries = balls.entries()
    square = flint.arb_mat(1, len(entries), entries) * flint.arb_mat(len(entries), 1, entries)
    return square[0, 0].upper().sqrt().upper()


def spectral(balls: flint.arb_mat) -> flint.arb:
    """An exact number ≥ ‖A‖₂, sharp to 10⁻⁶.

    (Tr (AᵀA)^{2^k})^{1/2^k} is between ‖A‖₂² and n^{1/2^k} times it, however close the singular
    values are.
    """
    power = balls.transpose() * balls
    exponent = flint.arb(0)  # power stands for power · e^exponent: keeps exponents small
    for _ in range(_SQUARINGS):
        trace = power.trace()
        if not trace > 0:
            return frobenius(balls)  # zero, or balls too wide for anything better
        scale = trace.mid()
        power = power / scale
        exponent = 2 * (exponent + scale.log())
        power = power * power
    square = (power.trace().log() + exponent) / 2**_SQUARINGS
    bound = (square / 2).exp().upper()
    return bound if bound.is_finite() else frobenius(balls)


def widened(balls: flint.arb_mat, radius: flint.arb) -> flint.arb_mat:
    """Every entry enlarged by ``radius``: contains A + E for every ‖E‖_F ≤ radius."""
    more = flint.arb(0, radius.upper())
    entries = [entry + more for entry in balls.entries()]
    return flint.arb_mat(balls.nrows(), balls.ncols(), entries)
