"""Entries of O(H), DO(H) and D²O(H) for O = F, G and polynomials, and the errors they carry.

In the eigenbasis C of H, with divided differences of O and Δ_ab = e_a e_bᵀ,

    O(H)_ab = Σ_i O(λ_i) C_ai C_bi,
    DO(H)[Δ_cd]_ab = Σ_ij O[λ_i, λ_j] (C_a C_c)_i (C_d C_b)_j,
    D²O(H)[Δ_cd, Δ_ef]_ab = Σ_ijk O[λ_i, λ_j, λ_k] (C_a C_c)_i (C_d C_e)_j (C_f C_b)_k + (cd ↔ ef).

A chain is the tuple of orbitals (a, c, d, b), or (a, c, d, e, f, b).
"""

from typing import Literal

import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.bodyorder.chebyshev import series_second_divided_difference
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory.system import TightBindingSystem

Function = Literal["F", "G"]
EPS = float(np.finfo(np.float64).eps)

# G[x, y, z] by recursion loses eps/spread; below this spread in units of 1/β it is integrated, with
# eight Gauss points: the poles of F are π/β away, the error is (2π + √(4π² + 1))^{−16} < 3e-18.
_SPREAD = 1.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


def entries(
    occupation: FermiDirac | PolynomialOccupation,
    function: Function,
    levels: FloatArray,
    orbitals: FloatArray,
    chains: IntArray,
) -> FloatArray:
    """Derivatives of order j along T chains (T, 2j + 2), j ≤ 2: (T,)."""
    c = orbitals[chains]  # (T, 2j + 2, n)
    if chains.shape[1] == 2:
        values = occupation.occupation if function == "F" else occupation.grand_potential
        return np.asarray(np.sum(c[:, 0] * c[:, 1] * values(levels), axis=-1))
    if chains.shape[1] == 4:
        matrix = _divided_differences(occupation, function, levels)
        return np.asarray(np.sum(((c[:, 0] * c[:, 1]) @ matrix) * (c[:, 2] * c[:, 3]), axis=-1))
    tensor = second_divided_differences(occupation, function, levels)
    total = np.zeros(len(chains))
    for a, first, second, third, fourth, b in ((0, 1, 2, 3, 4, 5), (0, 3, 4, 1, 2, 5)):
        left = np.tensordot(c[:, a] * c[:, first], tensor, axes=(1, 0))
        middle = np.einsum("tjk,tj->tk", left, c[:, second] * c[:, third])
        total += np.sum(middle * c[:, fourth] * c[:, b], axis=-1)
    return total


def directional(
    occupation: FermiDirac | PolynomialOccupation,
    function: Function,
    levels: FloatArray,
    orbitals: FloatArray,
    directions: list[FloatArray],
) -> FloatArray:
    """D^jO(H)[w_1, …, w_j] for symmetric w, j = 1 or 2: (n, n)."""
    inner = [orbitals.T @ w @ orbitals for w in directions]
    if len(inner) == 1:
        result = _divided_differences(occupation, function, levels) * inner[0]
    else:
        first, second = inner
        tensor = second_divided_differences(occupation, function, levels)
        result = np.einsum("ijk,ij,jk->ik", tensor, first, second, optimize=True)
        result = result + result.T  # the other order, by symmetry of w and of the differences
    return np.asarray(orbitals @ result @ orbitals.T)


def _divided_differences(
    occupation: FermiDirac | PolynomialOccupation, function: Function, levels: FloatArray
) -> FloatArray:
    """O[λ_i, λ_j], (n, n)."""
    if function == "F":
        return occupation.divided_difference(levels[:, None], levels[None, :])
    return occupation.grand_potential_divided_difference(levels[:, None], levels[None, :])


def second_divided_differences(
    occupation: FermiDirac | PolynomialOccupation, function: Function, levels: FloatArray
) -> FloatArray:
    """O[λ_i, λ_j, λ_k], (n, n, n)."""
    x, y, z = levels[:, None, None], levels[None, :, None], levels[None, None, :]
    if function == "F":
        return occupation.second_divided_difference(x, y, z)
    if isinstance(occupation, PolynomialOccupation):
        low, high = occupation.spectral_set.lower, occupation.spectral_set.upper
        half = 0.5 * (high - low)
        scaled = [(v - 0.5 * (low + high)) / half for v in (x, y, z)]
        return series_second_divided_difference(occupation.coefficients, *scaled) / half**2
    return _second_grand_potential(occupation, levels)


def _second_grand_potential(occupation: FermiDirac, levels: FloatArray) -> FloatArray:
    """G[x, y, z] = (G[x, y] − G[y, z])/(x − z) with x, z farthest apart; where all are close,
    ∫_0^1 t F[x + t(y − x), x + t(z − x)] dt (Hermite–Genocchi)."""
    triples = np.sort(
        np.stack(np.broadcast_arrays(*np.ix_(levels, levels, levels)), axis=-1), axis=-1
    )
    x, y, z = np.moveaxis(triples, -1, 0)
    apart = z - x
    if np.isinf(occupation.beta):
        # Levels on one side of µ: G is linear there.
        crosses = (x < occupation.chemical_potential) & (z > occupation.chemical_potential)
    else:
        crosses = occupation.beta * apart >= _SPREAD
    divided = occupation.grand_potential_divided_difference
    result = np.zeros(x.shape)
    result[crosses] = (divided(x, y)[crosses] - divided(y, z)[crosses]) / -apart[crosses]
    if not np.isinf(occupation.beta):
        near = ~crosses
        t = 0.5 * (_NODES + 1.0)[:, None]
        x, y, z = x[near], y[near], z[near]
        values = occupation.divided_difference(x + t * (y - x), x + t * (z - x))
        result[near] = (0.5 * _WEIGHTS) @ (t * values)
    return result


def rounding(system: TightBindingSystem, moments: tuple[float, float], order: int) -> float:
    """Error of an entry of D^jO(H), Δ of norm one.

    ``moments``: bounds of ‖D^jO‖ and ‖D^{j+1}O‖. The levels are those of H + δ, ‖δ‖ ≤ u; sums over
    i, j, k of products of orthonormal columns add 4(j + 1)n eps ‖D^jO‖; the recursion for
    G[x, y, z] adds 4 eps β.
    """
    recursion = 4.0 * EPS * system.beta if order == 2 and not system.zero_temperature else 0.0
    summation = 4.0 * (order + 1) * len(system.levels) * EPS * moments[0]
    return system.rounding_unit * moments[1] + summation + recursion


def polynomial_moment(occupation: PolynomialOccupation, function: Function, order: int) -> float:
    """Bound of ‖D^jP(H)‖ in the Frobenius norm for σ(H) in the hull of X, P = Σ_k c_k T_k.

    j! orderings of j!⁻¹ T_k^{(j)}(1) ≥ |T_k[x_0, …, x_j]|, T_k^{(j)}(1) = Π_{i<j} (k² − i²)/(2i+1)
    (V. Markov), and a factor 1/h for every derivative, h half the length of the hull.
    """
    half = 0.5 * (occupation.spectral_set.upper - occupation.spectral_set.lower)
    series = np.abs(occupation.coefficients)
    extra = 1 if function == "F" else 0  # F_N is the derivative of G_N
    k = np.arange(len(series), dtype=np.float64)
    derivative = np.ones_like(k)
    for i in range(order + extra):
        derivative *= np.maximum(k**2 - i**2, 0.0) / (2 * i + 1)
    return float(series @ derivative) / half ** (order + extra)
