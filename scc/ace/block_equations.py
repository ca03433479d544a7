r"""Normal equations of a density whose columns fall apart into blocks.

A row of D(r, v̂) belongs to one multipole rank and, above charges, to one element: N is block
diagonal, and blocks are summed, solved and given their prior each on its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from scc.ace.normal_equations import NormalEquations
from scc.ace.prior_choice import Prior, chosen_prior
from scc.arrays import FloatArray


class BlockEquations:
    """:class:`.normal_equations.NormalEquations` whose rows are zero outside of one span.

    Args:
        spans: of the columns: together all of them, none twice.
    """

    def __init__(self, spans: Iterable[slice]) -> None:
        ordered = sorted((int(span.start), int(span.stop)) for span in spans)
        self.parts = {span: NormalEquations(span[1] - span[0]) for span in ordered}
        self.n_columns = ordered[-1][1]

    def add(
        self, rows: FloatArray, targets: FloatArray, weights: FloatArray | float, columns: slice
    ) -> None:
        """Rows X (R, span) with targets y (R,) and weights w ≥ 0, all else being zero."""
        self.parts[columns.start, columns.stop].add(rows, targets, weights)

    @classmethod
    def total(cls, several: Sequence[BlockEquations]) -> BlockEquations:
        """All their rows."""
        result = several[0].scaled(1.0)
        for one in several[1:]:
            for span, part in result.parts.items():
                part.accumulate(one.parts[span])
        return result

    def scaled(self, factor: float) -> BlockEquations:
        """The same rows, their weights times ``factor``."""
        result = BlockEquations(slice(*span) for span in self.parts)
        for span, part in result.parts.items():
            part.accumulate(self.parts[span], factor)
        return result

    def loss(self, solution: FloatArray) -> float:
        """Σ w (Xθ − y)²."""
        return sum(part.loss(solution[slice(*span)]) for span, part in self.parts.items())

    def solve(self, ridge: float, scale: FloatArray) -> FloatArray:
        """The minimiser; see :meth:`.normal_equations.NormalEquations.solve`."""
        solution = np.empty(self.n_columns)
        for span, part in self.parts.items():
            solution[slice(*span)] = part.solve(ridge, scale[slice(*span)])
        return solution

    def joined(self) -> NormalEquations:
        """The same with one dense matrix."""
        matrix, vector = np.zeros((self.n_columns,) * 2), np.zeros(self.n_columns)
        square = 0.0
        for span, part in self.parts.items():
            own = slice(*span)
            matrix[own, own], vector[own] = part.matrix, part.vector
            square += part.square
        return NormalEquations.from_arrays(
            {"matrix": matrix, "vector": vector, "square": np.array(square)}
        )


def solve_chosen(
    parts: Sequence[BlockEquations],
    scales: Mapping[Prior, FloatArray],
    penalties: Sequence[BlockEquations] = (),
) -> tuple[FloatArray, list[Prior]]:
    """θ of all parts and penalties, every block under the prior that it chooses for itself.

    Args:
        parts, penalties: one a fold, see :func:`.prior_choice.chosen_prior`.
        scales: the priors to choose from, and the scale of each column under each.
    """
    solution, priors = np.empty(parts[0].n_columns), []
    for span in parts[0].parts:
        own = slice(*span)
        data = [part.parts[span] for part in parts]
        held = [penalty.parts[span] for penalty in penalties]
        prior = chosen_prior(data, list(scales), lambda one, own=own: scales[one][own], held)  # type: ignore[misc]
        equations = NormalEquations(span[1] - span[0])
        for part in (*data, *held):
            equations.accumulate(part)
        solution[own] = equations.solve(prior[0], scales[prior][own])
        priors.append(prior)
    return solution, priors
