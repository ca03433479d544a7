"""Spectral functions (G, F = G′), ensembles and Fermi levels."""

from scc.occupations.ensemble import Canonical, GrandCanonical, fermi_level
from scc.occupations.fermi_dirac import FermiDirac
from scc.occupations.occupation import Occupation

__all__ = ["Canonical", "FermiDirac", "GrandCanonical", "Occupation", "fermi_level"]
