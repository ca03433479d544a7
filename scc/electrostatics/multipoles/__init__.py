"""Gaussian multipoles and the Coulomb operator between them. See README.md."""

from scc.electrostatics.multipoles.boundary import Boundary
from scc.electrostatics.multipoles.electrostatics import Evaluation, MultipoleElectrostatics
from scc.electrostatics.multipoles.external import ExternalCharges, UniformField
from scc.electrostatics.multipoles.features import PotentialFeatures
from scc.electrostatics.multipoles.plan import Plan

__all__ = [
    "Boundary",
    "Evaluation",
    "ExternalCharges",
    "MultipoleElectrostatics",
    "Plan",
    "PotentialFeatures",
    "UniformField",
]
