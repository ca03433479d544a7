"""Commands in this process: verdicts, bad input in one line, what is printed and written."""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import ase.io
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import scc
import scc.claims
from scc.cli.errors import describe
from scc.cli.main import cli
from scc.errors import ConvergenceError, InputError

TOYS = Path(__file__).parents[1] / "claims" / "toys"
WATER = "3\nwater\nO 0 0 0\nH 0.757 0.586 0\nH -0.757 0.586 0\n"


@pytest.fixture
def run(monkeypatch, tmp_path):
    """``run("verify", "toy-holds")`` in an empty folder, with the toy claims in place of scc's."""
    for name in ("registry", "runner"):  # while their folder is still on the path
        importlib.import_module(f"scc.claims.{name}")
    monkeypatch.setattr(scc.claims, "__path__", [str(TOYS)])
    for name in [name for name in sys.modules if name.startswith("scc.claims.toy")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "water.xyz").write_text(WATER)
    return lambda *arguments: CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture
def equilibrium(monkeypatch):
    """What the library is made to return; its calls are in ``equilibrium.calls``."""
    result = SimpleNamespace(
        status="converged",
        stable=True,
        energy=-17.25,
        charges=np.array([-0.5, 0.25, 0.25]),
        forces=np.array([[0.0, 0.02, 0.0], [0.01, -0.01, 0.0], [-0.01, -0.01, 0.0]]),
        gap=0.4,
        fermi_level=-0.1,
        iterations=9,
        density_builds=11,
        response_applications=0,
        residual=3e-11,
        lambda_min=1.0,
        lambda_max=1.75,
        calls=[],
    )

    def equilibrate_configuration(*arguments):
        result.calls.append(arguments)
        return result

    module = ModuleType("scc.equilibration.api")
    module.equilibrate_configuration = equilibrate_configuration
    monkeypatch.setitem(sys.modules, "scc.equilibration.api", module)
    return result


def assert_one_line(outcome, status, *words):
    assert outcome.exit_code == status, outcome.output
    lines = outcome.stderr.splitlines()
    assert lines[-1].startswith("scc: error: ")
    assert "Traceback" not in outcome.output
    for word in words:
        assert word in lines[-1]
    if status == 2:
        assert len(lines) == 1


def leftovers(folder):
    """Files that look temporary."""
    return [path for path in Path(folder).rglob("*") if path.name.startswith(".")]


def test_verify_tells_verdicts_by_status_table_and_files(run, tmp_path):
    good = run("verify", "toy-holds", "--out", "good")
    assert good.exit_code == 0, good.output
    assert "1 of 1 claims hold" in good.stdout
    assert "1 open" in good.stdout
    assert "[1/3] toy-holds" in good.stderr
    bad = run("verify", "toy-holds", "toy-fails", "--out", "bad")
    assert bad.exit_code == 1
    assert "1 of 2 claims hold" in bad.stdout
    assert "square 4 (predicted 3; n = 2)" in bad.stdout
    for folder in ("good", "bad"):
        names = {path.name for path in (tmp_path / folder).iterdir()}
        assert names == {"claims.json", "report.html", "figures", "data"}
        assert not leftovers(folder)
    assert not json.loads((tmp_path / "bad" / "claims.json").read_text())["claims"][1]["holds"]


def test_a_figure_that_cannot_be_drawn_is_not_passed_over(run, monkeypatch):
    from scc.claims import registry

    claim = registry.get_claim("toy-holds")
    monkeypatch.setitem(claim.__dict__, "draw", lambda results: None)
    outcome = run("verify", "toy-holds")
    assert outcome.exit_code == 1
    assert "figure not drawn" in outcome.stdout


def test_an_interrupt_while_measuring_in_this_process(run, monkeypatch, tmp_path):
    from scc.claims import registry

    def interrupted(system):
        raise KeyboardInterrupt

    run("verify", "toy-holds")
    monkeypatch.setitem(registry.get_claim("toy-fails").__dict__, "measure", interrupted)
    outcome = run("verify", "toy-holds", "toy-fails")
    assert_one_line(outcome, 130, "interrupted", "--resume continues")
    claims = json.loads((tmp_path / "out" / "claims.json").read_text())["claims"]
    assert [claim["id"] for claim in claims] == ["toy-holds"]
    assert not leftovers(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify", "theorem-99"], ["no claim 'theorem-99'", "toy-fails, toy-holds"]),
        (["verify", "toy-holds", "--workers", "0"], ["--workers"]),
        (["verify", "toy-holds", "--out", "water.xyz"], ["water.xyz", "File exists"]),
        (["verify", "toy-holds", "--out", "water.xyz/sub"], ["water.xyz", "Not a directory"]),
        (["verify", "toy-holds", "--out", "/proc/none/out"], ["/proc/none"]),
        (["verify", "--ful"], ["--ful"]),
        (["frobnicate"], ["frobnicate"]),
        (["figure"], ["NAME"]),
        (["figure", "no-such-figure"], ["no figure 'no-such-figure'", "known figures"]),
    ],
)
def test_bad_usage_is_one_line_and_status_2(run, tmp_path, arguments, words):
    assert_one_line(run(*arguments), 2, *words)
    assert [path.name for path in tmp_path.iterdir()] == ["water.xyz"]


BROKEN_FILES = {
    "nan": WATER.replace("0.757", "nan"),
    "infinite": WATER.replace("0.757", "inf"),
    "coincident": WATER.replace("-0.757", "0.757"),
    "empty": "",
    "truncated": WATER[:30],
    "words": "these are not atoms\n",
    "unknown element": WATER.replace("O ", "Qq "),
    "no atoms": "0\n\n",
}


@pytest.mark.parametrize("content", BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_a_broken_structure_file_is_one_line_and_status_2(run, equilibrium, tmp_path, content):
    (tmp_path / "broken.xyz").write_text(content)
    outcome = run("equilibrate", "broken.xyz", "--model", "onsite", "--out", "new.xyz")
    assert_one_line(outcome, 2, "broken.xyz")
    assert not (tmp_path / "new.xyz").exists()
    assert equilibrium.calls == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--beta", "0"], ["--beta must be positive", "0"]),
        (["--beta", "-3"], ["-3"]),
        (["--beta", "nan"], ["nan"]),
        (["--beta", "warm"], ["--beta", "warm"]),
        (["--electrons", "nan"], ["--electrons"]),
        (["--electrons", "-1"], ["-1"]),
        (["--mu", "inf"], ["--mu"]),
        (["--mu", "0", "--electrons", "8"], ["--electrons or --mu"]),
        (["--out", "new.cif"], ["new.cif"]),
        (["--out", "no-such-folder/new.xyz"], ["no-such-folder/new.xyz", "No such file"]),
        (["--out", "folder.xyz"], ["folder.xyz", "not a regular file"]),
        (["--out", "water.xyz/new.xyz"], ["Not a directory"]),
        (["--index", "7"], ["water.xyz"]),
    ],
)
def test_a_wrong_option_is_found_before_any_work(run, equilibrium, tmp_path, options, words):
    (tmp_path / "folder.xyz").mkdir()
    outcome = run("equilibrate", "water.xyz", "--model", "onsite", *options)
    assert_one_line(outcome, 2, *words)
    assert equilibrium.calls == []
    assert {path.name for path in tmp_path.iterdir()} == {"water.xyz", "folder.xyz"}


def test_a_missing_file_or_model_is_one_line_and_status_2(run, equilibrium):
    assert_one_line(run("equilibrate", "none.xyz", "--model", "onsite"), 2, "none.xyz")
    assert_one_line(run("equilibrate", ".", "--model", "onsite"), 2, "not a file")
    assert_one_line(run("equilibrate", "water.xyz"), 2, "--model")


def test_options_reach_the_library_and_the_default_is_neutral(run, equilibrium):
    assert run("equilibrate", "water.xyz", "--model", "onsite").exit_code == 0
    run("equilibrate", "water.xyz", "--model", "gaussian", "--beta", "inf", "--electrons", "10")
    run("equilibrate", "water.xyz", "--model", "onsite", "--mu", "-0.1", "--solver", "damped")
    settings = [call[1:] for call in equilibrium.calls]
    assert settings == [
        ("onsite", 1000.0, None, None, None),
        ("gaussian", float("inf"), 10.0, None, None),
        ("onsite", 1000.0, None, -0.1, "damped"),
    ]
    assert equilibrium.calls[0][0].species == ("O", "H", "H")


def test_text_shows_what_the_library_found(run, equilibrium):
    outcome = run("equilibrate", "water.xyz", "--model", "onsite")
    assert "-17.2500000000 Ha" in outcome.stdout
    assert "9 iterations" in outcome.stdout
    assert "[1, 1.75]" in outcome.stdout
    assert "    0 O   -0.500000" in outcome.stdout


def test_json_is_in_hartree_and_without_infinities(run, equilibrium):
    equilibrium.gap = float("inf")
    outcome = run("equilibrate", "water.xyz", "--model", "onsite", "--json")
    assert outcome.exit_code == 0
    document = json.loads(outcome.stdout)
    assert document["energy_hartree"] == -17.25
    assert document["charges_e"] == [-0.5, 0.25, 0.25]
    assert document["forces_hartree_per_bohr"][1] == [0.01, -0.01, 0.0]
    assert document["gap_hartree"] is None
    assert document["gap_hartree is null"] == "infinity"
    assert document["status"] == "converged"


def test_the_written_file_is_in_ev_and_angstrom(run, equilibrium, tmp_path):
    outcome = run("equilibrate", "water.xyz", "--model", "onsite", "--out", "new.xyz")
    assert outcome.exit_code == 0, outcome.output
    atoms = ase.io.read(tmp_path / "new.xyz")
    # CODATA 2018, written out: 1 Ha = 27.211386245988 eV, 1 bohr = 0.529177210903 Å; ASE composes
    # them from e, m_e, h, which have ten digits. Extended XYZ keeps 8 decimals of an array.
    assert atoms.get_potential_energy() == pytest.approx(-17.25 * 27.211386245988, rel=1e-10)
    forces = equilibrium.forces * 27.211386245988 / 0.529177210903
    np.testing.assert_allclose(atoms.get_forces(), forces, atol=1e-8)
    np.testing.assert_allclose(atoms.get_charges(), equilibrium.charges, atol=1e-8)
    np.testing.assert_allclose(atoms.positions, ase.io.read(tmp_path / "water.xyz").positions)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("status", ["stalled", "diverged", "unstable", "wrong electron number"])
@pytest.mark.parametrize("as_json", [False, True])
def test_an_unconverged_result_is_never_shown_as_if_it_were_fine(
    run, equilibrium, tmp_path, status, as_json
):
    equilibrium.status, equilibrium.stable = status, status != "unstable"
    equilibrium.lambda_min = -0.3
    options = ["--json"] if as_json else []
    outcome = run("equilibrate", "water.xyz", "--model", "onsite", "--out", "new.xyz", *options)
    assert_one_line(outcome, 1, status, "9 iterations")
    assert not (tmp_path / "new.xyz").exists()
    assert "energy" not in outcome.stdout
    assert not as_json or json.loads(outcome.stdout)["status"] == status


def test_a_converged_but_unstable_result_fails(run, equilibrium):
    equilibrium.stable, equilibrium.lambda_min = False, -0.25
    outcome = run("equilibrate", "water.xyz", "--model", "onsite")
    assert_one_line(outcome, 1, "unstable", "-0.25")


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (InputError("no parameters for element Xe"), 2, ["no parameters for element Xe"]),
        (ConvergenceError("stalled after 100 iterations"), 1, ["stalled"]),
        (PermissionError(13, "Permission denied", "/etc/x"), 2, ["/etc/x: Permission denied"]),
        (MemoryError(), 1, ["out of memory"]),
        (KeyboardInterrupt(), 130, ["interrupted"]),
        (ZeroDivisionError("division\nby zero"), 1, ["division by zero", "--debug"]),
    ],
)
def test_what_the_library_raises_is_one_line(run, equilibrium, monkeypatch, error, status, words):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(sys.modules["scc.equilibration.api"], "equilibrate_configuration", fail)
    assert_one_line(run("equilibrate", "water.xyz", "--model", "onsite"), status, *words)
    if isinstance(error, Exception):
        debugged = run("--debug", "equilibrate", "water.xyz", "--model", "onsite")
        assert debugged.exception is error


@given(st.text(), st.sampled_from([InputError, ConvergenceError, ValueError, OSError, KeyError]))
def test_no_message_has_two_lines(text, kind):
    assert len(describe(kind(text)).message.splitlines()) <= 1


def test_list_names_claims_and_models_a_line_each(run):
    outcome = run("list")
    assert outcome.exit_code == 0
    lines = outcome.stdout.splitlines()
    assert any("toy-holds" in line and "Lemma 0" in line for line in lines)
    assert sum(line.lstrip().startswith(("onsite ", "gaussian ")) for line in lines) == 2


def test_version(run):
    assert run("--version").stdout.strip() == f"scc {scc.__version__}"


def test_no_arguments_show_the_help(run):
    outcome = run()
    assert outcome.exit_code == 2
    assert "Commands:" in outcome.output


def test_figures_are_drawn_by_name_or_all_at_once(run, monkeypatch, tmp_path):
    package = ModuleType("scc.figures")
    package.__path__ = [str(tmp_path / "scripts")]
    monkeypatch.setitem(sys.modules, "scc.figures", package)
    (tmp_path / "scripts").mkdir()
    for name in ("first_one", "second", "_helper"):
        (tmp_path / "scripts" / f"{name}.py").write_text(
            '"""A figure."""\nfrom matplotlib.figure import Figure\n\n\ndef draw():\n'
            "    return Figure()\n"
        )
    assert run("figure", "first-one", "--out", "a").exit_code == 0
    assert run("figure", "all", "--out", "b").exit_code == 0
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"first_one.png", "first_one.pdf"}
    assert len(list((tmp_path / "b").iterdir())) == 4
    (tmp_path / "scripts" / "second.py").write_text("def draw():\n    raise ValueError('no')\n")
    for name in ("first_one", "second"):
        monkeypatch.delitem(sys.modules, f"scc.figures.{name}")
    assert_one_line(run("figure", "second", "--out", "c"), 1, "ValueError: no")
    assert list((tmp_path / "c").iterdir()) == []
