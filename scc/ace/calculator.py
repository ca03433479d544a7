"""ASE calculator: energy, forces, dipole and charges of a fitted model, at self-consistency.

Units of ASE: eV, eV/Å, e, e·Å. Each geometry starts from the features of the last one; the
stability of the solution is looked at where there is no last one.
"""

# mypy: disable-error-code="no-untyped-call, misc"
# (ASE is only partly typed.)

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar

import ase
import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from scc.ace.predict import TOLERANCE, Prediction, PredictiveModel, predict
from scc.ace.reference_frame import water_molecules
from scc.ace.registry import fitted_model
from scc.configuration import from_ase
from scc.errors import ConvergenceError, InputError
from scc.units import ANGSTROM, EV


class SCCCalculator(Calculator):
    """``atoms.calc = SCCCalculator()``.

    ``prediction`` is the last :class:`~scc.ace.predict.Prediction`: multipoles, polarisability,
    status, spectrum.

    Parameters
    ----------
    model:
        A fitted model, its name or its file; the one that ships is ``water``.
    tolerance:
        Largest |ρ_out − ρ_in| at convergence, e·bohr^λ.

    Raises
    ------
    InputError
        In ``calculate``: something else than water molecules, a net charge (``initial_charges`` or
        ``info["charge"]``), magnetic moments, the dipole of a periodic system.
    ConvergenceError
        There is no self-consistent solution, or it is unstable; the line says which.
    """

    implemented_properties: ClassVar[list[str]] = [
        "energy",
        "free_energy",
        "forces",
        "dipole",
        "charges",
    ]

    def __init__(
        self,
        model: PredictiveModel | str | os.PathLike[str] = "water",
        tolerance: float = TOLERANCE,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.model: PredictiveModel
        if isinstance(model, str | os.PathLike):
            self.model = fitted_model(os.fspath(model))
        else:
            self.model = model
        self.tolerance = tolerance
        self.prediction: Prediction | None = None

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
        if system_changes or self.prediction is None:
            self.results = {}
            self.prediction = self._solve(self.atoms, self.prediction)
        found = self.prediction
        if "forces" in properties:
            self.results["forces"] = found.forces * (ANGSTROM / EV)
        energy = found.energy / EV
        self.results |= {"energy": energy, "free_energy": energy, "charges": found.charges}
        if "dipole" in properties or not any(self.atoms.pbc):
            self.results["dipole"] = found.dipole / ANGSTROM

    def _solve(self, atoms: ase.Atoms, last: Prediction | None) -> Prediction:
        self.prediction = None
        _check_neutral(atoms)
        configuration = from_ase(atoms)
        water_molecules(configuration)
        start = None
        if last is not None:
            before = last.equilibrium.functional.configuration
            start = last.features if before.species == configuration.species else None
        found = predict(self.model, configuration, features=start, tolerance=self.tolerance)
        found.equilibrium.require_converged()
        if start is None and not found.stable:
            raise ConvergenceError(
                "the self-consistent solution is unstable: smallest real part of the spectrum of "
                f"1 - K chi {found.equilibrium.smallest_real:.4g}"
            )
        return found


def _check_neutral(atoms: ase.Atoms) -> None:
    charge = float(np.sum(atoms.get_initial_charges()))
    if charge == 0.0:
        charge = float(atoms.info.get("charge", 0.0))
    if abs(charge) > 1e-8:
        raise InputError(f"net charge {charge:g}; the model is for neutral systems")
    if np.any(atoms.get_initial_magnetic_moments()):
        raise InputError("magnetic moments are given; the model knows no spin")
