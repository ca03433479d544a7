"""The minimal basis STO-3G for H–Ar.

W. J. Hehre, R. F. Stewart, J. A. Pople, J. Chem. Phys. 51, 2657 (1969);
W. J. Hehre, R. Ditchfield, R. F. Stewart, J. A. Pople, J. Chem. Phys. 52, 2769 (1970).
The numbers and their provenance are in ``sto3g.json``.
"""

import json
from functools import cache
from importlib.resources import files

from scc.basis.shells import BasisSet, Shell
from scc.configuration import Configuration
from scc.errors import InputError


@cache
def sto3g_shells() -> dict[str, tuple[Shell, ...]]:
    """The shells of each element, H–Ar."""
    text = files("scc.basis").joinpath("sto3g.json").read_text(encoding="utf-8")
    return {
        symbol: tuple(Shell(momentum, tuple(a), tuple(c)) for momentum, a, c in shells)
        for symbol, shells in json.loads(text)["elements"].items()
    }


def sto3g(configuration: Configuration) -> BasisSet:
    """The STO-3G orbitals of a configuration.

    Raises InputError naming the atom whose element is not among H–Ar.
    """
    table = sto3g_shells()
    for atom, symbol in enumerate(configuration.species):
        if symbol not in table:
            raise InputError(f"STO-3G is tabulated for H–Ar, but atom {atom} is {symbol!r}")
    return BasisSet(configuration.positions, [table[s] for s in configuration.species])
