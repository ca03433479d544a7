"""The spectral calculus: values against matrix functions, every derivative product two ways."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.onsite import cases, onsite_cases, unit

from scc.occupations.ensemble import Canonical

EPS = np.finfo(np.float64).eps
finite_temperatures = st.floats(0.5, 8.0)


def _rounding(case, *values):
    """Rounding of sums over n orbitals of numbers like ``values``, divided by the gap or kT."""
    n = len(case.state.local.eigenvalues)
    largest = max(1.0, *(float(np.max(np.abs(value), initial=0.0)) for value in values))
    return 50.0 * n * EPS * largest * max(1.0, 1.0 / case.scale)


# -- values -----------------------------------------------------------------------------------


@given(case=cases(betas=finite_temperatures))
def test_density_operator_is_the_fermi_function_of_the_matrix(case):
    """Against the doubling formula F_2β = F²/(F² + (1−F)²): no eigenvectors involved."""
    local = case.state.local
    H = case.functional.model.hamiltonian(case.features)
    one = np.eye(len(H))
    x = 0.5 * case.beta * (H - local.chemical_potential * one)
    doublings = max(0, math.ceil(math.log2(max(np.linalg.norm(x, 2), 0.01) / 0.01)))
    y = x / 2.0**doublings
    # tanh y = y (15 + y²)/(15 + 6y²) + O(y⁷/4725): 2e-18 here.
    tanh = y @ np.linalg.solve(15.0 * one + 6.0 * y @ y, 15.0 * one + y @ y)
    F = 0.5 * (one - tanh)
    for _ in range(doublings):
        F = np.linalg.solve(F @ F + (one - F) @ (one - F), F @ F)
    # Each doubling at most doubles the error made so far (at F = ½).
    tolerance = 20.0 * len(H) * EPS * 2.0**doublings
    np.testing.assert_allclose(local.density_operator, F, atol=tolerance, rtol=0.0)


@given(case=cases(betas=st.just(math.inf)))
def test_zero_temperature_density_operator_is_a_spectral_projector(case):
    """P² = P, [P, H] = 0 and the trace counts the levels below µ."""
    local = case.state.local
    H = case.functional.model.hamiltonian(case.features)
    P = local.density_operator
    n = len(H)
    np.testing.assert_allclose(P @ P, P, atol=20 * n * EPS)
    np.testing.assert_allclose(P @ H, H @ P, atol=20 * n * EPS * np.linalg.norm(H, 2))
    pairs = np.count_nonzero(np.linalg.eigvalsh(H) < local.chemical_potential)
    assert 2.0 * np.trace(P) == pytest.approx(2.0 * pairs, abs=20 * n * EPS)


@given(case=cases())
def test_populations_sum_to_the_electron_count(case):
    """The factor 2 of spin, and N of the canonical ensemble."""
    local = case.state.local
    n = len(local.eigenvalues)
    total = float(np.sum(local.populations))
    assert total == pytest.approx(2.0 * np.trace(local.density_operator), abs=20 * n * EPS * n)
    assert total == pytest.approx(local.electrons, abs=20 * n * EPS * n)
    if isinstance(case.ensemble, Canonical):
        # The Fermi level has a rounding of ε|µ|, and N changes by at most nβ/2 times that.
        slope = 0.0 if math.isinf(case.beta) else 0.5 * n * case.beta
        shift = 10.0 * EPS * max(abs(local.chemical_potential), np.max(np.abs(local.eigenvalues)))
        allowed = 20 * n * n * EPS + slope * shift
        assert total == pytest.approx(case.ensemble.electrons, abs=allowed)


@given(case=cases())
def test_site_energies_by_entropy_and_by_grand_potential_agree_site_by_site(case):
    """2 tr[(H⁰−µ)F + β⁻¹S]_ℓℓ = 2 tr[G − vF]_ℓℓ; at β = ∞ this is (3.4) against (3.5)."""
    local = case.state.local
    spread = abs(local.chemical_potential) + float(np.max(np.abs(local.eigenvalues)))
    v = case.functional.model.assembly.feature_matrix(case.features)
    np.testing.assert_allclose(
        local.site_energies,
        local.kinetic_site_energies,
        atol=_rounding(case, spread, v) * case.scale,
        rtol=0.0,
    )


@given(case=cases())
def test_grand_potential_generates_the_density(case):
    """∂g/∂v̂_mc = 2⟨F(H), W_mc⟩: the model is variational (grand-canonical g)."""
    local = case.state.local
    if local.canonical:
        return
    expected = 2.0 * case.functional.model.assembly.feature_contract(local.density_operator)
    rng = np.random.default_rng(0)
    direction = unit(rng, case.features.shape)
    assert_derivative(
        np.vdot(expected, direction),
        lambda t: case.shifted(t * direction).local.grand_potential,
        case.feature_step(direction),
        np.max(np.abs(expected)),
    )


@given(case=cases())
def test_gap_brackets_the_chemical_potential(case):
    local = case.state.local
    levels = np.linalg.eigvalsh(case.functional.model.hamiltonian(case.features))
    above = levels[levels >= local.chemical_potential]
    below = levels[levels < local.chemical_potential]
    expected = above[0] - below[-1] if len(above) and len(below) else math.inf
    assert local.gap == pytest.approx(expected, abs=1e-12)
    assert local.gap >= 0.0


# -- first derivatives against finite differences ---------------------------------------------


@given(case=cases(), rng=generators())
def test_density_and_site_energies_along_a_feature_direction(case, rng):
    """∂D/∂v̂ and ∂E_ℓ/∂v̂, the Fermi-level shift of Remark 6 included."""
    direction = unit(rng, case.features.shape)
    step = case.feature_step(direction)
    local = case.state.local
    density, energies = local.density_jvp(direction), local.site_energies_jvp(direction)
    assert_derivative(
        density,
        lambda t: case.shifted(t * direction).density,
        step,
        np.max(np.abs(density)),
    )
    populations = local.populations_jvp(direction)
    assert_derivative(
        populations,
        lambda t: case.shifted(t * direction).local.populations,
        step,
        np.max(np.abs(populations)),
    )
    noise = _cancellation(case)
    assert_derivative(
        energies,
        lambda t: case.shifted(t * direction).local.site_energies,
        step,
        np.max(np.abs(energies)),
        noise=noise,
    )


@given(case=cases(), rng=generators())
def test_density_and_site_energies_along_a_displacement(case, rng):
    """∂D/∂r and ∂E_ℓ/∂r at fixed v̂: moving H⁰, W, D and the repulsion."""
    displacement = unit(rng, case.configuration.positions.shape)
    step = case.position_step(displacement)
    local = case.state.local
    density = local.density_position_jvp(displacement)
    energies = local.site_energies_position_jvp(displacement)
    populations = local.populations_position_jvp(displacement)
    assert_derivative(
        populations,
        lambda t: case.moved(t * displacement).local.populations,
        step,
        np.max(np.abs(populations)),
    )
    assert_derivative(
        density,
        lambda t: case.moved(t * displacement).density,
        step,
        np.max(np.abs(density)),
    )
    assert_derivative(
        energies,
        lambda t: case.moved(t * displacement).local.site_energies,
        step,
        np.max(np.abs(energies)),
        noise=_cancellation(case),
    )


def _cancellation(case):
    """Site energies are differences of G, µF and vF: rounding of the largest of them."""
    local = case.state.local
    v = case.functional.model.assembly.feature_matrix(case.features)
    size = abs(local.chemical_potential) + np.max(np.abs(local.eigenvalues)) + np.max(np.abs(v))
    return 20.0 * EPS * float(size)


# -- adjoint pairs ----------------------------------------------------------------------------


@given(case=cases(betas=st.floats(0.5, 50.0)))
def test_local_density_of_states_is_the_derivative_in_the_chemical_potential(case):
    """L_ℓ = ∂p_ℓ/∂µ at fixed v̂."""
    occupation, model = case.state.local.occupation, case.functional.model
    mu = occupation.chemical_potential

    def populations(t):
        return model.evaluate(case.features, occupation.with_chemical_potential(mu + t)).populations

    levels = case.state.local.local_density_of_states
    assert np.all(levels >= 0.0)
    assert_derivative(levels, populations, case.scale / 100.0, np.max(levels))


@given(case=cases(), rng=generators())
def test_products_from_the_left_and_from_the_right_agree(case, rng):
    """⟨a, J x⟩ = ⟨Jᵀa, x⟩ to rounding, for ρ and E_ℓ, in v̂ and in r."""
    local = case.state.local
    direction = rng.normal(size=case.features.shape)
    displacement = rng.normal(size=case.configuration.positions.shape)
    weights = rng.normal(size=len(case.configuration))
    potential = rng.normal(size=local.density.shape)
    if potential.ndim == 2:
        potential = potential + potential.T
    pairs = [
        (potential, local.density_jvp(direction), local.density_vjp(potential), direction),
        (
            potential,
            local.density_position_jvp(displacement),
            local.density_position_vjp(potential),
            displacement,
        ),
        (weights, local.site_energies_jvp(direction), local.site_energies_vjp(weights), direction),
        (
            weights,
            local.site_energies_position_jvp(displacement),
            local.site_energies_position_vjp(weights),
            displacement,
        ),
    ]
    for left, product, transposed, right in pairs:
        sizes = np.linalg.norm(left) * np.linalg.norm(product)
        sizes += np.linalg.norm(transposed) * np.linalg.norm(right)
        assert np.vdot(left, product) == pytest.approx(
            np.vdot(transposed, right), abs=_rounding(case, sizes, case.state.local.eigenvalues)
        )


@given(case=cases())
def test_total_site_energy_has_the_gradient_of_its_parts(case):
    """feature_energy_vjp, by the short formula, is site_energies_vjp with unit weights."""
    local = case.state.local
    ones = np.ones(len(case.configuration))
    features, parts = local.feature_energy_vjp(), local.site_energies_vjp(ones)
    np.testing.assert_allclose(features, parts, atol=_rounding(case, features, 10.0), rtol=0.0)
    positions = local.feature_energy_position_vjp()
    parts = local.site_energies_position_vjp(ones)
    np.testing.assert_allclose(positions, parts, atol=_rounding(case, positions, 10.0), rtol=0.0)


# -- second derivatives -----------------------------------------------------------------------


@given(case=cases(), rng=generators())
def test_second_derivatives_along_features_and_displacements(case, rng):
    """Derivatives of feature_energy_vjp and density_vjp: D²F with the projections of Remark 6."""
    local = case.state.local
    direction = unit(rng, case.features.shape)
    displacement = unit(rng, case.configuration.positions.shape)
    potential = rng.normal(size=local.density.shape)
    if potential.ndim == 2:
        potential = potential + potential.T
    along_v = case.feature_step(direction)
    along_r = case.position_step(displacement)
    checks = [
        (
            local.feature_energy_second_vjp(direction),
            lambda t: case.shifted(t * direction).local.feature_energy_vjp(),
            along_v,
        ),
        (
            local.feature_energy_second_position_vjp(displacement),
            lambda t: case.moved(t * displacement).local.feature_energy_vjp(),
            along_r,
        ),
        (
            local.density_second_vjp(direction, potential),
            lambda t: case.shifted(t * direction).local.density_vjp(potential),
            along_v,
        ),
        (
            local.density_second_position_vjp(displacement, potential),
            lambda t: case.moved(t * displacement).local.density_vjp(potential),
            along_r,
        ),
    ]
    for analytic, function, step in checks:
        size = max(np.max(np.abs(analytic)), 1e-3)
        assert_derivative(analytic, function, step, size, noise=_cancellation(case))


@given(case=cases(), rng=generators())
def test_second_derivatives_are_symmetric(case, rng):
    """⟨a, ∂²E b⟩ = ⟨b, ∂²E a⟩ for Σ E_ℓ and for ⟨A, D⟩."""
    local = case.state.local
    a, b = rng.normal(size=(2, *case.features.shape))
    potential = rng.normal(size=local.density.shape)
    if potential.ndim == 2:
        potential = potential + potential.T
    for product in (
        local.feature_energy_second_vjp,
        lambda x: local.density_second_vjp(x, potential),
    ):
        left, right = np.vdot(a, product(b)), np.vdot(b, product(a))
        size = np.linalg.norm(a) * np.linalg.norm(product(b))
        assert left == pytest.approx(right, abs=_rounding(case, size / case.scale))


# -- the response of Lemma 11 -----------------------------------------------------------------


def _response_matrix(local, shape):
    units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    return np.array([local.potential_response(u).ravel() for u in units])


@given(case=onsite_cases())
def test_independent_response_is_symmetric_and_negative(case):
    """χ₀ = χ₀ᵀ ≤ 0; −½χ₀ ≤ n_ℓ β/4 (β = ∞: n_ℓ/g): Lemma 11 seen through the populations.

    The projector on the n_ℓ orbitals of an atom has Frobenius norm √n_ℓ.
    """
    local = case.state.local
    response = _response_matrix(local, local.density.shape)
    orbitals = np.max(np.bincount(case.functional.model.assembly.atom_of_orbital))
    bound = orbitals * (case.beta / 4.0 if case.beta < math.inf else 1.0 / local.gap)
    tolerance = 50 * len(response) * EPS * max(bound, np.max(np.abs(response)))
    np.testing.assert_allclose(response, response.T, atol=tolerance, rtol=0.0)
    values = np.linalg.eigvalsh(-0.5 * response)
    assert values[0] >= -tolerance
    # The canonical projection only lowers the quadratic form.
    assert values[-1] <= bound + tolerance


@given(case=cases(betas=st.floats(0.5, 100.0)))
def test_canonical_response_annihilates_constants_and_conserves_electrons(case):
    """Π: a constant is followed by ε_F, and no potential creates electrons."""
    local = case.state.local
    if not local.canonical:
        return
    n = len(local.eigenvalues)
    assembly = case.functional.model.assembly
    rng = np.random.default_rng(1)
    A = rng.normal(size=(n, n))
    response = local._apply(local._f_divided, A + A.T, full=True)
    size = n * EPS * max(case.beta, 1.0) * np.linalg.norm(A, 2)
    assert abs(np.trace(response)) <= 50.0 * size
    assert np.max(np.abs(local._apply(local._f_divided, np.eye(n), full=True))) <= 50.0 * size
    if assembly.diagonal:
        atoms = len(case.configuration)
        assert np.max(np.abs(local.potential_response(np.ones(atoms)))) <= 50.0 * size
        change = local.density_jvp(rng.normal(size=atoms))
        assert abs(np.sum(change)) <= 50.0 * size


@given(case=cases(betas=st.just(math.inf)), rng=generators())
def test_zero_temperature_response_lies_between_the_bounds_of_lemma_11(case, rng):
    """‖A_ov‖²·2/(λ_max−λ_min) ≤ ⟨A, −DF(H)[A]⟩ ≤ ‖A_ov‖²·2/(λ_{N+1}−λ_N)."""
    local = case.state.local
    A = rng.normal(size=(len(local.eigenvalues),) * 2)
    A = A + A.T
    form = -float(np.vdot(A, local._apply(local._f_divided, A, full=True)))
    values, vectors = np.linalg.eigh(case.functional.model.hamiltonian(case.features))
    occupied = values < local.chemical_potential
    block = vectors[:, occupied].T @ A @ vectors[:, ~occupied]
    weight = 2.0 * float(np.sum(block**2))
    slack = 1e-9 * weight
    assert form >= weight / (values[-1] - values[0]) - slack
    assert form <= weight / local.gap + slack


@given(case=cases(betas=st.floats(0.5, 20.0)), rng=generators())
def test_finite_temperature_response_is_definite(case, rng):
    """min −F[λ_i,λ_j] ‖A‖² ≤ ⟨A, −DF(H)[A]⟩ ≤ (β/4)‖A‖², grand-canonical."""
    local = case.state.local
    if local.canonical:
        return
    A = rng.normal(size=(len(local.eigenvalues),) * 2)
    A = A + A.T
    form = -float(np.vdot(A, local._apply(local._f_divided, A, full=True)))
    x = local.eigenvalues - local.chemical_potential
    # −F[x,y] = (β/4) sinhc(β(x−y)/2)/(cosh cosh) ≥ (β/4)/(cosh(βx/2) cosh(βy/2)).
    lowest = case.beta / 4.0 / np.cosh(0.5 * case.beta * np.max(np.abs(x))) ** 2
    size = float(np.vdot(A, A))
    assert form >= lowest * size * (1.0 - 1e-9) - EPS * case.beta * size
    assert form <= 0.25 * case.beta * size * (1.0 + 1e-12)


@given(case=cases())
def test_feature_response_is_the_curvature_of_the_grand_potential(case):
    """K = 2⟨DF[Π W], W⟩ is negative semi-definite and is density_jvp tested with W."""
    local = case.state.local
    K = local.feature_response()
    size = np.max(np.abs(K))
    assert np.linalg.eigvalsh(K)[-1] <= 100 * len(K) * EPS * max(size, 1.0) / case.scale
    direction = unit(np.random.default_rng(2), case.features.shape)
    W = case.functional.model.assembly.feature_matrix(direction)
    expected = case.functional.model.assembly.feature_contract(local._response_matrix(W))
    np.testing.assert_allclose(
        (K @ direction.ravel()).reshape(expected.shape),
        expected,
        atol=_rounding(case, size * len(K)),
        rtol=0.0,
    )
