"""The steps of the proof of remark_11, as running sympy."""

import sympy as sp

from scc.theory import _capacity, _occupation_derivatives


def derivation() -> dict[str, bool]:
    """The identities (A), (C), (D), (E), the constants C₂, the radius, and the capacities."""
    a, b, c, x, y, z = sp.symbols("a b c x y z", positive=True)
    J, R = sp.Matrix([[a, b], [b, c]]), sp.Matrix([[x, y], [y, z]])
    one = sp.eye(2)
    S = (J.inv() + R).inv()
    dielectric = one + J * R
    constants = sp.Matrix([[x, -x], [-x, x]])
    weights = sp.ones(1, 2) * J.inv()
    steps = {
        "S = (1 + JR)^-1 J": _zero(S - dielectric.inv() * J),
        "w = S delta solves w = J delta - J R w": _zero(S - J + J * R * S),
        "S = R^-1 - (1 + JR)^-1 R^-1": _zero(S - R.inv() + dielectric.inv() * R.inv()),
        "R 1 = 0: (J^-1 1)^T S = 1^T": _zero(weights * (J.inv() + constants).inv() - sp.ones(1, 2)),
    }
    s, L, eta = sp.symbols("s L eta", positive=True)
    r = (1 - sp.sqrt(1 - 4 * s**2 * L * eta)) / (s * L)
    steps["radius maps into itself"] = sp.simplify(s * (2 * eta + L * r**2 / 2) - r) == 0
    u = sp.symbols("u", positive=True)  # u = 1 − √(1 − 4s²Lη) in (0, 1], η = u(2 − u)/4s²L
    steps["radius is below 4 s eta"] = (
        sp.simplify(4 * s * u * (2 - u) / (4 * s**2 * L) - u / (s * L) - u * (1 - u) / (s * L)) == 0
    )
    D = sp.symbols("D12 D13 D23")
    J1 = sp.symbols("J1:4")
    flow = sp.Matrix([[0, D[0], D[1]], [-D[0], 0, D[2]], [-D[1], -D[2], 0]])
    through = sp.Rational(1, 2) * sum(
        flow[i, k] * (J1[i] - J1[k]) for i in range(3) for k in range(3)
    )
    divergence = flow * sp.ones(3, 1)
    direct = sum(J1[i] * divergence[i] for i in range(3))
    steps["a flow: J delta is a sum of differences of J"] = sp.expand(direct - through) == 0
    t = sp.symbols("t", positive=True)
    slope = sp.diff(sp.erf(t) / t, t) * t**2
    steps["J falls with distance: total variation 2 J_0 in 1D"] = (
        sp.limit(slope, t, 0) == 0
        and sp.simplify(sp.diff(slope, t) + 4 * t**2 * sp.exp(-(t**2)) / sp.sqrt(sp.pi)) == 0
    )
    m = sp.symbols("m", positive=True)
    for d, growth in ((2, 2 * sp.sqrt(m)), (3, 3 * m ** sp.Rational(2, 3) / 2)):
        steps[f"sum of j^(-1/{d})"] = (
            sp.simplify(sp.integrate(t ** sp.Rational(-1, d), (t, 0, m)) - growth) == 0
        )
    return steps | _occupation_derivatives.derivation() | _capacity.derivation()


def _zero(matrix: sp.Matrix) -> bool:
    return bool(sp.simplify(matrix) == sp.zeros(*matrix.shape))
