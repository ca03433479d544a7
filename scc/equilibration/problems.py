"""Self-consistency as a fixed point x = Φ(x), in the two forms the models need.

*Density form* (complete features): x = D, Φ(D) = D(v̂ = V[D]). One density build an evaluation;
the residual Φ(D) − D is in electrons.

*Feature form* (expansion in Ξ, (2.19)): x = v̂, Φ(v̂) = v̂ + K⁺ ∂𝒢/∂v̂ with
K = 2⟨DF(H)[W], W⟩ ≤ 0: v(Φ(v̂)) is the best approximation of ∫φ⊗φV_eff in the −DF-weighted norm,
(2.25). Its residual in density is ∂𝒢/∂v̂ = −2T(v̂), the first-order change of ∫ρΞ_mc. Redundant Ξ
make K singular; its null space is truncated, and V and ρ, not v̂, are determined.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray
from scc.equilibration.dielectric import local_response_preconditioner
from scc.equilibration.work import Work
from scc.functional.energy import EnergyFunctional, FunctionalState

# Relative size below which eigenvalues of K count as redundancy of Ξ, not as response.
_REDUNDANT = 1e-11


@dataclass(frozen=True)
class Iterate:
    """One evaluation of Φ.

    ``residual`` = Φ(x) − x; ``density_residual`` is the figure convergence is judged by: the
    largest |Φ(D) − D|, or |∂𝒢/∂v̂| in the feature form (electrons).
    """

    x: FloatArray
    residual: FloatArray
    density_residual: float
    state: FunctionalState


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


class DensityFixedPoint:
    """x = D, Φ(D) = D(V[D])."""

    def __init__(self, functional: EnergyFunctional, work: Work) -> None:
        self.functional = functional
        self.work = work

    def start(self, features: FloatArray | None) -> FloatArray:
        """D of given features, or superposed neutral atoms."""
        if features is None:
            return self.functional.model.initial_density()
        self.work.density_builds += 1
        return self.functional.evaluate(features).density

    def evaluate(self, x: FloatArray) -> Iterate:
        self.work.density_builds += 1
        state = self.functional.evaluate(self.functional.potential(x))
        residual = state.density - x
        return Iterate(x, residual, float(np.max(np.abs(residual))), state)

    def jacobian(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        def apply(direction: FloatArray) -> FloatArray:
            self.work.response_applications += 1
            kernel = self.functional.kernel(iterate.x, direction)
            return iterate.state.local.density_jvp(kernel)

        return apply

    def preconditioner(self, iterate: Iterate) -> Callable[[FloatArray], FloatArray]:
        return local_response_preconditioner(iterate.state)


class FeatureFixedPoint:
    """x = v̂, Φ(v̂) = v̂ + K⁺ ∂𝒢/∂v̂."""

    def __init__(self, functional: EnergyFunctional, work: Work) -> None:
        self.functional = functional
        self.work = work

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

    def _pseudo_inverse(self, state: FunctionalState, gradient: FloatArray) -> FloatArray:
        """K⁺ ∂𝒢/∂v̂ with the null space of K truncated (K ≤ 0: a descent direction)."""
        values, vectors = self._spectrum(state)
        keep = np.abs(values) > _REDUNDANT * np.max(np.abs(values))
        inner = vectors[:, keep].T @ gradient.ravel()
        return np.asarray((vectors[:, keep] @ (inner / values[keep])).reshape(gradient.shape))

    def _spectrum(self, state: FunctionalState) -> tuple[FloatArray, FloatArray]:
        cached = getattr(self, "_cache", None)
        if cached is None or cached[0] is not state:
            response = state.local.feature_response()
            self.work.response_applications += len(response)
            values, vectors = scipy.linalg.eigh(response)
            cached = (state, values, vectors)
            self._cache = cached
        return cached[1], cached[2]
