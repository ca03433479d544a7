"""Labelled clusters: what is read is what was written, and nothing wrong is read."""

import re
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from scc.ace.reference_frame import racah_multipoles, reference_frame
from scc.ace.reference_set import ReferenceSet, read_reference_set
from scc.basis.solid_harmonics import solid_harmonic_shells
from scc.errors import InputError
from scc.units import ANGSTROM, EV

WATER = Path(__file__).resolve().parents[2] / "data" / "water"
FIRST = WATER / "train_first.xyz"
FRAMES = ase.io.read(FIRST, ":12")


def _text(number: int) -> list[str]:
    """Lines of the first frames of the training set."""
    lines = FIRST.read_text().splitlines()
    start, taken = 0, []
    for _ in range(number):
        end = start + 2 + int(lines[start])
        taken += lines[start:end]
        start = end
    return taken


def _refused(tmp_path: Path, lines: list[str]) -> str:
    path = tmp_path / "set.xyz"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as caught:
        read_reference_set(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def _written(tmp_path: Path, frames: list) -> Path:
    path = tmp_path / "set.xyz"
    ase.io.write(path, frames, format="extxyz")
    return path


def test_numbers_of_the_file_in_atomic_units() -> None:
    atoms = FRAMES[3]
    frame = reference_frame(atoms, "three", "file")
    assert np.allclose(frame.configuration.positions, atoms.positions * ANGSTROM, rtol=1e-15)
    assert frame.energy == pytest.approx(atoms.info["ref_energy"] * EV, rel=1e-15)
    assert np.allclose(frame.forces, atoms.arrays["ref_forces"] * EV / ANGSTROM, rtol=1e-14)
    # ρ − ν, electrons positive. The label's dipole is that of the integration grid to 1e-5.
    assert np.allclose(frame.dipole, -atoms.info["ref_dipole"], rtol=0.0, atol=1e-3)
    assert np.array_equal(frame.multipoles[:, 0], -atoms.arrays["ref_charge"])


@given(st.integers(0, 2**32 - 1))
def test_racah_components_are_moments_of_solid_harmonics(seed: int) -> None:
    """Point charges have p_λµ = Σ q R_λµ(x), and Θ = Σ q (3/2 x x − ½ r²)."""
    rng = np.random.default_rng(seed)
    charges, points = rng.normal(size=5), rng.normal(size=(5, 3))
    second = np.einsum("k,ka,kb->ab", charges, points, points)
    traceless = 1.5 * second - 0.5 * np.trace(second) * np.eye(3)
    found = racah_multipoles(np.array([charges.sum()]), (charges @ points)[None], traceless[None])[
        0
    ]
    expected = np.concatenate([s @ charges for s in solid_harmonic_shells(2, *points.T)])
    assert np.allclose(found, expected, rtol=0.0, atol=1e-13)


def test_the_whole_training_set_is_read() -> None:
    frames = read_reference_set([FIRST, WATER / "train.xyz"]).frames
    assert len(frames) >= 182
    assert {"thermal", "pair", "field"} <= {frame.kind for frame in frames}
    for frame in frames:
        assert (frame.external is not None) == (frame.kind in ("field", "charges"))
        assert all(np.bincount(frame.molecules) == 3)


def test_external_charges_turn_clusters_as_the_labelled_forces_do() -> None:
    """A field 𝓔 turns a neutral cluster with µ × 𝓔 = Σ r × F: forces, moments and external charges
    share units and signs. Grids leave 1e-3 hartree of torque, fields make ten times that."""
    torques, expected = [], []
    for frame in read_reference_set(WATER / "train.xyz").frames:
        if frame.kind != "field":
            continue
        far = frame.external
        assert far is not None
        positions = frame.configuration.positions
        distance = np.linalg.norm(far.positions, axis=1)[:, None]
        field = np.sum(far.charges[:, None] * far.positions / distance**3, axis=0)
        torques.append(np.sum(np.cross(positions, frame.forces), axis=0))
        expected.append(np.cross(-frame.dipole, field))
    assert len(torques) >= 2
    error = np.array(torques) - np.array(expected)
    assert np.linalg.norm(error) < 0.1 * np.linalg.norm(expected)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("number", [2, 5])
def test_no_trajectory_is_torn_apart_by_folds(number: int, seed: int) -> None:
    whole = read_reference_set([FIRST, WATER / "train.xyz"])
    folds = whole.folds(number, seed)
    assert sorted(np.concatenate(folds)) == list(range(len(whole)))
    for fold in folds:
        inside = {f.group for f in whole.subset(fold).frames}
        outside = {f.group for f in whole.without(fold).frames}
        assert not inside & outside
    trajectories = {
        (f.group, round(float(a.info["temperature_K"]), 1))
        for f, a in zip(whole.frames, ase.io.read(FIRST, ":"), strict=False)
    }
    assert len(trajectories) == len({group for group, _ in trajectories})


@pytest.mark.parametrize("number", [0, 1, 1000])
def test_impossible_numbers_of_folds_are_refused(number: int) -> None:
    with pytest.raises(InputError, match=str(number)):
        read_reference_set(FIRST).folds(number)


def test_equal_sets_have_equal_digests_and_others_not(tmp_path: Path) -> None:
    path = _written(tmp_path, FRAMES)
    whole = read_reference_set(path)
    moved = path.rename(tmp_path / "other.xyz")
    assert read_reference_set(moved).digest() == whole.digest()
    changed = [atoms.copy() for atoms in FRAMES]
    changed[5].arrays["ref_charge"][0] += 2e-8  # eight decimals are written
    assert read_reference_set(_written(tmp_path, changed)).digest() != whole.digest()
    assert whole.subset(range(1, len(whole))).digest() != whole.digest()


@pytest.mark.parametrize("part", ["energy", "forces", "multipoles", "external", "place", "gone"])
def test_a_digest_covers_all_that_a_fit_sees(part: str) -> None:
    charged = [f for f in read_reference_set(WATER / "train.xyz").frames if f.external is not None]
    frame, other = charged[:2]
    assert frame.external is not None
    before = ReferenceSet((frame, other)).digest()
    if part == "external":
        frame.external.charges[0] *= 1.0 + 1e-15
    elif part == "place":
        frame.external.positions[0, 2] *= 1.0 + 1e-15
    elif part == "gone":
        frame = replace(frame, external=None)
    else:
        frame = replace(frame, **{part: getattr(frame, part) * (1.0 + 1e-15)})
    assert ReferenceSet((frame, other)).digest() != before


def test_a_set_that_gained_responses_has_another_digest(tmp_path: Path) -> None:
    labelled = [atoms for atoms in FRAMES if "ref_charge_response" in atoms.arrays][:2]
    whole = read_reference_set(_written(tmp_path, labelled)).digest()
    changed, without = ([atoms.copy() for atoms in labelled] for _ in range(2))
    changed[1].arrays["ref_atomic_dipole_response"][0, 0] += 2e-8
    for name in [name for name in without[1].arrays if name.endswith("_response")]:
        del without[1].arrays[name]
    found = {read_reference_set(_written(tmp_path, one)).digest() for one in (changed, without)}
    assert len(found | {whole}) == 3


@given(st.integers(1, len("\n".join(_text(3))) - 2))
def test_truncated_files_are_refused_or_end_between_frames(length: int) -> None:
    """Cut anywhere: a clear error, or exactly the frames that are whole."""
    import tempfile

    text = "\n".join(_text(3))[:length]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "set.xyz"
        path.write_text(text)
        try:
            found = read_reference_set(path)
        except InputError as error:
            message = str(error)
        else:
            message = ""
    if message:
        assert re.fullmatch(re.escape(str(path)) + ", frame [012]: .*", message)
        return
    whole = read_reference_set(FIRST).frames[: len(found)]
    for frame, other in zip(found.frames, whole, strict=True):
        assert frame.configuration == other.configuration
        assert np.allclose(frame.multipoles, other.multipoles, rtol=0.0, atol=1e-3)


@pytest.mark.parametrize(
    "garbage", ["\x00\x01\x02" * 50, "3\n", "hello world\n", "-1\nx\n", "2\nProperties=\nO 0 0 0\n"]
)
def test_garbage_is_refused(tmp_path: Path, garbage: str) -> None:
    _refused(tmp_path, [garbage])


def test_missing_and_empty_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_reference_set(tmp_path / "nowhere.xyz")
    (tmp_path / "empty.xyz").touch()
    with pytest.raises(InputError, match="empty"):
        read_reference_set(tmp_path / "empty.xyz")
    with pytest.raises(InputError, match="no reference files"):
        read_reference_set([])


@pytest.mark.parametrize(
    "key", ["ref_forces", "ref_charge", "ref_atomic_dipole", "ref_atomic_quadrupole"]
)
@pytest.mark.parametrize("value", [None, np.nan, np.inf])
def test_a_column_that_is_missing_or_not_finite_is_named(tmp_path: Path, key, value) -> None:
    frames = [atoms.copy() for atoms in FRAMES[:3]]
    if value is None:
        del frames[1].arrays[key]
    else:
        frames[1].arrays[key].flat[1] = value
    path = _written(tmp_path, frames)
    with pytest.raises(InputError, match=f"frame 1: .*{key}"):
        read_reference_set(path)


@pytest.mark.parametrize("key", ["ref_energy", "ref_dipole"])
@pytest.mark.parametrize("value", [None, np.nan, "many", [1.0, 2.0]])
def test_a_label_that_is_missing_or_not_a_number_is_named(tmp_path: Path, key, value) -> None:
    frames = [atoms.copy() for atoms in FRAMES[:3]]
    if value is None:
        del frames[2].info[key]
    else:
        frames[2].info[key] = value
    path = _written(tmp_path, frames)
    with pytest.raises(InputError, match=f"frame 2: {key}"):
        read_reference_set(path)


def _scaled(key: str, factor: float):
    def change(atoms) -> None:
        if key == "positions":
            atoms.positions *= factor
        elif key in atoms.arrays:
            atoms.arrays[key] *= factor
        else:
            atoms.info[key] = np.asarray(atoms.info[key]) * factor

    return change


_TO_BOHR, _DEBYE = 1.8897261, 2.541746
WRONG_UNITS = {
    "positions in bohr": (_scaled("positions", _TO_BOHR), "nearest O"),
    "positions in nm": (_scaled("positions", 0.1), "nearest O"),
    "energy in Hartree": (_scaled("ref_energy", 1 / 27.211386), "ref_energy"),
    "energy in kcal/mol": (_scaled("ref_energy", 23.06), "ref_energy"),
    "forces in Hartree/bohr": (_scaled("ref_forces", 1 / 51.42), "ref_forces|eV/Å"),
    "forces in kcal/mol/Å": (_scaled("ref_forces", 23.06), "ref_forces|eV/Å"),
    "gradients": (_scaled("ref_forces", -1.0), "gradients"),
    "dipole in Debye": (_scaled("ref_dipole", _DEBYE), "ref_dipole"),
    "atomic dipoles in e Å": (_scaled("ref_atomic_dipole", 1 / _TO_BOHR), "ref_dipole"),
    "charges of electrons": (_scaled("ref_charge", -1.0), "ref_dipole"),
}


@pytest.mark.parametrize("case", WRONG_UNITS)
def test_wrong_units_are_found(tmp_path: Path, case: str) -> None:
    change, words = WRONG_UNITS[case]
    frames = [atoms.copy() for atoms in FRAMES]
    for atoms in frames:
        change(atoms)
    with pytest.raises(InputError, match=words):
        read_reference_set(_written(tmp_path, frames))


def test_all_moments_of_the_other_sign_are_found(tmp_path: Path) -> None:
    frames = [atoms.copy() for atoms in FRAMES]
    for atoms in frames:
        for key in ("ref_charge", "ref_atomic_dipole", "ref_dipole"):
            _scaled(key, -1.0)(atoms)
    with pytest.raises(InputError, match="electrons"):
        read_reference_set(_written(tmp_path, frames))


def test_charged_clusters_are_refused(tmp_path: Path) -> None:
    frames = [atoms.copy() for atoms in FRAMES[:2]]
    frames[1].arrays["ref_charge"][0] += 1.0
    with pytest.raises(InputError, match=r"frame 1: ref_charge adds up to 1"):
        read_reference_set(_written(tmp_path, frames))


def test_second_moments_with_their_trace_are_refused(tmp_path: Path) -> None:
    frames = [atoms.copy() for atoms in FRAMES[:2]]
    frames[0].arrays["ref_atomic_quadrupole"][0, [0, 4, 8]] += 1.0
    with pytest.raises(InputError, match=r"frame 0: ref_atomic_quadrupole of atom 0"):
        read_reference_set(_written(tmp_path, frames))


@pytest.mark.parametrize("symbol", ["N", "Cl", "X"])
def test_other_elements_are_refused(tmp_path: Path, symbol: str) -> None:
    frames = [FRAMES[0].copy()]
    frames[0].symbols[0] = symbol
    with pytest.raises(InputError, match=f"frame 0: atom 0 is {symbol}"):
        read_reference_set(_written(tmp_path, frames))


def test_what_is_no_water_molecule_is_refused(tmp_path: Path) -> None:
    hydroxide = FRAMES[0].copy()
    del hydroxide[1]
    with pytest.raises(InputError, match="not water molecules"):
        read_reference_set(_written(tmp_path, [hydroxide]))
    transferred = FRAMES[0].copy()
    transferred.positions[1] = transferred.positions[3] + [0.0, -0.9, 0.3]
    with pytest.raises(InputError, match=re.escape("(O) has")):
        read_reference_set(_written(tmp_path, [transferred]))


def test_periodic_frames_are_refused(tmp_path: Path) -> None:
    atoms = FRAMES[0].copy()
    atoms.set_cell([20.0, 20.0, 20.0])
    atoms.pbc = True
    with pytest.raises(InputError, match="periodic"):
        read_reference_set(_written(tmp_path, [atoms]))


def test_a_frame_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = _written(tmp_path, FRAMES[:2])
    with pytest.raises(InputError, match="same frame"):
        read_reference_set([path, path])


@given(st.integers(0, 2**32 - 1))
def test_turned_labels_give_turned_multipoles(seed: int) -> None:
    """Cartesian labels turned with the atoms: Racah components turn by Wigner's matrices, whose
    blocks are orthogonal, so each norm stays and charges do not move."""
    rng = np.random.default_rng(seed)
    turn = Rotation.random(random_state=rng.integers(2**31)).as_matrix()
    atoms = FRAMES[2].copy()
    before = reference_frame(atoms, "", "")
    atoms.positions = atoms.positions @ turn.T
    atoms.info["ref_dipole"] = turn @ atoms.info["ref_dipole"]
    for key in ("ref_forces", "ref_atomic_dipole"):
        atoms.arrays[key] = atoms.arrays[key] @ turn.T
    theta = atoms.arrays["ref_atomic_quadrupole"].reshape(-1, 3, 3)
    atoms.arrays["ref_atomic_quadrupole"] = (turn @ theta @ turn.T).reshape(-1, 9)
    after = reference_frame(atoms, "", "")
    assert np.array_equal(after.multipoles[:, 0], before.multipoles[:, 0])
    for part in (slice(1, 4), slice(4, 9)):
        # Labels have eight decimals.
        assert np.allclose(
            np.linalg.norm(after.multipoles[:, part], axis=1),
            np.linalg.norm(before.multipoles[:, part], axis=1),
            rtol=0.0,
            atol=1e-7,
        )


def _with_responses(number: int) -> list:
    found = [a for a in ase.io.read(FIRST, ":") if "ref_charge_response" in a.arrays]
    return [atoms.copy() for atoms in found[:number]]


def test_responses_of_the_set_are_polarisabilities_of_water() -> None:
    """Symmetric, and 6 to 9 bohr³ a molecule in this basis, hydrogen bonds included."""
    frames = [f for f in read_reference_set(FIRST).frames if f.polarisation is not None]
    assert len(frames) >= 20
    for frame in frames:
        assert frame.polarisation is not None
        changes = np.moveaxis(frame.polarisation, 2, 0)
        moments = [
            p[:, 0] @ frame.configuration.positions + p[:, [3, 1, 2]].sum(axis=0) for p in changes
        ]
        alpha = -np.array(moments)
        # The integration grid is good to 1e-5 of each electron.
        assert np.allclose(alpha, alpha.T, rtol=0.0, atol=3e-3)
        assert np.all(np.abs(changes[:, :, 0].sum(axis=1)) < 1e-3)
        assert 6.0 < np.trace(alpha) / 3.0 / frame.n_molecules < 9.0


@pytest.mark.parametrize("axis", range(3))
def test_a_response_is_the_change_of_the_multipoles(axis: int) -> None:
    """Moments as they are in a field of 0.01 along ``axis``, whose component runs fastest."""
    (atoms,) = _with_responses(1)
    before, after = reference_frame(atoms, "before", "file"), atoms.copy()
    for name in ("ref_charge", "ref_atomic_dipole", "ref_atomic_quadrupole"):
        change = atoms.arrays[f"{name}_response"].reshape(*atoms.arrays[name].shape, 3)
        after.arrays[name] = atoms.arrays[name] + 0.01 * change[..., axis]
    charge, dipole = after.arrays["ref_charge"], after.arrays["ref_atomic_dipole"]
    after.info["ref_dipole"] = charge @ atoms.positions * ANGSTROM + dipole.sum(axis=0)
    change = reference_frame(after, "after", "file").multipoles - before.multipoles
    assert before.polarisation is not None
    assert np.allclose(before.polarisation[:, :, axis], change / 0.01, rtol=0.0, atol=1e-11)


@pytest.mark.parametrize("key", ["charge", "atomic_dipole", "atomic_quadrupole"])
@pytest.mark.parametrize("value", [None, np.nan])
def test_a_response_that_is_missing_or_not_finite_is_named(tmp_path: Path, key, value) -> None:
    frames, name = _with_responses(2), f"ref_{key}_response"
    if value is None:
        del frames[1].arrays[name]
    else:
        frames[1].arrays[name][0, 0] = value
    with pytest.raises(InputError, match=f"frame 1: .*{name}"):
        read_reference_set(_written(tmp_path, frames))


@pytest.mark.parametrize(("factor", "words"), [(-1.0, "sign"), (2.0, "adds up|sign")])
def test_responses_that_contradict_each_other_are_refused(tmp_path: Path, factor, words) -> None:
    frames = _with_responses(1)
    names = [f"ref_{k}_response" for k in ("charge", "atomic_dipole", "atomic_quadrupole")]
    for name in names:
        frames[0].arrays[name] = frames[0].arrays[name] * (factor if factor < 0.0 else 1.0)
    if factor > 0.0:
        frames[0].arrays[names[0]][0] *= factor
    with pytest.raises(InputError, match=words):
        read_reference_set(_written(tmp_path, frames))
