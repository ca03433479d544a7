"""Bounds of the body-ordered terms of an orthogonalised Hamiltonian, for one expansion.

:mod:`scc.theory.orthogonalised_body_order` says what (a), (b) and (c) are.
"""

from functools import cached_property

import numpy as np
import scipy.fft
from numpy.polynomial.chebyshev import cheb2poly

from scc.arrays import FloatArray
from scc.bodyorder.cluster_expansion import Subcluster, SubclusterBlocks, cluster_contribution
from scc.theory._cluster_expansion import ClusterExpansion, shortest_way
from scc.theory._weighted_norms import perron_bound
from scc.theory.orthogonalisation import gaussian_assembly

RATES = (0.0, 0.15, 0.3, 0.5, 0.8)
"""η tried in (a), 1/bohr."""

_EPS = float(np.finfo(np.float64).eps)
_TERMS = 256


class OrthogonalisedExpansion:
    """Bounds of |U_n(K)| of G_N(H)_ℓk for one :class:`ClusterExpansion` of a Löwdin system.

    Attributes
    ----------
    overlap_norms: s for every η of :data:`RATES`.
    condition: κ of S of all atoms together.
    """

    def __init__(self, found: ClusterExpansion) -> None:
        self.found = found
        whole = found.parts[tuple(range(len(found.atoms)))]
        assembly = gaussian_assembly(whole)
        assert assembly.three_centre is not None
        X = found.fitted.spectral_set
        centre, self.half = 0.5 * (X.lower + X.upper), 0.5 * (X.upper - X.lower)
        self.coefficients = np.abs(cheb2poly(found.fitted.coefficients))
        self._distances = whole.distances
        overlap, r = assembly.overlap.matrix, whole.orbital_distances
        eta = np.array(RATES)[:, None, None]
        identity = np.eye(len(overlap))
        self.overlap_norms = perron_bound(np.abs(overlap - identity) * np.exp(eta * r))
        w = np.abs(assembly.three_centre.full() * whole.features[:, :, None, None])
        from_m = np.exp(eta * whole.distances[:, whole.owner])
        potential = np.einsum("mcij,emi,emj->eij", w, from_m, from_m)
        free = np.abs(assembly.kinetic.matrix - centre * overlap) * np.exp(eta * r)
        self.norms = perron_bound((free + potential) / self.half)
        levels = np.linalg.eigvalsh(overlap)
        slack = 8.0 * len(levels) * _EPS * float(levels[-1])
        self.ends = float(levels[0]) - slack, float(levels[-1]) + slack
        self.condition = self.ends[1] / self.ends[0]
        self._pieces = (
            np.abs(overlap - identity),
            np.abs(assembly.kinetic.matrix - centre * overlap) / self.half,
            np.sum(w, axis=1) / self.half,
            whole.owner,
        )
        self._tails = chebyshev_tails(len(self.coefficients) - 1, self.ends)

    def bound(self, k: int, chosen: Subcluster) -> float:
        """The smallest of (a), (b), (c) and 2ⁿ Σ|c_k| for |U(u_ℓ, u_k; K)|, n = |K| ≥ 1."""
        return min(self.closed_bound(k, chosen), self.walk_bound(k, chosen))

    def walk_bound(self, k: int, chosen: Subcluster) -> float:
        """(c), rounding added; infinite where s ≥ 1."""
        if not self.overlap_norms[0] < 1.0:
            return float("inf")
        n = len(chosen)
        total = cluster_contribution(self._walks.block(0, k), 0, k, chosen)
        # Positive terms: products and square roots lose n²ε/(1 − s) of the largest.
        largest = float(np.max(self._walks.matrix(tuple(range(len(self.found.atoms))))))
        size = len(self._pieces[3])
        lost = 64.0 * size**2 * _EPS / (1.0 - float(self.overlap_norms[0]))
        return float(np.max(total) + 2.0**n * lost * largest)

    @cached_property
    def _walks(self) -> SubclusterBlocks:
        """P̂ of sub-clusters by places: Σ|a_j| (X̂B̂X̂)^j."""
        sigma, free, potential, owner = self._pieces

        def factor(atoms: Subcluster) -> FloatArray:
            rows = np.ix_(*(np.flatnonzero(np.isin(owner, atoms)),) * 2)
            levels, vectors = np.linalg.eigh(np.eye(len(sigma))[rows] - sigma[rows])
            root = (vectors / np.sqrt(levels)) @ vectors.T
            third = np.sum(potential[list(atoms)], axis=0)
            return np.asarray(root @ (free + third)[rows] @ root)

        def series(matrix: FloatArray) -> FloatArray:
            total = np.zeros_like(matrix)
            for a in self.coefficients[::-1]:
                total = total @ matrix + a * np.eye(len(matrix))
            return total

        return SubclusterBlocks(factor, series, np.bincount(owner).tolist())

    def closed_bound(self, k: int, chosen: Subcluster) -> float:
        """The smallest of (a), (b) and 2ⁿ Σ|c_k|."""
        n = len(chosen)
        way = shortest_way(self._distances, 0, k, chosen)
        dilute = [
            np.exp(-eta * way) * self.dilute_bound(n, place) for place, eta in enumerate(RATES)
        ]
        return min(*map(float, dilute), self.dense_bound(n))

    def dilute_bound(self, n: int, place: int = 0) -> float:
        """(a) without the factor e^{−ηL}, at the η of this place in :data:`RATES`."""
        s, b = float(self.overlap_norms[place]), float(self.norms[place])
        if s >= 1.0:
            return float("inf")
        terms = zip(range(1, len(self.coefficients)), self.coefficients[1:], strict=True)
        return float(sum(a * b**j * binomial_tail(j, s, max(n - 2 * j + 1, 0)) for j, a in terms))

    def dense_bound(self, n: int) -> float:
        """(b), each j capped by ‖A‖ ≤ 1, and no more than 2ⁿ Σ|c_k|."""
        total = 0.0
        for j, a in enumerate(self.coefficients[1:], start=1):
            tail = float(self.norms[0]) ** j * self._tails[j - 1][max(n - 2 * j, -1) + 1]
            total += float(a) * min(1.0, tail)
        whole = float(np.sum(np.abs(self.found.fitted.coefficients)))
        return float(2.0**n * min(total, whole) * (1.0 + 1e-12))

    def rounding(self, n: int) -> float:
        """Of a computed U_n: n ε κ/s_min in H, amplified as in Theorem 5."""
        series = np.abs(self.found.fitted.coefficients)
        size, k = len(self._distances), np.arange(len(series))
        in_h = 64.0 * _EPS * size * float(self.norms[0]) * self.condition / self.ends[0]
        return float(2.0**n * (series @ (k * (k + 1))) * (in_h + 2.0 * (size**2 + 4.0) * _EPS))


def binomial_tail(j: int, s: float, first: int) -> float:
    """Σ_{i ≥ first} C(i+j−1, i) s^i for 0 ≤ s < 1, from above."""
    i = first
    term = 1.0
    for step in range(1, first + 1):
        term *= s * (step + j - 1) / step
    total = 0.0
    while True:
        ratio = s * (i + j) / (i + 1)
        # Once the ratio of terms is below one it decreases or stays below (1 + s)/2.
        if i > j / (1.0 - s) and term * ratio <= 1e-14 * (total + term) * (1.0 - s):
            steeper = max(ratio, s)
            return (total + term / (1.0 - steeper)) * (1.0 + 1e-11)
        total, term, i = total + term, term * ratio, i + 1


def chebyshev_tails(largest: int, ends: tuple[float, float]) -> list[FloatArray]:
    """τ_j(D) for j = 1 … largest and D = −1, 0, …, 255, from above: the coefficients of
    X(z)² S(z)^{j−1} beyond z^D."""
    root, inverse = (absolute_coefficients(power, ends) for power in (0.5, 1.0))
    product = np.convolve(root, root)[:_TERMS]
    tails = []
    for j in range(1, largest + 1):
        total = ends[0] ** -float(j)
        # What the first coefficients leave of the sum, which is known; and rounding.
        kept = np.concatenate([[0.0], np.cumsum(product)])
        tails.append(np.maximum(total - kept, 0.0) + 1e-12 * total)
        product = np.convolve(product, inverse)[:_TERMS]
    return tails


def absolute_coefficients(power: float, ends: tuple[float, float]) -> FloatArray:
    """|c_i|, i < 256, of x^{−power} on [ends] = Σ c_i T_i, from 2048 Chebyshev points."""
    angles = np.pi * (np.arange(2048) + 0.5) / 2048
    x = 0.5 * (ends[0] + ends[1]) + 0.5 * (ends[1] - ends[0]) * np.cos(angles)
    found = np.abs(scipy.fft.dct(x**-power)[:_TERMS]) / 2048
    found[0] *= 0.5
    return np.asarray(found)
