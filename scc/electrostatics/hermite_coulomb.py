r"""Coulomb interaction of Hermite Gaussians: the kernel v = 1/|x−y| for ``bilinear_form``.

Convolved with one normalised Gaussian of exponent α the kernel is

    v_α(X) = erf(√α |X|)/|X| = 2√(α/π) F_0(α|X|²),

its radial derivatives are g_n = 2√(α/π) (−2α)^n F_n(α|X|²), and
:mod:`scc.electrostatics.derivative_tensors` makes the Cartesian ones of them.

Reference: L. E. McMurchie, E. R. Davidson, J. Comput. Phys. 26, 218 (1978), eqs. (4.4)–(4.8).
"""

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.boys import boys
from scc.electrostatics.derivative_tensors import derivative_tensors


def coulomb_kernel(alpha: FloatArray, separation: FloatArray, order: int) -> FloatArray:
    """∂_X^t erf(√α|X|)/|X| for |t| ≤ order, in bohr^{−1−|t|}: (n_t, ...); α > 0 and finite."""
    squared = np.einsum("...i,...i->...", separation, separation)
    radial = boys(order, alpha * squared)
    factor = 2.0 * np.sqrt(alpha / np.pi)
    for n in range(order + 1):
        radial[n] *= factor
        factor = factor * (-2.0 * alpha)
    return derivative_tensors(radial, separation)
