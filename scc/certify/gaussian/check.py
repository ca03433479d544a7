r"""The checker of Gaussian certificates: decides from the document alone whether it is true.

Trusted: the files check_*, this one, the decimal reader, Arb. Not trusted: any
number of the document but the input, which *defines* the problem. Norms as in the certificate;
Φ(V̄) = V̄ − V_nuc − J[D̄], G ≥ ‖Φ‖, K: F ↦ 2J[F], s ≥ sup|F[x,y]| at V̄.

Exact occupations, by convexity. The energy is convex in P = D/2 and has a minimiser P*. With
H̄ = T + V̄, P̄ = F(H̄), Q = P̄ − P*, H* = T + V*: ⟨H* − H̄, P* − P̄⟩ ≤ −‖Q‖²/2s. (β < ∞: F is minus
the gradient of a convex function and s-Lipschitz, hence cocoercive. β = ∞: ⟨H*, P* − P̄⟩ ≤ 0 by
minimality, and ⟨H̄, P* − P̄⟩ ≥ (gap/2)‖Q‖² for a projector P̄ and 0 ≤ P* ≤ 1 of equal trace.) With
V̄ − V* = Φ + KQ this is

    ‖Q‖²/2s + ⟨Q, KQ⟩ ≤ G‖Q‖   ⇒   ‖Q‖ ≤ 2sG,   ‖V* − V̄‖ ≤ G + ‖KQ‖ ≤ G (1 + √(‖K‖ s/2)),
    0 ≤ E[P̄] − E* ≤ 2G‖Q‖.

At β = ∞ the argument is the canonical one, and it remains that the gap stays open (and around µ).
Polynomials: the Newton–Kantorovich inequalities with constants verified here. That a stated c
bounds ‖M⁻¹‖ is verified as c²MᵀM − 1 ≻ 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flint
from flint import arb, arb_mat

from scc.certify.check_algebra import positive, unit
from scc.certify.check_document import checked, known_parts
from scc.certify.decimals import ball, fraction, read
from scc.certify.gaussian.check_solution import (
    Solution,
    System,
    contained,
    length,
    norm,
    pm,
    require,
)
from scc.certify.gaussian.check_spectrum import Cold, Occupation, Series, Warm
from scc.certify.gaussian.statement import CONVENTIONS

_BITS = 192


def check(document: dict[str, Any], progress: Callable[[str], None]) -> list[str]:
    """What was verified, a line each. Raises RefusedError naming the first statement that fails."""
    return checked(document, progress, _check, bits=_BITS, bits_per_coefficient=6)


def _check(document: dict[str, Any], progress: Callable[[str], None]) -> list[str]:
    known_parts(document, CONVENTIONS)
    progress("computing the integrals anew")
    system = System(document["input"])
    progress("checking the exact solution")
    exact = _Exact(document, system)
    lines = exact.verified()
    if "polynomial" in document:
        progress("checking the polynomial solution")
        polynomial = _Polynomial(document, system)
        lines += polynomial.verified()
        apart = norm(exact.inner(polynomial.centre - exact.centre).entries())
        total = apart + pm(exact.radius + polynomial.radius)
        require(set(document["distance"]) == {"hilbert-schmidt"}, "distance: unknown norms")
        contained("distance", document["distance"]["hilbert-schmidt"], total)
        lines.append(f"the two solutions are {float(apart):.6g} Hartree apart")
    return lines


class _Exact(Solution):
    """Fermi–Dirac occupation, β ≤ ∞, either ensemble."""

    def __init__(self, document: dict[str, Any], system: System) -> None:
        super().__init__(document["exact"], system, "exact")
        ensemble, beta = document["input"]["ensemble"], document["input"]["beta"]
        kind = ensemble["kind"]
        require(kind in ("canonical", "grand-canonical"), f"unknown ensemble {kind!r}")
        self.canonical = kind == "canonical"
        self.beta = None if beta == "inf" else ball(beta)
        require(self.beta is None or bool(self.beta > 0), "beta is not positive")
        self.number = fraction(ensemble["electrons"]) if self.canonical else None
        self.mu: arb | None = None if self.canonical else ball(ensemble["chemical_potential"])

    def verified(self) -> list[str]:
        self.occupy(self._occupation())
        r, s = self.radius, self.slope
        size = length(self.residual.entries())
        own = size * (1 + (self.kappa * s / 2).sqrt())
        require(
            bool(own <= r),
            f"exact: the solution is known within {float(own.upper()):.3g} of the centre, not "
            f"within the stated {float(r):.3g}",
        )
        self.slope_and_curvature()
        if self.part["uniqueness_radius"] != "inf":
            require(bool(ball(self.part["uniqueness_radius"]) >= r), "exact: uniqueness radius")
        m = self.jacobian(fixed_number=self.canonical and self.beta is not None)
        gram, one = m.transpose() * m, unit(m.nrows())
        self.constant("inverse", lambda c: positive(gram * (c * c) - one))
        move = 2 * s * size
        excess = arb(0).union((2 * size * move).upper())
        error = 2 * arb(self.system.n).sqrt() * self._rest_slope() * self.error
        self.quantities(self.plain_energy() - excess + pm(error), move, arb(1))
        self._levels_next_to_mu()
        self.nothing_else_stated()
        return [
            f"exact: a solution within {float(r):.3g} of the centre, no other one at all",
            "exact: constants and enclosures",
        ]

    def slope_and_curvature(self) -> None:
        """Within the existence radius; at fixed number and β < ∞ they do not depend on it."""
        reach = self.radius + self.error
        own = self.occupation.slope(self.levels, reach)
        self.constant("slope", lambda value: bool(value >= own))
        bent = self.occupation.curvature(self.levels, reach)
        self.constant("curvature", lambda value: bool(value >= bent))

    def _rest_slope(self) -> arb:
        """|φ′|: |(x−µ)F′| ≤ ¼ at β < ∞, plus |µ||F′| grand-canonical, times 1 + n where µ follows
        (|F′_i m| ≤ Σ_j|F′_j(λ_j−µ)| for the weighted mean m of λ − µ). Constant at β = ∞."""
        if self.beta is None:
            return arb(0)
        if self.mu is None:
            return arb(1 + self.system.n) / 4
        return arb(1) / 4 + abs(self.mu) * self.beta / 4

    def _occupation(self) -> Occupation:
        n = self.system.n
        if self.beta is None:
            if self.mu is not None:
                mu, reach = self.mu, self.radius + self.error
                filled = sum(bool(level < mu) for level in self.levels)
                sure = all(level + reach < mu for level in self.levels[:filled])
                sure &= all(level - reach > mu for level in self.levels[filled:])
                require(sure, "exact: the chemical potential may leave the gap")
            else:
                assert self.number is not None
                pairs = self.number / 2
                require(pairs.denominator == 1 and 0 <= pairs <= n, "no even number of electrons")
                filled = int(pairs)
            return Cold(filled, self.mu)
        if self.mu is not None:
            return Warm(self.beta, self.mu, canonical=False)
        assert self.number is not None
        beta = self.beta
        # µ at H̄: 2 Tr F grows with it, by balls on both sides.
        wanted = arb(flint.fmpq(self.number.numerator, self.number.denominator))
        middle, _ = read(self.part["enclosures"]["chemical_potential"])

        def filling(mu: arb) -> list[arb]:
            warm = Warm(beta, mu, canonical=True)
            return [warm.value(self.levels, i) for i in range(n)]

        def electrons(mu: arb) -> arb:
            return 2 * sum(filling(mu), arb(0)) + pm(arb(n) * beta / 2 * self.error)

        for _ in range(6):
            rate = 2 * beta * sum((f * (1 - f) for f in filling(middle)), arb(0))
            middle = (middle - (electrons(middle) - wanted) / rate).mid()
        width = arb(10) ** -45
        while width < self.radius:
            if electrons(middle - width) <= wanted <= electrons(middle + width):
                break
            width *= 8
        bracketed = bool(electrons(middle - width) <= wanted <= electrons(middle + width))
        require(bracketed, "exact: the chemical potential is not where it is stated")
        mu = middle + pm(width)
        self.enclosed("chemical_potential", mu + pm(self.radius))
        return Warm(beta, mu, canonical=True)

    def _levels_next_to_mu(self) -> None:
        """The gap."""
        if self.part["enclosures"]["gap"] is None:
            return
        if isinstance(self.occupation, Cold):
            below = self.occupation.filled
        else:
            assert isinstance(self.occupation, Warm)
            mu = self.occupation.mu + (pm(self.radius) if self.canonical else 0)
            sure = [level + pm(self.radius + self.error) for level in self.levels]
            below = sum(bool(level < mu) for level in sure)
            above = sum(bool(level > mu) for level in sure)
            require(below + above == len(sure), "exact: a level may coincide with mu")
        require(0 < below < len(self.levels), "exact: there is no gap to state")
        gap = self.levels[below] - self.levels[below - 1]
        self.enclosed("gap", gap + pm(2 * (self.radius + self.error)))


class _Polynomial(Solution):
    """F_N = G_N′ as stated by the coefficients of G_N."""

    keys = Solution.keys | {"degree", "chemical_potential", "interval", "coefficients"}

    def __init__(self, document: dict[str, Any], system: System) -> None:
        super().__init__(document["polynomial"], system, "polynomial")
        for name in ("interval", "coefficients"):
            require(isinstance(self.part[name], list), f"polynomial: {name} is not a list")
        low, high = (ball(end) for end in self.part["interval"])
        require(bool(high > low), "polynomial: the interval is empty")
        coefficients = [ball(value) for value in self.part["coefficients"]]
        require(
            len(coefficients) - 1 == self.part["degree"] >= 2, "polynomial: degree and coefficients"
        )
        self.series = Series(coefficients, low, high)

    def verified(self) -> list[str]:
        self.occupy(self.series)
        m, r = self.jacobian(fixed_number=False), self.radius
        require(self.part["enclosures"]["gap"] is None, "polynomial: no gap can be stated")
        inverse = m.inv()
        root2 = arb(2).sqrt()
        n = range(self.system.n)
        vector = [self.residual[i, j] * (1 if i == j else root2) for i in n for j in range(i + 1)]
        own = length((inverse * arb_mat(len(vector), 1, vector)).entries())
        self.constant("newton_step", lambda value: bool(value >= own))
        gram, one = m.transpose() * m, unit(m.nrows())
        self.constant("inverse", lambda c: positive(gram * (c * c) - one))
        screened = inverse * self.coulomb
        k2 = screened.transpose() * screened
        self.constant("screened", lambda c: positive(one * (c * c) - k2))
        slope = self.series.slope(self.levels, self.error)
        self.constant("slope", lambda value: bool(value >= slope))
        bent = self.series.curvature(self.levels, self.error)
        self.constant("curvature", lambda value: bool(value >= bent))
        unique = self._kantorovich()
        move = slope * r
        height = length(self.filling.entries()) + move
        largest = abs(self.series.low).max(abs(self.series.high))
        first = length(self.inner(self._effective()).entries())
        error = 2 * first * move + self.kappa * move * move
        error += 2 * arb(self.system.n).sqrt() * largest * slope * (r + self.error)
        self.quantities(self.plain_energy() + pm(error), move, height)
        self.nothing_else_stated()
        return [
            f"polynomial: a solution within {float(r):.3g} of the centre, no other one within "
            f"{float(unique):.3g}",
            "polynomial: constants and enclosures",
        ]

    def _effective(self) -> arb_mat:
        integrals = self.system.integrals
        return integrals.kinetic + integrals.nuclear + self.hartree

    def _kantorovich(self) -> arb:
        """step + ωρ ≤ ρ, ω(R) < 1, spectra within R inside the interval; R."""
        step, screened, curvature = (
            ball(self.part["constants"][name]) for name in ("newton_step", "screened", "curvature")
        )
        r, unique = self.radius, ball(self.part["uniqueness_radius"])
        require(bool(unique >= r), "polynomial: uniqueness within less than the existence radius")
        self.series.curvature(self.levels, unique + self.error)  # refuses outside the interval
        excess = step + screened * curvature * r * r - r
        require(
            bool(excess <= 0),
            "polynomial: the existence condition fails: step + modulus * radius exceeds the radius "
            f"by {float(excess):.3g}",
        )
        modulus = screened * curvature * unique
        require(
            bool(modulus < 1),
            f"polynomial: the uniqueness condition fails: modulus {float(modulus):.6g}",
        )
        return unique
