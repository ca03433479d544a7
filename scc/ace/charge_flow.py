r"""Charges from flows between neighbours: neutral whatever the coefficients, and local.

Centre ℓ hands an amount t_ℓj of ρ − ν to each neighbour j within the cut-off,

    t_ℓj = Σ_n R̃_n(r_ℓj) s_{ℓ,n,Z_j},        p_i00 = Σ_ℓ t_ℓi − Σ_j t_ij,

with strengths s that depend on the surroundings of ℓ alone. Site ℓ's density thus puts t_ℓj on j
and −Σ_j t_ℓj on itself: Σ_i p_i00 = 0 identically, and what site ℓ does is determined within the
cut-off of ℓ. R̃_n vanishes with its derivatives at the cut-off: atoms enter and leave smoothly.

Strengths have shape (M, n_channels), channel n·(number of species) + (species of j).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.configuration.neighbours import neighbour_pairs

Radial = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""r (P,) bohr → R̃ (P, n) and dR̃/dr (P, n), zero from the cut-off on."""


class ChargeFlow:
    """The map strengths ↦ charges at one geometry, linear in the strengths.

    Parameters
    ----------
    configuration: atoms, each of one of ``species``.
    species: chemical symbols, in the order of the channels.
    cutoff: bohr.
    radial: the functions R̃_n, see :data:`Radial`.
    """

    def __init__(
        self,
        configuration: Configuration,
        species: Sequence[str],
        cutoff: float,
        radial: Radial,
    ) -> None:
        pairs = neighbour_pairs(configuration, cutoff)
        number = {symbol: index for index, symbol in enumerate(species)}
        kind = np.array([number[symbol] for symbol in configuration.species])
        self._first, self._second = pairs.first, pairs.second
        values, self._slopes = radial(pairs.distance)
        self._along = pairs.displacement / pairs.distance[:, None]
        n_radial = values.shape[1]
        self.n_atoms, self.n_channels = len(configuration), n_radial * len(species)
        self._channels = np.arange(n_radial) * len(species) + kind[pairs.second][:, None]
        self.matrix = self._flows_to_charges(values)
        """Sparse (M, M·n_channels): p_00 = matrix @ strengths.ravel()."""

    def charges(self, strengths: FloatArray) -> FloatArray:
        """p_00 (M,), e."""
        return np.asarray(self.matrix @ np.ravel(strengths))

    def strengths_vjp(self, cotangent: FloatArray) -> FloatArray:
        """∂⟨w, p_00⟩/∂s, (M, n_channels), for w (M,)."""
        return np.asarray(self.matrix.T @ cotangent).reshape(self.n_atoms, self.n_channels)

    def position_jvp(self, strengths: FloatArray, displacement: FloatArray) -> FloatArray:
        """Σ_m dr_m·∂p_00/∂r_m at fixed strengths, (M,)."""
        moved = displacement[self._second] - displacement[self._first]
        change = self._flow_slopes(strengths) * np.einsum("pi,pi->p", self._along, moved)
        return self._scatter(change)

    def position_vjp(self, strengths: FloatArray, cotangent: FloatArray) -> FloatArray:
        """∂⟨w, p_00⟩/∂r_m at fixed strengths, (M, 3), for w (M,)."""
        weight = (cotangent[self._second] - cotangent[self._first]) * self._flow_slopes(strengths)
        return np.stack([self._scatter(weight * axis) for axis in self._along.T], axis=1)

    def _flow_slopes(self, strengths: FloatArray) -> FloatArray:
        """dt/dr of every pair, (P,)."""
        of_pairs = strengths[self._first[:, None], self._channels]
        return np.asarray(np.einsum("pn,pn->p", self._slopes, of_pairs))

    def _scatter(self, flows: FloatArray) -> FloatArray:
        """+t on the second atom, −t on the first."""
        arriving = np.bincount(self._second, flows, minlength=self.n_atoms)
        leaving = np.bincount(self._first, flows, minlength=self.n_atoms)
        return np.asarray(arriving - leaving)

    def _flows_to_charges(self, radial: FloatArray) -> scipy.sparse.csr_array:
        columns = self._first[:, None] * self.n_channels + self._channels
        arriving = np.broadcast_to(self._second[:, None], columns.shape)
        leaving = np.broadcast_to(self._first[:, None], columns.shape)
        rows = np.concatenate([arriving.ravel(), leaving.ravel()])
        entries = np.concatenate([radial.ravel(), -radial.ravel()])
        shape = (self.n_atoms, self.n_atoms * self.n_channels)
        both = np.concatenate([columns.ravel()] * 2)
        return scipy.sparse.csr_array((entries, (rows, both)), shape=shape)
