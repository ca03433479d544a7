r"""F(H), G(H) and their derivatives as integrals of the resolvent along a vertical line.

F has its poles on Re z = µ at the heights y_n = π(2n+1)/β, with residue −1/β, and G = ∫F a branch
cut over each of them. Shrinking the contour of O(H) = (1/2πi)∮ O(z)(z − H)⁻¹ dz onto that line,
with R = (z − H)⁻¹ and z = µ + is,

    F(H) = ½ + 2β⁻¹ Σ_{n≥0} Re R(µ + iy_n),
    G(H) = ½(H − µ) + const − ∫_{y_0}^∞ ν(s) [Im R(µ + is) + 1/s] ds,   ν(s) = (2/β) #{n : y_n < s}.

At β = ∞ the sum becomes π⁻¹∫_0^∞ ds and ν(s) = s/π, along any line Re z = E through the gap for F,
while min(x − µ, 0) = min(x − E, 0) + (E − µ)F(x) on the spectrum. Nothing blows up near a pole: the
line *is* the poles. Each further derivative adds a factor R, DR[A] = RAR.

A bound f(s) of the integrand that falls with s is summed by its values in a finite number of
*nodes*: f(y_n) one by one, then in blocks that start with their largest value; integrals likewise,
by ν(s) ≤ s/π + 1/β. Beyond the last node S bounds fall like f(S)(S/s)^p, with
Σ_{y_n > S} 2β⁻¹ f ≤ f(S) S/π(p − 1)  and  ∫_S^∞ ν f ≤ f(S)[S²/π(p − 2) + S/β(p − 1)].
"""

import math
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from scc.arrays import FloatArray
from scc.theory.system import TightBindingSystem

_SINGLE_POLES = 6
_RATIO = 1.15
"""Of the ends of a block, or cell: its sum is overestimated by less than that power of it."""


@dataclass(frozen=True, eq=False)
class SpectralLine:
    """Nodes z = E + is and weights.

    Attributes
    ----------
    energy: E: µ at β < ∞, the middle of the gap at β = ∞; Hartree.
    offset: E − µ.
    heights: s, ascending, (S,) Hartree.
    occupation: Σ_k occupation_k f(s_k) bounds the sum or integral for F up to the last node.
    grand_potential: the same for G, with ν in it; Hartree.
    """

    energy: float
    offset: float
    beta: float
    heights: FloatArray
    occupation: FloatArray
    grand_potential: FloatArray

    @property
    def points(self) -> list[complex]:
        """E + is."""
        return [complex(self.energy, s) for s in self.heights]

    def occupation_tail(self, power: int) -> float:
        """Beyond the last node S, as a multiple of f(S), where f ≤ f(S)(S/s)^power, power ≥ 2."""
        return float(self.heights[-1]) / (math.pi * (power - 1))

    def grand_potential_tail(self, power: int) -> float:
        """The same for G, power ≥ 3."""
        last = float(self.heights[-1])
        return last**2 / (math.pi * (power - 2)) + last / (self.beta * (power - 1))


def spectral_line(system: TightBindingSystem, reach: float) -> SpectralLine:
    """The line of a system, nodes up to a height of at least ``reach``, Hartree."""
    if not system.zero_temperature:
        return _poles(system.beta, system.mu, reach)
    below, above = system.gap_below, system.gap_above
    offset = 0.5 * (above - below) if math.isfinite(above + below) else 0.0
    gap = min(below + offset, above - offset)
    # s = gap · sinh(k/6): even steps inside the gap's own height, a fixed ratio beyond.
    number = math.ceil(math.asinh(max(reach / gap, 1.0)) * 6.0) + 1
    heights = gap * np.sinh(np.arange(number + 1) / 6.0)
    return SpectralLine(
        system.mu + offset,
        offset,
        math.inf,
        heights,
        np.append(np.diff(heights), 0.0) / math.pi,
        np.append(np.diff(heights**2), 0.0) / (2.0 * math.pi),
    )


def _poles(beta: float, mu: float, reach: float) -> SpectralLine:
    step = 2.0 * math.pi / beta
    # First poles of the blocks: 0, 1, 2, … and then in a geometric sequence; the last is a block
    # of one, from where the tail is bounded.
    first = [0]
    while (first[-1] + 0.5) * step < reach or len(first) < _SINGLE_POLES:
        first.append(max(first[-1] + 1, int(_RATIO * first[-1])))
    counts = np.diff(np.append(first, first[-1] + 1))
    pole_heights = step * (np.array(first) + 0.5)
    # For G cells of a fixed ratio, from pole to pole where the poles are closer than that.
    ends = [0.5 * step]
    for height in map(float, pole_heights[1:]):
        number = max(1, math.ceil(math.log(height / ends[-1]) / math.log(_RATIO)))
        ends.extend(np.geomspace(ends[-1], height, number + 1)[1:-1].tolist())
        ends.append(height)
    heights = np.array(ends)
    occupation = np.zeros(len(heights))
    occupation[np.searchsorted(heights, pole_heights)] = 2.0 * counts / beta
    cells = np.diff(heights**2) / (2.0 * math.pi) + np.diff(heights) / beta
    return SpectralLine(mu, 0.0, beta, heights, occupation, np.append(cells, 0.0))


def representations_hold() -> dict[str, bool]:
    """The formulas of the module docstring at numbers, by mpmath."""
    with mpmath.workdps(20):
        beta, mu = mpmath.mpf(3), mpmath.mpf("0.2")
        levels = [mpmath.mpf(v) for v in ("-1.3", "-0.4", "0.21", "0.9")]
        return {
            "F is the sum over its poles": all(_sum_of_poles(x, beta, mu) for x in levels),
            "G is the sum over its cuts": all(_sum_of_cuts(x, beta, mu) for x in levels),
            "a cut of G is ½ ln(1 + (x − µ)²/y²)": all(_cut(x, 5 * mu, mu) for x in levels),
            "F at β = ∞ is the integral through the gap": all(map(_step, levels)),
            "G at β = ∞ about another energy of the gap": all(map(_kink, levels)),
            "ν(s) ≤ s/π + 1/β": _counting(float(beta)),
        }


def _sum_of_poles(x: Any, beta: Any, mu: Any) -> bool:
    def pole(n: Any) -> Any:
        return mpmath.re(1 / (mu + mpmath.pi * (2 * n + 1) / beta * 1j - x))

    value = 0.5 + 2 / beta * mpmath.nsum(pole, [0, mpmath.inf])
    return bool(abs(value - 1 / (1 + mpmath.exp(beta * (x - mu)))) < 1e-8)


def _sum_of_cuts(x: Any, beta: Any, mu: Any) -> bool:
    def cut(n: Any) -> Any:
        return mpmath.log(1 + ((x - mu) * beta / (mpmath.pi * (2 * n + 1))) ** 2) / 2

    def grand_potential(energy: Any) -> Any:
        return -mpmath.log(1 + mpmath.exp(-beta * (energy - mu))) / beta

    value = (x - mu) / 2 - 2 / beta * mpmath.nsum(cut, [0, mpmath.inf])
    return bool(abs(value - (grand_potential(x) - grand_potential(mu))) < 1e-8)


def _cut(x: Any, y: Any, mu: Any) -> bool:
    def integrand(s: Any) -> Any:
        return mpmath.im(1 / (mu + 1j * s - x)) + 1 / s

    value = mpmath.quad(integrand, [y, 4 * y, mpmath.inf])
    return bool(abs(value - mpmath.log(1 + ((x - mu) / y) ** 2) / 2) < 1e-10)


def _step(x: Any) -> bool:
    """E = 0 in the gap between levels at −0.4 and 0.21."""
    value = mpmath.quad(lambda s: mpmath.re(1 / (1j * s - x)), [0, 1, mpmath.inf])
    return bool(abs(0.5 + value / mpmath.pi - (1 if x < 0 else 0)) < 1e-10)


def _kink(x: Any) -> bool:
    """The same gap, µ = 0.1."""
    mu = mpmath.mpf("0.1")
    about_zero = min(x, mpmath.mpf(0)) + (0 - mu) * (1 if x < 0 else 0)
    return bool(abs(about_zero - min(x - mu, mpmath.mpf(0))) < 1e-15)


def _counting(beta: float) -> bool:
    s = np.linspace(0.01, 50.0, 5001)
    counted = 2.0 / beta * np.maximum(np.ceil((beta * s / math.pi - 1.0) / 2.0), 0.0)
    return bool(np.all(counted <= s / math.pi + 1.0 / beta + 1e-12))
