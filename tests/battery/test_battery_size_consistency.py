"""Size-consistency: charge at infinity must not pass, nor an energy that is no sum."""

import numpy as np
import pytest
from strategies.battery import ROCKY, verdict_on
from strategies.toy_subjects import Equalised, Toy, distances

from scc.battery.structures import water
from scc.configuration import Configuration


def test_local_flow_is_size_consistent():
    verdict = verdict_on(Toy(), "size consistency", [water(1), ROCKY])
    assert verdict.judgement == "pass"
    assert len(verdict.finding.series["energy"]) == 2  # its stretched self, and NaCl


def test_equalised_electronegativities_leave_charge_at_infinity():
    verdict = verdict_on(Equalised(), "size consistency", [water(1)])
    assert verdict.judgement == "fail"
    assert np.min(verdict.finding.series["charges"][:, -1]) > 1e-5
    assert len(set(np.sign(verdict.finding.series["energy"][:, -1]))) == 1


def test_a_single_number_added_to_every_energy_fails():
    class Offset(Toy):
        def energy(self, positions, chi, branch):
            return super().energy(positions, chi, branch) + 1e-5

    assert verdict_on(Offset(), "size consistency", [water(1)]).judgement == "fail"


def test_periodic_structures_are_unsupported():
    crystal = Configuration(ROCKY.species, ROCKY.positions, 20.0 * np.eye(3), (True, True, True))
    verdict = verdict_on(Toy(), "size consistency", [crystal])
    assert verdict.judgement == "unsupported"
    assert "periodic" in verdict.summary


def test_what_is_left_of_coulomb_is_allowed():
    # Two dipoles of 10 e·bohr along the line of centres: 2 µ²/r³ at 1000 bohr.
    assert pytest.approx(2e-7) == 2.0 * 10.0**2 / 1000.0**3


def test_charges_that_are_not_numbers_far_out_fail():
    class Overflowing(Toy):
        def charges(self, positions, chi):
            far_from_rock = len(chi) == 5 and distances(positions).real.max() > 900.0
            return super().charges(positions, chi) * (np.nan if far_from_rock else 1.0)

    # One pair of two: the other must not cover it.
    assert verdict_on(Overflowing(), "size consistency", [water(1), ROCKY]).judgement == "fail"


def test_a_single_atom_has_nothing_to_give_away():
    atom = Configuration(("Na",), np.zeros((1, 3)))
    verdict = verdict_on(Toy(), "size consistency", [atom])
    assert verdict.judgement == "unsupported"
    assert "single atom" in verdict.summary
