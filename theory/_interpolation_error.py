r"""How far G_N is from G off the spectrum: Hermite's formula with every constant, for Lemma 13.

G_N interpolates G in N + 1 nodes x_j ∈ X; ω(z) = Π_j (z − x_j). 1/(ζ − z) has the interpolation
error ω(z)/ω(ζ)(ζ − z), and constants and lines have none (N ≥ 1). With G as the sum over its cuts
(:mod:`scc.theory._spectral_line`), for |Im z| < y_0,

    |G − G_N|(z) ≤ ½ Σ_± ∫_{y_0}^∞ (s/π + 1/β) |ω(z)| / |ω(ζ)||ζ − z| ds,      ζ = µ ± is.

At β = ∞ G is analytic on both sides of any line Re z = E through the gap, and z − µ or 0 there:

    |G − G_N|(z) ≤ (1/2π) Σ_± ∫_0^∞ |ζ − µ| |ω(z)| / |ω(ζ)||ζ − z| ds,          ζ = E ± is.

F − F_N is the derivative: ω′(z) for ω(z), and a term with 1/|ζ − z| more. Along the line |ω(ζ)| and
dist(z, {E ± it : t ≥ s}) grow with s, so that left ends of cells bound the integrals; beyond the
last height S |ω(ζ)| grows at least like (s/S)⁴(1 + A²/S²)^{−2}, A = max_j |x_j − E|, if N ≥ 3.

The contour Γ around σ(H) consists of ellipses confocal with the intervals of X, on which Green's
function g of X is at most κθ, 0 < κ < 1, θ the smallest value of g on the line; for one interval
they are level lines of g. So |ω(z)/ω(ζ)|^{1/N} tends to at most e^{−(1−κ)θ}: that is the rate in N,
for any κ, while a rectangle at the distance κπ/β may have none, since g grows like a square
root at the ends of X. Γ is cut into panels z_i + δ of half-length p: |ζ − z| and the distances
from σ(H) differ from those at z_i by at most p; from |1 + w|² ≤ e^{2 Re w + |w|²}, with
L = ω′(z_i)/ω(z_i),

    ln|ω(z)| ≤ ln|ω(z_i)| + Re(δL) + ½p² Σ_j |z_i − x_j|⁻²,

where Re(δL) is small, because Γ nearly is a level line of |ω|.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scc.arrays import FloatArray
from scc.bodyorder.green import greens_function
from scc.bodyorder.leja import leja_points
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.theory import lemma_12
from scc.theory._spectral_line import spectral_line
from scc.theory._weighted_norms import WeightedNorms, largest_rate_with, weighted_norms
from scc.theory.system import TightBindingSystem

_PANEL = 0.125
_MARGIN = 0.1
_STRETCHES = 150


@dataclass(frozen=True, eq=False)
class Contour:
    """Γ: norms of O − O_N on it, and Combes–Thomas.

    Attributes
    ----------
    grand_potential, occupation: (1/2π)∮_Γ |O − O_N||dz| panel by panel, for O = G (Hartree²) and
        F (Hartree).
    norms, denominators: η and c_Γ(η) ≤ c at every point of Γ, (K,).
    """

    grand_potential: float
    occupation: float
    norms: WeightedNorms
    denominators: FloatArray

    def log_entries(self, r: FloatArray) -> FloatArray:
        """ln of the bound of |R_ab| on Γ at the orbital distances r."""
        return lemma_12.log_envelope(self.norms, self.denominators, r)


@dataclass(frozen=True, eq=False)
class Panels:
    """The upper half of Γ, (P,) each: mid-points z_i, half-lengths p_i, and |δ − τ| ≤ b for some τ
    between ± ``tangents``."""

    centres: NDArray[np.complex128]
    halves: FloatArray
    tangents: NDArray[np.complex128]
    bends: FloatArray


def interpolant(system: TightBindingSystem, degree: int) -> PolynomialOccupation:
    """G_N on the hull of σ(H) at β < ∞, of each band at β = ∞, with a little margin."""
    levels, mu = system.levels, system.mu
    margin = _MARGIN * (0.1 + float(levels[-1] - levels[0]))
    bands = [levels]
    if system.zero_temperature:
        bands = [levels[levels < mu], levels[levels >= mu]]
        margin = _MARGIN * float(bands[1][0] - bands[0][-1])
    X = SpectralSet(tuple((band[0] - margin, band[-1] + margin) for band in bands))
    return PolynomialOccupation.interpolate(X, degree, system.beta, mu)


def exponent(system: TightBindingSystem, X: SpectralSet) -> float:
    """θ: Green's function of X at the point of the line next to the real axis. (1 − κ)θ is the rate
    in N of the bounds on Γ; Leja points are distributed like the equilibrium measure of X."""
    return float(greens_function(X, spectral_line(system, 0.0).points[0]))


def contour_around(
    system: TightBindingSystem, polynomial: PolynomialOccupation, share: float
) -> Contour:
    """The contour with κ = ``share`` in (0, 0.8); N ≥ 3."""
    X = polynomial.spectral_set
    parts = panels(X, ellipses(X, share * exponent(system, X)))
    value, slope = contour_norms(system, polynomial, parts)
    offsets = system.levels - parts.centres.real[:, None]
    lost = parts.halves + system.rounding_unit
    far = 1e3 * (1.0 + X.upper - X.lower)  # a true bound on a side without levels
    above = np.min(offsets, axis=1, initial=far, where=offsets > 0.0) - lost
    below = np.min(-offsets, axis=1, initial=far, where=offsets <= 0.0) - lost
    # c increases with all three: their minima over stretches of Γ will do.
    of_one = len(lost) // len(X.intervals)
    stretches = np.arange(0, of_one, 1 + of_one // _STRETCHES)
    starts = np.concatenate([stretches + k * of_one for k in range(len(X.intervals))])
    sides = [
        np.maximum(np.minimum.reduceat(side, starts), 0.0)[:, None]
        for side in (below, above, parts.centres.imag - lost)
    ]

    def denominators(norms: WeightedNorms) -> FloatArray:
        return np.asarray(np.min(lemma_12.denominators_at(norms, *sides), axis=0))

    top = largest_rate_with(system, lambda norms: denominators(norms) > 0.0)
    norms = weighted_norms(system, lemma_12.rates_for(top, top, 32))
    return Contour(value, slope, norms, denominators(norms))


def ellipses(X: SpectralSet, level: float) -> FloatArray:
    """a of the ellipses c + h cosh(a + it) about every interval c ± h of X, on which the largest
    value of g is ``level``, to a per cent; a = level for one interval. (I,)"""
    found = np.full(len(X.intervals), level)
    if X.gap is None:
        return found
    t = np.linspace(0.0, np.pi, 17)
    for _ in range(4):
        largest = np.max(greens_function(X, _curves(X, found, t)), axis=1)
        found = found * level / largest
    return found


def panels(X: SpectralSet, parameters: FloatArray) -> Panels:
    """Of the ellipses with these a, 0 < t < π; steps of ¼ sinh a keep panels short beside their
    distance from X. |z′| = h √(sinh²a + sin²t)."""
    number = int(np.ceil(np.pi / (2.0 * _PANEL * np.sinh(np.min(parameters)))))
    step = np.pi / number
    t: FloatArray = np.asarray((np.arange(number) + 0.5) * step, dtype=np.float64)
    a = parameters[:, None]
    speed = np.hypot(np.sinh(a), np.minimum(np.sin(t) + 0.5 * step, 1.0))
    widths = np.array([0.5 * (high - low) for low, high in X.intervals])[:, None]
    return Panels(
        _curves(X, parameters, t).ravel(),
        (0.5 * step * widths * speed).ravel(),
        (0.5j * step * widths * np.sinh(a + 1j * t)).ravel(),
        (0.125 * step**2 * widths * np.cosh(a) * np.ones_like(t)).ravel(),
    )


def _curves(X: SpectralSet, parameters: FloatArray, t: FloatArray) -> NDArray[np.complex128]:
    """c + h cosh(a + it), (I, T)."""
    low, high = np.array(X.intervals).T
    wide = 0.5 * (high - low)[:, None] * np.cosh(parameters[:, None] + 1j * t)
    return np.asarray(0.5 * (low + high)[:, None] + wide)


def contour_norms(
    system: TightBindingSystem, polynomial: PolynomialOccupation, parts: Panels
) -> tuple[float, float]:
    """(1/2π)∮ |G − G_N||dz| and (1/2π)∮ |F − F_N||dz|."""
    centres, halves = parts.centres, parts.halves
    nodes = leja_points(polynomial.spectral_set, polynomial.degree + 1)
    inverse = 1.0 / (centres[:, None] - nodes)
    logarithmic = np.sum(inverse, axis=-1)  # L
    squares = np.sum(np.abs(inverse) ** 2, axis=-1)
    turn = np.abs((parts.tangents * logarithmic).real) + parts.bends * np.abs(logarithmic)
    at_centre = -np.sum(np.log(np.abs(inverse)), axis=-1)
    log_omega = at_centre + turn + 0.5 * halves**2 * squares
    # |ω′/ω| on the panel: L moves by no more than p Σ 1/|z − x_j||z_i − x_j|.
    nearest = np.min(1.0 / np.abs(inverse), axis=-1)
    closer = np.where(nearest > halves, 1.0 - halves / nearest, np.nan)
    slope_of_omega = np.abs(logarithmic) + halves * squares / closer

    X = polynomial.spectral_set
    line = spectral_line(system, 4.0 * (X.upper - X.lower))
    s, energy, last = line.heights, line.energy, float(line.heights[-1])
    weights, tail = line.grand_potential.copy(), line.grand_potential_tail(4)
    if system.zero_temperature:
        # |ζ − µ| in place of s, by its largest value in the cell.
        ends = np.append(s[1:], s[-1])
        weights = np.hypot(line.offset, ends) * np.append(np.diff(s), 0.0) / np.pi
        tail *= float(np.hypot(line.offset, last)) / last
    farthest = float(np.max(np.abs(nodes - energy)))
    weights[-1] += (1.0 + (farthest / last) ** 2) ** 2 * tail
    log_on_line = np.sum(0.5 * np.log((nodes - energy) ** 2 + s[:, None] ** 2), axis=-1)

    value, slope = np.zeros(len(centres)), np.zeros(len(centres))
    for sign in (1.0, -1.0):
        # |ζ − z| at least, for this and every larger s.
        across = np.maximum(s[:, None] - sign * centres.imag, 0.0)
        near = np.hypot(energy - centres.real, across) - halves
        near = np.where(near > 0.0, near, np.nan)  # panels that meet the line bound nothing
        kernel = 0.5 * weights[:, None] * np.exp(log_omega - log_on_line[:, None]) / near
        value += np.sum(kernel, axis=0)
        slope += np.sum(kernel * (slope_of_omega + 1.0 / near), axis=0)
    # Upper half of Γ only; the lower half is its mirror image.
    sums = (float(2.0 * halves @ total) / np.pi for total in (value, slope))
    return tuple(np.inf if np.isnan(found) else found for found in sums)  # type: ignore[return-value]
