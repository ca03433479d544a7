r"""The basis at one (r, v̂): values and derivative products, and sums with coefficients.

out_LM,o(i) = Σ_α c^{Z_i,L}_αo B_αLM(i). Of one element with given coefficients every out is a
polynomial in the one-body objects A, with about as many monomials as the basis has in all,
whatever the number of functions: sums with coefficients never form the functions.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scc.ace.compiled import Coefficients, CompiledCoefficients
from scc.ace.feature_jacobian import FeatureJacobian
from scc.ace.neighbour_densities import BoundDensities
from scc.ace.products import Products
from scc.arrays import FloatArray, IntArray
from scc.errors import InputError

_LARGEST = 1 << 20  # numbers in an intermediate: 8 MB
_TOGETHER = 64  # atoms whose ∂A/∂v̂ are made at once


class BasisState:
    """Everything at one (r, v̂); made by ``BoundBasis.evaluate``."""

    def __init__(
        self,
        products: Products,
        densities: BoundDensities,
        atoms_of: list[IntArray],
        features: FloatArray,
    ) -> None:
        self._products, self._densities, self._atoms_of = products, densities, atoms_of
        self.features = features
        """v̂, (M, F)."""
        self._components = densities.components(features)

    def values(self, total: int) -> FloatArray:
        """B, (M, 2L+1, n_L)."""
        monomials = self._products.monomials.evaluate(self._components)
        values = self._products.combination[total] @ monomials
        return np.moveaxis(values.reshape(2 * total + 1, -1, len(self.features)), 2, 0)

    def contract(self, coefficients: Coefficients) -> dict[int, FloatArray]:
        """Σ_α c B, {L: (M, 2L+1, n_out)}."""
        result = np.zeros((_outputs(coefficients), len(self.features)))
        compiled = self._compiled(coefficients)
        for species, atoms in self._by_species():
            weights = compiled.polynomials(species)
            result[:, atoms] = self._products.monomials.contract(
                weights, self._components[:, atoms]
            )
        return _split(result, coefficients)

    def jvp(
        self,
        coefficients: Coefficients,
        displacement: FloatArray | None = None,
        direction: FloatArray | None = None,
    ) -> dict[int, FloatArray]:
        """d Σ_α c B along dr (M, 3) and dv̂ (M, F), {L: (M, 2L+1, n_out)}."""
        change = np.zeros_like(self._components)
        if displacement is not None:
            moved = np.asarray(displacement, dtype=np.float64)
            change += self._densities.position_jvp(self.features, moved)
        if direction is not None:
            change += self._densities.feature_jvp(np.asarray(direction, dtype=np.float64))
        result = np.zeros((_outputs(coefficients), len(self.features)))
        compiled = self._compiled(coefficients)
        for species, atoms in self._by_species():
            weights = compiled.polynomials(species)
            result[:, atoms] = self._products.monomials.contract_jvp(
                weights, self._components[:, atoms], change[:, atoms]
            )
        return _split(result, coefficients)

    def vjp(
        self, coefficients: Coefficients, cotangents: Mapping[int, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """(∂/∂r (M, 3), ∂/∂v̂ (M, F)) of Σ ⟨w, out⟩ for cotangents {L: (M, 2L+1, n_out)}."""
        compiled = self._compiled(coefficients).only(cotangents)
        joined = _join(cotangents, compiled, len(self.features))
        pulled = np.zeros_like(self._components)
        for species, atoms in self._by_species():
            weights = compiled.polynomials(species)
            pulled[:, atoms] = self._products.monomials.contract_vjp(
                weights, self._components[:, atoms], joined[:, atoms]
            )
        return self._densities.vjp(self.features, pulled)

    def feature_jacobian(self, coefficients: Coefficients) -> dict[int, FeatureJacobian]:
        """∂out/∂v̂ in blocks of atoms, for each L of the coefficients.

        Costs a few ``contract``; its products with vectors cost next to nothing, and with d_v ≤ 1
        they are exact at every v̂.
        """
        monomials, densities = self._products.monomials, self._densities
        count, n_features = self.features.shape
        n_out, n_marked = _outputs(coefficients), len(monomials.marked)
        pairs = np.empty((len(densities.first), n_out, n_features))
        own = np.empty((count, n_out, n_features))
        compiled = self._compiled(coefficients)
        weights = {
            species: monomials.marked_weights(compiled.polynomials(species))
            for species, _ in self._by_species()
        }
        for start in range(0, count, _TOGETHER):  # what is in between stays in the cache
            some = slice(start, min(start + _TOGETHER, count))
            pulled = np.zeros((n_out, n_marked, some.stop - start))
            for species, atoms in self._by_species() if n_marked else ():
                here = atoms[(atoms >= some.start) & (atoms < some.stop)]
                gradient = monomials.marked_gradient(weights[species], self._components[:, here])
                pulled[:, :, here - start] = gradient
            these = densities.pairs_of(some)
            for output, row in enumerate(pulled):
                found = densities.feature_vjp(row, some, these)
                pairs[these, output], own[some, output] = found
        first, second = densities.first, densities.second
        of_pairs, of_own = _views(pairs, coefficients), _views(own, coefficients)
        return {
            total: FeatureJacobian(first, second, of_pairs[total], of_own[total])
            for total in coefficients
        }

    def summed_gradient(self) -> list[tuple[FloatArray, FloatArray]]:
        """For each species the gradients of Σ_i B⁰_α(i) over its atoms i, for all α at once.

        ∂/∂r (n_0, M, 3) and ∂/∂v̂ (n_0, M, F). For small systems.
        """
        number, (count, n_features) = self._products.combination[0].shape[0], self.features.shape
        result = []
        for atoms in self._atoms_of:
            positions = np.zeros((number, count * 3))
            features = np.zeros((number, count * n_features))
            for some in self._portions(atoms):
                components = self._components[:, some]
                slopes = self._densities.position_slopes(self.features, some)
                jacobian = self._products.jacobian(0, components)
                positions += jacobian @ slopes.reshape(jacobian.shape[1], count * 3)
                if n_features:
                    slopes = self._densities.feature_slopes(some)
                    jacobian = self._products.marked_jacobian(0, components)
                    features += jacobian @ slopes.reshape(jacobian.shape[1], count * n_features)
            result.append(
                (
                    positions.reshape(number, count, 3),
                    features.reshape(number, count, n_features),
                )
            )
        return result

    def feature_slopes(self, total: int) -> FloatArray:
        """∂B/∂v̂ of every function, dense: (M, 2L+1, n_L, M, F). For small systems."""
        count, n_features = self.features.shape
        rows = self._products.combination[total].shape[0]
        result = np.zeros((count, rows, count * n_features))
        for atom in range(count if n_features else 0):
            slopes = self._densities.feature_slopes(np.array([atom]))[0]
            jacobian = self._products.marked_jacobian(total, self._components[:, [atom]])
            result[atom] = jacobian @ slopes.reshape(len(slopes), count * n_features)
        shape = (count, 2 * total + 1, rows // (2 * total + 1), count, n_features)
        return result.reshape(shape)

    def _portions(self, atoms: IntArray) -> list[IntArray]:
        """So many atoms at once that their dense slopes stay small."""
        each = len(self._components) * len(self.features) * max(3, self.features.shape[1])
        length = max(1, _LARGEST // max(each, 1))
        return [atoms[start : start + length] for start in range(0, len(atoms), length)]

    def _by_species(self) -> list[tuple[int, IntArray]]:
        return [(kind, atoms) for kind, atoms in enumerate(self._atoms_of) if len(atoms)]

    def _compiled(self, coefficients: Coefficients) -> CompiledCoefficients:
        return CompiledCoefficients.of(self._products, len(self._atoms_of), coefficients)


def _outputs(coefficients: Coefficients) -> int:
    return sum((2 * total + 1) * values.shape[2] for total, values in coefficients.items())


def _split(outputs: FloatArray, coefficients: Coefficients) -> dict[int, FloatArray]:
    """(Σ_L (2L+1)·n_out, n, …) → {L: (n, 2L+1, n_out, …)}."""
    result, start = {}, 0
    for total, values in coefficients.items():
        shape = (2 * total + 1, values.shape[2])
        piece = outputs[start : start + shape[0] * shape[1]]
        piece = piece.reshape(*shape, *outputs.shape[1:])
        result[total] = np.ascontiguousarray(np.moveaxis(piece, 2, 0))
        start += shape[0] * shape[1]
    return result


def _views(rows: FloatArray, coefficients: Coefficients) -> dict[int, FloatArray]:
    """(n, Σ_L (2L+1)·n_out, F) → {L: (n, 2L+1, n_out, F)}, without copies."""
    result, start = {}, 0
    for total, values in coefficients.items():
        shape = (2 * total + 1, values.shape[2])
        piece = rows[:, start : start + shape[0] * shape[1]]
        result[total] = piece.reshape(len(rows), *shape, rows.shape[2])
        start += shape[0] * shape[1]
    return result


def _join(pieces: Mapping[int, FloatArray], coefficients: Coefficients, atoms: int) -> FloatArray:
    """The inverse of :func:`_split`. InputError for a piece of another shape."""
    rows = []
    for total, values in coefficients.items():
        shape = (atoms, 2 * total + 1, values.shape[2])
        if np.shape(pieces[total]) != shape:
            raise InputError(
                f"cotangent of L = {total} has shape {np.shape(pieces[total])}, not {shape}"
            )
        rows.append(np.moveaxis(pieces[total], 0, 2).reshape(shape[1] * shape[2], atoms))
    return np.concatenate(rows)
