r"""Every Cartesian derivative of a radial interaction as one sparse matrix over the listed pairs.

T_m[a, k] = ∂_X^m v(r_a − r_k) has the sign rule T_m → (−1)^{|m|} T_mᵀ when targets and sources are
exchanged, so a list that holds each pair once serves both directions, T_m = H_m + (−1)^{|m|} H'_mᵀ,
with H' = H unless the widths of targets and sources make the two directions differ. The potential
of Cartesian moments c_s is then ∂^t U = Σ_s (−1)^{|s|} T_{t+s} c_s.
"""

import itertools
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from scc.arrays import FloatArray, IntArray
from scc.basis.polynomials import monomial_count, monomial_exponents, sum_index
from scc.electrostatics.derivative_tensors import derivative_tensors
from scc.electrostatics.multipoles.kernels import RadialKernel
from scc.electrostatics.multipoles.moments import parities, raised_index
from scc.electrostatics.multipoles.pair_list import PairList
from scc.electrostatics.multipoles.short_ranged_kernel import short_ranged

_KEPT_BYTES = 1 << 28  # derivatives of all pairs are kept from one product to the next up to here,
_PASSING_BYTES = 1 << 25  # and else made anew in blocks of this size
_CHUNK = 1 << 14  # pairs made in one go: 128 kB an array, inside the cache


class _Block(NamedTuple):
    """Derivatives (n_m, p) of some consecutive rows of pairs, in either direction."""

    rows: slice
    pairs: slice
    ahead: FloatArray
    back: FloatArray


class PairDerivatives:
    """∂^m of v_w − v_W for all pairs of a list.

    Args:
        pairs: rows are images of targets, columns are sources.
        target_variances, source_variances: (N_t,), (N_s,); they add to w.
        kernel, smooth_variance: v and s, see :mod:`.short_ranged_kernel`.
    """

    def __init__(
        self,
        pairs: PairList,
        target_variances: FloatArray,
        source_variances: FloatArray,
        kernel: RadialKernel,
        smooth_variance: float,
    ) -> None:
        self._pairs, self._kernel, self._smooth_variance = pairs, kernel, smooth_variance
        self._targets = len(target_variances)
        row, column = pairs.row_target, pairs.column_source
        self._ahead = (_uniform(target_variances[row]), _uniform(source_variances[column]))
        self._back = self._ahead
        # w_ak = w_ka for all pairs if and only if σ_a² − σ_k² is one number over all own sites
        if pairs.half and len(pairs) > 0 and np.ptp(target_variances - source_variances) > 0.0:
            self._back = (_uniform(source_variances[row]), _uniform(target_variances[column]))
        rows = np.arange(len(row), dtype=np.int32)
        self._fold = csr_matrix((np.ones(len(row)), (row, rows)), shape=(self._targets, len(row)))
        self._kept: tuple[int, _Block] | None = None

    def contract(
        self, moments: FloatArray, source_order: int, target_order: int, exchanged: bool
    ) -> FloatArray:
        """∂^t U, (N_t, n(target_order)), of moments (N_s, n(source_order)).

        ``exchanged``: what the list calls sources are the targets.
        """
        signed = np.ascontiguousarray((moments * parities(source_order)).T)
        pairs = self._pairs
        ahead = pairs.half or not exchanged
        back = pairs.half or exchanged
        number = monomial_count(target_order)
        in_columns = signed[:, pairs.column_source] if ahead else None
        in_rows = signed[:, pairs.row_target] if back else None
        of_rows = np.zeros((number, len(pairs.row_target)))
        of_columns = np.zeros((number, len(pairs.column_source)))
        order = source_order + target_order
        terms = _terms(target_order, source_order)
        for block in self._blocks(order):
            forward, backward = block.ahead, block.back
            if exchanged:
                forward, backward = backward, forward
            start = pairs.row_start[block.rows.start : block.rows.stop + 1]
            start = start - start[0]
            shape = (len(start) - 1, len(pairs.column_source))
            column = pairs.column[block.pairs]
            to_rows = csr_matrix((forward[0], column, start), shape=shape)
            to_columns = csc_matrix((backward[0], column, start), shape=shape[::-1])
            for m, (degree, t, s) in enumerate(terms):
                if in_columns is not None:
                    to_rows.data = forward[m]
                    of_rows[t, block.rows] += _product(to_rows, in_columns[s])
                if in_rows is not None:
                    to_columns.data = backward[m]
                    product = _product(to_columns, in_rows[s, block.rows])
                    of_columns[t] += product if degree % 2 == 0 else -product
        return self._gathered(of_rows, of_columns, ahead, back)

    def strain(
        self, left: FloatArray, left_order: int, right: FloatArray, right_order: int
    ) -> FloatArray:
        """Σ_pairs X_j ∂_{X_i} Σ_ts left_t (−1)^{|s|} ∂^{t+s} v right_s, (3, 3), for moments of
        targets (N_t, n) and sources (N_s, n)."""
        pairs = self._pairs
        right = right * parities(right_order)
        order = left_order + right_order
        sign, raised = parities(order), raised_index(order)
        result = np.zeros((3, 3))
        for block in self._blocks(order + 1):
            row_of_pair = pairs.rows(block.rows.start, block.rows.stop)
            for first in range(0, len(row_of_pair), _CHUNK):
                part = slice(first, min(first + _CHUNK, len(row_of_pair)))
                here = slice(block.pairs.start + part.start, block.pairs.start + part.stop)
                row = pairs.row_target[row_of_pair[part]]
                column = pairs.column_source[pairs.column[here]]
                weight = _weights(left[row], left_order, right[column], right_order)
                push = _raised_sum(weight, raised, block.ahead[:, part])
                if pairs.half:  # X and one more derivative change sign together
                    weight = _weights(left[column], left_order, right[row], right_order)
                    push += _raised_sum(sign[:, None] * weight, raised, block.back[:, part])
                result += push @ pairs.separation[:, here].T
        return result

    def _gathered(
        self, of_rows: FloatArray, of_columns: FloatArray, ahead: bool, back: bool
    ) -> FloatArray:
        """Sums at the sites, (N, n), from those over rows and columns of the list."""
        if not back:
            return np.asarray(self._fold @ of_rows.T)
        result = np.empty((of_columns.shape[1], len(of_columns)))
        result[self._pairs.column_source] = of_columns.T
        if ahead:
            result += self._fold @ of_rows.T
        return result

    def _blocks(self, order: int) -> Iterator[_Block]:
        if self._kept is not None and self._kept[0] >= order:
            yield self._kept[1]
            return
        pairs = self._pairs
        rows = len(pairs.row_target)
        pair_bytes = 8 * monomial_count(order) * (1 if self._back is self._ahead else 2)
        if pair_bytes * len(pairs) <= _KEPT_BYTES:
            self._kept = None  # the old one goes before the new one comes
            self._kept = (order, self._made(order, slice(0, rows)))
            yield self._kept[1]
            return
        share = pairs.row_start[:-1].astype(np.int64) * pair_bytes // _PASSING_BYTES
        cuts = [0, *(np.flatnonzero(np.diff(share)) + 1).tolist(), rows]
        for a, b in itertools.pairwise(cuts):
            yield self._made(order, slice(a, b))

    def _made(self, order: int, rows: slice) -> _Block:
        pairs = self._pairs
        span = slice(int(pairs.row_start[rows.start]), int(pairs.row_start[rows.stop]))
        shape = (monomial_count(order), span.stop - span.start)
        ahead = np.empty(shape)
        back = ahead if self._back is self._ahead else np.empty(shape)
        row = None
        if any(v.ndim for v in (*self._ahead, *self._back)):
            row = pairs.rows(rows.start, rows.stop)
        for first in range(span.start, span.stop, _CHUNK):
            chunk = slice(first, min(first + _CHUNK, span.stop))
            local = slice(chunk.start - span.start, chunk.stop - span.start)
            squared = pairs.squared[chunk]
            separation = pairs.separation[:, chunk].T
            for result, (of_row, of_column) in ((ahead, self._ahead), (back, self._back)):
                variance = _of_pairs(of_row, row, local) + _of_pairs(of_column, pairs.column, chunk)
                radial = short_ranged(self._kernel, order, variance, self._smooth_variance, squared)
                result[:, local] = derivative_tensors(radial, separation)
                if back is ahead:
                    break
        return _Block(rows, span, ahead, back)


def _uniform(variances: FloatArray) -> FloatArray:
    """Shape () if all are the same."""
    if len(variances) > 0 and np.all(variances == variances[0]):
        return np.asarray(variances[0])
    return variances


def _of_pairs(variances: FloatArray, index: IntArray | None, chunk: slice) -> FloatArray:
    if variances.ndim == 0 or index is None:
        return variances
    return variances[index[chunk]]


def _product(matrix: csr_matrix, vectors: FloatArray) -> FloatArray:
    """Matrix times each of (k, n): (k, rows)."""
    if len(vectors) == 1:
        return np.asarray(matrix @ vectors[0])[None]
    return np.asarray(matrix @ np.ascontiguousarray(vectors.T)).T


@cache
def _terms(target_order: int, source_order: int) -> list[tuple[int, IntArray, IntArray]]:
    """For each monomial m: |m| and all (t, s) with t + s = m."""
    index = sum_index(target_order, source_order)
    degrees = monomial_exponents(target_order + source_order).sum(axis=1)
    terms = []
    for m, degree in enumerate(degrees):
        t, s = np.nonzero(index == m)
        terms.append((int(degree), t, s))
    return terms


def _weights(left: FloatArray, left_order: int, right: FloatArray, right_order: int) -> FloatArray:
    """Σ_{t+s=m} left_t right_s for each pair: (n_m, P)."""
    index = sum_index(left_order, right_order)
    left, right = np.ascontiguousarray(left.T), np.ascontiguousarray(right.T)
    result = np.zeros((monomial_count(left_order + right_order), left.shape[1]))
    for t, row in enumerate(index):
        for s, m in enumerate(row):
            result[m] += left[t] * right[s]
    return result


def _raised_sum(weight: FloatArray, raised: IntArray, derivatives: FloatArray) -> FloatArray:
    """Σ_m weight_m ∂^{m+e_i} for each pair: (3, P)."""
    result = np.zeros((3, weight.shape[1]))
    for push, indices in zip(result, raised, strict=True):
        for factor, index in zip(weight, indices, strict=True):
            push += factor * derivatives[index]
    return result
