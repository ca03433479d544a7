"""``scc check``: exit status by verdict, files complete, one line for whatever is wrong."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from scc.cli.main import cli

ROOT = Path(__file__).parents[2]
WATER = ROOT / "examples" / "water.xyz"
MINE = ROOT / "examples" / "my_model.py"


def check(*arguments):
    return CliRunner().invoke(cli, ["check", *map(str, arguments)])


@pytest.fixture
def passing(tmp_path):
    """A module with the subject that has every property."""
    file = tmp_path / "toys.py"
    file.write_text("from strategies.toy_subjects import Toy as Toy\n")
    return file


def test_all_pass_is_status_0_with_a_readable_table(passing, tmp_path):
    outcome = check(f"{passing}:Toy", "--structures", WATER, "--out", tmp_path / "out")
    assert outcome.exit_code == 0, outcome.output
    assert "toy on H2O (3 atoms)" in outcome.stdout
    for word in ("locality rho", "size consistency", "initial guess"):
        assert word in outcome.stdout
        assert word in outcome.stderr  # progress
    document = json.loads((tmp_path / "out" / "verdicts.json").read_text())
    assert document["passed"] is True
    assert len(document["properties"]) == 12


def test_a_failure_is_status_1_and_is_named(tmp_path):
    outcome = check(f"{MINE}:abrupt", "--structures", WATER, WATER, "--out", tmp_path)
    assert outcome.exit_code == 1
    found = json.loads((tmp_path / "verdicts.json").read_text())
    failed = [entry["id"] for entry in found["properties"] if entry["verdict"] == "fail"]
    assert failed == ["equilibrated decay", "size consistency", "smoothness"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-model"], "no model 'no-such-model'"),
        (["eem", "--structures", "no-such.xyz"], "no-such.xyz: no such file"),
        (["eem", str(WATER)], "structure files go behind --structures"),
        ([], "give a MODEL, or --table"),
        (["eem", "--resume"], "--resume goes with --table"),
        (["--table"], "--table needs --out"),
        (["--table", "--structures", str(WATER)], "--table has its own structures"),
        ([f"{MINE}:nothing"], "has no 'nothing'"),
        (["eem", "--out", str(WATER)], "water.xyz"),
        (["eem", "--workers", "0"], "0"),
    ],
)
def test_what_is_wrong_is_one_line_and_status_2(arguments, says):
    outcome = check(*arguments)
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    (line,) = outcome.stderr.strip().splitlines()
    assert line.startswith("scc: error: ")
    assert says in line


def test_structures_of_unknown_elements_are_one_line(tmp_path):
    (tmp_path / "gold.xyz").write_text("1\n\nAu 0 0 0\n")
    outcome = check("eem", "--structures", tmp_path / "gold.xyz")
    assert outcome.exit_code == 2
    assert "Au" in outcome.stderr
    assert not outcome.stdout


def test_a_structure_that_is_left_out_is_said(tmp_path, passing):
    (tmp_path / "gold.xyz").write_text("1\n\nAu 0 0 0\n")
    outcome = check(f"{passing}:Toy", "--structures", tmp_path / "gold.xyz", WATER)
    assert outcome.exit_code == 0
    assert "structure 0 left out: element Au is unknown to toy" in outcome.stdout


def test_a_table_of_given_models_says_which_fail(tmp_path):
    outcome = check("--table", "eem", f"{MINE}:MyModel", "--out", tmp_path)
    assert outcome.exit_code == 1
    (row,) = [line for line in outcome.stdout.splitlines() if line.startswith("eem ")]
    assert (row.count("✓"), row.count("✗")) == (10, 2)
    rows = json.loads((tmp_path / "table.json").read_text())
    assert [row["model"] for row in rows] == ["eem", f"{MINE}:MyModel"]
    text = (tmp_path / "table.md").read_text()
    assert text.count("✗") >= 4
    again = check("--table", "eem", f"{MINE}:MyModel", "--out", tmp_path, "--resume")
    assert again.exit_code == 1
    assert again.stdout == outcome.stdout


BAD = {
    "hydrogen": ("1\n\nH 0 0 0\n", "are not water molecules"),
    "nan": ("3\n\nO 0 0 0\nH nan 0 0\nH 0 0.96 0\n", "is not a finite number"),
    "coincident": ("3\n\nO 0 0 0\nH 0 0 0\nH 0 0.96 0\n", "0 bohr apart"),
    "unknown": ("3\n\nO 0 0 0\nH 0 0 0.96\nQq 0 0.96 0\n", "Qq"),
    "dummy": ("3\n\nO 0 0 0\nX 0 0 0.96\nH 0 0.96 0\n", "X"),
    "empty": ("", "the file is empty"),
    "truncated": ("3\n\nO 0 0 0\nH 0 0", "cannot read"),
    "none": ("0\n\n", "at least one atom"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("model", ["water", "eem", "onsite", "gfn2", f"{MINE}:MyModel"])
def test_no_structure_is_bad_in_a_way_that_takes_more_than_a_line(model, kind, tmp_path):
    text, says = BAD[kind]
    if model == "gfn2":
        pytest.importorskip("tblite")
    if kind == "hydrogen":
        says = {"water": says, "gfn2": "an odd number of electrons is no pairs"}.get(model)
        if says is None:
            pytest.skip("charges and fractional occupations know no pairs")
    file = tmp_path / "bad.xyz"
    file.write_text(text)
    outcome = check(model, "--structures", file)
    assert outcome.exit_code == 2, outcome.output
    assert outcome.stdout == ""
    (line,) = outcome.stderr.strip().splitlines()
    assert line.startswith("scc: error: ")
    assert says in line


@pytest.mark.parametrize("model", ["water", "qeq", "onsite"])
def test_a_charge_in_the_file_is_not_ignored(model, tmp_path):
    file = tmp_path / "ion.xyz"
    lines = ["3", "charge=1 Properties=species:S:1:pos:R:3", "O 0 0 0", "H .96 0 0", "H -.24 .93 0"]
    file.write_text("\n".join(lines) + "\n")
    outcome = check(model, "--structures", file)
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    (line,) = outcome.stderr.strip().splitlines()
    assert "it states charge=1, and a charge of 0 e is asked" in line


def test_a_table_with_a_model_that_could_not_be_checked_has_not_passed(tmp_path):
    outcome = check("--table", "no-such-model", "--out", tmp_path)
    assert outcome.exit_code == 1
    assert "no model 'no-such-model'" in (tmp_path / "table.md").read_text()
