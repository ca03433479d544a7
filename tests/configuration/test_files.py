"""Failures hunted: tracebacks from broken files, wrong units, half-written output."""

import os
from pathlib import Path

import ase
import ase.build
import ase.io
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies.configurations import configurations, generators

from scc.configuration import (
    Configuration,
    chain,
    from_ase,
    lattice,
    read,
    to_ase,
    write,
    written_atomically,
)
from scc.errors import InputError
from scc.units import ANGSTROM, EV, KELVIN

EXAMPLES = Path(__file__).parents[2] / "examples"
shared_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome(path):
    """The configuration read, or None if refused in one line that names the path."""
    try:
        return read(path)
    except InputError as error:
        message = str(error)
    assert str(path) in message
    assert "\n" not in message
    return None


def reason(call):
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_units_are_not_codata():
    """CODATA 2018: a0 = 0.529177210903 Å, E_h = 27.211386245988 eV, E_h/k_B = 315775.024804 K.

    1e-9: ASE takes ħ, e, … as primary constants and derives these, rounding in the tenth digit."""
    assert pytest.approx(1 / 0.529177210903, rel=1e-9) == ANGSTROM
    assert pytest.approx(1 / 27.211386245988, rel=1e-9) == EV
    assert pytest.approx(1 / 315775.02480407, rel=1e-9) == KELVIN


@given(configurations())
def test_round_trip_through_ase_changes_the_configuration(configuration):
    returned = from_ase(to_ase(configuration))
    assert returned.species == configuration.species
    assert returned.periodic == configuration.periodic
    # One division and one multiplication: two roundings.
    np.testing.assert_allclose(returned.positions, configuration.positions, rtol=5e-16)
    if configuration.cell is None:
        assert returned.cell is None
    else:
        np.testing.assert_allclose(returned.cell, configuration.cell, rtol=5e-16)


def test_hydrogen_molecule_is_read_in_the_wrong_unit():
    molecule = from_ase(ase.Atoms("H2", positions=[[0, 0, 0], [0, 0, 0.529177210903]]))
    assert molecule.distances()[0, 1] == pytest.approx(1.0, rel=1e-9)


@shared_folder
@given(configurations(), st.sampled_from((".xyz", ".extxyz", ".traj", ".json")))
def test_round_trip_through_a_file_changes_the_configuration(tmp_path, configuration, suffix):
    path = tmp_path / f"structure{suffix}"
    write(path, configuration)
    returned = read(path)
    assert returned.species == configuration.species
    assert returned.periodic == configuration.periodic
    # Extended XYZ prints positions with eight decimals, in Å.
    np.testing.assert_allclose(returned.positions, configuration.positions, atol=1e-8 * ANGSTROM)
    assert sorted(entry.name for entry in tmp_path.iterdir() if entry != path) == [
        other.name for other in sorted(tmp_path.glob("structure*")) if other != path
    ], "a temporary file was left behind"


@given(st.sampled_from((".cif", ".vasp", ".cube", ".pdb", ".gen")), st.booleans())
def test_a_format_ase_reads_is_refused(tmp_path_factory, suffix, skew):
    """Formats with a cell; their names or contents tell the type."""
    crystal = ase.build.bulk("NaCl", "rocksalt", a=5.64, cubic=not skew)
    folder = tmp_path_factory.mktemp("formats")
    path = folder / f"structure{suffix}"
    formats = {".cif": "cif", ".vasp": "vasp", ".cube": "cube", ".pdb": "proteindatabank"}
    formats |= {".gen": "gen"}
    ase.io.write(path, crystal, format=formats[suffix])
    returned = read(path)
    assert sorted(returned.species) == sorted(crystal.get_chemical_symbols())
    assert returned.cell is not None
    # The formats keep at least three decimals.
    volume = abs(np.linalg.det(returned.cell)) / ANGSTROM**3
    assert volume == pytest.approx(crystal.get_volume(), rel=2e-3)


WATER = b"""3
Properties=species:S:1:pos:R:3 pbc="F F F"
O       0.00000000       0.00000000       0.11926200
H       0.00000000       0.76323900      -0.47704700
H       0.00000000      -0.76323900      -0.47704700
"""


@shared_folder
@given(st.integers(0, len(WATER) - 1), st.sampled_from((".xyz", ".extxyz")))
def test_truncated_file_crashes_or_loses_atoms(tmp_path, length, suffix):
    """Cut at every byte: a clear refusal, or three atoms (only digits of the last number cut)."""
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(WATER[:length])
    made = outcome(path)
    if made is not None:
        assert made.species == ("O", "H", "H")
        assert length > WATER.rindex(b"-0.4")


@shared_folder
@given(st.binary(max_size=400), st.sampled_from((".xyz", ".cif", ".traj", ".json", ".pdb", "")))
def test_garbage_crashes_the_reader(tmp_path, content, suffix):
    path = tmp_path / f"garbage{suffix}"
    path.write_bytes(content)
    outcome(path)


@shared_folder
@given(
    generators(),
    st.sampled_from((b"nan", b"inf", b"-inf", b"1e400", b"abc", b"", b"\xff", b"1e20")),
)
def test_one_broken_number_in_a_file_is_not_noticed(tmp_path, rng, value):
    tokens = [b"0.00000000", b"0.76323900", b"0.11926200"]
    token = tokens[rng.integers(3)]
    path = tmp_path / "broken.xyz"
    path.write_bytes(WATER.replace(token, value.rjust(3), 1))
    message = reason(lambda: read(path))
    assert str(path) in message


def test_missing_empty_folder_frame_or_name_gives_no_clear_line(tmp_path):
    missing, empty, text = (tmp_path / name for name in ("no.xyz", "empty.xyz", "a.txt"))
    empty.touch()
    text.write_text("this is no structure\n")
    good = tmp_path / "good.xyz"
    write(good, chain(3))
    zero = tmp_path / "zero.xyz"
    zero.write_text("0\n\n")
    overlap = tmp_path / "overlap.xyz"
    overlap.write_text("2\n\nH 0 0 0\nH 0 0 1e-9\n")
    assert reason(lambda: read(missing)) == f"cannot read {missing}: no such file"
    assert reason(lambda: read(tmp_path)) == f"cannot read {tmp_path}: not a file"
    assert reason(lambda: read(empty)) == f"cannot read {empty}: the file is empty"
    assert reason(lambda: read(text)).startswith(f"cannot read {text}: not a structure file")
    assert "at least one atom" in reason(lambda: read(zero))
    assert "atoms 0 (H) and 1 (H) are" in reason(lambda: read(overlap))
    assert str(good) in reason(lambda: read(good, index=5))


def test_frames_of_a_trajectory_are_mixed_up(tmp_path):
    path = tmp_path / "frames.xyz"
    ase.io.write(path, [to_ase(chain(n)) for n in (2, 3, 4)])
    assert [len(read(path, index)) for index in (0, 1, 2, -1)] == [2, 3, 4, 4]


def test_at_sign_in_a_name_is_taken_for_a_frame(tmp_path):
    path = tmp_path / "run@300.xyz"
    write(path, chain(2))
    assert len(read(path)) == 2


def test_extra_columns_are_not_written_or_are_misplaced(tmp_path):
    path = tmp_path / "charges.xyz"
    charges = np.array([0.25, -0.5, 0.25])
    write(path, chain(3), {"charge": charges, "gap": charges}, {"energy_hartree": -1.5})
    atoms = ase.io.read(path)
    np.testing.assert_allclose(atoms.arrays["gap"], charges, atol=1e-8)
    np.testing.assert_allclose(atoms.get_charges(), charges, atol=1e-8)
    assert atoms.info["energy_hartree"] == -1.5


def test_failed_write_leaves_half_a_file_or_destroys_the_old_one(tmp_path):
    path = tmp_path / "result.xyz"
    write(path, chain(3))
    before = path.read_bytes()
    assert str(path) in reason(lambda: write(path, chain(3), {"charge": np.zeros(2)}))

    def interrupted():
        with written_atomically(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_unwritable_output_gives_no_clear_line(tmp_path):
    taken = tmp_path / "taken.xyz"
    taken.mkdir()
    assert str(taken) in reason(lambda: write(taken, chain(2)))
    nowhere = tmp_path / "no" / "such" / "folder.xyz"
    assert reason(lambda: write(nowhere, chain(2))).endswith("No such file or directory")
    unknown = tmp_path / "name.unknown"
    assert "no file type of that name" in reason(lambda: write(unknown, chain(2)))
    assert list(tmp_path.iterdir()) == [taken]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_write_into_a_locked_folder_gives_no_clear_line(tmp_path):
    tmp_path.chmod(0o500)
    try:
        assert "Permission denied" in reason(lambda: write(tmp_path / "a.xyz", chain(2)))
    finally:
        tmp_path.chmod(0o700)


def test_water_heptamer_is_not_seven_water_molecules():
    heptamer = read(EXAMPLES / "water_heptamer.xyz")
    assert heptamer.species == ("O", "H", "H") * 7
    assert not any(heptamer.periodic)
    distances = heptamer.distances() / ANGSTROM
    bonded = (distances > 0.0) & (distances < 1.1)
    assert (bonded.sum(axis=1) == np.array([2, 1, 1] * 7)).all()
    hydrogen_bonds = (distances[::3] > 1.1) & (distances[::3] < 2.3)
    assert hydrogen_bonds.sum() == 10


def test_rock_salt_example_is_not_the_builders_lattice():
    crystal = read(EXAMPLES / "rock_salt.xyz")
    built = lattice("rock-salt", 4, 2.82 * ANGSTROM)
    assert isinstance(crystal, Configuration)
    assert crystal.species == built.species
    np.testing.assert_allclose(crystal.positions, built.positions, atol=1e-8 * ANGSTROM)


@given(
    st.sampled_from(["charge", "total_charge"]),
    st.floats(-5.0, 5.0),
    st.one_of(st.none(), st.floats(-5.0, 5.0)),
)
def test_a_charge_that_a_file_states_is_lost_in_silence(tmp_path_factory, name, stated, asked):
    path = tmp_path_factory.mktemp("charged") / "atom.xyz"
    path.write_text(f"1\n{name}={stated!r} Properties=species:S:1:pos:R:3\nH 0 0 0\n")
    if asked is None or abs(stated - asked) <= 1e-9:
        assert len(read(path, charge=asked)) == 1
    else:
        with pytest.raises(InputError, match=f"states {name}="):
            read(path, charge=asked)
    assert len(read(path, charge=stated)) == 1
    path.write_text(path.read_text().replace(repr(stated), "plenty"))
    with pytest.raises(InputError, match=f"{name}=plenty in it is not a number"):
        read(path, charge=0.0)
