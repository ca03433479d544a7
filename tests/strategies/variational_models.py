"""Small variational models with random coefficients."""

from functools import cache

import numpy as np

from scc.ace.basis import BasisSpecification, TotalDegree
from scc.ace.energy_model import EnergyModel
from scc.ace.features import FeatureSet
from scc.ace.variational_fit import ResponseDesign
from scc.ace.variational_model import VariationalModel
from strategies.fitted_models import CUTOFF, random_model

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
