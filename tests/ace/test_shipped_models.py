"""Models that ship under a name: small files that load, and solutions that are what they say."""

from importlib.resources import files
from pathlib import Path

import ase.io
import numpy as np
import pytest
from strategies.finite_differences import derivative
from strategies.fitted_models import moved

from scc.ace.predict import predict
from scc.ace.registry import fitted_model, fitted_names
from scc.configuration import from_ase

HEPTAMER = Path(__file__).parents[2] / "examples" / "water_heptamer.xyz"


def test_names_are_those_of_the_folder():
    folder = files("scc.ace").joinpath("models")
    found = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    assert set(fitted_names()) == {name[:-5] for name in found if name.endswith(".json")}


@pytest.mark.parametrize("name", fitted_names())
def test_a_shipped_model_is_small_and_says_where_it_comes_from(name):
    assert files("scc.ace").joinpath("models", f"{name}.json").stat().st_size <= 2e6
    assert set(fitted_model(name).provenance) >= {"data", "settings", "seed", "version"}


@pytest.mark.parametrize("name", fitted_names())
def test_a_shipped_model_solves_a_heptamer_with_exact_forces(name):
    model = fitted_model(name)
    configuration = from_ase(ase.io.read(HEPTAMER))
    found = predict(model, configuration)
    assert found.stable
    assert found.scf_iterations <= 20
    assert abs(np.sum(found.charges)) < 1e-12
    direction = np.random.default_rng(0).normal(size=configuration.positions.shape)
    direction /= np.linalg.norm(direction)

    def energy(step):
        return predict(model, moved(configuration, step * direction), tolerance=1e-12).energy

    slope = -float(np.vdot(found.forces, direction))
    size = float(np.linalg.norm(found.forces))
    errors = [abs(float(derivative(energy, step)[0]) - slope) / size for step in (1e-2, 3e-3)]
    assert min(errors) <= 1e-6
