"""Random systems of Gaussian and point multipoles, and a cluster of water, from seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from scc.arrays import FloatArray
from scc.basis.solid_harmonics import solid_harmonics
from scc.claims._electrostatics_displaced import Dipoles
from scc.configuration import Configuration
from scc.units import ANGSTROM

SMALLEST_WIDTH, LARGEST_WIDTH = 0.03, 3.0  # bohr, two decades
_REACH = 0.3  # a multipole is of the size of charges this many bohr apart


@dataclass(frozen=True)
class Drawn:
    """Sites, widths and multipoles at one geometry.

    Attributes:
        configuration: positions, cell and periodic directions.
        widths: σ (M,), bohr; 0 is a point.
        l_max: largest λ.
        multipoles: (M, (l_max+1)²).
    """

    configuration: Configuration
    widths: FloatArray
    l_max: int
    multipoles: FloatArray

    def turned(self, rotation: FloatArray) -> Drawn:
        """Positions, cell and multipoles turned by the (3, 3) rotation."""
        old = self.configuration
        configuration = Configuration(
            old.species,
            old.positions @ rotation.T,
            None if old.cell is None else old.cell @ rotation.T,
            old.periodic,
        )
        multipoles = self.multipoles @ rotation_of_harmonics(self.l_max, rotation).T
        return Drawn(configuration, self.widths, self.l_max, multipoles)


def draw_system(
    seed: int,
    kind: str,
    neutral: bool,
    sites: tuple[int, int] = (2, 10),
    l_max: int | None = None,
) -> Drawn:
    """Multipoles λ ≤ 2 at random density, in a random cell.

    Cells are triclinic with angles and lengths that differ, spacings between 2 and 8 bohr; widths
    are all alike, mixed over two decades, or partly or all zero. No two sites come closer than a
    quarter of the mean spacing.

    Args:
        kind: "open", "slab" or "periodic".
        neutral: whether the charges add up to zero.
        sites: smallest and largest number of sites.
        l_max: largest λ; None draws it.
    """
    rng = np.random.default_rng(seed)
    number = int(rng.integers(sites[0], sites[1] + 1))
    order = int(rng.integers(0, 3)) if l_max is None else l_max
    spacing = float(np.exp(rng.uniform(math.log(2.0), math.log(8.0))))
    cell = _cell(rng, number * spacing**3)
    periodic = {
        "open": (False, False, False),
        "slab": (True, True, False),
        "periodic": (True, True, True),
    }[kind]
    positions = _scattered(rng, number, cell, 0.25 * spacing)
    configuration = Configuration(
        ("X",) * number, positions, None if kind == "open" else cell, periodic
    )
    return Drawn(
        configuration, _widths(rng, number), order, _multipoles(rng, number, order, neutral)
    )


def _cell(rng: np.random.Generator, volume: float) -> FloatArray:
    while True:
        units = rng.normal(size=(3, 3))
        units /= np.linalg.norm(units, axis=1, keepdims=True)
        if abs(np.linalg.det(units)) > 0.3:
            cell = units * np.exp(rng.uniform(-0.4, 0.4, size=(3, 1)))
            return np.asarray(cell * (volume / abs(np.linalg.det(cell))) ** (1.0 / 3.0))


def _scattered(
    rng: np.random.Generator, number: int, cell: FloatArray, nearest: float
) -> FloatArray:
    """One at a time, refused when nearer than ``nearest`` to an earlier one or its images."""
    images = np.array(list(np.ndindex(3, 3, 3))) - 1.0
    found = np.zeros((0, 3))
    while len(found) < number:
        trial = rng.uniform(size=3)
        apart = (found[:, None] - trial + images) @ cell
        if np.all(np.sum(apart**2, axis=-1) > nearest**2):
            found = np.vstack([found, trial])
    return np.asarray(found @ cell)


def _widths(rng: np.random.Generator, number: int) -> FloatArray:
    mixed = rng.uniform() < 0.5
    exponents = rng.uniform(
        math.log(SMALLEST_WIDTH), math.log(LARGEST_WIDTH), number if mixed else 1
    )
    widths = np.exp(exponents) * np.ones(number)
    widths[rng.uniform(size=number) < rng.choice([0.0, 0.3, 1.0])] = 0.0
    return np.asarray(widths)


def _multipoles(rng: np.random.Generator, number: int, l_max: int, neutral: bool) -> FloatArray:
    degree = np.floor(np.sqrt(np.arange((l_max + 1) ** 2)))
    values = rng.normal(size=(number, (l_max + 1) ** 2)) * _REACH**degree
    if neutral:
        values[:, 0] -= values[:, 0].mean()
    return np.asarray(values)


def rotation_of_harmonics(l_max: int, rotation: FloatArray) -> FloatArray:
    """D with R_λµ(Qx) = Σ D_µµ' R_λµ'(x), ((l_max+1)², (l_max+1)²), by least squares.

    Multipole moments ∫ n R_λµ turn like R_λµ itself: p → D p when n is turned by Q.
    """
    points = np.random.default_rng(0).normal(size=(8 * (l_max + 1) ** 2, 3))
    before = solid_harmonics(l_max, points)
    after = solid_harmonics(l_max, points @ rotation.T)
    matrix = np.zeros((before.shape[1], before.shape[1]))
    for degree in range(l_max + 1):
        block = slice(degree**2, (degree + 1) ** 2)
        matrix[block, block] = np.linalg.lstsq(before[:, block], after[:, block], rcond=None)[0].T
    return matrix


def random_rotations(number: int, seed: int) -> FloatArray:
    """(number, 3, 3), uniform."""
    return np.asarray(Rotation.random(number, np.random.default_rng(seed)).as_matrix())


# Charges and dipoles of the AMOEBA water model, P. Ren, J. W. Ponder, J. Phys. Chem. B 107, 5933
# (2003), e and e bohr: the oxygen's along the bisector, a hydrogen's in the frame whose z points
# to the oxygen and whose x lies in the molecule, towards the other hydrogen.
_CHARGES = (-0.51966, 0.25983, 0.25983)
_OXYGEN_DIPOLE = 0.14279
_HYDROGEN_DIPOLE = (-0.03859, -0.05818)
_BOND, _ANGLE, _SPACING = 0.9572, 104.52, 2.9  # angstrom, degrees, angstrom


def water_cluster(width: float, seed: int = 0) -> Dipoles:
    """Eight molecules near the corners of a cube of 2.9 Å, turned at random; σ in bohr."""
    rng = np.random.default_rng(seed)
    atoms, dipoles = _molecule()
    rotations = random_rotations(8, seed)
    corners = _SPACING * np.array(list(np.ndindex(2, 2, 2))) + rng.uniform(-0.15, 0.15, (8, 3))
    positions = np.einsum("mij,aj->mai", rotations, atoms) + corners[:, None]
    turned = np.einsum("mij,aj->mai", rotations, dipoles)
    return Dipoles(
        positions.reshape(-1, 3) * ANGSTROM, np.tile(_CHARGES, 8), turned.reshape(-1, 3), width
    )


def _molecule() -> tuple[FloatArray, FloatArray]:
    """Positions (angstrom) and dipoles (e bohr) of O, H, H; the bisector is z."""
    half = math.radians(0.5 * _ANGLE)
    arm = np.array([math.sin(half), 0.0, math.cos(half)])
    atoms = _BOND * np.array([np.zeros(3), arm, arm * [-1.0, 1.0, 1.0]])
    dipoles = np.zeros((3, 3))
    dipoles[0, 2] = _OXYGEN_DIPOLE
    for hydrogen, other in ((1, 2), (2, 1)):
        z = -atoms[hydrogen] / _BOND
        x = atoms[other] - atoms[hydrogen]
        x = x - (x @ z) * z
        dipoles[hydrogen] = _HYDROGEN_DIPOLE[0] * x / np.linalg.norm(x) + _HYDROGEN_DIPOLE[1] * z
    return atoms, dipoles
