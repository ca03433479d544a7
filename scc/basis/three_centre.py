r"""Three-centre integrals I[m,c]_ab = ∬ φ_a(x) φ_b(x) v(x−y) Ξ_mc(y), and their derivatives.

Potential functions sit at the atoms, Ξ_mc(x) = Ξ_c(x − r_m). With v = δ these are the three-centre
overlaps W of eq. (2.19); :mod:`scc.electrostatics` uses the same class with v = 1/|x−y|.

Translation invariance gives all derivatives from G = ∬ (∇φ_a) φ_b v Ξ_mc alone: moving an orbital
contributes −G as in (*) of :mod:`scc.basis.pairs`, moving Ξ_mc contributes G_ab + G_ba.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from scc.arrays import FloatArray, IntArray
from scc.basis.hermite import (
    HermiteBlock,
    HermiteExpansion,
    KernelDerivatives,
    bilinear_form,
    gaussian_kernel,
)
from scc.basis.polynomials import monomial_count
from scc.basis.shells import BasisSet
from scc.basis.solid_harmonics import solid_harmonic_coefficients
from scc.errors import InputError


class PotentialFunction(NamedTuple):
    """The 2l+1 functions Ξ(x) = prefactor · R_lµ(x) e^{−exponent |x|²}, not normalised."""

    angular_momentum: int
    exponent: float
    prefactor: float = 1.0


def potential_functions(
    positions: FloatArray, functions: Sequence[PotentialFunction]
) -> tuple[HermiteExpansion, IntArray]:
    """The same functions Ξ_c at every position, and the atom each belongs to.

    Columns run over atoms, then functions, then µ = −l…l: M·n_features in all. By Hobson's theorem
    R_lµ(x) e^{−ax²} = (2a)^{−l} R_lµ(∂_P) e^{−a|x−P|²} at P = 0, exactly, R_lµ being harmonic.

    Raises InputError for l < 0 or exponents that are not positive.
    """
    n_atoms = len(positions)
    for f in functions:
        if f.angular_momentum < 0:
            raise InputError(f"potential function with angular momentum {f.angular_momentum}")
        if not (f.exponent > 0 and np.isfinite(f.exponent) and np.isfinite(f.prefactor)):
            raise InputError(
                f"potential function with exponent {f.exponent}, prefactor {f.prefactor}"
            )
    n_features = sum(2 * f.angular_momentum + 1 for f in functions)
    blocks = []
    start = 0
    for f in functions:
        angular = solid_harmonic_coefficients(f.angular_momentum)
        scale = f.prefactor * (np.pi / f.exponent) ** 1.5 / (2 * f.exponent) ** f.angular_momentum
        component, t = np.nonzero(angular)
        value = scale * angular[component, t]
        atoms = np.arange(n_atoms)[:, None]
        row = t * n_atoms + atoms
        column = atoms * n_features + start + component
        coefficients = sp.coo_array(
            (np.broadcast_to(value, row.shape).ravel(), (row.ravel(), column.ravel())),
            shape=(monomial_count(f.angular_momentum) * n_atoms, n_atoms * n_features),
        )
        blocks.append(
            HermiteBlock(
                f.angular_momentum,
                np.full(n_atoms, f.exponent),
                np.asarray(positions, dtype=np.float64),
                sp.csr_array(coefficients),
            )
        )
        start += 2 * f.angular_momentum + 1
    expansion = HermiteExpansion(tuple(blocks), n_atoms * n_features)
    return expansion, np.repeat(np.arange(n_atoms), n_features)


class ThreeCentreIntegrals:
    """I[m,c]_ab for one basis, kernel v and family of functions with n_c of them at each atom.

    ``functions``: HermiteExpansion whose M·n_c functions run over atoms first. Features v̂ are
    (M, n_c) throughout. Integrals are made on first use and kept: n_pairs·M·n_c numbers, and
    three to six times that for derivatives.
    """

    def __init__(
        self, basis: BasisSet, functions: HermiteExpansion, kernel: KernelDerivatives
    ) -> None:
        self.basis = basis
        self.pairs = basis.pair_densities
        self.functions = functions
        self.kernel = kernel
        self.n_features = functions.n_functions // len(basis)
        if self.n_features * len(basis) != functions.n_functions:
            raise InputError(
                f"{functions.n_functions} functions do not divide among {len(basis)} atoms"
            )

    @cached_property
    def _values(self) -> FloatArray:
        """I on pairs a ≥ b: (n_pairs, M·n_c)."""
        return bilinear_form(self.kernel, self.pairs.expansion, self.functions)

    @cached_property
    def _gradient(self) -> FloatArray:
        """G on ordered pairs: (3, n_ordered, M·n_c)."""
        form = bilinear_form(self.kernel, self.pairs.gradient_expansion, self.functions)
        return form.reshape(3, self.pairs.n_ordered, self.functions.n_functions)

    def full(self) -> FloatArray:
        """All I[m,c]_ab as (M, n_c, n, n); for small systems."""
        n = self.basis.n_functions
        array = np.zeros((len(self.basis), self.n_features, n, n))
        values = self._values.T.reshape(len(self.basis), self.n_features, -1)
        array[:, :, self.pairs.first, self.pairs.second] = values
        array[:, :, self.pairs.second, self.pairs.first] = values
        return array

    def feature_matrix(self, features: FloatArray) -> FloatArray:
        """Σ_mc v̂_mc I[m,c]: (n, n), eq. (2.19)."""
        return self.pairs.unpack(self._values @ self._flat(features))

    def feature_contract(self, matrix: FloatArray) -> FloatArray:
        """⟨A, I[m,c]⟩ = Σ_ab A_ab I[m,c]_ab: (M, n_c), the adjoint of :meth:`feature_matrix`."""
        return self._shaped(self.pairs.pack(matrix) @ self._values)

    def position_contract(self, matrix: FloatArray, features: FloatArray) -> FloatArray:
        """∂/∂r Σ_ab,mc A_ab v̂_mc I[m,c]_ab at fixed A and v̂: (M, 3)."""
        v = self._flat(features)
        orbitals = self.pairs.orbital_contract(matrix, self._gradient @ v)
        moving = self._shaped3(self.pairs.pack_ordered(matrix) @ self._gradient) * features
        total: FloatArray = orbitals + moving.sum(axis=2).T
        return total

    def position_perturb(self, displacement: FloatArray, features: FloatArray) -> FloatArray:
        """Σ_k ∂/∂r_k (Σ_mc v̂_mc I[m,c]_ab) · dr_k at fixed v̂, for dr (M, 3): (n, n)."""
        v = self._flat(features)
        moving = np.zeros(self.pairs.n_ordered)
        for axis in range(3):
            moved = displacement[:, axis, None] * features
            moving += self._gradient[axis] @ moved.ravel()
        return self.pairs.orbital_perturb(
            displacement, self._gradient @ v
        ) + self.pairs.unpack_symmetrised(moving)

    def feature_position_jvp(self, matrix: FloatArray, displacement: FloatArray) -> FloatArray:
        """⟨A, Σ_k ∂I[m,c]/∂r_k · dr_k⟩ for A (n, n), dr (M, 3): (M, n_c)."""
        weights = self.pairs.pack_ordered(matrix)
        total = np.zeros((len(self.basis), self.n_features))
        for axis in range(3):
            moved = displacement[self.pairs.ordered_atom, axis] * weights
            total -= self._shaped(moved @ self._gradient[axis])
            total += displacement[:, axis, None] * self._shaped(weights @ self._gradient[axis])
        return total

    def full_position_derivative(self) -> FloatArray:
        """∂I[m,c]_ab/∂r_k as (M, 3, M, n_c, n, n); for small systems."""
        n, n_atoms = self.basis.n_functions, len(self.basis)
        g = np.zeros((3, n, n, n_atoms, self.n_features))
        g[:, self.pairs.ordered_first, self.pairs.ordered_second] = self._gradient.reshape(
            3, -1, n_atoms, self.n_features
        )
        result = np.zeros((n_atoms, 3, n_atoms, self.n_features, n, n))
        moving = np.transpose(g + g.swapaxes(1, 2), (3, 0, 4, 1, 2))  # (m, i, c, a, b)
        left = np.transpose(g, (1, 0, 3, 4, 2))  # (a, i, m, c, b)
        for k in range(n_atoms):
            result[k, :, k] += moving[k]
            here = np.nonzero(self.basis.atom_of_function == k)[0]
            for a in here:
                result[k, :, :, :, a, :] -= left[a]
                result[k, :, :, :, :, a] -= left[a]
        return result

    def _flat(self, features: FloatArray) -> FloatArray:
        expected = (len(self.basis), self.n_features)
        if np.shape(features) != expected:
            raise InputError(f"features have shape {np.shape(features)}, not {expected}")
        return np.asarray(features, dtype=np.float64).ravel()

    def _shaped(self, values: FloatArray) -> FloatArray:
        return values.reshape(len(self.basis), self.n_features)

    def _shaped3(self, values: FloatArray) -> FloatArray:
        return values.reshape(3, len(self.basis), self.n_features)


class ThreeCentreOverlap(ThreeCentreIntegrals):
    """W[m,c]_ab = ∫ φ_a φ_b Ξ_mc, the same potential functions at every atom, eq. (2.19)."""

    def __init__(self, basis: BasisSet, functions: Sequence[PotentialFunction]) -> None:
        expansion, _ = potential_functions(basis.positions, functions)
        super().__init__(basis, expansion, gaussian_kernel)
