"""Trained schemes by name: every ``models/NAME.json`` in this package that ``SUBJECTS`` lists."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from scc.ace.registry import fitted_model, fitted_names
from scc.errors import InputError

if TYPE_CHECKING:
    from scc.schemes.model_file import AnyModel

SUBJECTS: dict[str, str] = {
    "bpopnn-water": "BpopNN-like, trained on data/water: nonlinear f(r, q) minimised over charges",
    "4g-water": "4G-HDNNP-like, trained on data/water: QEq charges, then a short-range energy",
    "scfnn-water": "SCFNN-like, trained on data/water: local response to the smooth potential",
}


def subject_by_name(name: str) -> AnyModel:
    """A trained scheme. Raises InputError for an unknown name."""
    from scc.schemes.model_file import load_scheme  # listing names should not take a second

    if name not in SUBJECTS:
        raise InputError(f"no trained scheme {name!r}; known: {', '.join(SUBJECTS)}")
    with as_file(files("scc.schemes").joinpath("models", name + ".json")) as path:
        return load_scheme(path)


def trained_model(name: str) -> AnyModel:
    """The trained scheme or fitted model of that name, or in the file of that path.

    Raises:
        InputError: neither a name nor a file, or a file that cannot be read as either.
    """
    if name in SUBJECTS:
        return subject_by_name(name)
    if name in fitted_names():
        return fitted_model(name)
    if not Path(name).exists():
        known = ", ".join([*fitted_names(), *SUBJECTS])
        raise InputError(f"no fitted model {name!r}: neither a file nor one by name ({known})")
    from scc.schemes.model_file import load_scheme

    return load_scheme(name)
