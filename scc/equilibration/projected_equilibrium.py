r"""The result of closing v̂ by projection: adjoint forces and the spectrum of 1 − Kχ.

The solution is not a stationary point of the energy (see
:mod:`scc.functional.projection_functional`), so each force evaluation solves one linear equation
for the adjoint λ. χ need not be symmetric and Kχ may have complex eigenvalues; those of
1 − Kχ that are not 1 are those of the smaller 1 − χK.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackError, LinearOperator, eigs

from scc.arrays import FloatArray
from scc.equilibration.projected_response import (
    Adjoint,
    ProjectedResponse,
    ResponsePreconditioners,
)
from scc.equilibration.solution import Solution
from scc.errors import ConvergenceError
from scc.functional.projection_functional import ProjectionFunctional, ProjectionState

_DENSE_BELOW = 500  # rows of χK
ComplexArray = NDArray[np.complex128]


class ResponseSpectrum(NamedTuple):
    """Extremes of the eigenvalues µ of Kχ.

    Attributes:
        radius: largest |µ|; below 1 the plain iteration converges.
        smallest_modulus: smallest |1 − µ|: distance to a singular self-consistency.
        smallest_real: smallest Re(1 − µ); positive iff small enough damped steps converge.
    """

    radius: float
    smallest_modulus: float
    smallest_real: float


@dataclass
class ProjectedEquilibrium(Solution):
    """v̂* = Kρ(r, v̂*) + v̂_ext, or an honest account of why not.

    ``status`` is ``converged``, ``stalled``, ``diverged`` or ``unstable`` (an eigenvalue of 1 − Kχ
    has a real part ≤ 0); ``residual`` the largest |ρ_out − ρ_in|, e·bohr^λ. ``preconditioners`` are
    those of the solution, to be used again.
    """

    functional: ProjectionFunctional
    state: ProjectionState
    preconditioners: ResponsePreconditioners = field(kw_only=True)

    @property
    def adjoint(self) -> FloatArray:
        """λ of (1 − χᵀKᵀ)λ = ∂E/∂v̂, (M, F). Raises ConvergenceError where that is singular."""
        return self._adjoint.features

    @cached_property
    def forces(self) -> FloatArray:
        """−dE/dr with v̂* following the atoms, (M, 3), Hartree/bohr."""
        return self.state.forces(*self._adjoint)

    @cached_property
    def _adjoint(self) -> Adjoint:
        return self._linear.adjoint(self.state.gradient)

    @cached_property
    def spectrum(self) -> ResponseSpectrum:
        """Extreme eigenvalues of Kχ: dense up to 500 multipoles, else by Arnoldi iterations.

        Raises ConvergenceError when those do not converge.
        """
        if self._dense_eigenvalues is not None:
            return _extremes(self._dense_eigenvalues)
        nearest = 1.0 - 1.0 / _arnoldi(self._operator(self._linear.solve), "LM")
        return _extremes(np.array([self._largest, self._rightmost, nearest]))

    @property
    def radius(self) -> float:
        """Spectral radius of Kχ alone, a fraction of the work of :attr:`spectrum`."""
        return abs(self._largest)

    @property
    def stable(self) -> bool:
        """A converged fixed point to which small damped steps lead back.

        Needs the rightmost eigenvalue of Kχ only. Raises ConvergenceError as :attr:`spectrum`.
        """
        return self.converged and self.smallest_real > 0.0

    @property
    def smallest_real(self) -> float:
        """Smallest Re(1 − µ) alone: what :attr:`stable` asks for."""
        return 1.0 - self._rightmost.real

    @cached_property
    def _largest(self) -> complex:
        """The eigenvalue of Kχ with the largest modulus."""
        values = self._dense_eigenvalues
        if values is None:
            return _arnoldi(self._operator(self._linear.apply), "LM")
        return complex(values[np.argmax(np.abs(values))])

    @cached_property
    def _rightmost(self) -> complex:
        """The eigenvalue of Kχ with the largest real part, at least 0."""
        values = self._dense_eigenvalues
        if values is None:
            # Accuracy is relative: to 1 after a shift, where many eigenvalues of Kχ are 0.
            shifted = self._operator(lambda p: p + self._linear.apply(p))
            values = np.array([_arnoldi(shifted, "LR") - 1.0])
        rightmost = complex(values[np.argmax(values.real)])
        return rightmost if rightmost.real > 0.0 else 0.0j

    @cached_property
    def _dense_eigenvalues(self) -> ComplexArray | None:
        """All eigenvalues of χK, for small systems."""
        size = self.density.size
        if size > _DENSE_BELOW:
            return None
        columns = [
            self._linear.apply(unit.reshape(self.density.shape)).ravel() for unit in np.eye(size)
        ]
        return np.asarray(scipy.linalg.eigvals(np.array(columns).T))

    def solve_response(self, source: FloatArray) -> FloatArray:
        """(1 − Kχ)⁻¹ dv̂, (M, F): the self-consistent change of v̂ for a bare one."""
        return self._linear.features(source)

    @cached_property
    def _linear(self) -> ProjectedResponse:
        """Equations with χK at the solution."""
        return ProjectedResponse(self.state, self.preconditioners, self.work)

    def _operator(self, apply: Callable[[FloatArray], FloatArray]) -> LinearOperator:
        shape, size = self.density.shape, self.density.size
        return LinearOperator(
            (size, size), matvec=lambda x: apply(x.reshape(shape)).ravel(), dtype=np.float64
        )


def _arnoldi(operator: LinearOperator, which: str) -> complex:
    """The extreme eigenvalue of a real operator, from a fixed start.

    Raises ConvergenceError when the iterations do not converge.
    """
    start = np.random.default_rng(0).standard_normal(operator.shape[0])
    try:
        values = eigs(
            operator, k=1, which=which, v0=start, tol=1e-6, ncv=30, return_eigenvectors=False
        )
    except ArpackError as error:
        raise ConvergenceError(f"spectrum of the response: {error}") from error
    return complex(values[0])


def _extremes(values: ComplexArray) -> ResponseSpectrum:
    """Of given eigenvalues of Kχ, to which the eigenvalue 0 is added (F may be small)."""
    gaps = 1.0 - values
    return ResponseSpectrum(
        float(np.max(np.abs(values), initial=0.0)),
        float(np.min(np.abs(gaps), initial=1.0)),
        float(np.min(gaps.real, initial=1.0)),
    )
