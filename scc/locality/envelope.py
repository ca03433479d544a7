"""The envelope of a decaying quantity: its maximum over all pairs at a distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scc.arrays import FloatArray
from scc.errors import InputError

NOISE_SAFETY = 1e2
"""Magnitudes below ``NOISE_SAFETY · machine epsilon · largest magnitude`` are taken for rounding.
Derivatives of matrix functions by full diagonalisation scatter by less than epsilon times the
largest (measured for M = 100…600); the safety is for basis changes and products of matrices."""

FINE_BINS = 400
CROWDED = 0.99


@dataclass(frozen=True)
class Envelope:
    """Points (r_j, |a|_j) of the envelope, by increasing distance, above the noise floor.

    Attributes
    ----------
    distance, magnitude:
        (J,) each: position and value of the largest magnitude in each bin.
    floor:
        Magnitudes up to here were dropped.
    next_distance:
        The smallest measured distance beyond which everything lies at or below the floor; inf if
        the envelope reaches the largest measured distance.
    largest_distance, crowded_distance:
        Of all measured pairs, whatever their magnitude: the largest distance, and the one that
        99 % do not exceed.
    """

    distance: FloatArray
    magnitude: FloatArray
    floor: float
    next_distance: float
    largest_distance: float
    crowded_distance: float

    def __len__(self) -> int:
        return len(self.distance)

    @property
    def ends_in_noise(self) -> bool:
        """Whether the floor, not the size of the system, ends the envelope."""
        return bool(np.isfinite(self.next_distance))


def envelope(
    r: FloatArray,
    a: FloatArray,
    bins: int | FloatArray | None = None,
    floor: float | None = None,
) -> Envelope:
    """Maximum of |a| over all pairs at a distance: the C e^{−ηr} that Theorem 4 (3.3) bounds.

    The range of distances is cut into bins and the pair of largest magnitude kept from each, *at
    its own distance*, so that pure exponentials and powers stay pure whatever the bins. Pairs at
    distance zero are left out. Noise: with the largest distance r* at which |a| exceeds the floor,
    everything beyond r* is dropped, and so is, before r*, a bin with nothing above the floor (a
    node of an oscillation).

    Parameters
    ----------
    r:
        Distances, any shape (for instance (M, M)), any unit of length.
    a:
        The quantity, same shape, any unit; only |a| matters.
    bins:
        Number of equal bins over (0, r*], or increasing edges; default 400.
    floor:
        Absolute magnitude at or below which a value is noise; default
        ``NOISE_SAFETY · epsilon · max|a|`` over all pairs, r = 0 included. To be given when ``a``
        comes from an iterative solver: its tolerance.

    Raises InputError for unequal shapes, NaN or infinite values, negative distances, no pair at
    r > 0, bad bins or a negative floor.
    """
    distance, magnitude = _checked_pairs(r, a)
    if floor is None:
        floor = NOISE_SAFETY * float(np.finfo(np.float64).eps) * float(magnitude.max())
    if not (np.isfinite(floor) and floor >= 0.0):
        raise InputError(f"noise floor must be finite and not negative, got {floor}")
    off_site = distance > 0.0
    if not off_site.any():
        raise InputError("decay needs at least one pair at a positive distance")
    distance, magnitude = distance[off_site], magnitude[off_site]
    largest, crowded = float(distance.max()), float(np.quantile(distance, CROWDED))
    signal = magnitude > floor
    reach = float(distance[signal].max(initial=0.0))
    following = float(distance[distance > reach].min(initial=np.inf))
    distance, magnitude = distance[signal], magnitude[signal]
    edges = _edges(FINE_BINS if bins is None else bins, reach)
    place = np.searchsorted(edges, distance, side="left")
    inside = (place > 0) & (place < len(edges))
    place, distance, magnitude = place[inside], distance[inside], magnitude[inside]
    highest = np.zeros(len(edges))
    np.maximum.at(highest, place, magnitude)
    peaks = np.flatnonzero(magnitude == highest[place])
    # Of equal maxima in a bin the first; bins come out in increasing order.
    chosen = peaks[np.unique(place[peaks], return_index=True)[1]]
    return Envelope(distance[chosen], magnitude[chosen], float(floor), following, largest, crowded)


def _edges(bins: int | FloatArray, reach: float) -> FloatArray:
    if isinstance(bins, int | np.integer):
        if bins < 1:
            raise InputError(f"number of bins must be positive, got {bins}")
        edges = np.linspace(0.0, reach, int(bins) + 1)
        edges[-1] = reach
        return edges
    edges = np.asarray(bins, dtype=np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0.0).all():
        raise InputError("bin edges must be at least two increasing numbers")
    return edges


def _checked_pairs(r: FloatArray, a: FloatArray) -> tuple[FloatArray, FloatArray]:
    distance, values = np.asarray(r, dtype=np.float64), np.asarray(a)
    if distance.shape != values.shape:
        raise InputError(f"{distance.shape} distances but {values.shape} magnitudes")
    if distance.size == 0:
        raise InputError("decay needs at least one pair, got none")
    magnitude = np.abs(values).astype(np.float64).ravel()
    distance = distance.ravel()
    for array, name in ((distance, "distance"), (magnitude, "magnitude")):
        wrong = np.flatnonzero(~np.isfinite(array))
        if len(wrong):
            raise InputError(f"pair {wrong[0]}: {name} = {array[wrong[0]]} is not a finite number")
    if distance.min() < 0.0:
        raise InputError(f"pair {distance.argmin()}: negative distance {distance.min()}")
    return distance, magnitude
