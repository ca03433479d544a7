"""Any ASE calculator as a subject: energy, forces, charges, whatever it implements.

Å, eV, eV/Å at its border. How it gets to self-consistency stays inside it: no iterations, no start,
no stability. A calculation that raises is one that did not converge.
"""

# mypy: disable-error-code="no-untyped-call"
# (ASE is only partly typed.)

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.calculators.calculator import CalculatorSetupError, PropertyNotImplementedError

from scc.arrays import FloatArray
from scc.battery.subject import Start
from scc.configuration import Configuration
from scc.configuration.files import to_ase
from scc.errors import InputError
from scc.units import ANGSTROM, EV

ACCURACY = 1e-7
"""e and Hartree: what calculators with default thresholds keep. Give a better one if it has."""


@dataclass(frozen=True, eq=False)
class CalculatedSolution:
    """Results of a calculator in atomic units; those it lacks raise NotImplementedError."""

    converged: bool
    results: dict[str, Any]
    failures: dict[str, str]
    iterations: int | None = None

    @property
    def energy(self) -> float:
        """Hartree."""
        return float(self.results["energy"]) * EV

    @property
    def forces(self) -> FloatArray:
        """(M, 3), Hartree/bohr."""
        return self._array("forces") * (EV / ANGSTROM)

    @property
    def charges(self) -> FloatArray:
        """(M,), e."""
        return self._array("charges")

    def _array(self, name: str) -> FloatArray:
        if name not in self.results:
            why = self.failures.get(name, "it does not implement them")
            raise NotImplementedError(f"the calculator has no {name}: {why}")
        return np.asarray(self.results[name], dtype=np.float64)


class CalculatorSubject:
    """An ASE calculator.

    Args:
        calculator: an instance.
        accuracy: see :class:`scc.battery.subject.Subject`.
    """

    elements = None
    total_charge = 0.0

    def __init__(
        self,
        calculator: Any,
        name: str | None = None,
        accuracy: float = ACCURACY,
        largest: int = 40,
    ) -> None:
        self.calculator, self.largest = calculator, largest
        self.accuracy = self.energy_accuracy = accuracy
        self.name = name or str(getattr(calculator, "name", type(calculator).__name__)).lower()

    def solve(self, configuration: Configuration, initial: Start = None) -> CalculatedSolution:
        """One calculation from scratch.

        Raises InputError where the calculator refuses the structure as such.
        """
        if initial is not None:
            raise NotImplementedError("a calculator does not say where it starts")
        calculator, atoms = self.calculator, to_ase(configuration)
        calculator.reset()
        results: dict[str, Any] = {}
        failures: dict[str, str] = {}
        for name in ("energy", "forces", "charges"):
            if name not in calculator.implemented_properties:
                continue
            try:
                results[name] = np.array(calculator.get_property(name, atoms))
            except (InputError, CalculatorSetupError) as error:
                raise InputError(str(error)) from None
            except (PropertyNotImplementedError, NotImplementedError):
                continue
            except Exception as error:  # every code's own way to say that it did not converge
                failures[name] = f"{type(error).__name__}: {error}"
                if name == "energy":
                    break
        return CalculatedSolution("energy" in results, results, failures)
