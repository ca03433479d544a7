"""Small variational models with random coefficients."""

from functools import cache

import numpy as np

from scc.ace.basis import BasisSpecification, TotalDegree
from scc.ace.energy_model import EnergyModel
from scc.ace.features import FeatureSet
from scc.ace.predict import predict
from scc.ace.reference_frame import ReferenceFrame
from scc.ace.response_design import ResponseDesign
from scc.ace.variational_model import VariationalModel
from scc.electrostatics.multipoles import ExternalCharges, UniformField
from strategies.fitted_models import CUTOFF, random_model, water

WIDTH = 1.2
RESPONSE = TotalDegree(limits=((-1.0, 4.0), (-1.0, 3.0)), l_max=2)


def response_design(order=2, channels=(1, 2, 1), degree=RESPONSE):
    """Amplitudes of L = 0, 1, 2."""
    features = FeatureSet((WIDTH,), 2)
    specification = BasisSpecification(("H", "O"), CUTOFF, order, degree, features, 1, (0, 1, 2))
    return ResponseDesign(specification, dict(enumerate(channels)))


@cache
def random_variational(order=2, seed=0, strength=1.0):
    """b and g⁰ of a random model without features, χ ∝ strength² of any size."""
    rng = np.random.default_rng(seed)
    bare = random_model(0, 0, order, seed)
    design = response_design(order)
    row = strength * design.start(rng, size=0.4, noise=0.1)
    energy = EnergyModel(bare.energy.specification, bare.energy.coefficients, np.zeros(2))
    return VariationalModel("random", bare.density, design.model(row), energy)


def labelled(model, number, generator, charged=False):
    """A cluster with the model's own labels, responses to a field included."""
    configuration = water(number, generator)
    external = ExternalCharges(np.array([[-6.0, 2.0, 3.0]]), np.array([0.5])) if charged else None
    around = () if external is None else (external,)
    found = predict(model, configuration, external=around, tolerance=1e-12)
    response = np.zeros((len(configuration), 9, 3))
    for axis in range(3):
        push = np.eye(3)[axis]
        ends = [
            predict(
                model, configuration, external=(*around, UniformField(s * push)), tolerance=1e-11
            ).multipoles
            for s in (0.01, -0.01)
        ]
        response[:, :, axis] = (ends[0] - ends[1]) / 0.02
    return ReferenceFrame(
        name=f"made up {generator.integers(10**9)}",
        configuration=configuration,
        energy=found.energy,
        forces=found.forces,
        multipoles=found.multipoles,
        external=external,
        kind="thermal",
        molecules=np.repeat(np.arange(number), 3),
        group="made up",
        polarisation=response,
    )
