"""What Löwdin costs in body order: no U_n vanishes any more, but they fall geometrically.

X = S^{−1/2} of a sub-cluster depends on all of its atoms, so that Theorem 5 does not apply to
polynomials of H = X(T + v)X. But S is a two-centre matrix: a polynomial of degree D in S is of body
order D + 1, and X is a convergent series of such.

Statement. Let A = (H − c)/h = XBX with B = (T + v − cS)/h, P = Σ a_j A^j of degree N. In
A^j = X B S^{−1} B ⋯ S^{−1} B X a term of j factors B and i factors S visits at most 2j − 1 + i
atoms besides ℓ, k: U_n only contains those with i ≥ n − 2j + 1. For n ≥ 1, L the length of the
shortest way from ℓ through all of K to k, and any η ≥ 0,

    (a)  |U_n(K)| ≤ e^{−ηL} Σ_{j≥1} |a_j| b^j Σ_{i ≥ n−2j+1} C(i+j−1, i) s^i,
             s = ‖|S − 1|∘e^{ηr}‖ < 1,    b = ‖|B|∘e^{η(…)}‖,

for S^{−1/2} and S^{−1} are binomial series in S − 1, the generating function of whose absolute
coefficients is (1 − s)^{−1/2} and (1 − s)^{−1}, together (1 − s)^{−j}. Beyond n = 2N the bound
falls like s^n: each further atom costs a factor of the overlap. Sharper and no closed form: the
walks of (a) one by one, that is U_n of the same expansion with every sign made equal,

    (c)  |U_n(K)| ≤ Û_n(K),    P̂ = Σ_j |a_j| X̂ B̂ (Ŝ B̂)^{j−1} X̂,   X̂ = (1 − |S−1|)^{−1/2} = Ŝ^{1/2},

since every multilinear coefficient of the right is a sum of absolute values of those walks. Where
orbitals overlap more (s ≥ 1)

    (b)  |U_n(K)| ≤ 2ⁿ Σ_{j≥1} |a_j| b^j τ_j(n − 2j)

with the tails τ_j(D) = Σ_{i>D} of the coefficients of X(z)² S(z)^{j−1}, X(z) and S(z) the
generating functions of the absolute Chebyshev coefficients of x^{−1/2} and x^{−1} on the hull of
σ(S): these fall like ρ^{−i}, ρ = (√κ + 1)/(√κ − 1), κ the condition number of S. (Sub-clusters have
principal sub-matrices of S: their spectra lie inside.) A factor 2/ρ an atom: it decays for κ < 9.

Derivation of (b): truncate the product of the series at total degree D = n − 2j; what is kept is of
too low a body order to appear in U_n, what is left out has norm ≤ b^j τ_j(D) in each of the 2ⁿ
sub-clusters. All Chebyshev coefficients of x^{−p}, p > 0, alternate in sign (x^{−p} is a positive
superposition of resolvents), so that their absolute values sum to s_min^{−p}.
"""

from fractions import Fraction
from itertools import combinations

import mpmath
import numpy as np
import sympy as sp

from scc.theory import _presence as presence
from scc.theory._cluster_expansion import ClusterExpansion
from scc.theory._orthogonalised_expansion import (
    OrthogonalisedExpansion,
    absolute_coefficients,
    binomial_tail,
)
from scc.theory.orthogonalisation import hypotheses as _loewdin
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem
from scc.theory.theorem_5 import expansion

MODELS = ("gaussian",)


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """Löwdin-orthogonalised Gaussian orbitals and features."""
    return _loewdin(system) | {
        "features are atom-centred": not system.assembly.complete,
        "at least three atoms": system.atoms > 2,
    }


def bound(system: TightBindingSystem, degree: int) -> list[tuple[int, float]]:
    """(n, bound of |U_n|) of G_N(H)_ℓℓ for all sets K ≠ ∅ of the neighbours of atom 0."""
    found = expansion(system, degree)
    limits = OrthogonalisedExpansion(found)
    others = range(1, len(found.atoms))
    sets = [chosen for n in others for chosen in combinations(others, n)]
    return [(len(chosen), limits.bound(0, chosen)) for chosen in sets]


def checks(system: TightBindingSystem) -> list[Check]:
    """Every U_n, n ≥ 1, of G_N(H) on and off the diagonal."""
    degree = 1 + system.atoms % 2
    return expansion_checks(expansion(system, degree))


def expansion_checks(found: ClusterExpansion) -> list[Check]:
    """The checks of one expansion."""
    limits, results = OrthogonalisedExpansion(found), []
    for k, where in ((0, "diagonal"), (1, "off-diagonal")):
        rows = [row for row in found.contributions("G", k) if row[0]]
        for beyond in (False, True):
            own = [row for row in rows if (len(row[0]) >= 2 * found.degree) == beyond]
            if own:
                kind = "from 2N on" if beyond else "below 2N"
                results.append(
                    Check.of(
                        f"|U_n| {kind}, {where}, N = {found.degree}",
                        np.array([value for _, value in own]),
                        np.array([limits.bound(k, chosen) for chosen, _ in own]),
                        np.array([limits.rounding(len(chosen)) for chosen, _ in own]),
                    )
                )
    return results


def derivation() -> dict[str, bool]:
    """Generating functions, counts of atoms in exact arithmetic, alternation of coefficients."""
    steps: dict[str, bool] = {}
    s = sp.symbols("s")
    for name, power in (("S^(−1/2)", sp.Rational(1, 2)), ("S^(−1)", sp.Integer(1))):
        series = sp.series((1 + s) ** -power, s, 0, 9).removeO()
        absolute = sum(abs(series.coeff(s, i)) * s**i for i in range(9))
        expected = sp.series((1 - s) ** -power, s, 0, 9).removeO()
        steps[f"absolute binomial series of {name}"] = sp.expand(absolute - expected) == 0
    for j in (1, 2, 3):
        series = sp.series((1 - s) ** -j, s, 0, 9).removeO()
        steps[f"(1 − s)^(−j) = Σ C(i+j−1, i) s^i, j = {j}"] = all(
            series.coeff(s, i) == sp.binomial(i + j - 1, i) for i in range(9)
        )
        exact = sum(mpmath.binomial(i + j - 1, i) * mpmath.mpf("0.6") ** i for i in range(5, 400))
        found = binomial_tail(j, 0.6, 5)
        steps[f"tail from above, j = {j}"] = bool(exact <= found <= exact * (1 + 1e-9))
        steps[f"atoms visited by j factors B and i of S, j = {j}"] = _visited(j)
    ends = (0.3, 2.1)
    root = np.sqrt(ends[1] / ends[0])
    rho = (root + 1.0) / (root - 1.0)
    for power in (0.5, 1.0):
        found_coefficients = absolute_coefficients(power, ends)
        summed = float(np.sum(found_coefficients))
        steps[f"coefficients of x^(−{power}) alternate"] = bool(
            abs(summed - ends[0] ** -power) < 1e-12
        )
        ratio = found_coefficients[20] / found_coefficients[19]
        steps[f"and fall like ρ^(−i), power {power}"] = bool(
            abs(ratio * rho / (20.0 / 19.0) ** (power - 1.0) - 1.0) < 5e-3
        )
    x = mpmath.mpf("1.4")  # ∫ t^{−1/2}/(t + x) dt = 2∫ du/(u² + x), and 1/(x + t) alternates
    integral = 2 * mpmath.quad(lambda u: 1 / (u * u + x), [0, 1, 10, mpmath.inf]) / mpmath.pi
    steps["x^(−1/2) is a positive superposition of resolvents"] = bool(
        abs(integral - x**-0.5) < 1e-8
    )
    return steps


def _visited(j: int) -> bool:
    """Largest number of atoms besides ℓ, k in products of j three- and i two-centre matrices."""
    extra = 2 if j < 3 else 1
    atoms = 2 * j - 1 + extra + 3
    one = Fraction(1)
    b = [
        [{frozenset({p, q, m}): one for m in range(atoms)} for q in range(atoms)]
        for p in range(atoms)
    ]
    s = [[{frozenset({p, q}): one} for q in range(atoms)] for p in range(atoms)]
    start: presence.Row = [{} for _ in range(atoms)]
    start[0] = {frozenset({0}): one}
    # The factors of S may stand anywhere among those of B: first, last, and spread.
    for pattern in ("S" * extra + "B" * j, "B" * j + "S" * extra):
        row = start
        for factor in pattern:
            row = presence.row_times(row, b if factor == "B" else s)
        if presence.order(row[1], {0, 1}) != 2 * j - 1 + extra:
            return False
    return True
