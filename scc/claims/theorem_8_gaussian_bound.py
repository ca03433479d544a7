"""Theorem 8 with every constant in Gaussian orbitals: theory/theorem_8_gaussian.py.

Random systems in both treatments of the overlap, and the error of v̂*_N against the degree beside
the bounds: 2c_Nε_N with c_stab of (3.12), the sharper form about DT⁻¹T_N, and, for complete Ξ, the
two about ε. Also the share of the random systems that float64 can decide, by β: c_stab grows with
β, because Ξ that almost contain the constants are redundant where F(H) does not see them. And on
chains of M atoms the constants: of them ‖J(1)‖ grows, as ln M, and the least θN with it.
"""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scc.claims import _bounds
from scc.claims._size_axis import size_axis
from scc.claims.claim import Claim, System, SystemResult
from scc.theory import theorem_8_gaussian
from scc.theory._stationary_gaussian import StationaryMap
from scc.theory._theorem_8_gaussian_measured import measure as measured_at
from scc.theory._theorem_8_gaussian_measured import measure_complete
from scc.theory.random_systems import Model, Recipe, random_system

_MODULE = "theorem_8_gaussian"
_BETAS = (1.0, 4.0, 12.0, 30.0, 100.0, math.inf)
_MODELS: tuple[Model, ...] = ("orthonormal", "loewdin")
_LABELS = {
    "largest": r"$c_\mathrm{stab}$ of (3.12), $\ell^\infty$",
    "euclidean": r"about $T_N$, $\ell^2$",
    "screened_largest": r"about $DT^{-1}T_N$, $\ell^\infty$",
    "screened_euclidean": r"about $DT^{-1}T_N$, $\ell^2$",
    "complete": r"about $\Phi_N$",
    "complete_screened": r"about $\varepsilon^{-1}\Phi_N$",
}
_SWEEPS: dict[str, tuple[Recipe, tuple[str, ...]]] = {
    "features of the system, beta = 12": (
        Recipe(model="loewdin", atoms=8, dimension=3, seed=5, beta=12.0, splitting=0.5),
        ("largest", "euclidean", "screened_largest", "screened_euclidean"),
    ),
    "complete features, beta = inf": (
        Recipe(model="loewdin", atoms=8, dimension=3, seed=5, beta=math.inf, gap=0.3),
        ("complete", "complete_screened"),
    ),
}


def systems(full: bool) -> list[System]:
    sweeps = [System(name, {"kind": "degrees", "sweep": name}) for name in _SWEEPS]
    chains = [
        System(f"chain, beta = 6, M = {atoms}", {"kind": "chain", "atoms": atoms})
        for atoms in ((4, 8, 12, 16, 24, 32) if full else (4, 8, 16))
    ]
    return sweeps + chains + _random(8 if full else 2)


def _random(repeats: int) -> list[System]:
    rng = np.random.default_rng(8)
    found: list[System] = []
    for repeat in range(repeats):
        for beta in _BETAS:
            for model in _MODELS:
                dimension = (1, 2, 3)[(repeat + len(found)) % 3]
                atoms = int(rng.integers(3, 13))
                found.append(_bounds.drawn(rng, _MODULE, model, dimension, atoms, beta))
    return found


def measure(system: System) -> SystemResult:
    kind = system.parameters.get("kind")
    if kind == "chain":
        return _measure_chain(system)
    return _bounds.measure(system) if kind is None else _measure_degrees(system)


def _measure_chain(system: System) -> SystemResult:
    """The constants on one chain, and the checks at the least sufficient degrees."""
    atoms = int(system.parameters["atoms"])
    recipe = Recipe(model="loewdin", dimension=1, atoms=atoms, seed=1, beta=6.0, disorder=0.1)
    case = random_system(recipe)
    stationary = StationaryMap.of(case)
    degrees = theorem_8_gaussian.sufficient_degrees(case, stationary)[0]
    bounds = theorem_8_gaussian.bound(case, degrees, stationary)
    checks = theorem_8_gaussian.checks(case)
    one = stationary.potential(np.eye(len(stationary.hamiltonian)))
    return system.result(
        hypotheses=theorem_8_gaussian.hypotheses(case),
        measured={
            "largest measured / allowed": max(check.worst for check in checks),
            "c_stab [Ha/electron]": bounds.largest.inverse,
            "norm of J(1) [Ha/electron]": float(np.linalg.norm(one, 2)),
            "norm of sum |W|": bounds.fold,
            "norm of v - V [Ha]": float(np.linalg.norm(stationary.mismatch, 2)),
            "least theta N": bounds.geometry.theta * degrees[0],
        },
        predicted={"largest measured / allowed": 1.0},
        holds=all(check.holds for check in checks),
    )


def _measure_degrees(system: System) -> SystemResult:
    recipe, forms = _SWEEPS[str(system.parameters["sweep"])]
    case = random_system(recipe)
    stationary = StationaryMap.of(case)
    features, complete = theorem_8_gaussian.sufficient_degrees(case, stationary)
    with_features = "largest" in forms
    least = (features if with_features else complete)[0]
    theta = theorem_8_gaussian.bound(case, [least], stationary).geometry.theta
    step = 2 * math.ceil(0.75 / theta)
    degrees = np.arange(least, least + 16 * step, step)
    bounds = theorem_8_gaussian.bound(case, degrees, stationary)
    known = bounds.errors.value > 1e-12
    degrees = degrees[known]
    bounds = theorem_8_gaussian.bound(case, degrees, stationary)
    at = measured_at if with_features else measure_complete
    found = [
        at(case, bounds, index, theorem_8_gaussian.polynomial(case, int(degree)))
        for index, degree in enumerate(degrees)
    ]
    errors = np.array([entry["moved"] for entry in found])
    rounding = np.array([entry["solved"] for entry in found])
    table = np.array([getattr(bounds, form).distance for form in forms])
    best = bounds.sharper if with_features else bounds.complete_spread
    two = np.array([entry.get("moved, Euclidean", entry["moved"]) for entry in found])
    holds = all(
        bool(np.all((two if "euclidean" in form else errors) <= row + rounding))
        for form, row in zip(forms, table, strict=True)
    )
    holds &= bool(np.all(errors <= best + rounding))
    clear = errors > 10.0 * rounding
    slope = float(np.polyfit(degrees[clear], np.log(errors[clear]), 1)[0])
    return system.result(
        hypotheses=theorem_8_gaussian.hypotheses(case),
        measured={
            "rate of |v_N - v*|": -slope,
            "largest measured / bound": float(np.max(errors[clear] / best[clear])),
        },
        predicted={"rate of |v_N - v*|": theta, "largest measured / bound": "at most 1"},
        holds=holds,
        series={
            "degrees": degrees,
            "errors": errors,
            "rounding": rounding,
            "bounds": table,
            "best": best,
        },
    )


def draw(results: Sequence[SystemResult]) -> Figure:
    figure = Figure(figsize=(11.0, 7.5), layout="constrained")
    panels = figure.subplots(2, 2).ravel()
    sweeps = {str(r.parameters["sweep"]): r for r in results if "sweep" in r.parameters}
    for axes, (name, (_, forms)) in zip(panels[:2], _SWEEPS.items(), strict=True):
        if name in sweeps:
            _draw_degrees(axes, sweeps[name], forms, name)
    _draw_decided(panels[2], [r for r in results if "kind" not in r.parameters])
    _draw_chains(panels[3], [r for r in results if r.parameters.get("kind") == "chain"])
    return figure


def _draw_degrees(axes: Axes, result: SystemResult, forms: Sequence[str], name: str) -> None:
    degrees = result.series["degrees"]
    axes.semilogy(degrees, result.series["errors"], "ko", ms=4, label="measured")
    axes.semilogy(degrees, result.series["rounding"], ":", color="0.5", label="its rounding")
    for index, form in enumerate(forms):
        axes.semilogy(
            degrees, result.series["bounds"][index], color=f"C{index}", label=_LABELS[form]
        )
    axes.semilogy(degrees, result.series["best"], "k--", lw=1, label="best, majorant's root")
    axes.set_xlabel("degree $N$")
    axes.set_ylabel(r"$\|\hat v^*_N - \hat v^*\|$ (Hartree)")
    axes.set_title(name, fontsize="medium")
    axes.legend(fontsize="x-small")


def _draw_decided(axes: Axes, results: Sequence[SystemResult]) -> None:
    """Share of the random systems that are decided, for either kind of features."""
    labels = [f"{beta:g}" for beta in _BETAS]
    kinds = {
        "decided for the features of the system": "features of the system",
        "decided for complete features": "complete features",
    }
    for shift, (name, label) in zip((-0.2, 0.2), kinds.items(), strict=True):
        shares = []
        for beta in labels:
            verdicts = [r.hypotheses[name] for r in results if r.parameters["beta"] == beta]
            shares.append(np.mean([v == "yes" for v in verdicts]) if verdicts else np.nan)
        axes.bar(np.arange(len(labels)) + shift, shares, 0.4, label=label)
    axes.set_xticks(np.arange(len(labels)), labels)
    axes.set_xlabel(r"$\beta$ (1/Hartree)")
    axes.set_ylabel("share decided in float64")
    axes.set_ylim(0.0, 1.3)
    axes.set_title("random systems", fontsize="medium")
    axes.legend(fontsize="x-small", loc="upper center", ncols=2)


def _draw_chains(axes: Axes, results: Sequence[SystemResult]) -> None:
    """Constants against M, logarithmic in both."""
    if not results:
        return
    sizes = [r.parameters["atoms"] for r in results]
    for index, name in enumerate(list(results[0].measured)[1:]):
        values = [r.measured[name] for r in results]
        axes.loglog(sizes, values, "o-", color=f"C{index}", ms=4, label=name)
    size_axis(axes, sizes)
    axes.set_ylabel("constant, in its unit")
    axes.set_title("constants on chains, beta = 6", fontsize="medium")
    axes.legend(fontsize="x-small", loc="center right", bbox_to_anchor=(1.0, 0.36))


CLAIM = Claim(
    id="theorem-8-gaussian-bound",
    statement=(
        "Gaussian orbitals, any overlap, features Xi that need not be complete: with "
        "Newton-Kantorovich constants computed for the system, D^3F and v - V included, T_N has a "
        "zero within 2 c eps_N of a zero of T, unique there; distance, density matrix and energy "
        "lie below their bounds. With complete Xi the same about the dielectric operator at all "
        "temperatures."
    ),
    source="Theorem 8, eqs. (2.24), (2.26), (3.12)",
    systems=systems,
    measure=measure,
    draw=draw,
)
