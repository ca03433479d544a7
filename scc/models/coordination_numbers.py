r"""Coordination numbers by counting with an error function, capped smoothly, and dCN/dr.

    CN_ℓ = cap(Σ_k count_ℓk),      count_ℓk = ½ erfc(s (r_ℓk/R_ℓk − 1)),
    cap(n) = log(1 + eᵐ) − log(1 + e^{m−n})

with R_ℓk the sum of two covalent radii (scaled already), s the steepness, m the largest CN;
periodic images count as neighbours. The form is that of DFT-D4's charge model (Caldeweyher et al.,
J. Chem. Phys. 150 (2019) 154122).

Models take √CN, so a small CN must keep *relative* accuracy: counts are erfc and not 1 − erf, the
cap is −log1p(σ expm1(−n)) with σ = eᵐ/(1 + eᵐ), and counting ends where erfc is 1e-35, not 1e-17,
so that a neighbour that comes within reach changes √CN by 3e-18.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.special import erfc, expit

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.configuration.neighbours import NeighbourPairs, neighbour_pairs

_TAIL = 8.8  # ½ erfc(8.8) = 8e-36


class CoordinationNumbers:
    """CN_ℓ of the module docstring at one geometry.

    Args:
        configuration: positions, cell; open or periodic in any directions.
        radii: (M,), bohr, > 0; R_ℓk is the sum of two.
        steepness: s > 0. largest: m > 0.
    """

    def __init__(
        self, configuration: Configuration, radii: FloatArray, steepness: float, largest: float
    ) -> None:
        self._number, self._steepness = len(configuration), steepness
        self._share = float(expit(largest))
        reach = 1.0 + _TAIL / steepness
        pairs = neighbour_pairs(configuration, 2.0 * reach * float(np.max(radii))).half()
        sums = radii[pairs.first] + radii[pairs.second]
        near = pairs.distance < reach * sums
        self._pairs: NeighbourPairs = pairs.select(near)
        self._sums = sums[near]

    @cached_property
    def _argument(self) -> FloatArray:
        return np.asarray(self._steepness * (self._pairs.distance / self._sums - 1.0))

    @cached_property
    def uncapped(self) -> FloatArray:
        """Σ_k count_ℓk (M,)."""
        counts = 0.5 * erfc(self._argument)
        return self._scatter(counts, counts)

    @cached_property
    def values(self) -> FloatArray:
        """CN (M,), ≥ 0."""
        return np.asarray(-np.log1p(self._share * np.expm1(-self.uncapped)))

    def jvp(self, displacement: FloatArray) -> FloatArray:
        """∂CN_ℓ/∂r·dr (M,) for dr (M, 3), bohr."""
        first, second = self._pairs.first, self._pairs.second
        change = np.sum(self._push * (displacement[second] - displacement[first]), axis=1)
        return self._cap_slope * self._scatter(change, change)

    def vjp(self, weights: FloatArray) -> FloatArray:
        """∂(Σ_ℓ a_ℓ CN_ℓ)/∂r (M, 3), bohr⁻¹, for a = weights (M,)."""
        first, second = self._pairs.first, self._pairs.second
        each = weights * self._cap_slope
        push = (each[first] + each[second])[:, None] * self._push
        return np.stack([self._scatter(-p, p) for p in push.T], axis=1)

    @cached_property
    def _cap_slope(self) -> FloatArray:
        """d cap/dn."""
        n = self.uncapped
        return np.asarray(self._share * np.exp(-n) / (1.0 + self._share * np.expm1(-n)))

    @cached_property
    def _push(self) -> FloatArray:
        """∂count/∂r of the second atom of each pair, (P, 3)."""
        slope = -self._steepness / (np.sqrt(np.pi) * self._sums) * np.exp(-(self._argument**2))
        return np.asarray((slope / self._pairs.distance)[:, None] * self._pairs.displacement)

    def _scatter(self, to_first: FloatArray, to_second: FloatArray) -> FloatArray:
        """Sums over the pairs of each atom, (M,)."""
        number = self._number
        return np.asarray(
            np.bincount(self._pairs.first, to_first, number)
            + np.bincount(self._pairs.second, to_second, number)
        )
