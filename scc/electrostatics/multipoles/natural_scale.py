r"""How large forces and energies are before anything is computed: nearest neighbours and own sites.

The rms force that uncorrelated multipoles of a site's nearest neighbours exert, and the size of the
energy ½Σ|p·V| likewise with the Gaussians' own energies, from at most a few hundred sites. Signs
and directions average out: crystals, where they cancel, and molecules, where they do not, differ by
a small factor.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from scc.arrays import FloatArray, IntArray
from scc.basis.polynomials import sum_index
from scc.electrostatics.derivative_tensors import derivative_tensors
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.moments import (
    double_factorial,
    multipole_operators,
    parities,
    raised_index,
)
from scc.electrostatics.multipoles.sites import Sites

_NEIGHBOURS = 6
_SAMPLE = 256  # sites looked at
_IMAGES_BELOW = 200  # with fewer atoms than this, neighbours across the border of the cell matter


class NaturalScale(NamedTuple):
    """Rms force (Hartree/bohr) and ½Σ|p·V| (Hartree), both > 0 unless all multipoles vanish."""

    force: float
    energy: float


class Neighbourhood(NamedTuple):
    """Mean squares between sampled sites and their neighbours, per component of λt and λs.

    ``value`` and ``slope`` have shape (pairs, λt+1, λs+1): ⟨K_AB²⟩ and ⟨|∇K_AB|²⟩ over directions
    of the multipoles; ``first``, ``second`` index the sites.
    """

    sample: int
    first: IntArray
    second: IntArray
    value: FloatArray
    slope: FloatArray
    own: FloatArray


def neighbourhood(boundary: Boundary, sites: Sites) -> Neighbourhood:
    """Pairs of up to 256 sites with their six nearest neighbours."""
    chosen = np.arange(0, len(sites), max(1, len(sites) // _SAMPLE))[:_SAMPLE]
    first, second, distance = _nearest(boundary, sites.positions, chosen)
    variance = sites.variances[first] + sites.variances[second]
    value, slope = _mean_squares(sites.l_max, variance, distance)
    return Neighbourhood(
        len(chosen), first, second, value, slope, _own(sites.l_max, 2.0 * sites.variances)
    )


def natural_scale(near: Neighbourhood, powers: FloatArray) -> NaturalScale:
    """Scales for multipoles whose squares add up to ``powers`` (N, l_max+1) at each site."""
    product = powers[near.first][:, :, None] * powers[near.second][:, None, :]
    force = math.sqrt(float(np.sum(near.slope * product)) / near.sample)
    # Σ_a |p_a·V_a| of independent neighbours ~ Σ_a √Σ_k
    pairs = np.bincount(near.first, np.sum(near.value * product, axis=(1, 2)), len(powers))
    energy = 0.5 * float(np.sum(np.sqrt(pairs))) * len(powers) / near.sample
    return NaturalScale(force, energy + 0.5 * float(np.sum(near.own * powers)))


def _nearest(
    boundary: Boundary, positions: FloatArray, chosen: IntArray
) -> tuple[IntArray, IntArray, FloatArray]:
    number = len(positions)
    owner = np.arange(number)
    everywhere = positions
    if boundary.cell is not None:
        cell = _reduced(boundary.cell, boundary.periodic)
        fractional = positions @ np.linalg.inv(cell)
        everywhere = positions - np.where(boundary.periodic, np.floor(fractional), 0.0) @ cell
        if number < _IMAGES_BELOW:
            steps = [(-1, 0, 1) if flag else (0,) for flag in boundary.periodic]
            shifts = sorted(itertools.product(*steps), key=lambda n: n != (0, 0, 0))
            translations = np.array(shifts) @ cell
            owner = np.tile(owner, len(shifts))
            everywhere = (everywhere[None] + translations[:, None]).reshape(-1, 3)
    count = min(_NEIGHBOURS + 1, len(everywhere))
    distance, index = cKDTree(everywhere).query(everywhere[chosen], k=count)
    distance, index = distance.reshape(len(chosen), count), index.reshape(len(chosen), count)
    other = index != chosen[:, None]
    first = np.repeat(chosen, count).reshape(len(chosen), count)
    # closer than rounding: two sites on one spot, whose force says nothing about the others
    floor = 1e-6 * float(np.median(distance[other])) if np.any(other) else 0.0
    keep = other & (distance > floor)
    return first[keep], owner[index[keep]], distance[keep]


def _reduced(cell: FloatArray, periodic: tuple[bool, bool, bool]) -> FloatArray:
    """The same lattice with vectors about as short as can be (pairwise reduction)."""
    cell = cell.copy()
    for _ in range(100):
        changed = False
        for i, j in itertools.permutations(np.flatnonzero(periodic), 2):
            steps = np.rint(cell[i] @ cell[j] / (cell[j] @ cell[j]))
            if steps != 0.0 and abs(cell[i] @ cell[j]) > 0.5001 * (cell[j] @ cell[j]):
                cell[i] -= steps * cell[j]
                changed = True
        if not changed:
            break
    return cell


def _mean_squares(
    l_max: int, variance: FloatArray, distance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    radial = CoulombKernel().derivatives(2 * l_max + 1, variance, distance**2)
    separation = np.zeros((len(distance), 3))
    separation[:, 2] = distance
    tensor = derivative_tensors(radial, separation)
    left = multipole_operators(l_max)
    right = left * parities(l_max)
    index = sum_index(l_max, l_max)
    raised = raised_index(2 * l_max)
    value = _degree_means(left, tensor[index], right)
    slope = np.sum([_degree_means(left, tensor[raised[i][index]], right) for i in range(3)], 0)
    return value, slope


def _degree_means(left: FloatArray, tensor: FloatArray, right: FloatArray) -> FloatArray:
    squared = np.einsum("at,tsr,bs->rab", left, tensor, right, optimize=True) ** 2
    starts = np.arange(int(np.sqrt(left.shape[0]))) ** 2
    size = 2.0 * np.arange(len(starts)) + 1.0
    squared = np.add.reduceat(squared, starts, axis=1) / size[:, None]
    return np.asarray(np.add.reduceat(squared, starts, axis=2) / size)


def _own(l_max: int, variance: FloatArray) -> FloatArray:
    """(N, l_max+1) diagonal of the own-site term, zero for points."""
    smeared = variance > 0.0
    radial = CoulombKernel().derivatives(
        l_max, np.where(smeared, variance, 1.0), np.zeros_like(variance)
    )
    signs = [(-1.0) ** n / double_factorial(2 * n - 1) for n in range(l_max + 1)]
    return np.asarray((radial * np.array(signs)[:, None]).T * smeared[:, None])
