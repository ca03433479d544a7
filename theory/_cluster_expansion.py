"""The body-order expansion of a few atoms of a system, and what bounds its terms.

:mod:`scc.theory.theorem_5` says what these are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.polynomial.chebyshev import cheb2poly, chebder

from scc.arrays import FloatArray
from scc.bodyorder.cluster_expansion import Subcluster, SubclusterBlocks, cluster_contribution
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.models.gaussian import GaussianAssembly
from scc.theory._subsystem import subsystem
from scc.theory.system import TightBindingSystem

Quantity = Literal["G", "F", "site energy"]
RATES = (0.0, 0.3, 0.8, 1.5, 2.5)
"""η tried in the bound of U_n, 1/bohr."""

_EPS = float(np.finfo(np.float64).eps)


def last_order(quantity: Quantity, degree: int, three_centre: bool) -> int:
    """The largest n with U_n ≠ 0; ``degree`` is that of G_N."""
    factors = degree - 1 if quantity == "F" else degree
    if factors == 0 or (quantity == "site energy" and degree == 1):
        return 0
    return 2 * factors - 1 if three_centre else factors - 1


@dataclass(frozen=True)
class ClusterExpansion:
    """U_n of a polynomial G_N in all sub-clusters of a few atoms that contain the first.

    ``atoms``: of ``system``; the first is ℓ. ``degree``: N. The polynomial is fitted to G at
    ``fit_beta``: any would do.
    """

    system: TightBindingSystem
    atoms: tuple[int, ...]
    degree: int
    fit_beta: float = 5.0

    @property
    def three_centre(self) -> bool:
        """False where v is diagonal."""
        return not self.system.assembly.diagonal

    @cached_property
    def parts(self) -> dict[Subcluster, TightBindingSystem]:
        """Sub-clusters by sorted places in ``atoms``, each assembled anew."""
        places = range(1, len(self.atoms))
        chosen = [(0, *k) for size in range(len(self.atoms)) for k in combinations(places, size)]
        return {k: subsystem(self.system, [self.atoms[place] for place in k]) for k in chosen}

    @cached_property
    def fitted(self) -> PolynomialOccupation:
        """G_N on the hull X of all spectra, µ in the middle."""
        ends = [np.linalg.eigvalsh(part.hamiltonian)[[0, -1]] for part in self.parts.values()]
        low, high = float(np.min(ends)), float(np.max(ends))
        margin = 1e-6 + 1e-3 * (high - low)
        X = SpectralSet(((low - margin, high + margin),))
        return PolynomialOccupation.interpolate(
            X, self.degree, self.fit_beta, 0.5 * (X.lower + X.upper)
        )

    def element(self, quantity: Quantity, k: int) -> Callable[[Subcluster], FloatArray]:
        """places ↦ the block (ℓ, k) of G_N or F_N, or E_N,ℓ."""
        orbitals = np.bincount(self.system.owner, minlength=self.system.atoms)[list(self.atoms)]
        blocks = {which: self._blocks(which, orbitals.tolist()) for which in ("F", "G")}
        if quantity != "site energy":
            return blocks[quantity].block(0, k)

        def energy(places: Subcluster) -> FloatArray:
            v = self.parts[places].potential
            matrix = blocks["G"].matrix(places) - v @ blocks["F"].matrix(places)
            return np.array([[2.0 * np.trace(matrix[: orbitals[0], : orbitals[0]])]])

        return energy

    def _blocks(self, which: str, orbitals: list[int]) -> SubclusterBlocks:
        def function(hamiltonian: FloatArray) -> FloatArray:
            return np.asarray(
                self.fitted.matrix_function(hamiltonian, "F" if which == "F" else "G")
            )

        return SubclusterBlocks(lambda atoms: self.parts[atoms].hamiltonian, function, orbitals)

    def contributions(self, quantity: Quantity, k: int) -> list[tuple[Subcluster, float]]:
        """(K, max |U(u_ℓ, u_k; K)|) for all K, k a place in ``atoms``."""
        element = self.element(quantity, k)
        others = [place for place in range(1, len(self.atoms)) if place != k]
        return [
            (chosen, float(np.max(np.abs(cluster_contribution(element, 0, k, chosen)))))
            for size in range(len(others) + 1)
            for chosen in combinations(others, size)
        ]

    def bound(self, quantity: Quantity, k: int, chosen: Subcluster) -> float:
        """Bound of |U(u_ℓ, u_k; K)|: zero beyond :func:`last_order`."""
        n = len(chosen)
        if n > last_order(quantity, self.degree, self.three_centre):
            return 0.0
        owner = np.array(self._owner)
        keep = np.flatnonzero(np.isin(owner, (0, k, *chosen)))
        inside = np.ix_(np.arange(len(RATES)), keep, keep)
        whole, potential = (matrices[inside] for matrices in self._majorants)
        terms = self._walks(quantity, whole, potential, n)
        terms = terms[:, owner[keep] == 0][:, :, owner[keep] == k]
        if quantity == "site energy":
            values = np.trace(terms, axis1=1, axis2=2)
        else:
            values = np.max(terms, axis=(1, 2))
        way = shortest_way(self._distances, 0, k, chosen)
        found = float(np.min(values * np.exp(-np.array(RATES) * way)))
        return min(found, 2.0**n * self._size(quantity)) * (1.0 + 1e-10)

    def rounding(self, quantity: Quantity, n: int) -> float:
        """Of a computed U_n."""
        size, half = len(self._owner), self._half_width
        perturbed = size * 64.0 * _EPS * float(np.max(self._majorants[0][0])) + 8.0 * size * _EPS
        local = perturbed + 2.0 * (size**2 + 4.0) * _EPS

        def error(series: FloatArray) -> float:
            k = np.arange(len(series))
            recurrence = float(np.abs(series) @ (k * (k + 1))) * local
            return recurrence + (len(series) + 2.0) * size * _EPS * float(np.sum(np.abs(series)))

        g, f = self.fitted.coefficients, self._occupation_series
        if quantity != "site energy":
            return float(2.0**n * error(g if quantity == "G" else f))
        v = half * float(np.max(np.sum(self._majorants[1][0], axis=1)))
        product = v * (error(f) + size * 64.0 * _EPS * float(np.sum(np.abs(f))))
        orbitals = float(np.max(np.bincount(self._owner)))
        return float(2.0**n * 2.0 * orbitals * (error(g) + product))

    # -- the walks ----------------------------------------------------------------------------

    @cached_property
    def _half_width(self) -> float:
        return 0.5 * (self.fitted.spectral_set.upper - self.fitted.spectral_set.lower)

    @cached_property
    def _occupation_series(self) -> FloatArray:
        return np.asarray(chebder(self.fitted.coefficients, scl=1.0 / self._half_width))

    @cached_property
    def _whole(self) -> TightBindingSystem:
        return self.parts[tuple(range(len(self.atoms)))]

    @property
    def _owner(self) -> list[int]:
        return [int(place) for place in self._whole.owner]

    @property
    def _distances(self) -> FloatArray:
        return self._whole.distances

    @cached_property
    def _majorants(self) -> tuple[FloatArray, FloatArray]:
        """(Â_η, the same of v/h alone) for every η of :data:`RATES`, all atoms present."""
        whole, assembly, half = self._whole, self._whole.assembly, self._half_width
        centre = 0.5 * (self.fitted.spectral_set.lower + self.fitted.spectral_set.upper)
        eta = np.array(RATES)[:, None, None]
        free = np.abs(assembly.free_hamiltonian - centre * np.eye(len(self._owner)))
        if isinstance(assembly, GaussianAssembly):
            assert assembly.three_centre is not None
            w = np.abs(assembly.three_centre.full() * whole.features[:, :, None, None])
            from_m = np.exp(eta * whole.distances[:, whole.owner])
            potential = np.einsum("mcij,emi,emj->eij", w, from_m, from_m) / half
        else:
            potential = np.repeat(np.abs(whole.potential)[None] / half, len(RATES), axis=0)
        return free * np.exp(eta * whole.orbital_distances) / half + potential, potential

    def _walks(
        self, quantity: Quantity, whole: FloatArray, potential: FloatArray, n: int
    ) -> FloatArray:
        """Σ_j |a_j| Â^j over the j that reach n atoms, for sub-matrices on the atoms concerned."""
        g = np.abs(cheb2poly(self.fitted.coefficients))
        f = np.abs(cheb2poly(self._occupation_series))
        needed = n // 2 + 1 if self.three_centre else n + 1
        first = 0 if n == 0 else needed
        if quantity == "G":
            return _series(g, whole, first)
        if quantity == "F":
            return _series(f, whole, first)
        product = self._half_width * potential @ _series(f, whole, max(first - 1, 0))
        return 2.0 * (_series(g, whole, first) + product)

    def _size(self, quantity: Quantity) -> float:
        """Σ|c_k| ≥ max |P| on X."""
        g = float(np.sum(np.abs(self.fitted.coefficients)))
        f = float(np.sum(np.abs(self._occupation_series)))
        if quantity != "site energy":
            return g if quantity == "G" else f
        v = self._half_width * float(np.max(np.sum(self._majorants[1][0], axis=1)))
        return 2.0 * float(np.max(np.bincount(self._owner))) * (g + v * f)


def _series(coefficients: FloatArray, matrix: FloatArray, first: int) -> FloatArray:
    """Σ_{j ≥ first} c_j matrix^j, for matrices (…, n, n)."""
    total = np.zeros_like(matrix)
    power = np.broadcast_to(np.eye(matrix.shape[-1]), matrix.shape)
    for j, c in enumerate(coefficients):
        if j >= first:
            total = total + c * power
        power = power @ matrix
    return total


def shortest_way(distances: FloatArray, start: int, end: int, through: Sequence[int]) -> float:
    """Length of the shortest way from start to end through all of the others, bohr.

    Bellman, Held and Karp: 2ⁿ n² steps.
    """
    if not through:
        return float(distances[start, end])
    best = {(frozenset({m}), m): float(distances[start, m]) for m in through}
    for _ in range(len(through) - 1):
        longer: dict[tuple[frozenset[int], int], float] = {}
        for (visited, m), length in best.items():
            for new in through:
                if new not in visited:
                    key = (visited | {new}, new)
                    total = length + float(distances[m, new])
                    longer[key] = min(longer.get(key, np.inf), total)
        best = longer
    return min(length + float(distances[m, end]) for (_, m), length in best.items())
