"""Local models: parameters, bound models, states."""

from scc.models.extended_huckel import sourced_parameters
from scc.models.gaussian import GaussianTightBinding
from scc.models.model_systems import model_b, nearest_neighbour_chain
from scc.models.onsite import OnsiteTightBinding
from scc.models.registry import MODELS, model_by_name

__all__ = [
    "MODELS",
    "GaussianTightBinding",
    "OnsiteTightBinding",
    "model_b",
    "model_by_name",
    "nearest_neighbour_chain",
    "sourced_parameters",
]
