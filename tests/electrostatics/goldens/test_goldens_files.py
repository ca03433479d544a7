"""Golden files: shipped is what the code computes; what is broken is refused in one line."""

import copy
import json
import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc.electrostatics.goldens import SYSTEMS, compute, load
from scc.electrostatics.goldens.decimal_json import dumps, loads
from scc.electrostatics.goldens.files import is_complete
from scc.errors import InputError

DATA = Path(__file__).parent / "data"
QUICK = ("wigner_fcc", "nacl", "water_dimer", "far_apart", "near_coincident", "yukawa_open")
TEXT = (DATA / "uniform_field.json").read_text()


def test_every_system_is_shipped_and_nothing_else():
    assert {path.stem for path in DATA.iterdir()} == set(SYSTEMS)
    for name, system in SYSTEMS.items():
        assert is_complete(DATA / f"{name}.json", system), name
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 1_000_000


@pytest.mark.parametrize("name", QUICK)
def test_what_is_shipped_is_what_is_computed(name):
    assert loads((DATA / f"{name}.json").read_text()) == compute(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SYSTEMS if name not in QUICK])
def test_all_that_is_shipped_is_what_is_computed(name):
    assert loads((DATA / f"{name}.json").read_text()) == compute(name)


@pytest.mark.parametrize("name", SYSTEMS)
def test_inputs_are_exact_in_double_precision(name):
    document = loads((DATA / f"{name}.json").read_text())

    def numbers(value):
        if isinstance(value, list):
            return [number for entry in value for number in numbers(entry)]
        return [value]

    for key in ("positions", "widths", "multipoles"):
        for number in numbers(document[key]):
            assert Decimal(float(number)) == number


@pytest.mark.parametrize("name", SYSTEMS)
def test_energy_is_half_of_the_potential_energy_plus_the_external_one(name):
    golden = load(DATA / f"{name}.json")
    work = np.sum(golden.multipoles * golden.potential)  # ½ Σ p V_own counted twice, external once
    scale = 1e-14 * np.sum(np.abs(golden.multipoles * golden.potential))  # rounding of this sum
    assert abs(golden.energy - 0.5 * (work + golden.external_energy)) <= scale


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_whole_feels_no_force_of_its_own(name):
    golden = load(DATA / f"{name}.json")
    charge = np.sum(golden.multipoles[:, 0])
    total = golden.forces.sum(axis=0)
    if golden.external_field is not None:
        total = total - charge * golden.external_field
    if not len(golden.external_charges):
        assert np.all(np.abs(total) <= 1e-14 * max(1.0, np.abs(golden.forces).sum()))


def test_numbers_without_a_value_are_named_so():
    golden = load(DATA / "nacl.json")
    assert math.isinf(golden.surface_permittivity)
    assert golden.external_field is None
    assert golden.external_charges.shape == (0,)
    assert golden.external_positions.shape == (0, 3)
    assert golden.madelung == pytest.approx(1.7475645946331822, abs=0.0, rel=1e-15)
    assert golden.madelung_wigner_seitz is None
    field = load(DATA / "uniform_field.json")
    assert field.stress is None
    assert field.cell is None
    assert field.madelung is None


def refusal(path):
    with pytest.raises(InputError) as refused:
        load(path)
    message = str(refused.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@given(st.integers(0, len(TEXT.rstrip()) - 1))
def test_a_truncated_file_is_one_line(tmp_path_factory, length):
    path = tmp_path_factory.getbasetemp() / "truncated.json"
    path.write_text(TEXT[:length])
    refusal(path)
    assert not is_complete(path, SYSTEMS["uniform_field"])


def entries(value, place=()):
    """All places inside a document where an entry can go missing or wrong."""
    if isinstance(value, dict):
        for key in value:
            yield (*place, key)
            yield from entries(value[key], (*place, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            if isinstance(entry, dict | list):
                yield from entries(entry, (*place, index))


OPTIONAL = {  # may be absent or null, or hold free text
    ("boundary", "surface_permittivity"),
    ("boundary", "cell"),
    ("external", "field"),
    ("results", "strain_derivative"),
    ("results", "stress"),
}
PLACES = [place for place in entries(json.loads(TEXT)) if place not in OPTIONAL]


@given(
    st.sampled_from(PLACES), st.sampled_from([None, "text", [1, "x"], {"a": 1}, [[[1.0]]], "gone"])
)
def test_a_missing_or_wrong_entry_is_one_line(tmp_path_factory, place, value):
    document = copy.deepcopy(json.loads(TEXT))
    inside = document
    for key in place[:-1]:
        inside = inside[key]
    if value == "gone":
        del inside[place[-1]]
    elif isinstance(inside[place[-1]], str) and value == "text" and place[-1] != "format":
        return  # a name or a description may be any text
    elif isinstance(inside[place[-1]], list) and place[-1] in ("species", "references"):
        return
    else:
        inside[place[-1]] = value
    path = tmp_path_factory.getbasetemp() / "wrong.json"
    path.write_text(json.dumps(document))
    refusal(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"energy": ', '"energy": NaN, "was": ', "NaN"),
        ('"version": 1', '"version": 2', "version 1"),
        ('"l_max": 2', '"l_max": 3', "shape"),
        ('"energy": ', '"energy": 1e999, "was": ', "finite"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, words):
    assert old in TEXT
    path = tmp_path / "wrong.json"
    path.write_text(TEXT.replace(old, new, 1))
    assert words in refusal(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[1, 2]", b"null", b"[" * 100_000])
def test_another_file_is_one_line(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_bytes(content)
    refusal(path)


def test_a_missing_file_and_an_unknown_name_are_one_line(tmp_path):
    assert "No such file" in refusal(tmp_path / "none.json")
    with pytest.raises(InputError, match="no golden system 'kcl'; known systems: nacl"):
        compute("kcl")


def test_a_file_of_another_system_does_not_count_as_this_one(tmp_path):
    path = tmp_path / "nacl.json"
    path.write_text((DATA / "cscl.json").read_text())
    assert load(path).name == "cscl"
    assert not is_complete(path, SYSTEMS["nacl"])


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.text()
    | st.integers(-(10**30), 10**30)
    | st.decimals(allow_nan=False, allow_infinity=False, places=20)
    | st.floats(allow_nan=False, allow_infinity=False).map(Decimal),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_no_digit_is_lost_between_writing_and_reading(value):
    assert loads(dumps(value)) == value
    json.loads(dumps(value))  # any reader of JSON can read it


def test_what_json_cannot_hold_is_not_written():
    with pytest.raises(ValueError, match="NaN"):
        dumps({"energy": Decimal("NaN")})
