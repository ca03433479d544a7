"""DirectSum as a bilinear form: derivatives, adjoints, symmetry, tiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators, rotations
from strategies.finite_differences import assert_derivative
from strategies.multipole_forms import dense, uncancelled
from strategies.multipoles import multipole_systems

from scc.basis.solid_harmonics import solid_harmonics
from scc.electrostatics.multipoles import direct_sum
from scc.electrostatics.multipoles.direct_sum import DirectSum
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.own_site import OwnSite
from scc.electrostatics.multipoles.sites import Sites
from scc.errors import InputError

KERNEL = CoulombKernel()


def open_systems(**options):
    return multipole_systems(kinds=("open",), **options)


def summed(system):
    return DirectSum(system.targets, system.sources, KERNEL)


def smallest_scale(system):
    """Of all pairs the least max(r, √w): how far the interaction is analytic in a displacement."""
    x = system.targets.positions[:, None] - system.sources.positions
    w = system.targets.variances[:, None] + system.sources.variances
    return float(np.sqrt(np.maximum(np.sum(x**2, axis=-1), w).min()))


def with_sources(system, positions):
    sites = system.sources
    return Sites(positions, sites.variances, sites.l_max)


def with_targets(system, positions):
    sites = system.targets
    return Sites(positions, sites.variances, sites.l_max)


# -------------------------------------------------------------------------- derivatives, adjoints


@given(open_systems())
def test_the_field_is_not_the_derivative_with_respect_to_targets(system):
    field = summed(system).field(system.multipoles)
    size = uncancelled(summed(system).potential, system.multipoles)
    potential = summed(system).potential(system.multipoles)
    assert np.all(np.abs(field.potential - potential) <= 1e-14 * size.max())
    step = 0.01 * smallest_scale(system)
    push = uncancelled(lambda c: summed(system).field(c).gradient, system.multipoles)
    for axis in range(3):

        def moved(s, axis=axis):
            there = with_targets(system, system.targets.positions + s * np.eye(3)[axis])
            return DirectSum(there, system.sources, KERNEL).potential(system.multipoles)

        for degree in range(system.targets.l_max + 1):
            block = slice(degree**2, (degree + 1) ** 2)
            assert_derivative(
                field.gradient[:, block, axis],
                lambda s, f=moved, block=block: f(s)[:, block],
                step,
                push[:, block].max(),
                1e-9,
            )


@given(open_systems(), generators())
def test_moved_is_not_the_derivative_with_respect_to_sources(system, generator):
    displacement = generator.normal(size=system.sources.positions.shape)
    displacement /= np.linalg.norm(displacement, axis=1).max()
    moved = summed(system).moved(system.multipoles, displacement)
    push = uncancelled(lambda c: summed(system).moved(c, displacement), system.multipoles)

    def there(s):
        sources = with_sources(system, system.sources.positions + s * displacement)
        return DirectSum(system.targets, sources, KERNEL).potential(system.multipoles)

    for degree in range(system.targets.l_max + 1):
        block = slice(degree**2, (degree + 1) ** 2)
        assert_derivative(
            moved[:, block],
            lambda s, block=block: there(s)[:, block],
            0.01 * smallest_scale(system),
            push[:, block].max(),
            1e-9,
        )


@given(open_systems(), generators())
def test_strain_is_not_the_derivative_with_respect_to_a_deformation(system, generator):
    direction = generator.normal(size=(3, 3))
    direction /= np.linalg.norm(direction, 2)
    strain = summed(system).strain(system.probes, system.multipoles)

    def form(s):
        deformation = (np.eye(3) + s * direction).T
        deformed = DirectSum(
            with_targets(system, system.targets.positions @ deformation),
            with_sources(system, system.sources.positions @ deformation),
            KERNEL,
        )
        return np.sum(system.probes * deformed.potential(system.multipoles))

    # |X| changes by at most itself in a unit of s: analytic within about 1.
    potential = uncancelled(summed(system).potential, system.multipoles)
    noise = 1e-15 * np.sum(np.abs(system.probes) * potential)
    size = uncancelled(lambda c: summed(system).strain(system.probes, c), system.multipoles).max()
    assert_derivative(float(np.sum(strain * direction)), form, 0.005, size, 1e-9, noise)


@given(open_systems(), generators())
def test_a_product_is_not_the_adjoint_of_its_transpose(system, generator):
    form = summed(system)
    forward = np.sum(system.probes * form.potential(system.multipoles))
    backward = np.sum(form.transposed.potential(system.probes) * system.multipoles)
    size = np.sum(np.abs(system.probes) * uncancelled(form.potential, system.multipoles))
    assert forward == pytest.approx(backward, rel=0, abs=1e-13 * size)

    displacement = generator.normal(size=system.sources.positions.shape)
    response = np.sum(system.probes * form.moved(system.multipoles, displacement))
    gradient = form.transposed.field(system.probes).gradient
    adjoint = np.einsum("ka,kai,ki->", system.multipoles, gradient, displacement)
    push = uncancelled(lambda c: form.moved(c, displacement), system.multipoles)
    allowed = 1e-13 * np.sum(np.abs(system.probes) * push)
    assert response == pytest.approx(adjoint, rel=0, abs=allowed)

    strain = form.strain(system.probes, system.multipoles)
    other = form.transposed.strain(system.multipoles, system.probes)
    size = uncancelled(lambda c: form.strain(system.probes, c), system.multipoles)
    assert np.abs(strain - other).max() <= 1e-13 * size.max()


@given(open_systems())
def test_forces_do_not_add_up_to_zero(system):
    form = summed(system)
    probes = np.abs(system.probes)[..., None]
    on_targets = np.sum(system.probes[..., None] * form.field(system.multipoles).gradient, axis=1)
    back = form.transposed.field(system.probes).gradient
    on_sources = np.sum(system.multipoles[..., None] * back, axis=1)
    size = np.sum(probes * uncancelled(lambda c: form.field(c).gradient, system.multipoles))
    assert np.abs(on_targets.sum(axis=0) + on_sources.sum(axis=0)).max() <= 1e-14 * size


# -------------------------------------------------------------------------------------- symmetry


@given(open_systems(), st.integers(-512, 512))
def test_translation_changes_a_bit(system, shift):
    def rounded(sites, by):
        """Positions on a grid of 2⁻²⁰: differences are the same numbers wherever they are."""
        return Sites(np.round(sites.positions * 2**20) / 2**20 + by, sites.variances, sites.l_max)

    here = DirectSum(rounded(system.targets, 0), rounded(system.sources, 0), KERNEL)
    there = DirectSum(rounded(system.targets, shift), rounded(system.sources, shift), KERNEL)
    for one, other in zip(
        here.field(system.multipoles), there.field(system.multipoles), strict=True
    ):
        assert np.array_equal(one, other)


@given(open_systems(), rotations())
def test_potentials_do_not_turn_with_the_sites(system, rotation):
    points = np.random.default_rng(0).normal(size=(60, 3))

    def turned(coefficients, l_max):
        """R_A(Qx) = Σ_B D_AB R_B(x): n(Q⁻¹x) has the multipoles D p."""
        result = np.empty_like(coefficients)
        for degree in range(l_max + 1):
            block = slice(degree**2, (degree + 1) ** 2)
            before = solid_harmonics(degree, points)[:, block]
            after = solid_harmonics(degree, points @ rotation.T)[:, block]
            matrix = np.linalg.lstsq(before, after, rcond=None)[0].T
            result[:, block] = coefficients[:, block] @ matrix.T
        return result

    before = turned(summed(system).potential(system.multipoles), system.targets.l_max)
    after = DirectSum(
        with_targets(system, system.targets.positions @ rotation.T),
        with_sources(system, system.sources.positions @ rotation.T),
        KERNEL,
    ).potential(turned(system.multipoles, system.sources.l_max))
    size = uncancelled(summed(system).potential, system.multipoles)
    for degree in range(system.targets.l_max + 1):
        block = slice(degree**2, (degree + 1) ** 2)
        assert np.abs(after - before)[:, block].max() <= 1e-12 * size[:, block].max()


@given(open_systems(max_sites=8), generators())
def test_the_order_of_sites_matters(system, generator):
    rows = generator.permutation(len(system.targets))
    columns = generator.permutation(len(system.sources))

    def chosen(sites, order):
        return Sites(sites.positions[order], sites.variances[order], sites.l_max)

    one = summed(system).potential(system.multipoles)
    other = DirectSum(
        chosen(system.targets, rows), chosen(system.sources, columns), KERNEL
    ).potential(system.multipoles[columns])
    size = uncancelled(summed(system).potential, system.multipoles)
    assert np.abs(other - one[rows]).max() <= 1e-14 * size.max()


@given(open_systems(max_sites=6, points=False))
def test_a_density_of_gaussians_has_negative_energy(system):
    sites = system.sources
    pairs = dense(DirectSum(sites, sites, KERNEL, True), len(sites), sites.n_components)
    own = dense(
        OwnSite(KERNEL, 2.0 * sites.variances, sites.l_max, sites.l_max),
        len(sites),
        sites.n_components,
    )
    assert not np.any(np.diag(pairs))
    scale = 1.0 / np.sqrt(np.diag(own))
    values = np.linalg.eigvalsh((pairs + own) * scale * scale[:, None])
    # A unit diagonal, so rounding moves eigenvalues by n ε at most.
    assert values.min() >= -1e-14 * len(values)
    if len(sites) > 1:
        assert np.linalg.eigvalsh(pairs * scale * scale[:, None]).min() < 0.0


# ---------------------------------------------------------------------------------- bookkeeping


@pytest.mark.parametrize("l_target", [0, 2])
@pytest.mark.parametrize("own_site", [False, True])
def test_something_is_lost_between_tiles(monkeypatch, own_site, l_target):
    generator = np.random.default_rng(5)
    positions = generator.normal(size=(37, 3))
    sources = Sites(positions, generator.uniform(0.0, 1.0, 37), 1)
    targets = Sites(
        positions if own_site else positions[:23] + 0.1,
        sources.variances[: 37 if own_site else 23],
        l_target,
    )
    multipoles = generator.normal(size=(37, 4))
    probes = generator.normal(size=(len(targets), targets.n_components))
    whole = DirectSum(targets, sources, KERNEL, own_site)
    results = [whole.field(multipoles), whole.strain(probes, multipoles)]
    monkeypatch.setattr(direct_sum, "_TILE_NUMBERS", 1000)
    monkeypatch.setattr(direct_sum, "_SOURCES_OF_A_TILE", 10)
    parts = [whole.field(multipoles), whole.strain(probes, multipoles)]
    for one, other in zip([*results[0], results[1]], [*parts[0], parts[1]], strict=True):
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-13 * np.abs(one).max())


def test_something_is_lost_in_a_system_larger_than_a_tile():
    generator = np.random.default_rng(6)
    number = 700
    sites = Sites(generator.normal(size=(number, 3)) * 5.0, np.full(number, 0.3), 1)
    multipoles = generator.normal(size=(number, 4))
    whole = DirectSum(sites, sites, KERNEL, True).potential(multipoles)
    for target in (0, 255, 256, 699):
        others = np.delete(np.arange(number), target)
        alone = DirectSum(
            Sites(sites.positions[[target]], sites.variances[[target]], 1),
            Sites(sites.positions[others], sites.variances[others], 1),
            KERNEL,
        ).potential(multipoles[others])
        np.testing.assert_allclose(
            whole[target], alone[0], rtol=0, atol=1e-14 * np.abs(whole).max()
        )


@given(open_systems(l_max=4), st.integers(0, 4), st.integers(0, 4))
def test_the_largest_l_of_one_side_changes_the_blocks_of_the_other(system, l_target, l_source):
    largest = DirectSum(
        Sites(system.targets.positions, system.targets.variances, 4),
        Sites(system.sources.positions, system.sources.variances, 4),
        KERNEL,
    )
    smaller = DirectSum(
        Sites(system.targets.positions, system.targets.variances, l_target),
        Sites(system.sources.positions, system.sources.variances, l_source),
        KERNEL,
    )
    own = np.random.default_rng(0).normal(size=(len(system.sources), (l_source + 1) ** 2))
    padded = np.zeros((len(own), 25))
    padded[:, : own.shape[1]] = own
    expected = largest.potential(padded)[:, : (l_target + 1) ** 2]
    found = smaller.potential(own)
    for degree in range(l_target + 1):
        block = slice(degree**2, (degree + 1) ** 2)
        size = uncancelled(smaller.potential, own)[:, block].max()
        np.testing.assert_allclose(found[:, block], expected[:, block], rtol=0, atol=1e-13 * size)


@pytest.mark.parametrize("distance", [0.0, 1e-16])
def test_points_on_points_give_a_number(distance):
    targets = Sites(np.array([[3.0, 0.0, 0.0], [distance, 0.0, 0.0]]), np.zeros(2), 0)
    sources = Sites(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), np.zeros(2), 2)
    with pytest.raises(InputError, match="point target 1 lies on point source 1"):
        DirectSum(targets, sources, KERNEL).potential(np.zeros((2, 9)))
    # A width on either side, or their being each other's own, makes it finite.
    smeared = Sites(targets.positions, np.array([0.0, 0.1]), 0)
    assert np.all(np.isfinite(DirectSum(smeared, sources, KERNEL).potential(np.ones((2, 9)))))
    own = DirectSum(targets, targets, KERNEL, True)
    assert np.all(np.isfinite(own.field(np.ones((2, 1))).gradient))


def test_unequal_numbers_are_taken_for_each_others_own_sites():
    one, two = Sites(np.zeros((1, 3)), np.ones(1), 0), Sites(np.ones((2, 3)), np.ones(2), 0)
    with pytest.raises(InputError, match="1 targets cannot sit on 2 sources"):
        DirectSum(one, two, KERNEL, True)


def test_a_single_site_acts_on_itself():
    site = Sites(np.ones((1, 3)), np.ones(1), 2)
    pairs = DirectSum(site, site, KERNEL, True)
    assert not np.any(pairs.field(np.ones((1, 9))).gradient)
    assert not np.any(pairs.potential(np.ones((1, 9))))
    assert not np.any(pairs.strain(np.ones((1, 9)), np.ones((1, 9))))
