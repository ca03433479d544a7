"""``scc equilibrate`` with a fitted model: charges, energy, forces, dipole, polarisability."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scc.cli.atoms_table import print_atoms
from scc.cli.conclusion import conclude

if TYPE_CHECKING:
    from scc.ace.predict import Prediction, PredictiveModel
    from scc.configuration import Configuration


def equilibrate_fitted(
    file: Path,
    model: str,
    parameters: PredictiveModel,
    index: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Read, solve, print, write; see the command.

    Raises:
        InputError: no such file, not water. CommandError: unconverged or unstable.
    """
    from scc.ace.predict import predict
    from scc.ace.reference_frame import water_molecules
    from scc.configuration.files import read
    from scc.output import check_writable

    configuration = read(file, index, charge=0.0)
    water_molecules(configuration)
    if out is not None:
        check_writable(out)
    found = predict(parameters, configuration)
    settings = {"file": str(file), "model": model}
    conclude(
        configuration,
        found,
        settings | _outcome(found),
        partial(_physics, configuration, found),
        partial(_failure, found),
        partial(_print, configuration, settings, found),
        out,
        as_json,
    )


def _outcome(found: Prediction) -> dict[str, Any]:
    result = found.equilibrium
    outcome: dict[str, Any] = {
        "status": result.status,
        "scf_iterations": found.scf_iterations,
        "residual_electrons": result.residual,
        "stable": found.stable,
    }
    if found.converged:
        outcome["spectral_radius"] = result.radius
        outcome["smallest_real_part"] = result.smallest_real
    return outcome


def _physics(configuration: Configuration, found: Prediction) -> dict[str, Any]:
    physics: dict[str, Any] = {
        "energy_hartree": found.energy,
        "charges_e": found.charges,
        "forces_hartree_per_bohr": found.forces,
    }
    if not any(configuration.periodic):
        physics["dipole_e_bohr"] = found.dipole
        physics["polarisability_bohr3"] = found.polarisability()
    return physics


def _failure(found: Prediction) -> str:
    result = found.equilibrium
    steps = f"after {found.scf_iterations} iterations, residual {result.residual:.2e} electrons"
    if not found.converged:
        return f"not converged: {result.status} {steps}"
    return (
        f"unstable {steps}: smallest real part of the spectrum of 1 - K chi "
        f"{result.smallest_real:.4g}"
    )


def _print(configuration: Configuration, settings: dict[str, Any], found: Prediction) -> None:
    from scc.units import EV

    result = found.equilibrium
    lines = {
        "input": f"{settings['file']}, {len(configuration)} atoms",
        "model": f"{settings['model']} ({found.model.name})",
        "status": f"converged in {found.scf_iterations} iterations, residual {result.residual:.1e}",
        "stability": f"stable, spectral radius {result.radius:.4g}",
        "energy": f"{found.energy:.10f} Ha = {found.energy / EV:.8f} eV",
        "net charge": f"{sum(found.charges):.6f} e",
    }
    if not any(configuration.periodic):
        dipole = " ".join(f"{component:.6f}" for component in found.dipole)
        alpha = found.polarisability()
        lines["dipole"] = f"{dipole} e bohr"
        lines["polarisability"] = f"{float(alpha.trace()) / 3.0:.4f} bohr^3 (isotropic)"
    wide = max(map(len, lines))
    for name, text in lines.items():
        click.echo(f"{name:{wide}} {text}")
    print_atoms(configuration, found.charges, found.forces)
