"""Solvers of x = Φ(x): damped iteration, Anderson acceleration, Newton–Krylov.

Each solver is a value with one method, ``run(problem, x0, tolerance, max_builds, callback)``; it
knows nothing of electrons. It stops when the density residual is below ``tolerance`` or the
evaluations are used up, and says how it ended; judging the state is the caller's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from scc.arrays import FloatArray
from scc.equilibration.krylov import smallest_residual
from scc.equilibration.problems import FixedPointProblem, Iterate
from scc.errors import InputError

# A residual this many times the smallest one seen, and larger than the first: diverged.
_DIVERGED = 1e3
# Newton's word to itself that its steps do not descend from here.
_RESTART = "restart"
Callback = Callable[[int, Iterate], None]


@dataclass
class Outcome:
    """How a solver ended: ``status`` is converged, stalled or diverged."""

    iterate: Iterate
    status: str
    history: list[float] = field(default_factory=list)


class Solver(Protocol):
    """The contract of a fixed-point solver."""

    def run(
        self,
        problem: FixedPointProblem,
        x0: FloatArray,
        tolerance: float,
        max_builds: int,
        callback: Callback | None = None,
    ) -> Outcome: ...


@dataclass(frozen=True)
class Damped:
    """x ← x + α(Φ(x) − x), converging iff |1 − αλ| < 1 on the spectrum λ of ε (claim ``mixing``).

    α ∈ (0, ∞); InputError otherwise.
    """

    damping: float = 0.3

    def __post_init__(self) -> None:
        require_positive("damping", self.damping)

    def run(
        self,
        problem: FixedPointProblem,
        x0: FloatArray,
        tolerance: float,
        max_builds: int,
        callback: Callback | None = None,
    ) -> Outcome:
        monitor = Monitor(problem, tolerance, max_builds, callback)
        iterate = monitor.evaluate(x0)
        while not monitor.finished:
            iterate = monitor.evaluate(iterate.x + self.damping * iterate.residual)
        return monitor.outcome()


@dataclass(frozen=True)
class Anderson:
    """Anderson acceleration of depth m on the preconditioned residual.

    Minimises |r_k − Σ γ_j (r_{j+1} − r_j)| over the last m differences and steps to the minimiser
    plus α times the minimal residual (D. G. Anderson, J. ACM 12 (1965) 547; type II of Fang & Saad,
    Numer. Linear Algebra Appl. 16 (2009) 197). ``preconditioned`` uses the local response of
    :func:`scc.equilibration.dielectric.local_response_preconditioner`.
    """

    depth: int = 12
    damping: float = 0.5
    preconditioned: bool = True

    def __post_init__(self) -> None:
        require_positive("depth", self.depth)
        require_positive("damping", self.damping)

    def run(
        self,
        problem: FixedPointProblem,
        x0: FloatArray,
        tolerance: float,
        max_builds: int,
        callback: Callback | None = None,
    ) -> Outcome:
        monitor = Monitor(problem, tolerance, max_builds, callback)
        steps: list[FloatArray] = []
        changes: list[FloatArray] = []
        iterate = monitor.evaluate(x0)
        residual = self._residual(problem, iterate)
        while not monitor.finished:
            step = self.damping * residual
            if changes:
                matrix = np.array([c.ravel() for c in changes]).T
                gamma = np.linalg.lstsq(matrix, residual.ravel(), rcond=1e-14)[0]
                for g, s, c in zip(gamma, steps, changes, strict=True):
                    step = step - g * (s + self.damping * c)
            previous, previous_residual = iterate, residual
            iterate = monitor.evaluate(previous.x + step)
            residual = self._residual(problem, iterate)
            steps.append(iterate.x - previous.x)
            changes.append(residual - previous_residual)
            del steps[: -self.depth], changes[: -self.depth]
        return monitor.outcome()

    def _residual(self, problem: FixedPointProblem, iterate: Iterate) -> FloatArray:
        if not self.preconditioned:
            return iterate.residual
        return problem.preconditioner(iterate)(iterate.residual)


@dataclass(frozen=True)
class NewtonKrylov:
    """(1 − Φ′(x)) δ = Φ(x) − x by GMRES, with backtracking on the residual.

    1 − Φ′ is ε† in the density form. ``start``: a globally convergent solver run until the
    residual is below ``switch``; Newton then converges quadratically. Where it does not descend,
    ``start`` takes over again to a tenth of the residual. Each Krylov step is one χ₀
    application and is counted. The forcing term is min(0.1, residual): quadratic at the end.
    """

    start: Anderson = field(default_factory=Anderson)
    switch: float = 1e-2
    max_backtracks: int = 4

    def run(
        self,
        problem: FixedPointProblem,
        x0: FloatArray,
        tolerance: float,
        max_builds: int,
        callback: Callback | None = None,
    ) -> Outcome:
        switch = self.switch
        history: list[float] = []
        x = x0
        while True:
            budget = max_builds - len(history)
            first = self.start.run(problem, x, max(switch, tolerance), budget, callback)
            history += first.history
            if first.status != "converged" or first.iterate.density_residual <= tolerance:
                return Outcome(first.iterate, first.status, history)
            last = self._newton(problem, first.iterate, tolerance, max_builds, callback, history)
            history = last.history
            if last.status != _RESTART:
                return last
            # Outside the region where Newton descends: come closer before the next attempt.
            switch, x = 0.1 * last.iterate.density_residual, last.iterate.x

    def _newton(
        self,
        problem: FixedPointProblem,
        iterate: Iterate,
        tolerance: float,
        max_builds: int,
        callback: Callback | None,
        history: list[float],
    ) -> Outcome:
        monitor = Monitor(problem, tolerance, max_builds, callback, history)
        monitor.adopt(iterate)
        while not monitor.finished:
            delta = self._newton_step(problem, iterate)
            length = 1.0
            for _ in range(self.max_backtracks):
                trial = monitor.evaluate(iterate.x + length * delta)
                if monitor.finished or trial.density_residual < iterate.density_residual:
                    break
                length *= 0.25
            else:
                monitor.status = _RESTART
            iterate = trial
        return monitor.outcome()

    def _newton_step(self, problem: FixedPointProblem, iterate: Iterate) -> FloatArray:
        jacobian = problem.jacobian(iterate)
        precondition = problem.preconditioner(iterate)
        shape, size = iterate.x.shape, iterate.x.size

        def matvec(flat: FloatArray) -> FloatArray:
            d = flat.reshape(shape)
            return np.asarray(precondition(d - jacobian(d)).ravel())

        operator = LinearOperator((size, size), matvec=matvec, dtype=np.float64)
        right = precondition(iterate.residual).ravel()
        forcing = max(min(0.1, iterate.density_residual), 1e-12)
        delta, _ = gmres(operator, right, rtol=forcing, atol=0.0, restart=min(size, 150), maxiter=2)
        return np.asarray(delta.reshape(shape))


@dataclass(frozen=True)
class LinearSolve:
    """(1 − Φ′) δ = Φ(x) − x to the tolerance, for an affine Φ: one evaluation before, one after.

    Rounding in the residual may ask for a second solve. Φ that is not affine is iterated by plain
    Newton steps as long as they halve the residual. Each Krylov step is one application of χ.
    """

    def run(
        self,
        problem: FixedPointProblem,
        x0: FloatArray,
        tolerance: float,
        max_builds: int,
        callback: Callback | None = None,
    ) -> Outcome:
        monitor = Monitor(problem, tolerance, max_builds, callback)
        iterate = monitor.evaluate(x0)
        while not monitor.finished:
            delta = self._step(problem, iterate, 0.9 * tolerance)
            before = iterate.density_residual
            iterate = monitor.evaluate(iterate.x + delta)
            if not monitor.finished and iterate.density_residual > 0.5 * before:
                monitor.status = "stalled"  # 1 − Φ′ is singular to working precision
        return monitor.outcome()

    @staticmethod
    def _step(problem: FixedPointProblem, iterate: Iterate, largest: float) -> FloatArray:
        """δ = P y with (1 − Φ′) P y = residual: preconditioned from the right, so that what falls
        below ``largest`` is the residual itself."""
        jacobian, precondition = problem.jacobian(iterate), problem.preconditioner(iterate)

        def apply(direction: FloatArray) -> FloatArray:
            step = precondition(direction)
            return step - jacobian(step)

        return precondition(smallest_residual(apply, iterate.residual, largest))


class Monitor:
    """Counts evaluations, remembers the best iterate and decides when to stop."""

    def __init__(
        self,
        problem: FixedPointProblem,
        tolerance: float,
        max_builds: int,
        callback: Callback | None,
        history: list[float] | None = None,
    ) -> None:
        self.problem = problem
        self.tolerance = tolerance
        self.max_builds = max_builds
        self.callback = callback
        self.history: list[float] = list(history) if history else []
        self.best: Iterate | None = None
        self.status = ""

    @property
    def finished(self) -> bool:
        return bool(self.status)

    def adopt(self, iterate: Iterate) -> None:
        self.best = iterate

    def evaluate(self, x: FloatArray) -> Iterate:
        iterate = self.problem.evaluate(x)
        residual = iterate.density_residual
        self.history.append(residual)
        if self.callback is not None:
            self.callback(len(self.history), iterate)
        if self.best is None or residual < self.best.density_residual:
            self.best = iterate
        if residual <= self.tolerance:
            self.status = "converged"
        elif not np.isfinite(residual) or (
            residual > _DIVERGED * self.best.density_residual and residual > self.history[0]
        ):
            self.status = "diverged"
        elif len(self.history) >= self.max_builds:
            # Populations are bounded, so an unstable iteration ends in oscillations of order one.
            grown = residual > 10.0 * self.best.density_residual and len(self.history) > 20
            self.status = "diverged" if grown else "stalled"
        return iterate

    def outcome(self) -> Outcome:
        assert self.best is not None
        return Outcome(self.best, self.status, self.history)


def require_positive(name: str, value: float) -> None:
    """InputError unless ``value`` is positive and finite."""
    if not value > 0 or not np.isfinite(value):
        raise InputError(f"{name} must be positive and finite, got {value}")


def _commutator_diis() -> Solver:
    from scc.equilibration.commutator_diis import CommutatorDIIS  # which imports this module

    return CommutatorDIIS()


SOLVERS: dict[str, Callable[[], Solver]] = {
    "anderson": Anderson,
    "damped": Damped,
    "diis": _commutator_diis,
    "newton": NewtonKrylov,
}


def solver_by_name(name: str) -> Solver:
    """A solver with its default settings; InputError for an unknown name."""
    if name not in SOLVERS:
        raise InputError(f"unknown solver {name!r}: choose one of {', '.join(sorted(SOLVERS))}")
    return SOLVERS[name]()
