r"""Training of the 4G-HDNNP-like scheme: charges first, then the energy at the charges it makes.

Charges. Given η they are linear in the coefficients of χ, with X (M, n) the functions of χ,

    q* = −S (X c + U-part),    dq*/dc = −S X,    dq*/dη_Z = −S (1_Z q*),     dq*/d𝓔 = S x,

S of :mod:`.charge_training` for H = J + η. Gauss–Newton steps on (c, η) minimise residuals of
charges and, where labelled, of their responses to a field, which say what η is. Frames in external
potentials are frames like the others.

Energy. E^ref − E_elec and F^ref + dE_elec/dr are linear in the coefficients of E_i at q* with
dq*/dr = −S ∂R/∂r: the rows of :mod:`scc.ace.energy_fit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from scc.ace.energy_fit import EnergyDesign, EnergyRows, EnergyWeights, design_rows
from scc.ace.energy_model import EnergyModel
from scc.ace.fit import Progress, energy_of_rows, lowered
from scc.ace.normal_equations import NormalEquations
from scc.ace.reference_set import ReferenceSet
from scc.ace.specification import BasisSpecification
from scc.arrays import FloatArray
from scc.schemes.charge_energy import ChargeEnergy
from scc.schemes.charge_features import ChargeFeatures
from scc.schemes.charge_training import (
    ChargeAims,
    ChargeCluster,
    charge_clusters,
    mean_charges,
    response_operator,
)
from scc.schemes.hdnnp_4g import BoundElectronegativity, Hdnnp4gModel


@dataclass(frozen=True)
class Settings4g:
    """Everything a fit depends on besides data.

    Attributes
    ----------
    electronegativity, energy: bases of χ (no features) and E_i (charge features).
    width: σ, bohr. hardness: η the steps start from, Hartree/e². steps: of Gauss–Newton.
    charge_ridge: of the prior of χ's coefficients, a residual of 1 being the error aimed at.
    charges: kind of reference charges, see :mod:`.reference_charges`.
    """

    electronegativity: BasisSpecification
    energy: BasisSpecification
    width: float
    hardness: float = 0.3
    steps: int = 6
    charge_ridge: float = 1.0
    aims: ChargeAims = field(default_factory=ChargeAims)
    energy_weights: EnergyWeights = field(default_factory=EnergyWeights)
    charges: str = "dipole"


def fit_4g(
    training: ReferenceSet, settings: Settings4g, progress: Progress = lambda message: None
) -> Hdnnp4gModel:
    """Fit charges, then the energy. Raises InputError as the fits of :mod:`scc.ace` do."""
    species = settings.electronegativity.species
    clusters = charge_clusters(training, species, settings.width, settings.charges)
    design = EnergyDesign(settings.electronegativity)
    progress(f"4G charges: {design.n_columns} coefficients, {len(clusters)} clusters")
    theta = _fit_charges(design, clusters, settings)
    electronegativity = design.model(theta[: design.n_columns], 0.0)
    hardness = theta[design.n_columns :]
    features = ChargeFeatures(
        mean_charges(clusters, len(species)), len(settings.energy.features.widths) - 1
    )
    energy_design = EnergyDesign(settings.energy)
    progress(f"4G energy: {energy_design.n_columns} coefficients")
    rows = (
        _energy_rows(energy_design, cluster, electronegativity, hardness, features)
        for cluster in clusters
    )
    _, fitted = energy_of_rows(
        energy_design, training.frames, rows, settings.energy_weights, progress=progress
    )
    energy = ChargeEnergy(fitted, features, np.zeros(len(species)))
    return Hdnnp4gModel("4g-water", electronegativity, hardness, energy, settings.width)


def _fit_charges(
    design: EnergyDesign, clusters: Sequence[ChargeCluster], settings: Settings4g
) -> FloatArray:
    """(c, η), (n_columns + n_species,)."""
    scale = np.append(design.scale(settings.energy_weights.smoothness), np.ones(design.n_species))
    functions = [_functions(design, cluster) for cluster in clusters]
    theta = np.append(np.zeros(design.n_columns), np.full(design.n_species, settings.hardness))

    def objective(candidate: FloatArray) -> float:
        loss = settings.charge_ridge * float(np.sum((scale * candidate) ** 2))
        try:
            for cluster, values in zip(clusters, functions, strict=True):
                for residual in _charge_rows(cluster, values, candidate, settings.aims)[1:]:
                    loss += float(residual @ residual)
        except np.linalg.LinAlgError:  # a hardness so negative that charges run away
            return np.inf
        return loss

    for _ in range(settings.steps):
        equations = NormalEquations(len(theta))
        for cluster, values in zip(clusters, functions, strict=True):
            rows, residual = _charge_rows(cluster, values, theta, settings.aims)
            equations.add(rows, rows @ theta - residual)
        theta = lowered(objective, theta, equations.solve(settings.charge_ridge, scale))
    return theta


def _functions(design: EnergyDesign, cluster: ChargeCluster) -> FloatArray:
    """X (M, n_columns), χ = X c: functions of each atom in the columns of its element."""
    configuration = cluster.frame.configuration
    number = len(configuration)
    state = design.basis.prepare(configuration).evaluate(np.zeros((number, 0)))
    values = state.values(0)[:, 0, :]
    columns = np.zeros((number, design.n_species, design.n_functions))
    columns[np.arange(number), cluster.species] = values
    central = cluster.species == design.specification.species.index("O")
    return np.concatenate(
        [columns.reshape(number, -1), central[:, None].astype(np.float64)], axis=1
    )


def _charge_rows(
    cluster: ChargeCluster, functions: FloatArray, theta: FloatArray, aims: ChargeAims
) -> tuple[FloatArray, FloatArray]:
    """(∂residual/∂θ, residual) in units of the aims; responses follow the charges."""
    n_columns = functions.shape[1]
    hardness = theta[n_columns:][cluster.species]
    response = response_operator(cluster.kernel + np.diag(hardness))
    outside = cluster.electronegativity(np.zeros(len(hardness)))
    charges = -response @ (functions @ theta[:n_columns] + outside)
    of_element = np.eye(len(theta) - n_columns)[cluster.species]
    slopes = -response @ np.concatenate([functions, of_element * charges[:, None]], axis=1)
    rows, residuals = [slopes / aims.charge], [(charges - cluster.charges) / aims.charge]
    if cluster.response is not None:
        found = response @ cluster.frame.configuration.positions
        unit = aims.field / aims.charge
        for axis in range(3):
            moved = np.zeros_like(slopes)
            moved[:, n_columns:] = -response @ (of_element * found[:, [axis]])
            rows.append(moved * unit)
            residuals.append((found[:, axis] - cluster.response[:, axis]) * unit)
    return np.concatenate(rows), np.concatenate(residuals)


def _energy_rows(
    design: EnergyDesign,
    cluster: ChargeCluster,
    electronegativity: EnergyModel,
    hardness: FloatArray,
    features: ChargeFeatures,
) -> EnergyRows:
    """What the energy of one cluster asks of its coefficients, at the charges of the equations."""
    frame = cluster.frame
    number = len(frame.configuration)
    chi = BoundElectronegativity(electronegativity, frame.configuration)
    response = response_operator(cluster.kernel + np.diag(hardness[cluster.species]))
    charges = -response @ (chi.values + cluster.electronegativity(np.zeros(number)))
    mixed = np.stack([chi.vjp(unit).ravel() for unit in np.eye(number)])
    slopes = -response @ (mixed + cluster.coulomb_mixed(charges).T)
    phi = features(charges, cluster.species)
    feature_slopes = (phi.slopes[:, :, None] * slopes[:, None, :]).reshape(-1, 3 * number)
    values, forces = design_rows(design, frame, phi.values, feature_slopes)
    coulomb = np.ravel(cluster.coulomb_gradient(charges))
    coulomb += cluster.electronegativity(charges) @ slopes
    return EnergyRows(
        values,
        frame.energy - cluster.coulomb_energy(charges),
        forces,
        np.ravel(frame.forces) + coulomb,
        frame.n_molecules,
    )
