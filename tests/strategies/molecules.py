"""Small molecules at the experimental geometries that published charges belong to; ångström."""

import numpy as np

from scc.configuration import Configuration
from scc.units import ANGSTROM


def molecule(species, positions):
    """A configuration from positions (M, 3) in ångström."""
    return Configuration(tuple(species), np.array(positions, dtype=np.float64) * ANGSTROM)


def diatomic(one, other, distance):
    """one–other along x, ``distance`` in ångström."""
    return molecule((one, other), [[0, 0, 0], [distance, 0, 0]])


def bent(centre, end, distance, degrees):
    """end–centre–end at an angle."""
    half = np.radians(degrees) / 2.0
    x, y = distance * np.cos(half), distance * np.sin(half)
    return molecule((centre, end, end), [[0, 0, 0], [x, y, 0], [x, -y, 0]])


def pyramid(centre, end, distance, degrees):
    """centre–end₃, the angle between two ends given."""
    radius = 2.0 * distance * np.sin(np.radians(degrees) / 2.0) / np.sqrt(3.0)
    height = np.sqrt(distance**2 - radius**2)
    angles = 2.0 * np.pi * np.arange(3) / 3.0
    ends = np.stack([radius * np.cos(angles), radius * np.sin(angles), np.full(3, -height)], axis=1)
    return molecule((centre, end, end, end), [[0, 0, 0], *ends])


def tetrahedron(centre, end, distance):
    """centre–end₄."""
    ends = distance / np.sqrt(3.0) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    return molecule((centre, *([end] * 4)), [[0, 0, 0], *ends])


def linear(species, places):
    """Atoms along x at the given places."""
    return molecule(species, [[x, 0, 0] for x in places])


def benzene():
    """C₆H₆ of D₆ₕ, 1.397 and 1.084."""
    angles = np.pi * np.arange(6) / 3.0
    ring = np.stack([np.cos(angles), np.sin(angles), np.zeros(6)], axis=1)
    return molecule("C" * 6 + "H" * 6, [*(1.397 * ring), *(2.481 * ring)])
