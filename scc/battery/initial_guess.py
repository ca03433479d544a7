"""The initial guess: every start ends in the same solution."""

from __future__ import annotations

from scc.battery.bench import Bench, observables
from scc.battery.comparison import differences, draw_ratios, judged
from scc.battery.property import Finding, Property
from scc.battery.subject import unsupported_is_said

STARTS = 4


def measure(bench: Bench) -> Finding:
    """Random starts of the smallest structure against the subject's own."""
    rng = bench.random()
    structure = bench.smallest
    expected = observables(bench.solution(structure))
    cases: dict[str, dict[str, float]] = {}
    for number in range(STARTS):
        with unsupported_is_said():
            solved = bench.subject.solve(structure, rng)
        if not solved.converged:
            return Finding(False, f"random start {number} does not converge", {"start": number})
        cases[f"random start {number}"] = differences(observables(solved), expected)
    return judged(bench, cases)


PROPERTY = Property(
    "initial guess",
    "The solution does not depend on where the iteration starts.",
    f"{STARTS} random starts: converged, and within 10 times the accuracy of the solutions.",
    measure,
    draw_ratios,
)
