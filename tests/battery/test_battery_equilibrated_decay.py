"""Equilibrated decay: charge that flows over the whole system decays slower than Coulomb allows."""

import numpy as np
import pytest
from strategies.battery import verdict_on
from strategies.toy_subjects import Equalised, Toy

from scc.battery.bench import Bench
from scc.battery.equilibrated_decay import response
from scc.battery.structures import water


def test_charges_that_answer_to_the_local_potential_pass():
    verdict = verdict_on(Toy(), "equilibrated decay")
    assert verdict.judgement == "pass"
    # Differences of a dipole's potential.
    assert verdict.finding.numbers["power"] == pytest.approx(3.0, abs=0.5)


def test_equalised_electronegativities_fail():
    verdict = verdict_on(Equalised(), "equilibrated decay")
    assert verdict.judgement == "fail"
    assert verdict.finding.numbers["power"] < 1.7


def test_differences_see_what_the_derivative_sees():
    class Differenced(Toy):
        charge_response = None

    grown = Bench.of(Toy(), [water(1)]).grown(12)
    analytic, no_floor = response(Bench.of(Toy(), [water(1)]), grown, 0)
    differenced, floor = response(Bench.of(Differenced(), [water(1)]), grown, 0)
    assert no_floor is None
    assert floor > 0.0
    # h²/6 = 0.0017 for h = 0.1, times third derivatives over the first on a scale of 1 bohr.
    assert differenced == pytest.approx(analytic, rel=0.01)
    assert verdict_on(Differenced(), "equilibrated decay").judgement == "pass"


def test_charges_that_never_answer_have_no_decay():
    class Frozen(Toy):
        def charge_response(self, solved, displacement):
            return np.zeros(len(displacement))

    verdict = verdict_on(Frozen(), "equilibrated decay")
    assert verdict.judgement == "unsupported"
    assert "nothing to decay" in verdict.summary
