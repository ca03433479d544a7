"""GFN2-xTB and GFN1-xTB through tblite, with the view into the SCF that its Python side allows.

GFN2-xTB: C. Bannwarth, S. Ehlert, S. Grimme, J. Chem. Theory Comput. 15 (2019) 1652. GFN1-xTB:
S. Grimme, C. Bannwarth, P. Shushkov, J. Chem. Theory Comput. 13 (2017) 1989. Iterations and
residuals are read from the table that tblite logs; a start from given charges goes through its
restart file, the only door to its wave function.
"""

# mypy: disable-error-code="no-untyped-call, attr-defined"
# (tblite is only partly typed.)

from __future__ import annotations

import io
import math
import re
import tempfile
import zipfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from tblite import library
from tblite.exceptions import TBLiteRuntimeError
from tblite.interface import Calculator, Result

from scc.adapters.solution import Solution, Start, require_open, restart_of, unsolved
from scc.adapters.surroundings import VACUUM, Surroundings
from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError

_METHODS = ("GFN2-xTB", "GFN1-xTB")
_LARGEST_NUMBER = 86
_CYCLE = re.compile(r"^\s*(\d+)((?:\s+[-+]?\d+\.\d+(?:E[-+]\d+)?){3})\s*$")
# tblite's threshold for the change of charges and moments is this times ``accuracy``.
_THRESHOLD = 2e-5


class TBLiteSubject:
    """GFN2-xTB or GFN1-xTB. Spin-restricted, open boundaries.

    Parameters
    ----------
    method
        ``GFN2-xTB`` or ``GFN1-xTB``.
    name
        By which it is called in tables; the method's by default.
    threshold
        tblite's ``accuracy``: 1 is its own default, residual 2e-5 in charges and moments.
    max_iterations, temperature
        tblite's own by default: 250, and 9.5e-4 Hartree (300 K). Energies are free energies.
    total_charge
        e.
    largest
        Atoms up to which a solution takes about a second on one core.

    Raises InputError for another method, or numbers that cannot be.
    """

    def __init__(
        self,
        method: str = "GFN2-xTB",
        *,
        name: str | None = None,
        threshold: float = 0.01,
        max_iterations: int = 250,
        temperature: float = 9.5e-4,
        total_charge: float = 0.0,
        largest: int = 120,
    ) -> None:
        if method not in _METHODS:
            raise InputError(f"no method {method!r} in tblite; known: {', '.join(_METHODS)}")
        for label, value in (("threshold", threshold), ("temperature", temperature)):
            if not (math.isfinite(value) and value > 0.0):
                raise InputError(f"{label} must be positive and finite, got {value}")
        if max_iterations < 1:
            raise InputError(f"max_iterations must be at least 1, got {max_iterations}")
        self.method = method
        self.name = name if name is not None else method
        self.threshold = threshold
        self.max_iterations = max_iterations
        self.temperature = temperature
        self.total_charge = total_charge
        self.largest = largest
        self.elements: frozenset[str] | None = frozenset(chemical_symbols[1 : _LARGEST_NUMBER + 1])
        # A residual of r leaves an error of about |(1 − Kχ)⁻¹| r.
        self.accuracy = 50.0 * _THRESHOLD * threshold
        self.energy_accuracy = 1e-6 * threshold  # tblite's threshold for the change of energy

    def solve(
        self,
        configuration: Configuration,
        initial: Start = None,
        surroundings: Surroundings = VACUUM,
    ) -> Solution:
        """Solve; ``initial`` may also be net atomic charges (M,), or those of shells.

        Raises:
            InputError: periodic, unknown element, ``initial`` of other atoms or another shape.
            NotImplementedError: point charges, which tblite's Python side does not take.
        """
        if len(surroundings.charges):
            raise NotImplementedError("the Python side of tblite takes no point charges")
        numbers = self._numbers(configuration)
        told: list[float] = []
        calculator = Calculator(
            self.method,
            numbers,
            configuration.positions,
            charge=self.total_charge,
            color=False,
            logger=partial(_listen, told),
        )
        calculator.set("verbosity", 1)
        calculator.set("accuracy", self.threshold)
        calculator.set("temperature", self.temperature)
        if surroundings.uniform:
            # Passed on to C as it is.
            vector = library.ffi.new("double[]", surroundings.field.tolist())
            calculator.add("electric-field", vector)
        start = self._start(calculator, configuration, initial)
        calculator.set("max-iter", self.max_iterations)
        told.clear()
        try:
            found = calculator.singlepoint(start)
        except TBLiteRuntimeError as error:
            if not told and start is None:
                raise InputError(f"tblite refuses the structure: {_one_line(error)}") from error
            # Out of cycles, or so far out that its eigensolver gives up.
            return unsolved(configuration, told)
        return Solution(
            configuration,
            True,
            told,
            len(told),
            float(found.get("energy")),
            found,
            partial(_read, found),
        )

    def require(self, configuration: Configuration) -> None:
        """What the battery asks of given structures: electrons in pairs.

        ``solve`` takes radicals, too, and fills an orbital by half.

        Raises InputError for an odd number of electrons, and as :meth:`solve`.
        """
        numbers = self._numbers(configuration)
        # Lanthanides keep their 4f electrons in the core and have three others, whatever Z.
        counted = np.where((numbers >= 57) & (numbers <= 71), 3, numbers)
        if (np.sum(counted) - self.total_charge) % 2 == 1:
            raise InputError(
                f"{self.name} is spin-restricted here: an odd number of electrons is no pairs"
            )

    def _numbers(self, configuration: Configuration) -> Any:
        require_open(configuration, "tblite")
        numbers = np.array([atomic_numbers[symbol] for symbol in configuration.species])
        for atom, number in enumerate(numbers):
            if not 1 <= number <= _LARGEST_NUMBER:
                raise InputError(
                    f"atom {atom}: {self.method} has no element {configuration.species[atom]}"
                )
        return numbers

    def _start(
        self, calculator: Calculator, configuration: Configuration, initial: Start
    ) -> Result | None:
        """tblite's restart object, a copy: it is written to."""
        if initial is None:
            return None
        if isinstance(initial, Solution):
            return Result(restart_of(initial, configuration))
        shells = np.asarray(calculator.get("shell-map"), dtype=int)
        if isinstance(initial, np.random.Generator):
            charges = initial.normal(scale=0.3, size=len(shells))
            charges += (self.total_charge - np.sum(charges)) / len(charges)
        else:
            charges = _on_shells(np.asarray(initial, dtype=np.float64), shells)
        return _with_charges(calculator, charges)


def _listen(told: list[float], message: str) -> None:
    """Residual of the density, the last column of the table of cycles."""
    for line in message.splitlines():
        row = _CYCLE.match(line)
        if row:
            told.append(float(row.group(2).split()[-1]))


def _on_shells(charges: FloatArray, shells: Any) -> FloatArray:
    """Charges of shells; those of atoms are divided evenly."""
    atoms = int(np.max(shells)) + 1
    if charges.shape not in ((atoms,), (len(shells),)):
        raise InputError(
            f"initial charges of shape {charges.shape}: there are {atoms} atoms and "
            f"{len(shells)} shells"
        )
    if not np.all(np.isfinite(charges)):
        raise InputError("initial charges are not finite")
    if charges.shape == (len(shells),):
        return charges
    return np.asarray(charges[shells] / np.bincount(shells)[shells])


def _with_charges(calculator: Calculator, charges: FloatArray) -> Result:
    """A restart object with these shell charges and no atomic dipoles or quadrupoles."""
    # One cycle, which cannot converge, leaves a wave function of the right shape behind.
    template = Result()
    calculator.set("max-iter", 1)
    with suppress(TBLiteRuntimeError):
        calculator.singlepoint(template)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "start.npz")
        template.save(path)
        with np.load(path) as stored:
            state = {key: stored[key] for key in stored}
        shells = np.asarray(calculator.get("shell-map"), dtype=int)
        for key, value in state.items():
            quantity = key.split("_", 1)[-1]
            if quantity == "qsh":
                value[:, 0] = charges
            elif quantity == "qat":
                value[:, 0] = np.bincount(shells, weights=charges, minlength=len(value))
            elif quantity in ("dpat", "qpat"):
                value[:] = 0.0
        _save(path, state)
        result = Result()
        result.load(path)
    return result


def _save(path: str, arrays: dict[str, Any]) -> None:
    """An npz file as tblite reads it: columns first, checksums in front of each array.

    NumPy's ``savez`` writes vectors rows first, and leaves checksums to the end of the file.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            header = {"descr": array.dtype.str, "fortran_order": True, "shape": array.shape}
            np.lib.format.write_array_header_1_0(content, header)
            content.write(array.tobytes(order="F"))
            archive.writestr(f"{name}.npy", content.getvalue())


def _read(found: Result, name: str) -> FloatArray:
    value: FloatArray = found.get("gradient" if name == "forces" else name)
    return -value if name == "forces" else value


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
