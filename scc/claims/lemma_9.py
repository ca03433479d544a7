"""Lemma 9: sums and integrals of products of exponentials against the bounds of theory/lemma_9."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from scc.claims import _bounds
from scc.claims.claim import Claim, System, SystemResult
from scc.theory import lemma_9
from scc.theory._exponential_integrals import two_centre_integral
from scc.theory.packing import Packing, packings

ETA = 1.0
"""Both exponents of the figure, 1/bohr."""


def systems(full: bool) -> list[System]:
    """Random arrangements in one, two and three dimensions."""
    return _bounds.bound_systems("lemma_9", full, gaussian=True)


def measure(system: System) -> SystemResult:
    """All checks, and Σ_m e^{−η(r_ℓm + r_mk)} against r_ℓk for the figure."""
    case = _bounds.case_of(system)
    pairs = np.argwhere(np.triu(np.ones((case.atoms, case.atoms), dtype=bool), 1))
    distances = case.distances[pairs[:, :, None], pairs[:, None, :]]
    found, etas = packings(case.configuration.positions), (ETA, ETA)
    values = np.exp(-ETA * case.distances)
    series = {
        "distance": distances[:, 0, 1],
        "sum": (values @ values)[pairs[:, 0], pairs[:, 1]],
        "bound of sum": lemma_9.sum_bound(etas, distances, found),
        "paper's bound of sum": lemma_9.paper_bounds(etas, distances, found)[1],
    }
    result = _bounds.measure(system)
    return replace(result, series={**result.series, **series})


def draw(results: Sequence[SystemResult]) -> Figure:
    """(6.2) on one random system of each dimension, and (6.1) in R³."""
    figure = Figure(figsize=(11.0, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for dimension in (1, 2, 3):
        own = [r for r in results if r.parameters["dimension"] == dimension]
        if not own:
            continue
        series = max(own, key=lambda r: float(r.parameters["atoms"])).series
        order = np.argsort(series["distance"])
        r, colour = series["distance"][order], f"C{dimension - 1}"
        left.semilogy(r, series["sum"][order], ".", ms=3, color=colour, label=f"{dimension}D")
        left.semilogy(r, series["bound of sum"][order], "-", lw=1, color=colour)
        left.semilogy(r, series["paper's bound of sum"][order], ":", lw=1, color=colour)
    left.set_xlabel(r"$r_{\ell k}$ [bohr]")
    left.set_ylabel(r"$\sum_m e^{-r_{\ell m} - r_{mk}}$")
    left.set_title("(6.2): measured, bound (line), paper's route (dotted)", fontsize="medium")
    if results:
        left.legend(fontsize="small")
    r = np.linspace(0.05, 40.0, 300)
    distances = np.zeros((len(r), 2, 2))
    distances[:, 0, 1] = distances[:, 1, 0] = r
    for etas, colour in (((ETA, ETA), "C0"), ((0.7, 1.9), "C1")):
        exact = two_centre_integral(*etas, r, 3)
        label = rf"$\eta = {etas[0]:g}, {etas[1]:g}$"
        right.semilogy(r, exact, "-", lw=2.5, alpha=0.5, color=colour, label=label)
        right.semilogy(r, lemma_9.integral_bound(etas, distances), "-", lw=1, color=colour)
        paper = lemma_9.paper_bounds(etas, distances, [Packing(3, 1.0)])[0]
        right.semilogy(r, paper, ":", lw=1, color=colour)
    right.set_xlabel(r"$r_{12}$ [bohr]")
    right.set_ylabel(r"$\int e^{-\eta_1|x-r_1| - \eta_2|x-r_2|}\,dx$ [bohr$^3$]")
    right.set_title(
        "(6.1) in 3D: exact (thick), bound (line), paper's route (dotted)", fontsize="medium"
    )
    right.legend(fontsize="small")
    return figure


CLAIM = Claim(
    id="lemma-9",
    statement=(
        "Integrals and sums over a configuration of products of exponentials of the distances to "
        "n atoms are below C exp(-rate): (6.1) in closed form for two atoms in R, R^2, R^3 and for "
        "any number on a line, (6.2) by direct summation, both with the constants of the minimal "
        "spacing and the dimension, by the paper's route and by a sharper one that keeps the whole "
        "rate. Measured is the largest value/bound."
    ),
    source="Lemma 9, (6.1), (6.2)",
    systems=systems,
    measure=measure,
    draw=draw,
    family=_bounds.bound_family("lemma_9", gaussian=True),
)
