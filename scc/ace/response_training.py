r"""The self-consistent prediction as a function of the coefficients, and steps that improve it.

p = D(r, v̂)θ is affine in v̂ = K p + v̂_ext, so p* solves (1 − χK) p* = b + χ v̂_ext, and for a
change of coefficients

    dp*/dθ = (1 − χ_θ K)⁻¹ D(r, v̂*).

A Gauss–Newton step is therefore least squares with rows (1 − χK)⁻¹D(v̂*) and targets
p^ref − p* + dp*/dθ θ: what is fitted is what the model will predict, not what it would say if
somebody told it the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scc.ace.density_model import N_MULTIPOLES, BoundDensity, DensityModel
from scc.ace.training_cluster import TrainingCluster
from scc.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Response:
    """The solution for one cluster.

    Attributes
    ----------
    multipoles: p* (M, 9). features: v̂* (M, F).
    chi: ∂p/∂v̂, (9M, MF).
    screening: 1 − χK, (9M, 9M).
    bound: the density at this geometry.
    """

    multipoles: FloatArray
    features: FloatArray
    chi: FloatArray
    screening: FloatArray
    bound: BoundDensity


def respond(cluster: TrainingCluster, model: DensityModel) -> Response:
    """Solve the self-consistency of one cluster directly."""
    bound = model.prepare(cluster.frame.configuration)
    size = N_MULTIPOLES * bound.n_atoms
    chi = response_matrix(bound)
    inhomogeneous = np.ravel(bound.without_field) + chi @ np.ravel(cluster.operator.external)
    screening = np.asarray(np.eye(size) - chi @ cluster.matrix)
    solution = np.linalg.solve(screening, inhomogeneous)
    multipoles = np.asarray(solution.reshape(bound.n_atoms, N_MULTIPOLES))
    return Response(multipoles, cluster.features(multipoles), chi, screening, bound)


def response_matrix(bound: BoundDensity) -> FloatArray:
    """χ = ∂p/∂v̂, (9M, MF)."""
    number, features = bound.feature_shape
    chi = np.zeros((number, N_MULTIPOLES, number * features))
    if features:
        channels = bound.model.n_channels
        slopes = bound.slopes.toarray().reshape(number, -1, number * features)
        strengths = slopes[:, :channels].reshape(number * channels, -1)
        chi[:, 0] = bound.flow.matrix @ strengths
        chi[:, 1:] = slopes[:, channels:]
    return chi.reshape(number * N_MULTIPOLES, number * features)
