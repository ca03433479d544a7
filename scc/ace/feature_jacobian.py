r"""∂out/∂v̂ as blocks: atom i answers to the features of the atoms within its cut-off.

    ∂out_i/∂v̂_j = Σ_{p = (i,j)} blocks_p + δ_ij own_i

Pairs p are the directed pairs within the cut-off, several of the same (i, j) in small cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from scc.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class FeatureJacobian:
    """Blocks of ∂out_LM,o(i)/∂v̂_jc for one L.

    Attributes
    ----------
    first, second: atoms i and j of each pair, (P,).
    blocks: (P, 2L+1, n_out, F).
    own: (M, 2L+1, n_out, F).
    """

    first: IntArray
    second: IntArray
    blocks: FloatArray
    own: FloatArray

    def sparse(self) -> scipy.sparse.csr_array:
        """(M (2L+1) n_out, M F), rows and columns atom by atom."""
        return block_rows([self]).tocsr()


def block_rows(jacobians: Sequence[FeatureJacobian]) -> scipy.sparse.bsr_array:
    """Jacobians of the same pairs in one, (M Σ_L (2L+1) n_out, M F): an atom's outputs together."""
    first, second = jacobians[0].first, jacobians[0].second
    number, features = jacobians[0].own.shape[0], jacobians[0].own.shape[-1]
    atoms, pairs = np.arange(number), len(first)
    first = np.concatenate([first, atoms])
    order = np.argsort(first, kind="stable")
    starts = np.searchsorted(first[order], np.arange(number + 1))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    rows = sum(jacobian.own[0, ..., 0].size for jacobian in jacobians) if number else 0
    blocks = np.empty((len(order), rows, features))
    start = 0
    for jacobian in jacobians:
        _, ranks, outputs, _ = jacobian.own.shape
        these = slice(start, start + ranks * outputs)
        shape = (ranks * outputs, features)
        blocks[place[:pairs], these] = jacobian.blocks.reshape(pairs, *shape)
        blocks[place[pairs:], these] = jacobian.own.reshape(number, *shape)
        start = these.stop
    shape = (number * rows, number * features)
    columns = np.concatenate([second, atoms])[order]
    return scipy.sparse.bsr_array((blocks, columns, starts), shape=shape)
