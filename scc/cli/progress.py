"""Progress of ``scc verify``: a bar a claim on a terminal, a line a system elsewhere; on stderr."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from scc.claims.claim import ClaimResult, SystemResult
from scc.claims.runner import Progress as ClaimsProgress


@contextmanager
def progress_display() -> Iterator[ClaimsProgress]:
    """The display that fits stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Elapsed(),
        TextColumn("{task.fields[verdict]}"),
    )
    with Progress(*columns, console=console) as progress:
        yield Bars(progress)


class Bars:
    """One bar a claim, over its systems."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.tasks: dict[str, TaskID] = {}

    def started(self, systems: Mapping[str, int]) -> None:
        """Draw all bars, empty."""
        for claim_id, number in systems.items():
            self.tasks[claim_id] = self.progress.add_task(
                claim_id, total=number, start=False, verdict=""
            )

    def system_finished(self, claim_id: str, result: SystemResult, *, resumed: bool) -> None:
        """Advance the bar of the claim."""
        self.progress.start_task(self.tasks[claim_id])
        self.progress.advance(self.tasks[claim_id])
        if result.holds is False:
            self.progress.update(self.tasks[claim_id], verdict="[red]fails")

    def claim_finished(self, result: ClaimResult) -> None:
        """Write the verdict behind the bar."""
        verdict = "[green]holds" if result.holds else "[red]does not hold"
        self.progress.update(self.tasks[result.id], verdict=verdict)
        self.progress.stop_task(self.tasks[result.id])


class Lines:
    """One line a system, for logs."""

    def __init__(self) -> None:
        self.total = 0
        self.done = 0

    def started(self, systems: Mapping[str, int]) -> None:
        """Count what there is to do."""
        self.total = sum(systems.values())

    def system_finished(self, claim_id: str, result: SystemResult, *, resumed: bool) -> None:
        """``[ 3/40] theorem-4: metallic chain, M = 400: holds (0.5 s)``."""
        self.done += 1
        count = f"[{self.done:{len(str(self.total))}d}/{self.total}]"
        when = "resumed" if resumed else f"{result.seconds:.1f} s"
        verdict = result.verdict if result.error is None else f"error: {result.error}"
        click.echo(f"{count} {claim_id}: {result.description}: {verdict} ({when})", err=True)

    def claim_finished(self, result: ClaimResult) -> None:
        """Nothing: the table at the end says it."""
