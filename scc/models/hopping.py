r"""Distance-dependent hopping between s orbitals, h(r) in Hartree, with its derivative.

A hopping object is any object with ``cutoff`` (bohr), ``__call__(r)`` and ``derivative(r)``; it
vanishes from ``cutoff`` on.  All of them satisfy the exponential bound the locality proofs assume
(|h(r)| ≤ c e^{-ηr}, in fact compact support).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scc.arrays import FloatArray
from scc.errors import InputError
from scc.models.switching import SmoothSwitch


class Hopping(Protocol):
    """h(r), Hartree, zero for r ≥ ``cutoff`` (bohr)."""

    @property
    def cutoff(self) -> float:
        """Distance in bohr from which the hopping is zero."""

    def __call__(self, distance: FloatArray) -> FloatArray:
        """h(r), Hartree."""

    def derivative(self, distance: FloatArray) -> FloatArray:
        """h'(r), Hartree/bohr."""


@dataclass(frozen=True)
class ExponentialHopping:
    """h(r) = prefactor · e^{-decay (r - reference)} · s(r), s a C^∞ switch on ``switch``.

    The defaults are the hopping of model B: -e^{-(r-1)}, switched off on [4, 4.5] bohr.

    Raises:
        InputError: a parameter that is not finite, or a switch that is not an interval.
    """

    prefactor: float = -1.0
    decay: float = 1.0
    reference: float = 1.0
    switch: tuple[float, float] = (4.0, 4.5)

    def __post_init__(self) -> None:
        for name in ("prefactor", "decay", "reference"):
            if not np.isfinite(getattr(self, name)):
                raise InputError(f"hopping {name} is {getattr(self, name)}, must be finite")
        SmoothSwitch(*self.switch)  # raises for an interval that is none

    @property
    def cutoff(self) -> float:
        """End of the switch, bohr."""
        return self.switch[1]

    def __call__(self, distance: FloatArray) -> FloatArray:
        """h(r), Hartree."""
        return np.asarray(self._exponential(distance) * SmoothSwitch(*self.switch)(distance))

    def derivative(self, distance: FloatArray) -> FloatArray:
        """h'(r), Hartree/bohr."""
        switch = SmoothSwitch(*self.switch)
        logarithmic = switch.derivative(distance) - self.decay * switch(distance)
        return np.asarray(self._exponential(distance) * logarithmic)

    def _exponential(self, distance: FloatArray) -> FloatArray:
        # The argument is clipped at the cut-off, where the switch is zero, against overflow.
        inside = np.minimum(distance, self.cutoff)
        return np.asarray(self.prefactor * np.exp(-self.decay * (inside - self.reference)))


@dataclass(frozen=True)
class NearestNeighbourHopping:
    """h(r) = -t for r < ``cutoff`` and 0 beyond: the chain with the known exact locality rate.

    On a chain of unit spacing with µ in the band the rate of Theorem 4 is
    2|Im arccos(-(µ + iπ/β)/2t)|.  h does not depend on r inside the cut-off, so h' = 0: derivatives
    with respect to positions are zero, which is right for that lattice model and for nothing else.

    Raises:
        InputError: t that is not finite, a cut-off that is not positive and finite.
    """

    t: float = 1.0
    cutoff: float = 1.5

    def __post_init__(self) -> None:
        if not np.isfinite(self.t):
            raise InputError(f"hopping t is {self.t}, must be finite")
        if not 0.0 < self.cutoff < np.inf:
            raise InputError(f"hopping cut-off is {self.cutoff}, must be positive and finite")

    def __call__(self, distance: FloatArray) -> FloatArray:
        """h(r), Hartree."""
        return np.where(np.asarray(distance) < self.cutoff, -self.t, 0.0)

    def derivative(self, distance: FloatArray) -> FloatArray:
        """Zero: h is piecewise constant."""
        return np.zeros_like(np.asarray(distance, dtype=np.float64))
