r"""Symmetric matrices of all pairs of an open cluster, and their derivatives, as products.

S_w (9 M, 9 M) is the interaction of multipoles λ ≤ 2 of joint variance w at M places. Atoms are
taken in groups; a pair of groups needs one matrix for both directions. There is no cut-off: results
are those of :class:`.direct_sum.DirectSum` to rounding.

Matrices are kept between applications (:mod:`.kept_triangles`) as long as all together need no more
than 3.5 GB (648 M² bytes for two: 1700 atoms with three widths), those of a single group as they
are; others are computed at each application. A gradient with respect to positions sums, pair by
pair, ⟨w_a, ∂S p_b⟩ and its mirror image as one polynomial in X: no derivative matrices are made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.kept_triangles import KeptTriangles, kept_bytes
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.pair_blocks import (
    COMPONENTS,
    PairGeometry,
    PairTerms,
    block_entries,
    coupling,
    pair_matrix,
    term_parities,
)

GROUP = 64  # atoms; arrays of one number a pair fit the cache, and python's overhead is small
KEPT_BYTES = 7 << 29
_KERNEL = CoulombKernel()


class Product(NamedTuple):
    """S of one layer times coefficients (M, 9), of which the first ``rows`` components are wanted.

    Transposed: coefficients (M, rows) of the first components, the others being 0.
    """

    layer: int
    rows: int
    coefficients: FloatArray


class PairSums:
    """S_w of several variances w (the *layers*) at positions (M, 3), bohr.

    Args:
        variances: w > 0, bohr².
        kept: layers whose matrices are worth keeping, the most used first.
        group: atoms in a group. most_bytes: of matrices that are kept. Only time depends on them.
    """

    def __init__(
        self,
        positions: FloatArray,
        variances: Sequence[float],
        kept: Sequence[int],
        group: int = GROUP,
        most_bytes: int = KEPT_BYTES,
    ) -> None:
        self._positions, self._variances = positions, tuple(variances)
        self._number = number = len(positions)
        edges = np.linspace(0, number, -(-number // group) + 1).astype(int)
        self._groups = [slice(int(a), int(b)) for a, b in pairwise(edges)]
        count = len(kept)
        while kept_bytes(number, count) > most_bytes:
            count -= 1
        self._keeping = {layer: place for place, layer in enumerate(kept[:count])}
        self._kept: KeptTriangles | None = None
        self._whole: dict[int, FloatArray] = {}

    def products(self, tasks: Sequence[Product], transposed: bool = False) -> list[FloatArray]:
        """Each task's S c: (M, rows), or (M, 9) if transposed."""
        components = [COMPONENTS if transposed else task.rows for task in tasks]
        results = [np.zeros((n, self._number)) for n in components]
        columns = [np.ascontiguousarray(task.coefficients.T) for task in tasks]
        others = []
        for task, c, total in zip(tasks, columns, results, strict=True):
            if len(self._groups) == 1 or task.layer not in self._keeping:
                others.append((task, c, total))
            else:
                full = np.zeros((COMPONENTS, self._number))
                full[: len(c)] = c
                found = self._triangles.product(self._keeping[task.layer], full)
                total += found[: len(total)]
        for one, other, matrices in self._matrices({task.layer for task, _, _ in others}):
            for task, c, total in others:
                _add_products(matrices[task.layer], one, other, task.rows, c, total, transposed)
        return [np.ascontiguousarray(total.T) for total in results]

    def moved(self, tasks: Sequence[Product], displacement: FloatArray) -> list[FloatArray]:
        """Σ_m dr_m·∂/∂r_m of :meth:`products` (not transposed), dr (M, 3)."""
        results = [np.zeros((task.rows, self._number)) for task in tasks]
        columns = [np.ascontiguousarray(task.coefficients.T) for task in tasks]
        for one, other, geometry in self._pairs() if tasks else ():
            shift = (displacement[one][:, None, :] - displacement[other]).transpose(2, 0, 1)
            gradients = np.einsum("iab,ikab->kab", shift, geometry.gradients())
            arms = np.einsum("iab,iab->ab", shift, geometry.separation)
            for task, c, total in zip(tasks, columns, results, strict=True):
                entries = pair_matrix(
                    self._terms(geometry, task.layer).directional(gradients, arms)
                )
                matrix = entries.reshape(COMPONENTS * entries.shape[1], -1)
                _add_products(matrix, one, other, task.rows, c, total, False)
        return [np.ascontiguousarray(total.T) for total in results]

    def gradient(self, weights: Mapping[int, FloatArray], p: FloatArray) -> FloatArray:
        """∂/∂r Σ_layers ⟨w, S p⟩, (M, 3), for p (M, 9) and w (M, 9) of each layer."""
        result = np.zeros((self._number, 3))
        g = coupling()
        # ⟨w_a, S_ab p_b⟩ = Σ_t t(X) w_a·(G_t p_b), its mirror image the same with p_a, ±G_tᵀ w_b.
        forward = g.reshape(-1, COMPONENTS)
        back = (g.transpose(0, 2, 1) * term_parities()[:, None, None]).reshape(-1, COMPONENTS)
        toward = (forward @ p.T).reshape(len(g), COMPONENTS, -1)
        right = {
            layer: np.concatenate([toward, (back @ w.T).reshape(toward.shape)], axis=1)
            for layer, w in weights.items()
        }
        left = {layer: np.concatenate([w, p], axis=1) for layer, w in weights.items()}
        for one, other, geometry in self._pairs() if weights else ():
            value, slope = np.zeros_like(geometry.harmonics), np.zeros_like(geometry.harmonics)
            # Within a group every ordered pair occurs, and one of its two directions is enough.
            half = 2 * COMPONENTS if one != other else COMPONENTS
            for layer in weights:
                coefficients = left[layer][one, :half] @ right[layer][:, :half, other]
                self._terms(geometry, layer).add_to(coefficients, value, slope)
            push = np.einsum("kab,ikab->iab", value, geometry.gradients())
            push += geometry.separation * np.einsum("kab,kab->ab", slope, geometry.harmonics)
            if one == other:
                own = np.arange(push.shape[1])  # nothing but the rounding of large terms
                push[:, own, own] = 0.0
            result[one] += push.sum(axis=2).T
            result[other] -= push.sum(axis=1).T
        return result

    def squares(self, layers: Sequence[int]) -> dict[int, FloatArray]:
        """S of some layers, dense, (M, 9, M, 9) each."""
        shape = (self._number, COMPONENTS, self._number, COMPONENTS)
        results = {layer: np.empty(shape) for layer in layers}
        for one, other, matrices in self._matrices(results):
            for layer, result in results.items():
                entries = matrices[layer].reshape(COMPONENTS, one.stop - one.start, COMPONENTS, -1)
                result[one, :, other] = entries.transpose(1, 0, 3, 2)
                if one != other:
                    result[other, :, one] = entries.transpose(3, 2, 1, 0)
        return results

    def jacobian(self, task: Product) -> FloatArray:
        """∂/∂r of one of :meth:`products`, dense: (M, rows, M, 3)."""
        number, rows, p = self._number, task.rows, task.coefficients
        result = np.zeros((number, rows, number, 3))
        for one, other, geometry in self._pairs():
            terms, gradients = self._terms(geometry, task.layer), geometry.gradients()
            for axis in range(3):
                entries = pair_matrix(terms.directional(gradients[axis], geometry.separation[axis]))
                push = np.einsum("AaBb,bB->aAb", entries[:rows], p[other])
                result[one, :, other, axis] -= push
                if one != other:
                    pull = np.einsum("AaBb,aA->bBa", entries[:, :, :rows], p[one])
                    result[other, :, one, axis] += pull
        atoms = np.arange(number)
        # A common displacement of target and source changes nothing.
        result[atoms, :, atoms] -= result.sum(axis=2)
        return result

    def _pairs(self) -> Iterator[tuple[slice, slice, PairGeometry]]:
        """All pairs of groups, each once."""
        for index, one in enumerate(self._groups):
            for other in self._groups[index:]:
                yield one, other, PairGeometry(self._positions[one], self._positions[other])

    @property
    def _triangles(self) -> KeptTriangles:
        """The matrices that are kept, made when one is first needed."""
        if self._kept is None:
            self._kept = KeptTriangles(self._number, len(self._keeping))
            for one, other, geometry in self._pairs():
                for layer, place in self._keeping.items():
                    terms = PairTerms(geometry, _KERNEL, self._variances[layer]).values()
                    self._kept.place(place, one, other, block_entries(terms))
        return self._kept

    def _matrices(
        self, layers: Collection[int]
    ) -> Iterator[tuple[slice, slice, dict[int, FloatArray]]]:
        """S of some layers between all pairs of groups, (9 n, 9 m), made here if not kept."""
        if len(self._groups) == 1 and self._whole.keys() >= set(layers):
            yield self._groups[0], self._groups[0], self._whole
            return
        for one, other, geometry in self._pairs() if layers else ():
            made = {layer: self._matrix(geometry, layer) for layer in layers}
            if len(self._groups) == 1:
                self._whole |= {k: matrix for k, matrix in made.items() if k in self._keeping}
            yield one, other, made

    def _terms(self, geometry: PairGeometry, layer: int) -> PairTerms:
        return PairTerms(geometry, _KERNEL, self._variances[layer], True)

    def _matrix(self, geometry: PairGeometry, layer: int) -> FloatArray:
        entries = pair_matrix(PairTerms(geometry, _KERNEL, self._variances[layer]).values())
        return entries.reshape(COMPONENTS * entries.shape[1], -1)


def _add_products(
    matrix: FloatArray,
    one: slice,
    other: slice,
    rows: int,
    c: FloatArray,
    total: FloatArray,
    transposed: bool,
) -> None:
    """Adds S c and its mirror image for one pair of groups; c and ``total`` are (components, M)."""
    n, m = one.stop - one.start, other.stop - other.start
    if transposed:
        forward, back = matrix[:, : rows * m], matrix[: rows * n].T
    else:
        forward, back = matrix[: rows * n], matrix[:, : rows * m].T
    total[:, one] += (forward @ c[:, other].ravel()).reshape(-1, n)
    if one != other:
        total[:, other] += (back @ c[:, one].ravel()).reshape(-1, m)
