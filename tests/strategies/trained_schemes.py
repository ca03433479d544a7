"""Schemes of charges with made-up coefficients and of small forms, for tests."""

from dataclasses import replace

import numpy as np

from scc.ace.energy_fit import EnergyDesign
from scc.ace.features import FeatureSet
from scc.ace.specification import BasisSpecification, TotalDegree
from scc.schemes.bpopnn import BpopnnModel
from scc.schemes.bpopnn_fit import BpopnnSettings
from scc.schemes.charge_energy import ChargeEnergy
from scc.schemes.charge_features import ChargeFeatures, feature_set
from scc.schemes.hdnnp_4g import Hdnnp4gModel
from scc.schemes.hdnnp_4g_fit import Settings4g

CUTOFF = 7.0
WIDTH = 1.5
SPECIES = ("H", "O")
MEANS = np.array([0.3, -0.6])


def charge_basis(powers: int, order: int = 3, neighbour: float = 1.0) -> BasisSpecification:
    """A few hundred functions of environments and charges."""
    limits = ((3.0, 3.0), (2.0, 3.0, 4.0), (-1.0, 3.0, 4.0))[:order]
    degree = TotalDegree(limits, l_max=1, feature_l_max=1, neighbour=neighbour)
    return BasisSpecification(SPECIES, CUTOFF, order, degree, feature_set(powers), 2, (0,))


def environment_basis() -> BasisSpecification:
    """Functions of positions alone."""
    degree = TotalDegree(((3.0,), (2.0,)), l_max=1)
    return BasisSpecification(SPECIES, CUTOFF, 2, degree, FeatureSet(), 0, (0,))


def random_charge_energy(powers: int, seed: int, size: float = 1e-3) -> ChargeEnergy:
    """E_i with random coefficients, small enough for η to keep it convex near q̄."""
    design = EnergyDesign(charge_basis(powers))
    coefficients = size * np.random.default_rng(seed).normal(size=design.n_columns)
    energy = design.model(coefficients, -76.0)
    return ChargeEnergy(energy, ChargeFeatures(MEANS, powers), np.array([0.6, 0.5]))


def random_bpopnn(powers: int = 2, seed: int = 0) -> BpopnnModel:
    """A model with a minimum near q̄."""
    return BpopnnModel("random", random_charge_energy(powers, seed), WIDTH, {"made": "up"})


def random_4g(seed: int = 0) -> Hdnnp4gModel:
    """Electronegativities and energies at random, hardness positive."""
    rng = np.random.default_rng(seed)
    design = EnergyDesign(environment_basis())
    chi = design.model(0.1 * rng.normal(size=design.n_columns), 0.0)
    energy = replace(random_charge_energy(1, seed, 1e-2), hardness=np.zeros(2))
    return Hdnnp4gModel("random", chi, np.array([0.3, 0.2]), energy, WIDTH, {"made": "up"})


def small_bpopnn_settings() -> BpopnnSettings:
    """Few columns: seconds at most."""
    return BpopnnSettings(charge_basis(2, order=2, neighbour=3.0), WIDTH, steps=1)


def small_4g_settings() -> Settings4g:
    """Few columns: seconds at most."""
    return Settings4g(environment_basis(), charge_basis(1, neighbour=100.0), WIDTH, steps=3)
