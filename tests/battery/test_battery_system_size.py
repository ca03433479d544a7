"""Growing systems: iterations that grow with the system, or end in none, must not pass."""

from strategies.battery import verdict_on
from strategies.toy_subjects import Diverging, Sloshing, Toy

from scc.battery.structures import water


def test_iterations_that_stay_pass():
    assert verdict_on(Toy(), "growing systems", [water(1)]).judgement == "pass"


def test_iterations_that_grow_fail():
    verdict = verdict_on(Sloshing(), "growing systems", [water(1)])
    assert verdict.judgement == "fail"
    assert verdict.finding.numbers["iterations"].tolist() == [13.0, 16.0, 22.0, 34.0, 58.0]


def test_a_size_without_solution_fails():
    verdict = verdict_on(Diverging(), "growing systems", [water(1)])
    assert verdict.judgement == "fail"
    assert "48 atoms" in verdict.summary


def test_a_small_start_that_saturates_passes():
    class Saturating(Toy):
        def steps(self, configuration):
            return 8 if len(configuration) == 3 else 15

    assert verdict_on(Saturating(), "growing systems", [water(1)]).judgement == "pass"


def test_iterations_that_are_not_told_are_unsupported():
    class Silent(Toy):
        def steps(self, configuration):
            return None

    assert verdict_on(Silent(), "growing systems", [water(1)]).judgement == "unsupported"


def test_two_sizes_are_no_growth():
    class Costly(Toy):
        largest = 6

    verdict = verdict_on(Costly(), "growing systems", [water(1)])
    assert verdict.judgement == "unsupported"
    assert "3 to 6 atoms" in verdict.summary
