"""Tables that the README shows and tests hold, taken from there: one source, two places."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

_FIRST_CELLS = {
    "claims.md": "claim | statement",
    "bounds.md": "claim | bounds",
    "battery.md": "scheme | locality E",
}


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}


def _write(app: Any) -> None:
    folder = HERE / "generated"
    folder.mkdir(exist_ok=True)
    readme = (HERE.parent / "README.md").read_text(encoding="utf-8")
    tables = {name: table(readme, start) for name, start in _FIRST_CELLS.items()}
    for name, text in tables.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def table(text: str, start: str) -> str:
    """The table whose header begins with these cells, links as text; ValueError without one."""
    found = re.search(rf"^\| {re.escape(start)}.*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"README.md has no table that begins with {start!r}")
    return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", found[0]) + "\n"
