r"""S, T, V_nuc, (ab|cd) and forces of s and p orbitals for the checker, from the input alone.

Products of primitives are polynomials about their common centre P; what 1/r does to those is
:mod:`scc.certify.gaussian.check_interaction`. Nothing here comes from the prover's integrals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from flint import arb, arb_mat

from scc.certify.decimals import ball
from scc.certify.failure import RefusedError
from scc.certify.gaussian.check_interaction import (
    Poly,
    Vector,
    accumulate,
    interaction,
    laplacian,
    slope,
    times,
    unit_monomial,
)

_COMPONENTS = {0: [(0, 0, 0)], 1: [(0, 1, 0), (0, 0, 1), (1, 0, 0)]}


@dataclass
class Primitive:
    """One exponent at one atom; polynomials in x − r of the orbitals that contain it."""

    atom: int
    at: Vector
    a: arb
    orbitals: dict[int, Poly] = field(default_factory=dict)


@dataclass
class Pair:
    """Two primitives: exponent, centre, and products of their orbitals as polynomials in x − P."""

    i: Primitive
    j: Primitive
    p: arb
    at: Vector
    size: arb

    def product(self, f: Poly, g: Poly) -> Poly:
        """f(x−A) g(x−B) · e^{−ab/p |A−B|²} in x − P."""
        return {
            m: self.size * c
            for m, c in times(self._moved(f, self.i), self._moved(g, self.j)).items()
        }

    def _moved(self, f: Poly, one: Primitive) -> Poly:
        shift = [x - y for x, y in zip(self.at, one.at, strict=True)]
        total: Poly = {}
        for m, c in f.items():
            term: Poly = {(0, 0, 0): c}
            for axis, power in enumerate(m):
                for _ in range(power):
                    term = times(term, {unit_monomial(axis): arb(1), (0, 0, 0): shift[axis]})
            accumulate(total, term)
        return total

    def integral(self, f: Poly) -> arb:
        """∫ f(x−P) e^{−p(x−P)²}."""
        total = arb(0)
        for m, c in f.items():
            if all(n % 2 == 0 for n in m):
                for n in m:
                    for k in range(1, n, 2):
                        c = c * k / (2 * self.p)
                total += c
        return total * (arb.pi() / self.p) ** (arb(3) / 2)


class Integrals:
    """S, T, V_nuc (n, n) and (ab|cd) on pairs a ≥ b, from the input of a certificate."""

    def __init__(self, stated: dict[str, Any]) -> None:
        parameters = stated["parameters"]
        self.positions = [[ball(x) for x in row] for row in stated["positions"]]
        self.charges = [ball(z) for z in parameters["nuclear_charges"]]
        sizes = {len(self.charges), len(self.positions), len(parameters["shells_of_atom"])}
        if len(sizes) > 1 or any(len(row) != 3 for row in self.positions):
            raise RefusedError("the input has lists of different lengths")
        exponent = parameters["nuclear_exponent"]
        self.spread = arb(0) if exponent is None else 1 / ball(exponent)
        if not self.spread >= 0:
            raise RefusedError(f"the nuclear exponent {exponent} is not positive")
        self.owner: list[int] = []
        primitives: list[Primitive] = []
        for atom, which in enumerate(parameters["shells_of_atom"]):
            primitives += self._primitives(atom, parameters["shells"][which])
        self.n = len(self.owner)
        self.pairs = [_pair(x, y) for k, x in enumerate(primitives) for y in primitives[: k + 1]]
        self.overlap, self.kinetic, self.nuclear = (arb_mat(self.n, self.n) for _ in range(3))
        for pair in self.pairs:
            for a, b, f, g in _products(pair):
                fg, bent = pair.product(f, g), pair.product(f, laplacian(g, pair.j.a))
                attraction = -sum(
                    (z * self._fields(pair, {0: fg}, k)[0] for k, z in enumerate(self.charges)),
                    arb(0),
                )
                for u, w in ((a, b), (b, a)) if pair.i is not pair.j else ((a, b),):
                    self.overlap[u, w] += pair.integral(fg)
                    self.kinetic[u, w] -= pair.integral(bent) / 2
                    self.nuclear[u, w] += attraction
        self.repulsion = self._repulsion()

    def _primitives(self, atom: int, shells: list[dict[str, Any]]) -> list[Primitive]:
        found: dict[str, Primitive] = {}
        for shell in shells:
            l = shell["angular_momentum"]  # noqa: E741
            if l not in _COMPONENTS:
                raise RefusedError(f"the checker knows s and p functions, not l = {l}")
            exponents = [ball(a) for a in shell["exponents"]]
            weights = [ball(c) for c in shell["coefficients"]]
            if not all(a > 0 for a in exponents):
                raise RefusedError("the input has an exponent that is not positive")
            power = l + arb(3) / 2
            # Overlap of two normalised primitives: (2√(ab)/(a+b))^{l+3/2}.
            norm = sum(
                (
                    c * d * (2 * (a * b).sqrt() / (a + b)) ** power
                    for a, c in zip(exponents, weights, strict=True)
                    for b, d in zip(exponents, weights, strict=True)
                ),
                arb(0),
            )
            for text, a, c in zip(shell["exponents"], exponents, weights, strict=True):
                scale = (2 * a / arb.pi()) ** (arb(3) / 4) * (2 * a.sqrt()) ** l
                one = found.setdefault(text, Primitive(atom, self.positions[atom], a))
                for k, m in enumerate(_COMPONENTS[l]):
                    orbital = one.orbitals.setdefault(len(self.owner) + k, {})
                    accumulate(orbital, {m: c * scale / norm.sqrt()})
            self.owner += [atom] * len(_COMPONENTS[l])
        return list(found.values())

    def _fields(self, pair: Pair, fs: dict[Any, Poly], k: int) -> dict[Any, arb]:
        """∬ f m_k/|x−y| of nucleus k with every f."""
        factor = 2 * arb.pi() / pair.p / (1 + pair.p * self.spread).sqrt()
        unit = {0: {(0, 0, 0): factor}}
        found = _energies(pair, fs, self.spread, self.positions[k], unit)
        return {one: value for (one, _), value in found.items()}

    def _repulsion(self) -> arb_mat:
        size = self.n * (self.n + 1) // 2
        result = arb_mat(size, size)
        lists = []
        for pair in self.pairs:
            found: dict[int, Poly] = {}
            for a, b, f, g in _products(pair):
                if pair.i is pair.j and a < b:
                    continue
                fg = pair.product(f, g)
                twice = 2 if pair.i is not pair.j and a == b else 1
                accumulate(found.setdefault(pair_index(a, b), {}), fg, arb(twice))
            lists.append(found)
        for k, (left, fs) in enumerate(zip(self.pairs, lists, strict=True)):
            for right, gs in zip(self.pairs[: k + 1], lists[: k + 1], strict=True):
                for (ab, cd), value in _repulsions(left, fs, right, gs).items():
                    result[ab, cd] += value
                    if left is not right:
                        result[cd, ab] += value
        return result

    def coulomb(self, density: arb_mat) -> arb_mat:
        """J[D] (n, n)."""
        n = range(self.n)
        packed = [
            density[a, b] + density[b, a] if b < a else density[a, a]
            for a in n
            for b in range(a + 1)
        ]
        values = self.repulsion * arb_mat(len(packed), 1, packed)
        return arb_mat([[values[pair_index(a, b), 0] for b in n] for a in n])

    # -- forces --------------------------------------------------------------------------------

    def nuclear_energy(self) -> arb:
        """Σ_{i<j} Z_i Z_j erf(r/√(2s))/r, 1/a = s, or 1/r."""
        total = arb(0)
        for i, j, r in self._distances():
            smear = arb(1) if self.spread == 0 else (r / (2 * self.spread).sqrt()).erf()
            total += self.charges[i] * self.charges[j] * smear / r
        return total

    def _distances(self) -> Iterator[tuple[int, int, arb]]:
        for i in range(len(self.positions)):
            for j in range(i):
                yield i, j, _squared_distance(self.positions[i], self.positions[j]).sqrt()

    def energy_gradient(self, density: arb_mat, weighted: arb_mat | None) -> list[Vector]:
        """∂/∂r of Tr TD + Tr V_nuc D + ½(D|D) + E_nn − Tr WS at fixed D and W, (M, 3)."""
        total = [[arb(0)] * 3 for _ in self.positions]
        for i, j, r in self._distances():
            s = 2 * self.spread
            slope = -1 / r**2
            if self.spread != 0:
                gauss = 2 / (arb.pi() * s).sqrt() * (-r * r / s).exp()
                slope = gauss / r - (r / s.sqrt()).erf() / r**2
            for axis in range(3):
                pull = slope * (self.positions[i][axis] - self.positions[j][axis]) / r
                total[i][axis] += self.charges[i] * self.charges[j] * pull
                total[j][axis] -= self.charges[i] * self.charges[j] * pull
        rho = [self._density(pair, density) for pair in self.pairs]
        for pair in self.pairs:
            # −2 Σ D ∫ (∂φ_a) φ_b V; nuclei feel ∫ ∇ρ v_k. V before D, a ball: parts of V cancel.
            moving = self._moving(pair, density, weighted, total)
            potential = dict.fromkeys(moving, arb(0))
            for other, g in zip(self.pairs, rho, strict=True):
                for (key, _), value in _repulsions(pair, moving, other, {0: g}).items():
                    potential[key] += value
            for k, z in enumerate(self.charges):
                for key, value in self._fields(pair, moving, k).items():
                    potential[key] -= z * value
                    _, axis, _, a, b = key
                    total[k][axis] -= 2 * z * density[a, b] * value
            for (atom, axis, _, a, b), value in potential.items():
                total[atom][axis] -= 2 * density[a, b] * value
        return total

    def _density(self, pair: Pair, density: arb_mat) -> Poly:
        rho: Poly = {}
        for a, b, f, g in _products(pair):
            weight = density[a, b] * (1 if pair.i is pair.j else 2)
            accumulate(rho, pair.product(f, g), weight)
        return rho

    def _moving(
        self, pair: Pair, density: arb_mat, weighted: arb_mat | None, total: list[Vector]
    ) -> dict[Any, Poly]:
        """(∂φ_a)φ_b by (atom of a, axis, side, a, b); adds −2Σ[D ∂T − W ∂S] to ``total``."""
        found: dict[Any, Poly] = {}
        for swapped in (False,) if pair.i is pair.j else (False, True):
            mover, other = (pair.j, pair.i) if swapped else (pair.i, pair.j)
            for (a, b, f, g), axis in product(_products(pair), range(3)):
                h = slope(g if swapped else f, mover.a, axis)
                still = f if swapped else g
                bent = laplacian(still, other.a)
                fg = pair.product(still, h) if swapped else pair.product(h, still)
                kinetic = pair.product(bent, h) if swapped else pair.product(h, bent)
                found[mover.atom, axis, swapped, a, b] = fg
                change = -density[a, b] * pair.integral(kinetic) / 2
                if weighted is not None:
                    change -= weighted[a, b] * pair.integral(fg)
                total[mover.atom][axis] -= 2 * change
        return found


def pair_index(a: int, b: int) -> int:
    """Number of the pair {a, b}."""
    return max(a, b) * (max(a, b) + 1) // 2 + min(a, b)


def _pair(i: Primitive, j: Primitive) -> Pair:
    p = i.a + j.a
    at = [(i.a * x + j.a * y) / p for x, y in zip(i.at, j.at, strict=True)]
    squared = _squared_distance(i.at, j.at)
    return Pair(i, j, p, at, (-i.a * j.a / p * squared).exp())


def _squared_distance(one: Vector, other: Vector) -> arb:
    """A product, not a power: powers of balls about zero are not finite."""
    apart = [x - y for x, y in zip(one, other, strict=True)]
    return sum((d * d for d in apart), arb(0))


def _products(pair: Pair) -> Iterator[tuple[int, int, Poly, Poly]]:
    for (a, f), (b, g) in product(pair.i.orbitals.items(), pair.j.orbitals.items()):
        yield a, b, f, g


def _repulsions(
    left: Pair, fs: dict[Any, Poly], right: Pair, gs: dict[Any, Poly]
) -> dict[tuple[Any, Any], arb]:
    """Coulomb energy of every f with every g."""
    p, q = left.p, right.p
    factor = 2 * arb.pi() ** (arb(5) / 2) / (p * q * (p + q).sqrt())
    found = _energies(left, fs, 1 / q, right.at, gs)
    return {pair: factor * value for pair, value in found.items()}


def _energies(
    left: Pair, fs: dict[Any, Poly], s: arb, at: Vector, gs: dict[Any, Poly]
) -> dict[tuple[Any, Any], arb]:
    """∫₀¹ e^{−ρR²t²} E_τ[f(X) g(Y)] dt of every f with every g."""
    degrees = [max((sum(m) for f in h.values() for m in f), default=0) for h in (fs, gs)]
    table = interaction(left.p, left.at, s, at, *degrees)
    found = {}
    for (one, f), (other, g) in product(fs.items(), gs.items()):
        value = arb(0)
        for (m, c), (n, d) in product(f.items(), g.items()):
            value += c * d * table[m, n]
        found[one, other] = value
    return found
