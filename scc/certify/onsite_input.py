"""The input of an on-site certificate: geometry, H⁰, J, temperature and ensemble as decimals."""

from __future__ import annotations

import math
from typing import Any

from scc.certify.decimals import exact
from scc.electrostatics.gaussian_charges import GaussianChargeCoulomb
from scc.equilibration.equilibrium import Equilibrium
from scc.errors import InputError
from scc.models.extended_huckel import ExtendedHuckel
from scc.models.hopping import ExponentialHopping, NearestNeighbourHopping
from scc.models.model_systems import ModelSystem
from scc.models.onsite import OnsiteAssembly
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.ensemble import Canonical

CONVENTIONS = [
    "Hartree atomic units; every decimal of the input and of a centre is an exact number.",
    "An enclosure [m, r] states |x - m| <= r.",
    "H = H0 + diag(v) with v_l on every orbital of atom l; populations p_l = 2 sum F(H)_aa over "
    "the orbitals of l; T(v) = 0 is v = J (p - Z), J_lk = erf(r/sqrt(2 s_l^2 + 2 s_k^2))/r.",
    "H0: 'levels' on the diagonal, 'hopping' between atoms; a switch [a, b] multiplies by "
    "1/(1 + exp(1/(1-x) - 1/x)), x = (r-a)/(b-a): 1 below a, 0 above b.",
    "F(x) = 1/(1 + exp(beta (x-mu))); at beta = inf the lowest levels are occupied. Canonical: mu "
    "such that 2 Tr F(H) = electrons.",
    "Energy: 2 Tr G(H) - sum v p + (p-Z) J (p-Z)/2 - sum_l Z_l^2 J_ll/2 + repulsion, G' = F, "
    "G(-inf) = x - mu; plus mu N in the canonical ensemble. Charges Z - p. Forces: minus the "
    "derivative of the energy by positions. Gap: between the two levels next to mu.",
    "existence_radius: Euclidean norm of v - centre. uniqueness_radius: maximum norm; inf: no "
    "other solution at all (at beta = inf: none with a gap).",
    "Polynomial: G_N = sum_k c_k T_k((2x - a - b)/(b - a)) on the interval [a, b], F_N = G_N', "
    "in place of G and F, without mu N; its gap is above the levels_below_gap lowest levels.",
]


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
        "formula": "H0_ab = (K - 1) (level_a + level_b)/2 S_ab switch(r), S_ab the overlap of "
        "sum_i c_i (1, or y, z, x) exp(-e_i r^2); repulsion of a pair Y Y'/r "
        "exp(-sqrt(alpha alpha') r^k) switch(r)",
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
            "formula": "prefactor exp(-decay (r - reference)) switch(r)",
            "prefactor": exact(hopping.prefactor),
            "decay": exact(hopping.decay),
            "reference": exact(hopping.reference),
            "switch": [exact(end) for end in hopping.switch],
        }
    if isinstance(hopping, NearestNeighbourHopping):
        return {
            "kind": "constant",
            "formula": "-t for r < cutoff, else 0",
            "t": exact(hopping.t),
            "cutoff": exact(hopping.cutoff),
        }
    raise InputError(f"certificates do not cover the hopping {type(hopping).__name__}")
