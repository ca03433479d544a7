"""H⁰(r), J and their derivatives in ball arithmetic, from the decimals of a certificate's input."""

from __future__ import annotations

from typing import Any

import flint

from scc.certify.decimals import ball
from scc.certify.failure import CertificationError
from scc.certify.onsite_hopping import BallHopping, Pair, SOrbitals
from scc.certify.onsite_shells import SlaterShells

Matrix = list[list[flint.arb]]

_HOPPINGS: dict[str, type[SOrbitals] | type[SlaterShells]] = {
    "s orbitals": SOrbitals,
    "slater shells": SlaterShells,
}


class OnsiteMatrices:
    """H⁰ (n, n), J (M, M), Z (M,), owners of the orbitals; Hartree."""

    def __init__(self, stated: dict[str, Any]) -> None:
        parameters = stated["parameters"]
        positions = [[ball(x) for x in position] for position in stated["positions"]]
        self.atoms = len(positions)
        self.nuclear_charges = [ball(z) for z in parameters["nuclear_charges"]]
        self.widths = [ball(width) for width in parameters["widths"]]
        rule = parameters["hamiltonian"]
        self.hopping: BallHopping = _HOPPINGS[rule["kind"]](rule, stated["species"])
        self.owner = self.hopping.owner
        self.pairs = [
            _pair(i, j, positions) for i in range(self.atoms) for j in range(i + 1, self.atoms)
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

    def constant_energy(self) -> flint.arb:
        """What does not depend on v̂: the repulsion of the cores less ½ Σ Z_ℓ² J_ℓℓ."""
        terms = (z * z * self.coulomb[i, i] for i, z in enumerate(self.nuclear_charges))
        cores = (self.hopping.repulsion(pair) for pair in self.pairs)
        return sum(cores, flint.arb(0)) - sum(terms, flint.arb(0)) / 2

    def forces(self, density: flint.arb_mat, excess: list[flint.arb]) -> Matrix:
        """−∂/∂r of 2 Tr(F H⁰) + ½ q′ᵀJq′ + repulsion at fixed F (n, n), q′ = p − Z, (M, 3)."""
        found = [[flint.arb(0)] * 3 for _ in range(self.atoms)]
        for pair in self.pairs:
            slope = excess[pair.first] * excess[pair.second] * self._coulomb_slope(pair)
            hopping = self.hopping.gradient(pair, density)
            for axis in range(3):
                push = slope * pair.difference[axis] / pair.distance + hopping[axis]
                found[pair.first][axis] -= push
                found[pair.second][axis] += push
        return found

    def _free_hamiltonian(self) -> flint.arb_mat:
        levels = self.hopping.levels
        found = flint.arb_mat(len(levels), len(levels))
        for a, level in enumerate(levels):
            found[a, a] = level
        for pair in self.pairs:
            for a, b, value in self.hopping.elements(pair):
                found[a, b] = found[b, a] = value
        return found

    def _coulomb(self) -> flint.arb_mat:
        found = flint.arb_mat(self.atoms, self.atoms)
        for atom, width in enumerate(self.widths):
            found[atom, atom] = 1 / (width * flint.arb.pi().sqrt())
        for pair in self.pairs:
            r = pair.distance
            if not r > 0:
                raise CertificationError(
                    f"atoms {pair.first} and {pair.second} are not certainly apart: "
                    f"{float(r.mid()):.3g} bohr"
                )
            value = (self._tau(pair) * r).erf() / r
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


def _pair(first: int, second: int, positions: Matrix) -> Pair:
    difference = [a - b for a, b in zip(positions[first], positions[second], strict=True)]
    square = sum((d * d for d in difference), flint.arb(0))
    return Pair(first, second, difference, square.sqrt())
