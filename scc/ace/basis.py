r"""The basis B_αLM(i; r, v̂) of the fitted model: functions of an atom's neighbours and features.

Three objects, in the order they come to life: :class:`Basis` (tables), :class:`BoundBasis` (what
depends on the geometry alone), :class:`BasisState` (values at (r, v̂), and derivative products).
The functions are the same for every centre; coefficients differ by the centre's element:

    out_LM,o(i) = Σ_α c^{Z_i,L}_αo B_αLM(i),    coefficients {L: (n_species, n_L, n_out)}.

Invariant under permutations, translations and a common shift of all v̂_n00; rotations and
reflections turn M like the real solid harmonics R_LM. Zero dependence beyond the cut-off. Lengths
in bohr; features in any unit.
"""

from __future__ import annotations

import numpy as np

from scc.ace.basis_state import BasisState
from scc.ace.coefficients import checked_configuration
from scc.ace.compiled import Coefficients, CompiledCoefficients
from scc.ace.density_tables import DensityTables
from scc.ace.feature_jacobian import FeatureJacobian
from scc.ace.neighbour_densities import BoundDensities
from scc.ace.products import FunctionList, Products
from scc.ace.specification import BasisSpecification, TotalDegree
from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.errors import InputError

__all__ = [
    "Basis",
    "BasisSpecification",
    "BasisState",
    "BoundBasis",
    "FeatureJacobian",
    "TotalDegree",
]


class Basis:
    """Index tables and couplings of a specification."""

    def __init__(self, specification: BasisSpecification) -> None:
        self.specification = specification
        self.products = Products(specification)
        self.channels = self.products.channels
        self.densities = DensityTables(specification, self.channels)

    def functions(self, total: int) -> int:
        """n_L, the number of functions of output L. InputError for an L that is no output."""
        return len(self._list(total).order)

    def orders(self, total: int) -> IntArray:
        """Number of factors of each function, (n_L,)."""
        return self._list(total).order

    def feature_degrees(self, total: int) -> IntArray:
        """Degree in v̂ of each function, (n_L,): functions are homogeneous in v̂."""
        return self._list(total).feature_degree

    def degrees(self, total: int) -> FloatArray:
        """Total degree of each function, (n_L,), for penalties that prefer smooth functions."""
        return self._list(total).degree

    def labels(self, total: int) -> tuple[str, ...]:
        """A readable name of each function: its factors, and the number of the coupling."""
        species = self.specification.species
        found = self._list(total)
        return tuple(
            " ".join(self.channels.channels[c].name(species) for c in factors if c >= 0)
            + (f" #{number}" if number else "")
            for factors, number in zip(found.channels, found.coupling, strict=True)
        )

    def prepare(self, configuration: Configuration) -> BoundBasis:
        """Bind to a geometry. InputError for an atom of another element."""
        return BoundBasis(self, configuration)

    def compile(self, coefficients: Coefficients) -> CompiledCoefficients:
        """The same for :class:`BasisState`, but their polynomials are made once. See there."""
        n_species = len(self.specification.species)
        return CompiledCoefficients(self.products, n_species, coefficients)

    def _list(self, total: int) -> FunctionList:
        if total not in self.products.functions:
            raise InputError(f"L = {total} is no output of this basis: {self.specification.l_out}")
        return self.products.functions[total]


class BoundBasis:
    """A basis at one geometry."""

    def __init__(self, basis: Basis, configuration: Configuration) -> None:
        self.basis, self.configuration = basis, configuration
        self.kind = checked_configuration(configuration, basis.specification.species)
        self.densities = BoundDensities(
            basis.densities, configuration, self.kind, basis.specification.cutoff
        )

    def evaluate(self, features: FloatArray) -> BasisState:
        """Values at v̂ (M, F). InputError for another shape, NaN or infinity."""
        shape = (len(self.configuration), self.basis.specification.features.n_features)
        values = np.asarray(features, dtype=np.float64)
        if values.shape != shape:
            raise InputError(f"features have shape {values.shape}, the basis needs {shape}")
        if not np.all(np.isfinite(values)):
            atom = int(np.argwhere(~np.isfinite(values))[0, 0])
            raise InputError(f"features of atom {atom} are not finite: {values[atom]}")
        atoms = [
            np.flatnonzero(self.kind == k) for k in range(len(self.basis.specification.species))
        ]
        return BasisState(self.basis.products, self.densities, atoms, values)
