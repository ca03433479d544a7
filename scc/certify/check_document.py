"""How a checker meets a document: its parts, the precision it asks for, and malformed ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flint

from scc.certify.failure import RefusedError
from scc.errors import InputError

_MOST_COEFFICIENTS = 2000
_MOST_BITS = 1 << 14

Progress = Callable[[str], None]


def checked(
    document: dict[str, Any],
    progress: Progress,
    verify: Callable[[dict[str, Any], Progress], list[str]],
    bits: int,
    bits_per_coefficient: int,
) -> list[str]:
    """``verify`` at a working precision that suits the document; bits: the least.

    Raises RefusedError for whatever goes wrong in it: a document is verified or refused.
    """
    try:
        with flint.ctx.workprec(bits + _extra_bits(document, bits_per_coefficient)):
            return verify(document, progress)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise RefusedError(f"malformed: {error}") from None
        raise RefusedError(f"malformed: {type(error).__name__}: {error}") from None
    except (ZeroDivisionError, OverflowError) as error:
        raise RefusedError(f"not verified: {error}") from None


def known_parts(
    document: dict[str, Any], conventions: Sequence[str], remarks: Sequence[str] = ()
) -> None:
    """Nothing stands in the document that nobody verifies, ``remarks`` apart, and its words are
    those the checker goes by. Raises RefusedError."""
    parts = set(document) - {"format", "version", "checksum", *remarks}
    known = {"conventions", "input", "exact"}
    if parts not in (known, known | {"polynomial", "distance"}):
        raise RefusedError(f"parts are {sorted(parts)}")
    if document["conventions"] != conventions:
        raise RefusedError("the conventions are not those of this checker")


def _extra_bits(document: dict[str, Any], bits_per_coefficient: int) -> int:
    """Precision is a matter of success, not of truth: it may be chosen by what is stated."""
    polynomial = document.get("polynomial")
    bits = 0
    if polynomial is not None:
        bits = bits_per_coefficient * min(len(polynomial["coefficients"]), _MOST_COEFFICIENTS)
    stated = document["exact"]["enclosures"]
    if "chemical_potential" in stated:
        mu = float(stated["chemical_potential"][0])
        nearest = min(abs(float(level[0]) - mu) for level in stated["eigenvalues"])
        bits += min(int(3.0 * float(document["input"]["beta"]) * nearest), _MOST_BITS)
    return bits
