r"""What a B-spline mesh gets wrong, averaged over where sites lie in it.

A wave of κ_j = k·a_j/(2πn_j) cycles per node is spread with the spline transforms ŵ(κ+n), read with
them again and divided by Σ_n ŵ(κ+n)² (:mod:`.mesh_grid`). With a_n = ŵ(κ+n)²/Σ ŵ², the product over
three axes, ε = 1 − a_0 and a source and a target at random places, what should be e^{ik·(y−r)} has
the mean square error

    potential:  2ε,      force:  Σ_{n≠0} |k_n|² a_n + k²ε,      k_nj = k_j + 2πn_j/h_j ,

and a wave outside of the mesh's modes is missing: 1 and k². A site feels itself: in a mesh of
spacing h its own potential oscillates with the wave vectors ±2π/h along each axis and the amplitude

    C_AB = Σ_k G e^{−k²W/2} D_A D_B c(κ),      c(κ) = Σ_n ŵ(κ+n) ŵ(κ+n+1) / Σ_n ŵ(κ+n)²,

all k adding up, so that ⟨U²⟩ = 6C² and ⟨F²⟩ = (3/2)(2π/h)²C².

Everything is a function of h/√s, tabulated for s = 1 and cubic meshes. The tests hold the tables
against the sums over the modes of any mesh, and those against actual errors.

Reference: V. Ballenegger, J. J. Cerdà, C. Holm, J. Chem. Theory Comput. 8, 936 (2012).
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from scc.arrays import FloatArray
from scc.basis.solid_harmonics import solid_harmonics
from scc.electrostatics.multipoles.moments import normalisations

SPLINE_ORDERS = (4, 5, 6, 7, 8, 10, 12, 14)
SPACINGS = np.geomspace(0.06, 2.8, 60)  # h/√s
_LARGEST_WAVE = 9.5  # e^{−k²/2} = 3e-20
_RADII = 64
_NODES = 160
_ALIASES = np.arange(-4, 5)


class MeshTails(NamedTuple):
    """On :data:`SPACINGS`, for s = 1, n = λt + λs and λt, λs as indices."""

    potential: FloatArray  # (n, h): ∫dk k^{2n−2} e^{−k²} of the potential's mean square
    gradient: FloatArray  # (n, h): the same of the force's
    missing: FloatArray  # (n, h): ∫dk k^{2n} e^{−k²/2} over the waves outside of the mesh
    own: FloatArray  # (λt, λs, h): Σ_AB C_AB²/((2λt+1)(2λs+1))


@cache
def mesh_tails(spline_order: int, target_l: int, source_l: int) -> MeshTails:
    """Tables for one spline order and all λt ≤ target_l, λs ≤ source_l."""
    step = _LARGEST_WAVE / _RADII
    k = np.asarray((np.arange(_RADII) + 0.5) * step, dtype=np.float64)
    q = SPACINGS[:, None] * k
    grid = np.linspace(0.0, 3.0 * np.pi, _NODES)  # beyond √3π every direction is outside
    potential, gradient, missing = _angular_means(spline_order, grid)
    n = np.arange(target_l + source_l + 1)
    weight = k ** (2 * n[:, None] - 2) * np.exp(-(k**2)) * step
    own_weight = k ** (2 * n[:, None]) * np.exp(-0.5 * k**2) * step
    return MeshTails(
        weight @ np.interp(q, grid, potential).T,
        # the mean square of the force in units of 1/h²
        weight @ np.interp(q, grid, gradient).T / SPACINGS**2,
        own_weight @ np.interp(q, grid, missing).T,
        _own(spline_order, target_l, source_l, k, step),
    )


def _angular_means(order: int, q: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Means over directions at kh = q: potential, force times h², and the share outside."""
    cosine, weight = np.polynomial.legendre.leggauss(10)
    cosine = 0.5 * (cosine + 1.0)
    angle = (np.arange(4) + 0.5) / 4 * np.pi / 4  # x and y are alike
    sine = np.sqrt(1.0 - cosine**2)
    directions = np.stack(
        [
            np.outer(sine, np.cos(angle)),
            np.outer(sine, np.sin(angle)),
            np.outer(cosine, np.ones(4)),
        ]
    ).reshape(3, -1)
    weights = np.repeat(0.5 * weight, 4) / 4
    kappa = q[:, None] * directions[:, None, :] / (2.0 * np.pi)  # (3, q, directions)
    outside = np.any(kappa > 0.5, axis=0)
    loss, alias, _ = _axis(order, np.minimum(kappa, 0.5))
    epsilon = -np.expm1(np.sum(np.log1p(-loss), axis=0))
    squared = (2.0 * np.pi) ** 2
    force = squared * np.sum(alias - kappa**2 * loss, axis=0) + 2.0 * q[:, None] ** 2 * epsilon
    return (
        np.where(outside, 1.0, 2.0 * epsilon) @ weights,
        np.where(outside, q[:, None] ** 2, force) @ weights,
        outside @ weights,
    )


def _axis(order: int, kappa: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """1 − a_0, Σ_{n≠0} (κ+n)² a_n and c(κ) of one axis, 0 ≤ κ ≤ ½, from a table."""
    grid = np.linspace(0.0, 0.5, _NODES)
    loss, alias, neighbour = _axis_table(order, grid)
    # powers of κ: interpolate roots, which are smooth
    return (
        np.interp(kappa, grid, loss ** (0.5 / order)) ** (2 * order),
        np.interp(kappa, grid, alias ** (0.5 / order)) ** (2 * order),
        np.sign(neighbour[1]) * np.interp(kappa, grid, np.abs(neighbour) ** (1 / order)) ** order,
    )


def _axis_table(order: int, kappa: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    shifted = kappa[:, None] + _ALIASES
    transform = np.sinc(shifted) ** order
    total = np.sum(transform**2, axis=1)
    alias = _ALIASES != 0
    neighbour = np.sum(transform[:, :-1] * transform[:, 1:], axis=1)
    return (
        np.sum(transform[:, alias] ** 2, axis=1) / total,
        np.sum((shifted * transform)[:, alias] ** 2, axis=1) / total,
        neighbour / total,
    )


def _own(order: int, target_l: int, source_l: int, k: FloatArray, step: float) -> FloatArray:
    """(2/π) ∫dk k^{λt+λs} e^{−k²/2} ⟨R_A R_B c(kh cos θ/2π)⟩/(…)!!, squared and summed."""
    cosine, weight = np.polynomial.legendre.leggauss(20)
    number = target_l + source_l + 1
    angle = 2.0 * np.pi * np.arange(number) / number
    sine = np.sqrt(1.0 - cosine**2)
    directions = np.stack(
        [
            np.outer(sine, np.cos(angle)),
            np.outer(sine, np.sin(angle)),
            np.outer(cosine, np.ones(number)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    left = solid_harmonics(target_l, directions) * normalisations(target_l)
    right = solid_harmonics(source_l, directions) * normalisations(source_l)
    product = (left[:, :, None] * right[:, None, :]).reshape(len(cosine), number, -1).mean(axis=1)
    product *= 0.5 * weight[:, None]
    q = np.linspace(0.0, 3.0 * np.pi, _NODES)
    kappa = q[:, None] * np.abs(cosine) / (2.0 * np.pi)
    inside = kappa <= 0.5
    _, _, c = _axis(order, np.minimum(kappa, 0.5))
    angular = (c * inside) @ product  # (q, AB)
    size = left.shape[1], right.shape[1]
    result = np.empty((*size, len(SPACINGS)))
    degrees = [np.floor(np.sqrt(np.arange(n))).astype(int) for n in size]
    for a in range(size[0]):
        for b in range(size[1]):
            power = degrees[0][a] + degrees[1][b]
            mean = np.interp(SPACINGS[:, None] * k, q, angular[:, a * size[1] + b])
            amplitude = 2.0 / np.pi * mean @ (k**power * np.exp(-0.5 * k**2) * step)
            result[a, b] = amplitude**2 / ((2 * degrees[0][a] + 1) * (2 * degrees[1][b] + 1))
    for axis, l_max in enumerate((target_l, source_l)):
        result = np.add.reduceat(result, np.arange(l_max + 1) ** 2, axis=axis)
    return result
