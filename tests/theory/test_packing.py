"""Lattice sums that are too small for some configuration, or dimensions that are not there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators

from scc.configuration import chain, cluster, lattice
from scc.theory.packing import (
    Packing,
    best_gaussian_sum,
    best_lattice_sum,
    densest_lattice,
    gaussian_sum,
    lattice_sum,
    packings,
    paper_lattice_sum,
)


@st.composite
def arrangements(draw):
    """Chains, straight or not, and random clusters in one, two and three dimensions."""
    rng = draw(generators())
    atoms, spacing = draw(st.integers(2, 60)), draw(st.floats(0.5, 3.0))
    dimension = draw(st.sampled_from((0, 1, 2, 3)))
    if dimension == 0:
        return chain(atoms, spacing, jitter=draw(st.floats(0.01, 0.4)) * spacing, rng=rng).positions
    return cluster(atoms, spacing, rng, dimension=dimension).positions


@given(arrangements(), st.floats(0.05, 5.0), generators())
def test_sum_over_a_configuration_exceeds_its_constant(positions, eta, rng) -> None:
    found = packings(positions)
    among = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    rounding = 1.0 + 1e-12
    sums = np.sum(np.exp(-eta * among), axis=1)
    for packing in found:
        assert np.max(sums) <= lattice_sum(eta, packing) * rounding
        assert np.max(sums) <= paper_lattice_sum(eta, packing) * rounding
    points = positions[rng.integers(len(positions), size=40)] + rng.normal(size=(40, 3))
    away = np.linalg.norm(points[:, None] - positions[None], axis=-1)
    exponential = np.max(np.sum(np.exp(-eta * away), axis=1))
    assert exponential <= best_lattice_sum(eta, found, centre_is_a_point=False) * rounding
    gaussian = np.max(np.sum(np.exp(-eta * away**2), axis=1))
    assert gaussian <= best_gaussian_sum(eta, found) * rounding


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("eta", [0.3, 1.0, 4.0])
def test_infinite_lattices_exceed_the_constant(dimension, eta) -> None:
    """Z, the triangular lattice and fcc, cut off far away."""
    reach = 12.0 if dimension == 3 else 60.0
    total = np.sum(np.exp(-eta * densest_lattice(dimension, reach)))
    packing = Packing(dimension, 1.0)
    assert total <= lattice_sum(eta, packing) * (1.0 + 1e-12)
    assert lattice_sum(eta, packing) <= paper_lattice_sum(eta, packing)
    if dimension == 1:  # attained
        assert np.isclose(total, lattice_sum(eta, packing), rtol=2 * np.exp(-eta * reach) + 1e-12)


def test_a_jittered_chain_counts_as_three_dimensional() -> None:
    rng = np.random.default_rng(3)
    positions = chain(60, 1.0, jitter=0.2, rng=rng).positions
    line, _, space = packings(positions)
    assert space.spacing > line.spacing > 0.5
    found = best_lattice_sum(0.3, packings(positions))
    assert found == lattice_sum(0.3, line) < 0.1 * lattice_sum(0.3, space)


def test_a_projection_that_merges_atoms_still_counts() -> None:
    """A cubic lattice has coinciding projections: only three dimensions are left."""
    positions = lattice("cubic", 4, 1.0).positions
    found = packings(positions)
    sums = [lattice_sum(1.0, packing) for packing in found]
    assert min(sums) == sums[2]
    assert np.isclose(found[2].spacing, 1.0)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_constants_do_not_scale_with_the_spacing(dimension) -> None:
    for factor in (0.25, 3.0):
        wide = Packing(dimension, factor)
        near = Packing(dimension, 1.0)
        assert np.isclose(lattice_sum(0.7 / factor, wide), lattice_sum(0.7, near))
        assert np.isclose(gaussian_sum(0.7 / factor**2, wide), gaussian_sum(0.7, near))
    assert lattice_sum(0.7, Packing(dimension, np.inf)) == 1.0
    assert lattice_sum(0.7, Packing(dimension, 0.0)) == np.inf
