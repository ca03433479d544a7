"""Sum over near pairs of the short-ranged part of the interaction."""

import itertools
from typing import NamedTuple

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.image_sum import REACH, ImageSum, Remainder
from strategies.multipoles import (
    multipole_systems,
    random_cell,
    random_multipoles,
    random_variances,
    scattered,
)

from scc.electrostatics.multipoles import pair_derivatives
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.direct_sum import DirectSum
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.pair_list import pair_list
from scc.electrostatics.multipoles.short_range import ShortRangeSum
from scc.electrostatics.multipoles.short_ranged_kernel import complementary
from scc.electrostatics.multipoles.sites import Sites
from scc.errors import InputError

EPS = np.finfo(np.float64).eps
KERNEL = CoulombKernel()
LONGEST = 11.0  # bohr, two or three times the shortest cell vectors
KINDS = ("open", "slab", "periodic")


class Truncated:
    """A kernel that is zero from a cut-off on."""

    def __init__(self, kernel, cutoff):
        self._kernel, self._cutoff = kernel, cutoff

    def derivatives(self, order, variance, squared_distance):
        variance, squared = np.broadcast_arrays(variance, squared_distance)
        values = self._kernel.derivatives(order, variance, squared)
        return np.where(squared < self._cutoff**2, values, 0.0)


class Case(NamedTuple):
    """Operator, the same by brute force, the brute-force sum of v_w alone, and vectors for it."""

    boundary: Boundary
    targets: Sites
    sources: Sites
    smooth_variance: float
    cutoff: float
    own_site: bool
    probes: np.ndarray
    multipoles: np.ndarray
    closest: float

    @property
    def operator(self):
        return ShortRangeSum(
            self.targets,
            self.sources,
            self.boundary,
            KERNEL,
            self.smooth_variance,
            self.cutoff,
            self.own_site,
        )

    def images(self, kernel):
        if self.boundary.kind == "open":
            return DirectSum(self.targets, self.sources, kernel, self.own_site)
        lattice = self.boundary.cell[list(self.boundary.periodic)]
        return ImageSum(self.targets, self.sources, lattice, kernel, self.cutoff, self.own_site)

    @property
    def explicit(self):
        return self.images(Truncated(Remainder(KERNEL, self.smooth_variance), self.cutoff))

    @property
    def narrow(self):
        return self.images(KERNEL)


@st.composite
def cases(draw, kinds=KINDS, l_max=2, own=None, reach=None, points=True):
    """``reach``: cut-off over √s; otherwise anything, up to several cells."""
    system = draw(multipole_systems(kinds, l_max=l_max, points=points))
    own = draw(st.booleans()) if own is None else own
    generator = draw(generators())
    targets, probes = system.targets, system.probes
    if own:
        number, highest = len(system.sources), targets.l_max
        # widths of its own, those of the sources plus a constant, or the same
        variances = [
            random_variances(generator, number),
            system.sources.variances + 0.5,
            system.sources.variances,
        ][generator.integers(3)]
        targets = Sites(system.sources.positions, variances, highest)
        probes = random_multipoles(generator, number, highest)
    if reach is None:
        smooth = float(np.exp(generator.uniform(-2.0, 2.5)))
        cutoff = float(generator.uniform(1.0, LONGEST))
    else:
        smooth = float(np.exp(generator.uniform(-2.0, 0.0)))
        cutoff = reach * np.sqrt(smooth)
    nearest = pair_list(
        targets.positions, system.sources.positions, system.boundary, LONGEST, own
    ).squared.min(initial=LONGEST**2)
    return Case(
        system.boundary,
        targets,
        system.sources,
        smooth,
        cutoff,
        own,
        probes,
        system.multipoles,
        float(np.sqrt(nearest)),
    )


def dense(operator, sources):
    """K[aA, kB] by unit vectors: (N_t, n_t, N_s, n_s)."""
    columns = [
        operator.potential(unit.reshape(len(sources), -1))
        for unit in np.eye(len(sources) * sources.n_components)
    ]
    shape = columns[0].shape
    return np.moveaxis(np.array(columns), 0, -1).reshape(*shape, len(sources), -1)


def blocks(matrix, target_l, source_l):
    """K by λ, λ'."""
    for a, b in itertools.product(range(target_l + 1), range(source_l + 1)):
        yield matrix[:, a**2 : (a + 1) ** 2, :, b**2 : (b + 1) ** 2]


@given(cases(kinds=("open",)))
def test_open_pairs_are_the_difference_of_two_direct_sums(case):
    case = case._replace(cutoff=1e3)
    found = dense(case.operator, case.sources)
    expected = dense(case.images(Remainder(KERNEL, case.smooth_variance)), case.sources)
    narrow = dense(case.images(KERNEL), case.sources)
    sizes = case.targets.l_max, case.sources.l_max
    for a, b, whole in zip(*(blocks(k, *sizes) for k in (found, expected, narrow)), strict=True):
        assert np.max(np.abs(a - b)) <= 1e-13 * np.max(np.abs(whole), initial=0.0)


def rounding(case):
    """Relative error of r^{−n}, n up to 2λ + 2, from coordinates wrapped in different ways."""
    span = np.abs(np.concatenate([case.targets.positions, case.sources.positions])).max()
    if case.boundary.cell is not None:
        span += np.abs(case.boundary.cell).max()
    powers = case.targets.l_max + case.sources.l_max + 2
    return 1e-13 + 8 * powers * EPS * span / case.closest


def magnitude(case, gradient=False):
    """Size of the terms that are summed and subtracted: |K_w| |c|, or with one derivative."""
    kernel = np.abs(dense(case.narrow, case.sources))
    size = np.max(np.einsum("aAkB,kB->aA", kernel, np.abs(case.multipoles)), initial=0.0)
    if gradient:
        size *= (case.targets.l_max + case.sources.l_max + 1) / case.closest
    return size


@given(cases(), generators())
def test_no_image_is_lost_or_counted_twice(case, generator):
    found, expected = case.operator, case.explicit
    error = 3 * rounding(case)
    moves = generator.normal(size=(len(case.sources), 3))
    potential, slope = magnitude(case), magnitude(case, gradient=True)
    a, b = found.field(case.multipoles), expected.field(case.multipoles)
    assert np.max(np.abs(a.potential - b.potential)) <= error * potential
    assert np.max(np.abs(a.gradient - b.gradient)) <= error * slope
    a, b = (k.moved(case.multipoles, moves) for k in (found, expected))
    assert np.max(np.abs(a - b)) <= error * slope * np.abs(moves).max() * 3
    a, b = (k.strain(case.probes, case.multipoles) for k in (found, expected))
    scale = slope * np.abs(case.probes).sum() * min(case.cutoff, LONGEST)
    assert np.max(np.abs(a - b)) <= error * scale


@given(cases(), generators())
def test_exchanging_targets_and_sources_is_the_transpose(case, generator):
    forward = case.operator
    back = forward.transposed
    left = np.sum(case.probes * forward.potential(case.multipoles))
    error = 3 * rounding(case)
    size = magnitude(case) * np.abs(case.probes).sum()
    assert abs(left - np.sum(back.potential(case.probes) * case.multipoles)) <= error * size
    assert np.allclose(
        back.strain(case.multipoles, case.probes), forward.strain(case.probes, case.multipoles)
    )
    expected = ShortRangeSum(
        case.sources,
        case.targets,
        case.boundary,
        KERNEL,
        case.smooth_variance,
        case.cutoff,
        case.own_site,
    )
    moves = generator.normal(size=(len(case.targets), 3))
    turned = case._replace(
        targets=case.sources,
        sources=case.targets,
        probes=case.multipoles,
        multipoles=case.probes,
    )
    slope = magnitude(turned, gradient=True)
    a, b = back.field(case.probes), expected.field(case.probes)
    assert np.max(np.abs(a.potential - b.potential)) <= error * magnitude(turned)
    assert np.max(np.abs(a.gradient - b.gradient)) <= error * slope
    a, b = (k.moved(case.probes, moves) for k in (back, expected))
    assert np.max(np.abs(a - b)) <= error * slope * np.abs(moves).max() * 3
    assert np.array_equal(
        back.transposed.potential(case.multipoles), forward.potential(case.multipoles)
    )


def step(case):
    """A hundredth of the distance to the nearest singularity: of a point, or of its image."""
    return case.closest / 100.0


def moved_sites(sites, change):
    return Sites(sites.positions + change, sites.variances, sites.l_max)


@given(cases(own=False, reach=REACH), generators())
def test_field_and_moved_are_derivatives(case, generator):
    operator = case.operator
    direction = generator.normal(size=(len(case.targets), 3))
    direction /= np.abs(direction).max()

    def potential(t, of_targets=True):
        sites = moved_sites(case.targets, t * direction) if of_targets else case.targets
        return case._replace(targets=sites).operator.potential(case.multipoles)

    # values carry the rounding of v_w − v_W and of coordinates of the size of the cell
    noise = rounding(case) * magnitude(case)
    slope = magnitude(case, gradient=True)
    gradient = operator.field(case.multipoles).gradient
    assert_derivative(
        np.einsum("aci,ai->ac", gradient, direction), potential, step(case), slope, 1e-9, noise
    )
    moves = generator.normal(size=(len(case.sources), 3))
    moves /= np.abs(moves).max()
    assert_derivative(
        operator.moved(case.multipoles, moves),
        lambda t: case._replace(sources=moved_sites(case.sources, t * moves)).operator.potential(
            case.multipoles
        ),
        step(case),
        slope,
        1e-9,
        noise,
    )


@given(cases(reach=REACH), generators())
def test_energy_derivatives_on_own_sites_and_under_strain(case, generator):
    operator = case.operator
    direction = generator.normal(size=(len(case.targets), 3))
    direction /= np.abs(direction).max()
    noise = rounding(case) * magnitude(case) * np.abs(case.probes).sum()
    slope = magnitude(case, gradient=True) * np.abs(case.probes).sum()
    if case.own_site:
        push = np.einsum("ac,aci->ai", case.probes, operator.field(case.multipoles).gradient)
        push += np.einsum(
            "ac,aci->ai", case.multipoles, operator.transposed.field(case.probes).gradient
        )

        def energy(t):
            there = case._replace(
                targets=moved_sites(case.targets, t * direction),
                sources=moved_sites(case.sources, t * direction),
            )
            return np.sum(case.probes * there.operator.potential(case.multipoles))

        assert_derivative(np.sum(push * direction), energy, step(case), slope, 1e-9, noise)
    strain = generator.normal(size=(3, 3))
    strain /= np.abs(strain).max() * 3.0

    def strained(t):
        turn = (np.eye(3) + t * strain).T
        boundary = case.boundary
        if boundary.cell is not None:
            boundary = Boundary(boundary.cell @ turn, boundary.periodic)
        there = case._replace(
            boundary=boundary,
            targets=moved_sites(case.targets, case.targets.positions @ (turn - np.eye(3))),
            sources=moved_sites(case.sources, case.sources.positions @ (turn - np.eye(3))),
        )
        return np.sum(case.probes * there.operator.potential(case.multipoles))

    # X → (1 + tε)X moves no pair by more than its own length: analytic in |t| < 1
    found = np.sum(operator.strain(case.probes, case.multipoles) * strain)
    assert_derivative(found, strained, 0.01, slope * case.closest + slope, 1e-9, noise)


@given(generators(), st.sampled_from(KINDS), st.integers(1, 3))
def test_pair_list_finds_what_all_images_contain(generator, kind, spread):
    number = int(generator.integers(1, 120))
    cell = random_cell(generator, flattest=0.05)
    periodic = {
        "open": (False,) * 3,
        "slab": tuple(bool(f) for f in np.arange(3) != generator.integers(3)),
        "periodic": (True,) * 3,
    }[kind]
    boundary = Boundary(None if kind == "open" else cell, periodic)
    positions = generator.uniform(-spread, spread, size=(number, 3)) @ cell
    if generator.uniform() < 0.2:
        positions[:, generator.integers(3)] = 0.0  # all in one plane
    others = generator.uniform(-spread, spread, size=(7, 3)) @ cell
    cutoff = float(generator.uniform(0.2, 9.0))

    # fractional coordinates of wrapped sites differ by less than 1 + |change over the cut-off|
    inverse = np.linalg.inv(cell)
    bounds = np.floor(cutoff * np.linalg.norm(inverse, axis=0) + 1.0).astype(int) * periodic
    shifts = np.array(list(itertools.product(*[range(-n, n + 1) for n in bounds])))
    for half, targets in ((True, positions), (False, others)):
        found = pair_list(targets, positions, boundary, cutoff, half)
        wrapped = [p - np.floor(p @ inverse) * periodic @ cell for p in (targets, positions)]
        counts = np.zeros((len(targets), number), dtype=int)
        total = 0.0
        for shift in shifts:
            gap = wrapped[0][:, None] - wrapped[1] - shift @ cell
            squared = np.sum(gap * gap, axis=2)
            near = squared < cutoff**2
            if half and not shift.any():
                np.fill_diagonal(near, False)
            counts += near
            total += squared[near].sum()
        listed = np.zeros_like(counts)
        row = found.row_target[found.rows(0, len(found.row_target))]
        np.add.at(listed, (row, found.column_source[found.column]), 1)
        assert np.array_equal(listed + listed.T if half else listed, counts)
        # the distances belong to the right images
        assert np.isclose(found.squared.sum() * (2 if half else 1), total, rtol=1e-12)
        assert np.allclose(np.sum(found.separation**2, axis=0), found.squared, rtol=1e-14)


@given(cases(kinds=("periodic", "slab")), generators())
def test_order_origin_wrapping_and_basis_of_the_cell_do_not_matter(case, generator):
    potential = case.operator.potential(case.multipoles)
    allowed = 3 * rounding(case) * magnitude(case)
    rows = np.flatnonzero(case.boundary.periodic)

    turn = generator.permutation(len(case.sources))
    mixed = case.boundary.cell.copy()
    i, j = generator.permutation(rows)[:2]
    mixed[i] += int(generator.integers(-30, 31)) * mixed[j]  # a needle, of the same lattice
    sources = Sites(case.sources.positions[turn], case.sources.variances[turn], case.sources.l_max)
    targets = case.targets
    if case.own_site:
        targets = Sites(targets.positions[turn], case.targets.variances[turn], case.targets.l_max)
        potential = potential[turn]
    origin = generator.normal(size=3)

    def shifts(number):
        steps = np.zeros((number, 3))
        steps[:, rows] = generator.integers(-3, 4, size=(number, len(rows)))
        return steps @ case.boundary.cell + origin

    moves = shifts(len(sources))
    other = case._replace(
        boundary=Boundary(mixed, case.boundary.periodic),
        sources=moved_sites(sources, moves),
        targets=moved_sites(targets, moves if case.own_site else shifts(len(targets))),
    )
    found = other.operator.potential(case.multipoles[turn])
    assert np.max(np.abs(found - potential)) <= allowed + 3 * rounding(other) * magnitude(case)


@given(cases(l_max=1), generators())
def test_derivatives_made_anew_are_those_kept(case, generator):
    case = case._replace(cutoff=min(case.cutoff, 5.0))
    moves = [generator.normal(size=(len(sites), 3)) for sites in (case.sources, case.targets)]

    def products(operator):
        c, t = case.multipoles, case.probes
        back = operator.transposed
        yield from (*operator.field(c), *back.field(t), operator.strain(t, c), back.strain(c, t))
        yield from (operator.potential(c), operator.moved(c, moves[0]))
        yield from (back.potential(t), back.moved(t, moves[1]))

    kept = list(products(case.operator))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair_derivatives, "_KEPT_BYTES", 0)
        patch.setattr(pair_derivatives, "_PASSING_BYTES", 3000)  # a dozen pairs at a time
        anew = list(products(case.operator))
    # The same numbers; a sum over a column is cut into blocks and rounds differently: at most the
    # few hundred terms of a site times ε, and they cancel.
    size = np.max(np.abs(dense(case.narrow, case.sources)), initial=0.0)
    size *= (case.targets.l_max + case.sources.l_max + 1) / case.closest * (1.0 + case.cutoff)
    size *= (1.0 + np.abs(case.multipoles).sum()) * (1.0 + np.abs(case.probes).sum())
    for a, b in zip(kept, anew, strict=True):
        assert np.max(np.abs(a - b)) <= 1e-13 * size


@given(cases(own=True), generators())
def test_a_shared_pair_list_serves_other_widths(case, generator):
    operator = case.operator
    probe = Sites(
        case.sources.positions, np.full(len(case.sources), generator.uniform(0.0, 2.0)), 1
    )
    other = case._replace(targets=probe).operator
    if len(operator.pairs) == 0:  # all widths beyond s: nothing to share
        return
    shared = ShortRangeSum(
        probe,
        case.sources,
        case.boundary,
        KERNEL,
        case.smooth_variance,
        case.cutoff,
        True,
        pairs=operator.pairs,
    )
    assert np.array_equal(
        shared.field(case.multipoles).gradient, other.field(case.multipoles).gradient
    )


@given(cases(kinds=("periodic",)))
def test_pairs_as_wide_as_the_smooth_ones_leave_exactly_nothing(case):
    wide = Sites(
        case.targets.positions,
        np.full(len(case.targets), case.smooth_variance),
        case.targets.l_max,
    )
    operator = case._replace(targets=wide).operator
    for part in operator.field(case.multipoles):
        assert np.all(part == 0.0)
    assert np.all(operator.moved(case.multipoles, np.ones((len(case.sources), 3))) == 0.0)
    assert np.all(operator.strain(case.probes, case.multipoles) == 0.0)
    assert np.all(operator.transposed.potential(case.probes) == 0.0)


@given(
    st.floats(0.05, 20.0),
    st.lists(st.floats(1e-3, 30.0), min_size=1, max_size=5),
)
def test_point_kernel_keeps_its_digits_near_and_far(variance, distances):
    squared = np.array(distances) ** 2
    found = complementary(9, variance, squared)
    with mpmath.workdps(40):
        for k, value in enumerate(squared):
            argument = mpmath.mpf(float(value)) / (2 * mpmath.mpf(variance))
            for n in range(10):
                # (−1)^n g_n = 2^n Γ(n+½, r²/2w)/(√π r^{2n+1})
                exact = (-2) ** n * mpmath.gammainc(n + mpmath.mpf("0.5"), argument)
                exact /= mpmath.sqrt(mpmath.pi) * mpmath.mpf(float(value)) ** (
                    n + mpmath.mpf("0.5")
                )
                # e^{−T} and erfc carry the rounding of their argument, T times ε
                error = 40 * EPS * (1 + float(argument))
                assert abs(found[n, k] - exact) <= error * abs(exact) + 1e-290


def test_few_sites_in_a_wide_space_need_no_wide_table():
    positions = np.array([[0.0, 0, 0], [1e6, 0, 0], [1e6, 1.0, 0], [0, -1e6, 1e6]])
    boundary = Boundary(None, (False,) * 3)
    found = pair_list(positions, positions, boundary, 2.0, True)
    assert len(found) == 1
    assert found.squared[0] == 1.0


def test_no_sites_are_no_pairs():
    some, none = Sites(np.zeros((1, 3)), np.zeros(1), 1), Sites(np.zeros((0, 3)), np.zeros(0), 0)
    boundary = Boundary(10.0 * np.eye(3), (True,) * 3)
    for targets, sources in ((some, none), (none, some), (none, none)):
        operator = ShortRangeSum(targets, sources, boundary, KERNEL, 1.0, 5.0)
        coefficients = np.zeros((len(sources), sources.n_components))
        assert operator.field(coefficients).gradient.shape == (
            len(targets),
            targets.n_components,
            3,
        )


def points(*positions):
    return Sites(np.array(positions), np.zeros(len(positions)), 0)


@given(generators(), st.sampled_from(KINDS))
def test_point_on_point_is_an_error_not_infinity(generator, kind):
    cell = random_cell(generator)
    periodic = {"open": (False,) * 3, "slab": (True, False, True), "periodic": (True,) * 3}[kind]
    boundary = Boundary(None if kind == "open" else cell, periodic)
    spots = scattered(generator, 3, cell)
    shift = generator.integers(-2, 3, size=3) * periodic @ cell
    targets = points(spots[0], spots[1] + shift)
    with pytest.raises(InputError, match="point target 1 lies on point source 0"):
        ShortRangeSum(targets, points(spots[1], spots[2]), boundary, KERNEL, 1.0, 3.0)
    twice = points(spots[0], spots[1], spots[1] + shift)
    with pytest.raises(InputError, match="lies on point source"):
        ShortRangeSum(twice, twice, boundary, KERNEL, 1.0, 3.0, own_site=True)
    smeared = Sites(targets.positions, np.full(2, 0.1), 0)
    finite = ShortRangeSum(smeared, points(spots[1], spots[2]), boundary, KERNEL, 1.0, 3.0)
    assert np.all(np.isfinite(finite.potential(np.ones((2, 1)))))


@pytest.mark.parametrize(
    ("smooth", "cutoff", "own", "message"),
    [
        (0.0, 3.0, False, "smooth variance is 0.0"),
        (np.inf, 3.0, False, "smooth variance is inf"),
        (np.nan, 3.0, False, "smooth variance is nan"),
        (1.0, 0.0, False, "cut-off is 0.0"),
        (1.0, np.nan, False, "cut-off is nan"),
        (1.0, 3.0, True, "do not sit on"),
    ],
)
def test_impossible_parameters_are_named(smooth, cutoff, own, message):
    boundary = Boundary(None, (False,) * 3)
    targets, sources = points([0.0, 0, 0]), points([1.0, 0, 0])
    with pytest.raises(InputError, match=message):
        ShortRangeSum(targets, sources, boundary, KERNEL, smooth, cutoff, own)
