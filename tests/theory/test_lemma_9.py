"""Closed forms and bounds of Lemma 9 against quadrature by another route."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from strategies.configurations import generators

from scc.theory._exponential_integrals import line_integral, two_centre_integral
from scc.theory.lemma_9 import integral_bound, least_exponent, paper_bounds
from scc.theory.packing import Packing

exponents = st.floats(0.2, 3.0)


def spheroidal(etas, points, sizes):
    """∫ e^{−Σ η_l|x−r_l|} dx in R³ in prolate spheroidal coordinates about the first two points.

    Laguerre in ξ, Legendre in ν, trapezoids in the angle; |x−r_1| and |x−r_2| are smooth there.
    """
    a, axis = points[0], points[1] - points[0]
    r = np.linalg.norm(axis)
    e3 = axis / r
    e1 = np.linalg.svd(e3[None])[2][1]
    e2 = np.cross(e3, e1)
    decay = 0.5 * r * sum(etas[:2])
    x, wx = np.polynomial.laguerre.laggauss(sizes[0])
    xi, w_xi = 1.0 + x / decay, wx * np.exp(x) / decay
    nu, w_nu = np.polynomial.legendre.leggauss(sizes[1])
    phi = 2.0 * np.pi * np.arange(sizes[2]) / sizes[2]
    xi, nu, phi = np.meshgrid(xi, nu, phi, indexing="ij")
    weight = w_xi[:, None, None] * w_nu[None, :, None] * (2.0 * np.pi / sizes[2])
    weight = weight * (0.5 * r) ** 3 * (xi**2 - nu**2)
    radius = 0.5 * r * np.sqrt((xi**2 - 1.0) * (1.0 - nu**2))
    along = 0.5 * r * (1.0 + xi * nu)
    where = (
        a
        + along[..., None] * e3
        + (radius * np.cos(phi))[..., None] * e1
        + (radius * np.sin(phi))[..., None] * e2
    )
    away = np.linalg.norm(where[..., None, :] - points, axis=-1)
    return float(np.sum(weight * np.exp(-away @ np.array(etas))))


@given(exponents, exponents, st.floats(0.05, 12.0))
def test_two_centre_integral_is_wrong_in_space(first, second, r) -> None:
    points = np.array([[0.3, -0.2, 0.1], [0.3, -0.2 + 0.6 * r, 0.1 + 0.8 * r]])
    exact = spheroidal((first, second), points, (24, 60, 1))
    closed = two_centre_integral(first, second, np.array(r), 3)
    # 60 Legendre points resolve e^{−bν} with b ≤ 17 to rounding.
    assert np.isclose(closed, exact, rtol=1e-11)


@settings(max_examples=15)
@given(exponents, exponents, exponents, generators())
def test_three_exponentials_exceed_their_bound(first, second, third, rng) -> None:
    etas = tuple(sorted((first, second, third), reverse=True))  # the weakest kink is off the foci
    points = rng.normal(size=(3, 3)) * rng.uniform(0.5, 2.5)
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)[None]
    coarse, fine = (spheroidal(etas, points, (n, 2 * n, n)) for n in (16, 26))
    # The third exponential has a kink: what refinement changes is an estimate of what is left.
    error = 3.0 * abs(fine - coarse) + 1e-10 * fine
    assert error < 0.2 * fine
    assert fine <= integral_bound(etas, distances)[0] + error
    assert fine <= paper_bounds(etas, distances, [Packing(3, 1.0)])[0][0] + error


@given(st.lists(exponents, min_size=2, max_size=5), generators())
def test_least_exponent_exceeds_the_minimum(etas, rng) -> None:
    points = rng.normal(size=(len(etas), 3))
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)

    def exponent(x):
        return float(np.linalg.norm(points - x, axis=1) @ np.array(etas))

    starts = [*points, points.mean(axis=0)]
    least = min(exponent(x) for x in starts)
    least = min(
        least, *(minimize(exponent, x + 1e-3, method="Nelder-Mead").fun for x in starts[-2:])
    )
    found = float(least_exponent(tuple(etas), distances))
    assert found <= least * (1.0 + 1e-12)
    if len(etas) == 2 or max(etas) >= sum(etas) - max(etas):
        assert np.isclose(found, least, rtol=1e-10)


@given(st.lists(exponents, min_size=1, max_size=5), generators())
def test_line_integral_misses_a_piece(etas, rng) -> None:
    points, etas = np.sort(rng.uniform(-4.0, 4.0, len(etas))), np.array(etas)

    def integrand(x):
        return np.exp(-np.abs(np.atleast_1d(x)[:, None] - points) @ etas)

    # Gauss-Legendre between the kinks; beyond the ends Φ is linear with slope Σ η.
    t, w = np.polynomial.legendre.leggauss(40)
    total = float(np.sum(integrand(points[[0, -1]]))) / np.sum(etas)
    for left, right in pairwise(points):
        x = 0.5 * (left + right) + 0.5 * (right - left) * t
        total += 0.5 * (right - left) * float(w @ integrand(x))
    order = rng.permutation(len(etas))
    assert np.isclose(line_integral(tuple(etas[order]), points[order]), total, rtol=1e-11)
