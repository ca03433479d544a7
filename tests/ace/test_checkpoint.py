"""Checkpoints: a calculation killed between any two stages ends with the same bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc.ace.checkpoint import Checkpoint
from scc.errors import InputError


class KilledError(Exception):
    pass


def calculation(checkpoint, computed, die_before=None):
    """Five stages, each from the one before."""
    value = np.array([np.pi])
    for number in range(5):
        if number == die_before:
            raise KilledError

        def stage(number=number, value=value):
            computed.append(number)
            return {"value": np.cos(value * 1.1) + number, "matrix": np.eye(2) * value}

        value = checkpoint.run(f"stage-{number}", stage)["value"]
    return value


@given(deaths=st.lists(st.integers(0, 4), max_size=3))
def test_killed_and_resumed_is_bit_identical_and_computes_nothing_twice(deaths, tmp_path_factory):
    folder = tmp_path_factory.mktemp("work") / "fit"
    expected = calculation(Checkpoint(tmp_path_factory.mktemp("other") / "fit", {"a": 1}), [])
    computed = []
    for death in deaths:
        with pytest.raises(KilledError):
            calculation(Checkpoint(folder, {"a": 1}, resume=True), computed, death)
    last = Checkpoint(folder, {"a": 1}, resume=True)
    assert np.array_equal(calculation(last, computed), expected)
    assert sorted(computed) == [0, 1, 2, 3, 4]
    last.finish()
    assert not folder.exists()


def test_a_damaged_stage_is_computed_again(tmp_path):
    folder = tmp_path / "fit"
    expected = calculation(Checkpoint(folder, {}), [])
    for name, damage in (
        ("stage-1.npz", lambda content: content[:-30]),
        ("stage-2.npz", lambda content: b"garbage"),
        ("stage-3.npz", lambda content: content[:150] + b"\xff" + content[151:]),
    ):
        path = folder / name
        path.write_bytes(damage(path.read_bytes()))
    computed = []
    assert np.array_equal(calculation(Checkpoint(folder, {}, resume=True), computed), expected)
    assert computed == [1, 2, 3]


def test_starting_again_forgets_what_was_there(tmp_path):
    calculation(Checkpoint(tmp_path / "fit", {"seed": 1}), [])
    computed = []
    calculation(Checkpoint(tmp_path / "fit", {"seed": 2}), computed)
    assert computed == [0, 1, 2, 3, 4]


def test_another_fit_is_not_resumed(tmp_path):
    calculation(Checkpoint(tmp_path / "fit", {"seed": 1}), [])
    with pytest.raises(InputError, match="another fit"):
        Checkpoint(tmp_path / "fit", {"seed": 2}, resume=True)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "fit").mkdir()
    (tmp_path / "fit" / "thesis.tex").write_text("all of it")
    for resume in (False, True):
        with pytest.raises(InputError, match="not a checkpoint"):
            Checkpoint(tmp_path / "fit", {}, resume=resume)
    assert (tmp_path / "fit" / "thesis.tex").read_text() == "all of it"
    with pytest.raises(InputError, match="cannot write"):
        Checkpoint(tmp_path / "nowhere" / "fit", {})
