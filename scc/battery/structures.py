"""Small structures that ship with the battery: what a model of H and O is checked on."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.units import ANGSTROM

_BOND, _ANGLE = 0.9572 * ANGSTROM, np.deg2rad(104.52)
"""Of gas-phase water: W. S. Benedict, N. Gailar, E. K. Plyler, J. Chem. Phys. 24 (1956) 1139."""

_OXYGENS = 2.9 * ANGSTROM
"""Between neighbouring oxygens, as in the dimer and in liquid water."""


def default_structures() -> list[Configuration]:
    """Water clusters of one, two and three molecules."""
    return [water(1), water(2), water(3)]


def water(molecules: int) -> Configuration:
    """Molecules on a helix of neighbouring oxygens, turned at random, always in the same way."""
    rng = np.random.default_rng(molecules)
    turn = np.deg2rad(100.0)
    radius, rise = 0.42 * _OXYGENS, 0.77 * _OXYGENS
    half = 0.5 * _ANGLE
    molecule: FloatArray = _BOND * np.array(
        [[0.0, 0.0, 0.0], [np.sin(half), np.cos(half), 0.0], [-np.sin(half), np.cos(half), 0.0]]
    )
    positions = []
    for number in range(molecules):
        centre = [rise * number, radius * np.cos(turn * number), radius * np.sin(turn * number)]
        turned = Rotation.random(random_state=rng).apply(molecule)
        positions.append(turned * (1.0 + 0.02 * rng.standard_normal()) + np.array(centre))
    return Configuration(("O", "H", "H") * molecules, np.concatenate(positions))
