"""ε = 1 − Kχ₀: adjoint pairs, inverses, and the spectrum by Lanczos against the dense one."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.onsite import SPECIES, onsite_cases, relaxable_cases

from scc.configuration import chain, lattice
from scc.electrostatics.site_terms import OnsiteHubbard
from scc.equilibration.dielectric import DielectricOperator, local_response_preconditioner
from scc.equilibration.equilibrate import equilibrate
from scc.errors import ConvergenceError
from scc.functional.energy import EnergyFunctional
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical

EPS = np.finfo(np.float64).eps


def _spectrum(operator):
    """Eigenvalues of the non-symmetric dense ε, real because ε is self-adjoint in −χ₀."""
    values = np.linalg.eigvals(operator.dense())
    return np.sort(values.real)


@given(case=onsite_cases(max_atoms=10), rng=generators())
def test_operator_and_adjoint_agree(case, rng):
    """⟨dD, ε dV⟩ = ⟨ε† dD, dV⟩, and both against the dense matrix."""
    operator = DielectricOperator(case.state)
    potential, density = rng.normal(size=(2, len(case.configuration)))
    applied, adjoint = operator.apply(potential), operator.apply_adjoint(density)
    size = np.linalg.norm(applied) * np.linalg.norm(density) / min(1.0, case.scale)
    assert np.vdot(density, applied) == pytest.approx(
        np.vdot(adjoint, potential), abs=100.0 * EPS * size * len(density)
    )
    dense = operator.dense()
    np.testing.assert_allclose(dense @ potential, applied, atol=100.0 * EPS * size)
    np.testing.assert_allclose(dense.T @ density, adjoint, atol=100.0 * EPS * size)


@given(case=relaxable_cases(), rng=generators())
def test_solving_inverts_applying(case, rng):
    """ε⁻¹ε = 1 and (ε†)⁻¹ε† = 1 to the accuracy GMRES is asked for."""
    operator = DielectricOperator(case.functional.evaluate(case.features))
    potential, density = rng.normal(size=(2, len(case.configuration)))
    # Relative residual 1e-9 accepted at worst, times the norm of the inverse.
    dense = operator.dense()
    inverse = np.linalg.inv(dense)
    allowed = 1e-9 * np.linalg.norm(inverse, 2) * np.linalg.norm(dense, 2) ** 2 * len(density)
    np.testing.assert_allclose(operator.solve(potential), inverse @ potential, atol=allowed)
    np.testing.assert_allclose(operator.solve_adjoint(density), inverse.T @ density, atol=allowed)
    assert operator.inverse_norm() == pytest.approx(np.linalg.norm(inverse, np.inf), rel=1e-10)
    np.testing.assert_array_equal(operator.solve_adjoint(np.zeros_like(density)), 0.0)


@given(case=relaxable_cases())
def test_repulsion_screens_at_every_state(case):
    """J > 0: the spectrum of ε lies in [1, 1 + λ_max(J) λ_max(−χ₀)], off equilibrium too."""
    operator = DielectricOperator(case.functional.evaluate(case.features))
    low, high = operator.extreme_eigenvalues()
    spectrum = _spectrum(operator)
    assert low >= 1.0 - 1e-12 * high
    assert high == pytest.approx(spectrum[-1], rel=1e-8)
    units = np.eye(len(case.configuration))
    response = np.array([operator.independent_response(u) for u in units])
    kernel = np.array([operator.kernel(u) for u in units])
    bound = 1.0 + np.linalg.norm(response, 2) * np.linalg.norm(kernel, 2)
    assert high <= bound * (1.0 + 1e-12)


@given(case=onsite_cases(max_atoms=10), attraction=st.floats(0.0, 4.0))
def test_dense_spectrum_for_attractive_terms(case, attraction):
    """(λ_min, λ_max) of the symmetrised form equal those of the matrix; 1 on the null space."""
    model, extra = case.build(case.configuration)
    hubbard = OnsiteHubbard(np.full(len(case.configuration), -attraction), model.nuclear_charges)
    functional = EnergyFunctional(
        model, beta=case.beta, ensemble=case.ensemble, extra_terms=[*extra, hubbard]
    )
    operator = DielectricOperator(functional.evaluate(case.features))
    low, high = operator.extreme_eigenvalues()
    spectrum = _spectrum(operator)
    allowed = 1e-8 * max(1.0, *np.abs(spectrum))
    # A direction χ₀ does not see has ε = 1 and may be left out.
    assert min(low, 1.0) == pytest.approx(min(spectrum[0], 1.0), abs=allowed)
    assert max(high, 1.0) == pytest.approx(max(spectrum[-1], 1.0), abs=allowed)


def _system(kind, beta, canonical, attraction):
    rng = np.random.default_rng(3)
    configuration = {
        "jittered chain": lambda: chain(60, (1.0, 1.3), SPECIES, 0.2, rng),
        "uniform chain": lambda: chain(60, 1.0, SPECIES),
        "rock salt": lambda: lattice("rock-salt", 4, 2.0, SPECIES, periodic=True),
    }[kind]()
    model = OnsiteTightBinding(model_b(gap=1.0)).prepare(configuration)
    extra = [OnsiteHubbard(np.full(len(configuration), -attraction), model.nuclear_charges)]
    functional = EnergyFunctional(model, beta=beta, extra_terms=extra if attraction else [])
    state = functional.evaluate(functional.initial_features())
    if not canonical:
        ensemble = GrandCanonical(state.chemical_potential)
        state = functional.with_ensemble(ensemble).evaluate(functional.initial_features())
    return DielectricOperator(state)


def _lanczos_cases():
    """Kinds, β, ensembles and attractions.

    Constants are the null space of χ₀ in the canonical ensemble and at β = ∞: there a recursion
    that leaves the range of χ₀ reports λ = 1, or noise, whatever the spectrum on the range.
    """
    yield from itertools.product(
        ["jittered chain", "uniform chain", "rock salt"],
        [2.0, 10.0, math.inf],
        [False, True],
        [0.0, 0.5, 3.0],
    )


@pytest.mark.parametrize(("kind", "beta", "canonical", "attraction"), list(_lanczos_cases()))
def test_lanczos_finds_the_extremes_of_the_dense_spectrum(kind, beta, canonical, attraction):
    """Matrix-free and dense must agree on what decides stability and the damping limit."""
    operator = _system(kind, beta, canonical, attraction)
    low, high = operator.extreme_eigenvalues()
    found = operator.extreme_eigenvalues(dense_below=0)
    if attraction > 0.0:  # ε = 1 on the null space of χ₀, which Arnoldi may touch by rounding
        assert found[1] == pytest.approx(high, rel=1e-4) or found[1] == pytest.approx(1.0, rel=1e-9)
    else:
        assert found[1] == pytest.approx(high, rel=1e-4)
    assert found[0] == pytest.approx(low, rel=1e-3, abs=1e-3)


def test_lanczos_does_not_call_a_stable_state_unstable():
    """λ_min = 0.36 on a uniform canonical chain, where the constants are the null space of χ₀."""
    model = OnsiteTightBinding(model_b(gap=0.0)).prepare(chain(80, 1.0, SPECIES))
    attractive = OnsiteHubbard(np.full(80, -1.0), model.nuclear_charges)
    functional = EnergyFunctional(model, beta=2.0, extra_terms=[attractive])
    operator = DielectricOperator(functional.evaluate(functional.initial_features()))
    low, _ = operator.extreme_eigenvalues(dense_below=0)
    assert low == pytest.approx(operator.extreme_eigenvalues()[0], rel=1e-3)


def test_a_singular_dielectric_operator_is_reported():
    """At the stability limit ε has a null vector: solving must refuse, in one line."""
    configuration = chain(2, 1.0, SPECIES)
    parameters = model_b(gap=0.0, charges=(1.0, 1.0))
    model = OnsiteTightBinding(parameters).prepare(configuration)
    free = EnergyFunctional(model, beta=3.0, ensemble=Canonical(2.0))
    state = free.evaluate(np.zeros(2))
    staggered = np.array([1.0, -1.0])
    # (1 − (J₋ + U)χ₋) = 0 at U = 1/χ₋ − J₋ for the staggered mode.
    chi = (state.local.potential_response(staggered) / staggered)[0]
    repulsion = (free.kernel(state.density, staggered) / staggered)[0]
    critical = OnsiteHubbard(np.full(2, 1.0 / chi - repulsion), np.ones(2))
    functional = EnergyFunctional(model, beta=3.0, ensemble=Canonical(2.0), extra_terms=[critical])
    operator = DielectricOperator(functional.evaluate(np.zeros(2)))
    assert operator.extreme_eigenvalues()[0] == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ConvergenceError, match="unstable or nearly so") as error:
        operator.solve_adjoint(staggered)
    assert "\n" not in str(error.value)


@given(case=relaxable_cases(sourced=False), rng=generators())
def test_preconditioner_inverts_the_model_it_states(case, rng):
    """(1 − χ₀ᴸK) P r = r with χ₀ᴸ = −diag(L) (+ L⊗L/ΣL canonical), L from the spectrum itself."""
    state = case.functional.evaluate(case.features)
    values, vectors = np.linalg.eigh(case.functional.model.hamiltonian(case.features))
    x = values - state.chemical_potential
    slopes = (
        np.zeros_like(x)
        if math.isinf(case.beta)
        else (0.25 * case.beta / np.cosh(np.clip(0.5 * case.beta * x, -300.0, 300.0)) ** 2)
    )
    levels = 2.0 * vectors**2 @ slopes
    assume(np.max(levels) > 1e-6 or np.max(levels) == 0.0)
    model = -np.diag(levels)
    if isinstance(case.ensemble, Canonical) and np.max(levels) > 0.0:
        model += np.outer(levels, levels) / np.sum(levels)
    coulomb = case.functional.terms[0].matrix
    residual = rng.normal(size=len(levels))
    answer = local_response_preconditioner(state)(residual)
    expected = np.linalg.solve(np.eye(len(levels)) - model @ coulomb, residual)
    np.testing.assert_allclose(answer, expected, atol=1e-8 * np.max(np.abs(expected)))


@settings(max_examples=15)
@given(case=relaxable_cases(max_atoms=8, betas=st.floats(0.5, 30.0)))
def test_stability_constant_is_the_norm_of_the_inverse_derivative_of_t(case):
    """c_stab of (3.12), with DT = −½∂²𝒢 built from Hessian products; DT = −½χ₀ε at a solution."""
    equilibrium = equilibrate(case.functional, tolerance=1e-12)
    assume(equilibrium.residual < 1e-10)
    units = np.eye(len(case.configuration))
    response = np.array([equilibrium.state.local.potential_response(u) for u in units])
    expected = 0.5 * response @ equilibrium.dielectric.dense()
    # At a critical point D²F drops out: ∂²𝒢 = −χ₀ + χ₀Kχ₀ = −χ₀ε.
    np.testing.assert_allclose(
        -0.5 * equilibrium.hessian,
        expected,
        atol=1e-9 * max(1.0, case.beta) * (1.0 + np.max(np.abs(expected))),
    )
    constant = equilibrium.stability_constant()
    if isinstance(case.ensemble, Canonical):
        assert math.isinf(constant) or constant > 1e8  # constants of v̂ do nothing
    elif np.linalg.cond(expected) < 1e6:
        assert constant == pytest.approx(np.linalg.norm(np.linalg.inv(expected), np.inf), rel=1e-3)
