"""Steps of the derivation of Theorem 4: (3.4) from (3.5), and the asymptotics of the rate."""

import sympy as sp


def zero_temperature_form() -> bool:
    """β⁻¹S(F(x)) → 0 on both sides of µ, so that (3.5) tends to (3.4)."""
    t, d = sp.symbols("t d", positive=True)
    occupation = 1 / (1 + t)
    entropy = occupation * sp.log(occupation) + (1 - occupation) * sp.log(1 - occupation)
    # t = e^{±βd}: β⁻¹S = d S/ln t, and S/ln t → 0 at t → ∞ and t → 0.
    per_beta = d * entropy / sp.log(t)
    return bool(sp.limit(per_beta, t, sp.oo) == 0 and sp.limit(per_beta, t, 0, "+") == 0)


def small_gap_rate() -> bool:
    """√((g − ½h₂η²)² + y²) = h₁η + O(η³) at g = εg₀, y = εy₀, η = εη₁: h₁η₁ = √(g₀² + y₀²)."""
    eps, g, y, h1, h2 = sp.symbols("epsilon g y h1 h2", positive=True)
    eta = eps * sp.sqrt(g**2 + y**2) / h1
    left = sp.sqrt((eps * g - h2 * eta**2 / 2) ** 2 + (eps * y) ** 2)
    return bool(sp.simplify(sp.limit((left - h1 * eta) / eps, eps, 0, "+")) == 0)


def chain_velocity() -> bool:
    t, k, eta = sp.symbols("t k eta", positive=True)
    velocity = sp.diff(-2 * t * sp.cos(k), k).subs(k, sp.pi / 2)
    return bool(
        sp.simplify(velocity - 2 * t) == 0 and sp.limit(2 * t * sp.sinh(eta) / eta, eta, 0) == 2 * t
    )
