r"""Stability and convergence of the shipped water model as the system grows.

v̂ = Kρ(r, v̂) has a solution that small damped steps lead back to iff every eigenvalue of 1 − Kχ has
a positive real part, and undamped steps iff the spectral radius of Kχ is below 1. Neither has to
stay so when the system grows. Measured on reference clusters that took no part in the fit and on
droplets of liquid: density builds plus applications of χK from zero field to 10⁻⁸ e·bohr^λ, the
spectral radius, and the smallest real part of the spectrum of 1 − Kχ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from scc.ace.predict import TOLERANCE, PredictiveModel, predict
from scc.ace.reference_set import read_reference_set
from scc.claims._water_systems import DATA, MODEL, droplet, model_of
from scc.claims.claim import Claim, System, SystemResult
from scc.configuration import Configuration
from scc.electrostatics.multipoles.external import ExternalCharges

ITERATIONS = 20
"""Allowed density builds and applications of χK."""

_TEST = "test.xyz"
_TICKS = (1, 2, 4, 8, 20, 64, 216)


def systems(full: bool) -> list[System]:
    """Test clusters (where the data are installed) and droplets of 20, 64 (and 216) molecules."""
    found = []
    if (DATA / _TEST).is_file():
        found.append(System("test clusters", {"kind": "test", "model": MODEL}))
    for number in (2, 8, 20, 64, 216)[: 5 if full else 4]:
        found.append(
            System(
                f"droplet of {number} molecules",
                {"kind": "droplet", "model": MODEL, "molecules": number, "seed": 10},
            )
        )
    return found


def measure(system: System) -> SystemResult:
    """One droplet, or all test clusters."""
    p = system.parameters
    model = model_of(p["model"])
    if p["kind"] == "test":
        frames = read_reference_set(DATA / _TEST).frames
        cases = [(f.configuration, () if f.external is None else (f.external,)) for f in frames]
    else:
        cases = [(droplet(p["molecules"], p["seed"]), ())]
    rows = np.array([_solved(model, *case) for case in cases])
    molecules, iterations, radius, smallest, converged = rows.T
    return system.result(
        hypotheses={"tolerance [e bohr^l]": TOLERANCE, "clusters": len(rows)},
        measured={
            "most iterations": int(iterations.max()),
            "not converged": int(np.sum(converged == 0.0)),
            "largest spectral radius": float(radius.max()),
            "smallest real part of 1 - K chi": float(smallest.min()),
        },
        predicted={
            "most iterations": f"<= {ITERATIONS}",
            "not converged": 0,
            "smallest real part of 1 - K chi": "> 0",
        },
        holds=bool(converged.all() and iterations.max() <= ITERATIONS and smallest.min() > 0.0),
        series={
            "molecules": molecules,
            "iterations": iterations,
            "radius": radius,
            "smallest": smallest,
        },
    )


def _solved(
    model: PredictiveModel, configuration: Configuration, external: Sequence[ExternalCharges]
) -> tuple[float, ...]:
    """(molecules, iterations, spectral radius, smallest real part, 1 if converged)."""
    found = predict(model, configuration, external=external)
    return (
        len(configuration) / 3.0,
        float(found.scf_iterations),
        found.equilibrium.radius,
        found.equilibrium.smallest_real,
        float(found.converged),
    )


def draw(results: Sequence[SystemResult]) -> Figure:
    """Iterations and spectrum against the number of molecules."""
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    kinds = {"test": ("s", "test clusters"), "droplet": ("o-", "droplets")}
    for colour, (kind, (style, label)) in zip(("C1", "C0"), kinds.items(), strict=True):
        own = [r.series for r in results if r.parameters["kind"] == kind and r.series]
        if not own:
            continue
        x, iterations, radius, smallest = (
            np.concatenate([series[name] for series in own])
            for name in ("molecules", "iterations", "radius", "smallest")
        )
        left.plot(x, iterations, style, color=colour, ms=4, label=label)
        right.plot(x, radius, style, color=colour, ms=4, label=f"{label}: radius of Kχ")
        label = f"{label}: smallest Re(1 − Kχ)"
        right.plot(x, smallest, style.replace("-", "--"), color=colour, ms=4, mfc="w", label=label)
    left.axhline(ITERATIONS, color="k", lw=0.8, ls=":", label="allowed")
    right.axhline(0.0, color="k", lw=0.8, ls=":")
    left.set_ylabel("density builds and applications of χK")
    left.set_ylim(bottom=0.0)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xticks(_TICKS, [str(number) for number in _TICKS])
        axes.minorticks_off()
        axes.set_xlabel("molecules")
        axes.legend(fontsize="x-small")
    return figure


CLAIM = Claim(
    id="stability-water",
    statement=(
        "The shipped water model is self-consistent, to 1e-8 from zero field in at most 20 density "
        "builds or applications of its response, and stable, on every test cluster and on droplets "
        "of liquid larger than anything it was fitted to."
    ),
    source="Section 4; (3.12) for a closure by projection",
    systems=systems,
    measure=measure,
    draw=draw,
)
