"""G_N and F_N: interpolation, exact derivative, divided differences, functions of matrices."""

import math

import mpmath
import numpy as np
import pytest
import scipy.sparse as sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import chebyshev
from strategies.spectra import signed, spectral_problems

from scc.bodyorder.ball_functions import occupation_ball
from scc.bodyorder.interpolation import chebyshev_interpolants
from scc.bodyorder.leja import leja_points
from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.errors import InputError
from scc.occupations.fermi_dirac import FermiDirac

EPS = np.finfo(np.float64).eps

problems = st.tuples(st.integers(1, 2), st.booleans()).flatmap(
    lambda kind: spectral_problems(2 if kind[1] else kind[0], kind[1])
)


def half_width(polynomial):
    return 0.5 * (polynomial.spectral_set.upper - polynomial.spectral_set.lower)


def rounding(polynomial, derivatives):
    """Error bound of the evaluation of the d-th derivative of G_N on the hull.

    Markov's bound |T_k^(d)| ≤ k^{2d}/(2d−1)!! gives the size; eight roundings of it (measured: one)
    and one rounding of the scaled argument times the next derivative, for each coefficient.
    """
    k = np.maximum(np.arange(polynomial.degree + 1.0), 1.0)
    markov = k ** (2.0 * derivatives) / math.prod(range(1, 2 * derivatives, 2))
    slope = markov * k**2 / (2 * derivatives + 1)
    hull = max(abs(polynomial.spectral_set.lower), abs(polynomial.spectral_set.upper))
    argument = 1.0 + hull / half_width(polynomial)
    size = np.abs(polynomial.coefficients) @ (8.0 * markov + slope)
    return EPS * argument * float(size) / half_width(polynomial) ** derivatives


@given(problems, st.integers(1, 60))
def test_interpolant_misses_its_nodes(problem, degree):
    X, beta, mu = problem
    polynomial = PolynomialOccupation.interpolate(X, degree, beta, mu)
    assert polynomial.degree == degree == polynomial.coefficients.size - 1
    nodes = leja_points(X, degree + 1)
    error = polynomial.grand_potential(nodes) - FermiDirac(beta, mu).grand_potential(nodes)
    # Rounding of x near a node moves G_N by its slope, which Markov's bound has.
    assert np.abs(error).max() <= rounding(polynomial, 0) + rounding(polynomial, 1) * half_width(
        polynomial
    )


@given(problems, st.integers(1, 60))
def test_occupation_is_not_the_derivative_of_the_grand_potential(problem, degree):
    X, beta, mu = problem
    polynomial = PolynomialOccupation.interpolate(X, degree, beta, mu)
    c = polynomial.coefficients
    x = np.linspace(X.lower, X.upper, 7)
    h, centre = half_width(polynomial), 0.5 * (X.lower + X.upper)
    with mpmath.workdps(60):
        for point in x:
            t = (mpmath.mpf(point) - mpmath.mpf(centre)) / mpmath.mpf(h)
            # T_k' = k U_{k−1}, T_k'' by differentiating it in 60 digits from the recurrence.
            first = second = mpmath.mpf(0)
            u, du, older, dolder = mpmath.mpf(1), mpmath.mpf(0), mpmath.mpf(0), mpmath.mpf(0)
            for k in range(1, c.size):
                first += c[k] * k * u
                second += c[k] * k * du
                u, older, du, dolder = 2 * t * u - older, u, 2 * u + 2 * t * du - dolder, du
            assert abs(float(polynomial.occupation(point)) - first / h) <= rounding(polynomial, 1)
            assert abs(float(polynomial.derivative(point)) - second / h**2) <= (
                rounding(polynomial, 2)
            )


@given(problems, st.integers(2, 40), st.data())
def test_divided_differences_are_differences_of_values(problem, degree, data):
    X, beta, mu = problem
    polynomial = PolynomialOccupation.interpolate(X, degree, beta, mu)
    h, centre = half_width(polynomial), 0.5 * (X.lower + X.upper)
    # Not st.floats: energies 1e-150 apart would need as many digits in the reference.
    anywhere = st.integers(0, 10**6).map(lambda n: X.lower + (X.upper - X.lower) * (n / 10**6))
    energies = [data.draw(anywhere)]
    for _ in range(2):
        near = st.builds(
            lambda energy, step: min(max(energy + step * h, X.lower), X.upper),
            st.sampled_from(energies),
            st.one_of(st.just(0.0), signed(-16.0, 0.0)),
        )
        energies.append(data.draw(st.one_of(anywhere, near)))
    energies = [min(energy, X.upper) for energy in energies]
    occupation = chebyshev.chebder(polynomial.coefficients) / h
    with mpmath.workdps(150):
        scaled = []
        for energy in energies:
            t = (mpmath.mpf(energy) - mpmath.mpf(centre)) / mpmath.mpf(h)
            while t in scaled:
                t += mpmath.mpf("1e-40")
            scaled.append(t)

        def value(series, t):
            return mpmath.fsum(c * mpmath.chebyt(k, t) for k, c in enumerate(series))

        def first(series, s, t):
            return (value(series, s) - value(series, t)) / (s - t)

        x, y, z = scaled
        mean = first(polynomial.coefficients, x, y) / h
        slope = first(occupation, x, y) / h
        curvature = (first(occupation, x, y) - first(occupation, y, z)) / (x - z) / h**2
    difference = polynomial.grand_potential_divided_difference(*energies[:2])
    assert abs(float(difference) - float(mean)) <= rounding(polynomial, 1)
    assert abs(float(polynomial.divided_difference(*energies[:2])) - float(slope)) <= rounding(
        polynomial, 2
    )
    assert abs(
        float(polynomial.second_divided_difference(*energies)) - float(curvature)
    ) <= rounding(polynomial, 3)


def test_broadcasting_changes_values_or_shapes():
    X = SpectralSet(((-1.0, -0.2), (0.1, 2.0)))
    polynomial = PolynomialOccupation.interpolate(X, 21, math.inf, 0.0)
    x = np.linspace(-1.0, 2.0, 6)
    third = polynomial.second_divided_difference(x[:, None, None], x[:, None], x)
    assert third.shape == (6, 6, 6)
    assert third[1, 2, 3] == polynomial.second_divided_difference(x[1], x[2], x[3])
    second = polynomial.divided_difference(x[:, None], x)
    assert second.shape == (6, 6)
    np.testing.assert_allclose(second, second.T, atol=rounding(polynomial, 2))
    np.testing.assert_allclose(np.diagonal(second), polynomial.derivative(x), atol=1e-10)


@settings(max_examples=10)
@given(st.integers(1, 150))
def test_rounding_in_the_gap_spoils_the_bands(degree):
    # One rounding of a node value would grow to e^{N g(c)} = 1e49 at N = 150 in the gap, and
    # float64 Chebyshev coefficients computed from such values would be as large.
    X = SpectralSet(((-1.0, -0.6), (0.6, 1.0)))
    polynomial = PolynomialOccupation.interpolate(X, degree, math.inf, 0.1)
    gap = np.linspace(-1.0, 1.0, 2001)
    assert np.abs(polynomial.grand_potential(gap)).max() <= 3.0
    assert np.abs(polynomial.coefficients).sum() <= 5.0
    x = X.sample(301)
    error = np.abs(polynomial.occupation(x) - FermiDirac(math.inf, 0.1).occupation(x)).max()
    # θ = ½ arcosh((1+0.36)/(1−0.36)) = 0.69 with N² for the derivative at the endpoints.
    assert error <= 10.0 * degree**2 * math.exp(-0.69 * degree) + rounding(polynomial, 1)


@pytest.mark.parametrize("beta", [400.0, math.inf])
def test_interpolating_the_occupation_would_do_as_well(beta):
    """Interpolating F and integrating leaves an error of G on one side that does not decay."""
    X, mu = SpectralSet(((-1.0, -0.4), (0.3, 1.0))), 0.1
    x = X.sample(201)
    exact = FermiDirac(beta, mu).grand_potential(x)
    right_errors, wrong_errors = [], []
    for degree in (21, 41, 61):
        right = PolynomialOccupation.interpolate(X, degree, beta, mu)
        right_errors.append(np.abs(right.grand_potential(x) - exact).max())
        (series,) = chebyshev_interpolants(
            occupation_ball(X, beta, mu), leja_points(X, degree), X.lower, X.upper, [degree - 1]
        )
        integral = half_width(right) * chebyshev.chebint(series)
        integral[0] += exact[0] - chebyshev.chebval(-1.0, integral)
        wrong = PolynomialOccupation(X, degree, beta, mu, integral)
        # F itself is as good as ever: only the constants of G on the two sides do not match.
        occupation_error = wrong.occupation(x) - FermiDirac(beta, mu).occupation(x)
        assert np.abs(occupation_error).max() < 100 * math.exp(-0.4 * degree)
        wrong_errors.append(np.abs(wrong.grand_potential(x) - exact).max())
    assert right_errors[-1] < 1e-10
    assert min(wrong_errors) > 1e-3


def test_polynomial_divided_differences_have_one_sign():
    # Theory: −DF_N is not definite, so 'minimiser' would be wrong for the polynomial model.
    X = SpectralSet(((-1.0, -0.3), (0.3, 1.0)))
    polynomial = PolynomialOccupation.interpolate(X, 15, math.inf, 0.0)
    x = X.sample(20)
    positive = polynomial.divided_difference(x[:, None], x) > 1e-6
    assert 0.01 < positive.mean() < 0.5


def random_symmetric(rng, size, X):
    """Random matrix with spectrum in X, endpoints included."""
    orthogonal, _ = np.linalg.qr(rng.normal(size=(size, size)))
    eigenvalues = X.sample(size)[rng.integers(0, size * len(X.intervals), size=size)]
    return (orthogonal * eigenvalues) @ orthogonal.T


@given(problems, st.integers(1, 40), st.integers(0, 2**31), st.sampled_from("FG"))
def test_matrix_products_disagree_with_diagonalisation(problem, degree, seed, which):
    X, beta, mu = problem
    polynomial = PolynomialOccupation.interpolate(X, degree, beta, mu)
    matrix = random_symmetric(np.random.default_rng(seed), 8, X)
    eigenvalues, vectors = np.linalg.eigh(matrix)
    function = polynomial.occupation if which == "F" else polynomial.grand_potential
    expected = (vectors * function(eigenvalues)) @ vectors.T
    # Eigenvalues and products are off by a few roundings of ‖H‖, the slope times that is allowed.
    tolerance = 10 * rounding(polynomial, 2 if which == "F" else 1) * half_width(polynomial)
    np.testing.assert_allclose(
        polynomial.matrix_function(matrix, which), expected, atol=tolerance, rtol=0
    )


@given(st.integers(1, 12), st.sampled_from("FG"))
def test_sparse_function_is_dense_or_has_another_bandwidth(degree, which):
    X = SpectralSet(((-2.5, 2.5),))
    polynomial = PolynomialOccupation.interpolate(X, degree, 3.0, 0.2)
    chain = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(40, 40), format="csr")
    result = polynomial.matrix_function(chain, which)
    assert sparse.issparse(result)
    dense = polynomial.matrix_function(chain.toarray(), which)
    np.testing.assert_allclose(result.toarray(), dense, atol=1e-14)
    rows, columns = np.nonzero(result.toarray())
    # A polynomial of degree N reaches N hops; F_N has degree N−1.
    assert np.abs(rows - columns).max() == degree - (which == "F")


def test_body_order_functions_other_than_f_and_g():
    polynomial = PolynomialOccupation.interpolate(SpectralSet(((-1.0, 1.0),)), 3, 1.0, 0.0)
    with pytest.raises(InputError, match="'S'"):
        polynomial.matrix_function(np.eye(2), "S")


def test_spectrum_outside_the_set_is_accepted():
    X = SpectralSet(((-1.0, -0.5), (0.5, 1.0)))
    polynomial = PolynomialOccupation.interpolate(X, 5, math.inf, 0.0)
    polynomial.check_spectrum([-1.0, 0.0, 1.0 + 5e-9])
    with pytest.raises(InputError, match=r"eigenvalue 1\.25 lies outside"):
        polynomial.check_spectrum([-1.1, 0.0, 1.25], slack=0.05)
    polynomial.check_spectrum([-1.1, 0.0, 1.25], slack=0.3)
    with pytest.raises(InputError, match=r"eigenvalue 0\.1 lies outside"):
        polynomial.check_spectrum([-1.0, 0.1], whole_hull=False)
    with pytest.raises(InputError, match="eigenvalue nan"):
        polynomial.check_spectrum([0.0, math.nan])


@pytest.mark.parametrize("degree", [0, -1])
def test_degree_without_occupation_is_accepted(degree):
    with pytest.raises(InputError, match=f"got .{degree}"):
        PolynomialOccupation.interpolate(SpectralSet(((-1.0, 1.0),)), degree, 1.0, 0.0)


@pytest.mark.parametrize(
    ("beta", "mu", "message"),
    [
        (0.0, 0.0, "beta must be"),
        (math.inf, 0.7, "must lie in a gap"),
        (1.0, math.nan, "must be finite"),
    ],
)
def test_function_without_a_meaning_is_interpolated(beta, mu, message):
    with pytest.raises(InputError, match=message):
        PolynomialOccupation.interpolate(SpectralSet(((-1.0, -0.5), (0.5, 1.0))), 5, beta, mu)


def test_refit_happens_silently():
    polynomial = PolynomialOccupation.interpolate(SpectralSet(((-1.0, 1.0),)), 5, 1.0, 0.25)
    assert polynomial.with_chemical_potential(0.25) is polynomial
    with pytest.raises(InputError, match=r"fitted at chemical potential 0\.25, not 0\.5"):
        polynomial.with_chemical_potential(0.5)
    with pytest.raises(ValueError, match="read-only"):
        polynomial.coefficients[0] = 1.0


def test_lowest_degrees_are_missing_a_case():
    X = SpectralSet(((-1.0, 1.0),))
    linear = PolynomialOccupation.interpolate(X, 1, 2.0, 0.0)
    x = np.array([-1.0, 0.3])
    slope = FermiDirac(2.0, 0.0).grand_potential_divided_difference(-1.0, 1.0)
    np.testing.assert_allclose(linear.occupation(x), slope, rtol=1e-14)
    np.testing.assert_array_equal(linear.derivative(x), 0.0)
    np.testing.assert_array_equal(linear.divided_difference(x[:, None], x), np.zeros((2, 2)))
    np.testing.assert_array_equal(linear.second_divided_difference(x, x, 0.0), np.zeros(2))
    np.testing.assert_allclose(linear.matrix_function(np.diag(x)), slope * np.eye(2), rtol=1e-14)
