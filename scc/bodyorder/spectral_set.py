"""The compact set X, one or two bands, on which polynomials must resemble the Fermi function."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from scc.arrays import FloatArray
from scc.errors import InputError


@dataclass(frozen=True)
class SpectralSet:
    """X = [a₁,b₁] or [a₁,b₁] ∪ [a₂,b₂], the set of Lemma 7. Energies in Hartree.

    Raises InputError unless the endpoints are finite and strictly increasing.
    """

    intervals: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        plain = tuple((float(low), float(high)) for low, high in self.intervals)
        object.__setattr__(self, "intervals", plain)
        endpoints = [endpoint for interval in self.intervals for endpoint in interval]
        if len(self.intervals) not in (1, 2):
            raise InputError(f"a spectral set has one or two intervals, got {len(self.intervals)}")
        increasing = all(low < high for low, high in pairwise(endpoints))
        if not increasing or not all(math.isfinite(endpoint) for endpoint in endpoints):
            raise InputError(f"interval endpoints must be finite and increasing, got {endpoints}")

    @property
    def lower(self) -> float:
        """Lower end of the convex hull."""
        return self.intervals[0][0]

    @property
    def upper(self) -> float:
        """Upper end of the convex hull."""
        return self.intervals[-1][1]

    @property
    def gap(self) -> tuple[float, float] | None:
        """(b₁, a₂) between two intervals, None for one interval."""
        if len(self.intervals) == 1:
            return None
        return self.intervals[0][1], self.intervals[1][0]

    def distance(self, x: ArrayLike) -> FloatArray:
        """Distance of real points x to X in Hartree, 0 inside; same shape as x."""
        points = np.asarray(x, dtype=np.float64)
        distances = [
            np.maximum(np.maximum(low - points, points - high), 0.0) for low, high in self.intervals
        ]
        return np.asarray(np.min(distances, axis=0))

    def sample(self, points_per_interval: int) -> FloatArray:
        """Increasing points of X, endpoints included, as dense near them as equilibrium measures.

        Chebyshev extrema on each interval: the equilibrium measure of one or two intervals has an
        inverse square root at every endpoint, so k points of a polynomial problem on X have no
        finer spacing anywhere than these with a multiple of k.
        """
        angle = np.pi * (np.arange(points_per_interval) / (points_per_interval - 1))
        fraction = np.sin(0.5 * angle) ** 2
        # Convex combinations, clipped: endpoints are exact and rounding leaves no point outside.
        return np.concatenate(
            [
                np.clip(low * (1.0 - fraction) + high * fraction, low, high)
                for low, high in self.intervals
            ]
        )


def spectral_set(
    sigma_min: float, sigma_max: float, mu: float, gap_below: float = 0.0, gap_above: float = 0.0
) -> SpectralSet:
    """X = [σ_min, µ−g₋] ∪ [µ+g₊, σ_max], or [σ_min, σ_max] when g₋ = g₊ = 0 (Lemma 7). Hartree.

    Raises InputError for negative gaps and when µ−g₋ or µ+g₊ is not inside (σ_min, σ_max).
    """
    if not (gap_below >= 0.0 and gap_above >= 0.0):
        raise InputError(f"gaps around mu must be >= 0, got {gap_below} and {gap_above}")
    if gap_below == 0.0 and gap_above == 0.0:
        return SpectralSet(((sigma_min, sigma_max),))
    return SpectralSet(((sigma_min, mu - gap_below), (mu + gap_above, sigma_max)))
