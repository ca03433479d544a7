"""The projection operator: the fast sums against the general ones, adjoints and derivatives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.multipoles import multipole_rotation
from strategies.projections import projection_cases

from scc.configuration import Configuration
from scc.electrostatics.multipoles.external import physical_charges
from scc.electrostatics.multipoles.pairwise_projection import PairwiseProjection
from scc.electrostatics.multipoles.projection import projection_operator
from scc.electrostatics.multipoles.summed_projection import SummedProjection
from scc.errors import InputError

# Both sums are accurate to a few units in the last place of the largest entry of each block; up to
# 40 · 9 of them are added, and multipoles of one atom may cancel a digit or two of its neighbours'.
ROUNDING = 1e-11


def _assert_close(found, expected):
    expected = np.asarray(expected)
    assert np.shape(found) == expected.shape
    scale = float(np.max(np.abs(expected), initial=0.0))
    assert float(np.max(np.abs(found - expected), initial=0.0)) <= ROUNDING * scale


@given(
    case=projection_cases(),
    group=st.integers(1, 50),
    kept=st.sampled_from([0, 10**5, 10**6, 2**31]),
)
def test_fast_sums_are_those_of_the_general_operator(case, group, kept):
    """A wrong sign, mirror image, block of a group or a stale kept matrix would show here."""
    fast = PairwiseProjection(*case.arguments, group=group, most_bytes=kept)
    slow = SummedProjection(*case.arguments, 1e-9, "direct")
    p, w, dr = case.multipoles, case.cotangent, case.displacement
    for _ in range(2):  # the second time from what is kept
        _assert_close(fast.apply(p), slow.apply(p))
        _assert_close(fast.transpose(w), slow.transpose(w))
        _assert_close(fast.kernel(p), slow.kernel(p))
        _assert_close(fast.energy(p), slow.energy(p))
    _assert_close(fast.external, slow.external)
    _assert_close(fast.potential(p), slow.potential(p))
    _assert_close(fast.forces_fixed_p(p), slow.forces_fixed_p(p))
    _assert_close(fast.vjp_positions(p, w), slow.vjp_positions(p, w))
    _assert_close(fast.position_gradient(p, w), slow.position_gradient(p, w))
    _assert_close(fast.jvp_positions(p, dr), slow.jvp_positions(p, dr))
    _assert_close(fast.potential_jvp_positions(p, dr), slow.potential_jvp_positions(p, dr))


@given(case=projection_cases(max_atoms=8), group=st.integers(1, 9), fast=st.booleans())
def test_dense_matrices_are_those_of_the_products(case, group, fast):
    operator = (
        PairwiseProjection(*case.arguments, group=group)
        if fast
        else SummedProjection(*case.arguments, 1e-9, "direct")
    )
    p, dr = case.multipoles, case.displacement
    _assert_close((operator.matrix @ p.ravel()).reshape(len(p), -1), operator.apply(p))
    _assert_close((operator.energy_matrix @ p.ravel()).reshape(p.shape), operator.kernel(p))
    jacobian = operator.position_jacobian(p)
    assert jacobian.shape == (operator.n_features * len(p), dr.size)
    moved = (jacobian @ dr.ravel()).reshape(len(p), -1)
    _assert_close(moved, operator.jvp_positions(p, dr))


@given(case=projection_cases())
def test_energy_is_a_positive_form_and_the_potential_its_gradient(case):
    operator = projection_operator(*case.arguments[:4], external=case.external)
    p = case.multipoles
    j = operator.energy_matrix
    assert np.max(np.abs(j - j.T)) <= 1e-15 * np.max(np.abs(j))
    lowest = np.linalg.eigvalsh(j)[0]
    assert lowest >= -1e-13 * np.max(np.abs(j))
    size = float(np.max(np.abs(operator.potential(p))))
    direction = case.multipoles[::-1] / np.linalg.norm(case.multipoles)
    assert_derivative(
        np.vdot(operator.potential(p), direction),
        lambda t: operator.energy(p + t * direction),
        step=0.1,
        size=size,
        noise=1e-14 * float(np.sum(np.abs(p * operator.potential(p)))),
    )


@given(case=projection_cases(max_atoms=10))
def test_probes_like_the_density_see_its_own_potential(case):
    configuration, width, *_ = case.arguments
    operator = projection_operator(configuration, width, [width], 2, external=case.external)
    p = case.multipoles
    _assert_close(operator.apply(p) + operator.external, operator.potential(p))
    _assert_close(operator.matrix, operator.energy_matrix)
    _assert_close(operator.transpose(p), operator.apply(p))


@given(case=projection_cases(min_widths=1))
def test_products_from_both_sides_agree(case):
    operator = projection_operator(*case.arguments[:4], external=case.external)
    p, w, dr = case.multipoles, case.cotangent, case.displacement
    image = operator.apply(p)
    allowed = ROUNDING * np.linalg.norm(w) * np.linalg.norm(image)
    assert abs(np.vdot(w, image) - np.vdot(operator.transpose(w), p)) <= allowed
    moved = operator.jvp_positions(p, dr)
    allowed = ROUNDING * np.linalg.norm(w) * np.linalg.norm(moved)
    assert abs(np.vdot(w, moved) - np.vdot(operator.vjp_positions(p, w), dr)) <= allowed
    both = operator.position_gradient(p, w)
    _assert_close(both, operator.vjp_positions(p, w) - operator.forces_fixed_p(p))


@given(case=projection_cases(max_atoms=12, min_widths=1))
def test_derivatives_are_those_of_values(case):
    """Displaced operators, external sources at rest."""
    p, dr = case.multipoles, case.displacement / np.linalg.norm(case.displacement)
    case = case._replace(displacement=dr)

    def operator(step):
        return projection_operator(*case.moved(step)[:4], external=case.external)

    here = operator(0.0)
    # Radius of analyticity: the widths, since erf(r/√(2w))/r is entire and grows beyond √w.
    step = 0.02 * min(case.density_width, *case.widths)
    change = here.jvp_positions(p, dr)
    values = np.max(np.abs(here.apply(p) + here.external))
    assert_derivative(
        change,
        lambda t: operator(t).apply(p) + operator(t).external,
        step,
        float(np.max(np.abs(change))),
        noise=1e-14 * float(values),
    )
    slope = -np.vdot(here.forces_fixed_p(p), dr)
    terms = float(np.sum(np.abs(p * here.potential(p))))
    assert_derivative(
        slope,
        lambda t: operator(t).energy(p),
        step,
        float(np.linalg.norm(here.forces_fixed_p(p))),
        noise=1e-14 * terms,
    )


@given(case=projection_cases(external=False), generator=generators())
def test_moving_and_turning_the_cluster_changes_nothing(case, generator):
    configuration, width, widths, l_max, _ = case.arguments
    operator = projection_operator(configuration, width, widths, l_max)
    rotation = np.linalg.qr(generator.normal(size=(3, 3)))[0]
    positions = configuration.positions @ rotation.T + generator.normal(size=3)
    other = projection_operator(
        Configuration(configuration.species, positions), width, widths, l_max
    )
    p = case.multipoles
    turned = p @ multipole_rotation(2, rotation).T
    d = multipole_rotation(l_max, rotation)
    features = operator.apply(p).reshape(len(p), len(widths), len(d)) @ d.T
    # multipole_rotation is a least-squares fit, good to 1e-13 or so
    _assert_close(other.apply(turned), features.reshape(len(p), -1))
    forces = operator.forces_fixed_p(p)
    _assert_close(other.forces_fixed_p(turned), forces @ rotation.T)
    assert np.max(np.abs(forces.sum(axis=0))) <= 1e-12 * np.sum(np.abs(forces))


def test_an_electron_is_attracted_by_a_physical_positive_charge():
    """−q/r, its gradient towards the charge, and a force that way."""
    configuration = Configuration(("X",), np.zeros((1, 3)))
    outside = physical_charges(np.array([[0.0, 0.0, 40.0]]), np.array([2.0]))
    operator = projection_operator(configuration, 1.0, [0.5], 1, external=[outside])
    electron = np.eye(1, 9)
    np.testing.assert_allclose(operator.external[0], [-2 / 40, 0, -2 / 40**2, 0], rtol=1e-12)
    own = 0.5 / np.sqrt(np.pi)
    assert operator.energy(electron) == pytest.approx(own - 2.0 / 40.0, rel=1e-12)
    np.testing.assert_allclose(
        operator.forces_fixed_p(electron), [[0.0, 0.0, 2.0 / 40.0**2]], rtol=1e-12, atol=1e-16
    )


def test_the_same_interface_serves_crystals():
    """NaCl-like cell: adjoints, and the large-cell limit of nothing but the same numbers."""
    generator = np.random.default_rng(3)
    cell = 12.0 * np.eye(3)
    positions = np.array([[0.0, 0.0, 0.0], [5.0, 1.0, 2.0], [1.0, 6.0, 7.0]])
    crystal = Configuration(("X",) * 3, positions, cell, (True,) * 3)
    p = 0.3 * generator.normal(size=(3, 9))
    p[:, 0] -= p[:, 0].mean()
    operator = projection_operator(crystal, 1.0, (1.0, 1.5), 1, tolerance=1e-9)
    w, dr = generator.normal(size=(3, 8)), generator.normal(size=(3, 3))
    assert np.vdot(w, operator.apply(p)) == pytest.approx(np.vdot(operator.transpose(w), p))
    assert np.vdot(w, operator.jvp_positions(p, dr)) == pytest.approx(
        np.vdot(operator.vjp_positions(p, w), dr)
    )
    supercell = Configuration(
        ("X",) * 6,
        np.concatenate([positions, positions + cell[0]]),
        np.diag([24.0, 12.0, 12.0]),
        (True,) * 3,
    )
    doubled = projection_operator(supercell, 1.0, (1.0, 1.5), 1, tolerance=1e-9)
    twice = np.concatenate([p, p])
    np.testing.assert_allclose(doubled.apply(twice)[:3], operator.apply(p), atol=1e-8)
    assert doubled.energy(twice) == pytest.approx(2.0 * operator.energy(p), rel=1e-8)


def test_without_probes_there_is_an_energy_but_no_feature():
    generator = np.random.default_rng(0)
    configuration = Configuration(("X",) * 3, 4.0 * generator.normal(size=(3, 3)))
    p = generator.normal(size=(3, 9))
    for method in ("auto", "direct"):
        operator = projection_operator(configuration, 1.0, (), 0, method=method)
        assert operator.n_features == 0
        assert operator.external.shape == operator.apply(p).shape == (3, 0)
        assert operator.matrix.shape == (0, 27)
        assert operator.position_jacobian(p).shape == (0, 9)
        assert not np.any(operator.transpose(np.zeros((3, 0))))
        assert not np.any(operator.vjp_positions(p, np.zeros((3, 0))))
        gradient = operator.position_gradient(p, np.zeros((3, 0)))
        np.testing.assert_allclose(gradient, -operator.forces_fixed_p(p), rtol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"density_width": 0.0}, "density width is 0.0"),
        ({"density_width": np.inf}, "density width is inf"),
        ({"widths": (1.0, -1.0)}, "feature width 1 is -1.0"),
        ({"l_max": 3}, "probe l_max is 3"),
    ],
)
def test_arguments_out_of_range_are_named(arguments, message):
    configuration = Configuration(("X",), np.zeros((1, 3)))
    given = {"density_width": 1.0, "widths": (1.0,), "l_max": 1} | arguments
    with pytest.raises(InputError, match=message):
        projection_operator(configuration, **given)


def test_arrays_of_other_shapes_are_refused():
    configuration = Configuration(("X",) * 2, np.eye(2, 3) * 5.0)
    operator = projection_operator(configuration, 1.0, (1.0,), 1)
    with pytest.raises(InputError, match="multipoles have shape"):
        operator.apply(np.zeros((2, 4)))
    with pytest.raises(InputError, match="cotangent must be finite"):
        operator.transpose(np.full((2, 4), np.nan))
    with pytest.raises(InputError, match="displacement must be finite"):
        operator.jvp_positions(np.zeros((2, 9)), np.zeros((3, 3)))
    crystal = Configuration(("X",), np.zeros((1, 3)), 8.0 * np.eye(3), (True,) * 3)
    with pytest.raises(InputError, match="open boundaries"):
        PairwiseProjection(crystal, 1.0, (1.0,), 1)
