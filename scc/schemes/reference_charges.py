r"""Charges for schemes that know nothing but charges: the reference's, with its dipoles put in.

The cells of the data (``data/water``) make hydrogen negative, −0.42 e, and leave the dipole of a
molecule to the atomic dipoles: point charges of that kind have a dipole of the wrong sign. Charges
that stand for a density at a distance must have its dipole. Those made here, ``dipole``, are the
data's with the smallest change (least squares) by which each molecule keeps its charge and gets the
dipole that its atoms have besides their charges, as far as it lies in the plane of the atoms:

    q_j ← q_j + (r_j − r̄)·C⁺ Σ_i µ_i,      C = Σ_i (r_i − r̄)(r_i − r̄)ᵀ,      i, j in one molecule,

r̄ the mean of its positions. Charges that preserve dipoles in this way are those of B. T. Thole and
P. Th. van Duijnen, Theor. Chim. Acta 63, 209 (1983), here with equal weights within a molecule and
none beyond it. ``partition`` are the data's charges as they are.
"""

from __future__ import annotations

import numpy as np

from scc.ace.reference_frame import ReferenceFrame
from scc.arrays import FloatArray
from scc.errors import InputError

KINDS = ("dipole", "partition")

_FLAT = 1e-6  # the third eigenvalue of C is zero but for rounding

_XYZ = [3, 1, 2]  # p_1x, p_1y, p_1z among the nine components


def reference_charges(frame: ReferenceFrame, kind: str = KINDS[0]) -> FloatArray:
    """Net charges q (M,), e.

    Args:
        kind: ``dipole`` or ``partition``.
    Raises:
        InputError: another kind.
    """
    return _charges(frame, frame.multipoles, kind)


def reference_response(frame: ReferenceFrame, kind: str = KINDS[0]) -> FloatArray | None:
    """dq/d𝓔 (M, 3) in a uniform electric field, from the labelled responses; None without."""
    if frame.polarisation is None:
        return None
    axes = [_charges(frame, frame.polarisation[:, :, b], kind) for b in range(3)]
    return np.stack(axes, axis=1)


def _charges(frame: ReferenceFrame, multipoles: FloatArray, kind: str) -> FloatArray:
    if kind not in KINDS:
        raise InputError(f"reference charges are {' or '.join(KINDS)}, not {kind!r}")
    charges = -multipoles[:, 0]
    if kind == "dipole":
        for molecule in np.unique(frame.molecules):
            own = frame.molecules == molecule
            arms = frame.configuration.positions[own]
            arms = arms - np.mean(arms, axis=0)
            inverse = np.linalg.pinv(arms.T @ arms, rcond=_FLAT, hermitian=True)
            charges[own] -= arms @ inverse @ np.sum(multipoles[own][:, _XYZ], axis=0)
    return charges
