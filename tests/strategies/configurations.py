"""Hypothesis strategies for geometries: random clusters, chains, lattices, cells, rotations."""

import numpy as np
from hypothesis import strategies as st

from scc.configuration import Configuration, chain, cluster, lattice

SYMBOLS = ("H", "C", "O", "Na", "Cl", "X", "Og")


def generators():
    """numpy Generators; Hypothesis shrinks the seed."""
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


@st.composite
def rotations(draw):
    """Haar-random orthogonal matrices, reflections included."""
    q, r = np.linalg.qr(draw(generators()).normal(size=(3, 3)))
    return q * np.sign(np.diag(r))


@st.composite
def clusters(draw, min_atoms=1, max_atoms=40, min_spacing=0.5, max_spacing=5.0, symbols=SYMBOLS):
    """Open random clusters in 1, 2 or 3 dimensions."""
    n = draw(st.integers(min_atoms, max_atoms))
    species = draw(st.lists(st.sampled_from(symbols), min_size=1, max_size=3))
    return cluster(
        n,
        draw(st.floats(min_spacing, max_spacing)),
        draw(generators()),
        dimension=draw(st.sampled_from((1, 2, 3))),
        species=species,
    )


@st.composite
def chains(draw, min_atoms=1, max_atoms=60, symbols=SYMBOLS):
    """Uniform or dimerised, homo- or heteronuclear, with or without jitter."""
    spacing = draw(
        st.one_of(
            st.floats(0.5, 5.0),
            st.tuples(st.floats(0.5, 5.0), st.floats(0.5, 5.0)),
        )
    )
    smallest = spacing if isinstance(spacing, float) else min(spacing)
    return chain(
        draw(st.integers(min_atoms, max_atoms)),
        spacing,
        draw(st.lists(st.sampled_from(symbols), min_size=1, max_size=2)),
        draw(st.sampled_from((0.0, 0.01, 0.4))) * smallest,
        draw(generators()),
    )


@st.composite
def cells(draw):
    """Cells from cubic to very skew (unit volume down to a few per cent), lengths 2 to 20 bohr."""
    rng = draw(generators())
    while True:
        units = rng.normal(size=(3, 3))
        units /= np.linalg.norm(units, axis=1, keepdims=True)
        if abs(np.linalg.det(units)) > 0.03:
            return units * rng.uniform(2.0, 20.0, size=(3, 1))


@st.composite
def periodic_configurations(draw, max_atoms=20):
    """Random atoms in a skew cell, any choice of periodic directions, atoms outside the cell too.

    Atoms are put on distinct cells of a fractional grid, so they never coincide with an image.
    """
    n = draw(st.integers(1, max_atoms))
    rng = draw(generators())
    cell = draw(cells())
    grid = 4
    sites = rng.choice(grid**3, size=n, replace=False)
    fractional = np.stack(np.unravel_index(sites, (grid,) * 3), axis=1) / grid
    fractional = fractional + rng.uniform(0.0, 0.5 / grid, size=(n, 3))
    periodic = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    fractional = fractional + rng.integers(-3, 4, size=(n, 3)) * np.array(periodic)
    return Configuration(("H",) * n, fractional @ cell, cell, periodic)


def lattices():
    """Cubic, square and rock-salt, small, finite and periodic."""
    return st.builds(
        lattice,
        st.sampled_from(("cubic", "rock-salt", "square")),
        st.sampled_from((2, 4)),
        st.floats(0.5, 6.0),
        periodic=st.booleans(),
    )


def configurations(max_atoms=40):
    """Any valid configuration."""
    return st.one_of(
        clusters(max_atoms=max_atoms),
        chains(max_atoms=max_atoms),
        lattices(),
        periodic_configurations(max_atoms=min(max_atoms, 20)),
    )
