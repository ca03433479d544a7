"""The steps of Lemma 11's proof, running: Daleckii–Krein, both bounds, β → ∞, the rank-one term."""

from collections.abc import Callable

import sympy as sp


def derivative_of_power(k: int, hamiltonian: sp.Matrix, direction: sp.Matrix) -> sp.Matrix:
    """d/dt (H + tW)^k at t = 0, by the product rule."""
    n = hamiltonian.shape[0]
    total = sp.zeros(n, n)
    for i in range(k):
        total += hamiltonian**i * direction * hamiltonian ** (k - 1 - i)
    return total


def divided_differences_hold() -> bool:
    """D(H^k)[W]_ij = (x^k)[λ_i, λ_j] W_ij on 3×3 matrices for k ≤ 5.

    Polynomials of degree 5 take any values and slopes at three levels, and DF(H) depends on nothing
    else: this is the formula for every differentiable F.
    """
    x = sp.symbols("lambda1:4")
    H = sp.diag(*x)
    W = sp.Matrix(3, 3, lambda i, j: sp.Symbol(f"w{min(i, j)}{max(i, j)}"))
    for k in range(6):
        left = derivative_of_power(k, H, W)
        for i in range(3):
            for j in range(3):
                divided = sp.cancel((x[i] ** k - x[j] ** k) / (x[i] - x[j])) if i != j else 0
                if i == j:
                    divided = sp.diff(x[i] ** k, x[i])
                if sp.expand(left[i, j] - divided * W[i, j]) != 0:
                    return False
    return True


def steps() -> dict[str, bool]:
    """Daleckii–Krein; the two bounds; β → ∞; the rank-one term."""
    found = {"DF(H)[W]_ij = F[λ_i, λ_j] W_ij": divided_differences_hold()}
    # With s = e^{βx/2}, t = e^{βy/2} (µ = 0) everything is rational.
    s, t, b, z = sp.symbols("s t beta z", positive=True)
    F: Callable[[sp.Expr], sp.Expr] = lambda r: 1 / (1 + r**2)  # noqa: E731
    slope: Callable[[sp.Expr], sp.Expr] = lambda r: b * F(r) * (1 - F(r))  # noqa: E731
    sinh = (s / t - t / s) / 2
    # −F[x,y] (x−y) = 2/β · √(F′(x)F′(y)) sinh(β(x−y)/2)
    geometric = b * F(s) * F(t) * s * t
    found["√(F′(x)F′(y)) is the factor of sinh"] = (
        sp.simplify(geometric**2 - slope(s) * slope(t)) == 0
        and sp.simplify(F(t) - F(s) - 2 / b * geometric * sinh) == 0
    )
    found["sinh z ≥ z: (sinh z − z)′ = 2 sinh²(z/2)"] = (
        sp.simplify((sp.diff(sp.sinh(z) - z, z) - 2 * sp.sinh(z / 2) ** 2).rewrite(sp.exp)) == 0
        and (sp.sinh(z) - z).subs(z, 0) == 0
    )
    r = sp.symbols("r", positive=True)
    # d/dx = (β/2) r d/dr: −F′ rises while F > ½ and falls after; its maximum is β/4.
    found["−F′ is unimodal about µ with maximum β/4"] = (
        sp.simplify(b / 2 * r * sp.diff(slope(r), r) - b * slope(r) * (2 * F(r) - 1)) == 0
        and sp.simplify(slope(r).subs(r, 1) - b / 4) == 0
    )
    # The mean over [x, y] ⊃ [a, c] from the means over the three parts, weights adding up to one.
    x, a, c, y, fx, fa, fc, fy = sp.symbols("x a c y f_x f_a f_c f_y")
    means = [(fx - fa) / (a - x), (fa - fc) / (c - a), (fc - fy) / (y - c)]
    weights = [(a - x) / (y - x), (c - a) / (y - x), (y - c) / (y - x)]
    combined = sum(w * m for w, m in zip(weights, means, strict=True))
    found["across the gap: a convex combination of three means"] = (
        sp.simplify(combined - (fx - fy) / (y - x)) == 0 and sp.simplify(sum(weights) - 1) == 0
    )
    found["β → ∞: F is constant on either side of µ, −F[x,y] = 1/(y − x) across"] = (
        _zero_temperature_limits()
    )
    found |= _canonical_steps()
    return found


def _zero_temperature_limits() -> bool:
    b, d, e = sp.symbols("beta d e", positive=True)
    occupied = sp.limit(1 / (1 + sp.exp(-b * d)), b, sp.oo)  # at µ − d, or further below
    empty = sp.limit(1 / (1 + sp.exp(b * d)), b, sp.oo)
    across = (occupied - empty) / (d + e)
    return bool(occupied == 1 and empty == 0 and sp.simplify(across - 1 / (d + e)) == 0)


def _canonical_steps() -> dict[str, bool]:
    """Π in the eigenbasis of a 3×3 H, with free numbers f_ij for −F[λ_i, λ_j]."""
    f = sp.Matrix(3, 3, lambda i, j: sp.Symbol(f"f{min(i, j)}{max(i, j)}", positive=True))
    A = sp.Matrix(3, 3, lambda i, j: sp.Symbol(f"a{min(i, j)}{max(i, j)}"))
    total = sum(f[i, i] for i in range(3))

    def pairing(left: sp.Matrix, right: sp.Matrix) -> sp.Expr:
        return sum(left[i, j] * right[i, j] for i in range(3) for j in range(3))

    def minus_df(X: sp.Matrix) -> sp.Matrix:
        return sp.Matrix(3, 3, lambda i, j: f[i, j] * X[i, j])

    mean = sum(f[i, i] * A[i, i] for i in range(3)) / total
    projected = A - mean * sp.eye(3)
    form = pairing(A, minus_df(projected))
    rank_one = pairing(A, minus_df(A)) - (mean * total) ** 2 / total
    identity = {A[i, j]: int(i == j) for i in range(3) for j in range(i, 3)}
    longer = pairing(projected, projected) - pairing(A, A) - 3 * mean**2 + 2 * mean * A.trace()
    return {
        "canonical: ⟨A, DF ΠA⟩ = ⟨ΠA, DF ΠA⟩": sp.simplify(
            form - pairing(projected, minus_df(projected))
        )
        == 0,
        "canonical: −DF_N = −DF − F′⊗F′/|Tr F′|": sp.simplify(form - rank_one) == 0,
        "canonical: constants are mapped to 0": sp.simplify(minus_df(projected).subs(identity))
        == sp.zeros(3, 3),
        "trace-free: ‖ΠA‖² = ‖A‖² + n (mean)²": sp.simplify(longer) == 0,
    }
