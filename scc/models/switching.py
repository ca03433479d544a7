r"""A C^∞ switch: 1 up to ``start``, 0 from ``stop`` on, all derivatives zero at both ends.

A jump in a hopping integral would break every derivative taken with respect to positions; a
polynomial switch would break those beyond its order.  With x = (r - start)/(stop - start) and
ψ(x) = e^{-1/x} the classical partition of unity is

    s(r) = ψ(1-x) / (ψ(x) + ψ(1-x)) = 1 / (1 + e^{-u}),      u = 1/x - 1/(1-x).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from scc.arrays import FloatArray
from scc.errors import InputError

_EDGE = 1e-3  # e^{-1/x} underflows to zero well before x = 1e-3, so nothing is lost by clipping


@dataclass(frozen=True)
class SmoothSwitch:
    """s(r), C^∞, 1 for r ≤ start and 0 for r ≥ stop (bohr).

    Raises:
        InputError: unless 0 ≤ start < stop, both finite.
    """

    start: float
    stop: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.start < self.stop < np.inf):
            raise InputError(f"switch needs 0 <= start < stop, got [{self.start}, {self.stop}]")

    def _scaled(self, distance: FloatArray) -> FloatArray:
        scaled = (np.asarray(distance, float) - self.start) / (self.stop - self.start)
        return np.clip(scaled, _EDGE, 1.0 - _EDGE)

    def __call__(self, distance: FloatArray) -> FloatArray:
        """s(r), same shape as ``distance``."""
        x = self._scaled(distance)
        return np.asarray(expit(1.0 / x - 1.0 / (1.0 - x)))

    def derivative(self, distance: FloatArray) -> FloatArray:
        """s'(r) = -s (1-s) (1/x² + 1/(1-x)²) / (stop - start), bohr⁻¹."""
        x = self._scaled(distance)
        u = 1.0 / x - 1.0 / (1.0 - x)
        slope = expit(u) * expit(-u) * (1.0 / x**2 + 1.0 / (1.0 - x) ** 2)
        return np.asarray(-slope / (self.stop - self.start))
