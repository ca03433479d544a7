"""Values and derivatives of the orbitals at points, for quadrature.

    φ = R(x) g(|x|²),   ∂_iφ = ∂_iR g + 2 x_i R g',
    ∂_i∂_jφ = ∂_i∂_jR g + 2 (x_j ∂_iR + x_i ∂_jR) g' + (2 δ_ij g' + 4 x_i x_j g'') R,

x = point − centre, g(s) = Σ c_k e^{−a_k s}. Derivatives are with respect to the point; with
respect to the centre they are (−1)^order times these.
"""

import numpy as np

from scc.arrays import FloatArray
from scc.basis.polynomials import derivative_matrices, evaluate_monomials, monomial_count
from scc.basis.shells import BasisSet, Shell
from scc.basis.solid_harmonics import solid_harmonic_coefficients
from scc.errors import InputError


def evaluate(basis: BasisSet, points: FloatArray, derivatives: int = 0) -> tuple[FloatArray, ...]:
    """(φ, ∂φ, ∂∂φ)[: derivatives+1] at points (P, 3) in bohr; derivatives is 0, 1 or 2.

    Shapes (P, n), (3, P, n), (3, 3, P, n), with respect to the *point*; the derivative with respect
    to the centre r_k is minus that on the functions of atom k. Raises InputError for other orders.
    """
    if derivatives not in (0, 1, 2):
        raise InputError(f"derivatives must be 0, 1 or 2, not {derivatives}")
    points = np.asarray(points, dtype=np.float64)
    shape = (len(points), basis.n_functions)
    results = tuple(np.empty((3,) * d + shape) for d in range(derivatives + 1))
    first = 0
    for position, shells in zip(basis.positions, basis.shells, strict=True):
        x = points - position
        degree = max((shell.angular_momentum for shell in shells), default=0)
        monomials = evaluate_monomials(degree, x)
        for shell in shells:
            last = first + 2 * shell.angular_momentum + 1
            for result, values in zip(
                results, _shell_values(shell, x, monomials, derivatives), strict=True
            ):
                result[..., first:last] = np.moveaxis(values, -2, -1)
            first = last
    return results


def _shell_values(
    shell: Shell, x: FloatArray, monomials: FloatArray, derivatives: int
) -> list[FloatArray]:
    """The formulas above for one shell: (2l+1, P), (3, 2l+1, P), (3, 3, 2l+1, P)."""
    degree = shell.angular_momentum
    exponents, coefficients = np.array(shell.exponents), shell.radial_coefficients
    squared = np.einsum("pi,pi->p", x, x)
    primitives = np.exp(-exponents[:, None] * squared)
    g = [(coefficients * (-exponents) ** d) @ primitives for d in range(derivatives + 1)]

    angular = solid_harmonic_coefficients(degree)
    harmonic = angular @ monomials[: monomial_count(degree)]
    values: list[FloatArray] = [harmonic * g[0]]
    if derivatives == 0:
        return values

    coordinate = x.T[:, None, :]  # (3, 1, P)
    slope = np.zeros((3, *harmonic.shape))
    if degree > 0:
        lowered = angular @ _lowering_matrices(degree)
        slope = lowered @ monomials[: monomial_count(degree - 1)]
    values.append(slope * g[0] + 2 * coordinate * harmonic * g[1])
    if derivatives == 1:
        return values

    curvature = np.zeros((3, 3, *harmonic.shape))
    if degree > 1:
        twice = lowered[:, None] @ _lowering_matrices(degree - 1)
        curvature = twice @ monomials[: monomial_count(degree - 2)]
    mixed = coordinate[:, None] * slope
    identity = np.eye(3)[:, :, None, None]
    values.append(
        curvature * g[0]
        + 2 * (mixed + mixed.swapaxes(0, 1)) * g[1]
        + (2 * identity * g[1] + 4 * coordinate[:, None] * coordinate * g[2]) * harmonic
    )
    return values


def _lowering_matrices(order: int) -> FloatArray:
    """∂_x, ∂_y, ∂_z from polynomials of degree ≤ order to degree ≤ order − 1: (3, n, n')."""
    down: FloatArray = derivative_matrices(order)[:, :, : monomial_count(order - 1)]
    return down
