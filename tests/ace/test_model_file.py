"""Model files: bit-exact round trips, and refusal of everything that is not a whole model."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.fitted_models import random_model, water

from scc.ace import registry
from scc.ace.model_file import FORMAT, load_model, save_model
from scc.ace.predict import predict
from scc.ace.sealed_json import read_sealed, write_sealed
from scc.errors import InputError


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.json"
    save_model(random_model(2, 1, order=1), path)
    return path


def resealed(content, change):
    """The file with its body changed and the hash right again: what a careless editor makes."""
    first, rest = content.split(b"\n", 1)
    body = json.loads(b"{" + rest)
    change(body)
    rest = json.dumps(body).removeprefix("{").encode() + b"\n"
    digest = hashlib.sha256(rest).hexdigest().encode()
    return re.sub(rb"[0-9a-f]{64}", digest, first) + b"\n" + rest


@pytest.mark.parametrize("features", [(0, 0), (1, 0), (2, 1), (3, 2)])
def test_a_model_read_back_is_the_same_to_the_last_bit(features, tmp_path):
    model = random_model(*features)
    path, again = tmp_path / "model.json", tmp_path / "again.json"
    save_model(model, path)
    other = load_model(path)
    save_model(other, again)
    assert path.read_bytes() == again.read_bytes()
    cluster = water(2, np.random.default_rng(0))
    one, two = predict(model, cluster), predict(other, cluster)
    assert one.energy == two.energy
    assert np.array_equal(one.forces, two.forces)
    assert other.provenance == model.provenance


def test_the_file_is_json_with_its_conventions_inside(saved):
    document = json.loads(saved.read_text(encoding="utf-8"))
    assert document["format"] == FORMAT
    assert "hartree" in document["conventions"]["units"]
    assert document["density"]["basis"]["cutoff"] == pytest.approx(7.559, abs=1e-3)


@given(data=st.data())
def test_a_flipped_byte_is_noticed_wherever_it_is(data, saved, tmp_path_factory):
    content = bytearray(saved.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1) | st.integers(0, 130))
    content[place] ^= data.draw(st.integers(1, 255))
    damaged = tmp_path_factory.getbasetemp() / "damaged.json"
    damaged.write_bytes(content)
    with pytest.raises(InputError, match="cannot read") as refusal:
        load_model(damaged)
    assert "\n" not in str(refusal.value)


@given(data=st.data())
def test_a_truncated_or_longer_file_is_noticed(data, saved, tmp_path_factory):
    content = saved.read_bytes()
    damaged = tmp_path_factory.getbasetemp() / "cut.json"
    kept = data.draw(st.integers(0, len(content) - 1) | st.just(len(content)))
    extra = b"" if kept < len(content) else data.draw(st.binary(min_size=1, max_size=9))
    damaged.write_bytes(content[:kept] + extra)
    with pytest.raises(InputError, match="cannot read"):
        load_model(damaged)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a file of format"),
        (b"\x80\x04garbage", "not a file of format"),
        (b'{"format": "scc fitted model"}', "not a file of format"),
        (
            b'{"format": "something else", "version": 1, "sha256": "' + b"0" * 64 + b'",\n"a": 1}',
            "not a file of format 'scc fitted model'",
        ),
        (
            b'{"format": "scc fitted model", "version": 2, "sha256": "'
            + b"0" * 64
            + b'",\n"a": 1}',
            "version 2 .* reads versions up to 1",
        ),
    ],
)
def test_other_files_are_told_from_models(content, reason, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        load_model(path)


def _shorter(body):
    table = body["energy"]["coefficients"]
    data = base64.b64decode(table["base64"])
    table["shape"] = [2, table["shape"][1] - 1]
    table["base64"] = base64.b64encode(data[: 16 * table["shape"][1]]).decode()


def _not_a_number(body):
    table = body["energy"]["constants"]
    table["base64"] = base64.b64encode(np.array([np.nan, 1.0]).tobytes()).decode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_shorter, "the energy have shape"),
        (_not_a_number, "NaN or infinity"),
        (lambda body: body.pop("density"), "density is missing"),
        (lambda body: body["density"].pop("flow_offsets"), "flow_offsets is missing"),
        (lambda body: body["density"].update(width="1.0"), "width is a str"),
        (lambda body: body["density"].update(width=-1.0), "width must be positive"),
        (lambda body: body["density"]["basis"].update(order=9), "order is 9"),
        (lambda body: body["density"]["basis"].update(colour=1), "not a basis specification"),
        (lambda body: body.update(kind="magic"), "kind 'magic'"),
        (lambda body: body["conventions"].update(units="eV, Angstrom"), "conventions"),
        (
            lambda body: body["density"]["basis"].update(cutoff=6.0),
            "multipoles at the probe .*another basis",
        ),
        (lambda body: body["density"].update(n_flow=3), "have shape"),
        (lambda body: body["energy"]["coefficients"].update(dtype="<f4"), "dtype"),
        (lambda body: body["energy"]["coefficients"].update(shape=[1]), "bytes"),
        (lambda body: body["energy"]["coefficients"].update(base64="?"), "base64"),
    ],
)
def test_contents_that_make_no_model_are_refused_in_one_line(change, reason, saved, tmp_path):
    path = tmp_path / "edited.json"
    path.write_bytes(resealed(saved.read_bytes(), change))
    with pytest.raises(InputError, match=reason) as refusal:
        load_model(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_model_made_for_another_basis_is_noticed_by_its_probe(saved, tmp_path):
    path = tmp_path / "other.json"

    def change(body):
        probe = body["probe"]["multipoles"]
        values = np.frombuffer(base64.b64decode(probe["base64"])).copy()
        values[4] += 1e-5
        probe["base64"] = base64.b64encode(values.tobytes()).decode()

    path.write_bytes(resealed(saved.read_bytes(), change))
    with pytest.raises(InputError, match="made for another basis"):
        load_model(path)


def test_a_failed_write_leaves_the_old_file(saved, tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(saved.read_bytes())
    with pytest.raises(ValueError, match="NaN"):
        write_sealed(path, FORMAT, 1, {"array": np.array([np.nan])})
    assert path.read_bytes() == saved.read_bytes()
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError, match="cannot write"):
        save_model(random_model(1, 0, order=1), tmp_path / "nowhere" / "model.json")


@given(
    st.dictionaries(
        st.text(min_size=1),
        st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
        | st.text()
        | st.booleans(),
        min_size=1,
    )
)
def test_sealed_json_gives_back_what_it_was_given(body):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.json"
        write_sealed(path, "test", 3, body)
        assert read_sealed(path, "test", 3) == body


def test_a_file_dropped_into_the_folder_is_a_name(monkeypatch, tmp_path, saved):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "puddle.json").write_bytes(saved.read_bytes())
    monkeypatch.setattr(registry, "files", lambda package: tmp_path)
    assert registry.fitted_names() == ("puddle",)
    assert registry.fitted_model("puddle").features == random_model(2, 1).features
    assert registry.fitted_model(str(saved)).features == random_model(2, 1).features
    with pytest.raises(InputError, match=r"no fitted model 'lake'.*\(puddle\)"):
        registry.fitted_model("lake")
