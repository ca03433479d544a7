r"""What a local energy sees of atomic charges: features φ(q) of the basis of :mod:`scc.ace.basis`.

With net charges q_i, w = (q_i − q̄_Z)/0.1 e and q̄_Z given for each element,

    φ_0 = 0,     φ_1 = w/√(1 + (w/4)²),     φ_2 = φ_1².

The basis takes features as potentials and turns each into its difference from the centre's first
(its gauge). φ_0 = 0 is that gauge: what is left are φ_1 and φ_2 of the centre and of its neighbours
as they are. Within the charges of molecules φ_1 is w but for some percent; far from them, where an
equilibration may start, φ is bounded, and a polynomial in it cannot compete with a hardness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scc.ace.features import FeatureSet
from scc.arrays import FloatArray, IntArray
from scc.errors import InputError

UNIT = 0.1
"""e: about the spread of charges within an element in water clusters."""

_SOFT = 4.0


class FeatureValues(NamedTuple):
    """φ, dφ/dq and d²φ/dq², each (M, F)."""

    values: FloatArray
    slopes: FloatArray
    curvatures: FloatArray


@dataclass(frozen=True, eq=False)
class ChargeFeatures:
    """q̄ of each element, and how many φ there are.

    Attributes
    ----------
    means: q̄_Z (n_species,), e.
    powers: 1 for φ_1 alone, 2 for φ_1 and φ_2.

    Raises
    ------
    InputError: another number of powers, means that are not finite.
    """

    means: FloatArray
    powers: int

    def __post_init__(self) -> None:
        means = np.array(self.means, dtype=np.float64)
        if means.ndim != 1 or not np.all(np.isfinite(means)):
            raise InputError(f"mean charges of the elements are {means}, must be finite numbers")
        if self.powers not in (1, 2):
            raise InputError(f"powers of charges: 1 or 2, not {self.powers}")
        means.flags.writeable = False
        object.__setattr__(self, "means", means)

    def __call__(self, charges: FloatArray, kind: IntArray) -> FeatureValues:
        """φ of charges q (M,) on atoms of elements ``kind`` (M,)."""
        w = (charges - self.means[kind]) / UNIT
        zero, damped = np.zeros_like(w), 1.0 + (w / _SOFT) ** 2
        first = w / np.sqrt(damped)
        slope = damped**-1.5 / UNIT
        curvature = -3.0 * w / _SOFT**2 * damped**-2.5 / UNIT**2
        values = [zero, first, first**2]
        slopes = [zero, slope, 2.0 * first * slope]
        curvatures = [zero, curvature, 2.0 * (slope**2 + first * curvature)]
        few = slice(self.powers + 1)
        return FeatureValues(
            *(np.stack(rows[few], axis=1) for rows in (values, slopes, curvatures))
        )


def feature_set(powers: int) -> FeatureSet:
    """φ_0 … φ_powers for the specification of a basis; its "widths" are mere names here."""
    return FeatureSet(tuple(float(1 + k) for k in range(powers + 1)), 0)
