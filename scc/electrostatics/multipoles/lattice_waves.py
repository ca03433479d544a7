r"""Plane waves e^{ik·x} of a reciprocal lattice as products of three factors, one an axis.

With fractional coordinates f = x·(cell)^{-1} and k = 2π m·(cell)^{-T}, m ∈ Z³,

    e^{ik·x} = e^{2πi m₁f₁} e^{2πi m₂f₂} e^{2πi m₃f₃},      ∂_f^t e^{ik·x} = (2πi m)^t e^{ik·x} .

For fixed m₁ the sums over sites and over (m₂, m₃) are therefore matrix products, and multipoles
cost λ + 1 of them, not (λ+1)²: the powers of m₂ go into the left factor. One of each ±k is enough
for real sums, so m₁ ≥ 0. For every m₁ only the rectangle of (m₂, m₃) around the disc |k| ≤ cut-off
is visited. Since e^{±2πi m₃f₃} share cosine and sine, the products are between real matrices (a
complex one seen as pairs of numbers), which halves the work.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ase.geometry import minkowski_reduce
from numpy.typing import NDArray

from scc.arrays import FloatArray, IntArray
from scc.basis.polynomials import coordinate_matrices, monomial_count, monomial_exponents

ComplexArray = NDArray[np.complex128]

_BLOCK = 1 << 15  # complex numbers in one site-by-wave product: half a megabyte, in the cache
_STORED = 1 << 22  # factors kept between applications if there are fewer than these: 64 MB


@dataclass(frozen=True, eq=False)
class WaveSlice:
    """The wave vectors of one m₁.

    Attributes:
        first: m₁ ≥ 0.
        second, third: the consecutive m₂ (n₂,), and m₃ = −h…h (n₃,).
        vectors: k (n₂, n₃, 3), bohr⁻¹.
        weights: (n₂, n₃), 1 or, standing for −k too, 2; 0 beyond the cut-off.
    """

    first: int
    second: IntArray
    third: IntArray
    vectors: FloatArray
    weights: FloatArray


class LatticeWaves:
    """All k with |k| ≤ ``cutoff`` (bohr⁻¹) of the lattice reciprocal to ``cell`` (3, 3), bohr.

    The axes are the shortest vectors of the lattice, whichever it was given by, so that the
    rectangles are not much larger than the discs.
    """

    def __init__(self, cell: FloatArray, cutoff: float) -> None:
        reduced, _ = minkowski_reduce(cell)  # type: ignore[no-untyped-call]
        # the fewest slices if the shortest axis is the first
        self._cell = reduced[np.argsort(np.linalg.norm(reduced, axis=1), kind="stable")]
        self._inverse = np.linalg.inv(self._cell)
        self._reciprocal = 2.0 * np.pi * self._inverse.T
        self._cutoff = cutoff
        lengths = np.linalg.norm(self._cell, axis=1)
        self.bounds = np.floor(cutoff * lengths / (2.0 * np.pi) * (1.0 + 1e-12)).astype(np.int64)

    @property
    def size(self) -> int:
        """Wave vectors in the box m₁ ≥ 0 around them all: bounds those of all slices."""
        return int(np.prod(2 * self.bounds + 1)) // 2 + 1

    def slices(self) -> Iterator[WaveSlice]:
        """One m₁ after the other, those without a wave left out."""
        metric = self._reciprocal @ self._reciprocal.T
        plane = np.linalg.inv(metric[1:, 1:])
        shear = plane @ metric[1:, 0]
        height = metric[0, 0] - metric[0, 1:] @ shear
        for first in range(int(self.bounds[0]) + 1):
            radius = np.sqrt(max(self._cutoff**2 - height * first**2, 0.0))
            half = radius * np.sqrt(np.diagonal(plane)) + 1e-9
            low, high = (
                [int(np.ceil(-first * c - h)) for c, h in zip(shear, half, strict=True)],
                [int(np.floor(-first * c + h)) for c, h in zip(shear, half, strict=True)],
            )
            bound = int(self.bounds[1])
            second = np.arange(max(low[0], -bound), min(high[0], bound) + 1)
            bound = min(max(-low[1], high[1]), int(self.bounds[2]))
            third = np.arange(-bound, bound + 1)
            vectors = (
                first * self._reciprocal[0]
                + second[:, None, None] * self._reciprocal[1]
                + third[:, None] * self._reciprocal[2]
            )
            inside = np.einsum("bci,bci->bc", vectors, vectors) <= self._cutoff**2
            if np.any(inside):
                weights = np.where(inside, 1.0 if first == 0 else 2.0, 0.0)
                yield WaveSlice(first, second, third, vectors, weights)

    def fractional(self, positions: FloatArray) -> FloatArray:
        """f (N, 3) of positions (N, 3), brought into [−½, ½]: phases with small rounding."""
        fractional = positions @ self._inverse
        return np.asarray(fractional - np.rint(fractional))

    def derivative_transform(self, order: int) -> FloatArray:
        """X with ∂_x^t = Σ_u X[t, u] ∂_f^u for |t| ≤ order: (n_t, n_t)."""
        rows = [np.eye(1, monomial_count(order))[0]]
        steps = np.einsum("ia,auv->iuv", self._inverse, coordinate_matrices(order))
        exponents = [tuple(t) for t in monomial_exponents(order)]
        for t in exponents[1:]:
            axis = int(np.argmax(t))
            lower = tuple(n - (i == axis) for i, n in enumerate(t))
            raised = rows[exponents.index(lower)] @ steps[axis]
            rows.append(raised[: monomial_count(order)])
        return np.array(rows)


class SiteWaves:
    """The three factors of e^{ik·x} at some sites.

    Args:
        waves: the wave vectors.
        positions: x (N, 3), bohr, wherever.
    """

    def __init__(self, waves: LatticeWaves, positions: FloatArray) -> None:
        self._bounds = waves.bounds
        self._fractional = waves.fractional(positions)
        number, columns = len(positions), int(np.sum(2 * self._bounds + 1))
        step = max(1, _BLOCK // int(2 * self._bounds[1] + 1))
        self._rows = [slice(i, min(i + step, number)) for i in range(0, number, step)]
        self._stored = None
        if number * columns <= _STORED:
            self._stored = [self._factors(rows) for rows in self._rows]

    def structure_factor(self, moments: FloatArray, order: int, part: WaveSlice) -> ComplexArray:
        """Σ_j Σ_u c_ju (2πi m)^u e^{ik·x_j} (n₂, n₃), from c_u (N, n_u) with |u| ≤ order."""
        columns, half = len(part.second), int(part.third[-1])
        folded = np.zeros((order + 1, 2 * columns, 2 * half + 2))
        second = _powers(part.second, order)
        for rows, factors in self._blocks():
            one, two, three = _columns(factors, self._bounds, part)
            for top in range(order + 1):
                polynomial = _second_polynomial(moments[rows], order, top, part.first)
                polynomial *= one[:, None]
                if top < order:
                    polynomial = polynomial @ second[: order - top + 1]
                left = two * polynomial
                folded[top] += left.view(np.float64).T @ three
        powers = _powers(part.third, order)
        return np.asarray(
            sum(_unfolded(f, columns) * p for f, p in zip(folded, powers, strict=True))
        )

    def add_derivatives(
        self, spectrum: ComplexArray, order: int, part: WaveSlice, result: FloatArray
    ) -> None:
        """Adds Re Σ_(m₂,m₃) S(k) (2πi m)^u e^{ik·x_j} for |u| ≤ order to ``result`` (N, n_u)."""
        exponents = monomial_exponents(order)
        folded = [_folded(spectrum * power) for power in _powers(part.third, order)]
        second = _powers(part.second, order)
        first = (2j * np.pi * part.first) ** np.arange(order + 1)
        for rows, factors in self._blocks():
            one, two, three = _columns(factors, self._bounds, part)
            for top in range(order + 1):
                left = two * (three @ folded[top]).view(np.complex128)
                summed = (left @ second[: order - top + 1].T) * one[:, None]
                for index in np.flatnonzero(exponents[:, 2] == top):
                    power = first[exponents[index, 0]]
                    result[rows, index] += (power * summed[:, exponents[index, 1]]).real

    def _blocks(self) -> Iterator[tuple[slice, list[ComplexArray]]]:
        for number, rows in enumerate(self._rows):
            yield rows, self._factors(rows) if self._stored is None else self._stored[number]

    def _factors(self, rows: slice) -> list[ComplexArray]:
        """e^{2πi m_α f_α}, α = 1, 2, 3, for |m_α| ≤ bound; m₁, m₃ ≥ 0."""
        fractional = 2j * np.pi * self._fractional[rows]
        low = -self._bounds * np.array([0, 1, 0])
        return [
            np.exp(fractional[:, axis, None] * np.arange(low[axis], self._bounds[axis] + 1))
            for axis in range(3)
        ]


def _columns(
    factors: list[ComplexArray], bounds: IntArray, part: WaveSlice
) -> tuple[ComplexArray, ComplexArray, FloatArray]:
    """Factors of one slice, views: (N,), (N, n₂), and cosines and sines in turn (N, 2h+2)."""
    start, half = int(part.second[0] + bounds[1]), int(part.third[-1])
    return (
        factors[0][:, part.first],
        factors[1][:, start : start + len(part.second)],
        factors[2].view(np.float64)[:, : 2 * half + 2],
    )


def _unfolded(products: FloatArray, columns: int) -> ComplexArray:
    """Σ_j left_j e^{2πi m₃f_j} (n₂, n₃) from the products of re, im of left with cos, sin."""
    parts = products.reshape(columns, 2, -1, 2)
    cosine = parts[:, 0, :, 0] + 1j * parts[:, 1, :, 0]
    sine = 1j * (parts[:, 0, :, 1] + 1j * parts[:, 1, :, 1])
    return np.hstack([(cosine - sine)[:, :0:-1], cosine + sine])


def _folded(spectrum: ComplexArray) -> FloatArray:
    """What cos and sin in turn multiply, (2h+2, 2n₂) with re, im in turn, from S (n₂, n₃)."""
    half = spectrum.shape[1] // 2
    ahead, behind = spectrum[:, half:].T, spectrum[:, half::-1].T
    result = np.empty((half + 1, 2, len(spectrum)), dtype=np.complex128)
    result[:, 0] = ahead + behind
    result[0, 0] = ahead[0]
    result[:, 1] = 1j * (ahead - behind)
    return result.reshape(2 * half + 2, -1).view(np.float64)


def _powers(integers: IntArray, order: int) -> ComplexArray:
    """(2πi m)^n for n ≤ order: (order+1, n_m)."""
    return np.asarray((2j * np.pi * integers) ** np.arange(order + 1)[:, None])


def _second_polynomial(moments: FloatArray, order: int, top: int, first: int) -> ComplexArray:
    """Coefficients of (2πi m₂)^n, n ≤ order − top, that multiply (2πi m₃)^top: (N, …)."""
    result = np.zeros((len(moments), order - top + 1), dtype=np.complex128)
    for index, (i, j, k) in enumerate(monomial_exponents(order)):
        if k == top:
            result[:, j] += (2j * np.pi * first) ** i * moments[:, index]
    return result
