r"""The checker on exact occupations, by convexity.

J ≻ 0 ⇒ v̂* is unique, and ‖v̂* − v̄‖₂² ≤ ‖J‖₂ ΦᵀJ⁻¹Φ, by strong convexity of
½v̂ᵀJ⁻¹v̂ + Zᵀv̂ − g(v̂), whose gradient is J⁻¹Φ. ``inverse`` · 1 − J ≻ 0 is what that constant states.
"""

from __future__ import annotations

from typing import Any

import flint

from scc.certify.check_algebra import (
    ArbMat,
    fermi,
    inverse,
    levels_below,
    positive,
    projector,
    row_norm,
    unit,
)
from scc.certify.check_assembly import Assembly
from scc.certify.check_solution import Solution, Spectrum, pm, require, widened
from scc.certify.decimals import ball, fraction, read


class ExactSolution(Solution):
    """Fermi–Dirac occupation, β ≤ ∞, either ensemble."""

    def __init__(self, document: dict[str, Any], assembly: Assembly) -> None:
        super().__init__(document["exact"], assembly, "exact")
        stated = document["input"]
        self.ensemble = stated["ensemble"]
        kind = self.ensemble["kind"]
        require(kind in ("canonical", "grand-canonical"), f"unknown ensemble {kind!r}")
        self.canonical = kind == "canonical"
        self.beta = None if stated["beta"] == "inf" else ball(stated["beta"])
        require(self.beta is None or bool(self.beta > 0), "beta is not positive")
        if self.canonical:
            self.electrons = ball(self.ensemble["electrons"])
        else:
            self.mu = ball(self.ensemble["chemical_potential"])

    def verified(self) -> list[str]:
        assembly, r = self.assembly, self.radius
        spectrum = Spectrum(self.H)
        if self.beta is None:
            density, trace, slope, move = self._cold()
        else:
            density, trace, slope, move = self._warm(spectrum)
        norm = ball(self.part["constants"]["inverse"])
        require(
            positive(unit(assembly.size, norm) - assembly.J),
            f"exact: inverse {float(norm):.10g} is no bound of the norm of J",
        )
        self.constant("lipschitz", 2 * assembly.most_orbitals * slope)
        residual = self.residual(self.populations(density))
        square = (residual.transpose() * inverse(assembly.J) * residual)[0, 0]
        own = (norm * abs(square).upper()).sqrt()
        require(
            bool(own <= r),
            f"exact: the solution is known within {float(own.upper()):.3g} of the centre, not "
            f"within the stated {float(r):.3g}",
        )
        if self.part["uniqueness_radius"] != "inf":
            require(bool(ball(self.part["uniqueness_radius"]) >= r), "exact: uniqueness radius")
        self.quantities(density, trace, slope, move, spectrum.levels)
        self._gap(spectrum.levels)
        self.verified_names.add("inverse")
        self.nothing_else()
        return [
            f"exact: a solution within {float(r):.3g} of the centre, no other one at all",
            "exact: constants and enclosures",
        ]

    def _cold(self) -> tuple[ArbMat, flint.arb, flint.arb, flint.arb]:
        """β = ∞: the projector, 2 Tr G, 1/gap on the ball, ‖dH‖_F."""
        H, size, r = self.H, self.H.nrows(), self.radius
        stated = [read(level) for level in self.part["enclosures"]["eigenvalues"]]
        if self.canonical:
            pairs = fraction(self.ensemble["electrons"]) / 2
            require(pairs.denominator == 1 and 0 <= pairs <= size, "no even number of electrons")
            filled = int(pairs)
        else:
            filled = levels_below(H, self.mu)
        edges = row_norm(H) + 1 + (flint.arb(0) if self.canonical else 2 * abs(self.mu))
        low = sum(stated[filled - 1], flint.arb(0)) if filled else -edges
        high = stated[filled][0] - stated[filled][1] if filled < size else edges
        require(bool(high > low), "exact: no gap is stated at this number of electrons")
        for energy in (low, high):
            require(levels_below(H, energy) == filled, "exact: levels lie in the stated gap")
        require(bool(high - low > 2 * r), "exact: the gap may close within the existence radius")
        mu = flint.arb(0)
        if not self.canonical:
            mu = self.mu
            inside = bool(mu - low > r) and bool(high - mu > r)
            require(inside, "exact: the chemical potential may leave the gap")
        density = projector(H, low, high)
        trace = 2 * ((H * density).trace() - mu * filled)
        slope = 1 / (high - low - 2 * r) if 0 < filled < size else flint.arb(0)
        return density, trace, slope, flint.arb(self.assembly.most_orbitals).sqrt() * r

    def _warm(self, spectrum: Spectrum) -> tuple[ArbMat, flint.arb, flint.arb, flint.arb]:
        """β < ∞: F(H), 2 Tr G (+ µN), β/4, ‖dH − dµ‖_F."""
        assert self.beta is not None
        H, r, beta = self.H, self.radius, self.beta
        size = flint.arb(H.nrows()).sqrt()
        move = flint.arb(self.assembly.most_orbitals).sqrt() * r
        centre = (
            read(self.part["enclosures"]["chemical_potential"])[0] if self.canonical else self.mu
        )
        density = fermi(H, beta, centre)
        mu = centre
        if self.canonical:
            # F increases with µ, so the change of F has the trace norm |N − 2 Tr F|/2. And
            # dN/dµ = 2β Tr F(1−F) changes by at most a factor e^{β|dµ|} < 2: µ moves by ≤ δ.
            missing = abs(2 * density.trace() - self.electrons)
            rate = 2 * beta * (density - density * density).trace()
            require(bool(rate > 0), "exact: the density of states at mu is not certainly positive")
            delta = 2 * (missing / rate).upper()
            require(bool(beta * delta < flint.arb("0.6")), "exact: mu is not determined")
            mu = centre + pm(delta)
            density = widened(density, missing / 2)
            self.enclosed("chemical_potential", mu + pm(r))
            move += size * r
        terms = ((1 + (-beta * (level - mu)).exp()).log() for level in spectrum.diagonal)
        trace = -2 * sum(terms, flint.arb(0)) / beta + pm(spectrum.trace_error(beta / 4))
        if self.canonical:
            trace += mu * self.electrons
        return density, trace, beta / 4, move

    def _gap(self, levels: list[flint.arb]) -> None:
        """Between the levels next to µ (β = ∞: the highest occupied and the lowest empty)."""
        if self.part["enclosures"]["gap"] is None:
            self.gap(levels, 0)
            return
        if self.beta is None:
            if self.canonical:
                filled = int(fraction(self.ensemble["electrons"]) / 2)
            else:
                filled = levels_below(self.H, self.mu)
        else:
            if self.canonical:
                middle, width = read(self.part["enclosures"]["chemical_potential"])
                mu = middle + pm(width)
            else:
                mu = self.mu
            sure = [level + pm(self.radius) for level in levels]
            filled = sum(bool(level < mu) for level in sure)
            above = sum(bool(level > mu) for level in sure)
            require(filled + above == len(levels), "exact: a level may coincide with mu")
        self.gap(levels, filled)
