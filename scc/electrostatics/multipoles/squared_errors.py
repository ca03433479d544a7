r"""Mean square errors of forces, energies and potentials on whole grids of cut-offs or spacings.

Sites enter only by how much of each λ they carry (:mod:`.site_powers`) and how densely they lie:
directions, signs and places are taken for random. With the integrals T of :mod:`.error_tables` and
:mod:`.mesh_tables`,

    ⟨U_λt²⟩ = Σ_λs P_λs T_λtλs,      ⟨F²⟩ = (1/N) Σ P_λt P_λs T'_λtλs,
    ⟨δE²⟩ = ½ Σ P_λt P_λs T_λtλs/(2λt+1) + (what has one sign)²,

the last being a net charge's missing mean potential and, in reciprocal space, what each site lacks
of its own smooth energy.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.error_tables import GRID, pair_tails, wave_tails
from scc.electrostatics.multipoles.mesh_tables import SPACINGS, mesh_tails
from scc.electrostatics.multipoles.moments import double_factorial
from scc.electrostatics.multipoles.site_powers import Powers
from scc.electrostatics.multipoles.space import Space

_REACH = 2.0  # √s: how far aliases of a smooth interaction act
_LARGEST_WAVE = 9.0  # e^{−y²/2} of this is 3e-18: no wave beyond matters


class SquaredErrors(NamedTuple):
    """Mean squares of force (x), energy (x) and U_λ (λ, x) on a grid x of cut-offs or spacings."""

    force: FloatArray
    energy: FloatArray
    potential: FloatArray

    def at(self, grid: FloatArray, place: float) -> SquaredErrors:
        """Log-linear interpolation to one place; the last dimension disappears."""
        return SquaredErrors(*(_interpolated(part, grid, place) for part in self))

    def before(self, grid: FloatArray, place: float) -> SquaredErrors:
        """Those of the last point of the grid up to ``place``: shells of waves come one by one."""
        index = max(int(np.searchsorted(grid, place * (1.0 + 1e-9), side="right")) - 1, 0)
        return SquaredErrors(*(np.asarray(part[..., index]) for part in self))


def pair_errors(targets: Powers, sources: Powers, space: Space, s: float) -> SquaredErrors:
    """Mean square errors of pairs cut off at r_c = √s·GRID."""
    # pairs of less than a tenth of s have the tails of points
    targets, sources = _merged(targets, sources, 0.05 * s, 0.05 * s)
    screening = space.screening * math.sqrt(s)
    tails = pair_tails(targets.l_max, sources.l_max, screening)
    # few pairs in the shell where the tail falls by e scatter about their mean number n by √n
    rate = -np.gradient(np.log(tails.gradient[0, 0]), GRID)
    few = 1.0 + rate / (4.0 * np.pi * GRID**2 * s**1.5 * space.density)
    result = _Sum(targets, len(GRID), space.screening)
    mean = np.zeros_like(GRID)
    volume = sources.number / space.density
    for a, va in enumerate(targets.variances):
        for b, vb in enumerate(sources.variances):
            if va + vb >= s:
                continue
            kept = np.where(screening > GRID, 1.0, _kept(va + vb, s)) * few
            for t, u in np.ndindex(tails.potential.shape[:2]):
                if sources.values[b, u] == 0.0:
                    continue
                unit = kept * sources.values[b, u] / ((2 * u + 1) * volume) * s ** (0.5 - t - u)
                result.add(a, t, unit * tails.potential[t, u], unit * tails.gradient[t, u] / s)
            if space.periodic and space.screening == 0.0 and sources.charge != 0.0:
                mean = np.maximum(mean, np.sqrt(kept) * s * tails.mean)
    return result.finished(sources.charge * mean / space.volume)


def wave_errors(targets: Powers, sources: Powers, space: Space, s: float) -> SquaredErrors:
    """Mean square errors of waves cut off at k_c = GRID/√s."""
    targets, sources = _merged_narrow(targets, sources, s)
    result = _Sum(targets, len(GRID), space.screening)
    own = np.zeros_like(GRID)
    listed = space.waves(_LARGEST_WAVE / math.sqrt(s))
    for a, va in enumerate(targets.variances):
        w = _own_variance(va, targets, sources, s)
        for t in range(min(targets.l_max, sources.l_max) + 1):
            lost = _own_tail(t, w, s, space, listed) / (_squared_norm(t) * (2 * t + 1))
            lost = lost * math.sqrt(space.damping(w))
            own += 0.5 * targets.values[a, t] * lost
            result.add_own(a, t, sources.mean_square(t) * lost**2)
        for b, vb in enumerate(sources.variances):
            w = max(va + vb, s)
            tails = _SquaredTails(w, s, space, listed)
            for t in range(targets.l_max + 1):
                for u in range(sources.l_max + 1):
                    if sources.values[b, u] == 0.0:
                        continue
                    unit = space.damping(w) * sources.values[b, u] / (2 * u + 1)
                    unit /= _squared_norm(t) * _squared_norm(u)
                    result.add(a, t, unit * tails(t + u), unit * tails(t + u + 1))
    finished = result.finished(np.zeros_like(GRID))
    # What is lost beyond a sharp k_c rings like sin(k_c r)/k_c r, its mean square over a length L
    # falls like 1/L²; along the normal of a slab the decay is between that and none.
    crowd = space.crowding(sources.number) ** (0.5 if space.is_slab else 2.0 / 3.0)
    return SquaredErrors(
        crowd * finished.force, crowd * finished.energy + own**2, crowd * finished.potential
    )


def mesh_errors(
    targets: Powers, sources: Powers, space: Space, s: float, spline_order: int
) -> SquaredErrors:
    """Mean square errors on meshes of spacing √s·SPACINGS along the cell vectors."""
    targets, sources = _merged_narrow(targets, sources, s)
    table = mesh_tails(spline_order, targets.l_max, sources.l_max)
    result = _Sum(targets, len(SPACINGS), space.screening)
    lost, own_force, own_energy = np.zeros((3, len(SPACINGS)))
    skew = space.skewness**2
    # aliases of a smooth interaction are as short-ranged as it is: what matters is the density
    unit_wave = 8.0 / space.volume * space.crowding(sources.number, _REACH * math.sqrt(s))
    for a, va in enumerate(targets.variances):
        for b, vb in enumerate(sources.variances):
            w = max(va + vb, s)
            for t in range(targets.l_max + 1):
                for u in range(sources.l_max + 1):
                    if sources.values[b, u] == 0.0:
                        continue
                    n = t + u
                    unit = unit_wave * space.damping(w) * sources.values[b, u] * w ** (0.5 - n)
                    unit /= (2 * u + 1) * _squared_norm(t) * _squared_norm(u)
                    value = unit * _wider(table.potential[n], w, s)
                    result.add(a, t, value, unit * skew / w * _wider(table.gradient[n], w, s))
        w = _own_variance(va, targets, sources, s)
        images = space.images(_REACH * math.sqrt(w))
        for t in range(min(targets.l_max, sources.l_max) + 1):
            missing = 2.0 / np.pi * w ** (-0.5 - t) * _wider(table.missing[t], w, s)
            missing = missing * math.sqrt(space.damping(w)) / (_squared_norm(t) * (2 * t + 1))
            lost += 0.5 * targets.values[a, t] * missing
            result.add_own(a, t, sources.mean_square(t) * missing**2)
        for t in range(targets.l_max + 1):
            for u in range(sources.l_max + 1):
                if sources.mean_square(u) == 0.0:
                    continue
                amplitude = images**2 * space.damping(w) * w ** (-1.0 - t - u)
                amplitude = amplitude * _wider(table.own[t, u], w, s)
                result.add_own(a, t, 6.0 * (2 * u + 1) * sources.mean_square(u) * amplitude)
                if targets is sources:
                    own_energy += 1.5 * targets.fourth[a, t, u] * amplitude
                    steps = skew * (2.0 * np.pi / SPACINGS) ** 2 / s
                    own_force += 1.5 * steps * targets.fourth[a, t, u] * amplitude
    finished = result.finished(np.zeros_like(SPACINGS))
    return finished._replace(
        force=finished.force + own_force / targets.number,
        energy=finished.energy + own_energy + lost**2,
    )


@cache
def _squared_norm(degree: int) -> float:
    return float(double_factorial(2 * degree - 1)) ** 2


def _kept(w: float, s: float) -> FloatArray:
    """(1 − e^{−(x²/2)(s/w − 1)})²: what the Gaussians' own width takes off the tail."""
    if w == 0.0:
        return np.ones_like(GRID)
    return np.asarray(np.expm1(-0.5 * GRID**2 * (s / w - 1.0)) ** 2)


class _SquaredTails:
    """Σ_{k>k_c} G² k^{2n} e^{−k²W} as a function of n."""

    def __init__(
        self, w: float, s: float, space: Space, listed: tuple[FloatArray, FloatArray] | None
    ) -> None:
        self._w, self._s, self._space, self._listed = w, s, space, listed
        self._known: dict[int, FloatArray] = {}

    def __call__(self, n: int) -> FloatArray:
        if n not in self._known:
            self._known[n] = self._sum(n)
        return self._known[n]

    def _sum(self, n: int) -> FloatArray:
        w, s, space = self._w, self._s, self._space
        unit = 8.0 * space.strength / space.volume * w ** (0.5 - n)
        tail = unit * _wider_tail("squared", n, w, s)
        if space.screening > 0.0:
            tail *= (1.0 + space.screening**2 * s / GRID**2) ** -2
        if self._listed is None:
            return np.asarray(tail)
        k, green = self._listed
        return _cumulated(k, green**2 * k ** (2 * n) * np.exp(-(k**2) * w), s, tail)


def _own_tail(
    n: int, w: float, s: float, space: Space, listed: tuple[FloatArray, FloatArray] | None
) -> FloatArray:
    """Σ_{k>k_c} G k^{2n} e^{−k²W/2}."""
    tail = 2.0 / np.pi * w ** (-0.5 - n) * _wider_tail("own", n, w, s)
    if space.screening > 0.0:
        tail *= (1.0 + space.screening**2 * s / GRID**2) ** -1
    if listed is None:
        return np.asarray(tail)
    k, green = listed
    return _cumulated(k, green * k ** (2 * n) * np.exp(-0.5 * k**2 * w), s, tail)


def _cumulated(k: FloatArray, terms: FloatArray, s: float, tail: FloatArray) -> FloatArray:
    """Σ_{k>k_c} of the listed terms, and the integral over what lies beyond the list."""
    beyond = np.append(np.cumsum(terms[::-1])[::-1], 0.0)
    rest = float(np.exp(np.interp(_LARGEST_WAVE, GRID, np.log(tail))))
    cut = GRID / math.sqrt(s)
    summed = beyond[np.searchsorted(k, cut, side="right")] + rest
    return np.where(GRID < _LARGEST_WAVE, summed, tail)


def _wider_tail(name: str, n: int, w: float, s: float) -> FloatArray:
    """A table of waves at k_c√W instead of k_c√s; zero beyond."""
    table = getattr(wave_tails(n), name)[n]
    if w == s:
        return np.asarray(table)
    logarithm = np.interp(GRID * math.sqrt(w / s), GRID, np.log(table))
    return np.asarray(np.maximum(np.exp(logarithm), 1e-300))


def _wider(table: FloatArray, w: float, s: float) -> FloatArray:
    """A table of meshes at h/√W instead of h/√s."""
    if w == s:
        return table
    shifted = np.log(SPACINGS) + 0.5 * math.log(s / w)
    logarithm = np.interp(shifted, np.log(SPACINGS), np.log(np.maximum(table, 1e-300)))
    return np.asarray(np.exp(logarithm))


def _interpolated(squares: FloatArray, grid: FloatArray, place: float) -> FloatArray:
    flat = np.log(np.maximum(squares.reshape(-1, len(grid)), 1e-300))
    values = np.array([np.exp(np.interp(place, grid, row)) for row in flat])
    return np.asarray(values.reshape(squares.shape[:-1]))


def _merged(
    targets: Powers, sources: Powers, target_limit: float, source_limit: float
) -> tuple[Powers, Powers]:
    left = targets.merged(target_limit)
    return left, left if targets is sources else sources.merged(source_limit)


def _merged_narrow(targets: Powers, sources: Powers, s: float) -> tuple[Powers, Powers]:
    """Sites that no partner makes wider than s, so that W = s, as one class."""
    widest = float(targets.variances.max()), float(sources.variances.max())
    return _merged(targets, sources, s - widest[1], s - widest[0])


def _own_variance(variance: float, targets: Powers, sources: Powers, s: float) -> float:
    """W of a target and the source it sits on, the narrowest one if it is not known which."""
    partner = variance if targets is sources else float(sources.variances.min())
    return max(variance + partner, s)


class _Sum:
    """Accumulates what source classes do at the target classes."""

    def __init__(self, targets: Powers, size: int, screening: float) -> None:
        self._targets = targets
        self._screened = math.exp(screening**2 * targets.widest)  # see site_powers
        shape = (*targets.values.shape, size)
        self._potential, self._slope = np.zeros(shape), np.zeros(shape)
        self._own = np.zeros(shape)

    def add(self, target_class: int, degree: int, value: FloatArray, slope: FloatArray) -> None:
        """Mean squares of U and ∇U summed over the components of λ = ``degree``."""
        self._potential[target_class, degree] += value
        self._slope[target_class, degree] += slope

    def add_own(self, target_class: int, degree: int, value: FloatArray) -> None:
        """Mean square of a component of U that the source at the target causes."""
        self._own[target_class, degree] += value

    def finished(self, mean: FloatArray) -> SquaredErrors:
        """``mean`` is a systematic error of the potential of λ = 0."""
        values = self._targets.values
        components = 2 * np.arange(values.shape[1]) + 1
        weight = values / components
        energy = 0.5 * np.einsum("at,atx->x", weight, self._potential)
        energy += (0.5 * self._targets.charge * mean) ** 2
        force = np.einsum("at,atx->x", weight, self._slope) / self._targets.number
        potential = (self._potential / components[:, None] + self._own).max(axis=0)
        potential[0] += mean**2
        potential *= self._screened
        return SquaredErrors(force, energy, potential)
