"""Bounds of |G − G_N| and |F − G_N′| for interpolation in *given* nodes, by Hermite's formula.

With ω(z) = Π_{j≤N} (z − x_j) and Γ around X inside the domain of analyticity of G,

    G(x) − G_N(x) = (ω(x)/2πi) ∮_Γ G(z) / (ω(z)(z − x)) dz.

The integrand is O(|z|^{−N−1}) if N ≥ 1: Γ may be blown up to the lines where G is not analytic.

* β < ∞: the cuts {µ ± iy, y ≥ π/β}, across which G jumps by 2πi n(y)/β, n(y) = ⌈(βy/π − 1)/2⌉ the
  number of poles of F passed. So |G − G_N|(x) ≤ |ω(x)| J₁(|x − µ|),
  J_p(D) = (2/β) ∫_{π/β}^∞ n(y) |ω(µ+iy)|⁻¹ (D² + y²)^{−p/2} dy.
* β = ∞: a line Re z = c through the gap parts the branches x − µ and 0 of G (linear functions are
  reproduced, so either one may be taken off): the same with |x − c| and
  J_p(D) = π⁻¹ ∫_0^∞ |c+iy−µ| |ω(c+iy)|⁻¹ (D² + y²)^{−p/2} dy.

Differentiated: |F − G_N′|(x) ≤ |ω′(x)| J₁ + |ω(x)| J₂. On both lines |ω| grows with y, and least it
is at the branch point (or at c): e^{−θN} with θ Green's function there, without loss.

The suprema of |ω| and |ω′| are taken over blocks of X by the inequality of Ehlich and Zeller (see
suprema.py), and the integrals by rectangles above them; floating-point rounding is bounded.
"""

import math
from itertools import pairwise

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError

_EPS = float(np.finfo(np.float64).eps)
_POINTS_PER_DEGREE = 6
_STEP = 0.02


def hermite_bounds(
    nodes: FloatArray, X: SpectralSet, beta: float, mu: float
) -> tuple[float, float]:
    """(bound of sup_X |F − G_N′|, bound of sup_X |G − G_N|) for interpolation of G in the nodes.

    nodes: (N+1,) distinct points of X, N ≥ 1; Hartree, 1/Hartree. Raises InputError for fewer
    than two nodes, β ≤ 0, and at β = ∞ unless µ lies in the gap of two intervals.
    """
    nodes = np.asarray(nodes, dtype=np.float64)
    if len(nodes) < 2:
        raise InputError(f"Hermite's bound needs two nodes or more, got {len(nodes)}")
    if not beta > 0.0:
        raise InputError(f"inverse temperature beta must be in (0, inf], got {beta}")
    if math.isinf(beta) and (X.gap is None or not X.gap[0] <= mu <= X.gap[1]):
        raise InputError(f"at beta = inf the chemical potential {mu} must lie in a gap of {X}")
    scale = 0.25 * (X.upper - X.lower)  # keeps products of N + 1 factors in range
    line = _line_in_gap(nodes, X) if math.isinf(beta) else mu
    heights, weights, finest = _line_weights(nodes, beta, mu, line, scale, X)
    occupation = grand_potential = 0.0
    for low, high in _blocks(X, line, finest):
        omega, slope = _largest(nodes, low, high, scale)
        distance = max(low - line, line - high, 0.0)
        separation = np.sqrt(distance**2 + heights**2)
        first, second = np.sum(weights / separation), np.sum(weights / separation**2)
        grand_potential = max(grand_potential, omega * first)
        occupation = max(occupation, slope * first + omega * second)
    # Products, logarithms and sums of the above, each with relative rounding below 8 eps per node.
    slack = 1.0 + 64.0 * _EPS * (len(nodes) + len(heights))
    return float(occupation * slack), float(grand_potential * slack)


def _line_in_gap(nodes: FloatArray, X: SpectralSet) -> float:
    """c in the gap where |ω| dist(c, X)² is largest on a grid; any c is allowed."""
    assert X.gap is not None
    c = np.linspace(*X.gap, 129)[1:-1]
    size = np.sum(np.log(np.abs(c[:, None] - nodes)), axis=1) + 2.0 * np.log(X.distance(c))
    return float(c[np.argmax(size)])


def _line_weights(
    nodes: FloatArray, beta: float, mu: float, line: float, scale: float, X: SpectralSet
) -> tuple[FloatArray, FloatArray, float]:
    """(y_i, w_i) with J_p(D) ≤ Σ w_i (D² + y_i²)^{−p/2}, ω in units of scale^{N+1}; finest length.

    On [y_i, y_{i+1}] the numerator is taken at its upper and the rest at its lower end. Beyond the
    last Y, |ω| ≥ y^{N+1}: ∫_Y^∞ y^{1−N−1−p} dy ≤ Y^{1−N−p}/N, and Y^{−p} ≤ (65/64)^{p/2}
    (D² + Y²)^{−p/2} for D ≤ Y/8: the weight 1.02 Y^{1−N}/N at height Y.
    """
    offsets, order = line - nodes, len(nodes) - 1
    finite = math.isfinite(beta)
    start = math.pi / beta if finite else 0.0
    # |ω| varies by e over about this height.
    width = 1.0 / math.sqrt(float(np.sum(1.0 / (offsets**2 + start**2))))
    curvature = min(width**2 / start, start) if finite else width
    top = 8.0 * max(X.upper - X.lower, abs(X.upper - line), abs(X.lower - line), start)
    tau = np.arange(0.0, math.asinh((top - start) / curvature) + _STEP, _STEP)
    heights = start + curvature * np.sinh(tau)
    logarithm = 0.5 * np.sum(np.log((offsets[:, None] ** 2 + heights[:-1] ** 2) / scale**2), axis=0)
    upper = heights[1:]
    if finite:
        numerator = (2.0 / beta) * np.ceil(0.5 * (beta * upper / math.pi * (1 + 8 * _EPS) - 1.0))
        growth = 2.0 / math.pi  # (2/β) n(y) ≤ growth · y for y ≥ π/β
    else:
        numerator = np.hypot(line - mu, upper) / math.pi
        growth = 2.0 / math.pi  # |c+iy−µ| ≤ 2y for y ≥ Y
    weights = numerator * np.diff(heights) * np.exp(-logarithm)
    last = float(heights[-1])
    tail = 1.02 * growth * scale**2 * (last / scale) ** (1 - order) / order
    return (
        np.append(heights[:-1], last),
        np.append(weights, tail),
        start if finite else width,
    )


def _blocks(X: SpectralSet, line: float, finest: float) -> list[tuple[float, float]]:
    """X cut where the distance to the line is a power of two times ``finest``."""
    reach = max(abs(X.lower - line), abs(X.upper - line))
    count = max(1, math.ceil(math.log2(max(reach / finest, 2.0))))
    radii = finest * 2.0 ** np.arange(count)
    cuts = np.sort(np.concatenate([line - radii, line + radii]))
    blocks = []
    for low, high in X.intervals:
        shortest = 0.005 * (high - low)
        inside = cuts[(cuts > low + shortest) & (cuts < high - shortest)]
        edges = [low]
        for cut in inside:
            if cut - edges[-1] > shortest:
                edges.append(float(cut))
        edges.append(high)
        blocks += list(pairwise(edges))
    return blocks


def _largest(nodes: FloatArray, low: float, high: float, scale: float) -> tuple[float, float]:
    """Bounds of |ω| and |ω′| on [low, high], in units of scale^{N+1}."""
    degree = len(nodes)
    count = _POINTS_PER_DEGREE * degree
    half = 0.5 * (high - low)
    x = 0.5 * (low + high) + half * np.cos(np.pi * (np.arange(count) + 0.5) / count)
    value, slope, size = np.ones(count), np.zeros(count), np.zeros(count)
    for node in nodes:
        factor = (x - node) / scale
        slope = factor * slope + value / scale
        size = np.abs(factor) * size + np.abs(value) / scale  # Σ_j Π_{i≠j}: what slope cancels from
        value = factor * value
    # A point displaced by δ changes a polynomial of degree n by at most δ n² ‖·‖/half (Markov).
    displaced = 4.0 * _EPS * (abs(low) + abs(high)) * degree**2 / half
    if displaced > 0.25:
        return math.inf, math.inf
    factor = (1.0 + displaced) / math.cos(math.pi / (2 * _POINTS_PER_DEGREE)) / (1.0 - displaced)
    # Node differences are exact to eps(|x| + |x_j|); relative to x − x_j that shifts a root, which
    # is displacement again. Three roundings per factor.
    rounding = 4.0 * _EPS * degree
    omega = float(np.max(np.abs(value))) * (1.0 + rounding)
    derivative = float(np.max(np.abs(slope) + rounding * size))
    return omega * factor, derivative * factor
