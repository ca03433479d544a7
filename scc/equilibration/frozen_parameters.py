r"""Equilibration in rounds: parameters that depend on v̂ are held fixed while v̂ is solved for.

Rappé and Goddard's hydrogen is the example: its hardness and exponent follow its charge, but each
round solves the linear equations of the charges found last. With E_w(v̂) the energy whose parameters
belong to w, the fixed point is

    v̂* = argmin E_{v̂*}(v̂) at the given charge:   ∂_v̂ E_w(v̂) = 0 at w = v̂ = v̂*,

which is not where E_v̂(v̂) is stationary: ∂_w E is left out. So forces of the result are those of
frozen parameters and not −dE/dr.
"""

from collections.abc import Callable

import numpy as np

from scc.arrays import FloatArray
from scc.equilibration.direct_equilibrium import DirectEquilibrium
from scc.equilibration.equilibrate import solve_direct
from scc.equilibration.problems import Iterate
from scc.equilibration.saddle_point_solver import SaddlePointNewton
from scc.equilibration.solvers import Anderson
from scc.equilibration.work import Work
from scc.errors import InputError
from scc.functional.direct_functional import DirectFunctional


def equilibrate_frozen(
    functional_at: Callable[[FloatArray], DirectFunctional],
    start: FloatArray,
    *,
    tolerance: float = 1e-10,
    max_rounds: int = 200,
    throw: bool = False,
) -> DirectEquilibrium:
    """Rounds, accelerated by Anderson's method, until v̂ changes by less than ``tolerance``.

    Args:
        functional_at: w ↦ the functional with the parameters of w.
        start: first w, the shape of v̂.
    Returns:
        The last round's equilibrium; ``residual`` and ``history`` are those of the rounds. With
        ``throw`` a status other than ``converged`` raises ConvergenceError.
    """
    if not tolerance > 0.0:
        raise InputError(f"tolerance must be positive, got {tolerance}")
    problem = _Rounds(functional_at, 0.1 * tolerance)
    outcome = Anderson().run(problem, start, tolerance, max_rounds)
    state = outcome.iterate.state
    residual, history = outcome.iterate.density_residual, outcome.history
    result = DirectEquilibrium(
        state.functional, state, outcome.status, residual, history, problem.work
    )
    return result.require_converged() if throw else result


class _Rounds:
    """Φ(w) = argmin E_w as a :class:`.problems.FixedPointProblem`."""

    def __init__(
        self, functional_at: Callable[[FloatArray], DirectFunctional], tolerance: float
    ) -> None:
        self._at, self._tolerance = functional_at, tolerance
        self.work = Work()

    def start(self, features: FloatArray | None) -> FloatArray:
        assert features is not None
        return features

    def evaluate(self, x: FloatArray) -> Iterate:
        found = solve_direct(self._at(x), SaddlePointNewton(), None, self._tolerance, 20)
        self.work.density_builds += found.work.density_builds
        self.work.response_applications += found.work.response_applications
        residual = found.features - x
        size = float(np.max(np.abs(residual))) if found.converged else float("nan")
        return Iterate(x, residual, size, found.state)

    def jacobian(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        raise InputError("rounds of frozen parameters have no derivative: use Anderson or damping")

    def preconditioner(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        return lambda residual: residual
