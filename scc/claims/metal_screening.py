"""Screening in a metal in three dimensions: J is long-ranged, the screened response is not.

The on-site model on a simple cubic lattice of N³ atoms, spacing 1, hopping −t between neighbours,
Gaussian charges (periodic, canonical), has plane waves for eigenvectors. With q the wave vectors of
the lattice (Levitt, Arch. Ration. Mech. Anal. 238 (2020) 901, for the continuum)

    ε_k = −2t Σ_i cos k_i,       χ₀(q) = 2 N⁻³ Σ_k F[ε_k, ε_{k+q}]   (a lattice convolution),
    J(q) = Σ_K 4π e^{−σ²|q+K|²} / |q+K|²,
    ∂q/∂V_ext (q) = −χ₀(q) / (1 − J(q) χ₀(q)),    zero at q = 0 where J is infinite.

The convolution is made of products in real space: with F[x,y] = −∫₀^β a_τ(x) b_τ(y) dτ,
a_τ = e^{τ(x−µ)} F(x), b_τ = e^{−τ(y−µ)} (1 − F(y)), both in [0, 1],

    χ₀(R) = −2 ∫₀^β A_τ(R) B_τ(R) dτ,   A, B the inverse transforms of a(ε_k), b(ε_k),

and the τ integral is entire: Gauss–Legendre points give it to rounding.

Predicted rate. The response decays like the nearest singularity of χ₀/(1 − Jχ₀) in complex q:

* a zero of ε(q) = 1 − J(q)χ₀(q), here searched along (q, 0, 0): Debye screening, the same in all
  directions when it is near; prefactor 1/r;
* the branch point of χ₀, where it decays like G(R; µ + iπ/β)²: thermally damped Friedel
  oscillations, prefactor 1/r². In direction [1…1 0…0] with n ones G has the phase k·R of a
  complex k on the Fermi surface with velocity along R, cos k = −(z + 2 Σ_transverse ±1)/2n, and
  χ₀ the rate 2√n |Im k|. On this lattice it is slowest along the diagonal.

The slower of the two wins: at µ = −1 Friedel oscillations for β = 2, Debye screening for β ≤ 1/2.
At β = 2 the mean slope of ln|∂q| along [100] is −2.3 over the first ten sites; that is neither
the asymptotic rate along [100], 1.54, nor the rate in the slowest direction, 0.91.

Only the on-site model: a lattice of Gaussian orbitals would need periodic integrals, which the
Gaussian model does not have.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scc.arrays import FloatArray
from scc.claims._local_derivatives import beta_of
from scc.claims.claim import Claim, System, SystemResult
from scc.locality import Decay, decide

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 0.5
"""σ of the charges, bohr: J = erf(r)/r as in model B."""

DECADES = 8.0
RATE_TOLERANCE = 0.1
"""Relative; the fixed prefactors 1/r and 1/r² are those of large r, the window ends at r ≈ 20."""

_IMAGINARY_TIMES = 48  # enough for rounding: |ε − µ| β ≤ 14 at β = 2, and the integrand is entire
_SHELLS = 3  # e^{−σ²K²} = 5e-13 at the first |K| left out, 4·2π less half a zone
_DIRECTIONS = {"[100]": 1, "[110]": 2, "[111]": 3}


@dataclass(frozen=True)
class CubicMetal:
    """Responses of the periodic N³ lattice, real-space arrays (N, N, N) with the source at [0,0,0].

    Attributes
    ----------
    independent:
        χ₀(R), electrons a Hartree.
    interaction:
        J(q) on the reciprocal grid, Hartree; its q = 0 entry leaves out K = 0 (uniform background).
    dielectric:
        ε(q) = 1 − J χ₀ on the reciprocal grid.
    response:
        ∂q_R/∂V_ext(0), elementary charges a Hartree, neutral.
    """

    independent: FloatArray
    interaction: FloatArray
    dielectric: FloatArray
    response: FloatArray


def cubic_metal(sites: int, beta: float, mu: float) -> CubicMetal:
    """The formulas of the module docstring for t = 1, N = ``sites``."""
    k = 2.0 * np.pi * np.fft.fftfreq(sites)
    shifted = _outer_sum(-2.0 * np.cos(k)) - mu
    occupied = -np.logaddexp(0.0, beta * shifted)  # ln F
    empty = -np.logaddexp(0.0, -beta * shifted)  # ln (1 − F)
    nodes, weights = np.polynomial.legendre.leggauss(_IMAGINARY_TIMES)
    independent = np.zeros((sites,) * 3)
    for node, weight in zip(0.5 * beta * (nodes + 1.0), 0.5 * beta * weights, strict=True):
        a = np.fft.ifftn(np.exp(node * shifted + occupied)).real
        b = np.fft.ifftn(np.exp(-node * shifted + empty)).real
        independent -= 2.0 * weight * a * b
    chi = np.fft.fftn(independent).real
    interaction = _interaction(np.asarray(k))
    dielectric = 1.0 - interaction * chi
    screened = -chi / dielectric
    screened[0, 0, 0] = 0.0
    return CubicMetal(independent, interaction, dielectric, np.fft.ifftn(screened).real)


def _outer_sum(values: FloatArray) -> FloatArray:
    return np.asarray(values[:, None, None] + values[None, :, None] + values[None, None, :])


def _interaction(k: FloatArray) -> FloatArray:
    """J(q) for q in k³. Per image K the damping factorises over axes; 1/|q+K|² does not."""
    total = np.zeros((len(k),) * 3)
    shells = 2.0 * np.pi * np.arange(-_SHELLS, _SHELLS + 1)
    for shift in itertools.product(shells, repeat=3):
        squares = [(k + component) ** 2 for component in shift]
        squared = squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :]
        if not any(shift):
            squared[0, 0, 0] = np.inf  # the background
        total += 4.0 * np.pi * np.exp(-(WIDTH**2) * squared) / squared
    return total


# -- predictions --------------------------------------------------------------------------------


def friedel_rate(beta: float, mu: float, direction: str) -> float:
    """2γ(µ + iπ/β) along [100], [110] or [111], bohr⁻¹."""
    ones = _DIRECTIONS[direction]
    z = complex(mu, np.pi / beta)
    rates = [
        2.0 * math.sqrt(ones) * abs(float(np.arccos(-(z + 2.0 * sum(signs)) / (2.0 * ones)).imag))
        for signs in itertools.product((1.0, -1.0), repeat=3 - ones)
    ]
    return min(rates)


def debye_rate(metal: CubicMetal, limit: float) -> float:
    """Smallest Im q > 0 with ε(q, 0, 0) = 0 below ``limit``, bohr⁻¹; inf if there is none.

    χ₀ is continued by its sum over planes, Σ_x X(x) e^{iqx}, which converges below ``limit``, its
    own decay rate; J by its sum over K.
    """
    sites = len(metal.independent)
    plane = metal.independent.sum(axis=(1, 2))
    x = np.arange(-(sites // 3), sites // 3 + 1)
    shells = 2.0 * np.pi * np.arange(-_SHELLS - 1, _SHELLS + 2)

    def dielectric(q: complex) -> complex:
        chi = complex(np.sum(plane[x] * np.exp(1j * q * x)))
        squared = (
            ((q + shells) ** 2)[:, None, None]
            + (shells**2)[None, :, None]
            + (shells**2)[None, None, :]
        )
        return 1.0 - chi * complex(np.sum(4.0 * np.pi * np.exp(-(WIDTH**2) * squared) / squared))

    found = [np.inf]
    for real in np.linspace(0.0, np.pi, 7):
        for imaginary in np.geomspace(0.02, 0.9, 8) * limit:
            root = _root(dielectric, complex(real, imaginary), limit)
            if root is not None:
                found.append(root.imag)
    return float(min(found))


def _root(function: Callable[[complex], complex], start: complex, limit: float) -> complex | None:
    """A zero with 0 < Im < ``limit`` by the secant method, None when it wanders off."""
    old, new = start, start * (1.01 + 0.01j)
    old_value = function(old)
    for _ in range(40):
        value = function(new)
        if value == old_value or abs(value) < 1e-12:
            break
        old, new, old_value = new, new - value * (new - old) / (value - old_value), value
        if not 1e-3 < new.imag < limit:
            return None
    return new if abs(function(new)) < 1e-9 else None


# -- claim --------------------------------------------------------------------------------------


def systems(full: bool) -> list[System]:
    sizes = ((48, 2.0), (64, 2.0), (48, 0.5), (48, 0.25), (48, 0.1))
    more = ((96, 2.0), (96, 0.1))
    return [
        System(
            f"cubic s-band, {sites}³ sites, mu = -1, beta = {beta:g}",
            {"sites": sites, "beta": beta, "mu": -1.0},
        )
        for sites, beta in (sizes + more if full else sizes)
    ]


def measure(system: System) -> SystemResult:
    """Envelope of the response over all sites within half the cell, and along three directions."""
    beta, mu, sites = beta_of(system), float(system.parameters["mu"]), system.parameters["sites"]
    metal = cubic_metal(sites, beta, mu)
    place = np.minimum(np.arange(sites), sites - np.arange(sites)).astype(np.float64)
    r = np.sqrt(_outer_sum(place**2))
    near = r <= 0.5 * sites

    friedel = {name: friedel_rate(beta, mu, name) for name in _DIRECTIONS}
    debye = debye_rate(metal, friedel["[100]"])
    screened = debye < min(friedel.values())
    rate = debye if screened else min(friedel.values())
    decay = decide(r[near], metal.response[near], 1.0 if screened else 2.0)
    magnitude = decay.envelope.magnitude
    decades = float(np.log10(magnitude.max() / magnitude.min()))
    bare = decide(r[near], _bare_potential(metal)[near])

    half = np.arange(sites // 2)
    series = {
        "distance": decay.envelope.distance,
        "magnitude": magnitude,
        "bare distance": bare.envelope.distance,
        "bare magnitude": bare.envelope.magnitude,
        "rate and power": np.array([rate, 1.0 if screened else 2.0]),
        "fit": _through(decay),
    }
    for name, ones in _DIRECTIONS.items():
        line = metal.response[half, half * (ones > 1), half * (ones > 2)]
        series[f"line {name}"] = np.stack([half * math.sqrt(ones), np.abs(line)])
    deviation = abs(decay.rate / rate - 1.0)
    return system.result(
        hypotheses={
            "beta < inf": math.isfinite(beta),
            "states at mu (per Hartree and site)": float(-metal.independent.sum()),
        },
        measured={
            "decay": decay.kind,
            "rate": decay.rate,
            "uncertainty of rate": decay.uncertainty,
            "decades": decades,
            "regime": "Debye" if screened else "Friedel",
            "largest eigenvalue of the dielectric operator": float(metal.dielectric.max()),
        },
        predicted={
            "decay": "exponential",
            "rate": rate,
            "decades": DECADES,
            "rate of Debye screening": debye,
            **{f"rate of Friedel oscillations along {name}": friedel[name] for name in friedel},
            "relative tolerance of rate": RATE_TOLERANCE,
        },
        holds=decay.kind == "exponential" and decades >= DECADES and deviation <= RATE_TOLERANCE,
        series=series,
    )


def _through(decay: Decay) -> FloatArray:
    """Middle of the fitted window and the fit's magnitude there: the figure's line passes it."""
    if decay.exponential is None:
        return np.full(2, np.nan)
    middle = np.array([0.5 * sum(decay.exponential.r_range)])
    return np.concatenate([middle, decay.exponential(middle)])


def _bare_potential(metal: CubicMetal) -> FloatArray:
    """J(R) of one charge in its background, the perturbation that is screened."""
    potential = np.fft.ifftn(metal.interaction).real
    return np.asarray(potential - potential.min())


def draw(results: Sequence[SystemResult]) -> Figure:
    """Left: the response in all directions, per temperature; right: along lines, coldest system."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.4, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    largest: dict[float, SystemResult] = {}
    for r in sorted(results, key=lambda r: r.parameters["sites"]):
        largest[r.parameters["beta"]] = r
    for index, (beta, r) in enumerate(sorted(largest.items(), reverse=True)):
        distance, magnitude = r.series["distance"], r.series["magnitude"]
        rate, power = r.series["rate and power"]
        prefactor = "r" if power == 1.0 else "r^2"
        label = f"β = {beta:g}: {r.measured['regime']}, $e^{{-{rate:.2f}r}}/{prefactor}$"
        left.semilogy(distance, magnitude, ".", ms=2.5, color=f"C{index}", label=label)
        middle, height = r.series["fit"]
        line = np.linspace(0.1 * distance[-1], distance[-1], 100)
        predicted = np.exp(-rate * (line - middle)) * (line / middle) ** -power
        left.semilogy(line, height * predicted, "-", lw=1, color="k")
    if largest:
        coldest = largest[max(largest)]
        left.semilogy(
            coldest.series["bare distance"],
            coldest.series["bare magnitude"],
            "-",
            color="0.6",
            label="bare interaction J(r), Hartree",
        )
        for index, name in enumerate(_DIRECTIONS):
            distance, magnitude = coldest.series[f"line {name}"]
            inside = (distance > 0.0) & (distance < 0.45 * coldest.parameters["sites"])
            rate = coldest.predicted[f"rate of Friedel oscillations along {name}"]
            label = f"{name}, $2γ = {rate:.2f}$"
            distance, magnitude = distance[inside], magnitude[inside] * distance[inside] ** 2
            right.semilogy(distance, magnitude, "os^"[index], ms=4, label=label)
            tail = (distance > 4.0) & (magnitude > 1e-12)
            height = (magnitude * np.exp(rate * distance))[tail].max()
            right.semilogy(
                distance, height * np.exp(-rate * distance), "-", lw=1, color=f"C{index}"
            )
        right.set_title(f"β = {max(largest):g}, along lines of the lattice", fontsize="medium")
    left.set_ylim(1e-16, 5.0)
    left.set_ylabel("|∂q/∂V| (electrons / Hartree)")
    left.set_title("all directions; lines: predicted rates", fontsize="medium")
    right.set_ylabel("r² |∂q/∂V|")
    right.set_ylim(1e-15, 1.0)
    for label, panel in (("a", left), ("b", right)):
        panel.set_xlabel("distance r (bohr)")
        if results:
            panel.legend(fontsize="small")
        panel.set_title(f"({label}) {panel.get_title()}", fontsize="medium")
    return figure


CLAIM = Claim(
    id="metal-screening",
    statement=(
        "In a metal at finite temperature in three dimensions the response of the charges to an "
        "external potential on one atom decays exponentially although the Coulomb interaction does "
        "not: Debye screening or thermally damped Friedel oscillations, whichever is slower. Rates "
        "in 1/bohr."
    ),
    source="Levitt 2020; the contrast to Theorem 4 with v̂ equilibrated",
    systems=systems,
    measure=measure,
    draw=draw,
)
