"""The steps of Lemma 6, running: both gradients, the counter-example, sampling, indefiniteness."""

import numpy as np
import sympy as sp

from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import spectral_set
from scc.theory._lemma_3_steps import gradient_identity


def steps() -> dict[str, bool]:
    """Each True when it holds."""
    return {
        "(i) ∂𝒢_N/∂v̂ = −2T_N for any G_N": gradient_identity(),
        "(ii) with (3.4): 2Tr[(H−µ)F_N′(H)W] more": gradient_identity(entropy_form=True),
        "(ii) without that term the identity fails": not gradient_identity(
            entropy_form=True, extra_term=False
        ),
        "counter-example: a critical point of (3.7) with (3.4) where T_N ≠ 0": _counter_example(),
        "Ehlich–Zeller: |q(θ)| ≥ cos(dδ) max|q| at distance δ from the maximum": _sampling(),
        "Markov: max |p′| = n² max |p| for Chebyshev polynomials": _markov(),
        "F_N′ changes sign on both intervals: −DF_N is indefinite": _indefinite(),
    }


def _counter_example() -> bool:
    """One site with level h and V = 0, F_N(x) = ½ − x, µ = 0, on σ(H) = {h + v̂}.

    𝒢̃_N = 2h(½ − h − v̂) + E with E = J p²/2, p = 2F_N: critical where −2h − 2Jp = 0, while
    T_N = F_N′·(v̂ − Jp) = Jp − v̂ there is −h − v̂, the level itself: not zero.
    """
    h, v, J = sp.symbols("h v J", real=True)
    F = sp.Rational(1, 2) - (h + v)
    p = 2 * F
    energy = 2 * h * F + J * p**2 / 2
    critical = sp.solve(sp.diff(energy, v), v)
    T = sp.diff(F, v) * (v - J * p)
    extra = (h + v) * sp.diff(F, v)
    values = [sp.simplify(T.subs(v, root)) for root in critical]
    accounted = [sp.simplify((T - extra).subs(v, root)) == 0 for root in critical]
    return bool(critical) and all(accounted) and all(value != 0 for value in values)


def _sampling() -> bool:
    """The extremal trigonometric polynomial is cos dθ: equality, at every δ ≤ π/2d; and random
    ones of degree 7 are nowhere below the bound next to their maximum."""
    rng = np.random.default_rng(3)
    degree = 7
    theta = np.linspace(0.0, 2.0 * np.pi, 40001)
    delta = np.linspace(0.0, np.pi / (2 * degree), 41)
    for _ in range(20):
        a = rng.standard_normal(degree + 1)

        def q(x: np.ndarray, a: np.ndarray = a) -> np.ndarray:
            return np.asarray(np.cos(np.outer(x, np.arange(degree + 1))) @ a)

        values = np.abs(q(theta))
        peak = theta[np.argmax(values)]
        near = np.abs(q(peak + np.concatenate([delta, -delta])))
        least = np.max(values) * np.tile(np.cos(degree * delta), 2)
        # The maximum is found on a grid of spacing h: known to (degree·h)²/2 relatively.
        if np.any(near < least - 1e-5 * np.max(values)):
            return False
    return True


def _markov() -> bool:
    x = sp.symbols("x")
    return all(
        sp.diff(sp.chebyshevt(n, x), x).subs(x, 1) == n**2 and sp.chebyshevt(n, 1) == 1
        for n in range(1, 9)
    )


def _indefinite() -> bool:
    """G_N − G has N+1 zeros on X: with at least three on an interval F_N crosses F twice by Rolle,
    and F_N′ takes both signs there."""
    X = spectral_set(-1.5, 1.3, 0.1, 0.4, 0.3)
    for degree in (9, 16):
        occupation = PolynomialOccupation.interpolate(X, degree, np.inf, 0.1)
        for interval in X.intervals:
            slopes = occupation.derivative(np.linspace(*interval, 2001))
            if not (np.min(slopes) < 0.0 < np.max(slopes)):
                return False
    return True
