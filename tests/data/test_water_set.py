"""The water set says what its README says: moments add up, splits share no trajectory."""

from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from ase.units import Bohr

FOLDER = Path(__file__).resolve().parents[2] / "data" / "water"
FILES = ("train_first", "train", "test")


def _frames(name):
    return read(FOLDER / f"{name}.xyz", ":")


@pytest.mark.parametrize("name", FILES)
def test_charges_and_moments_add_up(name) -> None:
    for atoms in _frames(name):
        charge = atoms.arrays["ref_charge"]
        moments = charge[:, None] * atoms.positions / Bohr + atoms.arrays["ref_atomic_dipole"]
        # Integration grid of level 3: a few 1e-6 e an atom, which count at the atom's distance.
        grid = 1e-5 * np.sum(1.0 + np.linalg.norm(atoms.positions, axis=1) / Bohr)
        assert abs(charge.sum()) < 1e-5 * len(atoms)
        assert np.allclose(moments.sum(axis=0), atoms.info["ref_dipole"], rtol=0.0, atol=grid)
        quadrupole = atoms.arrays["ref_atomic_quadrupole"].reshape(-1, 3, 3)
        assert np.allclose(np.trace(quadrupole, axis1=1, axis2=2), 0.0, atol=1e-7)
        assert np.allclose(quadrupole, quadrupole.transpose(0, 2, 1), atol=1e-7)


@pytest.mark.parametrize("name", FILES)
def test_isolated_clusters_feel_no_net_force(name) -> None:
    for atoms in _frames(name):
        if "external_charges" not in atoms.info:
            # The quadrature grid moves with the atoms and its response is left out: meV/Å.
            assert np.max(np.abs(atoms.arrays["ref_forces"].sum(axis=0))) < 0.02


def test_no_trajectory_is_in_both_splits() -> None:
    used = {name: {atoms.info["trajectory"] for atoms in _frames(name)} for name in FILES[1:]}
    assert not used["train"] & used["test"]


def test_frames_with_external_charges_say_which() -> None:
    for atoms in _frames("train"):
        charged = atoms.info["kind"] in ("field", "charges")
        assert charged == ("external_charges" in atoms.info)
        if charged:
            assert np.size(atoms.info["external_charges"]) % 4 == 0
