"""Pairs of atoms within a cut-off, with the periodic image of the second one.

Pairs come in both directions and include an atom's own images; a k-d tree (SciPy) finds them in
time linear in the number of atoms for a fixed cut-off.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from scc.arrays import BoolArray, FloatArray, IntArray
from scc.configuration.configuration import Configuration


@dataclass(frozen=True)
class NeighbourPairs:
    """Directed pairs: atom j in the image shifted by ``shift`` lies within the cut-off of atom i.

    Attributes:
        first, second: atom indices i, j, shape (P,).
        shift: integer cell translation n of the second atom, shape (P, 3).
        displacement: r_j + n·cell - r_i, shape (P, 3), bohr.
        distance: its length, shape (P,), bohr, > 0 or a different atom.
    """

    first: IntArray
    second: IntArray
    shift: IntArray
    displacement: FloatArray
    distance: FloatArray

    def __len__(self) -> int:
        return int(self.first.shape[0])

    def select(self, which: BoolArray | IntArray) -> "NeighbourPairs":
        """The pairs where a mask (P,) holds, or those of the given indices, in that order."""
        return NeighbourPairs(
            self.first[which],
            self.second[which],
            self.shift[which],
            self.displacement[which],
            self.distance[which],
        )

    def half(self) -> "NeighbourPairs":
        """Each undirected pair once: i < j, or i = j with a lexicographically positive shift."""
        n1, n2, n3 = self.shift.T
        positive = (n1 > 0) | ((n1 == 0) & ((n2 > 0) | ((n2 == 0) & (n3 > 0))))
        return self.select((self.first < self.second) | ((self.first == self.second) & positive))


def neighbour_pairs(configuration: Configuration, cutoff: float) -> NeighbourPairs:
    """All directed pairs closer than ``cutoff`` (bohr), open or periodic in any directions.

    The cut-off may exceed the cell; atoms may lie outside it.
    """
    positions = configuration.positions
    wrapped, wraps, shifts, translations = _images(configuration, cutoff)
    lower, upper = wrapped.min(axis=0) - cutoff, wrapped.max(axis=0) + cutoff
    images = wrapped[None, :, :] + translations[:, None, :]
    which_shift, which_atom = np.nonzero(np.all((images >= lower) & (images <= upper), axis=2))
    tree = cKDTree(wrapped)
    found = tree.sparse_distance_matrix(
        cKDTree(images[which_shift, which_atom]), cutoff, output_type="ndarray"
    )
    first = found["i"].astype(np.int64)
    second = which_atom[found["j"]]
    # n such that r_j + n·cell - r_i = wrapped image - wrapped: undo the two wraps.
    shift = shifts[which_shift[found["j"]]] - wraps[second] + wraps[first]
    displacement = positions[second] - positions[first]
    if configuration.cell is not None:
        displacement = displacement + shift @ configuration.cell
    distance = np.linalg.norm(displacement, axis=1)
    itself = (first == second) & np.all(shift == 0, axis=1)
    pairs = NeighbourPairs(first, second, shift, displacement, distance)
    pairs = pairs.select(~itself & (distance < cutoff))
    # A fixed order, whatever the tree: sums over pairs are then reproducible to the last bit.
    return pairs.select(np.lexsort((*pairs.shift.T[::-1], pairs.second, pairs.first)))


def _images(
    configuration: Configuration, cutoff: float
) -> tuple[FloatArray, IntArray, IntArray, FloatArray]:
    """Wrapped positions, the integer wraps (r = wrapped + wraps·cell), and candidate translations.

    Along a periodic direction the fractional coordinate of an image within ``cutoff`` differs by
    at most cutoff·|column of the pseudo-inverse of the cell| from that of the central atom, and
    both wrapped coordinates lie in [0, 1), so |n| ≤ floor(that + 1).
    """
    positions = configuration.positions
    number = len(configuration)
    wraps = np.zeros((number, 3), dtype=np.int64)
    ranges = [range(1)] * 3
    if configuration.cell is None or not any(configuration.periodic):
        return positions, wraps, np.zeros((1, 3), dtype=np.int64), np.zeros((1, 3))
    directions = np.flatnonzero(configuration.periodic)
    rows = configuration.cell[directions]
    inverse = np.linalg.pinv(rows)
    wraps[:, directions] = np.floor(positions @ inverse).astype(np.int64)
    reach = np.floor(cutoff * np.linalg.norm(inverse, axis=0) + 1.0 + 1e-9).astype(int)
    for direction, bound in zip(directions, reach, strict=True):
        ranges[direction] = range(-bound, bound + 1)
    shifts = np.array(list(itertools.product(*ranges)), dtype=np.int64)
    return positions - wraps @ configuration.cell, wraps, shifts, shifts @ configuration.cell
