"""Self-consistent predictions: exact forces, responses, symmetries, restarts, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import derivative
from strategies.fitted_models import moved, random_model, water

from scc.ace.predict import predict
from scc.configuration import Configuration
from scc.electrostatics.multipoles import ExternalCharges, UniformField
from scc.equilibration import Anderson, NewtonKrylov, equilibrate
from scc.errors import InputError
from scc.functional.projection_functional import ProjectionFunctional

FEATURE_SETS = [(0, 0), (1, 0), (2, 1), (3, 2)]
FIELD = UniformField(np.array([0.003, -0.002, 0.004]))


def charge(generator):
    return ExternalCharges(np.array([[-6.0, 2.0, 3.0]]) + generator.normal(size=3), np.array([0.5]))


@settings(max_examples=6)
@given(
    st.sampled_from(FEATURE_SETS),
    st.integers(1, 2),
    generators(),
    st.booleans(),
)
def test_adjoint_forces_are_differences_of_the_energy(features, number, generator, surrounded):
    model = random_model(*features)
    configuration = water(number, generator)
    external = (FIELD, charge(generator)) if surrounded else ()
    found = predict(model, configuration, external=external, tolerance=1e-11)
    assert found.stable
    direction = generator.normal(size=configuration.positions.shape)
    direction /= np.linalg.norm(direction)

    def energy(step):
        place = moved(configuration, step * direction)
        return predict(model, place, external=external, tolerance=1e-13).energy

    slope = -float(np.vdot(found.forces, direction))
    size = float(np.linalg.norm(found.forces))
    # A scan of steps, so that no single lucky one decides.
    errors = [abs(derivative(energy, step)[0] - slope) / size for step in (1e-2, 2e-3)]
    assert max(errors) <= 1e-6
    assert min(errors) <= 1e-8


@settings(max_examples=10)
@given(st.sampled_from(FEATURE_SETS), generators())
def test_symmetries_survive_self_consistency(features, generator):
    model = random_model(*features)
    configuration = water(3, generator)
    before = predict(model, configuration, tolerance=1e-11)
    orthogonal = np.linalg.qr(generator.normal(size=(3, 3)))[0]
    order = generator.permutation(len(configuration))
    placed = Configuration(
        tuple(configuration.species[i] for i in order),
        (configuration.positions @ orthogonal.T + generator.normal(size=3))[order],
    )
    after = predict(model, placed, tolerance=1e-11)
    assert after.energy == pytest.approx(before.energy, abs=1e-10)
    assert np.allclose(after.charges, before.charges[order], rtol=0.0, atol=1e-10)
    assert np.allclose(after.forces, (before.forces @ orthogonal.T)[order], rtol=0.0, atol=1e-10)
    assert np.allclose(after.dipole, orthogonal @ before.dipole, rtol=0.0, atol=1e-10)
    assert np.allclose(np.sum(before.forces, axis=0), 0.0, atol=1e-10)


@settings(max_examples=10)
@given(st.sampled_from(FEATURE_SETS), generators(), st.floats(-1.0, 1.0))
def test_a_constant_potential_from_outside_is_not_felt(features, generator, shift):
    model = random_model(*features)
    configuration = water(2, generator)
    centre = configuration.positions.mean(axis=0)
    # Inside a large sphere of charges the potential is constant; of six charges in the corners of
    # an octahedron up to (r/R)⁴.
    radius = 1e5
    corners = centre + radius * np.concatenate([np.eye(3), -np.eye(3)])
    shell = ExternalCharges(corners, np.full(6, shift * radius / 6.0))
    free = predict(model, configuration, tolerance=1e-11)
    inside = predict(model, configuration, external=(shell,), tolerance=1e-11)
    assert np.allclose(inside.multipoles, free.multipoles, rtol=0.0, atol=1e-10)
    assert inside.energy == pytest.approx(free.energy, abs=1e-9)
    assert np.allclose(inside.forces, free.forces, rtol=0.0, atol=1e-10)


@settings(max_examples=5)
@given(st.sampled_from(FEATURE_SETS), generators())
def test_the_polarisability_is_the_dipole_in_a_field(features, generator):
    model = random_model(*features)
    configuration = water(2, generator)
    alpha = predict(model, configuration).polarisability()
    # Affine: finite fields, exact differences; an electron in 𝓔 feels +𝓔·x.
    for axis, direction in enumerate(np.eye(3)):
        ahead, behind = (
            predict(model, configuration, external=(UniformField(s * direction),), tolerance=1e-12)
            for s in (0.01, -0.01)
        )
        slope = (ahead.dipole - behind.dipole) / 0.02
        assert np.allclose(alpha[:, axis], slope, rtol=0.0, atol=1e-8)


@settings(max_examples=5)
@given(generators())
def test_a_restart_from_the_last_features_needs_less_and_ends_at_the_same(generator):
    model = random_model(3, 2)
    configuration = water(3, generator)
    first = predict(model, configuration)
    nearby = moved(configuration, 1e-4 * generator.normal(size=(9, 3)))
    cold, warm = predict(model, nearby), predict(model, nearby, features=first.features)
    assert warm.scf_iterations < cold.scf_iterations
    assert np.allclose(warm.multipoles, cold.multipoles, rtol=0.0, atol=1e-7)
    assert warm.energy == pytest.approx(cold.energy, abs=1e-7)


@settings(max_examples=3)
@given(st.sampled_from(FEATURE_SETS), generators())
def test_any_solver_of_the_common_machinery_finds_the_same(features, generator):
    model = random_model(*features)
    configuration = water(2, generator)
    found = predict(model, configuration, tolerance=1e-11)
    functional = ProjectionFunctional(model.prepare(configuration), model.operator(configuration))
    for solver in (None, Anderson(), NewtonKrylov()):
        other = equilibrate(functional, solver, tolerance=1e-10)
        assert other.status == "converged"
        assert np.allclose(other.density, found.multipoles, rtol=0.0, atol=1e-8)
        assert np.allclose(other.forces, found.forces, rtol=0.0, atol=1e-8)


def test_two_distant_clusters_feel_each_other_through_features_only():
    generator = np.random.default_rng(3)
    near, other = water(1, generator), water(1, generator)
    responsive, deaf = random_model(3, 2), random_model(0, 0)
    for model, feels in ((responsive, True), (deaf, False)):
        alone = predict(model, near)
        both = predict(
            model,
            Configuration(
                near.species + other.species,
                np.concatenate([near.positions, other.positions + np.array([20.0, 0, 0])]),
            ),
        )
        change = np.max(np.abs(both.multipoles[:3] - alone.multipoles))
        assert (change > 1e-6) == feels


def test_an_unstable_response_is_not_passed_off_as_a_solution():
    generator = np.random.default_rng(0)
    model = random_model(3, 2, response=30.0)
    found = predict(model, water(4, generator))
    assert found.equilibrium.spectrum.smallest_real < 0.0
    assert not found.stable


def test_dipoles_of_periodic_systems_are_refused():
    generator = np.random.default_rng(1)
    cluster = water(1, generator)
    crystal = Configuration(
        cluster.species, cluster.positions, 12.0 * np.eye(3), (True, True, True)
    )
    found = predict(random_model(2, 1), crystal)
    with pytest.raises(InputError, match="periodic"):
        _ = found.dipole
    with pytest.raises(InputError, match="periodic"):
        found.polarisability()


def test_forces_in_a_crystal_are_differences_of_the_energy():
    generator = np.random.default_rng(2)
    cluster = water(2, generator)
    cell = np.diag([13.0, 9.0, 9.5]) + 0.3 * generator.normal(size=(3, 3))
    model = random_model(2, 1)

    def crystal(positions):
        return Configuration(cluster.species, positions, cell, (True, True, True))

    found = predict(model, crystal(cluster.positions))
    direction = generator.normal(size=cluster.positions.shape)
    direction /= np.linalg.norm(direction)

    def energy(step):
        return predict(model, crystal(cluster.positions + step * direction), tolerance=1e-12).energy

    slope = -float(np.vdot(found.forces, direction))
    error = abs(float(derivative(energy, 5e-3)[0]) - slope) / float(np.linalg.norm(found.forces))
    assert error <= 1e-6
