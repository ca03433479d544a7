r"""Which sums over neighbours a basis needs, and how they make up the one-body objects A.

With g = (n, l, m) and G_pg = R_n(r_p) Y_lm(r̂_p) for the pair p = (i, j), every component of A is a
fixed linear combination (species, Clebsch–Gordan) of

    X_i[Z,g]   = Σ_{p: Z_j=Z} G_pg
    D_i[Z,g,c] = Σ_{p: Z_j=Z} G_pg w_pc,     w_pc = v̂_jc − [λ=0] v̂_i,100
    C_i[c]     = v̂_ic − [λ=0] v̂_i,100.

G depends on the geometry alone. Y_lm is the real solid harmonic in Racah normalisation at r̂.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse

from scc.ace.channels import CENTRE, NEIGHBOURS, Channel, Channels
from scc.ace.coupling import clebsch_gordan
from scc.ace.radial import RadialBasis
from scc.ace.specification import BasisSpecification


class DensityTables:
    """Which raw sums there are, and the matrix from them to the components of A.

    Attributes
    ----------
    radial, l_max: R_n and the largest l.
    columns: where G_p,(n,l,·) starts for each (n, l).
    carrying: the columns of G that come with features.
    mixing: sparse (n_components, n_raw); raw sums of an atom are X, D and C one after the other.
    marked: the components that contain features, A¹.
    feature_mixing: the part of ``mixing`` from D and C to those.
    pair_mixing: from G of a pair to the slopes of those with w, (n_marked·F, n_species·carrying).
    """

    def __init__(self, specification: BasisSpecification, channels: Channels) -> None:
        self.n_species = len(specification.species)
        self.n_features = specification.features.n_features
        self.components_per_width = specification.features.n_components
        everywhere = [c for c in channels.channels if c.kind != CENTRE]
        with_features = [c for c in everywhere if c.kind != NEIGHBOURS]
        self.l_max = max((c.l for c in everywhere), default=0)
        number = max((c.n for c in everywhere), default=0) + 1
        self.radial = RadialBasis(specification.cutoff, number)
        self.shells = sorted({(c.l, c.n) for c in everywhere})
        self.columns: dict[tuple[int, int], int] = {}
        self.n_columns = 0
        for l, n in self.shells:  # noqa: E741
            self.columns[n, l] = self.n_columns
            self.n_columns += 2 * l + 1
        self.carrying = np.array(
            [
                self.columns[n, l] + m
                for l, n in sorted({(c.l, c.n) for c in with_features})  # noqa: E741
                for m in range(2 * l + 1)
            ],
            dtype=np.int64,
        )
        # Features that are differences: λ = 0 of every width.
        self.scalars = np.array(
            [start for _, rank, start in specification.features.shells() if rank == 0],
            dtype=np.int64,
        )
        self.n_sums = self.n_species * self.n_columns
        self.n_products = self.n_species * len(self.carrying) * self.n_features
        self.mixing = self._mixing(channels)
        self.marked = np.flatnonzero(np.repeat(channels.feature_degrees, 2 * channels.ranks + 1))
        self.feature_mixing = self.mixing[self.marked][:, self.n_sums :]
        self.pair_mixing = self._pair_mixing()

    def _pair_mixing(self) -> scipy.sparse.csr_array:
        products = self.feature_mixing[:, : self.n_products].tocoo()
        shape = (len(self.marked) * self.n_features, self.n_species * len(self.carrying))
        number = max(self.n_features, 1)
        rows = products.row * number + products.col % number
        return scipy.sparse.csr_array((products.data, (rows, products.col // number)), shape=shape)

    def _mixing(self, channels: Channels) -> scipy.sparse.csr_array:
        rows, columns, entries = [], [], []
        place = {int(column): index for index, column in enumerate(self.carrying)}
        for channel, offset in zip(channels.channels, channels.offsets, strict=True):
            for row, column, entry in self._entries(channel, place):
                rows.append(int(offset) + row)
                columns.append(column)
                entries.append(entry)
        shape = (channels.n_components, self.n_sums + self.n_products + self.n_features)
        return scipy.sparse.csr_array((entries, (rows, columns)), shape=shape)

    def _entries(self, channel: Channel, place: dict[int, int]) -> list[tuple[int, int, float]]:
        """(component, raw sum, coefficient) of one channel."""
        if channel.kind == CENTRE:
            start = self.n_sums + self.n_products + self._feature(channel)
            return [(m, start + m, 1.0) for m in range(2 * channel.rank + 1)]
        column = self.columns[channel.n, channel.l]
        if channel.kind == NEIGHBOURS:
            start = channel.species * self.n_columns + column
            return [(m, start + m, 1.0) for m in range(2 * channel.rank + 1)]
        feature = self._feature(channel)
        table = clebsch_gordan(channel.l, channel.feature_rank, channel.rank)
        result = []
        for m1, m2, m in zip(*np.nonzero(table), strict=True):
            block = channel.species * len(self.carrying) + place[column + int(m1)]
            raw = self.n_sums + block * self.n_features + feature + int(m2)
            result.append((int(m), raw, float(table[m1, m2, m])))
        return result

    def _feature(self, channel: Channel) -> int:
        return channel.width * self.components_per_width + channel.feature_rank**2
