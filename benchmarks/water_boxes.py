"""Boxes of water for the timings: molecules on a jittered lattice, turned at random."""

import math

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration

ANGSTROM = 1.0 / 0.529177210903  # bohr
_DENSITY = 0.0334 / ANGSTROM**3  # molecules in a cubic bohr, at 300 K
_BOND, _ANGLE = 0.9572 * ANGSTROM, math.radians(104.52)  # TIP3P
_CHARGES = (-0.834, 0.417, 0.417)
_JITTER = 0.15 * ANGSTROM


def water_box(edges: int | tuple[int, int, int], seed: int = 0) -> Configuration:
    """a·b·c molecules (O, H, H, …), 3abc atoms, in a periodic box of liquid density; one number: a
    cube."""
    if isinstance(edges, int):
        edges = (edges, edges, edges)
    rng = np.random.default_rng(seed)
    spacing = _DENSITY ** (-1.0 / 3.0)
    lattice = np.indices(edges).reshape(3, -1).T * spacing
    oxygen = lattice + rng.normal(scale=_JITTER, size=lattice.shape)
    turn, _ = np.linalg.qr(rng.normal(size=(len(oxygen), 3, 3)))
    half = np.array([math.sin(_ANGLE / 2), math.cos(_ANGLE / 2), 0.0]) * _BOND
    bonds = np.array([[0.0, 0.0, 0.0], half, half * [-1.0, 1.0, 1.0]])
    atoms = oxygen[:, None] + np.einsum("mij,hj->mhi", turn, bonds)
    cell = np.diag(edges) * spacing
    return Configuration(
        ("O", "H", "H") * len(oxygen), atoms.reshape(-1, 3), cell, (True, True, True)
    )


def edge_of(atoms: int) -> int:
    """The edge of the box with about that many atoms."""
    return max(1, round(math.cbrt(atoms / 3)))


def edges_for(atoms: int) -> tuple[int, int, int]:
    """Of a box with at least that many atoms: a cube, or one with one or two edges longer by 1."""
    edge = 1
    while 3 * (edge + 1) ** 3 <= atoms:
        edge += 1
    longer = next(n for n in range(4) if 3 * edge ** (3 - n) * (edge + 1) ** n >= atoms)
    a, b, c = (edge + (axis < longer) for axis in range(3))
    return a, b, c


def water_charges(configuration: Configuration) -> FloatArray:
    """TIP3P charges (M,)."""
    return np.tile(_CHARGES, len(configuration) // 3)


def water_multipoles(configuration: Configuration, seed: int = 1) -> FloatArray:
    """The same charges with random dipoles of 0.2 e bohr a component (M, 4)."""
    dipoles = np.random.default_rng(seed).normal(scale=0.2, size=(len(configuration), 3))
    return np.column_stack([water_charges(configuration), dipoles])
