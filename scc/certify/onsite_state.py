r"""F(H), populations and energy of the on-site model at one exact v̂, in balls.

With (C, Λ, δ, η) of :mod:`scc.certify.eigensystem` and L the Lipschitz constant of F,

    ‖F(H) − C F(Λ) Cᵀ‖_F ≤ Lη + 2δ(1+δ) sup|F|,     |Tr G(H) − Σ G(Λ_i)| ≤ √n sup|F| η .
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import flint

from scc.certify.ball_occupations import BallOccupation, FermiDiracBall
from scc.certify.eigensystem import Eigensystem, eigensystem
from scc.certify.failure import CertificationError
from scc.certify.norms import column, diagonal, widened
from scc.certify.onsite_matrices import OnsiteMatrices

Selected = Callable[[list[flint.arb]], BallOccupation]
"""The occupation that belongs to enclosures of the levels: µ follows from them when canonical."""


@dataclass(frozen=True)
class OnsiteState:
    """At v̂ = ``features``, exact numbers."""

    matrices: OnsiteMatrices
    features: list[flint.arb]
    system: Eigensystem
    occupation: BallOccupation

    @classmethod
    def at(
        cls,
        matrices: OnsiteMatrices,
        features: list[flint.arb],
        selected: Selected,
        guess: flint.arb_mat | None = None,
    ) -> OnsiteState:
        """Diagonalise, starting from the eigenvectors ``guess`` if there are any."""
        system = eigensystem(matrices.hamiltonian(features), guess)
        return cls(matrices, features, system, selected(system.enclosed()))

    @cached_property
    def lipschitz(self) -> flint.arb:
        """L between H and C Λ Cᵀ."""
        found = self.occupation.lipschitz(self.system.enclosed())
        if not found.is_finite():
            raise CertificationError("the occupation has no Lipschitz constant at the centre")
        return found

    @cached_property
    def density(self) -> flint.arb_mat:
        """F(H), (n, n)."""
        C, defect = self.system.orbitals, self.system.defect
        values = self.occupation.occupations(self.system.levels)
        middle = C * (diagonal(values) * C.transpose())
        error = self.lipschitz * self.system.error
        return widened(middle, error + 2 * defect * (1 + defect) * self.occupation.largest())

    @cached_property
    def populations(self) -> list[flint.arb]:
        """p_ℓ = 2 Σ F(H)_aa, (M,)."""
        density = self.density
        return self.matrices.per_atom([2 * density[a, a] for a in range(density.nrows())])

    @cached_property
    def excess(self) -> list[flint.arb]:
        """p − Z."""
        nuclear = self.matrices.nuclear_charges
        return [p - z for p, z in zip(self.populations, nuclear, strict=True)]

    @cached_property
    def residual(self) -> flint.arb_mat:
        """Φ(v̂) = v̂ − J(p − Z), a column (M, 1)."""
        return column(self.features) - self.matrices.coulomb * column(self.excess)

    @cached_property
    def energy(self) -> flint.arb:
        """2 Tr G(H) − v̂·p + ½ (p−Z)ᵀJ(p−Z) (+ µN) + constants: 𝒢 here, Hartree."""
        size = flint.arb(len(self.system.levels)).sqrt()
        error = 2 * size * self.occupation.largest() * self.system.error
        band = self.occupation.grand_potential(self.system.levels) + flint.arb(0, error.upper())
        work = sum(
            (v * p for v, p in zip(self.features, self.populations, strict=True)), flint.arb(0)
        )
        q = column(self.excess)
        field = (q.transpose() * (self.matrices.coulomb * q))[0, 0] / 2
        return band - work + field + self.matrices.constant_energy()


def chemical_potential(
    levels: list[flint.arb], beta: flint.arb, electrons: flint.arb, start: float
) -> flint.arb:
    """µ with 2 Σ F(λ_i) = electrons for every choice of levels in their balls.

    The sum increases with µ and decreases with every level: below the lower end it is certainly
    too small, above the upper end too large. Raises CertificationError if no end can be verified.
    """

    def count(mu: flint.arb) -> flint.arb:
        return 2 * sum(FermiDiracBall(beta, mu).occupations(levels), flint.arb(0)) - electrons

    middle = flint.arb(start)
    for _ in range(60):
        values = FermiDiracBall(beta, middle).occupations(levels)
        slope = 2 * beta * sum((f * (1 - f) for f in values), flint.arb(0))
        if not slope > 0:
            break
        step = (count(middle) / slope).mid()
        middle = (middle - step).mid()
        if abs(step) < flint.arb(2) ** (8 - flint.ctx.prec):
            break
    radius = flint.arb(2) ** (12 - flint.ctx.prec)
    while radius < 1e-3:
        if count(middle - radius) < 0 and count(middle + radius) > 0:
            return flint.arb(middle, radius.upper())
        radius *= 4
    raise CertificationError(
        f"the electron number does not determine the chemical potential near {start:.6g} Hartree: "
        f"no bracket narrower than 1e-3 Hartree at {flint.ctx.prec} bits"
    )
