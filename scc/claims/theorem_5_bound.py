"""Theorem 5 with constants: body-ordered terms vanish where they should and are bounded before."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from scc.claims import _bounds
from scc.claims.claim import Claim, System, SystemResult
from scc.theory import theorem_5
from scc.theory._cluster_expansion import last_order, shortest_way

_DEGREE = {"onsite": 4, "orthonormal": 2}


def systems(full: bool) -> list[System]:
    """Random arrangements; Löwdin ones are the claim orthogonalisation's."""
    every = _bounds.bound_systems("theorem_5", full, gaussian=True)
    return [system for system in every if system.parameters["model"] in _DEGREE]


def measure(system: System) -> SystemResult:
    """All checks, and |U_n(K)| of G_N(H)_ℓℓ against the length of the way through K."""
    case = _bounds.case_of(system)
    degree = _DEGREE[system.parameters["model"]]
    found = theorem_5.expansion(case, degree)
    last = last_order("G", degree, found.three_centre)
    rows = [row for row in found.contributions("G", 0) if len(row[0]) <= last]
    distances = case.distances[np.ix_(found.atoms, found.atoms)]
    series = {
        "order": np.array([len(chosen) for chosen, _ in rows]),
        "way": np.array([shortest_way(distances, 0, 0, chosen) for chosen, _ in rows]),
        "measured": np.array([value for _, value in rows]),
        "bound": np.array([found.bound("G", 0, chosen) for chosen, _ in rows]),
    }
    result = _bounds.measure(system)
    return replace(result, series={**result.series, **series})


def draw(results: Sequence[SystemResult]) -> Figure:
    """|U_n| and its bound against the way through the atoms, all systems of a model."""
    figure = Figure(figsize=(10.6, 4.2), layout="constrained")
    titles = {
        "onsite": "(a) on-site, N = 4: U$_n$ = 0 from n = 4",
        "orthonormal": "(b) Gaussian s, S = 1 assumed, N = 2: U$_n$ = 0 from n = 4",
    }
    for axes, (model, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        own = [r for r in results if r.parameters["model"] == model]
        for n in range(1, 4):
            for marker, name, alpha in ((".", "measured", 1.0), ("_", "bound", 0.5)):
                way = [r.series["way"][r.series["order"] == n] for r in own]
                value = [r.series[name][r.series["order"] == n] for r in own]
                if not own:
                    continue
                x, y = np.concatenate(way), np.concatenate(value)
                shown = y > 1e-16
                label = f"n = {n}, {name}"
                axes.semilogy(
                    x[shown], y[shown], marker, ms=4, color=f"C{n - 1}", alpha=alpha, label=label
                )
        axes.set_title(title, fontsize="medium")
        axes.set_xlabel("shortest way through the n atoms and back [bohr]")
        axes.set_ylabel(r"$|U_n|$ of $G_N(H)_{\ell\ell}$ [Hartree]")
        if own:
            axes.legend(fontsize="x-small")
    return figure


CLAIM = Claim(
    id="theorem-5-bound",
    statement=(
        "Body-ordered terms U_n of G_N, F_N and site energies vanish to rounding from the exact "
        "order on (2N, and N for two-centre Hamiltonians; F_N counts with its degree N-1), and up "
        "to it stay below a bound that decays with the length of the shortest way through their "
        "atoms. Measured is the largest value/(bound + rounding)."
    ),
    source="Theorem 5",
    systems=systems,
    measure=measure,
    draw=draw,
    family=_bounds.bound_family("theorem_5", gaussian=True),
)
