"""Failures hunted: wrong spacings or species order, atoms too near, builders that never return."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import chains, generators

from scc.configuration import chain, cluster, lattice
from scc.errors import InputError


@given(
    st.integers(1, 200),
    st.one_of(st.floats(1e-3, 50.0), st.tuples(st.floats(1e-3, 50.0), st.floats(1e-3, 50.0))),
    st.sampled_from(("H", ("Na", "Cl"))),
)
def test_chain_spacings_or_species_do_not_alternate(n, spacing, species):
    made = chain(n, spacing, species)
    a, b = (spacing, spacing) if isinstance(spacing, float) else spacing
    expected = np.resize([a, b], n)[: n - 1]
    # Positions are differences of sums up to n·50 bohr.
    assert np.abs(np.diff(made.positions[:, 0]) - expected).max(initial=0.0) <= 1e-14 * n * 50
    assert (made.positions[:, 1:] == 0.0).all()
    assert abs(made.positions[0, 0] + made.positions[-1, 0]) <= 1e-14 * n * 50
    symbols = (species,) if isinstance(species, str) else species
    assert made.species == tuple(symbols[i % len(symbols)] for i in range(n))


@given(chains(min_atoms=2))
def test_jitter_swaps_atoms_of_a_chain(made):
    assert (np.diff(made.positions[:, 0]) > 0.0).all()


@given(st.integers(1, 50), st.floats(0.1, 5.0), generators())
def test_jitter_is_not_reproducible_or_moves_too_far(n, spacing, rng):
    seed = int(rng.integers(2**31))
    one, two = (
        chain(n, spacing, jitter=0.3 * spacing, rng=np.random.default_rng(seed)) for _ in range(2)
    )
    assert one == two
    moves = one.positions - chain(n, spacing).positions
    assert 0.0 < np.abs(moves).max() <= 0.3 * spacing * (1 + 1e-12)


@given(st.integers(1, 20).map(lambda k: 2 * k), st.floats(0.5, 2.0), st.floats(0.5, 2.0))
def test_periodic_chain_closes_with_the_wrong_spacing(n, a, b):
    made = chain(n, (a, b), ("Na", "Cl"), periodic=True)
    assert made.cell is not None
    assert made.periodic == (True, False, False)
    assert made.cell[0, 0] == pytest.approx(n // 2 * (a + b), rel=1e-13)
    gap = made.cell[0, 0] - (made.positions[-1, 0] - made.positions[0, 0])
    assert gap == pytest.approx(b, rel=1e-9)


@given(
    st.sampled_from(("cubic", "rock-salt", "square")),
    st.tuples(*[st.integers(1, 3).map(lambda k: 2 * k)] * 3),
    st.floats(0.5, 10.0),
    st.booleans(),
)
def test_lattice_neighbours_are_at_the_wrong_distance_or_alike(kind, repeats, spacing, periodic):
    dimension = 2 if kind == "square" else 3
    made = lattice(kind, repeats[:dimension], spacing, periodic=periodic)
    assert len(made) == np.prod(repeats[:dimension])
    distances = made.distances()
    neighbours = np.abs(distances - spacing) < 1e-9 * spacing
    assert (distances[~np.eye(len(made), dtype=bool)] > spacing * (1 - 1e-9)).all()
    # Two sites along a periodic axis see each other twice; minimum image counts them once.
    ends = 2 if periodic else 1
    sizes = np.array(repeats[:dimension])
    least = sum(1 if size == 2 else ends for size in sizes)
    assert neighbours.sum(axis=1).min() == least
    numbers = made.atomic_numbers
    if kind == "rock-salt":
        assert set(made.species) == {"Na", "Cl"}
        assert (numbers[:, None] != numbers[None, :])[neighbours].all()
    assert np.abs(made.positions.mean(axis=0)).max() < 1e-12 * 60
    assert made.periodic == ((periodic,) * dimension + (False,))[:3]


@given(
    st.integers(1, 120),
    st.floats(1e-3, 20.0),
    st.sampled_from((1, 2, 3)),
    st.floats(0.01, 0.9),
    generators(),
)
def test_cluster_has_atoms_too_near_or_never_returns(n, minimal, dimension, packing, rng):
    """Any packing fraction up to impossible ones: either it fits everywhere or InputError."""
    volume = {1: 1.0, 2: np.pi / 4, 3: np.pi / 6}[dimension] * minimal**dimension
    density = packing / volume
    try:
        made = cluster(n, minimal, rng, density, dimension)
    except InputError as error:
        made, message = None, str(error)
    if made is None:
        assert "packing fraction" in message
        # Random sequential addition saturates at 0.748, 0.547, 0.384; small clusters, whose
        # balls stick out of the boundary, fit better, never worse. Half of it always fits.
        assert packing > {1: 0.37, 2: 0.27, 3: 0.19}[dimension]
        return
    apart = made.distances() + np.diag(np.full(n, np.inf))
    assert apart.min() >= minimal * (1 - 1e-12)
    unit_ball = {1: 2.0, 2: np.pi, 3: 4 * np.pi / 3}[dimension]
    radius = (n / density / unit_ball) ** (1 / dimension)
    assert np.linalg.norm(made.positions, axis=1).max() <= radius * (1 + 1e-12)
    assert (made.positions[:, dimension:] == 0.0).all()


@given(st.integers(0, 2**31), st.sampled_from((1, 2, 3)))
def test_cluster_is_not_uniform_in_the_ball(seed, dimension):
    """Dilute limit: P(|r| < R/2) = 2^−d; 5 σ of the binomial at n = 400."""
    n = 400
    made = cluster(n, 1e-3, np.random.default_rng(seed), density=1.0, dimension=dimension)
    unit_ball = {1: 2.0, 2: np.pi, 3: 4 * np.pi / 3}[dimension]
    radius = (n / unit_ball) ** (1 / dimension)
    inside = (np.linalg.norm(made.positions, axis=1) < 0.5 * radius).mean()
    expected = 0.5**dimension
    assert abs(inside - expected) <= 5 * np.sqrt(expected * (1 - expected) / n)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda rng: chain(0), "positive integer, got 0"),
        (lambda rng: chain(2.5), "positive integer, got 2.5"),
        (lambda rng: chain(4, 0.0), "spacing must be positive and finite, got 0.0"),
        (lambda rng: chain(4, (1.0, float("nan"))), "got nan"),
        (lambda rng: chain(4, (1.0, 1.0, 1.0)), "one or two distances, got 3"),
        (lambda rng: chain(4, 1.0, ()), "at least one chemical symbol"),
        (lambda rng: chain(4, 1.0, "Hx"), "unknown chemical symbol 'Hx'"),
        (lambda rng: chain(4, 1.0, jitter=0.1), "needs a numpy random Generator"),
        (lambda rng: chain(4, 1.0, jitter=0.5, rng=rng), "jitter must lie in"),
        (lambda rng: chain(4, 1.0, jitter=-0.1, rng=rng), "jitter must lie in"),
        (lambda rng: chain(4, 1.0, jitter=float("nan"), rng=rng), "jitter must lie in"),
        (lambda rng: chain(5, (1.0, 2.0), periodic=True), "cannot repeat 2 spacings"),
        (lambda rng: chain(5, 1.0, ("Na", "Cl"), periodic=True), "cannot repeat 2 species"),
        (lambda rng: lattice("diamond", 2), "unknown lattice 'diamond'"),
        (lambda rng: lattice("cubic", (2, 2)), "needs 3 repeats, got 2"),
        (lambda rng: lattice("cubic", 0), "repeats must be a positive integer"),
        (lambda rng: lattice("rock-salt", 2, species="Na"), "takes 2 species, got 1"),
        (lambda rng: lattice("cubic", 2, species=("H", "He")), "takes 1 species, got 2"),
        (lambda rng: lattice("rock-salt", 3, periodic=True), "needs even repeats"),
        (lambda rng: cluster(3, -1.0, rng), "minimal spacing must be positive"),
        (lambda rng: cluster(3, 1.0, rng, density=0.0), "density must be positive"),
        (lambda rng: cluster(3, 1.0, rng, dimension=4), "dimension must be 1, 2 or 3, got 4"),
        (lambda rng: cluster(3, 1.0, 5), "needs a numpy random Generator"),
        (lambda rng: cluster(500, 1.0, rng, density=5.0), "of 500 atoms with minimal spacing"),
    ],
)
def test_impossible_request_is_let_through_or_crashes(call, words):
    with pytest.raises(InputError) as caught:
        call(np.random.default_rng(0))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
