"""One JSON file that knows whether it is whole: format, version and SHA-256 in its first line.

    {"format": "…", "version": 1, "sha256": "<64 hex digits>",
    "…": …}

The file is one JSON object, readable with any tool. The first line is written in exactly this form;
the hash is that of all bytes after it, so any byte changed, lost or added is noticed. Arrays are
{"dtype": "<f8", "shape": […], "base64": "…"}, little-endian and row-major: bit-exact, no pickle.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from scc.configuration.files import written_atomically
from scc.errors import InputError

_FIRST_LINE = re.compile(
    rb'\{"format": "([ -!#-\[\]-~]*)", "version": ([0-9]{1,9}), "sha256": "([0-9a-f]{64})",\n'
)
_DTYPES = ("<f8", "<i8")
_ARRAY_KEYS = {"dtype", "shape", "base64"}
LARGEST_FILE = 64 * 2**20
"""Bytes; larger files are refused before they are read."""


def write_sealed(
    path: str | os.PathLike[str], file_format: str, version: int, body: Mapping[str, Any]
) -> None:
    """Write the file, complete or not at all.

    ``body``: JSON values, with NumPy arrays (float64 or int64) anywhere.

    Raises:
        InputError: the file cannot be written. ValueError: a number in ``body`` is not finite.
    """
    text = json.dumps(body, default=_encoded, allow_nan=False, ensure_ascii=False, indent=0)
    rest = text.removeprefix("{").lstrip("\n").encode() + b"\n"
    digest = hashlib.sha256(rest).hexdigest()
    first = f'{{"format": "{file_format}", "version": {version}, "sha256": "{digest}",\n'
    if not _FIRST_LINE.fullmatch(first.encode()) or not body:
        raise ValueError(f"not a format name, or nothing to write: {file_format!r}")
    with written_atomically(path) as temporary:
        temporary.write_bytes(first.encode() + rest)


def read_sealed(path: str | os.PathLike[str], file_format: str, version: int) -> dict[str, Any]:
    """The body of a file of that format and at most that version, arrays as NumPy arrays.

    Raises:
        InputError: one line with the path: no such file, another kind of file, a newer version,
            truncated or otherwise damaged.
    """
    path = Path(path)
    content = _content(path)
    match = _FIRST_LINE.match(content)
    if match is None or match[1] != file_format.encode():
        raise InputError(f"cannot read {path}: not a file of format {file_format!r}, or damaged")
    found = int(match[2])
    if found > version or found < 1:
        raise InputError(
            f"cannot read {path}: it has version {found} of the format {file_format!r}, "
            f"this scc reads versions up to {version}"
        )
    rest = content[match.end() :]
    if hashlib.sha256(rest).hexdigest().encode() != match[3]:
        raise InputError(f"cannot read {path}: truncated or damaged (its SHA-256 does not match)")
    try:
        body = json.loads(b"{" + rest, object_hook=_decoded, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    return dict(body)


def sealed_format(path: str | os.PathLike[str], formats: Sequence[str]) -> str:
    """Which of the formats a file says it has. InputError: no such file, or none of them."""
    path = Path(path)
    match = _FIRST_LINE.match(_content(path))
    found = None if match is None else match[1].decode("ascii")
    if found is None or found not in formats:
        known = " or ".join(map(repr, formats))
        raise InputError(f"cannot read {path}: not a file of format {known}, or damaged")
    return found


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError(f"cannot read {path}: it is a folder")
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise InputError(
                f"cannot read {path}: {size} bytes, larger than any such file ({LARGEST_FILE})"
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None


def _encoded(value: object) -> Any:
    if isinstance(value, np.ndarray):
        kind = {"f": "<f8", "i": "<i8"}.get(value.dtype.kind)
        if kind is None or not np.all(np.isfinite(value)):
            raise ValueError(f"an array of {value.dtype} or with NaN or infinity is not written")
        data = np.ascontiguousarray(value, dtype=kind)
        text = base64.b64encode(data.tobytes()).decode("ascii")
        return {"dtype": kind, "shape": list(value.shape), "base64": text}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not written")


def _decoded(value: dict[str, Any]) -> Any:
    if set(value) != _ARRAY_KEYS:
        return value
    dtype, shape, text = value["dtype"], value["shape"], value["base64"]
    if dtype not in _DTYPES:
        raise ValueError(f"an array has dtype {dtype!r}, expected one of {', '.join(_DTYPES)}")
    if not (isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)):
        raise ValueError(f"an array has the shape {shape!r}")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError(f"an array is not base64: {error}") from None
    if len(data) != 8 * math.prod(shape):
        raise ValueError(f"an array of shape {shape} has {len(data)} bytes")
    array = np.frombuffer(data, dtype=dtype).reshape(shape).astype(dtype[1:])
    if not np.all(np.isfinite(array)):
        raise ValueError("an array has NaN or infinity")
    return array


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"the number {name} is not finite")
