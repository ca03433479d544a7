r"""Sums of monomials in the components of A, for many atoms at once, and their derivatives.

    out_r(i) = Σ_t W_tr Π_k A_{t_k}(i)

Components come first and atoms last, (n_components, M), so that a gather of components copies rows;
atoms are taken in portions small enough for the intermediates to stay in the processor's cache.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import scipy.sparse

from scc.arrays import FloatArray, IntArray

_PORTION = 1 << 17  # numbers of one intermediate: 1 MB


class Monomials:
    """A list of monomials, sorted by order.

    Parameters
    ----------
    factors: for each order ν = 1, 2, … the components in each monomial, (n, ν).
    n_components: of A.
    marked: components whose derivatives :meth:`marked_gradient` takes, sorted.
    """

    def __init__(self, factors: Sequence[IntArray], n_components: int, marked: IntArray) -> None:
        self.factors, self.n_components, self.marked = tuple(factors), n_components, marked
        ends = np.cumsum([0] + [len(part) for part in factors])
        self._parts = [slice(a, b) for a, b in itertools.pairwise(ends)]
        self.number = int(ends[-1])

    def evaluate(self, components: FloatArray) -> FloatArray:
        """All monomials, (n, M)."""
        result = np.empty((self.number, components.shape[1]))
        for where, part in zip(self._parts, self.factors, strict=True):
            _product(components, part.T, result[where])
        return result

    def contract(self, weights: FloatArray, components: FloatArray) -> FloatArray:
        """out (n_out, M), W (n, n_out)."""
        result = np.empty((weights.shape[1], components.shape[1]))
        for atoms in self._portions(components):
            result[:, atoms] = weights.T @ self.evaluate(components[:, atoms])
        return result

    def contract_jvp(
        self, weights: FloatArray, components: FloatArray, change: FloatArray
    ) -> FloatArray:
        """d out (n_out, M) along dA (n_components, M)."""
        result = np.empty((weights.shape[1], components.shape[1]))
        for atoms in self._portions(components):
            values, changes = components[:, atoms], change[:, atoms]
            total = np.zeros((self.number, values.shape[1]))
            for where, part in zip(self._parts, self.factors, strict=True):
                for k, others in _each(part):
                    total[where] += _product(values, others) * changes[part[:, k]]
            result[:, atoms] = weights.T @ total
        return result

    def contract_vjp(
        self, weights: FloatArray, components: FloatArray, cotangent: FloatArray
    ) -> FloatArray:
        """∂⟨w, out⟩/∂A (n_components, M) for w (n_out, M)."""
        result = np.zeros_like(components)
        for atoms in self._portions(components):
            values = components[:, atoms]
            pulled = weights @ cotangent[:, atoms]
            for where, part, places in zip(
                self._parts, self.factors, self._placements, strict=True
            ):
                for (_, others), place in zip(_each(part), places, strict=True):
                    result[:, atoms] += place @ (_product(values, others) * pulled[where])
        return result

    def marked_weights(self, weights: FloatArray) -> list[scipy.sparse.csr_array]:
        """W (n, n_out) as :meth:`marked_gradient` takes it: for each order and factor the matrix
        (n_out n_marked, n') from products of the other factors."""
        number, n_out = len(self.marked), weights.shape[1]
        mixed = []
        for which, starts, _ in self._marked_factors:
            count = len(which)
            pointers = (starts[:-1] + count * np.arange(n_out)[:, None]).ravel()
            entries = weights[which].T.ravel(), np.tile(np.arange(count), n_out)
            mixed.append(
                scipy.sparse.csr_array(
                    (*entries, np.append(pointers, n_out * count)), shape=(n_out * number, count)
                )
            )
        return mixed

    def marked_gradient(
        self, weights: Sequence[scipy.sparse.csr_array], components: FloatArray
    ) -> FloatArray:
        """∂out_r/∂A for the marked components, not summed over r: (n_out, n_marked, M), with W as
        :meth:`marked_weights` makes it. There must be marked ones."""
        number = len(self.marked)
        n_out = weights[0].shape[0] // number
        result = np.empty((n_out, number, components.shape[1]))
        for atoms in self._portions(components):
            total = np.zeros((n_out * number, components[:, atoms].shape[1]))
            for matrix, (_, _, others) in zip(weights, self._marked_factors, strict=True):
                total += matrix @ _product(components[:, atoms], others)
            result[:, :, atoms] = total.reshape(n_out, number, total.shape[1])
        return result

    def _portions(self, components: FloatArray) -> Iterator[slice]:
        length = max(8, _PORTION // max(self.number, 1))
        for start in range(0, components.shape[1], length):
            yield slice(start, start + length)

    @cached_property
    def _placements(self) -> list[list[scipy.sparse.csr_array]]:
        """For each order and factor the 0/1 matrix (n_components, n) that adds up by it."""
        return [
            [
                scipy.sparse.csr_array(
                    (np.ones(len(part)), (part[:, k], np.arange(len(part)))),
                    shape=(self.n_components, len(part)),
                )
                for k in range(part.shape[1])
            ]
            for part in self.factors
        ]

    @cached_property
    def _marked_factors(self) -> list[tuple[IntArray, IntArray, IntArray]]:
        """By order and k: monomials whose factor k is marked, sorted by which it is; where each
        marked one starts among them, (n_marked + 1,); the other factors."""
        place = np.full(self.n_components, -1)
        place[self.marked] = np.arange(len(self.marked))
        result = []
        for where, part in zip(self._parts, self.factors, strict=True):
            for k, others in _each(part):
                places = place[part[:, k]]
                which = np.argsort(places, kind="stable")
                which = which[np.count_nonzero(places < 0) :]
                starts = np.searchsorted(places[which], np.arange(len(self.marked) + 1))
                result.append((where.start + which, starts, others[:, which]))
        return result


def _each(part: IntArray) -> Iterator[tuple[int, IntArray]]:
    """Every factor k with the others, (ν−1, n)."""
    for k in range(part.shape[1]):
        yield k, np.delete(part, k, axis=1).T


def _product(
    components: FloatArray, factors: IntArray, out: FloatArray | None = None
) -> FloatArray:
    """Π_k A_{t_k}, (n, M), for factors (number, n)."""
    if out is None:
        out = np.empty((factors.shape[1], components.shape[1]))
    if len(factors) == 0:
        out[:] = 1.0
        return out
    np.take(components, factors[0], axis=0, out=out, mode="clip")
    for factor in factors[1:]:
        out *= components[factor]
    return out
