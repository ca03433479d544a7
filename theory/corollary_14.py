r"""Corollary 14: D^jO(H) takes decaying perturbations to decaying matrices.

Statement, in the form derived here. Let |w⁽ⁱ⁾_ab| ≤ c_i e^{−η_i d_i(a, b)} with d_i symmetric and
r_ab ≤ d_i(a, b) ≤ r_am + d_i(m, b) for all a, b, m. Under the hypotheses of Lemma 13, for every
0 < τ < 1 and η ≤ min{η_ct, η_1, …, η_j},

    |D^jO(H)[w⁽¹⁾, …, w⁽ʲ⁾]_ℓk| ≤ C_j(η) K(τη)^{2j} Π c_i · e^{−(1 − τ)η max_i d_i(ℓ, k)},

C_j(η) = j! Σ_k w_k c(η, s_k)^{−(j+1)} of Lemma 13, K(κ) = max_a Σ_b e^{−κ r_ab} over orbitals,
finite by Lemma 9 however many atoms there are. The paper's form is τ = ½, hence its
η = ½ min{η_ct, η_i}, with Π_i e^{−η d_i(ℓ, k)/j} on the right: the mean of the d_i, where the
maximum stands here. G has, at j = 1, the local term ½w as well.

Proof. By Lemma 13 the left side is at most C_j Π c_i Σ e^{−ηL}, averaged over the orderings and
summed over all a_i, b_i, with the length of the chain

    L = r_{ℓa₁} + d_1(a₁, b₁) + r_{b₁a₂} + … + d_j(a_j, b_j) + r_{b_jk}.

For each i, by d_i ≤ r + d_i at both ends and r ≤ d for the other links, d_i(ℓ, k) ≤ L. So
e^{−ηL} ≤ e^{−(1−τ)η max d_i} e^{−τηL}, and the 2j sums over a₁, b₁, …, b_j of the remaining
exponentials give K each, the last link being at most 1.

*Sharper where w is pinned*, d(a, b) = r_am + r_mb or |r_a − x| + |x − r_b|: no sum is needed.
With φ = r_·m, |DF(H)[w]_ℓk| ≤ Σ_k w_k c(η, s_k)⁻² ‖e^{ηφ}we^{ηφ}‖ e^{−η(r_ℓm + r_mk)}: nothing is
halved, any η < min{η_ct, η_w} will do, and the norm replaces c_1K². Theorem 4 rests on this.

Remark 13 uses d = r_ℓk, r_ℓm + r_mk, |r_ℓ − x| + |x − r_k|: the three that are tried.
"""

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import sympy as sp

from scc.arrays import FloatArray
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import lemma_13
from scc.theory._daleckii_krein import Function, directional, rounding
from scc.theory._resolvent_bounds import ResolventBounds, resolvent_bounds
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

SHARES = (0.1, 0.25, 0.5, 0.75)
"""τ; the paper's is ½."""

_LARGEST_TENSOR = 36
_RATE = 1.5
"""η_i of the perturbations tried, 1/bohr."""


@dataclass(frozen=True, eq=False)
class Decaying:
    """A symmetric w with |w_ab| ≤ ``strength`` e^{−``rate`` d(a, b)}.

    ``distance``: d by orbitals, (n, n) bohr; ``name``: which d.
    """

    name: str
    matrix: FloatArray
    strength: float
    rate: float
    distance: FloatArray
    pin: FloatArray | None = None
    """φ, the distance to the atom or point that w is pinned to, (n,)."""


def derivation() -> dict[str, bool]:
    """The two inequalities of the proof, and K on a chain."""
    return {
        "d_i(ℓ, k) ≤ L for each of the three distances": _chains_are_longer(),
        "2j sums over a chain are at most K each": _sums_over_chains(),
        "K of a chain is coth(κ/2)": _chain_constant(),
        "max d_i ≥ Σ d_i/j": _maximum_beats_mean(),
    }


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """Those of Lemma 13, and the triangle inequalities of every d that is tried."""
    r = system.orbital_distances
    slack = 1e-12 * (1.0 + float(np.max(r)))
    found = lemma_13.hypotheses(system)
    for w in perturbations(system):
        d = w.distance
        # min over m of r_am + d_mb, against d_ab.
        shortest = np.min(r[:, :, None] + d[None, :, :], axis=1)
        admissible = np.all(r <= d + slack) and np.all(d <= shortest + slack)
        found[f"r <= d <= r + d for d = {w.name}"] = bool(admissible and np.array_equal(d, d.T))
    return found


def perturbations(system: TightBindingSystem) -> list[Decaying]:
    """Random symmetric w for d = r_ab, r_am + r_mb and |r_a − x| + |x − r_b|."""
    size = len(system.levels)
    rng = np.random.default_rng(size)
    positions = system.configuration.positions[system.owner]
    m = int(rng.integers(system.atoms))
    x = system.configuration.positions[m] + rng.uniform(0.2, 0.8, 3)
    from_atom = system.distances[system.owner, m]
    from_point = np.linalg.norm(positions - x, axis=-1)
    distances = {
        "r_ab": (system.orbital_distances, None),
        "r_am + r_mb": (from_atom[:, None] + from_atom, from_atom),
        "|r_a − x| + |x − r_b|": (from_point[:, None] + from_point, from_point),
    }
    found = []
    for name, (d, pin) in distances.items():
        noise = rng.uniform(-1.0, 1.0, (size, size))
        w = 0.5 * (noise + noise.T) * np.exp(-_RATE * d)
        found.append(Decaying(name, w, 1.0, _RATE, d, pin))
    return found


def row_sums(system: TightBindingSystem, rates: FloatArray) -> FloatArray:
    """K(κ) = max_a Σ_b e^{−κ r_ab} for each κ, the shape of ``rates``."""
    decay = np.exp(-rates[..., None, None] * system.orbital_distances)
    return np.asarray(np.max(np.sum(decay, axis=-1), axis=-1))


def prefactors(
    system: TightBindingSystem, resolvent: ResolventBounds, function: Function, order: int
) -> FloatArray:
    """C_j(η) K(τη)^{2j} for every τ of :data:`SHARES` and η of the table, (len(SHARES), K)."""
    constants = lemma_13.constants(resolvent, function, order)
    if function == "G" and resolvent.line.offset != 0.0:
        constants = constants + abs(resolvent.line.offset) * lemma_13.constants(
            resolvent, "F", order
        )
    sums = row_sums(system, np.multiply.outer(SHARES, resolvent.rates))
    return np.asarray(constants * sums ** (2 * order))


def bound(
    factors: FloatArray, resolvent: ResolventBounds, function: Function, perturbed: list[Decaying]
) -> FloatArray:
    """The statement for all ℓ, k: (n, n), with the best τ and η for each distance; ``factors`` from
    :func:`prefactors`, whose rows may be restricted: τ = ½ alone is the paper's."""
    slowest = min(w.rate for w in perturbed)
    farthest = np.max([w.distance for w in perturbed], axis=0)
    best = np.full(farthest.shape, np.inf)
    for share, row in zip(SHARES, factors, strict=True):
        usable = (resolvent.rates <= slowest) & (row < np.inf)
        rates = (1.0 - share) * resolvent.rates[usable]
        lines = np.log(row[usable]) - farthest[..., None] * rates
        best = np.minimum(best, np.exp(np.min(lines, axis=-1)))
    best *= float(np.prod([w.strength for w in perturbed]))
    if function == "G" and len(perturbed) == 1:
        best = best + 0.5 * np.abs(perturbed[0].matrix)
    return np.asarray(best)


def pinned_bound(resolvent: ResolventBounds, w: Decaying) -> FloatArray:
    """The sharper form of |DF(H)[w]_ℓk| for a pinned w, (n, n)."""
    assert w.pin is not None
    with np.errstate(divide="ignore"):
        logarithm = np.log(np.abs(w.matrix))
    path = w.pin[:, None] + w.pin
    exponents = 2.0 * (logarithm[..., None] + path[..., None] * resolvent.rates)
    top = np.max(exponents, axis=(0, 1))
    log_norm = 0.5 * (top + np.log(np.sum(np.exp(exponents - top), axis=(0, 1))))
    return resolvent.occupation_response(log_norm - path[..., None] * resolvent.rates)


def checks(system: TightBindingSystem) -> list[Check]:
    """DF and DG for each d, D²F for pairs of them; general form and pinned form."""
    resolvent = resolvent_bounds(system)
    tried = perturbations(system)
    found = []
    functions: tuple[Function, ...] = ("F", "G")
    for function in functions:
        factors = prefactors(system, resolvent, function, 1)
        for w in tried:
            value, error = _measured(system, resolvent, function, [w])
            limit = bound(factors, resolvent, function, [w])
            found.append(Check.of(f"|D{function}[w]|, d = {w.name}", value, limit, error))
            if function == "F" and w.pin is not None:
                limit = pinned_bound(resolvent, w)
                found.append(Check.of(f"|DF[w]|, pinned, d = {w.name}", value, limit, error))
    if len(system.levels) > _LARGEST_TENSOR:
        return found
    factors = prefactors(system, resolvent, "F", 2)
    for first, second in zip(tried, tried[1:] + tried[:1], strict=True):
        value, error = _measured(system, resolvent, "F", [first, second])
        limit = bound(factors, resolvent, "F", [first, second])
        name = f"|D²F[w₁, w₂]|, d₁ = {first.name}, d₂ = {second.name}"
        found.append(Check.of(name, value, limit, error))
    return found


def _measured(
    system: TightBindingSystem,
    resolvent: ResolventBounds,
    function: Function,
    perturbed: list[Decaying],
) -> tuple[FloatArray, float]:
    """D^jO(H)[w…], (n, n), and its error."""
    order = len(perturbed)
    matrices = [w.matrix for w in perturbed]
    occupation = FermiDirac(system.beta, system.mu)
    orbitals = system.state.eigenvectors
    value = directional(occupation, function, system.levels, orbitals, matrices)
    moments = lemma_13.moments(system, resolvent, function, order)
    size = float(np.prod([np.linalg.norm(matrix) for matrix in matrices]))
    return value, size * rounding(system, moments, order)


# -- the derivation ------------------------------------------------------------------------------


def _distances(points: Any, pin: int) -> list[FloatArray]:
    r = np.linalg.norm(points[:, None] - points, axis=-1)
    x = np.linalg.norm(points - points.mean(axis=0) - 0.3, axis=-1)
    return [r, r[:, [pin]] + r[pin], x[:, None] + x]


def _chains_are_longer() -> bool:
    """L ≥ d_i(ℓ, k), for random chains of two links of every two kinds, in three dimensions."""
    rng = np.random.default_rng(14)
    points = rng.uniform(-3.0, 3.0, (40, 3))
    d = _distances(points, 7)
    start, a, b, c, e, end = rng.integers(0, 40, (6, 5000))
    holds = True
    for first, second in permutations(range(3), 2):
        length = d[0][start, a] + d[first][a, b] + d[0][b, c] + d[second][c, e] + d[0][e, end]
        both = np.maximum(d[first][start, end], d[second][start, end])
        holds &= bool(np.all(both <= length + 1e-12))
    return holds


def _sums_over_chains() -> bool:
    """Σ_{a,b} e^{−κ(r_ℓa + d(a,b) + r_bk)} ≤ K(κ)² for the three d; Σ = (EDE)_ℓk."""
    rng = np.random.default_rng(15)
    points = rng.uniform(-4.0, 4.0, (60, 3))
    d = _distances(points, 3)
    holds = True
    for kappa in (0.3, 1.0, 3.0):
        exponentials = np.exp(-kappa * d[0])
        constant = float(np.max(np.sum(exponentials, axis=1)))
        for kind in d:
            summed = exponentials @ np.exp(-kappa * kind) @ exponentials
            holds &= bool(np.max(summed) <= constant**2 * (1.0 + 1e-12))
    return holds


def _chain_constant() -> bool:
    """Σ_{n∈Z} e^{−κ|n|} = coth(κ/2): K of a chain of unit spacing is bounded by it."""
    kappa, q = sp.symbols("kappa q", positive=True)
    geometric = 1 + 2 * q / (1 - q)
    series = sp.series(geometric, q, 0, 8).removeO()
    closed = sp.simplify((geometric.subs(q, sp.exp(-kappa)) - sp.coth(kappa / 2)).rewrite(sp.exp))
    return bool(closed == 0 and sp.expand(series - 1 - 2 * sum(q**n for n in range(1, 8))) == 0)


def _maximum_beats_mean() -> bool:
    a, b = sp.symbols("a b", real=True)
    return bool(sp.simplify(sp.Max(a, b).rewrite(sp.Abs) - (a + b) / 2 - sp.Abs(a - b) / 2) == 0)
