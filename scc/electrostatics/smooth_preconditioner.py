r"""An approximate inverse of D + J for Gaussian charges in a crystal, from the smooth waves of J.

D > 0 is a diagonal, J the Ewald sum. At long wavelengths J is 4πn/k², which makes the condition
number of D + J grow with the square of the cell's length, and the number of iterations of conjugate
gradients with the length. On a coarse mesh that part is XVXᵀ, X splines between atoms and nodes and
V diagonal for waves. If atoms were spread evenly, XᵀD⁻¹X would be a number ρ for waves and

    (D + XVXᵀ)⁻¹ = D⁻¹ − D⁻¹X (V⁻¹ + XᵀD⁻¹X)⁻¹ XᵀD⁻¹ ≈ D⁻¹ − D⁻¹X V/(1 + ρV) XᵀD⁻¹ = M⁻¹ .

With ρ ≥ ‖XᵀD⁻¹X‖ M⁻¹ is positive definite however the atoms are spread, as V/(1 + ρV) < 1/ρ; the
largest row sum is such a ρ: Σ_k D_k⁻¹X_km at node m, the weights X being positive with sum one.
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

_SPACING = 1.25  # of the mesh, in mean distances n^{-1/3}; 33 to 41 iterations from 0.75 to 2
_ORDER = 4
_SMEARING = 0.25  # W over the spacing squared; no effect on the iterations between 0.25 and 1


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
        self._inverse = 1.0 / diagonal
        self._points = MeshPoints(configuration.positions, cell, self._shape, _ORDER)
        grid = ReciprocalGrid(PeriodicKernel(cell, 0.0), self._shape, _ORDER)
        # Unnormalised transforms: waves of unit length see V times the number of nodes.
        waves = n_1 * n_2 * n_3 * grid.influence(_SMEARING * spacing**2)
        rho = float(np.max(self._points.spread(self._inverse[:, None])))
        self._filter = waves / (1.0 + rho * waves)

    def __call__(self, residual: FloatArray) -> FloatArray:
        """M⁻¹r, (M,)."""
        scaled = self._inverse * residual
        spectrum = fft.rfftn(self._points.spread(scaled[:, None])[0])
        smooth = fft.irfftn(self._filter * spectrum, s=self._shape)
        return np.asarray(scaled - self._inverse * self._points.read(smooth[None])[:, 0])
