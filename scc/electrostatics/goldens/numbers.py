r"""Real numbers with a rigorous error bound (ball arithmetic of Arb), and the decimals written out.

Every number of a golden system is computed with :data:`BITS` bits; a ball carries the bound on its
rounding errors through all cancellations, so digits that rounding has touched are never printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from scc.errors import ConvergenceError

BITS = 224  # 67 decimal digits
DIGITS = 25  # significant decimals written
ZERO = 1e-32  # of the scale of a result: smaller numbers are zero by symmetry
AGREEMENT = 1e-28  # of the scale of a result, between two splittings

Real = Any  # flint.arb
ExactArray = NDArray[np.object_]  # of flint.arb


def working_precision() -> Any:
    """Context with :data:`BITS` bits; one object each, as they do not nest."""
    return flint.ctx.workprec(BITS)


def exact(value: float) -> Real:
    """The ball of radius zero around a float."""
    return flint.arb(value)


def exact_array(values: Sequence[Any]) -> ExactArray:
    """Nested floats as balls of radius zero."""
    array = np.asarray(values, dtype=np.float64)
    result = np.empty(array.shape, dtype=object)
    result.ravel()[:] = [flint.arb(float(value)) for value in array.flat]
    return result


def zeros(*shape: int) -> ExactArray:
    """Exact zeros."""
    result = np.empty(shape, dtype=object)
    result.fill(flint.arb(0))
    return result


def ufunc(name: str, values: ExactArray) -> ExactArray:
    """A method of the ball (``exp``, ``erf``, …) at every element."""
    result = np.empty(values.shape, dtype=object)
    result.ravel()[:] = [getattr(value, name)() for value in values.flat]
    return result


def largest(values: ExactArray | Real) -> Real:
    """Upper bound of the absolute values."""
    flat = np.asarray(values, dtype=object).flat
    return max((value.abs_upper() for value in flat), default=flint.arb(0))


def agreed_decimals(name: str, first: ExactArray, second: ExactArray, scale: Real) -> Any:
    """Two computations of the same numbers as one nested list of decimals (:data:`DIGITS` digits).

    Args:
        scale: errors and zeros are judged against the larger of this and the largest number.
    Raises:
        ConvergenceError: the two differ, or rounding errors are too large.
    """
    first = np.asarray(first, dtype=object)
    scale = max(scale, largest(first))
    difference = largest(first - second)
    if not difference <= AGREEMENT * scale:
        raise ConvergenceError(
            f"{name}: two splittings differ by {difference.str(3)} of {scale.str(3)}"
        )
    result = np.empty(first.shape, dtype=object)
    result.ravel()[:] = [_decimal(value, ZERO * scale) for value in first.flat]
    return result.tolist()


def _decimal(value: Real, noise: Real) -> Decimal:
    if not abs(value) > noise:
        return Decimal(0)
    return Decimal(value.str(DIGITS, radius=False, more=True)).normalize()
