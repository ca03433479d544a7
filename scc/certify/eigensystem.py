r"""Eigenpairs of a symmetric ball matrix: refined beyond float64, then enclosed.

Refinement is by no means rigorous and need not be. Enclosure: for the exact numbers (C, Λ) found,

    δ ≥ ‖CᵀC − 1‖_F,      ε ≥ ‖HC − CΛ‖_F,

let C = US be the polar decomposition (δ < 1). |s − 1| ≤ |s² − 1| for singular values s ≥ 0, so
‖C − U‖_F ≤ δ, and with the orthogonal U and K = UΛUᵀ

    ‖H − K‖_F = ‖HU − UΛ‖_F ≤ ε + δ (‖H‖_F + max|Λ|)  =: η .

By Weyl's inequality |λ_i(H) − Λ_i| ≤ η for both in ascending order, and every spectral function
with Lipschitz constant L in the Frobenius norm has ‖F(H) − UF(Λ)Uᵀ‖_F ≤ Lη.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import flint
import numpy as np

from scc.certify.failure import CertificationError
from scc.certify.norms import diagonal, floats, frobenius, identity, matrix

# Newton's step for a pair of levels needs |S_ij| well below their distance; levels nearer than this
# many times the size of all off-diagonal elements are rotated by a small eigenproblem instead.
_CLUSTER = 10**5
_SWEEPS = 12


@dataclass(frozen=True)
class Eigensystem:
    """Λ ascending and C (n, n), exact numbers, with δ and η of the module docstring."""

    levels: list[flint.arb]
    orbitals: flint.arb_mat
    defect: flint.arb
    error: flint.arb

    def enclosed(self, slack: flint.arb | int = 0) -> list[flint.arb]:
        """λ_i(H + A) for every ‖A‖₂ ≤ slack, ascending."""
        more = flint.arb(0, (self.error + slack).upper())
        return [level + more for level in self.levels]


def eigensystem(H: flint.arb_mat, guess: flint.arb_mat | None = None) -> Eigensystem:
    """Of a symmetric H, at the working precision; ``guess``: C of a Hamiltonian nearby.

    Raises CertificationError where δ ≥ 1.
    """
    middle = H.mid()
    C, levels = _refined(middle, guess)
    defect = frobenius(C.transpose() * C - identity(len(levels)))
    if not defect < 1:
        raise CertificationError(f"eigenvectors are orthonormal to {float(defect):.2g} only")
    largest = max(abs(level) for level in levels)
    residual = frobenius(H * C - C * diagonal(levels))
    error = (residual + defect * (frobenius(H) + largest)).upper()
    if not error.is_finite():
        raise CertificationError("the Hamiltonian has no finite enclosure")
    return Eigensystem(levels, C, defect, error)


def _refined(
    H: flint.arb_mat, guess: flint.arb_mat | None
) -> tuple[flint.arb_mat, list[flint.arb]]:
    """Newton steps C ← C(1 + X) until S = CᵀHC is diagonal, or as nearly as it gets."""
    size = H.nrows()
    scale = float(frobenius(H)) or 1.0
    C = matrix(np.linalg.eigh(floats(H))[1]) if guess is None else guess
    goal = flint.arb(2) ** (16 - flint.ctx.prec) * scale
    best = None
    for _ in range(_SWEEPS):
        C = _orthonormal(C)
        S = (C.transpose() * H * C).mid()
        diag = _diagonal_of(S)
        off = frobenius(S - diagonal(diag))
        if best is not None and not off < best[0] / 2:
            break
        best = (off, C, diag)
        if off <= goal:
            break
        clusters = _clusters(diag, _CLUSTER * off)
        if len(clusters) < size:
            C = _orthonormal(C * _within(S, clusters))
            S = (C.transpose() * H * C).mid()
        C = (C * _between(S.tolist(), clusters)).mid()
    assert best is not None
    _, C, diag = best
    order = sorted(range(size), key=lambda i: diag[i])
    table = C.transpose().tolist()
    ordered = flint.arb_mat([table[i] for i in order]).transpose()
    return ordered, [diag[i] for i in order]


def _clusters(diag: list[flint.arb], width: flint.arb) -> list[list[int]]:
    """Indices by level; neighbours nearer than ``width`` are one cluster."""
    order = sorted(range(len(diag)), key=lambda i: diag[i])
    clusters = [[order[0]]]
    for before, index in pairwise(order):
        if diag[index] - diag[before] < width:
            clusters[-1].append(index)
        else:
            clusters.append([index])
    return clusters


def _within(S: flint.arb_mat, clusters: list[list[int]]) -> flint.arb_mat:
    """The rotation by the eigenvectors of each cluster's block of S, solved relative to its mean
    level and its own size."""
    rows = S.tolist()
    found = identity(len(rows))
    for members in clusters:
        block = flint.arb_mat([[rows[i][j] for j in members] for i in members])
        block = (block - identity(len(members)) * (block.trace() / len(members))).mid()
        size = frobenius(block)
        if not size > 0:
            continue
        turn = np.linalg.eigh(floats(block / size))[1]
        for i, row in zip(members, turn, strict=True):
            for j, value in zip(members, row, strict=True):
                found[i, j] = float(value)
    return found


def _between(rows: list[list[flint.arb]], clusters: list[list[int]]) -> flint.arb_mat:
    """1 + X, X_ij = S_ij/(S_jj − S_ii) between clusters."""
    size = len(rows)
    home = {index: number for number, members in enumerate(clusters) for index in members}
    found = identity(size)
    for i in range(size):
        for j in range(i + 1, size):
            if home[i] != home[j]:
                turn = rows[i][j] / (rows[j][j] - rows[i][i])
                found[i, j], found[j, i] = turn, -turn
    return found.mid()


def _orthonormal(C: flint.arb_mat) -> flint.arb_mat:
    """Newton-Schulz, C ← C(1 + E/2) with E = 1 − CᵀC, which squares E; until E is rounding."""
    unit, done = identity(C.nrows()), flint.arb(2) ** (8 - flint.ctx.prec // 2)
    for _ in range(3):
        defect = unit - C.transpose() * C
        C = (C + C * defect / 2).mid()
        if frobenius(defect) < done:
            break
    return C


def _diagonal_of(S: flint.arb_mat) -> list[flint.arb]:
    return [S[i, i] for i in range(S.nrows())]
