"""The energy functional and its terms."""

from scc.functional.direct_functional import DirectFunctional
from scc.functional.energy import EnergyFunctional, FunctionalState
from scc.functional.exchange_correlation_term import ExchangeCorrelation
from scc.functional.projection_functional import ProjectionFunctional
from scc.functional.quadrature import MolecularGrid
from scc.functional.xc import functional_from_name

__all__ = [
    "DirectFunctional",
    "EnergyFunctional",
    "ExchangeCorrelation",
    "FunctionalState",
    "MolecularGrid",
    "ProjectionFunctional",
    "functional_from_name",
]
