r"""H⁰ between two atoms with one s orbital each, in balls; and the switch all hoppings share.

s(r) = 1/(1 + e^{-u}), u = 1/x − 1/(1−x), is within 10⁻⁴²⁰ of its limits, with its derivative times
the width of the switch, for x ≤ 10⁻³ or x ≥ 1 − 10⁻³: at x = 10⁻³, e^{-u}(x⁻² + (1−x)⁻²) is below
10⁻⁴²⁶ and it decreases towards the end. So a distance that straddles the end of a switch is no
obstacle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import flint

from scc.certify.decimals import ball
from scc.certify.failure import CertificationError

_NEGLIGIBLE = "1e-420"


@dataclass(frozen=True)
class Pair:
    """Two atoms, r_first − r_second (3), and their distance; bohr."""

    first: int
    second: int
    difference: list[flint.arb]
    distance: flint.arb


class BallHopping(Protocol):
    """H⁰(r) and the pair repulsion of one parameterisation."""

    owner: list[int]
    """The atom of each orbital."""
    levels: list[flint.arb]
    """The diagonal of H⁰, Hartree."""

    def elements(self, pair: Pair) -> Iterator[tuple[int, int, flint.arb]]:
        """(a, b, H⁰_ab) for the orbitals a of the first and b of the second atom."""

    def repulsion(self, pair: Pair) -> flint.arb:
        """Energy of the cores, Hartree."""

    def gradient(self, pair: Pair, density: flint.arb_mat) -> list[flint.arb]:
        """∂/∂r_first of 2 Tr(F H⁰) + repulsion at fixed F = density, (3,), Hartree/bohr."""


class SOrbitals:
    """One level an atom and a hopping function h(r), see :mod:`scc.models.model_systems`."""

    def __init__(self, stated: dict[str, Any], species: list[str]) -> None:
        self.rule = stated["hopping"]
        self.levels = [ball(level) for level in stated["levels"]]
        self.owner = list(range(len(self.levels)))

    def elements(self, pair: Pair) -> Iterator[tuple[int, int, flint.arb]]:
        yield pair.first, pair.second, self._hopping(pair)[0]

    def repulsion(self, pair: Pair) -> flint.arb:
        return flint.arb(0)

    def gradient(self, pair: Pair, density: flint.arb_mat) -> list[flint.arb]:
        slope = 4 * density[pair.first, pair.second] * self._hopping(pair)[1]
        return [slope * d / pair.distance for d in pair.difference]

    def _hopping(self, pair: Pair) -> tuple[flint.arb, flint.arb]:
        """h(r) and h'(r)."""
        stated, r = self.rule, pair.distance
        zero = flint.arb(0)
        if stated["kind"] == "constant":
            cutoff = ball(stated["cutoff"])
            if not r < cutoff and not r >= cutoff:
                raise CertificationError(
                    f"atoms {pair.first} and {pair.second} are at the hopping's cut-off "
                    f"{float(cutoff):g} bohr, where it jumps"
                )
            return (-ball(stated["t"]), zero) if r < cutoff else (zero, zero)
        start, stop = (ball(end) for end in stated["switch"])
        if r >= stop:
            return zero, zero
        decay = ball(stated["decay"])
        bare = ball(stated["prefactor"]) * (-decay * (r - ball(stated["reference"]))).exp()
        weight, slope = switch(r, start, stop)
        return bare * weight, bare * (slope - decay * weight)


def switch(r: flint.arb, start: flint.arb, stop: flint.arb) -> tuple[flint.arb, flint.arb]:
    """s(r) and s'(r), see the module docstring."""
    width = stop - start
    x = (r - start) / width
    negligible = flint.arb(0, _NEGLIGIBLE)
    if x <= flint.arb("1e-3"):
        return 1 + negligible, negligible / width
    if x >= flint.arb("0.999"):
        return negligible, negligible / width
    weight = 1 / (1 + (1 / (1 - x) - 1 / x).exp())
    slope = -weight * (1 - weight) * (x**-2 + (1 - x) ** -2) / width
    return weight, slope
