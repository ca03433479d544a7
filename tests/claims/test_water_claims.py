"""Claims on the fitted water model: they hold for what they state, and fail where it is broken."""

from dataclasses import replace
from types import SimpleNamespace

import ase.io
import numpy as np
import pytest
from strategies.fitted_models import random_model

from scc.ace.model import FittedModel, FittedState
from scc.ace.predict import predict
from scc.claims import _water_systems as water
from scc.claims import stability_water as stability
from scc.claims import theorem_4_water as locality
from scc.claims import water_far_field as far_field
from scc.claims.claim import System
from scc.units import ANGSTROM


@pytest.fixture
def model(monkeypatch):
    """Call it with a model: the claims measure that one."""

    def use(parameters):
        for module in (far_field, locality, stability):
            monkeypatch.setattr(module, "model_of", lambda name: parameters)
        return parameters

    return use


def test_droplets_are_water_and_no_gas() -> None:
    droplet = water.droplet(12, 0)
    distances = droplet.distances() / ANGSTROM + 99.0 * np.eye(36)
    oxygens = distances[::3, ::3]
    assert np.all((oxygens.min(axis=1) > 2.3) & (oxygens.min(axis=1) < 3.9))
    hydrogens = [i for i in range(36) if i % 3]
    bonds = np.sort(distances[np.ix_(hydrogens, range(0, 36, 3))], axis=1)
    assert np.all((bonds[:, 0] > 0.8) & (bonds[:, 0] < 1.1))
    assert np.all(bonds[:, 1] > 1.4)
    assert np.array_equal(droplet.positions, water.droplet(12, 0).positions)


def test_energy_change_of_a_move_is_that_of_the_sum_over_pairs() -> None:
    positions = water.droplet(3, 1).positions.reshape(3, 3, 3)
    trial = positions[1] + 0.2

    def energy(all_positions):
        total = 0.0
        for a, b in ((0, 1), (1, 2)):
            for i in range(3):
                for j in range(3):
                    r = np.linalg.norm(all_positions[a, i] - all_positions[b, j])
                    total += water._CHARGES[i] * water._CHARGES[j] / r
            r = np.linalg.norm(all_positions[a, 0] - all_positions[b, 0])
            total += 4 * water._EPSILON * ((water._SIGMA / r) ** 12 - (water._SIGMA / r) ** 6)
        return total

    moved = positions.copy()
    moved[1] = trial
    change = water._energy_change(positions, 1, trial)
    assert change == pytest.approx(energy(moved) - energy(positions), rel=1e-10)


LOCAL = System("droplet", {"model": "", "molecules": 12, "seed": 0})


def test_locality_holds_for_any_coefficients(model) -> None:
    model(random_model(2, 1, response=0.3))
    result = locality.measure(LOCAL)
    assert result.holds
    assert result.measured["largest derivative of E_l beyond the cut-off"] == 0.0
    assert len(locality.draw([result]).axes) == 1
    assert len(locality.draw([]).axes) == 1


def test_a_model_that_sees_further_than_it_says_fails(model, monkeypatch) -> None:
    parameters = model(random_model(2, 1, response=0.3))
    true = parameters.cutoff
    monkeypatch.setattr(FittedModel, "cutoff", property(lambda self: 0.7 * true))
    result = locality.measure(LOCAL)
    assert result.holds is False
    assert result.measured["largest derivative of E_l beyond the cut-off"] > 0.0
    assert result.measured["change of rho_l, all beyond changed"] > locality.ROUNDING


@pytest.mark.parametrize(
    "name", ["site_energies_position_vjp", "site_energies_vjp", "site_multipoles", "site_energies"]
)
def test_one_quantity_that_sees_further_is_enough_to_fail(model, monkeypatch, name) -> None:
    model(random_model(2, 1, response=0.3))
    true = getattr(FittedState, name)

    def spoilt(state, *arguments):
        value = true.fget(state) if isinstance(true, property) else true(state, *arguments)
        return value + 1e-9 * np.sum(state.features**2)

    broken = property(spoilt) if isinstance(true, property) else spoilt
    monkeypatch.setattr(FittedState, name, broken)
    assert locality.measure(LOCAL).holds is False


def test_a_model_without_features_has_nothing_beyond_the_cut_off(model) -> None:
    model(random_model(0, 0))
    result = locality.measure(LOCAL)
    name = "largest dE_l/dr_m beyond the cut-off, v = v*(r) [Hartree/bohr]"
    assert result.measured[name] == 0.0
    assert result.holds is False


def _point(parameters, **changes):
    """A point whose reference is the model itself, changed."""
    pair = water.head_to_tail(9.0 * ANGSTROM)
    own = far_field.interaction(parameters, pair, 3)
    point = water.FarPoint(
        "head-to-tail-9", pair, 3, 9.0 * ANGSTROM, own.energy, own.dipoles, own.induced
    )
    return replace(point, **changes)


POINT = System("head-to-tail-9", {"kind": "reference", "model": "", "name": "head-to-tail-9"})


def test_far_field_is_judged_by_induced_dipole_and_energy(model, monkeypatch) -> None:
    parameters = model(random_model(2, 1, response=0.3))
    own = _point(parameters)
    allowed = max(0.1 * abs(own.energy), far_field.ENERGY[1])
    cases = {
        True: [own, replace(own, energy=own.energy + 0.9 * allowed)],
        False: [
            replace(own, induced=own.induced * np.array([[1.15], [1.0]])),
            replace(own, induced=own.induced * np.array([[1.0], [-1.0]])),
            replace(own, energy=own.energy + 1.5 * allowed),
        ],
        None: [replace(own, distance=6.0 * ANGSTROM)],
    }
    for verdict, points in cases.items():
        for point in points:
            monkeypatch.setattr(far_field, "far_points", lambda point=point: {point.name: point})
            result = far_field.measure(POINT)
            assert result.holds is verdict
            assert result.measured["largest induced dipole without features [e bohr]"] <= 1e-11
    assert len(far_field.draw([result]).axes) == 3


def test_an_induced_dipole_without_features_fails(model, monkeypatch) -> None:
    own = _point(model(random_model(2, 1, response=0.3)))
    monkeypatch.setattr(far_field, "far_points", lambda: {own.name: own})
    plain = far_field.without_features

    def polarised(*arguments):
        found = plain(*arguments)
        return replace(found, induced=found.induced + 1e-6)

    monkeypatch.setattr(far_field, "without_features", polarised)
    assert far_field.measure(POINT).holds is False


TAIL = System("tail", {"kind": "tail", "model": ""})


def test_tail_of_permanent_dipoles_is_exact(model, monkeypatch) -> None:
    parameters = model(random_model(0, 0))
    dipole = predict(parameters, water.part(water.head_to_tail(20.0), slice(3))).dipole
    dipoles = np.array([dipole, dipole])
    pair = water.head_to_tail(20.0)
    point = water.FarPoint("head-to-tail-9", pair, 3, 1.0, 0.0, dipoles, 0.0 * dipoles)
    monkeypatch.setattr(far_field, "far_points", lambda: {point.name: point})
    result = far_field.measure(TAIL)
    own = result.measured["E r^3 / (-2 mu_A mu_B), dipoles of the model"]
    assert own == pytest.approx(1.0, abs=5e-3)
    assert result.measured["power of r"] == pytest.approx(3.0, abs=0.02)
    assert result.holds
    wrong = replace(point, dipoles=1.05 * point.dipoles)
    monkeypatch.setattr(far_field, "far_points", lambda: {point.name: wrong})
    assert far_field.measure(TAIL).holds is False
    monkeypatch.setattr(far_field, "far_points", dict)
    alone = far_field.measure(TAIL)
    assert alone.holds
    true = far_field.interaction

    def strong(*arguments):
        found = true(*arguments)
        return replace(found, energy=1.1 * found.energy)

    with monkeypatch.context() as patch:
        # An energy that belongs to other dipoles than the model's own, with those of the reference.
        other = replace(point, dipoles=np.sqrt(1.1) * point.dipoles)
        patch.setattr(far_field, "interaction", strong)
        patch.setattr(far_field, "far_points", lambda: {point.name: other})
        assert far_field.measure(TAIL).holds is False
    assert len(far_field.draw([alone]).axes) == 3
    assert [system.description for system in far_field.systems(False)] == [
        "head-to-tail dimer, 20 to 80 Å"
    ]


def test_the_next_term_of_the_tail_is_small_where_it_is_judged() -> None:
    """Of the shipped model, from 40 Å on; relative to the first it falls as r⁻²."""
    parameters = water.model_of(water.MODEL)
    near, half, far = (
        r**3 * far_field.interaction(parameters, water.head_to_tail(r), 3).energy
        for r in np.array([40.0, 80.0, 160.0]) * ANGSTROM
    )
    assert abs(near / far - 1.0) < 2e-3
    expected = (40.0**-2 - 160.0**-2) / (80.0**-2 - 160.0**-2)
    assert (near / far - 1.0) / (half / far - 1.0) == pytest.approx(expected, rel=0.05)


def test_every_far_point_of_the_data_is_a_system() -> None:
    names = {s.parameters.get("name") for s in far_field.systems(False)} - {None}
    assert len(names) == 20
    for point in water.far_points().values():
        ratio = np.linalg.norm(point.induced, axis=1) / np.linalg.norm(point.dipoles, axis=1)
        assert np.all((ratio > 1e-4) & (ratio < 0.02))


def test_induced_dipoles_of_the_fragments_add_up_to_that_of_the_pair() -> None:
    for atoms in ase.io.read(water.DATA / "far_field.xyz", ":"):
        point = water.far_points()[atoms.info["name"]]
        whole = atoms.info["ref_dipole"] - np.sum(point.dipoles, axis=0)
        near = point.distance < 7.0 * ANGSTROM  # some charge is handed over
        assert np.allclose(np.sum(point.induced, axis=0), whole, atol=3e-3 if near else 3e-4)


SMALL = System("droplet", {"kind": "droplet", "model": "", "molecules": 4, "seed": 0})


def test_stability_is_measured(model, monkeypatch) -> None:
    model(random_model(2, 1, response=0.3))
    result = stability.measure(SMALL)
    assert result.holds
    assert 0.0 < result.measured["largest spectral radius"] < 1.0
    assert len(stability.draw([result]).axes) == 2
    monkeypatch.setattr(stability, "ITERATIONS", result.measured["most iterations"] - 1)
    assert stability.measure(SMALL).holds is False


def test_an_unstable_model_fails(model, monkeypatch) -> None:
    monkeypatch.setattr(stability, "ITERATIONS", 1000)
    model(random_model(2, 1, response=100.0))
    result = stability.measure(SMALL)
    assert result.measured["smallest real part of 1 - K chi"] < 0.0
    assert result.holds is False


def test_a_solution_that_is_none_fails(model, monkeypatch) -> None:
    model(random_model(2, 1, response=0.3))

    def unconverged(*arguments, **options):
        found = predict(*arguments, **options)
        return SimpleNamespace(
            scf_iterations=found.scf_iterations, equilibrium=found.equilibrium, converged=False
        )

    monkeypatch.setattr(stability, "predict", unconverged)
    result = stability.measure(SMALL)
    assert result.measured["not converged"] == 1
    assert result.holds is False


def test_clusters_of_the_test_set_and_growing_droplets() -> None:
    described = [system.description for system in stability.systems(True)]
    assert described[0] == "test clusters"
    assert described[-3:] == [f"droplet of {n} molecules" for n in (20, 64, 216)]
