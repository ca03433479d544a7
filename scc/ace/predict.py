"""From a geometry to energy, forces, charges, dipole and polarisability at self-consistency.

v̂ = K p + v̂_ext and p = b(r) + χ(r) v̂ from zero field: one linear equation (the model is affine), by
Krylov iterations whose every application of χK is counted. Forces are exact derivatives by the
adjoint equation. Atomic units; sign of physical charges here (nuclei positive): q_i = −p_i00.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.multipoles.moments import total_dipole
from scc.electrostatics.multipoles.projection import ProjectionOperator
from scc.equilibration.equilibrate import solve_projection
from scc.equilibration.projected_equilibrium import ProjectedEquilibrium
from scc.equilibration.solvers import LinearSolve
from scc.errors import InputError
from scc.functional.projection_functional import ProjectionFunctional, ResponsiveModel

TOLERANCE = 1e-8
"""Largest |ρ_out − ρ_in| at convergence, e·bohr^λ."""

_MAX_BUILDS = 10  # an affine model takes three


class PredictiveModel(Protocol):
    """What a prediction needs: a local model and its electrostatics, direct or variational."""

    @property
    def name(self) -> str: ...
    def prepare(self, configuration: Configuration) -> ResponsiveModel: ...
    def operator(
        self, configuration: Configuration, external: Sequence[UniformField | ExternalCharges] = ()
    ) -> ProjectionOperator: ...


@dataclass(frozen=True, eq=False)
class Prediction:
    """A solution with what is asked of it; ``equilibrium`` has status, spectrum and work.

    ``scf_iterations``: density builds and applications of χK that the solution took; the adjoint
    equation of the forces and the spectrum are not in it.
    """

    model: PredictiveModel
    equilibrium: ProjectedEquilibrium
    scf_iterations: int

    @property
    def converged(self) -> bool:
        """Whether there is a solution; what follows means nothing otherwise."""
        return self.equilibrium.converged

    @property
    def stable(self) -> bool:
        """Converged, and no eigenvalue of 1 − Kχ has a real part ≤ 0 (a spectrum, when asked)."""
        return self.equilibrium.stable

    @property
    def energy(self) -> float:
        """Hartree."""
        return self.equilibrium.energy

    @property
    def forces(self) -> FloatArray:
        """−dE/dr, (M, 3), Hartree/bohr."""
        return self.equilibrium.forces

    @property
    def features(self) -> FloatArray:
        """v̂* (M, F): a start for the next geometry."""
        return self.equilibrium.features

    @property
    def multipoles(self) -> FloatArray:
        """p (M, 9) of ρ − ν, e·bohr^λ."""
        return self.equilibrium.density

    @property
    def charges(self) -> FloatArray:
        """q_i = −p_i00, (M,), e; they add up to zero."""
        return -self.multipoles[:, 0]

    @property
    def dipole(self) -> FloatArray:
        """µ = Σ (q_i r_i + µ_i), (x, y, z), e·bohr. InputError for a periodic configuration."""
        configuration = self.equilibrium.functional.configuration
        if any(configuration.periodic):
            raise InputError("the dipole moment of a periodic configuration is not defined")
        return -total_dipole(configuration.positions, self.multipoles)

    def polarisability(self) -> FloatArray:
        """α_ab = dµ_a/d𝓔_b in a uniform field, (3, 3), bohr³: three linear equations.

        Raises InputError for a periodic configuration.
        """
        configuration = self.equilibrium.functional.configuration
        if any(configuration.periodic):
            raise InputError("the polarisability of a periodic configuration is not defined")
        alpha = np.empty((3, 3))
        for axis, field in enumerate(np.eye(3)):
            bare = self.model.operator(configuration, (UniformField(field),)).external
            change = self.equilibrium.solve_response(bare)
            moved = self.equilibrium.state.local.density_jvp(change)
            alpha[:, axis] = -total_dipole(configuration.positions, moved)
        return alpha


def predict(
    model: PredictiveModel,
    configuration: Configuration,
    *,
    external: Sequence[UniformField | ExternalCharges] = (),
    features: FloatArray | None = None,
    tolerance: float = TOLERANCE,
) -> Prediction:
    """Solve the self-consistency of a configuration.

    Args:
        external: fields and charges, in the sign of ρ − ν.
        features: v̂ to start from, that of a nearby geometry; zero field by default.
        tolerance: largest |ρ_out − ρ_in|, e·bohr^λ.
    Raises:
        InputError: an element the model does not know, features of another shape.
    """
    functional = ProjectionFunctional(
        model.prepare(configuration), model.operator(configuration, external)
    )
    solution = solve_projection(functional, LinearSolve(), features, tolerance, _MAX_BUILDS)
    return Prediction(model, solution, solution.density_builds + solution.response_applications)
