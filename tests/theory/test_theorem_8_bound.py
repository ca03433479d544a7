"""Theorem 8's constants: each against what it bounds, the conclusion against production solves."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc.bodyorder.explicit import ExplicitOccupation
from scc.configuration import chain
from scc.equilibration.equilibrate import equilibrate
from scc.functional.energy import EnergyFunctional
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical
from scc.occupations.fermi_dirac import FermiDirac
from scc.theory import theorem_8
from scc.theory._body_ordered import Populations
from scc.theory._explicit_errors import Errors, Geometry
from scc.theory._newton_kantorovich import NewtonKantorovich
from scc.theory._occupation_derivatives import (
    first_constant,
    frobenius_second_constant,
    second_constant,
    third_constant,
)
from scc.theory._screened import ScreenedInteraction
from scc.theory.random_systems import Recipe, random_system
from scc.theory.statement import satisfied, violations
from scc.theory.system import TightBindingSystem


def _betas():
    return st.one_of(st.floats(0.0, 5.0).map(math.exp), st.just(math.inf))


def _spectra():
    """(levels relative to µ, their smallest distance d from it)."""
    signed = st.tuples(st.floats(0.1, 2.0), st.sampled_from((-1.0, 1.0))).map(math.prod)
    return st.lists(signed, min_size=2, max_size=7).map(np.array)


def _second(occupation, levels, A, B):
    """D²F(H)[A, B] in the eigenbasis: Σ_k F[i,k,j](A_ik B_kj + B_ik A_kj)."""
    x = levels
    divided = occupation.second_divided_difference(
        x[:, None, None], x[None, :, None], x[None, None, :]
    )
    return np.einsum("ikj,ik,kj->ij", divided, A, B) + np.einsum("ikj,ik,kj->ij", divided, B, A)


def _second_at(occupation, H, A):
    """D²F(H)[A, A] for any symmetric H."""
    levels, C = np.linalg.eigh(H)
    inner = C.T @ A @ C
    return C @ _second(occupation, levels, inner, inner) @ C.T


def _directions(rng, size):
    """Random symmetric matrices, and rank-one ones, of unit spectral norm."""
    a = rng.normal(size=(size, size))
    b = rng.normal(size=size)
    for matrix in (a + a.T, np.outer(b, b), np.sign(a + a.T)):
        yield matrix / np.linalg.norm(matrix, 2)


@given(levels=_spectra(), beta=_betas(), seed=st.integers(0, 9999))
def test_derivatives_of_fermi_dirac_stay_below_their_constants(levels, beta, seed) -> None:
    exact, rng = FermiDirac(beta, 0.0), np.random.default_rng(seed)
    d = float(np.min(np.abs(levels)))
    divided = exact.divided_difference(levels[:, None], levels[None, :])
    for A in _directions(rng, len(levels)):
        for B in _directions(rng, len(levels)):
            value = _second(exact, levels, A, B)
            assert np.linalg.norm(value, 2) <= second_constant(beta, d) * (1 + 1e-9)
            sizes = np.linalg.norm(A) * np.linalg.norm(B)
            assert np.linalg.norm(value) <= frobenius_second_constant(beta, d) * sizes * (1 + 1e-9)
        assert np.linalg.norm(divided * A, 2) <= first_constant(beta, d) * (1 + 1e-9)
        step, H = 0.5 * d, np.diag(levels)
        moved = _second_at(exact, H + step * A, A) - _second_at(exact, H, A)
        rounding = 1e-12 * (second_constant(beta, d) + third_constant(beta, d))
        assert np.linalg.norm(moved, 2) <= step * third_constant(beta, d - step) + rounding


def test_constants_are_attained_at_the_chemical_potential() -> None:
    """ℓ₁ and the Frobenius constant by scalars; ℓ₂ is for matrices and within √2 of scalars."""
    beta = 7.0
    exact = FermiDirac(beta, 0.0)
    assert first_constant(beta, 0.0) == pytest.approx(-exact.derivative(0.0))
    x = np.linspace(-1, 1, 20001)
    largest = 2 * np.max(np.abs(exact.second_divided_difference(x, x, x)))
    assert frobenius_second_constant(beta, 0.0) == pytest.approx(largest, rel=1e-6)
    assert largest < second_constant(beta, 0.0) < 1.5 * largest
    slope = np.diff(2 * exact.second_divided_difference(x, x, x)) / np.diff(x)
    assert third_constant(beta, 0.0) == pytest.approx(np.max(np.abs(slope)), rel=1e-5)
    assert first_constant(math.inf, 0.3) == pytest.approx(
        abs(FermiDirac(math.inf, 0.0).divided_difference(-0.3, 0.3))
    )


@given(levels=_spectra(), beta=_betas(), degree=st.integers(4, 60), seed=st.integers(0, 9999))
def test_errors_of_derivatives_at_matrices_stay_below_m(levels, beta, degree, seed) -> None:
    d, outer = float(np.min(np.abs(levels))), float(np.max(np.abs(levels))) + 0.02
    geometry = Geometry(beta, 0.02, d, d - 0.02, outer)
    occupation = ExplicitOccupation.construct(beta, 0.0, geometry.inner, outer, degree)
    errors = Errors.of(geometry, np.array([occupation.degree]))
    exact, rng = FermiDirac(beta, 0.0), np.random.default_rng(seed)
    # Rounding of the recurrences, eps k⁴ and k⁶ in the first and second divided differences.
    k = np.arange(len(occupation.slope))
    scale = 1.0 + (outer / occupation._half + outer) ** 2
    unit = 1e-14 * scale * float(np.sum(np.abs(occupation.slope) * (1.0 + k) ** 4))
    difference = exact.occupation(levels) - occupation.occupation(levels)
    assert np.max(np.abs(difference)) <= errors.value[0] + unit
    grand = exact.grand_potential(levels) - occupation.grand_potential(levels)
    assert np.max(np.abs(grand)) <= errors.grand_potential[0] + unit
    x, y = levels[:, None], levels[None, :]
    first = exact.divided_difference(x, y) - occupation.divided_difference(x, y)
    for A in _directions(rng, len(levels)):
        assert np.linalg.norm(first * A, 2) <= errors.first[0] + unit
        second = _second(exact, levels, A, A) - _second(occupation, levels, A, A)
        allowed = unit * (1.0 + len(k) ** 2) * scale
        assert np.linalg.norm(second, 2) <= errors.second[0] + allowed
        # D³ by the mean value of D² over a step that keeps the levels in X.
        step, H = 0.01, np.diag(levels)
        moved = _second_at(exact, H + step * A, A) - _second_at(occupation, H + step * A, A)
        assert np.linalg.norm(moved - second, 2) <= step * errors.third[0] + 2.0 * allowed


@given(c=st.floats(0.5, 5.0), L=st.floats(0.1, 10.0), share=st.floats(0.01, 0.99))
def test_newton_kantorovich_is_sharp_for_a_parabola(c, L, share) -> None:
    """Φ(t) = ½Lt² − t/c + ε has its zero where the majorant says, and none if 2c²εL > 1."""
    epsilon = share / (2.0 * c**2 * L)
    theorem = NewtonKantorovich(
        c, np.array([epsilon]), np.zeros(1), np.array([L]), 10.0 * c * epsilon
    )
    zero = (1.0 - math.sqrt(1.0 - 2.0 * L * epsilon * c**2)) / (L * c)
    assert theorem.holds[0]
    assert theorem.sharper_distance[0] == pytest.approx(zero, rel=1e-9)
    assert c * epsilon <= theorem.sharper_distance[0] <= theorem.distance[0]
    worse = NewtonKantorovich(
        c, np.array([epsilon / share * 1.01]), np.zeros(1), np.array([L]), 1e9
    )
    assert not worse.holds[0]
    assert math.isinf(worse.distance[0])
    unstable = NewtonKantorovich(c, np.array([epsilon]), np.array([1.01 / c]), np.array([L]), 1e9)
    assert math.isinf(unstable.distance[0])


def _systems():
    betas = (1.0, 4.0, 12.0, math.inf, math.inf, math.inf)
    return [
        random_system(
            Recipe(atoms=20, dimension=1 + seed % 3, seed=seed, beta=beta, splitting=1.5, gap=0.4)
        )
        for seed, beta in enumerate(betas)
    ]


def test_most_systems_are_decided_and_none_violates() -> None:
    for system in _systems():
        assert satisfied(theorem_8.hypotheses(system))
        assert violations(theorem_8.checks(system)) == []


def test_a_cold_metal_is_left_undecided_not_claimed() -> None:
    recipe = Recipe(atoms=60, seed=3, beta=2000.0, splitting=0.05, disorder=0.0, share=0.02)
    system = random_system(recipe)
    assert not satisfied(theorem_8.hypotheses(system))


@pytest.mark.parametrize("beta", [6.0, math.inf])
def test_production_equilibria_obey_the_theorem(beta) -> None:
    """v̂* from the canonical solver, v̂*_N by Newton on the body-ordered functional."""
    parameters = model_b(gap=2.0, charges=(1.4, 0.6))
    model = OnsiteTightBinding(parameters).prepare(chain(16, (1.0, 1.3), ("Na", "Cl")))
    exact = equilibrate(
        EnergyFunctional(model, beta=beta, ensemble=Canonical(16.0)), tolerance=1e-12, throw=True
    )
    mu = exact.fermi_level
    system = TightBindingSystem(model, exact.features, beta, mu)
    degrees = theorem_8.sufficient_degrees(system, ScreenedInteraction.of(system))
    bounds = theorem_8.bound(system, degrees)
    geometry = Geometry.of(system)
    for index, degree in enumerate(degrees):
        occupation = ExplicitOccupation.construct(beta, mu, geometry.inner, geometry.outer, degree)
        found = equilibrate(
            EnergyFunctional(model, ensemble=GrandCanonical(mu), occupation=occupation),
            features=exact.features,
            tolerance=1e-12,
            throw=True,
        )
        moved = found.features - exact.features
        # Both solves are good to c J times their density residuals.
        slack = 2.0 * bounds.largest.inverse * 10.0 * 1e-11
        for form in (bounds.stationary, bounds.largest, bounds.screened_largest):
            assert np.max(np.abs(moved)) <= form.distance[index] + slack
        for form in (bounds.euclidean, bounds.screened_euclidean):
            assert np.linalg.norm(moved) <= form.distance[index] + slack
        assert np.max(np.abs(moved)) > slack


def test_the_zero_is_unique_in_its_ball() -> None:
    """The contraction from random points of the ball 2c_Nε_N ends in one point."""
    system = _systems()[3]
    screened = ScreenedInteraction.of(system)
    degree = theorem_8.sufficient_degrees(system, screened)[0]
    radius = float(theorem_8.bound(system, [degree], screened).sharper[0])
    geometry = Geometry.of(system)
    populations = Populations(
        system,
        ExplicitOccupation.construct(
            system.beta, system.mu, geometry.inner, geometry.outer, degree
        ),
    )
    expected, _ = theorem_8.solve(populations, screened)
    rng = np.random.default_rng(1)
    for _ in range(4):
        w = radius * rng.uniform(-1.0, 1.0, system.atoms)
        for _ in range(60):
            change = populations.polynomial(w) - populations.reference + screened.response @ w
            w = screened.screened @ change
        assert np.max(np.abs(w - expected)) < 1e-9 * radius + 1e-12


def test_the_papers_condition_suffices() -> None:
    for system in _systems():
        screened = ScreenedInteraction.of(system)
        theta = Geometry.of(system).theta
        norm = float(np.max(np.sum(np.abs(screened.kernel), axis=1)))
        needed = []
        for crude, counted in ((True, float(system.atoms)), (False, norm)):
            constant = theorem_8.paper_constant(system, crude)
            least = (2.0 * math.log(counted) + constant) / theta
            degree = 2 * math.ceil(0.5 * least + 1e-9)
            needed.append(degree)
            assert theorem_8.bound(system, [degree], screened).largest.holds[0]
        assert needed[1] <= needed[0]  # ‖J‖_∞ ≤ M max J


@pytest.mark.parametrize(
    ("name", "quantity"),
    [("value", "|p_N - p|"), ("first", "norm of chi_N"), ("second", "Lipschitz")],
)
def test_half_the_best_constant_is_caught(monkeypatch, name, quantity) -> None:
    systems = _systems()
    checks = [c for system in systems for c in theorem_8.checks(system)]
    best = max(c.worst for c in checks if quantity in c.quantity)
    assert best > 0.1  # not so loose that it tests nothing
    whole = Errors.of

    def halved(geometry, degrees):
        errors = whole(geometry, degrees)
        changed = {name: 0.5 * best * getattr(errors, name)}
        if name == "second":
            changed["second_constant"] = 0.5 * best * errors.second_constant
        return Errors(**{**vars(errors), **changed})

    lines = []
    for system in systems:
        degrees = theorem_8.sufficient_degrees(system, ScreenedInteraction.of(system))
        with monkeypatch.context() as patch:
            patch.setattr(Errors, "of", halved)
            patch.setattr(theorem_8, "sufficient_degrees", lambda *_, d=degrees: d)
            lines += violations(theorem_8.checks(system))
    assert any(quantity in line for line in lines)


def test_half_the_best_distance_or_a_fifth_more_rate_is_caught(monkeypatch) -> None:
    systems = _systems()
    checks = [c for system in systems for c in theorem_8.checks(system)]
    best = max(c.worst for c in checks if "screened" in c.quantity)
    assert best > 0.1
    whole = NewtonKantorovich.sharper_distance.fget
    monkeypatch.setattr(
        NewtonKantorovich, "sharper_distance", property(lambda s: 0.5 * best * whole(s))
    )
    lines = [line for system in systems for line in violations(theorem_8.checks(system))]
    assert any("screened" in line for line in lines)
    monkeypatch.undo()
    original = Errors.of

    def faster(geometry, degrees):
        errors = original(geometry, degrees)
        factor = np.exp(-0.2 * geometry.theta * np.asarray(degrees))
        return Errors(**{**vars(errors), "value": factor * errors.value})

    monkeypatch.setattr(Errors, "of", faster)
    lines = [line for system in systems for line in violations(theorem_8.checks(system))]
    assert any("|p_N - p|" in line for line in lines)
