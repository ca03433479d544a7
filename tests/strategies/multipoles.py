"""Random Gaussian multipoles: open clusters, triclinic crystals, slabs of any orientation."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from scc.basis.solid_harmonics import solid_harmonics
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.sites import Sites
from strategies.configurations import generators

SMALLEST_WIDTH, LARGEST_WIDTH = 0.03, 3.0  # bohr, two decades
_REACH = 0.3  # a multipole is of the size of charges this many bohr apart


class MultipoleSystem(NamedTuple):
    """Sites with multipoles c (N, n_s), other sites with probes t (N_t, n_t), and a boundary.

    ``targets`` lie elsewhere than ``sources`` and have their own widths and largest λ.
    """

    boundary: Boundary
    sources: Sites
    multipoles: np.ndarray
    targets: Sites
    probes: np.ndarray

    @property
    def volume(self):
        return float(abs(np.linalg.det(self.boundary.cell)))


def random_variances(generator, number, points=True, mixed=True):
    """σ²: all alike, or over two decades; with ``points`` some (or all) of them 0."""
    low, high = np.log(SMALLEST_WIDTH), np.log(LARGEST_WIDTH)
    widths = np.exp(generator.uniform(low, high, number if mixed else 1)) * np.ones(number)
    if points:
        widths[generator.uniform(size=number) < generator.choice([0.0, 0.3, 1.0])] = 0.0
    return widths**2


def random_multipoles(generator, number, l_max, neutral=False):
    """Coefficients (N, (l_max+1)²); λ falls off like 0.3^λ; ``neutral``: charges add up to 0."""
    degree = np.floor(np.sqrt(np.arange((l_max + 1) ** 2))).astype(int)
    values = generator.normal(size=(number, (l_max + 1) ** 2)) * _REACH**degree
    if neutral:
        values[:, 0] -= values[:, 0].mean()
    return values


def random_cell(generator, shortest=4.0, longest=10.0, flattest=0.15):
    """Triclinic: lengths in a range, unit volume at least ``flattest``; either handedness."""
    while True:
        units = generator.normal(size=(3, 3))
        units /= np.linalg.norm(units, axis=1, keepdims=True)
        if abs(np.linalg.det(units)) > flattest:
            return units * generator.uniform(shortest, longest, size=(3, 1))


def scattered(generator, number, cell):
    """Fractional grid points with jitter, no two closer than 0.08 of a cell vector."""
    grid = 4
    sites = generator.choice(grid**3, size=number, replace=False)
    fractional = np.stack(np.unravel_index(sites, (grid,) * 3), axis=1) / grid
    return (fractional + generator.uniform(0.0, 0.17, size=(number, 3))) @ cell


@st.composite
def multipole_systems(
    draw,
    kinds=("open", "slab", "periodic"),
    max_sites=5,
    l_max=2,
    points=True,
    mixed=True,
    neutral=False,
    screened=False,
):
    """A :class:`MultipoleSystem` of 1 to ``max_sites`` sources and as many targets at most.

    Sites may lie outside the cell. ``l_max`` bounds the largest λ of each of the two sets.
    ``points``, ``mixed``: see :func:`random_variances`; ``screened``: κ from 0.05 to 2 bohr⁻¹.
    """
    kind = draw(st.sampled_from(kinds))
    n_sources, n_targets = draw(st.integers(1, max_sites)), draw(st.integers(1, max_sites))
    source_l, target_l = draw(st.integers(0, l_max)), draw(st.integers(0, l_max))
    generator = draw(generators())
    cell = random_cell(generator)
    periodic = {
        "open": (False,) * 3,
        "slab": tuple(bool(f) for f in np.arange(3) != generator.integers(3)),
        "periodic": (True,) * 3,
    }[kind]
    positions = scattered(generator, n_sources + n_targets, cell)
    shifts = generator.integers(-2, 3, size=positions.shape) * np.array(periodic)
    positions = positions + shifts @ cell + generator.normal(size=3)
    variances = random_variances(generator, n_sources + n_targets, points, mixed)
    return MultipoleSystem(
        Boundary(
            None if kind == "open" else cell,
            periodic,
            float(np.exp(generator.uniform(np.log(0.05), np.log(2.0)))) if screened else 0.0,
        ),
        Sites(positions[:n_sources], variances[:n_sources], source_l),
        random_multipoles(generator, n_sources, source_l, neutral),
        Sites(positions[n_sources:], variances[n_sources:], target_l),
        random_multipoles(generator, n_targets, target_l),
    )


def multipole_rotation(l_max, rotation):
    """D with R(Qx) = D R(x) for an orthogonal Q: p → p Dᵀ turns a density's multipoles along."""
    generator = np.random.default_rng(0)
    points = generator.normal(size=(8 * (l_max + 1) ** 2, 3))
    before, after = solid_harmonics(l_max, points), solid_harmonics(l_max, points @ rotation.T)
    matrix = np.zeros((before.shape[1],) * 2)
    for degree in range(l_max + 1):
        block = slice(degree**2, (degree + 1) ** 2)
        matrix[block, block] = np.linalg.lstsq(before[:, block], after[:, block])[0].T
    return matrix
