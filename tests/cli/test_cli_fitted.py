"""``scc evaluate`` and ``scc equilibrate --model FILE``: figures, keys, and one-line refusals."""

import hashlib
import json
from pathlib import Path

import ase.io
import numpy as np
import pytest
from click.testing import CliRunner
from strategies.fitted_models import random_model
from strategies.trained_schemes import random_4g, random_bpopnn

from scc.ace.model_file import save_model
from scc.ace.predict import predict
from scc.cli.main import cli
from scc.configuration import from_ase
from scc.equilibration import equilibrate
from scc.schemes.model_file import save_scheme
from scc.schemes.registry import SUBJECTS
from scc.units import EV

ROOT = Path(__file__).parents[2]
HEPTAMER = ROOT / "examples" / "water_heptamer.xyz"
LABELLED = ROOT / "data" / "water" / "train_first.xyz"
KEYS = {
    "energy_rmse_mev_per_molecule",
    "force_rmse_mev_per_angstrom",
    "charge_rmse_percent",
    "dipole_rmse_percent",
    "quadrupole_rmse_percent",
    "total_dipole_rmse_e_bohr",
    "scf_iterations_max",
    "scf_unconverged",
}


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def refusal(outcome, status=2):
    assert outcome.exit_code == status, outcome.output
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("scc: error: ")
    return line


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.json"
    save_model(random_model(2, 1), path)
    return path


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """The first frames of the training set, as text: every frame is a list of lines."""
    lines = LABELLED.read_text().splitlines(keepends=True)
    found, start = [], 0
    while len(found) < 4:
        end = start + 2 + int(lines[start])
        found.append(lines[start:end])
        start = end
    return found


@pytest.fixture
def test_set(frames, tmp_path):
    path = tmp_path / "test.xyz"
    path.write_text("".join("".join(frame) for frame in frames))
    return path


def test_evaluate_writes_exactly_the_promised_keys(model, test_set, tmp_path):
    out = tmp_path / "figures.json"
    outcome = run("evaluate", model, test_set, "--json", out)
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stderr == ""
    document = json.loads(out.read_text())
    assert set(document) == {"teacher_forced", "self_consistent"}
    for figures in document.values():
        assert set(figures) == KEYS
        assert all(isinstance(value, int | float) for value in figures.values())
    assert document["self_consistent"]["scf_iterations_max"] > 3
    assert document["self_consistent"]["scf_unconverged"] == 0
    for words in ("teacher-forced", "self-consistent", "meV/Å", "4 clusters"):
        assert words in outcome.stdout
    again = run("evaluate", model, test_set, "--json", "-")
    assert json.loads(again.stdout) == document


def test_evaluate_tells_an_unstable_model(test_set, tmp_path):
    path = tmp_path / "wild.json"
    save_model(random_model(3, 2, response=30.0), path)
    line = refusal(run("evaluate", path, test_set), 1)
    assert "no stable self-consistent solution" in line


def test_equilibrate_with_a_fitted_model_agrees_with_the_library(model, tmp_path):
    out = tmp_path / "out.xyz"
    outcome = run("equilibrate", HEPTAMER, "--model", model, "--json", "--out", out)
    assert outcome.exit_code == 0, outcome.output
    document = json.loads(outcome.stdout)
    found = predict(random_model(2, 1), from_ase(ase.io.read(HEPTAMER)))
    assert document["status"] == "converged"
    assert document["stable"] is True
    assert document["scf_iterations"] == found.scf_iterations
    assert document["energy_hartree"] == pytest.approx(found.energy, abs=1e-10)
    assert document["spectral_radius"] == pytest.approx(found.equilibrium.spectrum.radius)
    np.testing.assert_allclose(document["charges_e"], found.charges, atol=1e-10)
    np.testing.assert_allclose(document["forces_hartree_per_bohr"], found.forces, atol=1e-10)
    np.testing.assert_allclose(document["dipole_e_bohr"], found.dipole, atol=1e-9)
    np.testing.assert_allclose(document["polarisability_bohr3"], found.polarisability(), atol=1e-8)
    written = ase.io.read(out)
    assert written.get_potential_energy() == pytest.approx(found.energy / EV)
    text = run("equilibrate", HEPTAMER, "--model", model).stdout
    for words in ("converged in", "spectral radius", "polarisability", "force"):
        assert words in text


SCHEMES = {"bpopnn": random_bpopnn(), "4g": random_4g()}


@pytest.fixture(params=SCHEMES)
def scheme(request, tmp_path):
    path = tmp_path / f"{request.param}.json"
    save_scheme(SCHEMES[request.param], path)
    return path


def test_a_file_of_a_trained_scheme_is_no_model(scheme, test_set, tmp_path):
    out = tmp_path / "out.xyz"
    outcome = run("equilibrate", HEPTAMER, "--model", scheme, "--json", "--out", out)
    assert outcome.exit_code == 0, outcome.output
    document = json.loads(outcome.stdout)
    functional = SCHEMES[scheme.stem].functional(from_ase(ase.io.read(HEPTAMER)))
    found = equilibrate(functional, throw=True)
    assert document["energy_hartree"] == pytest.approx(found.energy, abs=1e-10)
    assert document["total_charge_e"] == 0.0
    np.testing.assert_allclose(document["charges_e"], found.charges, atol=1e-10)
    np.testing.assert_allclose(document["forces_hartree_per_bohr"], found.forces, atol=1e-9)
    assert ase.io.read(out).get_potential_energy() == pytest.approx(found.energy / EV)
    outcome = run("evaluate", scheme, test_set, "--json", "-")
    assert outcome.exit_code == 0, outcome.output
    assert set(json.loads(outcome.stdout)) == {"self_consistent"}
    line = refusal(run("equilibrate", HEPTAMER, "--model", scheme, "--charge", "1"))
    assert "--charge is for models of charges" in line
    line = refusal(run("equilibrate", HEPTAMER, "--model", scheme, "--beta", "10"))
    assert "--beta means nothing to a fitted model" in line


def test_a_frame_that_is_not_there_is_read(model):
    line = refusal(run("equilibrate", HEPTAMER, "--model", model, "--index", "7"))
    assert "water_heptamer.xyz: it has no frame 7" in line


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_trained_scheme_has_a_name_in_some_commands_only(name, tmp_path):
    file = tmp_path / "water.xyz"
    file.write_text("3\n\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n")
    outcome = run("equilibrate", file, "--model", name, "--json")
    assert outcome.exit_code == 0, outcome.output
    assert json.loads(outcome.stdout)["stable"] is True
    file.write_text("2\n\nO 0 0 0\nH 0.96 0 0\n")
    assert "1 O and 1 H are not water" in refusal(run("equilibrate", file, "--model", name))


def _kind(content):
    body = json.loads(b"{" + content.split(b"\n", 1)[1]) | {"kind": "qeq"}
    rest = json.dumps(body).removeprefix("{").encode() + b"\n"
    digest = hashlib.sha256(rest).hexdigest()
    first = f'{{"format": "scc scheme of charges", "version": 1, "sha256": "{digest}",'
    return first.encode() + b"\n" + rest


def _format(content):
    return content.replace(b"scc scheme of charges", b"scc certificate", 1)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda content: content[:-100], "truncated or damaged"),
        (lambda content: content.replace(b'"width"', b'"Width"'), "truncated or damaged"),
        (_kind, "a scheme of kind 'qeq'"),
        (_format, "not a file of format 'scc fitted model' or 'scc scheme of charges'"),
        (lambda content: b"{}", "not a file of format"),
    ],
)
@pytest.mark.parametrize("command", [["evaluate"], ["equilibrate", HEPTAMER, "--model"], ["check"]])
def test_a_damaged_scheme_or_one_of_another_kind_is_read(
    command, spoil, words, scheme, test_set, tmp_path
):
    bad = tmp_path / "bad.json"
    bad.write_bytes(spoil(scheme.read_bytes()))
    line = refusal(run(*command, bad, *([test_set] if command == ["evaluate"] else [])))
    assert words in line
    assert "bad.json" in line


@pytest.mark.parametrize("option", [["--beta", "10"], ["--electrons", "8"], ["--solver", "diis"]])
def test_options_of_tight_binding_mean_nothing_to_a_fitted_model(option, model):
    line = refusal(run("equilibrate", HEPTAMER, "--model", model, *option))
    assert option[0] in line


@pytest.mark.parametrize(
    ("atoms", "words"),
    [
        ("O 0 0 0\nH 0.96 0 0\nH 0 0.96 0\nNa 5 0 0", "atom 3 is Na"),
        ("O 0 0 0\nH 0.96 0 0", "1 O and 1 H are not water molecules"),
        ("O 0 0 0\nH 1.81 0 0\nH -0.4 1.76 0", "atom 1 (H) is 1.81 Å from the nearest O"),
        ("O 0 0 0\nH 0.96 0 0\nH 0 0.96 0\nH 0 0 0.96", "not water molecules"),
    ],
)
def test_structures_that_are_not_neutral_water_in_angstrom_are_refused(
    atoms, words, model, tmp_path
):
    file = tmp_path / "atoms.xyz"
    file.write_text(f"{len(atoms.splitlines())}\n\n{atoms}\n")
    assert words in refusal(run("equilibrate", file, "--model", model))


@pytest.mark.parametrize("command", [["evaluate"], ["equilibrate", HEPTAMER, "--model"]])
def test_an_unstable_or_absent_or_damaged_model_is_one_line(command, model, test_set, tmp_path):
    def invoke(name):
        return run(*command, name, *([test_set] if command == ["evaluate"] else []))

    damaged = tmp_path / "damaged.json"
    damaged.write_bytes(model.read_bytes()[:-100])
    assert "truncated or damaged" in refusal(invoke(damaged))
    damaged.write_bytes(b"\x80garbage")
    assert "not a file of format" in refusal(invoke(damaged))
    assert "no-such-model" in refusal(invoke("no-such-model"))
    assert "it is a folder" in refusal(invoke(tmp_path))


def _edit(frames, change):
    return "".join("".join(change(list(frame))) for frame in frames)


def _garbage(frames):
    return "\x00\x01 what is this\n"


def _truncated(frames):
    return "".join("".join(frame) for frame in frames)[:-40]


def _missing_column(frames):
    return _edit(
        frames, lambda f: [f[0], f[1].replace("ref_charge:R:1:", "some_charge:R:1:"), *f[2:]]
    )


def _without_energy(frames):
    return _edit(frames, lambda f: [f[0], f[1].replace("ref_energy", "my_energy"), *f[2:]])


def _charged(frames):
    def shift(frame):
        words = frame[2].split()
        words[7] = str(float(words[7]) + 1.0)
        return [*frame[:2], " ".join(words) + "\n", *frame[3:]]

    return _edit(frames, shift)


def _in_hartree(frames):
    def convert(frame):
        before = frame[1].split("ref_energy=")[1].split()[0]
        return [
            frame[0],
            frame[1].replace(before, str(float(before) * EV)),
            *frame[2:],
        ]

    return _edit(frames, convert)


def _salty(frames):
    return _edit(frames, lambda f: [*f[:2], f[2].replace("O ", "S ", 1), *f[3:]])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_garbage, "cannot be read"),
        (_truncated, "frame"),
        (_missing_column, "ref_charge is missing"),
        (_without_energy, "ref_energy is missing"),
        (_charged, "adds up to"),
        (_in_hartree, "ref_energy"),
        (_salty, "is S"),
    ],
)
def test_test_sets_that_cannot_be_right_are_one_line(spoil, words, frames, model, tmp_path):
    path = tmp_path / "bad.xyz"
    path.write_text(spoil(frames))
    line = refusal(run("evaluate", model, path, "--json", tmp_path / "f.json"))
    assert words in line
    assert "bad.xyz" in line
    assert not (tmp_path / "f.json").exists()


def test_a_json_file_that_cannot_be_written_is_found_out_first(model, test_set, tmp_path):
    line = refusal(run("evaluate", model, test_set, "--json", tmp_path / "no" / "f.json"))
    assert "cannot write" in line
