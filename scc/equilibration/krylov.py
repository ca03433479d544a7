"""Linear equations with an operator known by its products: GMRES that refuses bad solutions."""

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from scc.arrays import FloatArray
from scc.errors import ConvergenceError

# GMRES is asked for what float64 can give; a solution whose true residual is worse than
# ``_ACCEPTED`` (relative) is refused.
REQUESTED = 1e-13
_ACCEPTED = 1e-9


def solve_krylov(
    apply: Callable[[FloatArray], FloatArray],
    right: FloatArray,
    name: str,
    *,
    precondition: Callable[[FloatArray], FloatArray] = lambda x: x,
    tolerance: float = REQUESTED,
    verified: bool = True,
) -> FloatArray:
    """x with ``apply(x)`` = ``right``, arrays of any one shape, by left-preconditioned GMRES.

    Raises ConvergenceError, naming the equation, when the relative residual of the preconditioned
    equation stays above max(1e-9, 10 tolerance): the operator is singular to working precision.
    ``verified=False`` leaves that, one more product, to a caller who looks at the residual anyway.
    """
    shape, size = right.shape, right.size
    scale = float(np.max(np.abs(right), initial=0.0))
    if scale == 0.0:
        return np.zeros(shape)
    operator = LinearOperator(
        (size, size),
        matvec=lambda x: precondition(apply(x.reshape(shape))).ravel(),
        dtype=np.float64,
    )
    target = precondition(right / scale).ravel()  # squares of 1e-200 are zero
    x, _ = gmres(operator, target, rtol=tolerance, atol=0.0, restart=min(size, 150), maxiter=3)
    if not verified:
        return np.asarray(scale * x.reshape(shape))
    defect = np.linalg.norm(operator.matvec(x) - target) / np.linalg.norm(target)
    if not defect <= max(_ACCEPTED, 10.0 * tolerance):
        raise ConvergenceError(
            f"{name} not solved: relative residual {defect:.2e} "
            "(the state is unstable or nearly so)"
        )
    return np.asarray(scale * x.reshape(shape))
