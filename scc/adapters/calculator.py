"""Any adapter as an ASE calculator: energy, forces, charges, dipole in ASE's units.

eV, eV/Å, e, e·Å. Each geometry starts from the solution of the last one of the same atoms.
"""

# mypy: disable-error-code="no-untyped-call, misc"
# (ASE is only partly typed.)

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import ase
from ase.calculators.calculator import Calculator, all_changes

from scc.adapters.registry import subject_by_name
from scc.adapters.solution import Solution, Start
from scc.configuration import Configuration, from_ase
from scc.errors import ConvergenceError, InputError
from scc.units import ANGSTROM, EV


class Solver(Protocol):
    """What is asked of a code: ``solve``."""

    def solve(self, configuration: Configuration, initial: Start = None) -> Solution: ...


class AdapterCalculator(Calculator):
    """``atoms.calc = AdapterCalculator("gfn2")``.

    ``subject``: an adapter, or its name in :mod:`scc.adapters.registry`. ``solution`` is the last
    one. ``warm`` = False starts each geometry anew.

    Raises InputError for structures the code cannot treat, ConvergenceError where its SCF gave up.
    """

    implemented_properties: ClassVar[list[str]] = [
        "energy",
        "free_energy",
        "forces",
        "dipole",
        "charges",
    ]

    def __init__(self, subject: Solver | str, warm: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.subject: Solver = subject_by_name(subject) if isinstance(subject, str) else subject
        self.warm = warm
        self.solution: Solution | None = None

    def calculate(
        self,
        atoms: ase.Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Solve for the atoms and put what is asked for into ``results``."""
        super().calculate(atoms, properties, system_changes)
        if self.atoms is None:
            raise InputError("no atoms to calculate")
        if system_changes or self.solution is None:
            self.results = {}
            self.solution = self._solve(from_ase(self.atoms))
        found = self.solution
        energy = found.energy / EV
        self.results |= {"energy": energy, "free_energy": energy}
        if "forces" in properties:
            self.results["forces"] = found.forces * (ANGSTROM / EV)
        if "charges" in properties:
            self.results["charges"] = found.charges
        if "dipole" in properties:
            self.results["dipole"] = found.dipole / ANGSTROM

    def _solve(self, configuration: Configuration) -> Solution:
        last, self.solution = self.solution, None
        same = last is not None and last.configuration.species == configuration.species
        found = self.subject.solve(configuration, last if self.warm and same else None)
        if not found.converged:
            raise ConvergenceError(f"the SCF did not converge in {found.iterations} iterations")
        return found
