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
from scc.certify.check_document import checked, known_parts
from scc.certify.check_exact import ExactSolution
from scc.certify.check_input import understood
from scc.certify.check_polynomial import PolynomialSolution
from scc.certify.check_solution import pm, require
from scc.certify.decimals import fraction, states
from scc.certify.onsite_conventions import CONVENTIONS

_BITS = 256


def check_onsite(document: dict[str, Any], progress: Callable[[str], None]) -> list[str]:
    """What was verified, a line each. Raises RefusedError naming the first statement that fails."""
    return checked(document, progress, _check, bits=_BITS, bits_per_coefficient=4)


def _check(document: dict[str, Any], progress: Callable[[str], None]) -> list[str]:
    progress("assembling the Hamiltonian and the Coulomb matrix anew")
    known_parts(document, CONVENTIONS, remarks=("provenance",))
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
