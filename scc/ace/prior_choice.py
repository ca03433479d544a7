r"""The prior of a least-squares fit, chosen by cross-validation inside the fit.

A prior is a ridge and an exponent γ of the scale (1 + d)^γ of columns of degree d; where products
of three factors are many, also a factor κ of their scale, for which large values leave the model of
the order below. With the rows dealt to folds k, of normal equations N_k, a candidate is judged by

    Σ_k loss_k(θ_k),     θ_k the solution of Σ_{j≠k} N_j (and their penalties) under that prior,

the same weighted squares that the fit minimises, on rows that had no part in θ_k. All that it costs
is solutions: rows are made once. Models with few and with many functions choose by the same rule,
each for itself; folds are over trajectories, and test clusters have no part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scc.ace.normal_equations import NormalEquations
from scc.ace.reference_frame import ReferenceFrame
from scc.ace.reference_set import ReferenceSet
from scc.arrays import FloatArray, IntArray
from scc.errors import InputError

Prior = tuple[float, ...]
"""Ridge, γ, and κ where it is not 1."""


def prior_scale(
    degree: FloatArray, order: IntArray, smoothness: float, high: float = 1.0
) -> FloatArray:
    """(1 + d)^γ of each column, times κ for products of more than two factors."""
    return np.asarray((1.0 + degree) ** smoothness * np.where(order > 2, high, 1.0))


def described(prior: Prior) -> str:
    """For progress lines."""
    return " ".join(f"{number:g}" for number in prior)


def fold_labels(frames: Sequence[ReferenceFrame], number: int) -> IntArray:
    """The fold of each frame, 0 … number − 1: fewer folds where there are fewer trajectories."""
    labels = np.zeros(len(frames), dtype=np.int64)
    number = min(number, len({frame.group for frame in frames}))
    if number > 1:
        for fold, members in enumerate(ReferenceSet(tuple(frames)).folds(number)):
            labels[members] = fold
    return labels


def chosen_prior(
    parts: Sequence[NormalEquations],
    candidates: Sequence[Prior],
    scale: Callable[[Prior], FloatArray],
    penalties: Sequence[NormalEquations] = (),
) -> Prior:
    """The candidate with the least loss on left-out parts; the first of equal ones.

    Args:
        parts: normal equations, one a fold.
        scale: prior → its scale of each column.
        penalties: one a fold, which a fit has to itself and validation does not count.
    Raises:
        InputError: no candidates, fewer than two parts, or only candidates whose ridge is below the
            rounding of the normal equations.
    """
    if not candidates or len(parts) < 2:
        raise InputError(f"{len(candidates)} priors and {len(parts)} folds: nothing to choose")
    losses = dict.fromkeys(candidates, 0.0)
    for left_out in range(len(parts)):
        rest = NormalEquations(len(parts[left_out].vector))
        for terms in (parts, penalties):
            for fold, part in enumerate(terms):
                if fold != left_out:
                    rest.accumulate(part)
        for prior in list(losses):
            try:
                solution = rest.solve(prior[0], scale(prior))
            except InputError:  # a ridge that rounding swallows is no candidate
                del losses[prior]
            else:
                losses[prior] += parts[left_out].loss(solution)
    if not losses:
        raise InputError(f"all ridges of {list(candidates)} are below rounding")
    return min(losses, key=lambda prior: losses[prior])
