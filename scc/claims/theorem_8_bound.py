"""Theorem 8 with every constant: theory/theorem_8.py on random systems and on equilibrated chains.

On chains v̂* is the neutral equilibrium and v̂*_N the solution of the production solvers with the
explicit (G_N, F_N). The bounds are 2c_Nε_N of the paper's proof, about T_N (β < ∞) and about Φ_N,
and the sharper form with the screened interaction S = ε⁻¹J. Against M, the least N at which each
form applies: the paper asks for θN > 2 ln M + C; with ‖J‖_∞ (ln M on a chain) and with ‖S‖_∞ less
is enough.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scc.bodyorder.explicit import ExplicitOccupation
from scc.claims import _bounds
from scc.claims._body_order_systems import onsite_chain
from scc.claims._size_axis import size_axis
from scc.claims.claim import Claim, System, SystemResult
from scc.claims.parameters import Family, Parameter, of_result
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.equilibrium import Equilibrium
from scc.functional.energy import EnergyFunctional
from scc.occupations.ensemble import Canonical, GrandCanonical
from scc.theory import theorem_8
from scc.theory._explicit_errors import Geometry
from scc.theory._screened import ScreenedInteraction, max_norm
from scc.theory.system import TightBindingSystem

_TOLERANCE = 1e-12
_CHAINS: dict[str, dict[str, Any]] = {
    "metal, beta = 8": {"gap": 0.0, "spacing": [1.0], "beta": "8"},
    "insulator, beta = inf": {"gap": 2.0, "spacing": [1.0, 1.3], "beta": "inf"},
}
_FORMS = ("stationary", "largest", "euclidean", "screened_largest", "screened_euclidean")
_LABELS = {
    "stationary": r"about $T_N$, $c_\mathrm{stab}$ of (3.12), $\ell^\infty$",
    "largest": r"about $\Phi_N$, $\ell^\infty$",
    "euclidean": r"about $\Phi_N$, $\ell^2$",
    "screened_largest": r"screened, $\ell^\infty$",
    "screened_euclidean": r"screened, $\ell^2$",
}


def systems(full: bool) -> list[System]:
    chains = [
        System(f"chain, {name}, M = {atoms}", {"kind": "chain", "atoms": atoms, **chain})
        for name, chain in _CHAINS.items()
        for atoms in ((20, 40, 80, 160) if full else (20, 40, 80))
    ]
    return chains + _bounds.bound_systems("theorem_8", full, gaussian=False)


def measure(system: System) -> SystemResult:
    if "kind" in system.parameters:
        return _measure_chain(system)
    return _bounds.measure(system)


def _equilibrium(p: Any) -> tuple[Equilibrium, TightBindingSystem]:
    spacing = p["spacing"]
    distances = spacing[0] if len(spacing) == 1 else (spacing[0], spacing[1])
    model = onsite_chain(p["atoms"], p["gap"], distances)
    beta = float(p["beta"])
    ensemble = Canonical(float(p["atoms"]))
    functional = EnergyFunctional(model, beta=beta, ensemble=ensemble)
    found = equilibrate(functional, tolerance=_TOLERANCE, throw=True)
    return found, TightBindingSystem(model, found.features, beta, found.fermi_level)


def _measure_chain(system: System) -> SystemResult:
    exact, case = _equilibrium(system.parameters)
    screened, geometry = ScreenedInteraction.of(case), Geometry.of(case)
    least = theorem_8.sufficient_degrees(case, screened)[0]
    step = 2 * math.ceil(1.0 / geometry.theta)
    degrees = np.arange(least, least + 13 * step, step)
    bounds = theorem_8.bound(case, degrees, screened)
    known = bounds.errors.value > 1e-11
    degrees, bounds = degrees[known], theorem_8.bound(case, degrees[known], screened)
    moved, rounding = [], 20.0 * bounds.largest.inverse * _TOLERANCE * max_norm(screened.kernel)
    for degree in degrees:
        occupation = ExplicitOccupation.construct(
            case.beta, case.mu, geometry.inner, geometry.outer, int(degree)
        )
        functional = EnergyFunctional(
            case.model, ensemble=GrandCanonical(case.mu), occupation=occupation
        )
        found = equilibrate(functional, features=exact.features, tolerance=_TOLERANCE, throw=True)
        moved.append(float(np.max(np.abs(found.features - exact.features))))
    errors = np.array(moved)
    table = np.array([getattr(bounds, form).distance for form in _FORMS])
    finite = np.isfinite(bounds.sharper)
    holds = bool(np.all(errors <= bounds.sharper + rounding))
    holds &= bool(np.all(errors <= np.min(table, axis=0) + rounding))
    clear = finite & (errors > 10.0 * rounding)
    needed = _least_degrees(case, screened)
    slope = float(np.polyfit(degrees[clear], np.log(errors[clear]), 1)[0])
    return system.result(
        hypotheses={
            "v* is stable": exact.stable,
            "some degree is sufficient": bool(np.any(clear)),
            "gap [Ha]": exact.gap,
            "c_stab of (3.12) [Ha/electron]": bounds.stationary.inverse,
            "norm of the inverse dielectric operator": bounds.largest.inverse,
            "norm of J": max_norm(screened.kernel),
            "norm of the screened S": screened.norm,
        },
        measured={
            "rate of |v_N - v*|": -slope,
            "largest measured / bound, paper": _largest(errors, bounds.paper, clear),
            "largest measured / bound, screened": _largest(errors, bounds.sharper, clear),
            **{f"least N, {form}": value for form, value in needed.items()},
            "2 ln M + C of the paper's condition": 2.0 * math.log(case.atoms)
            + theorem_8.paper_constant(case),
            "2 ln |J| + C": 2.0 * math.log(max_norm(screened.kernel))
            + theorem_8.paper_constant(case, crude=False),
        },
        predicted={
            "rate of |v_N - v*|": geometry.theta,
            "largest measured / bound, paper": "at most 1",
            "largest measured / bound, screened": "at most 1",
        },
        holds=holds,
        series={"degrees": degrees, "errors": errors, "bounds": table},
    )


def _largest(errors: Any, bound: Any, clear: Any) -> float:
    return float(np.max(errors[clear] / bound[clear], initial=0.0))


def _least_degrees(case: TightBindingSystem, screened: ScreenedInteraction) -> dict[str, int]:
    """The least even N at which each form applies."""
    degrees = np.arange(4, theorem_8.LARGEST_DEGREE + 1, 2)
    bounds = theorem_8.bound(case, degrees, screened)
    return {
        form: int(degrees[np.argmax(getattr(bounds, form).holds)])
        for form in _FORMS
        if np.any(getattr(bounds, form).holds)
    }


def draw(results: Sequence[SystemResult]) -> Figure:
    figure = Figure(figsize=(12.0, 4.0), layout="constrained")
    panels = figure.subplots(1, 3)
    chains = [result for result in results if "errors" in result.series]
    for axes, name in zip(panels[:2], _CHAINS, strict=True):
        shown = [r for r in chains if name in r.description and r.parameters["atoms"] == 80]
        if shown:
            _draw_errors(axes, shown[0], name)
    _draw_least(panels[2], chains)
    return figure


def _draw_errors(axes: Axes, result: SystemResult, name: str) -> None:
    degrees, errors = result.series["degrees"], result.series["errors"]
    axes.semilogy(degrees, errors, "ko", ms=4, label="measured, production solver")
    for index, form in enumerate(_FORMS):
        axes.semilogy(
            degrees, result.series["bounds"][index], "-", color=f"C{index}", label=_LABELS[form]
        )
    axes.set_xlabel("degree $N$")
    axes.set_ylabel(r"$\|\hat v^*_N - \hat v^*\|_\infty$ (Hartree)")
    axes.set_title(f"chain, {name}, $M = 80$", fontsize="medium")
    axes.legend(fontsize="x-small")


def _draw_least(axes: Axes, chains: Sequence[SystemResult]) -> None:
    for name, marker in zip(_CHAINS, ("o", "s"), strict=True):
        shown = [r for r in chains if name in r.description]
        sizes = [r.parameters["atoms"] for r in shown]
        for index, form in enumerate(_FORMS):
            label = f"least N, {form}"
            values = [
                r.measured.get(label, np.nan) * r.predicted["rate of |v_N - v*|"] for r in shown
            ]
            axes.semilogx(sizes, values, f"{marker}-", color=f"C{index}", ms=4, lw=1)
        axes.semilogx(
            sizes,
            [r.measured["2 ln M + C of the paper's condition"] for r in shown],
            f"{marker}:",
            color="0.5",
            ms=4,
            label=rf"$2\ln M + C$, {name}",
        )
    size_axis(axes, (r.parameters["atoms"] for r in chains))
    axes.set_ylim(top=axes.get_ylim()[1] + 2.5)  # room for the legend
    axes.set_ylabel(r"$\theta N$ that suffices")
    axes.set_title("least sufficient $N$, colours as left", fontsize="medium")
    if chains:
        axes.legend(fontsize="x-small", loc="upper left")


def _family_system(values: Mapping[str, Any]) -> System:
    chain = {"gap": values["gap"], "beta": repr(values["beta"]), "atoms": values["M"]}
    spacing = [1.0, values["spacing"]]
    return System(f"chain, M = {values['M']}", {"kind": "chain", "spacing": spacing, **chain})


FAMILY = Family(
    (
        Parameter("M", 40, "atoms of an on-site chain at its equilibrium", 8, 200),
        Parameter("beta", 8.0, "inverse temperature, 1/Hartree; inf", 1.0, math.inf),
        Parameter("gap", 0.0, "splitting of the levels of the two species, Hartree", 0.0, 16.0),
        Parameter("spacing", 1.0, "every other distance, the rest being 1 bohr", 0.8, 3.0),
    ),
    _family_system,
    "largest |v_N − v*| over its bound with the screened interaction, over degrees N",
    "<=",
    of_result(
        "largest measured / bound, screened",
        1.0,
        paper="largest measured / bound, paper",
        least_degree="least N, screened_largest",
        least_degree_paper="least N, stationary",
        norm_of_J="norm of J",
        norm_of_S="norm of the screened S",
    ),
    ("paper", "least_degree", "least_degree_paper", "norm_of_J", "norm_of_S"),
)


CLAIM = Claim(
    id="theorem-8-bound",
    statement=(
        "With Newton-Kantorovich constants computed for the system the body-ordered functional has "
        "a zero of T_N within 2 c eps_N of the equilibrium, unique there; distance, populations "
        "and energies lie below their bounds, whose rate is theta. M enters through the norm of J "
        "alone, and through the screened interaction in the sharper form."
    ),
    source="Theorem 8, eq. (3.12)",
    systems=systems,
    measure=measure,
    draw=draw,
    family=FAMILY,
)
