"""(2.25) and (2.26) with numbers: v against V in the −DF-weighted norm and in the plain one.

With ‖A‖²_w = −⟨A, DF(H)[A]⟩ and d = ŵ − v̂,

    ‖v(ŵ)−V‖²_w = ‖v(v̂)−V‖²_w − 2T(v̂)·d + ‖v(d)‖²_w          for all v̂, ŵ,
    ‖v°−V‖_F ≤ √(C₁/c) min_ŵ ‖v(ŵ)−V‖_F        for the v° that is best in ‖·‖_w,
    ‖v(v̂)−V‖_F ≤ ‖T(v̂)‖/c                      where Ξ is complete,

c ≤ −DF(H) ≤ C₁ by Lemma 11. Used by :mod:`scc.theory.lemma_3`, whose item (c) and (d) these are.
"""

import numpy as np

from scc.arrays import FloatArray
from scc.functional.energy import FunctionalState
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import lemma_11
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

EPS = float(np.finfo(np.float64).eps)


def operator_of(system: TightBindingSystem, features: FloatArray) -> FloatArray:
    """v = Σ v̂_mc W_mc in the orthonormal orbitals, (n, n), Hartree."""
    v = system.assembly.feature_matrix(features)
    return np.diag(v) if v.ndim == 1 else v


def mismatch(system: TightBindingSystem, state: FunctionalState) -> FloatArray:
    """V − v in the orthonormal orbitals, (n, n), Hartree."""
    A = system.assembly.embed(state.potential) - system.assembly.feature_matrix(state.features)
    return np.diag(A) if A.ndim == 1 else A


def best_approximation(
    system: TightBindingSystem, state: FunctionalState, rng: np.random.Generator
) -> list[Check]:
    """(c) at any v̂, and the quasi-optimality of the best v, found by weighted least squares."""
    C, levels = system.state.eigenvectors, system.levels
    occupation = FermiDirac(system.beta, system.mu)
    weights = np.sqrt(-occupation.divided_difference(levels[:, None], levels[None, :]))

    def weighted(matrix: FloatArray) -> FloatArray:
        return np.asarray((weights * (C.T @ matrix @ C)).ravel())

    error = -mismatch(system, state)
    here = float(np.sum(weighted(error) ** 2))
    n = len(levels)
    defects, scales = [], []
    for _ in range(3):
        d = rng.standard_normal(system.features.shape) * rng.uniform(0.01, 1.0)
        step = operator_of(system, d)
        there, length = np.sum(weighted(error + step) ** 2), np.sum(weighted(step) ** 2)
        defects.append(float(there - here + 2.0 * np.vdot(state.residual, d) - length))
        scales.append(float(here + there + length))
    # Products of n×n matrices, and F[x,y] of rounded levels: its relative slope is at most β.
    unit = n * EPS * 8.0 + _relative_slope(system) * system.rounding_unit
    scale = unit * np.array(scales) + _absolute(system, state, unit)
    found = [Check.of("‖v(ŵ)−V‖² − (‖v−V‖² − 2T·d + ‖v(d)‖²)", defects, 0.0, scale)]
    if not system.model.complete:
        basis = [w for _, _, w in system.feature_perturbations()]
        columns = np.array([weighted(w) for w in basis]).T
        coefficients = np.linalg.lstsq(columns, -weighted(error), rcond=None)[0]
        best = error + np.tensordot(coefficients, np.array(basis), axes=1)
        plain = np.array([w.ravel() for w in basis]).T
        nearest = np.linalg.lstsq(plain, -error.ravel(), rcond=None)[0]
        least = float(np.linalg.norm(error.ravel() + plain @ nearest))
        found.append(_quasi_optimality(system, best, least, coefficients))
    return found


def _quasi_optimality(
    system: TightBindingSystem,
    best: FloatArray,
    least: float,
    coefficients: FloatArray,
) -> Check:
    c, C1 = lemma_11.bound(system.levels, system.beta, system.mu)
    measured = best
    if system.zero_temperature:  # only the occupied–unoccupied block counts, and is measured
        C = system.state.eigenvectors
        filled = system.levels <= system.mu
        inner = C.T @ best @ C
        measured = inner[np.ix_(filled, ~filled)] * np.sqrt(2.0)
    size = float(np.linalg.norm(best)) + float(np.sum(np.abs(coefficients)))
    with np.errstate(divide="ignore"):
        ratio = float(np.sqrt(C1 / np.float64(c)))
        rounding = 64 * EPS * len(system.levels) ** 1.5 * size * (1.0 + ratio)
        right = ratio * least if least > 0.0 else 0.0
    name = "‖v−V‖ of the best v in −DF, against the best in the plain norm [Hartree]"
    return Check.of(name, float(np.linalg.norm(measured)), right, rounding)


def completeness(system: TightBindingSystem, state: FunctionalState) -> Check:
    """(d): ‖v−V‖ ≤ ‖T‖/c."""
    least = lemma_11.bound(system.levels, system.beta, system.mu)[0]
    distance = float(np.linalg.norm(mismatch(system, state)))
    rounding = 16 * EPS * len(system.levels) * distance
    with np.errstate(divide="ignore", over="ignore"):
        # T itself is rounded: n·eps of ‖DF‖‖v−V‖, and F[x,y] of levels known to a rounding unit.
        slack = (8 * len(system.levels) * EPS + system.beta * system.rounding_unit) * system.beta
        T = float(np.linalg.norm(state.residual)) + slack * distance
        right = np.float64(T) / np.float64(least)
    return Check.of("‖v−V‖ against ‖T‖/c [Hartree]", distance, right, rounding)


def _relative_slope(system: TightBindingSystem) -> float:
    if system.zero_temperature:
        return 1.0 / (system.gap_below + system.gap_above)
    return system.beta


def _absolute(system: TightBindingSystem, state: FunctionalState, unit: float) -> float:
    """Rounding of ⟨DF[W], V−v⟩-like products where −DF itself is large and A has no weight."""
    largest = lemma_11.bound(system.levels, system.beta, system.mu)[1]
    size = 1.0 + float(np.linalg.norm(mismatch(system, state)))
    return 8.0 * unit * largest * size**2 * len(system.levels)
