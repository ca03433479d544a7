"""Charges made from the reference's multipoles: what they keep, and what they are made from."""

from pathlib import Path

import numpy as np
import pytest

from scc.ace.reference_set import read_reference_set
from scc.errors import InputError
from scc.schemes.reference_charges import reference_charges, reference_response

WATER = Path(__file__).parents[2] / "data" / "water"


@pytest.fixture(scope="module")
def frames():
    return read_reference_set(WATER / "test.xyz").frames


def test_every_molecule_keeps_its_charge_and_gets_its_dipole_in_its_plane(frames):
    for frame in frames:
        charges = reference_charges(frame)
        cells = reference_charges(frame, "partition")
        np.testing.assert_array_equal(cells, -frame.multipoles[:, 0])
        for molecule in range(frame.n_molecules):
            own = frame.molecules == molecule
            assert np.sum(charges[own]) == pytest.approx(np.sum(cells[own]), abs=1e-12)
            x = frame.configuration.positions[own]
            dipole = cells[own] @ x - np.sum(frame.multipoles[own][:, [3, 1, 2]], axis=0)
            normal = np.cross(x[1] - x[0], x[2] - x[0])
            missing = dipole - charges[own] @ x
            missing -= normal * (normal @ missing) / (normal @ normal)
            assert np.max(np.abs(missing)) < 1e-10


def test_the_cells_have_dipoles_of_the_wrong_sign_and_these_charges_do_not(frames):
    """Why the charges of the data are not those the schemes are trained on."""
    single = [frame for frame in frames if frame.n_molecules == 1 and frame.external is None]
    assert single
    for frame in single:
        x, dipole = frame.configuration.positions, -frame.dipole
        assert (reference_charges(frame, "partition") @ x) @ dipole < 0.0
        assert np.linalg.norm(reference_charges(frame) @ x - dipole) < 0.05


def test_responses_are_made_like_the_charges():
    frame = next(
        frame
        for frame in read_reference_set(WATER / "train_first.xyz").frames
        if frame.polarisation is not None
    )
    found = reference_response(frame)
    assert found.shape == (len(frame.configuration), 3)
    # A field pushes positive charge along itself: the polarisability of these charges is positive.
    assert np.all(np.diag(frame.configuration.positions.T @ found) > 0.0)


def test_an_unknown_kind_is_refused(frames):
    with pytest.raises(InputError, match="dipole or partition, not 'mulliken'"):
        reference_charges(frames[0], "mulliken")
