"""A⁰ and A¹ of every atom at one geometry, and their derivatives in r and v̂.

Notation G, X, D, C, w of :mod:`.density_tables`: A is a fixed linear combination of sums over the
pairs of an atom, and affine in v̂.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse

from scc.ace.density_tables import DensityTables
from scc.ace.unit_harmonics import unit_harmonics
from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.configuration.neighbours import neighbour_pairs


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
        angular, gradients = unit_harmonics(tables.l_max, units)
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

    def feature_vjp(
        self, cotangent: FloatArray, atoms: slice, pairs: slice
    ) -> tuple[FloatArray, FloatArray]:
        """⟨g_i, ∂A_i/∂v̂⟩ of consecutive atoms i, for g (n_marked, n), not summed over i: of their
        pairs (P', F), see :meth:`pairs_of`, and of i itself (n, F)."""
        tables = self.tables
        raw = np.ascontiguousarray((tables.feature_mixing.T @ cotangent).T)
        products, centre = np.split(raw, (tables.n_products,), axis=1)
        slots = slice(atoms.start * tables.n_species, atoms.stop * tables.n_species)
        carried = np.swapaxes(self._carried[slots], 1, 2)
        of_pairs = self._layout.unpad(carried @ self._blocks(products), pairs, slots.start)
        own = np.array(centre)
        if tables.n_features:
            first = self.first[pairs] - atoms.start
            own[:, 0] -= self._scalar_shift(of_pairs, centre, first)
        return of_pairs, own

    def pairs_of(self, atoms: slice) -> slice:
        """The pairs of consecutive atoms: pairs are sorted by their first one."""
        start, stop = np.searchsorted(self.first, (atoms.start, atoms.stop))
        return slice(int(start), int(stop))

    def position_slopes(self, features: FloatArray, atoms: IntArray) -> FloatArray:
        """∂A_i/∂r of some atoms i, (k, n_components, M, 3). For small systems."""
        tables = self.tables
        pairs, to_second, to_first = self._scatter(atoms)
        slopes = self._pair_slopes(pairs)
        weights = self.pair_features(features)[pairs]
        carried = slopes[:, tables.carrying, None, :] * weights[:, None, :, None]
        raw = np.zeros((tables.mixing.shape[1], len(pairs), 3))
        species, each = self.slot[pairs] % tables.n_species, np.arange(len(pairs))
        sums = raw[: tables.n_sums].reshape(tables.n_species, tables.n_columns, len(pairs), 3)
        sums[species, :, each] = slopes
        products = raw[tables.n_sums : tables.n_sums + tables.n_products].reshape(
            tables.n_species, len(tables.carrying) * tables.n_features, len(pairs), 3
        )
        products[species, :, each] = carried.reshape(len(pairs), products.shape[1], 3)
        number = tables.mixing.shape[0]
        mixed = tables.mixing @ raw.reshape(len(raw), 3 * len(pairs))
        mixed = mixed.reshape(number, len(pairs), 3)
        mixed = np.moveaxis(mixed, 1, 0).reshape(len(pairs), 3 * number)
        result = ((to_second - to_first) @ mixed).reshape(len(atoms), self.n_atoms, number, 3)
        return np.ascontiguousarray(np.swapaxes(result, 1, 2))

    def feature_slopes(self, atoms: IntArray) -> FloatArray:
        """∂A_i/∂v̂ of some atoms i, A¹ only: (k, n_marked, M, F). For small systems."""
        tables = self.tables
        number, marked = tables.n_features, len(tables.marked)
        pairs, to_second, to_first = self._scatter(atoms)
        carried = np.zeros((len(pairs), tables.n_species, len(tables.carrying)))
        carried[np.arange(len(pairs)), self.slot[pairs] % tables.n_species] = self.values[pairs][
            :, tables.carrying
        ]
        changed = (
            tables.pair_mixing @ carried.reshape(len(pairs), tables.pair_mixing.shape[1]).T
        ).T
        result = (to_second @ changed).reshape(len(atoms), self.n_atoms, marked, number)
        own = tables.feature_mixing[:, tables.n_products :].toarray()
        result[np.arange(len(atoms)), atoms] += own
        if number:
            scalars = tables.scalars
            shift = changed.reshape(len(pairs), marked, number)[:, :, scalars].sum(axis=2)
            shift = (to_first @ shift).reshape(len(atoms), self.n_atoms, marked)
            result[:, :, :, 0] -= shift
            result[np.arange(len(atoms)), atoms, :, 0] -= own[:, scalars].sum(axis=1)
        return np.ascontiguousarray(np.swapaxes(result, 1, 2))

    def _scatter(
        self, atoms: IntArray
    ) -> tuple[IntArray, scipy.sparse.csr_array, scipy.sparse.csr_array]:
        """The pairs (i, j) of some atoms i, and 0/1 matrices (k·M, P') to (i, j) and to (i, i)."""
        place = np.full(self.n_atoms, -1)
        place[atoms] = np.arange(len(atoms))
        pairs = np.flatnonzero(place[self.first] >= 0)
        shape = (len(atoms) * self.n_atoms, len(pairs))
        start, each = place[self.first[pairs]] * self.n_atoms, np.arange(len(pairs))
        second, first = (
            scipy.sparse.csr_array((np.ones(len(pairs)), (start + who[pairs], each)), shape=shape)
            for who in (self.second, self.first)
        )
        return pairs, second, first

    def _pair_slopes(self, pairs: IntArray) -> FloatArray:
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
            result[:, 0] -= self._scalar_shift(pairs, centre, self.first)
        return result

    def _scalar_shift(self, pairs: FloatArray, centre: FloatArray, first: IntArray) -> FloatArray:
        """What is subtracted with v̂_i,100: all λ = 0 of the centre and of its pairs, (n,)."""
        scalars = self.tables.scalars
        shift = np.bincount(first, pairs[:, scalars].sum(axis=1), minlength=len(centre))
        return np.asarray(shift + centre[:, scalars].sum(axis=1))

    def _products(self, carried: FloatArray, pair_features: FloatArray) -> FloatArray:
        """D, (n_products, M)."""
        products = carried @ self._layout.pad(pair_features)
        return products.reshape(self.n_atoms, self.tables.n_products).T

    def _blocks(self, products: FloatArray) -> FloatArray:
        """(n, n_products) → (n·n_species, columns with features, F)."""
        shape = (len(self.tables.carrying), self.tables.n_features)
        return products.reshape(len(products) * self.tables.n_species, *shape)

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

    def unpad(
        self, values: FloatArray, pairs: slice = slice(None), first_slot: int = 0
    ) -> FloatArray:
        """(slots, longest, n) → (P, n); or of some pairs, whose slots begin at ``first_slot``."""
        return np.asarray(values[self._slot[pairs] - first_slot, self._place[pairs]])


def _add_at(index: IntArray, values: FloatArray, number: int) -> FloatArray:
    """Σ over rows of the same index, (number, n)."""
    result = np.zeros((number, values.shape[1]))
    np.add.at(result, index, values)
    return result
