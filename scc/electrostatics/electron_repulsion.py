"""The Hartree operator J[D]_ab = Σ_cd (ab|cd) D_cd between pair densities.

    (ab|cd) = ∬ φ_a(x) φ_b(x) φ_c(y) φ_d(y) / |x − y|, real orbitals, no exchange.

Up to :data:`STORED_ELEMENTS` numbers the four-index array is made once per geometry and kept
(pairs a ≥ b by pairs c ≥ d); beyond, every product recomputes it in chunks. Pairs that
``PairDensities`` leaves out carry an error below 1e-16 relative to the largest (aa|aa).
"""

from functools import cached_property

import numpy as np

from scc.arrays import FloatArray
from scc.basis.hermite import bilinear_form
from scc.basis.pairs import PairDensities, count_pairs
from scc.basis.shells import BasisSet
from scc.electrostatics.hermite_coulomb import coulomb_kernel
from scc.errors import InputError

STORED_ELEMENTS = 64_000_000
"""Largest array kept in memory, in float64 numbers (512 MB)."""

LARGEST_BYTES = 4e9
"""Systems whose (ab|cd) would take more than this are refused: recomputing them takes hours."""


def require_feasible(basis: BasisSet, largest_bytes: float = LARGEST_BYTES) -> None:
    """InputError when the pairs by pairs of (ab|cd) exceed ``largest_bytes``, before any is made.

    Memory stands for work: every number is a sum over primitives, made anew at each use once
    :data:`STORED_ELEMENTS` is exceeded.
    """
    pairs = count_pairs(basis)
    needed = 8.0 * pairs**2
    if needed > largest_bytes:
        raise InputError(
            f"{basis.n_functions} orbitals are too many for the Gaussian-orbital model: its "
            f"electron repulsion takes {needed / 1e9:.3g} GB ({pairs} pairs squared), "
            f"the limit is {largest_bytes / 1e9:.3g} GB"
        )


class ElectronRepulsion:
    """J and its position derivatives, for one geometry.

    ``stored_elements``: keep arrays up to this size, see :data:`STORED_ELEMENTS`.
    """

    def __init__(self, pairs: PairDensities, stored_elements: int = STORED_ELEMENTS) -> None:
        self.pairs = pairs
        self._stored_elements = stored_elements

    @cached_property
    def _integrals(self) -> FloatArray | None:
        """(ab|cd) on pairs (n_pairs, n_pairs), or None when too large to keep."""
        if self.pairs.n_pairs**2 > self._stored_elements:
            return None
        return bilinear_form(coulomb_kernel, self.pairs.expansion, self.pairs.expansion)

    @cached_property
    def _gradient_integrals(self) -> FloatArray | None:
        """((∂_iφ_a)φ_b|cd): (3·n_ordered, n_pairs), or None when too large to keep."""
        if 3 * self.pairs.n_ordered * self.pairs.n_pairs > self._stored_elements:
            return None
        return bilinear_form(coulomb_kernel, self.pairs.gradient_expansion, self.pairs.expansion)

    def four_index(self) -> FloatArray:
        """(ab|cd) as (n, n, n, n); for small systems."""
        n = self.pairs.basis.n_functions
        integrals = bilinear_form(coulomb_kernel, self.pairs.expansion, self.pairs.expansion)
        half = np.array([self.pairs.unpack(row) for row in integrals])
        full = np.zeros((n, n, n, n))
        full[self.pairs.first, self.pairs.second] = half
        full[self.pairs.second, self.pairs.first] = half
        return full

    def coulomb_matrix(self, density: FloatArray) -> FloatArray:
        """J[D] (n, n) in Hartree, for D (n, n); the antisymmetric part of D does not matter."""
        weights = self.pairs.pack(density)
        if self._integrals is not None:
            return self.pairs.unpack(self._integrals @ weights)
        expansion = self.pairs.expansion
        values = bilinear_form(coulomb_kernel, expansion, expansion.combine(weights))
        return self.pairs.unpack(values[:, 0])

    def orbital_gradient(self, density: FloatArray) -> FloatArray:
        """((∂_iφ_a)φ_b|ρ) on ordered pairs, ρ = Σ D φφ: (3, n_ordered), the g of (*) in pairs."""
        weights = self.pairs.pack(density)
        if self._gradient_integrals is not None:
            values = self._gradient_integrals @ weights
        else:
            values = bilinear_form(
                coulomb_kernel,
                self.pairs.gradient_expansion,
                self.pairs.expansion.combine(weights),
            )
        return values.reshape(3, self.pairs.n_ordered)

    def position_gradient(self, density: FloatArray) -> FloatArray:
        """∂/∂r ½(D|D) at fixed D: (M, 3)."""
        return self.pairs.orbital_contract(density, self.orbital_gradient(density))

    def potential_position_jvp(self, density: FloatArray, displacement: FloatArray) -> FloatArray:
        """∂J[D]/∂r · dr at fixed D, for dr (M, 3): (n, n).

        Two parts: the orbitals of the pair ab move, and those that carry ρ do.
        """
        probe = self.pairs.orbital_perturb(displacement, self.orbital_gradient(density))
        moved = displacement[self.pairs.ordered_atom].T
        weights = (-moved * self.pairs.pack_ordered(density)).ravel()
        if self._gradient_integrals is not None:
            source = weights @ self._gradient_integrals
        else:
            moving = self.pairs.gradient_expansion.combine(weights)
            source = bilinear_form(coulomb_kernel, self.pairs.expansion, moving)[:, 0]
        return probe + self.pairs.unpack(source)
