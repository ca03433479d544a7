"""The proof of Theorem 8 with its constants, run: majorants, norms of derivatives, the energy."""

import math

import mpmath
import numpy as np
import sympy as sp

from scc.bodyorder.explicit import explicit_rate, series
from scc.theory import _occupation_derivatives
from scc.theory._explicit_errors import tails


def derivation() -> dict[str, bool]:
    """Every step by name, True when it holds."""
    return {
        **_occupation_derivatives.derivation(),
        "T = chi_0 Phi / 2": _residual_is_response_times_defect(),
        "majorant: a Newton step leaves c L step^2 / 2": _majorant_step(),
        "majorant sequence dominates Newton's method": _majorant_dominates(),
        "its limit lies between c eps and 2 c eps": _majorant_root(),
        "c_N = c/(1 - c kappa)": _neumann(),
        "2c^2 eps L < 1 is theta N > 2 ln |J| + C": _condition(),
        "derivatives of T_k have positive expansions": _positive_expansions(),
        "derivatives of s g(s^2) of matrices": _noncommutative_chain(),
        "tails": _tails(),
        "energy difference": _energy(),
        "product rule for T_N": _product_rule(),
        "at beta = inf p does not see constants": _gauge(),
    }


def _residual_is_response_times_defect() -> bool:
    """𝒢 = g − v·p + ½q·Jq with p = ∇g, q = p − Z: −½∇𝒢 = ½χ₀(v − Jq), χ₀ = D²g."""
    x, y = sp.symbols("x y")
    a, b, c, z, w = sp.symbols("a b c z w")
    g = sp.Function("g")(x, y)
    v, J, Z = sp.Matrix([x, y]), sp.Matrix([[a, b], [b, c]]), sp.Matrix([z, w])
    p = sp.Matrix([g.diff(x), g.diff(y)])
    response = sp.hessian(g, (x, y))
    energy = g - v.dot(p) + (p - Z).dot(J * (p - Z)) / 2
    gradient = sp.Matrix([energy.diff(x), energy.diff(y)])
    defect = v - J * (p - Z)
    return bool((-gradient / 2 - response * defect / 2).expand() == sp.zeros(2, 1))


def _majorant_step() -> bool:
    """m(t) = ½cLt² − t + cε, s = t − m/m′: m(s) = ½cL(s − t)², and m′ = −(1 − cLt)."""
    t, c, L, e = sp.symbols("t c L e", positive=True)
    m = c * L * t**2 / 2 - t + c * e
    s = t - m / m.diff(t)
    step = sp.simplify(m.subs(t, s) - c * L * (s - t) ** 2 / 2)
    return bool(step == 0 and sp.expand(m.diff(t) + 1 - c * L * t) == 0)


def _majorant_dominates() -> bool:
    """Newton's steps in R⁴ from 0 against the majorant's, for maps with known c, ε, L.

    Φ(v) = r + Av + ½L v∘v in ‖·‖_∞: ‖DΦ(v) − DΦ(v′)‖ = L‖v − v′‖_∞. The scalar map with A = −1/c is
    its own majorant: equality.
    """
    rng = np.random.default_rng(8)
    for trial in range(20):
        size = 1 if trial == 0 else 4
        A = np.array([[-1.0]]) if trial == 0 else np.eye(size) + 0.2 * rng.normal(size=(4, 4))
        c = float(np.max(np.sum(np.abs(np.linalg.inv(A)), axis=1)))
        L = 0.7
        r = rng.normal(size=size)
        r *= 0.49 / (c**2 * L) / np.max(np.abs(r)) * (1.0 if trial else np.sign(r[0]))
        v, t = np.zeros(size), 0.0
        for _ in range(5):
            step = np.linalg.solve(A + L * np.diag(v), -(r + A @ v + 0.5 * L * v * v))
            rise = (0.5 * c * L * t * t - t + c * np.max(np.abs(r))) / (1.0 - c * L * t)
            if np.max(np.abs(step)) > rise + 1e-13:
                return False
            if trial == 0 and abs(np.max(np.abs(step)) - rise) > 1e-13:
                return False
            v, t = v + step, t + rise
    return True


def _majorant_root() -> bool:
    """ρ(h) = (1 − √(1−2h))/h, h = c²εL: the root is cερ, ρ(0) = 1, ρ(½) = 2, ρ′ > 0."""
    h, c, L, e = sp.symbols("h c L e", positive=True)
    root = (1 - sp.sqrt(1 - 2 * h)) / h
    t = c * e * root.subs(h, c**2 * e * L)
    zero = sp.simplify(c * L * t**2 / 2 - t + c * e) == 0
    ends = sp.limit(root, h, 0) == 1 and root.subs(h, sp.Rational(1, 2)) == 2
    # with s = √(1−2h): ρ = 2/(1+s), falling in s, s falling in h
    s = sp.symbols("s", positive=True)
    form = sp.simplify(root.subs(h, (1 - s**2) / 2).subs(sp.sqrt(s**2), s) - 2 / (1 + s)) == 0
    return bool(zero and ends and form)


def _neumann() -> bool:
    c, kappa = sp.symbols("c kappa", positive=True)
    n = sp.symbols("n", integer=True, nonnegative=True)
    ratio = sp.Rational(1, 3)  # cκ < 1: Σ c (cκ)^n
    total = sp.summation(c * ratio**n, (n, 0, sp.oo))
    return bool(sp.simplify(total - (c / (1 - c * kappa)).subs(kappa, ratio / c)) == 0)


def _condition() -> bool:
    """c_N = 2c, ε_N = 2j m e^{−θN}, L = 2jk, j = ‖J‖: 2c_N²ε_N L < 1 is θN > 2 ln j + C."""
    c, j, m, k, x = sp.symbols("c j m k x", positive=True)
    left = 2 * (2 * c) ** 2 * (2 * j * m * sp.exp(-x)) * (2 * j * k)
    constant = sp.log(32 * c**2 * m * k)
    edge = sp.simplify(sp.expand_log(sp.log(left), force=True) + x - 2 * sp.log(j) - constant)
    return bool(sp.simplify(sp.expand_log(edge, force=True)) == 0)


def _positive_expansions() -> bool:
    """T_k[x,y] = Σ_{i+j=k−1} U_i(x)(2−δ_j0)T_j(y), U_i[x,y] = 2Σ U_a(x)U_b(y), a + b = i − 1.

    Weights are positive and |T_j| ≤ 1, |U_i| ≤ i + 1 on [−1, 1], their values at 1. So the bounds
    are j! T_k[1,…,1] = T_k^{(j)}(1), k² and k²(k²−1)/3 and k²(k²−1)(k²−4)/15, whether arguments
    commute or not.
    """
    x, y = sp.symbols("x y")
    for k in range(1, 8):
        T = [sp.chebyshevt(i, x) for i in range(k + 1)]
        divided = sp.cancel((T[k] - T[k].subs(x, y)) / (x - y))
        series = sum(
            sp.chebyshevu(k - 1 - j, x) * (2 if j else 1) * sp.chebyshevt(j, y) for j in range(k)
        )
        second_kind = sp.chebyshevu(k, x)
        other = sp.cancel((second_kind - second_kind.subs(x, y)) / (x - y))
        products = 2 * sum(sp.chebyshevu(a, x) * sp.chebyshevu(k - 1 - a, y) for a in range(k))
        if sp.expand(divided - series) != 0 or sp.expand(other - products) != 0:
            return False
        if T[k].diff(x).subs(x, 1) != k**2:
            return False
        if T[k].diff(x, 2).subs(x, 1) != sp.Rational(k**2 * (k**2 - 1), 3):
            return False
        if T[k].diff(x, 3).subs(x, 1) != sp.Rational(k**2 * (k**2 - 1) * (k**2 - 4), 15):
            return False
    return True


def _noncommutative_chain() -> bool:
    """D, D², D³ of S g(S²), g(u) = u³, in a direction A that does not commute with S.

    D^j[A…A] = jA D^{j−1}g + S D^jg; D^jg by the chain rule from K = SA + AS and 2A², and K³ and
    three times (K, 2A²) in D³g.
    """
    S, A = sp.symbols("S A", commutative=False)
    t = sp.symbols("t")
    u, K, Q = S * S, S * A + A * S, 2 * A * A
    moved = sp.expand((S + t * A) * ((S + t * A) * (S + t * A)) ** 3)
    first = K * u * u + u * K * u + u * u * K
    second = Q * u * u + u * Q * u + u * u * Q + 2 * (K * K * u + K * u * K + u * K * K)
    pairs = K * Q * u + K * u * Q + u * K * Q + Q * K * u + Q * u * K + u * Q * K
    third = 6 * K * K * K + 3 * pairs
    return bool(
        sp.expand(moved.coeff(t, 1) - (A * u**3 + S * first)) == 0
        and sp.expand(2 * moved.coeff(t, 2) - (2 * A * first + S * second)) == 0
        and sp.expand(6 * moved.coeff(t, 3) - (3 * A * second + S * third)) == 0
    )


def _tails() -> bool:
    """E_j above the sums of a series, the sums of a geometric one, E₀ below its closed form."""
    holds = True
    for beta, inner, outer, degree in ((math.inf, 0.3, 2.0, 10), (5.0, 0.0, 1.5, 24)):
        q = mpmath.exp(-2 * explicit_rate(beta, inner, outer))
        a = np.abs(series(beta, inner, outer, 60)[0])  # the rest is below rounding
        m = degree // 2
        found = tails(beta, inner, outer, np.array([degree]))
        for order, total in enumerate(found):
            weight = [
                math.prod(k**2 - i**2 for i in range(order)) / (1, 1, 3, 15)[order]
                for k in range(500)
            ]
            direct = mpmath.fsum(a[k] * weight[k] for k in range(m, 61))
            geometric = mpmath.fsum(a[m] * q ** (k - m) * weight[k] for k in range(m, 500))
            holds &= direct <= total[0] * (1 + 1e-9)
            holds &= abs(total[0] / geometric - 1) < 1e-9
        holds &= bool(np.all(found[0] <= 2 * a[0] * float(q) ** m / (1 - float(q))))
    return bool(holds)


def _energy() -> bool:
    """𝒢 at solutions, Z = p* − J⁻¹v*: 𝒢_N(v*+w) − 𝒢(v*) = g_N − g − p*·w − ½ w·δp, w = Jδp.

    𝒢 at v = Jq is g − v·Z − ½ v·q. Then with p_N(v*+w) = p_N(v*) + Dw to first order the terms of
    first order in w cancel up to δ₀ = p_N(v*) − p*, for which ½ δ₀·w is left.
    """
    p = sp.Matrix(sp.symbols("p1 p2"))
    d = sp.Matrix(sp.symbols("d1 d2"))  # δp
    q = sp.Matrix(sp.symbols("q1 q2"))  # J⁻¹v*
    a, b, c, g, gN = sp.symbols("a b c g gN")
    J = sp.Matrix([[a, b], [b, c]])
    v, w, Z = J * q, J * d, p - q
    first = gN - (v + w).dot(Z) - (v + w).dot(p + d - Z) / 2
    second = g - v.dot(Z) - v.dot(p - Z) / 2
    identity = sp.expand(first - second - (gN - g - p.dot(w) - w.dot(d) / 2)) == 0
    x, e, k = sp.symbols("x e k")  # one dimension: w = x, δ₀ = e, p_N(v*+x) − p_N(v*) = kx
    expanded = (p[0] + e) * x + k * x**2 / 2 - p[0] * x - x * (e + k * x) / 2
    return bool(identity and sp.expand(expanded - e * x / 2) == 0)


def _product_rule() -> bool:
    """T = ½ p′(v) Φ(v), Φ = v − J(p(v) − Z), in one variable: T′, T″, and T′ at Φ = 0."""
    v, J, Z = sp.symbols("v J Z")
    p = sp.Function("p")(v)
    defect = v - J * (p - Z)
    T = p.diff(v) * defect / 2
    p1, p2, p3 = (p.diff(v, k) for k in (1, 2, 3))
    first = p2 * defect / 2 + p1 * (1 - J * p1) / 2
    second = p3 * defect / 2 + p2 * (1 - J * p1) - p1 * J * p2 / 2
    return bool(sp.expand(T.diff(v) - first) == 0 and sp.expand(T.diff(v, 2) - second) == 0)


def _gauge() -> bool:
    """Two levels −1, 1 and µ = 0: F(H + t) = F(H) for |t| < 1, but not beyond."""
    H = np.array([[0.0, 1.0], [1.0, 0.0]])

    def projector(shift: float) -> np.ndarray:
        levels, vectors = np.linalg.eigh(H + shift * np.eye(2))
        return np.asarray((vectors * (levels < 0.0)) @ vectors.T)

    same = np.max(np.abs(projector(0.9) - projector(0.0)))
    return bool(same < 1e-14 and np.max(np.abs(projector(1.1) - projector(0.0))) > 0.4)
