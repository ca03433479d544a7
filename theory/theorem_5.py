"""Theorem 5: the exact body order of polynomials of the Hamiltonian, as a function of the degree.

Statement. H_ℓk = T_ℓk + Σ_m v̂_m W_ℓkm: every entry knows ℓ, k and, through v, one atom m more.
Orbitals count as orthonormal. For a polynomial P of degree N,

    P(H)_ℓk = Σ_n Σ_{|K|=n} U_n(u_ℓ,u_k; K),  U_n = Σ_{J⊆K} (−1)^{n−|J|} P(H of {ℓ,k}∪J)_ℓk,

every H assembled anew. The largest n with U_n ≠ 0, for degree N ≥ 1 of G_N and F_N = G_N′:

    quantity                      three-centre v           on-site v (two-centre H)
    G_N(H)_ℓk                     2N−1                     N−1
    F_N(H)_ℓk, degree N−1         2N−3  (N ≥ 2)            N−2  (N ≥ 2)
    E_N,ℓ = 2tr[G_N − vF_N]_ℓℓ    2N−1  (N ≥ 2), 0 (N=1)   N−1
    ρ_N,ℓ or p_ℓ                  2N−2                     max(N−2, 0)

so that the paper's 2N+1 atoms (with ℓ and k) are attained by G_N and E_N. N factors H step through
N−1 intermediate atoms and each may bring one third centre: 2N−1. W_m on-site is a projector: it
brings none. v·F_N has N factors like G_N. ρ_N,ℓ sums over k, one atom more than F_N's. The top
coefficient of E_N comes from v alone, 2g_N(v^N − N v·v^{N−1}) = 2(1−N) g_N v^N: it vanishes for
N = 1, where E_1,ℓ = 2(g_0 + g_1 H⁰_ℓℓ) knows no other atom, and F_1 is a constant: U_0 only.

Size of those that do not vanish. In A = (H − c)/h, P = Σ a_j A^j; U_n(K) collects the walks
from ℓ to k, j factors long, that visit all of K, third centres as detours. Each is at least as long
as the shortest way L(ℓ, K, k) through all of them, so that for every η ≥ 0

    |U_n(K)| ≤ e^{−ηL} Σ_j |a_j| [Â_η^j]_ℓk,
    hÂ_η = |T − c|∘e^{ηr} + Σ_m |v̂_m W_m|∘e^{η(r_ℓm + r_mk)},

over j > n/2 (three-centre) or j > n (on-site). By Lemmas 9 and 10 the row sums of Â_η do not
depend on M: body-ordered terms decay with the length of the way, which is more than Theorem 5 says.
Always |U_n| ≤ 2ⁿ Σ|c_k|, c_k Chebyshev coefficients of P on the hull of all spectra.

Rounding of U_n where it is zero: 2ⁿ matrix elements. T_{k+1} = 2AT_k − T_{k−1} amplifies an error
of A, or of a product, by at most k(k+1): Σ_k |c_k| k(k+1) (‖δA‖ + 2(n²+4)ε) each.
"""

from fractions import Fraction
from itertools import combinations

import numpy as np

from scc.models.gaussian import GaussianAssembly
from scc.models.onsite import OnsiteAssembly
from scc.theory import _presence as presence
from scc.theory._cluster_expansion import ClusterExpansion, Quantity, last_order
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """Orthonormal orbitals, one third centre at most."""
    assembly = system.assembly
    return {
        "orthonormal by assumption": isinstance(assembly, OnsiteAssembly)
        or (isinstance(assembly, GaussianAssembly) and assembly.loewdin is None),
        "features are atom-centred": isinstance(assembly, OnsiteAssembly) or not assembly.complete,
        "open boundaries": not any(system.configuration.periodic),
        "at least three atoms": system.atoms > 2,
    }


def expansion(system: TightBindingSystem, degree: int, ell: int = 0) -> ClusterExpansion:
    """Around atom ℓ with as many nearest neighbours as two vanishing orders need."""
    three_centre = not system.assembly.diagonal
    number = min(last_order("G", degree, three_centre) + 3, system.atoms - 1)
    nearest = np.argsort(system.distances[ell], kind="stable")[1 : number + 1]
    return ClusterExpansion(system, (ell, *(int(atom) for atom in nearest)), degree)


def bound(system: TightBindingSystem, degree: int) -> list[tuple[int, float]]:
    """(n, bound of |U_n|) of G_N(H)_ℓℓ for all sets K of neighbours of atom 0."""
    found = expansion(system, degree)
    return [(len(chosen), found.bound("G", 0, chosen)) for chosen, _ in found.contributions("G", 0)]


def checks(system: TightBindingSystem) -> list[Check]:
    """All U_n of G_N, F_N and E_N: zero beyond the last, below the walks before."""
    # The degree varies from system to system; larger ones are the claims' business.
    degree = 2 + system.atoms % 3 if system.assembly.diagonal else 1 + system.atoms % 2
    return expansion_checks(expansion(system, degree))


def expansion_checks(found: ClusterExpansion) -> list[Check]:
    """The checks of one expansion."""
    results, degree = [], found.degree
    cases: tuple[tuple[Quantity, int], ...] = (
        ("G", 0),
        ("G", 1),
        ("F", 1),
        ("site energy", 0),
    )
    for quantity, k in cases:
        rows = found.contributions(quantity, k)
        last = last_order(quantity, degree, found.three_centre)
        measured = np.array([value for _, value in rows])
        limits = np.array([found.bound(quantity, k, chosen) for chosen, _ in rows])
        rounding = np.array([found.rounding(quantity, len(chosen)) for chosen, _ in rows])
        order = np.array([len(chosen) for chosen, _ in rows])
        where = "diagonal" if k == 0 else "off-diagonal"
        name = f"{quantity}, {where}, N = {degree}"
        for kind, part in (("up to", order <= last), ("beyond", order > last)):
            if np.any(part):
                results.append(
                    Check.of(
                        f"|U_n| {kind} the last, {name}",
                        measured[part],
                        limits[part],
                        rounding[part],
                    )
                )
    return results


def derivation() -> dict[str, bool]:
    """Exact integer arithmetic in the presence of atoms: last orders, and the sums over J."""
    steps: dict[str, bool] = {}
    for degree in (1, 2, 3):
        for three_centre in (True, False):
            name = f"N = {degree}, {'three' if three_centre else 'two'}-centre"
            steps.update(
                {f"{step}, {name}": holds for step, holds in _exact(degree, three_centre).items()}
            )
    return steps


def _exact(degree: int, three_centre: bool) -> dict[str, bool]:
    """Random integer T, W, v̂ and coefficients g_j on one atom more than can appear."""
    atoms = last_order("G", degree, three_centre) + 3
    rng = np.random.default_rng(degree)
    free, potential = _random_hamiltonian(rng, atoms, three_centre)
    whole = [
        [presence.add(free[i][k], potential[i][k]) for k in range(atoms)] for i in range(atoms)
    ]
    g = [int(value) for value in rng.integers(1, 9, degree + 1)]
    f = [j * g[j] for j in range(1, degree + 1)]
    start: presence.Row = [{} for _ in range(atoms)]
    start[0] = {frozenset({0}): Fraction(1)}
    G = presence.apply_polynomial(start, whole, g)
    F = presence.apply_polynomial(start, whole, f)
    vF = presence.apply_polynomial(presence.row_times(start, potential), whole, f)
    energy = presence.add(G[0], vF[0], -1)
    density = max(presence.order(entry, {0}) for entry in (F if three_centre else F[:1]))

    def last(quantity: Quantity) -> int:
        return last_order(quantity, degree, three_centre)

    steps = {
        "last order of G, diagonal": presence.order(G[0], {0}) == last("G"),
        "last order of G, off-diagonal": presence.order(G[1], {0, 1}) == last("G"),
        "last order of E": presence.order(energy, {0}) == last("site energy"),
        "last order of the density": density
        == (2 * degree - 2 if three_centre else max(degree - 2, 0)),
    }
    if degree > 1:
        steps["last order of F"] = presence.order(F[1], {0, 1}) == last("F")
    if three_centre:
        alone = presence.apply_polynomial(start, potential, [0] * degree + [1])[0]
        top = [m for m in {*alone, *energy} if len(m - {0}) == 2 * degree - 1]
        steps["top of E is (1−N) g_N v^N"] = all(
            energy.get(m, Fraction(0)) == (1 - degree) * g[-1] * alone.get(m, Fraction(0))
            for m in top
        )
    others = list(range(2, atoms))
    steps["coefficients are the inclusion–exclusion sums"] = all(
        _inclusion_exclusion(whole, g, chosen)
        == sum(
            (value for monomial, value in G[1].items() if monomial - {0, 1} == set(chosen)),
            Fraction(0),
        )
        for size in range(min(len(others), 4) + 1)
        for chosen in list(combinations(others, size))[:6]
    )
    return steps


def _random_hamiltonian(
    rng: np.random.Generator, atoms: int, three_centre: bool
) -> tuple[list[presence.Row], list[presence.Row]]:
    """(T, v) symmetric, entries in presence: T_ik t_i t_k, v_ikm t_i t_k t_m or v_i t_i."""
    values = rng.integers(1, 9, (2, atoms, atoms, atoms))
    free: list[presence.Row] = [[{} for _ in range(atoms)] for _ in range(atoms)]
    potential: list[presence.Row] = [[{} for _ in range(atoms)] for _ in range(atoms)]
    for i in range(atoms):
        for k in range(atoms):
            low, high = min(i, k), max(i, k)
            free[i][k] = {frozenset({i, k}): Fraction(int(values[0, low, high, 0]))}
            if three_centre:
                for m in range(atoms):
                    term = {frozenset({i, k, m}): Fraction(int(values[1, low, high, m]))}
                    potential[i][k] = presence.add(potential[i][k], term)
            elif i == k:
                potential[i][k] = {frozenset({i}): Fraction(int(values[1, i, i, 0]))}
    return free, potential


def _inclusion_exclusion(
    whole: list[presence.Row], g: list[int], chosen: tuple[int, ...]
) -> Fraction:
    """Σ_{J⊆K} (−1)^{n−|J|} [Σ g_j (H of {0,1}∪J)^j]_01 with matrices of numbers, none of sets."""
    total = Fraction(0)
    for size in range(len(chosen) + 1):
        for part in combinations(chosen, size):
            places = [0, 1, *part]
            H = [[presence.present(whole[i][k], places) for k in places] for i in places]
            row = [Fraction(int(i == 0)) for i in range(len(places))]
            value = Fraction(0)
            for c in g:
                value += c * row[1]
                row = [
                    sum((row[i] * H[i][k] for i in range(len(places))), Fraction(0))
                    for k in range(len(places))
                ]
            total += (-1) ** (len(chosen) - size) * value
    return total
