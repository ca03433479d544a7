r"""H⁰(r), J and their derivatives in ball arithmetic, from the decimals of a certificate's input.

s(r) = 1/(1 + e^{-u}), u = 1/x − 1/(1−x), is within 10⁻⁴²⁰ of its limits, with its derivative times
the width of the switch, for x ≤ 10⁻³ or x ≥ 1 − 10⁻³: at x = 10⁻³, e^{-u}(x⁻² + (1−x)⁻²) is below
10⁻⁴²⁶ and it decreases towards the end. So a distance that straddles the end of a switch is no
obstacle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flint

from scc.certify.decimals import ball
from scc.certify.failure import CertificationError

_NEGLIGIBLE = "1e-420"
Matrix = list[list[flint.arb]]


@dataclass(frozen=True)
class Pair:
    """Two atoms, r_first − r_second (3), and their distance; bohr."""

    first: int
    second: int
    difference: list[flint.arb]
    distance: flint.arb


class OnsiteMatrices:
    """H⁰ (n, n), J (M, M), Z (M,), owners of the orbitals; Hartree."""

    def __init__(self, stated: dict[str, Any]) -> None:
        parameters = stated["parameters"]
        self.positions = [[ball(x) for x in position] for position in stated["positions"]]
        self.atoms = len(self.positions)
        self.nuclear_charges = [ball(z) for z in parameters["nuclear_charges"]]
        self.widths = [ball(width) for width in parameters["widths"]]
        self.hamiltonian_input = parameters["hamiltonian"]
        self.owner = list(range(self.atoms))
        self.pairs = [
            _pair(i, j, self.positions) for i in range(self.atoms) for j in range(i + 1, self.atoms)
        ]
        self.coulomb = self._coulomb()
        self.free_hamiltonian = self._free_hamiltonian()

    @property
    def most_orbitals(self) -> int:
        """n_max, the largest number of orbitals on an atom: ‖W‖₂²."""
        return max(self.owner.count(atom) for atom in set(self.owner))

    def hamiltonian(self, features: list[flint.arb]) -> flint.arb_mat:
        """H⁰ + diag(v̂ of the owner)."""
        found = flint.arb_mat(self.free_hamiltonian)
        for a, atom in enumerate(self.owner):
            found[a, a] += features[atom]
        return found

    def per_atom(self, values: list[flint.arb]) -> list[flint.arb]:
        """Sums over the orbitals of each atom."""
        found = [flint.arb(0)] * self.atoms
        for atom, value in zip(self.owner, values, strict=True):
            found[atom] += value
        return found

    def nuclear_self_energy(self) -> flint.arb:
        """½ Σ Z_ℓ² J_ℓℓ."""
        terms = (z * z * self.coulomb[i, i] for i, z in enumerate(self.nuclear_charges))
        return sum(terms, flint.arb(0)) / 2

    def forces(self, density: flint.arb_mat, excess: list[flint.arb]) -> Matrix:
        """−∂/∂r of 2 Tr(F H⁰) + ½ q′ᵀJq′ at fixed F (n, n) and q′ = p − Z, (M, 3)."""
        found = [[flint.arb(0)] * 3 for _ in range(self.atoms)]
        for pair in self.pairs:
            slope = excess[pair.first] * excess[pair.second] * self._coulomb_slope(pair)
            slope += 4 * density[pair.first, pair.second] * self._hopping(pair)[1]
            if slope.is_zero():
                continue
            slope /= pair.distance
            for axis in range(3):
                push = slope * pair.difference[axis]
                found[pair.first][axis] -= push
                found[pair.second][axis] += push
        return found

    def _free_hamiltonian(self) -> flint.arb_mat:
        found = flint.arb_mat(self.atoms, self.atoms)
        for atom, level in enumerate(self.hamiltonian_input["levels"]):
            found[atom, atom] = ball(level)
        for pair in self.pairs:
            value = self._hopping(pair)[0]
            found[pair.first, pair.second] = found[pair.second, pair.first] = value
        return found

    def _hopping(self, pair: Pair) -> tuple[flint.arb, flint.arb]:
        """h(r) and h'(r)."""
        stated, r = self.hamiltonian_input["hopping"], pair.distance
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

    def _coulomb(self) -> flint.arb_mat:
        found = flint.arb_mat(self.atoms, self.atoms)
        for atom, width in enumerate(self.widths):
            found[atom, atom] = 1 / (width * flint.arb.pi().sqrt())
        for pair in self.pairs:
            r = pair.distance
            tau = self._tau(pair)
            value = (tau * r).erf() / r if r > 0 else 2 * tau / flint.arb.pi().sqrt()
            if not r > 0 and not r.is_zero():
                raise CertificationError(
                    f"atoms {pair.first} and {pair.second} are not certainly apart"
                )
            found[pair.first, pair.second] = found[pair.second, pair.first] = value
        return found

    def _coulomb_slope(self, pair: Pair) -> flint.arb:
        """J'(r) = (2τ e^{−τ²r²}/√π − erf(τr)/r)/r."""
        r, tau = pair.distance, self._tau(pair)
        gaussian = 2 * tau / flint.arb.pi().sqrt() * (-((tau * r) ** 2)).exp()
        return (gaussian - self.coulomb[pair.first, pair.second]) / r

    def _tau(self, pair: Pair) -> flint.arb:
        one, two = self.widths[pair.first], self.widths[pair.second]
        return 1 / (2 * (one * one + two * two)).sqrt()


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


def _pair(first: int, second: int, positions: Matrix) -> Pair:
    difference = [a - b for a, b in zip(positions[first], positions[second], strict=True)]
    square = sum((d * d for d in difference), flint.arb(0))
    return Pair(first, second, difference, square.sqrt())
