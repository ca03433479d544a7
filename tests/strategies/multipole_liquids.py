"""Random liquids of Gaussian multipoles, dilute to dense, in every boundary condition."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from scc.configuration import Configuration
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.sites import Sites
from strategies.configurations import generators
from strategies.multipoles import LARGEST_WIDTH, SMALLEST_WIDTH

THINNEST, DENSEST = 1e-4, 0.1  # sites in a cubic bohr; liquid water has 0.015


_ANGSTROM = 0.529177210903  # Å in a bohr


class Liquid(NamedTuple):
    """Sites that carry multipoles p (N, (l_max+1)²), and their boundary condition."""

    boundary: Boundary
    sites: Sites
    multipoles: np.ndarray

    @property
    def configuration(self):
        """The same positions and cell."""
        return Configuration(
            ("X",) * len(self.sites),
            self.sites.positions,
            self.boundary.cell,
            self.boundary.periodic,
        )


def random_liquid(generator, kind="periodic", most_sites=200, l_max=2, screened=False):
    """A :class:`Liquid` of 1 to ``most_sites`` sites, small numbers as likely as large ones.

    Positions are uniform, or a lattice with vacancies and jitter; the cell has lengths and angles
    of any kind. All are points, or have one width, a few widths, or each its own, over two
    decades. Most systems are neutral, slabs all.
    """
    number = int(np.exp(generator.uniform(0.0, np.log(most_sites + 0.99))))
    density = np.exp(generator.uniform(np.log(THINNEST), np.log(DENSEST)))
    cell = _cell(generator, number / density)
    positions = _fractional(generator, number) @ cell + generator.normal(size=3)
    order = int(generator.integers(0, l_max + 1))
    degree = np.floor(np.sqrt(np.arange((order + 1) ** 2)))
    reach = np.exp(generator.normal(scale=0.7))  # bohr: size of multipoles of unit charges
    multipoles = generator.normal(size=(number, (order + 1) ** 2)) * reach**degree
    if kind == "slab" or (number > 1 and generator.random() < 0.7):
        multipoles[:, 0] -= multipoles[:, 0].mean()
    periodic = {
        "open": (False,) * 3,
        "slab": tuple(bool(f) for f in np.arange(3) != generator.integers(3)),
        "periodic": (True,) * 3,
    }[kind]
    screening = np.exp(generator.uniform(np.log(0.02), 0.0)) if screened else 0.0
    return Liquid(
        Boundary(None if kind == "open" else cell, periodic, float(screening)),
        Sites(positions, _widths(generator, number) ** 2, order),
        multipoles,
    )


@st.composite
def liquids(draw, kinds=("periodic",), most_sites=60, l_max=2, screened=False):
    """See :func:`random_liquid`."""
    kind = draw(st.sampled_from(kinds))
    return random_liquid(draw(generators()), kind, most_sites, l_max, screened)


def water(generator, molecules, l_max=0, width=0.0):
    """Rigid three-site molecules (-0.834, 0.417 e) on a loose lattice, 0.1 atoms/Å³, periodic.

    With ``l_max`` > 0 every site carries random dipoles (and so on) of 0.3^λ besides.
    """
    length = (3 * molecules / 0.1) ** (1.0 / 3.0) / _ANGSTROM
    grid = int(np.ceil(molecules ** (1.0 / 3.0) - 1e-9))
    places = generator.permutation(grid**3)[:molecules]
    corner = np.stack(np.unravel_index(places, (grid,) * 3), axis=1)
    centres = (corner + 0.5 + generator.uniform(-0.12, 0.12, (molecules, 3))) * length / grid
    half = np.deg2rad(104.52) / 2.0
    bonds = np.array([[0.0, 0.0, 0.0], [np.sin(half), np.cos(half), 0.0]])
    bonds = np.vstack([bonds, bonds[1] * [-1.0, 1.0, 1.0]]) * 0.9572 / _ANGSTROM
    turns, _ = np.linalg.qr(generator.normal(size=(molecules, 3, 3)))
    positions = (centres[:, None] + bonds @ turns).reshape(-1, 3)
    degree = np.floor(np.sqrt(np.arange((l_max + 1) ** 2)))
    multipoles = generator.normal(size=(3 * molecules, (l_max + 1) ** 2)) * 0.3**degree
    multipoles[:, 0] = np.tile([-0.834, 0.417, 0.417], molecules)
    return Liquid(
        Boundary(length * np.eye(3), (True,) * 3),
        Sites(positions, np.full(3 * molecules, width**2), l_max),
        multipoles,
    )


def _cell(generator, volume):
    while True:
        units = generator.normal(size=(3, 3))
        units /= np.linalg.norm(units, axis=1, keepdims=True)
        if abs(np.linalg.det(units)) > 0.15:
            break
    cell = units * np.exp(generator.uniform(-0.5, 0.5, size=(3, 1)))
    return cell * (volume / abs(np.linalg.det(cell))) ** (1.0 / 3.0)


def _fractional(generator, number):
    if generator.random() < 0.3:
        return generator.uniform(size=(number, 3))
    grid = int(np.ceil(number ** (1.0 / 3.0) - 1e-9)) + int(generator.integers(2))
    sites = generator.choice(grid**3, size=number, replace=False)
    corner = np.stack(np.unravel_index(sites, (grid,) * 3), axis=1)
    jitter = generator.choice([0.3, 0.7])
    return (corner + generator.uniform(0.0, jitter, size=(number, 3))) / grid


def _widths(generator, number):
    low, high = np.log(SMALLEST_WIDTH), np.log(LARGEST_WIDTH)
    match generator.integers(4):
        case 0:
            return np.zeros(number)
        case 1:
            return np.full(number, np.exp(generator.uniform(low, high)))
        case 2:
            species = np.exp(generator.uniform(low, high, 3)) * generator.integers(2, size=3)
            return generator.choice(species, number)
        case _:
            widths = np.exp(generator.uniform(low, high, number))
            widths[generator.random(number) < 0.3] = 0.0
            return widths
