"""Madelung constants against published digits, exact identities and a different series."""

from decimal import Decimal
from pathlib import Path

import mpmath
import pytest

from scc.electrostatics.goldens import SYSTEMS
from scc.electrostatics.goldens.decimal_json import loads

DATA = Path(__file__).parent / "data"


def golden(name):
    return loads((DATA / f"{name}.json").read_text())


@pytest.mark.parametrize(
    ("name", "key", "published"),
    [
        # OEIS A085469
        ("nacl", "madelung", "1.747564594633182190636212035544397403485"),
        # OEIS A181152
        ("cscl", "madelung", "1.762674773070988397935673320638644291170"),
        # Sakamoto, J. Chem. Phys. 28, 164 (1958), has these to 15 figures
        ("zincblende", "madelung", "1.63805505338879"),
        ("fluorite", "madelung", "5.03878487984857"),
        # Haensel, Potekhin, Yakovlev, Neutron Stars 1 (2007), Table 2.4
        ("wigner_bcc", "madelung_wigner_seitz", "0.895929255682"),
        ("wigner_fcc", "madelung_wigner_seitz", "0.895873615195"),
    ],
)
def test_madelung_constants_have_the_published_digits(name, key, published):
    digits = len(published.split(".")[1])
    unit = Decimal(1).scaleb(-min(digits, 23))
    assert abs(golden(name)[key] - Decimal(published)) <= unit


def test_the_simple_cubic_lattice_of_electrons_is_that_of_hasimoto():
    # ξ = 2.8372974794806194766… (Hasimoto, J. Fluid Mech. 5, 317 (1959), to the first seven digits)
    # is minus the potential at a unit charge in a unit cube with background: E = −ξ/2.
    constant = golden("wigner_sc")["madelung"]
    assert abs(2 * constant - Decimal("2.83729747948061947666591710460773907")) < Decimal("1e-23")


def test_rock_salt_agrees_with_the_series_of_benson():
    # Benson, Mackenzie: M = 12π Σ_{m,n odd > 0} sech²(π√(m²+n²)/2), no lattice sum of ours in it.
    with mpmath.workdps(30):
        odd = range(1, 61, 2)  # the first term left out is below 12π·4e^{−61π}
        series = (
            12
            * mpmath.pi
            * mpmath.fsum(
                mpmath.sech(mpmath.pi / 2 * mpmath.sqrt(m * m + n * n)) ** 2
                for m in odd
                for n in odd
            )
        )
        assert abs(series - mpmath.mpf(str(golden("nacl")["madelung"]))) < mpmath.mpf("1e-23")


def test_fluorite_is_two_zincblendes_and_a_caesium_chloride():
    # The potential of {2 Ca, −F, −F} is a sum over the two sublattices: M = 2 M_ZnS + M_CsCl.
    names = ("fluorite", "zincblende", "cscl")
    fluorite, zincblende, cscl = (golden(name)["madelung"] for name in names)
    assert abs(fluorite - 2 * zincblende - cscl) < Decimal("1e-23")


@pytest.mark.parametrize(("cell", "same"), [("nacl_supercell", "nacl"), ("nacl_sheared", "nacl")])
def test_the_choice_of_cell_does_not_matter(cell, same):
    first, second = golden(cell), golden(same)
    assert first["madelung"] == second["madelung"]
    # Every sodium feels the same, in whichever cell; so does its chlorine.
    potentials = dict(zip(second["species"], second["results"]["potential"], strict=True))
    for species, potential in zip(first["species"], first["results"]["potential"], strict=True):
        assert potential == potentials[species]
    assert first["results"]["stress"] == second["results"]["stress"]


def test_the_supercell_of_the_wigner_crystal_is_the_crystal():
    first, second = golden("wigner_bcc_supercell"), golden("wigner_bcc")
    assert first["madelung"] == second["madelung"]
    assert first["madelung_wigner_seitz"] == second["madelung_wigner_seitz"]


@pytest.mark.parametrize("name", [n for n, system in SYSTEMS.items() if system.madelung])
def test_stress_of_a_crystal_is_what_scaling_demands(name):
    # E ∝ 1/length: the trace of ∂E/∂ε is −E (background included), and cubic symmetry shares it.
    results = golden(name)["results"]
    for i in range(3):
        for j in range(3):
            expected = -results["energy"] / 3 if i == j else Decimal(0)
            assert abs(results["strain_derivative"][i][j] - expected) < Decimal("1e-23")
    assert all(force == 0 for row in results["forces"] for force in row)
