"""Linear equations with an operator known by its products: GMRES that refuses bad solutions."""

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from scc.arrays import FloatArray
from scc.errors import ConvergenceError

# GMRES is asked for what float64 can give; a solution whose true residual is worse than
# ``ACCEPTED`` (relative) is refused.
REQUESTED = 1e-13
ACCEPTED = 1e-9


def solve_krylov(
    apply: Callable[[FloatArray], FloatArray],
    right: FloatArray,
    name: str,
    *,
    precondition: Callable[[FloatArray], FloatArray] = lambda x: x,
    tolerance: float = REQUESTED,
) -> FloatArray:
    """x with ``apply(x)`` = ``right``, arrays of any one shape, by left-preconditioned GMRES.

    Raises ConvergenceError, naming the equation, when the relative residual of the preconditioned
    equation stays above max(1e-9, 10 tolerance): the operator is singular to working precision.
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
    defect = np.linalg.norm(operator.matvec(x) - target) / np.linalg.norm(target)
    if not defect <= max(ACCEPTED, 10.0 * tolerance):
        raise ConvergenceError(
            f"{name} not solved: relative residual {defect:.2e} "
            "(the state is unstable or nearly so)"
        )
    return np.asarray(scale * x.reshape(shape))


def smallest_residual(
    apply: Callable[[FloatArray], FloatArray],
    right: FloatArray,
    largest: float,
    max_steps: int = 150,
) -> FloatArray:
    """x of the Krylov space of ``right`` with the least |right − apply(x)|₂ (GMRES, no restarts).

    The space grows, one product a step, until no *component* of the residual exceeds ``largest``;
    until its growth, or ``max_steps``, ends otherwise. Nothing is verified: that is the caller's,
    who looks at the true residual next.
    """
    shape = right.shape
    size = float(np.linalg.norm(right))
    if size == 0.0:
        return np.zeros(shape)
    space = np.zeros((max_steps + 1, right.size))
    space[0] = right.ravel() / size
    hessenberg = np.zeros((max_steps + 1, max_steps))
    for step in range(max_steps):
        product = apply(space[step].reshape(shape)).ravel()
        length = float(np.linalg.norm(product))
        for _ in range(2):  # twice is enough for orthogonality to rounding
            overlap = space[: step + 1] @ product
            hessenberg[: step + 1, step] += overlap
            product = product - overlap @ space[: step + 1]
        beyond = float(np.linalg.norm(product))
        hessenberg[step + 1, step] = beyond
        table = hessenberg[: step + 2, : step + 1]
        target = np.zeros(step + 2)
        target[0] = size
        solution = np.linalg.lstsq(table, target)[0]
        exhausted = beyond <= 1e-15 * length
        if not exhausted:
            space[step + 1] = product / beyond
        residual = (target - table @ solution) @ space[: step + 2]
        if exhausted or float(np.max(np.abs(residual))) <= largest:
            break
    return np.asarray((solution @ space[: len(solution)]).reshape(shape))
