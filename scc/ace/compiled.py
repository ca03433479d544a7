r"""Coefficients of a basis as polynomials in the one-body objects, each made once.

    out_LM,o = Σ_t W_t,Mo Π_k A_{t_k},        W = (combination of L)ᵀ c,    one W for each element.

What a model keeps: W depends on no geometry, and costs as much as a small cluster's basis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy

import numpy as np

from scc.ace.products import Products
from scc.arrays import FloatArray
from scc.errors import InputError

Coefficients = Mapping[int, FloatArray]
"""{L: (n_species, n_L, n_out)}; n_out may differ between L."""


class CompiledCoefficients(Mapping[int, FloatArray]):
    """The mapping of ``coefficients``, which must not change, and its polynomials.

    Raises
    ------
    InputError: coefficients of a shape that is not the basis's.
    """

    def __init__(self, products: Products, n_species: int, coefficients: Coefficients) -> None:
        for total, values in coefficients.items():
            number = products.combination[total].shape[0] // (2 * total + 1)
            if values.ndim != 3 or values.shape[:2] != (n_species, number):
                raise InputError(
                    f"coefficients of L = {total} have shape {values.shape}, the basis needs "
                    f"({n_species}, {number}, n_out)"
                )
        self._products, self._coefficients = products, dict(coefficients)
        self._made: dict[tuple[int, int], FloatArray] = {}

    @classmethod
    def of(
        cls, products: Products, n_species: int, coefficients: Coefficients
    ) -> CompiledCoefficients:
        """These coefficients, as they are if they have been compiled."""
        if isinstance(coefficients, cls):
            return coefficients
        return cls(products, n_species, coefficients)

    def __getitem__(self, total: int) -> FloatArray:
        return self._coefficients[total]

    def __iter__(self) -> Iterator[int]:
        return iter(self._coefficients)

    def __len__(self) -> int:
        return len(self._coefficients)

    def only(self, totals: Iterable[int]) -> CompiledCoefficients:
        """Those of some L, in this order."""
        part = copy(self)
        part._coefficients = {total: self[total] for total in totals}
        return part

    def polynomials(self, species: int) -> FloatArray:
        """W of one element, (n_monomials, Σ_L (2L+1) n_out), L by L."""
        return np.concatenate([self._polynomial(total, species) for total in self], axis=1)

    def _polynomial(self, total: int, species: int) -> FloatArray:
        if (total, species) not in self._made:
            matrix, values = self._products.combination[total], self._coefficients[total][species]
            number = len(values)
            columns = [
                matrix[m * number : (m + 1) * number].T @ values for m in range(2 * total + 1)
            ]
            self._made[total, species] = np.concatenate(columns, axis=1)
        return self._made[total, species]
