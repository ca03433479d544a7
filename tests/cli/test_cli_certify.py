"""``scc certify``: certificates from the command line, their check, and what cannot be had."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from scc.certify.certificate import checksum
from scc.cli.certify import chain_values
from scc.cli.main import cli
from scc.errors import InputError

EXAMPLES = Path(__file__).parents[2] / "examples"
CHAIN = "M=6,spacings=1:1.3,gap=2,charges=1.4:0.6"


def certify(*arguments):
    return CliRunner().invoke(cli, ["certify", *map(str, arguments)])


@pytest.mark.parametrize(
    "options", [(), ("--beta", "10"), ("--mu", "0.1"), ("--beta", "8", "--electrons", "6.3")]
)
@pytest.mark.parametrize("degree", [(), ("--degree", "24")])
def test_a_chain_is_certified_and_its_certificate_checked(tmp_path, options, degree):
    out = tmp_path / "cert.json"
    outcome = certify("--chain", CHAIN, *options, *degree, "--out", out)
    assert outcome.exit_code == 0, outcome.output
    assert "exact solution: exists within" in outcome.stdout
    assert ("distance of the two" in outcome.stdout) == bool(degree)
    assert "equilibrating" in outcome.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["cert.json"]
    document = json.loads(out.read_text())
    assert float(document["exact"]["existence_radius"]) <= 1e-10
    checked = certify("--check", out)
    assert checked.exit_code == 0, checked.output
    assert checked.stdout.splitlines()[-1].startswith("valid")


@pytest.mark.parametrize(
    "arguments",
    [
        ("M=1", "--beta", "5", "--degree", "8"),
        ("M=2", "--electrons", "0"),
        ("M=2", "--electrons", "4"),
        ("M=3", "--mu", "-50", "--degree", "4"),  # F_N = F = 0: the two centres coincide
        ("M=3", "--mu", "50"),
        ("M=3", "--mu", "-3", "--beta", "900"),
    ],
)
def test_nothing_or_everything_occupied_and_single_atoms_are_certified(tmp_path, arguments):
    out = tmp_path / "cert.json"
    outcome = certify("--chain", *arguments, "--out", out)
    assert outcome.exit_code == 0, outcome.output
    checked = certify("--check", out)
    assert checked.exit_code == 0, checked.output


def test_a_structure_file_is_certified_with_the_on_site_model(tmp_path):
    file = tmp_path / "water.xyz"
    file.write_text("3\n\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n")
    out = tmp_path / "cert.json"
    outcome = certify(file, "--model", "onsite", "--degree", "16", "--out", out)
    assert outcome.exit_code == 0, outcome.output
    assert certify("--check", out).exit_code == 0


def test_a_false_certificate_is_refused_in_one_line_whatever_its_checksum(tmp_path):
    out = tmp_path / "cert.json"
    assert certify("--chain", CHAIN, "--out", out).exit_code == 0
    document = json.loads(out.read_text())
    charge = document["exact"]["enclosures"]["charges"][2]
    charge[0] = charge[0][:-8] + "1" + charge[0][-7:]
    for honest in (False, True):
        if honest:
            document["checksum"] = checksum(document)
        out.write_text(json.dumps(document))
        refused = certify("--check", out)
        assert refused.exit_code == 1
        line = refused.stderr.splitlines()[-1]
        assert line.startswith("scc: error: refused: ")
        assert ("charges 2" if honest else "checksum") in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ["--chain"]),
        (("--chain", CHAIN), ["--out"]),
        (("--chain", "M=6,spacings=x", "--out", "x.json"), ["spacings", "'x'"]),
        (("--chain", "N=6", "--out", "x.json"), ["N=6"]),
        (("--chain", "M=0", "--out", "x.json"), ["positive integer"]),
        (("--chain", CHAIN, "--model", "gaussian", "--out", "x.json"), ["on-site"]),
        (("--chain", CHAIN, "--beta", "0", "--out", "x.json"), ["--beta"]),
        (("--chain", CHAIN, "--degree", "1", "--out", "x.json"), ["--degree"]),
        (("--chain", CHAIN, "--mu", "0", "--electrons", "6", "--out", "x.json"), ["not both"]),
        (("--chain", CHAIN, "--out", "missing/x.json"), ["missing/x.json"]),
        (("--chain", "M=3", "--out", "x.json"), ["pairs", "3"]),
        (("nowhere.xyz", "--out", "x.json"), ["nowhere.xyz"]),
        (("--check", "nowhere.json"), ["nowhere.json"]),
        (("--check", "x.json", "--degree", "4"), ["--check"]),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    outcome = certify(*arguments)
    assert outcome.exit_code == 2
    line = outcome.stderr.splitlines()[-1]
    assert line.startswith("scc: error: ")
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        # The two levels of atoms that do not hop coincide.
        (("--chain", "M=2,spacings=30"), ["no gap"]),
        # No number of electrons puts this µ in a gap.
        (("--chain", "M=6,spacings=1,gap=0", "--mu", "5"), ["wrong electron number"]),
        # A polynomial of degree 2 resembles no step.
        (("--chain", CHAIN, "--beta", "100", "--degree", "2"), ["critical point"]),
    ],
)
def test_what_cannot_be_certified_says_which_condition_fails(tmp_path, arguments, words):
    out = tmp_path / "cert.json"
    outcome = certify(*arguments, "--out", out)
    assert outcome.exit_code == 1, outcome.output
    line = outcome.stderr.splitlines()[-1]
    assert line.startswith("scc: error: ")
    assert any(character.isdigit() for character in line)
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["M=2.5", "M=2,M=3", "M=2,gap=nan", "M=2,spacings=1:2:3", "M"])
def test_a_chain_that_cannot_be_read_is_named(text):
    with pytest.raises(InputError, match="--chain"):
        chain_values(text)
