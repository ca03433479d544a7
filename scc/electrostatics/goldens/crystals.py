"""Crystals of point charges, and of electrons in a neutralising background."""

from __future__ import annotations

from scc.electrostatics.goldens.system import Madelung, System, Vector

Cell = tuple[Vector, Vector, Vector]
PERIODIC = (True, True, True)

_SAKAMOTO = "Y. Sakamoto, J. Chem. Phys. 28, 164 (1958): Madelung constants"
_NACL = "OEIS A085469: Madelung constant of NaCl"
_CSCL = "OEIS A181152: Madelung constant of CsCl"
_HAENSEL = (
    "P. Haensel, A. Y. Potekhin, D. G. Yakovlev, Neutron Stars 1 (2007), Table 2.4: "
    "Madelung constants of one-component Coulomb crystals"
)


def _cubic(edge: float) -> Cell:
    return ((edge, 0.0, 0.0), (0.0, edge, 0.0), (0.0, 0.0, edge))


def _face_centred(half: float) -> Cell:
    return ((0.0, half, half), (half, 0.0, half), (half, half, 0.0))


def _body_centred(half: float) -> Cell:
    return ((-half, half, half), (half, -half, half), (half, half, -half))


def _crystal(
    name: str,
    description: str,
    cell: Cell,
    ions: list[tuple[str, float, Vector]],
    madelung: Madelung,
    *references: str,
) -> System:
    return System(
        name=name,
        description=description,
        species=tuple(species for species, _, _ in ions),
        positions=tuple(place for _, _, place in ions),
        widths=(0.0,) * len(ions),
        l_max=0,
        multipoles=tuple((charge,) for _, charge, _ in ions),
        cell=cell,
        periodic=PERIODIC,
        points=((0.5, 0.25, 0.125), (0.3125, -0.75, 1.0)),
        madelung=madelung,
        references=references,
    )


def _rock_salt(places: list[Vector]) -> list[tuple[str, float, Vector]]:
    """Sodium where x + y + z is even, nearest neighbours one bohr apart."""
    return [("Na", 1.0, place) if sum(place) % 2 == 0 else ("Cl", -1.0, place) for place in places]


_ORIGIN: Vector = (0.0, 0.0, 0.0)
_ONES: Vector = (1.0, 1.0, 1.0)
_CORNERS: list[Vector] = [
    (float(i), float(j), float(k)) for i in range(2) for j in range(2) for k in range(2)
]
_PAIR = Madelung(units=1, charge=1.0, squared_distance=1.0)
_DIAGONAL = Madelung(units=1, charge=1.0, squared_distance=3.0)


def _electrons(units: int, squared_distance: float) -> Madelung:
    return Madelung(units, -1.0, squared_distance, wigner_seitz=True)


CRYSTALS = (
    _crystal(
        "nacl",
        "Rock salt, point charges ±1, primitive cell",
        _face_centred(1.0),
        _rock_salt([_ORIGIN, (1.0, 0.0, 0.0)]),
        _PAIR,
        _NACL,
        _SAKAMOTO,
    ),
    _crystal(
        "nacl_supercell",
        "Rock salt, the cubic cell of four formula units",
        _cubic(2.0),
        _rock_salt(_CORNERS),
        Madelung(units=4, charge=1.0, squared_distance=1.0),
        _NACL,
        _SAKAMOTO,
    ),
    _crystal(
        "nacl_sheared",
        "Rock salt, cell vectors of the primitive cell changed by a matrix of determinant one, "
        "ions moved by lattice vectors",
        ((1.0, 1.0, 2.0), (-1.0, -2.0, -1.0), (1.0, 3.0, -2.0)),
        _rock_salt([(3.0, 2.0, -1.0), (-2.0, 0.0, 1.0)]),
        _PAIR,
        _NACL,
        _SAKAMOTO,
    ),
    _crystal(
        "cscl",
        "Caesium chloride, point charges ±1",
        _cubic(2.0),
        [("Cs", 1.0, _ORIGIN), ("Cl", -1.0, _ONES)],
        _DIAGONAL,
        _CSCL,
        _SAKAMOTO,
    ),
    _crystal(
        "zincblende",
        "Zincblende, point charges ±1 (so that q = 1; for ±2 the energy is four times as large)",
        _face_centred(2.0),
        [("Zn", 1.0, _ORIGIN), ("S", -1.0, _ONES)],
        _DIAGONAL,
        _SAKAMOTO,
    ),
    _crystal(
        "fluorite",
        "Fluorite CaF2, point charges 2 and -1; q = 1 is the fluorine's, so madelung is 5.0388 "
        "(half of it, 2.5194, where the energy is written -A z_+ z_-/d)",
        _face_centred(2.0),
        [("Ca", 2.0, _ORIGIN), ("F", -1.0, _ONES), ("F", -1.0, (-1.0, -1.0, -1.0))],
        _DIAGONAL,
        _SAKAMOTO,
    ),
    _crystal(
        "wigner_sc",
        "Simple cubic lattice of electrons in a uniform background",
        _cubic(1.0),
        [("X", -1.0, _ORIGIN)],
        _electrons(1, 1.0),
        _HAENSEL,
    ),
    _crystal(
        "wigner_bcc",
        "Body-centred cubic lattice of electrons in a uniform background",
        _body_centred(1.0),
        [("X", -1.0, _ORIGIN)],
        _electrons(1, 3.0),
        _HAENSEL,
    ),
    _crystal(
        "wigner_bcc_supercell",
        "The same, cubic cell of two electrons",
        _cubic(2.0),
        [("X", -1.0, _ORIGIN), ("X", -1.0, _ONES)],
        _electrons(2, 3.0),
        _HAENSEL,
    ),
    _crystal(
        "wigner_fcc",
        "Face-centred cubic lattice of electrons in a uniform background",
        _face_centred(1.0),
        [("X", -1.0, _ORIGIN)],
        _electrons(1, 2.0),
        _HAENSEL,
    ),
)
