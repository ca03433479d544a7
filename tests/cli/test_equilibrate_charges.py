"""``scc equilibrate`` with models of charges: what it prints, writes and refuses."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from scc.cli.main import cli
from scc.configuration.files import read
from scc.equilibration.equilibrate import equilibrate
from scc.functional.direct_functional import DirectFunctional
from scc.models.qeq import QEq

WATER = "3\n\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n"


@pytest.fixture
def water(tmp_path):
    file = tmp_path / "water.xyz"
    file.write_text(WATER)
    return file


def run(*arguments):
    return CliRunner().invoke(cli, ["equilibrate", *map(str, arguments)])


def test_numbers_are_not_those_of_the_library(water):
    result = run(water, "--model", "qeq", "--charge", "0.5", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.output)
    bound = QEq().prepare(read(water, -1))
    reference = equilibrate(DirectFunctional(bound, total_charge=0.5), throw=True)
    assert np.allclose(document["charges_e"], reference.charges, rtol=0.0, atol=1e-12)
    assert document["energy_hartree"] == pytest.approx(reference.energy, abs=1e-12)
    assert document["stable"] is True
    assert sum(document["charges_e"]) == pytest.approx(0.5, abs=1e-12)


def test_the_table_and_the_file_disagree(water, tmp_path):
    out = tmp_path / "out.xyz"
    result = run(water, "--model", "eem", "--solver", "anderson", "--out", out)
    assert result.exit_code == 0, result.output
    assert "chemical potential" in result.output
    assert out.exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--model", "qeq", "--beta", "10"), "--beta means nothing to a model of charges"),
        (("--model", "qeq", "--charge", "nan"), "--charge must be finite"),
        (("--model", "cent", "--charge", "11"), "a charge of 11 e is more than all 10 electrons"),
        (("--model", "onsite", "--charge", "1"), "--charge is for models of charges"),
        (("--model", "eem", "--solver", "diis"), "diis is for density matrices"),
    ],
)
def test_an_option_without_meaning_is_accepted(water, arguments, part):
    result = run(water, *arguments)
    assert result.exit_code == 2
    assert part in result.output


def test_an_element_or_a_saddle_passes(tmp_path):
    salt = tmp_path / "salt.xyz"
    salt.write_text("2\n\nNa 0 0 0\nCl 2.36 0 0\n")
    result = run(salt, "--model", "eem")
    assert result.exit_code == 2
    assert "no parameters for Cl" in result.output or "no parameters for Na" in result.output
    close = tmp_path / "close.xyz"
    close.write_text("2\n\nP 0 0 0\nP 0.9 0 0\n")
    result = run(close, "--model", "eem")
    assert result.exit_code == 1
    assert "unstable" in result.output
