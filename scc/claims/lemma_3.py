"""Lemma 3 with (2.24)–(2.27): minimisers over v̂ solve T(v̂) = 0, v is the best approximation of V.

(2.24)  T(v̂*)_mc = ⟨DF(H)[W_mc], v − ∫φ⊗φV_eff[ρ]⟩ = 0 at a minimiser v̂* of 𝒢(r, ·);
(2.25)  hence v(v̂*) minimises ‖v(ŵ) − ∫φ⊗φV_eff[ρ]‖ over all ŵ in the −DF(H)-weighted norm;
(2.26)  with a complete Ξ the tight-binding solution is recovered, γ = F(H^TB[ρ]).

Gaussian model: nested sets of s and p functions Ξ on every atom. Measured: the residual T; that
𝒢 rises along random directions from v̂*; that no other ŵ fits V better (the weighted distance
over the one at v̂* is ≥ 1, and by Pythagoras its square is 1 + ‖v(ŵ − v̂*)‖²/‖v − V‖²); and the
minima over nested Ξ, which must come down monotonically on the complete one. The on-site model is
complete by construction, so there (2.26) reads v̂* = V.

Existence is compactness and has nothing to measure. In the expansion form the energy of nested
Ξ can only decrease because each set of admissible v contains the previous one.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scc.arrays import FloatArray
from scc.basis.three_centre import PotentialFunction
from scc.claims.claim import Claim, System, SystemResult
from scc.configuration import Configuration, chain, cluster
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.equilibrium import Equilibrium
from scc.equilibration.solvers import NewtonKrylov
from scc.functional.energy import EnergyFunctional
from scc.models.gaussian import GaussianTightBinding
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding

_TOLERANCE = 1e-11

# Nested sets: each is an initial segment of the list.
_XI = (
    PotentialFunction(0, 0.3),
    PotentialFunction(0, 1.0),
    PotentialFunction(1, 0.5),
    PotentialFunction(0, 4.0),
    PotentialFunction(1, 2.0),
    PotentialFunction(0, 16.0),
)
_SEGMENTS = (1, 2, 3, 4, 6)
_ENERGY_SHOWN = 1e-15


def systems(full: bool) -> list[System]:
    found = []
    for label in ("inf", "5"):
        found.append(
            System(
                f"on-site model B, chain of 40, beta = {label}",
                {"model": "onsite", "beta": label, "atoms": 40},
            )
        )
        found.append(
            System(
                f"Gaussian model, hydrogen chain of 6, beta = {label}, nested potential functions",
                {"model": "gaussian", "beta": label, "structure": "H6"},
            )
        )
    found.append(
        System(
            "Gaussian model, LiH, beta = 5, nested potential functions",
            {"model": "gaussian", "beta": "5", "structure": "LiH"},
        )
    )
    if full:
        found += [
            System(
                f"Gaussian model, random H8 cluster {seed}, beta = 5, nested potential functions",
                {"model": "gaussian", "beta": "5", "structure": "H8", "seed": seed},
            )
            for seed in range(4)
        ]
    return found


def measure(system: System) -> SystemResult:
    return _onsite(system) if system.parameters["model"] == "onsite" else _gaussian(system)


def _onsite(system: System) -> SystemResult:
    p = system.parameters
    configuration = chain(p["atoms"], (1.0, 1.3), ("Na", "Cl"))
    functional = EnergyFunctional(
        OnsiteTightBinding(model_b()).prepare(configuration), beta=float(p["beta"])
    )
    equilibrium = equilibrate(functional, NewtonKrylov(), tolerance=1e-12, throw=True)
    mismatch = float(np.max(np.abs(equilibrium.state.potential - equilibrium.features)))
    residual = float(np.max(np.abs(equilibrium.state.residual)))
    rises = _smallest_rise(equilibrium, np.random.default_rng(0))
    return system.result(
        hypotheses={"gap": equilibrium.gap, "lambda_min(eps)": equilibrium.lambda_min},
        measured={"max |T|": residual, "max |v - V|": mismatch, "least energy rise": rises},
        predicted={"max |T|": 0.0, "max |v - V|": 0.0, "least energy rise": "> 0"},
        holds=residual < _TOLERANCE and mismatch < 1e-10 and rises > 0.0,
    )


def _gaussian(system: System) -> SystemResult:
    p = system.parameters
    configuration = _structure(p)
    beta = float(p["beta"])
    rng = np.random.default_rng(1)
    exact = equilibrate(
        EnergyFunctional(GaussianTightBinding().prepare(configuration), beta=beta),
        NewtonKrylov(),
        tolerance=1e-11,
        throw=True,
    )
    energies, residuals, rises, ratios, defects, distances = [], [], [], [], [], []
    features: FloatArray | None = None
    for size in _SEGMENTS:
        bound = GaussianTightBinding(features=_XI[:size]).prepare(configuration)
        functional = EnergyFunctional(bound, beta=beta)
        found = equilibrate(
            functional,
            NewtonKrylov(),
            features=_padded(features, bound.feature_shape),
            tolerance=_TOLERANCE,
            throw=True,
        )
        features = found.features
        energies.append(found.energy)
        residuals.append(float(np.max(np.abs(found.state.residual))))
        rises.append(_smallest_rise(found, rng))
        ratio, defect, distance = _best_approximation(found, rng)
        ratios.append(ratio)
        defects.append(defect)
        distances.append(distance)
    above = np.array(energies) - exact.energy
    steps = np.diff(above)
    # Energies of ~10 Hartree carry rounding of ~1e-14 each; 1e-10 is far below any step here.
    monotone = bool(np.all(steps <= 1e-10) and np.all(above >= -1e-10))
    return system.result(
        hypotheses={"gap": exact.gap, "lambda_min(eps)": exact.lambda_min},
        measured={
            "max |T|": max(residuals),
            "least energy rise": min(rises),
            "least ratio of weighted distances": min(ratios),
            "Pythagoras defect": max(defects),
            "energy above the complete minimum": above.tolist(),
            "weighted distance of v from V": distances,
        },
        predicted={
            "max |T|": 0.0,
            "least energy rise": "> 0",
            "least ratio of weighted distances": ">= 1",
            "Pythagoras defect": 0.0,
            "energy above the complete minimum": "decreasing, >= 0",
        },
        holds=max(residuals) < 10 * _TOLERANCE
        and min(rises) > 0.0
        and min(ratios) >= 1.0 - 1e-9
        and max(defects) < 1e-6
        and monotone,
        series={"functions": np.array(_SEGMENTS), "energy": above, "distance": np.array(distances)},
    )


def _structure(p: Any) -> Configuration:
    if p["structure"] == "H6":
        return chain(6, (1.4, 2.4), "H")
    if p["structure"] == "LiH":
        return Configuration(("Li", "H"), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]]))
    return cluster(8, 1.6, np.random.default_rng(p["seed"]), species="H")


def _padded(features: FloatArray | None, shape: tuple[int, ...]) -> FloatArray | None:
    """The previous minimiser, as an element of the larger set: the energy starts where it was."""
    if features is None:
        return None
    grown = np.zeros(shape)
    grown[:, : features.shape[1]] = features
    return grown


def _smallest_rise(equilibrium: Equilibrium, rng: np.random.Generator) -> float:
    """min over random directions of 𝒢(v̂* + u) − 𝒢(v̂*), u of a size well above rounding."""
    rises = []
    for _ in range(6):
        direction = rng.standard_normal(equilibrium.features.shape)
        direction -= np.mean(direction)
        trial = equilibrium.functional.evaluate(equilibrium.features + 0.02 * direction)
        rises.append(trial.energy - equilibrium.energy)
    return float(min(rises))


def _best_approximation(
    equilibrium: Equilibrium, rng: np.random.Generator
) -> tuple[float, float, float]:
    """(least ratio, Pythagoras defect, distance): ‖v(ŵ) − V‖ against ‖v(v̂*) − V‖, (2.25).

    ‖A‖² = −⟨A, DF(H)[A]⟩ = −½⟨A, χ₀A⟩ on raw potentials.
    """
    state = equilibrium.state
    three_centre = equilibrium.functional.model.assembly.three_centre  # type: ignore[attr-defined]

    def squared(matrix: FloatArray) -> float:
        return -0.5 * float(np.vdot(matrix, state.local.potential_response(matrix)))

    error = three_centre.feature_matrix(equilibrium.features) - state.potential
    # Where Ξ spans V the distance is zero, of either sign after rounding.
    best = max(squared(error), 1e-18)
    ratios, defects = [], []
    for _ in range(6):
        direction = 0.1 * rng.standard_normal(equilibrium.features.shape)
        step = three_centre.feature_matrix(direction)
        other, length = squared(error + step), squared(step)
        ratios.append(math.sqrt(other / best))
        defects.append(abs(other - best - length) / (best + length))
    return min(ratios), max(defects), math.sqrt(best)


def draw(results: Sequence[SystemResult]) -> Figure:
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for result in results:
        if "functions" not in result.series:
            continue
        label = result.description.removeprefix("Gaussian model, ").split(", nested")[0]
        # Where Ξ spans V the energy is the minimum up to rounding, of either sign.
        energy = np.maximum(result.series["energy"], _ENERGY_SHOWN)
        left.semilogy(result.series["functions"], energy, "o-", label=label)
        right.semilogy(result.series["functions"], result.series["distance"], "o-", label=label)
    left.axhline(_ENERGY_SHOWN, color="0.7", ls=":", label="rounding, and zero")
    left.set_ylabel("energy above the complete minimum [Hartree]")
    right.set_ylabel(r"$\|v - V_{\rm eff}\|_{-{\rm D}F}$ [Hartree$^{1/2}$]")
    for axes in (left, right):
        axes.set_xlabel("shells of potential functions Ξ per atom")
    left.set_ylim(top=1e4)  # room for the legend
    left.legend(fontsize=8)
    figure.suptitle("Lemma 3: nested Ξ come down to the tight-binding minimum")
    return figure


CLAIM = Claim(
    id="lemma-3",
    statement=(
        "A minimiser v̂* of the energy solves T(v̂*) = 0; v(v̂*) is the best approximation of the "
        "effective potential in the −DF(H)-weighted norm; with growing Ξ the restricted minimum "
        "comes down monotonically on the tight-binding one."
    ),
    source="Lemma 3, eqs. (2.24)–(2.27)",
    systems=systems,
    measure=measure,
    draw=draw,
)
