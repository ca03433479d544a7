"""The grammar of ``--over``, and the points it stands for.

    M=20:40:80,beta=1..16*2:inf,gap=0.5..2+0.5

Parameters are separated by commas, the values of one by colons. A value is a number, a word where
the parameter takes words, or a range: ``a..b`` steps by 1, ``a..b+s`` by s, ``a..b*f`` multiplies
by f; b is included where a step meets it. Steps are taken in decimal, so that 0.1..0.5+0.1 holds
0.3 and not 0.30000000000000004. A sweep is over all combinations, the last parameter fastest.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from scc.claims.parameters import Family, Parameter, Value
from scc.errors import InputError

LARGEST = 1_000_000
"""Points of a sweep, and values of a range: beyond, the sweep is refused."""

_RANGE = re.compile(r"(?P<first>[^.].*?)\.\.(?P<last>.+?)(?:(?P<how>[+*])(?P<step>[^+*]+))?")


def parse(text: str, family: Family) -> dict[str, list[Value]]:
    """Parameter -> its values, in the order they are written.

    Raises:
        InputError: unknown parameter, one twice, a value that is not allowed or twice, an empty
            range, a step that does not lead from first to last.
    """
    found: dict[str, list[Value]] = {}
    for part in text.split(","):
        name, equals, values = (piece.strip() for piece in part.partition("="))
        if not equals or not name or not values:
            raise InputError(f"{part.strip()!r} is not NAME=VALUES, as in M=20:40,beta=1..16*2")
        parameter = family.parameter(name)
        if name in found:
            raise InputError(f"{name} is there twice")
        found[name] = list(_values(values, parameter))
    return found


def grid(over: Mapping[str, Sequence[Value]], family: Family) -> list[dict[str, Value]]:
    """All combinations, with the default of every parameter that ``over`` does not name.

    Raises:
        InputError: more than :data:`LARGEST`.
    """
    if (number := math.prod(len(values) for values in over.values())) > LARGEST:
        raise InputError(f"{number} systems are more than the {LARGEST} of one sweep")
    return [
        family.values(dict(zip(over, point, strict=True)))
        for point in itertools.product(*over.values())
    ]


def _values(text: str, parameter: Parameter) -> Iterator[Value]:
    seen = set()
    for piece in (piece.strip() for piece in text.split(":")):
        for written in _expanded(piece, parameter):
            value = parameter.read(written)
            if value in seen:
                raise InputError(f"{parameter.name}: {value} is there twice")
            seen.add(value)
            yield value


def _expanded(text: str, parameter: Parameter) -> Iterator[str]:
    """The values of a range, or the text itself."""
    found = _RANGE.fullmatch(text)
    if found is None or isinstance(parameter.default, str):
        yield text
        return
    where = f"{parameter.name}: {text}"
    first, last, step = (
        _decimal(piece, where) for piece in (found["first"], found["last"], found["step"] or "1")
    )
    multiplies = found["how"] == "*"
    if first > last:
        raise InputError(f"{where} is an empty range")
    if step <= (1 if multiplies else 0) or (multiplies and first <= 0):
        raise InputError(f"{where} never gets from {first} to {last}")
    if not multiplies and (last - first) / step >= LARGEST:
        raise InputError(f"{where} has more than {LARGEST} values")
    value, number = first, 0
    while value <= last:
        if (number := number + 1) > LARGEST:
            raise InputError(f"{where} has more than {LARGEST} values")
        yield f"{value:f}"
        value = value * step if multiplies else value + step


def _decimal(text: str, where: str) -> Decimal:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise InputError(f"{where}: {text.strip()!r} is not a finite number")
    return value
