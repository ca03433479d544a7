"""What the measurement behind ``rotational-invariance`` would not notice, and its predictions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc.basis.solid_harmonics import solid_harmonics
from scc.claims import rotational_invariance
from scc.claims._electrostatics_displaced import (
    Dipoles,
    displaced_charges,
    displaced_energy,
    displaced_features,
    leading_energy_error,
    leading_feature_error,
)
from scc.claims._electrostatics_systems import (
    random_rotations,
    rotation_of_harmonics,
    water_cluster,
)
from scc.claims.claim import System
from scc.electrostatics.multipoles.direct_sum import DirectSum
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.sites import Sites

SEEDS = st.integers(0, 2**32 - 1)


def _dipoles(seed, sites=4):
    rng = np.random.default_rng(seed)
    corners = np.array(list(np.ndindex(2, 2, 1)))[:sites] * 4.0
    return Dipoles(
        corners + rng.uniform(-1.0, 1.0, (sites, 3)),
        rng.normal(size=sites),
        rng.normal(size=(sites, 3)),
        float(rng.uniform(0.3, 2.0)),
    )


def _exact(system, probe_width):
    """Energy and features by the analytic operator, own sites left out."""
    number = len(system.charges)
    here = Sites(system.positions, np.full(number, system.width**2), 1)
    probes = Sites(system.positions, np.full(number, probe_width**2), 1)
    p = system.multipoles
    energy = 0.5 * np.sum(p * DirectSum(here, here, CoulombKernel(), True).potential(p))
    return energy, DirectSum(probes, here, CoulombKernel(), True).potential(p)


@given(seed=SEEDS, l_max=st.integers(0, 4))
def test_harmonics_turn_another_way(seed, l_max):
    first, second = random_rotations(2, seed)
    one, other = rotation_of_harmonics(l_max, first), rotation_of_harmonics(l_max, second)
    # least squares over 8 (l_max+1)² normal points: condition numbers below ten
    rounding = 1e-13
    size = (l_max + 1) ** 2
    assert np.allclose(one @ one.T, np.eye(size), rtol=0.0, atol=rounding)  # Racah: orthogonal
    both = rotation_of_harmonics(l_max, first @ second)
    assert np.allclose(one @ other, both, rtol=0.0, atol=rounding)
    x = np.random.default_rng(seed).normal(size=(5, 3))
    turned = solid_harmonics(l_max, x @ first.T)
    assert np.allclose(turned, solid_harmonics(l_max, x) @ one.T, rtol=1e-11, atol=1e-11)


@given(seed=SEEDS, step=st.floats(1e-3, 1.0), central=st.booleans())
def test_displaced_charges_have_other_moments(seed, step, central):
    """Charge and dipole as given; second moments h d (one-sided) or none (central)."""
    system = _dipoles(seed)
    places, charges = displaced_charges(system, step, central)
    relative = places - system.positions[:, None]
    # positions of size 5 are rounded to 1e-15, charges are as large as d/h
    assert np.allclose(charges.sum(axis=1), system.charges, atol=1e-14 / step)
    dipoles = np.einsum("an,ani->ai", charges, relative)
    assert np.allclose(dipoles, system.dipoles, atol=1e-13 / step)
    second = np.einsum("an,ani,anj->aij", charges, relative, relative)
    expected = 0.0 if central else step * system.dipoles[:, :, None] * np.eye(3)
    assert np.allclose(second, expected, atol=1e-13 / step)


@given(seed=SEEDS, central=st.booleans())
def test_predicted_error_is_of_something_else(seed, central):
    """(E_h − E)/h^p → the predicted coefficient, extrapolated from two steps; likewise v̂."""
    system, probe = _dipoles(seed), 0.8
    energy, features = _exact(system, probe)
    power = 2 if central else 1
    # The widths of 0.3 upwards set the length on which potentials vary: the error of the
    # extrapolated coefficient is (h/0.5)² (one-sided) or ⁴ of it, rounding eps (d/h)²/h^p.
    step = 0.02 if central else 2e-3
    energies, probes = [], []
    for h in (step, 0.5 * step):
        energies.append((displaced_energy(system, h, central) - energy) / h**power)
        probes.append((displaced_features(system, probe, h, central) - features) / h**power)
    weight = 2.0**power
    found = (weight * energies[1] - energies[0]) / (weight - 1.0)
    scale = np.sum(np.abs(system.dipoles))
    assert found == pytest.approx(leading_energy_error(system, central), abs=1e-3 * scale)
    shape = (weight * probes[1] - probes[0]) / (weight - 1.0)
    expected = leading_feature_error(system, probe, central)
    assert np.allclose(shape, expected, rtol=0.0, atol=1e-3 * scale)


@pytest.fixture
def _few_rotations(monkeypatch):
    monkeypatch.setattr(rotational_invariance, "_ROTATIONS", 3)


@pytest.mark.usefixtures("_few_rotations")
@pytest.mark.parametrize("central", [False, True])
def test_wrong_prefactor_is_not_noticed(monkeypatch, central):
    system = System("a test", {"kind": "displaced", "central": central})
    assert rotational_invariance.measure(system).holds is True
    for name in ("leading_energy_error", "leading_feature_error"):
        original = getattr(rotational_invariance, name)
        with monkeypatch.context() as patch:
            patch.setattr(
                rotational_invariance, name, lambda *a, original=original: 1.05 * original(*a)
            )
            assert rotational_invariance.measure(system).holds is False


def test_multipoles_that_stay_behind_are_not_noticed(monkeypatch):
    system = System("a test", {"kind": "operator", "boundary": "open", "seed": 0})
    result = rotational_invariance.measure(system)
    assert result.holds is True
    assert result.measured["change of the energy over sum |p V|/2"] < 1e-13
    from scc.claims import _electrostatics_systems

    monkeypatch.setattr(
        _electrostatics_systems, "rotation_of_harmonics", lambda order, _: np.eye((order + 1) ** 2)
    )
    assert rotational_invariance.measure(system).holds is False


def test_features_that_do_not_turn_are_not_noticed(monkeypatch):
    monkeypatch.setattr(
        rotational_invariance, "rotation_of_harmonics", lambda order, _: np.eye((order + 1) ** 2)
    )
    result = rotational_invariance.measure(
        System("a test", {"kind": "operator", "boundary": "open", "seed": 0})
    )
    assert result.holds is False
    assert result.measured["change of the energy over sum |p V|/2"] < 1e-13


def test_water_is_something_else():
    """Bonds of 0.9572 Å; molecular dipoles of 1.85 debye: AMOEBA's sites at the gas geometry."""
    water = water_cluster(1.0)
    positions = water.positions.reshape(8, 3, 3)
    bonds = np.linalg.norm(positions[:, 1:] - positions[:, :1], axis=-1)
    assert np.allclose(bonds * 0.529177, 0.9572, atol=1e-5)
    assert np.sum(water.charges) == pytest.approx(0.0, abs=1e-12)
    moments = np.einsum("a,mai->mi", water.charges[:3], positions)
    moments += water.dipoles.reshape(8, 3, 3).sum(axis=1)
    assert np.allclose(np.linalg.norm(moments, axis=1) * 2.541746, 1.851, atol=1e-3)
    oxygens = positions[:, 0]
    apart = np.linalg.norm(oxygens[:, None] - oxygens + 1e9 * np.eye(8)[:, :, None], axis=-1)
    assert 2.4 < apart.min() * 0.529177 < 3.0


@pytest.mark.usefixtures("_few_rotations")
def test_figure_needs_all_systems():
    chosen = [s for s in rotational_invariance.systems(False) if "water" in s.description]
    results = [rotational_invariance.measure(system) for system in chosen]
    for part in (results[:1], results[1:2], results):
        assert len(rotational_invariance.CLAIM.draw(part).axes) == 3


@pytest.mark.slow
def test_a_system_fails():
    for system in rotational_invariance.systems(False):
        result = rotational_invariance.measure(system)
        assert result.holds is True, (system.description, result.measured)
