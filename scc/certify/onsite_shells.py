r"""H⁰ of the extended Hückel model in balls: s and p shells of contracted Gaussians, and repulsion.

H⁰_ab = (K_ll' − 1) ½(ε_a + ε_b) s(r) S_ab (:mod:`scc.models.extended_huckel`). With primitives a,
b, p = a + b, D = r_second − r_first and G = c d (π/p)^{3/2} e^{−(ab/p) D²},

    S = ΣG,   sp: D_ν Σ(−a/p)G,   ps: D_μ Σ(b/p)G,   pp: δ_μν Σ G/2p − D_μ D_ν Σ (ab/p²)G,

so every element is Σ f(D²) times a monomial of D, and its gradient in D_α is
(2f′s + f s′/r) D_α times the monomial plus f s ∂_α(monomial), with f′ = −(ab/p) f. The order of p
is y, z, x.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import flint

from scc.certify.decimals import ball
from scc.certify.onsite_hopping import Pair, switch

_AXES = (1, 2, 0)


class Shell(NamedTuple):
    """l, its first orbital on the atom, level and primitives."""

    momentum: int
    start: int
    level: flint.arb
    exponents: list[flint.arb]
    coefficients: list[flint.arb]

    @property
    def orbitals(self) -> range:
        return range(self.start, self.start + 2 * self.momentum + 1)


class Radial(NamedTuple):
    """f s and its slope (2f′s + f s′/r) at a pair."""

    value: flint.arb
    slope: flint.arb


class SlaterShells:
    """BallHopping of the extended Hückel parameters, from the decimals of an input."""

    def __init__(self, stated: dict[str, Any], species: list[str]) -> None:
        self.stated = stated
        self.start, self.stop = (ball(end) for end in stated["switch"])
        self.constants = {key: ball(text) for key, text in stated["wolfsberg_helmholz"].items()}
        self.exponent = ball(stated["repulsion_distance_exponent"])
        elements = {name: _shells(entry) for name, entry in stated["elements"].items()}
        self.core = {
            name: (ball(entry["repulsion_charge"]), ball(entry["repulsion_alpha"]))
            for name, entry in stated["elements"].items()
        }
        self.species = species
        self.shells: list[list[Shell]] = []
        self.owner: list[int] = []
        self.levels: list[flint.arb] = []
        for atom, name in enumerate(species):
            first = len(self.owner)
            self.shells.append([s._replace(start=first + s.start) for s in elements[name]])
            for shell in elements[name]:
                self.owner += [atom] * len(shell.orbitals)
                self.levels += [shell.level] * len(shell.orbitals)

    def elements(self, pair: Pair) -> Iterator[tuple[int, int, flint.arb]]:
        for one, two, radial in self._blocks(pair):
            for i, a in enumerate(one.orbitals):
                for j, b in enumerate(two.orbitals):
                    terms = _terms(one, two, i, j, radial, pair)
                    yield a, b, sum((f.value * m for f, m, _ in terms), flint.arb(0))

    def gradient(self, pair: Pair, density: flint.arb_mat) -> list[flint.arb]:
        D = [-d for d in pair.difference]
        found = [flint.arb(0)] * 3  # in D, so minus that in r_first
        for one, two, radial in self._blocks(pair):
            for i, a in enumerate(one.orbitals):
                for j, b in enumerate(two.orbitals):
                    weight = 4 * density[a, b]
                    for f, monomial, partial in _terms(one, two, i, j, radial, pair):
                        push = weight * f.slope * monomial
                        found = [
                            g + push * d + weight * f.value * q
                            for g, d, q in zip(found, D, partial, strict=True)
                        ]
        cores = self._cores(pair).slope
        return [-(g + cores * d) for g, d in zip(found, D, strict=True)]

    def repulsion(self, pair: Pair) -> flint.arb:
        return self._cores(pair).value

    def _cores(self, pair: Pair) -> Radial:
        """Y Y' e^{−√(αα') r^κ} s(r)/r, and its derivative over r."""
        r = pair.distance
        if r >= self.stop:
            return Radial(flint.arb(0), flint.arb(0))
        y, alpha = self.core[self.species[pair.first]]
        other_y, other = self.core[self.species[pair.second]]
        decay = (alpha * other).sqrt()
        bare = y * other_y / r * (-decay * r**self.exponent).exp()
        weight, slope = switch(r, self.start, self.stop)
        logarithmic = -1 / r - decay * self.exponent * r ** (self.exponent - 1)
        return Radial(bare * weight, bare * (logarithmic * weight + slope) / r)

    def _blocks(self, pair: Pair) -> Iterator[tuple[Shell, Shell, list[Radial]]]:
        r = pair.distance
        if r >= self.stop:
            return
        weight, slope = switch(r, self.start, self.stop)
        square = r * r
        for one in self.shells[pair.first]:
            for two in self.shells[pair.second]:
                kind = ("ss", "sp", "pp")[one.momentum + two.momentum]
                strength = (self.constants[kind] - 1) * (one.level + two.level) / 2
                values, slopes = _radial(one, two, square)
                yield (
                    one,
                    two,
                    [
                        Radial(strength * f * weight, strength * (2 * d * weight + f * slope / r))
                        for f, d in zip(values, slopes, strict=True)
                    ],
                )


def _radial(one: Shell, two: Shell, square: flint.arb) -> tuple[list[flint.arb], list[flint.arb]]:
    """The functions f(D²) of a pair of shells and f′."""
    count = 1 + one.momentum * two.momentum
    values, slopes = [flint.arb(0)] * count, [flint.arb(0)] * count
    for a, c in zip(one.exponents, one.coefficients, strict=True):
        for b, d in zip(two.exponents, two.coefficients, strict=True):
            p = a + b
            volume = flint.arb.pi() / p
            G = c * d * volume * volume.sqrt() * (-a * b / p * square).exp()
            factors = {
                (0, 0): (flint.arb(1),),
                (0, 1): (-a / p,),
                (1, 0): (b / p,),
                (1, 1): (1 / (2 * p), -a * b / (p * p)),
            }[one.momentum, two.momentum]
            values = [v + f * G for v, f in zip(values, factors, strict=True)]
            slopes = [s - a * b / p * f * G for s, f in zip(slopes, factors, strict=True)]
    return values, slopes


def _terms(
    one: Shell, two: Shell, i: int, j: int, radial: list[Radial], pair: Pair
) -> list[tuple[Radial, flint.arb, list[flint.arb]]]:
    """(f, monomial of D, its gradient) of element (i, j) of a block."""
    D = [-d for d in pair.difference]
    zero, unit = flint.arb(0), flint.arb(1)
    flat = [zero, zero, zero]
    if one.momentum == two.momentum == 0:
        return [(radial[0], unit, flat)]
    if one.momentum + two.momentum == 1:
        axis = _AXES[i if one.momentum else j]
        return [(radial[0], D[axis], [unit if x == axis else zero for x in range(3)])]
    m, n = _AXES[i], _AXES[j]
    both = [(D[n] if x == m else zero) + (D[m] if x == n else zero) for x in range(3)]
    tensor = (radial[1], D[m] * D[n], both)
    return [(radial[0], unit, flat), tensor] if m == n else [tensor]


def _shells(entry: dict[str, Any]) -> list[Shell]:
    found, start = [], 0
    for shell in entry["shells"]:
        momentum = int(shell["l"])
        exponents = [ball(x) for x in shell["exponents"]]
        coefficients = [ball(x) for x in shell["coefficients"]]
        found.append(Shell(momentum, start, ball(shell["level"]), exponents, coefficients))
        start += 2 * momentum + 1
    return found
