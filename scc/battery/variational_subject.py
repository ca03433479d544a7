"""Local models closed by V = Σ v̂ Ξ, eq. (2.27), as subjects: tight binding and its kin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scc.arrays import FloatArray
from scc.battery.subject import Extremes, Solved, Start
from scc.configuration import Configuration
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.equilibrium import Equilibrium
from scc.equilibration.response import LinearResponse
from scc.equilibration.solution import CONVERGED
from scc.functional.energy import EnergyFunctional, FunctionalState
from scc.models.protocol import LocalModel
from scc.occupations.ensemble import GrandCanonical

TOLERANCE = 1e-10
"""Of the density, electrons; E[ρ] convex makes ε ≥ 1, so charges are no farther off than that."""

START_NOISE = 0.1
"""Hartree: standard deviation of the potential that a random start adds to that of the atoms."""

ROOM_TEMPERATURE = 1000.0
"""β in 1/Hartree: 316 K."""


class VariationalSubject:
    """A local model under :class:`EnergyFunctional`, canonical and neutral.

    Args:
        model: with ``prepare``; its name is the subject's unless another is given.
        beta: inverse temperature, 1/Hartree.
        largest: atoms, see :class:`scc.battery.subject.Subject`.
    """

    elements = None
    accuracy = TOLERANCE
    total_charge = 0.0

    def __init__(
        self,
        model: LocalModel,
        name: str | None = None,
        beta: float = ROOM_TEMPERATURE,
        largest: int = 60,
    ) -> None:
        self.model, self.name, self.beta, self.largest = model, name or model.name, beta, largest

    def solve(self, configuration: Configuration, initial: Start = None) -> Equilibrium:
        """Equilibrate. Raises InputError for structures without parameters."""
        functional = EnergyFunctional(self.model.prepare(configuration), beta=self.beta)
        found = equilibrate(functional, features=_start(functional, initial), tolerance=TOLERANCE)
        # An unstable fixed point is one: it is the property of stability that says what it is.
        return replace(found, status=CONVERGED) if found.status == "unstable" else found

    def solve_shifted(self, configuration: Configuration, shift: float) -> Equilibrium:
        """With every electron lifted by ``shift``."""
        bound = self.model.prepare(configuration)
        functional = EnergyFunctional(bound, beta=self.beta)
        term = _ConstantPotential(functional, shift)
        return equilibrate(
            EnergyFunctional(bound, beta=self.beta, extra_terms=(term,)), tolerance=TOLERANCE
        )

    def stability(self, solved: Solved) -> Extremes:
        """Of the dielectric operator, or its form for expansions."""
        found = _equilibrium(solved)
        smallest, largest = found.extreme_eigenvalues
        return Extremes(smallest, largest, "ε = 1 − Kχ₀")

    def charge_response(self, solved: Solved, displacement: FloatArray) -> FloatArray:
        """dq, by solving with ε."""
        return LinearResponse(_equilibrium(solved)).to_displacement(displacement).charges

    def local(self, solved: Solved) -> VariationalDerivatives:
        """At fixed v̂ *and* µ: with N fixed instead, Remark 8 makes a model non-local."""
        found = _equilibrium(solved)
        functional = found.functional.with_ensemble(GrandCanonical(found.fermi_level))
        return VariationalDerivatives(functional.evaluate(found.features))


class VariationalDerivatives:
    """∂E_ℓ and ∂p_ℓ of a functional state."""

    def __init__(self, state: FunctionalState) -> None:
        self.state = state

    def feature_directions(self, atom: int) -> Sequence[FloatArray]:
        """v̂_mc for each c; of a complete matrix V_ab, the diagonal entries on the atom."""
        shape = self.state.features.shape
        model = self.state.functional.model
        if model.complete and len(shape) == 2:
            indices = [(int(a), int(a)) for a in np.flatnonzero(_atoms_of(model) == atom)]
        else:
            indices = [(atom, *rest) for rest in np.ndindex(*shape[1:])]
        directions = np.zeros((len(indices), *shape))
        for direction, index in zip(directions, indices, strict=True):
            direction[index] = 1.0
        return list(directions)

    def energies_by_positions(self, displacement: FloatArray) -> FloatArray:
        """∂E_ℓ/∂r·dr."""
        return self.state.site_energies_position_jvp(displacement)

    def energies_by_features(self, direction: FloatArray) -> FloatArray:
        """∂E_ℓ/∂v̂·dv̂."""
        return self.state.site_energies_jvp(direction)

    def densities_by_positions(self, displacement: FloatArray) -> FloatArray:
        """∂p_ℓ/∂r·dr."""
        return self.state.local.populations_position_jvp(displacement)

    def densities_by_features(self, direction: FloatArray) -> FloatArray:
        """∂p_ℓ/∂v̂·dv̂."""
        return self.state.local.populations_jvp(direction)


class _ConstantPotential:
    """E = c (∫ρ − ΣZ), a density term."""

    convex = True

    def __init__(self, functional: EnergyFunctional, shift: float) -> None:
        model, self._shift = functional.model, shift
        # The potential of a unit field changes by one when the molecule moves rigidly by one.
        rigid = np.zeros((len(model.configuration), 3))
        rigid[:, 0] = 1.0
        self._one = np.asarray(model.dipole_potentials_perturb(rigid)[0])
        self._nuclei = float(np.sum(model.nuclear_charges))

    def energy(self, density: FloatArray) -> float:
        return self._shift * (float(np.vdot(self._one, density)) - self._nuclei)

    def potential(self, density: FloatArray) -> FloatArray:
        return self._shift * self._one

    def kernel(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        return np.zeros_like(density)

    def position_gradient(self, density: FloatArray) -> FloatArray:
        if density.ndim == 1:  # populations: the constant is 1, wherever the atoms are
            return np.zeros((len(density), 3))
        raise NotImplementedError("forces in a constant potential: derivatives of overlaps")

    def potential_position_jvp(self, density: FloatArray, displacement: FloatArray) -> FloatArray:
        raise NotImplementedError("response in a constant potential")

    def site_energies(self, density: FloatArray) -> FloatArray | None:
        return None


def _start(functional: EnergyFunctional, initial: Start) -> FloatArray | None:
    if initial is None:
        return None
    if not isinstance(initial, np.random.Generator):
        return _equilibrium(initial).features
    model = functional.model
    potential = functional.potential(model.initial_density())
    features = potential if model.complete else model.fit_features(potential)
    noise = initial.normal(scale=START_NOISE, size=features.shape)
    if model.complete and features.ndim == 2:
        noise = 0.5 * (noise + noise.T)
    return features + noise


def _atoms_of(model: object) -> FloatArray:
    assembly = getattr(model, "assembly", None)
    if assembly is None:
        raise NotImplementedError("which orbital sits on which atom is not told")
    return np.asarray(assembly.atom_of_orbital)


def _equilibrium(solved: Solved) -> Equilibrium:
    if not isinstance(solved, Equilibrium):
        raise TypeError(f"a solution of another subject: {type(solved).__name__}")
    return solved
