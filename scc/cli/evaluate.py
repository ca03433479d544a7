"""``scc evaluate``: errors of a fitted model on labelled clusters it has not seen."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scc.cli.errors import CommandError

if TYPE_CHECKING:
    from scc.ace.evaluation import Outcome

_ROWS = {
    "energy_rmse_mev_per_molecule": "energy, meV per molecule",
    "force_rmse_mev_per_angstrom": "forces, meV/Å",
    "charge_rmse_percent": "charges, % of spread",
    "dipole_rmse_percent": "dipoles, % of spread",
    "quadrupole_rmse_percent": "quadrupoles, % of spread",
    "total_dipole_rmse_e_bohr": "total dipole, e·bohr",
    "scf_iterations_max": "most SCF iterations",
    "scf_unconverged": "unconverged",
}


@click.command()
@click.argument("model")
@click.argument("test", type=click.Path(path_type=Path))
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="F",
    help="Write the figures as JSON, to stdout for -.",
)
def evaluate(model: str, test: Path, json_file: Path | None) -> None:
    """Errors of MODEL (a file, or the name of one that ships) on the labelled clusters TEST.

    Teacher-forced, from the reference's potential features (fitted models only), and
    self-consistent from zero field: root mean square errors, those of multipoles in percent of the
    reference's standard deviation within each element. On the terminal also by number of molecules.
    What a model does not have is null, or — on the terminal; charges of schemes that have nothing
    else are compared with those they were trained on.

    Exit status: 0 all converged, 1 some did not, 2 bad usage or input.
    """
    from scc.ace.evaluation import outcomes, teacher_forced
    from scc.ace.model import FittedModel
    from scc.ace.reference_set import read_reference_set
    from scc.ace.variational_model import VariationalModel
    from scc.json_values import plain
    from scc.output import check_writable, write_text
    from scc.schemes import evaluation
    from scc.schemes.registry import trained_model

    to_stdout = json_file is not None and str(json_file) == "-"
    if json_file is not None and not to_stdout:
        check_writable(json_file)
    parameters = trained_model(model)
    frames = read_reference_set([test]).frames
    found: dict[str, list[Outcome]] = {}
    with _bar(2 * len(frames)) as advance:
        if isinstance(parameters, FittedModel | VariationalModel):
            found["teacher_forced"] = outcomes(parameters, frames, teacher_forced, advance)
        found["self_consistent"] = evaluation.outcomes(parameters, frames, advance)

    def errors(results: Sequence[Outcome]) -> dict[str, float | int]:
        return evaluation.figures(parameters, results)

    figures = {name: errors(results) for name, results in found.items()}
    if json_file is not None:
        text = json.dumps(plain(figures), indent=1, allow_nan=False)
        if to_stdout:
            click.echo(text)
        else:
            write_text(json_file, text + "\n")
    if not to_stdout:
        click.echo(f"{parameters.name} on {test}: {len(frames)} clusters\n")
        _print_table(found, errors)
    unconverged = int(figures["self_consistent"]["scf_unconverged"])
    if unconverged:
        raise CommandError(
            f"{unconverged} of {len(frames)} clusters have no stable self-consistent solution; "
            "the errors are those of the others",
            1,
        )


def _print_table(
    found: dict[str, list[Outcome]], errors: Callable[[Sequence[Outcome]], dict[str, Any]]
) -> None:
    sizes = sorted({one.frame.n_molecules for one in found["self_consistent"]})
    columns: dict[str, Sequence[Outcome]] = {
        name.replace("_", "-"): results for name, results in found.items()
    }
    if len(sizes) > 1:
        columns |= {
            f"of {size}": [o for o in found["self_consistent"] if o.frame.n_molecules == size]
            for size in sizes
        }
    figures = {title: errors(results) for title, results in columns.items()}
    wide = max(map(len, _ROWS.values()))
    click.echo(" " * wide + "".join(f"{title:>17}" for title in columns))
    for key, label in _ROWS.items():
        cells = "".join(f"{_figure(values[key]):>17}" for values in figures.values())
        click.echo(f"{label:{wide}}{cells}")


def _figure(value: float | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "—" if math.isnan(value) else f"{value:.4g}"


@contextmanager
def _bar(length: int) -> Iterator[Callable[[], None]]:
    """Hand out what to call after each cluster: a bar on a terminal, nothing in a log."""
    with click.progressbar(
        length=length, label="clusters", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        yield lambda: bar.update(1)
