"""The choice of method and parameters, without evaluating anything unless a scale is at stake."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.multipole_liquids import liquids, random_liquid

from scc.electrostatics.multipoles import parameter_search
from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.direct_sum import DirectSum
from scc.electrostatics.multipoles.error_estimate import error_estimate
from scc.electrostatics.multipoles.kernels import CoulombKernel
from scc.electrostatics.multipoles.natural_scale import natural_scale, surroundings
from scc.electrostatics.multipoles.own_site import OwnSite
from scc.electrostatics.multipoles.parameter_search import mesh_shape
from scc.electrostatics.multipoles.plan import Plan, choose_plan, tighten
from scc.electrostatics.multipoles.site_powers import degree_squares
from scc.electrostatics.multipoles.sites import Sites
from scc.errors import InputError

_METHODS = st.sampled_from(("ewald", "mesh"))
_TOLERANCES = st.sampled_from((1e-3, 1e-6, 1e-9))
_EVERYWHERE = ("periodic", "slab", "open")


def _box(number, l_max=0, density=0.0148, seed=0):
    """Points in a cubic cell."""
    length = (number / density) ** (1.0 / 3.0)
    positions = np.random.default_rng(seed).uniform(0.0, length, size=(number, 3))
    return Boundary(np.eye(3) * length, (True,) * 3), Sites(positions, np.zeros(number), l_max)


@pytest.mark.parametrize("tolerance", [0.0, -1e-3, 1e-14, 1.0, math.nan, math.inf])
def test_impossible_tolerance_is_accepted(tolerance):
    boundary, sites = _box(3)
    with pytest.raises(InputError, match=rf"tolerance is {tolerance}") as error:
        choose_plan(boundary, sites, sites, tolerance)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("method", "message"), [("pme", "method is 'pme'"), ("direct", "needs open boundaries")]
)
def test_impossible_method_is_accepted(method, message):
    boundary, sites = _box(3)
    with pytest.raises(InputError, match=message) as error:
        choose_plan(boundary, sites, sites, 1e-3, method)
    assert "\n" not in str(error.value)


@given(liquids(kinds=_EVERYWHERE, most_sites=15, l_max=1), _METHODS, _TOLERANCES)
def test_plan_is_not_accurate_by_its_own_estimate(liquid, method, tolerance):
    """Independent unit multipoles of any one λ: within the tolerance of the natural scales."""
    boundary, sites, _ = liquid
    plan = choose_plan(boundary, sites, sites, tolerance, method)
    assert plan.method == method
    near = surroundings(boundary, sites)
    for degree in range(len(sites) % 2, sites.l_max + 1):
        p = np.zeros((len(sites), sites.n_components))
        p[:, degree**2 : (degree + 1) ** 2] = 1.0
        p[::2] *= -1.0  # neutral: the errors of a charged cell are a reference's business
        estimate = error_estimate(plan, boundary, sites, sites, p)
        scale = natural_scale(near, degree_squares(p))
        assert estimate.force <= tolerance * scale.force
        assert estimate.energy <= tolerance * scale.energy


@given(liquids(kinds=_EVERYWHERE, most_sites=8, l_max=1), _METHODS, st.floats(1.0, 1e4))
def test_tightened_plan_is_not_as_much_better_as_asked(liquid, method, factor):
    boundary, sites, p = liquid
    p = p if np.any(p) else np.ones_like(p)
    plan = choose_plan(boundary, sites, sites, 1e-4, method, p)
    tight = tighten(plan, factor)
    twice = tighten(tight, 10.0)
    errors = [error_estimate(x, boundary, sites, sites, p) for x in (plan, tight, twice)]
    allowed = plan._problem.channels[0]
    assert tight.method == twice.method == method
    # the same again, however small the factor, would be a loop without end
    assert len({plan.parameters, tight.parameters, twice.parameters}) == 3
    for estimate, share in zip(errors, (1.0, 1.0 / factor, 0.1 / factor), strict=True):
        assert estimate.force <= share * allowed.force
        assert estimate.energy <= share * allowed.energy


def test_plan_beyond_all_accuracy_is_made():
    boundary, sites = _box(20)
    plan = choose_plan(boundary, sites, sites, 1e-9, "mesh")
    with pytest.raises(InputError, match="no parameters of method 'mesh'"):
        tighten(plan, 1e30)


def test_zeros_are_taken_for_typical():
    boundary, sites = _box(5, 1)
    plan = choose_plan(boundary, sites, sites, 1e-4, "ewald", np.zeros((5, 4)))
    assert plan.parameters == choose_plan(boundary, sites, sites, 1e-4, "ewald").parameters


def test_direct_sum_is_tightened():
    boundary, sites = Boundary(None, (False,) * 3), _box(5)[1]
    plan = choose_plan(boundary, sites, sites, 1e-9)
    assert plan.method == "direct"
    assert tighten(plan, 100.0) is plan


@pytest.mark.parametrize("method", ["ewald", "mesh"])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
@pytest.mark.parametrize(("number", "l_max"), [(12, 1), (300, 0), (3000, 1)])
def test_plan_costs_much_more_than_the_cheapest_of_many(
    number, l_max, tolerance, method, monkeypatch
):
    """The search with a dozen values of s against sixty."""
    boundary, sites = _box(number, l_max)
    plan = choose_plan(boundary, sites, sites, tolerance, method)
    monkeypatch.setattr(parameter_search, "_TRIALS", 60)
    fine = parameter_search.cheapest(plan._problem, 1.0)
    # cut-offs step by a few per cent, shapes of meshes by more
    assert plan.cost <= 1.15 * fine.cost


def test_auto_takes_the_slower_method():
    for number in (4, 100, 1000, 10000):
        boundary, sites = _box(number)
        costs = {
            method: choose_plan(boundary, sites, sites, 1e-5, method).cost
            for method in ("ewald", "mesh")
        }
        chosen = choose_plan(boundary, sites, sites, 1e-5)
        assert chosen.cost <= 1.05 * min(costs.values())
    assert chosen.method == "mesh"


def test_open_boundaries_get_the_slower_method():
    boundary = Boundary(None, (False,) * 3)
    few, many = _box(100)[1], _box(20000)[1]
    assert choose_plan(boundary, few, few, 1e-6).method == "direct"
    assert choose_plan(boundary, many, many, 1e-6).method == "mesh"


def test_planning_takes_longer_than_a_small_evaluation():
    """Medians of a few runs; the tables are there after the first."""
    boundary, sites = _box(1500)
    choose_plan(boundary, sites, sites, 1e-5)
    times = []
    for _ in range(5):
        start = time.process_time()
        choose_plan(boundary, sites, sites, 1e-5)
        times.append(time.process_time() - start)
    # 15 ms on an idle core; ten times that leaves room for a busy one
    assert np.median(times) < 0.15


@given(generators(), st.floats(1.0, 20.0), st.sampled_from(("slab", "open")))
def test_wide_probes_are_given_a_coarser_mesh(generator, width, kind):
    boundary, sites, _ = random_liquid(generator, kind, 10, l_max=1)
    plan = choose_plan(boundary, sites, sites, 1e-4, "mesh")
    probes = Sites(sites.positions + 3.0, np.full(len(sites), width**2), 1)
    other = plan.for_targets(boundary, probes, sites)
    if np.sqrt(sites.variances.min()) <= width:
        assert other.smooth_variance == plan.smooth_variance
        assert other.real_cutoff == plan.real_cutoff
    spacing = [
        np.linalg.norm(x.kernel(boundary, targets, sites).cell, axis=1) / np.array(x.mesh_shape)
        for x, targets in ((plan, sites), (other, probes))
    ]
    assert np.all(spacing[1] <= spacing[0] * (1.0 + 1e-9))


@given(generators(), st.integers(0, 2), st.booleans())
def test_natural_scale_is_far_from_the_true_one(generator, l_max, smeared):
    """Neutral random multipoles on a loose lattice: within a factor of three."""
    grid = np.stack(np.meshgrid(*[np.arange(4.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    positions = 4.0 * (grid + generator.uniform(-0.3, 0.3, size=grid.shape))
    widths = generator.uniform(0.3, 1.0, len(grid)) if smeared else np.zeros(len(grid))
    sites = Sites(positions, widths**2, l_max)
    p = generator.normal(size=(len(grid), (l_max + 1) ** 2))
    p[:, 0] -= p[:, 0].mean()
    field = DirectSum(sites, sites, CoulombKernel(), own_site=True).field(p)
    potential = field.potential
    if smeared:
        own = OwnSite(CoulombKernel(), 2.0 * widths**2, l_max, l_max)
        potential = potential + own.potential(p)
    force = math.sqrt(np.mean(np.sum(np.einsum("ac,aci->ai", p, field.gradient) ** 2, axis=1)))
    energy = 0.5 * np.sum(np.abs(p * potential))
    scale = natural_scale(surroundings(Boundary(None, (False,) * 3), sites), degree_squares(p))
    assert force / 3.0 <= scale.force <= 3.0 * force
    assert energy / 3.0 <= scale.energy <= 3.0 * energy


@given(generators())
def test_neighbours_across_the_border_are_missed(generator):
    """The scale of a small cell is that of its supercell."""
    boundary, sites, p = random_liquid(generator, "periodic", 6, l_max=1)
    double = np.concatenate([sites.positions, sites.positions + boundary.cell[0]])
    cell = boundary.cell * np.array([[2.0], [1.0], [1.0]])
    one = natural_scale(surroundings(boundary, sites), degree_squares(p))
    large = Sites(double, np.tile(sites.variances, 2), sites.l_max)
    other = natural_scale(
        surroundings(Boundary(cell, (True,) * 3), large), degree_squares(np.tile(p, (2, 1)))
    )
    # six nearest neighbours may be chosen among several at equal distance
    assert other.force == pytest.approx(one.force, rel=0.3)
    assert other.energy == pytest.approx(2.0 * one.energy, rel=0.3)


@pytest.mark.parametrize("method", ["auto", "ewald", "mesh"])
@pytest.mark.parametrize("kind", _EVERYWHERE)
def test_single_site_or_sites_on_one_spot_have_no_plan(kind, method):
    generator = np.random.default_rng(5)
    boundary = random_liquid(generator, kind, 5).boundary
    for number, width in ((1, 0.0), (1, 1.0), (3, 1.0)):
        sites = Sites(np.zeros((number, 3)), np.full(number, width**2), 1)
        plan = choose_plan(boundary, sites, sites, 1e-6, method)
        assert isinstance(plan, Plan)
        estimate = error_estimate(plan, boundary, sites, sites, np.ones((number, 4)))
        assert np.isfinite(estimate.force)


def test_mesh_shape_is_coarser_than_asked():
    cell = np.diag([10.0, 7.0, 3.0])
    assert mesh_shape(cell, 0.5, 4) == (20, 15, 6)  # 14 is slower
    shape = mesh_shape(cell, 0.23, 8)
    assert all(n >= x for n, x in zip(shape, (10 / 0.23, 7 / 0.23, 3 / 0.23), strict=True))
    assert mesh_shape(np.eye(3), 1.0, 8) == (8, 8, 8)
