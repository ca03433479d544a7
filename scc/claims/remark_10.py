"""Remark 10: a canonical ensemble with the polynomials' own Fermi level, 2Tr F_{N,µ}(H) = N.

Bounds and proofs are in theory/remark_10. Measured here, on-site, at fixed v̂:

*β < ∞, against N.* |ε_{F,N} − ε_F| falls at Green's function rate θ; what the energy sees of it,
|W(ε_{F,N}) − W(ε_F)| with the exact W = 2Tr G_µ + µN, at 2θ: it is stationary in µ. Both to 15 %: a
difference of traces can cancel, which makes them scatter more than suprema do. Always below Δ.

*β < ∞, against M.* |ε_{F,N} − ε_F| is intensive, a + bM^p with p ≤ 0.05 (ends add 1/M). Locality
is lost as in remark 8: the far response, from differences of ε_{F,N} solved anew, is
2(∂_µF_N)_ℓℓ dε_{F,N}/dv_m, ~ 1/M at any distance, where at fixed µ a polynomial has *no* response
beyond its reach of N − 1 hops.

*β = ∞.* n_N(µ) is a line whose slope is an error; its root scatters about the critical point c of
Green's function in the gap, whatever the electrons do (its mean over ten N to a tenth of the gap).
Populations with it stay below 2η(1 + κ), electrons are counted exactly, and at fixed N the error of
v does not grow with M on a chain, as with E1 of remark 11.

*Body order.* Inclusion–exclusion over sub-clusters with one electron an atom: at fixed µ the
contributions U_n to a population end at n = deg F_N; with ε_{F,N} of each sub-cluster they do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.cluster_expansion import Subcluster, cluster_contribution
from scc.bodyorder.green import convergence_rate, critical_point
from scc.bodyorder.spectral_set import SpectralSet
from scc.bodyorder.suprema import polynomial_errors
from scc.claims._growth_systems import Cluster, growth_power
from scc.claims._onsite_systems import SPECIES
from scc.claims._remark_10_figure import draw
from scc.claims.claim import Claim, System, SystemResult
from scc.configuration import chain, cluster
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.ensemble import fermi_level
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import remark_10
from scc.theory._fermi_level_family import FermiLevelFamily

RATE = 0.15
POWER = 0.05
PLACE = 0.1
FAR = 1e-3
"""Relative agreement of differenced and predicted far response: a quotient of step 1e-3/β."""

EPS = float(np.finfo(np.float64).eps)
_MARGIN = 0.05
_METAL = {"disorder": 0.2, "seed": 1, "beta": "10"}
_CLEAN = {"disorder": 0.0, "seed": 1, "beta": "10"}
_INSULATOR = {"dimension": 1, "gap": 2.0, "hopping": 1.0, "decay": 1.0, "beta": "inf"}


def systems(full: bool) -> list[System]:
    sizes = [240, 320, 440, 600] + ([800, 1600] if full else [])
    lengths = [20, 40, 80, 160, 320, 640] + ([1280, 2000] if full else [])
    degrees = {"atoms": 60, "degrees": list(range(16, 101, 4))}
    zero = {"margin": 0.02, "length": 60, "degrees": list(range(6, 36)), "degree": 20}
    return [
        System(
            "metallic chain, beta = 10, M = 60, against N",
            {"kind": "degrees", **_METAL, **degrees},
        ),
        System(
            "metallic chain, beta = 10, N = 36, against M",
            {"kind": "sizes", **_CLEAN, "degree": 36, "sizes": sizes},
        ),
        System(
            "insulating chain, beta = inf",
            {"kind": "zero", **_INSULATOR, **zero, "lengths": lengths},
        ),
        System(
            "random cluster, beta = 5, body order",
            {"kind": "body order", "beta": "5", "atoms": 8, "degree": 4, "seed": 2},
        ),
    ]


def measure(system: System) -> SystemResult:
    kinds: dict[str, Callable[[System], SystemResult]] = {
        "degrees": _against_degree,
        "sizes": _against_size,
        "zero": _zero_temperature,
        "body order": _body_order,
    }
    return kinds[system.parameters["kind"]](system)


class _Metal:
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


def _solve(family: FermiLevelFamily, metal: _Metal, levels: FloatArray, centre: float) -> float:
    return family.fermi_level(levels, float(metal.atoms), centre - 0.5, centre + 0.5)


def _against_degree(system: System) -> SystemResult:
    p = system.parameters
    metal = _Metal(p, p["atoms"], p["atoms"])
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


def _against_size(system: System) -> SystemResult:
    p = system.parameters
    longest = max(p["sizes"])
    metals = [_Metal(p, atoms, longest) for atoms in p["sizes"]]
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
    family: FermiLevelFamily, metal: _Metal, level: float, source: int
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


def _zero_temperature(system: System) -> SystemResult:
    p = dict(system.parameters)
    clusters = {n: Cluster(p, n) for n in sorted({*p["lengths"], p["length"]})}
    low = min(float(c.levels[0]) for c in clusters.values()) - p["margin"]
    high = max(float(c.levels[-1]) for c in clusters.values()) + p["margin"]
    below = max(float(c.levels[c.filled - 1]) for c in clusters.values()) + p["margin"]
    above = min(float(c.levels[c.filled]) for c in clusters.values()) - p["margin"]
    X, mu = SpectralSet(((low, below), (above, high))), 0.5 * (below + above)
    exact = FermiDirac(math.inf, mu)
    here = clusters[p["length"]]
    places, errors, allowed, left, kappas = [], [], [], [], []
    for degree in p["degrees"]:
        family = FermiLevelFamily(X, degree, math.inf)
        level, occupied, kappa = _zero_occupation(family, here, mu)
        places.append((level - below) / (above - below))
        change = occupied - exact.occupation(here.levels)
        errors.append(float(np.max(np.abs(2.0 * here.orbitals**2 @ change))))
        eta = polynomial_errors(family.at(mu)).occupation.upper
        kappas.append(kappa)
        allowed.append(2.0 * eta * (1.0 + kappa))
        left.append(abs(2.0 * float(np.sum(change))))
    family = FermiLevelFamily(X, p["degree"], math.inf)
    growth = []
    for n in p["lengths"]:
        c = clusters[n]
        _, occupied, _ = _zero_occupation(family, c, mu)
        delta = 2.0 * c.orbitals**2 @ (occupied - exact.occupation(c.levels))
        (w,) = c.screened(exact, [delta])
        growth.append(float(np.max(np.abs(w))))
    place, error, limit = np.array(places), np.array(errors), np.array(allowed)
    sizes = np.array(p["lengths"], dtype=np.float64)
    power = growth_power(sizes, np.array(growth))
    found, saddle = float(np.mean(place[-10:])), (critical_point(X) - below) / (above - below)
    outside = float(np.mean((place < 0.0) | (place > 1.0)))
    # What is left of the count is rounding: n values, κ-fold where the slope is small.
    neutral = max(left) <= 1e-9
    return system.result(
        hypotheses={"gap at mu [Ha]": above - below},
        measured={
            "place of eps_F,N, mean over the last ten N (gap = 1)": found,
            "its standard deviation": float(np.std(place[-10:])),
            "share of N with eps_F,N outside the gap": outside,
            "largest kappa": max(kappas),
            "largest |2 Tr F_N - N| [electrons]": max(left),
            "error of populations over its bound, largest": float(np.max(error / limit)),
            "|v_N - v*| for each M [Ha]": growth,
            "exponent p of a + b M^p": power,
        },
        predicted={
            "place of eps_F,N, mean over the last ten N (gap = 1)": saddle,
            "largest |2 Tr F_N - N| [electrons]": "rounding, below 1e-9",
            "error of populations over its bound, largest": "at most 1",
            "exponent p of a + b M^p": "at most 0",
        },
        holds=abs(found - saddle) <= PLACE
        and neutral
        and bool(np.all(error <= limit))
        and power <= POWER,
        series={
            "degrees": np.array(p["degrees"]),
            "place": place,
            "saddle": np.array(saddle),
            "error": error,
            "bound": limit,
            "sizes": sizes,
            "growth": np.array(growth),
        },
    )


def _zero_occupation(
    family: FermiLevelFamily, c: Cluster, mu: float
) -> tuple[float, FloatArray, float]:
    """(ε_{F,N}, F_{N,ε}(λ) by linearity in µ, κ with the largest |B_N′| on the levels)."""
    slope = family.indicator_slope(family.indicator(mu), c.levels)
    level = family.zero_temperature_level(c.levels, 2.0 * c.filled, mu)
    occupied = family.at(mu).occupation(c.levels) - (level - mu) * slope
    kappa = c.atoms * float(np.max(np.abs(slope))) / abs(float(np.sum(slope)))
    return level, occupied, kappa


def _body_order(system: System) -> SystemResult:
    p = system.parameters
    beta, atoms, degree = float(p["beta"]), p["atoms"], p["degree"]
    rng = np.random.default_rng(p["seed"])
    model = OnsiteTightBinding(model_b(1.0)).prepare(cluster(atoms, 1.0, rng, species=SPECIES))
    H = model.hamiltonian(0.2 * rng.uniform(-1.0, 1.0, atoms))
    # Gershgorin: holds every sub-cluster, whose H is a principal submatrix (two-body H).
    reach = np.sum(np.abs(H), axis=1) - np.abs(np.diag(H))
    X = SpectralSet(((float(np.min(np.diag(H) - reach)), float(np.max(np.diag(H) + reach))),))
    family = FermiLevelFamily(X, degree, beta)
    mu = fermi_level(np.linalg.eigvalsh(H), float(atoms), beta)

    def population(subcluster: Subcluster, canonical: bool) -> FloatArray:
        rows = list(subcluster)
        levels, orbitals = np.linalg.eigh(H[np.ix_(rows, rows)])
        at = mu
        if canonical:
            at = family.fermi_level(levels, float(len(rows)), X.lower, X.upper)
        square = orbitals[rows.index(0)] ** 2
        return np.array(2.0 * square @ family.at(at).occupation(levels))

    orders = np.arange(atoms)
    found: dict[str, FloatArray] = {}
    for name, canonical in (("fixed mu", False), ("eps_F,N", True)):
        element = partial(population, canonical=canonical)
        values = [cluster_contribution(element, 0, 0, range(1, n + 1)) for n in orders]
        found[name] = np.abs(np.array(values, dtype=np.float64))
    # As in theorem_5: a signed sum of 2^n values of order one; the level adds its 1e-14.
    rounding = 2.0**orders * 100.0 * EPS
    last = degree - 1  # degree of F_N; H is two-body
    ends = bool(np.all(found["fixed mu"][orders >= last] <= rounding[orders >= last]))
    goes_on = bool(np.all(found["eps_F,N"][orders >= last] > 1e4 * rounding[orders >= last]))
    return system.result(
        hypotheses={"degree of F_N": last},
        measured={
            "|U_n| at fixed mu, n = 0, 1, ...": found["fixed mu"],
            "|U_n| with eps_F,N": found["eps_F,N"],
            "ends at deg F_N at fixed mu": ends,
            "goes on with eps_F,N": goes_on,
        },
        predicted={"ends at deg F_N at fixed mu": True, "goes on with eps_F,N": True},
        holds=ends and goes_on,
        series={"orders": orders, "fixed": found["fixed mu"], "canonical": found["eps_F,N"]},
    )


CLAIM = Claim(
    id="remark-10",
    statement=(
        "The Fermi level of the polynomials, 2 Tr F_N,mu(H) = N, converges at the rate theta, "
        "independently of M, and the energy sees its square; locality and linear body order are "
        "lost. At zero temperature it is a quotient of two errors, which tends to the critical "
        "point of Green's function in the gap and not to anything of the electrons; it neutralises "
        "F_N all the same: the error of v on a chain stops growing with M."
    ),
    source="Remark 10, Remark 8, Lemma 7",
    systems=systems,
    measure=measure,
    draw=draw,
)
