"""Local models closed directly, eq. (1.5), as subjects: QEq, EEM, CENT, BpopNN, 4G-HDNNP, …."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scc.arrays import FloatArray
from scc.battery.subject import Extremes, Require, Solved, Start
from scc.configuration import Configuration
from scc.equilibration.direct_equilibrium import DirectEquilibrium
from scc.equilibration.equilibrate import default_solver, solve_direct
from scc.functional.direct_functional import DirectFunctional, DirectState
from scc.functional.terms import DensityTerm

TOLERANCE = 1e-11
"""Of the charges, electrons: what a preconditioned step would still change."""

ACCURACY = 10.0 * TOLERANCE
"""A step of the diagonal preconditioner is smaller than the error by the condition it leaves."""

MAX_BUILDS = 200
START_NOISE = 0.2
"""Standard deviation of the variables of a random start: e, the size of charges in molecules."""


class DirectSubject:
    """A local model under :class:`DirectFunctional`, neutral.

    Args:
        model: with ``prepare`` or, where v̂ solves the equations of another model than the energy's,
            ``functional(configuration)``.
        require: see :class:`scc.battery.subject.Subject`.
    """

    accuracy = energy_accuracy = ACCURACY
    total_charge = 0.0

    def __init__(
        self,
        model: Any,
        name: str | None = None,
        largest: int = 120,
        require: Require | None = None,
    ) -> None:
        self.model, self.name, self.largest = model, name or str(model.name), largest
        self.require = require
        species = getattr(model, "species", None)
        self.elements = None if species is None else frozenset(species)

    def solve(self, configuration: Configuration, initial: Start = None) -> DirectEquilibrium:
        """Solve for v̂. Raises InputError for structures without parameters."""
        functional = self._functional(configuration)
        features: FloatArray | None = None
        if isinstance(initial, np.random.Generator):
            features = initial.normal(scale=START_NOISE, size=functional.model.feature_shape)
        elif initial is not None:
            features = _equilibrium(initial).features
        return _solved(functional, features)

    def solve_shifted(self, configuration: Configuration, shift: float) -> DirectEquilibrium:
        """With ``shift`` felt by every electron."""
        return _solved(_shifted(self._functional(configuration), shift), None)

    def stability(self, solved: Solved) -> Extremes:
        """Of the Hessian of the energy whose equations v̂ solves, on the charges allowed."""
        smallest, largest = _equilibrium(solved).extreme_eigenvalues
        return Extremes(smallest, largest, "∂²E/∂v̂² at fixed charge")

    def charge_response(self, solved: Solved, displacement: FloatArray) -> FloatArray:
        """dq, by the saddle-point equation."""
        return _equilibrium(solved).to_displacement(displacement).charges

    def local(self, solved: Solved) -> DirectDerivatives:
        """At the variables of a solution."""
        return DirectDerivatives(_equilibrium(solved).state)

    def _functional(self, configuration: Configuration) -> DirectFunctional:
        if hasattr(self.model, "functional"):
            functional: DirectFunctional = self.model.functional(configuration)
            return functional
        return DirectFunctional(self.model.prepare(configuration), total_charge=self.total_charge)


class DirectDerivatives:
    """∂E_ℓ and ∂D_ℓ at a state."""

    def __init__(self, state: DirectState) -> None:
        self._shape, self._state = state.features.shape, state.local

    def feature_directions(self, atom: int) -> Sequence[FloatArray]:
        """Each variable of the atom."""
        rest = list(np.ndindex(*self._shape[1:]))
        directions = np.zeros((len(rest), *self._shape))
        for direction, index in zip(directions, rest, strict=True):
            direction[(atom, *index)] = 1.0
        return list(directions)

    def energies_by_positions(self, displacement: FloatArray) -> FloatArray:
        """∂E_ℓ/∂r·dr."""
        return self._state.site_energies_position_jvp(displacement)

    def energies_by_features(self, direction: FloatArray) -> FloatArray:
        """∂E_ℓ/∂v̂·dv̂."""
        return self._state.site_energies_jvp(direction)

    def densities_by_positions(self, displacement: FloatArray) -> FloatArray:
        """∂D_ℓ/∂r·dr."""
        return self._state.density_position_jvp(displacement)

    def densities_by_features(self, direction: FloatArray) -> FloatArray:
        """∂D_ℓ/∂v̂·dv̂."""
        return self._state.density_jvp(direction)


class _ConstantPotential:
    """E = c ⟨e, D⟩ for electrons in excess D."""

    convex = True

    def __init__(self, shift: float, functional: DirectFunctional) -> None:
        self._shift, self._counter = shift, functional.closure.counter

    def energy(self, density: FloatArray) -> float:
        return self._shift * float(np.vdot(self._counter(density), density))

    def potential(self, density: FloatArray) -> FloatArray:
        return self._shift * self._counter(density)

    def kernel(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        return np.zeros_like(density)

    def position_gradient(self, density: FloatArray) -> FloatArray:
        return np.zeros((len(density), 3))

    def potential_position_jvp(self, density: FloatArray, displacement: FloatArray) -> FloatArray:
        return np.zeros_like(density)

    def site_energies(self, density: FloatArray) -> FloatArray | None:
        return None


def _shifted(functional: DirectFunctional, shift: float) -> DirectFunctional:
    """The functional with a constant potential in its energy and in its equations."""
    extra: tuple[DensityTerm, ...] = (_ConstantPotential(shift, functional),)
    terms = (*functional.terms, *extra)
    if functional.equations is not None:
        equations = _shifted(functional.equations, shift)
        return DirectFunctional(functional.model, terms=terms, equations=equations)
    closure = functional.closure
    return DirectFunctional(
        functional.model,
        terms=terms,
        total_charge=closure.total_charge,
        chemical_potential=closure.chemical_potential,
    )


def _solved(functional: DirectFunctional, features: FloatArray | None) -> DirectEquilibrium:
    solver = default_solver(functional)
    return solve_direct(functional, solver, features, TOLERANCE, MAX_BUILDS)


def _equilibrium(solved: Solved) -> DirectEquilibrium:
    if not isinstance(solved, DirectEquilibrium):
        raise TypeError(f"a solution of another subject: {type(solved).__name__}")
    return solved
