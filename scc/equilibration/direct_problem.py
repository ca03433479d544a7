r"""The direct closure (1.5) as a fixed point x = v̂, Φ(v̂) = v̂ + δ, for any solver.

δ is the preconditioned residual that restores the constraint: with P > 0 a diagonal like that of
the Hessian H, R = g − µc, c = ∂⟨e, ρ⟩/∂v̂ and the excess ⟨e, ρ⟩ + Q of electrons,

    P δ = −(g − µc),    c·δ = −(⟨e, ρ⟩ + Q),

which determines µ(v̂) as well, the multiplier that fits v̂ best. Then 1 − Φ′ = P⁻¹(H − c∂µ): damped
iteration converges for 0 < α < 2/λ_max(P⁻¹H) where H is positive definite on the surface.
Convergence is judged by the largest component of ∂_v̂ρ·δ, electrons.
"""

from collections.abc import Callable

import numpy as np

from scc.arrays import FloatArray
from scc.equilibration.coulomb_preconditioner import coulomb_preconditioner
from scc.equilibration.problems import Iterate
from scc.equilibration.work import Work
from scc.errors import InputError
from scc.functional.direct_functional import DirectFunctional, DirectState

_POWER_STEPS = 10


class DirectFixedPoint:
    """A :class:`.problems.FixedPointProblem`; states are those of the functional's *equations*."""

    def __init__(self, functional: DirectFunctional, work: Work) -> None:
        self.functional = functional if functional.equations is None else functional.equations
        self.work = work
        self._diagonal: FloatArray | None = None
        self._with_coulomb: Callable[[FloatArray], FloatArray] | None = None

    def start(self, features: FloatArray | None) -> FloatArray:
        """Given variables, or those of the functional: neutral atoms, or the model's guess."""
        return self.functional.initial_features() if features is None else features

    def evaluate(self, x: FloatArray) -> Iterate:
        self.work.density_builds += 1
        state = self.functional.evaluate(x)
        inverse = 1.0 / self.diagonal(state)
        gradient, c = state.gradient, state.count_gradient
        if self.functional.closure.constrained:
            square = float(np.vdot(c, inverse * c))
            if square == 0.0:
                raise InputError(
                    "no variable changes the total charge: give a chemical potential (of no "
                    "effect) instead of a total charge"
                )
            mu = (float(np.vdot(c, inverse * gradient)) - state.excess) / square
            state = state.with_chemical_potential(mu)
        step = -inverse * state.residual
        moved = state.local.density_jvp(step)
        return Iterate(x, step, float(np.max(np.abs(moved), initial=0.0)), state)

    def jacobian(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        """Φ′ at fixed P, c: exact at a solution, and everywhere if ρ is affine in v̂."""
        state: DirectState = iterate.state
        inverse = 1.0 / self.diagonal(state)
        c = state.count_gradient
        constrained = self.functional.closure.constrained
        square = float(np.vdot(c, inverse * c))

        def apply(direction: FloatArray) -> FloatArray:
            self.work.response_applications += 1
            push = state.hessian_vector_product(direction)
            if constrained:
                change = float(np.vdot(c, inverse * push)) - float(np.vdot(c, direction))
                push = push - change / square * c
            return direction - inverse * push

        return apply

    def preconditioner(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        return lambda residual: residual

    def onto_surface(self, state: DirectState) -> FloatArray:
        """The part of δ that restores the constraint: the smallest in the norm of P."""
        c = state.count_gradient
        weighted = c / self.diagonal(state)
        return np.asarray(-state.excess / float(np.vdot(c, weighted)) * weighted)

    def diagonal(self, state: DirectState) -> FloatArray:
        """P, the shape of v̂: the bound model's ``curvature``, or the largest curvature everywhere.

        Without the model's word it is found once, by ten power iterations at the first state.

        Raises:
            InputError: a ``curvature`` that is not positive, or not of the shape of v̂.
        """
        if self._diagonal is None:
            said = getattr(self.functional.model, "curvature", None)
            found = self._largest(state) if said is None else np.asarray(said)
            if found.shape != state.features.shape or not np.all(found > 0.0):
                raise InputError(
                    f"curvature of {type(self.functional.model).__name__} must be positive, shape "
                    f"{state.features.shape}: found shape {found.shape}, smallest {np.min(found)}"
                )
            self._diagonal = found
        return self._diagonal

    def with_coulomb(self, state: DirectState) -> Callable[[FloatArray], FloatArray]:
        """r ↦ P⁻¹r with J in P (:mod:`.coulomb_preconditioner`), of the first state asked for."""
        if self._with_coulomb is None:
            self._with_coulomb = coulomb_preconditioner(state, self.diagonal(state))
        return self._with_coulomb

    def _largest(self, state: DirectState) -> FloatArray:
        vector = np.random.default_rng(0).standard_normal(state.features.shape)
        size = 1.0
        for _ in range(_POWER_STEPS):
            vector = vector / np.linalg.norm(vector)
            self.work.response_applications += 1
            vector = state.hessian_vector_product(vector)
            size = float(np.linalg.norm(vector))
            if size == 0.0:
                break
        return np.full(state.features.shape, size if size > 0.0 else 1.0)
