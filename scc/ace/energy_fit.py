r"""Fitting the energy: linear least squares on energies and forces at the density's own solution.

With the fitted density, p*(r) and v̂*(r) are functions of the positions. The energy is

    E(r) = Σ_i [E^{Z_i} + Σ_α c^{Z_i}_α B⁰_α(i; r, v̂*)] + E_H(r, p*)

and its derivative along the solution, with one linear system and 3M right-hand sides,

    dp*/dr = (1 − χK)⁻¹ [∂_r p + χ ∂_r(K p + v̂_ext)],    dv̂*/dr = ∂_r(K p + v̂_ext) + K dp*/dr,
    dE/dr  = Σ c (∂_r B + ∂_v̂ B dv̂*/dr) + ∂_r E_H + V·dp*/dr,

is linear in c as well. Prediction takes the adjoint instead and gets the same forces.

Columns: (Z, α), then one constant per molecule (energies of two elements in water cannot be told
apart): it goes to the element of the molecule's centre, O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from scc.ace.basis import Basis, BasisSpecification
from scc.ace.energy_model import EnergyModel
from scc.ace.normal_equations import NormalEquations
from scc.ace.prior_choice import Prior, chosen_prior, prior_scale
from scc.ace.reference_frame import ReferenceFrame
from scc.ace.response_training import Response
from scc.ace.training_cluster import TrainingCluster
from scc.arrays import FloatArray, IntArray

CENTRE = "O"


@dataclass(frozen=True)
class EnergyWeights:
    """What the fit of an energy weighs against each other.

    Attributes
    ----------
    ridge: of the prior, in the unit of squared residuals.
    smoothness: γ of the prior's scale (1 + degree)^γ of a function.
    energy, force: residuals that count as one: Hartree per molecule, Hartree/bohr.
    priors: (ridge, γ[, κ]) to choose from instead, by :func:`.prior_choice.chosen_prior`.
    folds: of that choice.
    """

    ridge: float = 0.1
    smoothness: float = 1.0
    energy: float = 1e-4
    force: float = 5e-4
    priors: tuple[Prior, ...] = ()
    folds: int = 4

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"priors": [list(prior) for prior in self.priors]}


class EnergyDesign:
    """Columns of the energy's coefficients."""

    def __init__(self, specification: BasisSpecification) -> None:
        self.specification = specification
        self.basis = Basis(specification)
        self.n_species = len(specification.species)
        self.n_functions = self.basis.functions(0)
        self.n_columns = self.n_species * self.n_functions + 1
        self.degree: FloatArray = np.append(np.tile(self.basis.degrees(0), self.n_species), 0.0)
        self.order: IntArray = np.append(np.tile(self.basis.orders(0), self.n_species), 0)

    def scale(self, smoothness: float, high: float = 1.0, constant: float = 0.1) -> FloatArray:
        """The prior's scale for γ and κ; the constant, some 76 Hartree, is all but free."""
        scale = prior_scale(self.degree, self.order, smoothness, high)
        scale[-1] = constant
        return scale

    def model(self, coefficients: FloatArray, constant: float) -> EnergyModel:
        """The energy with these coefficients (n_columns,) on top of ``constant`` per molecule."""
        each = coefficients[:-1].reshape(self.n_species, self.n_functions)
        constants = np.zeros(self.n_species)
        constants[self.specification.species.index(CENTRE)] = constant + coefficients[-1]
        return EnergyModel(self.specification, each, constants)


@dataclass(frozen=True, eq=False)
class EnergyRows:
    """Rows of one cluster: the energy and its forces.

    Attributes
    ----------
    values: (n,), dE/dc. energy: E^ref − E_H, Hartree.
    forces: (3M, n), −d²E/dr dc. force: F^ref + dE_H/dr, (3M,).
    n_molecules: what E is divided by.
    """

    values: FloatArray
    energy: float
    forces: FloatArray
    force: FloatArray
    n_molecules: int


def solution_slopes(cluster: TrainingCluster, response: Response) -> tuple[FloatArray, FloatArray]:
    """dp*/dr (9M, 3M) and dv̂*/dr (MF, 3M) at the solution."""
    state = response.bound.evaluate(response.features)
    number = len(cluster.frame.configuration)
    moves = np.eye(3 * number).reshape(-1, number, 3)
    direct = np.stack([state.position_jvp(move).ravel() for move in moves], axis=1)
    projected = cluster.operator.position_jacobian(response.multipoles)
    right = direct + response.chi @ projected
    slopes = np.asarray(np.linalg.solve(response.screening, right), dtype=np.float64)
    return slopes, projected + cluster.matrix @ slopes


def design_rows(
    design: EnergyDesign, frame: ReferenceFrame, features: FloatArray, slopes: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(dE/dc (n,), −d²E/dr dc (3M, n)) of a cluster at v̂ (M, F) with dv̂/dr (MF, 3M).

    E here is Σ E_i and the constants, without E_H.
    """
    configuration = frame.configuration
    state = design.basis.prepare(configuration).evaluate(features)
    functions = state.values(0)[:, 0, :]
    species = np.array(configuration.species)
    values = [functions[species == s].sum(axis=0) for s in design.specification.species]
    values.append(np.array([float(frame.n_molecules)]))
    forces = []
    for of_positions, of_features in state.summed_gradient():
        total = of_positions.reshape(len(of_positions), -1)
        if of_features.size:
            total = total + of_features.reshape(len(of_features), -1) @ slopes
        forces.append(-total.T)
    forces.append(np.zeros((3 * len(configuration), 1)))
    return np.concatenate(values), np.concatenate(forces, axis=1)


def energy_rows(design: EnergyDesign, cluster: TrainingCluster, response: Response) -> EnergyRows:
    """What the energy of one cluster asks of the coefficients."""
    frame = cluster.frame
    density_slopes, feature_slopes = solution_slopes(cluster, response)
    values, forces = design_rows(design, frame, response.features, feature_slopes)
    operator, multipoles = cluster.operator, response.multipoles
    hartree_slope = np.ravel(operator.potential(multipoles)) @ density_slopes
    hartree_slope -= np.ravel(operator.forces_fixed_p(multipoles))
    return EnergyRows(
        values,
        frame.energy - operator.energy(multipoles),
        forces,
        np.ravel(frame.forces) + hartree_slope,
        frame.n_molecules,
    )


def mean_energy(frames: Sequence[ReferenceFrame]) -> float:
    """Reference energy per molecule over a set, Hartree: what the constant starts from."""
    energies = sum(frame.energy for frame in frames)
    return float(energies / sum(frame.n_molecules for frame in frames))


def add_rows(
    equations: NormalEquations, rows: EnergyRows, constant: float, weights: EnergyWeights
) -> None:
    """The energy row, per molecule and off ``constant``, and the force rows of a cluster."""
    each = 1.0 / rows.n_molecules
    target = np.array([each * rows.energy - constant])
    equations.add(each * rows.values[None, :], target, 1.0 / weights.energy**2)
    equations.add(rows.forces, rows.force, 1.0 / weights.force**2)


def solve_energy(
    design: EnergyDesign, parts: Sequence[NormalEquations], weights: EnergyWeights
) -> tuple[FloatArray, Prior]:
    """Coefficients (n_columns,) of all parts together, and the prior they were found under.

    Args:
        parts: one a fold of the choice of the prior; a single one has nothing to choose by.
    """
    prior: Prior = (weights.ridge, weights.smoothness)
    if weights.priors and len(parts) > 1:
        prior = chosen_prior(parts, weights.priors, lambda one: design.scale(*one[1:]))
    equations = NormalEquations(design.n_columns)
    for part in parts:
        equations.accumulate(part)
    return equations.solve(prior[0], design.scale(*prior[1:])), prior
