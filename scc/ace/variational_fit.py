r"""Fitting b and χ of the variational model: Gauss–Newton on the self-consistent multipoles.

Parameters θ of b enter p* = (1 − χK)⁻¹(b + χ v̂_ext) linearly, those of the amplitudes (c, of
χ = −Σ B_kᵀB_k, B_k = Σ_α c_αk ∂B_α/∂v̂) quadratically. Both change the solution by

    dp* = (1 − χK)⁻¹ (D dθ + dχ v̂*),    dχ v̂ = −Σ_kα [(∂B_α/∂v̂)ᵀ w_k(v̂) + B_kᵀ B_α(v̂)] dc_αk.

Responses to a uniform field, dp*/d𝓔 = (1 − χK)⁻¹ χ dv̂_ext/d𝓔, change in the same way with v̂ in
place of v̂* the field on the molecule, K dp*/d𝓔 + dv̂_ext/d𝓔; b is no part of them.

χ is linear in the positive semi-definite matrices Σ_k c_αk c_βk of an element and L: the teacher-
forced fit is convex, whichever factors c stand for them. They are determined up to a rotation
among the k, hence the damped (Levenberg–Marquardt) steps. θ is never damped: it is linear.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.linalg

from scc.ace.density_design import BoundDesign, DensityDesign
from scc.ace.density_model import L_MAX
from scc.ace.normal_equations import NormalEquations
from scc.ace.reference_frame import ReferenceFrame
from scc.ace.response_design import ResponseDesign
from scc.ace.training_cluster import AIMS, RANK, Spread
from scc.arrays import FloatArray
from scc.electrostatics.multipoles.external import UniformField
from scc.electrostatics.multipoles.projection import projection_operator
from scc.errors import InputError

Progress = Callable[[str], None]

RESPONSE_FIELD = (0.3, 0.3, 0.1)
"""Ten times a field as neighbours in a liquid make it, atomic units: what few frames with responses
say of χ must outweigh what a small b gets wrong of the static multipoles of all, or χ is bent to
make up for it. Induced quadrupoles matter less to what others feel, and are the hardest."""

_ATTEMPTS = 10
_SMALLEST_DAMPING = 1e-8


@dataclass(frozen=True, eq=False)
class Solution:
    """Equilibria: column 0 at the frame's own external potential, 1–3 responses to a field.

    Attributes
    ----------
    multipoles, features: p* and v̂*, (9M, n_cases). screening: 1 − χK, factorised.
    """

    multipoles: FloatArray
    features: FloatArray
    screening: tuple[FloatArray, FloatArray]


class VariationalCluster:
    """A frame bound to the designs of b and χ, and to the operator K = J of their width.

    Args:
        field: strengths that multiply responses dp/d𝓔, where the frame has them, by λ.
    Raises:
        InputError: the two have different widths.
    """

    def __init__(
        self,
        frame: ReferenceFrame,
        permanent: DensityDesign,
        response: ResponseDesign,
        spread: Spread,
        field: tuple[float, float, float] = RESPONSE_FIELD,
    ) -> None:
        width = permanent.form.width
        if response.specification.features.widths != (width,):
            raise InputError(
                f"features of widths {response.specification.features.widths} are not those of "
                f"the density, {width}"
            )
        self.frame, self.response = frame, response
        number = len(frame.configuration)
        external = () if frame.external is None else (frame.external,)
        operator = projection_operator(
            frame.configuration, width, (width,), L_MAX, external=external
        )
        self.kernel = operator.matrix
        outside, targets = [operator.external], [frame.multipoles]
        if frame.polarisation is not None:
            for axis in range(3):
                unit = UniformField(np.eye(3)[axis])
                outside.append(
                    projection_operator(
                        frame.configuration, width, (width,), L_MAX, external=(unit,)
                    ).external
                )
                targets.append(frame.polarisation[:, :, axis])
        self.outside = np.stack([np.ravel(values) for values in outside], axis=1)
        """v̂_ext and dv̂_ext/d𝓔, (9M, n_cases)."""
        self.targets = np.stack([np.ravel(values) for values in targets], axis=1)
        bound = BoundDesign(permanent, frame.configuration)
        self.kind = bound.kind
        self.rows = bound.rows(np.zeros((number, 0)))
        """D (9M, n): b = D θ."""
        state = response.basis.prepare(frame.configuration).evaluate(np.zeros((number, 9)))
        self.slopes = {
            total: state.feature_slopes(total).reshape(
                number, 2 * total + 1, response.shapes[total][1], 9 * number
            )
            for total in response.shapes
        }
        """∂B_α/∂v̂, {L: (M, 2L+1, n_L, 9M)}."""
        each = 1.0 / np.ravel(spread.rows(frame) * AIMS[RANK]) ** 2
        factors = np.ones(self.targets.shape)
        factors[:, 1:] = np.tile(np.asarray(field)[RANK], number)[:, None]
        self.weights = each[:, None] * factors**2
        """(9M, n_cases)."""

    def amplitude_matrix(self, coefficients: Mapping[int, FloatArray]) -> dict[int, FloatArray]:
        """B_k, {L: (M, 2L+1, n_k, 9M)}."""
        return {
            total: np.matmul(coefficients[total][self.kind].transpose(0, 2, 1)[:, None], slopes)
            for total, slopes in self.slopes.items()
        }

    def solve(self, theta: FloatArray, coefficients: Mapping[int, FloatArray]) -> Solution:
        """The equilibria of all cases."""
        columns = len(self.outside)
        matrices = self.amplitude_matrix(coefficients).values()
        matrix = np.concatenate([b.reshape(-1, columns) for b in matrices])
        chi = -matrix.T @ matrix
        screening = scipy.linalg.lu_factor(np.eye(columns) - chi @ self.kernel)
        right = chi @ self.outside
        right[:, 0] += self.rows @ theta
        multipoles = scipy.linalg.lu_solve(screening, right)
        return Solution(multipoles, self.kernel @ multipoles + self.outside, screening)

    def loss(self, solution: Solution) -> float:
        """Σ w (p^ref − p*)²."""
        return float(np.sum(self.weights * (self.targets - solution.multipoles) ** 2))

    def tangent(
        self, solution: Solution, coefficients: Mapping[int, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """dp*/dθ (9M, n), and dp*/dc of every case, (9M, n_cases, n_columns)."""
        size, cases = self.outside.shape
        matrices = self.amplitude_matrix(coefficients)
        parts = []
        for total, slopes in self.slopes.items():
            shape, matrix = self.response.shapes[total], matrices[total]
            functions = slopes @ solution.features  # B_α(v̂), (M, 2L+1, n_L, cases)
            amplitudes = matrix @ solution.features  # w_k
            change = np.zeros((size, cases, *shape))
            for kind in range(shape[0]):
                own = self.kind == kind
                change[:, :, kind] -= np.tensordot(
                    slopes[own], amplitudes[own], axes=((0, 1), (0, 1))
                ).transpose(1, 3, 0, 2)
                change[:, :, kind] -= np.tensordot(
                    matrix[own], functions[own], axes=((0, 1), (0, 1))
                ).transpose(1, 3, 2, 0)
            parts.append(change.reshape(size, cases, -1))
        change = np.concatenate(parts, axis=2)
        moved = scipy.linalg.lu_solve(solution.screening, change.reshape(size, -1))
        return scipy.linalg.lu_solve(solution.screening, self.rows), moved.reshape(change.shape)

    def add_rows(
        self, equations: NormalEquations, theta: FloatArray, coefficients: Mapping[int, FloatArray]
    ) -> None:
        """The linearised residuals of all cases, targets p^ref − p*."""
        solution = self.solve(theta, coefficients)
        permanent, moved = self.tangent(solution, coefficients)
        missing = self.targets - solution.multipoles
        equations.add(
            np.concatenate([permanent, moved[:, 0]], axis=1), missing[:, 0], self.weights[:, 0]
        )
        for case in range(1, missing.shape[1]):
            equations.add(
                moved[:, case], missing[:, case], self.weights[:, case], slice(len(theta), None)
            )


@dataclass
class DensityFit:
    """θ, c (as a row), and where Levenberg–Marquardt stands."""

    theta: FloatArray
    row: FloatArray
    damping: float = 1e-2
    losses: list[float] = field(default_factory=list)


def improve(
    clusters: Sequence[VariationalCluster],
    state: DensityFit,
    scale: FloatArray,
    ridge: float,
    steps: int,
    tolerance: float = 1e-4,
    progress: Progress = lambda message: None,
) -> DensityFit:
    """Damped Gauss–Newton steps on Σ w (p* − p^ref)² + ridge Σ s²(θ, c)².

    Ends after ``steps``, when a step gains less than ``tolerance`` of the loss, or when none does.
    """
    response = clusters[0].response
    n_theta = len(state.theta)
    x = np.concatenate([state.theta, state.row])
    prior = ridge * scale**2
    linear = np.arange(len(x)) < n_theta

    def loss_of(x: FloatArray) -> float:
        coefficients = response.unpack(x[n_theta:])
        fits = sum(c.loss(c.solve(x[:n_theta], coefficients)) for c in clusters)
        return fits + float(prior @ x**2)

    damping, losses = state.damping, list(state.losses)
    loss = loss_of(x)
    for step in range(1, steps + 1):
        equations = NormalEquations(len(x))
        for cluster in clusters:
            cluster.add_rows(equations, x[:n_theta], response.unpack(x[n_theta:]))
        normal = equations.matrix + np.diag(prior)
        gradient = equations.vector - prior * x
        diagonal = np.where(linear, 0.0, np.diag(normal))
        growth = 2.0
        for _ in range(_ATTEMPTS):
            lifted = normal + np.diag(damping * diagonal)
            change = scipy.linalg.solve(lifted, gradient, assume_a="pos")
            found = loss_of(x + change)
            expected = change @ gradient + damping * (change @ (diagonal * change))
            ratio = (loss - found) / expected
            if ratio > 0.0:
                break
            damping, growth = damping * growth, growth * 2.0
        else:
            break
        gain, x, loss = loss - found, x + change, found
        damping = max(damping * max(0.2, 1.0 - (2.0 * ratio - 1.0) ** 3), _SMALLEST_DAMPING)
        losses.append(loss)
        progress(f"density and response: step {step} of {steps}, loss {loss:.6g}")
        if gain < tolerance * loss and ratio > 0.2:
            break
    return DensityFit(x[:n_theta], x[n_theta:], damping, losses)


def fit_permanent(
    clusters: Sequence[VariationalCluster],
    row: FloatArray,
    scale: FloatArray,
    ridge: float,
) -> FloatArray:
    """θ for given c: p* is linear in it, one solution. ``scale``: of θ, (n,)."""
    coefficients = clusters[0].response.unpack(row)
    n_theta = clusters[0].rows.shape[1]
    equations = NormalEquations(n_theta)
    for cluster in clusters:
        solution = cluster.solve(np.zeros(n_theta), coefficients)
        rows = scipy.linalg.lu_solve(solution.screening, cluster.rows)
        missing = cluster.targets[:, 0] - solution.multipoles[:, 0]
        equations.add(rows, missing, cluster.weights[:, 0])
    return equations.solve(ridge, scale)
