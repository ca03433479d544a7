"""Charge conservation: a millionth of a charge that leaks must show."""

import numpy as np
import pytest
from strategies.battery import DIMER, verdict_on
from strategies.toy_subjects import LeakingCharge, Toy


def test_flow_between_pairs_conserves_charge():
    assert verdict_on(Toy(), "charge conservation").judgement == "pass"


def test_a_leak_fails():
    verdict = verdict_on(LeakingCharge(), "charge conservation")
    assert verdict.judgement == "fail"
    solved = LeakingCharge().solve(DIMER)
    lost = 1e-6 * np.sum(np.abs(Toy().solve(DIMER).charges))
    assert np.sum(solved.charges) == pytest.approx(lost, rel=1e-9)
    assert verdict.finding.numbers["|sum of charges - Q| [e]"][0] == pytest.approx(lost, rel=1e-9)


def test_the_charge_of_the_system_is_what_they_add_up_to():
    class Charged(Toy):
        total_charge = 1.0

    assert verdict_on(Charged(), "charge conservation").judgement == "fail"
