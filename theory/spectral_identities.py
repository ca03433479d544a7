"""Section 1: the identities of F, G and S on which (3.1), (2.27) and the forces rest.

Statement. With F(x) = 1/(1 + e^{β(x−µ)}), G(x) = −β⁻¹ ln(1 + e^{−β(x−µ)}) and
S(p) = p ln p + (1 − p) ln(1 − p), for all real x, µ and β > 0,

    (i)   (x − µ)F + β⁻¹ S(F) = G,       (ii)  G′ = F,
    (iii) β⁻¹ S′(F(x)) = −(x − µ),       (iv)  F′ = −βF(1 − F),
    (v)   as β → ∞:  F → 1 (x < µ), ½ (x = µ), 0 (x > µ)  and  G → min(x − µ, 0).

(iii) is why the kinetic and the entropy part of ∂𝒢/∂v̂ combine, leaving ⟨DF(H)[W], V − v⟩.
"""

import sympy as sp

x, mu = sp.symbols("x mu", real=True)
beta = sp.symbols("beta", positive=True)
p = sp.symbols("p", positive=True)

# With t = e^{β(x−µ)} > 0 every identity is rational in t once the logarithms are expanded.
t = sp.symbols("t", positive=True)
_EXPONENTIAL = sp.exp(beta * (x - mu))


def fermi_dirac() -> sp.Expr:
    """F(x)."""
    return 1 / (1 + _EXPONENTIAL)


def grand_potential() -> sp.Expr:
    """G(x)."""
    return -sp.log(1 + 1 / _EXPONENTIAL) / beta


def entropy(occupation: sp.Expr) -> sp.Expr:
    """S(p)."""
    return occupation * sp.log(occupation) + (1 - occupation) * sp.log(1 - occupation)


def _in_t(expression: sp.Expr) -> sp.Expr:
    """Substitute e^{β(x−µ)} = t, i.e. x = µ + ln(t)/β, and expand the logarithms."""
    substituted = expression.subs(x, mu + sp.log(t) / beta)
    return sp.simplify(sp.expand_log(sp.together(sp.simplify(substituted)), force=True))


def free_energy_identity() -> sp.Expr:
    """(i): (x − µ)F + β⁻¹S(F) − G, which simplifies to zero."""
    F = 1 / (1 + t)
    S = -F * sp.log(1 + t) + (t / (1 + t)) * (sp.log(t) - sp.log(1 + t))
    G = -(sp.log(1 + t) - sp.log(t)) / beta
    return sp.simplify(sp.log(t) / beta * F + S / beta - G)


def derivative_identity() -> sp.Expr:
    """(ii): G′ − F, which simplifies to zero."""
    return sp.simplify(sp.diff(grand_potential(), x) - fermi_dirac())


def entropy_slope_identity() -> sp.Expr:
    """(iii): β⁻¹S′(F) + (x − µ), which simplifies to zero."""
    slope = sp.diff(entropy(p), p).subs(p, 1 / (1 + t))
    return sp.simplify(sp.expand_log(sp.simplify(slope), force=True) / beta + sp.log(t) / beta)


def slope_identity() -> sp.Expr:
    """(iv): F′ + βF(1 − F), which simplifies to zero."""
    F = fermi_dirac()
    return sp.simplify(sp.diff(F, x) + beta * F * (1 - F))


def zero_temperature_limits() -> dict[str, tuple[sp.Expr, sp.Expr]]:
    """(v): (F, G) for β → ∞ at distance d > 0 below and above µ."""
    d = sp.symbols("d", positive=True)
    limits = {}
    for name, sign in (("below", -1), ("above", 1)):
        F = fermi_dirac().subs(x, mu + sign * d)
        G = grand_potential().subs(x, mu + sign * d)
        limits[name] = (
            sp.limit(sp.simplify(F), beta, sp.oo),
            sp.simplify(sp.limit(sp.simplify(G), beta, sp.oo)),
        )
    return limits


def derivation() -> dict[str, bool]:
    """(i)-(v), each True when it holds."""
    distance = sp.symbols("d", positive=True)
    limits = {"below": (1, -distance), "above": (0, 0)}
    return {
        "(i) (x − µ)F + S(F)/β = G": free_energy_identity() == 0,
        "(ii) G′ = F": derivative_identity() == 0,
        "(iii) S′(F)/β = −(x − µ)": entropy_slope_identity() == 0,
        "(iv) F′ = −βF(1 − F)": slope_identity() == 0,
        "(v) β → ∞: F → indicator of x < µ, G → min(x − µ, 0)": zero_temperature_limits() == limits,
    }
