"""Gaussian charges at random places, open and periodic, and clusters of parameterised elements."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from scc.configuration import Configuration, cluster
from scc.models.onsite_parameters import gfn1_table
from strategies.configurations import cells, clusters, generators

ELEMENTS = tuple(gfn1_table().elements)


class Charges(NamedTuple):
    """A configuration, widths σ, nuclear charges Z, populations p and a displacement dr."""

    configuration: Configuration
    widths: np.ndarray
    nuclear_charges: np.ndarray
    populations: np.ndarray
    displacement: np.ndarray


def _charges(configuration, generator):
    number = len(configuration)
    return Charges(
        configuration,
        np.exp(generator.uniform(np.log(0.1), np.log(3.0), number)),
        generator.uniform(0.0, 8.0, number),
        generator.uniform(0.0, 8.0, number),
        generator.normal(size=(number, 3)),
    )


@st.composite
def open_charges(draw, min_atoms=1, max_atoms=12):
    """Clusters of 1 to 12 charges, widths 0.1 to 3 bohr."""
    configuration = draw(clusters(min_atoms=min_atoms, max_atoms=max_atoms, min_spacing=0.3))
    return _charges(configuration, draw(generators()))


@st.composite
def periodic_charges(draw, max_atoms=5):
    """Charges in skew cells of 2 to 20 bohr, some atoms outside the cell."""
    number = draw(st.integers(1, max_atoms))
    generator = draw(generators())
    cell = draw(cells())
    sites = generator.choice(27, size=number, replace=False)
    fractional = np.stack(np.unravel_index(sites, (3, 3, 3)), axis=1) / 3.0
    fractional = fractional + generator.uniform(0.0, 0.2, size=(number, 3))
    fractional = fractional + generator.integers(-2, 3, size=(number, 3))
    configuration = Configuration(("H",) * number, fractional @ cell, cell, (True, True, True))
    charges = _charges(configuration, generator)
    # Charges much wider than a tiny cell only cost time: their sum has one or two terms.
    widest = 0.4 * abs(np.linalg.det(cell)) ** (1.0 / 3.0)
    return charges._replace(widths=np.minimum(charges.widths, widest))


@st.composite
def element_clusters(draw, min_atoms=1, max_atoms=8, min_spacing=1.2):
    """Clusters of elements with sourced parameters, any mixture of H to Ar."""
    number = draw(st.integers(min_atoms, max_atoms))
    species = draw(st.lists(st.sampled_from(ELEMENTS), min_size=number, max_size=number))
    return cluster(number, draw(st.floats(min_spacing, 4.0)), draw(generators()), species=species)
