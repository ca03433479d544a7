"""Gaussian orbitals, potential functions Ξ, and their closed-form integrals without 1/r."""

from scc.basis.evaluate import evaluate
from scc.basis.orthogonalisation import Loewdin
from scc.basis.overlap import OneElectronIntegral, dipole, kinetic, overlap, uniform_field
from scc.basis.shells import BasisSet, Shell, single_gaussian
from scc.basis.solid_harmonics import solid_harmonics
from scc.basis.sto3g import sto3g
from scc.basis.three_centre import PotentialFunction, ThreeCentreOverlap

__all__ = [
    "BasisSet",
    "Loewdin",
    "OneElectronIntegral",
    "PotentialFunction",
    "Shell",
    "ThreeCentreOverlap",
    "dipole",
    "evaluate",
    "kinetic",
    "overlap",
    "single_gaussian",
    "solid_harmonics",
    "sto3g",
    "uniform_field",
]
