"""``scc equilibrate`` with the real models: the shipped structures, and input physics forbids."""

import json
from pathlib import Path

import ase.io
import numpy as np
import pytest
from click.testing import CliRunner

from scc.cli.main import cli
from scc.units import ANGSTROM, EV

EXAMPLES = Path(__file__).parents[2] / "examples"
HEPTAMER = EXAMPLES / "water_heptamer.xyz"


def equilibrate(*arguments):
    return CliRunner().invoke(cli, ["equilibrate", *map(str, arguments)])


@pytest.mark.parametrize("file", ["water_heptamer.xyz", "rock_salt.xyz"])
def test_the_shipped_structures_equilibrate_to_neutral_force_free_wholes(file, tmp_path):
    out = tmp_path / "out.xyz"
    outcome = equilibrate(EXAMPLES / file, "--model", "onsite", "--json", "--out", out)
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stderr == ""
    document = json.loads(outcome.stdout)
    charges = np.array(document["charges_e"])
    forces = np.array(document["forces_hartree_per_bohr"])
    # The Fermi level is solved to 1e-12 of the electrons; nothing acts on the whole from outside.
    assert abs(charges.sum()) < 1e-9
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-9)
    species = np.array(ase.io.read(EXAMPLES / file).get_chemical_symbols())
    positive = np.isin(species, ["H", "Na"])
    assert charges[positive].min() > 0 > charges[~positive].max()
    assert document["gap_hartree"] > 0.05
    assert document["dielectric_eigenvalues"][0] >= 1 - 1e-9
    assert document["stable"] is True
    written = ase.io.read(out)
    assert written.get_potential_energy() == pytest.approx(document["energy_hartree"] / EV)
    np.testing.assert_allclose(written.get_forces(), forces * ANGSTROM / EV, atol=1e-7)


@pytest.mark.parametrize("solver", ["damped", "newton"])
def test_every_solver_name_leads_to_the_same_energy(solver):
    energies = [
        json.loads(equilibrate(HEPTAMER, "--model", "onsite", "--json", "--solver", name).stdout)[
            "energy_hartree"
        ]
        for name in ("anderson", solver)
    ]
    # Density to 1e-10, the energy is quadratic in its error: what is left is rounding of sums.
    assert energies[0] == pytest.approx(energies[1], rel=1e-12)


def test_zero_temperature_is_spelt_inf_and_reported_as_null():
    outcome = equilibrate(HEPTAMER, "--model", "onsite", "--beta", "inf", "--json")
    assert outcome.exit_code == 0, outcome.output
    document = json.loads(outcome.stdout)
    assert document["beta_per_hartree"] is None
    assert document["beta_per_hartree is null"] == "infinity"


@pytest.mark.parametrize(
    ("atoms", "options", "words"),
    [
        ("Xe 0 0 0", [], ["atom 0", "Xe"]),
        ("O 0 0 0\nH 0 0 0.97", ["--beta", "inf"], ["pairs", "7"]),
        ("O 0 0 0\nH 0 0 0.97", ["--electrons", "11"], ["11", "states"]),
        ("O 0 0 0\nH 0 0 0.97", ["--solver", "magic"], ["magic", "anderson"]),
        ("O 0 0 0\nH 0 0 0.97", ["--model", "magic"], ["magic", "onsite, gaussian"]),
    ],
)
def test_what_physics_or_the_model_forbids_is_one_line_and_status_2(
    tmp_path, atoms, options, words
):
    file = tmp_path / "atoms.xyz"
    file.write_text(f"{len(atoms.splitlines())}\n\n{atoms}\n")
    out = tmp_path / "out.xyz"
    outcome = equilibrate(file, "--model", "onsite", *options, "--out", out)
    assert outcome.exit_code == 2
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("scc: error: ")
    for word in words:
        assert word in line
    assert [path.name for path in tmp_path.iterdir()] == ["atoms.xyz"]


def test_an_unconverged_run_is_status_1_and_writes_nothing(tmp_path):
    # A chemical potential far above all levels: the atoms fill up and the iteration stalls.
    out = tmp_path / "out.xyz"
    outcome = equilibrate(HEPTAMER, "--model", "onsite", "--mu", "3", "--out", out)
    assert outcome.exit_code == 1
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("scc: error: not converged: ")
    assert outcome.stdout == ""
    assert not out.exists()


@pytest.mark.parametrize(
    ("model", "mends"),
    [
        ("onsite", ["--electrons", "7"]),
        ("qeq", ["--charge", "1"]),
        ("4g-water", None),
        ("water", None),
    ],
)
def test_a_charge_in_the_file_is_not_ignored(tmp_path, model, mends):
    file = tmp_path / "ion.xyz"
    lines = ["3", "charge=1 Properties=species:S:1:pos:R:3", "O 0 0 0", "H .96 0 0", "H -.24 .93 0"]
    file.write_text("\n".join(lines) + "\n")
    refused = CliRunner().invoke(cli, ["equilibrate", str(file), "--model", model])
    assert refused.exit_code == 2
    assert "it states charge=1, and a charge of 0 e is asked" in refused.stderr
    assert refused.stderr.count("\n") == 1
    if mends:
        found = CliRunner().invoke(cli, ["equilibrate", str(file), "--model", model, *mends])
        assert found.exit_code == 0, found.stderr
