"""Files of trained schemes: bit-exact round trips; refusal of what is damaged or another's."""

import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.fitted_models import water
from strategies.trained_schemes import random_4g, random_bpopnn

from scc.ace.registry import fitted_model
from scc.equilibration import equilibrate
from scc.errors import InputError
from scc.schemes.model_file import load_scheme, save_scheme
from scc.schemes.registry import SUBJECTS, subject_by_name, trained_model

MODELS = {"bpopnn": random_bpopnn(), "4g": random_4g()}


@pytest.fixture(scope="module", params=MODELS)
def saved(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("scheme") / "model.json"
    save_scheme(MODELS[request.param], path)
    return path


def resealed(content, change):
    """The file with its body changed and the hash right again."""
    first, rest = content.split(b"\n", 1)
    body = json.loads(b"{" + rest)
    change(body)
    rest = json.dumps(body).removeprefix("{").encode() + b"\n"
    digest = hashlib.sha256(rest).hexdigest().encode()
    return re.sub(rb"[0-9a-f]{64}", digest, first) + b"\n" + rest


def test_a_scheme_read_back_is_the_same_to_the_last_bit(saved, tmp_path):
    again = tmp_path / "again.json"
    other = load_scheme(saved)
    save_scheme(other, again)
    assert saved.read_bytes() == again.read_bytes()
    name = "bpopnn" if type(other) is type(MODELS["bpopnn"]) else "4g"
    cluster = water(2, np.random.default_rng(0))
    one, two = (equilibrate(m.functional(cluster)) for m in (MODELS[name], other))
    assert one.energy == two.energy
    assert np.array_equal(one.forces, two.forces)


@given(place=st.floats(0.0, 1.0, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(saved, place, bit):
    content = bytearray(saved.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    damaged = saved.with_name("damaged.json")
    damaged.write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"cannot read .*damaged\.json"):
        load_scheme(damaged)


@given(st.floats(0.0, 1.0, exclude_max=True))
def test_a_truncated_file_is_noticed(saved, part):
    content = saved.read_bytes()
    cut = saved.with_name("cut.json")
    cut.write_bytes(content[: int(part * len(content))])
    with pytest.raises(InputError, match=r"cannot read .*cut\.json"):
        load_scheme(cut)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda body: body.update(kind="qeq"), "scheme of kind 'qeq'"),
        (lambda body: body.update(conventions={}), "conventions"),
        (lambda body: body.pop("width"), "width is missing"),
        (lambda body: body["energy"].pop("means"), "means is missing"),
        (lambda body: body["energy"].update(powers=3), "powers of charges"),
        (
            lambda body: body.update(width=body["width"] + 0.1, probe=body["energy"]["means"]),
            "probe",
        ),
    ],
)
def test_a_file_that_is_whole_but_wrong_says_what_is_wrong(saved, change, complaint):
    wrong = saved.with_name("wrong.json")
    wrong.write_bytes(resealed(saved.read_bytes(), change))
    with pytest.raises(InputError, match=complaint):
        load_scheme(wrong)


def test_another_basis_is_noticed_by_the_probe(saved):
    model = load_scheme(saved)
    hardness = model.energy.hardness + 1e-3
    other = replace(model, energy=replace(model.energy, hardness=hardness))
    changed = saved.with_name("changed.json")
    save_scheme(other, changed)
    old = json.loads(b"{" + saved.read_bytes().split(b"\n", 1)[1])["probe"]
    changed.write_bytes(resealed(changed.read_bytes(), lambda body: body.update(probe=old)))
    with pytest.raises(InputError, match="made for another basis"):
        load_scheme(changed)


def test_names_files_and_fitted_models_are_all_found(saved, tmp_path):
    assert type(trained_model(str(saved))) is type(load_scheme(saved))
    assert trained_model("water").name == fitted_model("water").name
    with pytest.raises(InputError, match=r"neither a file nor one by name \(.*4g-water"):
        trained_model("nothing-of-the-kind")
    with pytest.raises(InputError, match=r"[Nn]o such file"):
        load_scheme(tmp_path / "absent.json")
    with pytest.raises(InputError, match="known: bpopnn-water"):
        subject_by_name("water")
    assert all(len(line) > 20 for line in SUBJECTS.values())
