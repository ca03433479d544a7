"""Is a function of one variable smooth? Interpolate, look at the midpoint, halve where it is off.

Each interval's midpoint is compared with the cubic through the four nearest points sampled before.
For a smooth function that error falls by 16 with every halving, for one with a jump not at all:
what is still off in an interval of the least width is a jump, twice as high as that error.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scc.arrays import FloatArray


@dataclass(frozen=True)
class Refined:
    """What was sampled, and the jumps.

    Attributes:
        places, values: s (n,) ascending and f(s) (n, components).
        jumps: (s, component, height), the highest of each interval that stayed off.
        exhausted: the evaluations were used up before every interval was resolved.
    """

    places: FloatArray
    values: FloatArray
    jumps: list[tuple[float, int, float]]
    exhausted: bool


def refine(
    function: Callable[[float], FloatArray],
    grid: FloatArray,
    tolerance: FloatArray,
    least_width: float,
    most: int,
) -> Refined:
    """Sample ``function`` on a grid, equally spaced, and refine it.

    Args:
        function: s ↦ (components,). tolerance: (components,), what a midpoint may be off by.
        least_width: of an interval that counts as a point. most: evaluations.
    """
    places = [float(s) for s in grid]
    values = [function(s) for s in places]
    pending = list(pairwise(places))
    jumps: list[tuple[float, int, float]] = []
    while pending and len(places) < most:
        left, right = pending.pop(0)  # in the order of width: coarse ones first
        middle = 0.5 * (left + right)
        expected = _cubic(places, values, middle)
        found = function(middle)
        position = bisect_left(places, middle)
        places.insert(position, middle)
        values.insert(position, found)
        excess = np.abs(found - expected) / tolerance
        if np.all(excess <= 1.0):
            continue
        if right - left > 2.0 * least_width:
            pending += [(left, middle), (middle, right)]
        else:
            component = int(np.argmax(excess))
            height = 2.0 * float(abs(found[component] - expected[component]))
            jumps.append((middle, component, height))
    return Refined(np.array(places), np.array(values), jumps, bool(pending))


def _cubic(places: list[float], values: list[FloatArray], at: float) -> FloatArray:
    """Lagrange's cubic through two points on each side of ``at`` (fewer where there are none)."""
    position = bisect_left(places, at)
    first = max(0, min(position - 2, len(places) - 4))
    chosen = range(first, min(first + 4, len(places)))
    total = np.zeros_like(values[0])
    for i in chosen:
        others = [places[j] for j in chosen if j != i]
        weight = np.prod([(at - s) / (places[i] - s) for s in others])
        total = total + weight * values[i]
    return total
