"""Reference systems of electrostatics to 25 digits, independent of scc's own kernels."""

from scc.electrostatics.goldens.catalogue import SYSTEMS
from scc.electrostatics.goldens.files import GoldenFeature, GoldenSystem, load
from scc.electrostatics.goldens.reference import compute

__all__ = ["SYSTEMS", "GoldenFeature", "GoldenSystem", "compute", "load"]
