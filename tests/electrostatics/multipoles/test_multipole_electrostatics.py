"""The facade: what users call, for every boundary condition and method, against differences."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies.configurations import generators, rotations
from strategies.finite_differences import assert_derivative
from strategies.multipoles import multipole_systems, random_multipoles

from scc.configuration import Configuration, cluster
from scc.electrostatics.multipoles.electrostatics import MultipoleElectrostatics
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.errors import InputError

# Steps of the eighth-order differences. The nearest length over which anything changes is the
# distance of two points, 0.3 bohr; h is a hundredth of it (see strategies.finite_differences).
_STEP = 3e-3
# A strain changes every distance by its share, so 1/r is analytic in ε up to 1; the Gaussian
# factors e^{−k²s/2} change by e in about 0.2: a fiftieth of that.
_STRAIN_STEP = 4e-3


def _configuration(system, positions=None, cell=None):
    boundary = system.boundary
    cell = boundary.cell if cell is None else cell
    positions = system.sources.positions if positions is None else positions
    return Configuration(("H",) * len(positions), positions, cell, boundary.periodic)


def _operator(system, method, positions=None, cell=None, **options):
    return MultipoleElectrostatics(
        _configuration(system, positions, cell),
        np.sqrt(system.sources.variances),
        system.sources.l_max,
        screening=system.boundary.screening,
        method=method,
        **options,
    )


def _smooth(operator):
    """The operator's plan without kinks: pairs and waves that come and go are below rounding.

    At a cut-off, differences see jumps of the tolerance's size divided by the step; splines of
    order 6 have no ninth derivative. Terms beyond 1.8 times the cut-offs are e^{-3.2·23} = 1e-32
    of the largest.
    """
    plan = operator.plan
    if plan.method == "direct":
        return plan
    changes = {"real_cutoff": 1.8 * plan.real_cutoff}
    if plan.method == "ewald":
        changes["reciprocal_cutoff"] = 1.8 * plan.reciprocal_cutoff
    else:
        changes["spline_order"] = 16
        changes["mesh_shape"] = tuple(max(16, n) for n in plan.mesh_shape)
    return replace(plan, **changes)


def _unit(direction):
    """No site (no vector, for a strain) moves by more than the step."""
    return direction / np.linalg.norm(direction, axis=1).sum()


def _method(system, wanted):
    return "direct" if system.boundary.kind == "open" and wanted == "ewald" else wanted


_systems = multipole_systems(max_sites=4, neutral=True)
_methods = st.sampled_from(("ewald", "mesh"))


def _apart(system):
    """Leaves out systems in which a derivative is not resolved by the step."""
    configuration = _configuration(system)
    distances = np.linalg.norm(configuration.displacements(), axis=2)
    assume(len(configuration) == 1 or np.min(distances[distances > 0]) > 0.3)


@given(_systems, _methods, generators())
def test_force_is_minus_the_derivative_of_the_energy(system, method, generator):
    _apart(system)
    method = _method(system, method)
    plan = _smooth(_operator(system, method, tolerance=1e-10))
    operator = _operator(system, method, plan=plan)
    p, r = system.multipoles, system.sources.positions
    forces = operator.forces(p)
    direction = _unit(generator.normal(size=r.shape))

    def energy(step):
        moved = _operator(system, method, r + step * direction, plan=plan)
        return 0.5 * np.sum(p * moved.potential(p))

    size = np.abs(p * operator.potential(p)).sum()
    assert_derivative(
        -np.sum(forces * direction),
        energy,
        _STEP,
        np.abs(forces).max(),
        1e-9,
        noise=1e-14 * size,
    )


@given(_systems, _methods, generators())
def test_stress_is_the_derivative_of_the_energy_in_every_entry(system, method, generator):
    _apart(system)
    method = _method(system, method)
    plan = _smooth(_operator(system, method, tolerance=1e-10))
    operator = _operator(system, method, plan=plan)
    p, r = system.multipoles, system.sources.positions
    strain = _unit(generator.normal(size=(3, 3)))
    cell = system.boundary.cell

    def energy(step):
        deform = np.eye(3) + step * strain
        strained = None if cell is None else cell @ deform.T
        moved = _operator(system, method, r @ deform.T, strained, plan=plan)
        return 0.5 * np.sum(p * moved.potential(p))

    analytic = operator.stress(p) * operator.boundary.measure
    size = np.abs(p * operator.potential(p)).sum()
    assert_derivative(
        np.sum(analytic * strain),
        energy,
        _STRAIN_STEP,
        np.abs(analytic).max() + size,  # entries may cancel to zero, what they are made of not
        1e-9,
        noise=1e-14 * size,
    )


@given(_systems, _methods, st.booleans(), generators())
def test_adjoint_products_of_the_features(system, method, own, generator):
    """⟨w, dv̂⟩ is the same from both sides, in multipoles and in positions, and to differences."""
    _apart(system)
    method = _method(system, method)
    plan = _smooth(_operator(system, method, tolerance=1e-10))
    operator = _operator(system, method, plan=plan)
    p, r = system.multipoles, system.sources.positions
    widths = np.exp(generator.uniform(np.log(0.1), np.log(2.0), 2))
    features = operator.features(widths, 1, self_interaction=own)
    w = generator.normal(size=(len(r), features.n_features))
    dp, dr = generator.normal(size=p.shape), _unit(generator.normal(size=r.shape))
    forward, back = np.sum(w * features.jvp_multipoles(dp)), features.vjp_multipoles(w) * dp
    size = np.abs(w * features.jvp_multipoles(dp)).sum() + np.abs(back).sum()
    # A mesh carries what an atom does at itself, of order 1/width, and takes it off again.
    own_size = 1.0 / widths.min()
    rounding = 1e-15 * own_size * np.abs(w).sum() * np.abs(dp).sum()
    assert abs(forward - back.sum()) <= 1e-12 * size + rounding
    change = features.jvp_positions(p, dr)
    pulled = features.vjp_positions(p, w)
    size = np.abs(w * change).sum() + np.abs(pulled * dr).sum()
    size += np.abs(features(p)).max()  # one atom in a crystal: no derivative at all
    # The same of derivatives: what is taken off again is of order 1/width².
    rounding = 1e-15 * own_size**2 * np.abs(w).sum() * np.abs(p).sum()
    assert abs(np.sum(w * change) - np.sum(pulled * dr)) <= 1e-12 * size + rounding

    def value(step):
        moved = _operator(system, method, r + step * dr, plan=plan)
        return moved.features(widths, 1, self_interaction=own)(p)

    # A few hundred roundings: stages of the transform, nodes under a spline.
    noise = 5e-14 * (np.abs(features(p)).max() + own_size * np.abs(p).max())
    assert_derivative(change, value, _STEP, np.abs(change).max(), 1e-9, noise=noise)


@given(multipole_systems(kinds=("periodic",), max_sites=4, l_max=1), generators())
def test_strain_gradient_of_the_features(system, generator):
    _apart(system)
    plan = _smooth(_operator(system, "ewald", tolerance=1e-10))
    operator = _operator(system, "ewald", plan=plan)
    p, r = system.multipoles, system.sources.positions
    features = operator.features([0.7], 1)
    w = generator.normal(size=(len(r), features.n_features))
    strain = _unit(generator.normal(size=(3, 3)))
    cell = system.boundary.cell

    def value(step):
        deform = np.eye(3) + step * strain
        moved = _operator(system, "ewald", r @ deform.T, cell @ deform.T, plan=plan)
        return np.sum(w * moved.features([0.7], 1)(p))

    analytic = features.strain_gradient(p, w)
    size = np.abs(w * features(p)).sum()
    assert_derivative(
        np.sum(analytic * strain),
        value,
        _STRAIN_STEP,
        np.abs(analytic).max() + size,
        1e-9,
        noise=1e-14 * size,
    )


@given(multipole_systems(max_sites=4, neutral=True, points=False))
def test_features_of_the_own_width_are_the_conjugate_potential(system):
    sources = system.sources
    operator = _operator(system, "auto", tolerance=1e-11)
    p = system.multipoles
    width = math.sqrt(sources.variances[0])
    features = operator.features([width], sources.l_max)(p)
    expected = operator.potential(p)[0]
    assert np.abs(features[0] - expected).max() <= 1e-9 * np.abs(operator.potential(p)).max()


@given(multipole_systems(max_sites=4, neutral=True), generators())
def test_potential_at_points_does_not_know_the_origin(system, generator):
    """potential_at: the shape asked for, the same everywhere if all is moved together."""
    operator = _operator(system, "auto", tolerance=1e-10)
    p = system.multipoles
    points = system.targets.positions
    values = operator.potential_at(p, points)
    direction = generator.normal(size=3)
    assert values.shape == (len(points),)
    shifted = operator.potential_at(p, points + 0.0 * direction)
    assert np.array_equal(values, shifted)
    # translation of everything by any vector
    moved = _operator(system, "auto", system.sources.positions + direction, tolerance=1e-10)
    size = np.abs(values).max() + 1e-3
    assert np.abs(moved.potential_at(p, points + direction) - values).max() <= 1e-7 * size


@given(multipole_systems(max_sites=5, neutral=True, points=False), rotations(), generators())
def test_energy_is_invariant_and_charges_turn_with_the_cell(system, rotation, generator):
    """λ = 0: rotation, translation and permutation change nothing beyond rounding."""
    charges = system.multipoles[:, :1]
    cell = system.boundary.cell
    widths = np.sqrt(system.sources.variances)
    order = generator.permutation(len(charges))
    shift = generator.normal(size=3) * 10.0

    def operator(positions, cell, order):
        configuration = Configuration(
            ("H",) * len(order), positions[order], cell, system.boundary.periodic
        )
        return MultipoleElectrostatics(configuration, widths[order], tolerance=1e-12)

    r = system.sources.positions
    identity = np.arange(len(charges))
    before = operator(r, cell, identity)
    turned = None if cell is None else cell @ rotation.T
    after = operator(r @ rotation.T + shift, turned, order)
    size = 0.5 * np.abs(charges * before.potential(charges)).sum()
    assert abs(before.energy(charges) - after.energy(charges[order])) <= 2e-12 * size
    forces = before.forces(charges)[order] @ rotation.T
    scale = np.abs(forces).max() + np.abs(charges).max() ** 2 / 100.0
    assert np.abs(after.forces(charges[order]) - forces).max() <= 1e-11 * scale


@given(multipole_systems(kinds=("open",), max_sites=5), generators())
def test_without_self_interaction_the_diagonal_is_exactly_zero(system, generator):
    operator = _operator(system, "direct")
    features = operator.features([0.5], system.sources.l_max, self_interaction=False)
    for atom in range(len(system.sources)):
        p = np.zeros_like(system.multipoles)
        p[atom] = generator.normal(size=p.shape[1])
        assert np.all(features(p)[atom] == 0.0)


@given(multipole_systems(kinds=("open",), max_sites=4), generators())
def test_external_charges_are_sites_that_do_not_move(system, generator):
    """Energy of atoms in the field of charges = energy of all − that of the charges alone."""
    places = system.targets.positions + 0.01
    charges = generator.normal(size=len(places))
    sites, p = system.sources, system.multipoles
    outer = ExternalCharges(places, charges, 0.3)
    widths = np.sqrt(sites.variances)
    inside = MultipoleElectrostatics(
        Configuration(("H",) * len(sites), sites.positions), widths, sites.l_max, external=[outer]
    )
    everything = MultipoleElectrostatics(
        Configuration(("H",) * (len(sites) + len(places)), np.vstack([sites.positions, places])),
        np.concatenate([widths, np.full(len(places), 0.3)]),
        sites.l_max,
    )
    all_p = np.zeros((len(sites) + len(places), p.shape[1]))
    all_p[: len(sites)], all_p[len(sites) :, 0] = p, charges
    alone = all_p.copy()
    alone[: len(sites)] = 0.0
    expected = everything.energy(all_p) - everything.energy(alone)
    size = np.abs(all_p * everything.potential(all_p)).sum()
    assert abs(inside.energy(p) - expected) <= 1e-13 * size
    difference = inside.forces(p) - everything.forces(all_p)[: len(sites)]
    assert np.abs(difference).max() <= 1e-12 * np.abs(everything.forces(all_p)).max()


@given(generators(), st.integers(1, 6), st.integers(0, 2))
def test_uniform_field_pulls_charges_and_turns_dipoles(generator, number, l_max):
    """E gains Σ q 𝓔·r + d·𝓔, the force −q𝓔."""
    configuration = cluster(number, 2.0, generator, species=("H",))
    p = random_multipoles(generator, number, l_max)
    vector = generator.normal(size=3)
    free = MultipoleElectrostatics(configuration, 0.7, l_max)
    inside = MultipoleElectrostatics(configuration, 0.7, l_max, external=[UniformField(vector)])
    dipole = p[:, 0] @ configuration.positions
    if l_max > 0:
        dipole = dipole + p[:, [3, 1, 2]].sum(axis=0)
    size = np.abs(p * free.potential(p)).sum() + np.abs(dipole @ vector)
    assert abs(inside.energy(p) - free.energy(p) - dipole @ vector) <= 1e-12 * size
    gain = inside.forces(p) - free.forces(p) + p[:, :1] * vector
    assert np.abs(gain).max() <= 1e-12 * (1.0 + np.abs(inside.forces(p)).max())


def test_slab_may_stand_in_a_field_along_its_normal_only():
    cell = np.diag([8.0, 8.0, 8.0])
    slab = Configuration(("H", "H"), np.array([[0.0, 0, 0], [1, 1, 2]]), cell, (True, True, False))
    p = np.array([1.0, -1.0])
    along = MultipoleElectrostatics(slab, 0.5, external=[UniformField(np.array([0, 0, 0.1]))])
    bare = MultipoleElectrostatics(slab, 0.5)
    assert along.energy(p) - bare.energy(p) == pytest.approx(-0.2, rel=1e-8)
    with pytest.raises(InputError, match="no periodic potential"):
        MultipoleElectrostatics(slab, 0.5, external=[UniformField(np.array([0.1, 0, 0]))])


_HYDROGEN = Configuration(("H", "H"), np.array([[0.0, 0, 0], [1.4, 0, 0]]))
_CRYSTAL = Configuration(
    ("H", "H"), np.array([[0.0, 0, 0], [1.4, 0, 0]]), 6.0 * np.eye(3), (True, True, True)
)
_SLAB = Configuration(
    ("H", "H"), np.array([[0.0, 0, 0], [1.4, 0, 0]]), 6.0 * np.eye(3), (True, True, False)
)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: MultipoleElectrostatics(_HYDROGEN, -0.5), "width 0 is -0.5"),
        (lambda: MultipoleElectrostatics(_HYDROGEN, math.nan), "width 0 is nan"),
        (lambda: MultipoleElectrostatics(_HYDROGEN, np.ones(3)), r"shape \(3,\)"),
        (lambda: MultipoleElectrostatics(_HYDROGEN, {"O": 1.0}), "no width given for species H"),
        (lambda: MultipoleElectrostatics(_HYDROGEN, 0.5, 5), "l_max is 5"),
        (lambda: MultipoleElectrostatics(_CRYSTAL, 0.5, tolerance=0.0), "tolerance is 0.0"),
        (lambda: MultipoleElectrostatics(_CRYSTAL, 0.5, tolerance=-1e-3), "tolerance is -0.001"),
        (lambda: MultipoleElectrostatics(_CRYSTAL, 0.5, tolerance=1e-17), "tolerance is 1e-17"),
        (lambda: MultipoleElectrostatics(_HYDROGEN, 0.5, tolerance=1e-17), "tolerance is 1e-17"),
        (lambda: MultipoleElectrostatics(_CRYSTAL, 0.5, tolerance=math.nan), "tolerance is nan"),
        (lambda: MultipoleElectrostatics(_CRYSTAL, 0.5, method="direct"), "open boundaries"),
        (lambda: MultipoleElectrostatics(_CRYSTAL, 0.5, method="fmm"), "'fmm'"),
        (lambda: MultipoleElectrostatics(_CRYSTAL, 0.5, screening=-1.0), "screening is -1.0"),
        (
            lambda: MultipoleElectrostatics(_HYDROGEN, 0.5, surface_permittivity=1.0),
            "surface term",
        ),
        (
            lambda: MultipoleElectrostatics(_CRYSTAL, 0.5, surface_permittivity=1.0).energy(
                np.array([1.0, 0.0])
            ),
            "net charge is 1.0",
        ),
        (lambda: MultipoleElectrostatics(_SLAB, 0.5).energy(np.ones(2)), "net charge 2.0"),
        (lambda: MultipoleElectrostatics(_HYDROGEN, 0.5).energy(np.ones(3)), r"shape \(3,\)"),
        (lambda: MultipoleElectrostatics(_HYDROGEN, 0.5, 1).energy(np.ones(2)), r"\(2, 4\)"),
        (
            lambda: MultipoleElectrostatics(_HYDROGEN, 0.5).energy(np.array([1.0, np.nan])),
            "is nan",
        ),
        (
            lambda: MultipoleElectrostatics(_HYDROGEN, 0.0).features([0.0], 0),
            "point multipole of atom 0",
        ),
        (lambda: MultipoleElectrostatics(_HYDROGEN, 0.5).features([], 0), "at least one width"),
        (lambda: MultipoleElectrostatics(_HYDROGEN, 0.5).features([-1.0], 0), "width 0 is -1.0"),
        (
            lambda: MultipoleElectrostatics(_HYDROGEN, 0.0).potential_at(
                np.ones(2), np.zeros((1, 3))
            ),
            "lies on point source 0",
        ),
        (
            lambda: MultipoleElectrostatics(_HYDROGEN, 0.5).potential_at(np.ones(2), np.zeros(3)),
            r"points have shape \(3,\)",
        ),
        (lambda: ExternalCharges(np.zeros((2, 3)), np.ones(1)), "external charges need"),
        (lambda: ExternalCharges(np.zeros((1, 2)), np.ones(1)), r"positions \(K, 3\)"),
        (lambda: ExternalCharges(np.zeros((0, 3)), np.ones(0)), "there are none"),
        (lambda: MultipoleElectrostatics(_HYDROGEN, "wide"), "must be numbers, found 'wide'"),
        (lambda: MultipoleElectrostatics(_HYDROGEN, {"H": "wide"}), "must be numbers"),
        (lambda: MultipoleElectrostatics(_HYDROGEN, 0.5, 0.5), "l_max is 0.5"),
        (lambda: MultipoleElectrostatics(_CRYSTAL, 0.5, tolerance="fine"), "tolerance is fine"),
        (
            lambda: MultipoleElectrostatics(
                _CRYSTAL, 0.5, plan=MultipoleElectrostatics(_HYDROGEN, 0.5).plan
            ),
            "'direct' needs open boundaries",
        ),
        (
            lambda: MultipoleElectrostatics(
                _CRYSTAL,
                0.5,
                tolerance=math.nan,
                plan=MultipoleElectrostatics(_CRYSTAL, 0.5).plan,
            ),
            "tolerance is nan",
        ),
        (lambda: UniformField(np.ones(2)), "three finite components"),
        (
            lambda: MultipoleElectrostatics(
                _HYDROGEN, 0.5, external=[UniformField(np.ones(3))]
            ).stress(np.ones(2)),
            "not defined in an external field",
        ),
    ],
)
def test_bad_input_is_one_line_naming_the_value(build, message):
    with pytest.raises(InputError, match=message) as caught:
        build()
    assert "\n" not in str(caught.value)


@settings(max_examples=10)
@given(multipole_systems(kinds=("periodic",), max_sites=5, points=False))
def test_charged_cells_scale_with_the_background(system):
    """Gaussian against point charges: (2π/Ω) Q Σ qσ², once the sites are far apart for their σ."""
    charges = 1.0 + np.abs(system.multipoles[:, :1])
    configuration = _configuration(system)
    distances = np.linalg.norm(configuration.displacements(), axis=2)
    cell_length = np.min(1.0 / np.linalg.norm(np.linalg.inv(system.boundary.cell), axis=0))
    nearest = min(cell_length, np.min(distances[distances > 0], initial=np.inf))
    sigma = nearest / 13.0 * np.linspace(0.5, 1.0, len(charges))  # erfc(13/2) = 4e-20
    points = MultipoleElectrostatics(configuration, 0.0, tolerance=1e-12)
    smeared = MultipoleElectrostatics(configuration, sigma, tolerance=1e-12, self_interaction=False)
    expected = 2.0 * np.pi / system.volume * charges.sum() * np.sum(charges[:, 0] * sigma**2)
    difference = smeared.energy(charges) - points.energy(charges)
    size = 0.5 * np.abs(charges * points.potential(charges)).sum()
    assert difference == pytest.approx(expected, rel=1e-9, abs=4e-12 * size)


@given(multipole_systems(max_sites=4, neutral=True), _methods, generators())
def test_probes_narrower_or_wider_than_any_site(system, method, generator):
    """A plan made for wide sites serves points, and one for points wide probes."""
    method = _method(system, method)
    p, widths = system.multipoles, [0.05, 0.5, 4.0]
    fine = _operator(system, method, tolerance=1e-12)
    coarse = _operator(system, method, tolerance=1e-6)
    scale = np.abs(fine.potential(p)).max() + np.abs(p).max() / 10.0
    points = system.targets.positions
    assume(np.min(np.linalg.norm(points[:, None] - system.sources.positions, axis=2)) > 0.3)
    difference = coarse.potential_at(p, points) - fine.potential_at(p, points)
    # The tolerance, 1e-6, is one of energies and forces; U is held to ten times it.
    assert np.abs(difference).max() <= 1e-5 * scale
    exact = fine.features(widths, 1, self_interaction=False)(p)
    difference = coarse.features(widths, 1, self_interaction=False)(p) - exact
    assert np.abs(difference).max() <= 1e-5 * (np.abs(exact).max() + scale)


def test_evaluation_given_out_twice_cannot_be_written_to():
    operator = MultipoleElectrostatics(_HYDROGEN, 0.5)
    p = np.array([1.0, -1.0])
    for array in (*operator.evaluate(p)[1:], operator.forces(p)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7.0


def test_strong_screening_of_wide_gaussians_is_open_to_the_direct_sum_only():
    """e^{κ²σ²/2} = e^450 of the splitting overflows; the direct sum never forms it."""
    operator = MultipoleElectrostatics(_HYDROGEN, 3.0, screening=10.0)
    assert operator.plan.method == "direct"
    # flat on the scale of 1/κ: 4π/κ² times the overlap of two Gaussians, up to (κσ)⁻²
    overlap = (4.0 * np.pi * 9.0) ** -1.5 * np.exp(-(1.4**2) / 36.0)
    p = np.array([1.0, 1.0])
    pair = operator.features([3.0], 0, self_interaction=False)(p)[0, 0]
    assert pair == pytest.approx(4.0 * np.pi / 100.0 * overlap, rel=0.01)
    with pytest.raises(InputError, match="too large for the screening"):
        MultipoleElectrostatics(_HYDROGEN, 3.0, screening=10.0, method="ewald")


def test_plan_of_another_system_is_replaced_where_it_does_not_do():
    """Made for wide Gaussians, which have no short-ranged part at all, and given to points."""
    p = np.array([1.0, -1.0])
    wide = MultipoleElectrostatics(_CRYSTAL, 3.0, method="ewald", tolerance=1e-6).plan
    points = MultipoleElectrostatics(_CRYSTAL, 0.0, tolerance=1e-6, plan=wide)
    exact = MultipoleElectrostatics(_CRYSTAL, 0.0, tolerance=1e-13)
    size = 0.5 * np.abs(p * exact.potential(p)[:, 0]).sum()
    assert abs(points.energy(p) - exact.energy(p)) <= 1e-6 * size
    assert points.plan.parameters != wide.parameters


def test_slab_whose_open_cell_vector_is_undefined():
    """A zero third row, as files have it, means what any third row means."""
    flat = np.diag([6.0, 6.0, 0.0])
    slab = Configuration(_SLAB.species, _SLAB.positions, flat, _SLAB.periodic)
    p = np.array([1.0, -1.0])
    for method in ("ewald", "mesh"):
        one = MultipoleElectrostatics(slab, 0.5, method=method).energy(p)
        other = MultipoleElectrostatics(_SLAB, 0.5, method=method).energy(p)
        assert one == pytest.approx(other, rel=1e-9)


def test_external_charges_are_prepared_once(monkeypatch):
    """Once a geometry, not at every evaluation of a self-consistent iteration."""
    calls = []
    outer = ExternalCharges(np.array([[5.0, 0.0, 0.0]]), np.ones(1))
    operator = MultipoleElectrostatics(_HYDROGEN, 0.5, external=[outer])
    monkeypatch.setattr(
        "scc.electrostatics.multipoles.electrostatics.assembled",
        lambda *arguments: calls.append(arguments),
    )
    for scale in (1.0, 2.0):
        operator.potential(scale * np.ones(2))
        operator.evaluate(scale * np.ones(2))
    assert calls == []
