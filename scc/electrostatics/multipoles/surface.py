r"""What the surface of a large sphere of crystal adds to the lattice sum in tin foil.

    B(t, c) = 4π/((2ε' + 1)Ω) M_t·M_c,      M_c = Σ_k (q_k r_k + d_k) ,

ε' the permittivity of the medium around the sphere, q and d a site's charge and dipole. M is taken
with the positions as given: moving one charge by a lattice vector changes M, as it changes the
charges on the surface of the crystal. In a charged cell M, and with it B, depends on the origin.

Reference: S. W. de Leeuw, J. W. Perram, E. R. Smith, Proc. R. Soc. Lond. A 373, 27 (1980).
"""

import copy

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.interaction import Field
from scc.electrostatics.multipoles.sites import Sites
from scc.errors import InputError

_DIPOLE = [3, 1, 2]  # index of the x, y, z component: R_1 = (y, z, x)


class SurfaceTerm:
    """B of the module docstring.

    Args:
        targets, sources: the sites, positions in bohr.
        volume: Ω, bohr³.
        permittivity: ε' > 0; 1 is vacuum, inf makes the term vanish.
    Raises:
        InputError: Ω ≤ 0 or ε' ≤ 0.
    """

    def __init__(self, targets: Sites, sources: Sites, volume: float, permittivity: float) -> None:
        if not 0.0 < volume < np.inf:
            raise InputError(f"volume is {volume}, must be finite and > 0")
        if not permittivity > 0.0:
            raise InputError(f"surface permittivity is {permittivity}, must be > 0")
        self._targets, self._sources = targets, sources
        self._factor = 4.0 * np.pi / ((2.0 * permittivity + 1.0) * volume)

    def potential(self, sources: FloatArray) -> FloatArray:
        """U(c), (N_t, n_t): charges feel a uniform field, dipoles its constant."""
        return self._response(_moment(self._sources, sources), self._targets.positions)

    def field(self, sources: FloatArray) -> Field:
        """U(c) and ∂U/∂y_a, constant for λ = 0 and else zero."""
        moment = _moment(self._sources, sources)
        gradient = np.zeros((len(self._targets), self._targets.n_components, 3))
        gradient[:, 0] = self._factor * moment
        return Field(self._response(moment, self._targets.positions), gradient)

    def moved(self, sources: FloatArray, displacement: FloatArray) -> FloatArray:
        """dM = Σ_k q_k dr_k in place of M."""
        return self._response(sources[:, 0] @ displacement, self._targets.positions)

    def strain(self, targets: FloatArray, sources: FloatArray) -> FloatArray:
        """−δ_ij B + 4π/((2ε'+1)Ω) (M_t,i Q_c,j + M_c,i Q_t,j), Q = Σ_k q_k r_k; not symmetric.

        A dipole neither stretches nor turns with the strain, so only the charges' part moves.
        """
        left, right = _moment(self._targets, targets), _moment(self._sources, sources)
        stretch = np.outer(left, sources[:, 0] @ self._sources.positions)
        stretch += np.outer(right, targets[:, 0] @ self._targets.positions)
        return np.asarray(self._factor * (stretch - np.eye(3) * (left @ right)))

    @property
    def transposed(self) -> "SurfaceTerm":
        """Targets and sources exchanged."""
        other = copy.copy(self)
        other._targets, other._sources = self._sources, self._targets
        return other

    def _response(self, moment: FloatArray, positions: FloatArray) -> FloatArray:
        result = np.zeros((len(self._targets), self._targets.n_components))
        result[:, 0] = self._factor * (positions @ moment)
        if self._targets.l_max > 0:
            result[:, _DIPOLE] = self._factor * moment
        return result


def _moment(sites: Sites, coefficients: FloatArray) -> FloatArray:
    """M (3,)."""
    result = coefficients[:, 0] @ sites.positions
    if sites.l_max > 0:
        result = result + coefficients[:, _DIPOLE].sum(axis=0)
    return np.asarray(result)
