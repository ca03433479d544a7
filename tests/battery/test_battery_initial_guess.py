"""Initial guess: two solutions, one for some starts, must not pass."""

from strategies.battery import verdict_on
from strategies.toy_subjects import Toy, TwoBranches


def test_one_solution_passes():
    assert verdict_on(Toy(), "initial guess").judgement == "pass"


def test_two_solutions_fail():
    verdict = verdict_on(TwoBranches(), "initial guess")
    assert verdict.judgement == "fail"
    assert "energy" in verdict.summary


def test_a_start_that_does_not_converge_fails():
    class Fragile(Toy):
        def solve(self, configuration, initial=None):
            solved = super().solve(configuration, initial)
            solved.converged = initial is None
            return solved

    assert verdict_on(Fragile(), "initial guess").judgement == "fail"


def test_a_subject_without_starts_is_unsupported_with_the_reason():
    class Fixed(Toy):
        def solve(self, configuration, initial=None):
            if initial is not None:
                raise NotImplementedError("always starts from atoms")
            return super().solve(configuration)

    verdict = verdict_on(Fixed(), "initial guess")
    assert (verdict.judgement, verdict.summary) == ("unsupported", "always starts from atoms")
