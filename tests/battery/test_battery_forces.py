"""Forces: any part in a thousand that is missing must show."""

import numpy as np
import pytest
from strategies.battery import verdict_on
from strategies.toy_subjects import Toy, ToySolution, WrongForce

from scc.battery.forces import best


def test_derivatives_pass():
    verdict = verdict_on(Toy(), "forces")
    assert verdict.judgement == "pass"
    # Far below what is allowed: the h-scan reaches rounding.
    best = verdict.finding.numbers["|dE/ds + F·d|, worst direction [Hartree/bohr]"]
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


def test_the_step_is_chosen_without_looking_at_the_forces():
    # The error of D(h) = 1 + h^2 - noise/h crosses that of a wrong force somewhere: not there.
    h = 0.16 / 2.0 ** np.arange(6)
    slopes = 1.0 + h**4 + 1e-9 / h
    assert abs(slopes[best(slopes)] - 1.0) < 1e-5
    wrong = slopes[1]  # a force that one coarse difference agrees with to all digits
    assert abs(slopes[best(slopes)] - wrong) > 1e-5


def test_forces_that_are_coarse_differences_fail():
    class Differenced(Toy):
        """Off by the truncation of a step that the scan tries, too."""

        def solve(self, configuration, initial=None):
            return _Differenced(self, configuration, 10)

    class _Differenced(ToySolution):
        @property
        def forces(self):
            r, chi = self.configuration.positions, self._chi()
            h, found = 0.04, np.zeros_like(r)
            for place in np.ndindex(*r.shape):
                step = np.zeros_like(r)
                step[place] = h
                ahead = self.subject.energy(r + step, chi, 1.0)
                found[place] = -(ahead - self.subject.energy(r - step, chi, 1.0)) / (2.0 * h)
            return found

    assert verdict_on(Differenced(), "forces").judgement == "fail"
