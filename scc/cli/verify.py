"""``scc verify``: measure claims, show progress, print the verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scc.cli.errors import CommandError, describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scc.claims.claim import ClaimResult


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--full", is_flag=True, help="Also the systems that take long.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Folder of claims.json, report.html, figures/ and data/.",
)
@click.option(
    "--resume", is_flag=True, help="Reuse results in the folder: same parameters, same code."
)
def verify(ids: tuple[str, ...], full: bool, workers: int, out: Path, resume: bool) -> int:
    """Measure claims, all of them by default, and compare with what is predicted.

    Exit status: 0 all hold, 1 a claim fails (or its figure cannot be drawn), 2 bad usage or input.
    """
    from scc.claims.registry import all_claims, get_claim
    from scc.claims.runner import verify as verify_claims
    from scc.cli.progress import progress_display

    claims = [get_claim(claim_id) for claim_id in dict.fromkeys(ids)] if ids else all_claims()
    try:
        with progress_display() as progress:
            results = verify_claims(
                claims, out=out, full=full, workers=workers, resume=resume, progress=progress
            )
    except KeyboardInterrupt as interrupt:
        failure = describe(interrupt)
        raise CommandError(
            f"{failure.message}; what is finished is in {out}, --resume continues",
            failure.exit_status,
        ) from interrupt
    _print_table(results)
    held = sum(result.holds for result in results)
    click.echo(f"{held} of {len(results)} claims hold; see {out / 'report.html'}")
    drawn = all(result.figure_error is None for result in results)
    return 0 if held == len(results) and drawn else 1


def _print_table(results: Sequence[ClaimResult]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from scc.claims.report import count_verdicts, summary

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("claim", no_wrap=True)
    table.add_column("holds")
    table.add_column("systems", no_wrap=True)
    table.add_column("seconds", justify="right")
    table.add_column("farthest from prediction")
    for result in results:
        table.add_row(
            result.id,
            Text("yes", style="green") if result.holds else Text("no", style="bold red"),
            count_verdicts(result),
            f"{result.seconds:.1f}",
            Text(summary(result)),
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)  # a file has no width: do not squeeze the table into 80
    console.print(table)
