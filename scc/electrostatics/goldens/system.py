"""A reference system: what is put in. All numbers are exact in binary and short in decimal."""

from __future__ import annotations

from dataclasses import dataclass, field

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Feature:
    """Potential features (4.1): projections on unit multipoles λ ≤ l_max of one width, bohr."""

    width: float
    l_max: int
    self_interaction: bool


@dataclass(frozen=True)
class Madelung:
    """How the energy of a crystal becomes its Madelung constant.

    Attributes:
        units: what the energy is counted by (formula units or electrons) in the system.
        charge: q of E = −madelung q²/d.
        squared_distance: d² (bohr²), nearest neighbours.
        wigner_seitz: also for the radius r_s of the sphere of volume Ω/units.
    """

    units: int
    charge: float
    squared_distance: float
    wigner_seitz: bool = False


@dataclass(frozen=True)
class System:
    """Sites with multipoles, their boundary condition, and what is asked of them.

    Attributes:
        species: a chemical symbol a site, a label only.
        positions: bohr.
        widths: σ, bohr; 0 is a point.
        multipoles: (l_max+1)² components a site.
        cell: lattice vectors in rows, bohr; of a slab the third one has no meaning.
        periodic: one flag a cell vector.
        screening: κ, bohr⁻¹.
        surface_permittivity: ε' of the surface term, None for tin foil.
        external_field: uniform field F; a charge q feels the force qF.
        external_charges: positions of fixed point charges, and their charges.
        points: where the potential is wanted.
    """

    name: str
    description: str
    species: tuple[str, ...]
    positions: tuple[Vector, ...]
    widths: tuple[float, ...]
    l_max: int
    multipoles: tuple[tuple[float, ...], ...]
    cell: tuple[Vector, Vector, Vector] | None = None
    periodic: tuple[bool, bool, bool] = (False, False, False)
    screening: float = 0.0
    surface_permittivity: float | None = None
    external_field: Vector | None = None
    external_charges: tuple[tuple[Vector, float], ...] = ()
    features: tuple[Feature, ...] = ()
    points: tuple[Vector, ...] = ()
    madelung: Madelung | None = None
    references: tuple[str, ...] = field(default=())

    @property
    def kind(self) -> str:
        """ "open", "slab" or "periodic"."""
        return {0: "open", 2: "slab", 3: "periodic"}[sum(self.periodic)]
