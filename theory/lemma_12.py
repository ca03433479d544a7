r"""Lemma 12 (Combes–Thomas): the resolvent decays exponentially, with the exponent of this very H.

Statement. H symmetric, z ∉ σ(H), 𝔡 = dist(z, σ(H)). For every η > 0 with

    max_ℓ Σ_k |H_ℓk| (e^{η r_ℓk} − 1) ≤ 𝔡/2        |[(z − H)⁻¹]_ℓk| ≤ (2/𝔡) e^{−η r_ℓk}.

Several orbitals an atom: r is the distance of their atoms and ℓ, k run over orbitals; the bounds
below are bounds of norms, so that they hold for the norm of the whole block of two atoms as well.

Proof. Fix k and let φ_a = r_ak, or any φ with |φ_a − φ_b| ≤ r_ab. With H_φ = e^{ηφ} H e^{−ηφ},
(z − H)⁻¹ = e^{−ηφ} (z − H_φ)⁻¹ e^{ηφ}, hence

    |[(z − H)⁻¹]_ℓk| ≤ e^{−η r_ℓk} ‖(z − H_φ)⁻¹‖ ≤ e^{−η r_ℓk} / c(η)   whenever c(η) > 0 and
    |(z − H_φ)u| ≥ c(η)|u|   for all u.

*The paper's c*: ‖H_φ − H‖ ≤ ½𝔡, by Schur's test, so c = ½𝔡. Nothing singles out ½:
c(η) = 𝔡 − ‖H_φ − H‖ for every η, and η is chosen for each distance so that e^{−ηr}/c(η) is least.

*Sharper*, because H is self-adjoint. H_φ = H + A + B with A = H∘(cosh ηΔφ − 1) symmetric,
B = H∘sinh ηΔφ antisymmetric, α = ‖A‖, s = ‖B‖. Let z = E + iy, y ≥ 0, u = u₊ + u₋ the parts of u
above and below E, d± the distances of E from the spectrum there, d = min d±, and test H_φ − z with
w = e^{−iτ}u₊ − e^{iτ}u₋, |w| = |u|, 0 ≤ τ ≤ π/2:

    Re⟨w, (H − z)u⟩ ≥ (d cos τ + y sin τ)|u|²,
    Re⟨w, Au⟩ ≥ −α cos τ |u|²   (the two mixed terms are conjugate and cancel in the real part),
    Re⟨w, Bu⟩ ≥ −s|u|²,         at τ = 0:  ≥ −2s|u₊||u₋|   (⟨u±, Bu±⟩ are imaginary).

The best τ, and τ = 0 with the least eigenvalue of the quadratic form in (|u₊|, |u₋|), give

    (i)   c = √((d − α)₊² + y²) − s,
    (ii)  c = λ_min [[d₊ − α, −s], [−s, d₋ − α]] > 0  ⇔  s² < (d₊ − α)(d₋ − α),

the latter for z between two parts of the spectrum (Barbaroux, Combes & Hislop, Helv. Phys. Acta 70
(1997) 16). c(η) is the largest of the three. On the chain with hopping −t and unit spacing
s = 2t sinh η: at µ = 0 (i) gives η = arcsinh(π/2βt) at the pole µ + iπ/β, the exact rate; between
bands at ±D/2, α + s = 2t(e^η − 1) gives ln(1 + D/4t) against the exact arcsinh(D/4t).

Norms come from :mod:`scc.theory._weighted_norms`: all are at most row sums of |H|, which Lemmas 9
and 10 bound independently of M.
"""

import mpmath
import numpy as np
import sympy as sp

from scc.arrays import FloatArray
from scc.theory._weighted_norms import WeightedNorms, largest_rate_with, weighted_norms
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

RATES = 64
"""Number of exponents η a bound is minimised over."""


def derivation() -> dict[str, bool]:
    """The algebra of the proof; see the module docstring."""
    return {
        "similarity: z − H_φ = e^{ηφ}(z − H)e^{−ηφ}": _similarity(),
        "H_φ − H is symmetric cosh − 1 plus antisymmetric sinh": _parts(),
        "mixed terms of A cancel, those of B add up at τ = 0": _mixed_terms(),
        "max over τ of (d − α)cos τ + y sin τ is the root in (i)": _best_angle(),
        "λ_min of (ii) is positive iff s² < (d₊ − α)(d₋ − α)": _least_eigenvalue(),
        "(i) is exact for the chain at µ = 0": _chain_is_exact(),
        "(ii) has the exact rate of the gapped chain as D → 0": _gapped_chain(),
    }


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """H symmetric and z off its spectrum."""
    nearest = min(float(np.min(np.abs(z - system.levels))) for z in points(system).values())
    asymmetry = float(np.max(np.abs(system.hamiltonian - system.hamiltonian.T)))
    return {
        "H is symmetric": asymmetry <= system.rounding_unit,
        "distance of z from the spectrum": nearest,
        "z is off the spectrum": nearest > 2.0 * system.rounding_unit,
    }


def points(system: TightBindingSystem) -> dict[str, complex]:
    """z where the resolvent is tried: poles µ + iπ(2n+1)/β at β < ∞; in the gap at β = ∞;
    beside the spectrum at any β."""
    levels, mu = system.levels, system.mu
    width = 1.0 + float(levels[-1] - levels[0])
    beside = {"beside the spectrum": complex(levels[0] - 0.1 * width, 0.1)}
    if not system.zero_temperature:
        poles = {f"pole {n}": complex(mu, np.pi * (2 * n + 1) / system.beta) for n in (0, 3)}
        return poles | beside
    below, above = mu - min(system.gap_below, width), mu + min(system.gap_above, width)
    gap = above - below
    return {
        "middle of the gap": complex(below + 0.5 * gap),
        "edge of the gap": complex(below + 0.2 * gap),
    } | beside


def distances_to_spectrum(system: TightBindingSystem, z: complex) -> tuple[float, float, float]:
    """(𝔡, d₋, d₊) less the error of the eigenvalues; a side without levels counts as far away."""
    u = system.rounding_unit
    offset = system.levels - z.real
    nearest = float(np.min(np.abs(offset)))
    far = 1e3 * (1.0 + nearest)  # a true lower bound where the side is empty
    above = float(np.min(offset[offset > 0.0], initial=far))
    below = float(np.min(-offset[offset <= 0.0], initial=far))
    d_minus, d_plus = max(below - u, 0.0), max(above - u, 0.0)
    return float(np.hypot(min(d_minus, d_plus), z.imag)), d_minus, d_plus


def denominators(system: TightBindingSystem, norms: WeightedNorms, z: complex) -> FloatArray:
    """c(η) ≤ 1/‖(z − H_φ)⁻¹‖, (K,) Hartree; not positive where the argument fails."""
    _, below, above = distances_to_spectrum(system, z)
    return denominators_at(norms, below, above, z.imag)


def denominators_at(
    norms: WeightedNorms,
    below: float | FloatArray,
    above: float | FloatArray,
    height: float | FloatArray,
) -> FloatArray:
    """The same for any z = E + i·height with d₋ ≥ below, d₊ ≥ above; broadcast with the rates."""
    near = np.minimum(below, above)
    plain = np.hypot(near, height) - norms.stretch
    adjoint = np.hypot(np.maximum(near - norms.even, 0.0), height) - norms.odd
    low, high = below - norms.even, above - norms.even
    gap = 0.5 * (low + high) - np.hypot(0.5 * (low - high), norms.odd)
    return np.asarray(np.maximum(np.maximum(plain, adjoint), gap))


def paper_exponent(system: TightBindingSystem, z: complex, share: float = 0.5) -> float:
    """Largest η with max_ℓ Σ_k |H_ℓk|(e^{ηr} − 1) ≤ ``share`` 𝔡, 1/bohr."""
    distance = distances_to_spectrum(system, z)[0]
    return largest_rate_with(system, lambda norms: norms.row_sums <= share * distance)


def best_exponent(system: TightBindingSystem, z: complex) -> float:
    """sup{η : c(η) > 0} of the sharper form, 1/bohr, from below."""
    _, below, above = distances_to_spectrum(system, z)
    return exponent_at(system, below, above, z.imag)


def exponent_at(system: TightBindingSystem, below: float, above: float, height: float) -> float:
    """The same for any spectrum with d₋ ≥ below, d₊ ≥ above: of H it sees |H| only."""
    return largest_rate_with(
        system, lambda norms: denominators_at(norms, below, above, height) > 0.0
    )


def rates_for(critical: float, top: float, number: int = RATES) -> FloatArray:
    """η to minimise over: 0, geometric up to ``top``, and dense below ``critical`` = sup{η : c > 0}
    at the point that decays slowest, where large distances want it; ascending, 1/bohr."""
    if top <= 0.0 and critical <= 0.0:
        return np.zeros(1)
    top = max(top, critical)
    wide = np.geomspace(max(0.1 * critical, 1e-6 * top), top, number - 10)
    dense = critical * (1.0 - np.geomspace(1e-3, 0.3, 9))
    return np.unique(np.concatenate([[0.0], wide, dense]))


def log_envelope(norms: WeightedNorms, denominator: FloatArray, r: FloatArray) -> FloatArray:
    """min over η of −ηr − ln c(η), the shape of r."""
    usable = denominator > 0.0  # η = 0 always is
    lines = -norms.rates[usable, None] * r.ravel() - np.log(denominator[usable, None])
    return np.asarray(np.min(lines, axis=0, initial=np.inf).reshape(r.shape))


def bound(system: TightBindingSystem, z: complex) -> FloatArray:
    """Sharper form: min over η of e^{−ηr}/c(η) for all pairs of orbitals, (n, n) 1/Hartree."""
    critical = best_exponent(system, z)
    norms = weighted_norms(system, rates_for(critical, critical))
    r = system.orbital_distances
    return np.exp(log_envelope(norms, denominators(system, norms, z), r))


def paper_bound(system: TightBindingSystem, z: complex) -> FloatArray:
    """(2/𝔡) e^{−η_ct r}, (n, n) 1/Hartree."""
    distance = distances_to_spectrum(system, z)[0]
    rate = paper_exponent(system, z)
    return np.asarray(2.0 / distance * np.exp(-rate * system.orbital_distances))


def checks(system: TightBindingSystem) -> list[Check]:
    """|(z − H)⁻¹| against both forms at every point of :func:`points`."""
    found = []
    identity = np.eye(len(system.levels))
    for where, z in points(system).items():
        resolvent = np.abs(np.linalg.inv(z * identity - system.hamiltonian))
        distance = distances_to_spectrum(system, z)[0]
        # Backward error of the inverse: (z − H + δ)⁻¹, |δ| ≤ 8 rounding units with |z| in them.
        unit = system.rounding_unit * (1.0 + abs(z))
        rounding = 8.0 * unit / distance**2
        name = f"|(z − H)⁻¹| [1/Hartree], {where}"
        found.append(Check.of(f"{name}, paper", resolvent, paper_bound(system, z), rounding))
        found.append(Check.of(f"{name}, sharp", resolvent, bound(system, z), rounding))
    return found


# -- the proof, step by step ---------------------------------------------------------------------


def _similarity() -> bool:
    eta, z = sp.symbols("eta z")
    phi = sp.symbols("phi1:4", real=True)
    h = sp.Matrix(3, 3, lambda i, j: sp.Symbol(f"h{min(i, j)}{max(i, j)}"))
    weight = sp.diag(*[sp.exp(eta * p) for p in phi])
    inverse = sp.diag(*[sp.exp(-eta * p) for p in phi])
    tilted = sp.Matrix(3, 3, lambda i, j: h[i, j] * sp.exp(eta * (phi[i] - phi[j])))
    difference = weight * (z * sp.eye(3) - h) * inverse - (z * sp.eye(3) - tilted)
    return bool(difference.applyfunc(sp.simplify) == sp.zeros(3))


def _parts() -> bool:
    x = sp.symbols("x", real=True)
    even, odd = sp.cosh(x) - 1, sp.sinh(x)
    sums = sp.simplify((sp.exp(x) - 1 - even - odd).rewrite(sp.exp)) == 0
    return bool(
        sums
        and sp.simplify(even - even.subs(x, -x)) == 0
        and sp.simplify(odd + odd.subs(x, -x)) == 0
    )


def _mixed_terms() -> bool:
    """q = ⟨u₊, Au₋⟩ with ⟨u₋, Au₊⟩ = q̄; p = ⟨u₊, Bu₋⟩ with ⟨u₋, Bu₊⟩ = −p̄."""
    a, b, tau = sp.symbols("a b tau", real=True)
    q = a + sp.I * b
    phase = sp.exp(sp.I * tau)
    symmetric = sp.re(sp.expand_complex(phase * q - sp.conjugate(phase) * sp.conjugate(q)))
    antisymmetric = sp.expand_complex(q + sp.conjugate(q))
    diagonal = sp.re(phase - (-sp.conjugate(phase)))  # weights of ±⟨u±, Au±⟩ / ⟨u, (H − z)u⟩
    return bool(
        sp.simplify(symmetric) == 0
        and sp.simplify(antisymmetric - 2 * a) == 0
        and sp.simplify(diagonal - 2 * sp.cos(tau)) == 0
    )


def _best_angle() -> bool:
    """At tan τ = y/(d − α) the slope vanishes and the value is the root, for d > α and y ≥ 0."""
    x, y = sp.symbols("x y", positive=True)
    tau = sp.symbols("tau")
    value = x * sp.cos(tau) + y * sp.sin(tau)
    best = sp.atan(y / x)
    at_best = sp.simplify(value.subs(tau, best) - sp.sqrt(x**2 + y**2))
    slope = sp.simplify(sp.diff(value, tau).subs(tau, best))
    curvature = sp.simplify(sp.diff(value, tau, 2).subs(tau, best) + sp.sqrt(x**2 + y**2))
    return bool(at_best == 0 and slope == 0 and curvature == 0)


def _least_eigenvalue() -> bool:
    p, q, s = sp.symbols("p q s", positive=True)
    least = (p + q) / 2 - sp.sqrt(((p - q) / 2) ** 2 + s**2)
    other = (p + q) / 2 + sp.sqrt(((p - q) / 2) ** 2 + s**2)
    form = sp.Matrix([[p, -s], [-s, q]])
    is_root = sp.simplify((form - least * sp.eye(2)).det()) == 0
    # The other root is positive, so the sign of the least is that of the product, p q − s².
    return bool(is_root and sp.simplify(least * other - (p * q - s**2)) == 0)


def _chain_is_exact() -> bool:
    """2 sinh η = y has the solution |Im arccos(−iy/2)|, the decay of the chain's own resolvent."""
    with mpmath.workdps(30):
        return all(
            abs(mpmath.asinh(y / 2) - abs(mpmath.acos(-0.5j * y).imag)) < mpmath.mpf(10) ** -25
            for y in (mpmath.mpf(k) / 7 for k in range(1, 30))
        )


def _gapped_chain() -> bool:
    d = sp.symbols("D", positive=True)
    return bool(sp.limit(sp.log(1 + d / 4) / sp.asinh(d / 4), d, 0) == 1)
