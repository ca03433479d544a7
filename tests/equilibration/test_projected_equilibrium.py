"""Self-consistency closed by projection: solvers, adjoint forces, response, stability."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given
from scipy.sparse.linalg import ArpackNoConvergence
from strategies.finite_differences import assert_derivative
from strategies.responsive_models import ToyModel, toy_cases

from scc.configuration import Configuration
from scc.electrostatics.multipoles.external import UniformField
from scc.electrostatics.multipoles.projection import projection_operator
from scc.equilibration import Anderson, Damped, NewtonKrylov, equilibrate
from scc.equilibration.solvers import LinearSolve
from scc.errors import ConvergenceError, InputError
from scc.functional.projection_functional import ProjectionFunctional

TOLERANCE = 1e-12  # largest |ρ_out − ρ_in|; of p of order one


def _size(array):
    return float(np.max(np.abs(array), initial=0.0))


@given(case=toy_cases(affine=True))
def test_one_linear_solve_finds_what_iterations_find(case):
    functional = case.functional()
    linear = equilibrate(functional, tolerance=TOLERANCE)
    assume(linear.converged)
    # An error of the density residual is amplified by ‖(1 − χK)⁻¹‖; K and p are of order one.
    operator = functional.operator
    chi = np.array(
        [
            linear.state.local.density_jvp(operator.apply(unit.reshape(-1, 9))).ravel()
            for unit in np.eye(linear.density.size)
        ]
    ).T
    inverse = np.linalg.inv(np.eye(len(chi)) - chi)
    allowed = 1e2 * TOLERANCE * np.linalg.norm(inverse, 2)
    direct = inverse @ functional.evaluate(operator.external).density.ravel()
    # p = ρ(r, Kp + v̂_ext) = ρ(r, v̂_ext) + χKp
    assert _size(linear.density.ravel() - direct) <= allowed
    for solver in (Anderson(), NewtonKrylov()):
        other = equilibrate(functional, solver, tolerance=TOLERANCE)
        assert other.converged
        assert _size(other.density - linear.density) <= allowed
        assert other.energy == pytest.approx(linear.energy, abs=10.0 * allowed)


@given(case=toy_cases())
def test_a_solution_reproduces_its_features_and_says_what_it_cost(case):
    functional = case.functional()
    seen = []
    result = equilibrate(functional, callback=lambda n, iterate: seen.append((n, iterate)))
    assume(result.converged)
    assert len(seen) == len(result.history) == result.iterations
    assert result.density_builds == len(result.history) + 1  # the start, at no field
    assert result.response_applications > 0
    assert result.history[-1] == result.residual <= 1e-10
    again = functional.closure.features(result.density)
    assert _size(again - result.features) <= 1e2 * result.residual
    np.testing.assert_array_equal(result.state.residual, result.features - again)
    operator = functional.operator
    sites = float(result.state.site_energies.sum())
    assert result.energy == pytest.approx(sites + operator.energy(result.density), rel=1e-14)


@given(case=toy_cases(affine=False, max_atoms=4))
def test_saturating_dipoles_are_solved_by_newton_and_by_anderson(case):
    functional = case.functional()
    one = equilibrate(functional, Anderson(), tolerance=TOLERANCE)
    other = equilibrate(functional, NewtonKrylov(), tolerance=TOLERANCE)
    assume(one.converged and other.converged)
    allowed = 1e2 * TOLERANCE / one.spectrum.smallest_modulus
    assume(one.spectrum.smallest_modulus > 1e-2)
    assert _size(one.density - other.density) <= allowed


@given(case=toy_cases(max_atoms=4))
def test_adjoint_forces_are_derivatives_of_the_energy_at_the_solution(case):
    """Whatever steps of 1e-3 to 3e-2 bohr: differences of order eight of solutions anew."""
    here = equilibrate(case.functional(), tolerance=TOLERANCE)
    assume(here.converged and here.spectrum.smallest_modulus > 0.05)
    generator = np.random.default_rng(0)
    direction = generator.normal(size=case.positions.shape)
    direction /= np.linalg.norm(direction)

    def energy(step):
        there = equilibrate(case.functional(step * direction), tolerance=TOLERANCE)
        return there.energy

    size = _size(here.forces)
    for step in (1e-3, 3e-3, 1e-2, 3e-2):
        assert_derivative(
            -np.vdot(here.forces, direction),
            energy,
            step,
            size,
            relative=1e-6,
            noise=10.0 * TOLERANCE * _size(here.adjoint),
        )


@given(case=toy_cases(max_atoms=4))
def test_forces_without_the_adjoint_would_be_wrong(case):
    """The functional is not variational: leaving λ out is seen (a test of the test above)."""
    here = equilibrate(case.functional())
    assume(here.converged)
    bare = here.state.forces(np.zeros_like(here.features))
    assert _size(bare - here.forces) > 1e-6 * _size(here.forces)
    assert _size(here.state.residual_vjp(here.adjoint) - here.state.gradient) <= 1e-8 * _size(
        here.state.gradient
    )


@given(case=toy_cases(max_atoms=5))
def test_linearised_residual_is_the_derivative_of_the_residual(case):
    functional = case.functional()
    generator = np.random.default_rng(1)
    features = 0.1 * generator.normal(size=functional.initial_features().shape)
    direction, cotangent = generator.normal(size=(2, *features.shape))
    displacement = generator.normal(size=case.positions.shape)
    state = functional.evaluate(features)
    moved = state.residual_jvp(direction)
    size = _size(state.residual) + _size(features)
    assert_derivative(
        moved,
        lambda t: functional.evaluate(features + t * direction).residual,
        1e-3,
        _size(moved),
        noise=1e-14 * size,
    )
    left, right = np.vdot(cotangent, moved), np.vdot(state.residual_vjp(cotangent), direction)
    assert abs(left - right) <= 1e-12 * np.linalg.norm(cotangent) * np.linalg.norm(moved)
    shift = state.residual_position_jvp(displacement)
    assert_derivative(
        shift,
        lambda t: case.functional(t * displacement).evaluate(features).residual,
        5e-3,
        _size(shift),
        noise=1e-14 * size,
    )
    slope = np.vdot(state.gradient, direction)
    assert_derivative(
        slope,
        lambda t: functional.evaluate(features + t * direction).energy,
        1e-3,
        float(np.linalg.norm(state.gradient) * np.linalg.norm(direction)),
        noise=1e-14 * float(np.sum(np.abs(state.density * state.potential))),
    )


@given(case=toy_cases(max_atoms=4))
def test_response_to_a_field_is_the_derivative_of_the_solution(case):
    here = equilibrate(case.functional(), tolerance=TOLERANCE)
    assume(here.converged and here.spectrum.smallest_modulus > 0.05)
    unit = np.array([0.0, 0.6, 0.8])
    bare = case.functional(extra=(UniformField(unit),)).operator.external
    change = here.solve_response(bare - here.functional.operator.external)

    def features(step):
        field = UniformField(step * unit)
        return equilibrate(case.functional(extra=(field,)), tolerance=TOLERANCE).features

    assert_derivative(change, features, 2e-3, _size(change), relative=1e-6, noise=1e-11)


@given(case=toy_cases(max_atoms=4))
def test_spectrum_is_that_of_the_full_linearisation(case):
    here = equilibrate(case.functional())
    assume(here.converged)
    shape = here.features.shape
    columns = [
        here.state.residual_jvp(unit.reshape(shape)).ravel() for unit in np.eye(here.features.size)
    ]
    values = np.linalg.eigvals(np.array(columns).T)
    spectrum = here.spectrum
    assert (here.radius, here.smallest_real) == (spectrum.radius, spectrum.smallest_real)
    # Eigenvalues of a matrix that is not normal: rounding times its condition.
    assert spectrum.radius == pytest.approx(max(np.abs(1.0 - values)), rel=1e-6, abs=1e-9)
    smallest = min(np.abs(values).min(), 1.0)
    assert spectrum.smallest_modulus == pytest.approx(smallest, rel=1e-6)
    assert spectrum.smallest_real == pytest.approx(min(values.real.min(), 1.0), rel=1e-6)


@given(case=toy_cases(affine=True, max_atoms=6))
def test_spectrum_of_large_systems_is_that_of_small_ones(case):
    here = equilibrate(case.functional())
    assume(here.converged and here.density.size > 35)
    dense = here.spectrum
    with patch("scc.equilibration.projected_equilibrium._DENSE_BELOW", 0):
        iterative = equilibrate(case.functional()).spectrum
    np.testing.assert_allclose(iterative, dense, rtol=1e-5)


@given(case=toy_cases(affine=True, max_atoms=4))
def test_plain_iteration_converges_iff_the_spectral_radius_is_below_one(case):
    case = case.stronger(np.random.default_rng(case.positions.size).uniform(1.0, 8.0))
    functional = case.functional()
    radius = equilibrate(functional, LinearSolve()).spectrum.radius
    assume(not 0.93 < radius < 1.07)
    plain = equilibrate(functional, Damped(1.0), tolerance=1e-8, max_builds=600)
    assert plain.converged == (radius < 1.0)


def _two_dipoles(alpha, gamma=0.0):
    configuration = Configuration(("X", "X"), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]]))
    field = UniformField([0.0, 0.0, 0.1])
    operator = projection_operator(configuration, 1.0, (1.0,), 1, external=(field,))
    model = ToyModel(np.array([0.0, 1.0]), np.zeros(4), alpha=alpha, gamma=gamma)
    return ProjectionFunctional(model.prepare(configuration), operator)


def test_a_solution_that_small_steps_leave_is_called_unstable():
    """K ≥ 0 and χ ≤ 0 are stable; dipoles *along* the field amplify it, here beyond all bounds."""
    weak = equilibrate(_two_dipoles(alpha=-1.0))
    assert weak.converged
    assert weak.stable
    assert weak.spectrum.smallest_real < 1.0
    strong = equilibrate(_two_dipoles(alpha=-20.0))
    assert strong.residual <= 1e-10
    assert strong.status == "unstable"
    assert not strong.stable
    assert strong.spectrum.smallest_real < 0.0
    with pytest.raises(ConvergenceError, match="unstable"):
        equilibrate(_two_dipoles(alpha=-20.0), throw=True)


def test_what_does_not_converge_says_so():
    functional = _two_dipoles(alpha=3.0, gamma=5.0)
    result = equilibrate(functional, max_builds=2)
    assert result.status == "stalled"
    assert not result.stable
    with pytest.raises(ConvergenceError, match="stalled"):
        result.require_converged()
    wild = equilibrate(_two_dipoles(alpha=60.0), Damped(1.0), max_builds=100)
    assert wild.status == "diverged"


def test_eigenvalues_that_do_not_converge_are_an_error_of_ours():
    def refuse(*_, **__):
        raise ArpackNoConvergence("none", np.zeros(0), np.zeros((0, 0)))

    module = "scc.equilibration.projected_equilibrium"
    with (
        patch(f"{module}._DENSE_BELOW", 0),
        patch(f"{module}.eigs", refuse),
        pytest.raises(ConvergenceError, match="spectrum"),
    ):
        equilibrate(_two_dipoles(alpha=1.0))


def test_an_energy_stationary_in_the_features_needs_no_adjoint():
    """Probes like the density, χ symmetric, E = −½⟨v̂, χv̂⟩ + E_H: ∂E/∂v̂ = χ(V − v̂) = 0."""
    configuration = Configuration(("X", "X"), np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 4.0]]))
    field = UniformField([0.02, 0.0, 0.1])
    operator = projection_operator(configuration, 1.0, (1.0,), 1, external=(field,))
    # reach → 0: no neighbours, p_i1 = −α v̂_i1, E_i = ½ η |v̂_i1|² with η = α
    model = ToyModel(np.zeros(2), np.zeros(4), alpha=3.0, eta=3.0, reach=0.1)
    result = equilibrate(ProjectionFunctional(model.prepare(configuration), operator))
    assert result.converged
    assert _size(result.density) > 0.1
    assert _size(result.state.gradient) <= 1e-9
    assert _size(result.adjoint) <= 1e-9


def test_features_of_another_operator_are_refused():
    functional = _two_dipoles(alpha=1.0)
    other = projection_operator(functional.configuration, 1.0, (1.0, 2.0), 1)
    with pytest.raises(InputError, match=r"features of shape \(2, 4\).*\(2, 8\)"):
        ProjectionFunctional(functional.model, other)


def test_a_good_start_saves_density_builds():
    functional = _two_dipoles(alpha=3.0, gamma=5.0)
    cold = equilibrate(functional)
    warm = equilibrate(functional, features=cold.features)
    assert cold.converged
    assert warm.converged
    assert warm.density_builds < cold.density_builds
