"""The figure of tblite and PySCF shows what they say, and marks where they say nothing."""

import importlib

import numpy as np
import pytest

from scc.adapters.tblite import TBLiteSubject
from scc.cli.figure import figures_package

figures_package()
real_codes = importlib.import_module("scc.figures.real_codes")
measured = importlib.import_module("scc.figures._real_codes")


def test_the_figure_shows_the_codes_own_numbers(monkeypatch) -> None:
    for name, value in (
        ("SIZES", (2, 4)),
        ("DISTANCES", (2.0, 12.0)),
        ("LEVELS", (0,)),
        ("ROTATIONS", 2),
    ):
        monkeypatch.setattr(real_codes, name, value)
    left, middle, right = real_codes.draw().axes
    iterations = [s.iterations for s in measured.sodium_chains(TBLiteSubject(), (2, 4))]
    assert list(left.lines[1].get_ydata()) == iterations
    near, far = measured.stretched(TBLiteSubject(), ("Na", "Cl"), (2.0, 12.0))
    assert middle.lines[0].get_ydata()[0] == pytest.approx(near.charges[0])
    assert not far.converged
    assert np.isnan(middle.lines[0].get_ydata()[1])
    np.testing.assert_array_equal(middle.lines[1].get_xdata(), [12.0])
    assert 1e-6 < right.lines[0].get_ydata()[0] < 1e-2
    assert right.lines[1].get_ydata()[0] < 1e-12


def test_orientations_are_of_one_molecule() -> None:
    """An exactly invariant energy shows no spread; a wrong one would."""

    class Bond:
        def solve(self, configuration):
            apart = configuration.positions[1:] - configuration.positions[0]
            return type("S", (), {"energy": float(np.sum(np.linalg.norm(apart, axis=1)))})

    class Axis:
        def solve(self, configuration):
            return type("S", (), {"energy": float(configuration.positions[1, 0])})

    assert np.ptp(measured.rotated_energies(Bond(), 5)) < 1e-13
    assert np.ptp(measured.rotated_energies(Axis(), 5)) > 0.1
