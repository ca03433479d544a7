"""The short-ranged part v_w − v_W of a lattice sum by brute force: all images are sites."""

import numpy as np
from ase.geometry import minkowski_reduce

from scc.electrostatics.multipoles.background import Background
from scc.electrostatics.multipoles.direct_sum import DirectSum
from scc.electrostatics.multipoles.interaction import Field, SumOfInteractions
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.own_site import OwnSite
from scc.electrostatics.multipoles.reciprocal_kernels import PeriodicKernel
from scc.electrostatics.multipoles.reciprocal_sum import ReciprocalSum
from scc.electrostatics.multipoles.sites import Sites

# e^{−x²/2} = 1e-19; the ninth derivative (two λ = 4 and a force) multiplies it by about x⁹ = 1e9,
# but multiplies the interaction of neighbours a fraction of √s apart by more.
REACH = 9.3


class Remainder:
    """v_w − v_W, W = max(w, s), from any radial kernel, by subtraction."""

    def __init__(self, kernel, smooth_variance):
        self._kernel, self._s = kernel, smooth_variance

    def derivatives(self, order, variance, squared_distance):
        smooth = np.maximum(variance, self._s)
        return self._kernel.derivatives(
            order, variance, squared_distance
        ) - self._kernel.derivatives(order, smooth, squared_distance)


class ImageSum:
    """Sum over images within a cut-off; ``own_site``: target a is source a and left out."""

    def __init__(self, targets, sources, lattice, kernel, cutoff, own_site=False):
        self._targets, self._sources = targets, sources
        self._arguments = (lattice, kernel, cutoff, own_site)
        positions = np.concatenate([targets.positions, sources.positions])
        span = np.linalg.norm(np.ptp(positions, axis=0))
        if len(lattice) == 3:
            lattice, _ = minkowski_reduce(lattice)
        heights = 1.0 / np.linalg.norm(np.linalg.pinv(lattice), axis=0)
        bounds = np.ceil((cutoff + span) / heights).astype(int)
        shifts = np.indices(2 * bounds + 1).reshape(len(lattice), -1).T - bounds
        shifts = shifts[np.any(shifts != 0, axis=1)] @ lattice
        far = np.linalg.norm(shifts, axis=1) <= cutoff + span
        shifts = np.concatenate([np.zeros((1, 3)), shifts[far]])
        moved = (shifts[:, None] + sources.positions).reshape(-1, 3)
        gaps = np.linalg.norm(moved[:, None] - targets.positions, axis=2)
        near = np.any(gaps < cutoff, axis=1)
        near[: len(sources)] = True
        self._index = np.tile(np.arange(len(sources)), len(shifts))[near]
        moved = moved[near]
        number = len(sources)
        self._home = DirectSum(targets, sources, kernel, own_site)
        self._away = DirectSum(
            targets,
            Sites(moved[number:], sources.variances[self._index[number:]], sources.l_max),
            kernel,
        )
        self._index = self._index[number:]

    def potential(self, sources):
        return self._home.potential(sources) + self._away.potential(sources[self._index])

    def field(self, sources):
        home, away = self._home.field(sources), self._away.field(sources[self._index])
        return Field(home.potential + away.potential, home.gradient + away.gradient)

    def moved(self, sources, displacement):
        away = self._away.moved(sources[self._index], displacement[self._index])
        return self._home.moved(sources, displacement) + away

    def strain(self, targets, sources):
        away = self._away.strain(targets, sources[self._index])
        return self._home.strain(targets, sources) + away

    @property
    def transposed(self):
        return ImageSum(self._sources, self._targets, *self._arguments)


def smooth_variance(cell, fraction):
    """s = fraction · Ω^{2/3}: equal work on both sides at about 0.08."""
    return fraction * abs(np.linalg.det(cell)) ** (2.0 / 3.0)


def ewald(cell, targets, sources, fraction, own_site=False):
    """The whole periodic Coulomb operator, its short-ranged part by :class:`ImageSum`.

    ``own_site``: target a is source a; what a site does to itself (no translation) is left out.
    """
    s = smooth_variance(cell, fraction)
    kernel = CoulombKernel()
    parts = [
        ImageSum(
            targets, sources, cell, Remainder(kernel, s), REACH * np.sqrt(s), own_site=own_site
        ),
        ReciprocalSum(targets, sources, PeriodicKernel(cell), s, REACH / np.sqrt(s)),
        Background(targets, sources, abs(np.linalg.det(cell)), s),
    ]
    if own_site:
        smooth = np.maximum(targets.variances + sources.variances, s)
        parts.append(OwnSite(kernel, smooth, targets.l_max, sources.l_max, -1.0))
    return SumOfInteractions(parts)
