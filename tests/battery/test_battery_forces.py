"""Forces: any part in a thousand that is missing must show."""

import numpy as np
import pytest
from strategies.battery import verdict_on
from strategies.toy_subjects import Toy, WrongForce


def test_derivatives_pass():
    verdict = verdict_on(Toy(), "forces")
    assert verdict.judgement == "pass"
    # Far below what is allowed: the h-scan reaches rounding.
    best = verdict.finding.numbers["smallest |dE/ds + F·d| over h, worst direction [Hartree/bohr]"]
    assert best < 1e-9


def test_a_thousandth_too_much_fails():
    assert verdict_on(WrongForce(), "forces").judgement == "fail"


def test_an_error_in_one_atom_alone_fails():
    class OneWrong(Toy):
        def solve(self, configuration, initial=None):
            solved = super().solve(configuration, initial)
            right = solved.forces
            right[0, 0] += 1e-4

            class Moved(type(solved)):
                forces = right

            solved.__class__ = Moved
            return solved

    assert verdict_on(OneWrong(), "forces").judgement == "fail"


def test_no_forces_are_unsupported_with_the_reason():
    class Forceless(Toy):
        def solve(self, configuration, initial=None):
            solved = super().solve(configuration, initial)

            class Without(type(solved)):
                @property
                def forces(self):
                    raise NotImplementedError("energies only")

            solved.__class__ = Without
            return solved

    verdict = verdict_on(Forceless(), "forces")
    assert (verdict.judgement, verdict.summary) == ("unsupported", "energies only")


@pytest.mark.parametrize("accuracy", [1e-10, 1e-6])
def test_noise_of_the_energy_is_allowed_for_what_it_is(accuracy):
    class Noisy(Toy):
        def energy(self, positions, chi, branch):
            exact = super().energy(positions, chi, branch)
            return exact + accuracy * np.sin(1e7 * positions.real.sum())

    Noisy.accuracy = Noisy.energy_accuracy = accuracy
    assert verdict_on(Noisy(), "forces").judgement == "pass"
