"""``scc equilibrate`` with a model of charges (QEq, BpopNN, …), closed directly."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scc.cli.atoms_table import print_atoms
from scc.cli.conclusion import conclude
from scc.errors import InputError

if TYPE_CHECKING:
    from scc.configuration import Configuration
    from scc.equilibration.direct_equilibrium import DirectEquilibrium
    from scc.functional.direct_functional import DirectFunctional
    from scc.schemes.model_file import ChargeScheme

    Closed = Callable[[Configuration], DirectFunctional]


def published(model: str, charge: float) -> Closed:
    """A shipped model of charges by its name, at a total charge."""
    from scc.functional.direct_functional import DirectFunctional
    from scc.models.registry import charge_model_by_name

    parameters = charge_model_by_name(model)
    return lambda configuration: DirectFunctional(
        parameters.prepare(configuration), total_charge=charge
    )


def trained(scheme: ChargeScheme) -> Closed:
    """A scheme trained on neutral water. InputError for other structures."""
    from scc.ace.reference_frame import water_molecules

    def functional(configuration: Configuration) -> DirectFunctional:
        water_molecules(configuration)
        return scheme.functional(configuration)

    return functional


def equilibrate_charges(
    file: Path,
    model: str,
    functional: Closed,
    charge: float,
    index: int,
    solver: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Read, solve, print, write; see the command. ``charge`` is what ``functional`` closes with.

    Raises:
        InputError: elements without parameters, a file that states another charge, a solver for
            density matrices. CommandError: unconverged or unstable.
    """
    from scc.configuration.files import read
    from scc.equilibration.equilibrate import equilibrate
    from scc.equilibration.solvers import solver_by_name
    from scc.output import check_writable

    if solver == "diis":
        raise InputError("--solver diis is for density matrices; charges: anderson, damped, newton")
    chosen = None if solver is None else solver_by_name(solver)
    configuration = read(file, index, charge)
    closed = functional(configuration)
    if out is not None:
        check_writable(out)
    result = equilibrate(closed, chosen)
    settings = {
        "file": str(file),
        "model": model,
        "total_charge_e": closed.closure.total_charge,
        "solver": solver or "default",
    }
    conclude(
        configuration,
        result,
        settings | _outcome(result),
        partial(_physics, result),
        partial(_failure, result),
        partial(_print, configuration, settings, result),
        out,
        as_json,
    )


def _outcome(result: DirectEquilibrium) -> dict[str, Any]:
    return {
        "status": result.status,
        "iterations": result.iterations,
        "residual_electrons": result.residual,
        "stable": result.status == "converged" and result.stable,
    }


def _physics(result: DirectEquilibrium) -> dict[str, Any]:
    return {
        "energy_hartree": result.energy,
        "charges_e": result.charges,
        "forces_hartree_per_bohr": result.forces,
        "chemical_potential_hartree": result.chemical_potential,
        "smallest_curvature_hartree": result.lambda_min,
    }


def _failure(result: DirectEquilibrium) -> str:
    steps = f"after {result.iterations} iterations, residual {result.residual:.2e} electrons"
    if result.status == "unstable":
        return (
            f"unstable {steps}: smallest curvature of the energy at fixed charge "
            f"{result.lambda_min:.4g} Ha"
        )
    return f"not converged: {result.status} {steps}"


def _print(
    configuration: Configuration, settings: dict[str, Any], result: DirectEquilibrium
) -> None:
    from scc.units import EV

    lines = {
        "input": f"{settings['file']}, {len(configuration)} atoms",
        "model": f"{settings['model']}, total charge {settings['total_charge_e']:g} e",
        "status": f"converged in {result.iterations} iterations, residual {result.residual:.1e}",
        "stability": f"stable, smallest curvature {result.lambda_min:.4g} Ha",
        "energy": f"{result.energy:.10f} Ha = {result.energy / EV:.8f} eV",
        "chemical potential": f"{result.chemical_potential:.6f} Ha",
        "net charge": f"{sum(result.charges):.6f} e",
    }
    wide = max(map(len, lines))
    for name, text in lines.items():
        click.echo(f"{name:{wide}} {text}")
    print_atoms(configuration, result.charges, result.forces)
