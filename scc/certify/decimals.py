"""Numbers of a certificate: exact decimals for what is given, midpoint and radius for what is not.

A float64 is written with all its digits, so that the file says which real number is meant without
any convention of binary rounding. An enclosure ``[m, r]`` (two decimal strings) states |x − m| ≤ r;
it is rounded outwards: r also covers the rounding of m.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation, localcontext
from fractions import Fraction
from typing import Any

import flint

from scc.errors import InputError

RADIUS_DIGITS = 5
"""Significant digits of a radius."""

_LARGEST_EXPONENT = 400  # beyond every float64; e^(10^4000) would take for ever
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

Enclosure = list[str]
"""``[midpoint, radius]``."""


def exact(value: float) -> str:
    """All digits of a finite float64."""
    number = Decimal(float(value))
    if not number.is_finite():
        raise InputError(f"a certificate needs finite numbers, got {value}")
    return _plain(number)


def ball(text: str) -> flint.arb:
    """The real number a decimal string denotes, at the current working precision.

    Raises InputError for anything that is not a finite decimal.
    """
    exact_value = fraction(text)
    return flint.arb(flint.fmpq(exact_value.numerator, exact_value.denominator))


def fraction(text: str) -> Fraction:
    """The rational number a decimal string denotes. Raises InputError as :func:`ball`."""
    if not isinstance(text, str) or len(text) > 5000:
        raise InputError(f"{_shown(text)} is not a decimal string")
    # Decimal alone would also read "1_0" and digits of other scripts.
    try:
        number = Decimal(text if _DECIMAL.fullmatch(text) else "nan")
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise InputError(f"{_shown(text)} is not a finite decimal number")
    return Fraction(number)


def rounded(value: flint.arb, digits: int) -> str:
    """The midpoint of a ball to ``digits`` significant digits: a decimal near it, no enclosure."""
    return _plain(_decimal(value.mid(), digits))


def upper(value: flint.arb, digits: int = RADIUS_DIGITS) -> str:
    """A decimal ≥ every point of the ball. Raises ValueError if the ball is not finite."""
    top = value.upper()
    if not top.is_finite():
        raise ValueError("a ball without an upper bound")
    number = _decimal(top, digits)
    with localcontext(prec=digits):
        while not ball(str(number)) >= top:
            number = number.next_plus()
    return _plain(number)


def lower(value: flint.arb, digits: int = RADIUS_DIGITS) -> str:
    """A decimal ≤ every point of the ball."""
    negated = Decimal(upper(-value, digits))
    return _plain(-negated) if negated else "0"


def enclosure(value: flint.arb, slack: flint.arb | int = 0) -> Enclosure:
    """``[m, r]`` that holds for every point of the ball, r enlarged by ``slack``.

    m has as many digits as make its rounding small against r.
    """
    radius = flint.arb(value.rad()) + slack
    if not radius.is_finite() or not value.is_finite():
        raise ValueError("a ball that is not finite")
    if radius == 0:
        radius = flint.arb(2) ** -200
    place = Decimal(upper(radius)).adjusted() - RADIUS_DIGITS
    middle = value.mid()
    size = _decimal(middle, 3)
    digits = max(size.adjusted() - place + 1, 1) if size else 1
    text = rounded(middle, digits)
    return [text, upper(radius + abs(ball(text) - middle))]


def enclosures(values: Sequence[flint.arb], slack: flint.arb | int = 0) -> list[Enclosure]:
    """:func:`enclosure` of each."""
    return [enclosure(value, slack) for value in values]


def read(stated: Any) -> tuple[flint.arb, flint.arb]:
    """(m, r) of a stated enclosure; InputError when it is none, or r < 0."""
    if not isinstance(stated, list) or len(stated) != 2:
        raise InputError(f"{_shown(stated)} is not an enclosure [midpoint, radius]")
    middle, radius = ball(stated[0]), ball(stated[1])
    if not radius >= 0:
        raise InputError(f"the radius {stated[1]} is negative")
    return middle, radius


def states(stated: Any, value: flint.arb) -> bool:
    """Whether a stated enclosure ``[m, r]`` certainly contains every point of a ball."""
    middle, radius = read(stated)
    return bool(abs(value - middle) <= radius)


def _decimal(exact_value: flint.arb, digits: int) -> Decimal:
    """An exact ball (radius 0) to ``digits`` significant digits."""
    mantissa, exponent = exact_value.man_exp()
    number = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    with localcontext(prec=digits):
        return Decimal(number.numerator) / Decimal(number.denominator)


def _plain(number: Decimal) -> str:
    """Digits without an exponent where that is short, with one otherwise."""
    if number == 0:
        return "0"
    return f"{number:f}" if -8 <= number.adjusted() < 25 else str(number)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
