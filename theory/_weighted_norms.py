"""Norms of H tilted by e^{ηφ}, φ any function with |φ_a − φ_b| ≤ r_ab: what Combes–Thomas rests on.

H_φ = e^{ηφ} H e^{−ηφ} differs from H by a symmetric part H∘(cosh ηΔφ − 1) and an antisymmetric
part H∘sinh ηΔφ. Their entries are at most |H|∘(cosh ηr − 1) and |H|∘sinh ηr, matrices that are
symmetric and non-negative; the spectral norm of such a matrix bounds that of every matrix it
dominates entry by entry, and is itself at most

    max_a (Mx)_a / x_a   for every x > 0                       (Collatz and Wielandt),

of which x = 1, the largest row sum, is Schur's test, the form of the paper. A few power iterations
improve x; every iterate is a rigorous bound.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scc.arrays import BoolArray, FloatArray
from scc.theory.system import TightBindingSystem

_ITERATIONS = 10
# Rounding of n ≤ 10⁴ positive products and of their quotient, relative.
_ROUNDING = 1e-11
# e^{ηr} stays below 1e87, so that its products with H do not overflow.
_LARGEST_EXPONENT = 200.0
_LARGEST_RATE = 40.0


@dataclass(frozen=True, eq=False)
class WeightedNorms:
    """Bounds at K rates η (1/bohr), ascending; (K,) in Hartree each, increasing in η.

    Attributes
    ----------
    rates: η, (K,), none above :func:`largest_rate`.
    hamiltonian: H, (n, n).
    stretches: e^{ηr} − 1 where H ≠ 0, zero elsewhere, (K, n, n).
    energy: E of :attr:`whole`.
    """

    rates: FloatArray
    hamiltonian: FloatArray
    stretches: FloatArray
    energy: float

    @cached_property
    def even(self) -> FloatArray:
        """‖|H|∘(cosh ηr − 1)‖."""
        return perron_bound(
            np.abs(self.hamiltonian) * self.stretches**2 / (2.0 * (1.0 + self.stretches))
        )

    @cached_property
    def odd(self) -> FloatArray:
        """‖|H|∘sinh ηr‖."""
        sinh = 0.5 * (self.stretches + self.stretches / (1.0 + self.stretches))
        return perron_bound(np.abs(self.hamiltonian) * sinh)

    @cached_property
    def stretch(self) -> FloatArray:
        """‖|H|∘(e^{ηr} − 1)‖."""
        return perron_bound(np.abs(self.hamiltonian) * self.stretches)

    @cached_property
    def row_sums(self) -> FloatArray:
        """max_ℓ Σ_k |H_ℓk|(e^{ηr} − 1), Schur's bound of the same."""
        rows = np.einsum("ij,kij->ki", np.abs(self.hamiltonian), self.stretches)
        return np.asarray(np.max(rows, axis=-1) * (1.0 + _ROUNDING))

    @cached_property
    def whole(self) -> FloatArray:
        """‖|H − E|∘e^{ηr}‖."""
        shifted = np.abs(self.hamiltonian - self.energy * np.eye(len(self.hamiltonian)))
        return perron_bound(shifted * (1.0 + self.stretches))


def perron_bound(matrices: FloatArray) -> FloatArray:
    """Upper bounds of the spectral norms of symmetric non-negative matrices (…, n, n)."""
    x = np.ones(matrices.shape[:-1])
    best = np.full(matrices.shape[:-2], np.inf)
    for _ in range(_ITERATIONS):
        product = np.matmul(matrices, x[..., None])[..., 0]
        largest = np.max(product / x, axis=-1)
        best = np.minimum(best, largest)
        # The shift by the norm settles matrices that have −‖M‖ as an eigenvalue too.
        x = x + product / np.where(largest > 0.0, largest, 1.0)[..., None]
        x = np.maximum(x / np.max(x, axis=-1, keepdims=True), 1e-12)
    return np.asarray(best * (1.0 + _ROUNDING))


def largest_rate(system: TightBindingSystem) -> float:
    """The largest η for which e^{ηr} can be computed wherever H_ab ≠ 0, 1/bohr."""
    reach = float(np.max(system.orbital_distances, initial=0.0, where=system.hamiltonian != 0.0))
    return min(_LARGEST_RATE, _LARGEST_EXPONENT / reach) if reach > 0.0 else _LARGEST_RATE


def weighted_norms(
    system: TightBindingSystem, rates: FloatArray, energy: float = 0.0
) -> WeightedNorms:
    """The norms of a system at the rates η (K,)."""
    r = np.where(system.hamiltonian != 0.0, system.orbital_distances, 0.0)
    return WeightedNorms(rates, system.hamiltonian, np.expm1(rates[:, None, None] * r), energy)


def largest_rate_with(
    system: TightBindingSystem, admissible: Callable[[WeightedNorms], BoolArray]
) -> float:
    """Largest η, to 1e-4 of itself and from below, up to which an inequality between norms that
    increase with η holds; 0 if there is none above 1e-6 of the largest computable rate."""
    top = largest_rate(system)
    low, grid = 0.0, np.geomspace(1e-6 * top, top, 24)
    for _ in range(5):
        holds = int(np.sum(np.cumprod(admissible(weighted_norms(system, grid)))))
        if holds == len(grid):
            return float(grid[-1])
        low, high = (float(grid[holds - 1]) if holds else low), float(grid[holds])
        if low == 0.0:
            return 0.0
        grid = np.linspace(low, high, 11)[1:]
    return low
