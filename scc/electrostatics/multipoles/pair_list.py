r"""Pairs of targets and source images within a cut-off, found with cells and kept row by row.

Sources (and the images of them that can be in reach) are sorted into cells that are long in no
direction and fine along z. All sources of one column of cells between two heights then lie next to
each other, so what a target can reach is a few dozen contiguous ranges; NumPy expands many at once.
Rows and columns of the list follow the order of the cells: what is near in space is near in memory.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.electrostatics.multipoles.boundary import Boundary

_CELLS_A_CUTOFF = 2  # columns of side cutoff/2: 25 of them around each target
_HEIGHTS_A_CUTOFF = 6
_CANDIDATES = 1 << 16  # pairs looked at in one go: half a megabyte an array, inside the cache
_ROWS = 1024
_SLACK = 1e-9  # of a cell vector: images on the very edge of reach are looked at, not lost


@dataclass(frozen=True, eq=False)
class PairList:
    """Pairs (row, column) with X = r_row − r_column.

    Attributes:
        row_target: number of the target each row is an image of (R,).
        column_source: number of the source of each column (N_s,).
        row_start: the pairs of row a are row_start[a] … row_start[a+1] (R+1,), int32.
        column: (P,), int32.
        separation: X (3, P), bohr.
        squared: |X|² (P,), bohr².
        half: each pair stands once for both directions (targets are sources), and no site is
            paired with itself other than with its images.
    """

    row_target: IntArray
    column_source: IntArray
    row_start: IntArray
    column: IntArray
    separation: FloatArray
    squared: FloatArray
    half: bool

    def __len__(self) -> int:
        return len(self.column)

    def rows(self, first: int, last: int) -> IntArray:
        """Row of each pair in the rows first … last−1."""
        counts = np.diff(self.row_start[first : last + 1])
        return np.repeat(np.arange(first, last), counts)


def no_pairs(targets: int, sources: int, half: bool) -> PairList:
    """The list of that many sites with no pair at all."""
    return PairList(
        np.arange(targets),
        np.arange(sources),
        np.zeros(targets + 1, dtype=np.int32),
        np.zeros(0, dtype=np.int32),
        np.zeros((3, 0)),
        np.zeros(0),
        half,
    )


def pair_list(
    targets: FloatArray, sources: FloatArray, boundary: Boundary, cutoff: float, half: bool
) -> PairList:
    """All pairs closer than ``cutoff``; any cell, cut-offs beyond it, positions outside it.

    Args:
        targets, sources: positions (N_t, 3), (N_s, 3), bohr; the same ones with ``half``.
    """
    if len(targets) == 0 or len(sources) == 0:
        return no_pairs(len(targets), len(sources), half)
    lattice = boundary.reduced_cell[np.flatnonzero(boundary.periodic)]
    sources = _wrapped(sources, lattice)
    grid = _Grid(sources, cutoff)
    if half:
        # Home rows are numbered as the columns, so that j > i picks one of (i, j) and (j, i).
        owner, images = _images(sources, sources, lattice, cutoff, positive=True)
        found = list(_search(grid.points.T, grid, cutoff, half=True))
        owners = [grid.order]
    else:
        owner, images = _images(_wrapped(targets, lattice), sources, lattice, cutoff, False)
        found, owners = [_Found.nothing()], []
    order = np.argsort(grid.keys(images), kind="stable")
    found.extend(_search(images[order], grid, cutoff, half=False))
    owners.append(owner[order])
    counts = np.concatenate([np.zeros(1, dtype=np.int64), *[f.counts for f in found]])
    return PairList(
        np.concatenate(owners),
        grid.order,
        np.cumsum(counts).astype(np.int32),
        np.concatenate([f.column for f in found], dtype=np.int32),
        np.concatenate([f.separation for f in found], axis=1),
        np.concatenate([f.squared for f in found]),
        half,
    )


class _Grid:
    """Points sorted by cell, and where each cell starts. Around them all is empty."""

    def __init__(self, points: FloatArray, cutoff: float) -> None:
        side = cutoff / np.array([_CELLS_A_CUTOFF, _CELLS_A_CUTOFF, _HEIGHTS_A_CUTOFF])
        self._origin = points.min(axis=0)
        extent = np.ptp(points, axis=0)
        # Few points in a wide space: fewer, larger cells, so that the table is not the work.
        while np.prod(extent / side + 1.0) > 16.0 * len(points) + 4096.0:
            side *= 1.5
        self._side = side
        self._number = (extent / side).astype(np.int64) + 1
        keys = self.keys(points)
        self.order = np.argsort(keys, kind="stable")
        self.points = np.ascontiguousarray(points[self.order].T)
        cells = int(np.prod(self._number))
        self._start = np.zeros(cells + 1, dtype=np.int64)
        np.cumsum(np.bincount(keys, minlength=cells), out=self._start[1:])

    def keys(self, points: FloatArray) -> IntArray:
        """Number of the cell of each point, for points outside that of the nearest cell or so."""
        cells = np.floor((points - self._origin) / self._side)
        x, y, z = np.clip(cells, 0, self._number - 1).astype(np.int64).T
        return np.asarray((x * self._number[1] + y) * self._number[2] + z)

    def ranges(self, queries: FloatArray, cutoff: float, half: bool) -> tuple[IntArray, IntArray]:
        """First and last of the points that may be in reach, (n, columns of cells) each.

        ``half``: columns before the query's own are left out.
        """
        near, gaps = [], []
        for axis in range(2):
            side, number = self._side[axis], self._number[axis]
            reach = int(np.ceil(cutoff / side))
            place = queries[:, axis] - self._origin[axis]
            cells = np.floor(place / side) + np.arange(-reach, reach + 1.0)[:, None]
            lower = cells * side - place
            gap = np.maximum(np.maximum(lower, -side - lower), 0.0) ** 2
            gap[(cells < 0.0) | (cells >= number)] = np.inf
            near.append(cells)
            gaps.append(gap)
        x, y = (i.ravel() for i in np.indices((len(gaps[0]), len(gaps[1]))))
        if half:
            x, y = x[len(x) // 2 :], y[len(y) // 2 :]
        free = (cutoff * cutoff - gaps[0])[x]  # (columns, n): NumPy is fast along long rows
        free -= gaps[1][y]
        outside = free <= 0.0
        free[outside] = 0.0
        height = np.sqrt(free, out=free)
        height /= self._side[2]
        base = (near[0] * (self._number[1] * self._number[2]))[x]
        base += (near[1] * self._number[2])[y]
        base[outside] = 0.0
        z = (queries[:, 2] - self._origin[2]) / self._side[2]
        top = float(self._number[2])
        low = np.minimum(np.maximum(z - height, 0.0), top)
        low += base
        high = np.minimum(np.maximum(z + 1.0 + height, 0.0), top)
        high += base
        high[outside] = 0.0
        first, last = low.T.astype(np.int64), high.T.astype(np.int64)
        return self._start.take(first), self._start.take(last)


class _Found(NamedTuple):
    """Pairs of some queries: how many each has, columns, X and |X|²."""

    counts: IntArray
    column: IntArray
    separation: FloatArray
    squared: FloatArray

    @classmethod
    def nothing(cls) -> "_Found":
        """Of no queries."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, np.zeros((3, 0)), np.zeros(0))


def _search(queries: FloatArray, grid: _Grid, cutoff: float, half: bool) -> Iterator[_Found]:
    """Points within the cut-off of each query; ``half``: queries are the points, j > i."""
    for start in range(0, len(queries), _ROWS):
        block = queries[start : start + _ROWS]
        first, last = grid.ranges(block, cutoff, half)
        if half:
            np.maximum(first, np.arange(start, start + len(block))[:, None] + 1, out=first)
        count = np.maximum(last - first, 0)
        total = np.cumsum(count.sum(axis=1))
        cuts = [0, *(np.flatnonzero(np.diff(total // _CANDIDATES)) + 1), len(block)]
        for a, b in itertools.pairwise(cuts):
            yield _within(block[a:b], first[a:b], count[a:b], grid.points, cutoff)


def _within(
    queries: FloatArray, first: IntArray, count: IntArray, points: FloatArray, cutoff: float
) -> _Found:
    """Those of the candidates first … first + count that are in reach."""
    flat = count.ravel()
    ends = np.cumsum(flat)
    total = int(ends[-1])
    index = np.repeat(first.ravel() - ends + flat, flat)
    index += np.arange(total)
    candidates = count.sum(axis=1)
    separation = np.empty((3, total))
    squared = np.zeros(total)
    for axis in range(3):
        x = np.repeat(queries[:, axis], candidates)
        x -= points[axis].take(index)
        separation[axis] = x
        squared += x * x
    kept = np.flatnonzero(squared < cutoff * cutoff)
    row_ends = np.searchsorted(kept, np.cumsum(candidates))
    return _Found(
        np.diff(row_ends, prepend=0),
        index.take(kept).astype(np.int32),
        separation.take(kept, axis=1),
        squared.take(kept),
    )


def _wrapped(positions: FloatArray, rows: FloatArray) -> FloatArray:
    if len(rows) == 0:
        return positions
    return positions - np.floor(positions @ np.linalg.pinv(rows)) @ rows


def _images(
    moving: FloatArray, fixed: FloatArray, lattice: FloatArray, cutoff: float, positive: bool
) -> tuple[IntArray, FloatArray]:
    """Numbers and positions of the images of ``moving`` that may be in reach of ``fixed``.

    The coordinate along a lattice vector changes by at most cutoff · |column of the pseudo-inverse|
    over a distance ``cutoff``. ``positive``: only translations n whose first component other than
    zero is positive; −n is the same pair seen from the other side.
    """
    dimensions = len(lattice)
    if dimensions == 0:
        chosen = np.arange(0 if positive else len(moving))
        return chosen, moving[chosen]
    inverse = np.linalg.pinv(lattice)
    reach = cutoff * np.linalg.norm(inverse, axis=0) + _SLACK
    coordinate, home = moving @ inverse, fixed @ inverse
    low, high = home.min(axis=0) - reach, home.max(axis=0) + reach
    spans, near = [], []
    for axis in range(dimensions):
        own = coordinate[:, axis]
        span = np.arange(np.ceil(low[axis] - own.max()), np.floor(high[axis] - own.min()) + 1.0)
        moved = own + span[:, None]
        near.append((moved >= low[axis]) & (moved <= high[axis]))
        spans.append(span)
    steps = np.indices([len(span) for span in spans]).reshape(dimensions, -1).T
    translations = np.stack([span[steps[:, d]] for d, span in enumerate(spans)], axis=1)
    if positive:
        leading = np.sign(translations) @ 3.0 ** np.arange(dimensions)[::-1]
        steps, translations = steps[leading > 0], translations[leading > 0]
    chosen = np.ones((len(steps), len(moving)), dtype=bool)
    for axis in range(dimensions):
        chosen &= near[axis][steps[:, axis]]
    which, owner = np.nonzero(chosen)
    return owner, moving[owner] + (translations @ lattice)[which]
