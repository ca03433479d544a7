"""Gauge: a model that reads the value of the potential must not pass."""

import pytest
from strategies.battery import DIMER, verdict_on
from strategies.toy_subjects import GaugeBreaking, Toy

from scc.battery.models import subject_of


def test_differences_of_the_potential_pass():
    assert verdict_on(Toy(), "gauge").judgement == "pass"


def test_the_potential_itself_fails():
    assert verdict_on(GaugeBreaking(), "gauge").judgement == "fail"


def test_without_an_external_potential_it_is_unsupported():
    class Closed(Toy):
        solve_shifted = None

    assert verdict_on(Closed(), "gauge").judgement == "unsupported"


@pytest.mark.parametrize("name", ["onsite", "water", "eem"])
def test_the_shift_reaches_the_model(name):
    # Otherwise every model would pass: at another total charge the shift is an energy.
    subject = subject_of(name, [DIMER])
    reference, shifted = subject.solve_shifted(DIMER, 0.0), subject.solve_shifted(DIMER, 0.2)
    if name == "water":
        operator = shifted.equilibrium.functional.operator
        change = operator.external - reference.equilibrium.functional.operator.external
        l_max = subject.model.features.l_max
        features = change.reshape(len(DIMER), -1, (l_max + 1) ** 2)
        assert features[:, :, 0] == pytest.approx(0.2, abs=1e-12)
        assert features[:, :, 1:] == pytest.approx(0.0, abs=1e-12)
    else:
        change = shifted.state.potential - reference.state.potential
        assert change == pytest.approx(0.2, abs=1e-8)
