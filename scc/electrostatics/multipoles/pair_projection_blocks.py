"""Blocks of the projection operator K for given pairs in free space, without sums over a system."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.pair_blocks import (
    COMPONENTS,
    PairGeometry,
    PairTerms,
    pair_matrix,
)


def pair_projection_blocks(
    separations: FloatArray, density_width: float, widths: Sequence[float], l_max: int
) -> FloatArray:
    """K_ab of v̂_a = Σ_b K_ab p_b, (P, F, 9), for r_a − r_b = ``separations`` (P, 3), bohr.

    F and the order of features are those of :mod:`.projection`; a separation of zero gives an
    atom's own block. Bare Coulomb kernel, open boundaries, Hartree per e·bohr^λ.
    """
    rows = (l_max + 1) ** 2
    geometry = PairGeometry(np.asarray(separations, dtype=np.float64), np.zeros((1, 3)))
    blocks = []
    for width in widths:
        terms = PairTerms(geometry, CoulombKernel(), width**2 + density_width**2)
        # index [A, pair, B, the one source]
        blocks.append(pair_matrix(terms.values())[:rows, :, :, 0].transpose(1, 0, 2))
    if not blocks:
        return np.zeros((len(separations), 0, COMPONENTS))
    return np.concatenate(blocks, axis=1)
