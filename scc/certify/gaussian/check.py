r"""The checker of Gaussian certificates: decides from the document alone whether it is true.

Trusted: check_integrals, check_spectrum, this file, the decimal reader, Arb. Not trusted: any
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
bounds ‖M⁻¹‖ is verified as c²MᵀM − 1 ≻ 0 (LDLᵀ).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flint
from flint import arb, arb_mat

from scc.certify.check_assembly import positive, unit
from scc.certify.decimals import ball, fraction, read, states
from scc.certify.failure import RefusedError
from scc.certify.gaussian.check_integrals import Integrals
from scc.certify.gaussian.check_spectrum import Cold, Diagonal, Occupation, Series, Warm
from scc.certify.gaussian.statement import CONVENTIONS, NORM
from scc.errors import InputError

_BITS = 192


def check(document: dict[str, Any], progress: Callable[[str], None]) -> list[str]:
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
    bits = 0 if polynomial is None else 6 * min(len(polynomial["coefficients"]), 2000)
    stated = document["exact"]["enclosures"]
    if "chemical_potential" in stated:
        mu = float(stated["chemical_potential"][0])
        nearest = min(abs(float(level[0]) - mu) for level in stated["eigenvalues"])
        bits += min(int(3.0 * float(document["input"]["beta"]) * nearest), 1 << 14)
    return bits


def _check(document: dict[str, Any], progress: Callable[[str], None]) -> list[str]:
    parts = set(document) - {"format", "version", "checksum"}
    known = {"conventions", "input", "exact"}
    _require(parts in (known, known | {"polynomial", "distance"}), f"parts are {sorted(parts)}")
    _require(
        document["conventions"] == CONVENTIONS, "the conventions are not those of this checker"
    )
    progress("computing the integrals anew")
    system = _System(document["input"])
    progress("checking the exact solution")
    exact = _Exact(document, system)
    lines = exact.verified()
    if "polynomial" in document:
        progress("checking the polynomial solution")
        polynomial = _Polynomial(document, system)
        lines += polynomial.verified()
        apart = _length(exact.inner(polynomial.centre - exact.centre).entries())
        total = apart + _pm(exact.radius + polynomial.radius)
        _require(set(document["distance"]) == {"hilbert-schmidt"}, "distance: unknown norms")
        _contained("distance", document["distance"]["hilbert-schmidt"], total)
        lines.append(f"the two solutions are {float(apart):.6g} Hartree apart")
    return lines


class _System:
    """Integrals and S^{-1/2} (or 1), from the input."""

    def __init__(self, stated: dict[str, Any]) -> None:
        self.stated = stated
        self.integrals = Integrals(stated)
        self.n = self.integrals.n
        mode = stated["parameters"]["overlap"]
        _require(mode in ("loewdin", "orthonormal"), f"unknown treatment of overlap {mode!r}")
        self.loewdin = mode == "loewdin"
        self.x = unit(self.n)
        if self.loewdin:
            found = Diagonal(self.integrals.overlap)
            lowest = found.levels[0] - found.error
            _require(bool(lowest > 0), "the overlap matrix is not certainly positive definite")
            root = _diagonal([1 / level.sqrt() for level in found.levels])
            # |x^{-1/2} − y^{-1/2}| ≤ |x − y|/2 min^{3/2}.
            error = found.error / (2 * lowest * lowest.sqrt())
            self.x = _widened(found.vectors * root * found.vectors.transpose(), error)


class _Solution:
    """The centre, H there, and the comparison of what is stated with what is found."""

    def __init__(self, part: dict[str, Any], system: _System, name: str) -> None:
        self.part, self.system, self.name = part, system, name
        self.verified_names: set[tuple[str, str]] = set()
        n, texts = system.n, part["centre"]
        _require(len(texts) == n * (n + 1) // 2, f"{name}: the centre has a wrong length")
        _require(part["norms"] == {"existence": NORM, "uniqueness": NORM}, f"{name}: unknown norms")
        self.centre = arb_mat(n, n)
        for a in range(n):
            for b in range(a + 1):
                self.centre[a, b] = self.centre[b, a] = ball(texts[a * (a + 1) // 2 + b])
        self.radius = ball(part["existence_radius"])
        _require(bool(self.radius >= 0), f"{name}: the existence radius is negative")
        self.spectrum = Diagonal(system.x * (system.integrals.kinetic + self.centre) * system.x)
        self.levels, self.error = self.spectrum.levels, self.spectrum.error
        self.orbitals = system.x * self.spectrum.vectors

    def inner(self, raw: arb_mat) -> arb_mat:
        """XᵀAX in the orbitals of the centre."""
        return self.orbitals.transpose() * raw * self.orbitals

    def occupy(self, occupation: Occupation) -> None:
        """P̄, D̄, J[D̄], Φ, K and what bounds F there."""
        self.occupation = occupation
        integrals, n = self.system.integrals, self.system.n
        self.slope = occupation.slope(self.levels, self.error)
        self.filling = _widened(
            _diagonal([occupation.value(self.levels, i) for i in range(n)]), self.slope * self.error
        )
        self.density = 2 * self.orbitals * self.filling * self.orbitals.transpose()
        self.hartree = integrals.coulomb(self.density)
        self.residual = self.inner(self.centre - integrals.nuclear - self.hartree)
        self.coulomb = self._coulomb()
        self.constant("coulomb", lambda k: positive(unit(self.coulomb.nrows(), k) - self.coulomb))
        self.kappa = ball(self.part["constants"]["coulomb"])

    def _coulomb(self) -> arb_mat:
        """K on symmetric matrices (entries off the diagonal times √2): 2(ij|kl)."""
        n, c, root = self.system.n, self.orbitals, arb(2).sqrt()
        rows = []
        for i in range(n):
            for j in range(i + 1):
                weight = arb(1) if i == j else root
                rows.append(
                    [
                        weight * (c[a, i] * c[b, j] + (c[b, i] * c[a, j] if a != b else 0))
                        for a in range(n)
                        for b in range(a + 1)
                    ]
                )
        y = arb_mat(rows)
        found = 2 * y * self.system.integrals.repulsion * y.transpose()
        return (found + found.transpose()) / 2

    def jacobian(self, fixed_number: bool) -> arb_mat:
        """1 − K DF(H̄); fixed number: DF less its part along the constants."""
        n = self.system.n
        pairs = [(i, j) for i in range(n) for j in range(i + 1)]
        f = [self.occupation.difference(self.levels, i, j) for i, j in pairs]
        response = _diagonal(f)
        if fixed_number:
            t = arb_mat([[x if i == j else arb(0)] for x, (i, j) in zip(f, pairs, strict=True)])
            total = sum((x for x, (i, j) in zip(f, pairs, strict=True) if i == j), arb(0))
            response -= t * t.transpose() / total
        error = self.kappa * self.occupation.curvature(self.levels, self.error) * self.error
        return _widened(unit(len(f)) - self.coulomb * response, error)

    def constant(self, name: str, holds: Callable[[arb], bool]) -> None:
        """A stated constant is one."""
        self.verified_names.add(("constants", name))
        stated = ball(self.part["constants"][name])
        _require(
            bool(stated >= 0) and holds(stated),
            f"{self.name}: {name} {float(stated):.10g} is no upper bound",
        )

    def enclosed(self, name: str, own: Any) -> None:
        """The stated enclosures contain the checker's own balls."""
        self.verified_names.add(("enclosures", name))
        _contained(f"{self.name}: {name}", self.part["enclosures"][name], own)

    def nothing_else_stated(self) -> None:
        """Refuse constants and enclosures that were not looked at."""
        for group in ("constants", "enclosures"):
            for key, value in self.part[group].items():
                known = (group, key) in self.verified_names or (key == "gap" and value is None)
                _require(known, f"{self.name}: {key} is stated, which this checker cannot verify")

    def quantities(self, energy: arb, move: arb, height: arb) -> None:
        """Charges, eigenvalues and forces, energy given; move ≥ ‖F* − F̄‖, height ≥ ‖F*‖."""
        integrals, radius = self.system.integrals, self.radius
        self.enclosed("energy", energy)
        self.enclosed("eigenvalues", [level + _pm(self.error + radius) for level in self.levels])
        own = self.spectrum.vectors * self.filling * self.spectrum.vectors.transpose()
        charges = []
        for atom, z in enumerate(integrals.charges):
            mine = [a for a, owner in enumerate(integrals.owner) if owner == atom]
            count = 2 * sum((own[a, a] for a in mine), arb(0))
            charges.append(z - count + _pm(2 * arb(len(mine)).sqrt() * move))
        self.enclosed("charges", charges)
        density = self._spread(self.density, 2 * move)
        weighted = None
        if self.system.loewdin:
            hamiltonian = _widened(_diagonal(self.levels), self.error)
            size = abs(self.levels[0]).max(abs(self.levels[-1])) + self.error
            product = self.filling * hamiltonian
            raw = self.orbitals * (product + product.transpose()) * self.orbitals.transpose()
            weighted = self._spread(raw, 2 * (move * size + height * radius))
        gradient = integrals.energy_gradient(density, weighted)
        self.enclosed("forces", [[-value for value in row] for row in gradient])

    def _spread(self, raw: arb_mat, radius: arb) -> arb_mat:
        """X A Xᵀ for all A within radius of the one of ``raw``."""
        sizes = [_length(row) for row in self.orbitals.tolist()]
        return arb_mat(
            [
                [value + _pm(radius * sizes[a] * sizes[b]) for b, value in enumerate(row)]
                for a, row in enumerate(raw.tolist())
            ]
        )

    def plain_energy(self) -> arb:
        """Tr(T + V_nuc)D̄ + ½(D̄|D̄) + E_nn + 2Tr φ(H̄), φ̇ within the slope of F times |x|."""
        integrals = self.system.integrals
        core = integrals.kinetic + integrals.nuclear + self.hartree / 2
        rest = self.occupation.rest(self.levels)
        return (core * self.density).trace() + integrals.nuclear_energy() + rest


class _Exact(_Solution):
    """Fermi–Dirac occupation, β ≤ ∞, either ensemble."""

    def __init__(self, document: dict[str, Any], system: _System) -> None:
        super().__init__(document["exact"], system, "exact")
        ensemble, beta = document["input"]["ensemble"], document["input"]["beta"]
        kind = ensemble["kind"]
        _require(kind in ("canonical", "grand-canonical"), f"unknown ensemble {kind!r}")
        self.canonical = kind == "canonical"
        self.beta = None if beta == "inf" else ball(beta)
        _require(self.beta is None or bool(self.beta > 0), "beta is not positive")
        self.number = fraction(ensemble["electrons"]) if self.canonical else None
        self.mu: arb | None = None if self.canonical else ball(ensemble["chemical_potential"])

    def verified(self) -> list[str]:
        self.occupy(self._occupation())
        r, s = self.radius, self.slope
        size = _length(self.residual.entries())
        own = size * (1 + (self.kappa * s / 2).sqrt())
        _require(
            bool(own <= r),
            f"exact: the solution is known within {float(own.upper()):.3g} of the centre, not "
            f"within the stated {float(r):.3g}",
        )
        self.slope_and_curvature()
        if self.part["uniqueness_radius"] != "inf":
            _require(bool(ball(self.part["uniqueness_radius"]) >= r), "exact: uniqueness radius")
        m = self.jacobian(fixed_number=self.canonical and self.beta is not None)
        gram, one = m.transpose() * m, unit(m.nrows())
        self.constant("inverse", lambda c: positive(gram * (c * c) - one))
        move = 2 * s * size
        excess = arb(0).union((2 * size * move).upper())
        error = 2 * arb(self.system.n).sqrt() * self._rest_slope() * self.error
        self.quantities(self.plain_energy() - excess + _pm(error), move, arb(1))
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
                _require(sure, "exact: the chemical potential may leave the gap")
            else:
                assert self.number is not None
                pairs = self.number / 2
                _require(pairs.denominator == 1 and 0 <= pairs <= n, "no even number of electrons")
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
            return 2 * sum(filling(mu), arb(0)) + _pm(arb(n) * beta / 2 * self.error)

        for _ in range(6):
            rate = 2 * beta * sum((f * (1 - f) for f in filling(middle)), arb(0))
            middle = (middle - (electrons(middle) - wanted) / rate).mid()
        width = arb(10) ** -45
        while width < self.radius:
            if electrons(middle - width) <= wanted <= electrons(middle + width):
                break
            width *= 8
        bracketed = bool(electrons(middle - width) <= wanted <= electrons(middle + width))
        _require(bracketed, "exact: the chemical potential is not where it is stated")
        mu = middle + _pm(width)
        self.enclosed("chemical_potential", mu + _pm(self.radius))
        return Warm(beta, mu, canonical=True)

    def _levels_next_to_mu(self) -> None:
        """The gap."""
        if self.part["enclosures"]["gap"] is None:
            return
        if isinstance(self.occupation, Cold):
            below = self.occupation.filled
        else:
            assert isinstance(self.occupation, Warm)
            mu = self.occupation.mu + (_pm(self.radius) if self.canonical else 0)
            sure = [level + _pm(self.radius + self.error) for level in self.levels]
            below = sum(bool(level < mu) for level in sure)
            above = sum(bool(level > mu) for level in sure)
            _require(below + above == len(sure), "exact: a level may coincide with mu")
        _require(0 < below < len(self.levels), "exact: there is no gap to state")
        gap = self.levels[below] - self.levels[below - 1]
        self.enclosed("gap", gap + _pm(2 * (self.radius + self.error)))


class _Polynomial(_Solution):
    """F_N = G_N′ as stated by the coefficients of G_N."""

    def __init__(self, document: dict[str, Any], system: _System) -> None:
        super().__init__(document["polynomial"], system, "polynomial")
        low, high = (ball(end) for end in self.part["interval"])
        _require(bool(high > low), "polynomial: the interval is empty")
        coefficients = [ball(value) for value in self.part["coefficients"]]
        _require(
            len(coefficients) - 1 == self.part["degree"] >= 2, "polynomial: degree and coefficients"
        )
        self.series = Series(coefficients, low, high)

    def verified(self) -> list[str]:
        self.occupy(self.series)
        m, r = self.jacobian(fixed_number=False), self.radius
        _require(self.part["enclosures"]["gap"] is None, "polynomial: no gap can be stated")
        inverse = m.inv()
        root2 = arb(2).sqrt()
        n = range(self.system.n)
        vector = [self.residual[i, j] * (1 if i == j else root2) for i in n for j in range(i + 1)]
        own = _length((inverse * arb_mat(len(vector), 1, vector)).entries())
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
        height = _length(self.filling.entries()) + move
        largest = abs(self.series.low).max(abs(self.series.high))
        first = _length(self.inner(self._effective()).entries())
        error = 2 * first * move + self.kappa * move * move
        error += 2 * arb(self.system.n).sqrt() * largest * slope * (r + self.error)
        self.quantities(self.plain_energy() + _pm(error), move, height)
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
        _require(bool(unique >= r), "polynomial: uniqueness within less than the existence radius")
        self.series.curvature(self.levels, unique + self.error)  # refuses outside the interval
        excess = step + screened * curvature * r * r - r
        _require(
            bool(excess <= 0),
            "polynomial: the existence condition fails: step + modulus * radius exceeds the radius "
            f"by {float(excess):.3g}",
        )
        modulus = screened * curvature * unique
        _require(
            bool(modulus < 1),
            f"polynomial: the uniqueness condition fails: modulus {float(modulus):.6g}",
        )
        return unique


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise RefusedError(what)


def _contained(name: str, stated: Any, own: Any) -> None:
    """Nested lists alike."""
    if isinstance(own, list):
        _require(isinstance(stated, list) and len(stated) == len(own), f"{name}: wrong length")
        for one, other in zip(stated, own, strict=True):
            _contained(name, one, other)
        return
    if not states(stated, own):
        middle, radius = read(stated)
        raise RefusedError(
            f"{name}: {float(own):.12g} within {float(own.rad()):.3g} is not certainly in "
            f"{float(middle):.12g} within {float(radius):.3g}"
        )


def _pm(radius: arb) -> arb:
    return arb(0, radius.upper())


def _length(values: list[arb]) -> arb:
    """Upper bound of the Euclidean norm."""
    return sum((value.abs_upper() ** 2 for value in values), arb(0)).sqrt().upper()


def _diagonal(values: list[arb]) -> arb_mat:
    found = arb_mat(len(values), len(values))
    for i, value in enumerate(values):
        found[i, i] = value
    return found


def _widened(matrix: arb_mat, radius: arb) -> arb_mat:
    more = _pm(radius)
    return arb_mat(matrix.nrows(), matrix.ncols(), [x + more for x in matrix.entries()])
