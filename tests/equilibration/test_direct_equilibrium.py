"""The direct closure solved: one minimum whatever the solver, forces, response, honest failure."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.direct_models import ToyDirect, toys, with_chi
from strategies.finite_differences import assert_scan

from scc.configuration import Configuration, cluster
from scc.electrostatics.site_terms import ExternalPotential
from scc.equilibration.coulomb_preconditioner import coulomb_preconditioner
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.saddle_point import (
    assembled,
    solve_dense,
    solve_on_surface,
    surface_basis,
)
from scc.equilibration.saddle_point_solver import SaddlePointNewton
from scc.equilibration.solvers import Anderson, Damped, LinearSolve, NewtonKrylov
from scc.errors import ConvergenceError, InputError
from scc.functional.direct_functional import DirectFunctional
from scc.models.eem import EEM, EEMElement

TIGHT = 1e-13


def solved(model, configuration, charge=0.3, solver=None, **options):
    functional = DirectFunctional(model.prepare(configuration), total_charge=charge)
    return equilibrate(functional, solver, tolerance=TIGHT, throw=True, **options)


@given(toys())
@settings(max_examples=3)
def test_solvers_disagree_about_the_minimum(toy):
    reference = solved(*toy)
    assert reference.stable
    assert abs(reference.charges.sum() - 0.3) < 1e-12
    largest = np.max(np.abs(reference.state.residual))
    assert largest < 1e-10
    for solver in (SaddlePointNewton(dense_below=0), Anderson(), NewtonKrylov()):
        other = solved(*toy, solver=solver)
        # δ of size 1e-13, from a Hessian whose condition number is below 1e2.
        assert np.max(np.abs(other.features - reference.features)) < 1e-11
        assert other.chemical_potential == pytest.approx(reference.chemical_potential, abs=1e-11)


@given(toys(affine=True))
@settings(max_examples=3)
def test_an_affine_residual_needs_more_than_one_solve(toy):
    one = solved(*toy)
    assert len(one.history) == 2
    other = solved(*toy, solver=LinearSolve())
    assert np.max(np.abs(one.features - other.features)) < 1e-11


@given(toys(max_atoms=3), generators())
@settings(max_examples=2)
def test_forces_are_not_the_derivative_of_the_equilibrated_energy(toy, rng):
    model, configuration = toy
    dr = rng.normal(size=(len(configuration), 3))
    forces = solved(model, configuration).forces

    def energy(t):
        return solved(model, configuration.displaced(t * dr)).energy

    assert_scan(-np.vdot(forces, dr), energy)


@given(toys(max_atoms=3), generators())
@settings(max_examples=2)
def test_the_adjoint_is_missing_where_the_equations_belong_to_another_model(toy, rng):
    model, configuration = toy
    other = with_chi(model, model.chi + 0.2 * rng.normal(size=len(configuration)))
    dr = rng.normal(size=(len(configuration), 3))

    def result(t):
        moved = configuration.displaced(t * dr)
        equations = DirectFunctional(other.prepare(moved), total_charge=0.3)
        functional = DirectFunctional(model.prepare(moved), equations=equations)
        return equilibrate(functional, tolerance=TIGHT, throw=True)

    found = result(0.0)
    assert not found.functional.variational
    assert np.max(np.abs(found.features - solved(other, configuration).features)) < 1e-12
    assert_scan(-np.vdot(found.forces, dr), lambda t: result(t).energy)
    naive = -np.vdot(found.state.position_gradient, dr)
    assert abs(naive + np.vdot(-found.forces, dr)) > 1e-6  # the toy does tell the two apart


@given(toys(max_atoms=3), generators())
@settings(max_examples=2)
def test_the_response_is_not_the_derivative_of_the_solution(toy, rng):
    model, configuration = toy
    found = solved(model, configuration)
    dr = rng.normal(size=(len(configuration), 3))
    change = found.to_displacement(dr)

    def joined(features, charges, mu, energies):
        return np.concatenate([features.ravel(), charges, [mu], energies])

    def moved(t):
        result = solved(model, configuration.displaced(t * dr))
        mu, energies = result.chemical_potential, result.state.site_energies
        return joined(result.features, result.charges, mu, energies)

    parts = (change.charges, change.chemical_potential, change.site_energies)
    assert_scan(joined(change.features, *parts), moved)
    assert abs(change.charges.sum()) < 1e-10


@given(toys(max_atoms=3))
@settings(max_examples=2)
def test_the_polarisability_has_a_direction(toy):
    alpha = solved(*toy).polarisability()
    assert np.allclose(alpha, alpha.T, rtol=0.0, atol=1e-9 * np.max(np.abs(alpha)))
    assert np.min(np.linalg.eigvalsh(alpha)) > 0.0


class _Charges:
    """A two-parameter model of charges to put an external potential on."""

    def __init__(self, configuration, potential):
        elements = {"H": EEMElement(4.0, 14.0)}
        self._bound = EEM(elements).prepare(configuration)
        self.electrostatics = (
            *self._bound.electrostatics,
            ExternalPotential(potential, np.zeros(len(configuration))),
        )

    def __getattr__(self, name):
        return getattr(self._bound, name)


def test_an_external_potential_moves_charge_the_wrong_way():
    rng = np.random.default_rng(5)
    configuration = cluster(6, 2.5, rng, species=["H"])
    dv = rng.normal(size=6)

    def at(t):
        return equilibrate(DirectFunctional(_Charges(configuration, t * dv)), tolerance=TIGHT)

    change = at(0.0).to_potential(dv)
    assert_scan(change.charges, lambda t: at(t).charges)
    assert change.charges @ dv > 0.0  # electrons leave where their potential rises


@given(st.integers(2, 40), generators(), st.booleans(), st.booleans())
def test_the_surface_solver_disagrees_with_factorisation(size, rng, definite, constrained):
    basis = np.linalg.qr(rng.normal(size=(size, size)))[0]
    values = np.exp(rng.uniform(-2.0, 2.0, size))
    if not definite:
        values[0] *= -1.0
    matrix = (basis * values) @ basis.T
    right = rng.normal(size=size)
    normal = rng.normal(size=size) if constrained else np.zeros(size)
    level = float(rng.normal()) if constrained else 0.0
    projected = surface_basis(normal).T @ matrix @ surface_basis(normal)
    spectrum = np.linalg.eigvalsh(projected)
    if np.min(np.abs(spectrum), initial=1.0) < 1e-2:
        return
    dense = solve_dense(matrix, normal, right, level)
    krylov = solve_on_surface(lambda x: matrix @ x, normal, right, level, np.ones(size))
    scale = 1.0 + float(np.max(np.abs(dense.x)))
    assert np.max(np.abs(krylov.x - dense.x)) < 1e-8 * scale
    assert np.max(np.abs(matrix @ dense.x + dense.multiplier * normal - right)) < 1e-10 * scale
    assert normal @ dense.x == pytest.approx(level, abs=1e-10 * scale)
    if krylov.definite:  # a negative direction may be missed, never a positive one taken for it
        assert np.max(np.abs(matrix @ krylov.x + krylov.multiplier * normal - right)) < 1e-9 * scale
    elif size > 1:
        assert spectrum[0] < 0.0


def test_a_singular_system_is_solved():
    with pytest.raises(ConvergenceError, match="saddle-point"):
        solve_dense(np.zeros((2, 2)), np.ones(2), np.array([1.0, 0.0]), 0.0)
    with pytest.raises(ConvergenceError, match="row 0 of its matrix has size 0"):
        solve_dense(np.zeros((2, 2)), np.zeros(2), np.array([1.0, 0.0]), 0.0)


def test_an_operator_that_is_not_symmetric_is_applied_for_ever():
    """Conjugate gradients do not converge for it: an error in bounded steps, for NaN at once."""
    rng = np.random.default_rng(0)
    skew = rng.normal(size=(300, 300))
    matrix = np.eye(300) + 0.3 * (skew - skew.T)  # x·Ax > 0
    products = 0

    def apply(x):
        nonlocal products
        products += 1
        return matrix @ x

    with pytest.raises(ConvergenceError, match="relative residual"):
        solve_on_surface(apply, np.ones(300), rng.normal(size=300), 0.3, np.ones(300))
    assert products < 300
    with pytest.raises(ConvergenceError, match="curvature nan at step 1"):
        solve_on_surface(lambda x: np.nan * x, np.ones(2), np.array([1.0, 0.0]), 0.0, np.ones(2))


def test_a_solution_leaves_the_surface_unnoticed():
    """A preconditioner that is not symmetric: Hx + cν = a to rounding, c·x = b missed by 2 %."""
    skew = np.array([[1.0, 0.32], [-0.32, 1.0]])
    with pytest.raises(ConvergenceError, match="off its surface"):
        solve_on_surface(
            lambda x: np.array([0.7, 2.0]) * x,
            np.array([0.126, -0.132]),
            np.array([1.0, -1.0]),
            0.7,
            np.ones(2),
            precondition=lambda r: skew @ r,
        )


def test_symmetry_hides_a_saddle():
    """a and x₀ symmetric, the negative direction antisymmetric: a random start sees it."""
    matrix = np.array([[1.0, 2.0], [2.0, 1.0]])  # curvature −1 along (1, −1)
    arguments = (lambda x: matrix @ x, np.ones(2), np.zeros(2) + 0.3, 1.0, np.ones(2))
    blind = solve_on_surface(*arguments)
    assert blind.definite
    assert np.allclose(blind.x, 0.5)
    start = np.array([0.01, -0.02])
    assert not solve_on_surface(*arguments, truncate=True, start=start).definite


def test_the_multiplier_is_lost_where_rounding_ends_the_refinement():
    """Asked for more than rounding allows: the residual is accepted, µ is that of the solution."""
    rng = np.random.default_rng(1)
    matrix = np.diag(np.geomspace(1e-3, 1e3, 30))
    normal, right = np.ones(30), 5.0 + rng.normal(size=30)
    found = solve_on_surface(
        lambda x: matrix @ x, normal, right, 1.0, np.diagonal(matrix).copy(), tolerance=1e-18
    )
    exact = solve_dense(matrix, normal, right, 1.0)
    assert found.multiplier == pytest.approx(exact.multiplier, rel=1e-9)
    assert np.max(np.abs(found.x - exact.x)) < 1e-9 * np.max(np.abs(exact.x))


def test_the_surface_basis_leaves_the_surface():
    normal = np.array([3.0, -1.0, 0.5, 0.0])
    basis = surface_basis(normal)
    assert basis.shape == (4, 3)
    assert np.allclose(normal @ basis, 0.0, atol=1e-15)
    assert np.allclose(basis.T @ basis, np.eye(3), atol=1e-15)


@pytest.mark.parametrize("dense_below", [500, 0])
def test_two_close_point_charges_pass_for_stable(dense_below):
    """EEM has no minimum where 1/r > 2η*: the stationary point is a saddle."""
    elements = {"H": EEMElement(4.0, 13.6)}  # 2η* ≈ 1 Hartree
    bound = EEM(elements).prepare(Configuration(("H", "H"), [[0, 0, 0], [0, 0, 0.9]]))
    result = equilibrate(DirectFunctional(bound), SaddlePointNewton(dense_below))
    assert result.status == "unstable"
    assert result.lambda_min < 0.0
    assert not result.stable
    with pytest.raises(ConvergenceError, match="unstable"):
        result.require_converged()


def test_a_double_well_ends_on_its_top():
    """U < 0 and κ > 0: q = 0 is stationary, a maximum; Newton must go downhill to either side."""
    configuration = Configuration(("H", "H"), [[0, 0, 0], [0, 0, 6.0]])
    model = ToyDirect(np.array([1e-3, 0.0]), hardness=-2.0, kappa=4.0, width=2.0)
    for dense_below in (500, 0):
        result = solved(model, configuration, 0.0, SaddlePointNewton(dense_below))
        assert result.lambda_min > 0.0
        assert abs(result.charges[0]) > 0.3


@given(toys(affine=False))
@settings(max_examples=3)
def test_the_coulomb_interaction_is_missing_in_the_preconditioner(toy):
    """P is H where the model adds but a diagonal, given exactly."""
    model, configuration = toy
    plain = replace(model, kappa=0.0, gamma=0.0, coupling=0.0)
    state = DirectFunctional(plain.prepare(configuration)).evaluate(np.zeros((len(model.chi), 4)))
    hessian = assembled(state.hessian_vector_product, state.features.shape)
    diagonal = np.diagonal(hessian).reshape(state.features.shape)
    precondition = coulomb_preconditioner(state, diagonal)
    unit = np.random.default_rng(0).normal(size=state.features.shape)
    image = precondition(state.hessian_vector_product(unit))
    assert np.max(np.abs(image - unit)) < 1e-12 * np.linalg.cond(hessian)


def test_a_preconditioner_that_is_not_positive_is_used():
    elements = {"H": EEMElement(4.0, 13.6)}
    bound = EEM(elements).prepare(Configuration(("H", "H"), [[0, 0, 0], [0, 0, 0.9]]))
    state = DirectFunctional(bound).evaluate(np.zeros(2))
    residual = np.array([1.0, -0.5])
    image = coulomb_preconditioner(state, bound.curvature)(residual)
    assert np.array_equal(image, residual / bound.curvature)


def test_a_given_chemical_potential_is_not_that_of_its_charge():
    model, configuration = (
        ToyDirect(np.array([0.2, -0.1])),
        Configuration(("H", "H"), [[0, 0, 0], [0, 0, 3.0]]),
    )
    canonical = solved(model, configuration)
    functional = DirectFunctional(
        model.prepare(configuration), chemical_potential=canonical.chemical_potential
    )
    for solver in (None, SaddlePointNewton(0), Anderson()):
        found = equilibrate(functional, solver, tolerance=TIGHT, throw=True)
        assert np.max(np.abs(found.features - canonical.features)) < 1e-11


def test_variables_without_charge_get_a_constraint():
    model = ToyDirect(np.zeros(1))
    bound = model.prepare(Configuration(("H",), [[0, 0, 0]]))
    bound.electron_weights = np.zeros((1, 4))
    with pytest.raises(InputError, match="no variable changes the total charge"):
        equilibrate(DirectFunctional(bound))


@pytest.mark.parametrize("curvature", [np.array([[1.0, 1.0, -1.0, 1.0]]), np.ones(4)])
def test_a_diagonal_that_is_none_preconditions(curvature):
    bound = ToyDirect(np.zeros(1)).prepare(Configuration(("H",), [[0, 0, 0]]))
    bound.curvature = curvature
    with pytest.raises(InputError, match="curvature of BoundToyDirect must be positive"):
        equilibrate(DirectFunctional(bound))


def test_damping_beyond_its_bound_converges():
    model, configuration = (
        ToyDirect(np.array([0.2, -0.1])),
        Configuration(("H", "H"), [[0, 0, 0], [0, 0, 3.0]]),
    )
    assert solved(model, configuration, solver=Damped(0.5)).converged
    functional = DirectFunctional(model.prepare(configuration))
    assert equilibrate(functional, Damped(3.0)).status in ("diverged", "stalled")
