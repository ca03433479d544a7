"""The response as a function of its coefficients: one row of numbers ↔ a ResponseModel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scc.ace.basis import Basis, BasisSpecification
from scc.ace.variational_response import ResponseModel
from scc.arrays import FloatArray


class ResponseDesign:
    """The coefficients c as one row of numbers ↔ a :class:`ResponseModel`.

    Args:
        specification: of the response.
        channels: n_k of each output L.
    """

    def __init__(self, specification: BasisSpecification, channels: Mapping[int, int]) -> None:
        self.specification, self.basis = specification, Basis(specification)
        n_species = len(specification.species)
        self.shapes = {
            total: (n_species, self.basis.functions(total), channels[total])
            for total in specification.l_out
        }
        self.n_columns = sum(int(np.prod(shape)) for shape in self.shapes.values())

    @property
    def degree(self) -> FloatArray:
        """Degree of the function of each coefficient, (n_columns,)."""
        return self.pack(
            {
                total: np.broadcast_to(self.basis.degrees(total)[None, :, None], shape)
                for total, shape in self.shapes.items()
            }
        )

    def pack(self, coefficients: Mapping[int, FloatArray]) -> FloatArray:
        """(n_columns,) of {L: (n_species, n_L, n_k)}."""
        return np.concatenate([np.ravel(coefficients[total]) for total in self.shapes])

    def unpack(self, row: FloatArray) -> dict[int, FloatArray]:
        """The inverse of :meth:`pack`."""
        ends = np.cumsum([np.prod(shape) for shape in self.shapes.values()])
        parts = np.split(row, ends[:-1].astype(int))
        return {
            total: part.reshape(shape)
            for (total, shape), part in zip(self.shapes.items(), parts, strict=True)
        }

    def model(self, row: FloatArray) -> ResponseModel:
        """The response with these coefficients."""
        return ResponseModel(self.specification, self.unpack(row))

    def start(self, rng: np.random.Generator, size: float = 0.3, noise: float = 0.02) -> FloatArray:
        """Multipoles induced on every atom, charge flowing to its hydrogens, and a little of all.

        c = 0 is a saddle point of any quadratic function of c; a start must not be there.
        """
        result = {}
        for total, shape in self.shapes.items():
            values = noise * rng.normal(size=shape)
            names = self.basis.labels(total)
            for name in (f"v1{total}", f"A[H,0,({total},v10)→{total}]"):
                if name in names and shape[2] > 0:
                    values[:, names.index(name), 0] = size
            result[total] = values
        return self.pack(result)
