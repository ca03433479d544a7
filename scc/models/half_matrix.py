"""Symmetric sparse matrices from pairs that are each visited once."""

import scipy.sparse

from scc.arrays import FloatArray, IntArray


def symmetric_from_half(
    rows: IntArray, columns: IntArray, values: FloatArray, size: int
) -> scipy.sparse.csr_matrix:
    """U + Uᵀ for U with the given entries, shape (size, size): symmetric to the last bit.

    Repeated entries (several images of one pair) add up.  An atom paired with its own image
    contributes both directions, as it should.
    """
    # Duplicates must be summed before transposing: in another order they round differently.
    upper = scipy.sparse.coo_array((values, (rows, columns)), shape=(size, size)).tocsr()
    return scipy.sparse.csr_matrix(upper + upper.T)
