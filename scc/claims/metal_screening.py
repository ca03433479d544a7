"""Screening in a metal in three dimensions: J is long-ranged, the screened response is not.

The on-site model on a simple cubic lattice at finite temperature, solved in plane waves; formulas,
and the two rates it may decay at: :mod:`scc.claims._cubic_metal`.

The slower of the two wins: at µ = −1 Friedel oscillations for β = 2, Debye screening for β ≤ 1/2.
At β = 2 the mean slope of ln|∂q| along [100] is −2.3 over the first ten sites; that is neither
the asymptotic rate along [100], 1.54, nor the rate in the slowest direction, 0.91.

Only the on-site model: a lattice of Gaussian orbitals would need periodic integrals, which the
Gaussian model does not have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scc.arrays import FloatArray
from scc.claims._cubic_metal import (
    DIRECTIONS,
    CubicMetal,
    cubic_metal,
    debye_rate,
    friedel_rate,
    outer_sum,
)
from scc.claims._local_derivatives import beta_of
from scc.claims.claim import Claim, System, SystemResult
from scc.claims.parameters import Family, Parameter, of_result
from scc.locality import Decay, decide

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DECADES = 8.0
RATE_TOLERANCE = 0.1
"""Relative; the fixed prefactors 1/r and 1/r² are those of large r, the window ends at r ≈ 20."""


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
    r = np.sqrt(outer_sum(place**2))
    near = r <= 0.5 * sites

    friedel = {name: friedel_rate(beta, mu, name) for name in DIRECTIONS}
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
    for name, ones in DIRECTIONS.items():
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
        for index, name in enumerate(DIRECTIONS):
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


def _family_system(values: Mapping[str, Any]) -> System:
    sites, beta, mu = values["sites"], values["beta"], values["mu"]
    return System(
        f"cubic s-band, {sites}³ sites, mu = {mu:g}, beta = {beta:g}",
        {"sites": sites, "beta": beta, "mu": mu},
    )


FAMILY = Family(
    (
        Parameter("sites", 48, "of the simple cubic lattice, along each direction", 32, 96),
        Parameter("beta", 0.5, "inverse temperature, 1/Hartree", 0.05, 4.0),
        Parameter("mu", -1.0, "chemical potential, Hartree; the band is [-6, 6]", -5.5, 5.5),
    ),
    _family_system,
    "rate of decay of the screened response, 1/bohr",
    "=",
    of_result("rate", "rate", debye="rate of Debye screening", decades="decades"),
    ("debye", "decades"),
)


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
    family=FAMILY,
)
