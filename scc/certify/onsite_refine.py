"""The centre of an on-site certificate: v̂ far beyond float64. Nothing is proved here."""

from __future__ import annotations

import math

import flint
import numpy as np

from scc.certify import decimals
from scc.certify.failure import CertificationError
from scc.certify.norms import floats, frobenius, matrix
from scc.certify.onsite_matrices import OnsiteMatrices
from scc.certify.onsite_state import OnsiteState, Selected
from scc.certify.registry import Progress
from scc.equilibration.equilibrium import Equilibrium
from scc.models.tight_binding import TightBindingState

_PLACES = 36  # decimal places of a centre
_STEPS = 6


def inverse_dielectric(equilibrium: Equilibrium, matrices: OnsiteMatrices) -> flint.arb_mat:
    """(1 − Jχ₀)⁻¹ in float64, as exact numbers. Raises CertificationError where it is singular."""
    local = equilibrium.state.local
    assert isinstance(local, TightBindingState)
    dielectric = np.eye(matrices.atoms) - floats(matrices.coulomb) @ local.feature_response()
    try:
        return matrix(np.linalg.inv(dielectric))
    except np.linalg.LinAlgError:
        smallest = float(np.min(np.abs(np.linalg.eigvals(dielectric))))
        raise CertificationError(
            f"the dielectric operator is singular: its smallest eigenvalue is {smallest:.2g}"
        ) from None


def refined(
    equilibrium: Equilibrium, matrices: OnsiteMatrices, selected: Selected, progress: Progress
) -> tuple[list[str], flint.arb_mat | None]:
    """v̂ by Newton steps with a float64 Jacobian, until the rounding to decimals dominates; and
    eigenvectors there."""
    inverse = inverse_dielectric(equilibrium, matrices)
    current = [flint.arb(float(v)) for v in equilibrium.features]
    smallest, orbitals = None, None
    for step in range(_STEPS):
        progress(f"refining the solution, step {step + 1}")
        state = OnsiteState.at(matrices, current, selected, orbitals)
        residual, orbitals = state.residual.mid(), state.system.orbitals
        size = frobenius(residual)
        if smallest is not None and not size < smallest / 4:
            break
        smallest = size
        change = (inverse * residual).entries()
        current = [(v - d).mid() for v, d in zip(current, change, strict=True)]
        if size < flint.arb(10) ** (-(2 * _PLACES) // 3):
            break  # the step just made gained another ten digits
    return [decimals.rounded(v, _digits(v)) for v in current], orbitals


def _digits(value: flint.arb) -> int:
    """Significant digits of a number with a fixed number of decimal places."""
    size = float(abs(value))
    return max(1, _PLACES + (math.floor(math.log10(size)) + 1 if size > 0 else 0))
