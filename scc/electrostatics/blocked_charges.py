r"""Thousands of Gaussian charges in free space: J and dE/dr block by block, each pair once.

What :class:`scc.electrostatics.gaussian_charges.OpenInteraction` computes from arrays of all pairs,

    J_ℓk = erf(τ r)/r, J_ℓℓ = 1/(σ_ℓ√π)        and        ∂(½ Σ q_ℓ q_k J_ℓk)/∂r_m ,

in blocks that stay in the cache. Beyond τr = 6 charges are points to the last bit (erfc(6) is
2e-17), so that most pairs of a large cluster need no error function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from scipy.spatial.distance import cdist

from scc.arrays import FloatArray, IntArray
from scc.electrostatics.radial import coulomb_radial, coulomb_radial_slope

_POINTLIKE = 36.0  # (τr)²
_ENTRIES = 1 << 16  # of a block: half a megabyte an array


_Result = TypeVar("_Result")


class _Block(NamedTuple):
    """Distances r of rows first … last−1 and columns 0 … last−1, and which of them are near."""

    first: int
    last: int
    distance: FloatArray
    near: IntArray
    tau: FloatArray


class BlockedCharges:
    """J of Gaussian charges in free space.

    Args:
        positions: (M, 3), bohr, no two alike.
        widths: σ (M,), bohr, > 0.
        workers: threads that share the blocks (NumPy and SciPy let each other run).
    """

    def __init__(self, positions: FloatArray, widths: FloatArray, workers: int = 1) -> None:
        self._positions = np.ascontiguousarray(positions)
        self._variances = widths**2
        self._workers = workers

    def lower_triangle(self) -> FloatArray:
        """J (M, M), Hartree, with its lower triangle and diagonal filled; the rest is not J."""
        number = len(self._positions)
        matrix = np.zeros((number, number))

        def fill(block: _Block) -> None:
            rows = matrix[block.first : block.last, : block.last]
            np.divide(1.0, block.distance, out=rows)
            near = coulomb_radial(block.distance.ravel()[block.near], block.tau)
            rows[np.divmod(block.near, block.last)] = near

        self._each(fill)
        own = 1.0 / np.sqrt(np.pi * self._variances)
        matrix[np.diag_indices(number)] = own
        return matrix

    def position_gradient(self, charges: FloatArray) -> FloatArray:
        """∂(½ qᵀJq)/∂r at fixed q, (M, 3), Hartree/bohr; q (M,)."""
        transposed = np.ascontiguousarray(self._positions.T)

        def push(block: _Block) -> tuple[int, int, FloatArray, FloatArray]:
            first, last = block.first, block.last
            weight = -1.0 / block.distance**3
            slope = coulomb_radial_slope(block.distance.ravel()[block.near], block.tau)
            weight.ravel()[block.near] = slope
            weight *= charges[first:last, None]
            weight *= charges[:last]
            weight[:, first:] = np.tril(weight[:, first:], -1)
            on_rows, on_columns = np.empty((last - first, 3)), np.empty((last, 3))
            for axis, x in enumerate(transposed):
                # Differences first: Σ w x_k − x_ℓ Σ w would lose digits in extended systems.
                force = weight * (x[first:last, None] - x[:last])
                on_rows[:, axis], on_columns[:, axis] = force.sum(axis=1), force.sum(axis=0)
            return first, last, on_rows, on_columns

        gradient = np.zeros_like(self._positions)
        for first, last, on_rows, on_columns in self._each(push):
            gradient[first:last] += on_rows
            gradient[:last] -= on_columns
        return gradient

    def _each(self, work: Callable[[_Block], _Result]) -> list[_Result]:
        """The work for every block, results in order."""
        spans = list(_spans(len(self._positions)))
        if self._workers == 1:
            return [work(self._block(*span)) for span in spans]
        with ThreadPoolExecutor(self._workers) as pool:
            return list(pool.map(lambda span: work(self._block(*span)), spans))

    def _block(self, first: int, last: int) -> _Block:
        positions, variances = self._positions, self._variances
        squared = cdist(positions[first:last], positions[:last], "sqeuclidean")
        reach = 2.0 * _POINTLIKE * (variances[first:last, None] + variances[:last])
        near = np.flatnonzero(squared < reach)
        row, column = np.divmod(near, last)
        tau = 1.0 / np.sqrt(2.0 * (variances[first + row] + variances[column]))
        distance = np.sqrt(squared, out=squared)
        # A charge itself: any number does, both sums leave it out or overwrite it.
        distance[np.arange(last - first), np.arange(first, last)] = 1.0
        return _Block(first, last, distance, near, tau)


def _spans(number: int) -> Iterator[tuple[int, int]]:
    """Rows first … last−1 of about ``_ENTRIES`` pairs each, longest blocks first."""
    last = number
    while last > 0:
        first = max(0, last - max(1, _ENTRIES // last))
        yield first, last
        last = first
