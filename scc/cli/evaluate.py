"""``scc evaluate``: errors of a fitted model on labelled clusters it has not seen."""

from __future__ import annotations

import json
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

    Teacher-forced, from the reference's potential features, and self-consistent from zero field:
    root mean square errors, those of multipoles in percent of the reference's standard deviation
    within each element. On the terminal also by number of molecules.

    Exit status: 0 all converged, 1 some did not, 2 bad usage or input.
    """
    from scc.ace.evaluation import errors, outcomes, self_consistent, teacher_forced
    from scc.ace.reference_set import read_reference_set
    from scc.ace.registry import fitted_model
    from scc.json_values import plain
    from scc.output import check_writable, write_text

    to_stdout = json_file is not None and str(json_file) == "-"
    if json_file is not None and not to_stdout:
        check_writable(json_file)
    parameters = fitted_model(model)
    frames = read_reference_set([test]).frames
    with _bar(2 * len(frames)) as advance:
        found = {
            "teacher_forced": outcomes(parameters, frames, teacher_forced, advance),
            "self_consistent": outcomes(parameters, frames, self_consistent, advance),
        }
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
        "teacher-forced": found["teacher_forced"],
        "self-consistent": found["self_consistent"],
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
    return str(value) if isinstance(value, int) else f"{value:.4g}"


@contextmanager
def _bar(length: int) -> Iterator[Callable[[], None]]:
    """Hand out what to call after each cluster: a bar on a terminal, nothing in a log."""
    with click.progressbar(
        length=length, label="clusters", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        yield lambda: bar.update(1)
