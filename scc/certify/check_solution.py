"""What the checker verifies of a solution whatever its occupation: the enclosures at v̂*."""

from __future__ import annotations

from typing import Any

import flint
import numpy as np

from scc.certify.check_algebra import ArbMat, length, row_norm, unit
from scc.certify.check_assembly import Assembly
from scc.certify.decimals import ball, read, states
from scc.certify.failure import RefusedError


class Solution:
    """What both kinds of solutions share: the centre, H there, and the comparison of enclosures."""

    def __init__(self, part: dict[str, Any], assembly: Assembly, name: str) -> None:
        self.part, self.assembly, self.name = part, assembly, name
        self.verified_names: set[str] = set()
        require(isinstance(part["centre"], list), f"{name}: the centre is not a list")
        self.centre = [ball(v) for v in part["centre"]]
        require(len(self.centre) == assembly.size, f"{name}: the centre has a wrong length")
        norms = {"existence": "2", "uniqueness": "infinity"}
        require(part["norms"] == norms, f"{name}: the norms are not those of this checker")
        self.H = ArbMat(assembly.H0)
        for a, atom in enumerate(assembly.owner):
            self.H[a, a] += self.centre[atom]
        self.radius = ball(part["existence_radius"])
        require(bool(self.radius >= 0), f"{name}: the existence radius is negative")

    def populations(self, density: ArbMat) -> list[flint.arb]:
        found = [flint.arb(0)] * self.assembly.size
        for a, atom in enumerate(self.assembly.owner):
            found[atom] += 2 * density[a, a]
        return found

    def residual(self, populations: list[flint.arb]) -> ArbMat:
        excess = [[p - z] for p, z in zip(populations, self.assembly.nuclear, strict=True)]
        return ArbMat([[v] for v in self.centre]) - self.assembly.J * ArbMat(excess)

    def constant(self, name: str, least: flint.arb) -> None:
        """A stated constant is at least what it must be."""
        self.verified_names.add(name)
        stated = ball(self.part["constants"][name])
        require(
            bool(least <= stated),
            f"{self.name}: {name} is stated as {float(stated):.10g}, cannot be below "
            f"{float(least.lower()):.10g}",
        )

    def enclosed(self, name: str, own: Any) -> None:
        """The stated enclosure(s) contain the checker's own ball(s), nested lists alike."""
        self.verified_names.add(name)
        contained(f"{self.name}: {name}", self.part["enclosures"][name], own)

    def gap(self, levels: list[flint.arb], below: int) -> None:
        """Above the ``below`` lowest levels; stated as null where there is none."""
        self.verified_names.add("gap")
        if self.part["enclosures"]["gap"] is None:
            return
        require(0 < below < len(levels), f"{self.name}: there is no gap to state")
        self.enclosed("gap", levels[below] - levels[below - 1] + pm(2 * self.radius))

    def nothing_else(self, *more: str) -> None:
        """Refuse what is stated beyond what was verified."""
        known = {"centre", "norms", "existence_radius", "uniqueness_radius", *more}
        known |= {"constants", "enclosures"}
        stated = set(self.part) - known
        for table in ("constants", "enclosures"):
            stated |= set(self.part[table]) - self.verified_names
        require(not stated, f"{self.name}: {sorted(stated)}: not known to this checker")

    def quantities(
        self,
        density: ArbMat,
        trace: flint.arb,
        slope: flint.arb,
        move: flint.arb,
        levels: list[flint.arb],
    ) -> None:
        """Charges, electrons, forces, energy and eigenvalues at the solution.

        trace: 2 Tr G (+ µN); slope: Lipschitz constant of F; move: bound of ‖dH‖_F, µ included.
        """
        assembly, r = self.assembly, self.radius
        p = self.populations(density)
        lipschitz = 2 * assembly.most_orbitals * slope
        jump = lipschitz * r
        q = [value - z for value, z in zip(p, assembly.nuclear, strict=True)]
        column = ArbMat([[x] for x in q])
        field = (column.transpose() * assembly.J * column)[0, 0] / 2
        constant = assembly.constant_energy()
        work = sum((v * x for v, x in zip(self.centre, p, strict=True)), flint.arb(0))
        # The gradient of the energy in v̂ is −(Dp)ᵀΦ.
        worst = length(self.residual(p).entries()) + (1 + row_norm(assembly.J) * lipschitz) * r
        self.enclosed("energy", trace - work + field + constant + pm(jump * worst))
        moved = [x + pm(jump) for x in q]
        self.enclosed("charges", [-x for x in moved])
        self.enclosed("electrons", sum((x + pm(jump) for x in p), flint.arb(0)))
        wide = ArbMat(
            density.nrows(), density.nrows(), [e + pm(slope * move) for e in density.entries()]
        )
        self.enclosed("forces", assembly.forces(wide, moved))
        self.enclosed("eigenvalues", [level + pm(r) for level in levels])


class Spectrum:
    """Levels of H from float64 vectors: X = UᵀHU, D its diagonal (exact midpoints), O = X − D.

    λ_i(X) = θ_i λ_i(H) with |θ_i − 1| ≤ δ, δ ≥ ‖UᵀU − 1‖ (Ostrowski), and |λ_i(X) − D_i| ≤ ‖O‖
    (Weyl, both ascending). 2 Tr G is 2 Σ G(D_i) to second order: the derivative of Tr G along O
    vanishes at D but for the radii of X_ii, the second one is below sup|F′| ‖O‖_F²; δ adds at most
    3δn‖H‖, as |F| ≤ 1.
    """

    def __init__(self, H: ArbMat) -> None:
        size = H.nrows()
        middles = np.array([float(e.mid()) for e in H.entries()]).reshape(size, size)
        C = ArbMat([[float(x) for x in row] for row in np.linalg.eigh(middles)[1]])
        U = C * (unit(size, 3) - C.transpose() * C) / 2
        X = U.transpose() * H * U
        self.diagonal = sorted(X[i, i].mid() for i in range(size))  # exact numbers
        self.rounding = sum((X[i, i].rad() for i in range(size)), flint.arb(0))
        self.loose = length(
            (
                X
                - ArbMat(
                    [[X[i, i].mid() if i == j else 0 for j in range(size)] for i in range(size)]
                )
            ).entries()
        )
        self.defect = length((U.transpose() * U - unit(size)).entries())
        require(bool(self.defect < flint.arb("0.1")), "the eigenvectors are too inexact")
        self.norm = row_norm(H)
        off = pm(self.loose + 2 * self.defect * self.norm)
        self.levels = [x + off for x in self.diagonal]

    def trace_error(self, slope: flint.arb) -> flint.arb:
        """Of 2 Σ G(D_i), slope ≥ sup|F′|; to first order in what O has on the diagonal."""
        first = 2 * self.rounding + 6 * self.defect * len(self.levels) * self.norm
        return first + slope * self.loose**2


def contained(name: str, stated: Any, own: Any) -> None:
    if isinstance(own, list):
        require(isinstance(stated, list) and len(stated) == len(own), f"{name}: wrong length")
        for index, (one, other) in enumerate(zip(stated, own, strict=True)):
            contained(f"{name} {index}", one, other)
        return
    if not states(stated, own):
        middle, radius = read(stated)
        off = float(abs(own - middle).upper())
        raise RefusedError(
            f"{name} is stated within {float(radius):.3g} of {stated[0][:20]}, but may be "
            f"{off:.3g} from it"
        )


def widened(matrix: ArbMat, radius: flint.arb) -> ArbMat:
    """Every entry by ± radius."""
    more, size = pm(radius), matrix.nrows()
    return ArbMat(size, size, [entry + more for entry in matrix.entries()])


def pm(radius: flint.arb) -> flint.arb:
    """[−r, r]."""
    return flint.arb(0, radius.upper())


def require(condition: bool, line: str) -> None:
    if not condition:
        raise RefusedError(line)
