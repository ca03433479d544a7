r"""Lemma 13: derivatives of O(H)_ℓk with respect to entries of H decay along chains, O = F, G.

Statement. β < ∞ or g± > 0. For O = F, G, 0 ≤ j, the sum over the orderings of the j entries,

    |∂^j O(H)_ℓk / ∂H_{ℓ₁k₁}…∂H_{ℓ_jk_j}| ≤ C Σ_orderings e^{−η[r_{ℓℓ₁} + r_{k₁ℓ₂} + … + r_{k_jk}]},

and the same of O − O_N with a further factor e^{−θN}.

Proof with constants. D^jR(z) is a sum over orderings of products R_{ℓℓ₁} R_{k₁ℓ₂} … R_{k_jk}. Along
the spectral line (:mod:`scc.theory._spectral_line`), with weights w_k for F and ν for G, and with
Lemma 12 at every node,

    |∂^jF_ℓk| ≤ Σ_orderings Σ_k w_k Π |R(z_k)| ≤ j! [Σ_k w_k c(η, s_k)^{−(j+1)}] e^{−η L},   j ≥ 1,

L the shortest chain; sharp, η is chosen for each factor and node. Where that sum or integral would
diverge, the next order in 1/s is known (:mod:`scc.theory._resolvent_bounds`): F(H)_ℓk − ½δ needs
Re R only, which is O(s⁻²); G(H)_ℓk for ℓ ≠ k needs Im R without its multiple of 1, O(s⁻³); DG
needs Im(RAR), O(s⁻³). Besides, G has the local terms ½(H − µ) and its derivative ½δδ. No constant
blows up near a pole, as it would on a contour squeezed between the spectrum and µ ± iπ/β.

O − O_N has neither poles to sum nor decay at large |z|. (O − O_N)(H) = (1/2πi)∮_Γ (O − O_N) R dz on
ellipses confocal with X, level lines κθ of Green's function, with Hermite's formula for the rest
(:mod:`scc.theory._interpolation_error`):

    |∂^j(O − O_N)_ℓk| ≤ (1/2π)∮_Γ |O − O_N||dz| · Σ_orderings Π min_η e^{−ηr}/c_Γ(η),

and N enters through |ω(z)/ω(ζ)|, whose N-th root tends to e^{g(z) − g(ζ)}, g Green's function: the
rate in N is (1 − κ)θ, θ = g(µ + iπ/β), or g in the gap; η falls with κ.
"""

import math
from itertools import permutations
from typing import Any

import mpmath
import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory._daleckii_krein import Function, entries, polynomial_moment, rounding
from scc.theory._interpolation_error import Contour, contour_around, interpolant
from scc.theory._resolvent_bounds import ResolventBounds, resolvent_bounds
from scc.theory._spectral_line import representations_hold
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

DEGREE = 12
SHARES = (0.35, 0.7)
"""κ; the smaller bound counts."""

_SAMPLES = {0: 120, 1: 120, 2: 24}
# D²O needs n³ divided differences: measured up to this many orbitals only.
_LARGEST_TENSOR = 36


def derivation() -> dict[str, bool]:
    """Derivatives of the resolvent, the line, and Hermite's formula at numbers."""
    return representations_hold() | {
        "∂R_ab/∂H_cd = R_ac R_db, and twice": _resolvent_derivatives(),
        "error of 1/(ζ − z) is ω(z)/ω(ζ)(ζ − z)": _interpolation_of_a_pole(),
        "Im(RAR) = Re R·A·Im R + Im R·A·Re R": _imaginary_part(),
    }


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """β < ∞ or gaps on both sides."""
    finite = not system.zero_temperature
    return {
        "beta < inf or gaps on both sides": finite
        or (0.0 < system.gap_below < np.inf and 0.0 < system.gap_above < np.inf),
        "min{g-, g+}": min(system.gap_below, system.gap_above),
    }


def bound(
    system: TightBindingSystem, chains: IntArray, resolvent: ResolventBounds | None = None
) -> dict[Function, FloatArray]:
    """Sharp form for chains (T, 2j + 2) of orbitals (ℓ, ℓ₁, k₁, …, k), j ≤ 2: (T,) for F and G.

    For j = 0 F stands for F − ½, and G says nothing (∞) at ℓ = k, where nothing decays.
    """
    resolvent = resolvent or resolvent_bounds(system)
    order = chains.shape[1] // 2 - 1
    total_f, total_g = np.zeros(len(chains)), np.zeros(len(chains))
    for links in orderings(chains):
        of_f, of_g = _one_ordering(resolvent, system.orbital_distances[links])
        total_f += of_f
        total_g += of_g
    if order == 0:
        total_f = np.minimum(total_f, 0.5)
    total_g += abs(resolvent.line.offset) * total_f
    if order == 0:
        a, b = chains[:, 0], chains[:, 1]
        total_g += 0.5 * np.abs(system.hamiltonian[a, b])
        total_g[a == b] = np.inf
    if order == 1:
        total_g += 0.5 * np.all(chains[:, [0, 2]] == chains[:, [1, 3]], axis=1)
    return {"F": total_f, "G": total_g}


def constants(resolvent: ResolventBounds, function: Function, order: int) -> FloatArray:
    """C of the statement for j = ``order`` ≥ 1 and each η of the table, (K,), ∞ where there is
    none; for G of all but the terms ½δδ and (E − µ)∂^jF."""
    nodes, last = (order + 1) * resolvent.whole_part, (order + 1) * resolvent.last_whole
    line = resolvent.line
    if function == "F":
        weights, tail = line.occupation, line.occupation_tail(order + 1)
    else:
        weights, tail = line.grand_potential, line.grand_potential_tail(max(order + 1, 3))
        if order == 1:
            mixed = math.log(2.0) + resolvent.whole_part + resolvent.real_part
            nodes = np.minimum(nodes, mixed)
            last = math.log(2.0) + resolvent.last_whole + resolvent.last_real
    return np.asarray(math.factorial(order) * _summed(weights, tail, nodes, last))


def difference_bound(
    system: TightBindingSystem, contours: list[Contour], chains: IntArray
) -> dict[Function, FloatArray]:
    """The same of O − O_N, for O = F and G: (T,) each; the best of the contours counts."""
    best: dict[Function, FloatArray] = {name: np.full(len(chains), np.inf) for name in ("F", "G")}
    for contour in contours:
        decay = np.zeros(len(chains))
        for links in orderings(chains):
            decay += np.exp(np.sum(contour.log_entries(system.orbital_distances[links]), axis=-1))
        best["F"] = np.minimum(best["F"], contour.occupation * decay)
        best["G"] = np.minimum(best["G"], contour.grand_potential * decay)
    return best


def checks(system: TightBindingSystem) -> list[Check]:
    """Sampled entries, j = 0, 1, 2, of F and G, and of F − F_N and G − G_N."""
    resolvent = resolvent_bounds(system)
    polynomial = interpolant(system, DEGREE)
    contours = [contour_around(system, polynomial, share) for share in SHARES]
    size = len(system.levels)
    rng = np.random.default_rng(size)
    found = []
    for order, samples in _SAMPLES.items():
        if order == 2 and size > _LARGEST_TENSOR:
            continue
        chains = rng.integers(0, size, (samples, 2 * order + 2))
        if order == 0:
            chains = chains[chains[:, 0] != chains[:, 1]]
        limits = bound(system, chains, resolvent)
        differences = difference_bound(system, contours, chains)
        functions: tuple[Function, ...] = ("F", "G")
        for function in functions:
            values, error = _exact(system, resolvent, function, chains)
            of_n, error_of_n = _interpolated(system, polynomial, function, chains)
            name = f"|∂^{order} {function}|"
            found.append(Check.of(name, values, limits[function], error))
            difference = f"|∂^{order} ({function} − {function}_N)|"
            limit = differences[function]
            found.append(Check.of(difference, values - of_n, limit, error + error_of_n))
    return found


def _exact(
    system: TightBindingSystem, resolvent: ResolventBounds, function: Function, chains: IntArray
) -> tuple[FloatArray, float]:
    """Entries and their error."""
    occupation = FermiDirac(system.beta, system.mu)
    values = entries(occupation, function, system.levels, system.state.eigenvectors, chains)
    order = chains.shape[1] // 2 - 1
    return values, rounding(system, moments(system, resolvent, function, order), order)


def _interpolated(
    system: TightBindingSystem,
    polynomial: PolynomialOccupation,
    function: Function,
    chains: IntArray,
) -> tuple[FloatArray, float]:
    values = entries(polynomial, function, system.levels, system.state.eigenvectors, chains)
    order = chains.shape[1] // 2 - 1
    first, second = (polynomial_moment(polynomial, function, order + i) for i in (0, 1))
    return values, rounding(system, (first, second), order)


# -- parts of the bounds -------------------------------------------------------------------------


def orderings(chains: IntArray) -> list[tuple[IntArray, IntArray]]:
    """(from, to) of the links of every ordering, (T, j + 1) each."""
    order = chains.shape[1] // 2 - 1
    found = []
    for ordering in permutations(range(order)):
        columns = [0] + [2 * i + 1 + side for i in ordering for side in (0, 1)] + [-1]
        path = chains[:, columns]
        found.append((path[:, 0::2], path[:, 1::2]))
    return found


def _one_ordering(resolvent: ResolventBounds, r: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Σ over the nodes and beyond, of links of lengths r (T, j + 1); for F and for G."""
    order = r.shape[1] - 1
    nodes, last = resolvent.log_entries(r), resolvent.log_last_entries(r)
    whole, whole_last = np.sum(nodes[0], axis=-1), np.sum(last[0], axis=-1)
    if order == 0:
        of_f, of_g = (nodes[1][..., 0], last[1][..., 0]), (nodes[2][..., 0], last[2][..., 0])
    elif order == 1:
        of_f = whole, whole_last
        of_g = np.minimum(whole, _mixed(*nodes[:2])), _mixed(*last[:2])
    else:
        of_f = of_g = whole, whole_last
    line = resolvent.line
    return (
        _summed(line.occupation, line.occupation_tail(max(order + 1, 2)), *of_f),
        _summed(line.grand_potential, line.grand_potential_tail(max(order + 1, 3)), *of_g),
    )


def _mixed(whole: FloatArray, real: FloatArray) -> FloatArray:
    """ln(|Re R_1||R_2| + |R_1||Re R_2|)."""
    return np.logaddexp(real[..., 0] + whole[..., 1], whole[..., 0] + real[..., 1])


def _summed(weights: FloatArray, tail: float, nodes: FloatArray, last: FloatArray) -> FloatArray:
    used = weights > 0.0
    return np.asarray(weights[used] @ np.exp(nodes[used]) + tail * np.exp(last))


def moments(
    system: TightBindingSystem, resolvent: ResolventBounds, function: Function, order: int
) -> tuple[float, float]:
    """Bounds of ‖D^jO‖ and ‖D^{j+1}O‖."""
    if function == "F":
        first = 1.0 if order == 0 else resolvent.occupation_moment(order)
        return first, resolvent.occupation_moment(order + 1)
    largest = float(np.max(np.abs(system.levels - system.mu))) + np.log(2.0) / system.beta
    first = largest if order == 0 else resolvent.grand_potential_moment(order)
    return first, resolvent.grand_potential_moment(order + 1)


# -- the derivation ------------------------------------------------------------------------------


def _resolvent_derivatives() -> bool:
    """Against central differences in 40 digits."""
    with mpmath.workdps(40):
        rng = np.random.default_rng(5)
        matrix: Any = mpmath.matrix
        h = matrix(rng.uniform(-1.0, 1.0, (4, 4)).tolist())
        inverse: Any = mpmath.inverse
        z, step = mpmath.mpc("0.3", "0.7"), mpmath.mpf(10) ** -10

        def resolvent(t: Any, s: Any) -> Any:
            moved = h.copy()
            moved[1, 2] += t
            moved[3, 0] += s
            return inverse(z * mpmath.eye(4) - moved)

        r = resolvent(0, 0)
        first = (resolvent(step, 0)[0, 3] - resolvent(-step, 0)[0, 3]) / (2 * step)
        second = sum(
            sign * other * resolvent(sign * step, other * step)[0, 3]
            for sign in (1, -1)
            for other in (1, -1)
        ) / (4 * step**2)
        once = abs(first - r[0, 1] * r[2, 3])
        twice = abs(second - r[0, 1] * r[2, 3] * r[0, 3] - r[0, 3] * r[0, 1] * r[2, 3])
        return bool(once < 1e-17 and twice < 1e-15)


def _interpolation_of_a_pole() -> bool:
    """With Lagrange's form of the interpolant, at rational numbers."""
    nodes = [mpmath.mpf(v) for v in ("-1.1", "-0.2", "0.4", "0.9")]
    z, zeta = mpmath.mpf("0.33"), mpmath.mpc("0.1", "0.8")
    product: Any = mpmath.fprod

    def omega(x: Any) -> Any:
        return product(x - node for node in nodes)

    value = sum(
        product((z - other) / (node - other) for other in nodes if other != node) / (zeta - node)
        for node in nodes
    )
    return bool(abs(1 / (zeta - z) - value - omega(z) / (omega(zeta) * (zeta - z))) < 1e-12)


def _imaginary_part() -> bool:
    rng = np.random.default_rng(6)
    real, imaginary, a = (rng.integers(-4, 5, (3, 3)) for _ in range(3))
    whole = (real + 1j * imaginary) @ a @ (real + 1j * imaginary)
    return bool(np.array_equal(whole.imag, real @ a @ imaginary + imaginary @ a @ real))
