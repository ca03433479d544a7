"""Leja points: a nested sequence of interpolation points that attains the rate of Lemma 7."""

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError

# A thousand points have a spacing four times coarser than this grid; enough in practice is 200.
_CANDIDATES_PER_INTERVAL = 4001


def leja_points(X: SpectralSet, count: int) -> FloatArray:
    """x_{n+1} = argmax over X of Π_{j≤n} |x − x_j|, starting at the lower end of X; (count,).

    The maximum is taken over a fixed grid of 4001 points an interval, so the sequence is nested:
    leja_points(X, n)[:m] equals leja_points(X, m). Leja points are distributed like the
    equilibrium measure of X (F. Leja 1957; L. Reichel, BIT 30 (1990) 332), which is all the
    geometric rate of interpolation depends on.

    Raises InputError for fewer than one point or more than a quarter of the grid.
    """
    if not 1 <= count <= _CANDIDATES_PER_INTERVAL // 4:
        raise InputError(
            f"number of Leja points must be in 1..{_CANDIDATES_PER_INTERVAL // 4}, got {count}"
        )
    candidates = X.sample(_CANDIDATES_PER_INTERVAL)
    log_product = np.zeros_like(candidates)
    points = np.empty(count)
    points[0] = candidates[0]
    with np.errstate(divide="ignore"):
        for n in range(1, count):
            log_product += np.log(np.abs(candidates - points[n - 1]))
            points[n] = candidates[np.argmax(log_product)]
    return points
