"""``scc sweep``: one claim on many systems."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scc.cli.errors import CommandError, describe
from scc.errors import InputError

if TYPE_CHECKING:
    from scc.claims.parameters import Family
    from scc.sweeps.table import Row


@click.command()
@click.argument("claim", required=False, metavar="CLAIM")
@click.option(
    "--over",
    multiple=True,
    metavar="M=20:40:80,beta=1..16*2:inf",
    help="Values of parameters; a..b steps by 1, a..b+s by s, a..b*f multiplies. May be repeated.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes."
)
@click.option("--scheduler", metavar="ADDRESS", help="Measure on this Dask cluster instead.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The table.  [default: out/sweeps/CLAIM.csv]"
)
@click.option("--parameters", is_flag=True, help="Only say what can be swept, and over what.")
def sweep(
    claim: str | None,
    over: tuple[str, ...],
    workers: int,
    scheduler: str | None,
    out: Path | None,
    parameters: bool,
) -> int:
    """Measure CLAIM on every combination of parameters: a row a system, CSV.

    Rows are kept as they arrive; what is there already is not measured again, so the same command
    continues after a kill and can be widened. scc figure sweep --from TABLE draws it.

    Exit status: 0 no system fails, 1 one fails or raises, 2 bad usage or input.
    """
    from scc.sweeps.api import sweep as run
    from scc.sweeps.grid import parse
    from scc.sweeps.measure import family_of, sweepable

    if parameters:
        found = {claim: family_of(claim)} if claim else {c.id: c.family for c in sweepable()}
        for name, family in found.items():
            _describe(name, family)  # type: ignore[arg-type]
        return 0
    if claim is None:
        raise InputError("give a CLAIM, or --parameters for what there is to sweep")
    family = family_of(claim)
    if not over:
        names = ", ".join(p.name for p in family.parameters)
        raise InputError(f"give --over NAME=VALUES; {claim} has the parameters {names}")
    values = parse(",".join(over), family)
    if out is None:
        out = Path("out/sweeps") / f"{claim}.csv"
        out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _Display() as progress:
            rows = run(claim, values, out, workers=workers, scheduler=scheduler, progress=progress)
    except KeyboardInterrupt as interrupt:
        failure = describe(interrupt)
        raise CommandError(
            f"{failure.message}; finished rows are beside {out}, the same command continues",
            failure.exit_status,
        ) from interrupt
    counts = Counter(row.verdict.partition(":")[0] for row in rows)
    click.echo(", ".join(f"{number} {verdict}" for verdict, number in counts.most_common()))
    click.echo(f"{out} ({len(rows)} rows); scc figure sweep --from {out} draws it")
    return 1 if any(row.speaks_against for row in rows) else 0


def _describe(claim: str, family: Family) -> None:
    click.echo(f"{claim}: {family.quantity} (measured {family.relation} predicted)")
    for p in family.parameters:
        click.echo(f"  {p.name:10} {p.range:30} [{p.default}] {p.meaning}")
    if family.beside:
        click.echo(f"  further columns: {', '.join(family.beside)}")


class _Display:
    """A line a row on stderr, or one bar on a terminal; a context manager."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeElapsedColumn as Elapsed

        console = Console(stderr=True)
        self.points = self.done = 0
        self.bar: Progress | None = None
        if console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            self.bar = Progress(*columns, Elapsed(), console=console)

    def __enter__(self) -> _Display:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def started(self, points: int, known: int, others: int) -> None:
        """Say what is there already, and what of it is not used."""
        self.points, self.done = points, known
        if known:
            self._say(f"{known} of {points} rows are there already")
        if others:
            self._say(f"{others} other rows, of other parameters or other code, are left alone")
        if self.bar is not None:
            self.bar.add_task("systems", total=points, completed=known)

    def finished(self, row: Row) -> None:
        """``[ 3/40] M = 20, beta = 2.0: holds (0.5 s)``."""
        self.done += 1
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], completed=self.done)
            if not row.speaks_against:
                return
        point = ", ".join(f"{name} = {value}" for name, value in row.parameters.items())
        count = f"[{self.done:{len(str(self.points))}d}/{self.points}]"
        verdict = f"error: {row.error}" if row.error else row.verdict
        self._say(f"{count} {point}: {verdict} ({row.seconds:.1f} s)")

    def _say(self, message: str) -> None:
        if self.bar is not None:
            self.bar.console.print(message, markup=False, highlight=False)
        else:
            click.echo(message, err=True)
