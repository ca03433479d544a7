"""What the measurement behind linear-cost would not notice."""

import time

import numpy as np
import pytest

from scc.bodyorder import sparse_evaluation
from scc.claims import linear_cost
from scc.claims.claim import System

PARAMETERS = {"kind": "chain", "spacing": 1.2, "degree": 8, "beta": 4.0, "mu": 0.1}


def _small(sizes, dense=()):
    return System("a test", {**PARAMETERS, "sizes": list(sizes), "dense": list(dense)})


def test_linear_cost_is_measured_and_agrees_with_dense():
    result = linear_cost.measure(_small((512, 2048, 8192), (16, 64)))
    assert result.holds is True
    # Whole blocks of 128 columns, two of which see an end: 1 or a little more.
    assert 1.0 < result.measured["exponent of the multiplications"] < 1.03
    assert result.measured["largest difference from dense [Ha, electrons, Ha/bohr]"] < 1e-12
    assert linear_cost.draw([result]).axes


def test_columns_that_see_the_whole_system_pass_as_linear(monkeypatch):
    def everything(pattern, start, hops):
        rest = np.setdiff1d(np.arange(pattern.shape[0]), start)
        return [start, rest]

    monkeypatch.setattr(sparse_evaluation, "_shells", everything)
    result = linear_cost.measure(_small((256, 512, 1024)))
    assert result.measured["exponent of the multiplications"] > 1.5
    assert result.holds is False


def test_hidden_quadratic_time_passes(monkeypatch):
    original = linear_cost.evaluate_sparse

    def slow(assembly, features, occupation):
        end = time.process_time() + 3e-7 * len(features) ** 2
        found = original(assembly, features, occupation)
        while time.process_time() < end:
            pass
        return found

    monkeypatch.setattr(linear_cost, "evaluate_sparse", slow)
    assert linear_cost.measure(_small((256, 512, 1024))).holds is False


@pytest.mark.parametrize("crossing", [20.0, 150.0, 700.0])
def test_crossing_is_interpolated_wrongly(crossing):
    sizes = np.array([16.0, 64.0, 256.0, 1024.0])
    found = linear_cost.crossing_point(sizes, sizes / crossing, (sizes / crossing) ** 3)
    assert found == pytest.approx(crossing)


def test_crossing_outside_the_sizes_is_made_up():
    sizes = np.array([16.0, 64.0])
    assert np.isnan(linear_cost.crossing_point(sizes, sizes, sizes**3))
    assert np.isnan(linear_cost.crossing_point(sizes, sizes**3, sizes))
