"""The numerics behind theorem-8, and what its verdicts would not notice."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.finite_differences import assert_derivative

from scc.bodyorder.polynomial import PolynomialOccupation
from scc.bodyorder.spectral_set import SpectralSet
from scc.claims import theorem_8
from scc.claims._body_order_systems import (
    Chain,
    independent_response_matrix,
    neutral_level,
    onsite_chain,
    onsite_stability,
    spectral_hull,
    tight_binding_state,
)
from scc.claims.claim import System
from scc.claims.tasks import measure_system
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.solvers import NewtonKrylov
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional
from scc.occupations.ensemble import GrandCanonical

METAL = theorem_8._METAL
INSULATOR = theorem_8._INSULATOR
GAUSSIAN = theorem_8._GAUSSIAN
EPS = np.finfo(np.float64).eps


# -- stability ----------------------------------------------------------------------------------


@settings(max_examples=10)
@given(
    atoms=st.integers(2, 9).map(lambda half: 2 * half),
    beta=st.one_of(st.floats(1.0, 20.0), st.just(math.inf)),
)
def test_dense_response_is_not_that_of_the_model(atoms, beta):
    functional = EnergyFunctional(onsite_chain(atoms, 2.0, (1.0, 1.3)), beta=beta)
    mu = equilibrate(functional, throw=True).fermi_level
    found = equilibrate(functional.with_ensemble(GrandCanonical(mu)), throw=True)
    state = tight_binding_state(found.state)
    np.testing.assert_allclose(
        independent_response_matrix(state), state.feature_response(), atol=1e-13 * min(beta, 20.0)
    )
    norm, constant = onsite_stability(found)
    assert norm == pytest.approx(found.dielectric.inverse_norm(), rel=1e-10)
    if math.isinf(beta):
        assert constant == math.inf
    else:
        # χ₀ is inverted: its condition number is that of a band over kT.
        assert constant == pytest.approx(found.stability_constant(), rel=1e-7)


def test_expansion_is_charged_at_the_neutral_level():
    chain = Chain(GAUSSIAN, 8)
    assert abs(float(np.sum(chain.exact.charges))) < 1e-6
    canonical = equilibrate(EnergyFunctional(chain.model, beta=chain.beta), throw=True)
    at_canonical = EnergyFunctional(
        chain.model, beta=chain.beta, ensemble=GrandCanonical(canonical.fermi_level)
    )
    charged = equilibrate(at_canonical, features=canonical.features, throw=True)
    assert abs(float(np.sum(charged.charges))) > 0.05  # what the search is for


def test_canonical_level_is_not_neutral_onsite():
    model = onsite_chain(12, 0.0)
    mu, features = neutral_level(model, 10.0)
    grand = EnergyFunctional(model, beta=10.0, ensemble=GrandCanonical(mu))
    found = equilibrate(grand, features=features, tolerance=1e-12, throw=True)
    assert float(np.sum(found.charges)) == pytest.approx(0.0, abs=1e-10)
    np.testing.assert_allclose(found.features, features, atol=1e-8)


# -- one comparison -----------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [METAL, INSULATOR, GAUSSIAN])
def test_critical_point_depends_on_the_solver(parameters):
    chain = Chain(parameters, 12)
    X = chain.spectral_set()
    occupation = PolynomialOccupation.interpolate(X, 24, chain.beta, chain.mu)
    found = chain.body_ordered(occupation)
    assert found.outside == 0.0
    assert 0.0 < found.error < 1e-2
    newton = equilibrate(
        found.functional, NewtonKrylov(), features=chain.exact.features, tolerance=1e-12
    )
    assert newton.status == "converged"
    np.testing.assert_allclose(newton.features, found.solution.features, atol=1e-10)
    # T_N = 0 by differences of 𝒢_N along the error itself; the step stays inside X.
    direction = found.difference / found.error
    assert_derivative(
        0.0,
        lambda t: found.functional.evaluate(found.solution.features + t * direction).energy,
        5e-4,
        float(np.max(np.abs(found.solution.density))),
        noise=10 * EPS * abs(found.solution.energy),
    )


@pytest.mark.parametrize(
    ("parameters", "degrees"), [(METAL, [50, 70]), (INSULATOR, [24, 34]), (GAUSSIAN, [40, 60])]
)
def test_first_newton_step_leads_elsewhere(parameters, degrees):
    chain = Chain(parameters, 12)
    X = chain.spectral_set()
    for occupation in PolynomialOccupation.sequence(X, degrees, chain.beta, chain.mu):
        found = chain.body_ordered(occupation)
        step, residual = found.first_step()
        assert 1e-9 < found.error <= 2.0 * chain.newton_constant * residual
        # The second Newton step: of second order, the populations varying over kT or the gap
        # (1/2 Hartree), with W of model A of norm 3.
        second = float(np.max(np.abs(found.difference - step)))
        assert second < 0.1 * found.error
        assert second <= 50.0 * min(chain.beta, 20.0) * found.error**2 + 1e-10


def test_created_charge_is_not_the_trace():
    chain = Chain(METAL, 16)
    occupation = PolynomialOccupation.interpolate(chain.spectral_set(), 20, chain.beta, chain.mu)
    found = chain.body_ordered(occupation)
    exact = 2.0 * np.sum(1.0 / (1.0 + np.exp(chain.beta * (chain.levels - chain.mu))))
    created = 2.0 * np.sum(occupation.occupation(chain.levels)) - exact
    assert found.created_charge() == pytest.approx(created, abs=1e-11)


@given(
    levels=st.lists(st.floats(-3.0, 3.0), min_size=4, max_size=12, unique=True),
    margin=st.floats(1e-3, 0.2),
    seed=st.integers(0, 2**31),
)
def test_perturbed_spectrum_leaves_the_hull(levels, margin, seed):
    """Weyl: ‖A‖ ≤ margin moves no eigenvalue by more."""
    rng = np.random.default_rng(seed)
    n = len(levels)
    basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
    H = (basis * np.array(levels)) @ basis.T
    A = np.diag(rng.uniform(-margin, margin, size=n))
    moved = np.linalg.eigvalsh(H + A)
    assert np.all(spectral_hull(np.array(levels), margin).distance(moved) <= 1e-12)
    ordered = np.sort(levels)
    k = int(np.argmax(np.diff(ordered)))
    if ordered[k + 1] - ordered[k] > 2.5 * margin:
        mu = 0.5 * (ordered[k] + ordered[k + 1])
        split = spectral_hull(np.array(levels), margin, mu)
        assert np.all(split.distance(moved) <= 1e-12)
        assert split.gap == pytest.approx((ordered[k] + margin, ordered[k + 1] - margin))


# -- verdicts -----------------------------------------------------------------------------------


@given(theta=st.floats(0.1, 1.0), offset=st.floats(-3.0, 3.0))
def test_fitted_rate_is_another(theta, offset):
    degrees = np.arange(10.0, 120.0, 2.0)
    errors = np.sqrt(degrees) * np.exp(offset - theta * degrees)
    assert theorem_8.fitted_rate(degrees, errors) == pytest.approx(theta, rel=1e-9)


RATE = System("a test", {"kind": "rate", **METAL, "atoms": 20, "degrees": list(range(20, 141, 4))})


def test_wrong_rate_is_not_noticed(monkeypatch):
    assert theorem_8.measure(RATE).holds is True
    original = theorem_8.convergence_rate
    monkeypatch.setattr(theorem_8, "convergence_rate", lambda *args: 1.25 * original(*args))
    assert theorem_8.measure(RATE).holds is False


def test_spectrum_outside_is_not_noticed():
    """Too small a margin: the first step towards v̂*_N leaves X, and the measurement is refused."""
    system = System("a test", {**RATE.parameters, "margin": 1e-9})
    with pytest.raises(InputError, match="outside the spectral set"):
        theorem_8.measure(system)


def test_gap_is_entered_unnoticed():
    """The functional admits eigenvalues in the gap, the claim does not."""
    chain = Chain({**INSULATOR, "margin": -0.01}, 12)
    inside = chain.spectral_set()
    X = SpectralSet(((inside.lower - 0.2, inside.gap[0]), (inside.gap[1], inside.upper + 0.2)))
    occupation = PolynomialOccupation.interpolate(X, 24, chain.beta, chain.mu)
    assert chain.body_ordered(occupation).outside == pytest.approx(0.01, abs=2e-3)


def test_insulator_passes_for_independent_of_size():
    """The growth with ln M is more than the variation allowed at finite temperature."""
    sizes = {"kind": "size", "degree": 20, "sizes": [24, 48, 72, 100, 140], "bulk": 48}
    insulator = measure_system(theorem_8.measure, System("insulator", {**INSULATOR, **sizes}))
    assert insulator.holds is True
    errors = insulator.series["errors"]
    assert errors[-1] > (1.0 + theorem_8.VARIATION) * errors[1]
    metal = measure_system(theorem_8.measure, System("metal", {**METAL, **sizes}))
    assert metal.holds is True
    rate = measure_system(theorem_8.measure, RATE)
    assert len(theorem_8.draw([rate, insulator, metal]).axes) == 4
    assert len(theorem_8.draw([]).axes) == 4
