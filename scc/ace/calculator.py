"""ASE calculator: energy, forces, dipole and charges of a fitted model, at self-consistency.

Units of ASE: eV, eV/Å, e, e·Å. Each geometry starts from the features of the last one; the
stability of the solution is looked at where there is no last one.
"""

# mypy: disable-error-code="no-untyped-call, misc"
# (ASE is only partly typed.)

from __future__ import annotations

import os
from typing import Any

import ase

from scc.ace.predict import TOLERANCE, Prediction, PredictiveModel, predict
from scc.ace.reference_frame import water_molecules
from scc.ace.registry import fitted_model
from scc.configuration import from_ase
from scc.configuration.calculator import SolvingCalculator, charge_of
from scc.errors import ConvergenceError, InputError


class SCCCalculator(SolvingCalculator[Prediction]):
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

    @property
    def prediction(self) -> Prediction | None:
        """The last solution; None before the first, and after a failure."""
        return self.solution

    def solve(self, atoms: ase.Atoms, last: Prediction | None) -> Prediction:
        """Raises as the class says."""
        if abs(charge := charge_of(atoms)) > 1e-8:
            raise InputError(f"net charge {charge:g}; the model is for neutral systems")
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
