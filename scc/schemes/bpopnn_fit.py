r"""Training of the BpopNN-like scheme: least squares at the reference's charges, then at its own.

E(r, q) = Σ_α c_α B_α(r, q) + ½ Σ η (q − q̄)² + E_elec(r, q) is linear in c. *Teacher-forced*, at
q = q^ref, what E is to satisfy is linear in c as well, since it is stationary in q:

    energy       E(r, q) = E^ref
    forces       −∂E/∂r|_q = F^ref                     (no adjoint at a minimum)
    charges      S₀ ∂E/∂q = 0                          (all electronegativities are equal)
    curvature    S₀ (∂²ΣcB/∂q²) ξ = 0,                 ξ random charges, two draws a cluster

with S₀ that of H₀ = J + η, by which residuals of electronegativities become, roughly, those of
charges. The last row asks for nothing, but keeps the curvature that of H₀ unless data want another:
without it, charges of one kind of cluster leave ∂²E/∂q² so free that most clusters have no minimum.
Its noise ξ is doubled until ∂²E/∂q² is positive definite at q^ref of all training clusters.

*Gauss–Newton*, at the minimum q* of the c before: ∂E/∂q changes by G dc for G = ∂²E/∂q∂c, so that

    dq*/dc = −S Gᵀ,    dE/dc = B,    dF/dc = −∂_rB + (∂²E/∂r∂q) S Gᵀ,

and residuals of charges are those of q* itself; the curvature rows stay. Steps are halved
until the loss falls; where ∂²E/∂q² is not positive definite on Σ dq = 0 at some training cluster
the loss is infinite.

Labelled responses dq/d𝓔 are not fitted. Charges that share one electronegativity respond to a field
by flowing between molecules, which the reference's hardly do; made to follow them, ∂²E/∂q² lost its
positive definiteness in every fit that was tried.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from scc.ace.energy_fit import EnergyDesign, EnergyWeights, mean_energy
from scc.ace.fit import Progress, lowered
from scc.ace.normal_equations import NormalEquations
from scc.ace.prior_choice import Prior, chosen_prior, fold_labels
from scc.ace.reference_set import ReferenceSet
from scc.ace.specification import BasisSpecification
from scc.arrays import BoolArray, FloatArray
from scc.equilibration.equilibrate import equilibrate
from scc.errors import ConvergenceError, InputError
from scc.functional.direct_functional import DirectFunctional
from scc.schemes.bpopnn import BpopnnModel
from scc.schemes.charge_energy import ChargeEnergy
from scc.schemes.charge_features import ChargeFeatures, FeatureValues
from scc.schemes.charge_training import (
    ChargeAims,
    ChargeCluster,
    charge_clusters,
    live_columns,
    mean_charges,
    response_operator,
)

_TOLERANCE = 1e-9  # of the charges, e
_DRAWS = 2  # ξ a cluster
_DOUBLINGS = 6

Rows = tuple[FloatArray, FloatArray]
"""(rows (R, n) of live columns, targets or residuals (R,)) in units of the errors aimed at."""


@dataclass(frozen=True)
class BpopnnSettings:
    """Everything a fit depends on besides data.

    Attributes
    ----------
    energy: basis with charge features. width: σ, bohr. steps: of Gauss–Newton, each
        some ten times the work of the teacher-forced fit; the shipped scheme takes none.
    energy_weights: its ridge, smoothness and the errors of energies and forces that count as one.
    hardness: η of all elements, Hartree/e².
    noise: spread of ξ to begin with, e.
    charges: kind of reference charges, see :mod:`.reference_charges`.
    """

    energy: BasisSpecification
    width: float
    steps: int = 0
    hardness: float = 0.4
    noise: float = 0.03
    aims: ChargeAims = field(default_factory=ChargeAims)
    energy_weights: EnergyWeights = field(default_factory=EnergyWeights)
    charges: str = "dipole"


def fit_bpopnn(
    training: ReferenceSet, settings: BpopnnSettings, progress: Progress = lambda message: None
) -> BpopnnModel:
    """Fit f. Raises InputError as :meth:`BpopnnFit.first`."""
    fit = BpopnnFit(training, settings)
    progress(f"BpopNN: {int(fit.live.sum())} coefficients, {len(training)} clusters")
    theta = fit.first()
    for step in range(settings.steps):
        progress(f"BpopNN: step {step + 1} of {settings.steps}")
        theta = lowered(fit.objective, theta, fit.step(theta))
    return BpopnnModel("bpopnn-water", fit.energy(theta), settings.width)


class _Functions(NamedTuple):
    """Sums of B over atoms and their derivatives, all columns: at one (r, q)."""

    values: FloatArray  # (n,)
    positions: FloatArray  # ∂/∂r (n, 3M)
    charges: FloatArray  # ∂/∂q (n, M)


class BpopnnFit:
    """Design, clusters, and the steps of the module docstring; θ (n_columns,)."""

    def __init__(self, training: ReferenceSet, settings: BpopnnSettings) -> None:
        self.settings, self.noise = settings, settings.noise
        self.design = EnergyDesign(settings.energy)
        self.live: BoolArray = live_columns(self.design)
        self.prior: Prior = settings.energy_weights.ridge, settings.energy_weights.smoothness
        species = settings.energy.species
        self.clusters = charge_clusters(training, species, settings.width, settings.charges)
        self._frames = training.frames
        self.constant = mean_energy(training.frames)
        means = mean_charges(self.clusters, len(species))
        self.features = ChargeFeatures(means, len(settings.energy.features.widths) - 1)

    def energy(self, theta: FloatArray) -> ChargeEnergy:
        """E_i with coefficients θ (n_columns,)."""
        hardness = np.full(self.design.n_species, self.settings.hardness)
        return ChargeEnergy(self.design.model(theta, self.constant), self.features, hardness)

    def first(self) -> FloatArray:
        """θ of the teacher-forced rows under the prior that validates best on left-out clusters.

        As much noise as convexity at all clusters needs.

        Raises InputError where 64 times the noise of the settings are not enough.
        """
        weights = self.settings.energy_weights
        labels = fold_labels(self._frames, weights.folds if weights.priors else 1)
        parts = [NormalEquations(int(self.live.sum())) for _ in range(int(labels.max()) + 1)]
        for cluster, label in zip(self.clusters, labels, strict=True):
            parts[label].add(*self.teacher_forced(cluster))
        if weights.priors and len(parts) > 1:
            self.prior = chosen_prior(parts, weights.priors, self._scale)
        for _ in range(_DOUBLINGS + 1):
            equations = NormalEquations(int(self.live.sum()))
            for part in parts:
                equations.accumulate(part)
            theta = self._solve(equations)
            if self.convex(theta):
                return theta
            self.noise *= 2.0
        raise InputError("the teacher-forced fit has training clusters where E is not convex in q")

    def convex(self, theta: FloatArray) -> bool:
        """Whether ∂²E/∂q² is positive definite on Σ dq = 0 at q^ref of all clusters."""
        energy = self.energy(theta)
        try:
            for cluster in self.clusters:
                state = energy.prepare(cluster.frame.configuration).evaluate(cluster.charges)
                units = np.eye(len(cluster.charges))
                columns = [state.feature_energy_second_vjp(unit) for unit in units]
                response_operator(np.stack(columns, axis=1) + cluster.kernel)
        except np.linalg.LinAlgError:
            return False
        return True

    def step(self, theta: FloatArray) -> FloatArray:
        """θ of a whole Gauss–Newton step."""
        equations = NormalEquations(int(self.live.sum()))
        for cluster in self.clusters:
            rows, residuals = self.residuals(cluster, theta, with_rows=True)
            equations.add(rows, rows @ theta[self.live] - residuals)
        return self._solve(equations)

    @cached_property
    def penalty(self) -> NormalEquations:
        """Σ |S₀ (∂²ΣcB/∂q²) ξ|² for ξ of spread 1, at the reference's charges."""
        equations = NormalEquations(int(self.live.sum()))
        for seed, cluster in enumerate(self.clusters):
            rng, stiff = np.random.default_rng(seed), self._stiff(cluster)
            phi = self.features(cluster.charges, cluster.species)
            for _ in range(_DRAWS):
                noise = rng.normal(size=len(cluster.charges)) / np.sqrt(_DRAWS)
                rows = stiff @ self.curvature(cluster, phi, noise - np.mean(noise)).T
                equations.add(rows[:, self.live] / self.settings.aims.charge, np.zeros(len(noise)))
        return equations

    def _scale(self, prior: Prior) -> FloatArray:
        """Of live columns under a prior."""
        return self.design.scale(*prior[1:])[self.live]

    def _stiff(self, cluster: ChargeCluster) -> FloatArray:
        """S₀ (M, M)."""
        own = self.settings.hardness * np.eye(len(cluster.charges))
        return response_operator(cluster.kernel + own)

    def _solve(self, equations: NormalEquations) -> FloatArray:
        """With penalty and ridge; dead columns stay zero."""
        equations.accumulate(self.penalty, self.noise**2)
        theta = np.zeros(self.design.n_columns)
        theta[self.live] = equations.solve(self.prior[0], self._scale(self.prior))
        return theta

    def functions(self, cluster: ChargeCluster, phi: FloatArray, slopes: FloatArray) -> _Functions:
        """At features φ (M, F), with ∂/∂q = Σ ``slopes``·∂/∂φ."""
        configuration = cluster.frame.configuration
        state = self.design.basis.prepare(configuration).evaluate(phi)
        each = state.values(0)[:, 0, :]
        kinds = range(self.design.n_species)
        values = [each[cluster.species == kind].sum(axis=0) for kind in kinds]
        positions, charges = [], []
        for of_positions, of_features in state.summed_gradient():
            positions.append(of_positions.reshape(len(of_positions), -1))
            charges.append(np.sum(of_features * slopes, axis=2))
        number = len(configuration)
        return _Functions(
            np.append(np.concatenate(values), float(cluster.frame.n_molecules)),
            np.concatenate([*positions, np.zeros((1, 3 * number))]),
            np.concatenate([*charges, np.zeros((1, number))]),
        )

    def teacher_forced(self, cluster: ChargeCluster) -> Rows:
        """(rows, targets) at the reference's charges."""
        frame, charges = cluster.frame, cluster.charges
        phi = self.features(charges, cluster.species)
        found = self.functions(cluster, phi.values, phi.slopes)
        weights, aims = self.settings.energy_weights, self.settings.aims
        response = self._stiff(cluster)
        per_energy = 1.0 / (weights.energy * frame.n_molecules)
        constant = self.constant * frame.n_molecules
        off = charges - self.features.means[cluster.species]
        hardness = self.settings.hardness
        target = frame.energy - cluster.coulomb_energy(charges) - constant
        target -= 0.5 * hardness * float(off @ off)
        pull = np.ravel(frame.forces + cluster.coulomb_gradient(charges))
        rows = [
            found.values[None, :] * per_energy,
            -found.positions.T / weights.force,
            response @ found.charges.T / aims.charge,
        ]
        targets = [
            np.array([target * per_energy]),
            pull / weights.force,
            -response @ (cluster.electronegativity(charges) + hardness * off) / aims.charge,
        ]
        return np.concatenate(rows)[:, self.live], np.concatenate(targets)

    def residuals(self, cluster: ChargeCluster, theta: FloatArray, with_rows: bool = False) -> Rows:
        """(∂residual/∂θ or nothing, residuals) at the minimum for θ.

        Raises LinAlgError or ConvergenceError where there is none.
        """
        frame, aims = cluster.frame, self.settings.aims
        weights = self.settings.energy_weights
        model = BpopnnModel("fit", self.energy(theta), self.settings.width)
        external = () if frame.external is None else (frame.external,)
        bound = model.prepare(frame.configuration, external)
        functional = DirectFunctional(bound)
        found = equilibrate(functional, features=cluster.charges, tolerance=_TOLERANCE, throw=True)
        response = response_operator(found.hessian)
        charges, state = found.charges, found.state.local
        per_energy = 1.0 / (weights.energy * frame.n_molecules)
        residuals = [
            np.array([(found.energy - frame.energy) * per_energy]),
            np.ravel(found.forces - frame.forces) / weights.force,
            (charges - cluster.charges) / aims.charge,
        ]
        if not with_rows:
            return np.empty((0, 0)), np.concatenate(residuals)
        phi = self.features(charges, cluster.species)
        functions = self.functions(cluster, phi.values, phi.slopes)
        moved = -response @ functions.charges.T
        units = np.eye(len(charges))
        mixed = np.stack(
            [state.feature_energy_position_vjp_along(unit).ravel() for unit in units], axis=1
        )
        mixed = mixed + cluster.coulomb_mixed(charges)
        rows = [
            functions.values[None, :] * per_energy,
            -(functions.positions.T + mixed @ moved) / weights.force,
            moved / aims.charge,
        ]
        return np.concatenate(rows)[:, self.live], np.concatenate(residuals)

    def curvature(
        self, cluster: ChargeCluster, phi: FeatureValues, along: FloatArray
    ) -> FloatArray:
        """∂²B/∂q²·dq of all columns, (n, M): B is quadratic in φ, half a difference is exact."""
        bent = self.functions(cluster, phi.values, phi.curvatures * along[:, None])
        step = phi.slopes * along[:, None]
        ahead = self.functions(cluster, phi.values + step, phi.slopes)
        behind = self.functions(cluster, phi.values - step, phi.slopes)
        return np.asarray(bent.charges + 0.5 * (ahead.charges - behind.charges))

    def objective(self, theta: FloatArray) -> float:
        """Σ residuals² + the prior; infinite where some cluster has no minimum."""
        scaled = self._scale(self.prior) * theta[self.live]
        loss = self.prior[0] * float(scaled @ scaled)
        loss += self.noise**2 * self.penalty.loss(theta[self.live])
        try:
            for cluster in self.clusters:
                residuals = self.residuals(cluster, theta)[1]
                loss += float(residuals @ residuals)
        except (np.linalg.LinAlgError, ConvergenceError):
            return np.inf
        return loss
