"""Why there is no certificate, or why one is refused."""

from scc.errors import SccError


class CertificationError(SccError):
    """A condition of the proof fails; the line names it, its value and its limit. Exit status 1."""


class RefusedError(SccError):
    """A certificate states something that could not be verified; the line says what. Status 1."""
