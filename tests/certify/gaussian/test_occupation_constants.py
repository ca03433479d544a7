"""Constants of H ↦ F(H) in the Gaussian certificates, prover and checker, on random matrices."""

import math

import flint
import numpy as np
import pytest
from flint import arb
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies.configurations import generators

from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.certify.ball_occupations import FermiDiracBall, FrozenOccupation, PolynomialBall
from scc.certify.failure import RefusedError
from scc.certify.gaussian.check_spectrum import Cold, Diagonal, Series, Warm
from scc.certify.gaussian.occupations import FermiDirac, Polynomial, Step
from scc.occupations.ensemble import fermi_level
from scc.occupations.fermi_dirac import FermiDirac as FloatFermiDirac


@pytest.fixture(autouse=True)
def _precision():
    with flint.ctx.workprec(192):
        yield


def symmetric(rng, n):
    matrix = rng.normal(size=(n, n))
    return 0.5 * (matrix + matrix.T)


def derivative(h, direction, beta, mu, electrons):
    """DF(H)[A], µ following where ``electrons`` is given, in float64."""
    levels, c = np.linalg.eigh(h)
    mu = mu if electrons is None else fermi_level(levels, electrons, beta)
    divided = FloatFermiDirac(beta, mu).divided_difference(levels[:, None], levels[None, :])
    a = c.T @ direction @ c
    moved = divided * a
    if electrons is not None:
        weights = np.diag(divided)
        moved -= np.diag(weights) * (weights @ np.diag(a)) / np.sum(weights)
    return c @ moved @ c.T


def occupation(h, beta, mu, electrons):
    levels, c = np.linalg.eigh(h)
    mu = mu if electrons is None else fermi_level(levels, electrons, beta)
    return (c * FloatFermiDirac(beta, mu).occupation(levels)) @ c.T


def balls(levels):
    return [arb(float(x)) for x in levels]


@given(
    n=st.integers(1, 7),
    rng=generators(),
    beta=st.floats(0.5, 60.0),
    canonical=st.booleans(),
    size=st.floats(1e-3, 1.0),
)
def test_fermi_dirac_that_moves_faster_than_its_constants(n, rng, beta, canonical, size):
    h, change, probe = symmetric(rng, n), symmetric(rng, n), symmetric(rng, n)
    change *= size / np.linalg.norm(change)
    electrons = float(rng.uniform(0.05, 0.95) * 2 * n) if canonical else None
    levels = np.linalg.eigvalsh(h)
    mu = fermi_level(levels, electrons, beta) if canonical else float(rng.normal())
    ball = FermiDiracBall(arb(beta), arb(mu), None if electrons is None else arb(electrons))
    ours = FermiDirac(ball, balls(levels))
    theirs = Warm(arb(beta), arb(mu), canonical)
    spread = arb(size)
    moved = np.linalg.norm(
        occupation(h + change, beta, mu, electrons) - occupation(h, beta, mu, electrons)
    )
    bent = np.linalg.norm(
        derivative(h + change, probe, beta, mu, electrons)
        - derivative(h, probe, beta, mu, electrons)
    ) / np.linalg.norm(probe)
    rounding = 1e-11 * (1.0 + beta) ** 2
    for slope, curvature in (
        (ours.slope(spread), ours.curvature(spread)),
        (theirs.slope(balls(levels), spread), theirs.curvature(balls(levels), spread)),
    ):
        assert moved <= float(slope) * size + rounding
        assert bent <= float(curvature) * size + rounding

    def rest(matrix):
        values = np.linalg.eigvalsh(matrix)
        level = mu if electrons is None else fermi_level(values, electrons, beta)
        exact = FloatFermiDirac(beta, level)
        x = values - level if canonical else values
        return 2.0 * np.sum(exact.grand_potential(values) - x * exact.occupation(values))

    bound = 2.0 * math.sqrt(n) * float(ours.rest_slope(spread)) * size
    assert abs(rest(h + change) - rest(h)) <= bound + rounding
    assert float(ours.rest().mid()) == pytest.approx(rest(h), abs=1e-10)
    assert float(theirs.rest(balls(levels)).mid()) == pytest.approx(rest(h), abs=1e-10)


@given(n=st.integers(2, 7), rng=generators(), share=st.floats(0.01, 0.45))
def test_projectors_that_move_faster_than_their_constants(n, rng, share):
    h, change, probe = symmetric(rng, n), symmetric(rng, n), symmetric(rng, n)
    filled = int(rng.integers(1, n))
    levels = np.linalg.eigvalsh(h)
    gap = levels[filled] - levels[filled - 1]
    assume(gap > 1e-3)
    size = share * gap
    change *= size / np.linalg.norm(change)
    ours, theirs = Step(FrozenOccupation(filled, None), balls(levels)), Cold(filled, None)
    spread = arb(size)

    def projector(matrix):
        c = np.linalg.eigh(matrix)[1][:, :filled]
        return c @ c.T

    def response(matrix):
        values, c = np.linalg.eigh(matrix)
        a = c.T @ probe @ c
        a[:filled, :filled] = a[filled:, filled:] = 0.0
        a[:filled, filled:] /= values[:filled, None] - values[None, filled:]
        a[filled:, :filled] = a[:filled, filled:].T
        return c @ a @ c.T

    moved = np.linalg.norm(projector(h + change) - projector(h))
    bent = np.linalg.norm(response(h + change) - response(h)) / np.linalg.norm(probe)
    for slope, curvature in (
        (ours.slope(spread), ours.curvature(spread)),
        (theirs.slope(balls(levels), spread), theirs.curvature(balls(levels), spread)),
    ):
        assert moved <= float(slope) * size + 1e-10 / gap
        assert bent <= float(curvature) * size + 1e-10 / gap**2


@settings(max_examples=15)
@given(n=st.integers(2, 6), rng=generators(), degree=st.integers(3, 24))
def test_polynomial_constants_values_and_divided_differences(n, rng, degree):
    """Prover (Clenshaw, no division) and checker (powers) agree; both bound finite differences."""
    levels = np.sort(rng.uniform(-0.9, 0.9, n))
    occupation_n = PolynomialOccupation.interpolate(SpectralSet(((-1.0, 1.2),)), degree, 5.0, 0.1)
    coefficients = balls(occupation_n.coefficients)
    ours = Polynomial(PolynomialBall(arb(-1.0), arb(1.2), coefficients), balls(levels))
    theirs = Series(coefficients, arb(-1.0), arb(1.2))
    exact = balls(levels)
    for i in range(n):
        assert ours.values[i].overlaps(theirs.value(exact, i))
        assert float(ours.values[i].mid()) == pytest.approx(
            float(occupation_n.occupation(levels[i])), abs=1e-11
        )
        for j in range(n):
            assert ours.difference(i, j).overlaps(theirs.difference(exact, i, j))
    assert ours.rest().overlaps(theirs.rest(exact))
    h, probe, change = np.diag(levels), symmetric(rng, n), symmetric(rng, n)
    size = 0.05
    change *= size / np.linalg.norm(change)

    def response(matrix):
        values, c = np.linalg.eigh(matrix)
        divided = occupation_n.divided_difference(values[:, None], values[None, :])
        return c @ (divided * (c.T @ probe @ c)) @ c.T

    bent = np.linalg.norm(response(h + change) - response(h)) / np.linalg.norm(probe)
    for curvature in (
        ours.curvature(arb(size)),
        theirs.curvature(exact, arb(size)),
    ):
        assert bent <= float(curvature) * size + 1e-9
    assert not ours.curvature(arb(2.5)).is_finite()  # spectra may leave the interval
    with pytest.raises(RefusedError):
        theirs.curvature(exact, arb(2.5))


@given(n=st.integers(1, 9), rng=generators(), cluster=st.booleans())
def test_rotations_that_do_not_diagonalise(n, rng, cluster):
    """C is orthogonal, CΛCᵀ is H, also with levels that coincide."""
    q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    levels = np.round(rng.normal(size=n)) if cluster else rng.normal(size=n)
    exact = flint.arb_mat(((q * levels) @ q.T).tolist())
    exact = (exact + exact.transpose()) / 2
    found = Diagonal(exact)
    c = found.vectors
    one = flint.arb_mat([[int(i == j) for j in range(n)] for i in range(n)])
    assert (c.transpose() * c).contains(one) or all(
        abs(x) < 1e-40 for x in (c.transpose() * c - one).entries()
    )
    middle = flint.arb_mat([[found.levels[i] if i == j else 0 for j in range(n)] for i in range(n)])
    back = (c * middle * c.transpose() - exact).entries()
    assert found.error < arb(10) ** -40
    assert all(abs(x).lower() <= found.error for x in back)
    assert all(abs(x).upper() < arb(10) ** -38 for x in back)
