"""F_N[x, y] of an explicit polynomial without a recurrence, for measurements, and its rounding.

With cos φ, cos θ the scaled squares of x − µ and y − µ, σ = (φ+θ)/2 and τ = (φ−θ)/2,

    T_k[cos φ, cos θ] = U_{k−1}(cos σ) U_{k−1}(cos τ),    U_{k−1}(cos σ) = sin kσ / sin σ,

products of numbers ≤ k, each good to a few eps k² once angles next to π are taken from π: angles
are then good to eps of themselves, and what is left of their errors moves a level by eps A.
"""

import numpy as np
import sympy as sp

from scc.arrays import FloatArray
from scc.bodyorder.explicit import ExplicitOccupation

_EPS = float(np.finfo(np.float64).eps)


def divided_differences(occupation: ExplicitOccupation, levels: FloatArray) -> FloatArray:
    """F_N[λ_i, λ_j], (n, n), 1/Hartree; levels that rounding has put off X count as its ends."""
    inner, outer = occupation.inner, occupation.outer
    s = levels - occupation.chemical_potential
    size = np.clip(np.abs(s), inner, outer)
    above = np.sqrt((size - inner) * (size + inner))
    below = np.sqrt((outer - size) * (outer + size))
    angle, other = 2.0 * np.arctan2(below, above), 2.0 * np.arctan2(above, below)
    total, rest = np.add.outer(angle, angle), np.add.outer(other, other)
    near = total <= rest  # to angle 0; else angles are counted from π
    sigma = 0.5 * np.where(near, total, rest)
    tau = 0.5 * np.where(near, np.subtract.outer(angle, angle), np.subtract.outer(other, other))
    k = np.arange(1.0, len(occupation.slope))
    signs = np.where(near[..., None], 1.0, (-1.0) ** (k + 1))
    products = signs * _second_kind(sigma, k) * _second_kind(tau, k)
    half = 0.5 * (outer - inner) * (outer + inner)
    square = products @ occupation.slope[1:] / half
    values = np.cos(angle[:, None] * np.arange(len(occupation.slope))) @ occupation.slope
    return np.asarray(-0.5 * (values[None, :] + s[:, None] * np.add.outer(s, s) * square))


def _second_kind(angle: FloatArray, k: FloatArray) -> FloatArray:
    """U_{k−1}(cos φ) along a last axis, |φ| ≤ π/2."""
    sine = np.sin(angle)[..., None]
    small = np.abs(sine) < 1e-10
    return np.asarray(np.where(small, k, np.sin(angle[..., None] * k) / np.where(small, 1.0, sine)))


def evaluation_rounding(occupation: ExplicitOccupation) -> tuple[float, float]:
    """(of F_N, of F_N[x, y]) at given levels; errors of levels not counted.

    A term a_k cos kφ is good to 4 eps (1 + πk)|a_k|; a product of two U_{k−1} to 16 eps k²; the
    coefficients, from a fast transform, to 4 eps log n of their length, all in the mean square.
    """
    a = np.abs(occupation.slope)
    k = np.arange(len(a))
    transform = 4.0 * _EPS * np.log2(4.0 * len(a) + 64.0) * float(np.linalg.norm(a))
    value = 4.0 * _EPS * float(np.sum(a * (1.0 + np.pi * k))) + transform * np.sqrt(len(a))
    half = 0.5 * (occupation.outer - occupation.inner) * (occupation.outer + occupation.inner)
    square = 16.0 * _EPS * float(np.sum(a * k**2)) + transform * np.sqrt(float(np.sum(k**4.0)))
    divided = 0.5 * (value + 2.0 * occupation.outer**2 * square / half)
    return float(0.5 * occupation.outer * value), float(divided)


def derivation() -> bool:
    """T_k[cos φ, cos θ] = U_{k−1}(cos σ)U_{k−1}(cos τ) for k ≤ 6, as trigonometric polynomials."""
    a, b = sp.symbols("a b")  # e^{iσ}, e^{iτ}

    def cosine(z: sp.Expr) -> sp.Expr:
        return (z + 1 / z) / 2

    def second_kind(z: sp.Expr, k: int) -> sp.Expr:
        return (z**k - z**-k) / (z - 1 / z)

    return all(
        sp.cancel(
            (cosine((a * b) ** k) - cosine((a / b) ** k)) / (cosine(a * b) - cosine(a / b))
            - second_kind(a, k) * second_kind(b, k)
        )
        == 0
        for k in range(1, 7)
    )
