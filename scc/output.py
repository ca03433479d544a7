"""Files that are either complete or absent, and finding out early that one cannot be written."""

from __future__ import annotations

import os
from pathlib import Path

from scc.configuration.files import written_atomically
from scc.errors import InputError


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, complete or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    with written_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def check_writable(path: Path) -> None:
    """Find out that ``path`` cannot be written before the work, not after it.

    Raises:
        InputError: its folder is missing or not writable, or it is something else than a file.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"cannot write {path}: it exists and is not a regular file")
    probe = path.with_name(f".{path.name}.{os.getpid()}.probe")
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
