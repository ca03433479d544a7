"""Locality at fixed v̂: what decays too slowly must not pass, what stops must not fail."""

import numpy as np
import pytest
from strategies.battery import verdict_on
from strategies.toy_subjects import NonLocalDensity, NonLocalEnergy, Toy

from scc.battery.locality import judge
from scc.battery.subject import UnsupportedError
from scc.locality import decide


@pytest.mark.parametrize("property_id", ["locality E", "locality rho"])
def test_functions_with_a_cutoff_are_local(property_id):
    verdict = verdict_on(Toy(), property_id)
    assert verdict.judgement == "pass"
    kinds = [v for name, v in verdict.finding.numbers.items() if name.endswith("kind")]
    # The pair energy is e^{−r}; all else ends at the cut-off.
    assert kinds == (["exponential"] if property_id == "locality E" else ["finite"]) + ["finite"]


def test_a_site_energy_that_reads_one_over_r_fails():
    verdict = verdict_on(NonLocalEnergy(), "locality E")
    assert verdict.judgement == "fail"
    # ∂(1/r)/∂r, steepened by a near field of e^{−r}
    assert 1.8 < verdict.finding.numbers["dE/dr: power"] < 3.0
    # Its density is as local as before.
    assert verdict_on(NonLocalEnergy(), "locality rho").judgement == "pass"


def test_a_density_that_flows_over_any_distance_fails():
    verdict = verdict_on(NonLocalDensity(), "locality rho")
    assert verdict.judgement == "fail"
    assert verdict.finding.numbers["drho/dv: power"] == pytest.approx(2.0, abs=0.1)


def test_a_subject_without_local_functions_is_unsupported():
    class Closed(Toy):
        local = None

    verdict = verdict_on(Closed(), "locality E")
    assert (verdict.judgement, verdict.finding) == ("unsupported", None)


@pytest.mark.parametrize("rate", [0.15, 0.6, 2.0])
def test_exponentials_are_local(rate):
    r = np.linspace(1.0, 120.0, 120)
    assert judge(decide(r, np.exp(-rate * r)))[0]


@pytest.mark.parametrize("power", [1.0, 3.0, 5.0])
def test_the_powers_of_coulomb_are_not(power):
    r = np.linspace(1.0, 120.0, 120)
    assert not judge(decide(r, r**-power))[0]


def test_one_slow_decay_fails_whatever_else_is_left_open(monkeypatch):
    answers = iter([(False, "r^-1"), UnsupportedError("too little range to tell")])

    def judge(decay):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("scc.battery.locality.judge", judge)
    verdict = verdict_on(Toy(), "locality E")
    assert verdict.judgement == "fail"
    assert verdict.summary == "dE/dr r^-1"
