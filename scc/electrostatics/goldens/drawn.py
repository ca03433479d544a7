"""Multipoles without any symmetry: numbers drawn once, multiples of 1/64."""

from __future__ import annotations

import random

from scc.electrostatics.goldens.system import Feature

FEATURES = tuple(Feature(width, 1, included) for width in (0.75, 1.5) for included in (True, False))


def multipoles(
    seed: int, sites: int, l_max: int, total_charge: float
) -> tuple[tuple[float, ...], ...]:
    """(l_max+1)² components a site in [−1, 1], the charges adding up to a multiple of 1/64."""
    draw = random.Random(seed).random  # this sequence is the same in every version of Python
    rows = [[round(128 * draw() - 64) / 64 for _ in range((l_max + 1) ** 2)] for _ in range(sites)]
    rows[-1][0] += total_charge - sum(row[0] for row in rows)
    return tuple(tuple(row) for row in rows)
