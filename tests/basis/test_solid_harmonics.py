"""Real solid harmonics: normalisation, signs and order, harmonicity."""

import numpy as np
import pytest
from hypothesis import given
from scipy.special import sph_harm_y
from strategies.basis import points

from scc.basis.polynomials import derivative_matrices, evaluate_monomials, monomial_count
from scc.basis.solid_harmonics import solid_harmonic_coefficients, solid_harmonics


@given(points)
def test_conventions_of_the_first_three_degrees(x):
    x, y, z = np.array(x)
    r2 = x * x + y * y + z * z
    s = np.sqrt(3.0)
    expected = [
        *(1.0, y, z, x),
        *(s * x * y, s * y * z, z * z - (x * x + y * y) / 2, s * x * z, s / 2 * (x * x - y * y)),
    ]
    # Five operations on terms no larger than r²: a few rounding errors.
    np.testing.assert_allclose(
        solid_harmonics(2, np.array([x, y, z])), expected, rtol=0, atol=1e-14 * max(1, r2)
    )


@given(points)
def test_racah_normalisation_and_phase_against_scipy(x):
    x = np.array(x)
    r = np.linalg.norm(x)
    theta, phi = np.arccos(x[2] / r) if r > 0 else 0.0, np.arctan2(x[1], x[0])
    ours = solid_harmonics(6, x)
    for l in range(7):  # noqa: E741
        racah = np.sqrt(4 * np.pi / (2 * l + 1)) * r**l
        for m in range(-l, l + 1):
            y = sph_harm_y(l, abs(m), theta, phi) * (-1) ** m  # takes off Condon–Shortley
            real = y.real if m == 0 else np.sqrt(2) * (y.real if m > 0 else y.imag)
            # arccos near the poles loses half the digits of θ, and Y is smooth in θ.
            assert ours[l * l + l + m] == pytest.approx(racah * real, abs=1e-7 * max(1.0, r**l))


@pytest.mark.parametrize("degree", range(2, 8))
def test_solid_harmonics_are_harmonic(degree):
    d = derivative_matrices(degree)[:, :, : monomial_count(degree - 1)]
    e = derivative_matrices(degree - 1)
    laplacian = sum(solid_harmonic_coefficients(degree) @ d[i] @ e[i] for i in range(3))
    largest = np.abs(solid_harmonic_coefficients(degree)).max()
    assert np.abs(laplacian).max() < 1e-14 * degree**2 * largest


def test_addition_theorem_fixes_the_norm():
    # Σ_µ R_λµ(x)² = r^{2λ}: a wrong relative norm of one component shows.
    x = np.random.default_rng(0).normal(size=(20, 3))
    squares = solid_harmonics(5, x) ** 2
    r2 = (x**2).sum(axis=1)
    for l in range(6):  # noqa: E741
        total = squares[:, l * l : (l + 1) ** 2].sum(axis=1)
        np.testing.assert_allclose(total, r2**l, rtol=1e-13)


def test_monomials_are_sorted_by_degree_so_prefixes_nest():
    x = np.array([1.5, -0.7, 0.3])
    high, low = evaluate_monomials(4, x), evaluate_monomials(2, x)
    np.testing.assert_array_equal(high[: len(low)], low)
