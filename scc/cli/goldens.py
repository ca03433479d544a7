"""``scc goldens``: reference systems of electrostatics as JSON that any code can read."""

from __future__ import annotations

import time
from pathlib import Path

import click

from scc.cli.errors import CommandError, describe
from scc.errors import InputError


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the files, made if missing."
)
@click.option("--only", multiple=True, metavar="NAME", help="This system (may be repeated).")
@click.option("--force", is_flag=True, help="Compute again what is already there.")
@click.option("--list", "listing", is_flag=True, help="Only say which systems there are.")
def goldens(out: Path | None, only: tuple[str, ...], force: bool, listing: bool) -> None:
    """Write electrostatic reference values to 25 digits, one JSON file a system.

    Units and conventions are in the README.md written beside them. Systems whose file is complete
    are skipped, so an interrupted run continues where it was.
    """
    from scc.electrostatics.goldens.catalogue import SYSTEMS
    from scc.electrostatics.goldens.files import is_complete, write, write_readme

    for name in only:
        if name not in SYSTEMS:
            raise InputError(f"no golden system {name!r}; known systems: {', '.join(SYSTEMS)}")
    wanted = [SYSTEMS[name] for name in dict.fromkeys(only)] if only else list(SYSTEMS.values())
    if listing:
        width = max(len(system.name) for system in wanted)
        for system in wanted:
            click.echo(f"{system.name:{width}}  {system.description}")
        return
    if out is None:
        raise InputError("give --out DIR, the folder to write to (or --list)")
    out.mkdir(parents=True, exist_ok=True)
    write_readme(out)
    for number, system in enumerate(wanted, 1):
        click.echo(f"[{number:2d}/{len(wanted)}] {system.name}: ", nl=False, err=True)
        try:
            start = time.monotonic()
            if not force and is_complete(out / f"{system.name}.json", system):
                ending = "already there"
            else:
                write(system.name, out)
                ending = f"{time.monotonic() - start:.1f} s"
        except BaseException as error:
            click.echo(err=True)  # the message gets a line of its own
            if not isinstance(error, KeyboardInterrupt):
                raise
            failure = describe(error)
            raise CommandError(
                f"{failure.message}; what is finished is in {out}, the same command continues",
                failure.exit_status,
            ) from error
        click.echo(ending, err=True)
    click.echo(f"{len(wanted)} system{'' if len(wanted) == 1 else 's'} in {out}")
