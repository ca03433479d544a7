r"""The linear algebra of a constrained stationary point: H x + c ν = a, c·x = b, H symmetric.

c = 0 stands for no constraint; ν is then 0. Small systems are solved densely. Large ones, known by
products H x alone, by conjugate gradients on the surface c·x = b (Gould, Hribar & Nocedal, SIAM J.
Sci. Comput. 23 (2001) 1376) with the constraint preconditioner of a diagonal P > 0: one product an
iteration, and a direction of negative curvature there, which conjugate gradients cannot use, is
noticed. Indefinite systems are then left to GMRES.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dgetrf, dgetrs

from scc.arrays import FloatArray
from scc.equilibration.krylov import REQUESTED, solve_krylov
from scc.errors import ConvergenceError

DENSE_BELOW = 500
"""Unknowns up to which H is assembled column by column."""

_ACCEPTED = 1e-9  # largest residual of what is called solved, relative
# Steps without halving the residual after which conjugate gradients are given up: thirteen digits
# in a thousand steps are a halving every 23.
_PATIENCE = 200

Product = Callable[[FloatArray], FloatArray]


class SaddlePoint(NamedTuple):
    """x (the shape of c), ν, and whether the curvature was positive wherever it was looked at."""

    x: FloatArray
    multiplier: float
    definite: bool


def assembled(apply: Product, shape: tuple[int, ...]) -> FloatArray:
    """H (n, n) on flattened arrays of ``shape``, made symmetric."""
    size = int(np.prod(shape))
    matrix = np.empty((size, size))
    for index, unit in enumerate(np.eye(size)):
        matrix[:, index] = apply(unit.reshape(shape)).ravel()
    return 0.5 * (matrix + matrix.T)


def surface_basis(normal: FloatArray) -> FloatArray:
    """Orthonormal columns (n, n − 1) that span {x : c·x = 0}; all of the space (n, n) for c = 0."""
    c = normal.ravel()
    length = float(np.linalg.norm(c))
    if length == 0.0:
        return np.eye(c.size)
    reflector = c / length
    reflector[0] += np.copysign(1.0, reflector[0])
    reflection = np.eye(c.size) - 2.0 * np.outer(reflector, reflector) / (reflector @ reflector)
    return reflection[:, 1:]


def solve_dense(
    matrix: FloatArray, normal: FloatArray, right: FloatArray, level: float
) -> SaddlePoint:
    """From H (n, n) by factorising the bordered matrix; ``definite`` is not looked at.

    Raises:
        ConvergenceError: the bordered matrix is singular to working precision.
    """
    size = normal.size
    c = normal.ravel()
    bordered = np.zeros((size + 1, size + 1))
    bordered[:size, :size] = matrix
    bordered[:size, size] = bordered[size, :size] = c
    if not np.any(c):
        bordered[size, size] = 1.0
        level = 0.0
    target = np.append(right.ravel(), level)
    # Rows and columns of one size: the condition number is that of the physics, not of units.
    largest = np.max(np.abs(bordered), axis=1)
    if not np.all(np.isfinite(largest) & (largest > 0.0)):
        row = int(np.argmin(np.isfinite(largest) & (largest > 0.0)))
        raise ConvergenceError(
            f"saddle-point equation not solved: row {row} of its matrix has size {largest[row]}"
        )
    scale = 1.0 / np.sqrt(largest)
    scaled = scale[:, None] * bordered * scale
    factors, pivots, zero = dgetrf(scaled)
    if zero:
        raise ConvergenceError("saddle-point equation not solved: its matrix is singular")
    solution = dgetrs(factors, pivots, scale * target)[0]
    solution = solution + dgetrs(factors, pivots, scale * target - scaled @ solution)[0]
    defect = float(np.max(np.abs(scaled @ solution - scale * target)))
    reach = max(float(np.max(np.abs(solution))), float(np.max(np.abs(scale * target))))
    if not defect <= _ACCEPTED * reach:
        raise ConvergenceError(
            f"saddle-point equation not solved: relative residual {defect / reach:.2e} "
            "(its matrix is singular to working precision)"
        )
    x = scale * solution
    return SaddlePoint(x[:size].reshape(normal.shape), float(x[size]), True)


def solve_on_surface(
    apply: Product,
    normal: FloatArray,
    right: FloatArray,
    level: float,
    diagonal: FloatArray,
    *,
    tolerance: float = REQUESTED,
    max_steps: int = 1000,
    truncate: bool = False,
    precondition: Product | None = None,
    start: FloatArray | None = None,
) -> SaddlePoint:
    """By products H x alone.

    Args:
        diagonal: P > 0 (the shape of c), about the diagonal of H.
        tolerance: of |Hx + cν − a| relative to |Hx₀ − a|, x₀ the first x, in the norm of P⁻¹.
        truncate: at a direction of negative curvature give back what has been found until then (or
            that direction): a descent direction, not a solution. Otherwise GMRES takes over.
        precondition: r ↦ P⁻¹r, symmetric and positive definite, where P is more than a diagonal.
        start: of which x₀ takes the part tangent to the surface. Conjugate gradients never leave
            the symmetry of a and x₀: a random start lets them see every direction.
    Raises:
        ConvergenceError: not solved: singular to working precision, a product that is not finite,
            or too many steps.
    """
    project = _Projection(normal, precondition or (lambda r: r / diagonal))
    x = project.particular(level)
    if start is not None:
        x = x + project.tangent(start)
    residual = right - apply(x) if np.any(x) else right
    scale = project.size(residual)
    if scale == 0.0:
        return SaddlePoint(x, 0.0, True)
    steps, before = 0, np.inf
    while True:  # restarts from the true residual: refinement
        residual, multiplier = project.split(residual)
        size = project.size(residual)
        # No gain: rounding, or a singular operator. The check below tells them apart.
        if size <= tolerance * scale or size > 0.5 * before or steps >= max_steps:
            break
        before = size
        found = _conjugate_gradients(apply, project, residual, tolerance * scale, max_steps - steps)
        steps += found.steps
        if not found.definite:
            if truncate:
                return SaddlePoint(x + found.x, multiplier, False)
            return _indefinite(apply, normal, right, level, diagonal)
        x = x + found.x
        residual = right - apply(x)
    if not size <= max(_ACCEPTED, 10.0 * tolerance) * scale:
        raise ConvergenceError(
            f"saddle-point equation not solved: relative residual {size / scale:.2e} "
            f"after {steps} steps"
        )
    off = abs(float(np.vdot(normal, x)) - level)
    if not off <= _ACCEPTED * float(np.linalg.norm(normal) * np.linalg.norm(x)):
        raise ConvergenceError(f"saddle-point equation not solved: off its surface by {off:.2e}")
    return SaddlePoint(x, multiplier, True)


class _Projection:
    """What P and c do: preconditioning on the surface and the multiplier of a residual."""

    def __init__(self, normal: FloatArray, inverse: Product) -> None:
        self._c, self.inverse = normal, inverse
        self._weighted = inverse(normal)
        self._square = float(np.vdot(normal, self._weighted))

    def particular(self, level: float) -> FloatArray:
        """The smallest x in the norm of P with c·x = ``level``."""
        if self._square == 0.0:
            return np.zeros_like(self._c)
        return level / self._square * self._weighted

    def tangent(self, x: FloatArray) -> FloatArray:
        """The nearest in the norm of P with c·x = 0."""
        return x - self.particular(float(np.vdot(self._c, x)))

    def split(self, residual: FloatArray) -> tuple[FloatArray, float]:
        """(r − cν, ν) with c·P⁻¹(r − cν) = 0: preconditioned, the first is tangent."""
        if self._square == 0.0:
            return residual, 0.0
        multiplier = float(np.vdot(self._weighted, residual)) / self._square
        return residual - multiplier * self._c, multiplier

    def size(self, residual: FloatArray) -> float:
        """√(r·P⁻¹r)."""
        return float(np.sqrt(np.vdot(residual, self.inverse(residual))))


class _Found(NamedTuple):
    x: FloatArray
    steps: int
    definite: bool


def _conjugate_gradients(
    apply: Product, project: _Projection, residual: FloatArray, target: float, max_steps: int
) -> _Found:
    """Minimise ½x·Hx − x·r on c·x = 0 from x = 0; r as ``split`` leaves it.

    Until √(r·P⁻¹r) is half the target, or does not halve any more.
    """
    x = np.zeros_like(residual)
    direction = project.inverse(residual)
    square = least = float(np.vdot(residual, direction))
    halved = 0
    for step in range(1, max_steps + 1):
        product = apply(direction)
        curvature = float(np.vdot(direction, product))
        if not np.isfinite(curvature):
            raise ConvergenceError(
                f"saddle-point equation not solved: curvature {curvature} at step {step}"
            )
        if curvature <= 0.0:
            return _Found(x if np.any(x) else direction, step, False)
        length = square / curvature
        x = x + length * direction
        # Without its part along c the residual does not fill up with what is not wanted of it.
        residual = project.split(residual - length * product)[0]
        preconditioned = project.inverse(residual)
        following = float(np.vdot(residual, preconditioned))
        if following <= 0.25 * least:
            least, halved = following, step
        if following <= 0.25 * target**2 or step - halved >= _PATIENCE:
            break
        direction = preconditioned + following / square * direction
        square = following
    return _Found(x, step, True)


def _indefinite(
    apply: Product, normal: FloatArray, right: FloatArray, level: float, diagonal: FloatArray
) -> SaddlePoint:
    """GMRES on both equations, scaled by √P."""
    shape, size = normal.shape, normal.size
    root = np.sqrt(diagonal)
    c = normal / root
    length = float(np.linalg.norm(c))
    c = c / length if length > 0.0 else c

    def bordered(flat: FloatArray) -> FloatArray:
        x = flat[:size].reshape(shape)
        above = apply(x / root) / root + c * flat[size]
        below = float(np.vdot(c, x)) if length > 0.0 else float(flat[size])
        return np.append(above.ravel(), below)

    target = np.append((right / root).ravel(), level / length if length > 0.0 else 0.0)
    solution = solve_krylov(bordered, target, "saddle-point equation")
    multiplier = float(solution[size]) / length if length > 0.0 else 0.0
    return SaddlePoint(solution[:size].reshape(shape) / root, multiplier, False)
