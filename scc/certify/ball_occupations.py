r"""F and G of the levels in ball arithmetic, with the constants a proof needs of them.

Lipschitz constants in the Frobenius norm. In eigenbases of H and K,
(F(H) − F(K))_ij = F[λ_i, κ_j] (H − K)_ij, so the constant is the largest divided difference:

    β < ∞:  |F[x,y]| ≤ sup|F′| = β/4;
    β = ∞:  1/gap, if the m lowest levels of H and K lie below one gap and the others above it;
    F_N = Σ c_k T_k((x−c)/h):  Σ |c_k| k²/h  for spectra in [c−h, c+h], as |T_k′| ≤ k².

Second derivative of F_N: T_k[t,s] = Σ_{i+j=k−1} U_i(t) (2−δ_j0) T_j(s), applied twice, with
‖U_i(A)‖ ≤ i+1 and ‖T_j(A)‖ ≤ 1 for ‖A‖ ≤ 1, gives for the bilinear map, ‖·‖_F of one argument and
the operator norm of the other,

    ‖D²F_N(H)[A,B]‖_F ≤ 2 Σ_k |c_k| Σ_{i+j=k−1} 2 (i+1) j² / h² ‖A‖‖B‖_F
                      = Σ_k |c_k| k²(k²−1)/(3h²) ‖A‖ ‖B‖_F .
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import flint


class BallOccupation(Protocol):
    """A pair (G, F) evaluated on ascending levels."""

    def occupations(self, levels: Sequence[flint.arb]) -> list[flint.arb]:
        """F(λ_i)."""

    def grand_potential(self, levels: Sequence[flint.arb]) -> flint.arb:
        """2 Σ G(λ_i), or its Legendre transform 2 Σ G(λ_i) + µN in the canonical ensemble."""

    def lipschitz(self, levels: Sequence[flint.arb]) -> flint.arb:
        """Of F in the Frobenius norm between Hamiltonians whose levels these balls contain
        (infinite where the balls do not allow a bound)."""

    def largest(self) -> flint.arb:
        """A bound of |F| on the same levels."""


@dataclass(frozen=True)
class FrozenOccupation:
    """β = ∞: the ``filled`` lowest levels are occupied; G = λ − µ, or λ (canonical, mu None)."""

    filled: int
    mu: flint.arb | None

    def occupations(self, levels: Sequence[flint.arb]) -> list[flint.arb]:
        return [flint.arb(1 if i < self.filled else 0) for i in range(len(levels))]

    def grand_potential(self, levels: Sequence[flint.arb]) -> flint.arb:
        zero = flint.arb(0) if self.mu is None else self.mu
        return 2 * sum((level - zero for level in levels[: self.filled]), flint.arb(0))

    def gap(self, levels: Sequence[flint.arb]) -> flint.arb:
        """A lower bound of the distance between occupied and empty levels; +∞ without one kind."""
        occupied, empty = levels[: self.filled], levels[self.filled :]
        if not occupied or not empty:
            return flint.arb.pos_inf()
        return (empty[0].lower() - occupied[-1].upper()).lower()

    def lipschitz(self, levels: Sequence[flint.arb]) -> flint.arb:
        gap = self.gap(levels)
        if not gap.is_finite():
            return flint.arb(0)
        return 1 / gap if gap > 0 else flint.arb.pos_inf()

    def largest(self) -> flint.arb:
        return flint.arb(1)


@dataclass(frozen=True)
class FermiDiracBall:
    """β < ∞, µ a ball; electrons: N in the canonical ensemble."""

    beta: flint.arb
    mu: flint.arb
    electrons: flint.arb | None = None

    def occupations(self, levels: Sequence[flint.arb]) -> list[flint.arb]:
        return [1 / (1 + (self.beta * (level - self.mu)).exp()) for level in levels]

    def grand_potential(self, levels: Sequence[flint.arb]) -> flint.arb:
        terms = ((-self.beta * (level - self.mu)).exp().log1p() for level in levels)
        total = -2 * sum(terms, flint.arb(0)) / self.beta
        return total if self.electrons is None else total + self.mu * self.electrons

    def lipschitz(self, levels: Sequence[flint.arb]) -> flint.arb:
        return self.beta / 4

    def largest(self) -> flint.arb:
        return flint.arb(1)


@dataclass(frozen=True)
class PolynomialBall:
    """G_N = Σ c_k T_k((x − c)/h) on [lower, upper] = [c − h, c + h], F_N = G_N'; Hartree."""

    lower: flint.arb
    upper: flint.arb
    coefficients: list[flint.arb]

    @cached_property
    def half(self) -> flint.arb:
        return (self.upper - self.lower) / 2

    @cached_property
    def series(self) -> list[flint.arb]:
        """Chebyshev coefficients of F_N: d_{k−1} = d_{k+1} + 2k c_k/h, d_0 halved."""
        degree = len(self.coefficients) - 1
        found = [flint.arb(0)] * (degree + 2)
        for k in range(degree, 0, -1):
            found[k - 1] = found[k + 1] + 2 * k * self.coefficients[k] / self.half
        found[0] /= 2
        return found[:degree]

    def _precisely(self) -> Any:
        """A working precision that the recurrences may lose 4 bits a step from."""
        return flint.ctx.workprec(flint.ctx.prec + 4 * len(self.coefficients))

    def scaled(self, x: flint.arb) -> flint.arb:
        """(x − c)/h."""
        return (2 * x - self.lower - self.upper) / (2 * self.half)

    def occupations(self, levels: Sequence[flint.arb]) -> list[flint.arb]:
        with self._precisely():
            return [_clenshaw(self.series, self.scaled(level)) for level in levels]

    def grand_potential(self, levels: Sequence[flint.arb]) -> flint.arb:
        with self._precisely():
            terms = [_clenshaw(self.coefficients, self.scaled(level)) for level in levels]
            return 2 * sum(terms, flint.arb(0))

    def divided_differences(self, levels: Sequence[flint.arb]) -> flint.arb_mat:
        """F_N[λ_i, λ_j]: Σ_ij U_i(t) d_{i+j+1} (2−δ_j0) T_j(s), no difference is divided."""
        with self._precisely():
            return self._divided(levels)

    def _divided(self, levels: Sequence[flint.arb]) -> flint.arb_mat:
        size = len(self.series) - 1
        first, second = [], []
        for level in levels:
            t = self.scaled(level)
            u, v = [flint.arb(1), 2 * t], [flint.arb(1), t]
            for _ in range(2, size):
                u.append(2 * t * u[-1] - u[-2])
                v.append(2 * t * v[-1] - v[-2])
            second.append(u[:size])
            first.append([v[0], *(2 * value for value in v[1:size])])
        hankel = [
            [self.series[i + j + 1] if i + j < size else flint.arb(0) for j in range(size)]
            for i in range(size)
        ]
        left, middle, right = flint.arb_mat(second), flint.arb_mat(hankel), flint.arb_mat(first)
        return left * middle * right.transpose() / self.half

    def margin(self, levels: Sequence[flint.arb]) -> flint.arb:
        """How far the levels are from the ends of [lower, upper]; negative outside."""
        return min(
            (levels[0].lower() - self.lower).lower(), (self.upper - levels[-1].upper()).lower()
        )

    def lipschitz(self, levels: Sequence[flint.arb]) -> flint.arb:
        if not self.margin(levels) >= 0:
            return flint.arb.pos_inf()
        terms = (abs(d) * k * k for k, d in enumerate(self.series))
        return sum(terms, flint.arb(0)) / self.half

    @cached_property
    def second_derivative(self) -> flint.arb:
        """The constant of D²F_N in the module docstring, Hartree⁻²."""
        terms = (abs(d) * k**2 * (k**2 - 1) for k, d in enumerate(self.series) if k > 1)
        return sum(terms, flint.arb(0)) / (3 * self.half**2)

    def largest(self) -> flint.arb:
        return sum((abs(d) for d in self.series), flint.arb(0))


def _clenshaw(series: Sequence[flint.arb], t: flint.arb) -> flint.arb:
    """Σ_k c_k T_k(t); balls widen up to 2.4-fold a step, so the precision must allow for it."""
    value, later = flint.arb(0), flint.arb(0)
    for c in series[:0:-1]:
        value, later = c + 2 * t * value - later, value
    return series[0] + t * value - later
