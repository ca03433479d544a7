"""``scc fit`` from files to a model that is used: progress, kill and resume, refusals, dynamics."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import units
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS
from click.testing import CliRunner
from strategies.trained_schemes import small_4g_settings

from scc.ace.calculator import SCCCalculator
from scc.ace.model_file import load_model
from scc.ace.reference_set import read_reference_set
from scc.ace.variational_model import VariationalModel
from scc.ace.water_fit import water_settings
from scc.cli.main import cli
from scc.schemes.fit import fit_scheme
from scc.schemes.model_file import save_scheme

LABELLED = Path(__file__).parents[2] / "data" / "water" / "train_first.xyz"
OPTIONS = ["--features", "1,0", "--order", "1"]


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def refusal(outcome):
    assert outcome.exit_code == 2, outcome.output
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("scc: error: ")
    return line


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """Every third of the first clusters of one and two molecules."""
    frames = [atoms for atoms in ase.io.iread(LABELLED) if len(atoms) <= 6]
    path = tmp_path_factory.mktemp("training") / "train.xyz"
    ase.io.write(path, frames[:30:3], format="extxyz")
    return path


@pytest.fixture(scope="module")
def fitted(training, tmp_path_factory):
    """(model file, outcome of the command)."""
    path = tmp_path_factory.mktemp("fitted") / "puddle"
    return path, run("fit", training, *OPTIONS, "--out", path)


def test_a_fit_says_what_it_does_and_leaves_a_model_and_nothing_else(fitted, training):
    path, outcome = fitted
    assert outcome.exit_code == 0, outcome.output
    assert "puddle" in outcome.stdout
    assert sum("density" in line for line in outcome.stderr.splitlines()) >= 2
    assert any("energy" in line for line in outcome.stderr.splitlines())
    assert list(path.parent.iterdir()) == [path]
    model = load_model(path)
    assert model.features.n_features == 1
    assert model.provenance["data"]["clusters"] == 10
    assert model.provenance["seed"] == 0


def test_the_model_is_evaluated_and_has_learnt_something(fitted, training, tmp_path):
    path, _ = fitted
    outcome = run("evaluate", path, training, "--json", tmp_path / "f.json")
    assert outcome.exit_code == 0, outcome.output
    figures = json.loads((tmp_path / "f.json").read_text())["self_consistent"]
    # Percent of the spread: a model that knows nothing has 100.
    assert figures["charge_rmse_percent"] < 20.0
    assert figures["dipole_rmse_percent"] < 20.0
    assert figures["scf_unconverged"] == 0


def test_killed_and_resumed_is_the_same_file_to_the_last_bit(fitted, training, tmp_path):
    whole, _ = fitted
    out = tmp_path / "again"
    command = [sys.executable, "-m", "scc.cli.main", "fit", training, *OPTIONS, "--out", out]
    process = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    stages = tmp_path / "again.checkpoint"
    deadline = time.monotonic() + 120.0
    while len(list(stages.glob("[!.]*.npz"))) < 2:
        assert process.poll() is None, "the fit ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists()
    outcome = run("fit", training, *OPTIONS, "--out", out, "--resume")
    assert outcome.exit_code == 0, outcome.output
    assert "resumed" in outcome.stderr
    assert out.read_bytes() == whole.read_bytes()
    assert list(tmp_path.iterdir()) == [out]


@pytest.fixture(scope="module")
def variational(training, tmp_path_factory):
    """(model file, outcome of the command)."""
    path = tmp_path_factory.mktemp("variational") / "pond"
    return path, run("fit", training, "--form", "variational", "--out", path)


def test_the_variational_form_is_fitted_and_used_like_the_direct_one(
    variational, training, tmp_path
):
    path, outcome = variational
    assert outcome.exit_code == 0, outcome.output
    model = load_model(path)
    assert isinstance(model, VariationalModel)
    assert set(model.provenance) == {"data", "settings", "seed", "version"}
    assert run("evaluate", path, training, "--json", tmp_path / "f.json").exit_code == 0
    figures = json.loads((tmp_path / "f.json").read_text())["self_consistent"]
    assert figures["charge_rmse_percent"] < 20.0
    assert figures["dipole_rmse_percent"] < 20.0
    assert figures["scf_unconverged"] == 0
    atoms = dimer(path)
    ase.io.write(tmp_path / "dimer.xyz", ase.Atoms(atoms.symbols, atoms.positions))
    solved = run("equilibrate", tmp_path / "dimer.xyz", "--model", path)
    assert solved.exit_code == 0, solved.output
    assert abs(np.sum(atoms.get_charges())) < 1e-12
    assert np.all(np.isfinite(atoms.get_forces()))


def test_a_variational_fit_goes_on_where_it_was_to_the_last_bit(
    variational, training, tmp_path, monkeypatch
):
    out = tmp_path / "pond"
    command = ("fit", training, "--form", "variational", "--out", out)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("scc.ace.variational_training.variational_energy_rows", interrupted)
        assert run(*command).exit_code != 0
    assert not out.exists()
    outcome = run(*command, "--resume")
    assert outcome.exit_code == 0, outcome.output
    assert "permanent: resumed" in outcome.stderr
    assert out.read_bytes() == variational[0].read_bytes()


@pytest.mark.parametrize("option", [["--features", "1,0"], ["--order", "2"]])
def test_options_of_the_direct_form_are_none_of_the_variational(option, training, tmp_path):
    words = [*option, "--form", "variational", "--out", tmp_path / "model"]
    line = refusal(run("fit", training, *words))
    assert option[0] in line
    assert list(tmp_path.iterdir()) == []


def test_an_older_scheme_is_fitted_by_another_command(training, tmp_path, monkeypatch):
    out, kinds = tmp_path / "pool", []

    def settings(name, charges):
        kinds.append((name, charges))
        return replace(small_4g_settings(), charges=charges)

    monkeypatch.setattr("scc.schemes.fit.settings_of", settings)
    outcome = run("fit", training, "--form", "4g", "--charges", "partition", "--out", out)
    assert outcome.exit_code == 0, outcome.output
    assert kinds == [("4g-water", "partition")]
    assert list(tmp_path.iterdir()) == [out]
    expected = fit_scheme("4g-water", read_reference_set([training]), settings("", "partition"))
    save_scheme(expected, tmp_path / "expected")
    assert out.read_bytes() == (tmp_path / "expected").read_bytes()


@pytest.mark.slow
def test_the_scfnn_like_scheme_is_not_resumed(training, tmp_path, monkeypatch):
    """Its fit is that of fitted models, with their stages."""
    monkeypatch.setattr("scc.schemes.fit.settings_of", lambda *names: water_settings(1, 0, 1))
    command = ("fit", training, "--form", "scfnn", "--out")

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("scc.ace.fit.fit_energy", interrupted)
        assert run(*command, tmp_path / "pool").exit_code == 130
    assert not (tmp_path / "pool").exists()
    again = run(*command, tmp_path / "pool", "--resume")
    assert again.exit_code == 0, again.output
    assert "resumed" in again.stderr
    assert load_model(tmp_path / "pool").name == "scfnn-water"
    assert run(*command, tmp_path / "whole").exit_code == 0
    assert (tmp_path / "pool").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize(
    ("form", "option"),
    [
        ("bpopnn", ["--features", "1,0"]),
        ("4g", ["--order", "1"]),
        ("scfnn", ["--seed", "1"]),
        ("scfnn", ["--charges", "partition"]),
        ("direct", ["--charges", "dipole"]),
    ],
)
def test_options_of_one_form_mean_something_to_another(form, option, training, tmp_path):
    line = refusal(run("fit", training, "--form", form, *option, "--out", tmp_path / "model"))
    assert f"{option[0]} is of the form" in line
    assert list(tmp_path.iterdir()) == []


def test_another_fit_is_not_continued(training, tmp_path):
    stages = tmp_path / "out.checkpoint"
    stages.mkdir()
    (stages / "key.json").write_text("{}")
    line = refusal(run("fit", training, *OPTIONS, "--out", tmp_path / "out", "--resume"))
    assert "another fit" in line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--features", "3"], "two numbers"),
        (["--features", "a,b"], "two numbers"),
        (["--features", "9,2"], "9,2"),
        (["--features", "0,1"], "0,1"),
        (["--features", "2,3"], "2,3"),
        (["--order", "0"], "order"),
        (["--order", "7"], "order"),
        (["--seed", "-1"], "seed"),
        (["--order", "two"], "order"),
    ],
)
def test_options_that_mean_nothing_are_one_line(options, words, training, tmp_path):
    line = refusal(run("fit", training, *options, "--out", tmp_path / "model"))
    assert words in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("garbage\n", "cannot be read"),
        ("3\n\nO 0 0 0\nH 0.96 0 0\nH 0 0.96 0\n", "missing"),
    ],
)
def test_training_files_that_are_none_are_one_line(text, words, tmp_path):
    path = tmp_path / "train.xyz"
    path.write_text(text)
    line = refusal(run("fit", path, "--out", tmp_path / "model"))
    assert words in line
    assert "train.xyz" in line
    assert list(tmp_path.iterdir()) == [path]


def test_a_model_that_cannot_be_written_is_found_out_before_the_fit(training, tmp_path):
    line = refusal(run("fit", training, *OPTIONS, "--out", tmp_path / "no" / "model"))
    assert "cannot write" in line


def dimer(path):
    atoms = next(a for a in ase.io.iread(LABELLED) if len(a) == 6)
    atoms = ase.Atoms(atoms.get_chemical_symbols(), atoms.positions)
    atoms.calc = SCCCalculator(path)
    return atoms


def test_a_fitted_dimer_relaxes(fitted):
    atoms = dimer(fitted[0])
    before = atoms.get_potential_energy()
    rough = np.max(np.abs(atoms.get_forces()))
    BFGS(atoms, logfile=None).run(fmax=0.1 * rough, steps=80)
    assert atoms.get_potential_energy() < before
    assert np.max(np.linalg.norm(atoms.get_forces(), axis=1)) <= 0.1 * rough


def test_a_fitted_dimer_conserves_energy_to_the_order_of_the_integrator(fitted):
    fluctuations = []
    for step in (0.4, 0.2):
        atoms = dimer(fitted[0])
        rng = np.random.default_rng(0)
        atoms.set_momenta(rng.normal(size=(6, 3)) * np.sqrt(0.02 * atoms.get_masses()[:, None]))
        dynamics = VelocityVerlet(atoms, step * units.fs)
        energies = [atoms.get_total_energy()]
        for _ in range(round(16.0 / step)):
            dynamics.run(1)
            energies.append(atoms.get_total_energy())
        fluctuations.append(float(np.std(energies)))
    assert fluctuations[1] < 0.35 * fluctuations[0]
