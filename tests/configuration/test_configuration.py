"""Failures hunted: a wrong geometry let through or misnamed, images missed, aliased arrays."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import (
    cells,
    configurations,
    generators,
    periodic_configurations,
    rotations,
)

from scc.configuration import Configuration
from scc.configuration.configuration import COINCIDENCE
from scc.errors import InputError

# Distances and images are sums of a few products of numbers ≤ 100 bohr: rounding ~ 1e-14·100.
ROUNDING = 1e-11


def refused(*arguments):
    """The one-line message with which the configuration is refused."""
    with pytest.raises(InputError) as caught:
        Configuration(*arguments)
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message


@given(configurations(), generators(), st.sampled_from((np.nan, np.inf, -np.inf, 1e9)))
def test_bad_coordinate_is_named_by_atom_axis_and_value(configuration, rng, value):
    positions = configuration.positions.copy()
    atom, axis = rng.integers(len(configuration)), rng.integers(3)
    positions[atom, axis] = value
    message = refused(configuration.species, positions, configuration.cell, configuration.periodic)
    assert message.startswith(f"atom {atom}: coordinate {'xyz'[axis]} = {float(value)}")


@given(configurations(), generators(), st.sampled_from(("", "h", "Hx", "D", "NaCl", 1, None)))
def test_unknown_symbol_is_named_by_atom_and_symbol(configuration, rng, symbol):
    species = list(configuration.species)
    atom = rng.integers(len(species))
    species[atom] = symbol
    message = refused(tuple(species), configuration.positions)
    assert message == f"atom {atom}: unknown chemical symbol {symbol!r}"


@given(configurations(), generators(), st.floats(0.0, 0.99), st.integers(-2, 2))
def test_coincident_atoms_are_found_across_images(configuration, rng, fraction, image):
    """One more atom is put within 1e-6 of another one, possibly images away."""
    atom = int(rng.integers(len(configuration)))
    direction = rng.normal(size=3)
    extra = configuration.positions[atom] + fraction * COINCIDENCE * direction / np.linalg.norm(
        direction
    )
    if configuration.cell is not None:
        extra = extra + image * np.array(configuration.periodic) @ configuration.cell
    message = refused(
        (*configuration.species, "He"),
        np.vstack([configuration.positions, extra]),
        configuration.cell,
        configuration.periodic,
    )
    assert f"atoms {atom} " in message
    assert f"and {len(configuration)} (He)" in message


@given(configurations(), generators(), st.integers(-2, 2))
def test_atoms_just_apart_are_not_refused(configuration, rng, image):
    atom = int(rng.integers(len(configuration)))
    direction = rng.normal(size=3)
    extra = configuration.positions[atom] + 1.1e-6 * direction / np.linalg.norm(direction)
    if configuration.cell is not None:
        extra = extra + image * np.array(configuration.periodic) @ configuration.cell
    Configuration(
        (*configuration.species, "He"),
        np.vstack([configuration.positions, extra]),
        configuration.cell,
        configuration.periodic,
    )


@given(cells(), st.floats(-3.0, 3.0))
def test_coincidence_at_the_cell_boundary_is_not_lost_to_wrapping(cell, offset):
    """Fractional coordinates 0 − tiny and 1 + tiny wrap to opposite ends of the box."""
    for tiny in (0.0, 1e-20, 1e-17, 1e-9):
        positions = np.array([[tiny, offset, 0.0], [1.0 - tiny, offset, -tiny]]) @ cell
        assert "atoms 0 (H) and 1 (H)" in refused(("H", "H"), positions, cell, (True,) * 3)


@given(periodic_configurations())
def test_minimum_image_is_not_the_shortest_in_a_skew_cell(configuration):
    """Brute force over enough images: |n_i| ≤ |r|/height_i + 1 with |r| the longest candidate."""
    measured = configuration.displacements()
    if configuration.cell is None:
        pytest.fail("strategy must give a cell")
    raw = configuration.positions[None] - configuration.positions[:, None]
    cell, flags = configuration.cell, np.array(configuration.periodic)
    inverse = np.linalg.inv(cell)
    # Remove whole cells first: brute force then needs only images within the cell's own diameter.
    raw = raw - np.where(flags, np.round(raw @ inverse), 0.0) @ cell
    heights = 1.0 / np.linalg.norm(inverse, axis=0)
    reach = np.ceil(np.linalg.norm(cell, axis=1).sum() / heights).astype(int)
    reach = np.where(flags, np.minimum(reach, 12), 0)
    shortest = np.linalg.norm(raw, axis=-1)
    for image in itertools.product(*(range(-n, n + 1) for n in reach)):
        shortest = np.minimum(shortest, np.linalg.norm(raw + np.array(image) @ cell, axis=-1))
    lengths = configuration.distances()
    # Brute force is cut at 12 images, so it can only be too long, never too short.
    assert (lengths <= shortest + ROUNDING).all()
    # and what is returned must be an image of the right pair:
    multiples = (measured - (configuration.positions[None] - configuration.positions[:, None])) @ (
        inverse
    )
    assert np.abs(multiples - np.round(multiples)).max() < 1e-9
    assert np.abs(multiples[..., ~flags]).max(initial=0.0) < 1e-9


@given(configurations(), rotations(), generators())
def test_distances_change_under_rotation_translation_permutation(configuration, rotation, rng):
    before = configuration.distances()
    order = rng.permutation(len(configuration))
    moved = configuration.rotated(rotation).translated(rng.normal(size=3)).permuted(order)
    assert np.abs(moved.distances() - before[np.ix_(order, order)]).max() < ROUNDING
    assert moved.species == tuple(configuration.species[i] for i in order)
    assert (moved.atomic_numbers == configuration.atomic_numbers[order]).all()


@given(configurations())
def test_displacements_have_the_wrong_sign_or_are_not_antisymmetric(configuration):
    displacements = configuration.displacements()
    if not any(configuration.periodic):
        expected = configuration.positions[-1] - configuration.positions[0]
        assert (displacements[0, -1] == expected).all()
        assert (displacements == -np.swapaxes(displacements, 0, 1)).all()
    assert np.abs(np.diagonal(configuration.distances())).max() == 0.0


@given(configurations(), generators())
def test_caller_or_user_can_change_a_configuration_behind_its_back(configuration, rng):
    positions = configuration.positions.copy()
    cell = None if configuration.cell is None else configuration.cell.copy()
    made = Configuration(configuration.species, positions, cell, configuration.periodic)
    positions += 1.0
    assert made == configuration
    if cell is not None:
        cell *= 2.0
        assert made == configuration
    revived = (pickle.loads(pickle.dumps(made)), copy.deepcopy(made), copy.copy(made))
    for one in (made, *revived, made.subset(range(len(made)))):
        assert one == configuration
        with pytest.raises(ValueError, match="read-only"):
            one.positions[0, 0] = 7.0
        if one.cell is not None:
            with pytest.raises(ValueError, match="read-only"):
                one.cell[0, 0] = 7.0
    with pytest.raises(AttributeError):
        made.species = ("He",)
    shifted = made.displaced(rng.normal(size=(len(made), 3)))
    assert shifted != made
    assert made == configuration


@given(configurations(), generators())
def test_displaced_and_back_loses_more_than_rounding(configuration, rng):
    moves = 1e-3 * rng.normal(size=(len(configuration), 3))
    moved = configuration.displaced(moves)
    assert np.abs(moved.positions - configuration.positions - moves).max() < ROUNDING
    assert np.abs(moved.displaced(-moves).positions - configuration.positions).max() < ROUNDING


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (((), np.zeros((0, 3))), "at least one atom"),
        (("HH", np.zeros((2, 3))), "not the string 'HH'"),
        ((("H",), np.zeros(3)), "positions of 1 atoms must have shape (1, 3), got (3,)"),
        ((("H", "H"), np.zeros((1, 3))), "positions of 2 atoms must have shape (2, 3)"),
        ((("H",), np.zeros((1, 2))), "got (1, 2)"),
        ((("H",), [["a", "b", "c"]]), "not an array of numbers"),
        ((("H",), [[1.0, 2.0, 3.0], [1.0]]), "not an array of numbers"),
        ((("H",), [[1j, 0, 0]]), "complex"),
        ((("H",), None), "positions of 1 atoms"),
        ((("H",), np.zeros((1, 3)), None, (True, False, False)), "needs a cell, got none"),
        ((("H",), np.zeros((1, 3)), np.eye(2)), "cell must have shape (3, 3), got (2, 2)"),
        ((("H",), np.zeros((1, 3)), np.diag([1, 1, np.nan])), "cell vector 2: component z = nan"),
        ((("H",), np.zeros((1, 3)), np.diag([1, 1, 0]), (True,) * 3), "cell vector 2 is periodic"),
        ((("H",), np.zeros((1, 3)), np.diag([1, 1, 1e-7]), (True,) * 3), "1e-07 bohr long"),
        ((("H",), np.zeros((1, 3)), np.ones((3, 3)), (True,) * 3), "linearly dependent"),
        ((("H",), np.zeros((1, 3)), np.eye(3), (True, False)), "three true/false flags"),
        ((("H",), np.zeros((1, 3)), np.eye(3), True), "three true/false flags"),
        ((("H",), np.zeros((1, 3)), np.eye(3), (1, 0, 2)), "three true/false flags"),
    ],
)
def test_malformed_input_is_let_through_or_crashes(arguments, words):
    assert words in refused(*arguments)


@given(configurations(), generators())
def test_helpers_accept_what_they_must_refuse(configuration, rng):
    m = len(configuration)
    for call in (
        lambda: configuration.rotated(np.eye(3) * (1 + 1e-6)),
        lambda: configuration.rotated(np.full((3, 3), np.nan)),
        lambda: configuration.rotated(np.eye(2)),
        lambda: configuration.translated([np.nan, 0.0, 0.0]),
        lambda: configuration.translated([0.0, 0.0]),
        lambda: configuration.displaced(np.zeros((m + 1, 3))),
        lambda: configuration.permuted(range(m + 1)),
        lambda: configuration.permuted([0] * (m + 1)),
        lambda: configuration.subset([]),
        lambda: configuration.subset([m]),
        lambda: configuration.subset([-1]),
        lambda: configuration.subset([0, 0]),
    ):
        with pytest.raises(InputError):
            call()


def test_open_direction_with_a_cell_vector_is_wrapped():
    """A slab: atoms far apart along the open axis stay far apart."""
    cell = np.diag([3.0, 3.0, 4.0])
    slab = Configuration(("H", "H"), [[0, 0, 0], [2.9, 0, 8.0]], cell, (True, True, False))
    assert slab.displacements()[0, 1] == pytest.approx([-0.1, 0.0, 8.0], abs=1e-12)
