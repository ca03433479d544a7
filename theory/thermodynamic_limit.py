r"""What E_ℓ and p_ℓ lose when the system is cut down to a cluster around ℓ, at fixed v̂.

Statement. Let Λ_R be the atoms of Λ within distance R of ℓ, with their v̂, H_R the Hamiltonian
assembled from them alone, at the same β and µ; at β = ∞ let µ be no level of either. On-site H_R is
the corner of H. With W the entries of H between the outside and Λ_R, z = µ + iω,
G(z) = (z − H)⁻¹, G_R likewise, and u(z) = W G_R(z) e_ℓ,

    [G(z) − G_R(z)]_ℓℓ = u(z)ᵀ G(z)_out,out u(z)                                               (1)

exactly, so that |…| ≤ |u(z)|²/𝔡(ω), 𝔡(ω) = √(ω² + dist(µ, σ(H))²), where u reaches the boundary
once: twice the decay of Green's function over R. On the line Re z = µ, ω_n = (2n+1)π/β,

    F(x) − F(y) = (2/β) Σ_n Re[1/(z_n − x) − 1/(z_n − y)],                                     (2)
    G(x) − G(y) = ½(x − y) − (2/β) ∫₀^∞ n(ω) Im[1/(z − x) − 1/(z − y)] dω,  n(ω) = #{ω_n < ω},   (3)

where (2/β) Σ_n becomes π⁻¹∫dω and (2/β) n(ω) becomes ω/π at β = ∞, and ½(H − H_R)_ℓℓ = 0. Hence

    |p_ℓ(Λ) − p_ℓ(Λ_R)| ≤ 2 (2/β) Σ_n |u(z_n)|²/𝔡(ω_n),
    |E_ℓ(Λ) − E_ℓ(Λ_R)| ≤ 2 (2/β) ∫ n |u|²/𝔡 dω + 2 |v_ℓ| (2/β) Σ_n |u(z_n)|²/𝔡(ω_n).

*With computed u* (:func:`computed_population_bound`, β < ∞) this needs nothing of the environment
but the entries W and has the measured rate.

*A priori*, by Combes and Thomas: with φ_a = r_ℓa on Λ_R, |u| ≤ ‖W e^{−ηφ}‖ ‖(z − H_φ)⁻¹‖, where
:mod:`scc.theory.lemma_12` bounds the inverse by 1/c(η), in its paper's and in its sharper form; on
the nearest-neighbour chain at µ = 0 the sharper one has the exact rate. Norms of |H| bound those of
|H_R|, and ‖W e^{−ηφ}‖ is at most √(largest row sum · largest column sum). η is free at every ω.
c grows with ω, so that sums over nodes of :mod:`scc.theory._spectral_line` are rigorous; beyond the
last node S, 1/c ≤ (S/ω)/(S − ‖|H|∘sinh ηr‖).

At β = ∞ the line runs through the middle E of the gap that H and H_R have in common (surface states
of Λ_R may lie in that of H), and (E − µ) times the difference of F is added to that of G.
"""

from collections.abc import Iterator
from typing import Literal, cast

import mpmath
import numpy as np
import sympy

from scc.arrays import FloatArray
from scc.models.onsite import OnsiteAssembly
from scc.theory import lemma_12
from scc.theory._cut import Cut
from scc.theory._spectral_line import representations_hold, spectral_line
from scc.theory._weighted_norms import WeightedNorms, largest_rate, weighted_norms
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

MODELS = ("onsite",)

Form = Literal["sharp", "lemma 12"]


def derivation() -> dict[str, bool]:
    """(1)–(3), both together, and the tail, by running algebra; c(η) is derived with Lemma 12."""
    H = sympy.Matrix(5, 5, lambda i, j: sympy.Rational(1 + min(i, j), 2 + abs(i - j)))
    z = sympy.Rational(1, 3) + 2 * sympy.I
    whole = (z * sympy.eye(5) - H).inv()
    inner = (z * sympy.eye(3) - H[:3, :3]).inv()
    u = H[3:, :3] * inner[:, 0]
    lost = sympy.simplify(whole[0, 0] - inner[0, 0] - (u.T * whole[3:, 3:] * u)[0, 0])

    # End to end at β = ∞: min(x, 0) of a chain of five against that of its first three sites.
    chain = mpmath.matrix(5, 5)
    for i in range(5):
        chain[i, i] = mpmath.mpf((-1) ** i)
        if i < 4:
            chain[i, i + 1] = chain[i + 1, i] = mpmath.mpf("0.4")

    def corner(size: int, energy: complex) -> mpmath.mpc:
        return ((energy * mpmath.eye(size) - chain[:size, :size]) ** -1)[0, 0]

    def filled(size: int) -> mpmath.mpf:
        levels, vectors = mpmath.eigsy(chain[:size, :size])
        return sum(min(levels[i], 0) * vectors[0, i] ** 2 for i in range(size))

    integral = mpmath.quad(
        lambda w: w * mpmath.im(corner(5, 1j * w) - corner(3, 1j * w)), [0, 1, 4, mpmath.inf]
    )
    s, last, odd = sympy.symbols("s S o", positive=True)
    falls = ((s - odd) - (last - odd) * s / last).subs(s, last + sympy.Symbol("d", positive=True))
    return {
        "(1) difference of resolvents through the boundary": bool(lost == 0),
        **{f"(2), (3): {step}": holds for step, holds in representations_hold().items()},
        "(1) and (3) give the difference of min(H, 0)": bool(
            abs(filled(5) - filled(3) + integral / mpmath.pi) < 1e-10
        ),
        "the tail: (s - o) >= (S - o) s/S beyond S > o": bool(
            sympy.simplify(falls - odd * sympy.Symbol("d", positive=True) / last) == 0
        ),
    }


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """On-site model, open boundaries, β < ∞ or µ in a gap."""
    return {
        "on-site model": isinstance(system.assembly, OnsiteAssembly),
        "open boundaries": not any(system.configuration.periodic),
        "beta < inf or a gap at mu": not system.zero_temperature
        or min(system.gap_below, system.gap_above) > 0.0,
    }


def trial_norms(system: TightBindingSystem) -> WeightedNorms:
    """Norms of H at the trial exponents η, dense below the largest admissible one next to µ."""
    first = spectral_line(system, 0.0).points[0]
    critical = lemma_12.best_exponent(system, first)
    top = min(4.0 * critical, largest_rate(system))
    return weighted_norms(system, lemma_12.rates_for(critical, top), first.real)


def bound(cut: Cut, norms: WeightedNorms, form: Form = "sharp") -> tuple[float, float]:
    """A-priori bounds of :meth:`Cut.measured`; 0 where nothing couples Λ_R to the rest.

    ``norms`` are :func:`trial_norms` of the system; ``form``: which c(η) of Lemma 12.
    """
    widest = min(2.0 * float(norms.odd[-1]), 1e3 * float(norms.whole[0]))
    line = spectral_line(cast(TightBindingSystem, cut), max(8.0 * float(norms.whole[0]), widest))
    reach = cut.reach(norms.rates)
    # Distances of the line from σ(H_R); at β < ∞ it may cross a level.
    error = cut.system.rounding_unit
    below = max(cut.gap_below + line.offset - error, 0.0)
    above = max(cut.gap_above - line.offset - error, 0.0)
    levels = cut.level_distance(line.energy)
    values = []
    for height in line.heights:
        if form == "sharp":
            inverse = lemma_12.denominators_at(norms, below, above, float(height))
        else:
            half = 0.5 * float(np.hypot(min(below, above), height))
            inverse = np.where(norms.row_sums <= half, half, 0.0)
        values.append(_least(reach, inverse) / float(np.hypot(levels, height)))
    integrand = np.array(values)
    last = _tail(cut, norms, float(line.heights[-1]))
    used = line.occupation > 0.0
    occupied = float(line.occupation[used] @ integrand[used]) + line.occupation_tail(3) * last
    used = line.grand_potential > 0.0
    grand = (
        float(line.grand_potential[used] @ integrand[used]) + line.grand_potential_tail(3) * last
    )
    grand += abs(line.offset) * occupied
    orbitals, v = len(cut.own), abs(float(cut.system.features[cut.site]))
    return 2.0 * orbitals * occupied, 2.0 * orbitals * (grand + v * occupied)


def computed_population_bound(cut: Cut, norms: WeightedNorms, terms: int = 300) -> float:
    """Bound of |p_ℓ(Λ) − p_ℓ(Λ_R)| from u(z_n) of the cluster, β < ∞; electrons."""
    beta, mu = cut.beta, cut.mu
    omega = (2.0 * np.arange(terms) + 1.0) * np.pi / beta
    state = cut.cluster.state
    onto = cut.coupling @ state.eigenvectors
    total = 0.0
    for orbital in cut.own:
        poles = 1.0 / (mu + 1j * omega - state.eigenvalues[:, None])
        reached = onto @ (state.eigenvectors[orbital][:, None] * poles)
        squared = np.sum(np.abs(reached) ** 2, axis=0)
        total += 2.0 / beta * float(np.sum(squared / np.hypot(omega, cut.level_distance(mu))))
        total += float(omega[-1]) / (2.0 * np.pi) * _tail(cut, norms, float(omega[-1]))
    return 2.0 * total


def _tail(cut: Cut, norms: WeightedNorms, height: float) -> float:
    """A bound of |u|²/𝔡 at ω = ``height`` that falls at least like ω⁻³ from there on."""
    return _least(cut.reach(norms.rates), height - norms.odd) / height


def _least(reach: FloatArray, inverse: FloatArray) -> float:
    """min over η of (‖W e^{−ηφ}‖/c(η))², where c(η) > 0."""
    usable = inverse > 0.0
    return float(np.min((reach[usable] / inverse[usable]) ** 2, initial=np.inf))


def cuts(system: TightBindingSystem) -> Iterator[Cut]:
    """The innermost and the first atom, three radii each between their nearest and farthest."""
    positions = system.configuration.positions
    centre = int(np.argmin(np.linalg.norm(positions - positions.mean(axis=0), axis=1)))
    for site in sorted({centre, 0}):
        ranked = np.sort(system.distances[site])
        for rank in sorted({system.atoms * k // 4 for k in (1, 2, 3)}):
            cut = Cut(system, site, float(ranked[rank]))
            if len(cut.atoms) == system.atoms:
                continue
            if not system.zero_temperature or min(cut.gap_below, cut.gap_above) > 1e-9:
                yield cut


def checks(system: TightBindingSystem) -> list[Check]:
    """Both bounds of p_ℓ and E_ℓ, and at β < ∞ the one of p_ℓ from the computed u."""
    values: list[list[float]] = []
    norms = trial_norms(system)
    for cut in cuts(system):
        population, energy = cut.measured()
        sharp, paper = bound(cut, norms), bound(cut, norms, "lemma 12")
        computed = np.inf if system.zero_temperature else computed_population_bound(cut, norms)
        # Both diagonalisations have a backward error u: F moves by its Lipschitz constant times u
        # (β/4, or 1/2d with the smaller d), G by u.
        d = min(cut.gap_below, cut.gap_above)
        slope = 0.5 / d if system.zero_temperature else 0.25 * system.beta
        v = float(np.max(np.abs(system.potential)))
        p_rounding = 8.0 * slope * system.rounding_unit
        e_rounding = 8.0 * system.rounding_unit + v * p_rounding
        values.append([population, energy, *sharp, *paper, computed, p_rounding, e_rounding])
    if not values:
        return []
    p, e, p_sharp, e_sharp, p_paper, e_paper, computed_bound, p_round, e_round = np.array(values).T
    found = [
        Check.of("|p_l - p_l(cluster)| [electrons]", p, p_sharp, p_round),
        Check.of("|E_l - E_l(cluster)| [Ha]", e, e_sharp, e_round),
        Check.of("|p_l - p_l(cluster)|, Lemma 12 [electrons]", p, p_paper, p_round),
        Check.of("|E_l - E_l(cluster)|, Lemma 12 [Ha]", e, e_paper, e_round),
    ]
    if not system.zero_temperature:
        name = "|p_l - p_l(cluster)|, computed Green's function [electrons]"
        found.append(Check.of(name, p, computed_bound, p_round))
    return found
