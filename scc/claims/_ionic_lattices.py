r"""Open ionic lattices of n^d atoms, d = 1, 2, 3: how energy, forces and charges of the
equilibrated model approach those of the infinite crystal.

Model B with hopping between nearest neighbours only, spacing a, levels ∓D/2 and Z = 1 ± ζ on the
two sublattices, half filled, µ in the gap. Particle-hole symmetry (A ↔ B, p ↔ 2 − p, v ↔ −v)
leaves every row of atoms neutral, and inversion at the atoms fixes the polarisation: two electrons
sit on the site A, the charges of the Wannier functions are ∓(1 − ζ). Cut to even n, the lattice has
no charge on faces and edges, and its *corners* carry

    ±Q,  Q = (1 − ζ)/2^d,

alternately, whatever the surface does. All algebraic corrections come from these 2^d charges at
distance L = na:

* d = 1: E(n) = en + s − Q²/L + …, so that E(4n) − 3E(2n) + 2E(n) = −¾ Q²/(na): the energy per cell
  beyond its surface term, [E(2n) − E(n)]/n, converges with power 2. Its screening vanishes with L,
  in one and two dimensions: an island of polarisable matter in R³ screens only at short distance.
* The potential of the corners near the centre is cQ Π_i x_i/L^{d+1}: the field at an atom next to
  the centre, and with the effective charge Z* = ∂(dipole)/∂x the force on it, falls like
  L^{−(d+1)} (limit zero by symmetry). For d = 1, 2 the coefficient is that of 2^d point charges ±Q;
  in three dimensions the crystal screens them by a constant.
* The force on an atom displaced by u has the same power for d = 1, 2. (In three dimensions the
  reaction of the matter that is missing beyond the surface to the dipole p = Z*u,
  ∫_L (p/r³)² r^{d−1} dr ~ L^{d−6}, is larger.)
* Charges are even under inversion: they answer to the Laplacian in the lattice of the potential,
  whose next term Π x_i · r²/L^{d+3} has one for d = 1, 2: L^{−(d+3)}. (In three dimensions the
  potential is harmonic; what is left is exponentially small here.)
* d = 3: E(n) = en³ + sn² + ln + c − 5.82 Q²/(na): the energy per atom converges with power 1. The
  leading coefficient of the cubic through four sizes differs from e, which is that of the
  *periodic* crystal, by the divided difference of the last term, 5.82 Q²/(a n₁n₂n₃n₄).

The gap is wide where sizes are small, so that e^{−γL}, the effect of the surface without charges,
stays below the powers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from scc.arrays import FloatArray
from scc.claims._periodic_ionic_crystal import SPACING, infinite_crystal, solved
from scc.claims.claim import System, SystemResult
from scc.configuration import Configuration, chain, lattice
from scc.equilibration.equilibrium import Equilibrium

SPECIES = ("Na", "Cl")
DISPLACEMENT = 0.02
"""Of the central atom along x, bohr."""

COEFFICIENT_TOLERANCE = 0.02
"""Of coefficients at the largest size: corrections are of the next order in 1/n or beyond."""

CUBE = 12.0 - 12.0 / 2.0**0.5 + 4.0 / 3.0**0.5
"""−Σ of ±1/r over the pairs of corners of a unit cube: edges, diagonals of faces, of the cube."""

POWER_TOLERANCE = {1: 0.05, 2: 0.15, 3: 0.25}


def displaced(configuration: Configuration, atom: int, amount: float) -> Configuration:
    """One atom moved along x, bohr."""
    positions = np.array(configuration.positions)
    positions[atom, 0] += amount
    return Configuration(
        configuration.species, positions, configuration.cell, configuration.periodic
    )


@dataclass(frozen=True)
class Island:
    """n^d atoms, n even, at equilibrium, and the same with its central Na displaced."""

    dimension: int
    size: int
    case: Mapping[str, Any]

    @cached_property
    def configuration(self) -> Configuration:
        if self.dimension == 1:
            return chain(self.size, SPACING, SPECIES)
        if self.dimension == 2:
            return lattice("square", self.size, SPACING, SPECIES)
        return lattice("rock-salt", self.size, SPACING)

    @cached_property
    def centre(self) -> int:
        """A Na atom next to the centre."""
        r = np.linalg.norm(self.configuration.positions, axis=1)
        sodium = np.array([symbol == SPECIES[0] for symbol in self.configuration.species])
        return int(np.flatnonzero(sodium & (r < r.min() + 1e-9))[0])

    @cached_property
    def equilibrium(self) -> Equilibrium:
        return solved(self.configuration, self.case)

    @cached_property
    def moved(self) -> Equilibrium:
        return solved(displaced(self.configuration, self.centre, DISPLACEMENT), self.case)

    @property
    def effective_charge(self) -> float:
        """Z* = ∂(Σ q x)/∂x of the central atom, everything relaxed but the atoms."""
        change = 0.0
        for found, sign in ((self.moved, 1.0), (self.equilibrium, -1.0)):
            x = found.functional.configuration.positions[:, 0]
            change += sign * float(found.charges @ x)
        return change / DISPLACEMENT

    def corner_field(self, charge: float) -> float:
        """x component at the central atom of point charges ±``charge`` on the corners ±L/2."""
        signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * self.dimension)).reshape(self.dimension, -1).T
        corners = np.zeros((len(signs), 3))
        corners[:, : self.dimension] = 0.5 * self.size * SPACING * signs
        # The atom at the lowest corner is Na, with a surplus of electrons: −Q.
        parity = np.prod(signs, axis=1) * (-1.0) ** self.dimension
        apart = self.configuration.positions[self.centre] - corners
        cubed = np.linalg.norm(apart, axis=1) ** 3
        return float(np.sum(-charge * parity * apart[:, 0] / cubed))


def corner_charge(dimension: int, ionicity: float) -> float:
    """Q = (1 − ζ)/2^d, elementary charges."""
    return (1.0 - ionicity) / 2.0**dimension


def last_power(n: FloatArray, values: FloatArray) -> tuple[float, float]:
    """(p, uncertainty) of |values| ~ n^{−p}: between the two largest of at least three sizes.

    The uncertainty is the change from the pair before: corrections are of higher order in 1/n.
    """
    powers = -np.diff(np.log(np.abs(values))) / np.diff(np.log(n))
    return float(powers[-1]), float(abs(powers[-1] - powers[-2]))


def measure_islands(system: System) -> SystemResult:
    """Powers and coefficients of the module docstring for one dimension."""
    p = system.parameters
    dimension, sizes = int(p["dimension"]), [int(n) for n in p["sizes"]]
    islands = [Island(dimension, n, p) for n in sizes]
    n = np.array(sizes, dtype=np.float64)
    charge = corner_charge(dimension, p["ionicity"])
    largest = islands[-1]
    energies = np.array([island.equilibrium.energy for island in islands])
    force = np.array([island.equilibrium.forces[island.centre, 0] for island in islands])

    curves: dict[str, tuple[FloatArray, FloatArray, float]] = {
        "force at the centre": (n, force, dimension + 1.0)
    }
    measured: dict[str, Any] = {}
    predicted: dict[str, Any] = {}
    verdicts = []
    if dimension < 3:
        coefficient = float(force[-1]) / (largest.effective_charge * largest.corner_field(charge))
        measured["force at the centre over Z* times the field of the corners"] = coefficient
        predicted["force at the centre over Z* times the field of the corners"] = 1.0
        verdicts.append(abs(coefficient - 1.0) <= COEFFICIENT_TOLERANCE)
        moved = np.array([island.moved.forces[island.centre, 0] for island in islands])
        inner = np.array([island.equilibrium.charges[island.centre] for island in islands])
        for name, values, power in (
            ("force on a displaced atom", moved, dimension + 1.0),
            ("charge at the centre", inner, dimension + 3.0),
        ):
            at, change = _doubling(islands, values)
            # Rounding of an eigensolver for the larger of the two islands, tenfold.
            clear = np.abs(change) > 10.0 * np.finfo(np.float64).eps * (2.0 * at) ** dimension
            curves[name] = (at[clear], change[clear], power)
    if dimension == 1:
        half, single = _doubling(islands, energies / n)  # (E(n) − E(2n)/2)/n = s/2n + …
        beyond = single[:-1] * half[:-1] - single[1:] * half[1:]
        curves["energy per cell beyond the surface"] = (half[:-1], beyond / half[:-1], 2.0)
        # E(n) − ½E(2n) − [E(2n) − ½E(4n)] = ½ [E(4n) − 3E(2n) + 2E(n)]
        ratio = float(-2.0 * beyond[-1] * half[-2] * SPACING / (0.75 * charge**2))
        measured["end-charge energy over Q²/L"], predicted["end-charge energy over Q²/L"] = ratio, 1
        verdicts.append(abs(ratio - 1.0) <= COEFFICIENT_TOLERANCE)
    if dimension == 3:
        crystal = infinite_crystal(p["gap"], p["ionicity"], float(p["beta"]))
        four = n[-4:]
        bulk = float(np.linalg.solve(np.vander(four, 4), energies[-4:])[0])
        # Third divided difference of 1/n: −1/(n₁n₂n₃n₄).
        corners = CUBE * charge**2 / (SPACING * float(np.prod(four)))
        curves["energy per atom"] = (n, energies / n**3 - crystal.energy, 1.0)
        name = "bulk energy from four islands less that of the crystal [Ha]"
        measured[name], predicted[name] = bulk - crystal.energy, corners
        predicted[f"tolerance of {name}"] = 0.1 * corners
        verdicts.append(abs(bulk - crystal.energy - corners) <= 0.1 * corners)
    series: dict[str, FloatArray] = {}
    for name, (x, y, power) in curves.items():
        found, uncertainty = last_power(x, y)
        measured[f"power of {name}"], predicted[f"power of {name}"] = found, power
        measured[f"uncertainty of power of {name}"] = uncertainty
        tolerance = POWER_TOLERANCE[dimension]
        predicted[f"tolerance of power of {name}"] = tolerance
        verdicts.append(abs(found - power) <= tolerance)
        series[name] = np.stack([x, np.abs(y)])
        series[f"predicted {name}"] = np.array([power])
    gaps = [island.equilibrium.gap for island in islands]
    return system.result(
        hypotheses={
            "mu in the gap": min(gaps) > 0.0,
            "smallest gap [Ha]": float(min(gaps)),
            "Q": charge,
        },
        measured=measured,
        predicted=predicted,
        holds=all(verdicts),
        series=series,
    )


def _doubling(islands: list[Island], values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n, x(n) − x(2n)) where both sizes are there: of x(∞) + A n^{−p} a power again."""
    places = {island.size: k for k, island in enumerate(islands)}
    pairs = [(n, k, places[2 * n]) for n, k in places.items() if 2 * n in places]
    sizes, one, two = np.array(pairs, dtype=np.int64).T
    return sizes.astype(np.float64), values[one] - values[two]
