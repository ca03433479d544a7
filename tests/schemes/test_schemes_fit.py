"""Training: rows are derivatives of residuals, fits are deterministic, and something is learnt."""

import numpy as np
import pytest
from strategies.trained_schemes import small_4g_settings, small_bpopnn_settings
from strategies.water_training import small_set

from scc.ace.reference_set import ReferenceSet
from scc.errors import InputError
from scc.schemes.bpopnn_fit import BpopnnFit, fit_bpopnn
from scc.schemes.charge_training import ChargeCluster, live_columns, response_operator
from scc.schemes.evaluation import charges_of, figures, outcomes
from scc.schemes.fit import fit_scheme, settings_of
from scc.schemes.hdnnp_4g_fit import fit_4g
from scc.schemes.model_file import save_scheme
from scc.schemes.scfnn import scfnn_settings


@pytest.fixture(scope="module")
def training():
    return small_set(5)


@pytest.fixture(scope="module")
def fitted(training):
    return {
        "bpopnn-water": fit_scheme("bpopnn-water", training, small_bpopnn_settings()),
        "4g-water": fit_scheme("4g-water", training, small_4g_settings()),
    }


@pytest.mark.parametrize("name", ["bpopnn-water", "4g-water"])
def test_a_fit_made_again_has_the_same_bytes(fitted, training, name, tmp_path):
    settings = {"bpopnn-water": small_bpopnn_settings, "4g-water": small_4g_settings}[name]()
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    save_scheme(fitted[name], one)
    save_scheme(fit_scheme(name, training, settings), two)
    assert one.read_bytes() == two.read_bytes()
    assert fitted[name].provenance["data"]["clusters"] == len(training)


@pytest.mark.parametrize("name", ["bpopnn-water", "4g-water"])
def test_a_fit_knows_its_training_set_better_than_a_mean_does(fitted, training, name):
    found = outcomes(fitted[name], training.frames)
    errors = figures(fitted[name], found)
    assert errors["scf_unconverged"] == 0
    assert errors["charge_rmse_percent"] < 100.0
    assert np.isnan(errors["dipole_rmse_percent"])
    assert np.isnan(errors["quadrupole_rmse_percent"])
    forces = np.concatenate([np.ravel(frame.forces) for frame in training.frames])
    missed = np.concatenate([np.ravel(one.forces - one.frame.forces) for one in found])
    assert np.sqrt(np.mean(missed**2)) < 0.5 * np.sqrt(np.mean(forces**2))


def test_rows_of_a_step_are_derivatives_of_its_residuals(training):
    fit = BpopnnFit(training.subset([0, len(training) - 1]), small_bpopnn_settings())
    theta = fit.first()
    scale = fit.design.scale(1.0)
    direction = np.random.default_rng(0).normal(size=len(theta)) * fit.live / scale
    for cluster in fit.clusters:
        rows, _ = fit.residuals(cluster, theta, with_rows=True)
        step = 1e-6
        ahead, behind = (fit.residuals(cluster, theta + s * direction)[1] for s in (step, -step))
        measured, analytic = (ahead - behind) / (2.0 * step), rows @ direction[fit.live]
        # Charges converge to 1e-9 e, two parts in 10⁷ of the error aimed at, over 2·10⁻⁶.
        allowed = 0.2 + 1e-4 * np.max(np.abs(analytic))
        assert np.max(np.abs(measured - analytic)) < allowed
        assert np.max(np.abs(analytic)) > 100.0 * allowed or np.max(np.abs(analytic)) > 1e3


def test_teacher_forced_rows_are_residuals_at_the_charges_of_the_reference(training):
    """Linear in θ, and equal to what the model itself says there."""
    fit = BpopnnFit(training.subset([0]), small_bpopnn_settings())
    cluster = fit.clusters[0]
    theta = 1e-3 * np.random.default_rng(1).normal(size=len(fit.live)) * fit.live
    rows, targets = fit.teacher_forced(cluster)
    residuals = rows @ theta[fit.live] - targets
    frame, weights = cluster.frame, fit.settings.energy_weights
    state = fit.energy(theta).prepare(frame.configuration).evaluate(cluster.charges)
    energy = float(np.sum(state.site_energies)) + cluster.coulomb_energy(cluster.charges)
    pull = state.feature_energy_position_vjp() + cluster.coulomb_gradient(cluster.charges)
    number = 3 * len(cluster.charges)
    each = weights.energy * frame.n_molecules
    assert residuals[0] == pytest.approx((energy - frame.energy) / each, abs=1e-6)
    np.testing.assert_allclose(
        residuals[1 : 1 + number], np.ravel(-pull - frame.forces) / weights.force, atol=1e-8
    )


def test_the_response_operator_is_the_inverse_on_neutral_changes_and_refuses_saddles():
    rng = np.random.default_rng(2)
    root = rng.normal(size=(5, 5))
    hessian = root @ root.T
    response = response_operator(hessian)
    change = rng.normal(size=5)
    change -= np.mean(change)
    pushed = hessian @ change
    np.testing.assert_allclose(response @ pushed, change, atol=1e-9)
    np.testing.assert_allclose(response @ np.ones(5), 0.0, atol=1e-12)
    with pytest.raises(np.linalg.LinAlgError):
        response_operator(-hessian)


def test_columns_that_are_not_fitted_are_zero(training):
    fit = BpopnnFit(training.subset([0]), small_bpopnn_settings())
    cluster = fit.clusters[0]
    phi = fit.features(cluster.charges + 0.05, cluster.species)
    found = fit.functions(cluster, phi.values, phi.slopes)
    size = np.abs(found.values) + np.max(np.abs(found.positions), axis=1)
    assert np.all(size[~fit.live] == 0.0)
    assert (~fit.live).any()
    assert np.array_equal(live_columns(fit.design), fit.live)


def test_kernel_and_mixed_derivatives_are_those_of_the_coulomb_energy(training):
    cluster = ChargeCluster(training.frames[-1], ("H", "O"), 1.5, "dipole")
    charges, step = cluster.charges, 1e-3
    change = np.random.default_rng(3).normal(size=len(charges))
    ahead, behind = (charges + step * change, charges - step * change)
    slope = (cluster.coulomb_energy(ahead) - cluster.coulomb_energy(behind)) / (2.0 * step)
    assert slope == pytest.approx(cluster.electronegativity(charges) @ change, rel=1e-9)
    turned = cluster.electronegativity(ahead) - cluster.electronegativity(behind)
    np.testing.assert_allclose(turned / (2.0 * step), cluster.kernel @ change, atol=1e-11)
    moved = cluster.coulomb_gradient(ahead) - cluster.coulomb_gradient(behind)
    np.testing.assert_allclose(
        np.ravel(moved) / (2.0 * step), cluster.coulomb_mixed(charges) @ change, atol=1e-11
    )


def test_settings_say_what_they_are_and_charges_of_a_model_are_remembered(fitted):
    with pytest.raises(InputError, match="choose from"):
        settings_of("water")
    assert settings_of("scfnn-water") == scfnn_settings()
    assert charges_of(fitted["4g-water"]) == "dipole"
    assert settings_of("4g-water", "partition").charges == "partition"
    assert fitted["4g-water"].provenance["settings"]["aims"]["charge"] > 0.0


def test_sets_without_an_element_or_a_minimum_are_refused_in_one_line(training):
    with pytest.raises(InputError, match="reference charges are"):
        fit_4g(training, settings_of("4g-water", "mulliken"))
    with pytest.raises(InputError, match="reference charges are"):
        fit_bpopnn(ReferenceSet(training.frames[:1]), settings_of("bpopnn-water", "mulliken"))
