"""Lemma 9: integrals and sums of products of exponentials over a configuration are exponential.

Statement. Let 0 < η_1 ≤ … ≤ η_n, |r_i − r_j| ≥ 𝔪 for i ≠ j in R^d, Φ(x) = Σ_l η_l |x − r_l|. Then

    (6.1)  ∫ e^{−Φ(x)} dx   ≤ C₁ e^{−(η_1/4)(r_12 + r_23 + … + r_n1)},
    (6.2)  Σ_m e^{−Φ(r_m)}  ≤ C₂ e^{−(η_1/4)(r_12 + … + r_n1)},    m over any M ≤ ∞ points.

Which portion of the exponents is spent. Write e^{−Φ} = e^{−(1−σ)Φ} e^{−σΦ} with 0 < σ < 1. The
first factor is at most e^{−(1−σ)Φ*}, Φ* = min Φ: the decay. The second pays for convergence: with
E = Σ η_l, Hölder's inequality with exponents E/η_l gives

    ∫ e^{−σΦ} ≤ Π_l (∫ e^{−σE|x−r_l|})^{η_l/E} = ω_dΓ(d)/(σE)^d,    Σ_m e^{−σΦ(r_m)} ≤ Z_d(σE, 𝔪)

with the lattice sum Z_d of :mod:`scc.theory.packing`. Every σ gives a bound; the best one is used.
For the integral it is σ = min(1, d/Φ*), so that C₁ e^{−Φ*} holds with the *full* rate and

    C₁ = ω_dΓ(d) (eΦ*/(dE))^d   (Φ* ≥ d),

a power of the distance in place of half of the rate. Some power is needed: two equal exponents in
R³ give (π/η³)(1 + ηr + (ηr)²/3) e^{−ηr}, so that no constant C₁ goes with the whole rate, and a
straight chain has r/𝔪 equal terms in (6.2). If n = 2 and η_1 < η_2 the power is not needed: of the
larger exponent η_2 − η_1 is left, and e^{−η_1 r_12} holds with the constants ω_dΓ(d)/(η_2 − η_1)^d
and Z_d(η_2 − η_1, 𝔪).

Lower bounds of Φ*, all used: n = 2: η_1 r_12, exactly. In general Σ_{i<j} w_ij r_ij for any w ≥ 0
with Σ_j w_ij ≤ η_i (triangle inequalities): η_1/2 on the edges of the cycle 12…n is the paper's
½η_1(r_12 + … + r_n1); a star at i with w_ij = η_j is exact when Σ_{j≠i} η_j ≤ η_i.

The paper's route spends σ = ½ on one exponential only, the others being dropped in the second
factor: C₁ = ω_dΓ(d)/(η_n/2)^d, C₂ the lattice sum by lenses at η_n/2, rate η_1/4 along the cycle.
"""

from functools import cache

import mpmath
import numpy as np
import sympy as sp

from scc.arrays import FloatArray, IntArray
from scc.theory._exponential_integrals import (
    exponential_integral,
    line_integral,
    two_centre_integral,
)
from scc.theory.packing import Packing, best_lattice_sum, packings, paper_lattice_sum
from scc.theory.statement import Check
from scc.theory.system import TightBindingSystem

SPENT = tuple(np.geomspace(0.01, 1.0, 25))
"""The portions σ tried in (6.2)."""

EXPONENTS = ((1.0, 1.0), (0.7, 1.9), (0.4, 0.5, 0.8), (0.5, 0.5, 0.5, 1.7))
"""(η_1, …, η_n) that systems are tried on, 1/bohr."""


def least_exponent(etas: tuple[float, ...], distances: FloatArray) -> FloatArray:
    """A lower bound of Φ* = min_x Σ η_l |x − r_l| from r_ij: distances (…, n, n) → (…).

    Exact for n = 2 and where one exponent outweighs the others.
    """
    n, eta = len(etas), np.asarray(etas)
    best = 0.5 * float(np.min(eta)) * cycle(distances)
    for i in range(n):
        others = np.array([j for j in range(n) if j != i])
        weight = min(1.0, float(eta[i] / np.sum(eta[others])))
        best = np.maximum(best, weight * distances[..., i, others] @ eta[others])
    return np.asarray(best)


def cycle(distances: FloatArray) -> FloatArray:
    """r_12 + r_23 + … + r_n1 from distances (…, n, n)."""
    n = distances.shape[-1]
    return np.asarray(sum(distances[..., i, (i + 1) % n] for i in range(n)))


def integral_bound(
    etas: tuple[float, ...], distances: FloatArray, dimension: int = 3
) -> FloatArray:
    """(6.1) with the best portion σ: bound of ∫ e^{−Φ} over R^dimension, bohr^dimension."""
    unit, total = exponential_integral(dimension), sum(etas)
    exponent = least_exponent(etas, distances)
    spent = np.minimum(1.0, dimension / np.maximum(exponent, 1e-300))
    bound = unit / (spent * total) ** dimension * np.exp(-(1.0 - spent) * exponent)
    if len(etas) == 2 and etas[0] != etas[1]:
        rest = abs(etas[1] - etas[0])
        bound = np.minimum(bound, unit / rest**dimension * np.exp(-exponent))
    return np.asarray(bound)


def sum_bound(
    etas: tuple[float, ...], distances: FloatArray, found: list[Packing], members: bool = True
) -> FloatArray:
    """(6.2) with the best portion σ: bound of Σ_m e^{−Φ(r_m)}.

    ``found``: spacings and dimensions that hold for the configuration; ``members``: the r_l are
    points of the configuration, else any points of space.
    """
    exponent = least_exponent(etas, distances)
    bound = np.full(exponent.shape, np.inf)
    for spent in SPENT:
        constant = best_lattice_sum(spent * sum(etas), found, members)
        bound = np.minimum(bound, constant * np.exp(-(1.0 - spent) * exponent))
    if len(etas) == 2 and etas[0] != etas[1]:
        constant = best_lattice_sum(abs(etas[1] - etas[0]), found, members)
        bound = np.minimum(bound, constant * np.exp(-exponent))
    return bound


def paper_bounds(
    etas: tuple[float, ...], distances: FloatArray, found: list[Packing], dimension: int = 3
) -> tuple[FloatArray, FloatArray]:
    """(6.1) and (6.2) by the paper's route: C e^{−(η_1/4)(r_12 + … + r_n1)}."""
    decay = np.exp(-0.25 * min(etas) * cycle(distances))
    half = 0.5 * max(etas)
    integral = exponential_integral(dimension) / half**dimension
    return integral * decay, min(paper_lattice_sum(half, p) for p in found) * decay


def hypotheses(system: TightBindingSystem) -> dict[str, bool | float | str]:
    """Two atoms at least, and a minimal spacing."""
    return {
        "minimal spacing is positive": system.minimal_spacing > 0.0,
        "minimal spacing": system.minimal_spacing,
        "at least two atoms": system.atoms > 1,
        "open boundaries": not any(system.configuration.periodic),
    }


def bound(
    system: TightBindingSystem, etas: tuple[float, ...], atoms: IntArray
) -> tuple[FloatArray, FloatArray]:
    """((6.1), (6.2)) for the atoms l = 1…n in the rows of ``atoms`` (K, n): two arrays (K,)."""
    distances = system.distances[atoms[:, :, None], atoms[:, None, :]]
    found = packings(system.configuration.positions)
    return integral_bound(etas, distances), sum_bound(etas, distances, found)


def checks(system: TightBindingSystem) -> list[Check]:
    """(6.2) for pairs, triples and quadruples of atoms; (6.1) in closed form for pairs in R, R², R³
    and for any number on the line."""
    positions = system.configuration.positions
    found = packings(positions)
    line = positions @ np.linalg.svd(positions - positions.mean(axis=0))[2][0]
    results = []
    for etas in EXPONENTS:
        if len(etas) > system.atoms:
            continue
        atoms = _tuples(system, len(etas))
        distances = system.distances[atoms[:, :, None], atoms[:, None, :]]
        # ΣΦ is rounded to n roundings of its size, and e^{−Φ} relatively by as much.
        measured = np.sum(np.exp(-np.tensordot(etas, system.distances[atoms.T], 1)), axis=-1)
        reach = sum(etas) * float(np.max(system.distances))
        relative = 4.0 * np.finfo(np.float64).eps * (system.atoms + len(etas) * (1.0 + reach))
        name, rounding = ", ".join(f"{eta:g}" for eta in etas), relative * measured
        paper = paper_bounds(etas, distances, found)
        smaller = sum_bound(etas, distances, found)
        rates = _rates(etas, distances, measured) if len(etas) == 2 else None
        results += [
            Check.of(f"sum over atoms, exponents {name}", measured, smaller, rounding, rates),
            Check.of(f"sum by the paper's route, exponents {name}", measured, paper[1], rounding),
        ]
        projected = np.array([line_integral(etas, line[row]) for row in atoms[:60]])
        apart = np.abs(line[atoms[:60, :, None]] - line[atoms[:60, None, :]])
        results.append(
            Check.of(
                f"integral over the line, exponents {name}",
                projected,
                integral_bound(etas, apart, 1),
                10.0 * relative * projected,
            )
        )
        if len(etas) == 2:
            results += _pair_integrals(etas, distances, found, relative)
    return results


def _pair_integrals(
    etas: tuple[float, ...], distances: FloatArray, found: list[Packing], relative: float
) -> list[Check]:
    name = ", ".join(f"{eta:g}" for eta in etas)
    results = []
    for dimension in (1, 2, 3):
        exact = two_centre_integral(etas[0], etas[1], distances[:, 0, 1], dimension)
        # Differences of terms up to e^b against e^{−a} cancel b³ at small b only, where a series is
        # used: a hundred roundings.
        rounding = (100.0 * np.finfo(np.float64).eps + 10.0 * relative) * exact
        paper = paper_bounds(etas, distances, found, dimension)[0]
        smaller = integral_bound(etas, distances, dimension)
        results += [
            Check.of(f"integral over R^{dimension}, exponents {name}", exact, smaller, rounding),
            Check.of(
                f"integral over R^{dimension} by the paper's route, exponents {name}",
                exact,
                paper,
                rounding,
            ),
        ]
    return results


def _tuples(system: TightBindingSystem, n: int) -> IntArray:
    """All pairs of different atoms (n = 2), or 300 random n-tuples of different atoms: (K, n)."""
    atoms = system.atoms
    if n == 2:
        return np.argwhere(~np.eye(atoms, dtype=bool)).astype(np.int64)
    rng = np.random.default_rng(atoms)
    keys = rng.random((300, atoms))
    return np.asarray(np.argsort(keys, axis=1)[:, :n], dtype=np.int64)


def _rates(
    etas: tuple[float, ...], distances: FloatArray, measured: FloatArray
) -> tuple[float, float] | None:
    """(slope of −ln of the outer half of the measurements, rate of the bound), per bohr."""
    r = distances[:, 0, 1]
    outer = r >= np.median(r)
    if np.ptp(r[outer]) < 1.0:
        return None
    slope = np.polyfit(r[outer], np.log(measured[outer]), 1)[0]
    return -float(slope), float(min(etas))


@cache
def _derived() -> tuple[tuple[str, bool], ...]:
    x, sigma, E, r, eta = sp.symbols("x sigma E r eta", positive=True)
    steps: dict[str, bool] = {}
    for d in (1, 2, 3):
        radial = sp.integrate(x ** (d - 1) * sp.exp(-sigma * E * x), (x, 0, sp.oo))
        sphere = {1: 2, 2: 2 * sp.pi, 3: 4 * sp.pi}[d]
        expected = sp.nsimplify(sp.Rational(1), [sp.pi]) * sphere * sp.factorial(d - 1)
        steps[f"∫ e^(−σE|x|) = ω_dΓ(d)/(σE)^d, d = {d}"] = (
            sp.simplify(sphere * radial - expected / (sigma * E) ** d) == 0
        )
        # ln of the bound, −d ln σ − (1−σ)Φ*, is convex in σ with its minimum at d/Φ*.
        logarithm = -d * sp.log(sigma) - (1 - sigma) * r
        stationary = sp.solve(sp.diff(logarithm, sigma), sigma)
        curved = sp.diff(logarithm, sigma, 2).is_positive
        steps[f"best portion is d/Φ*, d = {d}"] = bool(stationary == [d / r] and curved)
    xi, nu = sp.symbols("xi nu", real=True)
    slater = (
        sp.pi
        * r**3
        / 4
        * sp.integrate(
            sp.integrate((xi**2 - nu**2) * sp.exp(-eta * r * xi), (nu, -1, 1)), (xi, 1, sp.oo)
        )
    )
    closed = sp.pi / eta**3 * (1 + eta * r + (eta * r) ** 2 / 3) * sp.exp(-eta * r)
    steps["equal exponents in R³: full rate needs a power of r"] = bool(
        sp.simplify(slater - closed) == 0 and sp.limit(closed * sp.exp(eta * r), r, sp.oo) == sp.oo
    )
    points = np.random.default_rng(9).normal(size=(200, 5, 3))
    apart = np.linalg.norm(points[:, :4, None] - points[:, None, :4], axis=-1)
    etas = (0.3, 0.4, 0.9, 1.7)
    at = np.linalg.norm(points[:, 4:] - points[:, :4], axis=-1)
    steps["triangle inequalities: Φ(x) ≥ least exponent"] = bool(
        np.all(at @ np.array(etas) >= least_exponent(etas, apart) * (1 - 1e-12))
    )
    on_heavy = apart[:, 3] @ np.array(etas)  # η_4 outweighs the rest: Φ* = Φ(r_4)
    steps["a star is exact where one exponent outweighs the others"] = bool(
        np.allclose(on_heavy, least_exponent(etas, apart), rtol=1e-12)
    )
    values = np.exp(-0.6 * at)
    weights = np.array(etas) / sum(etas)
    steps["Hölder: Σ Π_l f_l^{w_l} ≤ Π_l (Σ f_l)^{w_l}"] = bool(
        np.sum(np.prod(values**weights, axis=1)) <= np.prod(np.sum(values, axis=0) ** weights)
    )
    for d in (1, 2, 3):
        steps[f"two-centre integral by quadrature, d = {d}"] = _quadrature_agrees(d)
    return tuple(steps.items())


def derivation() -> dict[str, bool]:
    """The portion σ and its optimum, Weber's point, Hölder, closed forms against quadrature."""
    return dict(_derived())


def _quadrature_agrees(dimension: int) -> bool:
    """Closed forms against iterated quadrature in Cartesian or cylindrical coordinates."""
    first, second, r = 0.8, 1.7, 1.9

    def at(x: mpmath.mpf, y: mpmath.mpf) -> mpmath.mpf:
        left, right = mpmath.sqrt(x**2 + y**2), mpmath.sqrt((x - r) ** 2 + y**2)
        return mpmath.exp(-first * left - second * right)

    with mpmath.workdps(10):
        along = [-12, 0, r, 14]
        if dimension == 1:
            value = mpmath.quad(lambda x: at(x, mpmath.mpf(0)), along)
        else:
            weight = (lambda y: 2) if dimension == 2 else (lambda y: 2 * mpmath.pi * y)
            value = mpmath.quad(
                lambda x: mpmath.quad(lambda y: weight(y) * at(x, y), [0, 0.3, 2, 12], maxdegree=4),
                along,
                maxdegree=4,
            )
    closed = float(two_centre_integral(first, second, np.array(r), dimension))
    # Gauss-Legendre on either side of the kinks: a few digits more than three.
    return bool(abs(float(value) - closed) < 2e-4 * closed)
