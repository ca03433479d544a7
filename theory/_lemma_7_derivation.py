"""The steps behind Lemma 7's constants, run: identities in sympy, integrals and sums in mpmath."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from scc.bodyorder.green import convergence_rate
from scc.bodyorder.spectral_set import SpectralSet, spectral_set
from scc.theory import _hermite_steps

_DIGITS = 30
_TOLERANCE = mpmath.mpf(10) ** -18


def derivation() -> dict[str, bool]:
    """Every step by name, True when it holds."""
    with mpmath.workdps(_DIGITS):
        return {
            "F = (1 - s f)/2, G = s/2 - e, e' = f/4": _even_parts(),
            "f is a sum of poles with positive weights": _pole_sum(),
            "Chebyshev series of a pole": _pole_series(),
            "|a_k| rho^k falls, a_k alternates": _coefficients_fall(),
            "mean of u^(-1/2) is 1/AGM": _mean_is_agm(),
            "rate of the symmetric set: arcosh(1+2q)/2 = arcsinh sqrt q": _rate_identity(),
            "tail sums": _tail_sums(),
            "G jumps by 2 pi i n/beta across its cuts": _hermite_steps.jump(),
            "number of poles passed is at most beta y/pi": _hermite_steps.poles_passed(),
            "Hermite's formula on the cuts": _hermite_steps.on_cuts(),
            "Hermite's formula on a line through the gap": _hermite_steps.in_gap(),
            "|omega| grows along the lines": _hermite_steps.omega_grows(),
            "Re w >= (y + sqrt g- sqrt g+)/sqrt 2": _real_part(),
            "quadratic map of two intervals": _quadratic_map(),
            "leading term of theta for comparable gaps": _leading_term(),
            "at a band edge theta is not of the order 1/beta": _band_edge(),
        }


def _even_parts() -> bool:
    """In x with s = 2x/β: F = (1 − tanh x)/2, and G, e as functions of s > 0."""
    s, beta = sp.symbols("s beta", positive=True)
    e = sp.log(2 * sp.cosh(beta * s / 2)) / beta
    f = sp.tanh(beta * s / 2) / s
    fermi = 1 / (1 + sp.exp(beta * s))
    grand = -sp.log(1 + sp.exp(-beta * s)) / beta
    steps = [
        (fermi - (1 - s * f) / 2).rewrite(sp.exp),
        sp.diff(e, s) / (2 * s) - f / 4,  # d/du = (1/2s) d/ds
        sp.diff(grand - s / 2 + e, s).rewrite(sp.exp),
        (grand - s / 2 + e).subs(beta * s, sp.log(2)).subs(s, sp.log(2) / beta),
    ]
    return all(sp.simplify(sp.expand_log(sp.simplify(step), force=True)) == 0 for step in steps)


def _pole_sum() -> bool:
    beta = mpmath.mpf(3)

    def poles(u: Any) -> Any:
        return mpmath.nsum(
            lambda j: 4 / beta / (u + ((2 * j + 1) * mpmath.pi / beta) ** 2), [0, mpmath.inf]
        )

    def spread(u: Any) -> Any:  # ∫ ds/(π √s (u+s)) with s = t²
        return mpmath.quad(lambda t: 2 / (mpmath.pi * (u + t * t)), [0, 1, mpmath.inf])

    points = [mpmath.mpf(1) / 7, mpmath.mpf(2)]
    warm = [poles(u) - mpmath.tanh(beta * mpmath.sqrt(u) / 2) / mpmath.sqrt(u) for u in points]
    cold = [spread(u) - 1 / mpmath.sqrt(u) for u in points]
    return all(abs(difference) < mpmath.mpf(10) ** -10 for difference in warm + cold)


def _pole_series() -> bool:
    """(2/√(ζ²−1)) (½ + Σ_{k≥1} w^{−k} T_k(y)) = 1/(ζ − y), ζ = (w+1/w)/2, y = (v+1/v)/2."""
    v, w = sp.symbols("v w", positive=True)
    geometric = sp.Rational(1, 2) + (v / w / (1 - v / w) + 1 / (v * w) / (1 - 1 / (v * w))) / 2
    root = (w - 1 / w) / 2
    difference = 2 / root * geometric - 1 / ((w + 1 / w) / 2 - (v + 1 / v) / 2)
    return bool(sp.simplify(difference) == 0)


def _coefficients_fall() -> bool:
    inner, outer = mpmath.mpf(1) / 5, mpmath.mpf(2)
    holds = True
    for beta in (mpmath.mpf(2), mpmath.mpf(30), mpmath.inf):
        pole = mpmath.pi / beta
        theta = mpmath.asinh(mpmath.sqrt((inner**2 + pole**2) / (outer**2 - inner**2)))
        a = _chebyshev(_f(beta), inner**2, outer**2, 12)
        scaled = [(-1) ** k * c * mpmath.exp(2 * theta * k) for k, c in enumerate(a)]
        scaled[0] *= 2
        holds &= all(
            0 < later <= earlier * (1 + mpmath.mpf(10) ** -9) for earlier, later in pairwise(scaled)
        )
    return bool(holds)


def _f(beta: Any) -> Callable[[Any], Any]:
    if mpmath.isinf(beta):
        return lambda u: 1 / mpmath.sqrt(u)
    return lambda u: mpmath.tanh(beta * mpmath.sqrt(u) / 2) / mpmath.sqrt(u)


def _chebyshev(function: Callable[[Any], Any], low: Any, high: Any, count: int) -> list[Any]:
    """Coefficients by a 400-point rule: aliasing e^{−2θ·400}."""
    order = 400
    angles = [mpmath.pi * (2 * j + 1) / (2 * order) for j in range(order)]
    values = [function((low + high) / 2 + (high - low) / 2 * mpmath.cos(x)) for x in angles]
    found = []
    for k in range(count):
        total = mpmath.fsum(
            value * mpmath.cos(k * x) for value, x in zip(values, angles, strict=True)
        )
        found.append((1 if k == 0 else 2) * total / order)
    return found


def _mean_is_agm() -> bool:
    inner, outer = mpmath.mpf(1) / 3, mpmath.mpf(5) / 4
    mean = _chebyshev(_f(mpmath.inf), inner**2, outer**2, 1)[0]
    return bool(abs(mean - 1 / mpmath.agm(inner, outer)) < _TOLERANCE)


def _rate_identity() -> bool:
    q, a, b, y = sp.symbols("q a b y", positive=True)
    doubled = sp.simplify(sp.expand(1 + 2 * sp.sinh(sp.asinh(sp.sqrt(q))) ** 2 - (1 + 2 * q)))
    zeta = (a**2 + b**2 + 2 * y**2) / (a**2 - b**2)
    pole = sp.simplify(zeta - (1 + 2 * (b**2 + y**2) / (a**2 - b**2)))
    return bool(doubled == 0 and pole == 0)


def _tail_sums() -> bool:
    """Σ_{k>n} q^k, and k/(k²−1) = (1/(k+1) + 1/(k−1))/2, of ∫T_k, falling in k."""
    n, j, k = sp.symbols("n j k", positive=True, integer=True)
    q = sp.Rational(2, 7)
    tail = sp.summation(q ** (n + 1 + j), (j, 0, sp.oo))
    geometric = sp.simplify(tail - q ** (n + 1) / (1 - q)) == 0
    y = sp.symbols("y")
    integrals = all(
        sp.expand(
            sp.diff(
                sp.chebyshevt(m + 1, y) / (2 * (m + 1)) - sp.chebyshevt(m - 1, y) / (2 * (m - 1)), y
            )
            - sp.chebyshevt(m, y)
        )
        == 0
        for m in (2, 3, 7)
    )
    size = sp.simplify(1 / (2 * (k + 1)) + 1 / (2 * (k - 1)) - k / (k**2 - 1)) == 0
    return bool(geometric and integrals and size)


def _real_part() -> bool:
    """(Re w)² = (|w²| + Re w²)/2 ≥ Re w² = g₋g₊ + y², and 2(P² + y²) − (P + y)² = (P − y)²."""
    below, above, y, P = sp.symbols("below above y P", nonnegative=True)
    square = sp.expand((below + sp.I * y) * (above - sp.I * y))
    real, imaginary = sp.re(square), sp.im(square)
    excess = sp.expand(real**2 + imaginary**2 - real**2 - (y * (below - above)) ** 2)
    return bool(
        sp.simplify(real - (below * above + y**2)) == 0
        and sp.simplify(excess) == 0
        and sp.expand(2 * (P**2 + y**2) - (P + y) ** 2 - (P - y) ** 2) == 0
    )


def _quadratic_map() -> bool:
    """U = (x−b)(x−a): at µ + iy it is −w², at the middle of the gap −g²/4; U_max = A_c² − g²/4."""
    mu, y, below, above, outer = sp.symbols("mu y below above outer", positive=True)

    def quadratic(x: Any) -> Any:
        return (x - (mu - below)) * (x - (mu + above))

    middle = mu + (above - below) / 2
    minus_square = -(below + sp.I * y) * (above - sp.I * y)
    conjugate = -(below - sp.I * y) * (above + sp.I * y)
    at_pole = sp.expand(quadratic(mu + sp.I * y))
    gap = below + above
    return bool(
        sp.simplify(at_pole - minus_square) == 0
        and sp.simplify(sp.conjugate(minus_square) - conjugate) == 0
        and sp.simplify(quadratic(middle) + gap**2 / 4) == 0
        and sp.simplify(quadratic(middle + outer) - (outer**2 - gap**2 / 4)) == 0
    )


def _leading_term() -> bool:
    """θ → Re w/√((µ−a)(b−µ)) with corrections of the order of the scale."""
    mu, ratios = 0.1, []
    for scale in (1e-2, 1e-3, 1e-4):
        below, above, beta = 0.5 * scale, 1.5 * scale, 2.0 / scale
        theta = convergence_rate(spectral_set(-1.0, 1.0, mu, below, above), beta, mu)
        w = np.sqrt(complex(below, math.pi / beta) * complex(above, -math.pi / beta))
        ratios.append(theta * math.sqrt((mu + 1.0) * (1.0 - mu)) / w.real)
    return all(
        abs(ratio - 1.0) < 10 * scale
        for ratio, scale in zip(ratios, (1e-2, 1e-3, 1e-4), strict=True)
    )


def _band_edge() -> bool:
    """µ at the edge b₁ of a band beside a gap: θ√β tends to a constant, θβ does not."""
    X = SpectralSet(((-1.0, 0.1), (0.6, 1.0)))
    theta = [convergence_rate(X, beta, 0.1) for beta in (1e4, 1e6)]
    return abs(theta[0] / theta[1] / 10.0 - 1.0) < 0.02
