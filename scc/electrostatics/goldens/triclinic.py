"""Cells and slabs without symmetry: mixed widths, points, backgrounds, surfaces, screening."""

from __future__ import annotations

from scc.electrostatics.goldens.drawn import FEATURES, multipoles
from scc.electrostatics.goldens.system import Feature, System, Vector

_CELL = ((4.0, 0.5, 0.0), (-1.0, 5.0, 0.25), (0.5, -0.75, 4.5))
_PLANE = ((4.0, 0.5, 0.0), (-1.0, 5.0, 0.0), (0.0, 0.0, 32.0))
_PERIODIC = (True, True, True)
_SLAB = (True, True, False)
_PLACES: tuple[Vector, ...] = (
    (0.25, 0.5, 0.125),
    (2.25, 1.0, 2.0),
    (0.75, 3.5, 1.0),
    (-0.5, 1.75, 3.25),
)
_POINTS: tuple[Vector, ...] = ((1.25, 1.5, 1.0), (3.0, -2.75, 9.5))

TRICLINIC = (
    System(
        name="triclinic_gaussians_l2",
        description="Triclinic cell, four Gaussian multipole sites up to quadrupoles, four widths",
        species=("C", "H", "O", "N"),
        positions=_PLACES,
        widths=(0.5, 0.875, 1.25, 0.25),
        l_max=2,
        multipoles=multipoles(1, 4, 2, 0.0),
        cell=_CELL,
        periodic=_PERIODIC,
        features=FEATURES,
        points=_POINTS,
    ),
    System(
        name="triclinic_gaussians_l4",
        description="Triclinic cell, two Gaussian multipole sites up to λ = 4, two widths",
        species=("C", "O"),
        positions=_PLACES[:2],
        widths=(0.75, 1.125),
        l_max=4,
        multipoles=multipoles(2, 2, 4, 0.0),
        cell=_CELL,
        periodic=_PERIODIC,
        features=(Feature(1.0, 2, True), Feature(1.0, 2, False)),
        points=_POINTS,
    ),
    System(
        name="triclinic_charged",
        description="Triclinic cell of total charge 1.5 in a neutralising background, three "
        "Gaussian sites up to dipoles, three widths",
        species=("C", "H", "O"),
        positions=_PLACES[:3],
        widths=(0.5, 0.875, 1.25),
        l_max=1,
        multipoles=multipoles(3, 3, 1, 1.5),
        cell=_CELL,
        periodic=_PERIODIC,
        features=FEATURES,
        points=_POINTS,
    ),
    System(
        name="triclinic_points_l2",
        description="Triclinic cell, three point multipoles up to quadrupoles",
        species=("C", "H", "O"),
        positions=_PLACES[:3],
        widths=(0.0, 0.0, 0.0),
        l_max=2,
        multipoles=multipoles(4, 3, 2, 0.0),
        cell=_CELL,
        periodic=_PERIODIC,
        features=FEATURES[:2],
        points=_POINTS,
    ),
    System(
        name="triclinic_points_and_gaussians",
        description="Triclinic cell of total charge -0.75, points and Gaussians mixed, charges "
        "and dipoles",
        species=("C", "H", "O"),
        positions=_PLACES[:3],
        widths=(0.0, 1.0, 0.0),
        l_max=1,
        multipoles=multipoles(5, 3, 1, -0.75),
        cell=_CELL,
        periodic=_PERIODIC,
        points=_POINTS,
    ),
    System(
        name="dipolar_crystal_vacuum",
        description="Neutral triclinic cell with a dipole moment, surrounded by vacuum (surface "
        "term with permittivity 1)",
        species=("C", "H", "O"),
        positions=_PLACES[:3],
        widths=(0.5, 0.875, 1.25),
        l_max=2,
        multipoles=multipoles(6, 3, 2, 0.0),
        cell=_CELL,
        periodic=_PERIODIC,
        surface_permittivity=1.0,
        features=FEATURES[:2],
        points=_POINTS,
    ),
    System(
        name="yukawa_periodic",
        description="Screened interaction, kappa = 0.5, in a neutral triclinic cell; three "
        "Gaussian sites up to dipoles",
        species=("C", "H", "O"),
        positions=_PLACES[:3],
        widths=(0.5, 0.875, 1.25),
        l_max=1,
        multipoles=multipoles(7, 3, 1, 0.0),
        cell=_CELL,
        periodic=_PERIODIC,
        screening=0.5,
        features=FEATURES[:2],
        points=_POINTS,
    ),
    System(
        name="yukawa_periodic_charged",
        description="Screened interaction, kappa = 0.25, points in a triclinic cell of total "
        "charge 1 (no background: the k = 0 term is in the sum)",
        species=("C", "H"),
        positions=_PLACES[:2],
        widths=(0.0, 0.0),
        l_max=1,
        multipoles=multipoles(8, 2, 1, 1.0),
        cell=_CELL,
        periodic=_PERIODIC,
        screening=0.25,
        points=_POINTS,
    ),
    System(
        name="slab_gaussians",
        description="Neutral slab with a dipole moment along its normal z, periodic in x and y, "
        "four Gaussian sites up to quadrupoles",
        species=("C", "H", "O", "N"),
        positions=_PLACES,
        widths=(0.5, 0.875, 1.25, 0.25),
        l_max=2,
        multipoles=multipoles(9, 4, 2, 0.0),
        cell=_PLANE,
        periodic=_SLAB,
        features=FEATURES,
        points=_POINTS,
    ),
    System(
        name="slab_points",
        description="Neutral slab periodic in x and y, four point charges with dipoles",
        species=("C", "H", "O", "N"),
        positions=_PLACES,
        widths=(0.0,) * 4,
        l_max=1,
        multipoles=multipoles(10, 4, 1, 0.0),
        cell=_PLANE,
        periodic=_SLAB,
        features=FEATURES[:2],
        points=_POINTS,
    ),
)
