"""Hypothesis strategies for water-like clusters and boxes, potential features, and small bases."""

from functools import cache

import numpy as np
from hypothesis import strategies as st

from scc.ace.basis import Basis, BasisSpecification, TotalDegree
from scc.ace.features import FeatureSet
from scc.basis.solid_harmonics import solid_harmonics
from scc.configuration import Configuration
from strategies.configurations import generators

CUTOFF = 7.5589
"""4 Å in bohr."""

basis_of = cache(Basis)
"""Tables of a specification, made once for all examples."""

WIDTHS = (1.5, 3.0, 6.0)

FEATURE_SETS = (
    FeatureSet(),
    FeatureSet(WIDTHS[:1], 0),
    FeatureSet(WIDTHS[:2], 1),
    FeatureSet(WIDTHS, 2),
)


def water(rng, oxygen):
    """(3, 3): O, H, H in random orientation, OH 1.65 to 2.05 bohr, angle 90 to 120 degrees."""
    first, second = np.linalg.qr(rng.normal(size=(3, 3)))[0][:2]
    angle = np.radians(rng.uniform(90.0, 120.0))
    bonds = rng.uniform(1.65, 2.05, size=2)
    return np.stack(
        [
            oxygen,
            oxygen + bonds[0] * first,
            oxygen + bonds[1] * (np.cos(angle) * first + np.sin(angle) * second),
        ]
    )


def water_box(per_side, rng, spacing=5.866, jitter=0.3, periodic=True):
    """per_side³ molecules on a jittered cubic lattice, random orientations.

    5.866 bohr (3.104 Å) is the density of the liquid, 33.4 molecules in 1000 Å³.
    """
    sites = np.stack(np.meshgrid(*[np.arange(per_side)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    oxygens = spacing * sites + rng.uniform(-jitter, jitter, size=(len(sites), 3))
    positions = np.concatenate([water(rng, oxygen) for oxygen in oxygens])
    cell = np.eye(3) * spacing * per_side if periodic else None
    return Configuration(("O", "H", "H") * len(sites), positions, cell, (periodic,) * 3)


@st.composite
def water_clusters(draw, max_molecules=3, stray=True):
    """One to a few molecules near each other, with or without a stray atom (O or H)."""
    rng = draw(generators())
    sites = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])[
        : draw(st.integers(1, max_molecules))
    ]
    oxygens = 6.0 * sites + rng.uniform(-0.6, 0.6, size=sites.shape)
    positions = [water(rng, oxygen) for oxygen in oxygens]
    species = ("O", "H", "H") * len(sites)
    if stray and draw(st.booleans()):
        positions.append(np.array([[-4.5, -4.5, 0.0]]) + rng.uniform(-0.5, 0.5, size=3))
        species += (draw(st.sampled_from(("H", "O"))),)
    return Configuration(species, np.concatenate(positions))


@st.composite
def small_boxes(draw):
    """A periodic cell smaller than the cut-off: atoms meet several images of the same neighbour."""
    rng = draw(generators())
    cell = 6.0 * np.eye(3) + rng.uniform(-0.5, 0.5, size=(3, 3))
    periodic = draw(st.sampled_from(((True, True, True), (True, False, False))))
    return Configuration(("O", "H", "H"), water(rng, np.zeros(3)), cell, periodic)


def limits(order, feature_degree, size=0.0):
    """Degree limits that leave a handful of functions of every order and feature degree."""
    table = ((3.0, 4.0), (3.0, 5.0, 5.0), (2.0, 4.0, 5.0))
    rows = [row[: feature_degree + 1] for row in table[:order]]
    return tuple(tuple(size + limit for limit in row) for row in rows)


@st.composite
def small_specifications(
    draw, orders=(1, 2, 3), feature_degrees=(0, 1, 2), features=FEATURE_SETS, size=0.0
):
    """Bases of tens to hundreds of functions, L = 0, 1, 2."""
    order, feature_degree = draw(st.sampled_from(orders)), draw(st.sampled_from(feature_degrees))
    return BasisSpecification(
        ("H", "O"),
        CUTOFF,
        order,
        TotalDegree(limits(order, feature_degree, size)),
        draw(st.sampled_from(features)),
        feature_degree,
        (0, 1, 2),
    )


def harmonic_rotation(rank, rotation):
    """D with Y_l(Q r) = D Y_l(r), from values at points: no formula shared with the package."""
    points = np.random.default_rng(1).normal(size=(40, 3))
    block = slice(rank**2, (rank + 1) ** 2)
    before = solid_harmonics(rank, points)[:, block]
    after = solid_harmonics(rank, points @ rotation.T)[:, block]
    return np.linalg.lstsq(before, after, rcond=None)[0].T


def turned_features(features, feature_set, rotation):
    """v̂ of the turned system."""
    result = np.array(features)
    for _, rank, start in feature_set.shells():
        block = slice(start, start + 2 * rank + 1)
        result[:, block] = features[:, block] @ harmonic_rotation(rank, rotation).T
    return result
