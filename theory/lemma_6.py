"""Lemma 6: critical points of the body-ordered energy solve T_N = 0; and what (3.4) adds at β = ∞.

Statement. Let G_N be *any* polynomial, F_N = G_N′, and
𝒢_N(v̂) = 2Tr[G_N(H) − vF_N(H)] + E[ρ_N], (3.7) with (3.5). At every v̂, critical or not,

    (i)   ∂𝒢_N/∂v̂_mc = −2 T_N(v̂)_mc,   T_N(v̂)_mc = ⟨DF_N(H)[W_mc], v − ∫φ⊗φV_eff[ρ_N]⟩,

so a minimiser, and any critical point, solves T_N = 0 (3.11). The proof is that of (2.24), in which
nothing of G was used but F = G′.

At β = ∞ the paper approximates F alone and takes (3.4), 𝒢̃_N = 2Tr[(H⁰−µ)F_N(H)] + E[ρ_N]. Then

    (ii)  ∂𝒢̃_N/∂v̂_mc = −2T_N(v̂)_mc + 2Tr[(H−µ)F_N′(H) W_mc],

and the lemma as worded does not hold: a critical point of 𝒢̃_N has T_N = Tr[(H−µ)F_N′(H)W] ≠ 0 (a
counter-example runs in ``derivation``). The term is small, explicitly:

    (iii) |Tr[(H−µ)F_N′(H)W]| ≤ ‖W‖₁ max_X |(x−µ)F_N′(x)|
                              ≤ ‖W‖₁ max_i max_{x∈X_i}|x−µ| (2 n²/|X_i|) ‖F−F_N‖_X = O(N² e^{−θN}),

X = X₁ ∪ X₂ ⊃ σ(H), n = deg F_N; the second line is Markov's inequality for the polynomial F_N − F,
F being 1 or 0 on X_i. Maxima over X are those over m Chebyshev extrema an interval times
1/cos(πd/2m) for a polynomial of degree d < m (Ehlich and Zeller, Math. Z. 86 (1964) 41), which
makes them rigorous.

−DF_N is not definite (:func:`wrong_signs`): F_N oscillates about F, so F_N′ changes sign on X. A
zero of T_N is a critical point of 𝒢_N, and nothing says that it is a minimiser.

Measurement. ∂𝒢_N/∂v̂·u is taken by the complex step, Im 𝒢_N(v̂ + iεu)/ε with ε = 1e-30, matrix
polynomials by products: no truncation error, and no divided difference.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scc.arrays import FloatArray
from scc.bodyorder.chebyshev import series_of_matrix
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet, spectral_set
from scc.functional.energy import EnergyFunctional, FunctionalState
from scc.occupations.ensemble import GrandCanonical
from scc.theory import _lemma_6_steps, lemma_11
from scc.theory._best_approximation import operator_of
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

EPS = float(np.finfo(np.float64).eps)
DEGREES = (6, 17)
"""deg G_N: an even and an odd one, small and moderate."""
_EPSILON = 1e-30
_OVERSAMPLING = 8
"""Chebyshev extrema an interval per degree: 1/cos(π/16) = 1.02."""


def enclosing_set(system: TightBindingSystem) -> SpectralSet:
    """X ⊃ σ(H): a tenth of the width wider, at β = ∞ with four fifths of the gaps left open."""
    low, high = float(system.levels[0]), float(system.levels[-1])
    margin = 0.1 * (high - low) + 0.05
    if system.zero_temperature:
        gaps = 0.8 * system.gap_below, 0.8 * system.gap_above
        return spectral_set(low - margin, high + margin, system.mu, *gaps)
    return spectral_set(low - margin, high + margin, system.mu)


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """β < ∞, or µ in a gap inside the spectrum (then X is two intervals)."""
    return lemma_11.hypotheses(system)


def bound(system: TightBindingSystem, occupation: PolynomialOccupation) -> float:
    """(iii), first line, for ‖W‖₁ = 1: max_X |(x−µ)F_N′(x)|; 0 is not claimed for β < ∞."""
    mu = system.mu

    def function(x: FloatArray) -> FloatArray:
        return np.asarray((x - mu) * occupation.derivative(x))

    return max(
        _maximum(function, interval, occupation.degree - 1)
        for interval in occupation.spectral_set.intervals
    )


def markov_bound(system: TightBindingSystem, occupation: PolynomialOccupation) -> float:
    """(iii), second line, for ‖W‖₁ = 1, at β = ∞: by ‖F − F_N‖_X."""
    X, n = occupation.spectral_set, occupation.degree - 1
    largest = 0.0
    deviation = occupation_error(system, occupation)
    for low, high in X.intervals:
        reach = max(abs(low - system.mu), abs(high - system.mu))
        largest = max(largest, reach * 2.0 * n**2 / (high - low))
    return largest * deviation


def occupation_error(system: TightBindingSystem, occupation: PolynomialOccupation) -> float:
    """‖F − F_N‖_X at β = ∞, rigorous: on each interval a polynomial."""
    deviations = []
    for interval in occupation.spectral_set.intervals:
        exact = 1.0 if interval[1] <= system.mu else 0.0

        def function(x: FloatArray, exact: float = exact) -> FloatArray:
            return np.asarray(occupation.occupation(x) - exact)

        deviations.append(_maximum(function, interval, occupation.degree - 1))
    return max(deviations)


def wrong_signs(system: TightBindingSystem, occupation: PolynomialOccupation) -> float:
    """Share of pairs i ≤ j with F_N[λ_i, λ_j] > 0, beyond rounding."""
    x = system.levels
    divided = occupation.divided_difference(x[:, None], x[None, :])[np.triu_indices(len(x))]
    return float(np.mean(divided > _evaluation_rounding(occupation, 2) * len(x)))


def checks(system: TightBindingSystem) -> list[Check]:
    """(i) and, at β = ∞, (ii) by complex steps; (iii) for every feature."""
    X = enclosing_set(system)
    found: list[Check] = []
    for occupation in PolynomialOccupation.sequence(X, DEGREES, system.beta, system.mu):
        functional = EnergyFunctional(
            system.model, ensemble=GrandCanonical(system.mu), occupation=occupation
        )
        state = functional.evaluate(system.features)
        found += _gradients(system, occupation, functional, state)
        if system.zero_temperature:
            found += _additional_term(system, occupation)
    return found


def _gradients(
    system: TightBindingSystem,
    occupation: PolynomialOccupation,
    functional: EnergyFunctional,
    state: FunctionalState,
) -> list[Check]:
    rng = np.random.default_rng(system.atoms)
    u = rng.standard_normal(system.features.shape)
    A = operator_of(system, u)
    u, A = u / float(np.linalg.norm(A)), A / float(np.linalg.norm(A))
    T = float(np.vdot(state.residual, u))
    F = _complex_step(system.hamiltonian, A, occupation, "F")
    G = _complex_step(system.hamiltonian, A, occupation, "G")
    n = len(A)
    v = system.potential
    V = system.assembly.embed(state.potential)
    V = np.diag(V) if V.ndim == 1 else V
    electrostatic = 2.0 * float(np.vdot(V, F.imag))  # dE = ⟨V, dD⟩, E real-analytic in D
    first = 2.0 * float(np.trace(G.imag) - np.vdot(A, F.real) - np.vdot(v, F.imag))
    mu = system.mu * np.eye(n)
    free = system.assembly.free_hamiltonian
    second = 2.0 * float(np.vdot(free - mu, F.imag))
    size = float(np.linalg.norm(V) + np.linalg.norm(v) + np.linalg.norm(free - mu))
    # T_k by n³ recurrences, its derivative ≤ k²: every term of the series with its own rounding.
    unit = 8.0 * n * occupation.degree * (_evaluation_rounding(occupation, 2) * size)
    unit += 8.0 * n * occupation.degree * _evaluation_rounding(occupation, 1)
    unit += system.rounding_unit * _evaluation_rounding(occupation, 3) / EPS * size
    name = f"gradient + 2T_N, deg G_N = {occupation.degree}"
    found = [Check.of(name, first + electrostatic + 2.0 * T, 0.0, unit)]
    if system.zero_temperature:
        extra = additional_term(system, occupation, A)
        rest = second + electrostatic + 2.0 * T - 2.0 * extra
        found.append(Check.of(f"{name.split(',')[0]} − extra term, with (3.4)", rest, 0.0, unit))
    return found


def additional_term(
    system: TightBindingSystem, occupation: PolynomialOccupation, perturbation: FloatArray
) -> float:
    """Tr[(H−µ)F_N′(H) W], by matrix products."""
    slope = occupation.coefficients
    X = occupation.spectral_set
    half = 0.5 * (X.upper - X.lower)
    for _ in range(2):
        slope = np.asarray(np.polynomial.chebyshev.chebder(slope, scl=1.0 / half), dtype=np.float64)
    identity = np.eye(len(system.levels))
    scaled = (system.hamiltonian - 0.5 * (X.upper + X.lower) * identity) / half
    derivative = np.asarray(series_of_matrix(slope, scaled, identity))
    return float(np.vdot(perturbation, (system.hamiltonian - system.mu * identity) @ derivative))


def _additional_term(system: TightBindingSystem, occupation: PolynomialOccupation) -> list[Check]:
    largest, by_markov = bound(system, occupation), markov_bound(system, occupation)
    terms, norms = [], []
    for atom, _, W in system.feature_perturbations():
        if atom > 5:
            break
        terms.append(additional_term(system, occupation, W))
        norms.append(float(np.sum(np.abs(np.linalg.eigvalsh(W)))))
    # The projector on one level, W = ψψᵀ, is where the trace inequality is sharp.
    C, x = system.state.eigenvectors, system.levels
    worst = int(np.argmax(np.abs((x - system.mu) * occupation.derivative(x))))
    terms.append(additional_term(system, occupation, np.outer(C[:, worst], C[:, worst])))
    norms.append(1.0)
    reach = float(np.max(np.abs(x - system.mu)))
    unit = 8.0 * len(x) * occupation.degree * _evaluation_rounding(occupation, 2) * reach
    degree = f"deg G_N = {occupation.degree}"
    return [
        Check.of(
            f"Tr[(H−µ)F_N′(H)W], {degree} [Hartree]",
            terms,
            largest * np.array(norms),
            unit * np.array(norms),
        ),
        # The sampled maximum may be 1/cos(π/16) < 1.02 too large, which Markov need not cover.
        Check.of(f"max |(x−µ)F_N′| by Markov, {degree}", largest, 1.02 * by_markov, unit),
    ]


def _maximum(
    function: Callable[[FloatArray], FloatArray], interval: tuple[float, float], degree: int
) -> float:
    """max |p| over an interval for a polynomial p of at most the given degree (Ehlich–Zeller)."""
    points = _OVERSAMPLING * max(degree, 1) + 1
    x = SpectralSet((interval,)).sample(points)
    sampled = float(np.max(np.abs(function(x))))
    return sampled / float(np.cos(np.pi * degree / (2.0 * (points - 1))))


def _complex_step(
    hamiltonian: FloatArray,
    direction: FloatArray,
    occupation: PolynomialOccupation,
    which: Literal["F", "G"],
) -> NDArray[np.complex128]:
    """O_N(H + iεA) with imaginary part divided by ε: real part O_N(H), imaginary DO_N(H)[A]."""
    moved = hamiltonian + 1j * _EPSILON * direction
    result = occupation.matrix_function(moved, which)
    return np.asarray(result.real + 1j * (result.imag / _EPSILON))


def _evaluation_rounding(occupation: PolynomialOccupation, order: int) -> float:
    """eps Σ_k |c_k| (k²/h)^order ≥ eps·sup|G_N^(order)| on the hull of X, of half-width h."""
    X = occupation.spectral_set
    half = 0.5 * (X.upper - X.lower)
    k = np.arange(len(occupation.coefficients), dtype=np.float64)
    return float(EPS * np.sum(np.abs(occupation.coefficients) * (k**2 / half) ** order))


def derivation() -> dict[str, bool]:
    """(i), (ii); the counter-example to the wording; the sampling theorem; indefiniteness."""
    return _lemma_6_steps.steps()
