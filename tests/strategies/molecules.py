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


def formaldehyde():
    """H₂CO: C, O, H, H."""
    angle = np.radians(121.75)
    x, y = 1.111 * np.cos(angle), 1.111 * np.sin(angle)
    return molecule("COHH", [[0, 0, 0], [1.205, 0, 0], [x, y, 0], [x, -y, 0]])


def ethene():
    """C₂H₄: C, C, H…"""
    angle = np.radians(121.2)
    x, y = 1.086 * np.cos(angle), 1.086 * np.sin(angle)
    ends = [[x, y, 0], [x, -y, 0], [1.339 - x, y, 0], [1.339 - x, -y, 0]]
    return molecule("CCHHHH", [[0, 0, 0], [1.339, 0, 0], *ends])


def ethane(degrees=111.2):
    """Staggered C₂H₆ with an angle HCC: C, C, H…"""
    angle = np.radians(degrees)
    along, radius = 1.094 * np.cos(angle), 1.094 * np.sin(angle)
    turns = 2.0 * np.pi * np.arange(3) / 3.0
    near = [[radius * np.cos(t), radius * np.sin(t), along] for t in turns]
    far = [[-radius * np.cos(t), -radius * np.sin(t), 1.535 - along] for t in turns]
    return molecule("CC" + "H" * 6, [[0, 0, 0], [0, 0, 1.535], *near, *far])


def formic_acid():
    """HCOOH, the hydroxyl hydrogen on the side of the other O: C, O (double bond), O, H, H (O)."""
    double, single = np.radians(124.1), np.radians(125.0)
    hydroxyl = 1.343 * np.array([np.cos(single), np.sin(single), 0.0])
    turn = np.radians(125.0 + 180.0 + 106.3)
    ends = [
        1.097 * np.array([np.cos(double), -np.sin(double), 0.0]),
        hydroxyl + 0.972 * np.array([np.cos(turn), np.sin(turn), 0.0]),
    ]
    return molecule("COOHH", [[0, 0, 0], [1.202, 0, 0], hydroxyl, *ends])


def acetonitrile():
    """CH₃CN: C, C, N, H…"""
    along, radius = 1.104 * np.cos(np.radians(109.5)), 1.104 * np.sin(np.radians(109.5))
    turns = 2.0 * np.pi * np.arange(3) / 3.0
    ends = [[along, radius * np.cos(t), radius * np.sin(t)] for t in turns]
    return molecule("CCNHHH", [[0, 0, 0], [1.458, 0, 0], [2.615, 0, 0], *ends])


def benzene():
    """C₆H₆ of D₆ₕ, 1.397 and 1.084."""
    angles = np.pi * np.arange(6) / 3.0
    ring = np.stack([np.cos(angles), np.sin(angles), np.zeros(6)], axis=1)
    return molecule("C" * 6 + "H" * 6, [*(1.397 * ring), *(2.481 * ring)])
