"""The Ewald sum over wave vectors, alone and with an image sum for the short-ranged part."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf
from strategies.configurations import generators, rotations
from strategies.finite_differences import assert_derivative
from strategies.image_sum import REACH, ImageSum, Remainder, ewald, smooth_variance
from strategies.multipoles import (
    LARGEST_WIDTH,
    multipole_rotation,
    multipole_systems,
    random_cell,
    random_multipoles,
    random_variances,
    scattered,
)

from scc.configuration import Configuration
from scc.electrostatics.ewald_charges import EwaldInteraction
from scc.electrostatics.multipoles import lattice_waves, reciprocal_sum
from scc.electrostatics.multipoles.direct_sum import DirectSum
from scc.electrostatics.multipoles.interaction import SumOfInteractions
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.own_site import OwnSite
from scc.electrostatics.multipoles.reciprocal_kernels import (
    FreeKernel,
    PeriodicKernel,
    SlabKernel,
)
from scc.electrostatics.multipoles.reciprocal_sum import ReciprocalSum
from scc.electrostatics.multipoles.screened_splitting import EqualCharges
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.yukawa import YukawaKernel
from scc.errors import InputError

fractions = st.floats(0.03, 0.2)  # s/Ω^{2/3}: from mostly pairs to mostly waves
periodic = multipole_systems(kinds=("periodic",))


def site_system(generator, l_max, number=4, points=True):
    cell = random_cell(generator)
    variances = random_variances(generator, number, points)
    sites = Sites(scattered(generator, number, cell), variances, l_max)
    return cell, sites, random_multipoles(generator, number, l_max)


def scale(multipoles, potential):
    """½ Σ |p·V|, what relative errors of an energy are relative to."""
    return 0.5 * np.sum(np.abs(multipoles * potential))


@given(generators(), st.integers(0, 2), fractions, fractions)
def test_energy_forces_or_stress_depend_on_the_splitting(generator, l_max, first, second):
    cell, sites, p = site_system(generator, l_max)
    one, other = (ewald(cell, sites, sites, f, own_site=True) for f in (first, second))
    potential, gradient = one.field(p)
    assert abs(np.sum(p * (potential - other.potential(p)))) <= 2e-12 * scale(p, potential)
    force = np.einsum("aA,aAi->ai", p, gradient)
    change = force - np.einsum("aA,aAi->ai", p, other.field(p).gradient)
    # forces of a symmetric arrangement vanish: an energy over the shortest distance in the cell
    length = np.linalg.norm(cell, axis=1).min()
    size = np.abs(force).max() + scale(p, potential) / length
    assert np.max(np.abs(change)) <= 1e-12 * size
    strain = one.strain(p, p)
    size = np.abs(strain).max() + scale(p, potential)
    assert np.max(np.abs(strain - other.strain(p, p))) <= 1e-12 * size


@given(multipole_systems(kinds=("periodic",), l_max=4), fractions, fractions)
def test_potentials_of_mixed_widths_depend_on_the_splitting(system, first, second):
    cell, c = system.boundary.cell, system.multipoles
    one, other = (ewald(cell, system.targets, system.sources, f) for f in (first, second))
    potential = one.potential(c)
    blocks = [slice(l**2, (l + 1) ** 2) for l in range(system.targets.l_max + 1)]  # noqa: E741
    for block in blocks:
        change = potential[:, block] - other.potential(c)[:, block]
        # A single l may nearly vanish; charges of the cell at its mean spacing set the least size
        size = np.abs(potential[:, block]).max() + np.abs(c[:, 0]).sum() / np.cbrt(system.volume)
        assert np.max(np.abs(change)) <= 1e-12 * size


@settings(max_examples=15)
@given(multipole_systems(l_max=4, kinds=("periodic", "slab")), generators())
def test_transposed_form_is_not_the_adjoint(system, generator):
    operator = reciprocal(system)
    dr = generator.normal(size=system.sources.positions.shape)
    t, c = system.probes, system.multipoles
    potential, back = operator.potential(c), operator.transposed.potential(t)
    size = np.abs(t * potential).sum() + np.abs(c * back).sum()
    assert abs(np.sum(t * potential) - np.sum(c * back)) <= 1e-14 * size
    # moving the sources is the transposed form's own gradient
    moved = operator.moved(c, dr)
    gradient = np.einsum("kB,kBi->ki", c, operator.transposed.field(t).gradient)
    size = np.abs(t * moved).sum() + np.abs(gradient * dr).sum()
    assert abs(np.sum(t * moved) - np.sum(gradient * dr)) <= 1e-14 * size
    strain = operator.strain(t, c)
    other = operator.transposed.strain(c, t)
    assert np.max(np.abs(strain - other)) <= 1e-13 * np.max(np.abs(strain)) + 1e-14 * size


def reciprocal(system, positions=None, cell=None, sources=None):
    """ReciprocalSum of a periodic or slab system, possibly with other positions or another cell."""
    boundary = system.boundary
    cell = boundary.cell if cell is None else cell
    targets = system.targets if positions is None else moved_sites(system.targets, positions)
    sources = system.sources if sources is None else moved_sites(system.sources, sources)
    s = smooth_variance(boundary.cell, 0.06)
    if boundary.kind == "slab":
        plane = cell[np.flatnonzero(boundary.periodic)]
        both = np.concatenate([system.targets.positions, system.sources.positions])
        widest = max(s, system.targets.variances.max() + system.sources.variances.max())
        # half a bohr more than the extent: tests displace sites by less than that
        kernel = SlabKernel.covering(plane, both, REACH * np.sqrt(widest) + 0.5)
    else:
        kernel = PeriodicKernel(cell)
    return ReciprocalSum(targets, sources, kernel, s, REACH / np.sqrt(s))


def moved_sites(sites, positions):
    return Sites(positions, sites.variances, sites.l_max)


@settings(max_examples=15)
@given(multipole_systems(l_max=3, kinds=("periodic", "slab")), generators())
def test_gradients_are_not_derivatives(system, generator):
    operator, c = reciprocal(system), system.multipoles
    direction = generator.normal(size=system.targets.positions.shape)
    dr = generator.normal(size=system.sources.positions.shape)
    # Gaussians e^{−x²/2W} with W ≥ s grow e^{9/2}-fold within 3√s of the real axis, the harmonics
    # of λ = 6 a little more: R = 3√s and h = R/300 leave 9!·e^{4.5}/630/300⁸ ≪ 1e-9.
    step = 0.01 * np.sqrt(smooth_variance(system.boundary.cell, 0.06))
    step /= max(np.abs(direction).max(), np.abs(dr).max())
    potential, gradient = operator.field(c)
    analytic = np.einsum("aAi,ai->aA", gradient, direction)
    assert np.array_equal(potential, operator.potential(c)) or np.allclose(
        potential, operator.potential(c), rtol=1e-13, atol=1e-14 * np.abs(potential).max()
    )

    def along(x):
        return reciprocal(system, positions=system.targets.positions + x * direction).potential(c)

    assert_derivative(analytic, along, step, np.abs(gradient).max(), relative=1e-9)

    def pulled(x):
        return reciprocal(system, sources=system.sources.positions + x * dr).potential(c)

    assert_derivative(
        operator.moved(c, dr), pulled, step, np.abs(operator.moved(c, dr)).max(), relative=1e-9
    )


@settings(max_examples=15)
@given(multipole_systems(l_max=3, kinds=("periodic", "slab")), generators())
def test_strain_is_not_the_derivative_of_a_charged_cell(system, generator):
    t, c = system.probes, system.multipoles
    direction = generator.normal(size=(3, 3))
    direction /= np.abs(direction).max()

    def form(x):
        map_ = np.eye(3) + x * direction
        operator = reciprocal(
            system,
            system.targets.positions @ map_.T,
            system.boundary.cell @ map_.T,
            system.sources.positions @ map_.T,
        )
        return float(np.sum(t * operator.potential(c)))

    operator = reciprocal(system)
    strain = operator.strain(t, c)
    size = max(np.abs(strain).max(), 0.1 * np.sum(np.abs(t * operator.potential(c))))
    # exponents k²s/2 up to 43 change by that times the strain, hence h small against 1/43
    noise = 2e-15 * np.sum(np.abs(t * operator.potential(c)))
    assert_derivative(np.sum(strain * direction), form, 1.5e-3, size, relative=1e-9, noise=noise)


@settings(max_examples=15)
@given(multipole_systems(l_max=4, kinds=("periodic", "slab")))
def test_net_force_on_targets_and_sources(system):
    operator, t, c = reciprocal(system), system.probes, system.multipoles
    on_targets = np.einsum("aA,aAi->ai", t, operator.field(c).gradient)
    on_sources = np.einsum("kB,kBi->ki", c, operator.transposed.field(t).gradient)
    both = np.concatenate([on_targets, on_sources])
    parts = np.einsum("aA,aAi->ai", np.abs(t), np.abs(operator.field(c).gradient)).sum()
    assert np.max(np.abs(both.sum(axis=0))) <= 1e-14 * (np.abs(both).sum() + parts)


@given(periodic, generators(), fractions)
def test_translation_or_permutation_or_wrapping_changes_potentials(system, generator, fraction):
    cell, c = system.boundary.cell, system.multipoles
    shift = generator.normal(size=3) * 10.0
    wraps = generator.integers(-3, 4, size=system.sources.positions.shape) @ cell
    order = generator.permutation(len(system.sources))
    sources = Sites(
        (system.sources.positions + shift + wraps)[order],
        system.sources.variances[order],
        system.sources.l_max,
    )
    targets = moved_sites(system.targets, system.targets.positions + shift)
    one = ewald(cell, system.targets, system.sources, fraction).potential(c)
    other = ewald(cell, targets, sources, fraction).potential(c[order])
    # positions up to 1e2 bohr are rounded by 1e-14; a point multipole 0.2 bohr away feels that
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-12 * np.abs(one).max())


@given(periodic, rotations(), fractions)
def test_rotation_does_not_turn_potentials_along(system, rotation, fraction):
    cell = system.boundary.cell
    one = ewald(cell, system.targets, system.sources, fraction).potential(system.multipoles)
    turned = ewald(
        cell @ rotation.T,
        moved_sites(system.targets, system.targets.positions @ rotation.T),
        moved_sites(system.sources, system.sources.positions @ rotation.T),
        fraction,
    )
    harmonics = multipole_rotation(system.sources.l_max, rotation)
    other = turned.potential(system.multipoles @ harmonics.T)
    expected = one @ multipole_rotation(system.targets.l_max, rotation).T
    np.testing.assert_allclose(other, expected, rtol=0, atol=1e-12 * np.abs(one).max())


@settings(max_examples=15)
@given(periodic, generators(), fractions)
def test_supercell_or_other_cell_vectors_change_potentials(system, generator, fraction):
    cell, c = system.boundary.cell, system.multipoles
    one = ewald(cell, system.targets, system.sources, fraction).potential(c)
    unimodular = np.eye(3, dtype=int)
    for _ in range(3):
        i, j = generator.choice(3, 2, replace=False)
        unimodular[i] += generator.integers(-2, 3) * unimodular[j]
    skew = unimodular @ cell
    copies = int(generator.integers(2, 4))
    supercell = cell * np.array([[1], [copies], [1]])
    many = Sites(
        np.concatenate([system.sources.positions + n * cell[1] for n in range(copies)]),
        np.tile(system.sources.variances, copies),
        system.sources.l_max,
    )
    # cancellation in the entries of the skew cell, up to (1 + 2)³ times larger than the lattice
    tolerance = 1e-12 * np.abs(one).max() * np.abs(unimodular).max()
    other = ewald(skew, system.targets, system.sources, fraction).potential(c)
    np.testing.assert_allclose(other, one, rtol=0, atol=tolerance)
    other = ewald(supercell, system.targets, many, fraction).potential(np.tile(c, (copies, 1)))
    np.testing.assert_allclose(other, one, rtol=0, atol=tolerance)


@given(generators(), fractions)
def test_gaussian_charges_disagree_with_the_charge_only_ewald_sum(generator, fraction):
    cell, sites, _ = site_system(generator, 0, points=False)
    configuration = Configuration(("H",) * 4, sites.positions, cell, (True,) * 3)
    reference = EwaldInteraction(configuration, np.sqrt(sites.variances)).matrix
    variances = 2.0 * sites.variances
    own = OwnSite(CoulombKernel(), variances, 0, 0)
    operator = SumOfInteractions([ewald(cell, sites, sites, fraction, own_site=True), own])
    matrix = np.hstack([operator.potential(column[:, None]) for column in np.eye(4)])
    np.testing.assert_allclose(matrix, reference, rtol=0, atol=2e-14 * np.abs(reference).max())


@given(multipole_systems(kinds=("slab",)), fractions, fractions)
def test_slab_depends_on_the_splitting(system, first, second):
    """Points and mixed widths, neutral or charged: images in the plane and the slab kernel."""
    flags = np.flatnonzero(system.boundary.periodic)
    plane, c = system.boundary.cell[flags], system.multipoles
    both = np.concatenate([system.targets.positions, system.sources.positions])
    area = np.linalg.norm(np.cross(*plane))

    def operator(fraction):
        s = fraction * area
        widest = max(s, system.targets.variances.max() + system.sources.variances.max())
        kernel = SlabKernel.covering(plane, both, REACH * np.sqrt(widest))
        remainder = Remainder(CoulombKernel(), s)
        near = ImageSum(system.targets, system.sources, plane, remainder, REACH * np.sqrt(s))
        far = ReciprocalSum(system.targets, system.sources, kernel, s, REACH / np.sqrt(s))
        return SumOfInteractions([near, far])

    one, other = operator(first), operator(second)
    field, change = one.field(c), other.field(c)
    # the potential of a sheet, 2πQ|z|/A, is what charged sheets cancel from
    size = np.abs(field.potential).max()
    size += 2.0 * np.pi * np.abs(c[:, 0]).sum() * np.ptp(both @ np.cross(*plane)) / area**2
    np.testing.assert_allclose(field.potential, change.potential, rtol=0, atol=1e-12 * size)
    size = np.abs(field.gradient).max()
    np.testing.assert_allclose(field.gradient, change.gradient, rtol=0, atol=2e-12 * size)


@settings(max_examples=15)
@given(multipole_systems(kinds=("periodic", "slab"), screened=True), fractions, fractions)
def test_screened_sums_depend_on_the_splitting(system, first, second):
    """In the convention of :mod:`screened_splitting`, in which the remainder is short-ranged."""
    boundary, c = system.boundary, system.multipoles
    kappa = min(boundary.screening, 1.0 / LARGEST_WIDTH)  # e^{−κ²W/2} leaves something of widest
    lattice = boundary.cell[np.flatnonzero(boundary.periodic)]
    both = np.concatenate([system.targets.positions, system.sources.positions])

    def operator(fraction):
        s = smooth_variance(boundary.cell, fraction)
        widest = max(s, system.targets.variances.max() + system.sources.variances.max())
        if boundary.kind == "slab":
            kernel = SlabKernel.covering(lattice, both, REACH * np.sqrt(widest), kappa)
        else:
            kernel = PeriodicKernel(lattice, kappa)
        remainder = Remainder(EqualCharges(YukawaKernel(kappa), kappa), s)
        near = ImageSum(system.targets, system.sources, lattice, remainder, REACH * np.sqrt(s))
        far = ReciprocalSum(system.targets, system.sources, kernel, s, REACH / np.sqrt(s))
        return SumOfInteractions([near, far])

    one, other = operator(first), operator(second)
    field, change = one.field(c), other.field(c)
    # a uniform charge's screened potential, 4πQ/Ωκ² or (slab) 2πQ/Aκ, is what is cancelled from
    measure = boundary.measure * (kappa / 2.0 if boundary.kind == "periodic" else 1.0)
    size = np.abs(field.potential).max() + 2.0 * np.pi * np.abs(c[:, 0]).sum() / measure / kappa
    np.testing.assert_allclose(field.potential, change.potential, rtol=0, atol=1e-12 * size)
    size = np.abs(field.gradient).max() + np.abs(field.potential).max()
    np.testing.assert_allclose(field.gradient, change.gradient, rtol=0, atol=2e-12 * size)
    strain, turned = (o.strain(system.probes, c) for o in (one, other))
    if boundary.kind == "periodic":
        size = np.abs(strain).max() + np.abs(system.probes * field.potential).sum()
        np.testing.assert_allclose(strain, turned, rtol=0, atol=1e-12 * size)


@settings(max_examples=10)
@given(generators())
def test_slab_is_not_the_limit_of_crystals_of_thick_vacuum(generator):
    """Neutral slabs: 3D sum with conducting surroundings + 2πM_z²/Ω, error e^{−2π(L−D)/a}.

    I.-C. Yeh, M. L. Berkowitz, J. Chem. Phys. 111, 3155 (1999).
    """
    side, height, length = 4.0, 3.0, 26.0
    positions = generator.uniform(0.0, 1.0, (4, 3)) * np.array([side, side, height])
    sites = Sites(positions, generator.uniform(0.3, 1.0, 4), 2)
    p = random_multipoles(generator, 4, 2, neutral=True)
    plane = np.diag([side, side, 0.0])[:2]
    kernel = SlabKernel.covering(plane, positions, REACH * np.sqrt(2.0))
    slab = ReciprocalSum(sites, sites, kernel, 0.1, REACH / np.sqrt(0.6))
    box = np.diag([side, side, length])
    crystal = ReciprocalSum(sites, sites, PeriodicKernel(box), 0.1, REACH / np.sqrt(0.6))
    moment = p[:, 0] @ positions[:, 2] + p[:, 2].sum()
    correction = 4.0 * np.pi * moment**2 / (side * side * length)
    # e^{−2π·23/4} = 2e-16. Wide Gaussians have zero average each in the crystal, not in the slab:
    # (2π/Ω) q_a q_b (σ_a² + σ_b²) sums to zero for neutral cells, and so does 2πQ Σqz²/Ω.
    first, second = np.sum(p * slab.potential(p)), np.sum(p * crystal.potential(p)) + correction
    assert abs(first - second) <= 1e-13 * np.sum(np.abs(p * slab.potential(p)))


def test_field_of_a_plate_capacitor():
    """Two oppositely charged lattices d apart: Δφ = 4πQd/A across, no field outside."""
    plane = np.array([[2.0, 0.3, 0.0], [-0.4, 1.8, 0.0]])
    area, gap = np.linalg.norm(np.cross(*plane)), 6.0
    sources = Sites(np.array([[0.2, 0.1, -3.0], [0.9, 1.4, 3.0]]), np.full(2, 0.5), 0)
    targets = Sites(
        np.array([[0.3, 0.7, z] for z in (-20.0, -14.0, 0.0, 14.0, 20.0)]), np.ones(5), 1
    )
    both = np.concatenate([sources.positions, targets.positions])
    kernel = SlabKernel.covering(plane, both, 12.0)
    potential = ReciprocalSum(targets, sources, kernel, 0.5, 8.5).potential(
        np.array([[0.7], [-0.7]])
    )
    step = 4.0 * np.pi * 0.7 * gap / area
    # Variations in the plane have decayed like e^{−2πz/2 − (2π/2)²W/2}, W = 1.5. In the middle
    # the tails of the smeared plates, 3 away, are left.
    np.testing.assert_allclose(
        potential[[0, 1, 3, 4], 0], np.array([1, 1, -1, -1]) * step / 2, atol=1e-13 * step
    )
    middle = -step / gap * erf(3.0 / np.sqrt(2.0 * 1.5))
    np.testing.assert_allclose(potential[2, 2], middle, rtol=1e-6)
    np.testing.assert_allclose(potential[[0, 1, 3, 4], 1:], 0.0, atol=1e-13 * step)


@pytest.mark.parametrize("s", [0.05, 0.2, 0.8, 1.0, 2.0, 4.0, 5.0])
def test_wide_and_narrow_sites_share_a_wrong_variance(s):
    """Classes of widths against one site at a time, for which there is only one class."""
    generator = np.random.default_rng(5)
    cell = random_cell(generator)
    variances = np.array([0.0, 0.1, 0.1, 0.8, 2.0, 2.0])
    positions = scattered(generator, 6, cell)
    p = random_multipoles(generator, 6, 1)

    def operator(one, other):
        targets, sources = (Sites(positions[i], variances[i], 1) for i in (one, other))
        return ReciprocalSum(targets, sources, PeriodicKernel(cell), s, 6.0)

    everyone = np.arange(6)
    together = operator(everyone, everyone)
    pairs = [[operator([a], [b]) for b in everyone] for a in everyone]
    potentials = np.array([[pairs[a][b].potential(p[[b]])[0] for b in everyone] for a in everyone])
    np.testing.assert_allclose(
        together.potential(p),
        potentials.sum(axis=1),
        rtol=0,
        atol=1e-14 * np.abs(potentials).sum(axis=1).max(),
    )
    strains = np.array([pairs[a][b].strain(p[[a]], p[[b]]) for a in everyone for b in everyone])
    np.testing.assert_allclose(
        together.strain(p, p),
        strains.sum(axis=0),
        rtol=0,
        atol=1e-14 * np.abs(strains).sum(axis=0).max(),
    )


def test_factors_made_anew_for_each_block_differ_from_stored_ones(monkeypatch):
    generator = np.random.default_rng(6)
    cell, sites, p = site_system(generator, 2, number=40)
    one = ReciprocalSum(sites, sites, PeriodicKernel(cell), 0.5, 8.0).field(p)
    monkeypatch.setattr(lattice_waves, "_BLOCK", 200)
    monkeypatch.setattr(lattice_waves, "_STORED", 0)
    monkeypatch.setattr(reciprocal_sum, "_STORED", 0)
    other = ReciprocalSum(sites, sites, PeriodicKernel(cell), 0.5, 8.0).field(p)
    for first, second in zip(one, other, strict=True):
        np.testing.assert_allclose(first, second, rtol=0, atol=1e-14 * np.abs(first).max())


def test_strain_in_free_space_is_not_the_virial_of_the_direct_sum():
    generator = np.random.default_rng(7)
    positions = generator.normal(size=(5, 3)) * 2.0 + 100.0
    sites = Sites(positions, np.full(5, 0.7), 2)
    p = random_multipoles(generator, 5, 2)
    kernel = FreeKernel.covering(positions, 12.0)
    one = ReciprocalSum(sites, sites, kernel, 0.5, 9.0).strain(p, p)
    other = DirectSum(sites, sites, CoulombKernel()).strain(p, p)
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-12 * np.abs(other).max())


def test_no_sites_on_one_side():
    none, one = (Sites(np.ones((n, 3)), np.ones(n), 1) for n in (0, 1))
    p = np.ones((1, 4))
    operator = ReciprocalSum(none, one, PeriodicKernel(np.eye(3)), 1.0, 9.0)
    assert operator.potential(p).shape == (0, 4)
    assert not np.any(operator.strain(p[:0], p))
    assert not np.any(operator.transposed.potential(p[:0]))


def test_bad_parameters_pass():
    sites = Sites(np.zeros((1, 3)), np.ones(1), 0)
    for s, cutoff, word in ((0.0, 1.0, "variance is 0.0"), (1.0, -1.0, "cut-off is -1.0")):
        with pytest.raises(InputError, match=word):
            ReciprocalSum(sites, sites, PeriodicKernel(np.eye(3)), s, cutoff)


def test_cutoff_below_the_shortest_wave_vector():
    """No wave at all without screening: zero, not an error."""
    sites = Sites(np.array([[0.1, 0.2, 0.3]]), np.ones(1), 1)
    operator = ReciprocalSum(sites, sites, PeriodicKernel(np.eye(3)), 1.0, 1.0)
    field = operator.field(np.ones((1, 4)))
    assert not np.any(field.potential)
    assert not np.any(field.gradient)
    assert not np.any(operator.strain(np.ones((1, 4)), np.ones((1, 4))))
