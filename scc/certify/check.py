"""The checker of on-site certificates: decides from the document alone whether it is true.

Trusted: the check_* files, the words of onsite_conventions, the decimal reader, Arb. Not trusted:
any number of the document except the input, which *defines* the problem. Every stated enclosure
must contain the checker's own.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint

from scc.certify.check_algebra import positive
from scc.certify.check_assembly import Assembly
from scc.certify.check_exact import ExactSolution
from scc.certify.check_input import understood
from scc.certify.check_polynomial import PolynomialSolution
from scc.certify.check_solution import pm, require
from scc.certify.decimals import fraction, states
from scc.certify.failure import RefusedError
from scc.certify.onsite_conventions import CONVENTIONS
from scc.errors import InputError

_BITS = 256


def check_onsite(document: dict[str, Any], progress: Callable[[str], None]) -> list[str]:
    """What was verified, a line each. Raises RefusedError naming the first statement that fails."""
    try:
        with flint.ctx.workprec(_BITS + _extra_bits(document)):
            return _check(document, progress)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise RefusedError(f"malformed: {error}") from None
        raise RefusedError(f"malformed: {type(error).__name__}: {error}") from None
    except (ZeroDivisionError, OverflowError) as error:
        raise RefusedError(f"not verified: {error}") from None


def _extra_bits(document: dict[str, Any]) -> int:
    """Precision is a matter of success, not of truth: it may be chosen by what is stated."""
    polynomial = document.get("polynomial")
    bits = 0 if polynomial is None else 4 * min(len(polynomial["coefficients"]), 2000)
    stated = document["exact"]["enclosures"]
    if "chemical_potential" in stated:
        mu = float(stated["chemical_potential"][0])
        nearest = min(abs(float(level[0]) - mu) for level in stated["eigenvalues"])
        bits += min(int(3.0 * float(document["input"]["beta"]) * nearest), 1 << 14)
    return bits


def _check(document: dict[str, Any], progress: Callable[[str], None]) -> list[str]:
    progress("assembling the Hamiltonian and the Coulomb matrix anew")
    parts = set(document) - {"format", "version", "provenance", "checksum"}
    known = {"conventions", "input", "exact"}
    require(parts in (known, known | {"polynomial", "distance"}), f"parts are {sorted(parts)}")
    require(document["conventions"] == CONVENTIONS, "the conventions are not those of this checker")
    understood(document["input"])
    assembly = Assembly(document["input"])
    require(positive(assembly.J), "the Coulomb matrix J is not certainly positive definite")
    lines = ["J is positive definite: the solution is unique"]
    progress("checking the exact solution")
    exact = ExactSolution(document, assembly)
    lines += exact.verified()
    if "polynomial" in document:
        progress("checking the polynomial solution")
        polynomial = PolynomialSolution(document, assembly)
        lines += polynomial.verified()
        lines.append(_distance(document))
    return lines


def _distance(document: dict[str, Any]) -> str:
    """‖v̂*_N − v̂*‖ in both norms."""
    exact, polynomial = document["exact"], document["polynomial"]
    apart = [
        fraction(a) - fraction(b)
        for a, b in zip(polynomial["centre"], exact["centre"], strict=True)
    ]
    radius = fraction(exact["existence_radius"]) + fraction(polynomial["existence_radius"])
    stated = document["distance"]
    require(set(stated) == {"2", "infinity"}, f"distance: norms are {sorted(stated)}")
    middle, width = (fraction(text) for text in stated["infinity"])
    largest = max(abs(x) for x in apart)
    require(abs(largest - middle) + radius <= width, "the distance in the maximum norm")
    euclidean = _root(sum((x * x for x in apart), Fraction(0))) + pm(_arb(radius))
    require(states(stated["2"], euclidean), "the distance in the Euclidean norm")
    return f"the two solutions are {float(largest):.6g} Hartree apart (maximum norm)"


def _arb(value: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(value.numerator, value.denominator))


def _root(value: Fraction) -> flint.arb:
    return _arb(value).sqrt()
