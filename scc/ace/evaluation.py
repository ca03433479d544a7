r"""Errors of a fitted model on labelled clusters, teacher-forced and self-consistent.

*Self-consistent*: from zero field, v̂ → p → v̂ to convergence; then energy, adjoint forces, p. A
solution that is unstable (an eigenvalue of 1 − Kχ with a real part ≤ 0) counts as none.

*Teacher-forced*: v̂ = K p^ref + v̂_ext from the reference multipoles. Multipoles are the model's
ρ(r, v̂^ref), the energy is Σ E_i(r, v̂^ref) + E_H[p^ref]. Its derivative needs dp^ref/dr, which no
reference has: forces take the model's own response there, (1 − χK) dp = ∂_rρ + χ ∂_r(K p^ref).

Errors over a set of frames: root mean squares over frames (energy per molecule, no shift of any
kind), over atoms and components (forces), over frames and components (total dipole). Multipoles of
rank λ, in percent of the spread of the reference within the elements,

    100 [ Σ_Z Σ_{i∈Z} Σ_µ (p_iλµ − p^ref_iλµ)² / Σ_Z Σ_{i∈Z} Σ_µ (p^ref_iλµ − m_Zλ)² ]^{1/2},

m_Zλ the mean over atoms and components of element Z in the set: per-element standard deviations,
pooled with the number of atoms as weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from scc.ace.predict import PredictiveModel, predict
from scc.ace.reference_frame import FORCE, ReferenceFrame
from scc.arrays import FloatArray
from scc.electrostatics.multipoles.moments import total_dipole
from scc.equilibration.krylov import solve_krylov
from scc.functional.projection_functional import ProjectionFunctional
from scc.units import EV

MEV = 1e-3 * EV
"""1 meV in Hartree."""

_RANKS = {"charge": slice(0, 1), "dipole": slice(1, 4), "quadrupole": slice(4, 9)}


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the model says of one frame (atomic units), and what it took.

    ``iterations``: density builds and linearised applications of the self-consistency; 0 when
    teacher-forced. ``converged`` is False where there is no solution to judge.
    """

    frame: ReferenceFrame
    energy: float
    forces: FloatArray
    multipoles: FloatArray
    iterations: int
    converged: bool


def self_consistent(model: PredictiveModel, frame: ReferenceFrame) -> Outcome:
    """From zero field to convergence."""
    external = () if frame.external is None else (frame.external,)
    found = predict(model, frame.configuration, external=external)
    if not found.stable:
        nothing = np.full_like(frame.forces, math.nan)
        return Outcome(frame, math.nan, nothing, found.multipoles, found.scf_iterations, False)
    return Outcome(frame, found.energy, found.forces, found.multipoles, found.scf_iterations, True)


def teacher_forced(model: PredictiveModel, frame: ReferenceFrame) -> Outcome:
    """At the reference's features; see the module docstring."""
    external = () if frame.external is None else (frame.external,)
    operator = model.operator(frame.configuration, external)
    functional = ProjectionFunctional(model.prepare(frame.configuration), operator)
    state = functional.evaluate(functional.closure.features(frame.multipoles))
    multipoles = state.density
    # The density of the electrostatics is the reference's; ρ and its derivatives are the model's.
    state.density = frame.multipoles
    adjoint = solve_krylov(state.residual_vjp, state.gradient, "adjoint equation")
    return Outcome(frame, state.energy, state.forces(adjoint), multipoles, 0, True)


def outcomes(
    model: PredictiveModel,
    frames: Sequence[ReferenceFrame],
    mode: Callable[[PredictiveModel, ReferenceFrame], Outcome],
    progress: Callable[[], None] = lambda: None,
) -> list[Outcome]:
    """One :class:`Outcome` a frame; ``progress`` is called after each."""
    found = []
    for frame in frames:
        found.append(mode(model, frame))
        progress()
    return found


def errors(found: Iterable[Outcome]) -> dict[str, float | int]:
    """The eight figures of a set; see the module docstring for their definitions.

    Errors are those of the converged frames (NaN if there are none, and percentages of a spread of
    zero); ``scf_unconverged`` counts the others.
    """
    everything = list(found)
    good = [one for one in everything if one.converged]
    energy = [(one.energy - one.frame.energy) / one.frame.n_molecules for one in good]
    force = [(one.forces - one.frame.forces).ravel() for one in good]
    dipole = [_dipole(one) - one.frame.dipole for one in good]
    return {
        "energy_rmse_mev_per_molecule": _rms(energy) / MEV,
        "force_rmse_mev_per_angstrom": _rms(force) / (1e-3 * FORCE),
        **{f"{name}_rmse_percent": _percent(good, part) for name, part in _RANKS.items()},
        "total_dipole_rmse_e_bohr": _rms(dipole),
        "scf_iterations_max": max((one.iterations for one in everything), default=0),
        "scf_unconverged": len(everything) - len(good),
    }


def _dipole(one: Outcome) -> FloatArray:
    return total_dipole(one.frame.configuration.positions, one.multipoles)


def _rms(values: Sequence[FloatArray] | Sequence[float]) -> float:
    if len(values) == 0:
        return math.nan
    return float(np.sqrt(np.mean(np.concatenate([np.ravel(value) for value in values]) ** 2)))


def _percent(good: Sequence[Outcome], part: slice) -> float:
    if not good:
        return math.nan
    reference = np.concatenate([one.frame.multipoles[:, part] for one in good])
    predicted = np.concatenate([one.multipoles[:, part] for one in good])
    symbols = np.concatenate([one.frame.configuration.species for one in good])
    spread = 0.0
    for symbol in np.unique(symbols):
        values = reference[symbols == symbol]
        spread += float(np.sum((values - np.mean(values)) ** 2))
    error = float(np.sum((predicted - reference) ** 2))
    return 100.0 * math.sqrt(error / spread) if spread > 0.0 else math.nan
