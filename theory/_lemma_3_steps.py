"""The steps of Lemma 3's proof, running: gradient, convexity, best approximation; and what fails.

Polynomials stand for F and G: an identity that sees values and derivatives at finitely many levels
holds for every smooth function if it holds for the polynomials that can take any of them.
"""

from collections.abc import Sequence
from itertools import pairwise

import mpmath
import numpy as np
import sympy as sp

from scc.theory._lemma_11_steps import derivative_of_power
from scc.theory.spectral_identities import entropy, entropy_slope_identity


def steps() -> dict[str, bool]:
    """Each True when it holds."""
    found = {"(a) ∂𝒢/∂v̂ = 2⟨DF(H)[W], V − v⟩": gradient_identity()}
    found["(a) D²F[A,A]_ij = 2 Σ_k F[λ_i,λ_k,λ_j] A_ik A_kj"] = _second_derivative_holds()
    p, b, z = sp.symbols("p beta z", positive=True)
    convexity = sp.simplify(sp.diff(entropy(p), p, 2) - 1 / (p * (1 - p)))
    found["(b) Gibbs: S convex, stationary where S′/β = −(x − µ)"] = (
        convexity == 0 and entropy_slope_identity() == 0
    )
    found["(b) S′ is infinite at both ends: γ* is interior"] = (
        sp.limit(sp.diff(entropy(p), p), p, 0, "+") == -sp.oo
        and sp.limit(sp.diff(entropy(p), p), p, 1, "-") == sp.oo
    )
    F = 1 / (1 + z)
    found["(b) 0 ≤ −G″ = βF(1−F) ≤ β/4"] = (
        sp.simplify(b / 4 - b * F * (1 - F) - b * (F - sp.Rational(1, 2)) ** 2) == 0
    )
    found |= _best_approximation_steps() | _no_minimiser() | _not_aufbau()
    return found


def gradient_identity(entropy_form: bool = False, extra_term: bool = True) -> bool:
    """d𝒢/dv̂ on two sites for a generic polynomial G of degree 5, F = G′, and any J, Z.

    Values, first and second derivatives at two levels are all that the identity sees of G, and a
    polynomial of degree 5 takes any: the identity for every G. ``entropy_form``: instead of
    2Tr[G(H) − vF(H)] take 2Tr[(H⁰−µ)F(H)], which at β = ∞ is (3.4); the gradient then has the
    additional term 2Tr[(H−µ)F′(H)W] (Lemma 6), left out without ``extra_term``.
    """
    # Six random rational points, exactly evaluated: both sides are polynomials in thirteen numbers,
    # and two different ones agree at a random point with probability zero.
    rng = np.random.default_rng(0)
    return all(_gradients_agree(rng, entropy_form, extra_term) for _ in range(6))


def _gradients_agree(rng: np.random.Generator, entropy_form: bool, extra_term: bool) -> bool:
    drawn = zip(rng.integers(-97, 97, 16), rng.integers(1, 23, 16), strict=True)
    v1, v2, e1, e2, h, mu, j1, j2, j3, z1, z2, *f = (
        sp.Rational(int(top), int(bottom)) for top, bottom in drawn
    )
    s = sp.symbols("s")
    g = [sp.Integer(1), *(c / k for k, c in enumerate(f, start=1))]  # G = 1 + Σ f_k xᵏ/k
    J, Z = sp.Matrix([[j1, j2], [j2, j3]]), sp.Matrix([z1, z2])
    free, v, W = sp.Matrix([[e1, h], [h, e2]]), sp.diag(v1 + s, v2), sp.diag(1, 0)
    H = free + v
    powers = [sp.eye(2)]
    for _ in range(5):
        powers.append((powers[-1] * H).applyfunc(sp.expand))

    def combine(coefficients: Sequence[sp.Expr]) -> sp.Matrix:
        terms = (c * P for c, P in zip(coefficients, powers, strict=False))
        return sum(terms, sp.zeros(2, 2))

    occupied = combine(f)
    p = sp.Matrix([2 * occupied[0, 0], 2 * occupied[1, 1]])
    energy = ((p - Z).T * J * (p - Z))[0] / 2
    shifted = free - mu * sp.eye(2)
    if entropy_form:
        energy += 2 * (shifted * occupied).trace()
    else:
        energy += 2 * (combine(g) - v * occupied).trace()
    left = sp.diff(sp.expand(energy), s).subs(s, 0)
    H0 = H.subs(s, 0)
    difference = (sp.diag(*(J * (p - Z))) - v).subs(s, 0)
    response = sp.zeros(2, 2)
    for k in range(1, 5):
        response += f[k] * derivative_of_power(k, H0, W)
    right = 2 * (response * difference).trace()
    if entropy_form and extra_term:
        slope = combine([k * f[k] for k in range(1, 5)]).subs(s, 0)
        right += 2 * ((H0 - mu * sp.eye(2)) * slope * W).trace()
    return bool(sp.expand(left - right) == 0)


def _second_derivative_holds() -> bool:
    """On 2×2 matrices and powers up to 6: values up to second derivatives at two levels."""
    x = sp.symbols("x y")
    t = sp.symbols("t")
    A = sp.Matrix(2, 2, sp.symbols("a b b c"))
    H = sp.diag(*x) + t * A
    power = sp.eye(2)
    u, v, w = sp.symbols("u v w")
    for k in range(1, 7):
        power = (power * H).applyfunc(sp.expand)
        # x^k[u,v,w]: complete homogeneous polynomial of degree k − 2.
        divided = sum(
            u**i * v**j * w ** (k - 2 - i - j) for i in range(k - 1) for j in range(k - 1 - i)
        )
        for i in range(2):
            for j in range(2):
                right = 2 * sum(
                    sp.sympify(divided).subs({u: x[i], v: x[m], w: x[j]}, simultaneous=True)
                    * A[i, m]
                    * A[m, j]
                    for m in range(2)
                )
                if sp.expand(2 * power[i, j].coeff(t, 2) - right) != 0:
                    return False
    return True


def _best_approximation_steps() -> dict[str, bool]:
    """(c) for two features and symmetric weights f_ij = −F[λ_i, λ_j] on 2×2 matrices."""
    f = sp.Matrix(2, 2, sp.symbols("f11 f12 f12 f22", positive=True))
    W = [sp.Matrix(2, 2, sp.symbols(f"{n}11 {n}12 {n}12 {n}22")) for n in ("w", "u")]
    V = sp.Matrix(2, 2, sp.symbols("V11 V12 V12 V22"))
    here, d = sp.symbols("p0:2"), sp.symbols("d0:2")

    def pairing(A: sp.Matrix, B: sp.Matrix) -> sp.Expr:
        return sum(f[i, j] * A[i, j] * B[i, j] for i in range(2) for j in range(2))

    error = here[0] * W[0] + here[1] * W[1] - V
    step = d[0] * W[0] + d[1] * W[1]
    T = [-pairing(w, error) for w in W]  # ⟨DF[W], v − V⟩
    expanded = pairing(error, error) - 2 * (T[0] * d[0] + T[1] * d[1]) + pairing(step, step)
    identity = sp.expand(pairing(error + step, error + step) - expanded)
    slope = sp.expand(sp.diff(pairing(error, error), here[0]) + 2 * T[0])
    return {"(c) ‖v(ŵ)−V‖² = ‖v−V‖² − 2T·d + ‖v(d)‖², slope −2T": identity == 0 and slope == 0}


def _no_minimiser() -> dict[str, bool]:
    """𝒢(v̂) for H⁰ = σ_x, W = σ_z, linear E with V = −2σ_x, one pair of electrons, µ = 0.

    Exactly at β = ∞; at β = 20 the entropy adds what decays exponentially, while 𝒢 ~ 2/v̂.
    """
    v = sp.symbols("v", real=True)
    root = sp.sqrt(1 + v**2)
    H = sp.Matrix([[v, 1], [1, -v]])
    gamma = (sp.eye(2) - H / root) / 2  # projector on the level −root
    energy = sp.simplify(2 * (sp.Matrix([[0, -1], [-1, 0]]) * gamma).trace())
    is_state = sp.simplify(gamma**2 - gamma) == sp.zeros(2) and sp.simplify(
        H * gamma + root * gamma
    ) == sp.zeros(2)
    exact = is_state and sp.simplify(energy - 2 / root) == 0 and sp.limit(energy, v, sp.oo) == 0

    def thermal(x: float, beta: float = 20.0) -> mpmath.mpf:
        level = mpmath.sqrt(1 + mpmath.mpf(x) ** 2)
        f = 1 / (1 + mpmath.exp(beta * level))
        s = 2 * (f * mpmath.log(f) + (1 - f) * mpmath.log(1 - f)) / beta  # both levels
        return 2 / level * mpmath.tanh(beta * level / 2) + 2 * s

    values = [thermal(x) for x in (*np.linspace(0.0, 20.0, 81), 1e2, 1e4, 1e6)]
    falling = all(a > b > 0 for a, b in pairwise(values))
    return {
        "counter-example: with one Ξ, β = ∞, the infimum 0 is not attained": bool(exact),
        "counter-example: nor at β = 20": bool(falling and values[-1] < 1e-5),
    }


def _not_aufbau() -> dict[str, bool]:
    """A critical point at β = ∞ that occupies the upper level of H⁰ + V (complete features).

    H = diag(−1, 1), γ on the first level, V − v = diag(4, 0): its off-diagonal block vanishes, so
    T = 0; but H⁰ + V = diag(3, 1).
    """
    H, gamma = sp.diag(-1, 1), sp.diag(1, 0)
    difference = sp.diag(4, 0)
    block = gamma * difference * (sp.eye(2) - gamma)
    true = H + difference
    commutes = true * gamma - gamma * true == sp.zeros(2)
    occupied = (true * gamma).trace()
    return {
        "counter-example: T = 0 at β = ∞ does not imply γ = F(H⁰+V)": bool(
            block == sp.zeros(2) and commutes and occupied > min(true[0, 0], true[1, 1])
        )
    }
