"""Everything between atoms i and j as a function of D = r_j − r_i: its value and its gradient.

What depends on r alone is a power series along the pair, what has a direction three, one an axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import flint

from scc.certify.decimals import ball
from scc.certify.failure import RefusedError

Four = list[flint.arb]
"""[value, ∂/∂D_x, ∂/∂D_y, ∂/∂D_z]."""
Series = flint.arb_series


class PairTerms(NamedTuple):
    """J_ij, the repulsion, and H⁰ between the orbitals a of i and b of j (counted in the atom)."""

    coulomb: Four
    repulsion: Four
    hopping: dict[tuple[int, int], Four]


def atom_levels(rule: dict[str, Any], atom: int, species: str) -> list[flint.arb]:
    """Levels of the orbitals of an atom."""
    if rule["kind"] == "s orbitals":
        return [ball(rule["levels"][atom])]
    if rule["kind"] != "slater shells":
        raise RefusedError(f"unknown Hamiltonian {rule['kind']!r}")
    shells = rule["elements"][species]["shells"]
    return [ball(shell["level"]) for shell in shells for _ in range(_count(shell))]


def pair_terms(
    rule: dict[str, Any], species: tuple[str, str], D: list[flint.arb], width: flint.arb
) -> PairTerms:
    """All terms of a pair; width: (2σ_i² + 2σ_j²)^{1/2}."""
    r = (D[0] ** 2 + D[1] ** 2 + D[2] ** 2).sqrt()
    if not r > 0:
        raise RefusedError(f"two atoms are not certainly apart: {r.str(3)} bohr")

    def radial(function: Callable[[Series], Series]) -> Four:
        value = function(Series([r, 1], 2))
        return [value[0], *(value[1] * d / r for d in D)]

    coulomb = radial(lambda line: (line / width).erf() / line)
    nothing = [flint.arb(0)] * 4
    if rule["kind"] == "s orbitals":
        element = radial(lambda line: _s_hopping(rule["hopping"], line))
        return PairTerms(coulomb, nothing, {(0, 0): element})
    if r >= ball(rule["switch"][1]):
        return PairTerms(coulomb, nothing, {})
    one, two = (rule["elements"][name] for name in species)
    repulsion = radial(lambda line: _cores(rule, one, two, line))
    return PairTerms(coulomb, repulsion, _shell_elements(rule, one, two, D))


def _s_hopping(rule: dict[str, Any], r: Series) -> Series:
    if rule["kind"] == "constant":
        cutoff = ball(rule["cutoff"])
        if not (r[0] < cutoff or r[0] >= cutoff):
            raise RefusedError(f"a pair {r[0].str(6)} bohr apart is at the jump of the hopping")
        return Series([-ball(rule["t"]) if r[0] < cutoff else 0], 2)
    if rule["kind"] != "exponential":
        raise RefusedError(f"unknown hopping {rule['kind']!r}")
    exponent = ball(rule["decay"]) * (ball(rule["reference"]) - r)
    return ball(rule["prefactor"]) * exponent.exp() * _switch(rule, r)


def _switch(rule: dict[str, Any], r: Series) -> Series:
    """ψ(1−x)/(ψ(x) + ψ(1−x)), ψ(x) = e^{−1/x}; near its ends within e^{−998} 10⁶, and its slope."""
    start, stop = (ball(end) for end in rule["switch"])
    if not 0 <= start < stop:
        raise RefusedError("the switch is no interval")
    x = (r - start) / (stop - start)
    tiny = flint.arb(0, "1e-420")
    tail = Series([tiny, tiny * (1 + abs(r[1])) / (stop - start)], 2)
    if x[0] < flint.arb("0.001"):
        return 1 + tail
    if x[0] > flint.arb("0.999"):
        return tail
    psi, mirrored = (-1 / x).exp(), (-1 / (1 - x)).exp()
    return mirrored / (psi + mirrored)


def _cores(rule: dict[str, Any], one: dict[str, Any], two: dict[str, Any], r: Series) -> Series:
    """Y Y' e^{−√(αα') r^k}/r, switched."""
    decay = (ball(one["repulsion_alpha"]) * ball(two["repulsion_alpha"])).sqrt()
    charges = ball(one["repulsion_charge"]) * ball(two["repulsion_charge"])
    power = (ball(rule["repulsion_distance_exponent"]) * r.log()).exp()
    return charges * (-decay * power).exp() / r * _switch(rule, r)


def _shell_elements(
    rule: dict[str, Any], one: dict[str, Any], two: dict[str, Any], D: list[flint.arb]
) -> dict[tuple[int, int], Four]:
    """(K − 1) ½(ε_a + ε_b) S_ab, switched: overlaps by integrating polynomials times Gaussians.

    e^{−a|x|²} e^{−b|x−D|²} is a Gaussian of exponent p = a + b at bD/p with mean square width 1/2p
    an axis, so ⟨x_m (x−D)_n⟩ = (bD/p)_m (−aD/p)_n + δ_mn/2p.
    """
    found: dict[tuple[int, int], Four] = {}
    for axis in range(3):
        x = [Series([D[k], 1 if k == axis else 0], 2) for k in range(3)]
        square = x[0] * x[0] + x[1] * x[1] + x[2] * x[2]
        on = _switch(rule, square.sqrt())
        start = 0
        for bra in one["shells"]:
            at = 0
            for ket in two["shells"]:
                names = sorted("sp"[int(shell["l"])] for shell in (bra, ket))
                kind = {"ss": "ss", "ps": "sp", "pp": "pp"}["".join(names)]
                half = (ball(bra["level"]) + ball(ket["level"])) / 2
                factor = (ball(rule["wolfsberg_helmholz"][kind]) - 1) * half * on
                for i in range(_count(bra)):
                    for j in range(_count(ket)):
                        value = factor * _overlap(bra, ket, i, j, x, square)
                        four = found.setdefault((start + i, at + j), [value[0]] + [value[0]] * 3)
                        four[1 + axis] = value[1]
                at += _count(ket)
            start += _count(bra)
    return found


def _overlap(
    bra: dict[str, Any], ket: dict[str, Any], i: int, j: int, D: list[Series], square: Series
) -> Series:
    """Of orbital i of one shell and j of another one at D; the order of p is y, z, x."""
    axes, total = (1, 2, 0), Series([0], 2)
    for a, c in zip(bra["exponents"], bra["coefficients"], strict=True):
        for b, d in zip(ket["exponents"], ket["coefficients"], strict=True):
            a_, b_ = ball(a), ball(b)
            p = a_ + b_
            mean = ball(c) * ball(d) * (flint.arb.pi() / p) ** flint.arb("1.5")
            term = mean * (-(a_ * b_ / p) * square).exp()
            left = D[axes[i]] * (b_ / p) if int(bra["l"]) else 1
            right = D[axes[j]] * (-a_ / p) if int(ket["l"]) else 1
            moment: Any = left * right
            if int(bra["l"]) and int(ket["l"]) and i == j:
                moment = moment + 1 / (2 * p)
            total = total + term * moment
    return total


def _count(shell: dict[str, Any]) -> int:
    if shell["l"] not in (0, 1):
        raise RefusedError(f"a shell of angular momentum {shell['l']!r}")
    return 2 * int(shell["l"]) + 1
