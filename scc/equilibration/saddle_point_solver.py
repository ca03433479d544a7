r"""The default solver of the direct closure: Newton's method on (v̂, µ), one step if affine.

    H δ − c dµ = −R,   c·δ = −(⟨e, ρ⟩ + Q)

An affine residual is solved for, whatever the signature of H: what kind of stationary point that is
:class:`.direct_equilibrium.DirectEquilibrium` tells. Otherwise v̂ goes downhill in E on the surface:
along conjugate gradients, the more exact the smaller the residual, until the curvature turns
negative, by a step halved until E falls (Armijo); so it ends in minima (truncated Newton: J.
Nocedal and S. J. Wright, Numerical optimization, Springer 2006, §7.1). They are preconditioned by J
and the diagonal of H (:mod:`.coulomb_preconditioner`), in large systems by the diagonal alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scc.arrays import FloatArray
from scc.equilibration.direct_problem import DirectFixedPoint
from scc.equilibration.problems import FixedPointProblem, Iterate
from scc.equilibration.saddle_point import (
    DENSE_BELOW,
    SaddlePoint,
    assembled,
    solve_dense,
    solve_on_surface,
)
from scc.equilibration.solvers import Callback, Monitor, Outcome
from scc.errors import InputError
from scc.functional.direct_functional import DirectFunctional, DirectState

_ARMIJO = 1e-4
_HALVINGS = 30


@dataclass(frozen=True)
class SaddlePointNewton:
    """Newton's method with the constraint as a border.

    ``dense_below``: unknowns up to which H (affine) or the preconditioner (else) is factorised.
    """

    dense_below: int = DENSE_BELOW

    def run(
        self,
        problem: FixedPointProblem,
        x0: FloatArray,
        tolerance: float,
        max_builds: int,
        callback: Callback | None = None,
    ) -> Outcome:
        """Raises InputError for a problem that is not of the direct closure."""
        if not isinstance(problem, DirectFixedPoint):
            raise InputError("the saddle-point solver is for functionals closed directly")
        affine = problem.functional.affine
        watch = Monitor if affine else _Descent
        monitor = watch(problem, tolerance, max_builds, callback)
        iterate = monitor.evaluate(x0)
        while not monitor.finished:
            before = iterate.density_residual
            if affine:
                iterate = monitor.evaluate(iterate.x + self.newton_step(problem, iterate).x)
                stuck = iterate.density_residual > 0.5 * before
            else:
                iterate, stuck = self._descend(problem, monitor, iterate)
            if not monitor.finished and stuck:
                monitor.status = "stalled"
        return monitor.outcome()

    def newton_step(self, problem: DirectFixedPoint, iterate: Iterate) -> SaddlePoint:
        """δ and −dµ."""
        state: DirectState = iterate.state
        apply = counted(problem, state)
        c, right = border(problem.functional, state), -state.residual
        if c.size <= self.dense_below:
            return solve_dense(assembled(apply, c.shape), c, right, -state.excess)
        return solve_on_surface(apply, c, right, -state.excess, problem.diagonal(state))

    def _descend(
        self, problem: DirectFixedPoint, monitor: Monitor, iterate: Iterate
    ) -> tuple[Iterate, bool]:
        """One step downhill; True with it if none was found."""
        state: DirectState = iterate.state
        if abs(state.excess) > monitor.tolerance:  # onto the surface first, by the shortest way
            return monitor.evaluate(iterate.x + problem.onto_surface(state)), False
        direction = self._downhill(problem, iterate)
        slope = float(np.vdot(state.residual, direction))
        length = 1.0
        for _ in range(_HALVINGS):
            trial = monitor.evaluate(iterate.x + length * direction)
            lower = _lagrangian(trial.state, state) <= (
                _lagrangian(state, state) + _ARMIJO * length * slope
            )
            # Near the minimum E is flat to rounding: there the residual decides.
            if monitor.finished or lower or trial.density_residual < 0.5 * iterate.density_residual:
                return trial, False
            length *= 0.5
        return iterate, True

    def _downhill(self, problem: DirectFixedPoint, iterate: Iterate) -> FloatArray:
        state: DirectState = iterate.state
        apply = counted(problem, state)
        c, right = border(problem.functional, state), -state.residual
        found = solve_on_surface(
            apply,
            c,
            right,
            0.0,
            problem.diagonal(state),
            tolerance=max(min(0.1, iterate.density_residual), 1e-12),
            truncate=True,
            precondition=problem.with_coulomb(state) if c.size <= self.dense_below else None,
        )
        return found.x


class _Descent(Monitor):
    """Going downhill in E may lead over steep slopes: a growing residual is no divergence."""

    def evaluate(self, x: FloatArray) -> Iterate:
        iterate = super().evaluate(x)
        if self.status == "diverged" and np.isfinite(iterate.density_residual):
            self.status = "stalled" if len(self.history) >= self.max_builds else ""
        return iterate


def counted(problem: DirectFixedPoint, state: DirectState) -> Callable[[FloatArray], FloatArray]:
    """H dv̂ at a state, products counted as work."""

    def apply(direction: FloatArray) -> FloatArray:
        problem.work.response_applications += 1
        return state.hessian_vector_product(direction)

    return apply


def border(functional: DirectFunctional, state: DirectState) -> FloatArray:
    """c, or zero where nothing is constrained."""
    if functional.closure.constrained:
        return state.count_gradient
    return np.zeros_like(state.features)


def _lagrangian(state: DirectState, reference: DirectState) -> float:
    """E − µ⟨e, ρ⟩ at the µ of ``reference``: E on the surface, and what a given µ minimises."""
    counter = state.functional.counter(state.density)
    return state.energy - reference.chemical_potential * float(np.vdot(counter, state.density))
