r"""Cartesian derivatives of a radial function from its radial derivatives.

With g_n = ((1/r) d/dr)^n v and R^n_0 = g_n,

    R^n_{t+e_i} = t_i R^{n+1}_{t−e_i} + X_i R^{n+1}_t,      ∂_X^t v(|X|) = R^0_t .

Reference: L. E. McMurchie, E. R. Davidson, J. Comput. Phys. 26, 218 (1978), eqs. (4.4)–(4.8),
where v is that of two Gaussians; nothing but v's being radial enters.
"""

from functools import cache

import numpy as np

from scc.arrays import FloatArray
from scc.basis.polynomials import monomial_count, monomial_exponents, monomial_index


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


def derivative_tensors(radial: FloatArray, separation: FloatArray) -> FloatArray:
    """∂_X^t v for |t| ≤ order: (n_t, ...), from g_n (order+1, ...) at X (..., 3)."""
    order = len(radial) - 1
    if order == 0:
        return radial
    axes = [np.ascontiguousarray(separation[..., i]) for i in range(3)]
    # level n holds R^n_t for |t| ≤ order − n; it is built from level n + 1.
    level = radial[order:][:]
    for n in range(order - 1, -1, -1):
        new = np.empty((monomial_count(order - n), *radial.shape[1:]))
        new[0] = radial[n]
        for position, (axis, lower, lowest, count) in enumerate(_recipe(order - n), start=1):
            np.multiply(axes[axis], level[lower], out=new[position])
            if lowest >= 0:
                new[position] += count * level[lowest]
        level = new
    return level
