"""Boxes of the benchmarks: no fewer atoms than asked, and liquid water in any of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.scripts import script

water_boxes = script("benchmarks/water_boxes.py")


@given(atoms=st.integers(1, 10**7))
def test_a_box_has_no_fewer_atoms_than_asked_and_hardly_more(atoms):
    a, b, c = water_boxes.edges_for(atoms)
    assert 3 * a * b * c >= atoms
    assert a >= b >= c >= a - 1
    # With one edge shorter it would not do.
    assert atoms <= 3 or 3 * (a * b * c) * (a - 1) < atoms * a


def test_a_hundred_thousand_atoms_are_at_least_that():
    assert water_boxes.edges_for(100_000) == (33, 32, 32)
    assert 3 * 33 * 32 * 32 == 101_376
    assert water_boxes.edges_for(24_000) == (20, 20, 20)


def test_an_oblong_box_holds_liquid_water_and_a_cube_is_what_it_was():
    box = water_boxes.water_box((3, 2, 2))
    assert len(box) == 36
    assert box.species[:4] == ("O", "H", "H", "O")
    density = 12 / np.linalg.det(box.cell)
    assert density == pytest.approx(0.0334 / water_boxes.ANGSTROM**3)
    # Oxygens near their places, which fill the cell once.
    spacing = box.cell[2, 2] / 2
    places = np.rint(box.positions[::3] / spacing).astype(int)
    assert len({tuple(place) for place in places}) == 12
    assert np.array_equal(places.max(axis=0), [2, 1, 1])
    cube = water_boxes.water_box(2)
    assert np.array_equal(cube.positions, water_boxes.water_box((2, 2, 2)).positions)
