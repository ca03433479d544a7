r"""Inverse responses of single molecules, as a preconditioner of (1 − χK) δ = r.

Atoms closer than ``BOND`` times the sum of their covalent radii are in one molecule m. Its own
block of 1 − χK, with χ and K between its atoms alone,

    A_m = 1 − χ_mm K_mm,

is inverted, molecule by molecule; what is left to the iteration is the response of molecules to
each other. Transposed, the blocks do the same for the adjoint equation. They are no applications of
χ to a potential, but read off χ and K. Block Jacobi: Y. Saad, Iterative methods for sparse linear
systems (SIAM, 2003), §12.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.configuration.neighbours import neighbour_pairs
from scc.units import ANGSTROM

BOND = 1.3
"""Bonds are pairs closer than this times the sum of covalent radii."""

LARGEST = 24
"""Atoms of a molecule; larger ones (networks, metals) count atom by atom."""

Step = Callable[[FloatArray], FloatArray]


class Preconditioner(NamedTuple):
    """P ≈ (1 − χK)⁻¹ as ``apply``: r ↦ P r, and ``transpose``: w ↦ Pᵀ w, both (M, 9) ↦ (M, 9)."""

    apply: Step
    transpose: Step


IDENTITY = Preconditioner(lambda residual: residual, lambda residual: residual)


def molecules(configuration: Configuration) -> list[IntArray]:
    """Atoms of the molecules: one array (number, atoms of each) for every size that occurs."""
    radii = ANGSTROM * np.array([covalent_radii[atomic_numbers[s]] for s in configuration.species])
    count = len(configuration)
    pairs = neighbour_pairs(configuration, 2.0 * BOND * float(np.max(radii)))
    bonded = pairs.distance < BOND * (radii[pairs.first] + radii[pairs.second])
    first, second = pairs.first[bonded], pairs.second[bonded]
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(count, count))
    _, member = connected_components(graph, directed=False)
    order = np.argsort(member, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(member[order])) + 1)
    split = [part for g in groups for part in ([g] if len(g) <= LARGEST else g[:, None])]
    sizes = sorted({len(g) for g in split})
    return [np.array([g for g in split if len(g) == size]) for size in sizes]


def molecule_preconditioner(
    configuration: Configuration,
    response: Callable[[IntArray], FloatArray],
    kernel: Callable[[FloatArray], FloatArray],
) -> Preconditioner:
    """A_m⁻¹ on every molecule.

    Args:
        response: atoms (G, g) ↦ χ_mm (G, 9g, gF).
        kernel: separations (P, 3) ↦ blocks of K (P, F, 9).
    Returns the identity where a block is singular.
    """
    found: list[tuple[IntArray, FloatArray]] = []
    for atoms in molecules(configuration):
        number, size = atoms.shape
        x = configuration.positions[atoms]
        blocks = kernel((x[:, :, None, :] - x[:, None, :, :]).reshape(-1, 3))
        features = blocks.shape[1]
        k = blocks.reshape(number, size, size, features, 9).transpose(0, 1, 3, 2, 4)
        own = np.eye(9 * size) - response(atoms) @ k.reshape(number, size * features, 9 * size)
        try:
            found.append((atoms, np.asarray(np.linalg.inv(own), dtype=np.float64)))
        except np.linalg.LinAlgError:
            return IDENTITY

    return Preconditioner(_step(found), _step([(atoms, m.swapaxes(1, 2)) for atoms, m in found]))


def _step(blocks: list[tuple[IntArray, FloatArray]]) -> Step:
    """r (M, 9) ↦ the blocks (G, 9g, 9g) times r of their atoms (G, g)."""

    def apply(residual: FloatArray) -> FloatArray:
        result = np.empty_like(residual)
        for atoms, block in blocks:
            parts = residual[atoms].reshape(len(atoms), -1, 1)
            result[atoms] = (block @ parts).reshape(*atoms.shape, 9)
        return result

    return apply
