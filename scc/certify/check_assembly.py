"""H⁰, J and their derivatives as the checker computes them: from the input alone, values and slopes
by truncated power series (:mod:`scc.certify.check_hopping`). Nothing is shared with the prover.
"""

from __future__ import annotations

from typing import Any

import flint

from scc.certify.check_algebra import ArbMat, positive, unit
from scc.certify.check_hopping import PairTerms, atom_levels, pair_terms
from scc.certify.decimals import ball
from scc.certify.failure import RefusedError

__all__ = ["Assembly", "positive", "unit"]


class Assembly:
    """H⁰ (n, n), J (M, M), Z, the energy of the cores, and all slopes, from an ``input``."""

    def __init__(self, stated: dict[str, Any]) -> None:
        positions = [[ball(x) for x in row] for row in stated["positions"]]
        parameters, species = stated["parameters"], stated["species"]
        self.nuclear = [ball(z) for z in parameters["nuclear_charges"]]
        variances = [ball(s) ** 2 for s in parameters["widths"]]
        rule = parameters["hamiltonian"]
        self.size = len(positions)
        sizes = {len(self.nuclear), len(variances), len(species)}
        if sizes != {self.size} or any(len(row) != 3 for row in positions):
            raise RefusedError("the input has lists of different lengths")
        levels = [atom_levels(rule, atom, name) for atom, name in enumerate(species)]
        self.owner = [atom for atom, some in enumerate(levels) for _ in some]
        self.most_orbitals = max(len(some) for some in levels)
        first = [self.owner.index(atom) for atom in range(self.size)]
        self.J = unit(self.size)
        self.H0 = unit(len(self.owner))
        for a, level in enumerate(level for some in levels for level in some):
            self.H0[a, a] = level
        self.cores = flint.arb(0)
        self.pairs: dict[tuple[int, int], PairTerms] = {}
        for i in range(self.size):
            self.J[i, i] = 1 / (variances[i] * flint.arb.pi()).sqrt()
            for j in range(i):
                apart = [b - a for a, b in zip(positions[i], positions[j], strict=True)]
                width = (2 * (variances[i] + variances[j])).sqrt()
                pair = pair_terms(rule, (species[i], species[j]), apart, width)
                self.J[i, j] = self.J[j, i] = pair.coulomb[0]
                self.cores += pair.repulsion[0]
                for (a, b), element in pair.hopping.items():
                    row, column = first[i] + a, first[j] + b
                    self.H0[row, column] = self.H0[column, row] = element[0]
                self.pairs[i, j] = pair
        self.first = first

    def constant_energy(self) -> flint.arb:
        """Repulsion of the cores less ½ Σ Z²J_ℓℓ."""
        own = (z * z * self.J[i, i] for i, z in enumerate(self.nuclear))
        return self.cores - sum(own, flint.arb(0)) / 2

    def forces(self, density: ArbMat, excess: list[flint.arb]) -> list[list[flint.arb]]:
        """−∂/∂r of 2 Tr FH⁰ + ½ q′Jq′ + repulsion."""
        found = [[flint.arb(0)] * 3 for _ in range(self.size)]
        for (i, j), pair in self.pairs.items():
            for axis in range(3):
                push = excess[i] * excess[j] * pair.coulomb[1 + axis] + pair.repulsion[1 + axis]
                for (a, b), element in pair.hopping.items():
                    push += 4 * density[self.first[i] + a, self.first[j] + b] * element[1 + axis]
                found[i][axis] += push
                found[j][axis] -= push
        return found
