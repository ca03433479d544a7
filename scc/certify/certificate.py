r"""The certificate: a document of plain JSON whose numbers are decimal strings.

    {"format": "scc-certificate", "version": 1,
     "conventions": [lines of text],
     "input":   {"model", "species": [...], "positions": [[x, y, z], ...] (bohr), "beta": "inf" or a
                 decimal, "ensemble": {"kind": "canonical", "electrons"} or
                 {"kind": "grand-canonical", "chemical_potential"}, "parameters": {...}},
     "exact":      a solution of T(v̂) = 0,
     "polynomial": a solution of T_N(v̂) = 0, with "degree", "interval", "coefficients" (optional),
     "distance":   an enclosure of ‖v̂*_N − v̂*‖ (optional),
     "provenance": remarks nobody verifies (optional),
     "checksum": SHA-256 of the document without it}

    solution = {"centre": [decimals], "norms": {"existence": "2", "uniqueness": "infinity"},
                "existence_radius", "uniqueness_radius" (decimal, or "inf"),
                "constants": {name: decimal, upper bounds the proof rests on},
                "enclosures": {"energy": [m, r], "charges": [[m, r], ...], "eigenvalues", "gap",
                               "forces": [[[m, r], ...] * 3, ...], ...}}

Input decimals are exact; an enclosure [m, r] states |x − m| ≤ r. The checksum is against accidents
only: a checker never trusts it, nor any number but the input.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scc.certify.failure import RefusedError
from scc.configuration.files import written_atomically
from scc.errors import InputError

FORMAT = "scc-certificate"
VERSION = 1


@dataclass(frozen=True)
class Certificate:
    """A document in the layout of the module docstring."""

    document: dict[str, Any]

    @classmethod
    def of(cls, **parts: Any) -> Certificate:
        """With format, version and checksum added."""
        document = {"format": FORMAT, "version": VERSION, **parts}
        return cls({**document, "checksum": checksum(document)})

    @property
    def model(self) -> str:
        return str(self.document["input"]["model"])

    def save(self, path: Path) -> None:
        """Write the file, complete or not at all. Raises InputError when it cannot be written."""
        text = json.dumps(self.document, indent=1, ensure_ascii=False)
        with written_atomically(path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")

    def check(self, progress: Callable[[str], None] | None = None) -> list[str]:
        """Verify everything stated, on a path independent of the one that made it.

        Returns what was verified, one line each; raises RefusedError at the first that fails.
        """
        from scc.certify.registry import CHECKERS, find

        stated = self.document.get("input")
        if not isinstance(stated, dict) or stated.get("model") not in CHECKERS:
            raise RefusedError("malformed: the input names no model that can be checked")
        lines: list[str] = find(CHECKERS, self.model)(self.document, progress or (lambda _: None))
        return lines


def load(path: Path) -> Certificate:
    """Read a certificate file.

    Raises InputError if it cannot be read or is not a certificate of this version, RefusedError
    if its checksum is wrong.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path} is not JSON") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"{path} is not a certificate")
    if document.get("version") != VERSION:
        raise InputError(f"{path}: version {document.get('version')!r}, this is {VERSION}")
    stated = document.get("input")
    if not isinstance(stated, dict) or not isinstance(stated.get("model"), str):
        raise InputError(f"{path} names no model")
    if document.get("checksum") != checksum(document):
        raise RefusedError("the checksum does not belong to the content: the file was changed")
    return Certificate(document)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Who reads a key that is there twice may read either value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"the key {twice!r} is there twice")
    return found


def checksum(document: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of everything but the checksum."""
    content = {key: value for key, value in document.items() if key != "checksum"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
