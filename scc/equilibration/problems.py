"""Self-consistency as a fixed point x = Φ(x), in the two forms the models need.

*Density form*, where the closure gives v̂ as a function of D (conjugate: v̂ = V[D]; projection (4.1):
v̂ = K D + v̂_ext): x = D, Φ(D) = D(v̂[D]). One density build an evaluation; the residual Φ(D) − D is
in electrons (times bohr^λ for multipoles).

*Feature form* (expansion in Ξ, (2.19)): x = v̂, Φ(v̂) = v̂ + K⁺ ∂𝒢/∂v̂ with
K = 2⟨DF(H)[W], W⟩ ≤ 0: v(Φ(v̂)) is the best approximation of ∫φ⊗φV_eff in the −DF-weighted norm,
(2.25). Its residual in density is ∂𝒢/∂v̂ = −2T(v̂), the first-order change of ∫ρΞ_mc. Redundant Ξ
make K singular; its null space is truncated, and V and ρ, not v̂, are determined.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scc.arrays import FloatArray
from scc.equilibration.dielectric import local_response_preconditioner
from scc.equilibration.projected_response import ResponsePreconditioners
from scc.equilibration.work import Work
from scc.functional.closure import Expansion, ExplicitClosure
from scc.functional.energy import EnergyFunctional
from scc.functional.projection_functional import ProjectionFunctional


@dataclass(frozen=True)
class Iterate:
    """One evaluation of Φ.

    ``residual`` = Φ(x) − x; ``density_residual`` is the figure convergence is judged by: the
    largest |Φ(D) − D|, or |∂𝒢/∂v̂| in the feature form (electrons). ``state`` is the functional's.
    """

    x: FloatArray
    residual: FloatArray
    density_residual: float
    state: Any


class FixedPointProblem(Protocol):
    """What a solver may do: evaluate Φ, apply its derivative, ask for a preconditioner."""

    work: Work

    def start(self, features: FloatArray | None) -> FloatArray: ...
    def evaluate(self, x: FloatArray) -> Iterate: ...
    def jacobian(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        """dx ↦ Φ′(x) dx."""
        ...

    def preconditioner(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        """An approximation of (1 − Φ′(x))⁻¹, the identity if nothing better is known."""
        ...


class _ExplicitFixedPoint:
    """x = D, Φ(D) = D(v̂[D]) for any explicit closure."""

    functional: EnergyFunctional | ProjectionFunctional
    work: Work

    def evaluate(self, x: FloatArray) -> Iterate:
        self.work.density_builds += 1
        state = self.functional.evaluate(self._closure.features(x))
        residual = state.density - x
        return Iterate(x, residual, float(np.max(np.abs(residual))), state)

    def jacobian(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        def apply(direction: FloatArray) -> FloatArray:
            self.work.response_applications += 1
            moved = self._closure.features_jvp(iterate.x, direction)
            change: FloatArray = iterate.state.local.density_jvp(moved)
            return change

        return apply

    @property
    def _closure(self) -> ExplicitClosure:
        closure = self.functional.closure
        assert not isinstance(closure, Expansion)
        return closure


class DensityFixedPoint(_ExplicitFixedPoint):
    """x = D, Φ(D) = D(V[D])."""

    def __init__(self, functional: EnergyFunctional, work: Work) -> None:
        self.functional = functional
        self.work = work
        self._model = functional.model

    def start(self, features: FloatArray | None) -> FloatArray:
        """D of given features, or superposed neutral atoms."""
        if features is None:
            return self._model.initial_density()
        self.work.density_builds += 1
        return self.functional.evaluate(features).density

    def preconditioner(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        return local_response_preconditioner(iterate.state)


class ProjectionFixedPoint(_ExplicitFixedPoint):
    """x = p, Φ(p) = ρ(r, K p + v̂_ext)."""

    functional: ProjectionFunctional

    def __init__(self, functional: ProjectionFunctional, work: Work) -> None:
        self.functional = functional
        self.work = work
        self.preconditioners = ResponsePreconditioners(functional)

    def start(self, features: FloatArray | None) -> FloatArray:
        """p of given features, or of no field."""
        self.work.density_builds += 1
        if features is None:
            features = self.functional.initial_features()
        return self.functional.evaluate(features).density

    def preconditioner(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        """The response of molecules alone, where model and operator tell their blocks."""
        return self.preconditioners.at(iterate.state).apply


class FeatureFixedPoint:
    """x = v̂, Φ(v̂) = v̂ + K⁺ ∂𝒢/∂v̂."""

    def __init__(self, functional: EnergyFunctional, work: Work) -> None:
        self.functional = functional
        self.work = work
        self._steps: tuple[Any, Callable[[FloatArray], FloatArray]] | None = None

    def start(self, features: FloatArray | None) -> FloatArray:
        """Given features, or the least-squares fit of the potential of superposed atoms."""
        if features is not None:
            return features
        model = self.functional.model
        return model.fit_features(self.functional.potential(model.initial_density()))

    def evaluate(self, x: FloatArray) -> Iterate:
        self.work.density_builds += 1
        state = self.functional.evaluate(x)
        gradient = state.gradient
        self.work.response_applications += 1
        residual = self._pseudo_inverse(state, gradient)
        return Iterate(x, residual, float(np.max(np.abs(gradient))), state)

    def jacobian(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        """1 + K⁺∂²𝒢: exact at a solution (the variation of K multiplies ∂𝒢/∂v̂ = 0)."""

        def apply(direction: FloatArray) -> FloatArray:
            self.work.response_applications += 2
            hessian = iterate.state.hessian_vector_product(direction)
            return direction + self._pseudo_inverse(iterate.state, hessian)

        return apply

    def preconditioner(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        return lambda residual: residual

    def _pseudo_inverse(self, state: Any, gradient: FloatArray) -> FloatArray:
        """K⁺ ∂𝒢/∂v̂; each column of K is an application of χ₀."""
        if self._steps is None or self._steps[0] is not state:
            assert isinstance(self.functional.closure, Expansion)
            self._steps = (state, self.functional.closure.steps(state))
            self.work.response_applications += gradient.size
        return self._steps[1](gradient)
