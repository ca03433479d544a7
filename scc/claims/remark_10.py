"""Remark 10: a canonical ensemble with the polynomials' own Fermi level, 2Tr F_{N,µ}(H) = N.

Bounds and proofs are in theory/remark_10. Measured here, on-site, at fixed v̂:

*β < ∞, against N.* |ε_{F,N} − ε_F| falls at Green's function rate θ; what the energy sees of it,
|W(ε_{F,N}) − W(ε_F)| with the exact W = 2Tr G_µ + µN, at 2θ: it is stationary in µ. Both to 15 %: a
difference of traces can cancel, which makes them scatter more than suprema do. Always below Δ.

*β < ∞, against M.* |ε_{F,N} − ε_F| is intensive, a + bM^p with p ≤ 0.05 (ends add 1/M). Locality
is lost as in remark 8: the far response, from differences of ε_{F,N} solved anew, is
2(∂_µF_N)_ℓℓ dε_{F,N}/dv_m, ~ 1/M at any distance, where at fixed µ a polynomial has *no* response
beyond its reach of N − 1 hops.

In self-consistency the canonical response is χ₀ − χ₀1⊗χ₀1/1ᵀχ₀1, which constants do not move: F_N
creates no charge, and the error of v, (J⁻¹ − χ)⁻¹(p_N − p) to first order, does not grow with M.

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

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.cluster_expansion import Subcluster, cluster_contribution
from scc.bodyorder.green import critical_point
from scc.bodyorder.spectral_set import SpectralSet
from scc.bodyorder.suprema import polynomial_errors
from scc.claims._fermi_level_chains import EPS, POWER, against_degree, against_size
from scc.claims._growth_systems import Cluster, growth_power
from scc.claims._onsite_systems import SPECIES
from scc.claims._remark_10_figure import draw
from scc.claims.claim import Claim, System, SystemResult
from scc.configuration import cluster
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.occupations.ensemble import fermi_level
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory._fermi_level_family import FermiLevelFamily

PLACE = 0.1

_METAL = {"disorder": 0.2, "seed": 1, "beta": "10"}
_CLEAN = {"disorder": 0.0, "seed": 1, "beta": "10"}
_WARM_CHAIN = {
    "dimension": 1,
    "gap": 0.0,
    "hopping": 1.0,
    "decay": 1.0,
    "beta": "5",
    "margin": 0.02,
}
_WARM_SALT = {
    "dimension": 3,
    "gap": 0.5,
    "hopping": 0.4,
    "decay": 2.0,
    "beta": "4",
    "margin": 0.02,
}
_INSULATOR = {"dimension": 1, "gap": 2.0, "hopping": 1.0, "decay": 1.0, "beta": "inf"}


def systems(full: bool) -> list[System]:
    sizes = [240, 320, 440, 600] + ([800, 1600] if full else [])
    lengths = [20, 40, 80, 160, 320, 640] + ([1280, 2000] if full else [])
    warm = [24, 50, 100, 200, 500] + ([1200] if full else [])
    cubes = [4, 6, 8] + ([10, 12] if full else [])
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
            "metallic chain in self-consistency, beta = 5, N = 16",
            {"kind": "equilibrated", **_WARM_CHAIN, "degree": 16, "lengths": warm},
        ),
        System(
            "rock salt in self-consistency, beta = 4, N = 10",
            {"kind": "equilibrated", **_WARM_SALT, "degree": 10, "lengths": cubes},
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
        "degrees": against_degree,
        "sizes": against_size,
        "equilibrated": _equilibrated,
        "zero": _zero_temperature,
        "body order": _body_order,
    }
    return kinds[system.parameters["kind"]](system)


def _equilibrated(system: System) -> SystemResult:
    p = dict(system.parameters)
    clusters = [Cluster(p, n) for n in p["lengths"]]
    low = min(float(c.levels[0]) for c in clusters) - p["margin"]
    high = max(float(c.levels[-1]) for c in clusters) + p["margin"]
    family = FermiLevelFamily(SpectralSet(((low, high),)), p["degree"], float(p["beta"]))
    errors, left = [], []
    for c in clusters:
        electrons = float(c.atoms)
        exact = FermiDirac(c.beta, fermi_level(c.levels, electrons, c.beta))
        mu = exact.chemical_potential
        level = family.fermi_level(c.levels, electrons, mu - 0.5, mu + 0.5)
        delta = c.populations(family.at(level).occupation) - c.populations(exact.occupation)
        respond = c.density_response(exact)
        uniform = respond(np.ones(c.atoms))

        def canonical(
            w: FloatArray,
            respond: Callable[[FloatArray], FloatArray] = respond,
            uniform: FloatArray = uniform,
        ) -> FloatArray:
            return respond(w) - uniform * float(uniform @ w) / float(np.sum(uniform))

        errors.append(float(np.max(np.abs(c.solve(canonical, c.kernel @ delta)))))
        left.append(abs(float(np.sum(delta))) / c.atoms)
    sizes = np.array([c.atoms for c in clusters], dtype=np.float64)
    error = np.array(errors)
    power = growth_power(sizes, error)
    return system.result(
        hypotheses={"beta < inf": True},
        measured={
            "|v_N - v*| for each M [Ha]": error,
            "exponent p of a + b M^p": power,
            "charge created per atom, largest": max(left),
        },
        predicted={
            "exponent p of a + b M^p": "at most 0",
            "charge created per atom, largest": "rounding, below 1e-12",
        },
        holds=power <= POWER and max(left) < 1e-12,
        series={"sizes": sizes, "error": error},
    )


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
