r"""The Hessian of the direct closure with a diagonal in place of the local model's part.

    H = (∂_v̂ρ)ᵀ J ∂_v̂ρ + ∂²ΣE_ℓ + …   ≈   P = (∂_v̂ρ)ᵀ J ∂_v̂ρ + D,      D: diag P = the curvature

What makes H of a large system ill-conditioned is J, whose range has no end; what the local model
adds to its diagonal is left to conjugate gradients. P is factorised, so it is for systems of which
H could be assembled, too, at n products of H in place of the few that are needed. The products of J
that P is made of involve no derivative of the model and are not counted among those of H.
"""

from collections.abc import Callable

import numpy as np
import scipy.linalg

from scc.arrays import FloatArray
from scc.equilibration.saddle_point import assembled
from scc.functional.direct_functional import DirectState


def coulomb_preconditioner(
    state: DirectState, diagonal: FloatArray
) -> Callable[[FloatArray], FloatArray]:
    """r ↦ P⁻¹r, or r ↦ r/diagonal where P is not positive definite (close point charges).

    Args:
        state: J and ∂_v̂ρ are those of it. diagonal: > 0, about the diagonal of H, the shape of v̂.
    """

    def coulomb(direction: FloatArray) -> FloatArray:
        moved = state.functional.kernel(state.density, state.local.density_jvp(direction))
        return state.local.density_vjp(moved)

    matrix = assembled(coulomb, diagonal.shape)
    np.fill_diagonal(matrix, diagonal)
    try:
        factor = scipy.linalg.cho_factor(matrix)
    except np.linalg.LinAlgError:
        return lambda residual: residual / diagonal

    def apply(residual: FloatArray) -> FloatArray:
        found = scipy.linalg.cho_solve(factor, residual.ravel())
        return np.asarray(found.reshape(residual.shape))

    return apply
