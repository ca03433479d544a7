r"""A⁰ and A¹ of every atom at one geometry, and their derivatives in r and v̂.

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
from scc.arrays import FloatArray, IntArray
from scc.basis.polynomials import derivative_matrices, evaluate_monomials, monomial_count
from scc.basis.solid_harmonics import solid_harmonic_coefficients
from scc.configuration import Configuration
from scc.configuration.neighbours import neighbour_pairs


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


class BoundDensities:
    """G and its derivative at one geometry, and A as a linear map of features.

    Parameters
    ----------
    tables: of the basis.
    configuration: atoms.
    kind: number of each atom's species, (M,).
    cutoff: bohr.
    """

    def __init__(
        self, tables: DensityTables, configuration: Configuration, kind: IntArray, cutoff: float
    ) -> None:
        self.tables, self.n_atoms = tables, len(configuration)
        pairs = neighbour_pairs(configuration, cutoff)
        self.first, self.second = pairs.first, pairs.second
        self.slot = self.first * tables.n_species + kind[self.second]
        """Which X_i[Z] a pair adds to, i·n_species + Z."""
        radial, slopes = tables.radial(pairs.distance)
        units = pairs.displacement / pairs.distance[:, None]
        angular, gradients = _harmonics(tables.l_max, units)
        self._radial, self._slopes, self._units = radial, slopes, units
        self._angular = angular
        self._gradients = gradients / pairs.distance[:, None, None]
        self.values = self._join(radial, angular)
        """G, (P, n_columns)."""
        self._layout = _Padding(self.slot, self.n_atoms * tables.n_species)
        number = len(self.slot)
        gather = scipy.sparse.csr_array(
            (np.ones(number), (self.slot, np.arange(number))),
            shape=(self.n_atoms * tables.n_species, number),
        )
        self._gather = gather
        carried = self._layout.pad(self.values[:, tables.carrying])
        self._carried = np.ascontiguousarray(np.swapaxes(carried, 1, 2))
        """G of the columns with features, (M·n_species, columns, most pairs of a slot)."""
        sums = gather @ self.values
        self._sums = sums.reshape(self.n_atoms, tables.n_sums).T

    def pair_features(self, features: FloatArray) -> FloatArray:
        """w of every pair, (P, F)."""
        result = features[self.second]
        if self.tables.n_features:
            result[:, self.tables.scalars] -= features[self.first, :1]
        return np.asarray(result)

    def centre_features(self, features: FloatArray) -> FloatArray:
        """C, (M, F)."""
        result = np.array(features)
        if self.tables.n_features:
            result[:, self.tables.scalars] -= features[:, :1]
        return result

    def components(self, features: FloatArray) -> FloatArray:
        """A at v̂ (M, F): (n_components, M)."""
        return np.asarray(
            self.tables.mixing
            @ np.concatenate(
                [
                    self._sums,
                    self._products(self._carried, self.pair_features(features)),
                    self.centre_features(features).T,
                ]
            )
        )

    def feature_jvp(self, direction: FloatArray) -> FloatArray:
        """dA along dv̂ (M, F): A is affine in v̂, and dA zero in A⁰."""
        tables = self.tables
        products = self._products(self._carried, self.pair_features(direction))
        changed = np.concatenate([products, self.centre_features(direction).T])
        result = np.zeros((tables.mixing.shape[0], self.n_atoms))
        result[tables.marked] = tables.feature_mixing @ changed
        return result

    def position_jvp(self, features: FloatArray, displacement: FloatArray) -> FloatArray:
        """dA along dr (M, 3) at fixed v̂."""
        moved = displacement[self.second] - displacement[self.first]
        along = np.einsum("pa,pa->p", self._units, moved)
        turned = np.einsum("pya,pa->py", self._gradients, moved)
        change = self._join(self._slopes * along[:, None], self._angular)
        change += self._join(self._radial, turned)
        sums = (self._gather @ change).reshape(self.n_atoms, self.tables.n_sums).T
        padded = self._layout.pad(change[:, self.tables.carrying])
        products = self._products(np.swapaxes(padded, 1, 2), self.pair_features(features))
        centre = np.zeros((self.tables.n_features, self.n_atoms))
        return np.asarray(self.tables.mixing @ np.concatenate([sums, products, centre]))

    def vjp(self, features: FloatArray, cotangent: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(∂/∂r (M, 3), ∂/∂v̂ (M, F)) of ⟨g, A⟩ for g (n_components, M)."""
        sums, products, centre = self._split(cotangent)
        blocks = self._blocks(products)
        weights = sums.reshape(self.n_atoms * self.tables.n_species, self.tables.n_columns)[
            self.slot
        ]
        if self.tables.n_features and len(self.tables.carrying):
            padded = self._layout.pad(self.pair_features(features))
            carried = blocks @ np.swapaxes(padded, 1, 2)
            weights[:, self.tables.carrying] += self._layout.unpad(np.swapaxes(carried, 1, 2))
        change = self._layout.unpad(np.swapaxes(self._carried, 1, 2) @ blocks)
        forces = self._pair_vjp(weights)
        positions = _add_at(self.second, forces, self.n_atoms)
        positions -= _add_at(self.first, forces, self.n_atoms)
        return positions, self._features_vjp(change, centre)

    def feature_vjp(self, cotangent: FloatArray) -> tuple[FloatArray, FloatArray]:
        """⟨g_i, ∂A_i/∂v̂⟩ for g (n_marked, M), not summed over i: of its pairs (P, F), and of i
        itself (M, F)."""
        tables = self.tables
        raw = np.ascontiguousarray((tables.feature_mixing.T @ cotangent).T)
        products, centre = np.split(raw, (tables.n_products,), axis=1)
        pairs = self._layout.unpad(np.swapaxes(self._carried, 1, 2) @ self._blocks(products))
        own = np.array(centre)
        if tables.n_features:
            own[:, 0] -= self._scalar_shift(pairs, centre)
        return pairs, own

    def neighbours(self, atom: int) -> IntArray:
        """The pairs whose first atom this is."""
        return np.flatnonzero(self.first == atom)

    def atom_position_slopes(self, features: FloatArray, pairs: IntArray) -> FloatArray:
        """∂A_i/∂r_j for the pairs of one atom i, (n_components, P', 3)."""
        tables = self.tables
        slopes = self.pair_slopes(pairs)
        carried = (
            slopes[:, tables.carrying, None, :] * self.pair_features(features)[pairs, None, :, None]
        )
        raw = np.zeros((tables.mixing.shape[1], len(pairs), 3))
        species, each = self.slot[pairs] % tables.n_species, np.arange(len(pairs))
        sums = raw[: tables.n_sums].reshape(tables.n_species, tables.n_columns, len(pairs), 3)
        sums[species, :, each] = slopes
        products = raw[tables.n_sums : tables.n_sums + tables.n_products].reshape(
            tables.n_species, len(tables.carrying) * tables.n_features, len(pairs), 3
        )
        products[species, :, each] = carried.reshape(len(pairs), products.shape[1], 3)
        mixed = tables.mixing @ raw.reshape(len(raw), 3 * len(pairs))
        return np.asarray(mixed).reshape(tables.mixing.shape[0], len(pairs), 3)

    def atom_feature_slopes(self, pairs: IntArray) -> tuple[FloatArray, FloatArray]:
        """∂A_i/∂v̂_j for the pairs of one atom i, (n_marked, P', F); own (n_marked, F)."""
        tables = self.tables
        number = tables.n_features
        raw = np.zeros((tables.n_products, len(pairs), number))
        products = raw.reshape(tables.n_species, len(tables.carrying), number, len(pairs), number)
        species, each = self.slot[pairs] % tables.n_species, np.arange(len(pairs))
        carried = self.values[pairs][:, tables.carrying]
        for c in range(number):
            products[species, :, c, each, c] = carried
        own = tables.feature_mixing[:, tables.n_products :].toarray()
        of_products = tables.feature_mixing[:, : tables.n_products]
        changed = np.asarray(of_products @ raw.reshape(len(raw), len(pairs) * number))
        changed = changed.reshape(len(own), len(pairs), number)
        if number:
            scalars = tables.scalars
            own[:, 0] -= own[:, scalars].sum(axis=1) + changed[:, :, scalars].sum(axis=(1, 2))
        return changed, own

    def pair_slopes(self, pairs: IntArray) -> FloatArray:
        """∂G/∂r_j of some pairs, (P', n_columns, 3)."""
        radial = np.einsum("pn,pa->pna", self._slopes[pairs], self._units[pairs])
        result = np.empty((len(pairs), self.tables.n_columns, 3))
        for (n, l), start in self.tables.columns.items():  # noqa: E741
            rows, these = slice(start, start + 2 * l + 1), slice(l * l, (l + 1) ** 2)
            result[:, rows] = (
                self._angular[pairs, these, None] * radial[:, n, None, :]
                + self._gradients[pairs, these] * self._radial[pairs, n, None, None]
            )
        return result

    def _pair_vjp(self, weights: FloatArray) -> FloatArray:
        """Σ_g t_pg ∂G_pg/∂r_j, (P, 3)."""
        radial = np.zeros_like(self._radial)
        angular = np.zeros_like(self._angular)
        for (n, l), start in self.tables.columns.items():  # noqa: E741
            rows, these = slice(start, start + 2 * l + 1), slice(l * l, (l + 1) ** 2)
            radial[:, n] += np.einsum("pm,pm->p", weights[:, rows], self._angular[:, these])
            angular[:, these] += weights[:, rows] * self._radial[:, n, None]
        along = np.einsum("pn,pn->p", radial, self._slopes)
        return np.asarray(
            along[:, None] * self._units + np.einsum("py,pya->pa", angular, self._gradients)
        )

    def _features_vjp(self, pairs: FloatArray, centre: FloatArray) -> FloatArray:
        """∂/∂v̂ from ∂/∂w (P, F) and ∂/∂C (M, F)."""
        result = _add_at(self.second, pairs, self.n_atoms) + centre
        if self.tables.n_features:
            result[:, 0] -= self._scalar_shift(pairs, centre)
        return result

    def _scalar_shift(self, pairs: FloatArray, centre: FloatArray) -> FloatArray:
        """What is subtracted with v̂_i,100: all λ = 0 of the centre and of its pairs, (M,)."""
        scalars = self.tables.scalars
        shift = np.bincount(self.first, pairs[:, scalars].sum(axis=1), minlength=self.n_atoms)
        return np.asarray(shift + centre[:, scalars].sum(axis=1))

    def _products(self, carried: FloatArray, pair_features: FloatArray) -> FloatArray:
        """D, (n_products, M)."""
        products = carried @ self._layout.pad(pair_features)
        return products.reshape(self.n_atoms, self.tables.n_products).T

    def _blocks(self, products: FloatArray) -> FloatArray:
        """(M, n_products) → (M·n_species, columns with features, F)."""
        shape = (len(self.tables.carrying), self.tables.n_features)
        return products.reshape(self.n_atoms * self.tables.n_species, *shape)

    def _split(self, cotangent: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Cotangents of X, D, C, each with atoms first."""
        raw = np.ascontiguousarray((self.tables.mixing.T @ cotangent).T)
        ends = (self.tables.n_sums, self.tables.n_sums + self.tables.n_products)
        sums, products, centre = np.split(raw, ends, axis=1)
        return sums, products, centre

    def _join(self, radial: FloatArray, angular: FloatArray) -> FloatArray:
        """radial_n · angular_lm for every (n, l) there is, (P, n_columns)."""
        result = np.empty((len(radial), self.tables.n_columns))
        for (n, l), start in self.tables.columns.items():  # noqa: E741
            result[:, start : start + 2 * l + 1] = (
                radial[:, n, None] * angular[:, l * l : (l + 1) ** 2]
            )
        return result


class _Padding:
    """Pairs sorted into slots of equal length, zeros behind the last of each."""

    def __init__(self, slot: IntArray, number: int) -> None:
        counts = np.bincount(slot, minlength=number)
        starts = np.cumsum(counts) - counts
        order = np.argsort(slot, kind="stable")
        place = np.empty(len(slot), dtype=np.int64)
        place[order] = np.arange(len(slot)) - starts[slot[order]]
        self._slot, self._place = slot, place
        self._shape = (number, int(counts.max(initial=0)))

    def pad(self, values: FloatArray) -> FloatArray:
        """(P, n) → (slots, longest, n)."""
        result = np.zeros((*self._shape, values.shape[1]))
        result[self._slot, self._place] = values
        return result

    def unpad(self, values: FloatArray) -> FloatArray:
        """(slots, longest, n) → (P, n)."""
        return np.asarray(values[self._slot, self._place])


def _harmonics(largest: int, units: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Y_lm at unit vectors (P, 3), (P, (l+1)²), and r ∂Y_lm/∂r_a, (P, (l+1)², 3).

    Y_lm(r) = R_lm(r)/r^l, so r ∂Y/∂r_a = ∂R/∂r_a(r̂) − l R(r̂) r̂_a.
    """
    table = np.zeros(((largest + 1) ** 2, monomial_count(largest)))
    ranks = np.zeros((largest + 1) ** 2)
    for l in range(largest + 1):  # noqa: E741
        rows = slice(l * l, (l + 1) ** 2)
        table[rows, : monomial_count(l)] = solid_harmonic_coefficients(l)
        ranks[rows] = l
    monomials = evaluate_monomials(largest, units)
    values = (table @ monomials).T
    if largest == 0:
        return values, np.zeros((len(units), 1, 3))
    lowered = [table @ _lowering(largest, axis) @ monomials for axis in range(3)]
    gradients = np.stack(lowered, axis=-1).transpose(1, 0, 2)
    return values, gradients - (ranks * values)[:, :, None] * units[:, None, :]


def _lowering(order: int, axis: int) -> FloatArray:
    """∂/∂x_axis on polynomials of degree ≤ order, written as ones of the same degree."""
    return np.asarray(derivative_matrices(order)[axis][:, : monomial_count(order)])


def _add_at(index: IntArray, values: FloatArray, number: int) -> FloatArray:
    """Σ over rows of the same index, (number, n)."""
    result = np.zeros((number, values.shape[1]))
    np.add.at(result, index, values)
    return result
