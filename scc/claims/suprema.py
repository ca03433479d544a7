"""Rigorous sup-norms of F − F_N and G − G_N on X: proved, within ten per cent of sampled values.

The upper bound is a theorem about the float64 polynomials of the code, rounded coefficients and
all (:mod:`scc.bodyorder.suprema`); sampled is the error in 1000 points an interval and 1000 around
µ, evaluated in balls. Also shown: Hermite's bound for the exact interpolant
(:mod:`scc.bodyorder.hermite_bound`), which needs no polynomial.
"""

import math
import time
from collections.abc import Sequence

import flint
import numpy as np
from matplotlib.figure import Figure

from scc.arrays import FloatArray
from scc.bodyorder.ball_functions import BallFunction, grand_potential_ball, occupation_ball
from scc.bodyorder.hermite_bound import hermite_bounds
from scc.bodyorder.leja import leja_points
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet, spectral_set
from scc.bodyorder.suprema import polynomial_errors
from scc.claims.claim import Claim, System, SystemResult

ACCEPTED = 1.10
"""The acceptance figure: proved upper bound over sampled value."""

SECONDS = 30.0

_DEGREES = (10, 20, 40, 60, 80, 100, 120)
_SAMPLED = 1000


def systems(full: bool) -> list[System]:
    cases = [
        ("one interval", (-1.0, 1.0, 0.1, 0.0, 0.0), 10.0),
        ("one interval", (-1.0, 1.0, 0.1, 0.0, 0.0), 200.0),
        ("two intervals", (-1.0, 1.0, 0.1, 0.2, 0.1), 60.0),
        ("two intervals", (-1.0, 1.0, 0.1, 0.2, 0.1), math.inf),
    ]
    if full:
        cases += [
            ("one interval", (-3.0, 3.0, -2.0, 0.0, 0.0), 40.0),
            ("one interval", (-3.0, 3.0, 0.5, 0.0, 0.0), 1e4),
            ("two intervals", (-3.0, 3.0, 0.0, 0.05, 0.3), math.inf),
        ]
    return [
        System(
            f"{name} in [{edges[0]:g}, {edges[1]:g}], beta = {_label(beta)}",
            {"set": list(edges), "beta": _label(beta), "degrees": list(_DEGREES)},
        )
        for name, edges, beta in cases
    ]


def _label(beta: float) -> str:
    return f"{beta:g}"


def measure(system: System) -> SystemResult:
    p = system.parameters
    beta, mu = float(p["beta"]), p["set"][2]
    X = spectral_set(*p["set"])
    degrees = p["degrees"]
    polynomials = PolynomialOccupation.sequence(X, degrees, beta, mu)
    nodes = leja_points(X, degrees[-1] + 1)
    points = _sample(X, beta, mu)
    rows, seconds = [], 0.0
    for degree, polynomial in zip(degrees, polynomials, strict=True):
        start = time.process_time()
        proved = polynomial_errors(polynomial)
        seconds = max(seconds, time.process_time() - start)
        sampled = [
            _sampled(polynomial.occupation_coefficients, occupation_ball(X, beta, mu), X, points),
            _sampled(polynomial.coefficients, grand_potential_ball(X, beta, mu), X, points),
        ]
        a_priori = hermite_bounds(nodes[: degree + 1], X, beta, mu)
        rows.append([*sampled, proved.occupation.upper, proved.grand_potential.upper, *a_priori])
    table = np.array(rows)
    ratios = table[:, 2:4] / table[:, :2]
    return system.result(
        hypotheses={"degrees N": f"{degrees[0]} to {degrees[-1]}"},
        measured={
            "largest proved / sampled, F": np.max(ratios[:, 0]),
            "largest proved / sampled, G": np.max(ratios[:, 1]),
            "smallest proved / sampled": np.min(ratios),
            "largest CPU time of one pair [s]": seconds,
        },
        predicted={
            "largest proved / sampled, F": f"below {ACCEPTED:g}",
            "largest proved / sampled, G": f"below {ACCEPTED:g}",
            "smallest proved / sampled": "at least 1",
            "largest CPU time of one pair [s]": f"below {SECONDS:g}",
        },
        holds=bool(np.all(ratios < ACCEPTED) and np.all(ratios >= 1.0)) and seconds < SECONDS,
        series={
            "degrees": np.array(degrees),
            "table": table,
        },
    )


def _sample(X: SpectralSet, beta: float, mu: float) -> FloatArray:
    """1000 points an interval, and 1000 more within 40/β of µ, where F may turn between them."""
    points = X.sample(_SAMPLED)
    if math.isfinite(beta):
        near = mu + np.linspace(-40.0, 40.0, _SAMPLED) / beta
        points = np.concatenate([points, near[X.distance(near) == 0.0]])
    return points


def _sampled(
    coefficients: FloatArray, function: BallFunction, X: SpectralSet, points: FloatArray
) -> float:
    """Largest |f − Σ c_k T_k| over the points, by Clenshaw's recurrence in balls."""
    with flint.ctx.workprec(200 + 3 * len(coefficients)):
        exact = [flint.arb(float(c)) for c in coefficients]
        low, high = flint.arb(X.lower), flint.arb(X.upper)
        largest = 0.0
        for x in points:
            t = (2 * flint.arb(float(x)) - low - high) / (high - low)
            later = last = flint.arb(0)
            for c in exact[:0:-1]:
                later, last = c + 2 * t * later - last, later
            value = function(flint.arb(float(x))) - (exact[0] + t * later - last)
            largest = max(largest, abs(float(value)))
    return largest


def draw(results: Sequence[SystemResult]) -> Figure:
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, column, name in zip(panels, (0, 1), ("F", "G"), strict=True):
        for result, colour in zip(
            results, ("C0", "C1", "C2", "C3", "C4", "C5", "C6"), strict=False
        ):
            degrees, table = result.series["degrees"], result.series["table"]
            axes.semilogy(degrees, table[:, column], "o", ms=4, color=colour)
            axes.semilogy(
                degrees, table[:, column + 2], "-", lw=1, color=colour, label=result.description
            )
            axes.semilogy(degrees, table[:, column + 4], ":", lw=1, color=colour)
        axes.plot([], [], "ko", ms=4, label="sampled")
        axes.plot([], [], "k-", lw=1, label="proved for the float64 polynomial")
        axes.plot([], [], "k:", lw=1, label="Hermite's bound, exact interpolant")
        axes.set_xlabel("degree $N$")
        axes.set_title(rf"$\|{name} - {name}_N\|_\infty$ on $X$", fontsize="medium")
    panels[0].legend(fontsize="x-small")
    panels[0].set_ylim(1e-17, 1e2)
    panels[0].set_ylabel("sup-norm (F: none, G: Hartree)")
    return figure


CLAIM = Claim(
    id="suprema",
    statement=(
        "The sup-norms of F - F_N and G - G_N on X, for the polynomials with the rounded "
        "coefficients that the code evaluates, are enclosed rigorously within ten per cent of "
        "sampled values for degrees up to 120, at finite and at zero temperature."
    ),
    source="Lemma 7",
    systems=systems,
    measure=measure,
    draw=draw,
)
