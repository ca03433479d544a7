r"""What pairs, wave vectors and mesh points cost, in seconds on one core of 2023 (placeholder)."""

from __future__ import annotations

import math


def pair_cost(number: int, neighbours: float, l_max: int) -> float:
    """``number`` sites with ``neighbours`` pairs each."""
    return number * neighbours * 5e-8 * (l_max + 1) ** 3


def wave_cost(number: int, waves: float, l_max: int) -> float:
    """``waves`` wave vectors (both of ±k) at ``number`` sites."""
    return number * waves * 1e-8 * (l_max + 1) ** 2


def mesh_cost(number: int, shape: tuple[int, int, int], spline_order: int, l_max: int) -> float:
    """One mesh with splines of the order given."""
    points = math.prod(shape)
    return 6e-9 * points * math.log2(points) + number * spline_order**3 * 4e-9 * (l_max + 1) ** 2
