"""Errors a user can meet. Each carries one line that names the offending value.

The command line turns them into an exit status (:attr:`SccError.exit_status`), never a traceback.
"""


class SccError(Exception):
    """Base of all errors raised on purpose by scc; ``str(error)`` is a single line."""

    exit_status: int = 1


class InputError(SccError, ValueError):
    """The input cannot be right: wrong shape, NaN, unknown element, impossible electron count."""

    exit_status = 2


class ConvergenceError(SccError):
    """A self-consistent iteration stalled, diverged, or ended in an unstable state."""
