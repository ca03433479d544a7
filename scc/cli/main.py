"""The ``scc`` command: its group of commands, and the one place where errors end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn

import click

from scc import __version__
from scc.cli.certify import certify
from scc.cli.check import check
from scc.cli.equilibrate import equilibrate
from scc.cli.errors import CommandError, Terminated, describe
from scc.cli.evaluate import evaluate
from scc.cli.figure import figure
from scc.cli.fit import fit
from scc.cli.goldens import goldens
from scc.cli.listing import list_command
from scc.cli.sweep import sweep
from scc.cli.verify import verify


class OneLineErrors(click.Group):
    """A group in which every error ends as ``scc: error: …`` on stderr, never as a traceback.

    A command returns its exit status, or None for 0.
    """

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command and exit with its status."""
        try:
            status = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(error.exit_code)
        except (click.ClickException, click.Abort, CommandError) as error:
            failure = describe(error)
            click.echo(f"scc: error: {failure.message}", err=True)
            sys.exit(failure.exit_status)
        sys.exit(status)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn what it raises into a :class:`scc.cli.errors.CommandError`."""
        try:
            result = super().invoke(ctx)
            _flush()
            return result
        except (click.ClickException, click.exceptions.Exit):
            raise
        except BrokenPipeError:
            _drop_output()
            return 0  # the reader (``| head``) has what it wanted
        except (Exception, KeyboardInterrupt) as error:
            if ctx.params.get("debug"):
                raise
            raise describe(error) from error


@click.group(
    cls=OneLineErrors,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 fine, 1 a claim fails or a result is unconverged or unstable, "
    "2 bad usage, input or output.",
)
@click.version_option(__version__, prog_name="scc", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Self-consistent Coulomb interactions for machine-learned interatomic potentials."""


for command in (
    verify,
    check,
    list_command,
    sweep,
    figure,
    equilibrate,
    fit,
    evaluate,
    certify,
    goldens,
):
    cli.add_command(command)


def main() -> NoReturn:
    """Entry point of the ``scc`` command."""
    signal.signal(signal.SIGTERM, _terminate)
    cli.main(prog_name="scc")


def _flush() -> None:
    """Meet a full disk here, where it ends in one line, not while the interpreter shuts down."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_output()
        raise CommandError(f"cannot write the output: {error.strerror}", 2) from error


def _drop_output() -> None:
    # What is still in the buffer would be flushed, and fail, once more at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(signal_number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


if __name__ == "__main__":
    main()
