r"""A response that cannot be unstable: χ(r) = −Σ_k B_k B_kᵀ ⪯ 0, from local amplitudes linear in v̂.

Each atom has a few amplitudes, equivariant functions of its surroundings and linear in v̂,

    w_ikLM(r, v̂) = Σ_α c^{Z_i,L}_αk B_αLM(i; r, v̂),        B_α of feature degree 1,

and the response part of the grand potential is

    −½ Σ_{ikLM} w_ikLM² = ½ v̂ᵀ χ v̂,    χ = −BᵀB,    B = ∂w/∂v̂  (amplitudes, M·9).

An amplitude on v̂_i,1 is an induced dipole, on v̂_j,00 − v̂_i,00 a flow of charge along the pair (with
L = 0 both bonds of an oxygen breathe, with L = 1 one takes from the other), and one amplitude of
several terms couples them. Features are projections on the density functions themselves (one width,
λ ≤ 2), so that −Bᵀw are multipoles. B sees v̂_00 in differences only: B·(common shift) = 0, hence
what it induces adds up to zero net charge, site by site.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse

from scc.ace.basis import Basis, BasisState, BoundBasis
from scc.ace.coefficients import checked_coefficients
from scc.ace.compiled import CompiledCoefficients
from scc.ace.density_model import L_MAX, N_MULTIPOLES
from scc.ace.specification import BasisSpecification
from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.errors import InputError


@dataclass(frozen=True, eq=False)
class ResponseModel:
    """Parameters of χ(r).

    Attributes
    ----------
    specification: basis of feature degree 1 in one width and λ ≤ 2, without functions of degree 0.
    coefficients: {L: (n_species, n_L, n_k)} for every output L; n_k may differ between L.

    Raises
    ------
    InputError: another specification, or shapes that do not belong to it, values not finite.
    """

    specification: BasisSpecification
    coefficients: Mapping[int, FloatArray]

    def __post_init__(self) -> None:
        specification, put = self.specification, object.__setattr__
        features = specification.features
        if len(features.widths) != 1 or features.l_max != L_MAX:
            raise InputError(f"a response has one feature width and λ ≤ 2, not {features}")
        basis = Basis(specification)
        degrees = [basis.feature_degrees(total) for total in specification.l_out]
        if any(np.any(degree != 1) for degree in degrees):
            raise InputError("a response has functions of feature degree 1 and no others")
        if set(self.coefficients) != set(specification.l_out):
            raise InputError(f"response coefficients are for L = {sorted(self.coefficients)}")
        checked = {}
        for total, values in self.coefficients.items():
            channels = np.shape(values)[-1] if np.ndim(values) == 3 else 1
            shape = (len(specification.species), basis.functions(total), channels)
            checked[total] = checked_coefficients(values, shape, f"response L = {total}")
        put(self, "coefficients", checked)
        put(self, "_basis", basis)
        put(self, "_compiled", basis.compile(checked))

    @property
    def width(self) -> float:
        """σ of features and density functions, bohr."""
        return self.specification.features.widths[0]

    def prepare(self, configuration: Configuration) -> BoundResponse:
        """Bind to a geometry. InputError for an element without parameters."""
        basis: Basis = self._basis  # type: ignore[attr-defined]
        compiled: CompiledCoefficients = self._compiled  # type: ignore[attr-defined]
        return BoundResponse(compiled, basis.prepare(configuration))


class BoundResponse:
    """B and χ at one geometry."""

    def __init__(self, coefficients: CompiledCoefficients, basis: BoundBasis) -> None:
        self._coefficients, self._basis = coefficients, basis
        self.n_atoms = len(basis.kind)

    @cached_property
    def matrix(self) -> scipy.sparse.csr_array:
        """B = ∂w/∂v̂, sparse (amplitudes, 9 M): rows by L, then atom, M, k."""
        zero = self._basis.evaluate(np.zeros((self.n_atoms, N_MULTIPOLES)))
        jacobians = zero.feature_jacobian(self._coefficients)
        rows = [jacobians[total].sparse() for total in self._coefficients]
        return scipy.sparse.csr_array(scipy.sparse.vstack(rows, format="csr"))

    @cached_property
    def transpose(self) -> scipy.sparse.csr_array:
        """Bᵀ."""
        return scipy.sparse.csr_array(self.matrix.T)

    def amplitudes(self, features: FloatArray) -> FloatArray:
        """w, one row, at v̂ (M, 9)."""
        return np.asarray(self.matrix @ np.ravel(features))

    def multipoles(self, amplitudes: FloatArray) -> FloatArray:
        """−Bᵀw, (M, 9): what amplitudes induce."""
        return -np.asarray(self.transpose @ amplitudes).reshape(self.n_atoms, N_MULTIPOLES)

    def apply(self, features: FloatArray) -> FloatArray:
        """χ v̂, (M, 9); χ is symmetric, this is its transpose as well."""
        return self.multipoles(self.amplitudes(features))

    def site_products(self, one: FloatArray, other: FloatArray) -> FloatArray:
        """Σ_kLM a_ikLM b_ikLM of every atom, (M,)."""
        return np.asarray(np.bincount(self.owners, one * other, minlength=self.n_atoms))

    def site_energies(self, amplitudes: FloatArray) -> FloatArray:
        """½ Σ_kLM w_ikLM² of every atom, (M,): they add up to −½ v̂ᵀχv̂."""
        return 0.5 * self.site_products(amplitudes, amplitudes)

    def weighted(self, amplitudes: FloatArray, weights: FloatArray) -> FloatArray:
        """Amplitudes of atom i times a_i, for a (M,)."""
        return np.asarray(amplitudes * weights[self.owners])

    @cached_property
    def owners(self) -> IntArray:
        """The atom of each amplitude."""
        atoms = np.arange(self.n_atoms)
        each = [(2 * total + 1) * c.shape[2] for total, c in self._coefficients.items()]
        return np.concatenate([np.repeat(atoms, count) for count in each])

    def position_vjp(self, features: FloatArray, cotangent: FloatArray) -> FloatArray:
        """∂⟨a, w⟩/∂r at fixed v̂, (M, 3), for a like w."""
        return self._state(features).vjp(self._coefficients, self._split(cotangent))[0]

    def position_jvp(self, features: FloatArray, displacement: FloatArray) -> FloatArray:
        """dw along dr (M, 3) at fixed v̂."""
        moved = self._state(features).jvp(self._coefficients, displacement, None)
        return np.concatenate([moved[total].ravel() for total in self._coefficients])

    def moved_multipoles(self, amplitudes: FloatArray, displacement: FloatArray) -> FloatArray:
        """−(∂B/∂r·dr)ᵀ a at fixed a, (M, 9).

        Row by row of B, so for small systems: ∂B/∂r·dr is w's derivative at unit features.
        """
        result = np.zeros((self.n_atoms, N_MULTIPOLES))
        for place in np.ndindex(result.shape):
            unit = np.zeros_like(result)
            unit[place] = 1.0
            result[place] = -(amplitudes @ self.position_jvp(unit, displacement))
        return result

    def _state(self, features: FloatArray) -> BasisState:
        return self._basis.evaluate(features)

    def _split(self, amplitudes: FloatArray) -> dict[int, FloatArray]:
        """{L: (M, 2L+1, n_k)}."""
        result, start = {}, 0
        for total, values in self._coefficients.items():
            shape = (self.n_atoms, 2 * total + 1, values.shape[2])
            stop = start + int(np.prod(shape))
            result[total] = amplitudes[start:stop].reshape(shape)
            start = stop
        return result
