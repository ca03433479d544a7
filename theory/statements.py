"""Finding the statements: every module of this folder that defines ``checks`` is one."""

import importlib
import pkgutil
from types import ModuleType

import scc.theory

_FRAMEWORK = frozenset({"statement", "statements", "system", "random_systems"})


def modules() -> list[ModuleType]:
    """All statements and identities, by name, the framework left out."""
    names = sorted(module.name for module in pkgutil.iter_modules(scc.theory.__path__))
    return [
        importlib.import_module(f"scc.theory.{name}")
        for name in names
        if name not in _FRAMEWORK and not name.startswith("_")
    ]


def bounded() -> list[ModuleType]:
    """Those that bound something of a system: they define ``hypotheses`` and ``checks``."""
    return [module for module in modules() if hasattr(module, "checks")]


def derived() -> list[ModuleType]:
    """Those with a ``derivation``."""
    return [module for module in modules() if hasattr(module, "derivation")]
