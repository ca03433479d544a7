r"""Weighted least squares with a prior, a block of rows at a time.

    minimise  Σ_r w_r (x_r·θ − y_r)² + ridge Σ_c s_c² θ_c²,   s_c the prior's scale of column c

N = XᵀWX and g = XᵀWy are all that is kept, n² numbers for n columns, so that any number of rows
fits in memory; parts (folds, energies, forces) have their own and add up. Squaring the condition
number costs nothing here: columns are scaled by s_c first, and the ridge keeps the smallest
eigenvalue of N + ridge far above the rounding of N.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray
from scc.errors import InputError

_ROWS = 512
"""Rows that wait to be multiplied: enough to be worth a pass over the matrix."""


class NormalEquations:
    """XᵀWX, XᵀWy and yᵀWy of ``columns`` unknowns."""

    def __init__(self, columns: int) -> None:
        self._matrix = np.zeros((columns, columns))
        self.vector = np.zeros(columns)
        self.square = 0.0
        self._pending: dict[tuple[int, int], list[FloatArray]] = {}

    @property
    def matrix(self) -> FloatArray:
        """XᵀWX (n, n)."""
        for span in list(self._pending):
            self._sum(span)
        return self._matrix

    def arrays(self) -> dict[str, FloatArray]:
        """Everything, to be kept in a file."""
        return {"matrix": self.matrix, "vector": self.vector, "square": np.array(self.square)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> NormalEquations:
        """The inverse of :meth:`arrays`."""
        equations = cls(0)
        equations._matrix, equations.vector = arrays["matrix"], arrays["vector"]
        equations.square = float(arrays["square"])
        return equations

    def add(
        self,
        rows: FloatArray,
        targets: FloatArray,
        weights: FloatArray | float = 1.0,
        columns: slice = slice(None),
    ) -> None:
        """More rows X (R, n) with targets y (R,) and weights w ≥ 0, (R,) or one number.

        ``columns``: where the columns of X are, if all others are zero.
        """
        root = np.sqrt(weights)
        scaled = rows * (root[:, None] if np.ndim(root) else root)
        wanted = targets * root
        self.vector[columns] += scaled.T @ wanted
        self.square += float(wanted @ wanted)
        start, stop, _ = columns.indices(len(self.vector))
        waiting = self._pending.setdefault((start, stop), [])
        waiting.append(scaled)
        if sum(len(block) for block in waiting) >= _ROWS:
            self._sum((start, stop))

    def accumulate(self, other: NormalEquations, factor: float = 1.0) -> None:
        """Add ``factor`` times another set of rows."""
        self._matrix += factor * other.matrix
        self.vector += factor * other.vector
        self.square += factor * other.square

    def _sum(self, span: tuple[int, int]) -> None:
        """Add up the products of rows that wait; n² numbers are written once for many of them."""
        rows = np.concatenate(self._pending.pop(span))
        columns = slice(*span)
        self._matrix[columns, columns] += rows.T @ rows

    def loss(self, solution: FloatArray) -> float:
        """Σ w (Xθ − y)², not below zero."""
        quadratic = solution @ (self.matrix @ solution) - 2.0 * (self.vector @ solution)
        return max(0.0, float(quadratic + self.square))

    def solve(self, ridge: float, scale: FloatArray) -> FloatArray:
        """The minimiser θ (n,) for prior scales s (n,) > 0.

        Raises
        ------
        InputError: a ridge that is not positive, or too small for the rounding of N.
        """
        if not ridge > 0.0:
            raise InputError(f"the ridge must be positive, got {ridge}")
        inverse = 1.0 / scale
        matrix = inverse[:, None] * self.matrix * inverse
        matrix.flat[:: len(matrix) + 1] += ridge
        try:
            factor = scipy.linalg.cho_factor(matrix, lower=True, overwrite_a=True)
        except np.linalg.LinAlgError:
            raise InputError(
                f"the ridge {ridge:g} is below the rounding of the normal equations"
            ) from None
        return np.asarray(inverse * scipy.linalg.cho_solve(factor, inverse * self.vector))
