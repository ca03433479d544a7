"""Local models closed by projection, v̂ = ∫Vψ (4.1), as subjects: fitted models and their kin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scc.ace.predict import Prediction, PredictiveModel
from scc.arrays import FloatArray
from scc.battery.subject import Extremes, Require, Solved, Start
from scc.configuration import Configuration
from scc.electrostatics.multipoles.external import UniformField
from scc.equilibration.equilibrate import default_solver, solve_projection
from scc.equilibration.projected_equilibrium import ProjectedEquilibrium
from scc.functional.projection_functional import ProjectionFunctional

TOLERANCE = 1e-11
"""Of the multipoles, e·bohr^λ. Energies are not stationary: their error is of first order in it."""

ACCURACY = 10.0 * TOLERANCE
"""1/|1 − Kχ| multiplies the residual; a response ten times the bare one is at the edge of
stability."""

MAX_BUILDS = 200
START_NOISE = 0.1
"""Hartree/bohr^λ: standard deviation of the features that a random start has."""

FIELD = 1e-3
"""Hartree/(e·bohr), of the uniform field that moving the molecule turns into a constant."""


class ProjectedSolution(Prediction):
    """A prediction as the battery reads it."""

    @property
    def iterations(self) -> int:
        """Density builds and applications of χK, those of forces not counted."""
        return self.scf_iterations


class ProjectedSubject:
    """A local model under :class:`ProjectionFunctional`, neutral.

    Args:
        model: with ``prepare`` and ``operator``.
        require: see :class:`scc.battery.subject.Subject`.
    """

    accuracy = energy_accuracy = ACCURACY
    total_charge = 0.0

    def __init__(
        self,
        model: PredictiveModel,
        name: str | None = None,
        largest: int = 60,
        require: Require | None = None,
    ) -> None:
        self.model, self.name, self.largest = model, name or model.name, largest
        self.require = require
        species = getattr(model, "species", None)
        self.elements = None if species is None else frozenset(species)

    def solve(self, configuration: Configuration, initial: Start = None) -> ProjectedSolution:
        """Solve the self-consistency. Raises InputError for structures without parameters."""
        return self._solve(configuration, initial, ())

    def solve_shifted(self, configuration: Configuration, shift: float) -> ProjectedSolution:
        """In a uniform field, moved by shift/field along it: what that adds is a constant."""
        field = UniformField(np.array([FIELD, 0.0, 0.0]))
        moved = configuration.translated(np.array([shift / FIELD, 0.0, 0.0]))
        return self._solve(moved, None, (field,))

    def _solve(
        self, configuration: Configuration, initial: Start, external: tuple[UniformField, ...]
    ) -> ProjectedSolution:
        functional = ProjectionFunctional(
            self.model.prepare(configuration), self.model.operator(configuration, external)
        )
        features: FloatArray | None = None
        if isinstance(initial, np.random.Generator):
            features = initial.normal(scale=START_NOISE, size=functional.model.feature_shape)
        elif initial is not None:
            features = _solution(initial).equilibrium.features
        solver = default_solver(functional)
        found = solve_projection(functional, solver, features, TOLERANCE, MAX_BUILDS)
        work = found.density_builds + found.response_applications
        return ProjectedSolution(self.model, found, work)

    def stability(self, solved: Solved) -> Extremes:
        """Of 1 − Kχ; its largest modulus is at most 1 + |µ|_max."""
        found = _solution(solved).equilibrium
        return Extremes(found.smallest_real, 1.0 + found.radius, "1 − Kχ")

    def charge_response(self, solved: Solved, displacement: FloatArray) -> FloatArray:
        """dq = −dp₀₀, by solving with 1 − Kχ."""
        found = _solution(solved).equilibrium
        change = found.solve_response(-found.state.residual_position_jvp(displacement))
        local = found.state.local
        moved = local.density_jvp(change) + local.density_position_jvp(displacement)
        return -moved[:, 0]

    def local(self, solved: Solved) -> ProjectedDerivatives:
        """At the features of a solution."""
        return ProjectedDerivatives(_solution(solved).equilibrium)


class ProjectedDerivatives:
    """∂E_ℓ and ∂p_ℓ (M, 9) of a responsive state."""

    def __init__(self, equilibrium: ProjectedEquilibrium) -> None:
        self._shape, self._state = equilibrium.features.shape, equilibrium.state.local

    def feature_directions(self, atom: int) -> Sequence[FloatArray]:
        """Each feature of the atom."""
        directions = np.zeros((self._shape[1], *self._shape))
        directions[np.arange(self._shape[1]), atom, np.arange(self._shape[1])] = 1.0
        return list(directions)

    def energies_by_positions(self, displacement: FloatArray) -> FloatArray:
        """∂E_ℓ/∂r·dr."""
        return self._energies("site_energies_position_jvp", displacement)

    def energies_by_features(self, direction: FloatArray) -> FloatArray:
        """∂E_ℓ/∂v̂·dv̂."""
        return self._energies("site_energies_jvp", direction)

    def densities_by_positions(self, displacement: FloatArray) -> FloatArray:
        """∂p_ℓ/∂r·dr."""
        return self._state.density_position_jvp(displacement)

    def densities_by_features(self, direction: FloatArray) -> FloatArray:
        """∂p_ℓ/∂v̂·dv̂."""
        return self._state.density_jvp(direction)

    def _energies(self, method: str, argument: FloatArray) -> FloatArray:
        # The projection closure itself needs derivatives of Σ E_ℓ only.
        function = getattr(self._state, method, None)
        if function is None:
            raise NotImplementedError(f"the state of the model has no {method}")
        return np.asarray(function(argument))


def _solution(solved: Solved) -> ProjectedSolution:
    if not isinstance(solved, ProjectedSolution):
        raise TypeError(f"a solution of another subject: {type(solved).__name__}")
    return solved
