"""check(): every property gets a verdict, whatever the model does; reports are complete."""

import json
import warnings

import numpy as np
import pytest
from strategies.battery import DIMER
from strategies.toy_subjects import Toy, WrongForce

from scc.battery.check import check
from scc.battery.properties import PROPERTIES
from scc.battery.report import write
from scc.battery.structures import water
from scc.errors import ConvergenceError, InputError

IDS = [one.id for one in PROPERTIES]


@pytest.fixture(scope="module")
def checked():
    return check(Toy(), [water(1), DIMER])


def test_twelve_properties_with_thresholds():
    assert len(set(IDS)) == len(IDS) == 12
    assert all(one.statement and one.threshold for one in PROPERTIES)


def test_the_toy_has_every_property(checked):
    assert {v.property.id: v.judgement for v in checked.verdicts} == dict.fromkeys(IDS, "pass")
    assert checked.passed


def test_a_broken_subject_fails_in_what_is_broken_and_nothing_else():
    verdicts = check(WrongForce(), [water(1), DIMER]).verdicts
    assert [v.property.id for v in verdicts if v.judgement != "pass"] == ["forces"]


def test_what_is_written_is_what_was_found(checked, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = write(tmp_path, checked)
    found = json.loads(path.read_text())
    assert [entry["id"] for entry in found["properties"]] == IDS
    assert found["passed"] is True
    assert found["structures"] == ["H2O (3 atoms)", "H4O2 (6 atoms)"]
    for entry, verdict in zip(found["properties"], checked.verdicts, strict=True):
        assert entry["verdict"] == verdict.judgement
        assert entry["summary"] == verdict.summary
        assert (tmp_path / entry["figure"]).stat().st_size > 1000
        assert entry["numbers"]
    stray = [p.name for p in tmp_path.rglob("*") if p.name.startswith(".")]
    assert stray == []


def test_a_model_that_raises_fails_that_property_and_stops_nothing():
    class Crashing(Toy):
        def stability(self, solved):
            raise ValueError("matrix of the wrong shape")

        def solve_shifted(self, configuration, shift):
            raise ConvergenceError("linear equation without solution")

        def charge_response(self, solved, displacement):
            raise InputError("atom 7 is too near")

    checked = check(Crashing(), [DIMER])
    assert checked.verdict("stability").judgement == "fail"
    assert "ValueError: matrix" in checked.verdict("stability").summary
    for name in ("gauge", "equilibrated decay"):
        assert checked.verdict(name).judgement == "unsupported"
    assert checked.verdict("forces").judgement == "pass"
    with pytest.raises(InputError, match="no verdict on 'beauty'"):
        checked.verdict("beauty")


def test_without_a_solution_only_convergence_fails():
    class Hopeless(Toy):
        def solve(self, configuration, initial=None):
            solved = super().solve(configuration, initial)
            solved.converged = False
            return solved

    checked = check(Hopeless(), [DIMER])
    judgements = {v.property.id: v.judgement for v in checked.verdicts}
    assert judgements.pop("growing systems") == "fail"
    assert set(judgements.values()) == {"unsupported"}


def test_energies_that_are_not_numbers_do_not_pass():
    class Nameless(Toy):
        def energy(self, positions, chi, branch):
            return np.nan * super().energy(positions, chi, branch)

    checked = check(Nameless(), [DIMER])
    for name in ("forces", "invariances", "size consistency", "smoothness", "initial guess"):
        assert checked.verdict(name).judgement == "fail", name


def test_a_model_of_which_nothing_can_be_measured_does_not_pass():
    class Silent(Toy):
        stability = None

    (stability,) = [one for one in PROPERTIES if one.id == "stability"]
    checked = check(Silent(), [DIMER], properties=[stability])
    assert checked.verdict("stability").judgement == "unsupported"
    assert not checked.passed
