r"""Symmetric matrices (9 M, 9 M) kept as triangles: a product reads every number of a half once.

Large products wait for memory, so the half that symmetry makes redundant is neither stored nor
read: two matrices lie in one array of 9 M + 1 rows, the first above its diagonal, the second below,
and BLAS's symv works on either. Rows and columns are component by component, index A M + a.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from scipy.linalg.blas import dsymv

from scc.arrays import BoolArray, FloatArray
from scc.electrostatics.multipoles.pair_blocks import COMPONENTS, BlockEntries


def kept_bytes(number: int, matrices: int) -> int:
    """What the matrices of ``number`` atoms take."""
    size = COMPONENTS * number
    return 8 * size * (size + 1) * -(-matrices // 2)


class KeptTriangles:
    """Some symmetric matrices of ``number`` atoms; their entries come by pairs of groups."""

    def __init__(self, number: int, matrices: int) -> None:
        self._number, size = number, COMPONENTS * number
        self._arrays = [np.empty((size + 1, size)) for _ in range(-(-matrices // 2))]

    def place(self, matrix: int, one: slice, other: slice, entries: Iterable[BlockEntries]) -> None:
        """Put S between two groups: atoms of ``one`` before all of ``other``, or the same."""
        kept = self._upper(matrix)
        for left, right, block, mirrored in entries:
            if left != right:
                kept[left, one, right, other] = block.transpose(0, 2, 1, 3)
                if one != other:  # S_(A,b),(B,a) = S_(B,a),(A,b), and components change places
                    turned = kept[left, other, right, one]
                    np.multiply(block.transpose(0, 3, 1, 2), mirrored, out=turned)
                continue
            width = left.stop - left.start
            for i in range(width):
                a = left.start + i
                for j in range(i, width):
                    b = left.start + j
                    if i == j and one == other:
                        np.copyto(
                            kept[a, one, b, one], block[i, j], where=_above(one.stop - one.start)
                        )
                        continue
                    kept[a, one, b, other] = block[i, j]
                    if i != j and one != other:
                        kept[a, other, b, one] = block[j, i].T

    def product(self, matrix: int, vector: FloatArray) -> FloatArray:
        """S c, (9, M), for c (9, M)."""
        array, flat = self._arrays[matrix // 2], np.ravel(vector)
        # What is above the diagonal by rows is below it by columns, as BLAS counts.
        if matrix % 2 == 0:
            result = dsymv(1.0, array[:-1].T, flat, lower=1)
        else:
            result = dsymv(1.0, array[1:].T, flat, lower=0)
        return np.asarray(result.reshape(COMPONENTS, self._number))

    def _upper(self, matrix: int) -> FloatArray:
        """The matrix as (9, M, 9, M), of which what is above the diagonal is its own."""
        array = self._arrays[matrix // 2]
        square = array[1:] if matrix % 2 else array[:-1]
        shaped = square.reshape(COMPONENTS, self._number, COMPONENTS, self._number)
        return shaped.transpose(2, 3, 0, 1) if matrix % 2 else shaped


@lru_cache
def _above(size: int) -> BoolArray:
    """Diagonal and what is above it."""
    return np.triu(np.ones((size, size), dtype=bool))
