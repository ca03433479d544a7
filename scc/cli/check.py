"""``scc check``: the battery of properties on anybody's model, and the table of shipped ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scc.cli.errors import CommandError, describe
from scc.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from scc.battery.check import Checked
    from scc.battery.property import Verdict
    from scc.configuration import Configuration

_STYLES = {"pass": "green", "fail": "bold red", "unsupported": "dim"}


@click.command()
@click.argument("model", required=False)
@click.argument("more", nargs=-1, type=click.Path(path_type=Path), metavar="[MODEL…]")
@click.option(
    "--structures",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE…",
    help="Structure files, any ASE reads, the last frame of each.  [default: water clusters]",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of verdicts.json and figures/."
)
@click.option("--table", is_flag=True, help="Models beside each other, kept in --out.")
@click.option("--workers", type=click.IntRange(min=1), default=1, help="Processes, with --table.")
@click.option("--resume", is_flag=True, help="With --table: keep rows that this code has measured.")
def check(
    model: str | None,
    more: tuple[Path, ...],
    structures: tuple[Path, ...],
    out: Path | None,
    table: bool,
    workers: int,
    resume: bool,
) -> int:
    """Measure what a self-consistent model should have: locality, stability, forces, gauge, ….

    With --table: all shipped models, or those that are given, beside each other.

    MODEL is a name (scc list), the file of a fitted model, or module:object (or file.py:object) for
    a local model, a subject, an ASE calculator or a function that returns one.

    Exit status: 0 every supported property passes, 1 some fail, or none could be measured, or a
    model of a table could not be checked; 2 bad usage or input.
    """
    files = (*structures, *more)
    if table:
        if structures:
            raise InputError("--table has its own structures: give none")
        if out is None:
            raise InputError("--table needs --out, where it keeps what is finished")
        return _table([] if model is None else [model, *map(str, more)], out, workers, resume)
    if model is None:
        raise InputError("give a MODEL, or --table")
    if more and not structures:
        raise InputError(f"unexpected argument {more[0]}: structure files go behind --structures")
    if resume:
        raise InputError("--resume goes with --table")

    from scc.battery.report import write

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)  # that it cannot be made shows now
    checked = _checked(model, files)
    _print(checked)
    if out is not None:
        click.echo(f"see {write(out, checked)}")
    return 0 if checked.passed else 1


def _checked(model: str, files: tuple[Path, ...]) -> Checked:
    from threadpoolctl import threadpool_limits

    from scc.battery.check import check as run
    from scc.cli.check_progress import verdict_display

    # Systems are small: threads of BLAS cost more than they bring.
    with threadpool_limits(1), verdict_display() as progress:
        return run(model, _read(files, model), progress=progress)


def _read(files: tuple[Path, ...], model: str) -> list[Configuration]:
    from scc.battery.structures import default_structures
    from scc.configuration.files import read

    if not files:
        return default_structures()
    # All that ships and all files of models are neutral; somebody's object knows its own charge.
    charge = None if ":" in model else 0.0
    return [read(file, charge=charge) for file in files]


def _print(checked: Checked) -> None:
    from rich.table import Table

    from scc.battery.bench import described

    names = ", ".join(described(structure) for structure in checked.structures)
    click.echo(f"{checked.name} on {names}")
    for index, reason in checked.refused.items():
        click.echo(f"structure {index} left out: {reason}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("property", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("seconds", justify="right")
    table.add_column("measured, or why not")
    for verdict in checked.verdicts:
        table.add_row(*_row(verdict))
    _console().print(table)


def _row(verdict: Verdict) -> tuple[Text | str, ...]:
    from rich.text import Text

    judgement = Text(verdict.judgement, style=_STYLES[verdict.judgement])
    return verdict.property.id, judgement, f"{verdict.seconds:.1f}", Text(verdict.summary)


def _console() -> Console:
    from rich.console import Console

    console = Console()
    # A file has no width: do not squeeze a table into 80.
    return console if console.is_terminal else Console(width=200)


def _table(names: list[str], out: Path, workers: int, resume: bool) -> int:
    from rich.table import Table
    from rich.text import Text

    from scc.battery.models import known_names
    from scc.battery.properties import PROPERTIES
    from scc.battery.table import SIGNS, rows, verdicts_of, write_table
    from scc.claims.store import code_version

    names = names or list(known_names())
    found = {}
    try:
        for row in rows(names, out, workers=workers, resume=resume, version=code_version()):
            found[row["model"]] = row
            click.echo(f"[{len(found):2d}/{len(names)}] {row['model']}", err=True)
    except KeyboardInterrupt as interrupt:
        failure = describe(interrupt)
        raise CommandError(
            f"{failure.message}; finished rows are in {out}, --resume continues",
            failure.exit_status,
        ) from interrupt
    ordered = [found[name] for name in names]
    write_table(out, ordered)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("model", no_wrap=True)
    for one in PROPERTIES:
        table.add_column(one.id, justify="center")
    for row in ordered:
        verdicts = list(verdicts_of(row).values()) or ["unsupported"] * len(PROPERTIES)
        table.add_row(row["model"], *(Text(SIGNS[v], style=_STYLES[v]) for v in verdicts))
    _console().print(table)
    click.echo(f"reasons and numbers: {out / 'table.md'}")
    return 0 if all(row.get("passed", False) for row in ordered) else 1
