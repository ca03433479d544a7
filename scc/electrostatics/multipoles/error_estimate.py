r"""The error that a plan's parameters leave, estimated for given multipoles in O(N).

Sites enter only by how much of each λ they carry, P_λ = Σ_k Σ_µ p_kλµ², sorted into a few classes
of similar width: directions, signs and places are taken for random. What correlates (neutral
molecules, crystals) mostly cancels; ``SAFETY`` covers what does not, and small systems, in which
nothing averages out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.moments import double_factorial
from scc.electrostatics.multipoles.natural_scale import natural_scale, neighbourhood
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.truncation import (
    GRID,
    SPACINGS,
    mesh_tails,
    pair_tails,
    wave_tails,
)

if TYPE_CHECKING:
    from scc.electrostatics.multipoles.plan import Plan

SMALLEST_TOLERANCE = 1e-13
SAFETY = 3.0
_WIDTH_RATIO = 2.0  # variances within this ratio of each other are one class


class ErrorEstimate(NamedTuple):
    """Errors as multiples ``SAFETY`` of the expected ones, Hartree and bohr.

    Attributes:
        force: root mean square over the sites of the force error.
        energy: error of ½ p·V.
        potential: rms error of U per component, one number for each λ of the targets.
        force_floor, energy_floor: rounding of the largest terms that were added: no result is
            better than that, and forces that vanish by symmetry are only this close to zero.
    """

    force: float
    energy: float
    potential: FloatArray
    force_floor: float
    energy_floor: float


class SquaredErrors(NamedTuple):
    """Mean squares of force, energy and U_λ (λ, …), each on a grid of cut-offs (…)."""

    force: FloatArray
    energy: FloatArray
    potential: FloatArray


@dataclass(frozen=True, eq=False)
class Powers:
    """P_λ (classes, λ) of sites in classes of one variance each (the smallest of the class)."""

    number: int
    variances: FloatArray
    values: FloatArray
    charge: float

    @classmethod
    def of(cls, sites: Sites, multipoles: FloatArray) -> Powers:
        """Sort sites with multipoles (N, (l_max+1)²) into classes."""
        starts = np.arange(sites.l_max + 1) ** 2
        per_site = np.add.reduceat(multipoles**2, starts, axis=1)
        floor = 1e-12 + float(sites.variances.max(initial=0.0)) * 1e-4
        level = np.floor(np.log(np.maximum(sites.variances, floor)) / math.log(_WIDTH_RATIO))
        _, label = np.unique(level, return_inverse=True)
        count = int(label.max()) + 1
        values = np.zeros((count, sites.l_max + 1))
        np.add.at(values, label, per_site)
        variances = np.full(count, np.inf)
        np.minimum.at(variances, label, sites.variances)
        return cls(len(sites), variances, values, float(np.sum(multipoles[:, 0])))

    def scaled(self, degree: int) -> Powers:
        """These sites with nothing but λ = ``degree``, and no net charge."""
        values = np.zeros_like(self.values)
        values[:, degree] = self.values[:, degree]
        return Powers(self.number, self.variances, values, 0.0)


@dataclass(frozen=True)
class Space:
    """Volumes that densities refer to, bohr³.

    Attributes:
        pairs: what the sites fill.
        waves: the cell of the reciprocal lattice.
        cell: its vectors.
        strength: ⟨|G|²⟩ over that of 4π/Ωk² (3/2 for a cut-off interaction).
        screening: κ.
    """

    pairs: float
    cell: FloatArray
    strength: float
    screening: float

    @property
    def waves(self) -> float:
        """Volume of ``cell``."""
        return float(abs(np.linalg.det(self.cell)))


def pair_errors(targets: Powers, sources: Powers, space: Space, s: float) -> SquaredErrors:
    """Mean square errors at cut-offs r_c = √s·GRID."""
    t_l, s_l = targets.values.shape[1] - 1, sources.values.shape[1] - 1
    tails = pair_tails(t_l, s_l)
    result = _Sum(targets, GRID)
    coherent = np.zeros_like(GRID)
    for a, va in enumerate(targets.variances):
        for b, vb in enumerate(sources.variances):
            if va + vb >= s:
                continue
            kept = _kept(va + vb, s)
            for t in range(t_l + 1):
                for u in range(s_l + 1):
                    n = t + u
                    unit = kept * sources.values[b, u] / ((2 * u + 1) * space.pairs)
                    value = unit * s ** (0.5 - n) * tails.potential[t, u]
                    slope = unit * s ** (-0.5 - n) * tails.gradient[t, u]
                    result.add(a, t, value, slope)
            coherent = np.maximum(coherent, np.sqrt(kept) * s * tails.mean)
    return result.finished(sources.charge * coherent / space.pairs)


def wave_errors(targets: Powers, sources: Powers, space: Space, s: float) -> SquaredErrors:
    """Mean square errors at cut-offs k_c = GRID/√s."""
    t_l, s_l = targets.values.shape[1] - 1, sources.values.shape[1] - 1
    tails = wave_tails(t_l + s_l + 1)
    result = _Sum(targets, GRID)
    own = np.zeros_like(GRID)
    for a, va in enumerate(targets.variances):
        for b, vb in enumerate(sources.variances):
            w = max(va + vb, s)
            stretched = GRID * math.sqrt(w / s)
            for t in range(t_l + 1):
                for u in range(s_l + 1):
                    n = t + u
                    unit = 8.0 * space.strength / space.waves * sources.values[b, u]
                    unit /= (2 * u + 1) * (
                        double_factorial(2 * t - 1) * double_factorial(2 * u - 1)
                    ) ** 2
                    value = unit * w ** (0.5 - n) * _at(tails.squared[n], stretched)
                    slope = unit * w ** (-0.5 - n) * _at(tails.squared[n + 1], stretched)
                    result.add(a, t, value, slope)
        w = max(2.0 * va, s)
        stretched = GRID * math.sqrt(w / s)
        for t in range(min(t_l, s_l) + 1):
            lost = 2.0 / np.pi * w ** (-t - 0.5) * _at(tails.own[t], stretched)
            own += (
                0.5 * targets.values[a, t] * lost / ((2 * t + 1) * double_factorial(2 * t - 1) ** 2)
            )
    finished = result.finished(np.zeros_like(GRID))
    return finished._replace(energy=finished.energy + own**2)


def mesh_errors(
    targets: Powers, sources: Powers, space: Space, s: float, spline_order: int
) -> SquaredErrors:
    """Mean square errors on meshes of spacing √s·SPACINGS along the cell vectors."""
    t_l, s_l = targets.values.shape[1] - 1, sources.values.shape[1] - 1
    table = mesh_tails(spline_order, t_l + s_l + 1)
    result = _Sum(targets, SPACINGS)
    for a, va in enumerate(targets.variances):
        for b, vb in enumerate(sources.variances):
            w = max(va + vb, s)
            log_h = np.log(SPACINGS) + 0.5 * math.log(s / w)

            def tail(m: int, n: int, log_h: FloatArray = log_h) -> FloatArray:
                return np.asarray(np.exp(np.interp(log_h, np.log(SPACINGS), np.log(table[m, n]))))

            for t in range(t_l + 1):
                for u in range(s_l + 1):
                    n = t + u
                    unit = 8.0 * space.strength / space.waves * sources.values[b, u]
                    unit /= (2 * u + 1) * (
                        double_factorial(2 * t - 1) * double_factorial(2 * u - 1)
                    ) ** 2
                    value = unit * w ** (0.5 - n) * (tail(t, n) + tail(u, n))
                    slope = unit * w ** (-0.5 - n) * (tail(t + 1, n + 1) + tail(u, n + 1))
                    result.add(a, t, value, slope)
    return result.finished(np.zeros_like(SPACINGS))


def _kept(w: float, s: float) -> FloatArray:
    """(1 − e^{−(x²/2)(s/w − 1)})²: what the Gaussians' own width takes off the tail."""
    if w == 0.0:
        return np.ones_like(GRID)
    return np.asarray(np.expm1(-0.5 * GRID**2 * (s / w - 1.0)) ** 2)


def _at(table: FloatArray, y: FloatArray) -> FloatArray:
    """exp of log-linear interpolation; zero beyond the table."""
    return np.asarray(np.exp(np.interp(y, GRID, np.log(table), right=-np.inf)))


def error_estimate(
    plan: Plan, boundary: Boundary, targets: Sites, sources: Sites, multipoles: FloatArray
) -> ErrorEstimate:
    """Errors to expect from ``plan`` for multipoles (N, (l_max+1)²) on the sources.

    Force and energy are those of the sources in their own field and need ``targets`` to be the
    same sites; ``potential`` holds for any targets.
    """
    there = Powers.of(sources, multipoles)
    if targets is sources:
        here = there
    else:
        probe = np.zeros((len(targets), targets.n_components))
        here = Powers.of(targets, probe)
    near = neighbourhood(boundary, sources)
    starts = np.arange(sources.l_max + 1) ** 2
    scale = natural_scale(near, np.add.reduceat(multipoles**2, starts, axis=1))
    floors = (SMALLEST_TOLERANCE * scale.force, SMALLEST_TOLERANCE * scale.energy)
    if plan.method == "direct":
        return ErrorEstimate(0.0, 0.0, np.zeros(targets.l_max + 1), *floors)
    s = plan.smooth_variance
    space = plan.space(boundary, targets, sources)
    pairs = pair_errors(here, there, space, s)
    total = [_interpolated(part, GRID, plan.real_cutoff / math.sqrt(s)) for part in pairs]
    if plan.method == "ewald":
        assert plan.reciprocal_cutoff is not None
        rest = wave_errors(here, there, space, s)
        grid, place = GRID, plan.reciprocal_cutoff * math.sqrt(s)
    else:
        assert plan.mesh_shape is not None
        assert plan.spline_order is not None
        rest = mesh_errors(here, there, space, s, plan.spline_order)
        lengths = np.linalg.norm(space.cell, axis=1) / np.array(plan.mesh_shape)
        grid, place = SPACINGS, float(lengths.max()) / math.sqrt(s)
    total = [a + _interpolated(b, grid, place) for a, b in zip(total, rest, strict=True)]
    return ErrorEstimate(
        SAFETY * float(np.sqrt(total[0])),
        SAFETY * float(np.sqrt(total[1])),
        SAFETY * np.sqrt(total[2]),
        *floors,
    )


def _interpolated(squares: FloatArray, grid: FloatArray, place: float) -> FloatArray:
    """Log-linear interpolation of (…, grid) at one place."""
    flat = squares.reshape(-1, len(grid))
    log_values = np.log(np.maximum(flat, 1e-300))
    values = np.array([np.exp(np.interp(place, grid, row)) for row in log_values])
    return np.asarray(values.reshape(squares.shape[:-1]))


class _Sum:
    """Accumulates what source classes do at the target classes."""

    def __init__(self, targets: Powers, grid: FloatArray) -> None:
        self._targets = targets
        shape = (*targets.values.shape, len(grid))
        self._potential, self._slope = np.zeros(shape), np.zeros(shape)

    def add(self, target_class: int, degree: int, value: FloatArray, slope: FloatArray) -> None:
        self._potential[target_class, degree] += value
        self._slope[target_class, degree] += slope

    def finished(self, mean: FloatArray) -> SquaredErrors:
        """``mean`` is a systematic error of the potential of λ = 0."""
        values = self._targets.values
        weight = values / (2 * np.arange(values.shape[1]) + 1)
        energy = 0.5 * np.einsum("at,atx->x", weight, self._potential)
        energy += (0.5 * self._targets.charge * mean) ** 2
        force = np.einsum("at,atx->x", weight, self._slope) / self._targets.number
        components = (2 * np.arange(values.shape[1]) + 1)[:, None]
        potential = self._potential.max(axis=0) / components
        potential[0] += mean**2
        return SquaredErrors(force, energy, potential)
