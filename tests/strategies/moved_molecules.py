"""Small molecules whose atoms have been moved a little: geometries real codes can solve."""

import numpy as np
from hypothesis import strategies as st

from scc.configuration import Configuration
from scc.units import ANGSTROM
from strategies.configurations import generators

# Near equilibrium, Å.
WATER = ("O H H", [[0.0, 0.0, 0.117], [0.0, 0.757, -0.468], [0.0, -0.757, -0.468]])
LITHIUM_HYDRIDE = ("Li H", [[0.0, 0.0, 0.0], [0.0, 0.0, 1.60]])
AMMONIA = (
    "N H H H",
    [[0.0, 0.0, 0.11], [0.0, 0.94, -0.27], [0.81, -0.47, -0.27], [-0.81, -0.47, -0.27]],
)
FORMALDEHYDE = (
    "C O H H",
    [[0.0, 0.0, -0.53], [0.0, 0.0, 0.67], [0.0, 0.94, -1.12], [0.0, -0.94, -1.12]],
)


def molecule(species, positions, displacement=0.0):
    """Positions in Å, displacement in bohr."""
    return Configuration(tuple(species.split()), np.array(positions) * ANGSTROM + displacement)


@st.composite
def moved_molecules(draw, known=(WATER, LITHIUM_HYDRIDE, AMMONIA, FORMALDEHYDE), size=0.1):
    """One of the known molecules, its atoms moved by ``size`` (bohr, standard deviation)."""
    species, positions = draw(st.sampled_from(known))
    noise = draw(generators()).normal(scale=size, size=np.shape(positions))
    return molecule(species, positions, noise)
