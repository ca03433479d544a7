r"""The k = 0 term that makes every potential average to zero over the periodic cell.

A pair of unit charges of joint variance w is summed over the lattice as [v_w − v_W] in real space
and v_W in reciprocal space without k = 0. The cell average of the first is not zero but

    (1/Ω) ∫ [v_w − v_W] = (2π/Ω)(W − w),      since ∫ (1/r − erf(r/√2w)/r) = 2πw ,

and is taken off: K_ab = −(2π/Ω)(W_ab − w_ab), W = max(w, s), between charges only (for higher
multipoles the average vanishes), own site and all images included. What a neutralising uniform
background does to a charged cell is thereby complete. The energy so depends on widths even where
no two Gaussians overlap: there a pair has the energy of two points plus (2π/Ω) q_a q_b w_ab.
"""

import copy

import numpy as np

from scc.arrays import FloatArray
from scc.electrostatics.multipoles.interaction import Field
from scc.electrostatics.multipoles.sites import Sites
from scc.errors import InputError


class Background:
    """B(t, c) = −(2π/Ω) Σ_ab (W_ab − w_ab) t_a0 c_b0, in O(N log N).

    Args:
        targets, sources: the sites.
        volume: Ω, bohr³.
        smooth_variance: s, bohr².
    Raises:
        InputError: Ω ≤ 0 or s < 0, or not finite.
    """

    def __init__(
        self, targets: Sites, sources: Sites, volume: float, smooth_variance: float
    ) -> None:
        if not 0.0 < volume < np.inf:
            raise InputError(f"volume is {volume}, must be finite and > 0")
        if not 0.0 <= smooth_variance < np.inf:
            raise InputError(f"smooth variance is {smooth_variance}, must be finite and ≥ 0")
        self._targets, self._sources = targets, sources
        self._factor, self._smooth_variance = -2.0 * np.pi / volume, smooth_variance

    def potential(self, sources: FloatArray) -> FloatArray:
        """U(c): (N_t, n_t), constant in space, only λ = 0."""
        order = np.argsort(self._sources.variances, kind="stable")
        variances, charges = self._sources.variances[order], sources[order, 0]
        # Σ_b max(0, s − σ_a² − σ_b²) c_b: the sum over the narrowest sources, from running sums
        room = self._smooth_variance - self._targets.variances
        narrow = np.searchsorted(variances, room)
        total = np.concatenate([[0.0], np.cumsum(charges)])
        first = np.concatenate([[0.0], np.cumsum(variances * charges)])
        result = np.zeros((len(self._targets), self._targets.n_components))
        result[:, 0] = self._factor * (room * total[narrow] - first[narrow])
        return result

    def field(self, sources: FloatArray) -> Field:
        """U(c) and no gradient."""
        potential = self.potential(sources)
        return Field(potential, np.zeros((*potential.shape, 3)))

    def moved(self, sources: FloatArray, displacement: FloatArray) -> FloatArray:
        """Zero: no position matters."""
        return np.zeros((len(self._targets), self._targets.n_components))

    def strain(self, targets: FloatArray, sources: FloatArray) -> FloatArray:
        """−δ_ij B, from 1/Ω."""
        return -np.eye(3) * float(np.sum(targets * self.potential(sources)))

    @property
    def transposed(self) -> "Background":
        """Targets and sources exchanged."""
        other = copy.copy(self)
        other._targets, other._sources = self._sources, self._targets
        return other
