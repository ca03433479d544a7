"""Sums over a configuration with minimal spacing 𝔪: how many atoms can be near, and what they add.

Statement. Let |r_i − r_j| ≥ 𝔪 > 0 for i ≠ j in R^d, finitely many points or infinitely many. Open
balls of radius 𝔪/2 about them are disjoint, and those of the points within t of a centre c lie in
the ball of radius t + 𝔪/2 about c. So their number is

    N_c(t) ≤ (1 + 2t/𝔪)^d,    N_c(t) ≤ 1 for t < 𝔪/2  (t < 𝔪 if c is itself one of the points),

and for f ≥ 0 decreasing to 0, Σ_m f(|c − r_m|) = ∫₀^∞ N_c(t) (−f′(t)) dt. For f = e^{−ηt} and
f = e^{−qt²} the integrals are elementary. In one dimension the points are ordered, the j-th on
either side is at least (j−1)𝔪 further than the first, and Σ e^{−η|c−r_m|} ≤ coth(η𝔪/2), which the
lattice 𝔪Z attains; it is convex in the position of c, so that c may be any point.

The argument of Lemma 9's proof is another: e^{−ηr_m} is at most the mean of e^{−η|x−c|} over
B_{r_m}(c) ∩ B_{𝔪/2}(r_m). That lens has volume ≥ c_d 𝔪^d, attained at r_m = 𝔪, whence
Σ ≤ 1 + ω_d Γ(d) / (c_d (η𝔪)^d). The 1 is the centre itself, whose lens is empty. As η𝔪 → 0 it is
larger by 2^{−d} v_d / c_d: 2, 2.24 and 2.46 in one, two and three dimensions.

A chain that is not quite straight fills three dimensions no more than a straight one. A projection
shortens distances, so the constants of a lower dimension hold with the minimal spacing of the
projected points: :func:`packings`.
"""

import math
from typing import NamedTuple

import mpmath
import numpy as np
import sympy as sp
from scipy.special import gamma, gammaincc

from scc.arrays import FloatArray

BALL = {1: 2.0, 2: math.pi, 3: 4.0 * math.pi / 3.0}
"""v_d, volume of the unit ball; the sphere has ω_d = d·v_d, and ω_dΓ(d) = ∫ e^{−|x|} dx."""


class Packing(NamedTuple):
    """Points in R^``dimension`` no two of which are nearer than ``spacing`` (bohr)."""

    dimension: int
    spacing: float


def packings(positions: FloatArray) -> list[Packing]:
    """(d, 𝔪_d) for d = 1, 2, 3: projections on the d leading principal axes of positions (M, 3)."""
    centred = positions - positions.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    found = []
    for dimension in (1, 2, 3):
        projected = centred @ axes[:dimension].T
        apart = np.linalg.norm(projected[:, None] - projected[None, :], axis=-1)
        apart = apart[~np.eye(len(positions), dtype=bool)]
        # The projection is orthogonal to rounding only.
        found.append(Packing(dimension, float(np.min(apart, initial=np.inf)) * (1.0 - 1e-12)))
    return found


def lattice_sum(eta: float, packing: Packing, centre_is_a_point: bool = True) -> float:
    """Bound of Σ_m e^{−η|c − r_m|}, the term of c itself included; η in 1/bohr.

    ``centre_is_a_point``: c is one of the r_m; else any point of space.
    """
    dimension, spacing = packing
    if not (spacing > 0.0 and eta > 0.0):
        return math.inf
    if math.isinf(spacing):
        return 1.0
    if dimension == 1:
        return 1.0 / math.tanh(0.5 * eta * spacing)
    start = spacing if centre_is_a_point else 0.5 * spacing
    return -math.expm1(-eta * start) + _shells(eta, start, dimension, spacing)


def _shells(eta: float, start: float, dimension: int, spacing: float) -> float:
    """∫_start^∞ (1 + 2t/𝔪)^d η e^{−ηt} dt."""
    total = sum(
        math.perm(dimension, k)
        * (1.0 + 2.0 * start / spacing) ** (dimension - k)
        * (2.0 / (eta * spacing)) ** k
        for k in range(dimension + 1)
    )
    return math.exp(-eta * start) * total


def gaussian_sum(q: float, packing: Packing) -> float:
    """Bound of Σ_m e^{−q|c − r_m|²} for any point c; q in 1/bohr²."""
    dimension, spacing = packing
    if not spacing > 0.0:
        return math.inf
    if math.isinf(spacing):
        return 1.0
    edge = 0.25 * q * spacing**2  # qt² at t = 𝔪/2
    powers = np.arange(dimension + 1)
    # ∫_{𝔪/2}^∞ (1 + 2t/𝔪)^d 2qt e^{−qt²} dt, term by term in incomplete Gamma functions.
    terms = (
        np.array([math.comb(dimension, int(k)) for k in powers])
        * (2.0 / (spacing * math.sqrt(q))) ** powers
        * gamma(0.5 * powers + 1.0)
        * gammaincc(0.5 * powers + 1.0, edge)
    )
    return -math.expm1(-edge) + float(np.sum(terms))


def best_lattice_sum(eta: float, found: list[Packing], centre_is_a_point: bool = True) -> float:
    """The smallest of :func:`lattice_sum` over projections."""
    return min(lattice_sum(eta, packing, centre_is_a_point) for packing in found)


def best_gaussian_sum(q: float, found: list[Packing]) -> float:
    """The smallest of :func:`gaussian_sum` over projections."""
    return min(gaussian_sum(q, packing) for packing in found)


def lens_volume(dimension: int) -> float:
    """c_d: volume of B_1(0) ∩ B_{1/2}(e), |e| = 1."""
    if dimension == 1:
        return 0.5
    if dimension == 2:
        large, small = 2.0 * math.acos(7.0 / 8.0), 2.0 * math.acos(1.0 / 4.0)
        return 0.5 * (large - math.sin(large)) + 0.125 * (small - math.sin(small))
    return 13.0 * math.pi / 192.0


def paper_lattice_sum(eta: float, packing: Packing) -> float:
    """1 + ω_dΓ(d) / (c_d (η𝔪)^d), the constant of Lemma 9's proof; c one of the points."""
    d, spacing = packing
    if math.isinf(spacing):
        return 1.0
    return 1.0 + math.factorial(d) * BALL[d] / (lens_volume(d) * (eta * spacing) ** d)


def densest_lattice(dimension: int, reach: float) -> FloatArray:
    """Distances from the origin of the points of Z, the triangular and the fcc lattice, 𝔪 = 1."""
    bases = {
        1: [[1.0]],
        2: [[1.0, 0.0], [0.5, math.sqrt(0.75)]],
        3: [[s / math.sqrt(2.0) for s in row] for row in ([1, 1, 0], [1, 0, 1], [0, 1, 1])],
    }
    extent = np.arange(-int(2 * reach) - 2, int(2 * reach) + 3)
    steps = np.stack(np.meshgrid(*[extent] * dimension, indexing="ij"), -1).reshape(-1, dimension)
    distances = np.linalg.norm(steps @ np.array(bases[dimension]), axis=1)
    return np.sort(distances[distances <= reach])


def derivation() -> dict[str, bool]:
    """The integrals symbolically, the counts on the densest lattices, the lens by quadrature."""
    steps: dict[str, bool] = {}
    t, eta, m, a = sp.symbols("t eta m a", positive=True)
    for d in (1, 2, 3):
        found = sum(
            sp.ff(d, k) * (1 + 2 * a / m) ** (d - k) * (2 / (eta * m)) ** k for k in range(d + 1)
        )
        # −d/da of e^{−ηa}·found is the integrand at a, and both vanish at infinity.
        slope = sp.diff(sp.exp(-eta * a) * found, a)
        steps[f"shell integral, d = {d}"] = (
            sp.simplify(slope + (1 + 2 * a / m) ** d * eta * sp.exp(-eta * a)) == 0
        )
        distances = densest_lattice(d, 6.0)
        counts = np.searchsorted(distances, distances + 1e-9)
        steps[f"the densest lattice has no more points, d = {d}"] = bool(
            np.all(counts <= (1.0 + 2.0 * distances) ** d + 1e-6)
        )
        values = np.exp(-0.8 * densest_lattice(d, 25.0)), lattice_sum(0.8, Packing(d, 1.0))
        steps[f"nor a larger sum, d = {d}"] = bool(np.sum(values[0]) <= values[1] * (1 + 1e-9))
        steps[f"lens volume, d = {d}"] = _lens_by_quadrature(d)
        steps[f"Gaussian shell integral, d = {d}"] = _gaussian_by_quadrature(d)
    ratio = sp.exp(-eta * m)
    steps["geometric series: 1 + 2Σ_j e^{−ηj𝔪} = coth(η𝔪/2)"] = (
        sp.simplify((1 + 2 * ratio / (1 - ratio) - sp.coth(eta * m / 2)).rewrite(sp.exp)) == 0
    )
    y = sp.symbols("y", positive=True)
    between = (sp.exp(-eta * y) + sp.exp(-eta * (m - y))) / (1 - sp.exp(-eta * m))
    convex = sp.simplify(sp.diff(between, y, 2) - eta**2 * between) == 0
    ends = sp.simplify((between.subs(y, 0) - sp.coth(eta * m / 2)).rewrite(sp.exp)) == 0
    steps["1D: convex between two points, largest on one"] = bool(convex and ends)
    radii = sp.sqrt(sp.Rational(1, 2)), sp.Integer(1), sp.sqrt(3), sp.Integer(5)
    cake = sum(
        (j + 1) * sp.integrate(-sp.diff(sp.exp(-t), t), (t, radii[j], upper))
        for j, upper in enumerate([*radii[1:], sp.oo])
    )
    steps["Σ f(r_m) = ∫ N(−f′) dt"] = sp.simplify(cake - sum(sp.exp(-r) for r in radii)) == 0
    return steps


def _lens_by_quadrature(dimension: int) -> bool:
    """c_d by slices perpendicular to e, and the volume grows with the distance of the centre."""

    def volume(distance: mpmath.mpf) -> mpmath.mpf:
        def section(x: mpmath.mpf) -> mpmath.mpf:
            squared = min(distance**2 - x**2, mpmath.mpf("0.25") - (x - distance) ** 2)
            rest = {1: 1, 2: 2, 3: mpmath.pi}[dimension]
            return rest * max(squared, mpmath.mpf(0)) ** (mpmath.mpf(dimension - 1) / 2)

        crossing = distance - 1 / (8 * distance)
        return mpmath.quad(section, [distance - 0.5, crossing, distance])

    nearest = volume(mpmath.mpf(1))
    farther = [volume(mpmath.mpf(r)) for r in (1.1, 1.5, 3, 30)]
    return bool(
        abs(nearest - lens_volume(dimension)) < 1e-9 and all(v >= nearest - 1e-12 for v in farther)
    )


def _gaussian_by_quadrature(dimension: int) -> bool:
    q, spacing = mpmath.mpf("0.7"), mpmath.mpf("1.3")
    tail = mpmath.quad(
        lambda t: (1 + 2 * t / spacing) ** dimension * 2 * q * t * mpmath.exp(-q * t**2),
        [spacing / 2, 3, 8, 30],
    )
    expected = 1 - mpmath.exp(-q * spacing**2 / 4) + tail
    return bool(abs(expected - gaussian_sum(0.7, Packing(dimension, 1.3))) < 1e-10 * expected)
