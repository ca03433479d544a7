"""One page of the API a package, written before the build: its README, then its modules."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import scc

HERE = Path(__file__).parent
ROOT = HERE.parent

ORDER = (
    *("configuration", "basis", "electrostatics", "occupations", "models", "functional"),
    *("bodyorder", "equilibration", "locality", "ace", "schemes", "adapters", "theory"),
    *("certify", "battery", "claims", "sweeps"),
)
"""Packages in the order in which data flows through them."""


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", _write_pages)
    return {"parallel_read_safe": True}


def _write_pages(app: Any) -> None:
    folder = HERE / "api"
    folder.mkdir(exist_ok=True)
    packages = [name for name in ORDER if (ROOT / "scc" / name / "__init__.py").exists()]
    pages = {f"{name}.md": package_page(f"scc.{name}") for name in packages}
    pages["index.md"] = index_page(packages)
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:  # Sphinx reads again what is newer
            path.write_text(text)


def index_page(packages: list[str]) -> str:
    """The list of packages."""
    plain = ["errors", "units", "output", "json_values"]
    lines = [
        "# API",
        "",
        f"Version {scc.__version__}. Each package imports only from those above it.",
        "Modules whose name starts with an underscore are not listed.",
        "",
        "```{toctree}",
        ":maxdepth: 1",
        "",
        *packages,
        "```",
        "",
        *_modules([f"scc.{name}" for name in plain]),
    ]
    return "\n".join(lines) + "\n"


def package_page(package: str) -> str:
    """README of the package, what can be imported from it, its public modules."""
    module = importlib.import_module(package)
    folder = Path(module.__path__[0])
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.exists() else module.__doc__ or ""
    target = ["```{eval-rst}", f".. py:module:: {package}", "```", ""]
    lines = [f"# {package}", "", *target, _introduction(text), ""]
    if names := getattr(module, "__all__", None):
        imported = ", ".join(f"`{name}`" for name in sorted(names))
        lines += [f"`from {package} import` {imported}.", ""]
    return "\n".join([*lines, *_modules(_public(module))]) + "\n"


def _public(package: Any) -> list[str]:
    """All modules of a package and its sub-packages, sorted."""
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    names = [m.name for m in found if not m.ispkg]
    return sorted(
        name for name in names if not any(part.startswith("_") for part in name.split("."))
    )


def _modules(names: list[str]) -> list[str]:
    lines = []
    for name in names:
        lines += [f"## {name}", "", "```{eval-rst}", f".. automodule:: {name}", "```", ""]
    return lines


def _introduction(readme: str) -> str:
    """The README without its heading and with links to files of the repository as text."""
    text = re.sub(r"\A#[^\n]*\n+", "", readme)
    text = re.sub(r"^(#+)", r"#\1", text, flags=re.MULTILINE)
    return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text).strip()
