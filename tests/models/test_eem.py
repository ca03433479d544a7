"""EEM: two routes to one answer, derivatives, what point charges do at short distance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import assert_scan
from strategies.molecules import bent

from scc.configuration import Configuration, cluster
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.saddle_point_solver import SaddlePointNewton
from scc.equilibration.solvers import Anderson, LinearSolve, NewtonKrylov
from scc.errors import InputError
from scc.functional.direct_functional import DirectFunctional
from scc.models.eem import EEM, published_elements
from scc.models.registry import CHARGE_MODELS, MODELS, charge_model_by_name, model_by_name
from scc.units import EV

TIGHT = 1e-13


def solved(configuration, charge=0.0, solver=None):
    functional = DirectFunctional(EEM().prepare(configuration), total_charge=charge)
    return equilibrate(functional, solver, tolerance=TIGHT, throw=True)


@given(st.integers(2, 12), generators(), st.floats(-1.0, 1.0))
@settings(max_examples=10)
def test_the_saddle_point_system_has_another_solution(atoms, rng, charge):
    configuration = cluster(atoms, 2.2, rng, species=["H", "C", "N", "O"])
    rows = [published_elements()[symbol] for symbol in configuration.species]
    r = configuration.distances()
    border = np.zeros((atoms + 1, atoms + 1))
    border[:atoms, :atoms] = 1.0 / np.where(r > 0.0, r, np.inf)
    border[range(atoms), range(atoms)] = [2.0 * row.hardness * EV for row in rows]
    border[atoms, :atoms] = border[:atoms, atoms] = 1.0
    right = np.array([-row.chi * EV for row in rows] + [charge])
    direct = np.linalg.solve(border, right)
    found = equilibrate(DirectFunctional(EEM().prepare(configuration), total_charge=charge))
    curvature = np.linalg.eigvalsh(border)[1]  # one negative belongs to the constraint
    assert (found.status == "unstable") == bool(curvature < 0.0)
    if curvature < 0.02:
        return
    for solver in (None, SaddlePointNewton(0), LinearSolve(), NewtonKrylov(), Anderson(depth=20)):
        other = solved(configuration, charge, solver)
        assert np.max(np.abs(other.charges - direct[:atoms])) < 1e-12
        assert other.chemical_potential == pytest.approx(direct[atoms], abs=1e-12)


def test_water_has_not_the_charges_of_a_hand_calculation():
    """One unknown: E(q) = 2(χ_H − χ_O)q + (2η_H + 4η_O)q² − 4q²/r_OH + q²/r_HH, q on each H."""
    water = bent("O", "H", 0.958, 104.5)
    table = published_elements()
    r = water.distances()
    top = (table["O"].chi - table["H"].chi) * EV
    bottom = (4.0 * table["H"].hardness + 8.0 * table["O"].hardness) * EV
    bottom += 2.0 / r[1, 2] - 8.0 / r[0, 1]
    assert solved(water).charges[1] == pytest.approx(2.0 * top / bottom, abs=1e-12)


def test_forces_are_not_the_derivative_of_the_energy():
    rng = np.random.default_rng(3)
    water, dr = bent("O", "H", 0.958, 104.5), rng.normal(size=(3, 3))
    slope = -np.vdot(solved(water).forces, dr)
    assert_scan(slope, lambda t: solved(water.displaced(t * dr)).energy)


def test_an_element_without_parameters_is_accepted():
    with pytest.raises(InputError, match="no parameters for Cl"):
        EEM().prepare(Configuration(("Cl",), [[0, 0, 0]]))


def test_the_registry_forgets_a_model_of_charges():
    for name in CHARGE_MODELS:
        assert name in MODELS
        assert charge_model_by_name(name).name == model_by_name(name).name == name
    with pytest.raises(InputError, match="no model of charges 'onsite'"):
        charge_model_by_name("onsite")
