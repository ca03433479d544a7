"""Pair densities φ_a φ_b, and ∂φ_a φ_b, as Hermite expansions.

Every integral of this package and of :mod:`scc.electrostatics` that contains two orbitals at a
point is linear in these. Moving an atom moves its orbitals, ∂φ_a/∂r_k = −δ_{atom(a),k} ∇φ_a, so
for any linear functional I_ab = I[φ_a φ_b] whose definition does not move,

    ∂I_ab/∂r_k = −δ_{atom(a),k} g_ab − δ_{atom(b),k} g_ba,     g_ab = I[(∇φ_a) φ_b].        (*)
"""

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from scc.arrays import FloatArray, IntArray
from scc.basis.hermite import HermiteBlock, HermiteExpansion
from scc.basis.polynomials import monomial_count
from scc.basis.products import (
    SCREENING,
    PrimitiveProducts,
    primitive_products,
    surviving_pairs,
)
from scc.basis.shells import BasisSet


class PairDensities:
    """The n_pairs products φ_a φ_b, a ≥ b, that are not negligible (products.SCREENING).

    ``first``, ``second`` (n_pairs,) are the a and b of each; ``ordered_first``, ``ordered_second``
    (n_ordered,) list (a, b) and (b, a) both, as the not symmetric (∇φ_a) φ_b needs.
    """

    def __init__(self, basis: BasisSet, screening: float = SCREENING) -> None:
        self.basis = basis
        self.screening = screening
        n = basis.n_functions
        products = list(primitive_products(basis, 0, 0, triangle=True, screening=screening))
        kept = np.zeros((n, n), dtype=bool)
        for product in products:
            a, b = _function_pairs(product)
            kept[a.ravel(), b.ravel()] = True
        kept = np.tril(kept)
        self.first, self.second = np.nonzero(kept)
        self._pair_index = np.full((n, n), -1)
        self._pair_index[self.first, self.second] = np.arange(len(self.first))
        self.ordered_first, self.ordered_second = np.nonzero(kept | kept.T)
        self.expansion = _collect(products, self._pair_index, 1)

    @property
    def n_pairs(self) -> int:
        """Number of pairs a ≥ b kept."""
        return len(self.first)

    @property
    def n_ordered(self) -> int:
        """Number of ordered pairs (a, b) kept."""
        return len(self.ordered_first)

    @cached_property
    def gradient_expansion(self) -> HermiteExpansion:
        """(∂_i φ_a) φ_b as function i·n_ordered + o, o numbering ordered pairs."""
        n = self.basis.n_functions
        index = np.full((n, n), -1)
        index[self.ordered_first, self.ordered_second] = np.arange(self.n_ordered)
        products = primitive_products(self.basis, 1, 0, triangle=False, screening=self.screening)
        return _collect(products, index, 3)

    def pack(self, matrix: FloatArray) -> FloatArray:
        """Weights w (n_pairs,) with Σ_ab A_ab I_ab = Σ_pairs w I for symmetric I; any A (n, n)."""
        weights = matrix[self.first, self.second] + matrix[self.second, self.first]
        weights[self.first == self.second] *= 0.5
        return weights

    def unpack(self, values: FloatArray) -> FloatArray:
        """The symmetric (n, n) matrix with entries ``values`` (n_pairs,), zero where screened."""
        n = self.basis.n_functions
        matrix = np.zeros((n, n))
        matrix[self.first, self.second] = values
        matrix[self.second, self.first] = values
        return matrix

    def pack_ordered(self, matrix: FloatArray) -> FloatArray:
        """2·A_ab of the symmetric part of A, at the ordered pairs (n_ordered,)."""
        a, b = self.ordered_first, self.ordered_second
        packed: FloatArray = matrix[a, b] + matrix[b, a]
        return packed

    def unpack_symmetrised(self, values: FloatArray) -> FloatArray:
        """h + hᵀ for h (n, n) with entries ``values`` (n_ordered,)."""
        n = self.basis.n_functions
        matrix = np.zeros((n, n))
        matrix[self.ordered_first, self.ordered_second] = values
        return matrix + matrix.T

    def unpack_gradient(self, values: FloatArray) -> FloatArray:
        """g_i,ab (3, n, n) from values on the functions of :attr:`gradient_expansion`."""
        n = self.basis.n_functions
        dense = np.zeros((3, n, n))
        dense[:, self.ordered_first, self.ordered_second] = values.reshape(3, -1)
        return dense

    @cached_property
    def ordered_atom(self) -> IntArray:
        """The atom of φ_a for each ordered pair (a, b) (n_ordered,)."""
        atoms: IntArray = self.basis.atom_of_function[self.ordered_first]
        return atoms

    def orbital_contract(self, matrix: FloatArray, gradient: FloatArray) -> FloatArray:
        """Σ_ab A_ab ∂I_ab/∂r of (*), with g as ``gradient`` (3, n_ordered): (M, 3)."""
        return sum_by_atom(
            self.ordered_atom, -self.pack_ordered(matrix) * gradient, len(self.basis)
        )

    def orbital_perturb(self, displacement: FloatArray, gradient: FloatArray) -> FloatArray:
        """Σ_k ∂I_ab/∂r_k · dr_k of (*), with g as ``gradient`` (3, n_ordered): (n, n)."""
        moved = displacement[self.ordered_atom]
        return self.unpack_symmetrised(-np.einsum("oi,io->o", moved, gradient))


def count_pairs(basis: BasisSet, screening: float = SCREENING) -> int:
    """``PairDensities(basis).n_pairs`` without making them, to know beforehand what they cost."""
    kept = np.zeros((basis.n_functions, basis.n_functions), dtype=bool)
    for a in basis.primitives:
        for b in basis.primitives:
            i, j = surviving_pairs(basis, a, b, True, screening)
            for left in range(2 * a.angular_momentum + 1):
                for right in range(2 * b.angular_momentum + 1):
                    kept[a.first_function[i] + left, b.first_function[j] + right] = True
    return int(np.count_nonzero(np.tril(kept)))


def sum_by_atom(atoms: IntArray, values: FloatArray, n_atoms: int) -> FloatArray:
    """Sums values (3, k) over the entries of each atom: (n_atoms, 3)."""
    return np.stack([np.bincount(atoms, v, minlength=n_atoms) for v in values], axis=1)


def _function_pairs(product: PrimitiveProducts) -> tuple[IntArray, IntArray]:
    """Function indices a and b of each product, broadcast to (k, 2l+1, 2m+1)."""
    n_left, n_right = product.coefficients.shape[3], product.coefficients.shape[5]
    a = product.first_functions[:, 0, None, None] + np.arange(n_left)[:, None]
    b = product.first_functions[:, 1, None, None] + np.arange(n_right)
    a, b = np.broadcast_arrays(a, b)
    return a, b


def _collect(
    products: Iterable[PrimitiveProducts], pair_index: IntArray, n_axes: int
) -> HermiteExpansion:
    """One expansion from products; function axis·n + pair_index[a, b], −1 meaning not wanted.

    Products with the same two primitive exponents at the same two atoms share their Hermite
    Gaussians: the s and p functions of a Pople basis, and (a, b) with (b, a).
    """
    products = list(products)
    n_pairs = int(pair_index.max()) + 1
    labels = np.concatenate([np.sort(p.labels, axis=1) for p in products])
    order_of_product = np.concatenate([np.full(len(p.exponents), p.order) for p in products])
    exponents = np.concatenate([p.exponents for p in products])
    centres = np.concatenate([p.centres for p in products])
    _, representative, centre = np.unique(labels, axis=0, return_index=True, return_inverse=True)
    centre = centre.ravel()
    orders = np.zeros(len(representative), dtype=np.int64)
    np.maximum.at(orders, centre, order_of_product)
    exponents, centres = exponents[representative], centres[representative]

    entries: dict[int, list[tuple[FloatArray, IntArray, IntArray]]] = {
        int(order): [] for order in np.unique(orders)
    }
    place = np.empty(len(orders), dtype=np.int64)  # within the block of its order
    size = {}
    for order in entries:
        members = orders == order
        size[order] = int(members.sum())
        place[members] = np.arange(size[order])
    start = 0
    for product in products:
        here = centre[start : start + len(product.exponents)]
        start += len(product.exponents)
        a, b = _function_pairs(product)
        pair = pair_index[a, b]
        for order in np.unique(orders[here]):
            chosen = np.nonzero(orders[here] == order)[0]
            # (k, t, axis, left component, right component)
            values = product.coefficients[chosen][:, :, :, :, 0, :]
            t = np.arange(monomial_count(product.order))[:, None, None, None]
            row = t * size[order] + place[here[chosen]][:, None, None, None, None]
            column = np.arange(n_axes)[:, None, None] * n_pairs + pair[chosen][:, None, None]
            row, column = np.broadcast_to(row, values.shape), np.broadcast_to(column, values.shape)
            wanted = (values != 0) & np.broadcast_to(pair[chosen][:, None, None] >= 0, values.shape)
            entries[order].append((values[wanted], row[wanted], column[wanted]))
    blocks = []
    for order, parts in entries.items():
        members = orders == order
        value, row, column = (np.concatenate(x) for x in zip(*parts, strict=True))
        coefficients = sp.coo_array(
            (value, (row, column)),
            shape=(monomial_count(order) * size[order], n_axes * n_pairs),
        )
        blocks.append(
            HermiteBlock(order, exponents[members], centres[members], sp.csr_array(coefficients))
        )
    return HermiteExpansion(tuple(blocks), n_axes * n_pairs)
