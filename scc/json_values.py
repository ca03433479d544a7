"""Numbers as JSON has them: finite decimals, or null with the reason beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

_NAMED = 5  # positions of non-finite numbers listed before "and n more"


def plain(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping in JSON types: NumPy scalars and arrays become numbers and lists.

    JSON has no NaN and no infinity: such a number becomes ``null``, and an entry
    ``"<name> is null"`` beside it says what it was (``"beta": null, "beta is null": "infinity"``).

    Raises:
        TypeError: a value is none of number, string, bool, None, array, list, tuple, mapping.
    """
    result: dict[str, Any] = {}
    for name, value in mapping.items():
        reasons: list[str] = []
        result[str(name)] = _plain_value(value, str(name), "", reasons)
        if reasons:
            more = f" and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
            result[f"{name} is null"] = ", ".join(reasons[:_NAMED]) + more
    return result


def _plain_value(value: Any, name: str, position: str, reasons: list[str]) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, np.ndarray):
        return _plain_value(value.tolist(), name, position, reasons)
    if isinstance(value, list | tuple):
        return [
            _plain_value(entry, name, f"{position}[{index}]", reasons)
            for index, entry in enumerate(value)
        ]
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        if math.isfinite(number):
            return number
        reason = "not a number" if math.isnan(number) else "infinity"
        sign = "-" if number < 0 else ""
        reasons.append(f"{position} {sign}{reason}".strip())
        return None
    raise TypeError(f"{name}{position} is a {type(value).__name__}, which JSON cannot hold")
