"""Invariances: an energy that knows the axes, the origin or the numbering must not pass."""

import pytest
from strategies.battery import verdict_on
from strategies.toy_subjects import Anisotropic, Numbered, Pinned, Toy


def test_functions_of_distances_pass():
    assert verdict_on(Toy(), "invariances").judgement == "pass"


@pytest.mark.parametrize(
    ("broken", "symmetry"),
    [(Anisotropic, "rotation"), (Pinned, "translation"), (Numbered, "permutation")],
)
def test_each_broken_symmetry_fails_by_itself(broken, symmetry):
    verdict = verdict_on(broken(), "invariances")
    assert verdict.judgement == "fail"
    numbers = verdict.finding.numbers
    allowed = numbers["allowed: energy [Hartree]"]
    assert numbers[f"{symmetry}: energy [Hartree]"] > allowed
    others = {"rotation", "translation", "permutation"} - {symmetry}
    if symmetry != "translation":  # turning about the origin moves, too
        assert all(numbers[f"{other}: energy [Hartree]"] <= allowed for other in others)


def test_forces_that_do_not_turn_with_the_atoms_fail():
    class Stiff(Toy):
        def solve(self, configuration, initial=None):
            solved = super().solve(configuration, initial)
            forces = abs(solved.forces)

            class Absolute(type(solved)):
                pass

            Absolute.forces = forces
            solved.__class__ = Absolute
            return solved

    verdict = verdict_on(Stiff(), "invariances")
    assert verdict.judgement == "fail"
    assert "forces" in verdict.summary
