"""The stages of a variational fit: they resume to the same bits, and find what is there."""

import json
from dataclasses import replace

import numpy as np
import pytest
from strategies.fitted_models import CUTOFF
from strategies.variational_models import WIDTH, labelled, random_variational, response_design

from scc.ace.basis import BasisSpecification, TotalDegree
from scc.ace.density_design import DensityForm
from scc.ace.energy_fit import EnergyWeights
from scc.ace.evaluation import errors, outcomes, self_consistent
from scc.ace.features import FeatureSet
from scc.ace.reference_set import ReferenceSet
from scc.ace.variational_training import VariationalSettings, fit_variational
from scc.ace.variational_water import water_variational_settings
from scc.errors import InputError


class Kept:
    """Stages in memory, and which of them were computed."""

    def __init__(self):
        self.found, self.computed = {}, []

    def run(self, name, compute):
        if name not in self.found:
            self.computed.append(name)
            self.found[name] = dict(compute())
        return self.found[name]


@pytest.fixture(scope="module")
def problem():
    generator = np.random.default_rng(3)
    model = random_variational(1)
    frames = ReferenceSet(tuple(labelled(model, number, generator) for number in (1, 1, 2)))
    form = DensityForm(model.permanent.specification, WIDTH, model.permanent.n_flow, 9.0)
    settings = VariationalSettings(
        permanent=form,
        starter=replace(form, n_flow=1, flow_degree=1.0),
        response=response_design(1).specification,
        channels=(1, 2, 1),
        energy=BasisSpecification(
            ("H", "O"), CUTOFF, 1, TotalDegree(((3.0,),), l_max=2), FeatureSet(), 0, (0,)
        ),
        ridge=1e-3,
        steps=4,
        joint_steps=3,
        energy_weights=EnergyWeights(ridge=1e-3),
    )
    return frames, settings


def test_a_fit_resumed_after_any_stage_is_the_same_to_the_last_bit(problem):
    frames, settings = problem
    whole = Kept()
    model = fit_variational(frames, settings, 5, whole)
    assert whole.computed == ["response", "permanent", "joint", "energy-rows", "energy"]
    for kept in range(1, 5):
        rest = Kept()
        rest.found = {name: whole.found[name] for name in whole.computed[:kept]}
        again = fit_variational(frames, settings, 5, rest)
        assert rest.computed == whole.computed[kept:]
        assert np.array_equal(again.energy.coefficients, model.energy.coefficients)
        for total, values in model.response.coefficients.items():
            assert np.array_equal(again.response.coefficients[total], values)


def test_a_fitted_model_predicts_what_it_was_fitted_to(problem):
    frames, settings = problem
    found = errors(outcomes(fit_variational(frames, settings), frames.frames, self_consistent))
    assert found["scf_unconverged"] == 0
    assert found["dipole_rmse_percent"] <= 5.0
    assert found["total_dipole_rmse_e_bohr"] <= 0.05


def test_widths_that_differ_are_refused(problem):
    _, settings = problem
    with pytest.raises(InputError, match="same width"):
        replace(settings, starter=replace(settings.starter, width=2.0))


def test_the_settings_for_water_are_made_of_parts_that_fit():
    for order in (1, 2):
        settings = water_variational_settings(1.5, order)
        assert settings.permanent.width == settings.starter.width == 1.5
        assert settings.response.features.widths == (1.5,)
        assert settings.response.order == order


def test_settings_are_plain_values(problem):
    _, settings = problem
    for one in (settings, water_variational_settings()):
        assert json.loads(json.dumps(one.as_dict())) == one.as_dict()
