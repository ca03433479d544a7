"""Estimated against actual errors of each cut-off, one at a time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import erfc, gamma, gammaincc
from strategies.configurations import generators, rotations
from strategies.mesh_error_by_modes import mesh_errors as mode_by_mode
from strategies.multipole_liquids import liquids, random_liquid

from scc.basis.polynomials import sum_index
from scc.electrostatics.derivative_tensors import derivative_tensors
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.error_estimate import error_estimate
from scc.electrostatics.multipoles.error_tables import GRID, pair_tails, wave_tails
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.mesh_sum import MeshSum
from scc.electrostatics.multipoles.mesh_tables import SPACINGS, SPLINE_ORDERS
from scc.electrostatics.multipoles.moments import multipole_operators, parities
from scc.electrostatics.multipoles.natural_scale import surroundings
from scc.electrostatics.multipoles.plan import Plan, choose_plan
from scc.electrostatics.multipoles.reciprocal_kernels import PeriodicKernel
from scc.electrostatics.multipoles.reciprocal_sum import ReciprocalSum
from scc.electrostatics.multipoles.short_range import ShortRangeSum
from scc.electrostatics.multipoles.site_powers import Powers, degree_squares
from scc.electrostatics.multipoles.sites import Sites
from scc.electrostatics.multipoles.space import Space
from scc.electrostatics.multipoles.squared_errors import mesh_errors, pair_errors, wave_errors

# What the estimates promise one by one: not more than three times too low, not more than thirty
# times too high. Below that many digits of the largest terms, errors are rounding.
TOO_LOW, TOO_HIGH = 3.0, 30.0
ROUNDING = 1e-13


def _space(liquid):
    kernel = PeriodicKernel(liquid.boundary.cell, liquid.boundary.screening)
    density = surroundings(liquid.boundary, liquid.sites).density
    return Space(kernel, density, True, liquid.boundary.screening)


def _splitting(liquid, length):
    spacing = (liquid.boundary.measure / len(liquid.sites)) ** (1.0 / 3.0)
    return (length * spacing) ** 2


class _Actual:
    """Rms force, energy and potential by which two pieces of the operator differ."""

    def __init__(self, liquid, s, one, other):
        p = liquid.multipoles
        one, other = one.field(p), other.field(p)
        gradient = one.gradient - other.gradient
        potential = one.potential - other.potential
        force = np.einsum("ac,aci->ai", p, gradient)
        self.force = math.sqrt(np.mean(np.sum(force**2, axis=1)))
        self.energy = 0.5 * abs(np.sum(p * potential))
        self.potential = [
            math.sqrt(np.mean(potential[:, n * n : (n + 1) ** 2] ** 2))
            for n in range(liquid.sites.l_max + 1)
        ]
        # also that of the sites' own potential, which no force shows
        largest = np.abs(np.einsum("ac,aci->ai", p, other.gradient)).max()
        largest += np.max(degree_squares(p) @ s ** (-1.0 - np.arange(liquid.sites.l_max + 1)))
        self.force_rounding = ROUNDING * largest
        self.energy_rounding = ROUNDING * np.sum(np.abs(p * other.potential))


def _waves(liquid, s, cutoff):
    kernel = PeriodicKernel(liquid.boundary.cell)
    return ReciprocalSum(liquid.sites, liquid.sites, kernel, s, cutoff / math.sqrt(s))


def _pairs(liquid, s, cutoff):
    return ShortRangeSum(
        liquid.sites,
        liquid.sites,
        liquid.boundary,
        CoulombKernel(),
        s,
        cutoff * math.sqrt(s),
        own_site=True,
    )


def _mesh(liquid, s, spacing, order):
    cell = liquid.boundary.cell
    lengths = np.linalg.norm(cell, axis=1)
    shape = tuple(int(max(order, n)) for n in np.ceil(lengths / (spacing * math.sqrt(s))))
    return MeshSum(liquid.sites, liquid.sites, PeriodicKernel(cell), s, shape, order), shape


@given(liquids(most_sites=80), st.floats(0.6, 1.2), st.floats(2.5, 5.0))
def test_pair_tail_is_not_what_missing_pairs_amount_to(liquid, length, cutoff):
    s = _splitting(liquid, length)
    if len(liquid.sites) < 8 or 2.0 * liquid.sites.variances.min() > 0.5 * s:
        return  # few pairs fluctuate too much to be held to a factor; wide ones have no tail
    actual = _Actual(liquid, s, _pairs(liquid, s, cutoff), _pairs(liquid, s, cutoff + 3.5))
    powers = Powers.of(liquid.sites, liquid.multipoles)
    estimate = pair_errors(powers, powers, _space(liquid), s).at(GRID, cutoff)
    assert actual.force <= TOO_LOW * math.sqrt(estimate.force) + actual.force_rounding
    assert math.sqrt(estimate.force) <= TOO_HIGH * actual.force + actual.force_rounding


@given(liquids(most_sites=60), st.floats(0.5, 1.5), st.floats(2.5, 5.5))
def test_wave_tail_is_not_what_missing_waves_amount_to(liquid, length, cutoff):
    s = _splitting(liquid, length)
    actual = _Actual(liquid, s, _waves(liquid, s, cutoff), _waves(liquid, s, cutoff + 3.0))
    powers = Powers.of(liquid.sites, liquid.multipoles)
    estimate = wave_errors(powers, powers, _space(liquid), s).before(GRID, cutoff)
    assert actual.force <= TOO_LOW * math.sqrt(estimate.force) + actual.force_rounding
    assert actual.energy <= TOO_LOW * math.sqrt(estimate.energy) + actual.energy_rounding
    if len(liquid.sites) > 12:  # fewer may by chance, or by symmetry, have no error at all
        assert math.sqrt(estimate.force) <= TOO_HIGH * actual.force + actual.force_rounding
    for expected, found in zip(estimate.potential, actual.potential, strict=True):
        scale = max(actual.energy_rounding, np.finfo(float).tiny)
        if len(liquid.sites) > 2 and found > scale:
            assert found <= TOO_LOW * math.sqrt(expected) + scale


@given(
    liquids(most_sites=40),
    st.floats(0.6, 1.3),
    st.floats(0.25, 0.9),
    st.sampled_from(SPLINE_ORDERS),
)
def test_mesh_tail_is_not_what_aliases_amount_to(liquid, length, spacing, order):
    s = _splitting(liquid, length)
    mesh, shape = _mesh(liquid, s, spacing, order)
    if math.prod(shape) > 300_000 or len(liquid.sites) < 3:
        return
    actual = _Actual(liquid, s, mesh, _waves(liquid, s, 8.5))
    powers = Powers.of(liquid.sites, liquid.multipoles)
    table = mesh_errors(powers, powers, _space(liquid), s, order)
    lengths = np.linalg.norm(liquid.boundary.cell, axis=1) / np.array(shape) / math.sqrt(s)
    force = math.sqrt(np.mean([table.at(SPACINGS, h).force for h in lengths]))
    assert actual.force <= TOO_LOW * force + actual.force_rounding
    if len(liquid.sites) > 12 and _space(liquid).skewness < 2.0:
        assert force <= TOO_HIGH * actual.force + actual.force_rounding


def test_estimates_are_right_only_within_an_order_of_magnitude():
    """The median ratio of actual to expected force error, over fifty liquids, is near 1."""
    ratios = {"pairs": [], "waves": [], "mesh": []}
    generator = np.random.default_rng(20)
    while len(ratios["mesh"]) < 50:
        liquid = random_liquid(generator, most_sites=60)
        s = _splitting(liquid, 0.9)
        if len(liquid.sites) < 10 or 2.0 * liquid.sites.variances.max() > 0.5 * s:
            continue
        powers, space = Powers.of(liquid.sites, liquid.multipoles), _space(liquid)
        exact = _waves(liquid, s, 8.0)
        mesh, shape = _mesh(liquid, s, 0.5, 6)
        lengths = np.linalg.norm(liquid.boundary.cell, axis=1) / np.array(shape) / math.sqrt(s)
        aliases = mesh_errors(powers, powers, space, s, 6)
        for name, one, other, expected in (
            (
                "pairs",
                _pairs(liquid, s, 3.5),
                _pairs(liquid, s, 6.5),
                pair_errors(powers, powers, space, s).at(GRID, 3.5).force,
            ),
            (
                "waves",
                _waves(liquid, s, 3.5),
                exact,
                wave_errors(powers, powers, space, s).at(GRID, 3.5).force,
            ),
            ("mesh", mesh, exact, np.mean([aliases.at(SPACINGS, h).force for h in lengths])),
        ):
            ratios[name].append(_Actual(liquid, s, one, other).force / math.sqrt(expected))
    for name, values in ratios.items():
        assert 0.6 < np.median(values) < 1.4, name
        # what force_safety promises for N > 9, and that nothing is wildly pessimistic
        assert np.max(values) < 1.4 + 2.5 / math.sqrt(10.0), name
        assert np.quantile(values, 0.1) > 0.1, name


@pytest.mark.parametrize("x", [0.5, 2.0, 4.0, 7.0])
def test_tables_are_not_the_integrals_they_claim_to_be(x):
    """Point charges: 4π∫erfc², 4π∫|f'|²r², ∫e^{−k²}k^{2n−2}, to the tables' own 3 %."""
    place = int(np.argmin(np.abs(GRID - x)))
    x = GRID[place]
    tails = pair_tails(0, 0)

    def integral(function):
        return quad(function, x, x + 12.0, epsabs=0.0, epsrel=1e-8, limit=200)[0]

    def slope(r):
        gauss = math.sqrt(2.0 / math.pi) * math.exp(-0.5 * r * r)
        return erfc(r / math.sqrt(2.0)) / r**2 + gauss / r

    value = integral(lambda r: 4.0 * math.pi * erfc(r / math.sqrt(2.0)) ** 2)
    assert tails.potential[0, 0, place] == pytest.approx(value, rel=0.03)
    value = integral(lambda r: 4.0 * math.pi * r * r * slope(r) ** 2)
    assert tails.gradient[0, 0, place] == pytest.approx(value, rel=0.03)
    value = integral(lambda r: 4.0 * math.pi * r * erfc(r / math.sqrt(2.0)))
    assert tails.mean[place] == pytest.approx(value, rel=0.03)
    for n in range(1, 6):
        value = 0.5 * gamma(n - 0.5) * gammaincc(n - 0.5, x * x)
        assert wave_tails(5).squared[n, place] == pytest.approx(value, rel=0.03)
        value = 2.0 ** (n - 0.5) * gamma(n + 0.5) * gammaincc(n + 0.5, 0.5 * x * x)
        assert wave_tails(5).own[n, place] == pytest.approx(value, rel=0.03)


@given(rotations(), st.integers(0, 2), st.integers(0, 2), st.floats(0.5, 3.0))
def test_shell_sums_depend_on_the_direction_of_the_pair(rotation, t, u, distance):
    """Σ_AB K_AB² over whole shells is the same along any axis: the tables use only z."""
    sums = []
    for direction in (np.array([0.0, 0.0, distance]), distance * rotation[0]):
        radial = CoulombKernel().derivatives(t + u, np.array([0.7]), np.array([distance**2]))
        tensor = derivative_tensors(radial, direction[None])[..., 0]
        left = multipole_operators(t)[t * t :]
        right = (multipole_operators(u) * parities(u))[u * u :]
        sums.append(np.sum((left @ tensor[sum_index(t, u)] @ right.T) ** 2))
    # products of numbers of rounding 1e-16, with cancellation of a few digits at λ = 2
    assert sums[0] == pytest.approx(sums[1], rel=1e-9)


@pytest.mark.parametrize("order", SPLINE_ORDERS)
@pytest.mark.parametrize("number", [33, 21, 13])
def test_mesh_table_is_not_the_sum_over_modes(order, number):
    """Against the sum over modes in a cell of 13 √s, whose modes are dense; l = 1 both sides."""
    s, length = 1.0, 13.0
    kernel = PeriodicKernel(np.eye(3) * length)
    power = np.array([2.0, 0.5])
    modes = mode_by_mode(kernel, s, (number,) * 3, order, power, 1, 1)
    sites = Sites(np.zeros((1, 3)), np.zeros(1), 1)
    charges = np.sqrt(power[[0, 1, 1, 1]] / np.array([1, 3, 3, 3]))[None]
    powers = Powers.of(sites, charges)
    space = Space(kernel, 1.0 / length**3, True, 0.0)
    table = mesh_errors(powers, powers, space, s, order).at(SPACINGS, length / number)
    potential = modes.potential**2 + modes.own_potential**2  # of one component
    # the table steps by 1.066 in h, the errors go like h^{2p}: log-linear interpolation, and the
    # sum over modes against an integral
    assert np.sqrt(table.potential) == pytest.approx(np.sqrt(potential), rel=0.35)
    weight = power / np.array([1.0, 3.0]) * np.array([1.0, 3.0])
    force = np.sum(weight * (modes.gradient**2 + modes.own_gradient**2))
    assert math.sqrt(table.force) == pytest.approx(math.sqrt(force), rel=0.5)


@given(liquids(most_sites=12, l_max=1), st.floats(0.1, 10.0))
def test_estimate_does_not_scale_with_the_square_of_the_multipoles(liquid, factor):
    boundary, sites, p = liquid
    plan = choose_plan(boundary, sites, sites, 1e-4, "ewald")
    one = error_estimate(plan, boundary, sites, sites, p)
    other = error_estimate(plan, boundary, sites, sites, factor * p)
    assert other.force == pytest.approx(factor**2 * one.force, rel=1e-9)
    assert other.energy == pytest.approx(factor**2 * one.energy, rel=1e-9)
    assert other.force_floor == pytest.approx(factor**2 * one.force_floor, rel=1e-9)
    np.testing.assert_allclose(other.potential, factor * one.potential, rtol=1e-9)


@given(liquids(kinds=("periodic", "slab", "open"), most_sites=12, l_max=1))
def test_no_multipoles_have_an_error(liquid):
    boundary, sites, p = liquid
    for method in ("ewald", "mesh"):
        plan = choose_plan(boundary, sites, sites, 1e-3, method)
        estimate = error_estimate(plan, boundary, sites, sites, 0.0 * p)
        assert estimate.force == estimate.energy == 0.0
        assert not np.any(estimate.potential)


def test_direct_sum_has_an_error():
    sites = Sites(np.eye(3), np.ones(3), 0)
    boundary = Boundary(None, (False,) * 3)
    estimate = error_estimate(Plan("direct"), boundary, sites, sites, np.ones((3, 1)))
    assert estimate.force == estimate.energy == 0.0


@given(generators(), st.sampled_from(("ewald", "mesh")), st.integers(0, 2))
def test_potential_of_probes_is_worse_than_estimated(generator, method, l_max):
    """Probes of another width at the same sites: the estimate that features rely on."""
    boundary, sites, p = random_liquid(generator, most_sites=30, l_max=1)
    if len(sites) < 4:
        return
    plan = choose_plan(boundary, sites, sites, 1e-4, method)
    width = 0.3 * plan.smooth_variance
    probes = Sites(sites.positions, np.full(len(sites), width), l_max)
    plan = plan.for_targets(boundary, probes, sites)
    s = plan.smooth_variance
    estimate = error_estimate(plan, boundary, probes, sites, p)
    kernel = PeriodicKernel(boundary.cell)
    waves = ReciprocalSum(probes, sites, kernel, s, 8.5 / math.sqrt(s)).potential(p)
    if method == "ewald":
        rough = ReciprocalSum(probes, sites, kernel, s, plan.reciprocal_cutoff)
    else:
        rough = MeshSum(probes, sites, kernel, s, plan.mesh_shape, plan.spline_order)
    pairs = [
        ShortRangeSum(probes, sites, boundary, CoulombKernel(), s, cutoff, True).potential(p)
        for cutoff in (plan.real_cutoff, plan.real_cutoff + 3.0 * math.sqrt(s))
    ]
    error = rough.potential(p) - waves + pairs[0] - pairs[1]
    for n in range(l_max + 1):
        rms = math.sqrt(np.mean(error[:, n * n : (n + 1) ** 2] ** 2))
        # a few sites and one λ fluctuate more than the forces that the safety factor is made for
        assert rms <= 2.0 * estimate.potential[n] + ROUNDING * np.abs(waves).max()
