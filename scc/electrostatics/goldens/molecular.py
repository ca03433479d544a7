"""Open boundaries: molecules, extreme distances, screening, fields and charges from outside."""

from __future__ import annotations

from scc.electrostatics.goldens.drawn import FEATURES, multipoles
from scc.electrostatics.goldens.system import System, Vector

# Oxygen and two hydrogens, and a second molecule that accepts the hydrogen bond along x.
_WATERS: tuple[Vector, ...] = (
    (0.0, 0.0, 0.0),
    (1.8125, 0.0, 0.0),
    (-0.4375, 1.75, 0.0),
    (5.5, 0.125, -0.25),
    (6.0625, -0.875, 1.1875),
    (6.0625, -0.75, -1.5),
)
_WATER_WIDTHS = (1.0, 0.75, 0.75) * 2
_OXYGEN = -0.6875
_HYDROGEN = 0.34375
# Components: charge; dipole y, z, x; quadrupole xy, yz, 3z²−r², xz, x²−y².
_WATER_MULTIPOLES: tuple[tuple[float, ...], ...] = (
    (_OXYGEN, 0.1875, 0.0, 0.15625, 0.28125, 0.0, -0.40625, 0.0, 0.125),
    (_HYDROGEN, 0.015625, 0.0, -0.09375, 0.0, 0.0, 0.0625, 0.0, -0.078125),
    (_HYDROGEN, -0.0625, 0.0, 0.03125, 0.046875, 0.0, 0.0625, 0.0, 0.0625),
    (_OXYGEN, -0.171875, -0.03125, 0.140625, -0.1875, 0.09375, 0.3125, 0.0625, -0.25),
    (_HYDROGEN, 0.046875, -0.078125, -0.03125, 0.03125, -0.0625, 0.046875, 0.03125, 0.015625),
    (_HYDROGEN, 0.03125, 0.0625, -0.03125, 0.015625, 0.0625, 0.0625, -0.046875, 0.03125),
)
_POINTS: tuple[Vector, ...] = ((2.0, 2.0, 1.0), (-40.0, 12.5, 3.75))

MOLECULAR = (
    System(
        name="water_dimer",
        description="Two water-like molecules, Gaussian charges, dipoles and quadrupoles",
        species=("O", "H", "H") * 2,
        positions=_WATERS,
        widths=_WATER_WIDTHS,
        l_max=2,
        multipoles=_WATER_MULTIPOLES,
        features=FEATURES,
        points=_POINTS,
    ),
    System(
        name="open_points_l2",
        description="Three point multipoles up to quadrupoles, total charge 0.5",
        species=("C", "H", "O"),
        positions=((0.0, 0.0, 0.0), (1.5, -0.25, 0.75), (-1.0, 2.0, 0.5)),
        widths=(0.0, 0.0, 0.0),
        l_max=2,
        multipoles=multipoles(11, 3, 2, 0.5),
        features=FEATURES[:2],
        points=_POINTS,
    ),
    System(
        name="open_gaussians_l4",
        description="Three Gaussian multipole sites up to λ = 4, widths over a factor 16",
        species=("C", "H", "O"),
        positions=((0.0, 0.0, 0.0), (1.5, -0.25, 0.75), (-1.0, 2.0, 0.5)),
        widths=(0.25, 1.0, 4.0),
        l_max=4,
        multipoles=multipoles(12, 3, 4, -0.25),
        features=FEATURES[:2],
        points=_POINTS,
    ),
    System(
        name="far_apart",
        description="Two pairs of Gaussian sites more than ten thousand widths apart",
        species=("C", "H", "O", "N"),
        positions=(
            (0.0, 0.0, 0.0),
            (1.25, 0.5, -0.75),
            (8192.0, 4096.0, -2048.0),
            (8193.0, 4096.5, -2047.0),
        ),
        widths=(0.5, 0.75, 0.625, 0.875),
        l_max=2,
        multipoles=multipoles(13, 4, 2, 1.0),
        features=FEATURES[:2],
        points=((0.0, -16384.0, 1024.0),),
    ),
    System(
        name="near_coincident",
        description="Four Gaussian sites, two of them 4e-6 bohr apart, two of them 1e-3 bohr",
        species=("C", "H", "O", "N"),
        positions=(
            (0.5, 0.25, 0.0),
            (0.5 + 2.0**-18, 0.25 - 2.0**-19, 0.0),
            (1.0, 1.0, 1.0),
            (1.0, 1.0 + 2.0**-10, 1.0),
        ),
        widths=(0.5, 0.75, 0.625, 0.875),
        l_max=2,
        multipoles=multipoles(14, 4, 2, 0.25),
        points=((0.5, 0.25, 0.0),),
    ),
    System(
        name="yukawa_open",
        description="Screened interaction, kappa = 0.75: Gaussian sites and a point, up to dipoles",
        species=("C", "H", "O"),
        positions=((0.0, 0.0, 0.0), (1.5, -0.25, 0.75), (-1.0, 2.0, 0.5)),
        widths=(0.5, 0.0, 1.25),
        l_max=1,
        multipoles=multipoles(15, 3, 1, 0.75),
        screening=0.75,
        features=FEATURES,
        points=_POINTS,
    ),
    System(
        name="uniform_field",
        description="Water-like molecule in a uniform external field",
        species=("O", "H", "H"),
        positions=_WATERS[:3],
        widths=_WATER_WIDTHS[:3],
        l_max=2,
        multipoles=_WATER_MULTIPOLES[:3],
        external_field=(0.03125, -0.015625, 0.0625),
        features=FEATURES,
        points=_POINTS,
    ),
    System(
        name="external_charges",
        description="Water-like molecule near two fixed point charges",
        species=("O", "H", "H"),
        positions=_WATERS[:3],
        widths=_WATER_WIDTHS[:3],
        l_max=2,
        multipoles=_WATER_MULTIPOLES[:3],
        external_charges=(((4.0, -1.0, 0.5), 1.0), ((-3.0, -2.5, 2.0), -0.625)),
        features=FEATURES,
        points=_POINTS,
    ),
)
