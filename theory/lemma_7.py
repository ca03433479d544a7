"""Lemma 7: ‖F−F_N‖_∞ + ‖G−G_N‖_∞ ≤ C e^{−θN} on X, with F_N = G_N′; explicit C and θ.

Hypothesis: β < ∞, or µ has a positive distance to X. Then, y = π/β being 0 at β = ∞:

*Explicit polynomials.* X lies in {B ≤ |x − µ| ≤ A}, where with s = x − µ, u = s²,
F = ½(1 − s f(u)), G = ½s − e(u), f(u) = tanh(β√u/2)/√u = (4/β) Σ_j 1/(u + y_j²), y_j = (2j+1)y.
Each pole contributes (4/β)(2/h√(ζ²−1)) (−w)^{−k} to the Chebyshev coefficient a_k of f on [B², A²],
h = (A²−B²)/2, ζ = (w + w⁻¹)/2 = (A²+B²+2y_j²)/(A²−B²); hence |a_k| = (−1)^k a_k and |a_k|ρ^k falls
with k, ρ = e^{2θ} being the nearest pole's w (β = ∞: the same with u^{−1/2} = ∫ds/(π√s(u+s))):

    |a_k| ≤ 2ā e^{−2θk},   θ = arcsinh √((B² + y²)/(A² − B²)),

ā = a_0 the mean of f, 1/AGM(A, B) at β = ∞. Cut after k = n and integrated in u, these are F_N and
G_N of degree N = 2n+2 (scc.bodyorder.explicit):

    ‖F−F_N‖ ≤ ½A E,   ‖G−G_N‖ ≤ ¼h (n+1)/(n(n+2)) E,   E = 2ā e^{−θN}/(1 − e^{−2θ}),

for every N, nothing growing in front of e^{−θN}. θ is Green's function of the symmetrised set.

*Interpolation in given nodes*, the Leja points that the code uses: Hermite's formula on the cuts
µ ± i[y, ∞) of G, or on a line through the gap (scc.bodyorder.hermite_bound): the sharp θ of X.

*The sharp θ* is Green's function of X at µ + iy (β < ∞) or at the critical point (β = ∞). A set
between two others has its Green's function between theirs. U(x) = (x − b₁)(x − a₂) maps X into
[0, U_max]; with w² = (g₋ + iy)(g₊ − iy),

    θ ≥ Re arcsinh(w/√U_max) ≥ arcsinh((y + √g₋√g₊)/√(2U_max)),     β = ∞: θ ≥ artanh(g/2A_c),

A_c the largest distance from the middle of the gap: the paper's θ ~ β⁻¹ + √g₋√g₊ and θ ~ g as lower
bounds with constants. As upper bounds they hold for comparable gaps only: θ/ω → Re w with
ω = 1/√((µ−a)(b−µ)) as y + g → 0, but with µ at a band edge θ ~ β^{−1/2}, larger than β⁻¹.
"""

import math

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.convergence import interpolation_errors
from scc.bodyorder.explicit import explicit_polynomial, explicit_rate, series
from scc.bodyorder.green import convergence_rate
from scc.bodyorder.hermite_bound import hermite_bounds
from scc.bodyorder.leja import leja_points
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

DEGREES = (2, 8, 20, 40)
_EXPLICIT_DEGREES = (6, 16, 40)
_EPS = float(np.finfo(np.float64).eps)
# X is σ(H) widened by this, or by an eighth of the gap if that is less (Hartree).
_MARGIN = 0.02
# A gap below this (Hartree), or one that β cannot see, is not worth two intervals at β < ∞.
_SMALLEST_GAP = 0.05


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """β < ∞ or g± > 0."""
    gap = min(system.gap_below, system.gap_above)
    return {
        "beta < inf, or mu in a gap": not system.zero_temperature or gap > 0.0,
        "g- and g+ [Ha]": f"{system.gap_below:.4g}, {system.gap_above:.4g}",
    }


def spectral_sets(system: TightBindingSystem) -> list[SpectralSet]:
    """X around σ(H), widened: the hull at β < ∞, two intervals where µ lies in a wide gap."""
    levels, mu = system.levels, system.mu
    gap = system.gap_below + system.gap_above
    margin = min(_MARGIN, gap / 8.0)
    low, high = float(levels[0]) - _MARGIN, float(levels[-1]) + _MARGIN
    found = [] if system.zero_temperature else [SpectralSet(((low, high),))]
    if system.zero_temperature or (_SMALLEST_GAP < gap < math.inf and system.beta * gap > 3.0):
        below, above = mu - system.gap_below + margin, mu + system.gap_above - margin
        found.append(SpectralSet(((low, below), (above, high))))
    return found


def symmetric_radii(X: SpectralSet, mu: float) -> tuple[float, float]:
    """(B, A): the smallest and the largest distance of µ from X, Hartree."""
    return float(X.distance(mu)), max(abs(X.lower - mu), abs(X.upper - mu))


def bound(
    beta: float, inner: float, outer: float, degree: int | FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(‖F−F_N‖, ‖G−G_N‖) ≤ C e^{−θN} for the explicit polynomials on B ≤ |x−µ| ≤ A, even N ≥ 4."""
    theta = explicit_rate(beta, inner, outer)
    n = np.asarray(degree) // 2 - 1
    mean = float(series(beta, inner, outer, 1)[0][0]) * (1.0 + 1e-12)
    tail = 2.0 * mean * np.exp(-2.0 * theta * (n + 1)) / -math.expm1(-2.0 * theta)
    half = 0.5 * (outer - inner) * (outer + inner)
    return 0.5 * outer * tail, 0.25 * half * (n + 1) / (n * (n + 2)) * tail


def interpolation_bound(X: SpectralSet, beta: float, mu: float, degree: int) -> tuple[float, float]:
    """(‖F−F_N‖, ‖G−G_N‖) bounded for the interpolant in N+1 Leja points of X."""
    return hermite_bounds(leja_points(X, degree + 1), X, beta, mu)


def rate_bound(X: SpectralSet, beta: float, mu: float) -> float:
    """θ ≥ this, in closed form: the better of the sets symmetric about µ and about the gap."""
    if not beta > 0.0:
        raise InputError(f"inverse temperature beta must be in (0, inf], got {beta}")
    pole = math.pi / beta
    rates = []
    inner, outer = symmetric_radii(X, mu)
    if inner > 0.0 or pole > 0.0:
        rates.append(explicit_rate(beta, inner, outer))
    if X.gap is not None:
        low, high = X.gap
        largest = max((X.lower - low) * (X.lower - high), (X.upper - low) * (X.upper - high))
        point = complex(mu, pole) if pole > 0.0 else 0.5 * (low + high)
        rates.append(float(np.arcsinh(np.sqrt((point - low) * (high - point) / largest)).real))
    return max(rates, default=0.0)


def paper_rate_bound(X: SpectralSet, beta: float, mu: float) -> float:
    """arcsinh((π/β + √g₋√g₊)/√(2U_max)) ≤ θ, g± = 0 for one interval: the paper's form of θ."""
    pole = math.pi / beta
    low, high = (mu, mu) if X.gap is None else X.gap
    below, above = max(mu - low, 0.0), max(high - mu, 0.0)
    largest = max((X.lower - low) * (X.lower - high), (X.upper - low) * (X.upper - high))
    return math.asinh((pole + math.sqrt(below * above)) / math.sqrt(2.0 * largest))


def checks(system: TightBindingSystem) -> list[Check]:
    """Leja interpolants and explicit polynomials on the X of H, and the bounds of θ."""
    found = []
    beta, mu = system.beta, system.mu
    for X in spectral_sets(system):
        name = "one interval" if X.gap is None else "two intervals"
        errors = interpolation_errors(X, beta, mu, DEGREES[-1])
        bounds = np.array([interpolation_bound(X, beta, mu, N) for N in DEGREES]).T
        span = DEGREES[-1] - DEGREES[-2]
        for quantity, measured, limit in (
            ("|F-F_N|", errors.occupation, bounds[0]),
            ("|G-G_N| [Ha]", errors.grand_potential, bounds[1]),
        ):
            values = measured[list(DEGREES)]
            rates = (
                float(np.log(values[-2] / values[-1])) / span,
                float(np.log(limit[-2] / limit[-1])) / span,
            )
            # The errors are centres of balls narrower than a thousandth of the least of them.
            label = f"{quantity}, Leja points, {name}"
            found.append(Check.of(label, values, limit, 1e-3 * values, rates))
        found += _explicit_checks(system, X, name)
        sharp = convergence_rate(X, beta, mu)
        # Green's function is good to 1e-13; twice that for the closed forms.
        lower = [rate_bound(X, beta, mu), paper_rate_bound(X, beta, mu)]
        found.append(
            Check.of(f"lower bounds of theta, {name}", lower, sharp, 1e-12 * (1.0 + sharp))
        )
    return found


def _explicit_checks(system: TightBindingSystem, X: SpectralSet, name: str) -> list[Check]:
    """Errors of the explicit polynomials, sampled on their own, larger set."""
    inner, outer = symmetric_radii(X, system.mu)
    theta = explicit_rate(system.beta, inner, outer)
    degrees = [N for N in _EXPLICIT_DEGREES if theta * N < 30.0]
    if not degrees:
        return []
    exact = FermiDirac(system.beta, system.mu)
    measured, rounding = [], []
    for degree in degrees:
        polynomial = explicit_polynomial(system.beta, system.mu, inner, outer, degree)
        x = polynomial.spectral_set.sample(4 * degree)
        measured.append(
            [
                np.max(np.abs(polynomial.occupation(x) - exact.occupation(x))),
                np.max(np.abs(polynomial.grand_potential(x) - exact.grand_potential(x))),
            ]
        )
        rounding.append(explicit_rounding(system.beta, system.mu, inner, outer, degree))
    values, allowed = np.array(measured).T, np.array(rounding).T
    limits = bound(system.beta, inner, outer, np.array(degrees))
    return [
        Check.of(f"|F-F_N|, explicit, {name}", values[0], limits[0], allowed[0]),
        Check.of(f"|G-G_N| [Ha], explicit, {name}", values[1], limits[1], allowed[1]),
    ]


def explicit_rounding(
    beta: float, mu: float, inner: float, outer: float, degree: int
) -> tuple[float, float]:
    """Rounding of (F_N, G_N) of explicit_polynomial on X, coefficients and evaluation.

    The n+2 coefficients of e are rounded to a few eps of the largest value S of e, f·h; Clenshaw's
    recurrence loses n² eps of the sum Σ|b_k T_k| of their terms, in the gap too, where it is the
    value itself, all terms having one sign, next to what the rounding of b_k has grown to,
    eps S e^{θN}. The N+1 coefficients of G_N are means of such values, δ, and their derivative
    multiplies the k-th by up to k²/A. The arguments x − µ are rounded to eps (|µ| + A), to which F
    responds like β/4 (at β = ∞ like θN/B).
    """
    theta = explicit_rate(beta, inner, outer)
    n = degree // 2 - 1
    size = outer + float(series(beta, inner, outer, 1)[0][0]) * outer**2
    growth = 1.0 + _EPS * math.exp(theta * degree)
    value = 8.0 * _EPS * (n + 2) ** 2 * size * growth
    shift = 4.0 * _EPS * (abs(mu) + outer)
    slope = 0.25 * beta if math.isfinite(beta) else 0.0
    return value * degree**3 / (3.0 * outer) + shift * (slope + degree**2 / outer), (
        value * (degree + 1) + shift
    )
