r"""The result of the direct closure (1.5): charges, forces, stability and response.

A solution is stable iff it is a minimum of E at fixed charge: H ≻ 0 on {dv̂ : c·dv̂ = 0}. Responses
solve H dv̂ − c dµ = −dR, c·dv̂ = −d⟨e, ρ⟩ for a perturbation dR of the residual.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from scc.arrays import FloatArray
from scc.equilibration.direct_problem import DirectFixedPoint
from scc.equilibration.saddle_point import (
    DENSE_BELOW,
    SaddlePoint,
    assembled,
    solve_dense,
    solve_on_surface,
    surface_basis,
)
from scc.equilibration.saddle_point_solver import border
from scc.equilibration.solution import Solution
from scc.errors import ConvergenceError, InputError
from scc.functional.direct_functional import DirectFunctional, DirectState


@dataclass(frozen=True)
class DirectChange:
    """First-order change of an equilibrium: dv̂, dD, dq (M,), dµ (Hartree), dE_ℓ (M,)."""

    features: FloatArray
    density: FloatArray
    charges: FloatArray
    chemical_potential: float
    site_energies: FloatArray


@dataclass
class DirectEquilibrium(Solution):
    """v̂* with R(r, v̂*, µ) = 0 and Σ∫(ρ − ν) = −Q, or an honest account of why not.

    ``status`` is ``converged``, ``stalled``, ``diverged`` or ``unstable`` (stationary, but no
    minimum of the energy whose equations were solved); ``residual`` the largest change of the
    density, electrons, that a preconditioned step would make.
    """

    functional: DirectFunctional
    state: DirectState

    @property
    def charges(self) -> FloatArray:
        """Net atomic charges q (M,): minus the electrons in excess of each atom."""
        return self.functional.net_charges(self.state.density)

    @property
    def chemical_potential(self) -> float:
        """µ of the electrons, Hartree: minus the common electronegativity."""
        return self.state.chemical_potential

    @cached_property
    def forces(self) -> FloatArray:
        """−dE/dr with v̂* following the atoms, (M, 3), Hartree/bohr."""
        if self.functional.variational:
            return -self.state.lagrangian_position_gradient
        equations, adjoint = self._equations, self.adjoint
        indirect = equations.residual_position_vjp(adjoint.x, adjoint.multiplier)
        return indirect - self.state.position_gradient

    @cached_property
    def adjoint(self) -> SaddlePoint:
        """λ, λ_µ of Hλ + cλ_µ = ∂E/∂v̂, c·λ = 0 (with λ_µ's sign as in ``multiplier``)."""
        return self._solve(self.state.gradient, 0.0)

    @cached_property
    def extreme_eigenvalues(self) -> tuple[float, float]:
        """(λ_min, λ_max) of H on the surface: dense up to 500 unknowns, else by Lanczos.

        Raises ConvergenceError when Lanczos does not converge.
        """
        c = self._border
        if c.size <= DENSE_BELOW:
            basis = surface_basis(c)
            if basis.shape[1] == 0:
                return np.inf, np.inf  # one atom of fixed charge: nothing can move
            values = scipy.linalg.eigvalsh(basis.T @ self.hessian @ basis)
            return float(values[0]), float(values[-1])
        return self._lanczos("SA"), self._lanczos("LA")

    @cached_property
    def lambda_min(self) -> float:
        """Smallest curvature of E at fixed charge; stable iff positive."""
        if self._border.size <= DENSE_BELOW:
            return self.extreme_eigenvalues[0]
        return self._lanczos("SA")

    @property
    def stable(self) -> bool:
        """A converged minimum of the energy whose equations were solved."""
        return self.converged and (self.functional.convex or self.lambda_min > 0.0)

    @cached_property
    def hessian(self) -> FloatArray:
        """H on flattened variables, dense (small systems)."""
        return assembled(self._apply, self._border.shape)

    def to_potential(self, potential: FloatArray) -> DirectChange:
        """Response to an external potential dV_ext (the shape of D, Hartree, felt by electrons)."""
        source = self._equations.local.density_vjp(potential)
        return self._change(self._solve(-source, 0.0), None)

    def to_displacement(self, displacement: FloatArray) -> DirectChange:
        """Response to a displacement dr (M, 3) of the atoms, bohr. InputError for other shapes."""
        expected = (len(self.functional.configuration), 3)
        displacement = np.asarray(displacement, dtype=np.float64)
        if displacement.shape != expected:
            raise InputError(f"displacement has shape {displacement.shape}, expected {expected}")
        equations = self._equations
        source = equations.residual_position_jvp(displacement)
        extra = equations.excess_position_jvp(displacement)
        return self._change(self._solve(-source, -extra), displacement)

    def polarisability(self) -> FloatArray:
        """α_ab = ∂d_a/∂𝓔_b of the dipole d = ∫x(ν − ρ), (3, 3), bohr³. Open boundaries only."""
        if any(self.functional.configuration.periodic):
            raise InputError("the dipole moment of a periodic configuration is not defined")
        fields = self.functional.dipole_potentials(self.state.density)
        changes = [self.to_potential(field).density for field in fields]
        return -np.array([[np.vdot(a, change) for change in changes] for a in fields])

    @property
    def _equations(self) -> DirectState:
        return self.state.equations

    @cached_property
    def _border(self) -> FloatArray:
        return border(self._equations.functional, self._equations)

    @cached_property
    def _diagonal(self) -> FloatArray:
        return DirectFixedPoint(self.functional, self.work).diagonal(self._equations)

    def _apply(self, direction: FloatArray) -> FloatArray:
        self.work.response_applications += 1
        return self._equations.hessian_vector_product(direction)

    def _solve(self, right: FloatArray, level: float) -> SaddlePoint:
        if right.size <= DENSE_BELOW:
            return solve_dense(self.hessian, self._border, right, level)
        return solve_on_surface(self._apply, self._border, right, level, self._diagonal)

    def _change(self, found: SaddlePoint, displacement: FloatArray | None) -> DirectChange:
        local = self.state.local
        density = local.density_jvp(found.x)
        energies = local.site_energies_jvp(found.x)
        if displacement is not None:
            density = density + local.density_position_jvp(displacement)
            energies = energies + local.site_energies_position_jvp(displacement)
        charges = self.functional.net_charges(density)
        return DirectChange(found.x, density, charges, -found.multiplier, energies)

    def _lanczos(self, which: str) -> float:
        """An extreme eigenvalue of H on the surface, to four digits."""
        c = self._border.ravel()
        shape, length = self._border.shape, float(np.linalg.norm(c))
        unit = c / length if length > 0.0 else c

        def project(x: FloatArray) -> FloatArray:
            return np.asarray(x - unit * (unit @ x))

        def curve(tangent: FloatArray) -> FloatArray:
            return project(self._apply(tangent.reshape(shape)).ravel())

        start = np.random.default_rng(0).standard_normal(c.size)
        tangent = project(start)
        # The normal is given an eigenvalue inside the spectrum: the curvature along a tangent.
        inside = float(tangent @ curve(tangent) / (tangent @ tangent))

        def apply(x: FloatArray) -> FloatArray:
            return curve(project(x)) + inside * unit * (unit @ x)

        operator = LinearOperator((c.size, c.size), matvec=apply, dtype=np.float64)
        try:
            values = eigsh(
                operator, k=1, which=which, v0=start, tol=1e-4, return_eigenvectors=False
            )
        except ArpackError as error:
            raise ConvergenceError(f"spectrum of the Hessian: {error}") from error
        return float(values[0])
