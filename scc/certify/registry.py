"""Who proves and who checks the certificates of which model: two functions a model.

A prover takes an Equilibrium and a polynomial degree or None, and returns a
:class:`scc.certify.certificate.Certificate`. A checker takes the document of a certificate (its
checksum and layout already looked at) and returns the lines of what it verified; it raises
RefusedError at the first statement it cannot verify. Both report progress through a function of
one line of text.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from scc.errors import InputError

Progress = Callable[[str], None]
"""Called with a short line when a stage of the work begins."""

PROVERS: dict[str, str] = {
    "onsite": "scc.certify.onsite:prove",
    "gaussian": "scc.certify.gaussian.prove:prove",
}
CHECKERS: dict[str, str] = {
    "onsite": "scc.certify.check:check_onsite",
    "gaussian": "scc.certify.gaussian.check:check",
}


def find(table: dict[str, str], model: str) -> Callable[..., Any]:
    """The function of a model. Raises InputError for a model without one."""
    if model not in table:
        raise InputError(f"no certificates for model {model!r}; known: {', '.join(table)}")
    module, name = table[model].split(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise InputError(f"certificates of the {model} model are not available yet") from None
    return found
