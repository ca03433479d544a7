r"""Products of primitives as Hermite Gaussians, and their Coulomb interaction, in balls.

    Λ_t(x; p, P) = ∂_P^t [(p/π)^{3/2} e^{−p|x−P|²}],
    x_A^i x_B^j e^{−a x_A² − b x_B²} = e^{−ab/(a+b)·R²} √(π/p) Σ_t E_t^{ij} Λ_t,      one axis,
    ∬ Λ_t(x; p, P) Λ_s(y; q, Q)/|x−y| = (−1)^{|s|} R_{t+s}(α, P−Q),   1/α = 1/p + 1/q,
    R_t = ∂_X^t erf(√α|X|)/|X|,   R^n_{t+1} = X R^{n+1}_t + t R^{n+1}_{t−1},
    R^n_0 = 2√(α/π) (−2α)^n F_n(α|X|²).

Reference: L. E. McMurchie, E. R. Davidson, J. Comput. Phys. 26, 218 (1978).
"""

from collections.abc import Sequence
from functools import cache

from flint import arb

from scc.basis.polynomials import monomial_exponents, monomial_index
from scc.certify.gaussian.boys import boys
from scc.certify.gaussian.orbitals import Polynomial, Primitive

Point = tuple[arb, arb, arb]


class PrimitivePair:
    """e^{−a|x−A|²} e^{−b|x−B|²}: exponent p, centre P, and expansions of polynomials times it."""

    def __init__(self, left: Primitive, right: Primitive, largest: tuple[int, int]) -> None:
        """``largest``: degrees of the polynomials that will be asked for, left and right."""
        self.left, self.right = left, right
        a, b = left.exponent, right.exponent
        self.p = a + b
        separation = [u - v for u, v in zip(left.centre, right.centre, strict=True)]
        x, y, z = (u - b / self.p * d for u, d in zip(left.centre, separation, strict=True))
        self.centre: Point = (x, y, z)
        squared = sum((d * d for d in separation), arb(0))
        self.size = (-a * b / self.p * squared).exp() * (arb.pi() / self.p) ** (arb(3) / 2)
        self._tables = [
            _expansion_table(*largest, self.p, -b / self.p * d, a / self.p * d) for d in separation
        ]

    def expand(self, left: Polynomial, right: Polynomial, order: int) -> list[arb]:
        """Coefficients of Λ_t, |t| ≤ order, of left(x−A) right(x−B) times the two Gaussians.

        Numbered as ``monomial_exponents(order)``; ``order`` below the degree truncates (0: the
        integral over all space).
        """
        index = monomial_index(order)
        result = [arb(0)] * len(index)
        x, y, z = self._tables
        for (i, j, k), c in left.items():
            for (m, n, o), d in right.items():
                factor = c * d * self.size
                for t, ex in enumerate(x[i][m][: order + 1]):
                    for u, ey in enumerate(y[j][n][: order + 1 - t]):
                        partial = factor * ex * ey
                        for v, ez in enumerate(z[k][o][: order + 1 - t - u]):
                            result[index[(t, u, v)]] += partial * ez
        return result


def _expansion_table(
    left: int, right: int, p: arb, from_left: arb, from_right: arb
) -> list[list[list[arb]]]:
    """E_t^{ij} without the exponential, [i][j][t], t ≤ i + j."""
    half = 1 / (2 * p)

    def raised(e: list[arb], shift: arb) -> list[arb]:
        padded = [*e, arb(0), arb(0)]
        return [
            shift * padded[t] + (half * padded[t - 1] if t else 0) + (t + 1) * padded[t + 1]
            for t in range(len(e) + 1)
        ]

    table: list[list[list[arb]]] = []
    for i in range(left + 1):
        row = [[arb(1)] if i == 0 else raised(table[i - 1][0], from_left)]
        for _ in range(right):
            row.append(raised(row[-1], from_right))
        table.append(row)
    return table


def coulomb_derivatives(alpha: arb, separation: Sequence[arb], order: int) -> list[arb]:
    """R_t(α, X), |t| ≤ order, numbered as ``monomial_exponents(order)``."""
    x, y, z = separation
    values = boys(order, alpha * (x * x + y * y + z * z))
    factor = 2 * (alpha / arb.pi()).sqrt()
    # rows[n] holds R^n_t for |t| ≤ order − n as far as it is known.
    rows = []
    for value in values:
        rows.append([factor * value])
        factor = factor * (-2 * alpha)
    for degree in range(1, order + 1):
        for n in range(order - degree + 1):
            row, above = rows[n], rows[n + 1]
            for axis, lower, lowest, count in _schedule(degree):
                value = separation[axis] * above[lower]
                if count:
                    value += count * above[lowest]
                row.append(value)
    return rows[0]


@cache
def _schedule(degree: int) -> list[tuple[int, int, int, int]]:
    """For each t of one degree: the axis to lower, the indices of t − e and t − 2e, and t − 1."""
    index = monomial_index(degree)
    steps = []
    for t in monomial_exponents(degree):
        if sum(t) < degree:
            continue
        axis = int(next(i for i in range(3) if t[i] > 0))
        count = int(t[axis]) - 1
        once, twice = list(map(int, t)), list(map(int, t))
        once[axis] -= 1
        twice[axis] -= 2
        lowest = index[(twice[0], twice[1], twice[2])] if count else 0
        steps.append((axis, index[(once[0], once[1], once[2])], lowest, count))
    return steps
