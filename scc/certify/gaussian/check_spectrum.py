r"""The checker's own spectral calculus: Jacobi's rotations in balls, and F on what they leave.

H = C(Λ + R)Cᵀ with C enclosed as a product of rotations, hence orthogonal, and ‖R‖_F ≤ η tiny. F(H)
is within Lη of C F(Λ) Cᵀ in Hilbert–Schmidt norm, L ≥ |F[x,y]|; DF(H) within L₂η of the divided
differences at Λ, L₂ ≥ 2|F[x,y,z]| (Σ_k F[i,k,j](a_ik b_kj + b_ik a_kj) ≤ 2 max|F[,,]| |a||b|).
"""

from __future__ import annotations

from typing import Protocol

import flint
from flint import arb, arb_mat, arb_poly

from scc.certify.failure import RefusedError

_SWEEPS = 40


class Diagonal:
    """Levels Λ ascending (balls), C (n, n), and η."""

    def __init__(self, symmetric: arb_mat) -> None:
        n = symmetric.nrows()
        rows = ((symmetric + symmetric.transpose()) / 2).tolist()
        vectors = [[arb(int(i == j)) for j in range(n)] for i in range(n)]  # rows: columns of C
        size = _off(rows)
        scale = (size + _trace_norm(rows)) * arb(2) ** (32 - flint.ctx.prec)
        for sweep in range(_SWEEPS):
            for i in range(n):
                for j in range(i):
                    _rotate(rows, vectors, i, j)
            before, size = size, _off(rows)
            if size < scale or not (size < before or sweep < _SWEEPS // 4):
                break
        order = sorted(range(n), key=lambda i: rows[i][i].mid())
        # The ascending numbers are in the ascending balls only if those are equally wide (Weyl).
        widest = max((rows[i][i].rad() for i in order), default=arb(0))
        self.levels = [rows[i][i].mid() + arb(0, widest) for i in order]
        self.vectors = arb_mat([vectors[i] for i in order]).transpose()
        self.error: arb = size
        if not size.is_finite():
            raise RefusedError("a matrix has no finite eigenvalues")


def _off(rows: list[list[arb]]) -> arb:
    """Frobenius norm of what is off the diagonal, an upper bound."""
    total = arb(0)
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if i != j:
                total += value.abs_upper() ** 2
    return total.sqrt().upper()


def _trace_norm(rows: list[list[arb]]) -> arb:
    """Σ|H_ii|."""
    return sum((abs(row[i]) for i, row in enumerate(rows)), arb(0)).upper()


def _rotate(rows: list[list[arb]], vectors: list[list[arb]], i: int, j: int) -> None:
    """The rotation of i and j that makes H_ij vanish, nearly."""
    middle = rows[i][j].mid()
    if middle == 0:
        return
    theta = ((rows[j][j] - rows[i][i]) / (2 * middle)).mid()
    t = (1 / (abs(theta) + (theta * theta + 1).sqrt())).mid()
    if theta < 0:
        t = -t
    c = 1 / (1 + t * t).sqrt()
    s = t * c
    for table in (rows, vectors):
        table[i], table[j] = (
            [c * x - s * y for x, y in zip(table[i], table[j], strict=True)],
            [s * x + c * y for x, y in zip(table[i], table[j], strict=True)],
        )
    for row in rows:
        row[i], row[j] = c * row[i] - s * row[j], s * row[i] + c * row[j]


class Occupation(Protocol):
    """F as the checker needs it; ``reach``: how far levels may move."""

    def value(self, levels: list[arb], i: int) -> arb: ...
    def difference(self, levels: list[arb], i: int, j: int) -> arb: ...
    def slope(self, levels: list[arb], reach: arb) -> arb: ...
    def curvature(self, levels: list[arb], reach: arb) -> arb: ...
    def rest(self, levels: list[arb]) -> arb:
        """2Σ(G − xF), canonical 2Σ(G − (x−µ)F)."""
        ...


class Cold:
    """β = ∞, ``filled`` levels; µ or None (canonical)."""

    def __init__(self, filled: int, mu: arb | None) -> None:
        self.filled, self.mu = filled, mu

    def gap(self, levels: list[arb], reach: arb) -> arb:
        if self.filled in (0, len(levels)):
            return arb("inf")
        gap = levels[self.filled] - levels[self.filled - 1] - 2 * reach
        if not gap > 0:
            raise RefusedError(f"exact: no gap is certain, {float(gap.lower()):.3g} Hartree")
        return gap

    def value(self, levels: list[arb], i: int) -> arb:
        return arb(int(i < self.filled))

    def difference(self, levels: list[arb], i: int, j: int) -> arb:
        apart = (i < self.filled) != (j < self.filled)
        return -1 / abs(levels[i] - levels[j]) if apart else arb(0)

    def slope(self, levels: list[arb], reach: arb) -> arb:
        return arb(0) if self.filled in (0, len(levels)) else 1 / self.gap(levels, reach)

    def curvature(self, levels: list[arb], reach: arb) -> arb:
        return 2 * self.slope(levels, reach) ** 2

    def rest(self, levels: list[arb]) -> arb:
        return arb(0) if self.mu is None else -2 * self.mu * self.filled


class Warm:
    """β < ∞ at µ."""

    def __init__(self, beta: arb, mu: arb, canonical: bool) -> None:
        self.beta, self.mu, self.canonical = beta, mu, canonical

    def value(self, levels: list[arb], i: int) -> arb:
        return (1 - (self.beta * (levels[i] - self.mu) / 2).tanh()) / 2

    def difference(self, levels: list[arb], i: int, j: int) -> arb:
        """(tanh y − tanh x)/2 = sinh(y − x)/(2 cosh x cosh y)."""
        x, y = (self.beta * (levels[k] - self.mu) / 2 for k in (i, j))
        d = x - y
        # sinh(d)/d is even, increasing in |d|: between 1 and cosh d.
        ratio = d.sinh() / d if abs(d) > arb("1e-12") else arb(1).union(d.cosh().upper())
        return -self.beta / 4 * ratio / (x.cosh() * y.cosh())

    def slope(self, levels: list[arb], reach: arb) -> arb:
        return self.beta / 4

    def curvature(self, levels: list[arb], reach: arb) -> arb:
        """max|F″| = β²/(6√3); canonical (1+√n)²(that + √n β²/4), see occupations.FermiDirac."""
        bound = self.beta**2 / (6 * arb(3).sqrt())
        if not self.canonical:
            return bound
        root = arb(len(levels)).sqrt()
        return (1 + root) ** 2 * (bound + root * self.beta**2 / 4)

    def rest(self, levels: list[arb]) -> arb:
        total = arb(0)
        for i, level in enumerate(levels):
            x = level - self.mu
            grand = -(1 + (-self.beta * x).exp()).log() / self.beta
            total += 2 * (grand - (x if self.canonical else level) * self.value(levels, i))
        return total


class Series:
    """F_N = G_N′ from the Chebyshev coefficients of G_N: as a polynomial in t ∈ [−1, 1]."""

    def __init__(self, coefficients: list[arb], low: arb, high: arb) -> None:
        self.low, self.high, self.half = low, high, (high - low) / 2
        t = arb_poly([0, 1])
        before, now = arb_poly([1]), t
        total = arb_poly([coefficients[0]])
        for c in coefficients[1:]:
            total += now * arb_poly([c])
            before, now = now, 2 * t * now - before
        self.grand, self.first = total, total.derivative() * arb_poly([1 / self.half])
        self.second = self.first.derivative() * arb_poly([1 / self.half])
        degree = len(coefficients) - 1
        # Chebyshev coefficients of F_N: d_k = (2 − δ_k0) Σ_{m>k, m−k odd} m c_m/h.
        self.d = [
            (2 if k else 1)
            * sum((m * coefficients[m] for m in range(k + 1, degree + 1, 2)), arb(0))
            / self.half
            for k in range(degree)
        ]

    def _t(self, x: arb) -> arb:
        return (x - self.low) / self.half - 1

    def value(self, levels: list[arb], i: int) -> arb:
        return self.first(self._t(levels[i]))

    def difference(self, levels: list[arb], i: int, j: int) -> arb:
        x, y = levels[i], levels[j]
        if x.overlaps(y):
            return self.second(self._t(x.union(y)))  # the mean value theorem
        return (self.value(levels, i) - self.value(levels, j)) / (x - y)

    def slope(self, levels: list[arb], reach: arb) -> arb:
        self._inside(levels, reach)
        return sum((abs(d) * k * k for k, d in enumerate(self.d)), arb(0)) / self.half

    def curvature(self, levels: list[arb], reach: arb) -> arb:
        self._inside(levels, reach)
        terms = (abs(d) * k * k * (k * k - 1) for k, d in enumerate(self.d) if k)
        return sum(terms, arb(0)) / (3 * self.half**2)

    def rest(self, levels: list[arb]) -> arb:
        total = arb(0)
        for i, level in enumerate(levels):
            total += 2 * (self.grand(self._t(level)) - level * self.value(levels, i))
        return total

    def _inside(self, levels: list[arb], reach: arb) -> None:
        if not (levels[0] - reach >= self.low and levels[-1] + reach <= self.high):
            raise RefusedError("polynomial: levels may leave the interval")
