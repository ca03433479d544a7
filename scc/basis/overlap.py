"""Two-orbital integrals: overlap, kinetic energy, dipole, and how they move with the atoms.

All are linear in the products φ_a φ_b (or of their gradients), so the position derivatives have
the common form (*) of :mod:`scc.basis.pairs`, here with n×n arrays.
"""

from collections.abc import Callable
from functools import cached_property, partial

import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.basis.pairs import sum_by_atom
from scc.basis.products import primitive_products
from scc.basis.shells import BasisSet


class OneElectronIntegral:
    """A symmetric ``matrix`` I_ab (n, n) that moves with the orbitals only.

    ∂I_ab/∂r_k = −δ_{atom(a),k} g_ab − δ_{atom(b),k} g_ba with g = ``gradient`` (3, n, n), which
    ``make_gradient`` computes when first asked for.
    """

    def __init__(
        self, basis: BasisSet, matrix: FloatArray, make_gradient: Callable[[], FloatArray]
    ) -> None:
        self.basis = basis
        self.matrix = matrix
        self._make_gradient = make_gradient

    @cached_property
    def gradient(self) -> FloatArray:
        """g_i,ab, i = x, y, z (3, n, n)."""
        return self._make_gradient()

    def position_derivative(self) -> FloatArray:
        """∂I_ab/∂r_k as one array (M, 3, n, n); for small systems."""
        atoms = self.basis.atom_of_function
        owner = (atoms[None, :] == np.arange(len(self.basis))[:, None]).astype(np.float64)
        left = -owner[:, None, :, None] * self.gradient[None]
        derivative: FloatArray = left + left.swapaxes(2, 3)
        return derivative

    def position_contract(self, weights: FloatArray) -> FloatArray:
        """Σ_ab A_ab ∂I_ab/∂r_k for weights A (n, n): (M, 3)."""
        by_function = -np.einsum("ab,iab->ia", weights + weights.T, self.gradient)
        return sum_by_atom(self.basis.atom_of_function, by_function, len(self.basis))

    def position_perturb(self, displacement: FloatArray) -> FloatArray:
        """Σ_k ∂I_ab/∂r_k · dr_k for a displacement dr (M, 3): (n, n)."""
        moved = displacement[self.basis.atom_of_function]
        half = -np.einsum("ai,iab->ab", moved, self.gradient)
        perturbed: FloatArray = half + half.T
        return perturbed


def overlap(basis: BasisSet) -> OneElectronIntegral:
    """S_ab = ∫ φ_a φ_b, dimensionless."""
    pairs = basis.pair_densities
    return OneElectronIntegral(
        basis,
        pairs.unpack(pairs.expansion.charges()),
        lambda: pairs.unpack_gradient(pairs.gradient_expansion.charges()),
    )


def kinetic(basis: BasisSet) -> OneElectronIntegral:
    """T_ab = ½ ∫ ∇φ_a · ∇φ_b in Hartree, eq. (2.14) before orthogonalisation."""
    n = basis.n_functions
    matrix = np.zeros((n, n))
    for product in primitive_products(basis, 1, 1, triangle=False, order=0):
        a, b = _indices(product.coefficients.shape, product.first_functions)
        values = 0.5 * np.einsum("kiaib->kab", product.coefficients[:, 0])
        np.add.at(matrix, (a, b), values)
    return OneElectronIntegral(basis, 0.5 * (matrix + matrix.T), lambda: _kinetic_gradient(basis))


def _kinetic_gradient(basis: BasisSet) -> FloatArray:
    """½ Σ_j ∫ (∂_i ∂_j φ_a) ∂_j φ_b: (3, n, n)."""
    gradient = np.zeros((3, basis.n_functions, basis.n_functions))
    for product in primitive_products(basis, 2, 1, triangle=False, order=0):
        a, b = _indices(product.coefficients.shape, product.first_functions)
        k, _, _, left, _, right = product.coefficients.shape
        second = product.coefficients[:, 0].reshape(k, 3, 3, left, 3, right)
        values = 0.5 * np.einsum("kijajb->ikab", second)
        for axis in range(3):
            np.add.at(gradient[axis], (a, b), values[axis])
    return gradient


def dipole(basis: BasisSet) -> tuple[OneElectronIntegral, OneElectronIntegral, OneElectronIntegral]:
    """X_i,ab = ∫ φ_a x_i φ_b in bohr about the (fixed) origin, i = x, y, z."""
    pairs = basis.pair_densities
    moments = pairs.expansion.first_moments()

    def gradient(axis: int) -> FloatArray:
        return pairs.unpack_gradient(pairs.gradient_expansion.first_moments()[axis])

    x, y, z = (
        OneElectronIntegral(basis, pairs.unpack(moments[axis]), partial(gradient, axis))
        for axis in range(3)
    )
    return x, y, z


def uniform_field(basis: BasisSet, field: FloatArray) -> OneElectronIntegral:
    """∫ φ_a (E·x) φ_b: the potential energy +E·x of an electron in an electric field E (3,)."""
    integrals = dipole(basis)
    return OneElectronIntegral(
        basis,
        np.einsum("i,iab->ab", field, np.array([x.matrix for x in integrals])),
        lambda: np.einsum("i,ijab->jab", field, np.array([x.gradient for x in integrals])),
    )


def _indices(shape: tuple[int, ...], first: IntArray) -> tuple[IntArray, IntArray]:
    """Function indices a (k, left, 1) and b (k, 1, right) of products."""
    a = first[:, 0, None, None] + np.arange(shape[3])[:, None]
    b = first[:, 1, None, None] + np.arange(shape[5])
    return a, b
