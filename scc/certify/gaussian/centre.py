r"""A computed potential V̄ in balls: its orbitals, levels, density and what is left of V = V[ρ].

X is any matrix with XᵀSX = 1 whose columns are nearly the eigenvectors of T + V̄, so

    Xᵀ(T + V̄)X = diag(Λ) + R,   ‖R‖ ≤ η,      D = 2 X F(Xᵀ(T+V̄)X) Xᵀ,      Φ(V̄) = V̄ − V_nuc − J[D].

All norms are ‖A‖ := ‖XᵀAX‖_HS = ‖S^{-1/2}AS^{-1/2}‖_HS, the same for every such X, because
XXᵀ = S⁻¹. With orbitals that count as orthonormal S is 1 throughout.

X = X₀(1+E)^{-1/2} with a float X₀ and E = X₀ᵀSX₀ − 1 small; (1+E)^{-1/2} = 1 − E/2 + 3E²/8 + ρ,
‖ρ‖ ≤ (5/16) e³/(1−e), e = ‖E‖: the coefficients of the series decrease.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from flint import arb, arb_mat

from scc.certify.eigensystem import eigensystem
from scc.certify.failure import CertificationError
from scc.certify.gaussian.integrals import GaussianIntegrals
from scc.certify.gaussian.occupations import FermiDirac, OccupationAtLevels
from scc.certify.gaussian.symmetric import pair_transformation, symmetrised, to_vector
from scc.certify.norms import column, diagonal, floats, frobenius, identity, matrix, widened

MakeOccupation = Callable[[Sequence[arb], arb], OccupationAtLevels]
"""Of levels and of their error η."""


class Centre:
    """V̄ (n, n) symmetric with exact entries, and the occupations its levels get.

    Raises CertificationError when the orbitals are too nearly dependent for X, or the levels leave
    the occupation function's hypotheses (no gap).
    """

    def __init__(
        self,
        integrals: GaussianIntegrals,
        overlap: arb_mat,
        potential: arb_mat,
        make_occupation: MakeOccupation,
    ) -> None:
        self.integrals = integrals
        self.n = integrals.n
        self.potential = potential
        start = _orthonormaliser(overlap)
        hamiltonian = symmetrised(start.transpose() * (integrals.kinetic + potential) * start)
        found = eigensystem(hamiltonian)
        self.levels: list[arb] = found.levels
        self.level_error = found.error
        # The orthogonal matrix next to the eigenvectors, see scc.certify.eigensystem.
        self.x = start * widened(found.orbitals, found.defect)
        self.occupation = make_occupation(self.levels, self.level_error)
        self.slope = self.occupation.slope(self.level_error)
        if not self.slope.is_finite():
            raise CertificationError(self._no_occupation())
        # F(Λ + R) = F(Λ) up to slope · η.
        self.occupied = widened(
            diagonal(self.occupation.values),
            self.slope * self.level_error,
        )
        self.density = 2 * self.x * self.occupied * self.x.transpose()
        self.output = integrals.nuclear + integrals.coulomb_matrix(self.density)
        self.residual = self.transformed(potential - self.output)
        self.residual_norm = frobenius(self.residual)

    def transformed(self, raw: arb_mat) -> arb_mat:
        """XᵀAX, symmetric."""
        return symmetrised(self.x.transpose() * raw * self.x)

    @cached_property
    def coulomb(self) -> arb_mat:
        """P ↦ 2 Xᵀ J[XPXᵀ] X between svecs: how F moves V."""
        y = pair_transformation(self.x)
        return 2 * y * self.integrals.repulsion * y.transpose()

    @cached_property
    def response(self) -> arb_mat:
        """DF at diag(Λ) between svecs: F[Λ_i, Λ_j] on pairs i ≥ j.

        At β < ∞ and fixed electron number less the part along 1, because µ follows.
        """
        pairs = [(i, j) for i in range(self.n) for j in range(i + 1)]
        values = [self.occupation.difference(i, j) for i, j in pairs]
        found: arb_mat = diagonal(values)
        if isinstance(self.occupation, FermiDirac) and self.occupation.canonical:
            along = [v if i == j else arb(0) for v, (i, j) in zip(values, pairs, strict=True)]
            one = column(along)
            found -= one * one.transpose() / sum(along, arb(0))
        return found

    @cached_property
    def residual_vector(self) -> arb_mat:
        """svec of Φ(V̄)."""
        return to_vector(self.residual)

    def untransformed(self, inner: arb_mat) -> arb_mat:
        """A with XᵀAX given: X⁻ᵀ A X⁻¹ = S(X A Xᵀ)S; midpoints serve an approximate step."""
        inverse = self.x.mid().inv()
        return inverse.transpose() * inner * inverse

    def _no_occupation(self) -> str:
        shown = ", ".join(f"{float(level):.6f}" for level in self.levels[:12])
        return (
            "the occupations have no bounded derivative at the computed potential (a gap of zero, "
            f"or a level outside the polynomial's interval): levels {shown}"
        )


def _orthonormaliser(overlap: arb_mat) -> arb_mat:
    """X with XᵀSX = 1, near S^{-1/2}."""
    values, vectors = np.linalg.eigh(floats(overlap))
    if not values[0] > 1e-9:
        raise CertificationError(
            f"the orbitals are linearly dependent: smallest eigenvalue of S {values[0]:.2g}"
        )
    first = matrix((vectors / np.sqrt(values)) @ vectors.T)
    one = identity(overlap.nrows())
    defect = first.transpose() * overlap * first - one
    size = frobenius(defect)
    if not size < 1:
        raise CertificationError(f"S^(-1/2) is found to {float(size):.2g} only")
    rest = arb(5) / 16 * size**3 / (1 - size)
    return first * widened(one - defect / 2 + 3 * defect * defect / 8, rest)
