"""Remark 8: in the canonical ensemble at finite temperature locality at fixed v̂ fails.

The Fermi level follows the electron count, 2 Tr F(H − ε_F) = N, so a potential v̂_m on one atom
moves ε_F for all. With w_m = Σ_i F′(λ_i) ⟨ψ_i|W_m|ψ_i⟩ and n_ℓ = Σ_i F′(λ_i) Σ_{a∈ℓ} |ψ_i(a)|²,

    dε_F/dv̂_m = w_m / Σ_i F′(λ_i),      ∂p_ℓ/∂ε_F = −2 n_ℓ     (p in electrons), hence

    (∂p_ℓ/∂v̂_m)_N = (∂p_ℓ/∂v̂_m)_µ − 2 n_ℓ w_m / Σ_i F′(λ_i).

The first term decays exponentially (Theorem 4); the second does not decay, and is of order 1/M
because the sum has M terms. In the on-site model w_m = n_m.

So that the formula is not compared with itself (the library's canonical derivatives are made of
it), the canonical derivative is measured twice: by the library, and by differencing populations
whose Fermi level is solved anew. "Far" is predicted rate × r ≥ 15, the rate being that of Green's
function in the grand-canonical ensemble.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scc.arrays import FloatArray
from scc.claims._gaussian_systems import model_a
from scc.claims._local_derivatives import Case, beta_of, distances_from, predicted_rate
from scc.claims._onsite_systems import SPECIES, grand_canonical_state
from scc.claims._size_axis import size_axis
from scc.claims.claim import Claim, System, SystemResult
from scc.claims.parameters import Family, Parameter, of_result
from scc.configuration import chain
from scc.locality import decide
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.fermi_dirac import FermiDirac

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAR = 15.0
"""Rate × r beyond which only the common shift should be left, up to :data:`LARGEST` atoms; in
longer chains ln(M/LARGEST) more, because e^{−rate r} then stands beside a smaller shift ~ 1/M."""

LARGEST = 400

DIGITS = 1e-4
"""Relative agreement with the formula, four digits. Left over at rate × r = 15 is e^{−15} = 3e-7 of
a local response of order 0.1 to 1, beside a shift of order 1/M."""

STEP = 1e-3
"""Half-width of the difference quotient in units of 1/β: its error is STEP²/6 relative to shifts
of β³ F‴-size, rounding is 1e-16 β/STEP: both below 1e-6 of the result."""

ONE_OVER_M = 0.05
"""Tolerance of the power of M: n_ℓ and w_m themselves vary a little from chain to chain."""


def systems(full: bool) -> list[System]:
    onsite = {"model": "onsite", "disorder": 0.2, "seed": 1}
    gaussian = {"model": "gaussian", "exponent": 0.4, "overlap": "loewdin", "seed": 1}
    sizes = [100, 200, 400, 800] if full else [100, 200, 400]
    return [
        *(
            System(
                f"on-site model B, uniform chain, beta = {beta:g}",
                {**onsite, "beta": beta, "atoms": sizes},
            )
            for beta in (10.0, 4.0)
        ),
        System(
            "Gaussian (Löwdin), uniform chain, beta = 8",
            {**gaussian, "disorder": 0.05, "beta": 8.0, "atoms": [40, 80, 160]},
        ),
    ]


def measure(system: System) -> SystemResult:
    """Canonical and grand-canonical response to v̂ of the central atom, for several M."""
    p, beta = system.parameters, beta_of(system)
    if np.isinf(beta):  # a gap, no states at µ: the two ensembles respond alike
        return system.result(
            hypotheses={"beta < inf": False}, measured={}, predicted={}, holds=None
        )
    series: dict[str, FloatArray] = {}
    deviations, differenced, shifts, kinds, canonical_kinds = [], [], [], [], []
    formula = []
    rate = np.nan
    for atoms in p["atoms"]:
        model, features = _chain(p, atoms)
        electrons = float(atoms)
        canonical = model.evaluate(features, FermiDirac(beta, 0.0), electrons)
        mu = canonical.chemical_potential
        case = Case(model, grand_canonical_state(model, features, beta, mu), 1)
        source = atoms // 2
        unit = np.zeros(features.shape)
        unit[source] = 1.0
        distance = distances_from(model.configuration, [source])[0]
        rate, _ = predicted_rate(case, [source])
        far = rate * distance >= FAR + max(0.0, np.log(atoms / LARGEST))

        shift = common_shift(case, unit)
        response = canonical.populations_jvp(unit)
        if not np.any(far):
            return system.result(
                hypotheses={"beta < inf": True, f"atoms that are far at M = {atoms}": False},
                measured={},
                predicted={},
                holds=None,
            )
        quotient = _difference_quotient(model, features, beta, electrons, unit)
        local = case.state.populations_jvp(unit)
        deviations.append(float(np.max(np.abs(response[far] / shift[far] - 1.0))))
        differenced.append(float(np.max(np.abs(quotient[far] / shift[far] - 1.0))))
        shifts.append(float(np.mean(np.abs(response[far]))))
        formula.append(float(np.mean(np.abs(shift[far]))))
        kinds.append(decide(distance, local).kind)
        canonical_kinds.append(decide(distance, response).kind)
        series[f"distance {atoms}"] = distance
        series[f"canonical {atoms}"] = np.abs(response)
        series[f"grand-canonical {atoms}"] = np.abs(local)
        series[f"shift {atoms}"] = np.abs(shift)
    sizes = np.array(p["atoms"], dtype=np.float64)
    series["atoms"], series["far response"] = sizes, np.array(shifts)
    powers: dict[str, float] = {}  # of one size none
    if len(sizes) > 1:
        powers["power of 1/M"] = float(-np.polyfit(np.log(sizes), np.log(shifts), 1)[0])
    worst = max(*deviations, *differenced)
    return system.result(
        hypotheses={"beta < inf": True, "rate of Green's function": rate},
        measured={
            "relative deviation of far response from the shift": max(deviations),
            "the same by difference quotients": max(differenced),
            "far response": dict(zip(map(str, p["atoms"]), shifts, strict=True)),
            "far response at the largest M": shifts[-1],
            **powers,
            "decay in the canonical ensemble": canonical_kinds[-1],
            "decay in the grand-canonical ensemble": kinds[-1],
        },
        predicted={
            "relative deviation of far response from the shift": 0.0,
            "the same by difference quotients": 0.0,
            "far response at the largest M": formula[-1],
            **dict.fromkeys(powers, 1.0),
            "decay in the canonical ensemble": "none",
            "decay in the grand-canonical ensemble": "exponential",
        },
        holds=worst <= DIGITS
        and all(abs(power - 1.0) <= ONE_OVER_M for power in powers.values())
        and all(kind == "exponential" for kind in kinds)
        and all(kind != "exponential" for kind in canonical_kinds),
        series=series,
    )


def common_shift(case: Case, direction: FloatArray) -> FloatArray:
    """−2 n_ℓ w / Σ F′(λ_i) for all ℓ, (M,), w = Σ_i F′(λ_i) ⟨ψ_i|W|ψ_i⟩, W of ``direction``."""
    state = case.state
    slopes = state.occupation.derivative(state.eigenvalues)
    squares = state.eigenvectors**2
    perturbation = case.model.assembly.feature_matrix(direction)
    if perturbation.ndim == 1:
        expectation = perturbation @ squares
    else:
        expectation = np.sum(state.eigenvectors * (perturbation @ state.eigenvectors), axis=0)
    owner = state.assembly.atom_of_orbital
    levels = np.bincount(owner, weights=squares @ slopes, minlength=len(case.model.configuration))
    return np.asarray(-2.0 * levels * float(slopes @ expectation) / float(np.sum(slopes)))


def _difference_quotient(
    model: BoundTightBinding, features: FloatArray, beta: float, electrons: float, unit: FloatArray
) -> FloatArray:
    step = STEP / beta
    occupation = FermiDirac(beta, 0.0)
    above = model.evaluate(features + step * unit, occupation, electrons).populations
    below = model.evaluate(features - step * unit, occupation, electrons).populations
    return np.asarray((above - below) / (2.0 * step))


def _chain(p: Any, atoms: int) -> tuple[BoundTightBinding, FloatArray]:
    """Uniform chain of one species (levels 0) and random v̂, so that no two n_ℓ are equal.

    v̂ of every chain is the middle part of that of the longest, so that the central atom has the
    same surroundings in all of them.
    """
    rng = np.random.default_rng(p["seed"])
    longest = max(p["atoms"])
    first = longest // 2 - atoms // 2
    disorder = p["disorder"] * rng.uniform(-1.0, 1.0, longest)[first : first + atoms]
    if p["model"] == "onsite":
        model = OnsiteTightBinding(model_b(0.0)).prepare(chain(atoms, 1.0, SPECIES[0]))
    else:
        configuration = chain(atoms, 1.8, SPECIES[0])
        model = model_a(configuration, p["exponent"], overlap=p["overlap"])
    return model, disorder.reshape(model.feature_shape)


def draw(results: Sequence[SystemResult]) -> Figure:
    """Above: canonical against grand-canonical response; below: the far response against M."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.4 * max(len(results), 1), 7.4), layout="constrained")
    axes = figure.subplots(2, max(len(results), 1), squeeze=False)
    for column, r in enumerate(results):
        upper, lower = axes[:, column]
        sizes = r.series["atoms"]
        for index, size in enumerate(sizes):
            name = f"{size:.0f}"
            distance, colour = r.series[f"distance {name}"], f"C{index}"
            canonical, local = r.series[f"canonical {name}"], r.series[f"grand-canonical {name}"]
            upper.semilogy(distance, canonical, ".", ms=3, color=colour, label=f"N, M = {name}")
            upper.semilogy(distance, r.series[f"shift {name}"], "-", lw=0.8, color="k")
            if index == len(sizes) - 1:
                upper.semilogy(distance, local, "x", ms=3, color="C3", label=f"µ, M = {name}")
                line = np.linspace(0.0, FAR * 2.2 / r.hypotheses["rate of Green's function"], 50)
                rate = r.hypotheses["rate of Green's function"]
                upper.semilogy(
                    line, np.exp(-rate * line), "--", lw=1, color="0.4", label="$e^{-2γr}$"
                )
        upper.plot([], [], "-", color="k", lw=0.8, label="$2 n_ℓ w_m / |Σ F′|$")
        upper.set_ylim(1e-16, 3.0)
        upper.set_title(r.description, fontsize="medium")
        upper.set_xlabel("distance r (bohr)")
        upper.legend(fontsize="x-small", ncols=2)
        far = r.series["far response"]
        lower.loglog(sizes, far, "o", color="C0", label="mean far response")
        lower.loglog(sizes, far[-1] * sizes[-1] / sizes, "-", lw=1, color="k", label="slope −1")
        size_axis(lower, sizes)
        lower.legend(fontsize="small")
    axes[0, 0].set_ylabel("|∂p/∂v̂| (electrons / Hartree)")
    axes[1, 0].set_ylabel("far |∂p/∂v̂|, canonical")
    return figure


def _family_system(values: Mapping[str, Any]) -> System:
    p = {"beta": values["beta"], "disorder": values["disorder"], "seed": values["seed"]}
    if values["model"] == "loewdin":
        p |= {"model": "gaussian", "exponent": 0.4, "overlap": "loewdin"}
    else:
        p |= {"model": "onsite"}
    return System(
        f"{values['model']}, uniform chain, M = {values['M']}, beta = {values['beta']:g}",
        {**p, "atoms": [values["M"]]},
    )


FAMILY = Family(
    (
        Parameter("M", 200, "atoms of a uniform chain", 20, 2000),
        Parameter("beta", 4.0, "inverse temperature, 1/Hartree", 0.5, 50.0),
        Parameter("disorder", 0.2, "v̂ uniform in ± this, Hartree", 0.0, 1.0),
        Parameter("model", "onsite", "orbitals", choices=("onsite", "loewdin")),
        Parameter("seed", 1, "of v̂", 0, 2**31 - 1),
    ),
    _family_system,
    "mean |∂p/∂v̂| of distant atoms at fixed N, electrons/Hartree; agree to 1e-4",
    "~",
    of_result(
        "far response at the largest M",
        "far response at the largest M",
        deviation="relative deviation of far response from the shift",
        rate="rate of Green's function",
    ),
    ("deviation", "rate"),
)


CLAIM = Claim(
    id="remark-8",
    statement=(
        "At fixed v̂ in the canonical ensemble at finite temperature a distant atom responds by "
        "∂p_ℓ/∂v̂_m = −2 n_ℓ n_m / Σ_i F′(λ_i), n_ℓ = Σ_i F′(λ_i) |ψ_i(ℓ)|² (electrons a Hartree), "
        "of order 1/M at any distance; in the grand-canonical ensemble the decay is exponential."
    ),
    source="Remark 8",
    systems=systems,
    measure=measure,
    draw=draw,
    family=FAMILY,
)
