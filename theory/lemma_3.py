"""Lemma 3 with (2.24)–(2.27) and Remark 7: existence, Euler–Lagrange equation, best approximation.

Write V = ∫φ⊗φV_eff[ρ] at v̂, v = Σ v̂_mc W_mc, E[ρ] the explicit energy, J its kernel; β < ∞ or a
gap at µ. Grand-canonical; :mod:`scc.theory.remark_6` has what the electron count adds.

(a) *Euler–Lagrange, (2.24).* ∂𝒢/∂v̂_mc = 2⟨DF(H)[W_mc], V − v⟩ at *every* v̂. Along a unit A = v(u),

        |𝒢(v̂+tu) − 𝒢(v̂) − t ∇𝒢·u| ≤ ½ t² sup|𝒢″|,
        |𝒢″| ≤ 2C₂ (‖V−v‖ + |t|(1 + 2C₁‖J‖)) + 4C₁²‖J‖ + 2C₁,

    C₁ of Lemma 11, C₂ ≥ ‖D²F[A,A]‖/‖A‖²: β²/(6√3), or 2/gap² at β = ∞ (Frobenius norms).

(b) *Existence.* 𝒢(v̂) is the value at γ = F(H) of 2Tr[(H⁰−µ)γ + β⁻¹S(γ)] + E[γ], convex in γ if E
    is. Gibbs' variational principle and convexity give, for *any* density D̄ with potential V̄,

        𝒢(v̂) ≥ L(D̄) = 2Tr G(H⁰+V̄) + E[D̄] − ⟨V̄, D̄⟩          for all v̂,
        0 ≤ 𝒢(v̂) − L(D(v̂)) ≤ min{(β/4)‖V−v‖²_F, 2‖V−v‖₁},

    a lower bound of the minimum and an a-posteriori error of the energy of any v̂. With complete
    features a minimiser exists (β < ∞): γ* minimises a strictly convex function on the compact set
    0 ≤ γ ≤ 1, stays inside it because S′ is infinite at its ends, so γ* = F(H⁰+V*), v* = V*.
    On-site also by Brouwer, for any E with bounded V: v̂ ↦ V maps everything into the box
    |V_ℓ| ≤ Σ_k |J_ℓk| max(Z_k, 2n_k − Z_k) (n_k orbitals), where every solution therefore lies.

(c) *Best approximation, (2.25).* With ‖A‖²_w = −⟨A, DF(H)[A]⟩, for all v̂, ŵ and d = ŵ − v̂,

        ‖v(ŵ)−V‖²_w = ‖v(v̂)−V‖²_w − 2T(v̂)·d + ‖v(d)‖²_w,

    so T(v̂) = 0 iff v is the best approximation of V. By Lemma 11 it is then nearly the best in the
    plain norm: ‖v−V‖_F ≤ √(C₁/c) min_ŵ ‖v(ŵ)−V‖_F, c the least eigenvalue of −DF (at β = ∞ on
    the left the occupied–unoccupied block of v − V, and c the least eigenvalue there).

(d) *Completeness, (2.26).* With complete Ξ, ‖v−V‖_F ≤ ‖T(v̂)‖/c at every v̂ (β < ∞, on-site).

Two sentences of the paper do not hold as they stand; their counter-examples run in ``derivation``.
*Existence for incomplete Ξ*: the density operators F(H⁰+v(v̂)) are not a compact set, v̂ being
unbounded. Two orbitals, H⁰ = hσ_x, one potential function W = σ_z, V = xσ_x with (h+x)h < 0:
𝒢 = 2|h+x|h/√(v̂²+h²) > 0 falls to 0 as v̂ → ∞ and no minimiser exists. What holds: existence with
complete Ξ as in (b), or over a bounded set of v̂ (β < ∞, or where the gap stays open).
*(2.26) at β = ∞*: DF is not invertible there, T = 0 fixes the occupied–unoccupied block of v − V
only. γ commutes with H⁰+V then, but need not occupy its lowest levels; for a minimiser it does.
"""

import numpy as np

from scc.arrays import FloatArray
from scc.equilibration.equilibrate import equilibrate
from scc.errors import ConvergenceError, InputError
from scc.functional.energy import EnergyFunctional, FunctionalState
from scc.occupations.ensemble import GrandCanonical
from scc.theory import _lemma_3_steps, lemma_11
from scc.theory._best_approximation import (
    best_approximation,
    completeness,
    mismatch,
    operator_of,
)
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

EPS = float(np.finfo(np.float64).eps)
_SMALL, _LARGE = 1e-4, 0.3
"""t in units of the smallest of 1/β, the distances of µ from the spectrum at β = ∞, 1 Hartree."""

STEEPEST = 1.0 / (6.0 * np.sqrt(3.0))
"""sup|F″| in units of β²."""

_EQUILIBRATED = 24
"""Systems with at most this many atoms are equilibrated as well (β < ∞)."""


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """Those of Lemma 11, and E[ρ] convex (ε_xc = 0)."""
    convex = all(term.convex for term in system.model.electrostatics)
    return {**lemma_11.hypotheses(system), "E convex in the density": convex}


def grand_canonical(system: TightBindingSystem) -> EnergyFunctional:
    """𝒢(r, ·) of the system with the electrostatics of its model."""
    return EnergyFunctional(system.model, beta=system.beta, ensemble=GrandCanonical(system.mu))


def kernel_norm(functional: EnergyFunctional, system: TightBindingSystem) -> float:
    """‖J‖: γ ↦ ∂²E/∂D² in the orthonormal orbitals, Frobenius to Frobenius, Hartree."""
    size = len(system.levels)
    columns, units = [], []
    if system.assembly.diagonal:
        units = list(np.eye(size))
    else:
        for i in range(size):
            for j in range(i + 1):
                unit = np.zeros((size, size))
                unit[i, j] = unit[j, i] = 1.0 if i == j else np.sqrt(0.5)
                units.append(unit)
    zero = np.zeros_like(system.state.density)
    for unit in units:
        D = system.assembly.extract(unit)
        columns.append(system.assembly.embed(functional.kernel(zero, D)).ravel())
    flat = np.array([unit.ravel() for unit in units])
    matrix = flat @ np.array(columns).T
    return float(np.max(np.abs(np.linalg.eigvalsh(0.5 * (matrix + matrix.T)))))


def second_derivative_bound(
    first: float, second: float, kernel: float, distance: float, step: float
) -> float:
    """sup|𝒢″| along a unit direction within ``step``: (a), with C₁, C₂, ‖J‖, ‖V−v‖ given."""
    moved = distance + step * (1.0 + 2.0 * first * kernel)
    return 2.0 * second * moved + 4.0 * first**2 * kernel + 2.0 * first


def bound(functional: EnergyFunctional, density: FloatArray) -> float:
    """(b): L(D̄) ≤ 𝒢(v̂) for every v̂, Hartree."""
    assembly = functional.model.assembly  # type: ignore[attr-defined]
    V = functional.potential(density)
    operator = assembly.embed(V)
    operator = np.diag(operator) if operator.ndim == 1 else operator
    levels = np.linalg.eigvalsh(assembly.free_hamiltonian + operator)
    free = 2.0 * float(np.sum(functional.occupation.grand_potential(levels)))
    constant = float(np.sum(assembly.repulsion_energies()))
    return free + functional.density_energy(density) - float(np.vdot(V, density)) + constant


def energy_error_bound(beta: float, difference: FloatArray) -> float:
    """(b): min{(β/4)‖V−v‖²_F, 2‖V−v‖₁} ≥ 𝒢(v̂) − min 𝒢, Hartree."""
    trace_norm = 2.0 * float(np.sum(np.abs(np.linalg.eigvalsh(difference))))
    if np.isinf(beta):
        return trace_norm
    return min(beta / 4.0 * float(np.vdot(difference, difference)), trace_norm)


def box(system: TightBindingSystem) -> FloatArray:
    """(b), on-site: Σ_k |J_ℓk| max(Z_k, 2n_k − Z_k), (M,), Hartree."""
    orbitals = np.bincount(system.owner, minlength=system.atoms)
    charges = system.assembly.nuclear_charges
    largest = np.maximum(charges, 2.0 * orbitals - charges)
    J = sum(term.matrix for term in system.model.electrostatics)
    return np.asarray(np.abs(J) @ largest)


def checks(system: TightBindingSystem) -> list[Check]:
    """(a)-(d) at the given v̂, with random competitors; at the equilibrium where it is cheap."""
    functional = grand_canonical(system)
    state = functional.evaluate(system.features)
    rng = np.random.default_rng(system.atoms)
    found = _gradient(system, functional, state, rng)
    found += _duality(system, functional, state, rng)
    found += best_approximation(system, state, rng)
    if system.assembly.diagonal:
        trials = [state, *_evaluated(functional, _competitors(system, rng))]
        largest = np.array([trial.potential for trial in trials])
        rounding = 64 * EPS * len(system.levels) * box(system)
        found.append(Check.of("|V| in the box [Hartree]", largest, box(system), rounding))
        if not system.zero_temperature:
            found.append(completeness(system, state))
    return found


def energy_rounding(
    system: TightBindingSystem, functional: EnergyFunctional, state: FunctionalState
) -> float:
    """Rounding of 𝒢: eigenvalues backward stable, sums with every term at its full size."""
    D, zero = np.abs(state.density), np.zeros_like(state.density)
    terms = abs(functional.density_energy(zero)) + float(
        np.vdot(D, np.abs(functional.potential(zero)) + np.abs(functional.kernel(zero, D)))
    )
    v = float(np.linalg.norm(operator_of(system, state.features))) * np.sqrt(len(system.levels))
    n = len(system.levels)
    return float(2.0 * n * system.rounding_unit + 16.0 * n * EPS * (terms + 2.0 * v))


def directions(
    system: TightBindingSystem, state: FunctionalState, rng: np.random.Generator
) -> list[FloatArray]:
    """u with ‖v(u)‖_F = 1: random, along V − v where the cubic term is large, and uniform."""
    towards = system.assembly.feature_contract(mismatch(system, state))
    shape = system.features.shape
    found = [rng.standard_normal(shape), towards.reshape(shape), np.ones(shape)]
    return [u / float(np.linalg.norm(operator_of(system, u))) for u in found]


def _gradient(
    system: TightBindingSystem,
    functional: EnergyFunctional,
    state: FunctionalState,
    rng: np.random.Generator,
) -> list[Check]:
    """Symmetric quotients with a small step hold the gradient; one-sided remainders with a large
    one hold sup|𝒢″|."""
    gap = system.gap_below + system.gap_above
    scale = min(1.0, system.gap_below, system.gap_above)
    if not system.zero_temperature:
        scale = min(1.0, 1.0 / system.beta)
    distance = float(np.linalg.norm(mismatch(system, state)))
    kernel = kernel_norm(functional, system)
    rounding = 2.0 * energy_rounding(system, functional, state)

    def largest(step: float) -> float:
        first = lemma_11.bound(system.levels, system.beta, system.mu, step)[1]
        second = STEEPEST * system.beta**2
        if system.zero_temperature:
            second = 2.0 / (gap - 2.0 * step) ** 2
        return second_derivative_bound(first, second, kernel, distance, step)

    small, large = _SMALL * scale, _LARGE * scale
    quotients, remainders = [], []
    for u in directions(system, state, rng):
        slope = float(np.vdot(state.gradient, u))

        def energy(step: float, u: FloatArray = u) -> float:
            return float(functional.evaluate(system.features + step * u).energy)

        quotients.append((energy(small) - energy(-small)) / (2.0 * small) - slope)
        remainders.append(energy(large) - state.energy - large * slope)
    return [
        Check.of(
            "difference quotient of the energy − 2⟨DF[W], V − v⟩",
            quotients,
            0.5 * small * largest(small),
            rounding / small,
        ),
        Check.of(
            "energy beyond its first order [Hartree]",
            remainders,
            0.5 * large**2 * largest(large),
            rounding + large * 64 * EPS * len(system.levels) * largest(0.0),
        ),
    ]


def _duality(
    system: TightBindingSystem,
    functional: EnergyFunctional,
    state: FunctionalState,
    rng: np.random.Generator,
) -> list[Check]:
    trials = [state, *_evaluated(functional, _competitors(system, rng))]
    rounding = max(energy_rounding(system, functional, trial) for trial in trials)
    lower = [bound(functional, trial.density) for trial in trials]
    lower.append(bound(functional, functional.model.initial_density()))
    excess = [max(low - trial.energy, 0.0) for low in lower for trial in trials]
    gaps = [trial.energy - low for trial, low in zip(trials, lower, strict=False)]
    errors = [energy_error_bound(system.beta, mismatch(system, trial)) for trial in trials]
    found = [
        Check.of(
            "lower bound of the minimum, above some energy [Hartree]", excess, 0.0, 2 * rounding
        ),
        Check.of("duality gap of the energy [Hartree]", gaps, errors, 2 * rounding),
    ]
    if system.atoms <= _EQUILIBRATED and not system.zero_temperature:
        try:
            result = equilibrate(functional, max_builds=40)
        except (ConvergenceError, InputError):
            return found
        if result.converged:
            above = [trial.energy - result.energy for trial in trials]
            name = "energy above its minimum [Hartree]"
            found.append(Check.of(name, np.maximum(above, 0.0), errors, 2 * rounding))
    return found


def _competitors(system: TightBindingSystem, rng: np.random.Generator) -> list[FloatArray]:
    """Other v̂: nearby, far, and further than any potential of this system."""
    noise = rng.standard_normal((3, *system.features.shape))
    return [system.features + size * u for size, u in zip((0.1, 1.0, 30.0), noise, strict=True)]


def _evaluated(functional: EnergyFunctional, features: list[FloatArray]) -> list[FunctionalState]:
    found = []
    for v in features:
        try:
            found.append(functional.evaluate(v))
        except InputError:  # β = ∞ with µ on a level: 𝒢 is not defined there
            continue
    return found


def derivation() -> dict[str, bool]:
    """(a), the inequalities behind (b), (c), and the counter-examples."""
    return _lemma_3_steps.steps()
