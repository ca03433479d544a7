"""Atom-centred quadrature: the rule, the partition, and weights that move with the atoms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from strategies.xc import clusters, generators

from scc.errors import InputError
from scc.functional.quadrature import (
    SWITCHING_WIDTH,
    MolecularGrid,
    atomic_rule,
    partition_of_unity,
)


def small_grid(positions, **options):
    """Few points, all kept: enough for exact identities and derivative tests."""
    return MolecularGrid(positions, radial=14, degree=9, keep_empty=True, **options)


def gaussians(points, positions, exponents):
    """Σ_ℓ (a_ℓ/π)^{3/2} e^{−a_ℓ|x−r_ℓ|²}: integrates to M."""
    squared = np.sum((points[:, None, :] - positions[None, :, :]) ** 2, axis=2)
    return np.sum((exponents / np.pi) ** 1.5 * np.exp(-exponents * squared), axis=1)


@given(st.floats(-0.5, 2.5), st.integers(0, 2))
def test_radial_rule_or_jacobian_wrong(log_exponent, power):
    """∫ |s|^{2p} e^{−a s²} d³s = 2π Γ(p+3/2)/a^{p+3/2} for a = 0.3…300.

    The largest error of 75 points measured over this range is 1e-13 (at a = 300).
    """
    rule = atomic_rule(radial=75, degree=3)
    a = 10.0**log_exponent
    squared = np.sum(rule.offsets**2, axis=1)
    value = rule.weights @ (squared**power * np.exp(-a * squared))
    expected = 2.0 * math.pi * math.gamma(power + 1.5) / a ** (power + 1.5)
    assert value == pytest.approx(expected, rel=1e-12)


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))
def test_angular_rule_misoriented_or_unnormalised(i, j, k):
    """∫ x^i y^j z^k e^{−s²} = Γ((i+1)/2)Γ((j+1)/2)Γ((k+1)/2) for even powers, 0 otherwise."""
    rule = atomic_rule(radial=60, degree=19)
    x, y, z = rule.offsets.T
    terms = rule.weights * x**i * y**j * z**k * np.exp(-(x * x + y * y + z * z))
    expected = 0.0
    if i % 2 == j % 2 == k % 2 == 0:
        expected = math.gamma((i + 1) / 2) * math.gamma((j + 1) / 2) * math.gamma((k + 1) / 2)
    assert np.sum(terms) == pytest.approx(expected, rel=1e-11, abs=1e-13 * np.sum(np.abs(terms)))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"radial": 0}, "0"),
        ({"radius": -1.0}, "-1.0"),
        ({"radius": math.nan}, "nan"),
        ({"degree": 4}, "4"),
        ({"degree": 1000}, "1000"),
    ],
)
def test_impossible_rule_accepted(options, named):
    with pytest.raises(InputError, match=named):
        atomic_rule(**options)


@pytest.mark.parametrize(
    ("positions", "named"),
    [
        ([[0.0, 0.0, 0.0], [0.0, math.nan, 0.0]], "atom 1"),
        ([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1e-7, 0.0]], "atoms 1 and 2"),
        ([0.0, 0.0, 0.0], r"\(3,\)"),
        (np.zeros((0, 3)), r"\(0, 3\)"),
    ],
)
def test_impossible_positions_accepted(positions, named):
    with pytest.raises(InputError, match=named):
        MolecularGrid(positions)


@given(clusters(max_size=12), generators)
def test_partition_does_not_sum_to_one(positions, generator):
    """Anywhere: near nuclei, between atoms, far outside."""
    spread = generator.choice([0.1, 1.0, 5.0, 50.0], size=(200, 1))
    points = positions[generator.integers(len(positions), size=200)]
    points = points + generator.normal(size=(200, 3)) * spread
    p = partition_of_unity(positions, points)
    assert np.all(p >= 0.0)
    np.testing.assert_allclose(np.sum(p, axis=1), 1.0, rtol=0.0, atol=1e-14)


@given(clusters(min_size=2, max_size=8), generators)
def test_cells_reach_into_other_atoms(positions, generator):
    """dist(r_m, supp p_ℓ) ≥ ½(1−a)|r_ℓ−r_m|: what Theorem 4 asks of the cells N_ℓ.

    (The factor 0.999 keeps points off the boundary, where only rounding decides.)
    """
    for m, centre in enumerate(positions):
        distance = np.linalg.norm(positions - centre, axis=1)
        others = np.flatnonzero(np.arange(len(positions)) != m)
        radius = 0.999 * 0.5 * (1.0 - SWITCHING_WIDTH) * distance[others]
        direction = generator.normal(size=(len(others), 3))
        direction /= np.linalg.norm(direction, axis=1)[:, None]
        p = partition_of_unity(positions, centre + radius[:, None] * direction)
        assert np.all(p[np.arange(len(others)), others] == 0.0)


def test_cell_function_formula_wrong():
    """Two atoms at distance 2, on the axis at x from the first: μ = x − 1 for 0 ≤ x ≤ 2.

    s(m) expanded: ½ − (35m − 35m³ + 21m⁵ − 5m⁷)/32, m = μ/0.64; two cells make P₁ + P₂ = 1.
    """
    positions = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    x = np.linspace(0.37, 1.63, 41)
    m = (x - 1.0) / 0.64
    expected = 0.5 - (35.0 * m - 35.0 * m**3 + 21.0 * m**5 - 5.0 * m**7) / 32.0
    p = partition_of_unity(positions, np.stack([x, 0.0 * x, 0.0 * x], axis=1))
    np.testing.assert_allclose(p[:, 0], expected, rtol=0.0, atol=1e-14)
    np.testing.assert_allclose(p[:, 1], 1.0 - expected, rtol=0.0, atol=1e-14)


@given(clusters(max_size=6))
def test_grid_weights_are_not_rule_times_partition(positions):
    """w_g = q_g p_owner(x_g) at x_g = r_owner + s_g, in order of owner: the definition."""
    grid = small_grid(positions)
    rule = atomic_rule(radial=14, degree=9)
    for atom, centre in enumerate(positions):
        mine = grid.owner == atom
        np.testing.assert_array_equal(grid.points[mine], centre + rule.offsets)
        p = partition_of_unity(positions, centre + rule.offsets)[:, atom]
        np.testing.assert_allclose(grid.weights[mine], rule.weights * p, rtol=1e-13, atol=1e-300)


@given(clusters(max_size=6), generators)
def test_leaving_out_empty_points_changes_something(positions, generator):
    """Neither an integral nor its derivative sees the points of weight zero."""
    full, pruned = small_grid(positions), MolecularGrid(positions, radial=14, degree=9)
    kept = full.weights > 0.0
    np.testing.assert_array_equal(pruned.points, full.points[kept])
    np.testing.assert_array_equal(pruned.weights, full.weights[kept])
    np.testing.assert_array_equal(pruned.owner, full.owner[kept])
    jacobian = full.weight_jacobian.toarray()
    assert np.all(jacobian[~kept] == 0.0)
    np.testing.assert_array_equal(pruned.weight_jacobian.toarray(), jacobian[kept])
    values = generator.normal(size=len(full))
    np.testing.assert_allclose(
        pruned.site_sums(values[kept] * pruned.weights),
        full.site_sums(values * full.weights),
        rtol=1e-12,
        atol=1e-12 * np.max(full.weights),
    )


@given(clusters(min_size=2, max_size=6), generators)
def test_weight_derivative_wrong(positions, generator):
    """Σ_g e_g w_g against finite differences, points moving with their owners.

    Five-point formula, h = 1e-3: truncation h⁴/30 · (d⁵w ~ (0.64·0.7)⁻⁵ ~ 55) is 2e-12 near the
    smallest spacing and rounding 1e-13; p is only C³ where a cell closes, which adds O(h⁴) there.
    """
    h = 1e-3
    displacement = generator.normal(size=positions.shape)
    displacement /= np.max(np.abs(displacement))
    grid = small_grid(positions)
    moved = [small_grid(positions + t * h * displacement).weights for t in (-2, -1, 1, 2)]
    expected = (moved[0] - 8.0 * moved[1] + 8.0 * moved[2] - moved[3]) / (12.0 * h)
    measured = grid.weight_jvp(displacement)
    scale = max(np.max(np.abs(expected)), 1e-3 * np.max(grid.weights))
    np.testing.assert_allclose(measured, expected, rtol=0.0, atol=1e-8 * scale)


@given(clusters(max_size=6), generators)
def test_contraction_is_not_the_adjoint(positions, generator):
    """⟨e, Jdr⟩ = ⟨Jᵀe, dr⟩, and Jᵀe has the shape of the positions."""
    grid = small_grid(positions)
    e, displacement = generator.normal(size=len(grid)), generator.normal(size=positions.shape)
    contracted = grid.weight_gradient_contract(e)
    assert contracted.shape == positions.shape
    terms = e * grid.weight_jvp(displacement)
    assert np.sum(contracted * displacement) == pytest.approx(
        np.sum(terms), rel=1e-12, abs=1e-13 * np.sum(np.abs(terms))
    )


@given(clusters(max_size=6), generators)
def test_translation_changes_weights(positions, generator):
    grid = small_grid(positions)
    shift = generator.normal(size=3)
    moved = small_grid(positions + shift)
    np.testing.assert_allclose(moved.weights, grid.weights, rtol=1e-11, atol=1e-13)
    # Each term of the row sum is bounded by the row's largest entry.
    bound = 1e-12 * (1.0 + np.max(np.abs(grid.weight_jacobian.toarray()), initial=0.0))
    assert np.max(np.abs(grid.weight_jvp(np.tile(shift, (len(positions), 1))))) <= bound * 10


def test_far_atom_changes_near_weights():
    """Weights in a dimer are *exactly* unaffected by an atom beyond the reach of its cells."""
    near = np.array([[0.0, 0.0, 0.0], [1.5, 0.3, 0.0]])
    far = np.array([[60.0, 10.0, 0.0]])
    alone, together = small_grid(near), small_grid(np.concatenate([near, far]))
    inner = np.linalg.norm(alone.points, axis=1) < 3.0
    chosen = np.flatnonzero(inner)
    assert len(chosen) > 100
    np.testing.assert_array_equal(together.weights[chosen], alone.weights[chosen])
    assert np.all(together.weight_jacobian.toarray()[chosen, 6:] == 0.0)


@given(clusters(max_size=5, spacing=1.0), generators)
def test_molecular_integral_wrong(positions, generator):
    """Gaussian charges on random clusters integrate to their number; sites share the total.

    75 × 770 points an atom, exponents 0.3…30, spacings ≥ 1: the largest error measured on such
    clusters is 1e-7 of the number of electrons, the angular error across the cell boundaries.
    """
    exponents = 10.0 ** generator.uniform(-0.5, 1.5, size=len(positions))
    grid = MolecularGrid(positions, radial=75, degree=47)
    density = gaussians(grid.points, positions, exponents)
    assert grid.integrate(density) == pytest.approx(len(positions), rel=1e-6)
    sites = grid.site_sums(grid.weights * density)
    assert np.sum(sites) == pytest.approx(grid.integrate(density), rel=1e-12)


def test_orientation_error_not_falling_with_degree():
    """The laboratory-fixed Lebedev points break rotation invariance by the angular error only.

    Spread of the number of electrons of a bent triatomic over orientations.
    """
    positions = np.array([[0.0, 0.0, 0.2], [0.0, 1.43, -0.9], [0.0, -1.43, -0.9]])
    exponents = np.array([2.0, 0.8, 0.8])
    spreads = []
    for degree in (11, 23, 41):
        values = []
        for rotation in Rotation.random(4, rng=np.random.default_rng(5)):
            rotated = rotation.apply(positions)
            grid = MolecularGrid(rotated, radial=50, degree=degree)
            values.append(grid.integrate(gaussians(grid.points, rotated, exponents)))
        spreads.append(np.ptp(values))
    assert spreads[0] > 10.0 * spreads[1] > 100.0 * spreads[2]
    assert spreads[2] < 1e-6


@given(st.floats(0.5, 2.0))
def test_radial_scale_ignored(radius):
    """Half of the radial points lie below the scale R."""
    lengths = np.linalg.norm(atomic_rule(radial=21, degree=3, radius=radius).offsets, axis=1)
    assert np.median(lengths) == pytest.approx(radius, rel=1e-12)
