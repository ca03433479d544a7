"""The steps of Remark 12, running: Gram matrices, perturbations, theta functions, lost digits."""

import math

import mpmath
import numpy as np
import sympy as sp

from scc.basis.hermite import bilinear_form, gaussian_kernel
from scc.basis.three_centre import PotentialFunction, potential_functions


def steps() -> dict[str, bool]:
    """Each True when it holds."""
    return {
        "π = Sv̂; S⁻¹π is the best approximation of V": _best_approximation(),
        "‖δV‖² = δπᵀS⁻¹δπ, extremes on eigenvectors": _perturbation(),
        "overlap of two Gaussians is e^{−ar²/2} of its norm": _gaussian_overlap(),
        "the integrals in code are those": _code_overlap(),
        "erf(τr)/r is a mixture of Gaussians": _mixture(),
        "Σ q^{n²}cos nω is a product that increases with cos ω": _triple_product(),
        "finite chains stay between θ₄ and θ₃": _finite_chains(),
        "κ → ½ exp(π²/2ab²)": _asymptotics(),
        "rounding π to double loses log₁₀ κ digits of v̂, half of them of V": _lost_digits(),
    }


def _gram(symbol: sp.Symbol) -> sp.Matrix:
    return sp.Matrix([[1, symbol], [symbol, 1]])


def _best_approximation() -> bool:
    s, v1, v2, p1, p2, norm = sp.symbols("s v1 v2 p1 p2 norm", real=True)
    S, v, p = _gram(s), sp.Matrix([v1, v2]), sp.Matrix([p1, p2])  # p_i = ⟨V, Ξ_i⟩
    distance = norm - 2 * (p.T * v)[0] + (v.T * S * v)[0]
    found = sp.solve([sp.diff(distance, v1), sp.diff(distance, v2)], [v1, v2])
    best = sp.Matrix([found[v1], found[v2]])
    return bool(sp.simplify(S * best - p) == sp.zeros(2, 1))


def _perturbation() -> bool:
    s, d1, d2 = sp.symbols("s d1 d2", real=True)
    S, change = _gram(s), sp.Matrix([d1, d2])
    coefficients = S.inv() * change
    size = sp.simplify((coefficients.T * S * coefficients)[0] - (change.T * S.inv() * change)[0])
    low = sp.simplify(coefficients.subs({d1: 1, d2: -1}) * (1 - s)) == sp.Matrix([1, -1])
    high = sp.simplify(coefficients.subs({d1: 1, d2: 1}) * (1 + s)) == sp.Matrix([1, 1])
    return bool(size == 0 and low and high)


def _gaussian_overlap() -> bool:
    x = sp.symbols("x", real=True)
    a, r = sp.symbols("a r", positive=True)
    along = sp.integrate(sp.exp(-a * x**2 - a * (x - r) ** 2), (x, -sp.oo, sp.oo))
    return bool(sp.simplify(along / along.subs(r, 0) - sp.exp(-a * r**2 / 2)) == 0)


def _code_overlap() -> bool:
    positions = np.array([[0.0, 0.0, 0.0], [0.7, -0.4, 1.1]])
    a, squared = 0.37, 0.7**2 + 0.4**2 + 1.1**2
    expansion = potential_functions(positions, (PotentialFunction(0, a),))[0]
    found = bilinear_form(gaussian_kernel, expansion, expansion)
    norm = (math.pi / (2 * a)) ** 1.5
    expected = norm * np.array([[1.0, math.exp(-a * squared / 2)], [math.exp(-a * squared / 2), 1]])
    return bool(np.allclose(found, expected, rtol=1e-13, atol=0.0))


def _mixture() -> bool:
    t, r, tau = sp.symbols("t r tau", positive=True)
    integral = 2 / sp.sqrt(sp.pi) * sp.integrate(sp.exp(-(t**2) * r**2), (t, 0, tau))
    return bool(sp.simplify(integral - sp.erf(tau * r) / r) == 0)


def _triple_product() -> bool:
    """Jacobi: Σ q^{n²}e^{inω} = Π (1−q^{2n})(1 + 2q^{2n−1}cos ω + q^{4n−2}), each factor positive
    and increasing in cos ω, so the extremes are at ω = 0 and π: θ₃ and θ₄."""
    with mpmath.workdps(30):
        for q in (mpmath.mpf("0.1"), mpmath.mpf("0.5"), mpmath.mpf("0.8")):
            for omega in (0, 1, 2, mpmath.pi):
                product = mpmath.mpf(1)
                for n in range(1, 400):
                    product *= 1 - q ** (2 * n)
                    product *= 1 + 2 * q ** (2 * n - 1) * mpmath.cos(omega) + q ** (4 * n - 2)
                if abs(_symbol(q, omega) - product) > mpmath.mpf(10) ** -20:
                    return False
            ends = mpmath.jtheta(3, 0, q), mpmath.jtheta(4, 0, q)
            sums = _symbol(q, 0), _symbol(q, mpmath.pi)
            if max(abs(a - b) for a, b in zip(ends, sums, strict=True)) > mpmath.mpf(10) ** -20:
                return False
    return True


def _symbol(q: mpmath.mpf, omega: mpmath.mpf) -> mpmath.mpf:
    """Σ_n q^{n²} cos nω; at q ≤ 0.8 the terms beyond 60 are below 1e-300."""
    return 1 + 2 * mpmath.fsum(q ** (n**2) * mpmath.cos(n * omega) for n in range(1, 61))


def _chain(exponent: float, atoms: int) -> mpmath.matrix:
    """S of e^{−a|x|²} on a chain of unit spacing, in the working precision."""
    q = mpmath.exp(-mpmath.mpf(exponent) / 2)
    return mpmath.matrix([[q ** ((i - j) ** 2) for j in range(atoms)] for i in range(atoms)])


def _finite_chains() -> bool:
    with mpmath.workdps(40):
        for exponent in (0.4, 1.0, 3.0):
            q = mpmath.exp(-mpmath.mpf(exponent) / 2)
            levels = mpmath.eigsy(_chain(exponent, 16), eigvals_only=True)
            low, high = mpmath.jtheta(4, 0, q), mpmath.jtheta(3, 0, q)
            if not (low <= min(levels) and max(levels) <= high):
                return False
    return True


def _asymptotics() -> bool:
    with mpmath.workdps(130):  # the deviation is 1e-86 at the last, θ₄ itself 1e-21
        for exponent in (mpmath.mpf("0.5"), mpmath.mpf("0.2"), mpmath.mpf("0.1")):
            q = mpmath.exp(-exponent / 2)
            ratio = mpmath.jtheta(3, 0, q) / mpmath.jtheta(4, 0, q)
            predicted = mpmath.exp(mpmath.pi**2 / (2 * exponent)) / 2
            # The next term of θ₃/θ₂ of the conjugate nome e^{−2π²/a} is a factor 1 + 2e^{−2π²/a}.
            if abs(ratio / predicted - 1) > 3 * mpmath.exp(-2 * mpmath.pi**2 / exponent):
                return False
    return True


def _lost_digits() -> bool:
    """Chain of 20, ab² = 0.35, v̂ = 1: π rounded to double, everything else in 60 digits."""
    with mpmath.workdps(60):
        S = _chain(0.35, 20)
        levels = mpmath.eigsy(S, eigvals_only=True)
        kappa = max(levels) / min(levels)
        v = mpmath.matrix([1] * 20)
        projections = S * v
        rounded = mpmath.matrix([mpmath.mpf(float(p)) for p in projections])
        change = mpmath.lu_solve(S, rounded) - v
        given = mpmath.norm(rounded - projections) / mpmath.norm(projections)
        in_coefficients = mpmath.norm(change) / mpmath.norm(v) / given
        size = mpmath.sqrt((v.T * S * v)[0])
        in_potential = mpmath.sqrt((change.T * S * change)[0]) / size / given
        # Random roundings have a tenth of their length and more along the least eigenvector.
        root = mpmath.sqrt(kappa)
        return bool(kappa / 100 < in_coefficients <= kappa and root / 100 < in_potential <= root)
