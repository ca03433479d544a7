"""The local models the command line can name."""

from __future__ import annotations

import importlib

from scc.errors import InputError

_UNREGISTERED = {
    "onsite": "on-site (self-consistent-charge) tight binding, H = H⁰ + diag(v̂)",
    "gaussian": "tight binding in Gaussian orbitals, H = H⁰ + Σ v̂ W, STO-3G",
}


def known_models() -> dict[str, str]:
    """Name -> one line, from :mod:`scc.models.registry`."""
    try:
        registry = importlib.import_module("scc.models.registry")
    except ModuleNotFoundError as error:
        if error.name != "scc.models.registry":
            raise
        return _UNREGISTERED
    return dict(registry.MODELS)


def check_model(name: str) -> str:
    """``name``, if it is a known model.

    Raises:
        InputError: it is not; the message lists those that are.
    """
    if name not in (known := known_models()):
        raise InputError(f"no model {name!r}; known models: {', '.join(known)}")
    return name
