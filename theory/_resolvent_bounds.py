r"""Bounds of R(E + is) along the spectral line, in weighted norms, and of what they add up to.

For a weight φ with |φ_a − φ_b| ≤ r_ab, Lemma 12 says ‖e^{ηφ} R e^{−ηφ}‖ ≤ 1/c(η, s). Where s
exceeds w(η) = ‖|H − E|∘e^{ηr}‖ Neumann's series R = Σ_p (H − E)^p/(is)^{p+1} says more: its odd
terms are the real part, the even ones the imaginary part, whose first is a multiple of 1,

    ‖Re R‖_φ ≤ w/(s² − w²),        ‖Im R + 1/s‖_φ ≤ w²/s(s² − w²).

With φ = r_·m and a perturbation A of atom m, a(η) = ‖e^{ηφ} A e^{ηφ}‖ and vectors u, w,

    |uᵀRARw| ≤ a(η) ‖e^{−ηφ}u‖ ‖e^{−ηφ}w‖ / c(η, s)²,
    |uᵀ Im(RAR) w| ≤ the same with 1/c² replaced by min{1/c², 2w/c(s² − w²)},

the latter because Im(RAR) = Re R·A·Im R + Im R·A·Re R. η is free at every s.
"""

import math
from dataclasses import dataclass

import numpy as np

from scc.arrays import FloatArray
from scc.theory import lemma_12
from scc.theory._spectral_line import SpectralLine, spectral_line
from scc.theory._weighted_norms import (
    WeightedNorms,
    largest_rate,
    largest_rate_with,
    weighted_norms,
)
from scc.theory.system import TightBindingSystem


@dataclass(frozen=True, eq=False)
class ResolventBounds:
    """Logarithms of bounds at the S nodes of the line and K rates η; inf where there is none.

    Attributes
    ----------
    line, norms: nodes, and η with the norms they come from.
    whole_part: ln of the bound of ‖R‖_φ, (S, K).
    real_part: of ‖Re R‖_φ; imaginary_part: of the smaller of ‖Im R‖_φ and ‖Im R + 1/s‖_φ, which
        serves for entries off the diagonal.
    last_whole, last_real, last_imaginary: (K,) at the last node, bounds that fall from there on at
        least like 1/s, 1/s² and 1/s³.
    """

    line: SpectralLine
    norms: WeightedNorms
    whole_part: FloatArray
    real_part: FloatArray
    imaginary_part: FloatArray
    last_whole: FloatArray
    last_real: FloatArray
    last_imaginary: FloatArray

    @property
    def rates(self) -> FloatArray:
        """η, (K,)."""
        return self.norms.rates

    def occupation_response(self, log_weight: FloatArray) -> FloatArray:
        """Bound of |uᵀDF(H)[A]w|; ``log_weight`` = ln a‖e^{−ηφ}u‖‖e^{−ηφ}w‖, (…, K) → (…)."""
        last = _least(log_weight, 2.0 * self.last_whole)
        summed = self._sum(log_weight, 2.0 * self.whole_part, self.line.occupation)
        return summed + self.line.occupation_tail(2) * last

    def grand_potential_response(self, log_weight: FloatArray) -> FloatArray:
        """Bound of |uᵀ(DG(H)[A] − ½A − (E − µ)DF(H)[A])w|, likewise; Hartree."""
        pair = self.whole_part + np.minimum(self.whole_part, np.log(2.0) + self.real_part)
        last = _least(log_weight, np.log(2.0) + self.last_whole + self.last_real)
        summed = self._sum(log_weight, pair, self.line.grand_potential)
        return summed + self.line.grand_potential_tail(3) * last

    def occupation(self, log_weight: FloatArray) -> FloatArray:
        """Bound of |uᵀ(F(H) − ½)w|; ``log_weight`` = ln ‖e^{−ηφ}u‖‖e^{ηφ}w‖, (…, K) → (…)."""
        last = _least(log_weight, self.last_real)
        summed = self._sum(log_weight, self.real_part, self.line.occupation)
        return summed + self.line.occupation_tail(2) * last

    def occupation_moment(self, order: int) -> float:
        """Bound of ‖D^jF(H)‖ in operator norm: j! Σ_k w_k 𝔡_k^{−(j+1)}, j = ``order`` ≥ 1."""
        # Beyond the last node 𝔡(s) ≥ s; 𝔡^{−p} itself falls more slowly than s^{−p}.
        last = self.line.occupation_tail(order + 1) * self._highest ** -(order + 1)
        powers = self._distances[self.line.occupation > 0.0] ** -(order + 1.0)
        weights = self.line.occupation[self.line.occupation > 0.0]
        return float(math.factorial(order) * (weights @ powers + last))

    def grand_potential_moment(self, order: int) -> float:
        """Bound of ‖D^jG(H)‖, j = ``order`` ≥ 1, in operator norm j! Σ ν_k 𝔡_k^{−(j+1)}; of the
        first in the Frobenius norm, 1: |G[x, y]| ≤ 1 (in operator norm ln n may come with it)."""
        if order == 1:
            return 1.0
        last = self.line.grand_potential_tail(order + 1) * self._highest ** -(order + 1)
        summed = self.line.grand_potential @ self._distances ** -(order + 1.0)
        moved = abs(self.line.offset) * self.occupation_moment(order)
        return float(math.factorial(order) * (summed + last) + moved)

    def log_entries(self, r: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """ln of bounds of |R_ab|, |Re R_ab| and, for a ≠ b, |Im R_ab| at orbital distances r:
        (S, *r.shape) each."""
        weight = -r[..., None] * self.rates
        parts = (self.whole_part, self.real_part, self.imaginary_part)
        whole, real, imaginary = (
            np.array([_log_least(weight, node) for node in part]) for part in parts
        )
        return whole, real, imaginary

    def log_last_entries(self, r: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The same at the last node, by bounds that fall like 1/s, 1/s², 1/s³ from there on."""
        weight = -r[..., None] * self.rates
        return (
            _log_least(weight, self.last_whole),
            _log_least(weight, self.last_real),
            _log_least(weight, self.last_imaginary),
        )

    @property
    def _distances(self) -> FloatArray:
        """𝔡 at the nodes: c(0) = 𝔡."""
        return np.asarray(np.exp(-self.whole_part[:, 0]))

    @property
    def _highest(self) -> float:
        """The last node's height S."""
        return float(self.line.heights[-1])

    def _sum(self, log_weight: FloatArray, parts: FloatArray, weights: FloatArray) -> FloatArray:
        total = np.zeros(log_weight.shape[:-1])
        for part, weight in zip(parts, weights, strict=True):
            if weight > 0.0:
                total += weight * _least(log_weight, part)
        return total


def resolvent_bounds(system: TightBindingSystem) -> ResolventBounds:
    """All of them, for one system. Its hypotheses (β < ∞ or a gap) are the caller's business."""
    lowest = spectral_line(system, 0.0).points[0]
    critical = lemma_12.best_exponent(system, lowest)
    twice = min(2.0 * critical, largest_rate(system))
    outer = weighted_norms(system, np.array([0.0, twice]), lowest.real).whole
    reach = max(8.0 * float(outer[0]), 4.0 * float(outer[1]))
    line = spectral_line(system, reach)
    top = largest_rate_with(system, lambda norms: norms.odd < reach)
    norms = weighted_norms(system, lemma_12.rates_for(critical, top), lowest.real)
    denominators = np.array([lemma_12.denominators(system, norms, z) for z in line.points])
    heights, whole = line.heights[:, None], norms.whole
    with np.errstate(divide="ignore"):
        rest = np.where(heights > whole, heights**2 - whole**2, 0.0)
        whole_part = -np.log(np.maximum(denominators, 0.0))
        real = np.log(whole) - np.log(rest)
        imaginary = 2.0 * np.log(whole) - np.log(heights) - np.log(rest)
        last_whole = -np.log(np.maximum(line.heights[-1] - norms.odd, 0.0))
    return ResolventBounds(
        line,
        norms,
        whole_part,
        np.minimum(whole_part, real),
        np.minimum(whole_part, imaginary),
        last_whole,
        real[-1],
        imaginary[-1],
    )


def _log_least(log_weight: FloatArray, log_bound: FloatArray) -> FloatArray:
    """The minimum over the η for which there is a bound, (…, K) → (…)."""
    usable = log_bound < np.inf
    summed = log_weight[..., usable] + log_bound[usable]
    return np.asarray(np.min(summed, axis=-1, initial=np.inf))


def _least(log_weight: FloatArray, log_bound: FloatArray) -> FloatArray:
    return np.asarray(np.exp(_log_least(log_weight, log_bound)))
