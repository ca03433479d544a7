"""Lemma 7: polynomials G_N and F_N = G_N' converge on X at the rate of Green's function.

X = [σ_min, µ−g₋] ∪ [µ+g₊, σ_max] or its hull, and ‖F−F_N‖_∞ + ‖G−G_N‖_∞ ≤ C e^{−θN}. The sharp θ is
Green's function of the complement of X at the pole µ + iπ/β nearest to X (β < ∞) or at its critical
point c in the gap (β = ∞). Measured: the slope of the errors of the interpolants in Leja points,
twenty-five decades of them in ball arithmetic, against N. Window and prefactor N¹ are those of
:func:`scc.bodyorder.convergence.measured_rate`; the spectra of both models are among the X.

A pole far down a gap has the residue e^{−β dist(µ,X)}: until errors are below it F looks like its
β = ∞ limit and converges at that rate. Systems where this hides θ are left undecided.

How θ depends on β and the gap: :mod:`scc.claims._rate_asymptotics`.

Why G is interpolated and F_N := G_N', never F: inside the gap the interpolants of the step function
F turn from 1 to 0 at c, not at µ. Their integral therefore misses G by |µ − c|/2, whatever N.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.linalg
from numpy.polynomial.chebyshev import chebint, chebval

from scc.bodyorder.ball_functions import occupation_ball
from scc.bodyorder.convergence import measured_rate
from scc.bodyorder.green import convergence_rate, critical_point
from scc.bodyorder.interpolation import chebyshev_interpolants
from scc.bodyorder.leja import leja_points
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet, spectral_set
from scc.claims._body_order_systems import (
    gaussian_chain,
    neutral_features,
    onsite_chain,
    spectral_hull,
)
from scc.claims._lemma_7_figure import draw
from scc.claims._rate_asymptotics import asymptotics, measure_asymptotics
from scc.claims.claim import Claim, System, SystemResult
from scc.claims.parameters import Family, Parameter, of_result

TOLERANCE = 0.05
"""The acceptance figure: relative deviation of the measured rate from Green's function."""

SMALLEST_RATE = 0.1
"""Below this, twenty-five decades need more than 600 degrees and Leja points more than a grid."""

# Degrees at which the integral of an interpolant of F is held against G.
_INTEGRATED_DEGREES = (10, 20, 40, 60, 80, 100, 120)


def systems(full: bool) -> list[System]:
    return [
        *_one_interval(full),
        *_two_intervals(full),
        *_spectra(),
        *asymptotics(),
        System(
            "F interpolated instead of G, beta = inf, gaps 0.1 and 0.5",
            {"kind": "integrated", "set": [-1.0, 1.0, 0.1, 0.1, 0.5], "beta": "inf"},
            counterexample=True,
        ),
    ]


def _rate(description: str, edges: Sequence[float], beta: float) -> System:
    """edges: σ_min, σ_max, µ, g₋, g₊ in Hartree."""
    label = f"{beta:g}"
    return System(
        f"{description}, beta = {label}", {"kind": "rate", "set": list(edges), "beta": label}
    )


def _one_interval(full: bool) -> list[System]:
    levels = (0.05, -0.2, 0.29) if full else (0.05,)
    return [
        _rate(f"one interval [-0.3, 0.3], mu = {mu:g}", (-0.3, 0.3, mu, 0.0, 0.0), beta)
        for mu in levels
        for beta in (5.0, 10.0, 20.0, 40.0, 80.0)
    ]


def _two_intervals(full: bool) -> list[System]:
    cold = [(0.1, 0.2), (0.3, 0.1), (0.3, 0.35), (0.05, 0.4), (0.65, 0.65)]
    warm = [(0.05, 0.05, 20.0), (0.05, 0.15, 40.0), (0.2, 0.05, 10.0), (0.3, 0.35, 20.0)]
    if full:
        cold += [(0.1, 0.1), (0.2, 0.2), (0.4, 0.05), (0.6, 0.2), (0.5, 0.5)]
        warm += [(0.1, 0.1, 80.0), (0.1, 0.1, 40.0), (0.3, 0.3, 10.0), (0.1, 0.2, 5.0)]
    return [
        _rate(
            f"two intervals in [-1, 1], gaps {below:g} and {above:g}",
            (-1, 1, 0.1, below, above),
            beta,
        )
        for below, above, beta in [(*gaps, math.inf) for gaps in cold] + warm
    ]


def _spectra() -> list[System]:
    return [
        System(
            f"spectrum of the {model} chain, M = {atoms}, beta = {beta}",
            {"kind": "spectrum", "model": model, "atoms": atoms, "gap": gap, "beta": beta},
        )
        for model, atoms, gap, beta in (
            ("onsite", 100, 0.0, "10"),
            ("onsite", 100, 2.0, "inf"),
            ("gaussian", 30, 0.0, "20"),
        )
    ]


def measure(system: System) -> SystemResult:
    kind = system.parameters["kind"]
    if kind == "asymptotics":
        return measure_asymptotics(system)
    beta = float(system.parameters["beta"])
    if kind == "spectrum":
        p = system.parameters
        X, mu = _spectrum(p["model"], p["atoms"], p["gap"], beta)
        return _measure_rate(system, X, beta, mu)
    sigma_min, sigma_max, mu, below, above = system.parameters["set"]
    X = spectral_set(sigma_min, sigma_max, mu, below, above)
    if kind == "integrated":
        return _measure_integrated(system, X, beta, mu)
    return _measure_rate(system, X, beta, mu)


def _spectrum(model: str, atoms: int, gap: float, beta: float) -> tuple[SpectralSet, float]:
    """X = the bands of σ(H) at the potential of neutral atoms, and µ at half filling."""
    bound = onsite_chain(atoms, gap) if model == "onsite" else gaussian_chain(atoms)
    levels = scipy.linalg.eigvalsh(bound.hamiltonian(neutral_features(bound)))
    mu = 0.5 * float(levels[atoms // 2 - 1] + levels[atoms // 2])
    return spectral_hull(levels, 0.0, mu if math.isinf(beta) else None), mu


def _measure_rate(system: System, X: SpectralSet, beta: float, mu: float) -> SystemResult:
    theta = convergence_rate(X, beta, mu)
    if theta < SMALLEST_RATE:
        return system.result(
            hypotheses={f"theta >= {SMALLEST_RATE}": False},
            measured={},
            predicted={"rate theta": theta},
            holds=None,
        )
    measurement = measured_rate(X, beta, mu)
    degree = min(60, len(measurement.errors.degrees) - 1)
    mismatch, rounding = derivative_mismatch(
        PolynomialOccupation.interpolate(X, degree, beta, mu), np.random.default_rng(0)
    )
    deviation = measurement.rate / theta - 1.0
    return system.result(
        hypotheses={
            f"theta >= {SMALLEST_RATE}": True,
            "no delay by a small residue of the pole": not measurement.delayed,
        },
        measured={
            "rate theta": measurement.rate,
            "standard error of the rate": measurement.uncertainty,
            "relative deviation": deviation,
            "degrees used": [int(n) for n in measurement.errors.degrees[measurement.used][[0, -1]]],
            f"integral of F_N less change of G_N, N = {degree} [Ha]": mismatch,
        },
        predicted={
            "rate theta": theta,
            "relative deviation": f"within {TOLERANCE:g}",
            f"integral of F_N less change of G_N, N = {degree} [Ha]": f"rounding, {rounding:.1e}",
        },
        holds=abs(deviation) <= TOLERANCE and mismatch <= rounding,
        series={
            "degrees": measurement.errors.degrees,
            "errors": measurement.errors.total,
            "used": measurement.used,
        },
    )


def derivative_mismatch(
    occupation: PolynomialOccupation, rng: np.random.Generator
) -> tuple[float, float]:
    """max |∫_x^y F_N − (G_N(y) − G_N(x))| over pairs in the hull of X, and its rounding; Hartree.

    Gauss–Legendre quadrature with N nodes integrates F_N, of degree N−1, exactly. The sums of N
    Chebyshev terms are rounded to eps (N+1) times the largest term, G_N and F_N·(y−x).
    """
    X, degree = occupation.spectral_set, occupation.degree
    nodes, weights = np.polynomial.legendre.leggauss(degree)
    ends = X.lower + (X.upper - X.lower) * rng.uniform(size=(2, 20, 1))
    ends[:, 0, 0] = X.lower, X.upper  # across the gap, whatever the others do
    low, high = ends
    points = 0.5 * (low + high) + 0.5 * (high - low) * nodes
    values = occupation.occupation(points)
    integral = 0.5 * (high - low)[:, 0] * (values @ weights)
    change = occupation.grand_potential(high[:, 0]) - occupation.grand_potential(low[:, 0])
    size = float(np.max(np.abs(occupation.grand_potential(points))))
    size += (X.upper - X.lower) * float(np.max(np.abs(values)))
    rounding = 4.0 * np.finfo(np.float64).eps * (degree + 1) * size
    return float(np.max(np.abs(integral - change))), rounding


def _measure_integrated(system: System, X: SpectralSet, beta: float, mu: float) -> SystemResult:
    """Distance of G to the integrals of interpolants of F, the constant chosen best."""
    nodes = leja_points(X, max(_INTEGRATED_DEGREES) + 1)
    fits = chebyshev_interpolants(
        occupation_ball(X, beta, mu), nodes, X.lower, X.upper, _INTEGRATED_DEGREES
    )
    x = X.sample(400)
    half_width = 0.5 * (X.upper - X.lower)
    t = (x - 0.5 * (X.lower + X.upper)) / half_width
    below = x < mu
    differences = [half_width * chebval(t, chebint(c)) - np.minimum(x - mu, 0.0) for c in fits]
    integrated = np.array([0.5 * float(np.ptp(difference)) for difference in differences])
    interpolated = np.array([float(np.max(np.abs(chebval(t, c) - below))) for c in fits])
    grand = [
        float(np.max(np.abs(g.grand_potential(x) - np.minimum(x - mu, 0.0))))
        for g in PolynomialOccupation.sequence(X, _INTEGRATED_DEGREES, beta, mu)
    ]
    floor = 0.5 * abs(mu - critical_point(X))
    last = integrated[-3:]
    return system.result(
        hypotheses={"G is interpolated and F_N = G_N'": False},
        measured={
            "error of the integral at the last three degrees [Ha]": last,
            "mean error of the integral [Ha]": float(np.mean(last)),
            "error of the interpolated F at the last degree": interpolated[-1],
            "error of the interpolated G at the last degree [Ha]": grand[-1],
        },
        predicted={
            "mean error of the integral [Ha]": floor,
        },
        holds=bool(np.all(np.abs(last / floor - 1.0) < 0.1)) and interpolated[-1] < 1e-10,
        series={
            "degrees": np.array(_INTEGRATED_DEGREES),
            "integrated": integrated,
            "interpolated": np.array(grand),
            "floor": np.array(floor),
        },
    )


def _family_system(values: Mapping[str, Any]) -> System:
    half, mu, beta = 0.5 * values["gap"], values["mu"], values["beta"]
    edges = [-1.0, 1.0, mu, half, half]
    return System(f"gap {2 * half:g}", {"kind": "rate", "set": edges, "beta": repr(beta)})


FAMILY = Family(
    (
        Parameter("beta", math.inf, "inverse temperature, in units of 1/half the spectrum", 0.5),
        Parameter("gap", 0.5, "width of the gap about mu of the spectrum [-1, 1]", 0.02, 1.8),
        Parameter("mu", 0.0, "chemical potential", -0.9, 0.9),
    ),
    _family_system,
    "rate θ of |F−F_N| + |G−G_N| in Leja points; predicted: Green's function",
    "=",
    of_result("rate theta", "rate theta", uncertainty="standard error of the rate"),
    ("uncertainty",),
)


CLAIM = Claim(
    id="lemma-7",
    statement=(
        "On the spectral set X, one interval or two, there are polynomials with G_N' = F_N and "
        "|F-F_N| + |G-G_N| <= C exp(-theta N); theta is the Green's function of the complement of "
        "X at the nearest pole of F, or at its critical point in the gap at beta = inf. The rate "
        "measured over 25 decades with Leja points agrees within 5 %."
    ),
    source="Lemma 7",
    systems=systems,
    measure=measure,
    draw=draw,
    family=FAMILY,
)
