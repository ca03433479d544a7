r"""The checker on polynomial occupations, by Newton–Kantorovich without eigenvectors.

F_N(H), Tr G_N(H) and χ_N come from U_k(S), S the scaled Hamiltonian, by T_k′ = kU_{k−1} and
U_n[t,s] = 2 Σ_{i+j=n−1} U_i(t) U_j(s); the two inverse bounds from DΦ_N = 1 − Jχ_N inverted in
balls, inverse² · 1 − KᵀK ≻ 0 for K = DΦ_N⁻¹J; then the two inequalities among the stated decimals
hold or do not, in rational arithmetic.
"""

from __future__ import annotations

from typing import Any

import flint

from scc.certify.check_algebra import ArbMat, inverse, length, positive, unit
from scc.certify.check_assembly import Assembly
from scc.certify.check_solution import Solution, Spectrum, require
from scc.certify.decimals import ball, fraction


class PolynomialSolution(Solution):
    """G_N, F_N = G_N′ as stated by their coefficients."""

    def __init__(self, document: dict[str, Any], assembly: Assembly) -> None:
        super().__init__(document["polynomial"], assembly, "polynomial")
        for name in ("interval", "coefficients"):
            require(isinstance(self.part[name], list), f"polynomial: {name} is not a list")
        low, high = (ball(end) for end in self.part["interval"])
        self.low, self.high, self.half = low, high, (high - low) / 2
        require(bool(self.half > 0), "polynomial: the interval is empty")
        self.c = [ball(value) for value in self.part["coefficients"]]
        self.degree = len(self.c) - 1
        require(self.degree == self.part["degree"] >= 2, "polynomial: degree and coefficients")

    def verified(self) -> list[str]:
        assembly, r = self.assembly, self.radius
        margin = ball(self.part["constants"]["margin"])
        size = self.H.nrows()
        for shifted in (
            self.H - unit(size, self.low + margin),
            unit(size, self.high - margin) - self.H,
        ):
            require(positive(shifted), "polynomial: a level is nearer to the ends than the margin")
        U = self._second_kind()
        density = sum(
            (U[k - 1] * (k * self.c[k] / self.half) for k in range(2, self.degree + 1)),
            U[0] * (self.c[1] / self.half),
        )
        n = assembly.most_orbitals
        first, second = self._derivative_bounds()
        self.constant("population_lipschitz", 2 * n * first)
        self.constant("lipschitz", 2 * n * second)
        self._inverses(U, density)
        kantorovich(self.part)
        traces = [U[0].trace(), U[1].trace() / 2]
        traces += [(U[k] - U[k - 2]).trace() / 2 for k in range(2, len(U))]
        traces.append((self._next(U) - U[-2]).trace() / 2)
        trace = 2 * sum((c * t for c, t in zip(self.c, traces, strict=True)), flint.arb(0))
        levels = Spectrum(self.H).levels
        self.quantities(density, trace, first, flint.arb(n).sqrt() * r, levels)
        self.gap(levels, self.part["levels_below_gap"])
        self.verified_names |= {"inverse", "margin"}
        self.nothing_else("degree", "interval", "coefficients", "levels_below_gap")
        unique = float(ball(self.part["uniqueness_radius"]))
        return [
            f"polynomial: a solution within {float(r):.3g} of the centre, "
            f"no other one within {unique:.3g}",
            "polynomial: constants and enclosures",
        ]

    def _second_kind(self) -> list[ArbMat]:
        """U_0 … U_{N−1} of the scaled Hamiltonian."""
        size = self.H.nrows()
        self.twice = (self.H * 2 - unit(size, self.low + self.high)) / self.half
        found = [unit(size), self.twice]
        while len(found) < self.degree:
            found.append(self._next(found))
        return found

    def _next(self, U: list[ArbMat]) -> ArbMat:
        return self.twice * U[-1] - U[-2]

    def _inverses(self, U: list[ArbMat], density: ArbMat) -> None:
        """newton_step ≥ ‖DΦ⁻¹Φ‖₂ and inverse ≥ ‖DΦ⁻¹J‖₂."""
        assembly = self.assembly
        dielectric = unit(assembly.size) - assembly.J * self._response(U)
        solver = inverse(dielectric)
        step = solver * self.residual(self.populations(density))
        self.constant("newton_step", length(step.entries()))
        norm = ball(self.part["constants"]["inverse"])
        K = solver * assembly.J
        require(
            positive(unit(assembly.size, norm * norm) - K.transpose() * K),
            f"polynomial: inverse {float(norm):.10g} is no bound of the inverse times J",
        )

    def _response(self, U: list[ArbMat]) -> ArbMat:
        """χ_N = 2 Σ_k (k c_k/h) 2/h Σ_{i+j=k−2} U_i∘U_j, summed over the orbitals of atoms."""
        terms, size = self.degree - 1, self.H.nrows()
        weights = [4 * k * c / self.half**2 for k, c in enumerate(self.c)] + [flint.arb(0)] * terms
        hankel = ArbMat([[weights[i + j + 2] for j in range(terms)] for i in range(terms)])
        tables = [matrix.tolist() for matrix in U[:terms]]
        found = ArbMat(self.assembly.size, self.assembly.size)
        for a in range(size):
            vectors = ArbMat([[table[a][b] for table in tables] for b in range(size)])
            products = (vectors * hankel).tolist()
            own = vectors.tolist()
            for b in range(size):
                value = sum((x * y for x, y in zip(own[b], products[b], strict=True)), flint.arb(0))
                found[self.assembly.owner[a], self.assembly.owner[b]] += value
        return found

    def _derivative_bounds(self) -> tuple[flint.arb, flint.arb]:
        """(Σ|d_k|k²/h, Σ|d_k|k²(k²−1)/3h²), d_k = (2−δ_k0) Σ_{m>k, m−k odd} m c_m/h."""
        d = [
            2 * sum((m * self.c[m] for m in range(k + 1, self.degree + 1, 2)), flint.arb(0))
            for k in range(self.degree)
        ]
        size = [abs(value / self.half) for value in d]
        first = sum((x * k * k for k, x in enumerate(size)), flint.arb(0)) / self.half
        terms = (x * k * k * (k * k - 1) for k, x in enumerate(size) if k)
        return first, sum(terms, flint.arb(0)) / (3 * self.half**2)


def kantorovich(part: dict[str, Any]) -> None:
    """The inequalities of scc.certify.newton_kantorovich with ω(r) = inverse · lipschitz · r."""
    constants = part["constants"]
    names = ("newton_step", "inverse", "lipschitz", "margin")
    step, inverse, lipschitz, margin = (fraction(constants[name]) for name in names)
    existence = fraction(part["existence_radius"])
    uniqueness = fraction(part["uniqueness_radius"])
    rate = inverse * lipschitz
    require(min(step, inverse, lipschitz) >= 0, "polynomial: a constant is negative")
    require(
        step + rate * existence**2 <= existence and rate * existence < 1 and existence <= margin,
        "polynomial: the existence condition fails: step + modulus * radius exceeds the radius by "
        f"{float(step + rate * existence**2 - existence):.3g}",
    )
    require(
        existence <= uniqueness <= margin and rate * uniqueness < 1,
        f"polynomial: the uniqueness condition fails: modulus {float(rate * uniqueness):.6g}, "
        f"radius {float(uniqueness):.6g}, margin {float(margin):.6g}",
    )
