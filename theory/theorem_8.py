"""Theorem 8: T_N has a zero v̂*_N with ‖v̂*_N − v̂*‖ ≤ 2cε_N, every constant computed. On-site.

*Setting.* v̂ = V = J(p − Z), p = 2 diag F(H⁰ + v̂). T = ½χΦ with χ = Dp, Φ(v) = v − J(p(v) − Z), so
zeros of Φ_N (p_N, with F_N = G_N′) are zeros of T_N. DT(v*) = ½χ₀ε is singular at β = ∞, where F(H)
does not see constants, while DΦ(v*) = ε = 1 − Jχ₀ is invertible always (J > 0, −χ₀ ≥ 0, Lemma 11):
the theorem is proved about T_N at β < ∞, with c_stab of (3.12), and about Φ_N at all β.
Any v̂ is v̂* for Z = p(v̂) − J⁻¹v̂: the v̂ of the system is taken.

*Newton–Kantorovich* about v*, in ‖·‖_∞ or ‖·‖_2; for Φ_N (for T_N see _theorem_8_forms): with
c = ‖ε⁻¹‖, ‖Φ_N(v*)‖ ≤ ε_N (consistency), ‖DΦ_N(v*) − ε‖ ≤ κ, cκ < 1, c_N = c/(1 − cκ) (stability),
‖DΦ_N(v) − DΦ_N(v′)‖ ≤ L‖v − v′‖ on ‖v − v*‖ ≤ δ,

    2c_N²ε_N L < 1 and 2c_Nε_N < δ   ⇒   one zero of Φ_N within 2c_Nε_N of v*, Newton's limit.

*Constants.* d = dist(µ, σ(H(v*))); on the ball levels move by δ at most (Weyl). X is
{B ≤ |x−µ| ≤ A}, A = max|λ−µ| + δ, B = d − δ or, at β < ∞ and small d, 0. In the operator and in
the Frobenius norm F and its derivatives at H, of order j = 0, 1, 2, differ from those of F_N by at
most m_j (_explicit_errors); F's own are at most ℓ_j (_occupation_derivatives). A diagonal is no
larger than its matrix, in ℓ^∞ and ‖·‖, in ℓ² and ‖·‖_F; ‖F_N − F‖_F ≤ √M m₀:

    ε_N = 2‖J‖m₀ (ℓ^∞) or 2‖J‖√M m₀ (ℓ²),   κ = 2‖J‖m₁,   L = 2‖J‖(ℓ₂ + m₂).

*Sharper*: about ε⁻¹Φ_N, whose derivative at v* is 1 up to SD(p_N − p), S = ε⁻¹J: the same with
c = 1 and ‖S‖ in place of ‖J‖, that is ‖S‖ instead of c‖J‖; screening enters before norms are taken.

m_j decay like N^{2j} e^{−θN}. *Where M enters*: only through ‖J‖_∞ (and √M in ℓ²). With
‖J‖_∞ ≤ M max J one has the paper's θN > 2 ln M + C and C M e^{−θN}; of atoms a distance apart
‖J‖_∞ is but ln M, M^{1/2}, M^{2/3} (d = 1, 2, 3): θN > 2 ln ‖J‖_∞ + C and C‖J‖_∞e^{−θN} by the
same proof. ‖S‖_∞ does not grow at β < ∞, and in insulators like ‖J‖_∞ (Remark 11).
*Density and energy*, w = v*_N − v*: |p_N(v*_N) − p(v*)| ≤ 2m₀ + 2(ℓ₁ + m₁)‖w‖_∞, and, 𝒢_N − 𝒢 being
2Tr(G_N − G) up to second order,

    |𝒢_N(v*_N) − 𝒢(v*)| ≤ 2M‖G − G_N‖_X + √M m₀‖w‖_2 + 2(ℓ₁ + m₁)‖w‖_2².

No minimisers: −DF_N is not definite. Gaussian orbitals, where v − V need not vanish at v*:
:mod:`scc.theory.theorem_8_gaussian`.
"""

import math

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.explicit import ExplicitOccupation
from scc.errors import InputError
from scc.theory._body_ordered import Populations
from scc.theory._explicit_errors import Geometry
from scc.theory._occupation_derivatives import first_constant, second_constant
from scc.theory._screened import ScreenedInteraction, max_norm
from scc.theory._theorem_8_forms import bound as bound
from scc.theory._theorem_8_forms import stability_constant
from scc.theory._theorem_8_steps import derivation as derivation
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

MODELS = ("onsite",)
LARGEST_DEGREE = 2400
# m₀ below this is not to be told from rounding.
_SMALLEST_ERROR = 1e-11
_STEPS = 80
_EPS = float(np.finfo(np.float64).eps)


def sufficient_degrees(system: TightBindingSystem, screened: ScreenedInteraction) -> list[int]:
    """The least N for which the theorem applies at all, about Φ_N, about T_N, and a larger N.

    Empty if that is beyond 2400, or where m₀ would be below 1e-11.
    """
    degrees = np.arange(4, LARGEST_DEGREE + 1, 2)
    bounds = bound(system, degrees, screened)
    clear = bounds.errors.value > _SMALLEST_ERROR
    some = np.isfinite(bounds.sharper) & clear
    forms = (some, bounds.largest.holds & clear, bounds.stationary.holds & clear)
    found = [int(degrees[np.argmax(applies)]) for applies in forms if np.any(applies)]
    if found:
        found.append(found[-1] + 2 * math.ceil(1.25 / Geometry.of(system).theta))
    return sorted({N for N in found if N <= LARGEST_DEGREE and some[(N - 4) // 2]})


def paper_constant(system: TightBindingSystem, crude: bool = True) -> float:
    """C such that θN > 2 ln M + C suffices in ℓ^∞ (even N); with ln ‖J‖_∞ for ln M if not crude.

    Where cκ ≤ ½ and m₂ ≤ ℓ₂, c_N ≤ 2c and 2c_N²ε_N L ≤ 32 c² (m₀e^{θN}) 2ℓ₂ ‖J‖² e^{−θN}, where
    m₀e^{θN} is a constant and ‖J‖_∞ ≤ M max J (crude). C is the logarithm of this, or what θN must
    be for cκ ≤ ½, m₂ ≤ ℓ₂ and 2c_Nε_N < δ, if that is more. ∞ if N ≤ 2400 is not enough.
    """
    screened = ScreenedInteraction.of(system)
    norm = max_norm(screened.kernel)
    size = system.atoms * float(np.max(screened.kernel)) if crude else norm
    counted = float(system.atoms) if crude else norm
    degrees = np.arange(4, LARGEST_DEGREE + 1, 2)
    bounds = bound(system, degrees, screened)
    errors, largest = bounds.errors, bounds.largest
    theta, c, excess = Geometry.of(system).theta, largest.inverse, size / norm
    suffices = (
        (c * largest.defect * excess <= 0.5)
        & (errors.second <= errors.second_constant)
        & (4.0 * c * largest.residual * excess < largest.radius)
    )
    if not np.any(suffices):
        return math.inf
    least = int(degrees[np.argmax(suffices)])
    front = float(errors.value[0]) * math.exp(theta * float(degrees[0]))
    constant = 64.0 * c**2 * front * errors.second_constant * (size / counted) ** 2
    return max(math.log(constant), theta * least - 2.0 * math.log(counted))


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """On-site, one orbital an atom; β < ∞ or a gap; a degree that float64 can serve suffices."""
    found: dict[str, bool | float | str] = {
        "features are on-site": bool(system.assembly.diagonal),
        "one orbital an atom": len(system.levels) == system.atoms,
        "not periodic": not any(system.configuration.periodic),
    }
    if system.zero_temperature:
        found["gap at mu"] = min(system.gap_below, system.gap_above) > 0.0
    if all(value is not False for value in found.values()):
        screened = ScreenedInteraction.of(system)
        found["theta"] = Geometry.of(system).theta
        found["norm of the inverse dielectric operator"] = max_norm(screened.inverse_dielectric)
        found["c_stab of (3.12) [Ha/electron]"] = stability_constant(screened)
        least = sufficient_degrees(system, screened)
        found[f"some degree up to {LARGEST_DEGREE} satisfies the conditions"] = bool(least)
    return found


def checks(system: TightBindingSystem) -> list[Check]:
    """Consistency, stability, Lipschitz constant, and the conclusions, at up to three degrees."""
    screened = ScreenedInteraction.of(system)
    degrees = sufficient_degrees(system, screened)
    if not degrees:
        raise InputError(f"no degree satisfies the conditions: {system.description}")
    bounds = bound(system, degrees, screened)
    errors = bounds.errors
    geometry = Geometry.of(system)
    measured = [_measure(system, geometry, screened, degree) for degree in degrees]
    table = {name: np.array([m[name] for m in measured]) for name in measured[0]}
    populations, response = table["population rounding"], table["response rounding"]
    # v*_N is solved to ten times the last step, and to what populations are good for.
    solved = 10.0 * table["step"] + 2.0 * screened.norm * populations
    spread, slope = bounds.spread(system.atoms), errors.first_constant + errors.first
    energy = (
        2.0 * system.atoms * errors.grand_potential
        + math.sqrt(system.atoms) * errors.value * spread
        + 2.0 * slope * spread**2
    )
    rates = None
    moved = table["v, largest"]
    if len(degrees) > 1 and moved[-1] > 10.0 * solved[-1]:
        fall = float(np.log(moved[0] / moved[-1])) / (degrees[-1] - degrees[0])
        rates = (fall, geometry.theta)
    return [
        Check.of("|p_N - p| at v* [electrons]", table["p"], 2.0 * errors.value, populations),
        Check.of("norm of chi_N - chi [1/Ha]", table["chi"], 2.0 * errors.first, response),
        Check.of(
            "Lipschitz constant of Dp_N [electrons/Ha^2]",
            table["lipschitz"],
            2.0 * (errors.second_constant + errors.second),
            response / (0.5 * geometry.radius),
        ),
        Check.of(
            "|v_N - v*|, 2 c_stab eps_N of T_N [Ha]", moved, bounds.stationary.distance, solved
        ),
        Check.of("|v_N - v*|, 2 c eps_N [Ha]", moved, bounds.paper, solved),
        Check.of("|v_N - v*|, screened [Ha]", moved, bounds.sharper, solved, rates),
        Check.of(
            "Euclidean |v_N - v*| [Ha]",
            table["v, Euclidean"],
            spread,
            solved * math.sqrt(system.atoms),
        ),
        Check.of(
            "|p_N(v_N) - p(v*)| [electrons]",
            table["p at v_N"],
            2.0 * errors.value + 2.0 * slope * bounds.sharper,
            populations + 2.0 * slope * solved,
        ),
        Check.of(
            "|G_N(v_N) - G(v*)| [Ha]",
            table["energy"],
            energy,
            table["energy rounding"] + screened.rounding * energy,
        ),
    ]


def solve(populations: Populations, screened: ScreenedInteraction) -> tuple[FloatArray, float]:
    """(w, last step): v* + w is a zero of T_N, by v ↦ v − ε⁻¹Φ_N(v) from v*, the proof's iteration.

    Ends where steps are below 1e-12 of w, or no longer shrink, which is what rounding leaves: the
    zero is then within ten times the last step (of a contraction by 0.9) and what rounding
    of populations moves it by.
    """
    w = np.zeros(len(screened.kernel))
    previous = math.inf
    for _ in range(_STEPS):
        change = populations.polynomial(w) - populations.reference + screened.response @ w
        following = screened.screened @ change
        step = float(np.max(np.abs(following - w)))
        w = following
        if step <= 1e-12 * float(np.max(np.abs(w))) or step >= previous:
            break
        previous = step
    return w, step


def _measure(
    system: TightBindingSystem, geometry: Geometry, screened: ScreenedInteraction, degree: int
) -> dict[str, float]:
    """What the checks compare, for one explicit polynomial."""
    occupation = ExplicitOccupation.construct(
        system.beta, system.mu, geometry.inner, geometry.outer, degree
    )
    populations = Populations(system, occupation)
    zero = np.zeros(system.atoms)
    w, step = solve(populations, screened)
    at_zero, at_w = populations.polynomial(zero), populations.polynomial(w)
    change = at_w - populations.reference
    energy = populations.grand_potential_change(w) - float(
        w @ populations.reference + 0.5 * w @ change
    )
    # Dp_N at another point of the ball: its change over the distance is below L/‖J‖.
    rng = np.random.default_rng(degree)
    there = 0.5 * geometry.radius * rng.choice([-1.0, 1.0], system.atoms)
    here = _response(system, occupation, zero)
    moved = _response(system, occupation, there) - here
    terms = float(np.sum(np.abs(occupation.even) * (1.0 + np.pi * np.arange(len(occupation.even)))))
    return {
        "p": float(np.max(np.abs(populations.error(zero)))),
        "chi": max_norm(here + screened.response),
        "lipschitz": max_norm(moved) / (0.5 * geometry.radius),
        "v, largest": float(np.max(np.abs(w))),
        "v, Euclidean": float(np.linalg.norm(w)),
        "p at v_N": float(np.max(np.abs(change))),
        "energy": abs(energy),
        "step": step,
        "population rounding": populations.rounding,
        "response rounding": _response_rounding(system, geometry, occupation),
        "energy rounding": 2.0
        * system.atoms
        * (2.0 * system.rounding_unit + 4.0 * _EPS * (terms + geometry.outer))
        + float(np.sum(np.abs(populations.reference)) + np.sum(np.abs(at_zero))) * step,
    }


def _response(
    system: TightBindingSystem, occupation: ExplicitOccupation, w: FloatArray
) -> FloatArray:
    """Dp_N(v* + w), (M, M), electrons/Hartree."""
    state = system.model.evaluate(system.features + w, occupation)
    return state.feature_response()


def _response_rounding(
    system: TightBindingSystem, geometry: Geometry, occupation: ExplicitOccupation
) -> float:
    """Of ‖Dp_N‖_∞, electrons/Hartree.

    An error η in every divided difference is one of 2η√M in ‖Dp_N‖_∞ (‖A‖_F ≤ √M‖a‖_∞). η: levels
    are good to u, which F_N[x, y] turns into at most 4ℓ₂u; the recurrence is good to eps k³ in U_k,
    hence to eps k⁴ in Σ_{i+j=k−1} U_i T_j; products of matrices add n eps of what they multiply.
    """
    k = np.arange(len(occupation.slope))
    half = 0.5 * (geometry.outer - geometry.inner) * (geometry.outer + geometry.inner)
    recurrence = float(np.sum(np.abs(occupation.slope) * (1.0 + k) ** 4))
    left = max(geometry.distance - geometry.radius, 0.0)
    divided = (
        _EPS * (1.0 + 2.0 * geometry.outer**2 / half) * recurrence
        + 4.0 * second_constant(system.beta, left) * system.rounding_unit
        + 4.0 * system.atoms * _EPS * first_constant(system.beta, left)
    )
    return 2.0 * math.sqrt(system.atoms) * divided
