"""Direct inversion in the iterative subspace: the solver for density matrices at low temperature.

From densities in, x_i, and out, D_i = Φ(x_i), the next density in is x = Σ c_i D_i, Σ c_i = 1, with

* far from self-consistency the c ≥ 0 of least energy. With V_i = V[D_i] and E_i the energy at D_i,

      E[Σ c_i D_i] ≤ Σ_i c_i E_i − ¼ Σ_ij c_i c_j ⟨D_i − D_j, V_i − V_j⟩,

  with equality for quadratic E[ρ] at β = ∞; the bound at finite temperature is convexity of the
  kinetic and entropy part (EDIIS: K. N. Kudin, G. E. Scuseria, E. Cancès, J. Chem. Phys. 116 (2002)
  8255). It cannot oscillate between occupations as mixing does where the gap is small;

* close to it the c that minimises |Σ c_i R_i| with, in the eigenbasis (λ, ψ) of H = H⁰ + v(V[x_i]),

      R_kl = −F[λ_k, λ_l] (|λ_k − λ_l| + 4/β) ⟨ψ_k, v(V_i − V[x_i]) ψ_l⟩.

  At β = ∞ this is, up to signs, the commutator [H[D_i], γ_i] (CDIIS: P. Pulay, J. Comput. Chem. 3
  (1982) 556). At finite temperature a commutator vanishes for any occupation of the right orbitals:
  the part 4/β is what sees wrong occupations, its factor being −4F′/β ≤ 1 on the diagonal. R = 0
  iff χ₀(V_i − V[x_i]) = 0, that is T = 0 of (2.24).

In between, the interpolation of A. J. Garza, G. E. Scuseria, J. Chem. Phys. 137 (2012) 054110.

Below ``far``, where one mean gap describes the pairs of levels that R lives on and the change of
density it promises is below two electrons, x gets the step of :mod:`scc.equilibration.closure_step`
as well: one to three builds less on chains of hydrogen.
"""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scc.arrays import FloatArray
from scc.equilibration.closure_step import ClosureStep, closure_step
from scc.equilibration.problems import FixedPointProblem, Iterate
from scc.equilibration.solvers import Callback, Monitor, Outcome, require_positive
from scc.errors import InputError
from scc.models.tight_binding import TightBindingState

# Of the mean inverse gap, which overrates the larger gaps: there the whole step would overshoot.
# Any share from 0.25 to 0.5 saves builds on chains of hydrogen; 0.25 costs few elsewhere.
_SHARE = 0.25
# Electrons that the first order may move on one entry of D: farther out it means nothing.
_REACH = 2.0
# After so many steps that did not lessen R, closure is not believed any more.
_FAILURES = 2


@dataclass(frozen=True)
class CommutatorDIIS:
    """Energy-DIIS and commutator-DIIS on the densities of the last ``depth`` iterations.

    ``far``, ``near``: largest entry of R (Hartree) above which only the energy, below which only
    the commutator decides. Each iteration is one density build, as for every solver, and two
    evaluations of V[ρ]. Convergence is judged by the density residual Φ(x) − x. ``aligned``: the
    least cosine between R and χ₀(V_i − V[x_i]) at which closure is believed; 1 leaves it out.

    Needs a tight-binding model with complete features: InputError otherwise.
    """

    depth: int = 12
    far: float = 1e-1
    near: float = 1e-4
    aligned: float = 0.75

    def __post_init__(self) -> None:
        require_positive("depth", self.depth)
        require_positive("near", self.near)
        if not self.near < self.far:
            raise InputError(f"near must be below far, got {self.near} and {self.far}")

    def run(
        self,
        problem: FixedPointProblem,
        x0: FloatArray,
        tolerance: float,
        max_builds: int,
        callback: Callback | None = None,
    ) -> Outcome:
        monitor = Monitor(problem, tolerance, max_builds, callback)
        history: deque[_Entry] = deque(maxlen=int(self.depth))
        closure: ClosureStep | None = None
        stepped, failures = False, 0
        x = x0
        while True:
            iterate = monitor.evaluate(x)
            if monitor.finished:
                return monitor.outcome()
            history.append(_entry(iterate))
            if stepped and history[-1].largest > history[-2].largest:
                failures += 1
            coefficients = self._coefficients(history)
            x = np.asarray(
                sum(c * e.density for c, e in zip(coefficients, history, strict=True)),
                dtype=np.float64,
            )
            stepped = failures < _FAILURES and self._closes(history[-1])
            if stepped:
                state = iterate.state
                closure = closure or closure_step(state.functional, state.density)
                mismatch, operator = (
                    sum(c * part for c, part in zip(coefficients, parts, strict=True))
                    for parts in zip(*((e.mismatch, e.operator) for e in history), strict=True)
                )
                step = closure.step(mismatch, operator, _SHARE * history[-1].inverse_gap)
                x = x + state.local.assembly.extract(step)

    def _closes(self, entry: "_Entry") -> bool:
        """Whether one mean gap tells enough of χ₀, and first order enough of the change."""
        moved = 2.0 * entry.inverse_gap * entry.largest
        first_order = entry.largest < self.far and moved < _REACH
        return first_order and entry.alignment > self.aligned

    def _coefficients(self, history: deque["_Entry"]) -> FloatArray:
        error = history[-1].largest
        share = float(np.clip((error - self.near) / (self.far - self.near), 0.0, 1.0))
        coefficients = np.zeros(len(history))
        if share > 0.0:
            coefficients += share * _least_energy(history)
        if share < 1.0:
            coefficients += (1.0 - share) * _least_mismatch(history)
        return coefficients


class _Entry(NamedTuple):
    """One iteration: D_i, V_i, R_i and E_i; P_i, and what R_i says of a mean gap."""

    density: FloatArray
    potential: FloatArray
    mismatch: FloatArray
    energy: float
    operator: FloatArray | None = None
    inverse_gap: float = 0.0
    alignment: float = 0.0

    @property
    def largest(self) -> float:
        """Largest entry of R, Hartree."""
        return float(np.max(np.abs(self.mismatch)))


def _entry(iterate: Iterate) -> _Entry:
    state = iterate.state
    local = state.local
    if not (state.functional.model.complete and isinstance(local, TightBindingState)):
        raise InputError(
            "solver 'diis' needs a tight-binding model with complete features: use 'anderson'"
        )
    potential = state.potential
    inner, distance = _inner_mismatch(local, potential - state.features)
    squares = inner**2
    # R over the distances is the first-order change of P: where 1/distance is one number w, R is
    # parallel to it.
    size, first = float(np.sum(squares)), float(np.sum(squares / distance))
    second = float(np.sum(squares / distance**2))
    return _Entry(
        state.density,
        potential,
        local.eigenvectors @ inner @ local.eigenvectors.T,
        state.energy,
        local.density_operator,
        first / size if size > 0.0 else 0.0,
        first / np.sqrt(size * second) if size > 0.0 and not local.assembly.diagonal else 0.0,
    )


def _mismatch(local: TightBindingState, change: FloatArray) -> FloatArray:
    """R of the module's docstring for ΔV = ``change``, in the orthonormal basis (n, n)."""
    inner, _ = _inner_mismatch(local, change)
    return np.asarray(local.eigenvectors @ inner @ local.eigenvectors.T)


def _inner_mismatch(local: TightBindingState, change: FloatArray) -> tuple[FloatArray, FloatArray]:
    """R and |λ_k − λ_l| + 4/β in the eigenbasis, both (n, n); the distance is positive."""
    levels, orbitals = local.eigenvalues, local.eigenvectors
    embedded = local.assembly.embed(change)
    embedded = np.diag(embedded) if embedded.ndim == 1 else embedded
    inner = orbitals.T @ embedded @ orbitals
    if local.canonical:
        # A common shift of all levels is followed by µ (Remark 6).
        slopes = local.occupation.derivative(levels)
        total = float(np.sum(slopes))
        if total != 0.0:
            inner = inner - float(slopes @ np.diagonal(inner)) / total * np.eye(len(levels))
    distance = np.abs(levels[:, None] - levels[None, :]) + 4.0 / local.occupation.beta
    weights = -local.occupation.divided_difference(levels[:, None], levels[None, :]) * distance
    return weights * inner, np.where(distance > 0.0, distance, 1.0)


def _least_mismatch(history: deque[_Entry]) -> FloatArray:
    """c with Σ c = 1 and |Σ c_i R_i| least, by differences from the last R."""
    last = history[-1].mismatch
    coefficients = np.zeros(len(history))
    coefficients[-1] = 1.0
    if len(history) == 1:
        return coefficients
    matrix = np.array([(e.mismatch - last).ravel() for e in history][:-1]).T
    # Differences shrink by orders of magnitude as iterations proceed: columns of unit length.
    lengths = np.linalg.norm(matrix, axis=0)
    lengths[lengths == 0.0] = 1.0
    gamma = np.linalg.lstsq(matrix / lengths, -last.ravel(), rcond=1e-12)[0] / lengths
    coefficients[:-1] = gamma
    coefficients[-1] -= float(np.sum(gamma))
    return coefficients


def _least_energy(history: deque[_Entry]) -> FloatArray:
    """c ≥ 0 with Σ c = 1 that minimises the energy bound of the module's docstring.

    Descent along e_i − e_j with the steepest pair (i, j), exact along the line; where E[ρ] is not
    convex (ε_xc) it ends in a local minimum.
    """
    energies = np.array([e.energy for e in history])
    densities = np.array([e.density.ravel() for e in history])
    potentials = np.array([e.potential.ravel() for e in history])
    products = densities @ potentials.T
    own = np.diagonal(products)
    curvature = own[:, None] + own[None, :] - products - products.T
    c = np.zeros(len(energies))
    c[np.argmin(energies)] = 1.0
    scale = float(np.ptp(energies))
    for _ in range(100 * len(c)):
        gradient = energies - 0.5 * curvature @ c
        up = int(np.argmin(gradient))
        down = int(np.argmax(np.where(c > 0.0, gradient, -np.inf)))
        slope = float(gradient[up] - gradient[down])
        if slope >= -1e-10 * scale:
            break
        bend = float(curvature[up, down])
        step = float(c[down]) if bend <= 0.0 else min(float(c[down]), -slope / bend)
        c[up] += step
        c[down] = 0.0 if step == c[down] else c[down] - step
    return c
