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

The contour Γ around σ(H) is made of rectangles at the distance h = κπ/β from it, or κ times half
the gap at β = ∞. It is cut into panels of half-length h/8; on a panel about z_i |z − x_j| and
|ζ − z| differ from their values at z_i by less than that, which bounds everything on all of Γ.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scc.arrays import FloatArray
from scc.bodyorder.leja import leja_points
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.theory import lemma_12
from scc.theory._spectral_line import spectral_line
from scc.theory._weighted_norms import WeightedNorms, largest_rate_with, weighted_norms
from scc.theory.system import TightBindingSystem

_PANEL = 0.125
_MARGIN = 0.1


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


def interpolant(system: TightBindingSystem, degree: int) -> PolynomialOccupation:
    """G_N on the hull of σ(H) at β < ∞, of each band at β = ∞, with a little margin."""
    levels, mu = system.levels, system.mu
    below, above = levels[levels < mu], levels[levels >= mu]
    margin = _MARGIN * (0.1 + float(levels[-1] - levels[0]))
    if not system.zero_temperature or not (len(below) and len(above)):
        X = SpectralSet(((levels[0] - margin, levels[-1] + margin),))
    else:
        margin = _MARGIN * float(above[0] - below[-1])
        X = SpectralSet(
            ((below[0] - margin, below[-1] + margin), (above[0] - margin, above[-1] + margin))
        )
    return PolynomialOccupation.interpolate(X, degree, system.beta, mu)


def contour_around(
    system: TightBindingSystem, polynomial: PolynomialOccupation, share: float
) -> Contour:
    """The contour with κ = ``share`` in (0, 0.85); N ≥ 3."""
    bands, distance, gap = _bands(system, share)
    value, slope = _norms(system, polynomial, bands, distance)
    # On vertical sides h from the band that they close; one band has nothing on the other side.
    far = min(gap - distance, 1e3 * (1.0 + distance))
    top = largest_rate_with(
        system, lambda norms: lemma_12.denominators_at(norms, distance, far, 0.0) > 0.0
    )
    norms = weighted_norms(system, lemma_12.rates_for(top, top, 32))
    across = lemma_12.denominators_at(norms, distance, far, 0.0)
    along = lemma_12.denominators_at(norms, 0.0, 0.0, distance)
    return Contour(value, slope, norms, np.minimum(across, along))


def _norms(
    system: TightBindingSystem,
    polynomial: PolynomialOccupation,
    bands: list[tuple[float, float]],
    distance: float,
) -> tuple[float, float]:
    """(1/2π)∮ |G − G_N||dz| and (1/2π)∮ |F − F_N||dz|."""
    centres, lengths = _panels(bands, distance)
    half = _PANEL * distance
    nodes = leja_points(polynomial.spectral_set, polynomial.degree + 1)
    offsets = np.abs(centres[:, None] - nodes)
    log_omega = np.sum(np.log(offsets + half), axis=-1)  # on the panel
    logarithmic_slope = np.sum(1.0 / (offsets + half), axis=-1)  # |ω′| ≤ Σ_j Π_{i≠j} …

    spread = float(np.max(nodes) - np.min(nodes))
    line = spectral_line(system, 4.0 * max(spread, distance))
    s, energy = line.heights, line.energy
    weights = line.grand_potential.copy()
    if system.zero_temperature:
        # |ζ − µ| in place of s, by its largest value in the cell.
        ends = np.append(s[1:], s[-1])
        weights = np.hypot(line.offset, ends) * np.append(np.diff(s), 0.0) / np.pi
    last = float(s[-1])
    farthest = float(np.max(np.abs(nodes - energy)))
    tail = (1.0 + (farthest / last) ** 2) ** 2 * line.grand_potential_tail(4)
    if system.zero_temperature:
        tail *= float(np.hypot(line.offset, last)) / last
    weights[-1] += tail
    log_on_line = np.sum(0.5 * np.log((nodes - energy) ** 2 + s[:, None] ** 2), axis=-1)

    value, slope = np.zeros(len(centres)), np.zeros(len(centres))
    for sign in (1.0, -1.0):
        # |ζ − z| at least, for this and every larger s.
        across = np.maximum(s[:, None] - sign * centres.imag, 0.0)
        near = np.hypot(energy - centres.real, across) - half
        kernel = 0.5 * weights[:, None] * np.exp(log_omega - log_on_line[:, None]) / near
        value += np.sum(kernel, axis=0)
        slope += np.sum(kernel * (logarithmic_slope + 1.0 / near), axis=0)
    # Upper half of Γ only; the lower half is its mirror image.
    return float(lengths @ value) / np.pi, float(lengths @ slope) / np.pi


def _bands(
    system: TightBindingSystem, share: float
) -> tuple[list[tuple[float, float]], float, float]:
    """Hulls of the parts of σ(H) that Γ surrounds, h, and the gap between them (∞ for one)."""
    levels, mu = system.levels, system.mu
    if not system.zero_temperature:
        return [(float(levels[0]), float(levels[-1]))], share * np.pi / system.beta, np.inf
    below, above = levels[levels < mu], levels[levels >= mu]
    gap = float(above[0] - below[-1])
    bands = [(float(band[0]), float(band[-1])) for band in (below, above)]
    return bands, 0.5 * share * gap, gap


def _panels(bands: list[tuple[float, float]], distance: float) -> tuple[FloatArray, FloatArray]:
    """Mid-points and lengths of the panels of the upper half of Γ."""
    centres, lengths = [], []
    for low, high in bands:
        corners = [low - distance, low - distance + 1j * distance]
        corners += [high + distance + 1j * distance, complex(high + distance)]
        for start, end in pairwise(corners):
            number = int(np.ceil(abs(end - start) / (2.0 * _PANEL * distance)))
            fractions = (np.arange(number) + 0.5) / number
            centres.append(start + (end - start) * fractions)
            lengths.append(np.full(number, abs(end - start) / number))
    return np.concatenate(centres), np.concatenate(lengths)
