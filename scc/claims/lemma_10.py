"""Lemma 10: the Hamiltonian and its derivatives against the constants of theory/lemma_10."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from scc.claims import _bounds
from scc.claims.claim import Claim, System, SystemResult
from scc.theory import lemma_10
from scc.theory._hamiltonian_decay import paper_bound

_LABEL = {
    "onsite": "(a) on-site, hopping of compact support",
    "orthonormal": "(b) Gaussian s, orthonormal by assumption",
    "loewdin": "(c) Gaussian s, Löwdin",
}


def systems(full: bool) -> list[System]:
    """Random arrangements in one, two and three dimensions, three models."""
    return _bounds.bound_systems("lemma_10", full, gaussian=True)


def measure(system: System) -> SystemResult:
    """All checks, and |H_ℓk| with its bounds at three rates for the figure."""
    case = _bounds.case_of(system)
    r = np.linspace(0.0, float(np.max(case.distances)), 60)
    found = [lemma_10.bound(case, eta) for eta in lemma_10.rates(case)]
    series = {
        "distance": case.orbital_distances.ravel(),
        "hamiltonian": np.abs(case.hamiltonian).ravel(),
        "r": r,
        "rates": np.array([f.eta for f in found if f is not None]),
        "bounds": np.array([f.value * np.exp(-f.eta * r) for f in found if f is not None]),
    }
    if system.parameters["model"] == "orthonormal":
        coarse = paper_bound(case, lemma_10.rates(case)[0])
        series["paper"] = coarse.value * np.exp(-coarse.eta * r)
    result = _bounds.measure(system)
    constants = {
        f"c0 + c1 |v|, c2, c3 + c4 |v| at the rate {f.eta:.3g}/bohr": [
            f.value,
            f.by_feature,
            f.moved,
        ]
        for f in found
        if f is not None
    }
    return replace(
        result,
        measured={**result.measured, **constants},
        series={**result.series, **series},
    )


def draw(results: Sequence[SystemResult]) -> Figure:
    """|H_ℓk| of one system of each model, and its bounds."""
    figure = Figure(figsize=(12.6, 4.0), layout="constrained")
    for axes, (model, title) in zip(figure.subplots(1, 3), _LABEL.items(), strict=True):
        own = [r for r in results if r.parameters["model"] == model]
        axes.set_title(title, fontsize="medium")
        axes.set_xlabel(r"$r_{\ell k}$ [bohr]")
        axes.set_ylabel(r"$|H_{\ell k}|$ [Hartree]")
        if not own:
            continue
        series = max(own, key=lambda r: float(np.max(r.series["distance"]))).series
        shown = series["hamiltonian"] > 1e-14
        r, values = series["distance"][shown], series["hamiltonian"][shown]
        axes.semilogy(r, values, "k.", ms=3, label="measured")
        for index, (eta, line) in enumerate(zip(series["rates"], series["bounds"], strict=True)):
            label = rf"bound, $\eta = {eta:.3g}$/bohr"
            axes.semilogy(series["r"], line, "-", lw=1, color=f"C{index}", label=label)
        if "paper" in series:
            label = "the first by the paper's route"
            axes.semilogy(series["r"], series["paper"], ":", lw=1.5, color="C0", label=label)
        axes.set_ylim(1e-14, 1e4)
        axes.legend(fontsize="x-small", loc="upper right" if model == "onsite" else "lower left")
    return figure


CLAIM = Claim(
    id="lemma-10",
    statement=(
        "The Hamiltonian and its derivatives with respect to every feature and every position are "
        "below constants times exp(-rate r_lk) and exp(-rate (r_lm + r_mk)) at several rates: "
        "on-site hopping, Gaussian orbitals taken as orthonormal (the paper's route and the "
        "Gaussian product theorem), and Loewdin-orthogonalised ones. Measured is the largest "
        "value/bound over all pairs and atoms."
    ),
    source="Lemma 10, (6.3)",
    systems=systems,
    measure=measure,
    draw=draw,
    family=_bounds.bound_family("lemma_10", gaussian=True),
)
