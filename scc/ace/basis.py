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

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from scc.ace.channels import channels_of
from scc.ace.feature_jacobian import FeatureJacobian
from scc.ace.neighbour_densities import BoundDensities, DensityTables
from scc.ace.products import FunctionList, Products
from scc.ace.specification import BasisSpecification, TotalDegree
from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.errors import InputError

__all__ = ["Basis", "BasisSpecification", "BasisState", "BoundBasis", "TotalDegree"]

Coefficients = Mapping[int, FloatArray]
"""{L: (n_species, n_L, n_out)}; n_out may differ between L."""


class Basis:
    """Index tables and couplings of a specification."""

    def __init__(self, specification: BasisSpecification) -> None:
        self.specification = specification
        self.channels = channels_of(specification)
        self.products = Products(specification, self.channels)
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

    def _list(self, total: int) -> FunctionList:
        if total not in self.products.functions:
            raise InputError(f"L = {total} is no output of this basis: {self.specification.l_out}")
        return self.products.functions[total]


class BoundBasis:
    """A basis at one geometry."""

    def __init__(self, basis: Basis, configuration: Configuration) -> None:
        self.basis, self.configuration = basis, configuration
        number = {symbol: index for index, symbol in enumerate(basis.specification.species)}
        for atom, symbol in enumerate(configuration.species):
            if symbol not in number:
                known = ", ".join(number)
                raise InputError(f"atom {atom} is {symbol}; this basis knows {known}")
        self.kind = np.array([number[s] for s in configuration.species], dtype=np.int64)
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
        return BasisState(self, values)

    def linear_in_features(self, total: int) -> LinearFunctions:
        """B = constant + linear part, written out. InputError unless d_v ≤ 1. For small systems."""
        if self.basis.specification.feature_degree > 1:
            raise InputError("this basis is not affine in the features: feature degree 2")
        nothing = np.zeros((len(self.configuration), self.basis.specification.features.n_features))
        state = self.evaluate(nothing)
        linear = np.flatnonzero(self.basis.feature_degrees(total) == 1)
        slopes = state.feature_slopes(total)[:, :, linear]
        return LinearFunctions(state.values(total), linear, slopes)


@dataclass(frozen=True, eq=False)
class LinearFunctions:
    """B(v̂) = constant, plus slopes·v̂ in the functions ``linear``.

    Attributes
    ----------
    constant: (M, 2L+1, n_L), zero in the functions of ``linear``.
    linear: numbers of the functions of feature degree 1, (n_1,).
    slopes: (M, 2L+1, n_1, M, F).
    """

    constant: FloatArray
    linear: IntArray
    slopes: FloatArray


class BasisState:
    """Everything at one (r, v̂)."""

    def __init__(self, bound: BoundBasis, features: FloatArray) -> None:
        self.bound, self.features = bound, features
        self._products = bound.basis.products
        self._components = bound.densities.components(features)

    def values(self, total: int) -> FloatArray:
        """B, (M, 2L+1, n_L)."""
        number = self.bound.basis.functions(total)
        values = self._products.combination[total] @ self._products.evaluate_monomials(
            self._components
        )
        return np.moveaxis(values.reshape(2 * total + 1, number, len(self.features)), 2, 0)

    def contract(self, coefficients: Coefficients) -> dict[int, FloatArray]:
        """Σ_α c B, {L: (M, 2L+1, n_out)}."""
        return self._contracted(
            coefficients, lambda atoms: self._products.evaluate_monomials(self._of(atoms))
        )

    def jvp(
        self,
        coefficients: Coefficients,
        displacement: FloatArray | None = None,
        direction: FloatArray | None = None,
    ) -> dict[int, FloatArray]:
        """d Σ_α c B along dr (M, 3) and dv̂ (M, F), {L: (M, 2L+1, n_out)}."""
        densities = self.bound.densities
        change = np.zeros_like(self._components)
        if displacement is not None:
            change += densities.position_jvp(self.features, np.asarray(displacement, float))
        if direction is not None:
            change += densities.feature_jvp(np.asarray(direction, float))
        return self._contracted(
            coefficients,
            lambda atoms: self._products.monomials_jvp(self._of(atoms), change[:, atoms]),
        )

    def vjp(
        self, coefficients: Coefficients, cotangents: Mapping[int, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """(∂/∂r (M, 3), ∂/∂v̂ (M, F)) of Σ ⟨w, out⟩ for cotangents {L: (M, 2L+1, n_out)}."""
        pulled = np.zeros_like(self._components)
        for species, atoms in self._by_species():
            weights = np.zeros((len(self._products.monomials), len(atoms)))
            for total, cotangent in cotangents.items():
                matrix = self._compiled(coefficients, total, species)
                weights += matrix @ cotangent[atoms].reshape(len(atoms), matrix.shape[1]).T
            pulled[:, atoms] = self._products.monomials_vjp(self._of(atoms), weights)
        return self.bound.densities.vjp(self.features, pulled)

    def feature_jacobian(self, coefficients: Coefficients) -> dict[int, FeatureJacobian]:
        """∂out/∂v̂ in blocks of atoms, for each L of the coefficients."""
        densities = self.bound.densities
        result = {}
        for total, values in coefficients.items():
            outputs = (2 * total + 1) * values.shape[2]
            pulled = np.zeros((outputs, *self._components.shape))
            for species, atoms in self._by_species():
                matrix = self._compiled(coefficients, total, species)
                for row, column in enumerate(matrix.T):
                    weights = np.broadcast_to(column[:, None], (len(column), len(atoms)))
                    pulled[row, :, atoms] = self._products.monomials_vjp(self._of(atoms), weights).T
            found = [densities.feature_vjp(row) for row in pulled]
            shape = (2 * total + 1, values.shape[2], self.features.shape[1])
            pairs = np.stack([pair for pair, _ in found], axis=1)
            own = np.stack([own for _, own in found], axis=1)
            result[total] = FeatureJacobian(
                densities.first,
                densities.second,
                pairs.reshape(len(pairs), *shape),
                own.reshape(len(own), *shape),
            )
        return result

    def summed_gradient(self) -> list[tuple[FloatArray, FloatArray]]:
        """For each species the gradients of Σ_i B⁰_α(i) over its atoms i, for all α at once.

        ∂/∂r (n_0, M, 3) and ∂/∂v̂ (n_0, M, F).
        """
        number, atoms = self.bound.basis.functions(0), len(self.bound.kind)
        shapes = ((number, atoms, 3), (number, atoms, self.features.shape[1]))
        result = [
            (np.zeros(shapes[0]), np.zeros(shapes[1]))
            for _ in self.bound.basis.specification.species
        ]
        densities = self.bound.densities
        for atom, kind in enumerate(self.bound.kind):
            positions, features = result[kind]
            jacobian = self._products.jacobian(0, self._components[:, atom])
            pairs = densities.neighbours(atom)
            moved = _through(jacobian, densities.atom_position_slopes(self.features, pairs))
            positions[:, atom] -= moved.sum(axis=1)
            _add_to(positions, densities.second[pairs], moved)
            if self.features.shape[1]:
                changed, own = densities.atom_feature_slopes(pairs)
                features[:, atom] += jacobian @ own
                _add_to(features, densities.second[pairs], _through(jacobian, changed))
        return result

    def feature_slopes(self, total: int) -> FloatArray:
        """∂B/∂v̂ of every function, dense: (M, 2L+1, n_L, M, F). For small systems."""
        atoms, count = self.features.shape
        number = self.bound.basis.functions(total)
        result = np.zeros((atoms, (2 * total + 1) * number, atoms, count))
        densities = self.bound.densities
        for atom in range(atoms):
            jacobian = self._products.jacobian(total, self._components[:, atom])
            pairs = densities.neighbours(atom)
            changed, own = densities.atom_feature_slopes(pairs)
            result[atom, :, atom] += jacobian @ own
            _add_to(result[atom], densities.second[pairs], _through(jacobian, changed))
        return result.reshape(atoms, 2 * total + 1, number, atoms, count)

    def _of(self, atoms: IntArray) -> FloatArray:
        return np.asarray(self._components[:, atoms])

    def _by_species(self) -> list[tuple[int, IntArray]]:
        kinds = range(len(self.bound.basis.specification.species))
        found = [(kind, np.flatnonzero(self.bound.kind == kind)) for kind in kinds]
        return [(kind, atoms) for kind, atoms in found if len(atoms)]

    def _compiled(self, coefficients: Coefficients, total: int, species: int) -> FloatArray:
        """The outputs of one element as polynomials: (n_monomials, (2L+1)·n_out), index M·n_out+o.

        Raises InputError for coefficients of another shape.
        """
        bound = self.bound.basis
        number = bound.functions(total)
        shape = (len(bound.specification.species), number)
        if coefficients[total].shape[:2] != shape:
            raise InputError(
                f"coefficients of L = {total} have shape {coefficients[total].shape}, "
                f"the basis needs {(*shape, 'n_out')}"
            )
        matrix = self._products.combination[total]
        return np.concatenate(
            [
                matrix[m * number : (m + 1) * number].T @ coefficients[total][species]
                for m in range(2 * total + 1)
            ],
            axis=1,
        )

    def _contracted(
        self, coefficients: Coefficients, monomials: Callable[[IntArray], FloatArray]
    ) -> dict[int, FloatArray]:
        result = {
            total: np.zeros((len(self.bound.kind), 2 * total + 1, values.shape[2]))
            for total, values in coefficients.items()
        }
        for species, atoms in self._by_species():
            values = monomials(atoms)
            for total, out in result.items():
                matrix = self._compiled(coefficients, total, species)
                out[atoms] = (values.T @ matrix).reshape(len(atoms), *out.shape[1:])
        return result


def _through(jacobian: scipy.sparse.csr_array, slopes: FloatArray) -> FloatArray:
    """∂B/∂A ∂A/∂x, (n, P', k), for slopes (n_components, P', k)."""
    columns = slopes.shape[1] * slopes.shape[2]
    product = jacobian @ slopes.reshape(len(slopes), columns)
    return np.asarray(product).reshape(jacobian.shape[0], *slopes.shape[1:])


def _add_to(target: FloatArray, atoms: IntArray, values: FloatArray) -> None:
    """Add values (n, P', k) into target (n, M, k); an atom may come several times (its images)."""
    for place, atom in enumerate(atoms):
        target[:, atom] += values[:, place]
