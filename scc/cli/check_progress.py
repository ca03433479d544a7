"""Progress of ``scc check`` on stderr: a bar on a terminal, a line a property elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from scc.battery.properties import PROPERTIES
from scc.battery.property import Verdict


@contextmanager
def verdict_display() -> Iterator[Callable[[Verdict], None]]:
    """To be told each verdict; the display that fits stderr."""
    console = Console(stderr=True)
    total = len(PROPERTIES)
    if not console.is_terminal:
        done = 0

        def line(verdict: Verdict) -> None:
            nonlocal done
            done += 1
            text = f"[{done:2d}/{total}] {verdict.property.id}: {verdict.judgement}"
            click.echo(f"{text} ({verdict.seconds:.1f} s)", err=True)

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(PROPERTIES[0].id, total=total)

        def advance(verdict: Verdict) -> None:
            position = PROPERTIES.index(verdict.property) + 1
            following = PROPERTIES[position].id if position < total else "done"
            progress.update(task, advance=1, description=following)

        yield advance
