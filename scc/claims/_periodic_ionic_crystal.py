r"""The periodic rock-salt crystal of :mod:`scc.claims._ionic_lattices`: n³ atoms at the Γ point.

By translation the equilibrium has one unknown, the population p_A = 2 − p_B of a sublattice, and
the Γ point of the supercell is the grid k = 2πj/na. With Δ = D/2 + v_B, v_B = −v_A = κ(p_B − Z_B),
ε_k = 2h(cos k_x a + cos k_y a + cos k_z a) and E_k = √(Δ² + ε_k²),

    p_A = 1 + ⟨(F(−E) − F(E)) Δ/E⟩,
    energy per pair = 2⟨G(E) + G(−E)⟩ − v_A p_A − v_B p_B + ½ Σ v(p − Z) − self-energy,

µ = 0 (particle-hole symmetry), ⟨·⟩ the mean over the grid, κ the potential that the two sublattices
with charges ∓1 have on one of them (Ewald sum, tin foil). A supercell of the library gives the same
numbers; the grid reaches sizes that it does not.

What the grid leaves out are paths once around the torus: by Poisson's formula the error is a sum
over lattice vectors R = n·(integers) of the Fourier coefficients of ln det(z − H(k)), integrated
over z = iω (β = ∞) or summed over Matsubara frequencies. On the axis, with Σ cos k_i a = i√(Δ² +
ω²)/2|h|, the transverse momenta (0, π) decay slowest: γa = arcsinh(√(Δ² + ω²)/2|h|), with a factor
1/n from the logarithm, n^{−1/2} from each transverse momentum and, at β = ∞, n^{−1/2} from ω about
its stationary value 0:

    |e(n) − e(∞)| ~ n^{−5/2} e^{−γ(0) n a}  at β = ∞,      n^{−2} e^{−γ(π/β) n a}  at β < ∞.

One way around, γ and not 2γ. Self-consistency adds terms of second order only, as e is variational.
Forces in a crystal with one atom displaced in every 2³ follow, as derivatives of its own e(n).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

from scc.arrays import FloatArray
from scc.claims.claim import System, SystemResult
from scc.configuration import Configuration, lattice
from scc.electrostatics.gaussian_charges import GaussianChargeCoulomb
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.equilibrium import Equilibrium
from scc.functional.energy import EnergyFunctional
from scc.models.hopping import ExponentialHopping
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.occupations.fermi_dirac import FermiDirac

SPACING = 1.5
HOPPING = ExponentialHopping(switch=(1.6, 2.1))
"""Nearest neighbours at 1.5 bohr, also when one is displaced by up to 0.1; none at 1.5√2."""

WIDTH = 0.5
LIMIT = 96
"""Size that stands for the infinite crystal: e^{−96 γa} is below rounding for every γa > 0.4."""

TOLERANCE = 1e-12
"""Density residual of all solves, electrons: energies are then exact to rounding."""

FIRST, FLOOR = 8, 1e-12
"""Smallest size and smallest error per atom (Hartree) from which the rate is taken."""

RATE_TOLERANCE = 0.05
"""The error oscillates with n about its envelope."""

FORCE_TOLERANCE = 0.2
"""From two differences at 4 to 8 sites only."""


@dataclass(frozen=True)
class CrystalState:
    """Equilibrium of a periodic crystal. Hartree, electrons.

    Attributes
    ----------
    energy: per atom, 𝒢 + µN with the nuclear self-energy left out.
    charge: of the Na, Z − p.
    half_gap: Δ.
    """

    energy: float
    charge: float
    half_gap: float


def solved(configuration: Configuration, p: Mapping[str, Any]) -> Equilibrium:
    """The neutral equilibrium for the gap, ionicity and β (1/Hartree) of the parameters."""
    charges = (1.0 + p["ionicity"], 1.0 - p["ionicity"])
    model = OnsiteTightBinding(model_b(p["gap"], charges, hopping=HOPPING)).prepare(configuration)
    functional = EnergyFunctional(model, beta=float(p["beta"]))
    return equilibrate(functional, tolerance=TOLERANCE, throw=True)


def neighbour_hopping() -> float:
    """h(a), Hartree."""
    return float(HOPPING(np.array([SPACING]))[0])


def crystal(size: int, gap: float, ionicity: float, beta: float) -> CrystalState:
    """n³ atoms, n even; levels ∓gap/2, Z = 1 ± ionicity. β in (0, ∞], 1/Hartree."""
    kappa = sublattice_potential()
    cosines, weights = _distribution(size)
    energy2 = (2.0 * neighbour_hopping() * cosines) ** 2
    fermi = FermiDirac(beta, 0.0)

    def surplus(half_gap: float) -> float:
        """p_A − 1 at a given Δ."""
        e = np.sqrt(half_gap**2 + energy2)
        difference = (fermi.occupation(-e) - fermi.occupation(e)) * half_gap / e
        return float(weights @ difference)

    def mismatch(half_gap: float) -> float:
        return half_gap - 0.5 * gap - kappa * (ionicity - surplus(half_gap))

    narrowest, widest = 1e-12, 0.5 * gap + 2.0 * abs(kappa)
    half_gap = narrowest  # a metal: no levels, no charges
    if mismatch(narrowest) < 0.0:
        half_gap = float(brentq(mismatch, narrowest, widest, xtol=1e-15, rtol=1e-15))
    q = ionicity - surplus(half_gap)  # net charge of Na, the opposite of Cl's
    e = np.sqrt(half_gap**2 + energy2)
    grand = 2.0 * float(weights @ (fermi.grand_potential(e) + fermi.grand_potential(-e)))
    v = kappa * q  # v_Cl = v, v_Na = −v
    band = grand - v * ((1.0 - ionicity + q) - (1.0 + ionicity - q))
    charges = (1.0 + ionicity, 1.0 - ionicity)
    self_energy = 0.5 * sum(z * z for z in charges) / (WIDTH * math.sqrt(math.pi))
    return CrystalState(0.5 * (band + v * q - self_energy), q, half_gap)


def infinite_crystal(gap: float, ionicity: float, beta: float) -> CrystalState:
    """The limit n → ∞."""
    return crystal(LIMIT, gap, ionicity, beta)


def decay_per_site(half_gap: float, beta: float) -> float:
    """γa of the module docstring."""
    frequency = 0.0 if math.isinf(beta) else math.pi / beta
    return math.asinh(math.hypot(half_gap, frequency) / (2.0 * abs(neighbour_hopping())))


def sublattice_potential() -> float:
    """κ: potential on Cl, felt by an electron, of a surplus charge +1 on every Na and −1 on every
    Cl; Hartree. Electron populations are then −1 and +1."""
    cell = lattice("rock-salt", 2, SPACING, periodic=True)
    matrix = GaussianChargeCoulomb(cell, WIDTH, 1.0).matrix
    electrons = np.where([symbol == "Cl" for symbol in cell.species], 1.0, -1.0)
    return float((matrix @ electrons)[cell.species.index("Cl")])


def _distribution(size: int) -> tuple[FloatArray, FloatArray]:
    """Values of Σ cos k_i a on the grid and their weights, one octant of the grid."""
    j = np.arange(size // 2 + 1)
    multiplicity = np.where((j == 0) | (j == size // 2), 1.0, 2.0)
    cosine = np.cos(2.0 * np.pi * j / size)
    total = cosine[:, None, None] + cosine[None, :, None] + cosine[None, None, :]
    weight = multiplicity[:, None, None] * multiplicity[None, :, None] * multiplicity
    return total.ravel(), weight.ravel() / size**3


def measure_crystal(system: System) -> SystemResult:
    """Rate of |e(n) − e(∞)| against γa, and of the force on displaced atoms where sizes are given.

    ``supercells``: sizes at which the library equilibrates the whole supercell. At β = ∞ one atom
    of every 2³ is displaced too, and the force on it compared between successive supercells.
    """
    p = system.parameters
    beta, case = float(p["beta"]), (p["gap"], p["ionicity"])
    limit = infinite_crystal(*case, beta)
    rate = decay_per_site(limit.half_gap, beta)
    power = 2.5 if math.isinf(beta) else 2.0
    n = np.arange(4, LIMIT // 2, 2, dtype=np.float64)
    error = np.array([abs(crystal(int(k), *case, beta).energy - limit.energy) for k in n])
    used = (n >= FIRST) & (error > FLOOR)
    slope = -np.polyfit(n[used], np.log(error[used]) + power * np.log(n[used]), 1)[0]
    measured: dict[str, Any] = {"rate of the energy per site": float(slope)}
    predicted: dict[str, Any] = {"rate of the energy per site": rate, "tolerance": RATE_TOLERANCE}
    holds = abs(slope / rate - 1.0) <= RATE_TOLERANCE
    series = {"energy per atom": np.stack([n[error > FLOOR], error[error > FLOOR]])}
    sizes = [int(size) for size in p["supercells"]]
    cells = [ionic_supercell(size) for size in sizes]
    energies = [solved(cell, p).energy / len(cell) for cell in cells[:2]]
    difference = max(
        abs(found - crystal(size, *case, beta).energy)
        for found, size in zip(energies, sizes, strict=False)
    )
    measured["supercells less the grid [Ha per atom]"] = difference
    predicted["supercells less the grid [Ha per atom]"] = 0.0
    holds = holds and difference < 1e-12
    if p["forces"]:
        force = np.array([_force_on_displaced(cell, p) for cell in cells])
        at = np.array(sizes[:-1], dtype=np.float64)
        change = np.abs(np.diff(force))
        reduced = np.log(change) + power * np.log(at)
        found_rate = float((reduced[-2] - reduced[-1]) / (at[-1] - at[-2]))
        measured["rate of the force per site"], predicted["rate of the force per site"] = (
            found_rate,
            rate,
        )
        predicted["tolerance of the force's"] = FORCE_TOLERANCE
        holds = holds and abs(found_rate / rate - 1.0) <= FORCE_TOLERANCE
        series["force on displaced atoms"] = np.stack([at, change])
    for name, values in list(series.items()):
        series[f"predicted {name}"] = np.array([rate, power, *values[:, -1]])
    return system.result(
        hypotheses={
            "beta < inf or a gap": math.isfinite(beta) or limit.half_gap > 0.0,
            "half gap [Ha]": limit.half_gap,
            "charge of Na": limit.charge,
        },
        measured=measured,
        predicted=predicted,
        holds=bool(holds),
        series=series,
    )


def ionic_supercell(size: int) -> Configuration:
    """n³ sites of rock salt, periodic."""
    return lattice("rock-salt", size, SPACING, periodic=True)


def _force_on_displaced(cell: Configuration, p: Mapping[str, Any]) -> float:
    """One Na in every 2 × 2 × 2 moved by 0.1 bohr along x: the force on it along x."""
    offsets = np.rint((cell.positions - cell.positions.min(axis=0)) / SPACING).astype(int)
    chosen = np.all(offsets % 2 == 0, axis=1)
    positions = np.array(cell.positions)
    positions[chosen, 0] += 0.1
    moved = Configuration(cell.species, positions, cell.cell, cell.periodic)
    return float(solved(moved, p).forces[np.flatnonzero(chosen)[0], 0])
