"""E_xc[D] = ∫ ε_xc(ρ) by atom-centred quadrature, with all its derivatives in D and r.

    ρ_g = Σ_ab D_ab φ_a(x_g) φ_b(x_g),     E_xc = Σ_ℓ e_ℓ,     e_ℓ = Σ_{g owned by ℓ} w_g ε_xc(ρ_g)

It is this *discrete* energy that is differentiated: orbitals move with their atoms, points x_g with
their owners, and the weights w_g with everybody. So forces are consistent with energies on any
grid, coarse ones included. Symbolically, with u_ga = ∇φ_a(x_g)·(dr_owner(g) − dr_atom(a)),

    dρ_g = Σ_ab dD_ab φ_a φ_b + 2 Σ_ab D_ab u_ga φ_b,     dE = Σ_g dw_g ε_xc(ρ_g) + w_g ε_xc' dρ_g.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from scc.arrays import FloatArray
from scc.basis.evaluate import evaluate
from scc.basis.shells import BasisSet
from scc.errors import InputError
from scc.functional.quadrature import MolecularGrid
from scc.functional.xc import ExchangeCorrelationFunctional, NoExchangeCorrelation

#: Number of entries (points × orbitals × 3) of the orbital gradients held at once: 24 MB.
_BLOCK = 3_000_000


class ExchangeCorrelation:
    """The local density term ∫ ε_xc(ρ) of (2.1), its cells N_ℓ those of ``grid``.

    Implements :class:`scc.functional.terms.LocalDensityTerm` for density matrices D (n,n), of which
    only the symmetric part enters. Energies in Hartree. Where ρ_g ≤ 0 (differences of densities,
    body-ordered densities) ε_xc and its derivatives are zero; see :mod:`scc.functional.xc`.

    The values φ_a(x_g) are kept, G × n doubles; gradients ∇φ_a(x_g) are recomputed when needed.

    Raises InputError when the grid belongs to other positions than the basis.
    """

    def __init__(
        self,
        basis: BasisSet,
        grid: MolecularGrid,
        functional: ExchangeCorrelationFunctional,
    ) -> None:
        if not np.array_equal(basis.positions, grid.positions):
            raise InputError(
                f"the quadrature grid of {len(grid.positions)} atoms and the basis of "
                f"{len(basis.positions)} atoms are not at the same positions"
            )
        self.basis = basis
        self.grid = grid
        self.functional = functional

    @property
    def convex(self) -> bool:
        """False: ε_xc is concave; true only for ε_xc = 0."""
        return isinstance(self.functional, NoExchangeCorrelation)

    # -- at fixed geometry -------------------------------------------------------------------

    def density(self, density: FloatArray) -> FloatArray:
        """ρ_g = Σ_ab D_ab φ_a(x_g) φ_b(x_g), electrons / bohr³, (G,)."""
        self._check_shape(density)
        rho: FloatArray = np.einsum("ga,ga->g", self._orbitals @ density, self._orbitals)
        return rho

    def integrated_density(self, density: FloatArray) -> float:
        """Σ_g w_g ρ_g: the electron count by quadrature, to be compared with Tr(DS)."""
        return self.grid.integrate(self.density(density))

    def energy(self, density: FloatArray) -> float:
        """E_xc[D] = Σ_g w_g ε_xc(ρ_g)."""
        return self.grid.integrate(self.functional.energy(self.density(density)))

    def potential(self, density: FloatArray) -> FloatArray:
        """V_ab = ∂E_xc/∂D_ab = Σ_g w_g ε_xc'(ρ_g) φ_a φ_b, (n,n)."""
        rho = self.density(density)
        return self._matrix(self.grid.weights * self.functional.derivative(rho))

    def kernel(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        """dV_ab = Σ_g w_g ε_xc''(ρ_g) dρ_g φ_a φ_b, dρ from dD, (n,n)."""
        rho, drho = self.density(density), self.density(direction)
        return self._matrix(self.grid.weights * self.functional.second_derivative(rho) * drho)

    def site_energies(self, density: FloatArray) -> FloatArray:
        """e_ℓ = ∫_{N_ℓ} ε_xc(ρ) of (3.4), (3.5), shape (M,)."""
        rho = self.density(density)
        return self.grid.site_sums(self.grid.weights * self.functional.energy(rho))

    def site_energies_jvp(self, density: FloatArray, direction: FloatArray) -> FloatArray:
        """de_ℓ = Σ_{g owned by ℓ} w_g ε_xc'(ρ_g) dρ_g for a change dD, shape (M,)."""
        rho, drho = self.density(density), self.density(direction)
        return self.grid.site_sums(self.grid.weights * self.functional.derivative(rho) * drho)

    def site_potential(self, density: FloatArray, weights: FloatArray) -> FloatArray:
        """∂(Σ_ℓ a_ℓ e_ℓ)/∂D for ``weights`` a (M,), shape (n,n)."""
        rho = self.density(density)
        site_weights = weights[self.grid.owner] * self.grid.weights
        return self._matrix(site_weights * self.functional.derivative(rho))

    # -- derivatives with respect to positions, at fixed D -----------------------------------

    def position_gradient(self, density: FloatArray) -> FloatArray:
        """∂E_xc/∂r at fixed D, (M,3), Hartree / bohr: minus a force."""
        return self.site_position_contract(density, np.ones(len(self.grid.positions)))

    def site_position_contract(self, density: FloatArray, weights: FloatArray) -> FloatArray:
        """∂(Σ_ℓ a_ℓ e_ℓ)/∂r at fixed D for ``weights`` a (M,), shape (M,3)."""
        rho = self.density(density)
        site_weights = weights[self.grid.owner]
        gradient = self.grid.weight_gradient_contract(site_weights * self.functional.energy(rho))

        # 2 Σ_g q_g Σ_ab D_ab ∇φ_a φ_b, once for the owner of g and once, negative, for atom(a).
        q = site_weights * self.grid.weights * self.functional.derivative(rho)
        twice_density = density + density.T
        by_orbital = np.zeros((self.basis.n_functions, 3))
        by_point = np.empty((len(self.grid), 3))
        for block, orbital_gradients in self._orbital_gradients():
            other = q[block, None] * (self._orbitals[block] @ twice_density)
            by_orbital += np.einsum("ga,cga->ac", other, orbital_gradients)
            by_point[block] = np.einsum("ga,cga->gc", other, orbital_gradients)
        np.subtract.at(gradient, self.basis.atom_of_function, by_orbital)
        np.add.at(gradient, self.grid.owner, by_point)
        return gradient

    def site_position_jvp(self, density: FloatArray, displacement: FloatArray) -> FloatArray:
        """de_ℓ at fixed D for displacements dr (M,3), shape (M,)."""
        rho = self.density(density)
        drho = np.empty(len(self.grid))
        for block, moved in self._orbital_changes(displacement):
            drho[block] = np.einsum(
                "ga,ga->g", self._orbitals[block] @ (density + density.T), moved
            )
        return self.grid.site_sums(
            self.grid.weight_jvp(displacement) * self.functional.energy(rho)
            + self.grid.weights * self.functional.derivative(rho) * drho
        )

    def potential_position_jvp(self, density: FloatArray, displacement: FloatArray) -> FloatArray:
        """dV_ab at fixed D for displacements dr (M,3), shape (n,n).

        dV_ab = Σ_g (dw_g ε_xc' + w_g ε_xc'' dρ_g) φ_a φ_b + w_g ε_xc' (u_ga φ_b + φ_a u_gb)
        """
        rho = self.density(density)
        first = self.functional.derivative(rho)
        second = self.functional.second_derivative(rho)
        dweights = self.grid.weight_jvp(displacement)
        twice_density = density + density.T
        result = np.zeros((self.basis.n_functions, self.basis.n_functions))
        for block, moved in self._orbital_changes(displacement):
            orbitals, w = self._orbitals[block], self.grid.weights[block]
            drho = np.einsum("ga,ga->g", orbitals @ twice_density, moved)
            # Half of the coefficient of φ_a φ_b joins u_ga; the transpose supplies the rest.
            half = 0.5 * (dweights[block] * first[block] + w * second[block] * drho)
            changed = half[:, None] * orbitals + (w * first[block])[:, None] * moved
            result += changed.T @ orbitals
        return result + result.T

    # -- orbitals at the quadrature points ---------------------------------------------------

    @cached_property
    def _orbitals(self) -> FloatArray:
        """φ_a(x_g), (G,n)."""
        return evaluate(self.basis, self.grid.points)[0]

    def _orbital_gradients(self) -> Iterator[tuple[slice, FloatArray]]:
        """∇φ_a(x_g) in blocks of points: (slice, (3,g,n))."""
        step = max(1, _BLOCK // (3 * self.basis.n_functions))
        for start in range(0, len(self.grid), step):
            block = slice(start, min(start + step, len(self.grid)))
            yield block, evaluate(self.basis, self.grid.points[block], derivatives=1)[1]

    def _orbital_changes(self, displacement: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
        """u_ga = ∇φ_a(x_g)·(dr_owner(g) − dr_atom(a)) in blocks: (slice, (g,n))."""
        of_orbital = displacement[self.basis.atom_of_function]
        for block, gradients in self._orbital_gradients():
            of_point = displacement[self.grid.owner[block]]
            yield (
                block,
                np.einsum("cga,gc->ga", gradients, of_point)
                - np.einsum("cga,ac->ga", gradients, of_orbital),
            )

    def _matrix(self, coefficients: FloatArray) -> FloatArray:
        """Σ_g c_g φ_a(x_g) φ_b(x_g), (n,n)."""
        matrix: FloatArray = self._orbitals.T @ (coefficients[:, None] * self._orbitals)
        return 0.5 * (matrix + matrix.T)

    def _check_shape(self, density: FloatArray) -> None:
        n = self.basis.n_functions
        if density.shape != (n, n):
            raise InputError(f"the density matrix has shape {density.shape}, not ({n}, {n})")
