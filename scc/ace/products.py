r"""Symmetrised, coupled products of the one-body objects: the functions of a basis as polynomials.

    B_αM = Σ_{m…} U_{m₁…m_νM} A_{c₁m₁} … A_{c_νm_ν},        c₁ ≤ … ≤ c_ν channels,

with U of :func:`.coupling.coupling`, symmetric where channels are equal. All components of all
channels of an atom form one vector A; every B is a sparse combination of monomials in it, and the
derivative with respect to A a sparse matrix. As polynomials in A the B are linearly independent:
different channels have no monomial in common, and couplings of the same ones are orthogonal.

"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse

from scc.ace.channels import Channels, channels_of
from scc.ace.coupling import coupling
from scc.ace.monomials import Monomials
from scc.ace.specification import BasisSpecification
from scc.arrays import FloatArray, IntArray

_SLACK = 1e-9  # degrees are sums of decimal weights


@dataclass(frozen=True, eq=False)
class FunctionList:
    """The functions of one output L: channels of each (padded with −1), (n_L, ν_max); number q of
    the coupling; order; degree in v̂; total degree. Sorted by order first."""

    channels: IntArray
    coupling: IntArray
    order: IntArray
    feature_degree: IntArray
    degree: FloatArray


class Products:
    """Tables of all functions of a specification.

    Attributes
    ----------
    channels: those that are a factor of some function.
    functions: {L: FunctionList}.
    monomials: all products of components that occur.
    combination: {L: sparse ((2L+1)·n_L, n_monomials)}, row M·n_L + α.
    """

    def __init__(self, specification: BasisSpecification) -> None:
        self.order = specification.order
        candidates = channels_of(specification)
        groups = [
            (group, _couplings(group[0], candidates, specification.l_out))
            for tuples in _channel_tuples(specification, candidates)
            for group in _groups(tuples, candidates)
        ]
        groups = [(group, found) for group, found in groups if any(found.values())]
        used = np.unique(np.concatenate([np.zeros(0, np.int64), *(g.ravel() for g, _ in groups)]))
        self.channels = channels = candidates.select(used)
        self.n_components = channels.n_components
        terms: dict[int, list[_Terms]] = {total: [] for total in specification.l_out}
        lists: dict[int, list[tuple[IntArray, int]]] = {total: [] for total in specification.l_out}
        for group, found in groups:
            renumbered = np.searchsorted(used, group)
            for total, tensors in found.items():
                for q, tensor in enumerate(tensors):
                    terms[total].append(_expand(renumbered, tensor, channels))
                    lists[total].append((renumbered, q))
        self.functions = {
            total: _function_list(found, channels, self.order) for total, found in lists.items()
        }
        self._assemble(terms)

    def _assemble(self, terms: dict[int, list[_Terms]]) -> None:
        """Number the different monomials, and collect the coefficients of each function."""
        base = self.n_components + 1
        powers = base ** np.arange(self.order, dtype=np.int64)
        keys = {
            total: [(term.components + 1) @ powers[: term.components.shape[1]] for term in found]
            for total, found in terms.items()
        }
        unique = _sorted_union([key for found in keys.values() for key in found])
        # Key Σ (component + 1) baseᵏ: a number of ν digits, so that orders follow each other.
        digits = unique[:, None] // powers % base - 1
        orders = np.sum(digits >= 0, axis=1)
        self.monomials = Monomials(
            [digits[orders == order, :order] for order in range(1, self.order + 1)],
            self.n_components,
            np.flatnonzero(np.repeat(self.channels.feature_degrees, 2 * self.channels.ranks + 1)),
        )
        self.combination = {
            total: _combination(found, keys[total], unique, 2 * total + 1)
            for total, found in terms.items()
        }

    def jacobian(self, total: int, components: FloatArray) -> scipy.sparse.csr_array:
        """∂B_αM/∂A of k atoms side by side, A (n_components, k).

        Sparse ((2L+1)·n_L, k·n_components), column a·n_components + component for atom a.
        """
        return self._filled(self._jacobian_tables[total, False], self.n_components, components)

    def marked_jacobian(self, total: int, components: FloatArray) -> scipy.sparse.csr_array:
        """Of the components that contain features only: ((2L+1)·n_L, k·n_marked)."""
        number = len(self.monomials.marked)
        return self._filled(self._jacobian_tables[total, True], number, components)

    def _filled(
        self, table: _JacobianTable, number: int, components: FloatArray
    ) -> scipy.sparse.csr_array:
        atoms = components.shape[1]
        values = np.concatenate([components, np.ones((1, atoms))])
        entries = np.repeat(table.entries[:, None], atoms, axis=1)
        for other in table.others:
            entries *= values[other]
        columns = table.columns[:, None] + number * np.arange(atoms)
        return scipy.sparse.csr_array(
            (entries.ravel(), columns.ravel(), atoms * table.starts),
            shape=(len(table.starts) - 1, atoms * number),
        )

    @cached_property
    def _jacobian_tables(self) -> dict[tuple[int, bool], _JacobianTable]:
        padding = [((0, 0), (0, self.order - order)) for order in range(1, self.order + 1)]
        padded = np.concatenate(
            [
                np.pad(part, pad, constant_values=self.n_components)
                for part, pad in zip(self.monomials.factors, padding, strict=True)
            ]
        )
        everything = np.append(np.arange(self.n_components), -1)
        place = np.full(self.n_components + 1, -1)
        place[self.monomials.marked] = np.arange(len(self.monomials.marked))
        return {
            (total, marked): _jacobian_table(matrix, padded, place if marked else everything)
            for total, matrix in self.combination.items()
            for marked in (False, True)
        }


@dataclass(frozen=True, eq=False)
class _Terms:
    """Coefficients of monomials in the functions of one group of channels and one coupling."""

    n_functions: int
    components: IntArray
    function: IntArray
    output: IntArray
    entries: FloatArray


@dataclass(frozen=True, eq=False)
class _JacobianTable:
    """The derivative in compressed rows: entry × the product of the others, (ν−1, entries)."""

    entries: FloatArray
    others: IntArray
    columns: IntArray
    starts: IntArray


def _channel_tuples(specification: BasisSpecification, channels: Channels) -> list[IntArray]:
    """For each order the tuples c₁ ≤ … ≤ c_ν within its limits, (n, ν)."""
    result = []
    number = len(channels.channels)
    for order in range(1, specification.order + 1):
        limits = np.array(
            [specification.degree.limit(order, d) for d in range(specification.feature_degree + 1)]
        )
        padded = np.append(limits, np.full(order, -np.inf))
        largest = np.maximum.accumulate(padded[::-1])[::-1]  # what more features could allow
        tuples = np.zeros((1, 0), dtype=np.int64)
        degree, features = np.zeros(1), np.zeros(1, dtype=np.int64)
        for k in range(order):
            last = tuples[:, -1] if k else np.zeros(1, dtype=np.int64)
            allowed = largest if k < order - 1 else padded
            new_features = features[:, None] + channels.feature_degrees
            new_degree = degree[:, None] + channels.degrees
            keep = (np.arange(number) >= last[:, None]) & (
                new_degree <= allowed[np.minimum(new_features, len(padded) - 1)] + _SLACK
            )
            row, column = np.nonzero(keep)
            tuples = np.concatenate([tuples[row], column[:, None]], axis=1)
            degree, features = new_degree[keep], new_features[keep]
        result.append(tuples)
    return result


def _groups(tuples: IntArray, channels: Channels) -> list[IntArray]:
    """Tuples with the same ranks and the same equal channels together."""
    if len(tuples) == 0:
        return []
    same = (np.diff(tuples, axis=1) == 0).astype(np.int64)
    kinds = np.concatenate([channels.ranks[tuples], same], axis=1)
    _, which = np.unique(kinds, axis=0, return_inverse=True)
    which = which.ravel()
    return [tuples[which == number] for number in range(int(which.max()) + 1)]


def _couplings(
    factors: IntArray, channels: Channels, outputs: tuple[int, ...]
) -> dict[int, tuple[FloatArray, ...]]:
    """The couplings of these channels to each L."""
    ranks = tuple(int(rank) for rank in channels.ranks[factors])
    equal = tuple(int(np.flatnonzero(factors == channel)[0]) for channel in factors)
    return {total: coupling(ranks, equal, total) for total in outputs}


def _expand(group: IntArray, tensor: FloatArray, channels: Channels) -> _Terms:
    """Σ_m U A…A for every tuple of a group: components sorted, so that A_a A_b is A_b A_a."""
    *magnetic, output = np.nonzero(tensor)
    entries = tensor[(*magnetic, output)]
    number, order = group.shape
    components = channels.offsets[group][:, None, :] + np.stack(magnetic, axis=1)[None, :, :]
    components = np.sort(components.reshape(-1, order), axis=1)
    return _Terms(
        number,
        components,
        np.repeat(np.arange(number), len(entries)),
        np.tile(output, number),
        np.tile(entries, number),
    )


def _sorted_union(keys: list[IntArray]) -> IntArray:
    return np.unique(np.concatenate(keys)) if keys else np.zeros(0, dtype=np.int64)


def _combination(
    terms: list[_Terms], keys: list[IntArray], unique: IntArray, outputs: int
) -> scipy.sparse.csr_array:
    """The functions of one L as combinations of monomials, rows M·n_L + α."""
    starts = np.cumsum([0] + [term.n_functions for term in terms])
    number = int(starts[-1])
    shape = (outputs * number, len(unique))
    if not terms:
        return scipy.sparse.csr_array(shape)
    rows = [
        term.output * number + start + term.function
        for term, start in zip(terms, starts[:-1], strict=True)
    ]
    entries = np.concatenate([term.entries for term in terms])
    columns = np.searchsorted(unique, np.concatenate(keys))
    return scipy.sparse.csr_array((entries, (np.concatenate(rows), columns)), shape=shape)


def _function_list(
    found: list[tuple[IntArray, int]], channels: Channels, width: int
) -> FunctionList:
    tuples = [
        np.concatenate([group, np.full((len(group), width - group.shape[1]), -1)], axis=1)
        for group, _ in found
    ]
    joined = np.concatenate([np.zeros((0, width), dtype=np.int64), *tuples])
    numbers = [np.full(len(group), q, dtype=np.int64) for group, q in found]
    inside = joined >= 0
    degrees = np.where(inside, np.append(channels.degrees, 0.0)[joined], 0.0)
    features = np.where(inside, np.append(channels.feature_degrees, 0)[joined], 0)
    return FunctionList(
        joined,
        np.concatenate([np.zeros(0, dtype=np.int64), *numbers]),
        inside.sum(axis=1),
        features.sum(axis=1),
        degrees.sum(axis=1),
    )


def _jacobian_table(
    matrix: scipy.sparse.csr_array, monomials: IntArray, place: IntArray
) -> _JacobianTable:
    """Differentiate each monomial by each of its factors (equal factors add up by themselves).

    ``place`` is the column of each component, −1 for components that are left out.
    """
    entries = matrix.tocoo()
    order = monomials.shape[1]
    rows, columns, others, values = [], [], [], []
    for k in range(order):
        column = place[monomials[entries.col, k]]
        inside = column >= 0
        rows.append(entries.row[inside])
        columns.append(column[inside])
        others.append(np.delete(monomials[entries.col[inside]], k, axis=1))
        values.append(entries.data[inside])
    row = np.concatenate(rows)
    sorted_by_row = np.argsort(row, kind="stable")
    counts = np.bincount(row, minlength=matrix.shape[0])
    return _JacobianTable(
        np.concatenate(values)[sorted_by_row],
        np.ascontiguousarray(np.concatenate(others)[sorted_by_row].T),
        np.concatenate(columns)[sorted_by_row],
        np.concatenate([[0], np.cumsum(counts)]),
    )
