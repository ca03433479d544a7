"""Configurations of atoms: the immutable object, builders, files."""

from scc.configuration.builders import chain, cluster, lattice
from scc.configuration.configuration import Configuration
from scc.configuration.files import from_ase, read, to_ase, write, written_atomically

__all__ = [
    "Configuration",
    "chain",
    "cluster",
    "from_ase",
    "lattice",
    "read",
    "to_ase",
    "write",
    "written_atomically",
]
