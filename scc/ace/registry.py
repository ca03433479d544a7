"""Fitted models by name, or from a file: every ``models/NAME.json`` in this package is a name."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from scc.errors import InputError

if TYPE_CHECKING:
    from scc.ace.model import FittedModel
    from scc.ace.variational_model import VariationalModel

SUFFIX = ".json"


def fitted_names() -> tuple[str, ...]:
    """Names of the fitted models that ship with the package."""
    folder = files("scc.ace").joinpath("models")
    if not folder.is_dir():
        return ()
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)))


def fitted_model(name: str) -> FittedModel | VariationalModel:
    """The fitted model of that name, or in the file of that path.

    Raises:
        InputError: neither a name nor a file, or a file that :func:`load_model` refuses.
    """
    from scc.ace.model_file import load_model  # listing names should not take a second

    if name in fitted_names():
        with as_file(files("scc.ace").joinpath("models", name + SUFFIX)) as path:
            return load_model(path)
    if not Path(name).exists():
        known = ", ".join(fitted_names()) or "none here"
        raise InputError(f"no fitted model {name!r}: neither a file nor one by name ({known})")
    return load_model(name)
