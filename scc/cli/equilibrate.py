"""``scc equilibrate``: charges, energy and forces of a structure file at self-consistency."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from scc.cli.atoms_table import print_atoms
from scc.cli.conclusion import conclude
from scc.cli.equilibrate_charges import equilibrate_charges, published, trained
from scc.cli.equilibrate_fitted import equilibrate_fitted
from scc.errors import InputError

if TYPE_CHECKING:
    from scc.configuration import Configuration
    from scc.equilibration.equilibrium import Equilibrium

ROOM_TEMPERATURE = 1000.0  # β in Hartree⁻¹: 316 K


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--model",
    required=True,
    metavar="NAME|FILE",
    help="onsite, gaussian, qeq, …, or a fitted model or trained scheme by name (water, 4g-water) "
    "or file; see scc list.",
)
@click.option("--index", type=int, default=-1, help="Frame of the file.  [default: the last]")
@click.option(
    "--beta",
    type=float,
    default=ROOM_TEMPERATURE,
    show_default=True,
    help="Inverse electronic temperature in 1/Hartree; inf is zero temperature.",
)
@click.option("--electrons", type=float, help="Canonical: valence electrons.  [default: neutral]")
@click.option("--mu", type=float, help="Grand-canonical: chemical potential in Hartree.")
@click.option("--charge", type=float, help="Total charge, of models of charges.  [default: 0]")
@click.option(
    "--solver",
    help="anderson, damped, diis or newton.  [default: diis for gaussian, anderson for onsite]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Extended XYZ with charges (e), energy (eV), forces (eV/Å).",
)
@click.option("--json", "as_json", is_flag=True, help="JSON in Hartree atomic units on stdout.")
@click.pass_context
def equilibrate(
    context: click.Context,
    file: Path,
    model: str,
    index: int,
    beta: float,
    electrons: float | None,
    mu: float | None,
    charge: float | None,
    solver: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Equilibrate the charges of FILE, any structure ASE reads.

    By default with as many electrons as make it neutral. Charges are net atomic charges in units
    of e; the forces are those on the atoms. Nothing is written to --out unless the result is
    converged and stable. Fitted models and trained schemes know neutral water
    only, at no temperature.

    Exit status: 0 converged and stable, 1 not, 2 bad usage or input.
    """
    if not beta > 0:  # NaN included
        raise InputError(f"--beta must be positive, got {beta}")
    if electrons is not None and mu is not None:
        raise InputError("give --electrons or --mu, not both")
    if electrons is not None and not (math.isfinite(electrons) and electrons >= 0):
        raise InputError(f"--electrons must be a finite number >= 0, got {electrons}")
    if mu is not None and not math.isfinite(mu):
        raise InputError(f"--mu must be finite, got {mu}")
    if out is not None and out.suffix not in (".xyz", ".extxyz"):
        raise InputError(f"--out writes extended XYZ, to *.xyz or *.extxyz, not {out.name!r}")

    from scc.configuration.files import read
    from scc.equilibration.api import equilibrate_configuration
    from scc.models.registry import CHARGE_MODELS, MODELS
    from scc.output import check_writable

    if charge is not None and not math.isfinite(charge):
        raise InputError(f"--charge must be finite, got {charge}")
    if charge is not None and model not in CHARGE_MODELS:
        raise InputError(f"--charge is for models of charges: {', '.join(CHARGE_MODELS)}")
    if model in CHARGE_MODELS:
        _refuse(context, ("beta", "electrons", "mu"), f"a model of charges ({model})")
        functional = published(model, charge or 0.0)
        equilibrate_charges(file, model, functional, charge or 0.0, index, solver, out, as_json)
        return
    if model not in MODELS:
        _equilibrate_trained(context, file, model, index, solver, out, as_json)
        return
    # Electrons or µ, where given, say what charge there is.
    neutral = electrons is None and mu is None
    configuration = read(file, index, charge=0.0 if neutral else None)
    if out is not None:
        check_writable(out)
    result = equilibrate_configuration(configuration, model, beta, electrons, mu, solver)
    settings = {
        "file": str(file),
        "model": model,
        "beta_per_hartree": beta,
        "ensemble": "canonical" if mu is None else "grand-canonical",
        "solver": solver or "default",
    }
    outcome = _outcome(result)
    conclude(
        configuration,
        result,
        settings | outcome,
        partial(_physics, result),
        partial(_failure, result),
        partial(_print, configuration, settings, outcome, result),
        out,
        as_json,
    )


def _equilibrate_trained(
    context: click.Context,
    file: Path,
    model: str,
    index: int,
    solver: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """With a fitted model or a trained scheme, by name or file."""
    from scc.ace.model import FittedModel
    from scc.ace.registry import fitted_names
    from scc.ace.variational_model import VariationalModel
    from scc.models.registry import MODELS
    from scc.schemes.registry import SUBJECTS, trained_model

    names = (*MODELS, *fitted_names(), *SUBJECTS)
    if model not in names and not Path(model).exists():
        raise InputError(
            f"no model {model!r}; known models: {', '.join(names)}, or a fitted model's file"
        )
    parameters = trained_model(model)
    _refuse(context, ("beta", "electrons", "mu"), f"a fitted model ({model})")
    if isinstance(parameters, FittedModel | VariationalModel):
        _refuse(context, ("solver",), f"a fitted model ({model})")
        equilibrate_fitted(file, model, parameters, index, out, as_json)
    else:
        equilibrate_charges(file, model, trained(parameters), 0.0, index, solver, out, as_json)


def _refuse(context: click.Context, options: Sequence[str], what: str) -> None:
    for option in options:
        if context.get_parameter_source(option) is not ParameterSource.DEFAULT:
            raise InputError(f"--{option} means nothing to {what}")


def _outcome(result: Equilibrium) -> dict[str, Any]:
    work = {
        "iterations": result.iterations,
        "density_builds": result.density_builds,
        "response_applications": result.response_applications,
        "residual_electrons": result.residual,
    }
    # Last: finding the eigenvalues that decide it applies the response, too.
    stable = result.status == "converged" and bool(result.stable)
    return {"status": result.status} | work | {"stable": stable}


def _physics(result: Equilibrium) -> dict[str, Any]:
    """What may be looked at only when the result is converged and stable."""
    return {
        "energy_hartree": result.energy,
        "charges_e": result.charges,
        "forces_hartree_per_bohr": result.forces,
        "gap_hartree": result.gap,
        "fermi_level_hartree": result.fermi_level,
        "dielectric_eigenvalues": [result.lambda_min, result.lambda_max],
    }


def _failure(result: Equilibrium) -> str:
    steps = f"after {result.iterations} iterations, residual {result.residual:.2e} electrons"
    if result.status in ("unstable", "converged"):
        return (
            f"unstable {steps}: smallest eigenvalue of the dielectric operator "
            f"{result.lambda_min:.4g}"
        )
    if result.status == "wrong electron number":
        return (
            f"wrong electron number {steps}: no number of electrons puts the chemical potential in "
            "a gap, as zero temperature requires"
        )
    return f"not converged: {result.status} {steps}"


def _print(
    configuration: Configuration,
    settings: dict[str, Any],
    outcome: dict[str, Any],
    result: Equilibrium,
) -> None:
    from scc.units import EV

    ensemble = settings["ensemble"]
    lines = {
        "input": f"{settings['file']}, {len(configuration)} atoms",
        "model": f"{settings['model']}, {ensemble}, beta {settings['beta_per_hartree']:g} /Ha",
        "status": f"converged in {result.iterations} iterations, residual {result.residual:.1e}",
        "work": f"{outcome['density_builds']} density builds, "
        f"{outcome['response_applications']} response applications",
        "stability": "stable, dielectric operator within "
        f"[{result.lambda_min:.4g}, {result.lambda_max:.4g}]",
        "energy": f"{result.energy:.10f} Ha = {result.energy / EV:.8f} eV",
        "gap": f"{result.gap:.6f} Ha",
        "Fermi level": f"{result.fermi_level:.6f} Ha",
        "net charge": f"{sum(result.charges):.6f} e",
    }
    for name, text in lines.items():
        click.echo(f"{name:12} {text}")
    print_atoms(configuration, result.charges, result.forces)
