"""The particle mesh: its stated error, exact derivatives on coarse meshes, exact adjoint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.mesh_error_by_modes import mesh_errors
from strategies.multipoles import random_cell, random_multipoles, random_variances

from scc.basis.solid_harmonics import solid_harmonics
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.mesh_grid import ReciprocalGrid, gaussian
from scc.electrostatics.multipoles.mesh_sum import MeshSum
from scc.electrostatics.multipoles.own_site import OwnSite
from scc.electrostatics.multipoles.reciprocal_kernels import (
    FreeKernel,
    PeriodicKernel,
    SlabKernel,
)
from scc.electrostatics.multipoles.reciprocal_sum import ReciprocalSum
from scc.electrostatics.multipoles.sites import Sites
from scc.errors import InputError

kinds = st.sampled_from(["periodic", "screened", "slab", "open"])
THICKNESS, TAIL = 3.0, 3.0  # of kernels compared with themselves: images need not be far
LATTICE_RULE = np.array([1.0, 27.0, 22.0])  # (1, q, q²) mod 101, Korobov's kind
WIDE = np.array([0.0, 0.3, 0.0, 2.5, 0.0, 1.7])  # variances: narrow ones and two wide classes


def kernel_of(kind, cell, strain=None):
    """A reciprocal kernel around ``cell``; slabs repeat along its first and last vector."""
    deformed = cell if strain is None else cell @ (np.eye(3) + strain).T
    if kind == "periodic":
        return PeriodicKernel(deformed)
    if kind == "screened":
        return PeriodicKernel(deformed, 0.6)
    if kind == "slab":
        return SlabKernel(deformed[[0, 2]], THICKNESS, TAIL)
    return FreeKernel(np.full(3, THICKNESS), TAIL)


def between_knots(generator, number, kernel, shape, order):
    """Places at least 0.2 of a mesh spacing away from where the splines' pieces meet."""
    nodes = generator.integers(-12, 12, size=(number, 3))
    u = nodes + 0.5 * order + generator.uniform(0.2, 0.8, size=(number, 3))
    return (u / np.array(shape)) @ kernel.cell


def coarse_pair(generator, kind, order, l_max):
    """Targets, sources, their coefficients and a mesh no finer than the splines need."""
    cell = random_cell(generator, 5.0, 8.0)
    kernel = kernel_of(kind, cell)
    shape = tuple(int(n) for n in order + generator.integers(0, 4, size=3))
    sites, values = [], []
    for number in (3, 4):
        degree = int(generator.integers(0, l_max + 1))
        positions = between_knots(generator, number, kernel, shape, order)
        variances = generator.choice(WIDE, size=number)
        sites.append(Sites(positions, variances, degree))
        values.append(random_multipoles(generator, number, degree))
    return cell, kernel, shape, sites, values


def moved_sites(sites, positions):
    return Sites(positions, sites.variances, sites.l_max)


@settings(max_examples=15)
@given(generators(), st.integers(3, 12), st.integers(0, 2), st.floats(2.2, 3.4))
def test_error_is_not_the_predicted_one(generator, order, l_max, resolution):
    s, number = 0.8, 80
    cell = random_cell(generator, 8.0, 11.0, flattest=0.5)
    kernel = PeriodicKernel(cell)
    sites = Sites(generator.uniform(size=(number, 3)) @ cell, np.zeros(number), l_max)
    c = random_multipoles(generator, number, l_max)
    spacing = np.sqrt(s) / resolution * 2.0
    shape = tuple(int(n) for n in np.ceil(np.linalg.norm(cell, axis=1) / spacing))
    exact = ReciprocalSum(sites, sites, kernel, s, 8.0 / np.sqrt(s)).field(c)
    mesh = MeshSum(sites, sites, kernel, s, shape, order).field(c)
    shells = [slice(d**2, (d + 1) ** 2) for d in range(l_max + 1)]
    power = np.array([np.sum(c[:, shell] ** 2) for shell in shells])
    predicted = mesh_errors(kernel, s, shape, order, power, number, l_max)
    for degree, shell in enumerate(shells):
        potential = (mesh.potential - exact.potential)[:, shell]
        gradient = (mesh.gradient - exact.gradient)[:, shell]
        potential_rms = np.sqrt(np.mean(potential**2))
        gradient_rms = np.sqrt(np.mean(np.sum(gradient**2, axis=-1)))
        stated = np.hypot(predicted.potential, predicted.own_potential)[degree]
        stated_gradient = np.hypot(predicted.gradient, predicted.own_gradient)[degree]
        # a root mean square over 80 sites that partly err together is not within a few per cent
        assert 0.5 * stated <= potential_rms <= 2.0 * stated
        assert 1.0 / 1.5 * stated_gradient <= gradient_rms <= 1.5 * stated_gradient


@settings(max_examples=6)
@given(generators(), kinds, st.integers(0, 2), st.integers(0, 2), st.booleans())
def test_fine_mesh_does_not_reach_the_exact_sum(generator, kind, target_l, source_l, points):
    assert_exact(generator, kind, target_l, source_l, points)


@pytest.mark.parametrize("kind", ["periodic", "slab"])
def test_high_multipoles_on_a_fine_mesh_do_not_reach_the_exact_sum(kind):
    assert_exact(np.random.default_rng(7), kind, 4, 4, False)


def assert_exact(generator, kind, target_l, source_l, points):
    cell = random_cell(generator, 3.0, 4.0, flattest=0.4)
    kernel = kernel_of(kind, cell)
    positions = generator.uniform(0.0, THICKNESS / np.sqrt(3.0), size=(9, 3))
    s = 1.0
    mixed = random_variances(generator, 9)
    variances = np.where(np.arange(9) < 5, 0.0, mixed) if points else mixed
    targets = Sites(positions[:5], variances[:5], target_l)
    sources = Sites(positions[5:], variances[5:], source_l)
    c = random_multipoles(generator, 4, source_l)
    dr = generator.normal(size=(4, 3))
    # e^{−k²s/2} is 1e-11 at k√s = 7, and the splines have nodes enough for 1.4 times that
    lengths = np.linalg.norm(kernel.cell, axis=1)
    shape = tuple(max(16, int(n)) for n in np.ceil(1.4 * 7.0 / np.sqrt(s) * lengths / np.pi))
    exact = ReciprocalSum(targets, sources, kernel, s, 7.0 / np.sqrt(s))
    mesh = MeshSum(targets, sources, kernel, s, shape, 16)
    expected, found = exact.field(c), mesh.field(c)
    push = exact.moved(c, dr)
    for degree in range(target_l + 1):
        shell = slice(degree**2, (degree + 1) ** 2)
        # every derivative of a wave at the cut-off multiplies its error by k = 8
        size = 8.0**degree * (np.abs(expected.potential).max() + np.abs(c).max())
        assert np.max(np.abs((found.potential - expected.potential)[:, shell])) <= 1e-9 * size
        assert np.max(np.abs((found.gradient - expected.gradient)[:, shell])) <= 1e-8 * size
        assert (
            np.max(np.abs((mesh.moved(c, dr) - push)[:, shell])) <= 1e-8 * size * np.abs(dr).max()
        )
    assert np.array_equal(mesh.potential(c), found.potential)


@given(generators(), kinds, st.integers(3, 9))
def test_gradient_is_not_the_derivative_of_a_coarse_mesh_potential(generator, kind, order):
    _, kernel, shape, (targets, sources), (_, c) = coarse_pair(generator, kind, order, 2)
    operator = MeshSum(targets, sources, kernel, 1.0, shape, order)
    field = operator.field(c)
    direction = generator.normal(size=targets.positions.shape)
    direction /= np.abs(direction).max()

    def potential(step):
        moved = moved_sites(targets, targets.positions + step * direction)
        return operator.between(moved, sources).potential(c)

    analytic = np.einsum("aAi,ai->aA", field.gradient, direction)
    size = np.abs(field.gradient).max() + np.abs(field.potential).max()
    # 4 steps stay between the knots, where the potential is a polynomial; the rounding of the
    # potential is that of its largest component
    noise = 2e-15 * np.abs(field.potential).max() + 1e-15 * np.abs(c).max()
    assert_derivative(analytic, potential, 5e-3, size, relative=1e-9, noise=noise)


@given(generators(), kinds, st.integers(3, 9))
def test_response_to_moved_sources_is_not_the_derivative(generator, kind, order):
    _, kernel, shape, (targets, sources), (_, c) = coarse_pair(generator, kind, order, 2)
    operator = MeshSum(targets, sources, kernel, 1.0, shape, order)
    dr = generator.normal(size=sources.positions.shape)
    dr /= np.abs(dr).max()

    def potential(step):
        return operator.between(
            targets, moved_sites(sources, sources.positions + step * dr)
        ).potential(c)

    response = operator.moved(c, dr)
    largest = np.abs(operator.potential(c)).max()
    noise = 2e-15 * largest + 1e-15 * np.abs(c).max()
    size = np.abs(response).max() + largest
    assert_derivative(response, potential, 5e-3, size, relative=1e-9, noise=noise)


@given(generators(), kinds, st.integers(3, 9))
def test_strain_is_not_the_derivative_of_a_coarse_mesh_form(generator, kind, order):
    cell, kernel, shape, (targets, sources), (t, c) = coarse_pair(generator, kind, order, 2)
    strain = MeshSum(targets, sources, kernel, 1.0, shape, order).strain(t, c)
    # any matrix: tilts of a slab out of its plane and rotations included
    direction = generator.normal(size=(3, 3))
    direction /= np.abs(direction).max() * 100.0  # positions lie up to a hundred bohr away

    def form(step):
        deform = (np.eye(3) + step * direction).T
        moved = [moved_sites(part, part.positions @ deform) for part in (targets, sources)]
        deformed = kernel_of(kind, cell, step * direction)
        return np.sum(t * MeshSum(*moved, deformed, 1.0, shape, order).potential(c))

    potential = MeshSum(targets, sources, kernel, 1.0, shape, order).potential(c)
    value = np.sum(np.abs(t * potential)) + np.abs(t).sum() * np.abs(c).max()
    size = np.abs(strain).max() / 100.0 + value
    assert_derivative(
        np.sum(strain * direction), form, 2e-3, size, relative=1e-9, noise=1e-15 * value
    )


@given(generators(), kinds, st.integers(2, 9))
def test_transposed_form_is_not_the_adjoint(generator, kind, order):
    _, kernel, shape, (targets, sources), (t, c) = coarse_pair(generator, kind, order, 4)
    operator = MeshSum(targets, sources, kernel, 1.0, shape, order)
    back = operator.transposed
    floor = 1e-15 * np.abs(t).sum() * np.abs(c).sum()  # coarse meshes may have no mode but k = 0
    left, right = t * operator.potential(c), c * back.potential(t)
    size = np.abs(left).sum() + np.abs(right).sum()
    assert abs(np.sum(left) - np.sum(right)) <= 2e-14 * size + floor
    dr = generator.normal(size=sources.positions.shape)
    push = t * operator.moved(c, dr)
    gradient = np.einsum("kB,kBi->ki", c, back.field(t).gradient) * dr
    size = np.abs(push).sum() + np.abs(gradient).sum()
    assert abs(np.sum(push) - np.sum(gradient)) <= 2e-14 * size + floor
    strain, other = operator.strain(t, c), back.strain(c, t)
    assert np.max(np.abs(strain - other)) <= 1e-13 * np.abs(strain).max() + 10 * floor


@given(generators(), st.integers(2, 9))
def test_lattice_translations_change_the_potential(generator, order):
    _, kernel, shape, (targets, sources), (_, c) = coarse_pair(generator, "periodic", order, 2)
    operator = MeshSum(targets, sources, kernel, 1.0, shape, order)
    shifts = generator.integers(-3, 4, size=targets.positions.shape) @ kernel.cell
    shifted = operator.between(moved_sites(targets, targets.positions + shifts), sources)
    expected, found = operator.field(c), shifted.field(c)
    # positions of a hundred bohr, rounded
    size = np.abs(expected.gradient).max() + np.abs(expected.potential).max()
    assert np.max(np.abs(found.potential - expected.potential)) <= 1e-12 * size
    if order > 3:  # slopes of lower orders are not smooth
        assert np.max(np.abs(found.gradient - expected.gradient)) <= 1e-11 * size


@given(generators(), st.integers(2, 9))
def test_sharing_prepared_points_changes_a_result(generator, order):
    _, kernel, shape, (targets, sources), (_, c) = coarse_pair(generator, "periodic", order, 1)
    same = Sites(sources.positions, np.full(len(sources), 0.2), 2)
    shared = MeshSum(targets, sources, kernel, 1.0, shape, order).between(same, sources)
    apart = MeshSum(moved_sites(same, same.positions.copy()), sources, kernel, 1.0, shape, order)
    assert np.array_equal(shared.potential(c), apart.potential(c))
    assert np.array_equal(shared.field(c).gradient, apart.field(c).gradient)


@settings(max_examples=6)
@given(generators(), st.integers(3, 5))
def test_aliases_shift_the_mean_own_energy(generator, order):
    s = 1.0
    cell = random_cell(generator, 6.0, 7.0, flattest=0.4)
    kernel = PeriodicKernel(cell)
    shape = tuple(int(n) for n in np.ceil(1.4 * np.linalg.norm(cell, axis=1)))
    # a lattice of shifts: the first 100 aliases along each axis average out, and all mixed ones
    # with n_1 n_2 n_3 up to 5: what is left of those is below (1/9)^p
    shifts = np.arange(101)[:, None] * LATTICE_RULE / 101.0 + generator.uniform(size=3)
    c = generator.normal(size=(1, 4))
    mesh = MeshSum(*[Sites(np.zeros((1, 3)), np.zeros(1), 1)] * 2, kernel, s, shape, order)
    own = np.zeros_like(c)
    for position in shifts / np.array(shape) @ cell:
        site = Sites(position[None], np.zeros(1), 1)
        own += mesh.between(site, site).potential(c) / len(shifts)
    site = Sites(np.zeros((1, 3)), np.zeros(1), 1)
    expected = ReciprocalSum(site, site, kernel, s, 9.0).potential(c)[0]
    # modes the mesh has not, and what the usual influence function, optimal for single potentials,
    # loses of the others: Re Σ_k Γ i^{λ_A−λ_B} R_A R_B (1 − a_0)
    optimal, missing = np.zeros((4, 4)), np.zeros((4, 4))
    for _, k, _ in ReciprocalGrid(kernel, tuple(3 * n for n in shape), order).planes():
        kappa = k @ cell.T / (2.0 * np.pi * np.array(shape))
        aliases = np.sinc(kappa[..., None] + np.arange(-5, 6)) ** (2 * order)
        kept = np.prod(aliases[..., 5] / aliases.sum(axis=-1), axis=-1)
        harmonics = solid_harmonics(1, k) * np.array([1.0, 1j, 1j, 1j])
        twice = np.where(np.arange(k.shape[2]) > 0, 2.0, 1.0)
        weight = twice * kernel.values(k) * gaussian(k, s, kernel)
        inside = np.all(np.abs(kappa) < 0.5 - 1e-9, axis=-1)
        for matrix, part in ((optimal, inside * (1.0 - kept)), (missing, ~inside)):
            rows = np.conj(harmonics) * (weight * part)[..., None]
            matrix += np.einsum("xyzA,xyzB->AB", rows, harmonics, optimize=True).real
    error = own[0] - expected + missing @ c[0]
    assert np.max(np.abs(error)) <= 1e-3 * np.max(np.abs(optimal @ c[0]))


def test_own_energy_lacks_the_smooth_kernel_at_the_origin():
    site = Sites(np.array([[0.3, 0.1, 0.2]]), np.zeros(1), 2)
    mesh = MeshSum(site, site, FreeKernel(np.zeros(3), 8.0), 1.0, (48, 48, 48), 14)
    own = OwnSite(CoulombKernel(), np.ones(1), 2, 2)
    for row in np.eye(9):
        difference = mesh.potential(row[None]) - own.potential(row[None])
        assert np.max(np.abs(difference)) <= 1e-9


def test_no_sites_fail():
    cell = 6.0 * np.eye(3)
    none = Sites(np.zeros((0, 3)), np.zeros(0), 1)
    some = Sites(np.ones((2, 3)), np.zeros(2), 0)
    operator = MeshSum(none, some, PeriodicKernel(cell), 1.0, (8, 8, 8), 4)
    assert operator.field(np.ones((2, 1))).gradient.shape == (0, 4, 3)
    assert np.array_equal(operator.transposed.potential(np.zeros((0, 4))), np.zeros((2, 1)))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"smooth_variance": -1.0}, "smooth variance is -1.0"),
        ({"smooth_variance": np.inf}, "smooth variance is inf"),
        ({"spline_order": 1}, "spline order is 1"),
        ({"spline_order": 21}, "spline order is 21"),
        ({"shape": (12, 5, 12)}, r"mesh shape is \(12, 5, 12\)"),
        ({"shape": (12, 12)}, r"mesh shape is \(12, 12\)"),
        ({"shape": (12, 12.5, 12)}, r"mesh shape is \(12, 12.5, 12\)"),
    ],
)
def test_bad_input_is_accepted(changed, message):
    sites = Sites(np.zeros((1, 3)), np.zeros(1), 0)
    arguments = {"smooth_variance": 1.0, "shape": (12, 12, 12), "spline_order": 6} | changed
    with pytest.raises(InputError, match=message):
        MeshSum(sites, sites, PeriodicKernel(np.eye(3)), **arguments)
