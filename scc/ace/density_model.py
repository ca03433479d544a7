r"""The local density: multipoles p(r, v̂) of ρ − ν, linear in coefficients and affine in v̂.

    p_iλµ = Σ_α c^{Z_i,λ}_α B^λµ_α(i),  λ = 1, 2,
    p_i00 by charge flows (:mod:`.charge_flow`) of strengths
    s_ik = s̄^{Z_i}_k + Σ_α c^{Z_i,0}_αk B⁰_α(i)

with basis functions of feature degree at most one, so that p = b(r) + χ(r) v̂ with χ = ∂p/∂v̂.

Site i's density is its own dipole and quadrupole, and the charge it hands to neighbours: exactly
nothing in it depends on positions or v̂ beyond the cut-off of i.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse

from scc.ace.basis import Basis, BasisState, BoundBasis
from scc.ace.charge_flow import ChargeFlow
from scc.ace.coefficients import checked_coefficients, checked_width
from scc.ace.compiled import CompiledCoefficients
from scc.ace.feature_jacobian import block_rows
from scc.ace.radial import flow_functions
from scc.ace.specification import BasisSpecification
from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.errors import InputError

L_MAX = 2
N_MULTIPOLES = (L_MAX + 1) ** 2


@dataclass(frozen=True, eq=False)
class DensityModel:
    """Parameters of p(r, v̂).

    Attributes
    ----------
    specification: of the basis: outputs 0, 1, 2, feature degree at most 1.
    width: σ_ρ of the Gaussian density functions, bohr, the same for all elements.
    n_flow: number of radial functions R̃_n of the flows; n_channels = n_flow · n_species.
    coefficients: {0: (n_species, n_0, n_channels), 1: (n_species, n_1, 1), 2: (n_species, n_2, 1)}.
    flow_offsets: s̄, (n_species, n_channels).

    Raises
    ------
    InputError: shapes that do not belong to the specification, values that are not finite.
    """

    specification: BasisSpecification
    width: float
    n_flow: int
    coefficients: Mapping[int, FloatArray]
    flow_offsets: FloatArray

    def __post_init__(self) -> None:
        put = object.__setattr__
        specification = self.specification
        if tuple(specification.l_out) != (0, 1, 2):
            raise InputError(f"a density has outputs 0, 1, 2, not {specification.l_out}")
        if specification.feature_degree > 1:
            raise InputError(
                f"a density is affine in the features: degree {specification.feature_degree}"
            )
        put(self, "width", checked_width(self.width, "density"))
        if self.n_flow < 1:
            raise InputError(f"charge flows need at least one radial function, not {self.n_flow}")
        basis = Basis(specification)
        n_species = len(specification.species)
        outputs = {0: self.n_channels, 1: 1, 2: 1}
        if set(self.coefficients) != set(outputs):
            raise InputError(f"density coefficients are for λ = {sorted(self.coefficients)}")
        put(
            self,
            "coefficients",
            {
                L: checked_coefficients(
                    self.coefficients[L], (n_species, basis.functions(L), n), f"density λ = {L}"
                )
                for L, n in outputs.items()
            },
        )
        offsets = checked_coefficients(
            self.flow_offsets, (n_species, self.n_channels), "flow offsets"
        )
        put(self, "flow_offsets", offsets)
        put(self, "_basis", basis)
        put(self, "_compiled", basis.compile(self.coefficients))

    @property
    def n_channels(self) -> int:
        """Flow strengths of a site."""
        return self.n_flow * len(self.specification.species)

    def prepare(self, configuration: Configuration) -> BoundDensity:
        """Bind to a geometry. InputError for an element without parameters."""
        basis: Basis = self._basis  # type: ignore[attr-defined]
        compiled: CompiledCoefficients = self._compiled  # type: ignore[attr-defined]
        return BoundDensity(self, compiled, basis.prepare(configuration), configuration)


class BoundDensity:
    """p(r, ·) = b + χ v̂ at one geometry."""

    def __init__(
        self,
        model: DensityModel,
        coefficients: CompiledCoefficients,
        basis: BoundBasis,
        configuration: Configuration,
    ) -> None:
        self.model, self.coefficients, self.basis = model, coefficients, basis
        specification = model.specification
        self.n_atoms = len(configuration)
        self.feature_shape = (self.n_atoms, specification.features.n_features)
        self.flow = ChargeFlow(
            configuration,
            specification.species,
            specification.cutoff,
            flow_functions(specification.cutoff, model.n_flow),
        )
        self.offsets = model.flow_offsets[basis.kind]

    def evaluate(self, features: FloatArray) -> DensityState:
        """p and its derivatives at v̂ (M, F)."""
        return DensityState(self, features)

    @cached_property
    def without_field(self) -> FloatArray:
        """b = p(r, 0), (M, 9)."""
        outputs = self._zero.contract(self.coefficients)
        return assemble(self.flow.charges(outputs[0][:, 0, :] + self.offsets), outputs)

    @cached_property
    def slopes(self) -> scipy.sparse.bsr_array:
        """∂(s, p_1, p_2)/∂v̂ in blocks of neighbours, (M (n_channels + 8), M F)."""
        jacobians = self._zero.feature_jacobian(self.coefficients)
        return block_rows([jacobians[L] for L in (0, 1, 2)])

    @cached_property
    def slopes_transpose(self) -> scipy.sparse.bsr_array:
        """Its transpose, by rows."""
        return self.slopes.T.tobsr()

    @cached_property
    def _zero(self) -> BasisState:
        return self.basis.evaluate(np.zeros(self.feature_shape))


class DensityState:
    """p(r, v̂) and its derivative products at one (r, v̂)."""

    def __init__(self, bound: BoundDensity, features: FloatArray) -> None:
        self._bound, self._features = bound, features
        self.multipoles = bound.without_field + self.feature_jvp(features)
        """p (M, 9)."""

    def feature_jvp(self, direction: FloatArray) -> FloatArray:
        """χ dv̂, (M, 9)."""
        bound = self._bound
        if direction.size == 0:
            return np.zeros((bound.n_atoms, N_MULTIPOLES))
        change = np.asarray(bound.slopes @ direction.ravel()).reshape(bound.n_atoms, -1)
        channels = bound.model.n_channels
        charges = bound.flow.charges(change[:, :channels])
        return np.concatenate([charges[:, None], change[:, channels:]], axis=1)

    def feature_vjp(self, cotangent: FloatArray) -> FloatArray:
        """χᵀ w, (M, F), for w (M, 9)."""
        bound = self._bound
        if bound.feature_shape[1] == 0:
            return np.zeros(bound.feature_shape)
        strengths = bound.flow.strengths_vjp(cotangent[:, 0])
        pulled = np.concatenate([strengths, cotangent[:, 1:]], axis=1)
        return np.asarray(bound.slopes_transpose @ pulled.ravel()).reshape(bound.feature_shape)

    def response_blocks(self, atoms: IntArray) -> FloatArray:
        """χ between the atoms of groups, (G, 9g, gF), for groups (G, g) of atoms.

        Strengths of charge flows on atoms outside a group are left out.
        """
        bound = self._bound
        number, size = atoms.shape
        channels, features = bound.model.n_channels, bound.feature_shape[1]
        if features == 0:
            return np.zeros((number, 9 * size, 0))
        slopes = bound.slopes
        count = len(slopes.indices)
        where = scipy.sparse.csr_array(
            (np.arange(1, count + 1), slopes.indices, slopes.indptr),
            shape=(bound.n_atoms, bound.n_atoms),
        )
        rows, columns = np.broadcast_arrays(atoms[:, :, None], atoms[:, None, :])
        found = _entries(where, rows.ravel(), columns.ravel()).astype(np.intp)
        blocks = slopes.data[np.maximum(found - 1, 0)]
        blocks[found == 0] = 0.0
        blocks = blocks.reshape(number, size, size, -1, features)
        of_channel = columns[..., None] * channels + np.arange(channels)
        flows = _entries(
            bound.flow.matrix.tocsr(),
            np.broadcast_to(rows[..., None], of_channel.shape).ravel(),
            of_channel.ravel(),
        ).reshape(of_channel.shape)
        result = np.empty((number, size, 9, size, features))
        result[:, :, 0] = np.einsum("gilc,glkcf->gikf", flows, blocks[..., :channels, :])
        result[:, :, 1:] = blocks[..., channels:, :].transpose(0, 1, 3, 2, 4)
        return result.reshape(number, 9 * size, size * features)

    def position_jvp(self, displacement: FloatArray) -> FloatArray:
        """dp (M, 9) along dr (M, 3) at fixed v̂."""
        flow = self._bound.flow
        outputs = self._basis.jvp(self._bound.coefficients, displacement, None)
        charges = flow.charges(outputs[0][:, 0, :])
        return assemble(charges + flow.position_jvp(self.strengths, displacement), outputs)

    def position_vjp(self, cotangent: FloatArray) -> FloatArray:
        """∂⟨w, p⟩/∂r at fixed v̂, (M, 3), for w (M, 9)."""
        flow = self._bound.flow
        pulled = {
            0: flow.strengths_vjp(cotangent[:, 0])[:, None, :],
            1: cotangent[:, 1:4, None],
            2: cotangent[:, 4:9, None],
        }
        positions, _ = self._basis.vjp(self._bound.coefficients, pulled)
        return positions + flow.position_vjp(self.strengths, cotangent[:, 0])

    def site_multipoles(self, site: int) -> FloatArray:
        """ρ_i of site i as multipoles on all atoms, (M, 9); they add up to p over the sites."""
        density = np.zeros_like(self.multipoles)
        only = np.zeros_like(self.strengths)
        only[site] = self.strengths[site]
        density[:, 0] = self._bound.flow.charges(only)
        density[site, 1:] = self.multipoles[site, 1:]
        return density

    @cached_property
    def strengths(self) -> FloatArray:
        """s (M, n_channels)."""
        outputs = self._basis.contract(self._bound.coefficients.only([0]))
        return np.asarray(outputs[0][:, 0, :] + self._bound.offsets)

    @cached_property
    def _basis(self) -> BasisState:
        return self._bound.basis.evaluate(self._features)


def assemble(charges: FloatArray, outputs: Mapping[int, FloatArray]) -> FloatArray:
    """p (M, 9) from p_00 (M,) and the outputs {1: (M, 3, 1), 2: (M, 5, 1)}."""
    return np.concatenate([charges[:, None], outputs[1][:, :, 0], outputs[2][:, :, 0]], axis=1)


def _entries(matrix: scipy.sparse.csr_array, rows: IntArray, columns: IntArray) -> FloatArray:
    """Entries of a sparse matrix, 0 where there is none."""
    found = matrix[rows, columns]  # dense or sparse, as the version of SciPy has it
    dense = found.toarray() if scipy.sparse.issparse(found) else found
    return np.asarray(dense, dtype=np.float64).ravel()
