"""The example of molecular dynamics: it runs as it stands, and says what it measures."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from scc.ace.reference_frame import water_molecules
from scc.ace.registry import fitted_names
from scc.configuration import from_ase

FILE = Path(__file__).resolve().parents[2] / "examples" / "water_md.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("water_md", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_start_is_six_whole_molecules(example):
    assert len(np.unique(water_molecules(from_ase(example.hexamer())))) == 6


def test_drift_is_the_slope_and_not_the_oscillation(example):
    times = np.linspace(0.0, 5.0, 2001)
    energies = -100.0 + 0.003 * times + 0.01 * np.sqrt(2.0) * np.sin(40.0 * np.pi * times)
    change, rest = example.drift(times, energies, 6)
    # A sine of 100 periods has a slope of its own: 12 A/(ω T) of its amplitude A over the run.
    assert change == pytest.approx(1000.0 * 0.015 / 6, abs=1000.0 / 6 * 0.0142 * 12 / 628)
    assert rest == pytest.approx(1000.0 * 0.01 / 6, rel=1e-3)


@pytest.mark.skipif("water" not in fitted_names(), reason="no model ships yet")
def test_runs_as_it_stands(example, capsys):
    found = example.main(["--quick"])
    assert abs(found["drift"]) < 1.0
    printed = capsys.readouterr().out
    assert "relaxed" in printed
    assert "dipole" in printed
    assert "spectral radius" in printed
