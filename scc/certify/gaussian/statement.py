"""The input of a Gaussian certificate: geometry, shells, nuclei, temperature, ensemble."""

from __future__ import annotations

import math
from typing import Any

from scc.basis.shells import BasisSet
from scc.certify.decimals import exact
from scc.electrostatics.pair_density import PairDensityCoulomb
from scc.equilibration.equilibrium import Equilibrium
from scc.errors import InputError
from scc.models.gaussian import GaussianAssembly
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.ensemble import Canonical

NORM = "Hilbert-Schmidt norm of S^(-1/2) A S^(-1/2), Hartree"

CONVENTIONS = [
    "Hartree atomic units; every decimal of the input and of a centre is an exact number.",
    "An enclosure [m, r] states |x - m| <= r.",
    "Orbitals: R_lm(x) sum_k c_k exp(-a_k x^2) about the atom, real solid harmonics m = -l..l "
    "(p: y, z, x), numbered by atom, shell, m; 'coefficients' multiply normalised primitives and "
    "the sum is scaled to unit norm. Nuclei: points, or Z (a/pi)^(3/2) exp(-a x^2).",
    "The unknown is V_ab = integral of phi_a phi_b V, symmetric, listed by rows of the triangle "
    "a >= b. H = S^(-1/2) (T + V) S^(-1/2), T_ab = 1/2 integral of grad phi_a . grad phi_b; "
    "overlap 'orthonormal': S counts as 1. D = 2 S^(-1/2) F(H) S^(-1/2); the equation is "
    "V = V_nuc + J[D], J[D]_ab = sum (ab|cd) D_cd. No exchange-correlation.",
    "F(x) = 1/(1 + exp(beta (x-mu))); at beta = inf the lowest levels are occupied. Canonical: mu "
    "such that 2 Tr F(H) = electrons.",
    "Energy: Tr (T + V_nuc) D + Tr J[D] D / 2 + nuclear repulsion + 2 Tr (G - x F)(H), G' = F, "
    "G(-inf) = x - mu; plus mu N in the canonical ensemble. Charges: Z - 2 sum F(H)_aa over the "
    "orbitals of an atom. Forces: minus the derivative of the energy by positions. Gap: between "
    "the two levels next to mu.",
    "Uniqueness radius inf: no other symmetric V solves the equation, D being any ground-state "
    "density matrix of T + V. (The energy is convex in D, V = V_nuc + J[D] increasing.)",
    "Constants: 'inverse' bounds the norm of (1 - K chi0)^(-1) at the centre, 'coulomb' that of "
    "K: F -> 2 J[F], 'screened' their product, 'slope' and 'curvature' the first and second "
    "derivative of H -> F(H), all between Hilbert-Schmidt norms; the last two within the existence "
    "radius. 'newton_step' bounds (1 - K chi0)^(-1) (V - V_nuc - J[D]) at the centre.",
    "Polynomial: G_N = sum_k c_k T_k((2x - a - b)/(b - a)) on the interval [a, b], F_N = G_N', "
    "in place of G and F, grand-canonical. The coefficients define it; its chemical_potential, a "
    "remark nobody verifies, only says which G they interpolate.",
]


def gaussian_assembly(equilibrium: Equilibrium) -> GaussianAssembly:
    """The assembly behind an equilibrium. Raises InputError for what certificates do not cover."""
    functional = equilibrium.functional
    model = functional.model
    assert isinstance(model, BoundTightBinding)
    assert isinstance(model.assembly, GaussianAssembly)
    assembly = model.assembly
    if any(shell.angular_momentum > 1 for shells in assembly.basis.shells for shell in shells):
        raise InputError("certificates cover s and p orbitals, not l > 1")
    if not assembly.complete:
        raise InputError("certificates cover the complete potential, not an expansion in features")
    if len(functional.terms) != 1 or not isinstance(functional.terms[0], PairDensityCoulomb):
        names = ", ".join(type(term).__name__ for term in functional.terms)
        raise InputError(f"certificates cover electrostatics as the only density term, not {names}")
    return assembly


def statement(equilibrium: Equilibrium) -> dict[str, Any]:
    """The ``input`` of the document. Raises InputError as :func:`gaussian_assembly`."""
    assembly = gaussian_assembly(equilibrium)
    functional, ensemble = equilibrium.functional, equilibrium.functional.ensemble
    if isinstance(ensemble, Canonical):
        stated = {"kind": "canonical", "electrons": exact(ensemble.electrons)}
    else:
        mu = exact(ensemble.chemical_potential)
        stated = {"kind": "grand-canonical", "chemical_potential": mu}
    exponent = assembly.nuclear_exponent
    return {
        "model": "gaussian",
        "species": list(assembly.configuration.species),
        "positions": [[exact(x) for x in position] for position in assembly.basis.positions],
        "beta": "inf" if math.isinf(functional.beta) else exact(functional.beta),
        "ensemble": stated,
        "parameters": {
            "overlap": "orthonormal" if assembly.loewdin is None else "loewdin",
            "nuclear_charges": [exact(charge) for charge in assembly.nuclear_charges],
            "nuclear_exponent": None if exponent is None else exact(exponent),
            **_shells(assembly.basis),
        },
    }


def _shells(basis: BasisSet) -> dict[str, Any]:
    """Every set of shells once, and which one each atom has."""
    distinct: list[Any] = []
    of_atom = []
    for shells in basis.shells:
        if shells not in distinct:
            distinct.append(shells)
        of_atom.append(distinct.index(shells))
    written = [
        [
            {
                "angular_momentum": shell.angular_momentum,
                "exponents": [exact(a) for a in shell.exponents],
                "coefficients": [exact(c) for c in shell.coefficients],
            }
            for shell in shells
        ]
        for shells in distinct
    ]
    return {"shells": written, "shells_of_atom": of_atom}
