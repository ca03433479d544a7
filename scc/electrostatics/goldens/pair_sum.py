r"""The interaction G_w(X) of two sites with all periodic images, its X-derivatives and its strain.

G_w(X) = e^{κ²w/2} [ Σ_T (u_w − u_s)(X + T) + L_s,w(X) ] with u of :mod:`.radial`. The difference in
the sum over lattice translations T decays like e^{−r²/2max(w, s)}; L is smooth and summed in
reciprocal space (:mod:`.periodic`, :mod:`.slab`; nothing in open boundaries, where u_s is absent).
The result does not depend on the splitting variance s, which is how it is checked.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Protocol

import flint
import numpy as np

from scc.electrostatics.goldens.derivatives import gradients
from scc.electrostatics.goldens.numbers import ExactArray, Real, zeros
from scc.electrostatics.goldens.polynomials import UNITS, monomials, plus, position
from scc.electrostatics.goldens.radial import radial_derivatives


class Lattice(Protocol):
    """What repeats, and the smooth part of the interaction. Vectors are exact."""

    vectors: ExactArray  # (periodic directions, 3)
    smooth_variance: Real | None  # s; None in open boundaries
    screening: Real

    def smooth(self, separation: ExactArray, variance: Real, order: int) -> ExactArray:
        """∂^t L(X), |t| ≤ order."""

    def smooth_strain(
        self, separation: ExactArray, tensor: ExactArray, polynomial: ExactArray, order: int
    ) -> ExactArray:
        """∂/∂ε_ij of P(∂)L(X), P of degree ``order``, under x → (1+ε)x of X and cell: (3, 3).

        ``tensor`` is :meth:`smooth` of order + 1.
        """


@dataclass(frozen=True)
class Pair:
    """∂^t G(X) for |t| ≤ order, and ∂/∂ε_ij of P(∂)G(X) if a P was given."""

    tensor: ExactArray
    strain: ExactArray


def decay_exponent(order: int) -> int:
    """x such that e^{−x} is far below the digits written, powers of derivatives included."""
    return 76 + 3 * order


def lattice_pair(
    lattice: Lattice,
    separation: ExactArray,
    variance: Real,
    order: int,
    own_excluded: bool = False,
    polynomial: ExactArray | None = None,
) -> Pair:
    """G for one pair of sites.

    Args:
        separation: X = y_a − r_k (3,), exact.
        order: highest derivative; one above the degree of the polynomial.
        own_excluded: leave out u_w(X + T) where X + T = 0: a site's action on itself. Images stay.
        polynomial: P.
    """
    images = _images(lattice, separation, variance, order)
    squared = (images * images).sum(axis=1)
    radial = zeros(order + 1, len(images))
    kept = np.array([not (own_excluded and value == 0) for value in squared], dtype=bool)
    if kept.any():
        radial[:, kept] = radial_derivatives(order, variance, lattice.screening, squared[kept])
    smooth = lattice.smooth_variance
    if smooth is not None and len(images):
        radial -= radial_derivatives(order, smooth, lattice.screening, squared)
    single = gradients(radial, images)
    factor = (lattice.screening**2 * variance / 2).exp()
    smooth_tensor = lattice.smooth(separation, variance, order)
    tensor = single.sum(axis=1) + smooth_tensor
    strain = zeros(3, 3)
    if polynomial is not None:
        place = position(order)
        for i, unit in enumerate(UNITS):
            force = zeros(len(images))
            for t, coefficient in zip(monomials(order - 1), polynomial, strict=True):
                force = force + coefficient * single[place[plus(t, unit)]]
            strain[i] = force @ images
        strain = strain + lattice.smooth_strain(separation, smooth_tensor, polynomial, order - 1)
    return Pair(factor * tensor, factor * strain)


def _images(lattice: Lattice, separation: ExactArray, variance: Real, order: int) -> ExactArray:
    """X + T within the range of u_w − u_s: (N, 3)."""
    smooth = lattice.smooth_variance
    if smooth is None:
        return separation[None, :]
    widest = max(float(variance), float(smooth))
    reach = math.sqrt(2.0 * decay_exponent(order) * widest)
    return translations(lattice.vectors, separation, reach)


def translations(vectors: ExactArray, start: ExactArray, reach: float) -> ExactArray:
    """All start + Σ n_i a_i not longer than ``reach`` in the span of the a_i, and a few more."""
    rough = vectors.astype(np.float64)
    inverse = np.linalg.pinv(rough)  # (3, d), columns dual to the vectors
    origin = start.astype(np.float64) @ inverse
    bounds = reach * np.linalg.norm(inverse, axis=0)
    ranges = [
        range(math.floor(-o - b), math.ceil(-o + b) + 1)
        for o, b in zip(origin, bounds, strict=True)
    ]
    numbers = np.array(list(itertools.product(*ranges)), dtype=np.int64)
    flat = (numbers + origin) @ rough
    numbers = numbers[np.linalg.norm(flat, axis=1) <= reach * (1 + 1e-9)]
    exact = zeros(len(numbers), len(vectors))
    exact.ravel()[:] = [flint.arb(int(n)) for n in numbers.flat]
    return np.asarray(exact @ vectors + start)


def one_of_each_pair(vectors: ExactArray) -> ExactArray:
    """One of ±k for each k of :func:`translations` from the origin, and k = 0 at the end.

    They come in the order of their numbers, so the list backwards is its own negative.
    """
    return vectors[: len(vectors) // 2 + 1]
