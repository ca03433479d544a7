"""Small fitted models with random coefficients, and water clusters for them."""

from functools import cache

import numpy as np

from scc.ace.basis import Basis, BasisSpecification, TotalDegree
from scc.ace.density_model import DensityModel
from scc.ace.energy_model import EnergyModel
from scc.ace.features import FeatureSet
from scc.ace.model import FittedModel
from scc.configuration import Configuration
from scc.units import ANGSTROM

CUTOFF = 4.0 * ANGSTROM
WIDTHS = (1.0, 1.8, 2.9)
# Two features have degree 4 or more: energies of order 2 are quadratic in v̂, as they should be.
DEGREE = TotalDegree(limits=((3.0, 3.0, 2.0), (3.0, 3.0, 5.0)), l_max=2)


@cache
def random_model(n_max=2, l_max=1, order=2, seed=0, response=1.0, degree=DEGREE):
    """A model of feature set (n_max, l_max); ``response`` scales what features do to p.

    With 1 the spectral radius of χK is below 0.6 on clusters of up to four molecules.
    """
    rng = np.random.default_rng(seed)
    features = FeatureSet(WIDTHS[:n_max], l_max if n_max else 0)
    affine = 1 if n_max else 0
    density = BasisSpecification(("H", "O"), CUTOFF, order, degree, features, affine, (0, 1, 2))
    energy = BasisSpecification(("H", "O"), CUTOFF, order, degree, features, 2 * affine, (0,))

    def coefficients(basis, total, outputs, size, feature_size):
        each = np.where(basis.feature_degrees(total) > 0, feature_size, size)
        each = each / basis.functions(total) ** 0.5
        return rng.normal(size=(2, basis.functions(total), outputs)) * each[None, :, None]

    basis, n_flow = Basis(density), 2
    outputs = {0: 2 * n_flow, 1: 1, 2: 1}
    tables = {L: coefficients(basis, L, n, 0.3, 0.3 * response) for L, n in outputs.items()}
    offsets = 0.1 * rng.normal(size=(2, 2 * n_flow))
    values = coefficients(Basis(energy), 0, 1, 0.1, 0.1)[:, :, 0]
    return FittedModel(
        f"random ({n_max},{l_max})",
        DensityModel(density, 1.2, n_flow, tables, offsets),
        EnergyModel(energy, values, np.array([-0.5, -75.0])),
        {"data": "none", "seed": seed},
    )


_MOLECULE = np.array([[0.0, 0.0, 0.0], [1.43, 1.11, 0.0], [-1.43, 1.11, 0.0]])


def water(number, rng, spacing=5.6, shake=0.08):
    """A cluster of turned and shaken molecules on a cubic grid of that spacing, bohr."""
    side = int(np.ceil(number ** (1.0 / 3.0) - 1e-9))
    places = np.array(list(np.ndindex(side, side, side)))[:number] * spacing
    positions = []
    for place in places:
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        turn[:, 0] *= np.linalg.det(turn)
        positions.append(place + _MOLECULE @ turn.T + shake * rng.normal(size=(3, 3)))
    return Configuration(("O", "H", "H") * number, np.concatenate(positions))


def moved(configuration, displacement):
    """The configuration with positions + dr."""
    return Configuration(configuration.species, configuration.positions + displacement)
