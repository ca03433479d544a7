"""Geometries for CENT with EEQ-2019, and a parameterisation of given numbers."""

import numpy as np
from ase.data import chemical_symbols
from hypothesis import strategies as st

from scc.configuration import Configuration, cluster
from scc.models.charge_state import ConstantElectronegativity
from strategies.configurations import cells, generators

ELEMENTS = tuple(chemical_symbols[1:87])


@st.composite
def element_clusters(draw, min_atoms=2, max_atoms=12, min_spacing=2.0):
    """Clusters of any elements H to Rn."""
    number = draw(st.integers(min_atoms, max_atoms))
    species = draw(st.lists(st.sampled_from(ELEMENTS), min_size=number, max_size=number))
    return cluster(number, draw(st.floats(min_spacing, 5.0)), draw(generators()), species=species)


@st.composite
def element_crystals(draw, max_atoms=4):
    """Light atoms in skew cells; some atoms outside the cell."""
    generator = draw(generators())
    number = draw(st.integers(1, max_atoms))
    cell = draw(cells())
    cell = cell * max(1.0, 6.0 / np.abs(np.linalg.det(cell)) ** (1 / 3))
    sites = generator.choice(8, size=number, replace=False)
    fractional = np.stack(np.unravel_index(sites, (2, 2, 2)), axis=1) / 2.0
    fractional = fractional + generator.uniform(0.0, 0.2, size=(number, 3))
    fractional = fractional + generator.integers(-2, 3, size=(number, 3))
    species = tuple(generator.choice(["H", "C", "O", "Na", "Cl"], size=number))
    return Configuration(species, fractional @ cell, cell, (True, True, True))


def moved(configuration, displacement):
    return Configuration(
        configuration.species,
        configuration.positions + displacement,
        configuration.cell,
        configuration.periodic,
    )


class Bare:
    """A parameterisation for tests: constant χ, given U and σ."""

    def __init__(self, hardness, width=1.0):
        self._hardness, self._width = hardness, width

    def electronegativity(self, configuration):
        return ConstantElectronegativity(np.zeros(len(configuration)))

    def hardness(self, configuration):
        return np.full(len(configuration), self._hardness)

    def widths(self, configuration):
        return np.full(len(configuration), self._width)
