r"""The checker's own integrals: 1/r as a mixture of Gaussians.

Nothing here comes from the prover's integrals. With 1/r = (2/√π)∫₀^∞ e^{−u²r²} du and
τ = t² = u²/(u²+ρ), ρ = pq/(p+q), the two-electron integral of polynomials f(x−P) e^{−p(x−P)²} and
g(y−Q) e^{−q(y−Q)²} is

    2π^{5/2}/(pq√(p+q)) ∫₀¹ e^{−ρ|P−Q|²t²} E_τ[f(X) g(Y)] dt = … Σ_k e_k F_k(ρ|P−Q|²),

where each component of (X, Y) is Gaussian with moments linear in τ (v = q/(p+q), R = P−Q)

    E X = −vRτ,  E Y = (1−v)Rτ,  cov XX = (1−vτ)/2p,  cov YY = (1−(1−v)τ)/2q,  cov XY = τ/2(p+q),

so that E_τ is a polynomial Σ e_k τ^k, found by E[X f] = E X E f + Σ cov ∂f (Stein). q = ∞ is a
point. This is Rys quadrature with the polynomials kept.

Reference: H. F. King, M. Dupuis, J. Comput. Phys. 21, 144 (1976).
"""

from __future__ import annotations

from itertools import product

import flint
from flint import arb, arb_poly

from scc.certify.failure import RefusedError

Monomial = tuple[int, int, int]
Poly = dict[Monomial, arb]
Vector = list[arb]


def boys(order: int, t: arb) -> list[arb]:
    """F_0 … F_order: above T = 2 by erf and upwards, below by Σ_k e^{−T}(2T)^k/(2n+1)…(2n+2k+1)."""
    if not t.is_finite():
        raise RefusedError("an integral has no finite argument")
    decay = (-t).exp()
    if t > 2:
        values = [(arb.pi() / t).sqrt() * t.sqrt().erf() / 2]
        for n in range(order):
            values.append(((2 * n + 1) * values[n] - decay) / (2 * t))
        return values
    if not abs(t) < 100:  # the sum would have as many terms as that
        raise RefusedError(f"an integral is hardly known: argument {t.str(3)}")
    term, total, k = arb(1) / (2 * order + 1), arb(0), 0
    tiny = arb(2) ** -flint.ctx.prec
    while not (abs(term) < tiny and 4 * t < 2 * order + 2 * k + 3):
        total, k = total + term, k + 1
        term = term * 2 * t / (2 * order + 2 * k + 1)
    # From here on each term is less than half the one before: together less than twice this one.
    values = [decay * (total + arb(0, abs(term).upper() * 2))]
    for n in range(order - 1, -1, -1):
        values.append((2 * t * values[-1] + decay) / (2 * n + 1))
    return values[::-1]


def interaction(
    p: arb, at: Vector, s: arb, other: Vector, left: int, right: int
) -> dict[tuple[Monomial, Monomial], arb]:
    """∫₀¹ e^{−ρR²t²} E_τ[X^m Y^n] dt for |m| ≤ left, |n| ≤ right; s = 1/q."""
    v = 1 / (1 + p * s)
    separation = [x - y for x, y in zip(at, other, strict=True)]
    squared = sum((r * r for r in separation), arb(0))
    values = boys(left + right, p * v * squared)
    zero = (0, 0, 0)
    if left <= 1 and right == 0:  # a short cut: E 1 = 1 and E X = −vRτ
        found = {(zero, zero): values[0]}
        for axis in range(3 * left):
            found[unit_monomial(axis), zero] = -v * separation[axis] * values[1]
        return found
    xx, yy = _line(1 / (2 * p), -v / (2 * p)), _line(s / 2, -p * s * s * v / 2)
    xy = _line(arb(0), s * v / 2)
    tables = []
    for r in separation:
        x, y = _line(arb(0), -v * r), _line(arb(0), p * s * v * r)
        g = {(0, 0): arb_poly([1])}
        for k in range(right + 1):
            if k:
                g[0, k] = y * g[0, k - 1] + (yy * g[0, k - 2] * (k - 1) if k > 1 else 0)
            for j in range(1, left + 1):
                value = x * g[j - 1, k]
                if j > 1:
                    value += xx * g[j - 2, k] * (j - 1)
                if k:
                    value += xy * g[j - 1, k - 1] * k
                g[j, k] = value
        tables.append(g)
    found = {}
    for m, n in product(_monomials(left), _monomials(right)):
        e = tables[0][m[0], n[0]] * tables[1][m[1], n[1]] * tables[2][m[2], n[2]]
        found[m, n] = sum((c * f for c, f in zip(e.coeffs(), values, strict=False)), arb(0))
    return found


def _line(constant: arb, slope: arb) -> arb_poly:
    return arb_poly([constant, slope])


def _monomials(degree: int) -> list[tuple[int, int, int]]:
    return [m for m in product(range(degree + 1), repeat=3) if sum(m) <= degree]  # type: ignore[misc]


def unit_monomial(axis: int) -> tuple[int, int, int]:
    return (int(axis == 0), int(axis == 1), int(axis == 2))


def times(f: Poly, g: Poly) -> Poly:
    result: Poly = {}
    for (m, c), (n, d) in product(f.items(), g.items()):
        accumulate(result, {(m[0] + n[0], m[1] + n[1], m[2] + n[2]): c * d})
    return result


def slope(f: Poly, a: arb, axis: int) -> Poly:
    """g with ∂(f e^{−ax²}) = g e^{−ax²}."""
    result = times(f, {unit_monomial(axis): -2 * a})
    for m, c in f.items():
        if m[axis]:
            lower = list(m)
            lower[axis] -= 1
            accumulate(result, {(lower[0], lower[1], lower[2]): c * m[axis]})
    return result


def laplacian(f: Poly, a: arb) -> Poly:
    result: Poly = {}
    for axis in range(3):
        accumulate(result, slope(slope(f, a, axis), a, axis))
    return result


def accumulate(target: Poly, f: Poly, factor: arb | int = 1) -> None:
    for m, c in f.items():
        target[m] = target.get(m, arb(0)) + factor * c
