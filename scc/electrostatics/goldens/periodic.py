r"""Three periodic directions: the smooth part of the Ewald sum, with or without screening.

    L(X) = Σ_k g(k) cos(k·X) − (2π/Ω)(s − w) [κ = 0],      g = (4π/Ω) e^{−(k²+κ²)s/2}/(k²+κ²),

over all k of the reciprocal lattice, without k = 0 if κ = 0; then the last term makes the cell
average of G zero: the average of Σ_T (v_w − v_s) is (2π/Ω)(s − w).

Strain x → (1+ε)x: k·X stays, dk_j = −ε_ij k_i, dΩ = Ω tr ε, so that
∂g/∂ε_ij = g [ −δ_ij + k_i k_j (s + 2/(k²+κ²)) ], and P(ik) changes by −k_i ∂P(ik)/∂k_j.

Source: Ewald, Ann. Phys. 369, 253 (1921); Nijboer, de Wette, Physica 23, 309 (1957).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import flint

from scc.electrostatics.goldens.numbers import ExactArray, Real, exact, ufunc, zeros
from scc.electrostatics.goldens.pair_sum import (
    decay_exponent,
    one_of_each_pair,
    translations,
)
from scc.electrostatics.goldens.polynomials import Exponents, lowered, monomials, strained


def determinant(cell: ExactArray) -> Real:
    """Signed volume of a (3, 3) cell."""
    a, b, c = cell
    return a @ cross(b, c)


def cross(b: ExactArray, c: ExactArray) -> ExactArray:
    """b × c."""
    result = zeros(3)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        result[i] = b[j] * c[k] - b[k] * c[j]
    return result


class Table(NamedTuple):
    """Wave vectors (N, 3), g(k) (N,), and the monomials k^t (N,) by exponents."""

    vectors: ExactArray
    weights: ExactArray
    powers: dict[Exponents, ExactArray]


class PeriodicCell:
    """See :class:`.pair_sum.Lattice`.

    Args:
        cell: (3, 3), exact, a lattice vector a row.
        splitting: √s in units of the balanced value Ω^{1/3}/√(2π).
    """

    def __init__(self, cell: ExactArray, screening: float, splitting: float) -> None:
        signed = determinant(cell)
        self.vectors, self.volume = cell, abs(signed)
        self.screening = exact(screening)
        length = splitting * float(self.volume) ** (1 / 3) / math.sqrt(2 * math.pi)
        self._s = exact(length**2)
        self.smooth_variance: Real | None = self._s
        self._reciprocal = zeros(3, 3)
        for i in range(3):
            normal = cross(cell[(i + 1) % 3], cell[(i + 2) % 3])
            self._reciprocal[i] = 2 * flint.arb.pi() * normal / signed
        self._tables: dict[int, Table] = {}

    def smooth(self, separation: ExactArray, variance: Real, order: int) -> ExactArray:
        """∂^t L(X)."""
        vectors, weights, powers = self._table(order)
        waves = [weights * wave for wave in _phase_derivatives(vectors @ separation)]
        result = zeros(len(powers))
        for index, t in enumerate(monomials(order)):
            result[index] = powers[t] @ waves[sum(t) % 4]
        result[0] += self._background(variance)
        return result

    def smooth_strain(
        self, separation: ExactArray, tensor: ExactArray, polynomial: ExactArray, order: int
    ) -> ExactArray:
        """∂/∂ε_ij of P(∂)L(X)."""
        vectors, weights, powers = self._table(order + 1)
        squared = (vectors * vectors).sum(axis=1) + self.screening**2
        weights = weights * [self._s + (2 / value if value != 0 else 0) for value in squared]
        parts = [zeros(len(vectors)) for _ in range(4)]  # P by degree modulo 4
        for t, coefficient in zip(monomials(order), polynomial, strict=True):
            parts[sum(t) % 4] += coefficient * powers[t]
        waves = _phase_derivatives(vectors @ separation)
        stretched = weights * sum(part * wave for part, wave in zip(parts, waves, strict=True))
        result = zeros(3, 3)
        for i in range(3):
            result[i, i] -= polynomial @ tensor[: len(polynomial)]
            for j in range(3):
                result[i, j] += (vectors[:, i] * vectors[:, j]) @ stretched
                result[i, j] -= strained(polynomial, order, tensor, i, j)
        return result

    def _background(self, variance: Real) -> Real:
        if self.screening > 0:
            return flint.arb(0)
        return -2 * flint.arb.pi() * (self._s - variance) / self.volume

    def _table(self, order: int) -> Table:
        if order not in self._tables:
            reach = math.sqrt(2.0 * decay_exponent(order) / float(self._s))
            vectors = one_of_each_pair(translations(self._reciprocal, zeros(3), reach))
            squared = (vectors * vectors).sum(axis=1) + self.screening**2
            if not self.screening > 0:
                vectors, squared = vectors[:-1], squared[:-1]
            weights = 8 * flint.arb.pi() / self.volume * ufunc("exp", -squared * self._s / 2)
            if self.screening > 0:
                weights[-1] /= 2
            powers = {(0, 0, 0): zeros(len(vectors)) + flint.arb(1)}
            for t in monomials(order)[1:]:
                axis = next(i for i in range(3) if t[i])
                powers[t] = powers[lowered(t, axis)] * vectors[:, axis]
            self._tables[order] = Table(vectors, weights / squared, powers)
        return self._tables[order]


def _phase_derivatives(phase: ExactArray) -> list[ExactArray]:
    """Re i^n e^{iφ} for n = 0…3."""
    cosine, sine = ufunc("cos", phase), ufunc("sin", phase)
    return [cosine, -sine, -cosine, sine]
