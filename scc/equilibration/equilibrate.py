"""The equilibration map r ↦ v̂*(r): ``equilibrate(functional, solver) → Equilibrium``."""

from dataclasses import replace

import numpy as np

from scc.arrays import FloatArray
from scc.equilibration.commutator_diis import CommutatorDIIS
from scc.equilibration.equilibrium import CONVERGED, Equilibrium
from scc.equilibration.problems import DensityFixedPoint, FeatureFixedPoint, FixedPointProblem
from scc.equilibration.solvers import Anderson, Callback, Outcome, Solver
from scc.equilibration.work import Work
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical

# At β = ∞ and fixed µ the electron number is frozen during a solve; after this many changes of
# mind the number is reported as wrong.
_NUMBER_CHANGES = 12


def equilibrate(
    functional: EnergyFunctional,
    solver: Solver | None = None,
    *,
    features: FloatArray | None = None,
    tolerance: float = 1e-10,
    max_builds: int = 200,
    callback: Callback | None = None,
    throw: bool = False,
) -> Equilibrium:
    """Solve T(v̂) = 0, eq. (2.24)/(2.27), starting from ``features`` (default: neutral atoms).

    ``tolerance``: density residual (electrons). The result carries its status; with ``throw`` a
    status other than ``converged`` raises ConvergenceError instead. Where E[ρ] is not convex a
    converged fixed point is checked for stability (λ_min(ε) > 0).

    At β = ∞ and fixed µ, 𝒢 jumps with the electron number: the occupation is frozen, the canonical
    problem solved, and the count checked against µ afterwards.
    """
    if not tolerance > 0.0:
        raise InputError(f"tolerance must be positive, got {tolerance}")
    if max_builds < 1:
        raise InputError(f"max_builds must be at least 1, got {max_builds}")
    solver = solver if solver is not None else default_solver(functional)
    work = Work()
    frozen = isinstance(functional.ensemble, GrandCanonical) and np.isinf(functional.beta)
    if frozen and functional.has_exact_occupation:
        result = _solve_frozen(functional, solver, features, tolerance, max_builds, callback, work)
    else:
        problem = _problem(functional, work)
        outcome = solver.run(problem, problem.start(features), tolerance, max_builds, callback)
        result = _result(functional, outcome, work)
    certified = functional.convex or not functional.has_exact_occupation
    if result.converged and not certified and not result.stable:
        result = replace(result, status="unstable")
    return result.require_converged() if throw else result


def default_solver(functional: EnergyFunctional) -> Solver:
    """CommutatorDIIS for density matrices, Anderson for atomic charges and for expansions in Ξ.

    DIIS relies on Φ(ρ) being the minimiser of a linearised energy, so on exact occupations.
    """
    model = functional.model
    matrix = model.complete and len(model.feature_shape) == 2
    if matrix and functional.has_exact_occupation and isinstance(model, BoundTightBinding):
        return CommutatorDIIS()
    return Anderson()


def _problem(functional: EnergyFunctional, work: Work) -> FixedPointProblem:
    if functional.model.complete:
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
    """β = ∞, fixed µ: freeze N, solve, check that µ lies in the gap, else step N towards it.

    J > 0 penalises net charge, so the search starts at neutrality and moves by one pair at a time.
    """
    assert isinstance(functional.ensemble, GrandCanonical)
    mu = functional.ensemble.chemical_potential
    model = functional.model
    electrons = float(
        np.clip(
            2.0 * np.round(model.neutral_electrons / 2.0), 2.0, model.largest_electron_count - 2.0
        )
    )
    start = features
    tried: set[float] = set()
    while True:
        tried.add(electrons)
        canonical = functional.with_ensemble(Canonical(electrons))
        problem = _problem(canonical, work)
        outcome = solver.run(problem, problem.start(start), tolerance, max_builds, callback)
        if outcome.status != CONVERGED:
            return _result(canonical, outcome, work)
        selected = outcome.iterate.state.local.electrons_below(mu)
        if selected == electrons:
            state = functional.evaluate(outcome.iterate.state.features)
            return replace(_result(canonical, outcome, work), functional=functional, state=state)
        electrons += 2.0 if selected > electrons else -2.0
        if electrons in tried or len(tried) >= _NUMBER_CHANGES:
            return replace(_result(canonical, outcome, work), status="wrong electron number")
