"""The constant that makes potentials average to zero, and what the surface of a crystal adds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.image_sum import ewald, smooth_variance
from strategies.multipoles import (
    multipole_systems,
    random_cell,
    random_multipoles,
    random_variances,
    scattered,
)

from scc.electrostatics.multipoles.background import Background
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.surface import SurfaceTerm
from scc.errors import InputError

periodic = multipole_systems(kinds=("periodic",), l_max=3)


def background(system, cell=None):
    cell = system.boundary.cell if cell is None else cell
    volume = abs(np.linalg.det(cell))
    s = smooth_variance(system.boundary.cell, 0.08)
    return Background(system.targets, system.sources, volume, s)


def surface(system, map_=None, targets=0.0, sources=0.0, permittivity=2.5):
    """The term for positions displaced, or sites and cell mapped by a matrix."""
    map_ = np.eye(3) if map_ is None else map_

    def moved(sites, shift):
        return Sites((sites.positions + shift) @ map_.T, sites.variances, sites.l_max)

    volume = system.volume * abs(np.linalg.det(map_))
    return SurfaceTerm(
        moved(system.targets, targets), moved(system.sources, sources), volume, permittivity
    )


@settings(max_examples=15)
@given(generators(), st.integers(0, 2), st.floats(0.8, 3.0))
def test_cell_average_of_a_potential_is_not_zero(generator, l_max, width):
    """Charged cells, points and mixed widths among the sources, probes of any one width.

    The average over a grid is that of the cell up to the Gaussians' transform at the grid's own
    reciprocal lattice, e^{−(2π/h)²σ²/2} with h ≤ σ/1.4: below 1e-16.
    """
    cell = random_cell(generator, 3.0, 5.0, flattest=0.6)
    number = 4
    sources = Sites(scattered(generator, number, cell), random_variances(generator, number), l_max)
    multipoles = random_multipoles(generator, number, l_max)
    # 1/h ≥ 1.4/σ in every direction: the height of a cell is at least 0.6 of its edge
    counts = np.ceil(1.4 / 0.6 * np.linalg.norm(cell, axis=1) / width).astype(int)
    fractional = np.indices(counts).reshape(3, -1).T / counts
    targets = Sites(fractional @ cell, np.full(len(fractional), width**2), 0)
    potential = ewald(cell, targets, sources, 0.04).potential(multipoles)
    assert abs(potential.mean()) <= 1e-13 * np.abs(potential).max()


@given(generators(), st.integers(1, 8), st.integers(1, 8), st.floats(0.0, 30.0))
def test_running_sums_are_not_the_sum_over_pairs(generator, n_targets, n_sources, s):
    def sites(number):
        # equal variances, and pairs that add up to s exactly, included
        variances = generator.choice([0.0, 0.5 * s, s, 0.3, 4.0, 25.0], number)
        return Sites(np.zeros((number, 3)), variances, 1)

    targets, sources = sites(n_targets), sites(n_sources)
    charges = random_multipoles(generator, n_sources, 1)
    pairs = np.maximum(s - targets.variances[:, None] - sources.variances, 0.0)
    exact = -2.0 * np.pi / 7.0 * pairs @ charges[:, 0]
    result = Background(targets, sources, 7.0, s).potential(charges)
    size = 2.0 * np.pi / 7.0 * s * np.abs(charges[:, 0]).sum()
    np.testing.assert_allclose(result[:, 0], exact, rtol=0, atol=1e-15 * len(charges) * size)
    assert not np.any(result[:, 1:])


@given(periodic, generators())
def test_background_does_not_keep_the_contract(system, generator):
    piece, t, c = background(system), system.probes, system.multipoles
    potential = piece.potential(c)
    value = np.sum(t * potential)
    assert value == pytest.approx(np.sum(c * piece.transposed.potential(t)), rel=1e-12, abs=1e-14)
    field = piece.field(c)
    assert np.array_equal(field.potential, potential)
    assert not np.any(field.gradient)
    assert not np.any(piece.moved(c, generator.normal(size=system.sources.positions.shape)))
    direction = generator.normal(size=(3, 3))

    def strained(x):
        cell = system.boundary.cell @ (np.eye(3) + x * direction).T
        return float(np.sum(t * background(system, cell).potential(c)))

    strain = piece.strain(t, c)
    # 1/det(1 + xD) is analytic for |x| < 1/|D| at least
    step = 0.01 / np.linalg.norm(direction)
    size = np.abs(strain).max() * np.linalg.norm(direction)
    assert_derivative(np.sum(strain * direction), strained, step, size, relative=1e-9)


@given(periodic, generators())
def test_surface_term_does_not_keep_the_contract(system, generator):
    piece, t, c = surface(system), system.probes, system.multipoles
    field = piece.field(c)
    assert np.array_equal(field.potential, piece.potential(c))
    back = piece.transposed
    size = np.abs(t * field.potential).sum()
    assert abs(np.sum(t * field.potential) - np.sum(c * back.potential(t))) <= 1e-14 * (
        size + np.abs(c * back.potential(t)).sum()
    )
    direction = generator.normal(size=system.targets.positions.shape)
    dr = generator.normal(size=system.sources.positions.shape)
    # B is bilinear in the positions: every step is exact
    scale = np.abs(field.potential).max() + np.abs(field.gradient).max()
    assert_derivative(
        np.einsum("aAi,ai->aA", field.gradient, direction),
        lambda x: surface(system, targets=x * direction).potential(c),
        0.1,
        scale,
        relative=1e-12,
    )
    assert_derivative(
        piece.moved(c, dr),
        lambda x: surface(system, sources=x * dr).potential(c),
        0.1,
        scale,
        relative=1e-12,
    )
    turn = generator.normal(size=(3, 3))
    strain = piece.strain(t, c)
    assert_derivative(
        np.sum(strain * turn),
        lambda x: float(np.sum(t * surface(system, np.eye(3) + x * turn).potential(c))),
        0.01 / np.linalg.norm(turn),
        (np.abs(strain).max() + size) * np.linalg.norm(turn),
        relative=1e-9,
    )


def spherical_sum(cell, positions, charges, radius):
    """½ Σ_n w(|n|/R) (interaction of the home cell with cell n, kept whole), own sites left out.

    w falls smoothly from 1 to 0, equal in all directions: a large sphere of whole cells.
    """
    bound = int(np.ceil(radius / np.linalg.svd(cell, compute_uv=False).min()))
    shifts = (np.indices((2 * bound + 1,) * 3).reshape(3, -1).T - bound) @ cell
    x = np.linalg.norm(shifts, axis=1) / radius
    shifts, x = shifts[x < 1.0], x[x < 1.0]
    weight = (1.0 - x**2) ** 4
    total = 0.0
    for i, q in enumerate(charges):
        for j, other in enumerate(charges):
            distance = np.linalg.norm(positions[j] + shifts - positions[i], axis=1)
            inverse = np.divide(1.0, distance, out=np.zeros_like(distance), where=distance > 1e-12)
            total += 0.5 * q * other * (weight @ inverse)
    return total


def test_surface_term_is_not_that_of_a_large_sphere_in_vacuum():
    """Rock salt by two-ion cells, which have a dipole: every choice of the pair is another sum.

    The sphere's corrections are a series in 1/R²; two radii extrapolate the first away.
    """
    cell = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    charges = np.array([1.0, -1.0])
    energies = []
    for partner in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 2.0]):
        positions = np.array([[0.0, 0.0, 0.0], partner])
        sites, p = Sites(positions, np.zeros(2), 0), charges[:, None]
        tin_foil = 0.5 * np.sum(p * ewald(cell, sites, sites, 0.1, own_site=True).potential(p))
        energies.append(tin_foil)
        shape = 0.5 * np.sum(p * SurfaceTerm(sites, sites, 2.0, 1.0).potential(p))
        # 4π/(3Ω) M²/2 with Ω = 2
        assert shape == pytest.approx(np.pi / 3.0 * np.dot(partner, partner), rel=1e-14)
        small, large = (spherical_sum(cell, positions, charges, r) for r in (13.0, 26.0))
        extrapolated = (4.0 * large - small) / 3.0
        assert abs(large - tin_foil - shape) < 0.02 * shape
        assert abs(extrapolated - tin_foil - shape) < 1e-3 * shape
    # M = 1.747564594633182...: in tin foil the choice is immaterial
    np.testing.assert_allclose(energies, -1.7475645946331822, rtol=1e-13)


def test_surface_term_of_a_dipole_density():
    """Dipoles as multipoles and as pairs of charges have the same M; ε' = ∞ is no term."""
    d = np.array([0.3, -0.2, 0.5])
    dipole = Sites(np.array([[1.0, 2.0, 3.0]]), np.ones(1), 1)
    pair = Sites(np.array([[0.0, 0.0, 0.0], d]), np.zeros(2), 0)
    p, q = np.array([[0.0, d[1], d[2], d[0]]]), np.array([[-1.0], [1.0]])
    one = np.sum(p * SurfaceTerm(dipole, dipole, 5.0, 1.5).potential(p))
    other = np.sum(q * SurfaceTerm(pair, pair, 5.0, 1.5).potential(q))
    mixed = np.sum(p * SurfaceTerm(dipole, pair, 5.0, 1.5).potential(q))
    exact = 4.0 * np.pi / (4.0 * 5.0) * (d @ d)
    np.testing.assert_allclose([one, other, mixed], exact, rtol=1e-14)
    assert not np.any(SurfaceTerm(dipole, dipole, 5.0, np.inf).potential(p))


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda s: Background(s, s, 0.0, 1.0), "volume is 0.0"),
        (lambda s: Background(s, s, 1.0, -1.0), "variance is -1.0"),
        (lambda s: SurfaceTerm(s, s, np.inf, 1.0), "volume is inf"),
        (lambda s: SurfaceTerm(s, s, 1.0, 0.0), "permittivity is 0.0"),
        (lambda s: SurfaceTerm(s, s, 1.0, np.nan), "permittivity is nan"),
    ],
)
def test_bad_values_of_background_or_surface_pass(make, word):
    with pytest.raises(InputError, match=word):
        make(Sites(np.zeros((1, 3)), np.ones(1), 0))
