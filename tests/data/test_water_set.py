"""The water set says what its README says: moments add up, splits share no trajectory."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from ase.units import Bohr

FOLDER = Path(__file__).resolve().parents[2] / "data" / "water"
FILES = ("train_first", "train", "test")
README = (FOLDER / "README.md").read_text()


def _plan():
    spec = importlib.util.spec_from_file_location("water_plan", FOLDER / "plan.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    return module.frames()


def _frames(name):
    return read(FOLDER / f"{name}.xyz", ":")


@pytest.mark.parametrize("name", FILES)
def test_charges_and_moments_add_up(name) -> None:
    pattern = r"zero within (\S+) e, and .* total dipole within (\S+) e·bohr"
    charge_limit, dipole_limit = map(float, re.search(pattern, README).groups())
    for atoms in _frames(name):
        charge = atoms.arrays["ref_charge"]
        moments = charge[:, None] * atoms.positions / Bohr + atoms.arrays["ref_atomic_dipole"]
        # Integration grid of level 3: a few 1e-6 e an atom, which count at the atom's distance.
        grid = 1e-5 * np.sum(1.0 + np.linalg.norm(atoms.positions, axis=1) / Bohr)
        assert abs(charge.sum()) < min(1e-5 * len(atoms), charge_limit)
        assert np.allclose(moments.sum(axis=0), atoms.info["ref_dipole"], rtol=0.0, atol=grid)
        assert np.max(np.abs(moments.sum(axis=0) - atoms.info["ref_dipole"])) < dipole_limit
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


def test_readme_counts_the_frames() -> None:
    rows = re.findall(r"^\| `(\w+)\.xyz` \| (\d+) \|", README, re.MULTILINE)
    printed = {name: int(number) for name, number in rows}
    assert printed == {name: len(_frames(name)) for name in (*FILES, "far_field")}
    assert f"the {printed['train_first'] + printed['train']} frames of the first two" in README
    assert f"all {len(_plan())} frames of the plan" in README
    train, test = ([atoms.info["kind"] for atoms in _frames(name)] for name in ("train", "test"))
    beside = train.count("field") + train.count("charges")
    assert (
        f"{train.count('thermal')} thermal clusters of 1–6, {train.count('pair')} pairs of "
        f"fragments 5–12 Å apart, {beside} clusters beside external charges"
    ) in README
    assert f"{test.count('thermal')} thermal clusters of 1–6 and 8" in README
    assert f"molecules, {test.count('pair')} pairs" in README


def test_readme_says_what_responses_are() -> None:
    """Σ(dq/dE r + dµ/dE) is a polarisability: symmetric, and about that of a water molecule each
    (9.9 bohr³ measured; this basis has no diffuse functions and finds less)."""
    found = [atoms for atoms in _frames("train_first") if "ref_charge_response" in atoms.arrays]
    assert f"; {len(found)} with responses" in README
    assert f"in {len(found)} frames of" in README
    for atoms in found:
        charge = atoms.arrays["ref_charge_response"]
        dipole = atoms.arrays["ref_atomic_dipole_response"].reshape(-1, 3, 3)
        quadrupole = atoms.arrays["ref_atomic_quadrupole_response"].reshape(-1, 3, 3, 3)
        alpha = np.einsum("ma,mb->ab", atoms.positions / Bohr, charge) + dipole.sum(axis=0)
        assert np.allclose(alpha, alpha.T, rtol=0.0, atol=1e-3)
        assert 5.0 < np.trace(alpha) / 3.0 / (len(atoms) // 3) < 10.0
        assert np.allclose(charge.sum(axis=0), 0.0, atol=1e-3)
        assert np.allclose(np.einsum("maab->mb", quadrupole), 0.0, atol=1e-5)
        assert np.allclose(quadrupole, quadrupole.transpose(0, 2, 1, 3), atol=1e-6)
