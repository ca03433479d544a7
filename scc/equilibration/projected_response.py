r"""Linear equations of the self-consistency under projection, solved for multipoles.

With χ = ∂p/∂v̂ at one state, a change of v̂ and the adjoint of :mod:`.projected_equilibrium` obey

    (1 − Kχ) dv̂ = s,           dv̂ = s + K q,     (1 − χK) q = χ s,
    (1 − χᵀKᵀ) λ = g,          λ = g + χᵀ w,     (1 − (χK)ᵀ) w = Kᵀ g.

q and w (M, 9) are shorter than v̂, and what approximates (1 − χK)⁻¹ for the solution itself,
:mod:`.molecule_preconditioner`, serves both: the transpose of an inverse is the inverse of the
transpose. Every application of χK or its transpose is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scc.arrays import FloatArray
from scc.equilibration.krylov import ACCEPTED, smallest_residual
from scc.equilibration.molecule_preconditioner import (
    IDENTITY,
    Preconditioner,
    molecule_preconditioner,
)
from scc.equilibration.work import Work
from scc.errors import ConvergenceError
from scc.functional.projection_functional import ProjectionFunctional, ProjectionState

# Largest component of a residual, relative to that of the right-hand side: forces are then at least
# as good as v̂ of the tightest solutions.
_RELATIVE = 1e-11


class Adjoint(NamedTuple):
    """λ (M, F), and Kᵀλ (M, 9), which forces need."""

    features: FloatArray
    potential: FloatArray


class ResponsePreconditioners:
    """Approximations of (1 − χK)⁻¹ at the states of one functional: one for all if p is affine."""

    def __init__(self, functional: ProjectionFunctional) -> None:
        self._functional = functional
        self._last: tuple[ProjectionState, Preconditioner] | None = None

    def at(self, state: ProjectionState) -> Preconditioner:
        """That of molecules alone, where model and operator tell their blocks."""
        if self._last is not None and (self._functional.affine or self._last[0] is state):
            return self._last[1]
        response = getattr(state.local, "response_blocks", None)
        kernel = getattr(self._functional.operator, "pair_blocks", None)
        found = IDENTITY
        if response is not None and kernel is not None:
            found = molecule_preconditioner(self._functional.configuration, response, kernel)
        self._last = state, found
        return found


class ProjectedResponse:
    """The equations of the module docstring at one state.

    Solutions raise ConvergenceError, naming the equation, where the operator is singular to
    working precision.
    """

    def __init__(
        self, state: ProjectionState, preconditioners: ResponsePreconditioners, work: Work
    ) -> None:
        self._state, self._preconditioners, self._work = state, preconditioners, work

    def apply(self, density: FloatArray) -> FloatArray:
        """χK dp, (M, 9)."""
        self._work.response_applications += 1
        return self._state.local.density_jvp(self._state.functional.operator.apply(density))

    def transpose(self, potential: FloatArray) -> FloatArray:
        """(χK)ᵀ w, (M, 9)."""
        self._work.response_applications += 1
        return self._state.functional.operator.transpose(self._state.local.density_vjp(potential))

    def solve(self, density: FloatArray) -> FloatArray:
        """q = (1 − χK)⁻¹ dp, (M, 9)."""
        inverse = self._preconditioners.at(self._state).apply
        solution = _krylov(self.apply, inverse, density)
        _verify(density + self.apply(solution) - solution, density, "response equation")
        return solution

    def features(self, source: FloatArray) -> FloatArray:
        """dv̂ = (1 − Kχ)⁻¹ s, (M, F): the self-consistent change of v̂ for a bare one."""
        change = self.solve(self._state.local.density_jvp(source))
        return source + self._state.functional.operator.apply(change)

    def adjoint(self, gradient: FloatArray) -> Adjoint:
        """λ = (1 − χᵀKᵀ)⁻¹ g."""
        transpose = self._state.functional.operator.transpose
        inverse = self._preconditioners.at(self._state).transpose
        bare = transpose(gradient)
        solution = _krylov(self.transpose, inverse, bare)
        features = gradient + self._state.local.density_vjp(solution)
        self._work.response_applications += 1
        potential = transpose(features)
        _verify(potential - solution, bare, "adjoint equation")
        return Adjoint(features, potential)


def _krylov(
    apply: Callable[[FloatArray], FloatArray],
    inverse: Callable[[FloatArray], FloatArray],
    right: FloatArray,
) -> FloatArray:
    """x = P y with (1 − A) P y = ``right``."""

    def preconditioned(y: FloatArray) -> FloatArray:
        step = inverse(y)
        return step - apply(step)

    largest = _RELATIVE * float(np.max(np.abs(right), initial=0.0))
    return inverse(smallest_residual(preconditioned, right, largest))


def _verify(residual: FloatArray, right: FloatArray, name: str) -> None:
    """ConvergenceError unless the residual is small beside the right-hand side."""
    size = float(np.linalg.norm(right))
    defect = float(np.linalg.norm(residual)) / size if size > 0.0 else 0.0
    if not defect <= ACCEPTED:
        raise ConvergenceError(
            f"{name} not solved: relative residual {defect:.2e} "
            "(the state is unstable or nearly so)"
        )
