"""From whatever names or is a model to a :class:`scc.battery.subject.Subject`."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FunctionType
from typing import Any, get_args

from scc.ace.reference_frame import water_molecules
from scc.ace.registry import fitted_model, fitted_names
from scc.battery.ase_subject import CalculatorSubject
from scc.battery.direct_subject import DirectSubject
from scc.battery.projected_subject import ProjectedSubject
from scc.battery.subject import Subject
from scc.battery.variational_subject import VariationalSubject
from scc.configuration import Configuration
from scc.errors import InputError
from scc.models.registry import MODELS, model_by_name
from scc.schemes.registry import trained_model

LARGEST = {"onsite": 96, "gaussian": 36, "qeq": 45}
"""Atoms up to which shipped models whose cost is not that of their kind take about a second."""

_REGISTRIES = ("scc.schemes.registry", "scc.adapters.registry")
"""Modules with ``SUBJECTS`` (name → one line) and ``subject_by_name``."""


def subject_of(model: Any, structures: Sequence[Configuration] = ()) -> Subject:
    """The subject of a model.

    Args:
        structures: what it will be solved on; the closure of a local model shows in what it
            prepares for them.
        model: one of

            * a name of :func:`known_names`;
            * a file of a fitted model;
            * ``module:object`` or ``file.py:object``: the object itself, or what it returns when it
              is called, is one of the following;
            * a local model: with ``prepare``; closed by projection if it has ``operator``, by
              V = Σ v̂ Ξ if what it prepares says whether it is ``complete``, else directly;
            * an ASE calculator;
            * a subject already.
    Raises:
        InputError: none of these; or a local model that refuses all structures.
    """
    name = None
    if isinstance(model, str | os.PathLike):
        name = os.fspath(model)
        model = _by_name(name)
        name = name if name in known_names() else None
    if hasattr(model, "solve") and hasattr(model, "accuracy"):
        subject: Subject = model
        return subject
    if hasattr(model, "prepare"):
        return _local(model, name or str(getattr(model, "name", type(model).__name__)), structures)
    if hasattr(model, "get_property") and hasattr(model, "implemented_properties"):
        return CalculatorSubject(model, name)
    raise InputError(
        f"a {type(model).__name__} is no model: it has neither prepare(configuration) of a "
        "local model nor solve(configuration) of a subject, and is no ASE calculator"
    )


def known_names() -> dict[str, str]:
    """Names of shipped models, schemes and codes, with one line each."""
    lines = dict(MODELS)
    lines |= {name: "fitted model, equilibrated by projection" for name in fitted_names()}
    for registry in _registries():
        lines |= registry.SUBJECTS
    return lines


def _by_name(name: str) -> Any:
    """The model that a name, a file or ``module:object`` stands for."""
    if name in MODELS:
        return model_by_name(name)
    if name in fitted_names():
        return fitted_model(name)
    for registry in _registries():
        if name in registry.SUBJECTS:
            return registry.subject_by_name(name)
    if ":" in name:
        return _imported(name)
    if Path(name).exists():
        return trained_model(name)
    raise InputError(
        f"no model {name!r}: no file, no module:object, and none of {', '.join(known_names())}"
    )


def _imported(name: str) -> Any:
    """``module:object``; a class or a function without arguments is called."""
    where, _, attribute = name.rpartition(":")
    try:
        module = _module_of_file(Path(where)) if where.endswith(".py") else _module(where)
    except InputError:
        raise
    except Exception as error:  # whatever a user's file does when it is run
        raise InputError(f"cannot import {where}: {type(error).__name__}: {error}") from error
    if not hasattr(module, attribute):
        raise InputError(f"{where} has no {attribute!r}")
    found = getattr(module, attribute)
    if not isinstance(found, type | FunctionType):
        return found
    try:
        return found()
    except Exception as error:
        raise InputError(f"{name}() raises {type(error).__name__}: {error}") from error


def _module(name: str) -> Any:
    """As ``python -m`` would find it: in the working folder, too."""
    sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(os.getcwd())


def _module_of_file(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"cannot import {path}: no such file")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[path.stem] = module  # where pickles of its classes will look
    specification.loader.exec_module(module)
    return module


def _registries() -> list[Any]:
    """Those that are there: a registry that is not is one that offers nothing."""
    found = []
    for name in _REGISTRIES:
        try:
            found.append(importlib.import_module(name))
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
    return found


def _trained() -> tuple[type, ...]:
    """Models that were fitted to clusters of water and mean nothing elsewhere."""
    from scc.schemes.model_file import AnyModel  # listing names should not take a second

    return get_args(AnyModel)


def _require_water(structure: Configuration) -> None:
    """As ``scc equilibrate`` and the calculator of fitted models require. Raises InputError."""
    water_molecules(structure)


def _local(model: Any, name: str, structures: Sequence[Configuration]) -> Subject:
    """A local model under the closure it is made for."""
    require = _require_water if isinstance(model, _trained()) else None
    if hasattr(model, "operator"):
        return ProjectedSubject(model, name, require=require)
    if hasattr(model, "functional"):
        return DirectSubject(model, name, require=require)
    refusal = InputError(f"{name} needs structures: none was given")
    for structure in structures:
        try:
            bound = model.prepare(structure)
        except InputError as error:
            refusal = error
            continue
        if hasattr(bound, "complete"):
            return VariationalSubject(model, name, largest=LARGEST.get(name, 60))
        return DirectSubject(model, name, largest=LARGEST.get(name, 120))
    raise refusal
