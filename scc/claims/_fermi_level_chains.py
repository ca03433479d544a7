"""Metallic chains of remark 10: ε_{F,N} against N and M, and the far response it brings."""

from typing import Any

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.green import convergence_rate
from scc.bodyorder.spectral_set import SpectralSet
from scc.claims._growth_systems import growth_power
from scc.claims._onsite_systems import SPECIES
from scc.claims.claim import System, SystemResult
from scc.configuration import chain
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.ensemble import fermi_level
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import remark_10
from scc.theory._fermi_level_family import FermiLevelFamily

RATE = 0.15
POWER = 0.05
FAR = 1e-3
"""Relative agreement of differenced and predicted far response: a quotient of step 1e-3/β."""

EPS = float(np.finfo(np.float64).eps)
_MARGIN = 0.05


class Metal:
    """Uniform chain of one species with random v̂, one electron an atom; see remark_8."""

    def __init__(self, p: Any, atoms: int, longest: int) -> None:
        self.beta, self.atoms = float(p["beta"]), atoms
        rng = np.random.default_rng(p["seed"])
        first = longest // 2 - atoms // 2
        noise = rng.uniform(-1.0, 1.0, longest)[first : first + atoms]
        self.features = p["disorder"] * noise
        self.model: BoundTightBinding = OnsiteTightBinding(model_b(0.0)).prepare(
            chain(atoms, 1.0, SPECIES[0])
        )
        self.levels, self.orbitals = self.diagonalised(self.features)
        self.fermi_level = fermi_level(self.levels, float(atoms), self.beta)
        self.exact = FermiDirac(self.beta, self.fermi_level)

    def diagonalised(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Levels and orbitals at other v̂."""
        levels, orbitals = np.linalg.eigh(self.model.hamiltonian(features))
        return levels, orbitals

    @property
    def states(self) -> float:
        """D, electrons/Hartree."""
        return -2.0 * float(np.sum(self.exact.derivative(self.levels)))

    def potential(self, mu: float) -> float:
        """W(µ) − W(ε_F) = 2Tr(G_µ − G_{ε_F}) + (µ − ε_F)N, Hartree, by its integral.

        The difference of two numbers of order M would lose what is looked for; with
        W′ = N − n(µ) it is −∫ (n(µ′) − N) dµ′, by Gauss's rule.
        """
        nodes, weights = np.polynomial.legendre.leggauss(8)
        half = 0.5 * (mu - self.fermi_level)
        counts = [2.0 * np.sum(self._change(half * (1.0 + node))) for node in nodes]
        return -half * float(weights @ np.array(counts))

    def _change(self, shift: float) -> FloatArray:
        """F_{ε_F+shift}(λ) − F_{ε_F}(λ), no cancellation: −shift · F[λ − shift, λ]."""
        return -shift * self.exact.divided_difference(self.levels - shift, self.levels)


def _hull(levels: FloatArray) -> SpectralSet:
    return SpectralSet(((float(levels[0]) - _MARGIN, float(levels[-1]) + _MARGIN),))


def _solve(family: FermiLevelFamily, metal: Metal, levels: FloatArray, centre: float) -> float:
    return family.fermi_level(levels, float(metal.atoms), centre - 0.5, centre + 0.5)


def against_degree(system: System) -> SystemResult:
    p = system.parameters
    metal = Metal(p, p["atoms"], p["atoms"])
    X = _hull(metal.levels)
    theta = convergence_rate(X, metal.beta, metal.fermi_level)
    shifts, energies, limits = [], [], []
    for degree in p["degrees"]:
        family = FermiLevelFamily(X, degree, metal.beta)
        level = _solve(family, metal, metal.levels, metal.fermi_level)
        shifts.append(abs(level - metal.fermi_level))
        energies.append(abs(metal.potential(level)))
        limits.append(remark_10.bound(metal.levels, metal.fermi_level, family))
    degrees = np.array(p["degrees"], dtype=np.float64)
    shift, limit, energy = np.array(shifts), np.array(limits), np.array(energies)
    used = shift > 1e-12
    rate = _rate(degrees[used], shift[used], 0.5)
    double = _rate(degrees[used], energy[used], 1.0)
    below = bool(np.all(shift <= limit + 1e-13))
    return system.result(
        hypotheses={"beta < inf": True, "largest beta Delta": float(metal.beta * limit[0])},
        measured={
            "rate of eps_F,N": rate,
            "rate of W(eps_F,N)": double,
            "|eps_F,N - eps_F| below Delta": below,
            "Delta over it, smallest": float(np.min(limit[used] / shift[used])),
        },
        predicted={
            "rate of eps_F,N": theta,
            "rate of W(eps_F,N)": 2.0 * theta,
            "|eps_F,N - eps_F| below Delta": True,
        },
        holds=below
        and abs(rate / theta - 1.0) <= RATE
        and abs(double / (2.0 * theta) - 1.0) <= RATE,
        series={"degrees": degrees, "shift": shift, "bound": limit, "energy": energy},
    )


def _rate(degrees: FloatArray, errors: FloatArray, power: float) -> float:
    """θ of N^power e^{−θN}."""
    logarithm = np.log(errors) - power * np.log(degrees)
    return -float(np.polyfit(degrees, logarithm, 1)[0])


def against_size(system: System) -> SystemResult:
    p = system.parameters
    longest = max(p["sizes"])
    metals = [Metal(p, atoms, longest) for atoms in p["sizes"]]
    X = _hull(np.sort(np.concatenate([metal.levels for metal in metals])))
    family = FermiLevelFamily(X, p["degree"], metals[0].beta)
    shifts, responses, deviations, limits = [], [], [], []
    outside = 0.0
    for metal in metals:
        level = _solve(family, metal, metal.levels, metal.fermi_level)
        shifts.append(abs(level - metal.fermi_level))
        limits.append(remark_10.bound(metal.levels, metal.fermi_level, family))
        # Farther than F_N reaches, degree − 1 hops of at most four neighbours (4.5 bohr), and
        # away from the far end, whose density of states is its own.
        source = 20
        site = np.arange(metal.atoms)
        far = (site > source + 4 * (p["degree"] - 1)) & (site < metal.atoms - 20)
        differenced, fixed = _responses(family, metal, level, source)
        slopes = -family.indicator_slope(family.indicator(level), metal.levels)
        F_slope = family.at(level).derivative(metal.levels)
        squares = metal.orbitals**2
        moved = -float(squares[source] @ F_slope) / float(np.sum(slopes))
        predicted = 2.0 * (squares @ slopes) * moved
        deviations.append(float(np.max(np.abs(differenced[far] / predicted[far] - 1.0))))
        responses.append((metal.atoms, float(np.mean(np.abs(differenced[far])))))
        outside = max(outside, float(np.max(np.abs(fixed[far]))))
    shift = np.array(shifts)
    atoms, response = np.array(responses).T
    power = -float(np.polyfit(np.log(atoms), np.log(response), 1)[0])
    growth = growth_power(np.array(p["sizes"], dtype=np.float64), shift)
    # Rounding of the quotient: populations to a few eps, over a step of 1e-3/β.
    silent = outside <= 1e3 * metals[0].beta * 1e3 * EPS
    return system.result(
        hypotheses={"beta < inf": True},
        measured={
            "|eps_F,N - eps_F| for each M [Ha]": shift,
            "its exponent p of a + b M^p": growth,
            "Delta for each M [Ha]": limits,
            "far response, power of 1/M": power,
            "far response against the formula": max(deviations),
            "response at fixed mu beyond the reach of F_N": outside,
        },
        predicted={
            "its exponent p of a + b M^p": "at most 0",
            "far response, power of 1/M": 1.0,
            "far response against the formula": f"below {FAR:g}",
            "response at fixed mu beyond the reach of F_N": "rounding",
        },
        holds=growth <= POWER
        and abs(power - 1.0) <= POWER
        and max(deviations) <= FAR
        and silent
        and bool(np.all(shift <= np.array(limits))),
        series={"sizes": np.array(p["sizes"]), "shift": shift, "atoms": atoms, "far": response},
    )


def _responses(
    family: FermiLevelFamily, metal: Metal, level: float, source: int
) -> tuple[FloatArray, FloatArray]:
    """∂p_ℓ/∂v_source with ε_{F,N} solved anew, and at fixed µ, by symmetric differences."""
    step = 1e-3 / metal.beta
    canonical, fixed = [], []
    for sign in (1.0, -1.0):
        features = metal.features.copy()
        features[source] += sign * step
        levels, orbitals = metal.diagonalised(features)
        own = _solve(family, metal, levels, level)
        canonical.append(2.0 * orbitals**2 @ family.at(own).occupation(levels))
        fixed.append(2.0 * orbitals**2 @ family.at(level).occupation(levels))
    halves = 2.0 * step
    return (canonical[0] - canonical[1]) / halves, (fixed[0] - fixed[1]) / halves
