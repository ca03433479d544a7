"""Remark 8: in the canonical ensemble at finite temperature locality at fixed v̂ fails, like 1/M.

Statement, β < ∞. Let W_m = ∂H/∂v̂_m, n_ℓ = ⟨P_ℓ, F′(H)⟩ (P_ℓ the projector on the orbitals of ℓ),
w_m = ⟨W_m, F′(H)⟩, σ = Tr F′(H), all ≤ 0 for W_m ≥ 0. At fixed electron number

    (i)   ∂p_ℓ/∂v̂_m|_N = ∂p_ℓ/∂v̂_m|_µ − 2 n_ℓ w_m/σ,      |∂p_ℓ/∂v̂_m|_N + 2 n_ℓ w_m/σ| ≤ B_ℓm,

B_ℓm the bound of Theorem 4 for the grand-canonical response: exponentially small in r_ℓm. What is
left is not small at any distance. With c ≤ −F′ ≤ C on σ(H), τ_m = Tr W_m, o_ℓ orbitals on ℓ, n in
all,

    (ii)  2c² o_ℓ τ_m/(C n) ≤ |2 n_ℓ w_m/σ| ≤ 2C² o_ℓ τ_m/(c n),

of order 1/M exactly, with constants that depend on β and the width of the spectrum alone. Hence
|∂p_ℓ/∂v̂_m|_N ≥ 2c² o_ℓ τ_m/(C n) − B_ℓm: no C, η > 0 independent of M satisfy (3.3), because a
system of M atoms has distances r ~ M^{1/d}, where the left side is still ≥ const/M while C e^{−ηr}
is smaller than any power of M. And small as each entry is, their sum is not: the charge that leaves
the neighbourhood of m is of order one,

    (iii) Σ_{r_ℓm > R} |∂p_ℓ/∂v̂_m|_N ≥ 2|w_m| Σ_{r_ℓm > R} n_ℓ/σ − Σ_{r_ℓm > R} B_ℓm,

2|w_m| in the limit of a large system, at every R. At β = ∞ with a gap F′(H) = 0 and the two
ensembles respond alike.

Measured are the model's canonical derivative, and, because that is made of the same formula,
differences of populations whose Fermi level is solved anew at H ± tW:

    |(p_ℓ(t) − p_ℓ(−t))/2t − ∂p_ℓ/∂v̂_m| ≤ o_ℓ t {β²(‖W‖_F + ‖W‖)²/(6√3) + (β/4)² (λ_max−λ_min)²}

by the second derivative of F(H_s − ε_F) in Remark 6 (an entry of it, with |ε_F′| ≤ ‖W‖).
"""

import numpy as np
import sympy as sp

from scc.arrays import FloatArray
from scc.occupations.ensemble import fermi_level
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import theorem_4
from scc.theory._perturbations import by_feature
from scc.theory._resolvent_bounds import ResolventBounds, resolvent_bounds
from scc.theory.lemma_3 import STEEPEST
from scc.theory.statement import Check, joined
from scc.theory.system import TightBindingSystem

EPS = float(np.finfo(np.float64).eps)
_STEP = 1e-6
"""t in units of 1/(β‖W‖): remainder and rounding of the difference quotients are of one size."""

_THERMAL = 300.0
"""Farther than this from the spectrum (in 1/β) products of F′ underflow."""


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """β < ∞, with F′(H) representable; W ≥ 0 holds in both models (site projectors, Ξ ≥ 0)."""
    nearest = min(system.gap_below, system.gap_above)
    found: dict[str, bool | float | str] = {"beta < inf": not system.zero_temperature}
    if not system.zero_temperature:
        found["F'(H) does not underflow"] = system.beta * nearest < _THERMAL
        found["min{g-, g+} in 1/beta"] = system.beta * nearest
    return found


def common_shift(system: TightBindingSystem, perturbation: FloatArray) -> FloatArray:
    """−2 n_ℓ w/σ for all ℓ, (M,) electrons per Hartree: what is left at every distance."""
    slopes = FermiDirac(system.beta, system.mu).derivative(system.levels)
    C = system.state.eigenvectors
    w = float(slopes @ np.einsum("ij,ij->j", C, perturbation @ C))
    return np.asarray(-2.0 * states_at_level(system) * w / float(np.sum(slopes)))


def states_at_level(system: TightBindingSystem) -> FloatArray:
    """n_ℓ = Σ_i F′(λ_i) Σ_{a∈ℓ} |ψ_i(a)|² ≤ 0, (M,) per Hartree and spin."""
    slopes = FermiDirac(system.beta, system.mu).derivative(system.levels)
    per_orbital = system.state.eigenvectors**2 @ slopes
    return np.asarray(np.bincount(system.owner, weights=per_orbital, minlength=system.atoms))


def shift_bounds(system: TightBindingSystem, trace: float) -> tuple[FloatArray, FloatArray]:
    """(ii): lower and upper bound of |2 n_ℓ w/σ| for W ≥ 0 with Tr W = ``trace``, (M,) each."""
    slopes = -FermiDirac(system.beta, system.mu).derivative(system.levels)
    c, C = float(np.min(slopes)), float(np.max(slopes))
    orbitals = np.bincount(system.owner, minlength=system.atoms)
    unit = 2.0 * orbitals * trace / len(system.levels)
    return unit * (c**2 / C), unit * (C**2 / c if c > 0.0 else np.inf)


def bound(
    system: TightBindingSystem, atom: int, resolvent: ResolventBounds | None = None
) -> FloatArray:
    """(i): B_ℓm ≥ |∂p_ℓ/∂v̂_m|_N + 2 n_ℓ w_m/σ|, (M,) electrons per unit of v̂."""
    return theorem_4.bound(system, by_feature(system, atom), resolvent).populations()


def checks(system: TightBindingSystem) -> list[Check]:
    """(i)-(iii) for three atoms m; the system is made canonical with the electrons it has."""
    resolvent = resolvent_bounds(system)
    found: dict[str, list[tuple[FloatArray, FloatArray, FloatArray]]] = {}
    for atom in sorted({0, system.atoms // 2, system.atoms - 1}):
        for name, *parts in _one_atom(system, atom, resolvent):
            found.setdefault(name, []).append((parts[0], parts[1], parts[2]))
    return joined(found)


def _one_atom(
    system: TightBindingSystem, atom: int, resolvent: ResolventBounds
) -> list[tuple[str, FloatArray, FloatArray, FloatArray]]:
    perturbation = by_feature(system, atom)
    W = perturbation.change
    local = theorem_4.bound(system, perturbation, resolvent)
    limit, M = local.populations(), system.atoms
    shift = common_shift(system, W)
    electrons = system.state.electrons
    canonical = system.model.evaluate(
        system.features, FermiDirac(system.beta, system.mu), electrons
    )
    unit = np.zeros(system.features.size)
    unit[atom * (system.features.size // M)] = 1.0
    response = canonical.populations_jvp(unit.reshape(system.features.shape))
    # Fermi level and levels to a rounding unit move n, w, σ by a factor e^{βu}, all three.
    moved = system.rounding_unit + 64.0 * EPS * (1.0 / system.beta + abs(system.mu))
    inherited = 6.0 * (system.beta * moved + 8.0 * len(system.levels) * EPS)
    # N is a rounded number: where F′(H) is small its ε_F is not µ, but then the shift is small too.
    absolute = theorem_4.rounding(local)[0] + system.beta * EPS * electrons
    rounding = absolute + inherited * np.abs(shift)
    quotient, error, noise = _difference_quotient(system, W, electrons)
    lower, upper = shift_bounds(system, float(np.trace(W)))
    slack = inherited * upper
    far = system.distances[atom] > 0.5 * float(np.max(system.distances[atom]))
    leaving = float(np.sum(np.abs(shift[far])) - np.sum(limit[far]))
    return [
        ("∂p_ℓ/∂v̂_m|_N + 2 n_ℓ w_m/σ", response - shift, limit, rounding),
        ("the same, Fermi level solved anew", quotient - shift, limit + error, rounding + noise),
        ("|2 n_ℓ w_m/σ|, upper bound ~ 1/M", np.abs(shift), upper, slack),
        ("|2 n_ℓ w_m/σ|, lower bound ~ 1/M", lower, np.abs(shift), inherited * np.abs(shift)),
        (
            "|∂p_ℓ/∂v̂_m|_N from below",
            np.maximum(lower - limit, 0.0),
            np.abs(response),
            rounding,
        ),
        (
            "charge beyond half the system, from below",
            np.array([max(leaving, 0.0)]),
            np.array([float(np.sum(np.abs(response[far])))]),
            np.array([float(np.sum(rounding[far]))]),
        ),
    ]


def _difference_quotient(
    system: TightBindingSystem, perturbation: FloatArray, electrons: float
) -> tuple[FloatArray, FloatArray, float]:
    """((p(t) − p(−t))/2t, bound of its remainder, its rounding) with ε_F from N each time."""
    own = np.linalg.eigvalsh(perturbation)
    size, spread = float(np.max(np.abs(own))), float(own[-1] - own[0])
    beta = system.beta
    step = _STEP / (beta * size)

    def populations(t: float) -> FloatArray:
        levels, vectors = np.linalg.eigh(system.hamiltonian + t * perturbation)
        level = fermi_level(levels, electrons, beta)
        occupied = vectors**2 @ FermiDirac(beta, level).occupation(levels)
        return np.asarray(2.0 * np.bincount(system.owner, occupied, minlength=system.atoms))

    quotient = (populations(step) - populations(-step)) / (2.0 * step)
    frobenius = float(np.linalg.norm(perturbation))
    curvature = STEEPEST * beta**2 * (frobenius + size) ** 2 + (beta / 4.0) ** 2 * spread**2
    orbitals = np.bincount(system.owner, minlength=system.atoms)
    n = len(system.levels)
    # p_ℓ has the slope 2o_ℓβ/4 in levels and in ε_F, and is a sum of n terms below one.
    thermal = 64.0 * EPS * (1.0 / beta + abs(system.mu))
    unit = beta * (2.0 * system.rounding_unit + thermal) + 4.0 * n * EPS
    noise = float(np.max(orbitals)) * unit / step
    return quotient, orbitals * step * curvature, noise


def derivation() -> dict[str, bool]:
    """The rank-one term, (ii) and the count of (iii), for three levels and two sites."""
    f = sp.symbols("f1:4", positive=True)  # −F′(λ_i)
    psi = sp.symbols("q1:4", positive=True)  # |ψ_i(ℓ)|²
    w = sp.symbols("w1:4", positive=True)  # ⟨ψ_i|W|ψ_i⟩
    eps = sp.symbols("epsilon")
    sigma = sum(f)
    # Σ_i −f_i (w_i − ε′) = 0 determines ε′; ∂p_ℓ/∂ε_F = +2 Σ f_i q_i.
    level = sp.solve(sum(-fi * (wi - eps) for fi, wi in zip(f, w, strict=True)), eps)[0]
    shift = 2 * sum(fi * q for fi, q in zip(f, psi, strict=True)) * level
    n_site = -sum(fi * q for fi, q in zip(f, psi, strict=True))
    w_m = -sum(fi * wi for fi, wi in zip(f, w, strict=True))
    steps = {
        "shift of p_ℓ by dε_F is −2 n_ℓ w_m/σ": sp.simplify(shift + 2 * n_site * w_m / -sigma) == 0
    }
    c, d1, d2, d3 = sp.symbols("c d1 d2 d3", nonnegative=True)
    # f_i = c + d_i: every expectation with weights q_i ≥ 0 is at least c Σq, term by term.
    surplus = sp.expand(
        sum(q * (fi - c) for q, fi in zip(psi, (c + d1, c + d2, c + d3), strict=True))
    )
    steps["⟨P, −F′⟩ − c Tr P is a sum of non-negative terms"] = all(
        term.is_nonnegative for term in surplus.as_ordered_terms()
    )
    # Sites ℓ = 1, 2 with |ψ_i(1)|² + |ψ_i(2)|² = 1: the shifts add up to −2w_m, the local charge.
    other = -sum(fi * (1 - q) for fi, q in zip(f, psi, strict=True))
    total = sum(-2 * n * w_m / -sigma for n in (n_site, other))
    steps["Σ_ℓ of the shift is −2 w_m: of order one"] = sp.simplify(total + 2 * w_m) == 0
    return steps
