r"""Reciprocal side of the particle mesh: wave vectors, influence function, harmonics.

Of the mesh of n_1 × n_2 × n_3 nodes the transform has the modes k = 2π m·(cell)^{-T},
|m_j| < n_j/2, one of each ±k (half of the third axis). The modes m_j = n_j/2 of even n_j are left
out: they are their own mirror image, so that no odd power of k has a value there.

The influence function is

    G(k) e^{−(k²+κ²)W/2} / Π_j Σ_n ŵ(κ_j + n)²,      κ_j = m_j/n_j,

the screening κ (without index) being zero for the Coulomb interaction.
Spread and read again, a mode is multiplied by Σ_n ŵ(κ+n)² on average over where the site lies in
the mesh, so this choice leaves the mean energy of a site with itself right and to leading
order has the mean square error of the optimal one, Gŵ²/(Σŵ²)².

Reference: R. W. Hockney, J. W. Eastwood, Computer Simulation Using Particles (IOP 1988), §8-3;
V. Ballenegger, J. J. Cerdà, C. Holm, J. Chem. Theory Comput. 8, 936 (2012).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scc.arrays import FloatArray
from scc.basis.polynomials import (
    derivative_matrices,
    evaluate_monomials,
)
from scc.basis.solid_harmonics import solid_harmonics
from scc.electrostatics.multipoles.moments import double_factorial, multipole_operators
from scc.electrostatics.multipoles.reciprocal_kernels import ReciprocalKernel
from scc.electrostatics.multipoles.splines import squared_transform_sum

ComplexArray = NDArray[np.complex128]

_CHUNK = 1 << 15  # modes handled together: the temporaries of the kernels stay in the cache
_KEPT = 4  # influence functions kept between applications


class Planes(NamedTuple):
    """Some planes of the half-spectrum.

    Attributes:
        rows: which of the first axis.
        vectors: k (n, n_2, n_3/2+1, 3), bohr⁻¹.
        weights: spline denominators (n, n_2, n_3/2+1); 0 for the modes left out.
    """

    rows: slice
    vectors: FloatArray
    weights: FloatArray


class ReciprocalGrid:
    """Modes of a mesh of ``shape`` and splines of ``order`` in the cell of a kernel."""

    def __init__(self, kernel: ReciprocalKernel, shape: tuple[int, int, int], order: int) -> None:
        self.kernel, self.shape = kernel, shape
        self.spectrum_shape = (shape[0], shape[1], shape[2] // 2 + 1)
        self._reciprocal = 2.0 * np.pi * np.linalg.inv(kernel.cell).T
        self._modes, self._denominators = [], []
        for axis, length in enumerate(self.spectrum_shape):
            number = shape[axis]
            modes = np.rint(np.fft.fftfreq(number) * number)[:length]
            inverse = 1.0 / squared_transform_sum(order, number)[:length]
            self._modes.append(modes)
            self._denominators.append(np.where(2 * np.abs(modes) == number, 0.0, inverse))
        self._influence: dict[float, FloatArray] = {}
        self._harmonics: dict[int, FloatArray] = {}

    def planes(self) -> Iterator[Planes]:
        """The whole half-spectrum, a few planes at a time."""
        step = max(1, _CHUNK // (self.spectrum_shape[1] * self.spectrum_shape[2]))
        m = self._modes
        flat = m[1][:, None, None] * self._reciprocal[1] + m[2][None, :, None] * self._reciprocal[2]
        _, y, z = self._denominators
        for start in range(0, self.shape[0], step):
            rows = slice(start, min(start + step, self.shape[0]))
            vectors = m[0][rows, None, None, None] * self._reciprocal[0] + flat
            weights = self._denominators[0][rows, None, None] * (y[:, None] * z)
            yield Planes(rows, vectors, weights)

    def influence(self, variance: float) -> FloatArray:
        """The module docstring's function for W = ``variance``, of the half-spectrum's shape."""
        if variance not in self._influence:
            result = np.empty(self.spectrum_shape)
            for rows, vectors, weights in self.planes():
                result[rows] = (
                    self.kernel.values(vectors) * gaussian(vectors, variance, self.kernel) * weights
                )
            if len(self._influence) >= _KEPT:
                self._influence.clear()
            self._influence[variance] = result
        return self._influence[variance]

    def harmonics(self, degree: int) -> FloatArray:
        """σ_λ R_λµ(k)/(2λ−1)!!, (2λ+1, ...); σ_λ = ±1 so that (−i)^λ = σ_λ, or −iσ_λ for odd λ."""
        if degree == 0:
            return np.ones((1, 1, 1, 1))
        if degree not in self._harmonics:
            result = np.empty((2 * degree + 1, *self.spectrum_shape))
            scale = (-1.0) ** (degree // 2) / double_factorial(2 * degree - 1)
            for rows, vectors, _ in self.planes():
                values = solid_harmonics(degree, vectors)[..., degree**2 :]
                result[:, rows] = scale * np.moveaxis(values, -1, 0)
            self._harmonics[degree] = result
        return self._harmonics[degree]


def gaussian(vectors: FloatArray, variance: float, kernel: ReciprocalKernel) -> FloatArray:
    """e^{−(k²+κ²)W/2}."""
    squared = np.einsum("...i,...i->...", vectors, vectors) + kernel.squared_screening
    return np.asarray(np.exp(-0.5 * variance * squared))


def harmonics_and_slopes(l_max: int, vectors: FloatArray) -> tuple[ComplexArray, ComplexArray]:
    """(−i)^λ R_λµ(k)/(2λ−1)!! (n, ...) and its gradient in k (3, n, ...), n = (l_max+1)²."""
    operators = multipole_operators(l_max)
    phases = (-1j) ** np.floor(np.sqrt(np.arange((l_max + 1) ** 2)))
    monomials = evaluate_monomials(l_max, vectors)
    values = np.tensordot(phases[:, None] * operators, monomials, axes=1)
    # a derivative of degree l_max − 1 in the numbering of l_max + 1, a prefix of it
    gradients = phases[:, None] * (operators @ derivative_matrices(l_max))[..., : len(monomials)]
    return values, np.tensordot(gradients, monomials, axes=1)
