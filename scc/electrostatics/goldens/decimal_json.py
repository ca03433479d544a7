"""JSON whose numbers are decimals with more digits than a float has."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

_PLAIN_EXPONENTS = range(-6, 25)


def dumps(value: Any, indent: int = 0) -> str:
    """Text of a document of dicts, lists, strings, booleans, None, int and Decimal.

    Lists of numbers stand on one line.
    """
    inner = " " * (indent + 1)
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key)}: {dumps(value[key], indent + 1)}" for key in value]
        return "{\n" + ",\n".join(lines) + f"\n{' ' * indent}}}" if lines else "{}"
    if isinstance(value, list):
        entries = [dumps(entry, indent + 1) for entry in value]
        if not any(isinstance(entry, dict | list) for entry in value):
            return f"[{', '.join(entries)}]"
        return "[\n" + ",\n".join(inner + entry for entry in entries) + f"\n{' ' * indent}]"
    if isinstance(value, Decimal):
        return number(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def number(value: Decimal) -> str:
    """A JSON number with exactly the digits of ``value``."""
    if not value.is_finite():
        raise ValueError(f"JSON has no {value}")
    if value == 0:
        return "0"
    return f"{value:f}" if value.adjusted() in _PLAIN_EXPONENTS else str(value)


def loads(text: str) -> Any:
    """Inverse of :func:`dumps`.

    Raises:
        ValueError: not JSON, or with NaN or an infinity, which are not JSON either.
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a number")
