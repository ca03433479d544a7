"""The immutable configuration of atoms, noun number one: species, positions, optional cell.

Everything that can be wrong with a geometry is found when a :class:`Configuration` is made, so
that no later module has to ask again.
"""

# mypy: disable-error-code="no-untyped-call"
# (ASE is only partly typed.)

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.data import atomic_numbers as _number_of_symbol
from ase.geometry import complete_cell, find_mic, minkowski_reduce
from scipy.spatial import cKDTree

from scc.arrays import FloatArray, IntArray
from scc.errors import InputError

COINCIDENCE = 1e-6
"""Two atoms nearer than this (bohr) are one atom listed twice."""

LARGEST_COORDINATE = 1e8
"""Coordinates beyond this (bohr) are refused: float64 resolves differences of 1e-8 bohr up to it,
two digits finer than :data:`COINCIDENCE`."""

SHORTEST_CELL_VECTOR = 1e-3
"""Periodic directions need a cell vector at least this long (bohr)."""

SMALLEST_CELL_SINE = 1e-3
"""Cell vectors count as linearly dependent when the volume spanned by their unit vectors is
smaller than this. With the length above, no atom is within 1e-6 bohr of its own image."""


@dataclass(frozen=True, eq=False)
class Configuration:
    """Atoms r = (r_ℓ, Z_ℓ), ℓ = 0…M−1, in a possibly periodic cell.

    Parameters
    ----------
    species:
        M chemical symbols; ``"X"`` is a dummy of atomic number 0.
    positions:
        (M, 3) in bohr. Copied and made read-only, like ``cell``.
    cell:
        (3, 3) in bohr, one lattice vector a row, or None. Rows of non-periodic directions may be
        zero (undefined).
    periodic:
        One flag per cell vector.

    Raises
    ------
    InputError
        One line naming the atom index and the value: no atoms; shapes or lengths that do not
        match; unknown chemical symbol; NaN, infinite or absurdly large coordinate; two atoms
        within 1e-6 bohr, periodic images included; a periodic direction without cell vector;
        linearly dependent cell vectors.
    """

    species: tuple[str, ...]
    positions: FloatArray
    cell: FloatArray | None = None
    periodic: tuple[bool, bool, bool] = (False, False, False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "species", _checked_species(self.species))
        put(self, "positions", _checked_positions(self.positions, len(self.species)))
        put(self, "periodic", _checked_flags(self.periodic))
        put(self, "cell", _checked_cell(self.cell, self.periodic))
        self._check_coincidence()

    def _check_coincidence(self) -> None:
        if any(self.periodic):
            # In fractional coordinates the images are a periodic box; a ball of radius 1e-6
            # becomes an ellipsoid inside a ball of radius 1e-6 ‖cell⁻¹‖.
            cell = self._lattice()
            box = np.where(self.periodic, 1.0, 0.0)
            fractional = self.positions @ np.linalg.inv(cell)
            fractional = np.where(self.periodic, fractional % 1.0, fractional)
            fractional[:, list(self.periodic)] %= 1.0  # -1e-20 % 1.0 is 1.0
            tree = cKDTree(fractional, boxsize=box)
            reach = COINCIDENCE / float(np.linalg.svd(cell, compute_uv=False).min())
        else:
            tree, reach = cKDTree(self.positions), COINCIDENCE
        pairs = tree.query_pairs(reach * (1.0 + 1e-6), output_type="ndarray")
        if len(pairs) == 0:
            return
        apart = np.linalg.norm(
            self._minimum_image(self.positions[pairs[:, 1]] - self.positions[pairs[:, 0]]), axis=1
        )
        nearest = int(np.argmin(apart))
        separation = float(apart[nearest])
        if separation > COINCIDENCE:
            return
        one, other = sorted(int(index) for index in pairs[nearest])
        raise InputError(
            f"atoms {one} ({self.species[one]}) and {other} ({self.species[other]}) are "
            f"{separation:.3g} bohr apart (smallest allowed: {COINCIDENCE:g} bohr)"
        )

    def __len__(self) -> int:
        """Number of atoms M."""
        return len(self.species)

    def __eq__(self, other: object) -> bool:
        """Bitwise equality of species, positions, cell and flags."""
        if not isinstance(other, Configuration):
            return NotImplemented
        same_cell = (self.cell is None) == (other.cell is None) and (
            self.cell is None or other.cell is None or np.array_equal(self.cell, other.cell)
        )
        return (
            same_cell
            and self.species == other.species
            and self.periodic == other.periodic
            and np.array_equal(self.positions, other.positions)
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type[Configuration], tuple[Any, ...]]:
        # Through the constructor: pickling would hand back writable arrays otherwise.
        return Configuration, (self.species, self.positions, self.cell, self.periodic)

    @property
    def atomic_numbers(self) -> IntArray:
        """Z_ℓ, shape (M,); 0 for the dummy ``"X"``."""
        return np.array([_number_of_symbol[symbol] for symbol in self.species], dtype=np.int64)

    def displacements(self) -> FloatArray:
        """r_k − r_ℓ at index [ℓ, k], shape (M, M, 3), bohr.

        Open directions as they are. Periodic directions: minimum image, the shortest vector among
        all images of k (Minkowski-reduced search, correct for any cell shape); of several equally
        short ones an arbitrary one, so do not differentiate through half a cell.
        """
        return self._minimum_image(self.positions[None, :, :] - self.positions[:, None, :])

    def _lattice(self) -> FloatArray:
        """The periodic cell vectors, completed by orthogonal unit vectors in open directions."""
        if self.cell is None:
            return np.eye(3)
        periodic_rows = np.where(np.array(self.periodic)[:, None], self.cell, 0.0)
        return np.asarray(complete_cell(periodic_rows), dtype=np.float64)

    def _minimum_image(self, vectors: FloatArray) -> FloatArray:
        """The shortest images of vectors of shape (…, 3)."""
        if not any(self.periodic):
            return vectors
        periodic = np.array(self.periodic)
        cell, _ = minkowski_reduce(self._lattice(), pbc=periodic)
        fractional = vectors @ np.linalg.inv(cell)
        wrapped: FloatArray = vectors - np.where(periodic, np.round(fractional), 0.0) @ cell
        gram = cell @ cell.T
        if np.allclose(gram, np.diag(np.diag(gram)), rtol=0.0, atol=1e-12 * gram.max()):
            return wrapped  # rounding is exact in an orthogonal cell
        # In a skew cell it is certain only within half the shortest lattice vector; ASE's search
        # over all Voronoi-relevant images, slow for many vectors, does the rest.
        shortest = np.sqrt(np.diag(gram)[periodic].min())
        doubtful = np.linalg.norm(wrapped, axis=-1) >= 0.5 * shortest
        if doubtful.any():
            wrapped[doubtful], _ = find_mic(wrapped[doubtful], cell, periodic)
        return wrapped

    def distances(self) -> FloatArray:
        """r_ℓk = |r_k − r_ℓ|, shape (M, M), bohr; minimum image in periodic directions."""
        return np.asarray(np.linalg.norm(self.displacements(), axis=-1), dtype=np.float64)

    def translated(self, shift: FloatArray) -> Configuration:
        """All atoms moved by ``shift``, shape (3,), bohr."""
        vector = _float_array(shift, (3,), "shift")
        return Configuration(self.species, self.positions + vector, self.cell, self.periodic)

    def rotated(self, rotation: FloatArray) -> Configuration:
        """r ↦ Q r for an orthogonal Q, shape (3, 3) (reflections included); turns the cell too.

        Raises InputError when ‖QᵀQ − 1‖ exceeds 1e-10.
        """
        matrix = _float_array(rotation, (3, 3), "rotation")
        defect = float(np.abs(matrix.T @ matrix - np.eye(3)).max())
        if not defect <= 1e-10:
            raise InputError(f"rotation is not orthogonal: |QᵀQ - 1| = {defect:.3g}")
        cell = None if self.cell is None else self.cell @ matrix.T
        return Configuration(self.species, self.positions @ matrix.T, cell, self.periodic)

    def permuted(self, order: Iterable[int]) -> Configuration:
        """Atom ``order[i]`` becomes atom i; ``order`` must be a permutation of 0…M−1."""
        indices = self._checked_indices(order)
        if sorted(indices) != list(range(len(self))):
            raise InputError(f"not a permutation of {len(self)} atoms: {indices[:10]}")
        return self.subset(indices)

    def displaced(self, dr: FloatArray) -> Configuration:
        """r ↦ r + dr with ``dr`` of shape (M, 3), bohr."""
        moves = _float_array(dr, (len(self), 3), "displacement")
        return Configuration(self.species, self.positions + moves, self.cell, self.periodic)

    def subset(self, indices: Iterable[int]) -> Configuration:
        """The sub-cluster of the given atoms, in the given order, in the same cell."""
        chosen = self._checked_indices(indices)
        species = tuple(self.species[index] for index in chosen)
        return Configuration(species, self.positions[chosen], self.cell, self.periodic)

    def _checked_indices(self, indices: Iterable[int]) -> list[int]:
        chosen = [int(index) for index in indices]
        for index in chosen:
            if not 0 <= index < len(self):
                raise InputError(f"atom index {index} outside 0..{len(self) - 1}")
        return chosen


def _checked_species(species: Iterable[str]) -> tuple[str, ...]:
    if isinstance(species, str):
        raise InputError(f"species must be a tuple of chemical symbols, not the string {species!r}")
    symbols = tuple(species)
    if not symbols:
        raise InputError("a configuration needs at least one atom, got none")
    for index, symbol in enumerate(symbols):
        if not isinstance(symbol, str) or symbol not in _number_of_symbol:
            raise InputError(f"atom {index}: unknown chemical symbol {symbol!r}")
    # str() because numpy strings are str too, and would leak numpy scalars into reports.
    return tuple(str(symbol) for symbol in symbols)


def _float_array(values: object, shape: tuple[int, ...], name: str) -> FloatArray:
    """A fresh float64 array of the given shape, or an InputError naming what was given."""
    try:
        given = np.asarray(values)
        if np.iscomplexobj(given):
            raise InputError(f"{name} must be real, got complex numbers")
        array = np.array(given, dtype=np.float64)
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is not an array of numbers: {error}") from None
    if array.shape != shape:
        raise InputError(f"{name} must have shape {shape}, got {array.shape}")
    return array


def _checked_positions(positions: object, number: int) -> FloatArray:
    array = _float_array(positions, (number, 3), f"positions of {number} atoms")
    # The negated comparison also catches NaN.
    wrong = np.argwhere(~(np.abs(array) <= LARGEST_COORDINATE))
    if len(wrong):
        atom, axis = (int(index) for index in wrong[0])
        value = float(array[atom, axis])
        problem = "beyond 1e8 bohr" if np.isfinite(value) else "not a finite number"
        raise InputError(f"atom {atom}: coordinate {'xyz'[axis]} = {value} is {problem}")
    array.flags.writeable = False
    return array


def _checked_flags(periodic: Iterable[bool]) -> tuple[bool, bool, bool]:
    flags = tuple(periodic) if isinstance(periodic, Iterable) else (periodic,)
    if len(flags) != 3 or not all(isinstance(flag, bool | np.bool_) for flag in flags):
        raise InputError(f"periodic must be three true/false flags, got {periodic!r}")
    return (bool(flags[0]), bool(flags[1]), bool(flags[2]))


def _checked_cell(cell: object, periodic: tuple[bool, bool, bool]) -> FloatArray | None:
    if cell is None:
        if any(periodic):
            raise InputError(f"periodic = {periodic} needs a cell, got none")
        return None
    array = _float_array(cell, (3, 3), "cell")
    wrong = np.argwhere(~(np.abs(array) <= LARGEST_COORDINATE))
    if len(wrong):
        row, axis = (int(index) for index in wrong[0])
        raise InputError(f"cell vector {row}: component {'xyz'[axis]} = {float(array[row, axis])}")
    lengths = np.linalg.norm(array, axis=1)
    for row in range(3):
        if periodic[row] and lengths[row] < SHORTEST_CELL_VECTOR:
            raise InputError(f"cell vector {row} is periodic but {lengths[row]:.3g} bohr long")
    defined = array[lengths > 0.0]
    if len(defined):
        units = defined / np.linalg.norm(defined, axis=1)[:, None]
        sine = float(np.prod(np.linalg.svd(units, compute_uv=False)))
        if sine < SMALLEST_CELL_SINE:
            raise InputError(f"cell vectors are linearly dependent (unit volume {sine:.3g})")
    array.flags.writeable = False
    return array
