"""Any adapter as an ASE calculator: energy, forces, charges, dipole in ASE's units.

eV, eV/Å, e, e·Å. Each geometry starts from the solution of the last one of the same atoms.
"""

# mypy: disable-error-code="no-untyped-call, misc"
# (ASE is only partly typed.)

from __future__ import annotations

from typing import Any, Protocol

import ase

from scc.adapters.registry import subject_by_name
from scc.adapters.solution import Solution, Start
from scc.configuration import Configuration, from_ase
from scc.configuration.calculator import SolvingCalculator, charge_of
from scc.errors import ConvergenceError, InputError


class Solver(Protocol):
    """What is asked of a code: ``solve``, and the net charge (e) it is set to."""

    @property
    def total_charge(self) -> float: ...

    def solve(self, configuration: Configuration, initial: Start = None) -> Solution: ...


class AdapterCalculator(SolvingCalculator[Solution]):
    """``atoms.calc = AdapterCalculator("gfn2")``.

    ``subject``: an adapter, or its name in :mod:`scc.adapters.registry`. ``solution`` is the last
    one. ``warm`` = False starts each geometry anew. The net charge is that of ``subject``.

    Raises InputError for structures the code cannot treat, atoms that declare another net charge
    or magnetic moments; ConvergenceError where its SCF gave up.
    """

    def __init__(self, subject: Solver | str, warm: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.subject: Solver = subject_by_name(subject) if isinstance(subject, str) else subject
        self.warm = warm

    def solve(self, atoms: ase.Atoms, last: Solution | None) -> Solution:
        """Raises as the class says."""
        own = self.subject.total_charge
        if abs((charge := charge_of(atoms) or own) - own) > 1e-8:
            raise InputError(f"net charge {charge:g} of the atoms: the code is set to {own:g}")
        configuration = from_ase(atoms)
        same = last is not None and last.configuration.species == configuration.species
        found = self.subject.solve(configuration, last if self.warm and same else None)
        if not found.converged:
            raise ConvergenceError(f"the SCF did not converge in {found.iterations} iterations")
        return found
