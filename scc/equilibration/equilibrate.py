"""The equilibration map r ↦ v̂*(r): ``equilibrate(functional, solver) → Equilibrium``."""

from dataclasses import replace
from typing import overload

import numpy as np

from scc.arrays import FloatArray
from scc.equilibration.commutator_diis import CommutatorDIIS
from scc.equilibration.direct_equilibrium import DirectEquilibrium
from scc.equilibration.direct_problem import DirectFixedPoint
from scc.equilibration.equilibrium import Equilibrium
from scc.equilibration.problems import (
    DensityFixedPoint,
    FeatureFixedPoint,
    FixedPointProblem,
    ProjectionFixedPoint,
)
from scc.equilibration.projected_equilibrium import ProjectedEquilibrium
from scc.equilibration.saddle_point_solver import SaddlePointNewton
from scc.equilibration.solution import CONVERGED
from scc.equilibration.solvers import Anderson, Callback, LinearSolve, Outcome, Solver
from scc.equilibration.work import Work
from scc.errors import InputError
from scc.functional.closure import Conjugate
from scc.functional.direct_functional import DirectFunctional, DirectState
from scc.functional.energy import EnergyFunctional
from scc.functional.projection_functional import ProjectionFunctional
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical

# At β = ∞ and fixed µ the electron number is frozen during a solve; bisection over 10⁵ pairs takes
# fewer changes than this.
_NUMBER_CHANGES = 40


@overload
def equilibrate(
    functional: EnergyFunctional,
    solver: Solver | None = None,
    *,
    features: FloatArray | None = None,
    tolerance: float = 1e-10,
    max_builds: int = 200,
    callback: Callback | None = None,
    throw: bool = False,
) -> Equilibrium: ...


@overload
def equilibrate(
    functional: ProjectionFunctional,
    solver: Solver | None = None,
    *,
    features: FloatArray | None = None,
    tolerance: float = 1e-10,
    max_builds: int = 200,
    callback: Callback | None = None,
    throw: bool = False,
) -> ProjectedEquilibrium: ...


@overload
def equilibrate(
    functional: DirectFunctional,
    solver: Solver | None = None,
    *,
    features: FloatArray | None = None,
    tolerance: float = 1e-10,
    max_builds: int = 200,
    callback: Callback | None = None,
    throw: bool = False,
) -> DirectEquilibrium: ...


def equilibrate(
    functional: EnergyFunctional | ProjectionFunctional | DirectFunctional,
    solver: Solver | None = None,
    *,
    features: FloatArray | None = None,
    tolerance: float = 1e-10,
    max_builds: int = 200,
    callback: Callback | None = None,
    throw: bool = False,
) -> Equilibrium | ProjectedEquilibrium | DirectEquilibrium:
    """Solve what closes the functional: T(v̂) = 0, eq. (2.24)/(2.27); v̂ = ∫V[ρ(v̂)]ψ, (4.1); or
    ∂E/∂v̂ = 0 at a given charge, (1.5).

    It starts from ``features`` (default: neutral atoms; no field under projection). ``tolerance``:
    density residual (electrons). The result carries its status; with ``throw`` a
    status other than ``converged`` raises ConvergenceError instead. Where E[ρ] is not convex a
    converged fixed point is checked for stability (λ_min(ε) > 0; under projection no eigenvalue of
    1 − Kχ with a real part ≤ 0; closed directly, a positive Hessian at fixed charge).

    At β = ∞ and fixed µ, 𝒢 jumps with the electron number: the occupation is frozen, the canonical
    problem solved, and the count checked against µ afterwards.
    """
    if not tolerance > 0.0:
        raise InputError(f"tolerance must be positive, got {tolerance}")
    if max_builds < 1:
        raise InputError(f"max_builds must be at least 1, got {max_builds}")
    solver = solver if solver is not None else default_solver(functional)
    result: Equilibrium | ProjectedEquilibrium | DirectEquilibrium
    if isinstance(functional, DirectFunctional):
        result = solve_direct(functional, solver, features, tolerance, max_builds, callback)
        if result.converged and not result.stable:
            result = replace(result, status="unstable")
    elif isinstance(functional, ProjectionFunctional):
        result = solve_projection(functional, solver, features, tolerance, max_builds, callback)
        if result.converged and not result.stable:
            result = replace(result, status="unstable")
    else:
        result = _variational(functional, solver, features, tolerance, max_builds, callback)
    return result.require_converged() if throw else result


def solve_projection(
    functional: ProjectionFunctional,
    solver: Solver,
    features: FloatArray | None,
    tolerance: float,
    max_builds: int,
    callback: Callback | None = None,
) -> ProjectedEquilibrium:
    """:func:`equilibrate` without a look at stability, which costs more than the solution."""
    work = Work()
    problem = ProjectionFixedPoint(functional, work)
    outcome = solver.run(problem, problem.start(features), tolerance, max_builds, callback)
    last = outcome.iterate
    return ProjectedEquilibrium(
        functional,
        last.state,
        outcome.status,
        last.density_residual,
        outcome.history,
        work,
        preconditioners=problem.preconditioners,
    )


def solve_direct(
    functional: DirectFunctional,
    solver: Solver,
    features: FloatArray | None,
    tolerance: float,
    max_builds: int,
    callback: Callback | None = None,
) -> DirectEquilibrium:
    """:func:`equilibrate` without a look at stability."""
    work = Work()
    problem = DirectFixedPoint(functional, work)
    outcome = solver.run(problem, problem.start(features), tolerance, max_builds, callback)
    last = outcome.iterate
    state: DirectState = last.state
    if not functional.variational:
        solved = state
        state = functional.evaluate(solved.features, solved.chemical_potential)
        state.equations = solved  # the same, already evaluated
    return DirectEquilibrium(
        functional, state, outcome.status, last.density_residual, outcome.history, work
    )


def _variational(
    functional: EnergyFunctional,
    solver: Solver,
    features: FloatArray | None,
    tolerance: float,
    max_builds: int,
    callback: Callback | None,
) -> Equilibrium:
    work = Work()
    frozen = isinstance(functional.ensemble, GrandCanonical) and np.isinf(functional.beta)
    if frozen and functional.has_exact_occupation:
        result = _solve_frozen(functional, solver, features, tolerance, max_builds, callback, work)
    else:
        problem = _problem(functional, work)
        outcome = solver.run(problem, problem.start(features), tolerance, max_builds, callback)
        result = _result(functional, outcome, work)
    conjugate = isinstance(functional.closure, Conjugate)
    # Polynomials are never far out: they stay on their spectral set, which need not reach v̂ = 0.
    expansion = functional.has_exact_occupation and not conjugate
    if result.converged and expansion and _degenerate(result):
        result = replace(result, status="stalled")
    # Lemma 11 certifies convex E[ρ] with complete features; polynomial models have critical points.
    certified = functional.convex and conjugate
    judged = result.converged and functional.has_exact_occupation and not certified
    if judged and not result.stable:
        result = replace(result, status="unstable")
    return result


def _degenerate(result: Equilibrium) -> bool:
    """Whether ∂𝒢/∂v̂ vanishes because DF does, far out where all states are full or empty.

    There the Newton-like step K⁺∂𝒢 stays large however small the gradient. The step moves the
    density by no more than the residual says only where K is not negligible: K is compared with
    the response of the same model at v̂ = 0.
    """
    local = result.state.local
    here = np.abs(np.diagonal(local.feature_response()))
    zero = result.functional.evaluate(result.functional.initial_features()).local
    there = np.abs(np.diagonal(zero.feature_response()))
    return bool(np.max(here) < 1e-6 * np.max(there))


def default_solver(
    functional: EnergyFunctional | ProjectionFunctional | DirectFunctional,
) -> Solver:
    """CommutatorDIIS for density matrices, Anderson for atomic charges and for expansions in Ξ.

    Closed directly the saddle-point equation, by Newton's method. Under projection one linear
    solve if the density is affine in v̂, else Anderson. DIIS relies on
    Φ(ρ) being the minimiser of a linearised energy, so on exact occupations.
    """
    if isinstance(functional, DirectFunctional):
        return SaddlePointNewton()
    if isinstance(functional, ProjectionFunctional):
        return LinearSolve() if functional.affine else Anderson()
    model = functional.model
    matrix = model.complete and len(model.feature_shape) == 2
    if matrix and functional.has_exact_occupation and isinstance(model, BoundTightBinding):
        return CommutatorDIIS()
    return Anderson()


def _problem(functional: EnergyFunctional, work: Work) -> FixedPointProblem:
    if isinstance(functional.closure, Conjugate):
        return DensityFixedPoint(functional, work)
    return FeatureFixedPoint(functional, work)


def _result(functional: EnergyFunctional, outcome: Outcome, work: Work) -> Equilibrium:
    return Equilibrium(
        functional,
        outcome.iterate.state,
        outcome.status,
        outcome.iterate.density_residual,
        outcome.history,
        work,
    )


def _solve_frozen(
    functional: EnergyFunctional,
    solver: Solver,
    features: FloatArray | None,
    tolerance: float,
    max_builds: int,
    callback: Callback | None,
    work: Work,
) -> Equilibrium:
    """β = ∞, fixed µ: freeze N, solve, check that µ lies in the gap, else move N towards it.

    J > 0 penalises net charge, so the search starts at neutrality. The number of levels below µ
    decreases with N: steps double until two counts bracket the answer, then bisection by pairs.
    A count without a gap is skipped by one pair.
    """
    assert isinstance(functional.ensemble, GrandCanonical)
    mu = functional.ensemble.chemical_potential
    model = functional.model
    smallest, largest = 0.0, model.largest_electron_count
    electrons = float(np.clip(2.0 * np.round(model.neutral_electrons / 2.0), smallest, largest))
    low, high, step = smallest - 2.0, largest + 2.0, 2.0
    history: list[float] = []
    last: Equilibrium | None = None
    error: InputError | None = None
    for _ in range(_NUMBER_CHANGES):
        canonical = functional.with_ensemble(Canonical(electrons))
        problem = _problem(canonical, work)
        try:
            outcome = solver.run(
                problem, problem.start(features), tolerance, max_builds - len(history), callback
            )
        except InputError as no_gap:  # an open shell at this count
            if error is not None:
                raise
            error, electrons = no_gap, float(np.clip(electrons + 2.0, smallest, largest))
            continue
        history += outcome.history
        last = replace(_result(canonical, outcome, work), history=history)
        if outcome.status != CONVERGED:
            return last
        selected = outcome.iterate.state.local.electrons_below(mu)
        if selected == electrons:
            state = functional.evaluate(outcome.iterate.state.features)
            return replace(last, functional=functional, state=state)
        if selected > electrons:
            low = electrons
        else:
            high = electrons
        if high - low <= 2.0 or len(history) >= max_builds:
            break
        if low >= smallest and high <= largest:
            electrons = 2.0 * np.floor((low + high) / 4.0)
        else:
            electrons += step if selected > electrons else -step
            electrons = float(np.clip(electrons, smallest, largest))
            step *= 2.0
    if last is None:
        raise error if error is not None else InputError(f"no electron count found for mu {mu}")
    return replace(last, status="wrong electron number")
