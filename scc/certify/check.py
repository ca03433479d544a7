r"""The checker of on-site certificates: decides from the document alone whether it is true.

Trusted: this file, its check_* parts, the decimal reader, Arb. Not trusted: any number of the
document except the input, which *defines* the problem. Exact occupations:

    J ≻ 0  ⇒  v̂* is unique, and ‖v̂* − v̄‖₂² ≤ ‖J‖₂ ΦᵀJ⁻¹Φ, by strong convexity of
    ½v̂ᵀJ⁻¹v̂ + Zᵀv̂ − g(v̂), whose gradient is J⁻¹Φ;   inverse · 1 − J ≻ 0.

Polynomials: F_N(H), Tr G_N(H) and χ_N from U_k(S), S the scaled Hamiltonian, by T_k′ = kU_{k−1} and
U_n[t,s] = 2 Σ_{i+j=n−1} U_i(t) U_j(s); the two inverse bounds by inverting DΦ_N = 1 − Jχ_N in
balls, inverse² · 1 − KᵀK ≻ 0 for K = DΦ_N⁻¹J; then the two Newton–Kantorovich inequalities among
the stated decimals in rational arithmetic. Every enclosure must contain the checker's own.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from scc.certify.check_algebra import (
    ArbMat,
    fermi,
    inverse,
    length,
    levels_below,
    positive,
    projector,
    row_norm,
    unit,
)
from scc.certify.check_assembly import Assembly
from scc.certify.decimals import ball, fraction, read, states
from scc.certify.failure import RefusedError
from scc.errors import InputError

_BITS = 256


def check_onsite(document: dict[str, Any], progress: Callable[[str], None]) -> list[str]:
    """What was verified, a line each. Raises RefusedError naming the first statement that fails."""
    try:
        with flint.ctx.workprec(_BITS + _extra_bits(document)):
            return _check(document, progress)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise RefusedError(f"malformed: {error}") from None
        raise RefusedError(f"malformed: {type(error).__name__}: {error}") from None
    except (ZeroDivisionError, OverflowError) as error:
        raise RefusedError(f"not verified: {error}") from None


def _extra_bits(document: dict[str, Any]) -> int:
    """Precision is a matter of success, not of truth: it may be chosen by what is stated."""
    polynomial = document.get("polynomial")
    bits = 0 if polynomial is None else 4 * min(len(polynomial["coefficients"]), 2000)
    stated = document["exact"]["enclosures"]
    if "chemical_potential" in stated:
        mu = float(stated["chemical_potential"][0])
        nearest = min(abs(float(level[0]) - mu) for level in stated["eigenvalues"])
        bits += min(int(3.0 * float(document["input"]["beta"]) * nearest), 1 << 14)
    return bits


def _check(document: dict[str, Any], progress: Callable[[str], None]) -> list[str]:
    progress("assembling the Hamiltonian and the Coulomb matrix anew")
    assembly = Assembly(document["input"])
    _require(positive(assembly.J), "the Coulomb matrix J is not certainly positive definite")
    lines = ["J is positive definite: the solution is unique"]
    progress("checking the exact solution")
    exact = _Exact(document, assembly)
    lines += exact.verified()
    if "polynomial" in document:
        progress("checking the polynomial solution")
        polynomial = _Polynomial(document, assembly)
        lines += polynomial.verified()
        lines.append(_distance(document))
    return lines


class _Solution:
    """What both kinds of solutions share: the centre, H there, and the comparison of enclosures."""

    def __init__(self, part: dict[str, Any], assembly: Assembly, name: str) -> None:
        self.part, self.assembly, self.name = part, assembly, name
        self.centre = [ball(v) for v in part["centre"]]
        _require(len(self.centre) == assembly.size, f"{name}: the centre has a wrong length")
        norms = {"existence": "2", "uniqueness": "infinity"}
        _require(part["norms"] == norms, f"{name}: the norms are not those of this checker")
        self.H = ArbMat(assembly.H0)
        for a, atom in enumerate(assembly.owner):
            self.H[a, a] += self.centre[atom]
        self.radius = ball(part["existence_radius"])
        _require(bool(self.radius >= 0), f"{name}: the existence radius is negative")

    def populations(self, density: ArbMat) -> list[flint.arb]:
        found = [flint.arb(0)] * self.assembly.size
        for a, atom in enumerate(self.assembly.owner):
            found[atom] += 2 * density[a, a]
        return found

    def residual(self, populations: list[flint.arb]) -> ArbMat:
        excess = [[p - z] for p, z in zip(populations, self.assembly.nuclear, strict=True)]
        return ArbMat([[v] for v in self.centre]) - self.assembly.J * ArbMat(excess)

    def constant(self, name: str, least: flint.arb) -> None:
        """A stated constant is at least what it must be."""
        stated = ball(self.part["constants"][name])
        _require(
            bool(least <= stated),
            f"{self.name}: {name} is stated as {float(stated):.10g}, cannot be below "
            f"{float(least.lower()):.10g}",
        )

    def enclosed(self, name: str, own: Any) -> None:
        """The stated enclosure(s) contain the checker's own ball(s), nested lists alike."""
        _contained(f"{self.name}: {name}", self.part["enclosures"][name], own)

    def quantities(
        self,
        density: ArbMat,
        trace: flint.arb,
        slope: flint.arb,
        move: flint.arb,
        levels: list[flint.arb],
    ) -> None:
        """Charges, electrons, forces, energy and eigenvalues at the solution.

        trace: 2 Tr G (+ µN); slope: Lipschitz constant of F; move: bound of ‖dH‖_F, µ included.
        """
        assembly, r = self.assembly, self.radius
        p = self.populations(density)
        lipschitz = 2 * assembly.most_orbitals * slope
        jump = lipschitz * r
        q = [value - z for value, z in zip(p, assembly.nuclear, strict=True)]
        column = ArbMat([[x] for x in q])
        field = (column.transpose() * assembly.J * column)[0, 0] / 2
        constant = assembly.constant_energy()
        work = sum((v * x for v, x in zip(self.centre, p, strict=True)), flint.arb(0))
        # The gradient of the energy in v̂ is −(Dp)ᵀΦ.
        worst = length(self.residual(p).entries()) + (1 + row_norm(assembly.J) * lipschitz) * r
        self.enclosed("energy", trace - work + field + constant + _pm(jump * worst))
        moved = [x + _pm(jump) for x in q]
        self.enclosed("charges", [-x for x in moved])
        self.enclosed("electrons", sum((x + _pm(jump) for x in p), flint.arb(0)))
        wide = ArbMat(
            density.nrows(), density.nrows(), [e + _pm(slope * move) for e in density.entries()]
        )
        self.enclosed("forces", assembly.forces(wide, moved))
        self.enclosed("eigenvalues", [level + _pm(r) for level in levels])


class _Exact(_Solution):
    """Fermi–Dirac occupation, β ≤ ∞, either ensemble."""

    def __init__(self, document: dict[str, Any], assembly: Assembly) -> None:
        super().__init__(document["exact"], assembly, "exact")
        stated = document["input"]
        self.ensemble = stated["ensemble"]
        kind = self.ensemble["kind"]
        _require(kind in ("canonical", "grand-canonical"), f"unknown ensemble {kind!r}")
        self.canonical = kind == "canonical"
        self.beta = None if stated["beta"] == "inf" else ball(stated["beta"])
        _require(self.beta is None or bool(self.beta > 0), "beta is not positive")
        if self.canonical:
            self.electrons = ball(self.ensemble["electrons"])
        else:
            self.mu = ball(self.ensemble["chemical_potential"])

    def verified(self) -> list[str]:
        assembly, r = self.assembly, self.radius
        spectrum = _Spectrum(self.H)
        if self.beta is None:
            density, trace, slope, move = self._cold()
        else:
            density, trace, slope, move = self._warm(spectrum)
        norm = ball(self.part["constants"]["inverse"])
        _require(
            positive(unit(assembly.size, norm) - assembly.J),
            f"exact: inverse {float(norm):.10g} is no bound of the norm of J",
        )
        self.constant("lipschitz", 2 * assembly.most_orbitals * slope)
        residual = self.residual(self.populations(density))
        square = (residual.transpose() * inverse(assembly.J) * residual)[0, 0]
        own = (norm * abs(square).upper()).sqrt()
        _require(
            bool(own <= r),
            f"exact: the solution is known within {float(own.upper()):.3g} of the centre, not "
            f"within the stated {float(r):.3g}",
        )
        if self.part["uniqueness_radius"] != "inf":
            _require(bool(ball(self.part["uniqueness_radius"]) >= r), "exact: uniqueness radius")
        self.quantities(density, trace, slope, move, spectrum.levels)
        self._gap(spectrum.levels)
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
            _require(pairs.denominator == 1 and 0 <= pairs <= size, "no even number of electrons")
            filled = int(pairs)
        else:
            filled = levels_below(H, self.mu)
        edges = row_norm(H) + 1
        low = sum(stated[filled - 1], flint.arb(0)) if filled else -edges
        high = stated[filled][0] - stated[filled][1] if filled < size else edges
        _require(bool(high > low), "exact: no gap is stated at this number of electrons")
        for energy in (low, high):
            _require(levels_below(H, energy) == filled, "exact: levels lie in the stated gap")
        _require(bool(high - low > 2 * r), "exact: the gap may close within the existence radius")
        mu = flint.arb(0)
        if not self.canonical:
            mu = self.mu
            inside = bool(mu - low > r) and bool(high - mu > r)
            _require(inside, "exact: the chemical potential may leave the gap")
        density = projector(H, low, high)
        trace = 2 * ((H * density).trace() - mu * filled)
        slope = 1 / (high - low - 2 * r) if 0 < filled < size else flint.arb(0)
        return density, trace, slope, flint.arb(self.assembly.most_orbitals).sqrt() * r

    def _warm(self, spectrum: _Spectrum) -> tuple[ArbMat, flint.arb, flint.arb, flint.arb]:
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
            _require(bool(rate > 0), "exact: the density of states at mu is not certainly positive")
            delta = 2 * (missing / rate).upper()
            _require(bool(beta * delta < flint.arb("0.6")), "exact: mu is not determined")
            mu = centre + _pm(delta)
            density = _widened(density, missing / 2)
            self.enclosed("chemical_potential", mu + _pm(r))
            move += size * r
        terms = ((1 + (-beta * (level - mu)).exp()).log() for level in spectrum.diagonal)
        trace = -2 * sum(terms, flint.arb(0)) / beta + _pm(spectrum.trace_error(beta / 4))
        if self.canonical:
            trace += mu * self.electrons
        return density, trace, beta / 4, move

    def _gap(self, levels: list[flint.arb]) -> None:
        """Between the levels next to µ (β = ∞: the highest occupied and the lowest empty)."""
        if self.part["enclosures"]["gap"] is None:
            return
        if self.beta is None:
            if self.canonical:
                filled = int(fraction(self.ensemble["electrons"]) / 2)
            else:
                filled = levels_below(self.H, self.mu)
        else:
            if self.canonical:
                middle, width = read(self.part["enclosures"]["chemical_potential"])
                mu = middle + _pm(width)
            else:
                mu = self.mu
            sure = [level + _pm(self.radius) for level in levels]
            filled = sum(bool(level < mu) for level in sure)
            above = sum(bool(level > mu) for level in sure)
            _require(filled + above == len(levels), "exact: a level may coincide with mu")
        _require(0 < filled < len(levels), "exact: there is no gap to state")
        self.enclosed("gap", levels[filled] - levels[filled - 1] + _pm(2 * self.radius))


class _Polynomial(_Solution):
    """G_N, F_N = G_N′ as stated by their coefficients."""

    def __init__(self, document: dict[str, Any], assembly: Assembly) -> None:
        super().__init__(document["polynomial"], assembly, "polynomial")
        low, high = (ball(end) for end in self.part["interval"])
        self.low, self.high, self.half = low, high, (high - low) / 2
        _require(bool(self.half > 0), "polynomial: the interval is empty")
        self.c = [ball(value) for value in self.part["coefficients"]]
        self.degree = len(self.c) - 1
        _require(self.degree == self.part["degree"] >= 2, "polynomial: degree and coefficients")

    def verified(self) -> list[str]:
        assembly, r = self.assembly, self.radius
        margin = ball(self.part["constants"]["margin"])
        size = self.H.nrows()
        for shifted in (
            self.H - unit(size, self.low + margin),
            unit(size, self.high - margin) - self.H,
        ):
            _require(positive(shifted), "polynomial: a level is nearer to the ends than the margin")
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
        levels = _Spectrum(self.H).levels
        self.quantities(density, trace, first, flint.arb(n).sqrt() * r, levels)
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
        _require(
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
    _require(min(step, inverse, lipschitz) >= 0, "polynomial: a constant is negative")
    _require(
        step + rate * existence**2 <= existence and rate * existence < 1 and existence <= margin,
        "polynomial: the existence condition fails: step + modulus * radius exceeds the radius by "
        f"{float(step + rate * existence**2 - existence):.3g}",
    )
    _require(
        existence <= uniqueness <= margin and rate * uniqueness < 1,
        f"polynomial: the uniqueness condition fails: modulus {float(rate * uniqueness):.6g}, "
        f"radius {float(uniqueness):.6g}, margin {float(margin):.6g}",
    )


def _distance(document: dict[str, Any]) -> str:
    """‖v̂*_N − v̂*‖ in both norms."""
    exact, polynomial = document["exact"], document["polynomial"]
    apart = [
        fraction(a) - fraction(b)
        for a, b in zip(polynomial["centre"], exact["centre"], strict=True)
    ]
    radius = fraction(exact["existence_radius"]) + fraction(polynomial["existence_radius"])
    stated = document["distance"]
    middle, width = (fraction(text) for text in stated["infinity"])
    largest = max(abs(x) for x in apart)
    _require(abs(largest - middle) + radius <= width, "the distance in the maximum norm")
    euclidean = _root(sum((x * x for x in apart), Fraction(0))) + _pm(_arb(radius))
    _require(states(stated["2"], euclidean), "the distance in the Euclidean norm")
    return f"the two solutions are {float(largest):.6g} Hartree apart (maximum norm)"


class _Spectrum:
    """Levels of H from float64 vectors: X = UᵀHU, D its diagonal (exact midpoints), O = X − D.

    λ_i(X) = θ_i λ_i(H) with |θ_i − 1| ≤ δ, δ ≥ ‖UᵀU − 1‖ (Ostrowski), and |λ_i(X) − D_i| ≤ ‖O‖
    (Weyl, both ascending). 2 Tr G is 2 Σ G(D_i) to second order: the derivative of Tr G along O
    vanishes at D, the second one is below sup|F′| ‖O‖_F²; δ adds at most 3δn‖H‖, as |F| ≤ 1.
    """

    def __init__(self, H: ArbMat) -> None:
        size = H.nrows()
        middles = np.array([float(e.mid()) for e in H.entries()]).reshape(size, size)
        C = ArbMat([[float(x) for x in row] for row in np.linalg.eigh(middles)[1]])
        U = C * (unit(size, 3) - C.transpose() * C) / 2
        X = U.transpose() * H * U
        self.diagonal = sorted((X[i, i].mid() for i in range(size)), key=float)
        self.loose = length(
            (
                X
                - ArbMat(
                    [[X[i, i].mid() if i == j else 0 for j in range(size)] for i in range(size)]
                )
            ).entries()
        )
        self.defect = length((U.transpose() * U - unit(size)).entries())
        _require(bool(self.defect < flint.arb("0.1")), "the eigenvectors are too inexact")
        self.norm = row_norm(H)
        off = _pm(self.loose + 2 * self.defect * self.norm)
        self.levels = [x + off for x in self.diagonal]

    def trace_error(self, slope: flint.arb) -> flint.arb:
        """Of 2 Σ G(D_i), slope ≥ sup|F′|."""
        return slope * self.loose**2 + 6 * self.defect * len(self.levels) * self.norm


def _contained(name: str, stated: Any, own: Any) -> None:
    if isinstance(own, list):
        _require(isinstance(stated, list) and len(stated) == len(own), f"{name}: wrong length")
        for index, (one, other) in enumerate(zip(stated, own, strict=True)):
            _contained(f"{name} {index}", one, other)
        return
    if not states(stated, own):
        middle, radius = read(stated)
        off = float(abs(own - middle).upper())
        raise RefusedError(
            f"{name} is stated within {float(radius):.3g} of {stated[0][:20]}, but may be "
            f"{off:.3g} from it"
        )


def _widened(matrix: ArbMat, radius: flint.arb) -> ArbMat:
    """Every entry by ± radius."""
    more, size = _pm(radius), matrix.nrows()
    return ArbMat(size, size, [entry + more for entry in matrix.entries()])


def _pm(radius: flint.arb) -> flint.arb:
    """[−r, r]."""
    return flint.arb(0, radius.upper())


def _arb(value: Fraction) -> flint.arb:
    return flint.arb(flint.fmpq(value.numerator, value.denominator))


def _root(value: Fraction) -> flint.arb:
    return _arb(value).sqrt()


def _require(condition: bool, line: str) -> None:
    if not condition:
        raise RefusedError(line)
