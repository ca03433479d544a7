"""Mixing: damped iteration converges iff |1 − αλ| < 1 on the spectrum of ε, at that very rate.

The damped iteration x ← x + α(Φ(x) − x) has the Jacobian 1 − αε† at its fixed point, and ε has a
real spectrum in [λ_min, λ_max] (claim ``stability``). Predicted: convergence for α < 2/λ_max with
rate max(|1 − αλ_min|, |1 − αλ_max|), divergence from any neighbourhood for α > 2/λ_max at the rate
|1 − αλ_max|. Measured: the ratio of successive residuals, started 10⁻⁶ from the solution
(divergence) and 10⁻² from it (convergence).

Anderson acceleration preconditioned by the local density of states is counted on chains of 20 to
1000 atoms with one and the same setting: at most 15 density builds for an insulator, 30 for a
metal, to a density residual of 10⁻¹⁰.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scc.arrays import FloatArray
from scc.claims.claim import Claim, System, SystemResult
from scc.claims.parameters import Family, Parameter, of_result
from scc.configuration import chain
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.equilibrium import Equilibrium
from scc.equilibration.solvers import Anderson, Damped, NewtonKrylov
from scc.functional.energy import EnergyFunctional
from scc.models.gaussian import GaussianTightBinding
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding

# (gap D, charges Z, β, spacings): the insulator and the metals of the on-site model.
_CASES: dict[str, tuple[float, tuple[float, float], float, tuple[float, float]]] = {
    "insulator": (2.0, (1.4, 0.6), float("inf"), (1.0, 1.3)),
    "metal": (0.0, (1.2, 0.8), 10.0, (1.0, 1.0)),
    "cold metal": (0.0, (1.2, 0.8), 50.0, (1.0, 1.0)),
}
_BUILDS = {"insulator": 15, "metal": 30, "cold metal": 30}
# The ratio of successive residuals contains a remainder of the other modes.
_RATE_TOLERANCE = 0.01
_COLOURS = {"insulator": "C0", "metal": "C1", "cold metal": "C2"}


def systems(full: bool) -> list[System]:
    found = []
    for case in _CASES:
        for factor in (0.95, 1.05):
            found.append(
                System(
                    f"damped, on-site {case}, M = 100, alpha = {factor:g} * 2/lambda_max",
                    {"kind": "damped", "case": case, "atoms": 100, "factor": factor},
                )
            )
    for factor in (0.95, 1.05):
        found.append(
            System(
                f"damped, Gaussian model, hydrogen chain of 8, alpha = {factor:g} * 2/lambda_max",
                {"kind": "damped", "case": "gaussian", "atoms": 8, "factor": factor},
            )
        )
    for case in _CASES:
        for atoms in (20, 100, 400, 1000) if full else (20, 100, 300):
            found.append(
                System(
                    f"Anderson, on-site {case}, M = {atoms}",
                    {"kind": "anderson", "case": case, "atoms": atoms},
                )
            )
    return found


def measure(system: System) -> SystemResult:
    return _damped(system) if system.parameters["kind"] == "damped" else _anderson(system)


def _functional(p: Mapping[str, Any]) -> EnergyFunctional:
    """Of a case by name, or of a chain with its own gap, beta and spacing (Z as the metal's)."""
    case, atoms = p["case"], p["atoms"]
    if case == "gaussian":
        configuration = chain(atoms, (1.4, 2.2), "H")
        return EnergyFunctional(GaussianTightBinding().prepare(configuration), beta=20.0)
    if case == "chain":
        gap, beta, spacing = p["gap"], float(p["beta"]), (1.0, p["spacing"])
        charges = (1.4, 0.6) if gap else (1.2, 0.8)
    else:
        gap, charges, beta, spacing = _CASES[case]
    configuration = chain(atoms, spacing, ("Na", "Cl"))
    model = OnsiteTightBinding(model_b(gap=gap, charges=charges))
    return EnergyFunctional(model.prepare(configuration), beta=beta)


def _damped(system: System) -> SystemResult:
    p = system.parameters
    functional = _functional(p)
    exact = equilibrate(functional, NewtonKrylov(), tolerance=1e-13, throw=True)
    smallest, largest = exact.lambda_min, exact.lambda_max
    alpha = p["factor"] * 2.0 / largest
    diverging = p["factor"] > 1.0
    growth = abs(1.0 - alpha * largest)
    predicted = growth if diverging else max(growth, abs(1.0 - alpha * smallest))
    start = _perturbed(exact, 1e-6 if diverging else 1e-2)
    found = equilibrate(functional, Damped(alpha), features=start, tolerance=1e-11, max_builds=400)
    history = np.array(found.history)
    rate = _asymptotic_ratio(history, diverging)
    expected = "converged" if not diverging else "not converged"
    reached = "converged" if found.converged else "not converged"
    return system.result(
        hypotheses={"lambda_min(eps) > 0": smallest > 0.0, "lambda_max(eps)": largest},
        measured={"rate": rate, "status": reached},
        predicted={"rate": predicted, "status": expected},
        holds=reached == expected and abs(rate - predicted) <= _RATE_TOLERANCE * predicted,
        series={"history": history, "rate": np.array([predicted])},
    )


def _perturbed(equilibrium: Equilibrium, size: float) -> FloatArray:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(equilibrium.features.shape)
    if noise.ndim == 2 and noise.shape[0] == noise.shape[1]:
        noise = 0.5 * (noise + noise.T)
    return equilibrium.features + size * noise


def _asymptotic_ratio(history: FloatArray, diverging: bool) -> float:
    """Geometric mean ratio over the linear regime: after the fast modes, before saturation."""
    if diverging:
        usable = np.flatnonzero((history < 1e-3) & (np.arange(len(history)) > 20))
    else:
        usable = np.flatnonzero((history < 1e-5) & (history > 1e-10))
    window = history[usable]
    if len(window) < 10:
        return float("nan")
    half = window[len(window) // 2 :]
    return float((half[-1] / half[0]) ** (1.0 / (len(half) - 1)))


def _anderson(system: System) -> SystemResult:
    p = system.parameters
    functional = _functional(p)
    found = equilibrate(functional, Anderson(), tolerance=1e-10)
    return system.result(
        hypotheses={"gap": found.gap},
        measured={"density builds": found.density_builds, "status": found.status},
        predicted={"density builds": f"<= {_BUILDS[p['case']]}", "status": "converged"},
        holds=found.converged and found.density_builds <= _BUILDS[p["case"]],
        series={"history": np.array(found.history)},
    )


def draw(results: Sequence[SystemResult]) -> Figure:
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for result in results:
        history = np.asarray(result.series["history"])
        steps = np.arange(1, len(history) + 1)
        p = result.parameters
        if p["kind"] == "damped":
            colour = "C0" if p["factor"] < 1.0 else "C3"
            left.semilogy(steps, history, "-", color=colour, lw=1)
            rate = float(np.asarray(result.series["rate"])[0])
            anchor = len(history) // 2
            left.semilogy(steps, history[anchor] * rate ** (steps - 1.0 - anchor), "k:", lw=0.8)
        else:
            colour = _COLOURS[p["case"]]
            right.semilogy(steps, history, "-", color=colour, lw=0.6 + p["atoms"] / 600)
    for factor, colour in ((0.95, "C0"), (1.05, "C3")):
        label = rf"$\alpha = {factor}\cdot 2/\lambda_{{\max}}$"
        left.plot([], [], "-", color=colour, lw=1, label=label)
    left.plot([], [], "k:", lw=0.8, label="predicted rate")
    left.set_ylim(1e-12, 1e2)
    left.set_title("damped, a line for each system")
    for case, colour in _COLOURS.items():
        right.plot([], [], "-", color=colour, label=case)
    right.set_title("Anderson; the thicker, the more atoms")
    for axes in (left, right):
        axes.set_xlabel("density builds")
        axes.set_ylabel("density residual [electrons]")
        axes.legend(fontsize="small")
    return figure


def _family_system(values: Mapping[str, Any]) -> System:
    p = {"gap": values["gap"], "beta": repr(values["beta"]), "spacing": values["spacing"]}
    return System(
        f"damped, chain, M = {values['M']}, alpha = {values['alpha']:g} * 2/lambda_max",
        {"kind": "damped", "case": "chain", "atoms": values["M"], "factor": values["alpha"], **p},
    )


FAMILY = Family(
    (
        Parameter("M", 100, "atoms of an on-site chain", 4, 2000),
        Parameter("beta", 10.0, "inverse temperature, 1/Hartree; inf", 0.1, math.inf),
        Parameter("gap", 0.0, "splitting of the levels of the two species, Hartree", 0.0, 16.0),
        Parameter("spacing", 1.0, "every other distance, the rest being 1 bohr", 0.8, 3.0),
        Parameter("alpha", 0.95, "damping in units of its limit 2/λ_max(ε)", 0.5, 1.5),
    ),
    _family_system,
    "ratio of successive residuals of damped iteration",
    "=",
    of_result("rate", "rate", lambda_max="lambda_max(eps)"),
    ("lambda_max",),
)


CLAIM = Claim(
    id="mixing",
    statement=(
        "Damped iteration converges exactly for α < 2/λ_max(ε), at the predicted rate; Anderson "
        "acceleration reaches 1e-10 in density in at most 15 (insulator) and 30 (metal) density "
        "builds from 20 to 1000 atoms with the same settings."
    ),
    source="(3.12); spectrum of the dielectric operator",
    systems=systems,
    measure=measure,
    draw=draw,
    family=FAMILY,
)
