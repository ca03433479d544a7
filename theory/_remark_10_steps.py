"""The steps of the proof of remark_10, as running sympy."""

import mpmath
import sympy as sp


def derivation() -> dict[str, bool]:
    """Log-Lipschitz bound behind Δ, stationarity of W, the Lagrange form, linearity at β = ∞."""
    x, mu, beta, t = sp.symbols("x mu beta t", positive=True)
    F = 1 / (1 + sp.exp(beta * (x - mu)))
    G = -sp.log(1 + sp.exp(-beta * (x - mu))) / beta
    slope = -sp.diff(F, x)
    logarithmic = sp.simplify(sp.diff(slope, mu) / slope / beta - (1 - 2 * F))
    delta, n, eta, states = sp.symbols("Delta n eta D", positive=True)
    solved = -sp.log(1 - 2 * n * eta * beta / states) / beta
    steps = {
        "d(-F')/dmu = beta (1 - 2F) (-F'), |1 - 2F| <= 1": sp.simplify(logarithmic) == 0,
        "dF/dmu = -F', dG/dmu = -F": sp.simplify(sp.diff(F, mu) - slope) == 0
        and sp.simplify(sp.diff(G, mu) + F) == 0,
        "int of e^(-beta t) up to Delta": sp.simplify(
            sp.integrate(sp.exp(-beta * t), (t, 0, delta)) - (1 - sp.exp(-beta * delta)) / beta
        )
        == 0,
        "Delta solves D(1 - e^(-beta Delta))/beta = 2 n eta": sp.simplify(
            states * (1 - sp.exp(-beta * solved)) / beta - 2 * n * eta
        )
        == 0,
        "int int e^(beta t): populations": sp.simplify(
            sp.integrate(sp.exp(beta * t), (t, 0, delta)) - (sp.exp(beta * delta) - 1) / beta
        )
        == 0,
    }
    electrons = sp.symbols("N", positive=True)
    level = sp.symbols("epsilon", real=True)
    W = 2 * G.subs(x, level) + mu * electrons
    steps["W' = N - n(mu)"] = sp.simplify(sp.diff(W, mu) - electrons + 2 * F.subs(x, level)) == 0
    # Interpolation in three nodes: G_N,µ = Σ_j G_µ(x_j) ℓ_j, at β = ∞ with one node below µ.
    nodes = sp.Rational(-1), sp.Rational(1, 2), sp.Integer(2)
    z = sp.symbols("z")
    values = [sp.Function("g")(node, mu) for node in nodes]
    lagrange = [sp.prod([(z - b) / (a - b) for b in nodes if b != a]) for a in nodes]
    interpolant = sp.interpolate(list(zip(nodes, values, strict=True)), z)
    combined = sum(v * basis for v, basis in zip(values, lagrange, strict=True))
    steps["G_N,mu = sum G_mu(x_j) l_j"] = sp.simplify(interpolant - combined) == 0
    zero = sum(
        sp.Min(node - mu, 0).subs(mu, sp.Rational(1, 10) + t) * basis
        for node, basis in zip(nodes, lagrange, strict=True)
    ).subs(t, 0)
    moved = sum(
        sp.Min(node - sp.Rational(1, 5), 0) * basis
        for node, basis in zip(nodes, lagrange, strict=True)
    )
    steps["beta = inf: G_N linear in mu with slope -B_N"] = (
        sp.simplify(moved - zero + sp.Rational(1, 10) * lagrange[0]) == 0
    )
    steps["beta = inf: eps_F,N is the mean of z over the saddle"] = _mean_over_the_saddle()
    return steps


def _mean_over_the_saddle() -> bool:
    """ε_{F,N} from the interpolants, and as ∫zK/∫K along Re z = 1/10, six nodes and four levels."""
    nodes = [mpmath.mpf(x) for x in ("-1.3", "-0.9", "-0.4", "0.5", "0.8", "1.4")]
    levels = [mpmath.mpf(x) for x in ("-1.2", "-0.6", "0.6", "1.1")]
    z = sp.symbols("z")

    def interpolant(values: list[mpmath.mpf]) -> sp.Expr:
        points = [(sp.Float(str(x)), sp.Float(str(v))) for x, v in zip(nodes, values, strict=True)]
        return sp.interpolate(points, z)

    def trace(polynomial: sp.Expr) -> mpmath.mpf:
        slope = sp.lambdify(z, sp.diff(polynomial, z), "mpmath")
        return mpmath.fsum(slope(x) for x in levels)

    A = trace(interpolant([min(x, mpmath.mpf(0)) for x in nodes]))
    B = trace(interpolant([mpmath.mpf(x < 0) for x in nodes]))
    quotient = (A - 2) / B  # Tr(A′ − µB′) = number of levels below µ

    def omega(x: mpmath.mpf) -> mpmath.mpf:
        return mpmath.fprod(x - node for node in nodes)

    def weight(t: mpmath.mpf) -> mpmath.mpf:
        w = mpmath.mpc("0.1", t)
        terms = [
            omega(x) * (mpmath.fsum(1 / (x - node) for node in nodes) - 1 / (x - w)) / (x - w)
            for x in levels
        ]
        return mpmath.fsum(terms) / omega(w)

    limits = [-mpmath.inf, -3, -1, 0, 1, 3, mpmath.inf]
    first = mpmath.quad(lambda t: mpmath.mpc("0.1", t) * weight(t), limits)
    return bool(abs(first / mpmath.quad(weight, limits) - quotient) < 1e-8)
