"""Stability: a solution on a saddle must not pass."""

import numpy as np
from strategies.battery import DIMER, verdict_on
from strategies.toy_subjects import Toy, Unstable

from scc.battery.structures import water


def test_a_stable_solution_passes_on_every_structure():
    verdict = verdict_on(Toy(), "stability", [water(1), DIMER])
    assert verdict.judgement == "pass"
    smallest = verdict.finding.numbers["smallest eigenvalue"]
    assert len(smallest) == 2
    assert np.all(smallest >= 1.0 - 1e-12)  # L and J are positive: 1 + LJ has no smaller one


def test_one_unstable_structure_fails_them_all():
    class UnstableDimer(Toy):
        def stability(self, solved):
            return (Unstable() if len(solved.charges) == 6 else Toy()).stability(solved)

    verdict = verdict_on(UnstableDimer(), "stability", [water(1), DIMER])
    assert np.max(verdict.finding.numbers["smallest eigenvalue"]) > 0.0
    assert verdict.judgement == "fail"
    assert np.min(verdict.finding.numbers["smallest eigenvalue"]) < 0.0


def test_without_an_operator_it_is_unsupported():
    class Closed(Toy):
        stability = None

    assert verdict_on(Closed(), "stability").judgement == "unsupported"
