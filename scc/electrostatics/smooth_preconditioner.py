r"""An approximate inverse of D + J for Gaussian charges in a crystal, from the smooth waves of J.

D > 0 is a diagonal, J the Ewald sum. At long wavelengths J is 4πn/k², which makes the condition
number of D + J grow with the square of the cell's length, and the number of iterations of conjugate
gradients with the length. On a coarse mesh that part is XVXᵀ, X splines between atoms and nodes and
V diagonal for waves. If atoms are spread evenly, XᵀD⁻¹X is a number ρ for smooth waves, and

    D^{1/2} (D + XVXᵀ)⁻¹ D^{1/2} ≈ F²,      F = 1 − D^{−1/2} X φ Xᵀ D^{−1/2},
                                            φ = (1 − (1 + ρV)^{−1/2})/ρ,

since F is (1 + ρV)^{−1/2} for a smooth wave and 1 for a rough one. M⁻¹ = D^{−1/2}(F² + ε)D^{−1/2}
is positive definite however atoms are spread. ρ is the mean over the atoms of Σ_k D_k⁻¹X_km at
their nodes, the one inside where they form a droplet.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import fft

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipoles.mesh_grid import ReciprocalGrid
from scc.electrostatics.multipoles.mesh_points import MeshPoints
from scc.electrostatics.multipoles.reciprocal_kernels import PeriodicKernel
from scc.errors import InputError

_SPACING = 1.0  # of the mesh, in mean distances n^{-1/3}
_ORDER = 4
_SMEARING = 0.25  # W over the spacing squared
_FLOOR = 1e-3  # ε


class SmoothPreconditioner:
    """M⁻¹ of the module docstring, symmetric and positive definite.

    Args:
        configuration: periodic in all three directions.
        diagonal: D (M,), Hartree, > 0.
    Raises:
        InputError: a direction that is not periodic; D that is not positive.
    """

    def __init__(self, configuration: Configuration, diagonal: FloatArray) -> None:
        cell = configuration.cell
        if cell is None or not all(configuration.periodic):
            raise InputError("the smooth preconditioner needs all three directions periodic")
        if not np.all(diagonal > 0.0):
            raise InputError(f"the diagonal has the entry {diagonal.min():.3g}, must be > 0")
        volume = float(abs(np.linalg.det(cell)))
        spacing = _SPACING * (volume / len(configuration)) ** (1.0 / 3.0)
        n_1, n_2, n_3 = (
            max(_ORDER, math.ceil(length / spacing)) for length in np.linalg.norm(cell, axis=1)
        )
        self._shape = (n_1, n_2, n_3)
        self._root = np.sqrt(1.0 / diagonal)
        self._points = MeshPoints(configuration.positions, cell, self._shape, _ORDER)
        grid = ReciprocalGrid(PeriodicKernel(cell, 0.0), self._shape, _ORDER)
        # Unnormalised transforms: waves of unit length see V times the number of nodes.
        waves = n_1 * n_2 * n_3 * grid.influence(_SMEARING * spacing**2)
        softness = self._points.spread((1.0 / diagonal)[:, None])
        rho = float(np.sum(softness**2) / np.sum(softness))
        self._filter = (1.0 - 1.0 / np.sqrt(1.0 + rho * waves)) / rho

    def __call__(self, residual: FloatArray) -> FloatArray:
        """M⁻¹r, (M,)."""
        scaled = self._root * residual
        twice = self._rough(self._rough(scaled))
        return np.asarray(self._root * (twice + _FLOOR * scaled))

    def _rough(self, values: FloatArray) -> FloatArray:
        """F times the values."""
        spectrum = fft.rfftn(self._points.spread((self._root * values)[:, None])[0])
        smooth = fft.irfftn(self._filter * spectrum, s=self._shape)
        return np.asarray(values - self._root * self._points.read(smooth[None])[:, 0])
