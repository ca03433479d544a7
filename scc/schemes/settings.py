"""What the fits of schemes of charges start from, for water."""

from __future__ import annotations

from scc.ace.energy_fit import EnergyWeights
from scc.ace.features import FeatureSet
from scc.ace.specification import BasisSpecification, TotalDegree
from scc.ace.water import CUTOFF, SPECIES
from scc.ace.water_fit import ENERGY_PRIORS
from scc.schemes.bpopnn_fit import BpopnnSettings
from scc.schemes.charge_features import feature_set
from scc.schemes.hdnnp_4g_fit import Settings4g

CHARGE_WIDTH = 1.5
"""σ of the Gaussian charges, bohr: with 1.0 the best hardness of O is slightly negative."""

_NONE = -1.0  # a degree limit that leaves no function
_OWN_ALONE = 100.0  # a degree that no limit reaches: no charges of neighbours


def settings_4g(charges: str = "dipole") -> Settings4g:
    """Own charges only in E_i, up to the second power, times up to three-body functions."""
    chi = _specification(TotalDegree(((11.0,), (8.0,)), l_max=3), FeatureSet(), 0)
    limits = ((11.0, 6.0), (10.0, 7.0, 6.0), (_NONE, 8.0, 7.0))
    own = TotalDegree(limits, l_max=3, neighbour=_OWN_ALONE)
    energy = _specification(own, feature_set(1), 2)
    weights = EnergyWeights(priors=ENERGY_PRIORS)
    return Settings4g(chi, energy, CHARGE_WIDTH, energy_weights=weights, charges=charges)


def settings_bpopnn(charges: str = "dipole") -> BpopnnSettings:
    """Charges of centre and neighbours, quartic in all, times up to three-body functions."""
    limits = ((11.0, 10.0), (9.0, 9.0, 7.0), (_NONE, 9.0, 6.0))
    degree = TotalDegree(limits, l_max=3, neighbour=7.0)
    energy = _specification(degree, feature_set(2), 2)
    weights = EnergyWeights(priors=ENERGY_PRIORS)
    return BpopnnSettings(energy, CHARGE_WIDTH, energy_weights=weights, charges=charges)


def _specification(
    degree: TotalDegree, features: FeatureSet, feature_degree: int
) -> BasisSpecification:
    order = len(degree.limits)
    return BasisSpecification(SPECIES, CUTOFF, order, degree, features, feature_degree, (0,))
