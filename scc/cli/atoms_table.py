"""What ``scc equilibrate`` shows and writes of the atoms, whatever model it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from scc.arrays import FloatArray
    from scc.configuration import Configuration

_ROWS = 30  # atoms listed on the terminal


def print_atoms(configuration: Configuration, charges: FloatArray, forces: FloatArray) -> None:
    """A row an atom: charge, e, and force, Hartree/bohr."""
    click.echo(f"\n{'atom':>5} {'':2} {'charge/e':>10}  {'force/(Ha/bohr)':^35}")
    rows = zip(configuration.species, charges, forces, strict=True)
    for atom, (species, charge, force) in enumerate(rows):
        if atom == _ROWS:
            click.echo(f"… {len(configuration) - _ROWS} more atoms: --json or --out has them all")
            break
        components = " ".join(f"{component:11.6f}" for component in force)
        click.echo(f"{atom:5d} {species:2} {charge:10.6f}  {components}")


def write_result(
    path: Path,
    configuration: Configuration,
    charges: FloatArray,
    forces: FloatArray,
    energy: float,
) -> None:
    """Extended XYZ with charges (e), forces (eV/Å) and energy (eV), from atomic units."""
    from scc.configuration.files import write
    from scc.units import ANGSTROM, EV

    arrays = {"charges": charges, "forces": forces * (ANGSTROM / EV)}
    write(path, configuration, arrays, {"energy": float(energy) / EV})
