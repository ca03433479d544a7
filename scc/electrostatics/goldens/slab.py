r"""Two periodic directions in the xy plane: the smooth part of the two-dimensional Ewald sum.

    L(X) = Σ_{k≠0} (π/Ak) cos(k·X) [P_k(z) + P_k(−z)]
           − (2π/A) [z erf(z/√(2s)) + √(2s/π) e^{−z²/2s}],
    P_k(z) = e^{kz} erfc(k√(s/2) + z/√(2s)),      k in the plane.

The k = 0 part is −2π|z|/A, the plane-averaged potential of a unit charge, smeared; it carries the
convention for a charge alone, but of a neutral slab nothing depends on it: the potentials far above
and far below have mean zero.

Strain. With γ = e^{−k²s/2−z²/2s}: P' = kP − √(2/πs) γ in z, ∂P/∂k = zP − √(2s/π) γ. In the plane
k·X stays and dk_j = −ε_ij k_i. ε_iz shears the sites and leaves the plane: X_z ∂_i. ε_zj is ε_jz
and a turn of everything, which undone turns the multipoles the other way.

Source: Parry, Surf. Sci. 49, 433 (1975), 54, 195 (1976); Heyes, Barber, Clarke, J. Chem. Soc.,
Faraday Trans. 2, 73, 1485 (1977).
"""

from __future__ import annotations

import math
from typing import Any

import flint
import numpy as np

from scc.electrostatics.goldens.numbers import ExactArray, Real, exact, ufunc, zeros
from scc.electrostatics.goldens.pair_sum import (
    decay_exponent,
    one_of_each_pair,
    translations,
)
from scc.electrostatics.goldens.polynomials import (
    UNITS,
    Exponents,
    monomials,
    plus,
    position,
    strained,
)


class SlabCell:
    """See :class:`.pair_sum.Lattice`; without screening.

    Args:
        vectors: (2, 3), exact, with zero z.
        splitting: √s in units of the balanced value √(A/2π).
    """

    def __init__(self, vectors: ExactArray, splitting: float) -> None:
        (a, b), (c, d) = vectors[:, :2]
        signed = a * d - b * c
        self.vectors, self.area, self.screening = vectors, abs(signed), flint.arb(0)
        length = splitting * math.sqrt(float(self.area) / (2 * math.pi))
        self._s = exact(length**2)
        self.smooth_variance: Real | None = self._s
        turned = np.array([[d, -c], [-b, a]], dtype=object)
        self._reciprocal = 2 * flint.arb.pi() * turned / signed
        self._tables: dict[int, ExactArray] = {}

    def smooth(self, separation: ExactArray, variance: Real, order: int) -> ExactArray:
        """∂^t L(X)."""
        vectors, waves = self._waves(separation, order)
        heights, _ = self._heights(vectors, separation[2], order)
        uniform = self._uniform(separation[2], order)
        place = position(order)
        result = zeros(len(place))
        for t, index in place.items():
            result[index] = (planar_power(vectors, t) * waves[t[0] + t[1]] * heights[t[2]]).sum()
            if t[0] == t[1] == 0:
                result[index] += uniform[t[2]]
        return result

    def smooth_strain(
        self, separation: ExactArray, tensor: ExactArray, polynomial: ExactArray, order: int
    ) -> ExactArray:
        """∂/∂ε_ij of P(∂)L(X)."""
        place = position(order + 1)
        result = zeros(3, 3)
        result[:2, :2] = self._in_plane(separation, polynomial, order)
        for i in range(2):
            result[i, i] -= polynomial @ tensor[: len(polynomial)]
            for j in range(2):
                result[i, j] -= strained(polynomial, order, tensor, i, j)
        for i, unit in enumerate(UNITS):
            for t, coefficient in zip(monomials(order), polynomial, strict=True):
                result[i, 2] += coefficient * separation[2] * tensor[place[plus(t, unit)]]
        for j in range(2):
            turn = strained(polynomial, order, tensor, j, 2)
            turn -= strained(polynomial, order, tensor, 2, j)
            result[2, j] = result[j, 2] + turn
        return result

    def _in_plane(self, separation: ExactArray, polynomial: ExactArray, order: int) -> ExactArray:
        """What k does in 1/k and P_k, without k^t and A: (2, 2)."""
        vectors, waves = self._waves(separation, order)
        heights, slopes = self._heights(vectors, separation[2], order)
        length = ufunc("sqrt", (vectors * vectors).sum(axis=1))
        pulled = zeros(len(vectors))
        for t, coefficient in zip(monomials(order), polynomial, strict=True):
            change = (heights[t[2]] / length - slopes[t[2]]) / length
            pulled = pulled + coefficient * waves[t[0] + t[1]] * planar_power(vectors, t) * change
        result = zeros(2, 2)
        for i in range(2):
            for j in range(2):
                result[i, j] = (vectors[:, i] * vectors[:, j]) @ pulled
        return result

    def _waves(self, separation: ExactArray, order: int) -> tuple[ExactArray, list[ExactArray]]:
        """One of ±k, k ≠ 0 (N, 2); (2π/Ak) Re i^n e^{ik·X} for n = 0…order."""
        if order not in self._tables:
            reach = math.sqrt(2.0 * decay_exponent(order) / float(self._s))
            vectors = translations(self._reciprocal, zeros(2), reach)
            self._tables[order] = one_of_each_pair(vectors)[:-1]
        vectors = self._tables[order]
        length = ufunc("sqrt", (vectors * vectors).sum(axis=1))
        phase = vectors @ separation[:2]
        weight = 2 * flint.arb.pi() / self.area / length
        cosine, sine = weight * ufunc("cos", phase), weight * ufunc("sin", phase)
        return vectors, [(cosine, -sine, -cosine, sine)[n % 4] for n in range(order + 1)]

    def _heights(
        self, vectors: ExactArray, z: Real, order: int
    ) -> tuple[list[ExactArray], list[ExactArray]]:
        """d^n/dz^n of P_k(z) + P_k(−z) for n = 0…order, and ∂/∂k of these."""
        k = ufunc("sqrt", (vectors * vectors).sum(axis=1))
        up, up_slope = self._one_side(k, z, order)
        down, down_slope = self._one_side(k, -z, order)
        signs = [(-1) ** n for n in range(order + 1)]
        return (
            [a + sign * b for a, b, sign in zip(up, down, signs, strict=True)],
            [a + sign * b for a, b, sign in zip(up_slope, down_slope, signs, strict=True)],
        )

    def _one_side(
        self, k: ExactArray, z: Real, order: int
    ) -> tuple[list[ExactArray], list[ExactArray]]:
        """P^{(n)}(z) and ∂P^{(n)}/∂k."""
        s, pi = self._s, flint.arb.pi()
        bell = _bell(ufunc("exp", -(k * k * s + z * z / s) / 2), z, s, order)
        values = [ufunc("exp", k * z) * ufunc("erfc", (k * s + z) / (2 * s).sqrt())]
        slopes = []
        for n in range(order + 1):
            slope = z * values[n] - (2 * s / pi).sqrt() * bell[n]
            slopes.append(slope + n * values[n - 1] if n else slope)
            values.append(k * values[n] - (2 / (pi * s)).sqrt() * bell[n])
        return values[:-1], slopes

    def _uniform(self, z: Real, order: int) -> list[Real]:
        """d^n/dz^n of the k = 0 part."""
        s, pi = self._s, flint.arb.pi()
        bell = _bell((-z * z / (2 * s)).exp(), z, s, order)
        error = (z / (2 * s).sqrt()).erf()
        values = [z * error + (2 * s / pi).sqrt() * bell[0], error]
        values += [(2 / (pi * s)).sqrt() * value for value in bell]
        return [-2 * pi / self.area * value for value in values[: order + 1]]


def _bell(value: Any, z: Real, s: Real, order: int) -> list[Any]:
    """d^n/dz^n of a function ∝ e^{−z²/2s}."""
    result = [value]
    for n in range(order):
        result.append(-(z * result[n] + (n * result[n - 1] if n else 0)) / s)
    return result


def planar_power(vectors: ExactArray, t: Exponents) -> ExactArray:
    """k_x^{t_x} k_y^{t_y}."""
    result = zeros(len(vectors)) + flint.arb(1)
    for axis in range(2):
        for _ in range(t[axis]):
            result = result * vectors[:, axis]
    return np.asarray(result)
