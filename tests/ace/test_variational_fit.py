"""The fit of the variational model: derivatives, descent, and models that are there to be found."""

import numpy as np
import pytest
from hypothesis import given, settings
from strategies.configurations import generators
from strategies.finite_differences import assert_derivative
from strategies.fitted_models import random_model
from strategies.variational_models import (
    WIDTH,
    labelled,
    random_variational,
    response_design,
)

from scc.ace.density_design import DensityDesign, DensityForm
from scc.ace.energy_fit import EnergyDesign
from scc.ace.predict import predict
from scc.ace.reference_set import ReferenceSet
from scc.ace.training_cluster import Spread
from scc.ace.variational_energy import variational_energy_rows
from scc.ace.variational_fit import DensityFit, VariationalCluster, fit_permanent, improve
from scc.electrostatics.multipoles import UniformField


def clusters(model, generator, numbers=(1, 2, 2), order=1):
    frames = [
        labelled(model, number, generator, charged=index % 2 == 1)
        for index, number in enumerate(numbers)
    ]
    form = DensityForm(model.permanent.specification, WIDTH, model.permanent.n_flow, 9.0)
    permanent, response = DensityDesign(form), response_design(order)
    spread = Spread.of(ReferenceSet(tuple(frames)), ("H", "O"))
    return [VariationalCluster(frame, permanent, response, spread) for frame in frames]


@settings(max_examples=5)
@given(generators())
def test_solutions_are_those_of_the_model_and_their_tangents_derivatives(generator):
    model = random_variational(1)
    (cluster,) = clusters(model, generator, (2,))
    design = response_design(1)
    row = design.start(generator)
    theta = 0.1 * generator.normal(size=cluster.rows.shape[1])
    solution = cluster.solve(theta, design.unpack(row))
    permanent, moved = cluster.tangent(solution, design.unpack(row))
    change, turn = generator.normal(size=theta.shape), generator.normal(size=row.shape)

    def along(step):
        return cluster.solve(theta + step * change, design.unpack(row + step * turn)).multipoles

    expected = moved @ turn
    expected[:, 0] += permanent @ change
    assert_derivative(expected, along, 1e-3, 1.0 + np.max(np.abs(expected)))


@settings(max_examples=5)
@given(generators())
def test_a_cluster_solves_what_the_model_predicts(generator):
    model = random_variational(1)
    design = response_design(1)
    for cluster in clusters(model, generator, (1, 2)):
        # θ = 0 leaves b = 0: compare with the response alone.
        bare = model.operator(
            cluster.frame.configuration, (UniformField(np.array([1.0, 0.0, 0.0])),)
        ).external
        assert np.allclose(cluster.outside[:, 1], bare.ravel(), rtol=0.0, atol=1e-12)
        found = cluster.solve(
            np.zeros(cluster.rows.shape[1]), dict(model.response.coefficients)
        ).multipoles[:, 1:]
        wanted = cluster.frame.polarisation.reshape(found.shape)
        assert np.allclose(found, wanted, rtol=0.0, atol=1e-6 * np.max(np.abs(wanted)))
    assert set(design.shapes) == {0, 1, 2}


def test_a_variational_truth_is_found():
    generator = np.random.default_rng(7)
    model = random_variational(1)
    members = clusters(model, generator, (1, 2, 2, 3))
    design = members[0].response
    row = design.start(generator)
    n_theta = members[0].rows.shape[1]
    scale = np.ones(n_theta + len(row))
    theta = fit_permanent(members, row, scale[:n_theta], 1e-6)
    before = sum(c.loss(c.solve(theta, design.unpack(row))) for c in members)
    found = improve(members, DensityFit(theta, row), scale, 1e-6, 60, tolerance=1e-6)
    assert np.all(np.diff(found.losses) < 0.0)
    after = sum(c.loss(c.solve(found.theta, design.unpack(found.row))) for c in members)
    assert after <= 1e-4 * before


@settings(max_examples=4)
@given(generators())
def test_energy_rows_are_the_energy_and_forces_of_the_model(generator):
    model = random_variational()
    frame = labelled(model, 2, generator, charged=True)
    design = EnergyDesign(model.energy.specification)
    features = predict(
        model, frame.configuration, external=(frame.external,), tolerance=1e-12
    ).features
    rows = variational_energy_rows(design, frame, model, features)
    coefficients = np.append(model.energy.coefficients.ravel(), 0.0)
    # The model labelled the frame: its own coefficients leave nothing.
    assert rows.values @ coefficients == pytest.approx(rows.energy, abs=1e-9)
    assert np.allclose(rows.forces @ coefficients, rows.force, rtol=0.0, atol=1e-8)


def test_features_of_another_width_are_refused():
    generator = np.random.default_rng(0)
    frame = labelled(random_variational(1), 1, generator)
    form = DensityForm(random_model(0, 0).density.specification, 1.5, 2, 9.0)
    spread = Spread.of(ReferenceSet((frame,)), ("H", "O"))
    with pytest.raises(ValueError, match="not those of the density"):
        VariationalCluster(frame, DensityDesign(form), response_design(1), spread)
