"""Honest endings: unstable, wrong electron number, stalled, diverged, and inputs that cannot be."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies.onsite import SPECIES, onsite_cases

from scc.configuration import chain
from scc.electrostatics.site_terms import OnsiteHubbard
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.solvers import Anderson, Damped, NewtonKrylov
from scc.errors import ConvergenceError, InputError
from scc.functional.energy import EnergyFunctional
from scc.models.hopping import NearestNeighbourHopping
from scc.models.model_systems import ModelSystem, model_b
from scc.models.onsite import OnsiteTightBinding
from scc.occupations.ensemble import Canonical, GrandCanonical


def _onsite(configuration, parameters, **options):
    return EnergyFunctional(OnsiteTightBinding(parameters).prepare(configuration), **options)


def _smallest_dielectric_eigenvalue(functional):
    """Of 1 − Kχ₀ at v̂ = 0, by the eigenvalues of the non-symmetric matrix itself."""
    state = functional.evaluate(functional.initial_features())
    units = np.eye(len(functional.configuration))
    response = np.array([state.local.potential_response(u) for u in units]).T
    kernel = np.array([functional.kernel(state.density, u) for u in units]).T
    return float(np.min(np.linalg.eigvals(units - kernel @ response).real))


@given(
    atoms=st.integers(1, 10).map(lambda pairs: 2 * pairs),
    attraction=st.floats(0.0, 6.0),
    beta=st.one_of(st.floats(0.5, 20.0), st.just(math.inf)),
    hopping=st.floats(0.4, 2.0),
    solver=st.sampled_from([Anderson(), Damped(0.3), NewtonKrylov()]),
    canonical=st.booleans(),
)
def test_an_unstable_symmetric_state_is_never_called_converged(
    atoms, attraction, beta, hopping, solver, canonical
):
    """Attractive U on a uniform chain: p = Z solves T = 0 whatever U is, but not as a minimum."""
    parameters = ModelSystem(
        NearestNeighbourHopping(hopping, 1.5),
        dict.fromkeys(SPECIES, 0.0),
        0.5,
        dict.fromkeys(SPECIES, 1.0),
    )
    model = OnsiteTightBinding(parameters).prepare(chain(atoms, 1.0, SPECIES))
    functional = EnergyFunctional(
        model,
        beta=beta,
        ensemble=Canonical(float(atoms)) if canonical else GrandCanonical(0.0),
        extra_terms=[OnsiteHubbard(np.full(atoms, -attraction), np.ones(atoms))],
    )
    expected = _smallest_dielectric_eigenvalue(functional)
    assume(abs(expected) > 1e-3)
    result = equilibrate(functional, solver)
    assert result.iterations == 1  # it started on the symmetric fixed point
    assert result.status == ("converged" if expected > 0.0 else "unstable")
    assert result.converged == (expected > 0.0)
    assert result.stable == (expected > 0.0)
    if expected < 0.0:
        assert result.lambda_min == pytest.approx(expected, abs=1e-6)
        with pytest.raises(ConvergenceError, match="unstable") as error:
            equilibrate(functional, solver, throw=True)
        assert "\n" not in str(error.value)


@given(case=onsite_cases(max_atoms=8, betas=st.floats(0.5, 30.0)), attraction=st.floats(0.0, 3.0))
def test_whatever_is_called_converged_is_a_stable_critical_point(case, attraction):
    """Random attractive systems from random starts, where the iteration may end anywhere."""
    model, extra = case.build(case.configuration)
    attractive = OnsiteHubbard(np.full(len(case.configuration), -attraction), model.nuclear_charges)
    functional = EnergyFunctional(
        model, beta=case.beta, ensemble=case.ensemble, extra_terms=[*extra, attractive]
    )
    result = equilibrate(functional, features=case.features, max_builds=60)
    assert result.status in {"converged", "stalled", "diverged", "unstable"}
    if result.status in {"converged", "unstable"}:
        state = functional.evaluate(functional.potential(result.density))
        # ρ(V[ρ]) − ρ: one step of a map with derivative χ₀K from a residual of 1e-10.
        size = 10.0 + case.beta * len(state.local.eigenvalues) * (2.0 + attraction)
        assert np.max(np.abs(state.density - result.density)) <= 1e-10 * size
        assert (result.lambda_min > 0.0) == (result.status == "converged")
        # A stable critical point is a minimum of 𝒢 in v̂; −½∂²𝒢 = DT, and −χ₀ ≤ nβ/2.
        curvature = np.linalg.eigvalsh(result.hessian)
        if result.lambda_min > 1e-6:
            assert curvature[0] >= -1e-8 * case.beta * len(curvature)
    else:
        assert result.residual > 1e-10
        with pytest.raises(ConvergenceError, match=result.status):
            result.require_converged()


def test_an_electron_number_that_mu_does_not_select_is_reported():
    """A lone atom with U > 0: empty it wants two electrons, filled it wants none."""
    functional = _onsite(
        chain(1, 1.0, "Na"),
        model_b(gap=0.0, charges=(1.0, 1.0)),
        beta=math.inf,
        ensemble=GrandCanonical(0.0),
    )
    result = equilibrate(functional)
    assert result.status == "wrong electron number"
    assert not result.converged
    assert not result.stable
    with pytest.raises(ConvergenceError, match="wrong electron number") as error:
        equilibrate(functional, throw=True)
    assert "\n" not in str(error.value)


def _self_consistent_counts(functional, mu):
    """Every N whose canonical solution has exactly N/2 levels below µ, by trying them all."""
    found = []
    for pairs in range(int(functional.model.largest_electron_count) // 2 + 1):
        try:
            result = equilibrate(functional.with_ensemble(Canonical(2.0 * pairs)))
        except InputError:  # no gap at this count
            continue
        levels = result.state.local.eigenvalues
        if result.converged and np.count_nonzero(levels < mu) == pairs:
            found.append(2.0 * pairs)
    return found


@given(
    atoms=st.integers(1, 6),
    mu=st.floats(-6.0, 12.0),
    spacing=st.sampled_from([1.0, (1.0, 1.5), 2.5]),
    gap=st.sampled_from([0.0, 1.0]),
)
def test_zero_temperature_electron_number_is_the_one_that_mu_selects(atoms, mu, spacing, gap):
    """Against a search of all N, from empty to full: found when it exists, reported when not."""
    functional = _onsite(
        chain(atoms, spacing, SPECIES),
        model_b(gap=gap),
        beta=math.inf,
        ensemble=GrandCanonical(mu),
    )
    expected = _self_consistent_counts(functional, mu)
    assert len(expected) <= 1  # E[ρ] is convex
    result = equilibrate(functional)
    if not expected:
        assert result.status in {"wrong electron number", "stalled"}
        return
    assert result.status == "converged"
    state = functional.evaluate(result.features)
    assert state.electrons == expected[0]
    assert np.sum(result.density) == pytest.approx(expected[0], abs=1e-9)
    assert result.fermi_level == mu
    assert result.functional is functional
    np.testing.assert_allclose(result.features, functional.potential(result.density), atol=1e-8)


def test_too_few_builds_stall_and_say_so():
    functional = _onsite(chain(20, 1.0, SPECIES), model_b(gap=0.0), beta=10.0)
    for builds in (1, 2, 5):
        result = equilibrate(functional, max_builds=builds)
        assert result.status == "stalled"
        assert not result.stable
        assert result.density_builds == builds == len(result.history)
        with pytest.raises(ConvergenceError, match=r"stalled: density residual \d") as error:
            equilibrate(functional, max_builds=builds, throw=True)
        assert "\n" not in str(error.value)


@given(
    damping=st.floats(3.0, 1e6),
    atoms=st.integers(2, 20),
    beta=st.floats(1.0, 20.0),
    builds=st.integers(40, 80),
)
def test_a_step_that_is_far_too_long_never_converges(damping, atoms, beta, builds):
    """λ_min(ε) ≥ 1, so |1 − αλ| > 1 for every α > 2."""
    functional = _onsite(chain(atoms, (1.0, 1.4), SPECIES), model_b(), beta=beta)
    result = equilibrate(functional, Damped(damping), max_builds=builds)
    assert result.status in {"diverged", "stalled"}
    assert result.residual > 1e-6
    assert np.all(np.isfinite(result.history))


# -- inputs that cannot be --------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{"tolerance": 0.0}, {"tolerance": -1e-8}, {"tolerance": math.nan}, {"max_builds": 0}],
)
def test_impossible_requests_are_refused(options):
    functional = _onsite(chain(4, 1.0, SPECIES), model_b(), beta=2.0)
    with pytest.raises(InputError) as error:
        equilibrate(functional, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("bad", [np.zeros(3), np.array([0.0, math.nan, 0.0, 0.0])])
@pytest.mark.parametrize("ensemble", [None, GrandCanonical(0.0)])
@pytest.mark.parametrize("beta", [2.0, math.inf])
def test_impossible_starts_are_refused(bad, ensemble, beta):
    functional = _onsite(chain(4, 1.0, SPECIES), model_b(), beta=beta, ensemble=ensemble)
    with pytest.raises(InputError, match="features") as error:
        equilibrate(functional, features=bad)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("count", [3.0, 5.5, 9.0])
def test_impossible_electron_counts_are_refused(count):
    functional = _onsite(
        chain(4, 1.0, SPECIES), model_b(), beta=math.inf, ensemble=Canonical(count)
    )
    with pytest.raises(InputError) as error:
        equilibrate(functional)
    assert "\n" not in str(error.value)


def test_a_cell_periodic_in_one_direction_is_refused_in_one_line():
    configuration = chain(4, 1.0, SPECIES, periodic=True)
    with pytest.raises(InputError, match="periodic") as error:
        equilibrate(_onsite(configuration, model_b(), beta=2.0))
    assert "\n" not in str(error.value)
