r"""What the checker finds at a stated centre, and how it compares statements with it.

V̄, H̄ = T + V̄ with its levels, P̄ = F(H̄), D̄, Φ = V̄ − V_nuc − J[D̄] and K: F ↦ 2J[F]; a statement is
accepted if it certainly holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import arb, arb_mat

from scc.certify.check_algebra import positive, unit
from scc.certify.decimals import ball, read, states
from scc.certify.failure import RefusedError
from scc.certify.gaussian.check_integrals import Integrals
from scc.certify.gaussian.check_spectrum import Diagonal, Occupation
from scc.certify.gaussian.statement import NORM


class System:
    """Integrals and S^{-1/2} (or 1), from the input."""

    def __init__(self, stated: dict[str, Any]) -> None:
        _understood(stated)
        self.integrals = Integrals(stated)
        self.n = self.integrals.n
        mode = stated["parameters"]["overlap"]
        require(mode in ("loewdin", "orthonormal"), f"unknown treatment of overlap {mode!r}")
        self.loewdin = mode == "loewdin"
        self.x = unit(self.n)
        if self.loewdin:
            found = Diagonal(self.integrals.overlap)
            lowest = found.levels[0] - found.error
            require(bool(lowest > 0), "the overlap matrix is not certainly positive definite")
            root = diagonal([1 / level.sqrt() for level in found.levels])
            # |x^{-1/2} − y^{-1/2}| ≤ |x − y|/2 min^{3/2}.
            error = found.error / (2 * lowest * lowest.sqrt())
            self.x = widened(found.vectors * root * found.vectors.transpose(), error)


def _understood(stated: dict[str, Any]) -> None:
    """Refuse an input that says more than this checker reads, or lists of different lengths."""
    ensemble, parameters = stated["ensemble"], stated["parameters"]
    level = "electrons" if ensemble["kind"] == "canonical" else "chemical_potential"
    shells = [shell for atom in parameters["shells"] for shell in atom]
    expected = [
        (stated, {"model", "species", "positions", "beta", "ensemble", "parameters"}),
        (ensemble, {"kind", level}),
        (
            parameters,
            {"overlap", "nuclear_charges", "nuclear_exponent", "shells", "shells_of_atom"},
        ),
        *((shell, {"angular_momentum", "exponents", "coefficients"}) for shell in shells),
    ]
    for part, keys in expected:
        require(set(part) == keys, f"the input has {sorted(part)}, not {sorted(keys)}")
    require(stated["model"] == "gaussian", "the input is of another model")
    lists = [stated["species"], stated["positions"], parameters["nuclear_charges"]]
    lists += [parameters["shells_of_atom"], *stated["positions"]]
    lists += [shell[key] for shell in shells for key in ("exponents", "coefficients")]
    require(all(isinstance(one, list) for one in lists), "the input has no list where one belongs")
    sets = range(len(parameters["shells"]))
    named = all(type(k) is int and k in sets for k in parameters["shells_of_atom"])
    require(named, "shells_of_atom names shells that are not there")
    require(len(stated["species"]) == len(stated["positions"]), "species and positions differ")


class Solution:
    """The centre, H there, and the comparison of what is stated with what is found."""

    keys = frozenset(
        {"centre", "norms", "existence_radius", "uniqueness_radius", "constants", "enclosures"}
    )

    def __init__(self, part: dict[str, Any], system: System, name: str) -> None:
        require(set(part) == self.keys, f"{name}: stated are {sorted(part)}")
        self.part, self.system, self.name = part, system, name
        self.verified_names: set[tuple[str, str]] = set()
        n, texts = system.n, part["centre"]
        require(isinstance(texts, list), f"{name}: the centre is not a list")
        require(len(texts) == n * (n + 1) // 2, f"{name}: the centre has a wrong length")
        require(part["norms"] == {"existence": NORM, "uniqueness": NORM}, f"{name}: unknown norms")
        self.centre = arb_mat(n, n)
        for a in range(n):
            for b in range(a + 1):
                self.centre[a, b] = self.centre[b, a] = ball(texts[a * (a + 1) // 2 + b])
        self.radius = ball(part["existence_radius"])
        require(bool(self.radius >= 0), f"{name}: the existence radius is negative")
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
        self.filling = widened(
            diagonal([occupation.value(self.levels, i) for i in range(n)]), self.slope * self.error
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
        response = diagonal(f)
        if fixed_number:
            t = arb_mat([[x if i == j else arb(0)] for x, (i, j) in zip(f, pairs, strict=True)])
            total = sum((x for x, (i, j) in zip(f, pairs, strict=True) if i == j), arb(0))
            response -= t * t.transpose() / total
        error = self.kappa * self.occupation.curvature(self.levels, self.error) * self.error
        return widened(unit(len(f)) - self.coulomb * response, error)

    def constant(self, name: str, holds: Callable[[arb], bool]) -> None:
        """A stated constant is one."""
        self.verified_names.add(("constants", name))
        stated = ball(self.part["constants"][name])
        require(
            bool(stated >= 0) and holds(stated),
            f"{self.name}: {name} {float(stated):.10g} is no upper bound",
        )

    def enclosed(self, name: str, own: Any) -> None:
        """The stated enclosures contain the checker's own balls."""
        self.verified_names.add(("enclosures", name))
        contained(f"{self.name}: {name}", self.part["enclosures"][name], own)

    def nothing_else_stated(self) -> None:
        """Refuse constants and enclosures that were not looked at."""
        for group in ("constants", "enclosures"):
            for key, value in self.part[group].items():
                known = (group, key) in self.verified_names or (key == "gap" and value is None)
                require(known, f"{self.name}: {key!r} is stated, which this checker cannot verify")

    def quantities(self, energy: arb, move: arb, height: arb) -> None:
        """Charges, eigenvalues and forces, energy given; move ≥ ‖F* − F̄‖, height ≥ ‖F*‖."""
        integrals, radius = self.system.integrals, self.radius
        self.enclosed("energy", energy)
        self.enclosed("eigenvalues", [level + pm(self.error + radius) for level in self.levels])
        own = self.spectrum.vectors * self.filling * self.spectrum.vectors.transpose()
        charges = []
        for atom, z in enumerate(integrals.charges):
            mine = [a for a, owner in enumerate(integrals.owner) if owner == atom]
            count = 2 * sum((own[a, a] for a in mine), arb(0))
            charges.append(z - count + pm(2 * arb(len(mine)).sqrt() * move))
        self.enclosed("charges", charges)
        density = self._spread(self.density, 2 * move)
        weighted = None
        if self.system.loewdin:
            hamiltonian = widened(diagonal(self.levels), self.error)
            size = abs(self.levels[0]).max(abs(self.levels[-1])) + self.error
            product = self.filling * hamiltonian
            raw = self.orbitals * (product + product.transpose()) * self.orbitals.transpose()
            weighted = self._spread(raw, 2 * (move * size + height * radius))
        gradient = integrals.energy_gradient(density, weighted)
        self.enclosed("forces", [[-value for value in row] for row in gradient])

    def _spread(self, raw: arb_mat, radius: arb) -> arb_mat:
        """X A Xᵀ for all A within radius of the one of ``raw``."""
        sizes = [length(row) for row in self.orbitals.tolist()]
        return arb_mat(
            [
                [value + pm(radius * sizes[a] * sizes[b]) for b, value in enumerate(row)]
                for a, row in enumerate(raw.tolist())
            ]
        )

    def plain_energy(self) -> arb:
        """Tr(T + V_nuc)D̄ + ½(D̄|D̄) + E_nn + 2Tr φ(H̄), φ̇ within the slope of F times |x|."""
        integrals = self.system.integrals
        core = integrals.kinetic + integrals.nuclear + self.hartree / 2
        rest = self.occupation.rest(self.levels)
        return (core * self.density).trace() + integrals.nuclear_energy() + rest


def require(condition: bool, what: str) -> None:
    if not condition:
        raise RefusedError(what)


def contained(name: str, stated: Any, own: Any) -> None:
    """Nested lists alike."""
    if isinstance(own, list):
        require(isinstance(stated, list) and len(stated) == len(own), f"{name}: wrong length")
        for one, other in zip(stated, own, strict=True):
            contained(name, one, other)
        return
    if not states(stated, own):
        middle, radius = read(stated)
        raise RefusedError(
            f"{name}: {float(own):.12g} within {float(own.rad()):.3g} is not certainly in "
            f"{float(middle):.12g} within {float(radius):.3g}"
        )


def pm(radius: arb) -> arb:
    return arb(0, radius.upper())


def length(values: list[arb]) -> arb:
    """Upper bound of the Euclidean norm."""
    return sum((value.abs_upper() ** 2 for value in values), arb(0)).sqrt().upper()


def norm(values: list[arb]) -> arb:
    """The Euclidean norm, a ball: what is stated of it must hold for every point."""
    square = sum((x * x for x in values), arb(0))
    return square.sqrt() if square > 0 else arb(0).union(square.upper().sqrt())


def diagonal(values: list[arb]) -> arb_mat:
    found = arb_mat(len(values), len(values))
    for i, value in enumerate(values):
        found[i, i] = value
    return found


def widened(matrix: arb_mat, radius: arb) -> arb_mat:
    more = pm(radius)
    return arb_mat(matrix.nrows(), matrix.ncols(), [x + more for x in matrix.entries()])
