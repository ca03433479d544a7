r"""Sourced atomic parameters of H–Ar for the on-site model, from GFN1-xTB.

Numbers: S. Grimme, C. Bannwarth, P. Shushkov, J. Chem. Theory Comput. 13 (2017) 1989, kept with
their provenance in gfn1_elements.json.  Taken over are the levels, Slater exponents and electron
counts of the valence s and p shells, the hardness U of an atom, the pair repulsion and the
Wolfsberg–Helmholz constants; everything else of GFN1-xTB is left out, so this is *not* GFN1-xTB.
Levels are in eV in the file and in Hartree here (1 Hartree = 27.21138505 eV, the factor of the
published parameterisation).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np

from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError
from scc.models.slater_koster import SlaterShell


@dataclass(frozen=True)
class ElementParameters:
    """One element.

    Attributes:
        valence_charge: Z, the charge of the nucleus and the core electrons.
        hubbard: U, the chemical hardness, Hartree.
        shells: Slater shells, in the order of the orbitals.
        levels: on-site energy of each shell, Hartree.
        repulsion_alpha, repulsion_charge: see :mod:`scc.models.repulsion`.
    """

    valence_charge: float
    hubbard: float
    shells: tuple[SlaterShell, ...]
    levels: tuple[float, ...]
    repulsion_alpha: float
    repulsion_charge: float

    @property
    def width(self) -> float:
        """σ = 1/(U√π), bohr: then the self-interaction J_ℓℓ = 1/(σ√π) of a Gaussian is U."""
        return 1.0 / (self.hubbard * float(np.sqrt(np.pi)))

    @property
    def size(self) -> int:
        """Number of orbitals."""
        return sum(shell.size for shell in self.shells)


@dataclass(frozen=True)
class ElementTable:
    """All elements, with the constants that belong to pairs.

    Attributes:
        elements: by chemical symbol.
        wolfsberg_helmholz: K by (l, l').
        repulsion_distance_exponent: exponent of r in the repulsion.
    """

    elements: Mapping[str, ElementParameters]
    wolfsberg_helmholz: Mapping[tuple[int, int], float]
    repulsion_distance_exponent: float

    def of(self, configuration: Configuration) -> list[ElementParameters]:
        """Parameters of each atom.

        Raises:
            InputError: an element without parameters, naming the atom.
        """
        known = self.elements
        for atom, symbol in enumerate(configuration.species):
            if symbol not in known:
                raise InputError(
                    f"atom {atom}: no on-site parameters for element {symbol} "
                    f"(known: {', '.join(known)})"
                )
        return [known[symbol] for symbol in configuration.species]


def values_by_species(
    table: Mapping[str, float], configuration: Configuration, name: str
) -> FloatArray:
    """One number an atom from a table by chemical symbol, shape (M,).

    Raises:
        InputError: a species that is not in the table, naming the atom and the quantity.
    """
    for atom, symbol in enumerate(configuration.species):
        if symbol not in table:
            known = ", ".join(table)
            raise InputError(f"atom {atom}: no {name} for element {symbol} (known: {known})")
    return np.array([table[symbol] for symbol in configuration.species], dtype=np.float64)


@cache
def gfn1_table() -> ElementTable:
    """The table of the module docstring, H–Ar, in atomic units."""
    text = files("scc.models").joinpath("gfn1_elements.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    ev = 1.0 / float(data["hartree_in_ev"])
    constants = data["wolfsberg_helmholz"]
    return ElementTable(
        elements=MappingProxyType(
            {symbol: _element(entry, ev) for symbol, entry in data["elements"].items()}
        ),
        wolfsberg_helmholz=MappingProxyType(
            {
                (0, 0): float(constants["ss"]),
                (0, 1): float(constants["sp"]),
                (1, 0): float(constants["sp"]),
                (1, 1): float(constants["pp"]),
            }
        ),
        repulsion_distance_exponent=float(data["repulsion_distance_exponent"]),
    )


def _element(entry: dict[str, Any], ev: float) -> ElementParameters:
    shells = entry["shells"]
    return ElementParameters(
        valence_charge=float(entry["valence_charge"]),
        hubbard=float(entry["hubbard"]),
        shells=tuple(SlaterShell(s["n"], s["l"], float(s["slater_exponent"])) for s in shells),
        levels=tuple(float(s["level"]) * ev for s in shells),
        repulsion_alpha=float(entry["repulsion_alpha"]),
        repulsion_charge=float(entry["repulsion_charge"]),
    )
