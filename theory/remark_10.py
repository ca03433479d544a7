"""Remark 10: the canonical ensemble with a Fermi level of the polynomials, 2Tr F_{N,µ}(H) = N.

Definition. X and its Leja points are fixed; G_{N,µ} interpolates G_µ there, F_{N,µ} = G_{N,µ}′.
ε_{F,N} is a root of n_N(µ) = 2Tr F_{N,µ}(H) = N, n the number of orbitals, at fixed v̂. Write
n(µ) = 2Tr F_µ(H), D = n′(ε_F) = −2Tr F′(H), η_µ = ‖F_µ − F_{N,µ}‖_X, and P_N for interpolation:
∂_µ G_{N,µ} = −P_N[F_µ] because ∂_µ G_µ = −F_µ.

*β < ∞: kept.* −F_µ′ changes by e^{±β|µ−µ′|} at most, so n(ε_F ± Δ) is at least D(1 − e^{−βΔ})/β
away from N. If that is ≥ 2nη at both ends, n_N − N changes sign between them: there is a root with

    |ε_{F,N} − ε_F| ≤ Δ,      Δ = −β⁻¹ ln(1 − 2nηβ/D),      η = max η at the ends,

an intensive bound: n/D does not depend on M. It is the only one where De^{−βΔ} > 2n‖∂_µ(F − F_N)‖.
Electrons are counted exactly. With D_ℓ = −2tr F′(H)_ℓℓ, n_ℓ orbitals on ℓ, and W(µ) = 2Tr G_µ + µN,
which is concave with its maximum at ε_F,

    |p_{N,ℓ} − p_ℓ| ≤ 2n_ℓ η + D_ℓ (e^{βΔ} − 1)/β,
    |W_N(ε_{F,N}) − W(ε_F)| ≤ 2n‖G − G_N‖_X + ½ D e^{βΔ} Δ²      (η and ‖G − G_N‖ at ε_{F,N}):

of the Fermi level's error the energy sees the square. In self-consistency the identity (A) of
remark_11 holds with the canonical −χ₀, which is ≥ 0 too (Remark 6), and with Σδ = 0. *Lost:*
locality, as in remark 8: a common shift dε_{F,N}/dv_m = −Tr(F_N′(H)W_m)/Tr ∂_µF_N(H) ~ 1/M reaches
every atom. Gauge: v → v + s moves ε_F by s, but ε_{F,N} by s only up to Δ(H) + Δ(H + s).
Also lost is linear body order: n_N(µ) = Σ_j G_µ(x_j) 2Tr ℓ_j′(H), so ε_{F,N} is a nonlinear
function of the N + 1 body-ordered numbers Tr ℓ_j′(H), of every body order. And W_N is stationary
where 2Tr P_N[F_µ](H) = N, not at ε_{F,N}: with F_N = G_N′ a family counts its electrons or has
∂W_N/∂v = p_N; both only up to η.

*β = ∞.* For µ in the gap G_µ is linear in µ: F_{N,µ} = A_N′ − µB_N′ with B_N = P_N[1_{x<µ}], and
n_N is linear with the slope −b, b = 2Tr B_N′(H), an *error*: |b| ≤ 2n‖B_N′‖_X, while n(µ) is
constant: ε_{F,N} = µ + (n_N(µ) − N)/b is a quotient of two errors. Where it tends to is a property
of X: by Hermite's formula on Re z = c, ω the nodal polynomial,

    F_{N,µ}(x) − F_µ(x) = ∂_x ∫ (z − µ) ω(x)/(ω(z)(x − z)) dz/2πi,     hence
    ε_{F,N} = ∫ z K(z) dz / ∫ K(z) dz,      K(z) = Σ_i ∂_x[ω(x)/(x − z)]_{λ_i} / ω(z),

a mean of z with a weight that concentrates at the saddle of 1/ω, the critical point c of Green's
function in the gap: ε_{F,N} → c up to O(1/N) where the traces do not cancel, whatever N and H are
(µ = c is where F_N is best, by a factor 1/N: Lemma 7). *Lost:* meaning, and digits: |b| is at most
2n‖B_N′‖_X, κ = 2n‖B_N′‖_X/|b| is large where signs cancel in the trace, and once errors are down at
rounding ε_{F,N} is anything, in the gap or not. *Kept:* F_{N,ε} = F_{N,µ} − (ε − µ)B_N′ is F_N
corrected by a polynomial until it counts right, remedy E1 of remark_11 with another spread:

    |p_{N,ℓ} − p_ℓ| ≤ 2n_ℓ η_µ (1 + κ),
    |W_N(ε_{F,N}) − W| ≤ 2n‖G_µ − G_{N,µ}‖_X + |ε_{F,N} − µ| 2n‖1_{x<µ} − B_N‖_X.
"""

import numpy as np
from numpy.polynomial.chebyshev import chebder

from scc.arrays import FloatArray
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.bodyorder.suprema import polynomial_errors, series_error
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import _remark_10_steps
from scc.theory._fermi_level_family import FermiLevelFamily
from scc.theory.statement import Check, satisfied
from scc.theory.system import TightBindingSystem

_DEGREES = (8, 12, 16, 24, 32, 48)
_MARGIN = 0.01
_LARGEST_SHIFT = 0.5
"""Largest βΔ worth a statement."""
_EPS = float(np.finfo(np.float64).eps)


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """Levels on both sides of µ, which is the Fermi level; a gap there at β = ∞."""
    found: dict[str, bool | float | str] = {
        "levels on both sides of mu": bool(system.levels[0] < system.mu < system.levels[-1])
    }
    if system.zero_temperature:
        found["gap at mu"] = min(system.gap_below, system.gap_above) > 0.0
    elif satisfied(found):
        found[f"a degree up to {_DEGREES[-1]} bounds the level"] = _sufficient(system) is not None
    return found


def spectral_set(system: TightBindingSystem) -> SpectralSet:
    """X: the hull of the levels and a little more, or its two parts at β = ∞."""
    low, high = float(system.levels[0]) - _MARGIN, float(system.levels[-1]) + _MARGIN
    if not system.zero_temperature:
        return SpectralSet(((low, high),))
    margin = min(_MARGIN, 0.2 * system.gap_below, 0.2 * system.gap_above)
    below, above = system.mu - system.gap_below + margin, system.mu + system.gap_above - margin
    return SpectralSet(((low, below), (above, high)))


def shift_bound(beta: float, orbitals: int, eta: float, states: float) -> float:
    """Δ = −β⁻¹ ln(1 − 2nηβ/D), Hartree; ∞ where there is none. states: D, electrons/Hartree."""
    share = 2.0 * orbitals * eta * beta / states if states > 0.0 else np.inf
    return float(-np.log1p(-share) / beta) if share < 1.0 else np.inf


def bound(levels: FloatArray, mu: float, family: FermiLevelFamily) -> float:
    """Δ around ε_F = µ of the given levels, β < ∞, proved at both ends; ∞ where there is none.

    A first Δ from η at ε_F is widened until η at its two ends allows it.
    """
    n, beta = len(levels), family.beta
    states = -2.0 * float(np.sum(FermiDirac(beta, mu).derivative(levels)))
    states *= 1.0 - 4.0 * n * _EPS
    delta = shift_bound(beta, n, _eta(family.at(mu)), states)
    for _ in range(4):
        if not delta * beta <= _LARGEST_SHIFT:
            return np.inf
        trial = 1.05 * delta
        eta = max(_eta(family.at(mu + sign * trial)) for sign in (-1.0, 1.0))
        delta = shift_bound(beta, n, eta, states)
        if delta <= trial:
            return trial
    return np.inf


def _eta(occupation: PolynomialOccupation) -> float:
    return polynomial_errors(occupation).occupation.upper


def checks(system: TightBindingSystem) -> list[Check]:
    """The bounds of either temperature; at β < ∞ for the least degree tried that has a Δ."""
    if system.zero_temperature:
        family = FermiLevelFamily(spectral_set(system), _DEGREES[2], system.beta)
        return _zero_temperature(system, family)
    found = _sufficient(system)
    return [] if found is None else _finite_temperature(system, *found)


def _sufficient(system: TightBindingSystem) -> tuple[FermiLevelFamily, float] | None:
    """The family of the least degree tried that has a Δ, and Δ; β < ∞."""
    X = spectral_set(system)
    points, exact = X.sample(200), FermiDirac(system.beta, system.mu)
    states = -2.0 * float(np.sum(exact.derivative(system.levels)))
    for degree in _DEGREES:
        family = FermiLevelFamily(X, degree, system.beta)
        sampled = np.max(np.abs(family.at(system.mu).occupation(points) - exact.occupation(points)))
        likely = shift_bound(system.beta, len(system.levels), 1.2 * float(sampled), states)
        if not likely * system.beta <= _LARGEST_SHIFT:
            continue
        delta = bound(system.levels, system.mu, family)
        if np.isfinite(delta):
            return family, delta
    return None


def _orbitals(system: TightBindingSystem) -> FloatArray:
    """n_ℓ, (M,)."""
    return np.bincount(system.owner, minlength=system.atoms).astype(np.float64)


def _per_atom(system: TightBindingSystem, values: FloatArray) -> FloatArray:
    """2tr O(H)_ℓℓ from O(λ), (M,)."""
    diagonal = 2.0 * (system.state.eigenvectors**2) @ values
    return np.asarray(np.bincount(system.owner, weights=diagonal, minlength=system.atoms))


def _rounding(series: FloatArray) -> float:
    """Of one value of a Chebyshev series: Clenshaw's recurrence."""
    return 8.0 * len(series) * _EPS * (1.0 + float(np.sum(np.abs(series))))


def _finite_temperature(
    system: TightBindingSystem, family: FermiLevelFamily, delta: float
) -> list[Check]:
    levels, mu, beta, n = system.levels, system.mu, system.beta, len(system.levels)
    exact = FermiDirac(beta, mu)
    occupied, slopes = exact.occupation(levels), exact.derivative(levels)
    electrons, states = 2.0 * float(np.sum(occupied)), -2.0 * float(np.sum(slopes))
    level = family.fermi_level(levels, electrons, mu - delta, mu + delta)
    polynomial = family.at(level)
    errors = polynomial_errors(polynomial)
    value = _rounding(polynomial.occupation_coefficients)
    # The same levels serve F and F_N: no backward error of eigh, only evaluation.
    counting = 2.0 * n * (value + 8.0 * _EPS)
    p_N, p = _per_atom(system, polynomial.occupation(levels)), _per_atom(system, occupied)
    stretched = float(np.expm1(beta * delta)) / beta
    local = _per_atom(system, -slopes)
    energy = 2.0 * float(np.sum(polynomial.grand_potential(levels))) + level * electrons
    energy -= 2.0 * float(np.sum(exact.grand_potential(levels))) + mu * electrons
    size = float(np.sum(np.abs(exact.grand_potential(levels)))) + abs(mu) * electrons
    per_atom = _orbitals(system)
    shift_rounding = counting / (states * float(np.exp(-beta * delta))) + 1e-14 * (1.0 + abs(mu))
    found = [
        Check.of("|eps_F,N - eps_F| [Ha]", abs(level - mu), delta, shift_rounding),
        Check.of(
            "|2 Tr F_N - N| [electrons]",
            abs(float(np.sum(p_N)) - electrons),
            0.0,
            2.0 * counting + 4.0 * states * 1e-14 * (1.0 + abs(mu)) + 8.0 * n**2 * _EPS,
        ),
        Check.of(
            "|p_N - p| [electrons]",
            p_N - p,
            2.0 * per_atom * errors.occupation.upper + local * stretched,
            per_atom * (counting / n + 8.0 * n * _EPS) + local * shift_rounding,
        ),
        Check.of(
            "|W_N(eps_F,N) - W(eps_F)| [Ha]",
            energy,
            2.0 * n * errors.grand_potential.upper
            + 0.5 * states * float(np.exp(beta * delta)) * delta**2,
            2.0 * n * _rounding(polynomial.coefficients) + 8.0 * n * _EPS * (1.0 + size),
        ),
    ]
    # Within the margin of X.
    s = 0.8 * _MARGIN
    shifted = bound(levels + s, mu + s, family)
    if np.isfinite(shifted):
        moved = family.fermi_level(levels + s, electrons, mu + s - shifted, mu + s + shifted)
        follows = "|eps_F,N(v + s) - eps_F,N(v) - s| [Ha]"
        found.append(
            Check.of(follows, abs(moved - level - s), delta + shifted, 2.0 * shift_rounding)
        )
    return found


def _zero_temperature(system: TightBindingSystem, family: FermiLevelFamily) -> list[Check]:
    levels, mu, n = system.levels, system.mu, len(system.levels)
    electrons = 2.0 * float(np.count_nonzero(levels < mu))
    exact = FermiDirac(np.inf, mu)
    here = family.at(mu)
    errors = polynomial_errors(here)
    B = family.indicator(mu)
    slope = family.indicator_slope(B, levels)
    X, scale = family.X, 2.0 / (family.X.upper - family.X.lower)
    B_slope = np.asarray(chebder(B, scl=scale), dtype=np.float64)
    value = _rounding(here.occupation_coefficients) + _rounding(B_slope)
    # Linearity, from a second µ in the gap.
    other = mu + 0.5 * system.gap_above
    predicted = here.occupation(levels) - (other - mu) * slope
    found = [
        Check.of(
            "|F_N,µ' - F_N,µ + (µ' - µ)B_N'|",
            family.at(other).occupation(levels) - predicted,
            0.0,
            2.0 * value * (1.0 + abs(other - mu)) + 16.0 * _EPS * _rounding_scale(here, B_slope),
        )
    ]
    trace = 2.0 * float(np.sum(slope))
    if abs(trace) <= 1e3 * n * value:  # no Fermi level of the polynomial
        return found
    level = family.zero_temperature_level(levels, electrons, mu)
    largest = _supremum_of_slope(B_slope, X, mu)
    kappa = 2.0 * n * largest / abs(trace)
    occupied = here.occupation(levels) - (level - mu) * slope
    p_N, p = _per_atom(system, occupied), _per_atom(system, exact.occupation(levels))
    energy = 2.0 * float(np.sum(here.grand_potential(levels)))
    energy -= (level - mu) * (2.0 * float(np.sum(family.indicator_value(B, levels))) - electrons)
    energy -= 2.0 * float(np.sum(exact.grand_potential(levels)))
    indicator = series_error(B, "F", X, np.inf, mu).upper
    relative = 2.0 * n * value * (1.0 + abs(level - mu)) / abs(trace)
    size = float(np.sum(np.abs(levels - mu)))
    found += [
        Check.of(
            "|p_N - p| with eps_F,N, beta = inf [electrons]",
            p_N - p,
            2.0 * _orbitals(system) * errors.occupation.upper * (1.0 + kappa),
            _orbitals(system) * 2.0 * (value * (1.0 + abs(level - mu)) + relative * largest),
        ),
        Check.of(
            "|2 Tr F_N - N|, beta = inf [electrons]",
            2.0 * float(np.sum(occupied)) - electrons,
            0.0,
            4.0 * n * value * (1.0 + abs(level - mu)),
        ),
        Check.of(
            "|W_N(eps_F,N) - W|, beta = inf [Ha]",
            energy,
            2.0 * n * errors.grand_potential.upper + abs(level - mu) * 2.0 * n * indicator,
            2.0 * n * _rounding(here.coefficients)
            + 2.0 * n * _rounding(B) * (1.0 + abs(level - mu))
            + 8.0 * n * _EPS * (1.0 + size)
            + relative * 2.0 * n * indicator,
        ),
    ]
    return found


def _rounding_scale(here: PolynomialOccupation, B_slope: FloatArray) -> float:
    """Coefficients are rounded to 2⁻⁵³ of the largest before they are differentiated, N²-fold."""
    half = 0.5 * (here.spectral_set.upper - here.spectral_set.lower)
    largest = here.degree**3 * float(np.max(np.abs(here.coefficients))) / half
    return largest + float(np.sum(np.abs(B_slope)))


def _supremum_of_slope(B_slope: FloatArray, X: SpectralSet, mu: float) -> float:
    """‖B_N′‖_X, proved: the error of B_N′ as an approximation of 0 = F below or above all levels.

    F_µ is 0 on X for µ below it, so that series_error returns the supremum of |B_N′| itself.
    """
    return series_error(B_slope, "F", X, np.inf, X.lower - 1.0).upper


def derivation() -> dict[str, bool]:
    """The log-Lipschitz bound behind Δ, stationarity of W, the Lagrange form, β = ∞."""
    return _remark_10_steps.derivation()
