"""From exceptions to one line on stderr and an exit status."""

from __future__ import annotations

import click

from scc.errors import SccError

INTERRUPTED = 130
TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived: ended like an interrupt (nothing half-written), with its own status."""


class CommandError(Exception):
    """A message of one line and the exit status that goes with it."""

    def __init__(self, message: str, exit_status: int) -> None:
        self.message = " ".join(message.split())
        self.exit_status = exit_status
        super().__init__(self.message)


def describe(error: BaseException) -> CommandError:
    """The line and the status of an exception.

    Errors of ours carry both. What the system refuses (OSError) is a matter of input or output, so
    status 2. Anything else is a defect of scc: status 1, and the way to see the traceback.
    """
    match error:
        case CommandError():
            return error
        case click.ClickException():
            return CommandError(error.format_message(), error.exit_code)
        case SccError():
            return CommandError(str(error), error.exit_status)
        case Terminated():
            return CommandError("terminated", TERMINATED)
        case KeyboardInterrupt() | click.Abort():
            return CommandError("interrupted", INTERRUPTED)
        case OSError():
            return CommandError(_system_message(error), 2)
        case MemoryError():
            return CommandError("out of memory", 1)
        case _:
            kind = type(error).__name__
            return CommandError(f"{kind}: {error} (scc --debug … shows the traceback)", 1)


def _system_message(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename is not None else reason
