"""Smoothness: a jump, a kink and a hysteresis must not pass."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.battery import DIMER, ROCKY, verdict_on
from strategies.toy_subjects import HardCutoff, Hysteretic, KinkedForce, Toy

from scc.battery.refinement import refine

GRID = np.linspace(0.0, 9.0, 10)
TOLERANCE = np.array([1e-6])


def test_a_smooth_model_passes():
    verdict = verdict_on(Toy(), "smoothness")
    assert verdict.judgement == "pass"
    assert "hysteresis" in verdict.summary


def test_an_abrupt_cutoff_fails_and_is_found_at_its_place():
    verdict = verdict_on(HardCutoff(), "smoothness", [ROCKY])
    assert verdict.judgement == "fail"
    jumps = verdict.finding.numbers["jumps: place [bohr], of, height [atomic units]"]
    energies = [height for _, name, height in jumps if name == "energy"]
    assert energies
    # Na–Na and Cl–Cl of the two copies are equally far apart and pass the cut-off at once.
    assert max(energies) == pytest.approx(2e-5, rel=0.01)


def test_a_kink_fails_by_the_jump_of_its_force():
    verdict = verdict_on(KinkedForce(), "smoothness", [ROCKY])
    assert verdict.judgement == "fail"
    assert verdict.summary.startswith("forces: jump")


def test_a_solution_that_is_kept_past_its_end_fails():
    verdict = verdict_on(Hysteretic(), "smoothness", [DIMER])
    assert verdict.judgement == "fail"
    assert "hysteresis" in verdict.summary


def test_a_subject_that_cannot_restart_is_judged_by_its_jumps():
    class Fresh(Toy):
        def solve(self, configuration, initial=None):
            if initial is not None:
                raise NotImplementedError("no restart")
            return super().solve(configuration)

    verdict = verdict_on(Fresh(), "smoothness")
    assert verdict.judgement == "pass"
    assert verdict.finding.numbers["hysteresis"] == "not measured: no restart"


def test_a_point_without_solution_fails():
    class Lost(Toy):
        def solve(self, configuration, initial=None):
            solved = super().solve(configuration, initial)
            solved.converged = configuration.distances().max() < 12.0
            return solved

    verdict = verdict_on(Lost(), "smoothness")
    assert verdict.judgement == "fail"
    assert "no solution" in verdict.summary


@given(
    frequency=st.floats(0.1, 2.0),
    place=st.floats(0.05, 8.95),
    height=st.floats(2e-5, 1.0),
    sign=st.sampled_from([-1.0, 1.0]),
)
@settings(deadline=None)
def test_every_jump_is_found_on_any_smooth_background(frequency, place, height, sign):
    def function(s):
        return np.array([0.1 * np.sin(frequency * s) + sign * height * (s > place)])

    found = refine(function, GRID, TOLERANCE, 2e-3, 1000)
    assert found.jumps
    assert all(abs(s - place) <= 0.05 for s, _, _ in found.jumps)


@given(frequency=st.floats(0.0, 2.0), amplitude=st.floats(0.0, 1.0), phase=st.floats(0.0, 6.3))
@settings(deadline=None)
def test_no_jump_is_found_where_there_is_none(frequency, amplitude, phase):
    def function(s):
        return np.array([amplitude * np.sin(frequency * s + phase) + np.exp(-s)])

    found = refine(function, GRID, TOLERANCE, 2e-3, 1000)
    assert not found.jumps
    assert not found.exhausted
    assert np.all(np.diff(found.places) > 0.0)
