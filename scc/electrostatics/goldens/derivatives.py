r"""Cartesian derivatives of a radial function: ∂^t f(|X|) from g_n = ((1/r) d/dr)^n f.

∂_i acts on g_n(r) as X_i g_{n+1}; so T^n_t = ∂^t g_n obeys
T^n_{t+e_i} = X_i T^{n+1}_t + t_i T^{n+1}_{t−e_i}.

Source: McMurchie, Davidson, J. Comput. Phys. 26, 218 (1978).
"""

from __future__ import annotations

from scc.electrostatics.goldens.numbers import ExactArray, zeros
from scc.electrostatics.goldens.polynomials import Exponents, lowered, monomials


def gradients(radial: ExactArray, vectors: ExactArray) -> ExactArray:
    """∂^t f at X (N, 3), for all |t| ≤ order, from g_n (order+1, N): (monomials, N)."""
    order = len(radial) - 1
    table: dict[Exponents, ExactArray] = {(0, 0, 0): radial}
    for t in monomials(order)[1:]:
        axis = max(range(3), key=lambda i: t[i])
        lower = lowered(t, axis)
        value = vectors[:, axis] * table[lower][1:]
        if lower[axis] > 0:
            value = value + lower[axis] * table[lowered(lower, axis)][1 : len(value) + 1]
        table[t] = value
    result = zeros(len(table), len(vectors))
    for index, t in enumerate(monomials(order)):
        result[index] = table[t][0]
    return result
