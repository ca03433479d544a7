r"""Baseline: charges and dipoles of Gaussian width by a plain sum over all wave vectors |k| ≤ k_c.

    S(k) = Σ_a (q_a − i k·d_a) e^{−ik·r_a} e^{−k²σ_a²/2},
    V(x; σ) = Re Σ_{k≠0} (4π/Ωk²) e^{−k²σ²/2} S(k) e^{ik·x},

one of each ±k, the matrices cos k·r_a and sin k·r_a made once for a geometry and kept: what codes
for machine-learned potentials do that have Gaussians and neither pair sums nor meshes
(graph_longrange is one). O(N²) at given density, in time and in memory. All operations are
vectorised; products with the matrices are BLAS calls on real numbers.
"""

from typing import NamedTuple

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration

_AXES = [3, 1, 2]  # x, y, z of a dipole at λ² + λ + µ: R_1 = (y, z, x)
_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


class Waves(NamedTuple):
    """e^{ik·r_a} = cosine + i sine, (M, K) each, one of each ±k."""

    vectors: FloatArray
    cosine: FloatArray
    sine: FloatArray


class DirectKSpace:
    """Energy, forces and features, λ ≤ 1, for a periodic configuration.

    Args:
        width: σ of the multipoles, bohr.
        feature_widths: σ_n of the features, bohr.
        cutoff: k_c, bohr⁻¹.
    """

    def __init__(
        self,
        configuration: Configuration,
        width: float,
        feature_widths: tuple[float, ...],
        cutoff: float,
    ) -> None:
        assert configuration.cell is not None
        k = wave_vectors(configuration.cell, cutoff)
        phase = configuration.positions @ k.T
        self._waves = Waves(k, np.cos(phase), np.sin(phase))
        squared = np.sum(k**2, axis=1)
        # twice, for −k
        self._green = 8.0 * np.pi / (abs(np.linalg.det(configuration.cell)) * squared)
        self._gauss = np.exp(-0.5 * width**2 * squared)
        self._probes = [np.exp(-0.5 * sigma**2 * squared) for sigma in feature_widths]

    def __len__(self) -> int:
        return len(self._waves.vectors)

    def energy_forces_features(
        self, multipoles: FloatArray
    ) -> tuple[float, FloatArray, FloatArray]:
        """E (Hartree), forces (M, 3) and features (M, 4 n) of multipoles (M, 4)."""
        k = self._waves.vectors
        potential_wave = self._green * self._structure(multipoles)
        own = potential_wave * self._gauss
        rows = [own, *(1j * own * k.T), *(-own * k[:, i] * k[:, j] for i, j in _PAIRS)]
        for probe in self._probes:
            wave = potential_wave * probe
            rows += [wave, *(1j * wave * k.T)]
        values = self._at_atoms(np.array(rows))
        slopes = values[:, 1:4]
        charges, dipoles = multipoles[:, 0], multipoles[:, _AXES]
        energy = 0.5 * float(charges @ values[:, 0] + np.sum(dipoles * slopes))
        second = np.empty((len(charges), 3, 3))
        for column, (i, j) in enumerate(_PAIRS):
            second[:, i, j] = second[:, j, i] = values[:, 4 + column]
        forces = -charges[:, None] * slopes - np.einsum("ai,aij->aj", dipoles, second)
        features = values[:, 10:].reshape(len(charges), -1, 4)
        return energy, forces, features[..., [0, 2, 3, 1]].reshape(len(charges), -1)

    def _structure(self, multipoles: FloatArray) -> np.ndarray:
        """S(k)."""
        moments = multipoles[:, [0, *_AXES]].T
        waves = moments @ self._waves.cosine - 1j * (moments @ self._waves.sine)
        dipole = np.einsum("ki,ik->k", self._waves.vectors, waves[1:])
        return np.asarray((waves[0] - 1j * dipole) * self._gauss)

    def _at_atoms(self, rows: np.ndarray) -> FloatArray:
        """Re Σ_k f(k) e^{ik·r_a}, (M, n)."""
        real = self._waves.cosine @ np.ascontiguousarray(rows.real.T)
        return np.asarray(real - self._waves.sine @ np.ascontiguousarray(rows.imag.T))


def wave_vectors(cell: FloatArray, cutoff: float) -> FloatArray:
    """One of each ±k, 0 < |k| ≤ cutoff, of the reciprocal lattice."""
    reciprocal = 2.0 * np.pi * np.linalg.inv(cell).T
    bounds = np.floor(cutoff * np.linalg.norm(cell, axis=1) / (2.0 * np.pi)).astype(int)
    axes = [np.arange(-b, b + 1) for b in bounds]
    whole = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    whole = whole[len(whole) // 2 + 1 :]  # the grid is symmetric about its middle, k = 0
    vectors = whole @ reciprocal
    return np.asarray(vectors[np.sum(vectors**2, axis=1) <= cutoff**2])
