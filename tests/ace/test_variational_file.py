"""Variational models in files: bit-exact round trips, refusals."""

import numpy as np
import pytest
from strategies.fitted_models import random_model, water
from strategies.variational_models import random_variational

from scc.ace.model_file import load_model, save_model
from scc.ace.predict import predict
from scc.ace.registry import fitted_model
from scc.ace.sealed_json import read_sealed, write_sealed
from scc.ace.variational_model import VariationalModel
from scc.errors import InputError


def rewritten(path, change):
    """The file with its body changed and sealed again."""
    body = read_sealed(path, "scc fitted model", 1)
    change(body)
    other = path.with_name("changed.json")
    write_sealed(other, "scc fitted model", 1, body)
    return other


def test_a_model_read_back_is_the_same_to_the_last_bit(tmp_path):
    model = random_variational()
    path, again = tmp_path / "model.json", tmp_path / "again.json"
    save_model(model, path)
    other = fitted_model(str(path))
    assert isinstance(other, VariationalModel)
    save_model(other, again)
    assert path.read_bytes() == again.read_bytes()
    cluster = water(2, np.random.default_rng(0))
    one, two = predict(model, cluster), predict(other, cluster)
    assert one.energy == two.energy
    assert np.array_equal(one.forces, two.forces)


def test_a_direct_model_is_not_taken_for_a_variational_one(tmp_path):
    path = tmp_path / "model.json"
    save_model(random_model(2, 1, order=1), path)
    claimed = rewritten(path, lambda body: body.update(kind="variational"))
    with pytest.raises(InputError, match="conventions are not those"):
        load_model(claimed)
    with pytest.raises(InputError, match="a model of kind 'new', this scc knows 'direct'"):
        load_model(rewritten(path, lambda body: body.update(kind="new")))


@pytest.mark.parametrize("part", ["permanent", "response", "energy", "probe"])
def test_a_missing_part_is_named(part, tmp_path):
    path = tmp_path / "model.json"
    save_model(random_variational(1), path)
    with pytest.raises(InputError, match=f"{part} is missing"):
        load_model(rewritten(path, lambda body: body.pop(part)))


def test_other_coefficients_are_noticed_by_the_probe(tmp_path):
    path = tmp_path / "model.json"
    save_model(random_variational(1), path)

    def change(body):
        values = body["response"]["coefficients"]["1"].copy()
        values[1, 0, 0] += 1e-3
        body["response"]["coefficients"]["1"] = values

    with pytest.raises(InputError, match="at the probe come out"):
        load_model(rewritten(path, change))


def test_response_coefficients_of_another_shape_are_refused(tmp_path):
    path = tmp_path / "model.json"
    save_model(random_variational(1), path)

    def flatten(body):
        body["response"]["coefficients"]["1"] = body["response"]["coefficients"]["1"].ravel()

    with pytest.raises(InputError, match="response L = 1 have shape"):
        load_model(rewritten(path, flatten))
    with pytest.raises(InputError, match="response coefficients are for L = 0, 2"):
        load_model(rewritten(path, lambda body: body["response"]["coefficients"].pop("1")))
