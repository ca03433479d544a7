"""What the measurements behind thermodynamic-limit would not notice, and the crystal they use."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scc.claims import _ionic_lattices as open_lattices
from scc.claims import _periodic_ionic_crystal as periodic
from scc.claims import _truncated_clusters as clusters
from scc.claims import thermodynamic_limit
from scc.claims.claim import System
from scc.theory import thermodynamic_limit as theory

CHAIN = System(
    "a test",
    {"kind": "open", "dimension": 1, "sizes": [20, 40, 80, 160, 320], "gap": 6.0, "ionicity": 0.4}
    | {"beta": "inf"},
)
CRYSTAL = System(
    "a test",
    {"kind": "periodic", "gap": 1.0, "ionicity": 0.4, "beta": 4.0, "supercells": [4]}
    | {"forces": False},
)
CLUSTER = System(
    "a test",
    {"kind": "cluster", "dimension": 1, "size": 80, "gap": 2.0, "beta": 4.0, "mu": 0.6}
    | {"disorder": 0.1, "seed": 1, "radii": 24},
)


@settings(max_examples=10)
@given(
    st.sampled_from([2, 4]),
    st.floats(0.2, 4.0),
    st.floats(0.0, 0.8),
    st.one_of(st.floats(1.0, 20.0), st.just(math.inf)),
)
def test_grid_is_another_crystal_than_the_supercell(size, gap, ionicity, beta):
    expected = periodic.crystal(size, gap, ionicity, beta)
    assume(expected.half_gap > 0.05)
    case = {"gap": gap, "ionicity": ionicity, "beta": beta}
    found = periodic.solved(periodic.ionic_supercell(size), case)
    # Second order in the density residual 1e-12, and rounding of a sum over the cell.
    assert abs(found.energy / size**3 - expected.energy) < 1e-12
    sodium = found.functional.configuration.species.index("Na")
    assert abs(found.charges[sodium] - expected.charge) < 1e-9


@given(st.floats(0.5, 6.0), st.floats(1e-6, 1e3))
def test_pure_power_is_not_recovered(power, prefactor):
    n = np.array([4.0, 6.0, 9.0, 20.0])
    found, uncertainty = open_lattices.last_power(n, -prefactor * n**-power)
    assert found == pytest.approx(power, rel=1e-9)
    assert uncertainty < 1e-9


def test_wrong_end_charge_is_not_noticed(monkeypatch):
    assert thermodynamic_limit.measure(CHAIN).holds is True
    original = open_lattices.corner_charge
    monkeypatch.setattr(open_lattices, "corner_charge", lambda *args: 1.05 * original(*args))
    assert thermodynamic_limit.measure(CHAIN).holds is False


def test_corner_charge_is_not_that_of_the_quadrupole():
    # Σ q x y of an n × n island grows like Q L²: the same Q as in the field at the centre.
    case = {"gap": 6.0, "ionicity": 0.4, "beta": math.inf}
    sizes = np.array([8, 12, 16])
    moments = []
    for size in sizes:
        island = open_lattices.Island(2, int(size), case)
        x, y = island.configuration.positions[:, :2].T
        moments.append(float(island.equilibrium.charges @ (x * y)))
    leading = np.polyfit(sizes * open_lattices.SPACING, moments, 2)[0]
    assert abs(leading) == pytest.approx(open_lattices.corner_charge(2, 0.4), rel=0.01)


def test_wrong_rate_around_the_torus_is_not_noticed(monkeypatch):
    assert thermodynamic_limit.measure(CRYSTAL).holds is True
    original = periodic.decay_per_site
    monkeypatch.setattr(periodic, "decay_per_site", lambda *args: 1.1 * original(*args))
    assert thermodynamic_limit.measure(CRYSTAL).holds is False


def test_one_way_is_taken_for_the_return(monkeypatch):
    result = thermodynamic_limit.measure(CLUSTER)
    assert result.holds is True
    assert thermodynamic_limit.draw([result]).axes
    original = clusters._returned
    monkeypatch.setattr(clusters, "_returned", lambda *args: np.sqrt(original(*args)))
    assert thermodynamic_limit.measure(CLUSTER).holds is False


def test_bound_below_the_measurement_is_not_noticed(monkeypatch):
    tightest = thermodynamic_limit.measure(CLUSTER).measured[
        "smallest bound / measured, site energy"
    ]
    assert tightest >= 1.0
    original = theory.bound
    monkeypatch.setattr(
        theory, "bound", lambda *args: tuple(0.9 / tightest * b for b in original(*args))
    )
    assert thermodynamic_limit.measure(CLUSTER).holds is False
