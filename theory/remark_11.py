"""Remark 11: is the factor M in Theorem 8 real? At β < ∞ no; in insulators M^{1−1/d}, and no more.

Setting: on-site features, v̂ = V = J(p(v̂) − Z), p(v) = 2 diag F(H⁰ + v); v* is a solution, v*_N one
with F_N in place of F, X ⊃ σ(H(v)) for all v between them. Write η = ‖F − F_N‖_X,
δ(v) = p_N(v) − p(v), w = v*_N − v*, R̄ = −∫₀¹ χ₀(v* + tw) dt ≥ 0 (Lemma 11), S̄ = (J⁻¹ + R̄)⁻¹, and
R, S, ε = 1 + JR for the same at v*. One orbital an atom, or η → η times the orbitals of an atom.

(A) *Identity.* w = J(p_N(v*_N) − p(v*)) = Jδ − JR̄w, hence, without remainder,

        w = S̄ δ(v*_N),   |δ_ℓ| ≤ 2η,   0 < S̄ ≤ J.

    The polynomial acts through a *local* δ, uniformly small; growth is the business of S̄ alone.
(B) *Never M.* S̄ ≤ J and Cauchy–Schwarz in S̄: |w_ℓ| ≤ √(J_ℓℓ δᵀJδ) ≤ 2η √(J_ℓℓ M ‖J‖_∞). With
    minimal spacing 𝔪 in dimension d, ‖J‖_∞ ≲ (2/𝔪)(ln M, 2√M, (3/2) M^{2/3}): powers of M below
    (M ln M)^{1/2}, M^{3/4}, M^{5/6} for every on-site system, stable or not. 𝒢 is the maximum of a
    concave function of v, so |𝒢_N(v*_N) − 𝒢(v*)| ≤ 2n‖G − G_N‖_X + δᵀS̄δ.
(C) *β < ∞: no growth.* S = R⁻¹ − ε⁻¹R⁻¹ and DT(v*) = −½Rε, so with c_stab of (3.12)

        s := ‖S‖_∞ ≤ ‖R⁻¹‖_∞ + ½ c_stab.

    R ≥ 2 min|F′| > 0 has exponentially decaying entries (Corollary 14), so has R⁻¹ (Combes–Thomas,
    ``inverse_response_bound``), and ‖R⁻¹‖_∞ is bounded independently of M: under the hypothesis of
    Theorem 8 s is too. If 4s²Lη ≤ 1, L = 2C₂ with ‖D²F(H)[A,A]‖ ≤ C₂‖A‖², there *is* a v*_N with

        ‖v*_N − v*‖_∞ ≤ r = (1 − √(1 − 4s²Lη))/(sL) ≤ 4sη

    by Brouwer: v ↦ v* + S[p_N(v) − p(v*) + R(v − v*)] maps the ball of radius r into itself, its
    bracket being δ(v) plus the Taylor remainder of p. No M in the bound, no ln M in the condition
    on N. In the mean square not even (3.12) is needed: (|w|²/M)^{1/2} ≤ 2η/λ_min(R̄) ≤ η/min|F′|.
(D) *β = ∞: the growth is real.* Then p does not see constants, R̄1 = 0, and the charge Q = Σδ that
    F_N creates stays. With q = p_N(v*_N) − p(v*) = J⁻¹w and e = (J + α)⁻¹1, α ≥ 0, eᵀw = Q − αeᵀq:

        ‖w‖_∞ ≥ |Q|/‖e‖₁ − α‖q‖_∞,

    exact at any N and M. Where e ≥ 0 (α = 0 on chains, a few J_ℓℓ where charges overlap) ‖e‖₁ is
    at most Cap = 1ᵀJ⁻¹1, the capacity of a conductor: with a spheroid of capacity C around all
    charges, Cap ≤ (√C + t√(M/λ_min(J)))², t Gaussian tails outside; C ~ L/(2 ln L), 2R/π, R. In
    a crystal Q = σM + O(surface): ‖w‖_∞ ≥ c|σ| (ln M, M^{1/2}, M^{2/3}), attained by any insulator
    with σ ≠ 0, and s ≤ ‖ε⁻¹‖_∞‖J‖_∞ has the same powers.
(E) *Remedies at β = ∞.* E1: F̃_N = F_N − (Q/2n)1, which needs the trace only, |Q/2n| ≤ η. Any flow
    D between pairs of atoms, D antisymmetric, Σ_k D_ℓk = δ̃_ℓ, has

        (Jδ̃)_i = ½ Σ_ℓk D_ℓk (J_iℓ − J_ik):   ‖w‖_∞ ≤ ‖ε̄⁻¹‖_∞ max_i ½ Σ_ℓk |D_ℓk| |J_iℓ − J_ik|,

    for bounded flows between neighbours Σ r⁻²: bounded, ln M, M^{1/3} for d = 1, 2, 3. (In 1D, with
    partial sums D_k, ≤ 2J₀ max|D_k| ‖ε̄⁻¹‖_∞.) A crystal has bounded flows, which carry the charge
    of its surface into the bulk. E2: F̃_N = F_N + Σ_{j<d} c_j q_j with constants c_j, the same for
    all M, that cancel the charges of bulk, faces and edges, found from d + 1 small clusters; left
    are corners and dipole layers, with bounded potentials. A polynomial: body order is kept.

C₂: ℓ₂ of ``_occupation_derivatives``. A ball of radius r about v* moves levels by at most r (Weyl).
"""

import numpy as np

from scc.arrays import FloatArray
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import _capacity, _remark_11_steps
from scc.theory._body_ordered import Populations, solve
from scc.theory._remark_11_bounds import Bounds, bound, floor, flow_bound, polynomial, row_sum_bound
from scc.theory._screened import ScreenedInteraction, max_norm
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

MODELS = ("onsite",)


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """On-site features in free space; β < ∞ or a gap at µ."""
    found: dict[str, bool | float | str] = {
        "features are on-site": bool(system.assembly.diagonal),
        "not periodic": not any(system.configuration.periodic),
        "levels on both sides of mu": bool(system.levels[0] < system.mu < system.levels[-1]),
    }
    if system.zero_temperature:
        found["gap at mu"] = min(system.gap_below, system.gap_above) > 0.0
    return found


def checks(system: TightBindingSystem) -> list[Check]:
    """(A) to (E) to first order, and in full where the condition of (C) holds."""
    screened = ScreenedInteraction.of(system)
    occupation, margin = polynomial(system, screened.norm)
    limits = bound(system, occupation, margin, screened)
    S, J, rounding = screened.screened, screened.kernel, screened.rounding
    populations = Populations(system, occupation)
    delta = populations.error(np.zeros(system.atoms))
    first = S @ delta
    size = float(np.max(np.abs(first)))
    slack = rounding * screened.norm * 2.0 * limits.eta + screened.norm * populations.rounding
    found = [
        Check.of("first-order |v_N - v*| [Ha]", size, 2 * limits.eta * limits.s, slack),
        Check.of("first-order |v_N - v*|, no stability [Ha]", first, limits.unconditional, slack),
        Check.of(
            "first-order rms of v_N - v* [Ha]",
            np.sqrt(np.mean(first**2)),
            limits.mean_square,
            slack,
        ),
        Check.of("|S_kk| [Ha/electron]", np.diag(S), np.diag(J), rounding * np.diag(J)),
        *_screening(system, screened),
    ]
    if system.zero_temperature:
        found += _insulator(system, screened, delta, first, slack)
    if np.isfinite(limits.radius):
        solution = solve(populations, S, screened.response, limits.margin)
        # The proof of (C) is of existence; this iteration it does not need.
        if solution is not None:
            found += _nonlinear(populations, solution, screened, limits)
    return found


def _screening(system: TightBindingSystem, screened: ScreenedInteraction) -> list[Check]:
    """(C): λ_min(R) ≥ 2 min|F′| and ‖S‖_∞ ≤ ‖R⁻¹‖_∞ + ½c_stab; capacity and row sums of J."""
    J, R = screened.kernel, screened.response
    eps, atoms = np.finfo(np.float64).eps, len(J)
    softest_kernel = float(np.linalg.eigvalsh(J)[0]) - atoms * eps * max_norm(J)
    found = [
        Check.of(
            "norm of J [Ha/electron]",
            max_norm(J),
            row_sum_bound(atoms, system.minimal_spacing, 3, float(np.max(np.diag(J)))),
            atoms * eps * max_norm(J),
        )
    ]
    if softest_kernel > 0.0:
        condition = max_norm(J) / softest_kernel
        capacity = float(np.sum(np.linalg.solve(J, np.ones(atoms))))
        width = 1.0 / (float(np.min(np.diag(J))) * np.sqrt(np.pi))  # J_ℓℓ = 1/(σ√π)
        limit = _capacity.capacity_bound(system.configuration.positions, width, softest_kernel)
        allowed = atoms * eps * condition * abs(capacity)
        found.append(Check.of("capacity [bohr]", max(capacity, 0.0), limit, allowed))
    if not system.zero_temperature:
        levels = system.levels[[0, -1]]
        least = -2.0 * float(np.max(FermiDirac(system.beta, system.mu).derivative(levels)))
        per_atom = int(np.min(np.bincount(system.owner)))
        found.append(
            Check.of(
                "least response 2 min|F'| [electrons/Ha]",
                least * per_atom,
                max(screened.softest, 0.0),
                atoms * eps * max_norm(R) + system.beta**2 * system.rounding_unit,
            )
        )
        inverse = screened.inverse_response
        if inverse is not None:
            product = screened.inverse_dielectric @ inverse
            limit = max_norm(inverse) + max_norm(product)
            allowed = atoms * eps * max_norm(R) * max_norm(inverse) * limit
            allowed += screened.rounding * limit
            found += [
                Check.of("norm of S against c_stab [Ha/electron]", screened.norm, limit, allowed),
                Check.of(
                    "norm of R^-1 [Ha/electron]",
                    max_norm(inverse),
                    screened.inverse_response_bound(system.distances),
                    atoms * eps * max_norm(R) * max_norm(inverse) ** 2,
                ),
            ]
    return found


def _insulator(
    system: TightBindingSystem,
    screened: ScreenedInteraction,
    delta: FloatArray,
    first: FloatArray,
    slack: float,
) -> list[Check]:
    """(D) and E1 to first order."""
    J, atoms = screened.kernel, system.atoms
    charge = float(np.sum(delta))
    neutral = delta - charge / atoms
    lowest = floor(J, charge, delta - screened.response @ first)
    relative = float(np.linalg.cond(J)) * atoms * np.finfo(np.float64).eps
    limit = max_norm(screened.inverse_dielectric) * flow_bound(J, neutral, system.distances)
    return [
        Check.of(
            "floor |Q|/|e|_1 - a|q| of |v_N - v*| [Ha]",
            lowest,
            np.max(np.abs(first)),
            2.0 * slack + (relative + screened.rounding) * np.max(np.abs(first)),
        ),
        Check.of(
            "neutralised |v_N - v*| by a flow [Ha]",
            np.max(np.abs(screened.screened @ neutral)),
            limit,
            slack + screened.rounding * limit,
        ),
    ]


def _nonlinear(
    populations: Populations,
    solution: tuple[FloatArray, float],
    screened: ScreenedInteraction,
    limits: Bounds,
) -> list[Check]:
    """The full difference w = v*_N − v*: (A) with its remainder, (B), (C), (D), the energy."""
    w, step = solution
    system, S, J = populations.system, screened.screened, screened.kernel
    size = float(np.max(np.abs(w)))
    # The iteration contracts by at least a half where (C) holds with some room.
    slack = 2.0 * (step + limits.s * 2.0 * populations.rounding) + screened.rounding * size
    delta = populations.error(w)
    remainder = limits.s * limits.curvature * size**2
    p_N = populations.polynomial(w)
    energy = populations.grand_potential_change(w) - float(
        w @ populations.reference + 0.5 * w @ (p_N - populations.reference)
    )
    shrunk = 1.0 - limits.s * limits.curvature * size
    squares = float(np.sum(J)), system.atoms * limits.s / shrunk if shrunk > 0.0 else np.inf
    allowed = 2.0 * len(system.levels) * limits.eta_energy + 4.0 * limits.eta**2 * min(squares)
    found = [
        Check.of("|v_N - v*| [Ha]", size, limits.radius, slack),
        Check.of("|v_N - v*|, no stability [Ha]", w, limits.unconditional, slack),
        Check.of("|v_N - v* - S delta| [Ha]", w - S @ delta, remainder, 2.0 * slack),
        Check.of(
            "|G_N - G| at the solutions [Ha]",
            energy,
            allowed,
            2.0 * len(system.levels) * (system.rounding_unit + populations.rounding)
            + float(np.sum(np.abs(p_N))) * slack,
        ),
    ]
    if system.zero_temperature:
        lowest = floor(J, float(np.sum(delta)), p_N - populations.reference)
        relative = float(np.linalg.cond(J)) * len(J) * np.finfo(np.float64).eps
        allowed = 2.0 * slack + relative * size + 2.0 * populations.rounding * max_norm(J)
        found.append(Check.of("floor |Q|/|e|_1 - a|q|, in full [Ha]", lowest, size, allowed))
    return found


def derivation() -> dict[str, bool]:
    """The identities (A), (C), (D), (E), the radius, C₂ and the capacities."""
    return _remark_11_steps.derivation()
