r"""F(H) near one spectrum known in balls: divided differences, and bounds of two derivatives.

Levels Λ_i are exact numbers, ascending. For symmetric H with eigenvalues near them, the Hilbert–
Schmidt norms of the derivatives of H ↦ F(H) are bounded by divided differences,

    DF(H)[A]_ij = F[λ_i,λ_j] A_ij,                                ‖DF(H)[A]‖ ≤ sup|F[x,y]| ‖A‖,
    D²F(H)[A,B]_ij = Σ_k F[λ_i,λ_k,λ_j](A_ik B_kj + B_ik A_kj),
                                                    ‖D²F(H)[A,B]‖ ≤ 2 sup|F[x,y,z]| ‖A‖ ‖B‖,

the second because Σ_k |A_ik||B_kj| has norm at most ‖A‖‖B‖. Suprema are over the spectra of all H
within ``spread`` of diag(Λ), whose eigenvalues move by no more (Weyl).

The energy is 2Tr H⁰F + E_el + 2Tr φ(H) with φ = G − xF, canonical G − (x−µ)F.
"""

from collections.abc import Sequence
from functools import cached_property

from flint import arb

from scc.certify.ball_occupations import (
    BallOccupation,
    FermiDiracBall,
    FrozenOccupation,
    PolynomialBall,
)

INFINITE = arb("inf")


class OccupationAtLevels:
    """F of one of :mod:`scc.certify.ball_occupations` at levels Λ."""

    def __init__(self, ball: BallOccupation, levels: Sequence[arb]) -> None:
        self.ball, self.levels = ball, list(levels)

    @cached_property
    def values(self) -> list[arb]:
        """F(Λ_i)."""
        return self.ball.occupations(self.levels)

    def reached(self, spread: arb) -> list[arb]:
        """λ_i of all H within ``spread``."""
        error = arb(0, spread.upper())
        return [level + error for level in self.levels]

    def slope(self, spread: arb) -> arb:
        """Upper bound of |F[x, y]|, 1/Hartree; infinite where hypotheses end."""
        bound = self.ball.lipschitz(self.reached(spread))
        return bound.upper() if bound.is_finite() else INFINITE

    def difference(self, i: int, j: int) -> arb:
        """F[Λ_i, Λ_j], the derivative where the levels coincide."""
        raise NotImplementedError

    def curvature(self, spread: arb) -> arb:
        """Upper bound of 2|F[x, y, z]|, a Lipschitz constant of H ↦ DF(H), 1/Hartree²."""
        raise NotImplementedError

    def rest(self) -> arb:
        """2Σφ(Λ_i), Hartree."""
        return self.ball.grand_potential(self.levels) - 2 * _dot(self.levels, self.values)

    def rest_slope(self, spread: arb) -> arb:
        """Upper bound of |φ′| where 2Tr φ is not constant."""
        raise NotImplementedError


class Step(OccupationAtLevels):
    """β = ∞: the lowest levels are occupied, whatever µ in the gap.

    F[x,y] = −1/(y−x) between an occupied x and an empty y, and |F[x,y,z]| = 1/((z−x)(z−y)) with two
    occupied arguments, likewise with two empty ones: at most 1/gap and 1/gap².
    """

    def __init__(self, ball: FrozenOccupation, levels: Sequence[arb]) -> None:
        super().__init__(ball, levels)
        self.filled, self._gap = ball.filled, ball.gap

    def difference(self, i: int, j: int) -> arb:
        if (i < self.filled) == (j < self.filled):
            return arb(0)
        return -1 / abs(self.levels[i] - self.levels[j])

    def curvature(self, spread: arb) -> arb:
        gap = self._gap(self.reached(spread))
        if not gap.is_finite():
            return arb(0)
        return (2 / (gap * gap)).upper() if gap > 0 else INFINITE

    def rest_slope(self, spread: arb) -> arb:
        return arb(0)


class FermiDirac(OccupationAtLevels):
    """β < ∞: |F′| ≤ β/4, |F″| ≤ β²√3/18, |(x−µ)F′| ≤ ¼ (4cosh²(a/2) = 2 + 2cosh a ≥ 4 + a² ≥ 4|a|).

    Grand-canonical φ = G − xF has φ′ = −xF′. At a fixed electron number µ follows H with weights
    w_i = F′(λ_i)/ΣF′: µ̇[A] = Σ w_i A_ii, and with A° = A − µ̇[A]·1, ‖A°‖ ≤ (1+√n)‖A‖,

        D F[A] = DF_µ[A°] (−DF between 0 and −DF_µ: ‖DF‖ ≤ β/4 still),
        D²F[A,B] = D²F_µ[A°,B°] − DF_µ[1] µ̈,     µ̈ = tr D²F_µ[A°,B°]/ΣF′.

    tr D²F_µ[A,B] = Σ_ij F′[λ_i,λ_j] A_ij B_ji, and since |ln F′|′ ≤ β, |F′[x,y]| ≤ β max(|F′(x)|,
    |F′(y)|): |µ̈| ≤ β‖A°‖‖B°‖. So D²F is bounded by (1+√n)² (β²√3/18 + β · √n β/4). The derivative
    of 2Tr φ is −2Tr (H−µ)DF[A] = −2Σ F′_i (λ_i−µ−m)A_ii with the mean m = Σw_i(λ_i−µ), and
    |F′_i m| ≤ Σ_j |F′_j(λ_j−µ)| ≤ n/4.
    """

    def __init__(self, ball: FermiDiracBall, levels: Sequence[arb]) -> None:
        super().__init__(ball, levels)
        self.beta, self.mu, self.canonical = ball.beta, ball.mu, ball.electrons is not None

    def difference(self, i: int, j: int) -> arb:
        half = self.beta / 2
        x, y = half * (self.levels[i] - self.mu), half * (self.levels[j] - self.mu)
        u = half * (self.levels[i] - self.levels[j])
        ratio = arb(1) if self.levels[i] == self.levels[j] else u.sinh() / u
        return -self.beta / 4 * ratio / (x.cosh() * y.cosh())

    def curvature(self, spread: arb) -> arb:
        bound = self.beta * self.beta * arb(3).sqrt() / 18
        if self.canonical:
            root = arb(len(self.levels)).sqrt()
            bound = (1 + root) ** 2 * (bound + root * self.beta * self.beta / 4)
        return bound.upper()

    def rest_slope(self, spread: arb) -> arb:
        quarter = arb(1) / 4
        if self.canonical:
            return quarter * (1 + len(self.levels))
        return (quarter + abs(self.mu) * self.slope(spread)).upper()


class Polynomial(OccupationAtLevels):
    """F_N = G_N′, grand-canonical: φ_N = G_N − xF_N, φ_N′ = −xF_N′; 2|F_N[x,y,z]| ≤ sup|F_N″|."""

    def __init__(self, ball: PolynomialBall, levels: Sequence[arb]) -> None:
        super().__init__(ball, levels)
        self.polynomial = ball

    @cached_property
    def _differences(self) -> list[list[arb]]:
        table: list[list[arb]] = self.polynomial.divided_differences(self.levels).tolist()
        return table

    def difference(self, i: int, j: int) -> arb:
        return self._differences[i][j]

    def curvature(self, spread: arb) -> arb:
        if not self.polynomial.margin(self.reached(spread)) >= 0:
            return INFINITE
        return self.polynomial.second_derivative.upper()

    def rest_slope(self, spread: arb) -> arb:
        largest = abs(self.polynomial.lower).max(abs(self.polynomial.upper))
        return (largest * self.slope(spread)).upper()


def _dot(left: Sequence[arb], right: Sequence[arb]) -> arb:
    return sum((u * v for u, v in zip(left, right, strict=True)), arb(0))
