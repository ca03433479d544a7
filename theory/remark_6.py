"""Remarks 6 and 7: the Fermi level of the canonical ensemble follows v̂; how far, and how linearly.

Statement. At fixed electron number N = 2 Tr F(H − ε_F), β < ∞, with the mean
⟨A⟩ = ⟨F′(H), A⟩/Tr F′(H) (weights F′(λ_i)/Σ F′ ≥ 0 that add up to one),

    (i)   dε_F/dv̂_mc = ⟨W_mc⟩,  λ_min(W) ≤ dε_F/dv̂ ≤ λ_max(W),
    (ii)  |dε_F/dv̂_mc| ≤ κ ‖W_mc‖₁ / n,   κ = max_i |F′(λ_i)| / mean_i |F′(λ_i)|:
          of order 1/M for a local W (‖·‖₁ the trace norm), the size of what Remark 8 is about,
    (iii) λ_min(W) ≤ ε_F(H+W) − ε_F(H) ≤ λ_max(W) for W of any size,
    (iv)  |ε_F(H+W) − ε_F(H) − ⟨W⟩| ≤ (β/8) (λ_max(W) − λ_min(W))²,

the last attained to leading order where all levels lie far above µ and commute with W: there
ε_F = −β⁻¹ ln of a mean of e^{−βW}, and (iv) is Hoeffding's lemma. The Euler–Lagrange equation
(2.27) is that of Lemma 3 with DF_N[A] = DF[A − ⟨A⟩1] in place of DF: the gradient of 𝒢 + µN at
fixed N is 2⟨DF_N[W], V − v⟩, and what is beyond first order is bounded as there with

    C₁ of Lemma 11 (−DF_N ≤ −DF),
    C₂ = β²/(6√3) (1 + 2e + √n e²) + (β/4)(λ_max(A)−λ_min(A))² ‖F′(H)‖_F,    e ≥ |⟨A⟩|,

for a unit A, because d²F(H_s − ε_F)/ds² = D²F[A−⟨A⟩, A−⟨A⟩] − ε_F″ F′(H). Along a step t, with
δ = t‖A‖, ⟨A⟩ moves by at most (β/4)t(λ_max−λ_min)², and F′ by a factor e^{2βδ}.

Proof of (iv). With A = W − ε_F′ along H + sW, differentiating Tr F(H − ε_F) = const twice gives
ε_F″ = ⟨DF′(H)[A], A⟩/Tr F′(H). Since |(ln|F′|)′| = β|1 − 2F| ≤ β, two values of |F′| at distance d
differ by at most a factor e^{βd}, and |a − b| ≤ (a + b) tanh(½|ln a/b|), so
|F′[x,y]| ≤ (β/2)(|F′(x)| + |F′(y)|); hence |ε_F″| ≤ β⟨A²⟩ = β(⟨W²⟩ − ⟨W⟩²), and the variance of W
in the state diag ⟨·⟩ is at most (λ_max − λ_min)²/4 (Popoviciu). Taylor.

*Remark 7, grand-canonical.* ε_F = µ does not move, the electron number does:

    (v)   |N(H+W) − N(H) − 2⟨F′(H), W⟩| ≤ β²/(6√3) ‖W‖²_F,     sup|F″| = β²/(6√3).

Measured are Fermi levels and electron numbers solved anew at H + tW, from eigenvalues alone.
"""

from itertools import islice

import mpmath
import numpy as np
import sympy as sp

from scc.arrays import FloatArray
from scc.functional.energy import EnergyFunctional
from scc.occupations.ensemble import Canonical, fermi_level
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import lemma_11
from scc.theory._best_approximation import mismatch, operator_of
from scc.theory.lemma_3 import (
    STEEPEST,
    directions,
    energy_rounding,
    kernel_norm,
    second_derivative_bound,
)
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

_STEPS = (-0.05, 1.0)
"""Sizes of W tried, in units of 1/(β‖W‖) and of 1/‖W‖: small and of order one."""


def fermi_level_derivative(
    system: TightBindingSystem, perturbation: FloatArray, mu: float
) -> float:
    """⟨W⟩ = ⟨F′(H), W⟩/Tr F′(H) at Fermi level ``mu``, the rank-one term of Remark 6.

    Weights are formed relative to the largest, so that they exist in the middle of a gap of
    thousands of 1/β, where F′ underflows.
    """
    logs = _log_slopes(system.levels, system.beta, mu)
    weights = np.exp(logs - np.max(logs))
    weights /= np.sum(weights)
    C = system.state.eigenvectors
    return float(weights @ np.einsum("ij,ij->j", C, perturbation @ C))


def _log_slopes(levels: FloatArray, beta: float, mu: float) -> FloatArray:
    """ln(|F′|/β) = −β|x−µ| − 2 ln(1 + e^{−β|x−µ|})."""
    distance = beta * np.abs(levels - mu)
    return np.asarray(-distance - 2.0 * np.log1p(np.exp(-distance)))


def bound(system: TightBindingSystem, perturbation: FloatArray, mu: float) -> float:
    """(ii): κ ‖W‖₁ / n ≥ |dε_F/dv̂| (dimension of W)."""
    logs = _log_slopes(system.levels, system.beta, mu)
    concentration = 1.0 / float(np.mean(np.exp(logs - np.max(logs))))
    trace_norm = float(np.sum(np.abs(np.linalg.eigvalsh(perturbation))))
    return concentration * trace_norm / len(system.levels)


def remainder_bound(beta: float, perturbation_levels: FloatArray) -> float:
    """(iv): (β/8)(λ_max(W) − λ_min(W))², Hartree."""
    spread = float(perturbation_levels[-1] - perturbation_levels[0])
    return beta / 8.0 * spread**2


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """β < ∞. At β = ∞ any ε_F in the gap will do, and it need not move at all."""
    return {
        "beta < inf": not system.zero_temperature,
        "some but not all states filled": 0.0 < system.state.electrons < 2.0 * len(system.levels),
    }


def checks(system: TightBindingSystem) -> list[Check]:
    """(i)-(v) for some features, steps from a twentieth of the thermal energy to 1 Hartree."""
    beta, electrons = system.beta, system.state.electrons
    level = fermi_level(system.levels, electrons, beta)
    slopes = np.abs(FermiDirac(beta, system.mu).derivative(system.levels))
    moved, outside, remainders, linear, numbers, norms = [], [], [], [], [], []
    derivatives, first_order = [], []
    perturbations = list(islice(system.feature_perturbations(), 2))
    rng = np.random.default_rng(system.atoms)
    mixed = _mixture(system, rng)
    for W in [*(w for _, _, w in perturbations), mixed]:
        own = np.asarray(np.linalg.eigvalsh(W), dtype=np.float64)
        size = float(np.max(np.abs(own)))
        derivative = fermi_level_derivative(system, W, level)
        derivatives.append(derivative)
        first_order.append(bound(system, W, level))
        C = system.state.eigenvectors
        response = -2.0 * float(slopes @ np.einsum("ij,ij->j", C, W @ C))
        for step in (*(s / (beta * size) for s in _STEPS), 1.0 / size):
            levels = np.linalg.eigvalsh(system.hamiltonian + step * W)
            change = fermi_level(levels, electrons, beta) - level
            moved.append(change - step * derivative)
            remainders.append(remainder_bound(beta, step * own))
            ends = np.sort(step * own[[0, -1]])
            outside.append(max(ends[0] - change, change - ends[1], 0.0))
            number = 2.0 * float(np.sum(FermiDirac(beta, system.mu).occupation(levels)))
            linear.append(number - electrons - step * response)
            numbers.append(STEEPEST * beta**2 * step**2 * float(np.vdot(W, W)))
            norms.append(step * size)
    n, eps = len(system.levels), float(np.finfo(np.float64).eps)
    # Levels to a backward error, H + tW larger than H by ‖tW‖; ε_F to a few roundings of 1/β.
    unit = system.rounding_unit + n * eps * np.abs(norms)
    error = 2.0 * unit + 64.0 * n * eps * (1.0 / beta + abs(level))
    steepest = n * (beta / 2.0) * unit + 4.0 * n * eps
    found = [
        Check.of("|dε_F/dv̂| [Hartree/unit of v̂]", derivatives, first_order, 8 * n * eps),
        Check.of("ε_F outside [λ_min(W), λ_max(W)] [Hartree]", outside, 0.0, error),
        Check.of("remainder of ε_F beyond first order [Hartree]", moved, remainders, error),
        Check.of("remainder of N at fixed µ [electrons]", linear, numbers, 4.0 * steepest),
    ]
    found += _gradient(system, electrons, level, rng)
    if system.assembly.diagonal:  # the site projectors add up to one: so do the dε_F/dv̂_m
        all_sites = [w for _, _, w in system.feature_perturbations()]
        total = sum(fermi_level_derivative(system, w, level) for w in all_sites)
        found.append(Check.of("Σ_m dε_F/dv̂_m − 1", total - 1.0, 0.0, 8.0 * n * eps))
    return found


def _gradient(
    system: TightBindingSystem, electrons: float, level: float, rng: np.random.Generator
) -> list[Check]:
    """∂(𝒢 + µN)/∂v̂ at fixed N along unit directions, steps 1e-4/β and 0.3/β."""
    beta, n = system.beta, len(system.levels)
    functional = EnergyFunctional(system.model, beta=beta, ensemble=Canonical(electrons))
    state = functional.evaluate(system.features)
    remainders: dict[float, list[tuple[float, float]]] = {1e-4: [], 0.3: []}
    kernel = kernel_norm(functional, system)
    distance = float(np.linalg.norm(mismatch(system, state)))
    slopes = float(np.linalg.norm(FermiDirac(beta, level).derivative(system.levels)))
    for u in directions(system, state, rng):
        A = operator_of(system, u)
        own = np.linalg.eigvalsh(A)
        size, spread = float(np.max(np.abs(own))), float(own[-1] - own[0])
        gradient = float(np.vdot(state.gradient, u))
        mean = abs(fermi_level_derivative(system, A, level))
        for fraction, found in remainders.items():
            step = fraction * min(1.0, 1.0 / beta)
            first = lemma_11.bound(system.levels, beta, level, 2.0 * step * size)[1]
            e = mean + beta / 4.0 * step * spread**2
            second = STEEPEST * beta**2 * (1.0 + 2.0 * e + np.sqrt(n) * e**2)
            second += beta / 4.0 * spread**2 * slopes * np.exp(2.0 * beta * step * size)
            largest = second_derivative_bound(first, second, kernel, distance, step)
            above = functional.evaluate(system.features + step * u).energy
            found.append((above - state.energy - step * gradient, 0.5 * step**2 * largest))
    rounding = 2.0 * energy_rounding(system, functional, state) + 4.0 * electrons * (
        system.rounding_unit + 64.0 * np.finfo(np.float64).eps / beta
    )
    checks = []
    for fraction, found in remainders.items():
        measured, bounds = np.array(found).T
        name = f"energy at fixed N beyond its first order, step {fraction:g}/β [Hartree]"
        checks.append(Check.of(name, measured, bounds, rounding))
    return checks


def _mixture(system: TightBindingSystem, rng: np.random.Generator) -> FloatArray:
    """v of random v̂ on all atoms, (n, n)."""
    return operator_of(system, rng.uniform(-1.0, 1.0, system.features.shape))


# -- derivation ----------------------------------------------------------------------------------


def derivation() -> dict[str, bool]:
    """First and second derivative of ε_F, the inequality for F′[x,y], its sharpness, sup|F″|."""
    b, r = sp.symbols("beta r", positive=True)
    steps = _derivatives_of_the_level()
    F = 1 / (1 + r**2)  # r = e^{βx/2}, so d/dx = (β/2) r d/dr
    slope = b * F * (1 - F)
    logarithmic = sp.simplify(b / 2 * r * sp.diff(slope, r) / slope)
    steps["(ln|F′|)′ = −β(1 − 2F)"] = sp.simplify(logarithmic + b * (1 - 2 * F)) == 0
    # With a/b = e^{2q}: (a − b)/(a + b) = tanh q, and tanh q ≤ q because (q − tanh q)′ = tanh² q.
    q = sp.symbols("q", positive=True)
    mean = (sp.exp(2 * q) - 1) / (sp.exp(2 * q) + 1)
    steps["|a − b| = (a + b) tanh(½ ln a/b) ≤ (a + b) ½ ln a/b"] = (
        sp.simplify((mean - sp.tanh(q)).rewrite(sp.exp)) == 0
        and sp.simplify(sp.diff(q - sp.tanh(q), q) - sp.tanh(q) ** 2) == 0
    )
    # Popoviciu: values in [lo, hi] have Var ≤ (hi − ⟨W⟩)(⟨W⟩ − lo), and that is ≤ ((hi−lo)/2)².
    lo, hi, m = sp.symbols("lo hi m", real=True)
    steps["Popoviciu: the product is largest in the middle"] = (
        sp.simplify((hi - lo) ** 2 / 4 - (hi - m) * (m - lo) - (m - (hi + lo) / 2) ** 2) == 0
    )
    # All levels far above µ, W = ±w with equal weights: ε_F = −ln cosh(βw)/β.
    w = sp.symbols("w", positive=True)
    boltzmann = sp.series(-sp.log(sp.cosh(b * w)) / b, w, 0, 3).removeO()
    steps["(iv) is attained to leading order far above µ"] = (
        sp.simplify(boltzmann + b / 8 * (2 * w) ** 2) == 0
    )
    # |F″| in f = F: β² f(1−f)(1−2f), extremal where its derivative vanishes.
    f = sp.symbols("f", positive=True)
    curvature = f * (1 - f) * (1 - 2 * f)
    extremes = [abs(curvature.subs(f, root)) for root in sp.solve(sp.diff(curvature, f), f)]
    steps["sup|F″| = β²/(6√3)"] = (
        all(sp.simplify(value - 1 / (6 * sp.sqrt(3))) == 0 for value in extremes)
        and abs(float(STEEPEST) - float(1 / (6 * mpmath.sqrt(3)))) < 1e-16
    )
    return steps


def _derivatives_of_the_level() -> dict[str, bool]:
    """Tr F(H + sW − ε(s)) = const for a generic polynomial F and a 2×2 H, twice differentiated."""
    s, first, second = sp.symbols("s e_1 e_2")
    x, y = sp.symbols("lambda_1 lambda_2")
    c = sp.symbols("c_1:6")
    W = sp.Matrix(
        2, 2, [sp.Symbol("w_11"), sp.Symbol("w_12"), sp.Symbol("w_12"), sp.Symbol("w_22")]
    )
    shifted = sp.diag(x, y) + s * (W - first * sp.eye(2)) - s**2 / 2 * second * sp.eye(2)
    trace = sp.Integer(0)
    power = sp.eye(2)
    for k in range(1, 6):
        power = (power * shifted).applyfunc(sp.expand)
        trace += c[k - 1] * power.trace()
    trace = sp.expand(trace)
    slope = [sum(k * c[k - 1] * z ** (k - 1) for k in range(1, 6)) for z in (x, y)]
    curvature = [sum(k * (k - 1) * c[k - 1] * z ** (k - 2) for k in range(2, 6)) for z in (x, y)]
    A = W - first * sp.eye(2)
    mixed = sp.cancel((slope[0] - slope[1]) / (x - y))
    # ⟨DF′(H)[A], A⟩ with F′[λ,λ] = F″(λ).
    pairing = curvature[0] * A[0, 0] ** 2 + curvature[1] * A[1, 1] ** 2 + 2 * mixed * A[0, 1] ** 2
    conditions = [
        trace.coeff(s, 1) - sum(slope[i] * A[i, i] for i in range(2)),
        2 * trace.coeff(s, 2) - (pairing - second * sum(slope)),
    ]
    return {
        "0 = Σ F′(λ_i)(W_ii − ε′), hence (i)": sp.expand(conditions[0]) == 0,
        "0 = ⟨DF′[A], A⟩ − ε″ Tr F′": sp.expand(conditions[1]) == 0,
    }
