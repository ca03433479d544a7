"""What our ASE calculators share: one solution a geometry, started from the last, in ASE's units.

eV, eV/Å, e, e·Å.
"""

# mypy: disable-error-code="no-untyped-call, misc"
# (ASE is only partly typed.)

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import ase
import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from scc.arrays import FloatArray
from scc.errors import InputError
from scc.units import ANGSTROM, EV


class Solved(Protocol):
    """Energy (Hartree), forces (Hartree/bohr), net charges (e) and dipole (e·bohr)."""

    @property
    def energy(self) -> float: ...
    @property
    def forces(self) -> FloatArray: ...
    @property
    def charges(self) -> FloatArray: ...
    @property
    def dipole(self) -> FloatArray: ...


Solution = TypeVar("Solution", bound=Solved)


class SolvingCalculator(Calculator, ABC, Generic[Solution]):
    """A calculator by :meth:`solve`; ``solution`` is the last one, None where there is none.

    Forces, and the dipole of a periodic system, are made when they are asked for.
    """

    implemented_properties: ClassVar[list[str]] = [
        "energy",
        "free_energy",
        "forces",
        "dipole",
        "charges",
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.solution: Solution | None = None

    @abstractmethod
    def solve(self, atoms: ase.Atoms, last: Solution | None) -> Solution:
        """The solution for ``atoms``; ``last`` is that of the geometry before, of any atoms."""

    def calculate(
        self,
        atoms: ase.Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Solve for the atoms and put everything asked for into ``results``."""
        super().calculate(atoms, properties, system_changes)
        if self.atoms is None:
            raise InputError("no atoms to calculate")
        if system_changes or self.solution is None:
            self.results = {}
            last, self.solution = self.solution, None
            self.solution = self.solve(self.atoms, last)
        found = self.solution
        if "forces" in properties:
            self.results["forces"] = found.forces * (ANGSTROM / EV)
        energy = found.energy / EV
        self.results |= {"energy": energy, "free_energy": energy, "charges": found.charges}
        if "dipole" in properties or not any(self.atoms.pbc):
            self.results["dipole"] = found.dipole / ANGSTROM


def charge_of(atoms: ase.Atoms) -> float:
    """The net charge that atoms declare, by initial charges or ``info["charge"]``, e; 0 if none.

    Raises:
        InputError: magnetic moments are given.
    """
    if np.any(atoms.get_initial_magnetic_moments()):
        raise InputError("magnetic moments are given; the model knows no spin")
    charge = float(np.sum(atoms.get_initial_charges()))
    return charge if charge != 0.0 else float(atoms.info.get("charge", 0.0))
