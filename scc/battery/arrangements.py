"""New structures out of the given ones: copies side by side, fragments pulled apart, stretched."""

from __future__ import annotations

import numpy as np
from ase.data import covalent_radii
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from scc.arrays import FloatArray
from scc.battery.subject import UnsupportedError
from scc.configuration import Configuration
from scc.units import ANGSTROM

GAP = 5.0
"""bohr between the bounding boxes of copies: a van der Waals contact of first-row atoms."""

_BONDED = 1.3
"""Bonded below this many times the sum of covalent radii (ase.data)."""

_CLEARANCE = 0.2
"""bohr beyond the longest bond, at which copies of large atoms stand."""


def side_by_side(unit: Configuration, copies: int) -> Configuration:
    """Copies along x, :data:`GAP` between their bounding boxes, or as much as keeps them unbonded.

    Raises UnsupportedError for a periodic structure.
    """
    require_open(unit)
    longest = 2.0 * _BONDED * float(np.max(_radii(unit)))
    extent = float(np.ptp(unit.positions[:, 0])) + max(GAP, longest + _CLEARANCE)
    shifts = np.arange(copies)[:, None, None] * np.array([extent, 0.0, 0.0])
    return Configuration(unit.species * copies, (unit.positions[None] + shifts).reshape(-1, 3))


def far_apart(first: Configuration, second: Configuration, distance: float) -> Configuration:
    """Two open structures, their centres ``distance`` bohr apart along (2, 1, 1)/√6."""
    require_open(first)
    require_open(second)
    shift = distance * np.array([2.0, 1.0, 1.0]) / np.sqrt(6.0)
    moved = second.positions - second.positions.mean(axis=0) + shift
    placed = first.positions - first.positions.mean(axis=0)
    return Configuration(first.species + second.species, np.concatenate([placed, moved]))


def stretched(structure: Configuration, factor: float) -> Configuration:
    """All positions times ``factor`` about the centre."""
    centre = structure.positions.mean(axis=0)
    return structure.displaced((factor - 1.0) * (structure.positions - centre))


def pull(structure: Configuration) -> FloatArray:
    """Displacement (M, 3) of unit length per atom that takes one fragment of two off the rest.

    The fragment is the bonded set of atoms whose centre is farthest from that of all. Raises
    UnsupportedError for a periodic structure or one bonded throughout.
    """
    require_open(structure)
    label = fragments(structure)
    if label.max() == 0:
        raise UnsupportedError("bonded throughout: there is no fragment to pull away")
    centre = structure.positions.mean(axis=0)
    centres = np.array(
        [structure.positions[label == f].mean(axis=0) for f in range(label.max() + 1)]
    )
    chosen = int(np.argmax(np.linalg.norm(centres - centre, axis=1)))
    axis = centres[chosen] - structure.positions[label != chosen].mean(axis=0)
    return np.where((label == chosen)[:, None], axis / np.linalg.norm(axis), 0.0)


def fragments(structure: Configuration) -> FloatArray:
    """The bonded set (0, 1, …) each atom belongs to, (M,)."""
    radii = _radii(structure)
    bonded = structure.distances() < _BONDED * (radii[:, None] + radii[None, :])
    return np.asarray(connected_components(csr_matrix(bonded), directed=False)[1])


def _radii(structure: Configuration) -> FloatArray:
    """Covalent radii (M,), bohr."""
    return np.asarray(covalent_radii[structure.atomic_numbers] * ANGSTROM)


def require_open(structure: Configuration) -> None:
    """UnsupportedError for a periodic structure."""
    if any(structure.periodic):
        raise UnsupportedError("a periodic structure: this property needs open boundaries")
