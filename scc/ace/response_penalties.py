r"""Penalties on the response χK of a density in training, as rows linear in its coefficients.

*Spectral radius.* Eigenvalues µ of χK with right and left vectors u, w, wᴴu = 1, change with θ by
wᴴ ∂χ K u: the rows

    µ(θ') ≈ wᴴ (∂D(Ku)) θ',      real and imaginary part, target 0,

of the largest |µ| of each cluster, made anew at every step, push them towards zero.

*Symmetry.* The response of an electronic ground state to potentials is symmetric. Multipoles δp_ext
put beside the atoms are answered by (1 − χK)⁻¹χK δp_ext; the potential they make on the density's
own functions is J δp_ext, and X (1 − JX)⁻¹, X = χKJ⁻¹, is symmetric exactly if JXJ = JχK is. Rows

    [ξᵀJ ∂D(Kη) − ηᵀJ ∂D(Kξ)] θ',     target 0,

with random multipoles ξ, η of one spread, make the antisymmetric part small in that measure.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from scc.ace.response_training import Response
from scc.ace.training_cluster import TrainingCluster
from scc.arrays import FloatArray

LEADING = 2
"""Eigenvalues of each cluster that are penalised."""

ENERGY = 1e-3
"""ξᵀJχKη that counts as one, Hartree."""

PAIRS = 2
"""Draws of (ξ, η) a cluster."""


def radius_rows(cluster: TrainingCluster, response: Response) -> FloatArray:
    """(2 LEADING, n): rows of the real and imaginary parts of the leading eigenvalues of χK."""
    response_to_multipoles = response.chi @ cluster.matrix
    values, left, right = scipy.linalg.eig(response_to_multipoles, left=True, right=True)
    rows = []
    for index in np.argsort(-np.abs(values), kind="stable")[:LEADING]:
        u, w = right[:, index], left[:, index]
        bra = w.conj() / (w.conj() @ u)
        real, imaginary = _moved(cluster, u.real), _moved(cluster, u.imag)
        rows.append(bra.real @ real - bra.imag @ imaginary)
        rows.append(bra.real @ imaginary + bra.imag @ real)
    return np.array(rows)


def symmetry_rows(cluster: TrainingCluster, rng: np.random.Generator) -> FloatArray:
    """(PAIRS, n): rows of (ξᵀJχKη − ηᵀJχKξ)/ENERGY."""
    energy = cluster.operator.energy_matrix
    rows = []
    for _ in range(PAIRS):
        one, other = (np.ravel(cluster.noise(rng)) for _ in range(2))
        change = (energy @ one) @ _moved(cluster, other) - (energy @ other) @ _moved(cluster, one)
        rows.append(change / ENERGY)
    return np.array(rows)


def _moved(cluster: TrainingCluster, change: FloatArray) -> FloatArray:
    """∂D(K dp), (9M, n)."""
    constant = cluster.bound.rows(np.zeros_like(cluster.operator.external))
    return np.asarray(cluster.bound.rows(cluster.tangent_features(change)) - constant)
