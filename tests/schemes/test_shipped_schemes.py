"""Schemes that ship: small files, exact forces, and a table that is theirs."""

import json
from importlib.resources import files
from pathlib import Path

import ase.io
import numpy as np
import pytest
from strategies.finite_differences import derivative
from strategies.fitted_models import moved

from scc.ace.predict import predict
from scc.ace.reference_set import read_reference_set
from scc.configuration import from_ase
from scc.equilibration import SaddlePointNewton, equilibrate
from scc.equilibration.equilibrate import solve_direct
from scc.schemes.evaluation import figures, outcomes
from scc.schemes.registry import SUBJECTS, subject_by_name, trained_model
from scc.schemes.table import COLUMNS, MODELS, markdown, measured

ROOT = Path(__file__).parents[2]
HEPTAMER = ROOT / "examples" / "water_heptamer.xyz"
TEST = ROOT / "data" / "water" / "test.xyz"
FOLDER = files("scc.schemes")


def solve(model, configuration, start=None):
    if hasattr(model, "operator"):
        return predict(model, configuration, features=start, tolerance=1e-12)
    functional = model.functional(configuration)
    return equilibrate(functional, features=start, tolerance=1e-12, throw=True)


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_shipped_scheme_is_small_and_says_where_it_comes_from(name):
    assert FOLDER.joinpath("models", f"{name}.json").stat().st_size <= 1e6
    model = subject_by_name(name)
    assert model.name == name
    assert set(model.provenance) == {"data", "settings", "version"}


def test_the_schemes_are_trained_on_the_training_set_of_the_data_as_it_is():
    names = ("train_first.xyz", "train.xyz")
    training = read_reference_set([ROOT / "data" / "water" / name for name in names])
    for name in SUBJECTS:
        assert subject_by_name(name).provenance["data"]["sha256"] == training.digest(), name


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_shipped_scheme_solves_a_heptamer_with_exact_forces(name):
    model = subject_by_name(name)
    configuration = from_ase(ase.io.read(HEPTAMER))
    found = solve(model, configuration)
    assert found.stable
    assert abs(np.sum(found.charges)) < 1e-10
    direction = np.random.default_rng(0).normal(size=configuration.positions.shape)
    direction /= np.linalg.norm(direction)

    def energy(step):
        return solve(model, moved(configuration, step * direction), found.features).energy

    slope = -float(np.vdot(found.forces, direction))
    size = float(np.linalg.norm(found.forces))
    # Eighth order: the truncation error at 5e-3 bohr is far below what solutions of 1e-12 leave.
    assert abs(float(derivative(energy, 5e-3)[0]) - slope) / size <= 1e-6


def test_bpopnn_assembles_its_hessian_at_every_step():
    """Truncated Newton: less than 21 products a step, and fewer with J in the preconditioner."""
    functional = subject_by_name("bpopnn-water").functional(from_ase(ase.io.read(HEPTAMER)))
    found = solve_direct(functional, SaddlePointNewton(), None, 1e-10, 100)
    plain = solve_direct(functional, SaddlePointNewton(dense_below=0), None, 1e-10, 100)
    assert found.converged
    assert plain.converged
    assert np.max(np.abs(found.charges - plain.charges)) < 1e-9
    assert found.response_applications < 0.85 * plain.response_applications
    assert found.response_applications < 7 * found.density_builds


def test_bpopnn_has_one_minimum():
    """What its README admits: from neutral atoms another one than from its own guess."""
    frame = read_reference_set([TEST]).frames[47]
    functional = subject_by_name("bpopnn-water").functional(frame.configuration)
    own = equilibrate(functional, throw=True)
    other = equilibrate(functional, features=np.zeros(len(frame.configuration)), throw=True)
    assert abs(own.energy - frame.energy) < abs(other.energy - frame.energy)
    assert np.max(np.abs(own.charges - other.charges)) > 0.05


def test_the_readme_shows_the_figures_of_the_file():
    table = json.loads(FOLDER.joinpath("errors.json").read_text())
    assert tuple(table) == MODELS
    assert markdown(table) in FOLDER.joinpath("README.md").read_text()
    for name, row in table.items():
        assert set(row) == set(COLUMNS)
        has_dipoles = name not in ("bpopnn-water", "4g-water")
        assert (row["dipole_rmse_percent"] is not None) == has_dipoles
        assert row["scf_unconverged"] == 0


def test_the_row_of_4g_comes_out_again():
    """All test clusters; the other models, which take ten times as long, in the slow test."""
    row = json.loads(FOLDER.joinpath("errors.json").read_text())["4g-water"]
    model = trained_model("4g-water")
    found = figures(model, outcomes(model, read_reference_set([TEST]).frames))
    for key in ("energy_rmse_mev_per_molecule", "force_rmse_mev_per_angstrom"):
        assert row[key] == pytest.approx(found[key], rel=1e-4)
    assert row["charge_rmse_percent"] == pytest.approx(found["charge_rmse_percent"], rel=1e-4)
    assert row["scf_unconverged"] == found["scf_unconverged"]


@pytest.mark.slow
def test_the_whole_table_comes_out_again():
    table = json.loads(FOLDER.joinpath("errors.json").read_text())
    for name, row in measured(TEST).items():
        for key, value in row.items():
            if value is None:
                assert table[name][key] is None
            else:
                allowed = 2 if key == "scf_iterations_max" else 1e-4 * abs(value)
                assert abs(table[name][key] - value) <= allowed, (name, key)
