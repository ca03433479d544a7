"""Solvers: predicted rates, iteration counts that do not grow with size, honest bookkeeping."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.onsite import SPECIES, relaxable_cases

from scc.configuration import chain
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.solvers import Anderson, Damped, NewtonKrylov, solver_by_name
from scc.errors import InputError
from scc.functional.energy import EnergyFunctional
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.models.tight_binding import BoundTightBinding, TightBindingState
from scc.occupations.ensemble import GrandCanonical


def _chain(atoms, spacing=(1.0, 1.3), gap=2.0, charges=(1.4, 0.6), **options):
    configuration = chain(atoms, spacing, SPECIES)
    model = OnsiteTightBinding(model_b(gap=gap, charges=charges)).prepare(configuration)
    return EnergyFunctional(model, **options)


METALS = [((1.0, 1.3), (1.4, 0.6)), (1.0, (1.4, 0.6)), (1.0, (1.9, 0.1))]


# -- damped iteration: converges iff |1 − αλ| < 1 ----------------------------------------------


@pytest.fixture(scope="module", params=["canonical", "grand-canonical"])
def metal(request):
    """Model B without a gap, M = 100, β = 10: equilibrium and spectrum of ε† (eigenvectors too)."""
    functional = _chain(100, gap=0.0, beta=10.0)
    equilibrium = equilibrate(functional, tolerance=1e-12)
    if request.param == "grand-canonical":
        functional = functional.with_ensemble(GrandCanonical(equilibrium.fermi_level))
        equilibrium = equilibrate(functional, tolerance=1e-12)
    assert equilibrium.converged
    return equilibrium


def _perturbed(equilibrium, size):
    """Features whose density differs from ρ* along the stiffest mode of ε."""
    values, vectors = np.linalg.eig(equilibrium.dielectric.dense())
    stiffest = vectors[:, np.argmax(values.real)].real
    return equilibrium.features + size * stiffest / np.max(np.abs(stiffest))


def _rate(history):
    """Geometric mean of the ratio of successive residuals, 20 of them."""
    return (history[20] / history[0]) ** (1.0 / 20.0)


def test_damped_iteration_just_below_the_limit_contracts_at_the_predicted_rate(metal):
    """α = 0.95·2/λ_max: |1 − αλ_max| = 0.9."""
    damping = 0.95 * 2.0 / metal.lambda_max
    result = equilibrate(
        metal.functional, Damped(damping), features=_perturbed(metal, 1e-3), max_builds=400
    )
    assert result.status == "converged"
    np.testing.assert_allclose(result.density, metal.density, atol=1e-8)
    predicted = max(abs(1.0 - damping * value) for value in (metal.lambda_min, metal.lambda_max))
    assert predicted == pytest.approx(0.9, abs=1e-6)
    late = np.array(result.history[30:])
    assert _rate(late) == pytest.approx(predicted, rel=0.01)


def test_damped_iteration_just_above_the_limit_diverges_at_the_predicted_rate(metal):
    """α = 1.05·2/λ_max: |1 − αλ_max| = 1.1 while the deviation is small, and no convergence."""
    damping = 1.05 * 2.0 / metal.lambda_max
    result = equilibrate(
        metal.functional, Damped(damping), features=_perturbed(metal, 1e-6), max_builds=200
    )
    assert result.status == "diverged"
    assert _rate(np.array(result.history[10:])) == pytest.approx(1.1, rel=0.01)
    from_neutral = equilibrate(metal.functional, Damped(damping), max_builds=300)
    assert from_neutral.status in {"diverged", "stalled"}


def test_the_stability_limit_separates_convergence_from_divergence(metal):
    """By bisection on the linearised map: the limit is 2/λ_max to a few parts in a thousand."""
    low, high = 0.5 * 2.0 / metal.lambda_max, 2.0 * 2.0 / metal.lambda_max
    start = _perturbed(metal, 1e-5)
    while high / low > 1.005:
        middle = math.sqrt(low * high)
        history = equilibrate(
            metal.functional, Damped(middle), features=start, max_builds=40
        ).history
        low, high = (middle, high) if history[-1] < history[10] else (low, middle)
    assert low * metal.lambda_max / 2.0 == pytest.approx(1.0, rel=0.01)


# -- iteration counts ---------------------------------------------------------------------------


SIZES = [20, 60, 200, pytest.param(1000, marks=pytest.mark.slow)]


@pytest.mark.parametrize("atoms", SIZES)
def test_anderson_on_an_ionic_insulator_takes_at_most_15_builds(atoms):
    """D = 2, β = ∞, Z = 1.4/0.6, default settings, 1e-10 electrons, whatever the size."""
    result = equilibrate(_chain(atoms))
    assert result.status == "converged"
    assert result.residual <= 1e-10
    assert result.density_builds <= 15


@pytest.mark.parametrize("atoms", SIZES)
@pytest.mark.parametrize(("spacing", "charges"), METALS)
def test_anderson_on_a_metal_takes_at_most_30_builds(atoms, spacing, charges):
    """D = 0, β = 10, the same default settings: the preconditioner removes the growth with M."""
    result = equilibrate(_chain(atoms, spacing, 0.0, charges, beta=10.0))
    assert result.status == "converged"
    assert result.residual <= 1e-10
    assert result.density_builds <= 30


def test_without_the_preconditioner_a_metal_needs_more_builds_the_larger_it_is():
    """The test above would pass without a preconditioner too if this one did not hold."""
    builds = []
    for atoms in (20, 200):
        functional = _chain(atoms, 1.0, 0.0, beta=10.0)
        plain = equilibrate(functional, Anderson(preconditioned=False))
        assert plain.density_builds > equilibrate(functional).density_builds
        builds.append(plain.density_builds)
    assert builds[1] > builds[0]


@pytest.mark.parametrize("beta", [10.0, math.inf])
def test_newton_converges_quadratically(beta):
    """The residual of one full step is at most a constant times the square of the last."""
    functional = _chain(40, gap=0.0 if beta == 10.0 else 2.0, beta=beta)
    result = equilibrate(functional, NewtonKrylov(switch=1e-2), tolerance=1e-13)
    assert result.residual <= 1e-11
    history = np.array(result.history)
    newton = history[np.argmax(history <= 1e-2) :]
    quadratic = (
        newton[(newton[:-1] > 1e-6).nonzero()[0] + 1]
        / newton[newton[:-1].nonzero()][: np.count_nonzero(newton[:-1] > 1e-6)] ** 2
    )
    assert len(quadratic) >= 1
    assert np.max(quadratic) < 100.0


# -- bookkeeping ------------------------------------------------------------------------------


@settings(max_examples=15)
@given(
    case=relaxable_cases(max_atoms=8, sourced=False),
    solver=st.sampled_from([Anderson(), Damped(0.4), NewtonKrylov(), NewtonKrylov(switch=1e-4)]),
)
def test_every_diagonalisation_and_response_is_counted(case, solver):
    """Work is the currency of comparisons: the counters against calls actually made."""
    calls = {"evaluate": 0, "response": 0}
    evaluate, response = BoundTightBinding.evaluate, TightBindingState._density_response

    def counted_evaluate(self, *args, **kwargs):
        calls["evaluate"] += 1
        return evaluate(self, *args, **kwargs)

    def counted_response(self, *args, **kwargs):
        calls["response"] += 1
        return response(self, *args, **kwargs)

    functional = case.functional  # built before anything is counted
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BoundTightBinding, "evaluate", counted_evaluate)
        patch.setattr(TightBindingState, "_density_response", counted_response)
        result = equilibrate(
            functional, solver, max_builds=300, callback=lambda n, iterate: seen.append(n)
        )
    frozen = isinstance(case.ensemble, GrandCanonical) and math.isinf(case.beta)
    # Freezing the occupation ends with one diagonalisation that only relabels the state.
    allowed = (0, 1) if frozen else (0,)
    assert calls["evaluate"] - result.density_builds in allowed
    assert calls["response"] == result.response_applications
    assert len(seen) == result.density_builds
    if not frozen:
        assert len(result.history) == result.density_builds
        assert result.residual == min(result.history)


@given(
    case=relaxable_cases(max_atoms=6, sourced=False),
    tolerance=st.sampled_from([1e-2, 1e-5, 1e-8, 1e-11]),
)
def test_tolerance_is_what_is_delivered(case, tolerance):
    """status is 'converged' iff the residual recomputed from the result is below the tolerance."""
    result = equilibrate(case.functional, tolerance=tolerance)
    if result.converged:
        assert result.residual <= tolerance
        # v̂* = V[ρ_in] and ρ = ρ(v̂*): V[ρ] − v̂* = K(ρ − ρ_in).
        functional = result.functional
        defect = functional.potential(result.density) - result.features
        kernel = functional.kernel(result.density, np.eye(len(result.density)))
        assert (
            np.max(np.abs(defect))
            <= 1.01 * tolerance * np.max(np.sum(np.abs(kernel), axis=1)) + 1e-13
        )
    else:
        assert result.residual > tolerance


# -- inputs that cannot be ----------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0.0, -0.3, math.nan, math.inf])
def test_impossible_dampings_are_refused(bad):
    for solver in (Damped, lambda damping: Anderson(damping=damping)):
        with pytest.raises(InputError, match="damping") as error:
            solver(bad)
        assert "\n" not in str(error.value)


def test_unknown_solvers_are_refused_by_name():
    with pytest.raises(InputError, match="unknown solver 'sor'") as error:
        solver_by_name("sor")
    assert "\n" not in str(error.value)
    for name in ("anderson", "damped", "newton"):
        assert equilibrate(_chain(4, beta=2.0), solver_by_name(name), max_builds=500).converged
