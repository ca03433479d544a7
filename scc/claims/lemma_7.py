"""Lemma 7: polynomials G_N and F_N = G_N' converge on X at the rate of Green's function.

X = [σ_min, µ−g₋] ∪ [µ+g₊, σ_max] or its hull, and ‖F−F_N‖_∞ + ‖G−G_N‖_∞ ≤ C e^{−θN}. The sharp θ is
Green's function of the complement of X at the pole µ + iπ/β nearest to X (β < ∞) or at its critical
point c in the gap (β = ∞). Measured: the slope of the errors of the interpolants in Leja points,
twenty-five decades of them in ball arithmetic, against N. Window and prefactor N¹ are those of
:func:`scc.bodyorder.convergence.measured_rate`; the spectra of both models are among the X.

A pole far down a gap has the residue e^{−β dist(µ,X)}: until errors are below it F looks like its
β = ∞ limit and converges at that rate. Systems where this hides θ are left undecided.

How θ depends on β and the gap. Near µ the equilibrium density of the hull [a, b] is constant, so

    θ = ω Re √((g₋ + iy)(g₊ − iy)) (1 + o(1)),  y = π/β,  ω = 1/√((µ−a)(b−µ))       as y + g → 0,
    θ = ω (g₋ + g₊)/2 (1 + o(1))                                                     at β = ∞,

hence θ ≥ ω (π/β + √g₋√g₊)/√2: the paper's θ ~ β⁻¹ + √g₋√g₊ and, at β = ∞, θ ~ g. Where g₋ and g₊
are not comparable the paper's expression is a lower bound only: with µ at a band edge b₁, g₋ = 0,
Green's function starts like a square root and θ = 2(c−b₁) √(π/2β)/√((b₁−a)g₊(b−b₁)), larger by √β.

Why G is interpolated and F_N := G_N', never F: inside the gap the interpolants of the step function
F turn from 1 to 0 at c, not at µ. Their integral therefore misses G by |µ − c|/2, whatever N.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.linalg
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.polynomial.chebyshev import chebint, chebval

from scc.arrays import FloatArray
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
from scc.claims.claim import Claim, System, SystemResult

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
        *_asymptotics(),
        System(
            "F interpolated instead of G, beta = inf, gaps 0.1 and 0.5",
            {"kind": "integrated", "set": [-1.0, 1.0, 0.1, 0.1, 0.5], "beta": "inf"},
            counterexample=True,
        ),
    ]


def _rate(description: str, edges: Sequence[float], beta: float) -> System:
    """edges: σ_min, σ_max, µ, g₋, g₊ in Hartree."""
    label = "inf" if math.isinf(beta) else f"{beta:g}"
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


def _asymptotics() -> list[System]:
    paths: dict[str, dict[str, Any]] = {
        "beta = inf, g to 0": {"temperature": 0.0, "gaps": [1.0, 2.0], "comparable": True},
        "no gap, beta to inf": {"temperature": 1.0, "gaps": [0.0, 0.0], "comparable": True},
        "1/beta = g/3 to 0": {"temperature": 1.0 / 3.0, "gaps": [0.5, 0.5], "comparable": True},
        "mu at a band edge, beta to inf": {"temperature": 1.0, "gaps": None, "comparable": False},
    }
    return [
        System(
            f"asymptotics in [-1, 1]: {name}",
            {"kind": "asymptotics", **path},
            counterexample=not path["comparable"],
        )
        for name, path in paths.items()
    ]


def measure(system: System) -> SystemResult:
    kind = system.parameters["kind"]
    if kind == "asymptotics":
        return _measure_asymptotics(system)
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


def leading_rate(X: SpectralSet, beta: float, mu: float, below: float, above: float) -> float:
    """The leading term of θ as β⁻¹ + g → 0, see the module docstring; Hartree in, dimensionless."""
    density = 1.0 / math.sqrt((mu - X.lower) * (X.upper - mu))
    if math.isinf(beta):
        return density * 0.5 * (below + above)
    y = math.pi / beta
    if below == 0.0 < above:
        return 2.0 * (critical_point(X) - mu) * density * math.sqrt(0.5 * y / above)
    return density * float(np.sqrt(complex(below, y) * complex(above, -y)).real)


def _measure_asymptotics(system: System) -> SystemResult:
    """θ and its leading term as scale → 0; β⁻¹ and the gaps proportional to it."""
    p = system.parameters
    mu = 0.1
    scales = np.geomspace(1e-1, 1e-4, 13)
    theta, leading, paper = np.empty((3, len(scales)))
    for k, scale in enumerate(scales):
        below, above = (0.0, 0.5) if p["gaps"] is None else [scale * gap for gap in p["gaps"]]
        temperature = scale * p["temperature"]
        beta = 1.0 / temperature if temperature else math.inf
        X = (
            spectral_set(-1.0, 1.0, mu, below, above)
            if p["gaps"] is not None
            else SpectralSet(((-1.0, mu), (mu + above, 1.0)))
        )
        theta[k] = convergence_rate(X, beta, mu)
        leading[k] = leading_rate(X, beta, mu, below, above)
        paper[k] = temperature + math.sqrt(below * above) if temperature else below + above
    # The exponent over the last decade; corrections are of the order of the scale.
    exponent = float(np.polyfit(np.log(scales[-5:]), np.log(theta[-5:]), 1)[0])
    expected = 1.0 if p["comparable"] else 0.5
    ratio = theta / leading
    return system.result(
        hypotheses={"both gaps comparable with each other or with 1/beta": p["comparable"]},
        measured={
            "exponent of theta in the scale": exponent,
            "theta over its leading term at the smallest scale": ratio[-1],
            "theta over the paper's expression, first and last": [
                theta[0] / paper[0],
                theta[-1] / paper[-1],
            ],
        },
        predicted={
            "exponent of theta in the scale": expected,
            "theta over its leading term at the smallest scale": 1.0,
        },
        holds=abs(exponent - expected) < 0.01 and abs(ratio[-1] - 1.0) < 1e-2,
        series={"scale": scales, "theta": theta, "leading": leading},
    )


def draw(results: Sequence[SystemResult]) -> Figure:
    figure = Figure(figsize=(9.6, 7.6), layout="constrained")
    panels = figure.subplots(2, 2)
    rates = [result for result in results if "errors" in result.series]
    one = [r for r in rates if r.description.startswith("one interval [-0.3, 0.3], mu = 0.05")]
    two = [r for r in rates if r.description.startswith("two") and r.parameters["beta"] == "inf"]
    _draw_errors(panels[0, 0], one, r"(a) $X = [-0.3, 0.3]$, $\mu = 0.05$", _temperature_label)
    _draw_errors(panels[0, 1], two, r"(b) two intervals in $[-1, 1]$, $\beta = \infty$", _gap_label)
    _draw_asymptotics(panels[1, 0], [r for r in results if "leading" in r.series])
    _draw_integrated(panels[1, 1], [r for r in results if "integrated" in r.series])
    return figure


def _temperature_label(result: SystemResult) -> str:
    return rf"$\beta = {result.parameters['beta']}$"


def _gap_label(result: SystemResult) -> str:
    below, above = result.parameters["set"][3:]
    return rf"$g_\mp = {below:g}, {above:g}$"


def _draw_errors(
    axes: Axes, results: Sequence[SystemResult], title: str, label: Callable[[SystemResult], str]
) -> None:
    from matplotlib import colormaps

    colours = colormaps["viridis"](np.linspace(0.05, 0.85, max(len(results), 1)))
    for result, colour in zip(results, colours, strict=False):
        degrees, errors = result.series["degrees"], result.series["errors"]
        used = result.series["used"]
        # A tenth of the points is enough to see the line.
        step = max(1, len(degrees) // 45)
        axes.semilogy(degrees[::step], errors[::step], "o", ms=3, color=colour, label=label(result))
        axes.semilogy(
            degrees[used], _predicted_curve(result, degrees, errors, used), "-", color=colour, lw=1
        )
    axes.plot([], [], "k-", lw=1, label=r"$\propto N\,e^{-\theta N}$, $\theta$ of Green's function")
    axes.set_xlim(0, 260)
    axes.set_ylim(1e-25, 1e5)
    axes.set_xlabel("degree $N$")
    axes.set_ylabel(r"$\|F-F_N\|_\infty + \|G-G_N\|_\infty$ (Hartree)")
    axes.set_title(title, fontsize="medium")
    axes.legend(fontsize="x-small", loc="upper right", ncols=2)


def _predicted_curve(
    result: SystemResult, degrees: FloatArray, errors: FloatArray, used: FloatArray
) -> FloatArray:
    """N e^{−θN} with the predicted θ and the prefactor that fits best."""
    shape = np.log(degrees[used]) - result.predicted["rate theta"] * degrees[used]
    return np.asarray(np.exp(shape + np.mean(np.log(errors[used]) - shape)))


def _draw_asymptotics(axes: Axes, results: Sequence[SystemResult]) -> None:
    for result, marker in zip(results, "osD^", strict=False):
        name = result.description.split(": ", 1)[1]
        scale = result.series["scale"]
        (line,) = axes.loglog(scale, result.series["theta"], marker, ms=4, label=_in_symbols(name))
        axes.loglog(scale, result.series["leading"], "-", lw=1, color=line.get_color())
    axes.plot([], [], "k-", lw=1, label="leading term")
    axes.set_xlabel(r"scale $\to 0$ of $\beta^{-1}$ and $g_\pm$ (Hartree)")
    axes.set_ylabel(r"$\theta$")
    axes.set_title(
        r"(c) $\theta$ against temperature and gap, $X \subset [-1, 1]$", fontsize="medium"
    )
    axes.legend(fontsize="x-small")


def _in_symbols(name: str) -> str:
    edge = r"$\beta^{-1} = s$, $g_- = 0$, $g_+ = 0.5$ ($\theta\sim\beta^{-1/2}$)"
    symbols = {
        "beta = inf, g to 0": r"$\beta=\infty$, $g_- = s,\ g_+ = 2s$",
        "no gap, beta to inf": r"$\beta^{-1} = s$, no gap",
        "1/beta = g/3 to 0": r"$\beta^{-1} = s/3$, $g_\pm = s/2$",
        "mu at a band edge, beta to inf": edge,
    }
    return symbols.get(name, name)


def _draw_integrated(axes: Axes, results: Sequence[SystemResult]) -> None:
    for result in results:
        degrees = result.series["degrees"]
        axes.semilogy(
            degrees,
            result.series["interpolated"],
            "o-",
            ms=4,
            lw=1,
            label="$G$ interpolated, $F_N = G_N'$",
        )
        axes.semilogy(
            degrees,
            result.series["integrated"],
            "s-",
            ms=4,
            lw=1,
            label="$F$ interpolated, then integrated",
        )
        axes.axhline(
            float(result.series["floor"]), color="k", lw=1, ls="--", label=r"$|\mu - c|/2$"
        )
    axes.set_xlabel("degree $N$")
    axes.set_ylabel(r"error of the grand potential on $X$ (Hartree)")
    axes.set_title(
        r"(d) why $G$ is interpolated: $g_- = 0.1$, $g_+ = 0.5$, $\beta=\infty$", fontsize="medium"
    )
    axes.legend(fontsize="x-small")


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
)
