"""Arrangements: copies must not touch, fragments must be whole, shifts must be what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.battery import DIMER, ROCKY

from scc.battery.arrangements import far_apart, fragments, pull, side_by_side, stretched
from scc.battery.structures import water
from scc.battery.subject import UnsupportedError
from scc.configuration import Configuration

UNITS = st.sampled_from([water(1), DIMER, ROCKY])


@given(unit=UNITS, copies=st.integers(1, 6))
def test_copies_are_copies_and_do_not_touch(unit, copies):
    grown = side_by_side(unit, copies)
    assert len(grown) == copies * len(unit)
    assert fragments(grown).max() + 1 == copies * (fragments(unit).max() + 1)
    for number in range(copies):
        part = grown.subset(range(number * len(unit), (number + 1) * len(unit)))
        assert part.distances() == pytest.approx(unit.distances(), abs=1e-10)


@given(one=UNITS, other=UNITS, distance=st.floats(50.0, 2000.0))
def test_far_fragments_are_as_far_as_asked(one, other, distance):
    both = far_apart(one, other, distance)
    first, second = both.positions[: len(one)], both.positions[len(one) :]
    assert np.linalg.norm(second.mean(axis=0) - first.mean(axis=0)) == pytest.approx(distance)


@given(factor=st.floats(0.5, 2.0))
def test_stretching_scales_all_distances(factor):
    assert stretched(DIMER, factor).distances() == pytest.approx(factor * DIMER.distances())


def test_pulling_moves_one_whole_fragment_away():
    direction = pull(DIMER)
    moved = np.linalg.norm(direction, axis=1)
    assert sorted(moved) == pytest.approx([0.0] * 3 + [1.0] * 3)
    assert len(set(fragments(DIMER)[moved > 0.5])) == 1
    # Away: no distance between the two gets smaller.
    before, after = DIMER.distances(), DIMER.displaced(3.0 * direction).distances()
    between = fragments(DIMER)[:, None] != fragments(DIMER)[None, :]
    assert np.all(after[between] > before[between])


def test_what_is_bonded_throughout_or_periodic_cannot_be_pulled():
    with pytest.raises(UnsupportedError, match="bonded throughout"):
        pull(water(1))
    crystal = Configuration(DIMER.species, DIMER.positions, 40.0 * np.eye(3), (True, True, True))
    for make in (pull, lambda c: side_by_side(c, 2), lambda c: far_apart(c, DIMER, 100.0)):
        with pytest.raises(UnsupportedError, match="periodic"):
            make(crystal)


@pytest.mark.parametrize("molecules", range(1, 7))
def test_water_is_water(molecules):
    cluster = water(molecules)
    assert fragments(cluster).max() + 1 == molecules
    assert np.array_equal(cluster.positions, water(molecules).positions)
    r = cluster.distances() + 100.0 * np.eye(len(cluster))
    oxygen = np.array(cluster.species) == "O"
    assert np.sort(r[oxygen][:, ~oxygen], axis=1)[:, :2] == pytest.approx(1.81, rel=0.08)
    if molecules > 1:
        assert np.min(r[np.ix_(oxygen, oxygen)]) == pytest.approx(2.9 / 0.529177, rel=0.05)
