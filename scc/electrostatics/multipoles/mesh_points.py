r"""Points among a periodic mesh: what they put on its nodes, what they read from them.

W_km = w(u_k1 − m_1) w(u_k2 − m_2) w(u_k3 − m_3), u_kj = n_j s_kj, s = x·(cell)^{-1}, is a matrix of
points by nodes. It is kept as a sparse matrix of the first two factors times a row of third ones:
nodes along the third axis are taken in overlapping blocks (``_BLOCK`` nodes and the order − 1
following), so that a point meets p² blocks, one weight each, and a block product runs over
consecutive numbers: p times fewer indices than W itself, quicker to set up and to apply.
"""

from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.splines import spline_weights

_BLOCK = 8


class MeshPoints:
    """W of the module docstring for points x (N, 3) and a mesh of ``shape`` in ``cell``.

    Points outside the cell are folded in. Every mesh length must be ≥ ``order``.
    """

    def __init__(
        self, positions: FloatArray, cell: FloatArray, shape: tuple[int, int, int], order: int
    ) -> None:
        self._shape, self._order = shape, order
        inverse = np.linalg.inv(cell)
        self._to_mesh = inverse * np.array(shape)  # ∂u_j/∂x_i
        fractional = positions @ inverse
        u = (fractional - np.floor(fractional)) * np.array(shape) - 0.5 * order
        floor = np.floor(u)
        first = (floor.astype(np.int64) + 1) % np.array(shape)
        # neighbours in space are neighbours in memory
        self._sorting = np.lexsort((first[:, 2], first[:, 1], first[:, 0]))
        first, fraction = first[self._sorting], (u - floor)[self._sorting]
        weights = [spline_weights(order, fraction[:, axis]) for axis in range(3)]
        self._values = [pair[0] for pair in weights]
        self._slopes = [pair[1] for pair in weights]
        self._first = first
        self._stride = max(_BLOCK, order - 1)
        self._blocks = -(-shape[2] // self._stride)
        self._width = self._stride + order - 1

    def spread(self, coefficients: FloatArray) -> FloatArray:
        """Σ_k c_kB W_km on the nodes, one mesh for each B (n, *shape), for c (N, n)."""
        c = coefficients[self._sorting]
        return self._joined(self._matrix.T @ _rows(c, self._window))

    def spread_moved(self, coefficients: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_k c_kB (dx_k·∇) W_km (n, *shape), for dx (N, 3)."""
        c, du = coefficients[self._sorting], (displacement @ self._to_mesh)[self._sorting]
        blocks = self._matrix.T @ _rows(c * du[:, 2, None], self._window_slope)
        for axis in range(2):
            rows = _rows(c * du[:, axis, None], self._window)
            blocks += self._matrix_slopes[axis].T @ rows
        return self._joined(blocks)

    def read(self, meshes: FloatArray) -> FloatArray:
        """Σ_m W_km f_B(m): (N, n) for n meshes (n, *shape)."""
        rows = self._matrix @ self._overlapping(meshes)
        return self._unsorted(_row_sums(rows, self._window))

    def read_gradient(self, meshes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Σ_m W_km f_B(m) (N, n) and its derivative with respect to x_k (N, n, 3), bohr⁻¹."""
        blocks = self._overlapping(meshes)
        rows = self._matrix @ blocks
        slopes = np.empty((len(rows), len(meshes), 3))
        slopes[..., 2] = _row_sums(rows, self._window_slope)
        for axis in range(2):
            slopes[..., axis] = _row_sums(self._matrix_slopes[axis] @ blocks, self._window)
        gradient = slopes @ self._to_mesh.T
        return self._unsorted(_row_sums(rows, self._window)), self._unsorted(gradient)

    @cached_property
    def _columns(self) -> tuple[Any, Any]:
        """Indices of the p² blocks of each point, and where each point's begin."""
        n_x, n_y, _ = self._shape
        steps = np.arange(self._order)
        x = (self._first[:, 0, None] + steps) % n_x
        y = (self._first[:, 1, None] + steps) % n_y
        block = self._first[:, 2] // self._stride
        number = len(self._first) * self._order**2
        largest = max(number, n_x * n_y * self._blocks)
        kind = np.int32 if largest < np.iinfo(np.int32).max else np.int64
        corner = (x * (n_y * self._blocks) + block[:, None]).astype(kind)
        indices = corner[:, :, None] + (y * self._blocks).astype(kind)[:, None, :]
        starts = np.arange(0, number + 1, self._order**2, dtype=kind)
        return indices.reshape(-1), starts

    @cached_property
    def _matrix(self) -> Any:
        return self._sparse(self._values[0], self._values[1])

    @cached_property
    def _matrix_slopes(self) -> tuple[Any, Any]:
        """∂/∂u₁ and ∂/∂u₂ of :attr:`_matrix`."""
        return (
            self._sparse(self._slopes[0], self._values[1]),
            self._sparse(self._values[0], self._slopes[1]),
        )

    def _sparse(self, x: FloatArray, y: FloatArray) -> Any:
        n_x, n_y, _ = self._shape
        data = (x[:, :, None] * y[:, None, :]).reshape(-1)
        return csr_matrix((data, *self._columns), shape=(len(x), n_x * n_y * self._blocks))

    @cached_property
    def _window(self) -> FloatArray:
        return self._placed(self._values[2])

    @cached_property
    def _window_slope(self) -> FloatArray:
        return self._placed(self._slopes[2])

    def _placed(self, z: FloatArray) -> FloatArray:
        """Weights along the third axis at their places in the block: (N, width)."""
        result = np.zeros((len(z), self._width))
        offset = self._first[:, 2] % self._stride + self._width * np.arange(len(z))
        result.reshape(-1)[offset[:, None] + np.arange(self._order)] = z
        return result

    def _joined(self, blocks: FloatArray) -> FloatArray:
        """Overlapping blocks (n in each row) added up to the meshes (n, *shape)."""
        stride, reach, n_z = self._stride, self._order - 1, self._shape[2]
        lines = self._shape[0] * self._shape[1]
        blocks = blocks.reshape(lines, self._blocks, -1, self._width)
        meshes = np.empty((blocks.shape[2], lines, n_z))
        for mesh, own in zip(meshes, blocks.transpose(2, 0, 1, 3), strict=True):
            padded = np.empty((lines, self._blocks + 1, stride))
            padded[:, :-1] = own[..., :stride]
            padded[:, -1] = 0.0
            padded[:, 1:, :reach] += own[..., stride:]
            unfolded = padded.reshape(lines, -1)
            mesh[:] = unfolded[:, :n_z]
            mesh[:, :reach] += unfolded[:, n_z : n_z + reach]
        return meshes.reshape(-1, *self._shape)

    def _overlapping(self, meshes: FloatArray) -> FloatArray:
        """The blocks of n meshes, n in each row: transposed :meth:`_joined`."""
        n_z, reach = self._shape[2], self._order - 1
        lines = self._shape[0] * self._shape[1]
        padded = np.zeros((len(meshes), lines, (self._blocks + 1) * self._stride))
        padded[..., :n_z] = meshes.reshape(len(meshes), lines, n_z)
        padded[..., n_z : n_z + reach] = padded[..., :reach]
        windows = np.lib.stride_tricks.sliding_window_view(padded, self._width, axis=2)
        windows = windows[:, :, : self._blocks * self._stride : self._stride]
        return np.ascontiguousarray(windows.transpose(1, 2, 0, 3)).reshape(
            lines * self._blocks, len(meshes) * self._width
        )

    def _unsorted(self, values: FloatArray) -> FloatArray:
        result = np.empty_like(values)
        result[self._sorting] = values
        return result


def _rows(coefficients: FloatArray, windows: FloatArray) -> FloatArray:
    """c_kB times the windows of point k: (N, n · width)."""
    return np.asarray(coefficients[:, :, None] * windows[:, None, :]).reshape(len(windows), -1)


def _row_sums(rows: FloatArray, windows: FloatArray) -> FloatArray:
    """Transposed :func:`_rows`: (N, n)."""
    number, width = windows.shape
    return np.asarray(np.einsum("kBw,kw->kB", rows.reshape(number, -1, width), windows))
