r"""Coulomb interaction of Hermite Gaussians: the kernel v = 1/|x−y| for ``bilinear_form``.

Convolved with one normalised Gaussian of exponent α the kernel is

    v_α(X) = erf(√α |X|)/|X| = 2√(α/π) F_0(α|X|²)

and its derivatives follow from R^n_0 = 2√(α/π) (−2α)^n F_n(α|X|²) by

    R^n_{t+e_i} = t_i R^{n+1}_{t−e_i} + X_i R^{n+1}_t,      ∂_X^t v_α = R^0_t.

Reference: L. E. McMurchie, E. R. Davidson, J. Comput. Phys. 26, 218 (1978), eqs. (4.4)–(4.8).
"""

from functools import cache

import numpy as np

from scc.arrays import FloatArray
from scc.basis.polynomials import monomial_count, monomial_exponents, monomial_index
from scc.electrostatics.boys import boys


@cache
def _recipe(order: int) -> tuple[tuple[int, int, int, float], ...]:
    """For each t ≠ 0 up to ``order``: (axis i, index of t−e_i, index of t−2e_i, t_i − 1)."""
    index = monomial_index(order)
    steps = []
    for t in monomial_exponents(order)[1:]:
        axis = int(np.argmax(t))
        lower = t.copy()
        lower[axis] -= 1
        lowest = lower.copy()
        lowest[axis] -= 1
        second = index[tuple(lowest)] if lowest[axis] >= 0 else -1
        steps.append((axis, index[tuple(lower)], second, float(lower[axis])))
    return tuple(steps)


def coulomb_kernel(alpha: FloatArray, separation: FloatArray, order: int) -> FloatArray:
    """∂_X^t erf(√α|X|)/|X| for |t| ≤ order, in bohr^{−1−|t|}: (n_t, ...); α > 0 and finite."""
    squared = np.einsum("...i,...i->...", separation, separation)
    radial = boys(order, alpha * squared)
    factor = 2.0 * np.sqrt(alpha / np.pi)
    for n in range(order + 1):
        radial[n] *= factor
        factor = factor * (-2.0 * alpha)
    if order == 0:
        return radial
    axes = [np.ascontiguousarray(separation[..., i]) for i in range(3)]
    # level n holds R^n_t for |t| ≤ order − n; it is built from level n + 1.
    level = radial[order:][:]
    for n in range(order - 1, -1, -1):
        new = np.empty((monomial_count(order - n), *squared.shape))
        new[0] = radial[n]
        for position, (axis, lower, lowest, count) in enumerate(_recipe(order - n), start=1):
            np.multiply(axes[axis], level[lower], out=new[position])
            if lowest >= 0:
                new[position] += count * level[lowest]
        level = new
    return level
