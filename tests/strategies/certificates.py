"""Small on-site systems to certify, their solutions in mpmath, and ways to state falsehoods."""

import copy
import math
from dataclasses import dataclass

import mpmath
import numpy as np
from hypothesis import assume, reject
from hypothesis import strategies as st

from scc.certify.certificate import checksum
from scc.configuration import chain, cluster
from scc.equilibration.equilibrate import equilibrate
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional
from scc.models.extended_huckel import sourced_parameters
from scc.models.hopping import ExponentialHopping, NearestNeighbourHopping
from scc.models.model_systems import ModelSystem
from scc.models.onsite import OnsiteTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical

DIGITS = 45


@dataclass(frozen=True)
class Small:
    """Everything that determines one on-site equilibrium; ``seed`` draws the geometry."""

    dimension: int
    atoms: int
    seed: int
    splitting: float
    charge: float
    width: float
    decay: float
    beta: float
    mu: float | None
    constant_hopping: bool

    @property
    def hopping(self):
        if self.constant_hopping:
            return NearestNeighbourHopping(0.7, 1.7)
        return ExponentialHopping(decay=self.decay, switch=(1.5, 4.0))

    def equilibrium(self):
        """The computed equilibrium; None where there is none (no gap, an odd electron)."""
        rng = np.random.default_rng(self.seed)
        if self.dimension == 1:
            geometry = chain(self.atoms, 1.3, ("Na", "Cl"), jitter=0.3, rng=rng)
        else:
            geometry = cluster(self.atoms, 1.1, rng, dimension=self.dimension, species=("Na", "Cl"))
        parameters = ModelSystem(
            self.hopping,
            {"Na": -0.5 * self.splitting, "Cl": 0.5 * self.splitting},
            self.width,
            {"Na": 1.0 + self.charge, "Cl": 1.0 - self.charge},
        )
        model = OnsiteTightBinding(parameters).prepare(geometry)
        ensemble = None
        if self.mu is not None:
            ensemble = GrandCanonical(self.mu)
        elif math.isinf(self.beta):
            ensemble = Canonical(2.0 * (self.atoms // 2))
        try:
            return equilibrate(EnergyFunctional(model, beta=self.beta, ensemble=ensemble))
        except InputError:
            return None


@st.composite
def molecules(draw):
    """Two to four atoms of H-Ar with the sourced parameters, equilibrated; β finite or infinite."""
    elements = st.sampled_from(("H", "Li", "C", "N", "O", "Na", "Si", "S", "Cl"))
    species = draw(st.lists(elements, min_size=2, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    geometry = cluster(len(species), draw(st.floats(1.5, 3.5)), rng, species=species)
    model = OnsiteTightBinding(sourced_parameters()).prepare(geometry)
    beta = draw(st.one_of(st.floats(5.0, 200.0), st.just(math.inf)))
    ensemble = None
    if math.isinf(beta):
        ensemble = Canonical(2.0 * round(0.5 * model.neutral_electrons))
    try:
        return equilibrate(EnergyFunctional(model, beta=beta, ensemble=ensemble))
    except InputError:
        reject()


def small_systems(largest=8):
    """2 ≤ M ≤ largest in one to three dimensions, β from 1 to 100 or infinite, both ensembles."""
    betas = st.one_of(st.floats(0.0, math.log(100.0)).map(math.exp), st.just(math.inf))
    return st.builds(
        Small,
        dimension=st.sampled_from((1, 2, 3)),
        atoms=st.integers(2, largest),
        seed=st.integers(0, 2**32 - 1),
        splitting=st.floats(0.2, 3.0),
        charge=st.floats(-0.5, 0.5),
        width=st.floats(0.3, 0.9),
        decay=st.floats(0.6, 1.5),
        beta=betas,
        mu=st.one_of(st.none(), st.floats(-0.8, 0.8)),
        constant_hopping=st.booleans(),
    )


class Solved:
    """The equations of a document's input, solved by Newton's method in mpmath (DIGITS digits).

    Written from the conventions of the document: H⁰, J, F by eigenvectors of mpmath; with
    ``polynomial`` F_N and G_N of its coefficients.
    """

    def __init__(self, document, start, polynomial=None):
        with mpmath.workdps(DIGITS):
            self._solve(document["input"], start, polynomial)

    def _solve(self, stated, start, polynomial):
        number = mpmath.mpf
        self.positions = [[number(x) for x in row] for row in stated["positions"]]
        self.parameters = stated["parameters"]
        self.size = len(self.positions)
        self.z = [number(z) for z in self.parameters["nuclear_charges"]]
        self.beta = None if stated["beta"] == "inf" else number(stated["beta"])
        self.ensemble, self.polynomial = stated["ensemble"], polynomial
        self.H0, self.J = self.matrices(self.positions)
        v = mpmath.matrix([number(x) for x in start])
        for _ in range(8):
            step = self._newton_step(v)
            v = v - step
            if mpmath.norm(step, mpmath.inf) < mpmath.mpf(10) ** (10 - DIGITS):
                break
        self.features = list(v)
        self._finish(v)

    def matrices(self, positions):
        """H⁰ and J at other positions, the same parameters."""
        number, rule = mpmath.mpf, self.parameters["hamiltonian"]
        sigma = [number(s) for s in self.parameters["widths"]]
        H, J = mpmath.zeros(self.size), mpmath.zeros(self.size)
        for i in range(self.size):
            H[i, i] = number(rule["levels"][i])
            J[i, i] = 1 / (sigma[i] * mpmath.sqrt(mpmath.pi))
            for k in range(self.size):
                if i == k:
                    continue
                apart = [a - b for a, b in zip(positions[i], positions[k], strict=True)]
                r = mpmath.sqrt(sum(x * x for x in apart))
                J[i, k] = mpmath.erf(r / mpmath.sqrt(2 * sigma[i] ** 2 + 2 * sigma[k] ** 2)) / r
                H[i, k] = self._hopping(rule["hopping"], r)
        return H, J

    @staticmethod
    def _hopping(rule, r):
        number = mpmath.mpf
        if rule["kind"] == "constant":
            return -number(rule["t"]) if r < number(rule["cutoff"]) else number(0)
        a, b = (number(end) for end in rule["switch"])
        x = (r - a) / (b - a)
        on = number(1)
        if x >= 1:
            on = number(0)
        elif x > 0:
            on = 1 / (1 + mpmath.exp(1 / (1 - x) - 1 / x))
        decay = number(rule["decay"]) * (r - number(rule["reference"]))
        return number(rule["prefactor"]) * mpmath.exp(-decay) * on

    def _chebyshev(self, x):
        """(G_N(x), F_N(x), F_N′(x)) by the recurrence for T_k and its derivatives."""
        a, b = (mpmath.mpf(end) for end in self.polynomial["interval"])
        scale = 2 / (b - a)
        t = (2 * x - a - b) / (b - a)
        zero, one = mpmath.mpf(0), mpmath.mpf(1)
        before, now = (one, zero, zero), (t, one, zero)
        c = [mpmath.mpf(value) for value in self.polynomial["coefficients"]]
        total = [c[0] * p + c[1] * q for p, q in zip(before, now, strict=True)]
        for value in c[2:]:
            following = (
                2 * t * now[0] - before[0],
                2 * now[0] + 2 * t * now[1] - before[1],
                4 * now[1] + 2 * t * now[2] - before[2],
            )
            before, now = now, following
            total = [s + value * p for s, p in zip(total, now, strict=True)]
        return total[0], total[1] * scale, total[2] * scale**2

    def _occupations(self, levels):
        """F(λ_i), F′(λ_i), 2 Σ G (+ µN) and µ."""
        if self.polynomial is not None:
            values = [self._chebyshev(x) for x in levels]
            return (
                [f for _, f, _ in values],
                [d for *_, d in values],
                2 * sum(g for g, *_ in values),
                None,
            )
        canonical = self.ensemble["kind"] == "canonical"
        if self.beta is None:
            if canonical:
                filled, mu = int(float(self.ensemble["electrons"])) // 2, mpmath.mpf(0)
            else:
                mu = mpmath.mpf(self.ensemble["chemical_potential"])
                filled = sum(x < mu for x in levels)
            f = [mpmath.mpf(i < filled) for i in range(self.size)]
            return f, [mpmath.mpf(0)] * self.size, 2 * sum(x - mu for x in levels[:filled]), None
        if canonical:
            mu = self._fermi_level(levels, mpmath.mpf(self.ensemble["electrons"]))
        else:
            mu = mpmath.mpf(self.ensemble["chemical_potential"])
        f = [1 / (1 + mpmath.exp(self.beta * (x - mu))) for x in levels]
        g = -2 * sum(mpmath.log1p(mpmath.exp(-self.beta * (x - mu))) for x in levels) / self.beta
        if canonical:
            g += mu * mpmath.mpf(self.ensemble["electrons"])
        return f, [-self.beta * x * (1 - x) for x in f], g, mu

    def _fermi_level(self, levels, electrons):
        low, high = levels[0] - 40 / self.beta, levels[-1] + 40 / self.beta
        while high - low > mpmath.mpf(10) ** (5 - DIGITS):
            mu = (low + high) / 2
            count = 2 * sum(1 / (1 + mpmath.exp(self.beta * (x - mu))) for x in levels)
            low, high = (mu, high) if count < electrons else (low, mu)
        return (low + high) / 2

    def _evaluate(self, v):
        H = self.H0 + mpmath.diag(list(v))
        values, C = mpmath.eigsy(H)
        levels = list(values)
        f, slopes, g, mu = self._occupations(levels)
        F = C * mpmath.diag(f) * C.T
        p = [2 * F[i, i] for i in range(self.size)]
        residual = v - self.J * mpmath.matrix([a - b for a, b in zip(p, self.z, strict=True)])
        return levels, C, f, slopes, g, mu, F, p, residual

    def _newton_step(self, v):
        levels, C, f, slopes, _, mu, _, _, residual = self._evaluate(v)
        n = self.size
        chi = mpmath.zeros(n)
        for i in range(n):
            for j in range(n):
                near = abs(levels[i] - levels[j]) < mpmath.mpf(10) ** -20
                d = slopes[i] if near else (f[i] - f[j]) / (levels[i] - levels[j])
                for k in range(n):
                    for m in range(n):
                        chi[k, m] += 2 * d * C[k, i] * C[k, j] * C[m, i] * C[m, j]
        if mu is not None and self.ensemble["kind"] == "canonical":
            ones = mpmath.ones(n, 1)
            row = chi * ones
            chi = chi - row * row.T / (ones.T * row)[0, 0]
        return mpmath.lu_solve(mpmath.eye(n) - self.J * chi, residual)

    def _finish(self, v):
        self.levels, _, _, _, g, self.mu, F, p, _ = self._evaluate(v)
        q = mpmath.matrix([a - b for a, b in zip(p, self.z, strict=True)])
        own = sum(z * z * self.J[i, i] for i, z in enumerate(self.z)) / 2
        work = sum(a * b for a, b in zip(v, p, strict=True))
        self.energy = g - work + (q.T * self.J * q)[0, 0] / 2 - own
        self.charges = [-x for x in q]
        self.electrons = sum(p)
        self.forces = self._forces(F, q)

    def _forces(self, F, q):
        """Central differences of 2 Tr FH⁰ + ½ qJq at fixed F, q: error 1e-26 at a step of 1e-13."""
        step = mpmath.mpf(10) ** -13

        def energy(atom, axis, sign):
            moved = [row[:] for row in self.positions]
            moved[atom][axis] += sign * step
            H, J = self.matrices(moved)
            band = sum(F[i, k] * H[k, i] for i in range(self.size) for k in range(self.size))
            return 2 * band + (q.T * J * q)[0, 0] / 2

        return [
            [(energy(m, x, -1) - energy(m, x, 1)) / (2 * step) for x in range(3)]
            for m in range(self.size)
        ]


# -- falsification --------------------------------------------------------------------------------

TEN_RADII = 10


@st.composite
def falsified(draw, document):
    """(what was done, a document that states something false), its checksum recomputed."""
    changed = copy.deepcopy(document)
    parts = [part for part in ("exact", "polynomial") if part in changed]
    part = draw(st.sampled_from(parts))
    kinds = ["centre", "enclosure", "constant", "input", "missing"]
    if "polynomial" in changed:
        kinds += ["polynomial", "distance"]
    done = _FALSIFY[draw(st.sampled_from(kinds))](draw, changed, part)
    changed["checksum"] = checksum(changed)
    return done, changed


def _scaled(text, factor):
    with mpmath.workdps(60):
        return mpmath.nstr(mpmath.mpf(text) * factor, 50)


def _added(text, amount):
    with mpmath.workdps(60):
        return mpmath.nstr(mpmath.mpf(text) + amount, 50)


def _centre(draw, document, part):
    solution = document[part]
    index = draw(st.integers(0, len(solution["centre"]) - 1))
    sign = draw(st.sampled_from((-1, 1)))
    with mpmath.workdps(60):
        move = sign * TEN_RADII * mpmath.mpf(solution["existence_radius"])
    solution["centre"][index] = _added(solution["centre"][index], move)
    return f"{part} centre {index} by ten radii"


def _leaves(node):
    """All enclosures [m, r] below a node."""
    if isinstance(node, dict):
        return [leaf for name in node for leaf in _leaves(node[name])]
    if node is None:
        return []
    if isinstance(node[0], str):
        return [node]
    return [leaf for item in node for leaf in _leaves(item)]


def _enclosure(draw, document, part):
    enclosed = document[part]["enclosures"]
    name = draw(st.sampled_from([n for n in sorted(enclosed) if enclosed[n] is not None]))
    leaf = draw(st.sampled_from(_leaves(enclosed[name])))
    sign = draw(st.sampled_from((-1, 1)))
    with mpmath.workdps(60):
        leaf[0] = _added(leaf[0], sign * 3 * mpmath.mpf(leaf[1]))
    return f"{part} {name} shifted by three radii"


def _constant(draw, document, part):
    constants = document[part]["constants"]
    name = draw(st.sampled_from(sorted(constants)))
    assume(float(constants[name]) > 0.0)  # 0 where no level is occupied, or none empty
    if name == "newton_step":  # stated with room for the checker's own rounding
        constants[name] = "0"
    else:
        constants[name] = _scaled(constants[name], 1.0001 if name == "margin" else 0.9999)
    return f"{part} constant {name}"


def _input(draw, document, part):
    stated = document["input"]
    which = draw(st.sampled_from(("positions", "nuclear_charges", "levels", "widths")))
    if which == "positions":
        atom = draw(st.integers(0, len(stated["positions"]) - 1))
        x = stated["positions"][atom][0]
        stated["positions"][atom][0] = _added(x, 1e-5 * max(1.0, abs(float(x))))
    else:
        table = stated["parameters"]
        values = table["hamiltonian"].get("levels") if which == "levels" else table[which]
        if values is None:
            name = draw(st.sampled_from(sorted(table["hamiltonian"]["elements"])))
            shells = table["hamiltonian"]["elements"][name]["shells"]
            shell = draw(st.sampled_from(shells))
            kind = draw(st.sampled_from(("level", "exponents", "coefficients")))
            if kind == "level":
                shell["level"] = _scaled(shell["level"], 1.000001)
            values = shell["exponents" if kind == "level" else kind]
        index = draw(st.integers(0, len(values) - 1))
        values[index] = _scaled(values[index], 1.000001)
    return f"input {which} in the sixth digit"


def _missing(draw, document, part):
    target = draw(st.sampled_from((document, document[part], document[part]["enclosures"])))
    optional = {"checksum", "conventions", "format", "version", "provenance"}
    if "polynomial" in document:
        optional |= {"polynomial"}  # what is left without it is a true certificate
    name = draw(st.sampled_from(sorted(set(target) - optional)))
    del target[name]
    return f"{name} left out"


def _polynomial(draw, document, part):
    solution = document["polynomial"]
    what = draw(st.sampled_from(("coefficient", "interval", "uniqueness", "existence", "degree")))
    if what == "coefficient":
        sizes = [abs(float(c)) for c in solution["coefficients"]]
        index = int(np.argmax(sizes[1:])) + 1
        solution["coefficients"][index] = _scaled(solution["coefficients"][index], 1.000001)
    elif what == "interval":
        solution["interval"][1] = _scaled(solution["interval"][1], 1.000001)
    elif what == "uniqueness":
        solution["uniqueness_radius"] = _scaled(solution["uniqueness_radius"], 1.02)
    elif what == "existence":
        solution["existence_radius"] = _scaled(solution["constants"]["newton_step"], 0.999)
    else:
        solution["degree"] += 1
    return f"polynomial {what}"


def _distance(draw, document, part):
    leaf = draw(st.sampled_from(_leaves(document["distance"])))
    with mpmath.workdps(60):
        leaf[0] = _added(leaf[0], 3 * mpmath.mpf(leaf[1]))
    return "distance shifted by three radii"


_FALSIFY = {
    "centre": _centre,
    "enclosure": _enclosure,
    "constant": _constant,
    "input": _input,
    "missing": _missing,
    "polynomial": _polynomial,
    "distance": _distance,
}


def every_falsehood(document):
    """By name, documents with one number made false each, of one with a polynomial part."""

    def variant(change):
        changed = copy.deepcopy(document)
        change(changed)
        return changed

    def scale(*path, factor):
        def change(changed):
            for name in path[:-1]:
                changed = changed[name]
            changed[path[-1]] = _scaled(changed[path[-1]], factor)

        return variant(change)

    def shift(leaf_of):
        def change(changed):
            leaf = leaf_of(changed)
            with mpmath.workdps(60):
                leaf[0] = _added(leaf[0], 3 * mpmath.mpf(leaf[1]))

        return variant(change)

    for part in ("exact", "polynomial"):
        for name in document[part]["constants"]:
            factor = {"margin": 1.0001, "newton_step": 1e-9}.get(name, 0.9999)
            yield f"{part} {name}", scale(part, "constants", name, factor=factor)
        for name, stated in document[part]["enclosures"].items():
            for index in range(len(_leaves(stated))):
                yield (
                    f"{part} {name} {index}",
                    shift(lambda c, p=part, n=name, i=index: _leaves(c[p]["enclosures"][n])[i]),
                )
        radius = mpmath.mpf(document[part]["existence_radius"])
        for index, value in enumerate(document[part]["centre"]):

            def move(changed, part=part, index=index, value=value, radius=radius):
                changed[part]["centre"][index] = _added(value, TEN_RADII * radius)

            yield f"{part} centre {index}", variant(move)
    # The Newton step is stated as 1e-30: a smaller radius has none of the stated proof.
    yield "existence", scale("polynomial", "existence_radius", factor=0.96)
    yield "uniqueness", scale("polynomial", "uniqueness_radius", factor=1.02)
    for index in range(2):
        yield f"interval {index}", scale("polynomial", "interval", index, factor=1.000001)
    for index, value in enumerate(document["polynomial"]["coefficients"]):
        if index and abs(float(value)) > 1e-6:
            yield (
                f"coefficient {index}",
                scale("polynomial", "coefficients", index, factor=1.000001),
            )
    for norm in document["distance"]:
        yield f"distance {norm}", shift(lambda c, n=norm: c["distance"][n])

    def extra(*path):
        def change(changed):
            for name in path:
                changed = changed[name]
            changed["dipole"] = ["0", "1E-9"]

        return variant(change)

    for path in ((), ("exact",), ("polynomial", "enclosures"), ("exact", "constants")):
        yield f"something unknown in {path}", extra(*path)
    yield "beta", scale("input", "beta", factor=1.000001)
    yield "electrons", scale("input", "ensemble", "electrons", factor=1.000001)
    for name in ("widths", "nuclear_charges"):
        yield name, scale("input", "parameters", name, 0, factor=1.000001)
    hopping = document["input"]["parameters"]["hamiltonian"]["hopping"]
    for name in ("prefactor", "decay", "reference"):
        path = ("input", "parameters", "hamiltonian", "hopping", name)
        assert float(hopping[name]) != 0.0
        yield f"hopping {name}", scale(*path, factor=1.000001)
    for atom in range(len(document["input"]["positions"])):
        for axis in range(3):
            path = ("input", "positions", atom, axis)
            yield f"position {atom} {axis}", scale(*path, factor=1.00001)
