"""The input of an on-site certificate: geometry, H⁰, J, temperature and ensemble as decimals."""

from __future__ import annotations

import math
from typing import Any

from scc.certify.decimals import exact
from scc.certify.onsite_conventions import FORMULAS
from scc.electrostatics.gaussian_charges import GaussianChargeCoulomb
from scc.equilibration.equilibrium import Equilibrium
from scc.errors import InputError
from scc.models.extended_huckel import ExtendedHuckel
from scc.models.hopping import ExponentialHopping, NearestNeighbourHopping
from scc.models.model_systems import ModelSystem
from scc.models.onsite import OnsiteAssembly
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.ensemble import Canonical


def statement(equilibrium: Equilibrium) -> dict[str, Any]:
    """The ``input`` of the document.

    Raises InputError for what certificates do not cover: periodic cells, density terms other than
    Gaussian charges, hopping functions they do not know.
    """
    functional = equilibrium.functional
    model = functional.model
    assert isinstance(model, BoundTightBinding)
    assert isinstance(model.assembly, OnsiteAssembly)
    configuration = model.configuration
    if any(configuration.periodic):
        raise InputError("certificates cover open systems, not periodic cells")
    if len(functional.terms) != 1 or not isinstance(functional.terms[0], GaussianChargeCoulomb):
        names = ", ".join(type(term).__name__ for term in functional.terms)
        raise InputError(
            f"certificates cover Gaussian charges as the only density term, not {names}"
        )
    coulomb = functional.terms[0]
    ensemble = functional.ensemble
    if isinstance(ensemble, Canonical):
        stated = {"kind": "canonical", "electrons": exact(ensemble.electrons)}
    else:
        mu = exact(ensemble.chemical_potential)
        stated = {"kind": "grand-canonical", "chemical_potential": mu}
    parameters = model.assembly.parameters
    return {
        "model": "onsite",
        "species": list(configuration.species),
        "positions": [[exact(x) for x in position] for position in configuration.positions],
        "beta": "inf" if math.isinf(functional.beta) else exact(functional.beta),
        "ensemble": stated,
        "parameters": {
            "widths": [exact(width) for width in coulomb.widths],
            "nuclear_charges": [exact(charge) for charge in coulomb.nuclear_charges],
            "hamiltonian": _hamiltonian(parameters, configuration),
        },
    }


def _hamiltonian(parameters: Any, configuration: Any) -> dict[str, Any]:
    if isinstance(parameters, ModelSystem):
        levels = [exact(level) for level in parameters.onsite_energies(configuration)]
        return {"kind": "s orbitals", "levels": levels, "hopping": _hopping(parameters.hopping)}
    if isinstance(parameters, ExtendedHuckel):
        return _shells(parameters, configuration)
    raise InputError(f"certificates do not cover the parameters {type(parameters).__name__}")


def _shells(parameters: ExtendedHuckel, configuration: Any) -> dict[str, Any]:
    table = parameters.table
    used = dict(zip(configuration.species, table.of(configuration), strict=True))
    elements = {}
    for name, element in used.items():
        shells = []
        for shell, level in zip(element.shells, element.levels, strict=True):
            exponents, coefficients = shell.primitives()
            shells.append(
                {
                    "l": shell.l,
                    "level": exact(level),
                    "exponents": [exact(x) for x in exponents],
                    "coefficients": [exact(x) for x in coefficients],
                }
            )
        elements[name] = {
            "shells": shells,
            "repulsion_charge": exact(element.repulsion_charge),
            "repulsion_alpha": exact(element.repulsion_alpha),
        }
    constants = table.wolfsberg_helmholz
    return {
        "kind": "slater shells",
        "formula": FORMULAS["slater shells"],
        "elements": elements,
        "wolfsberg_helmholz": {
            "ss": exact(constants[0, 0]),
            "sp": exact(constants[0, 1]),
            "pp": exact(constants[1, 1]),
        },
        "repulsion_distance_exponent": exact(table.repulsion_distance_exponent),
        "switch": [exact(end) for end in parameters.switch],
    }


def _hopping(hopping: Any) -> dict[str, Any]:
    if isinstance(hopping, ExponentialHopping):
        return {
            "kind": "exponential",
            "formula": FORMULAS["exponential"],
            "prefactor": exact(hopping.prefactor),
            "decay": exact(hopping.decay),
            "reference": exact(hopping.reference),
            "switch": [exact(end) for end in hopping.switch],
        }
    if isinstance(hopping, NearestNeighbourHopping):
        return {
            "kind": "constant",
            "formula": FORMULAS["constant"],
            "t": exact(hopping.t),
            "cutoff": exact(hopping.cutoff),
        }
    raise InputError(f"certificates do not cover the hopping {type(hopping).__name__}")
