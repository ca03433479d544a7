"""Theorem 8 in Gaussian orbitals: T_N has a zero v̂*_N with ‖v̂*_N − v̂*‖ ≤ 2cε_N, constants computed.

*Setting.* T(v̂)_mc = ⟨DF(H)[W_mc], v − ∫φ⊗φV_eff[ρ]⟩ with atom-centred Ξ_mc, ε_xc = 0, T_N the same
with F_N = G_N′ explicit (Lemma 7), overlap as the model has it. The v̂ of a system becomes an exact
critical point in an external potential Σ a_mc Ξ_mc (_stationary_gaussian): for incomplete Ξ the
defect Φ* = v − V is *not* zero at v̂*, only its projection is. Hence, other than on-site, terms
D²F[·, Φ*] in DT, D³F in its Lipschitz constant, and m₁‖Φ*‖ in ε_N, m₂‖Φ*‖ in κ: not the values of
F_N alone are to converge at σ(H) but its first and second derivatives, N² and N⁴ times later.

*Newton–Kantorovich* about T_N in ℓ^∞ with c_stab = ‖DT(v̂*)⁻¹‖ of (3.12), or in ℓ²; and about
DT(v̂*)⁻¹T_N, screened before norms are taken: with ε_N, κ, L, δ of _theorem_8_gaussian_forms,

    cκ < 1,  c_N = c/(1 − cκ),  2c_N²ε_N L < 1,  2c_Nε_N < δ   ⇒   one zero within 2c_Nε_N of v̂*.

In ℓ^∞ the size of the system enters through ‖J‖_{op→op} = ‖J(1)‖, J being a positive map: the
potential of one electron in each orbital, ln M, M^{1/2}, M^{2/3} for atoms a distance apart. The
traces of |W_mc| and w = ‖Σ|W_mc|‖ are local; c_stab and ‖Φ*‖, for which nothing is proved here, are
measured against M on chains at β < ∞: no growth of c_stab, little of ‖Φ*‖.

*Density and energy*, w = v̂*_N − v̂*: ‖F_N(H_N) − F(H)‖ ≤ m₀ + (ℓ₁ + m₁)‖v(w)‖ =: g, hence, with the
orthonormal orbitals φ, pointwise |ρ_N(x) − ρ(x)| ≤ 2g |φ(x)|², an envelope as local as they are,
and, T_N being −½∇𝒢_N (Lemma 6),

    |𝒢_N(v̂*_N) − 𝒢(v̂*)| ≤ 2n‖G − G_N‖_X + 2‖Φ*‖₁m₀ + 2n‖J‖m₀² + ‖w‖_2² sup‖DT_N‖.

*What is decided.* Ξ that almost contain the constants make DT nearly singular where F(H) hardly
sees them (βd large, β = ∞ above all): c_stab is then 10⁴ and more, and no degree that float64 can
serve is sufficient. There the complete Ξ of (2.26) at the same H are the remedy: v̂ is the matrix v,
T_N = DF_N[Φ_N], and zeros of Φ_N are found about ε = 1 − 2J DF, invertible at all β, in the
Frobenius norm. Both are stated for each system as far as they apply.
"""

import math

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.explicit import ExplicitOccupation
from scc.errors import InputError
from scc.theory import _theorem_8_gaussian_steps
from scc.theory._explicit_errors import Geometry
from scc.theory._stationary_gaussian import StationaryMap
from scc.theory._theorem_8_gaussian_forms import Bounds
from scc.theory._theorem_8_gaussian_forms import bound as bound
from scc.theory._theorem_8_gaussian_measured import measure, measure_complete
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

MODELS = ("gaussian",)
LARGEST_DEGREE = 1600
# m₀ below this is not to be told from rounding.
_SMALLEST_ERROR = 1e-11


def derivation() -> dict[str, bool]:
    """What Gaussian orbitals add to the steps of Theorem 8 on-site."""
    return _theorem_8_gaussian_steps.derivation()


def sufficient_degrees(
    system: TightBindingSystem, stationary: StationaryMap
) -> tuple[list[int], list[int]]:
    """Degrees at which the theorem applies, for the features of the system and for complete ones.

    The least that any form admits, the least for c_stab of (3.12), and a larger one; empty where
    that is beyond 1600, or m₀ below 1e-11.
    """
    degrees = np.arange(4, LARGEST_DEGREE + 1, 2)
    bounds = bound(system, degrees, stationary)
    clear = bounds.errors.value > _SMALLEST_ERROR
    step = 2 * math.ceil(1.25 / bounds.geometry.theta)
    found: list[list[int]] = []
    for forms in ((bounds.sharper, bounds.paper), (bounds.complete_spread,)):
        applies = [np.isfinite(form) & clear for form in forms]
        least = [int(degrees[np.argmax(some)]) for some in applies if np.any(some)]
        if least:
            least.append(least[-1] + step)
        allowed = set(degrees[applies[0]])
        found.append(sorted({N for N in least if N in allowed}))
    return found[0], found[1]


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """Gaussian orbitals, ε_xc = 0; β < ∞ or a gap; a degree that float64 can serve suffices."""
    found: dict[str, bool | float | str] = {
        "Gaussian orbitals, not on-site features": not system.assembly.diagonal,
        "no exchange-correlation": all(term.convex for term in system.model.electrostatics),
    }
    if system.zero_temperature:
        found["gap at mu"] = min(system.gap_below, system.gap_above) > 0.0
    if any(value is False for value in found.values()):
        return found
    stationary = StationaryMap.of(system)
    some = bound(system, [100], stationary)
    incomplete, complete = sufficient_degrees(system, stationary)
    found["theta"] = some.geometry.theta
    found["c_stab of (3.12) [Ha/electron]"] = some.largest.inverse
    found["norm of v - V at v* [Ha]"] = float(np.linalg.norm(stationary.mismatch, 2))
    found["norm of the inverse dielectric operator"] = some.complete.inverse
    found["decided for the features of the system"] = _verdict(incomplete, some)
    found["decided for complete features"] = "yes" if complete else "no"
    found[f"some degree up to {LARGEST_DEGREE} satisfies the conditions"] = bool(
        incomplete or complete
    )
    return found


def _verdict(degrees: list[int], bounds: Bounds) -> str:
    if degrees:
        return "yes"
    if not math.isfinite(bounds.largest.inverse):
        return "no: DT(v*) is singular to working precision"
    return "no: c_stab^2 L asks for errors below rounding, or for a larger degree"


def checks(system: TightBindingSystem) -> list[Check]:
    """Consistency, stability, Lipschitz constant and conclusions, at up to three degrees each."""
    stationary = StationaryMap.of(system)
    incomplete, complete = sufficient_degrees(system, stationary)
    if not incomplete and not complete:
        raise InputError(f"no degree satisfies the conditions: {system.description}")
    found: list[Check] = []
    if incomplete:
        found += _incomplete(system, stationary, incomplete)
    if complete:
        found += _complete(system, stationary, complete)
    return found


def polynomial(system: TightBindingSystem, degree: int) -> ExplicitOccupation:
    """(G_N, F_N) on the X of the bounds."""
    g = Geometry.of(system)
    return ExplicitOccupation.construct(system.beta, system.mu, g.inner, g.outer, degree)


def _incomplete(
    system: TightBindingSystem, stationary: StationaryMap, degrees: list[int]
) -> list[Check]:
    bounds = bound(system, degrees, stationary)
    measured = [measure(system, bounds, i, polynomial(system, N)) for i, N in enumerate(degrees)]
    t = {name: np.array([m[name] for m in measured]) for name in measured[0]}
    sharper, slope = bounds.sharper, bounds.errors.first_constant + bounds.errors.first
    solved = t["solved"]
    return [
        Check.of("|T_N| at v* [electrons]", t["T"], bounds.largest.residual, t["T rounding"]),
        Check.of(
            "norm of DT_N - DT at v* [electrons/Ha]",
            t["DT"],
            bounds.largest.defect,
            t["DT rounding"],
        ),
        Check.of(
            "second difference of T_N [electrons/Ha^2]",
            t["second"],
            bounds.largest.lipschitz,
            t["second rounding"],
        ),
        Check.of("|v_N - v*|, 2 c_stab eps_N [Ha]", t["moved"], bounds.paper, solved),
        Check.of(
            "|v_N - v*|, screened [Ha]",
            t["moved"],
            sharper,
            solved,
            _rates(t["moved"], solved, degrees, bounds.geometry.theta),
        ),
        Check.of("Euclidean |v_N - v*| [Ha]", t["moved, Euclidean"], bounds.spread, solved),
        Check.of(
            "norm of D_N(v_N) - D(v*) [electrons]",
            t["density"],
            2.0 * bounds.errors.value + 2.0 * slope * bounds.fold * sharper,
            t["density rounding"],
        ),
        Check.of("|G_N(v_N) - G(v*)| [Ha]", t["energy"], bounds.energy, t["energy rounding"]),
    ]


def _complete(
    system: TightBindingSystem, stationary: StationaryMap, degrees: list[int]
) -> list[Check]:
    bounds = bound(system, degrees, stationary)
    measured = [
        measure_complete(system, bounds, i, polynomial(system, N)) for i, N in enumerate(degrees)
    ]
    t = {name: np.array([m[name] for m in measured]) for name in measured[0]}
    slope = bounds.errors.first_constant + bounds.errors.first
    size = bounds.complete_spread
    rates = _rates(t["moved"], t["solved"], degrees, bounds.geometry.theta)
    return [
        Check.of("norm of F_N - F at v*", t["value"], bounds.errors.value, t["value rounding"]),
        Check.of(
            "complete: |v_N - v*|, 2 c eps_N [Ha]",
            t["moved"],
            bounds.complete.distance,
            t["solved"],
        ),
        Check.of("complete: |v_N - v*|, screened [Ha]", t["moved"], size, t["solved"], rates),
        Check.of(
            "complete: norm of D_N(v_N) - D(v*) [electrons]",
            t["density"],
            2.0 * bounds.errors.value + 2.0 * slope * size,
            t["density rounding"],
        ),
        Check.of(
            "complete: |G_N(v_N) - G(v*)| [Ha]",
            t["energy"],
            bounds.complete_energy,
            t["energy rounding"],
        ),
    ]


def _rates(
    moved: FloatArray, solved: FloatArray, degrees: list[int], theta: float
) -> tuple[float, float] | None:
    ends = [0, -1]
    if len(degrees) < 2 or np.any(moved[ends] <= 10.0 * solved[ends]):
        return None
    return float(np.log(moved[0] / moved[-1])) / (degrees[-1] - degrees[0]), theta
