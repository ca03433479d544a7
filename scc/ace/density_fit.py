r"""Fitting the density: least squares on the reference's features, then on the model's own.

*Teacher-forced*: p^ref = D(r, v̂^ref)θ with v̂^ref = K p^ref + v̂_ext. One solution, no iteration, but
v̂^ref contains p^ref, own multipoles included: a model that reads the answer off its input fits well
and is useless when it has to make its own. Two things hold against it: *noise* on the input
multipoles with the target unchanged, whose expectation for a density affine in v̂ is exactly

    E |D(v̂ + Kξ)θ − p|² = |D(v̂)θ − p|² + δ² E |∂D(Kξ₁)θ|²,     ξ = δ ξ₁, spread 1,

a penalty on χK of rows that need no target; and *responses* dp/d𝓔 to a uniform field, rows
∂D(K dp/d𝓔 + dv̂_ext/d𝓔)θ = dp/d𝓔, which say what χ is.

*Self-consistent*: the same residuals of the model's own solution p* and dp*/d𝓔, from the θ before,

    refit          D(r, v̂*)θ = p^ref                   whose input is what predictions will have,
    Gauss–Newton   p* + dp*/dθ (θ' − θ) = p^ref       which counts that changing θ moves v̂* as well.

At its fixed point a refit leaves the residuals of the self-consistent prediction itself; it does
not minimise them, but elements and λ stay separate problems, cheap ones. Gauss–Newton steps are
halved until the self-consistent loss falls.

Residuals are divided by the error aimed at in their multipole rank and element; those of responses
are multiplied by a field strength first, that which neighbours in a liquid make.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy.linalg

from scc.ace.block_equations import BlockEquations
from scc.ace.density_design import DensityDesign
from scc.ace.normal_equations import NormalEquations
from scc.ace.prior_choice import Prior, prior_scale
from scc.ace.response_penalties import radius_rows, symmetry_rows
from scc.ace.response_training import Response, respond
from scc.ace.training_cluster import TrainingCluster
from scc.arrays import FloatArray
from scc.errors import InputError


@dataclass(frozen=True)
class DensityWeights:
    """What the fit of a density weighs against each other.

    Attributes
    ----------
    ridge: of the prior; a residual of 1 is the error aimed at.
    smoothness: γ of the prior's scale (1 + degree)^γ of a function.
    response: factor of the prior's scale for products of a feature with neighbours. Weakly held,
        they fit clusters a little better and do worse in geometries unlike those of the training
        set. Measured once, fits to the 246 clusters of ``data/water``: on the droplet of 216
        molecules of the claim ``stability-water`` the smallest real part of an eigenvalue of
        1 − χK is 0.72 at factor 1 and 0.79 at 30; with factor 1, forces were absurd in a droplet of
        as many rigid molecules that is not part of the package.
    noise: δ on the input multipoles, in spreads, while teacher-forced.
    damping: the same penalty in refits and Gauss–Newton steps, where little of it is needed: too
        much buys a small ‖χK‖ with a response of the wrong sign. Measured once, as above: at 0.1
        the smallest real part is 0.60, 0.39, 0.31 for 20, 64, 216 molecules, at 0.001 0.80, 0.79,
        0.79, while the spectral radius is smaller (0.7 instead of 1.7 for 216).
    field: strength that multiplies responses dp/d𝓔, atomic units.
    steps: refits or Gauss–Newton steps; 0 is teacher-forced.
    gauss_newton: whether steps take dp*/dθ or refit D(r, v̂*)θ.
    priors: (ridge, γ[, κ]) to choose from instead, by :func:`.prior_choice.chosen_prior`, every
        block for itself, for all but what ``response`` holds. Steps that mix blocks (the next two
        and Gauss–Newton) take ridge and smoothness.
    folds: of that choice.
    radius, symmetry: of the penalties of :mod:`.response_penalties` in refits: factors of
        eigenvalues of χK, and of its antisymmetric part.
    """

    ridge: float = 0.1
    smoothness: float = 1.0
    response: float = 30.0
    noise: float = 0.1
    damping: float = 0.001
    field: float = 0.03
    steps: int = 2
    gauss_newton: bool = False
    priors: tuple[Prior, ...] = ()
    folds: int = 4
    radius: float = 0.0
    symmetry: float = 0.0

    def __post_init__(self) -> None:
        if self.gauss_newton and (self.radius > 0.0 or self.symmetry > 0.0):
            raise InputError("penalties on the response go with refits, not Gauss–Newton steps")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"priors": [list(prior) for prior in self.priors]}

    @property
    def mixes(self) -> bool:
        """Whether the rows of a step have columns of several blocks."""
        return self.gauss_newton or self.radius > 0.0 or self.symmetry > 0.0

    def scale(self, design: DensityDesign, prior: Prior | None = None) -> FloatArray:
        """The prior's scale of each column, or that of another prior than ridge and smoothness.

        Under another one, products of a feature with neighbours are held at least as they were.
        """
        ridge, *shape = prior or (self.ridge, self.smoothness)
        smooth = prior_scale(design.degree, design.order, *shape)
        held = self.response * (1.0 + design.degree) ** self.smoothness
        held = np.maximum(held * np.sqrt(self.ridge / ridge), smooth if prior else 0.0)
        meets = (design.feature_degree > 0) & (design.order > 1)
        return np.asarray(np.where(meets, held, smooth))


def teacher_forced_rows(
    cluster: TrainingCluster, weights: DensityWeights
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(X, y, w) of one cluster at the reference's features, responses included."""
    frame, bound = cluster.frame, cluster.bound
    parts = [(bound.rows(cluster.features(frame.multipoles)), np.ravel(frame.multipoles), 1.0)]
    if frame.polarisation is not None and cluster.has_features and weights.field > 0.0:
        constant = bound.rows(np.zeros_like(cluster.operator.external))
        for axis in range(3):
            change = frame.polarisation[:, :, axis]
            features = cluster.tangent_features(change) + cluster.field_features[axis]
            rows = bound.rows(features) - constant
            parts.append((rows, np.ravel(change), weights.field**2))
    return _stacked(parts, cluster.weights)


def self_consistent_rows(
    cluster: TrainingCluster, response: Response, theta: FloatArray, weights: DensityWeights
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(X, y, w) of one cluster for a step from θ: X = dp*/dθ, or D(v̂*) alone for a refit."""
    bound = cluster.bound
    factor = scipy.linalg.lu_factor(response.screening)
    found = own_solution(cluster, response, weights)
    constant = bound.rows(np.zeros_like(cluster.operator.external)) if len(found) > 1 else 0.0
    parts = []
    for index, (features, multipoles, reference) in enumerate(found):
        rows = bound.rows(features) - (constant if index else 0.0)
        if weights.gauss_newton:
            rows = scipy.linalg.lu_solve(factor, rows)
            target = np.ravel(reference - multipoles) + rows @ theta
        else:
            target = np.ravel(reference)
        parts.append((rows, target, weights.field**2 if index else 1.0))
    return _stacked(parts, cluster.weights)


def own_solution(
    cluster: TrainingCluster, response: Response, weights: DensityWeights
) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
    """(v̂, p, p^ref) of the model's solution, then, where labelled, of its changes with a field."""
    frame = cluster.frame
    found = [(response.features, response.multipoles, frame.multipoles)]
    if frame.polarisation is not None and cluster.has_features and weights.field > 0.0:
        for axis, bare in enumerate(cluster.field_features):
            solution = np.linalg.solve(response.screening, response.chi @ np.ravel(bare))
            change = np.asarray(solution.reshape(frame.multipoles.shape))
            features = cluster.tangent_features(change) + bare
            found.append((features, change, frame.polarisation[:, :, axis]))
    return found


def self_consistent_loss(
    design: DensityDesign,
    clusters: Sequence[TrainingCluster],
    theta: FloatArray,
    weights: DensityWeights,
) -> float:
    """Σ w (p* − p^ref)² over a set, responses included: what Gauss–Newton steps lower."""
    model, loss = design.model(theta), 0.0
    for cluster in clusters:
        found = own_solution(cluster, respond(cluster, model), weights)
        for index, (_, multipoles, reference) in enumerate(found):
            squares = cluster.weights @ np.ravel(multipoles - reference) ** 2
            loss += float(squares) * (weights.field**2 if index else 1.0)
    return loss


def teacher_forced_equations(
    design: DensityDesign,
    clusters: Sequence[TrainingCluster],
    weights: DensityWeights,
) -> BlockEquations:
    """All teacher-forced rows, noise apart."""
    equations = _blocks(design)
    for cluster in clusters:
        _add_blocks(equations, cluster, *teacher_forced_rows(cluster, weights))
    return equations


def noise_equations(
    design: DensityDesign,
    clusters: Sequence[TrainingCluster],
    seed: int,
    numbers: Iterable[int] | None = None,
) -> BlockEquations:
    """Σ over clusters of E|∂D(Kξ₁)θ|², one draw a cluster; times δ² it is the noise's penalty.

    ``numbers`` of the clusters, which their draws depend on; 0, 1, … by default.
    """
    equations = _blocks(design)
    for index, cluster in zip(numbers or range(len(clusters)), clusters, strict=True):
        if cluster.has_features:
            noise = cluster.noise(np.random.default_rng([seed, index]))
            constant = cluster.bound.rows(np.zeros_like(cluster.operator.external))
            rows = cluster.bound.rows(cluster.tangent_features(noise)) - constant
            _add_blocks(equations, cluster, rows, np.zeros(len(rows)), cluster.weights)
    return equations


def _blocks(design: DensityDesign) -> BlockEquations:
    return BlockEquations([design.flow_span, *design.spans.values()])


def _add_blocks(
    equations: BlockEquations,
    cluster: TrainingCluster,
    rows: FloatArray,
    targets: FloatArray,
    weights: FloatArray,
) -> None:
    """Rows of D itself: most of it is zero."""
    size = len(cluster.weights)
    for start in range(0, len(rows), size):
        for own, columns in cluster.bound.blocks():
            chosen = start + own
            equations.add(rows[chosen, columns], targets[chosen], weights[chosen], columns)


def refit_equations(
    design: DensityDesign,
    clusters: Sequence[TrainingCluster],
    theta: FloatArray,
    weights: DensityWeights,
) -> BlockEquations:
    """All rows of a refit from θ, noise apart."""
    equations, model = _blocks(design), design.model(theta)
    for cluster in clusters:
        found = self_consistent_rows(cluster, respond(cluster, model), theta, weights)
        _add_blocks(equations, cluster, *found)
    return equations


def mixed_equations(
    design: DensityDesign,
    clusters: Sequence[TrainingCluster],
    theta: FloatArray,
    weights: DensityWeights,
    seed: int = 0,
) -> NormalEquations:
    """All rows of a step from θ, noise apart, penalties on the response and Gauss–Newton's too."""
    model = design.model(theta)
    responses = [respond(cluster, model) for cluster in clusters]
    if weights.gauss_newton:
        equations = NormalEquations(design.n_columns)
        for cluster, response in zip(clusters, responses, strict=True):
            equations.add(*self_consistent_rows(cluster, response, theta, weights))
    else:
        equations = refit_equations(design, clusters, theta, weights).joined()
    for index, (cluster, response) in enumerate(zip(clusters, responses, strict=True)):
        if weights.radius > 0.0:
            rows = radius_rows(cluster, response)
            equations.add(rows, np.zeros(len(rows)), weights.radius**2)
        if weights.symmetry > 0.0:
            rows = symmetry_rows(cluster, np.random.default_rng([seed, index, 1]))
            equations.add(rows, np.zeros(len(rows)), weights.symmetry**2)
    return equations


def _stacked(
    parts: Sequence[tuple[FloatArray, FloatArray, float]], weights: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    return (
        np.concatenate([rows for rows, _, _ in parts]),
        np.concatenate([target for _, target, _ in parts]),
        np.concatenate([factor * weights for _, _, factor in parts]),
    )
