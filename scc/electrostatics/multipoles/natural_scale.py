r"""How large forces and energies are before anything is computed: near neighbours and own sites.

The rms force that uncorrelated multipoles of a site's nearest neighbours exert, and the size of the
energy ½Σ|p·V| likewise with the Gaussians' own energies, from at most a hundred sites. Signs
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
from scc.electrostatics.multipoles.kernels import CoulombKernel, RadialKernel
from scc.electrostatics.multipoles.moments import (
    double_factorial,
    multipole_operators,
    parities,
    raised_index,
)
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.yukawa import YukawaKernel

_NEIGHBOURS = 6
_SAMPLE = 128  # sites looked at
_IMAGES_BELOW = 200  # with fewer atoms than this, neighbours across the border of the cell matter


class NaturalScale(NamedTuple):
    """Rms force (Hartree/bohr) and ½Σ|p·V| (Hartree), both ≥ 0."""

    force: float
    energy: float


class Surroundings(NamedTuple):
    """Sampled sites and their near neighbours.

    Attributes:
        sample: number of sites looked at.
        first, second: the sites of each pair (pairs,).
        value, slope: ⟨K_AB²⟩ and ⟨|∇K_AB|²⟩ over the directions of the multipoles
            (pairs, λ, λ').
        own: diagonal of the own-site term (N, λ), zero for points.
        density: sites in a cubic bohr: the larger of the mean over the cell, if there is one, and
            what the neighbours' distances say.
    """

    sample: int
    first: IntArray
    second: IntArray
    value: FloatArray
    slope: FloatArray
    own: FloatArray
    density: float


def surroundings(boundary: Boundary, sites: Sites) -> Surroundings:
    """Pairs of up to 128 sites with their six nearest neighbours."""
    chosen = np.arange(0, len(sites), max(1, len(sites) // _SAMPLE))[:_SAMPLE]
    first, second, distance, density = _nearest(boundary, sites.positions, chosen)
    variance = sites.variances[first] + sites.variances[second]
    if len(first) == 0:  # alone in open space: as if there were another one not far away
        variance = 2.0 * sites.variances[chosen]
        first, second, distance = chosen, chosen, 1.0 + np.sqrt(variance)
        density = float(distance.max()) ** -3
    kernel = YukawaKernel(boundary.screening) if boundary.screening > 0.0 else CoulombKernel()
    value, slope = _mean_squares(kernel, sites.l_max, variance, distance)
    own = _own(kernel, sites.l_max, 2.0 * sites.variances)
    return Surroundings(len(chosen), first, second, value, slope, own, density)


def natural_scale(near: Surroundings, squares: FloatArray) -> NaturalScale:
    """Scales for multipoles with Σ_µ p_λµ² = ``squares`` (N, l_max+1) at each site."""
    product = squares[near.first][:, :, None] * squares[near.second][:, None, :]
    force = math.sqrt(float(np.sum(near.slope * product)) / near.sample)
    # Σ_a |p_a·V_a| of independent neighbours ~ Σ_a √Σ_k
    pairs = np.bincount(near.first, np.sum(near.value * product, axis=(1, 2)), len(squares))
    energy = 0.5 * float(np.sum(np.sqrt(pairs))) * len(squares) / near.sample
    return NaturalScale(force, energy + 0.5 * float(np.sum(near.own * squares)))


def _nearest(
    boundary: Boundary, positions: FloatArray, chosen: IntArray
) -> tuple[IntArray, IntArray, FloatArray, float]:
    number = len(positions)
    owner, everywhere, mean = np.arange(number), positions, 0.0
    if boundary.cell is not None:
        cell = boundary.reduced_cell
        fractional = positions @ np.linalg.inv(cell)
        everywhere = positions - np.where(boundary.periodic, np.floor(fractional), 0.0) @ cell
        if number < _IMAGES_BELOW:
            steps = [(0, -1, 1) if flag else (0,) for flag in boundary.periodic]
            translations = np.array(list(itertools.product(*steps))) @ cell
            owner = np.tile(owner, len(translations))
            everywhere = (everywhere[None] + translations[:, None]).reshape(-1, 3)
        if all(boundary.periodic):
            mean = number / boundary.measure
    count = min(_NEIGHBOURS + 1, len(everywhere))
    distance, index = cKDTree(everywhere).query(everywhere[chosen], k=count)
    distance, index = distance.reshape(len(chosen), count), index.reshape(len(chosen), count)
    other = index != chosen[:, None]
    if not np.any(other):
        return chosen[:0], chosen[:0], np.zeros(0), mean
    first = np.repeat(chosen, count).reshape(len(chosen), count)
    furthest = float(np.median(distance.max(axis=1)))
    local = (count - 1) / (4.0 / 3.0 * math.pi * furthest**3) if furthest > 0.0 else 0.0
    # on one spot: a pair of sites whose force, if any, says nothing about the others
    keep = other & (distance > 1e-6 * furthest)
    return first[keep], owner[index[keep]], distance[keep], max(mean, local)


def _mean_squares(
    kernel: RadialKernel, l_max: int, variance: FloatArray, distance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Σ_AB K_AB² and Σ_AB |∇K_AB|² over (2λ+1)(2λ'+1): (pairs, λ, λ')."""
    radial = kernel.derivatives(2 * l_max + 1, variance, distance**2)
    separation = np.zeros((len(distance), 3))
    separation[:, 2] = distance
    tensor = derivative_tensors(radial, separation)
    index = sum_index(l_max, l_max)
    raised = raised_index(2 * l_max)
    value = _degree_means(l_max, tensor[index])
    slope = np.sum([_degree_means(l_max, tensor[raised[i][index]]) for i in range(3)], axis=0)
    return value, slope


def _degree_means(l_max: int, tensor: FloatArray) -> FloatArray:
    """Mean over A ∈ λ, B ∈ λ' of K_AB² from tensor (t, s, pairs)."""
    left = multipole_operators(l_max)
    right = left * parities(l_max)
    half = np.tensordot(left, tensor, axes=1)  # (A, s, pairs)
    squared = np.tensordot(half, right, axes=(1, 1)) ** 2  # (A, pairs, B)
    starts = np.arange(l_max + 1) ** 2
    size = 2.0 * np.arange(l_max + 1) + 1.0
    squared = np.add.reduceat(squared, starts, axis=0) / size[:, None, None]
    squared = np.add.reduceat(squared, starts, axis=2) / size
    return np.asarray(squared.transpose(1, 0, 2))


def _own(kernel: RadialKernel, l_max: int, variance: FloatArray) -> FloatArray:
    smeared = variance > 0.0
    safe = np.where(smeared, variance, 1.0)
    radial = kernel.derivatives(l_max, safe, np.zeros_like(variance))
    signs = [(-1.0) ** n / double_factorial(2 * n - 1) for n in range(l_max + 1)]
    return np.asarray((radial * np.array(signs)[:, None]).T * smeared[:, None])
