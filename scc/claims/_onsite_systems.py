"""On-site systems that the locality claims are tried on, from plain parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from scc.claims._local_derivatives import Case
from scc.configuration import Configuration, chain, cluster
from scc.equilibration.equilibrate import equilibrate
from scc.equilibration.equilibrium import Equilibrium
from scc.functional.energy import EnergyFunctional
from scc.models.model_systems import model_b, nearest_neighbour_chain
from scc.models.onsite import OnsiteTightBinding
from scc.models.tight_binding import BoundTightBinding, TightBindingState
from scc.occupations.ensemble import Ensemble
from scc.occupations.fermi_dirac import FermiDirac

SPECIES = ("Na", "Cl")


def grand_canonical_state(
    model: BoundTightBinding, features: Any, beta: float, mu: float
) -> TightBindingState:
    """The state at (v̂, β, µ)."""
    state = model.evaluate(features, FermiDirac(beta, mu))
    assert isinstance(state, TightBindingState)
    return state


def hopping_chain(
    atoms: int, beta: float, mu: float, gap: float = 0.0, periodic: bool = False
) -> Case:
    """Chain with hopping −1 between nearest neighbours at distance 1 and levels ∓gap/2, v̂ = 0."""
    species = SPECIES if gap else SPECIES[0]
    configuration = chain(atoms, 1.0, species, periodic=periodic)
    model = OnsiteTightBinding(nearest_neighbour_chain(gap=gap)).prepare(configuration)
    state = grand_canonical_state(model, np.zeros(atoms), beta, mu)
    return Case(model, state, 1)


def model_b_chain(
    atoms: int, spacings: tuple[float, float], gap: float, charges: tuple[float, float]
) -> BoundTightBinding:
    """Model B on a chain of alternating spacings and species, levels ∓gap/2."""
    configuration = chain(atoms, spacings, SPECIES)
    return OnsiteTightBinding(model_b(gap, charges)).prepare(configuration)


def equilibrium(
    model: BoundTightBinding, beta: float, ensemble: Ensemble | None = None
) -> Equilibrium:
    """v̂* of the model with its own electrostatics; ConvergenceError if there is none."""
    return equilibrate(EnergyFunctional(model, beta=beta, ensemble=ensemble), throw=True)


def model_b_case(p: Mapping[str, Any]) -> Case:
    """Model B chain at its equilibrium v̂*, from then on held fixed, and µ = its Fermi level.

    Parameters: atoms, spacings, gap, charges, beta.
    """
    model = model_b_chain(p["atoms"], tuple(p["spacings"]), p["gap"], tuple(p["charges"]))
    beta = float(p["beta"])
    found = equilibrium(model, beta)
    return Case(model, grand_canonical_state(model, found.features, beta, found.fermi_level), 1)


def random_case(p: Mapping[str, Any]) -> Case:
    """Model B on a random configuration with random v̂, half filled.

    Parameters: dimension (1: jittered chain, 2 and 3: random cluster), atoms, spacing (smallest
    distance in bohr; 1D: mean), gap (levels ∓gap/2 of the two halves of the atoms), beta,
    disorder (v̂ uniform in ±disorder, Hartree), seed. µ is midway between the levels of half
    filling, which at β = ∞ is the middle of the gap.
    """
    rng = np.random.default_rng(p["seed"])
    configuration = random_configuration(p["dimension"], p["atoms"], p["spacing"], rng)
    model = OnsiteTightBinding(model_b(p["gap"])).prepare(configuration)
    features = p["disorder"] * rng.uniform(-1.0, 1.0, len(configuration))
    return half_filled_case(model, features, float(p["beta"]), p["dimension"])


def random_configuration(
    dimension: int, atoms: int, spacing: float, rng: np.random.Generator
) -> Configuration:
    """Jittered chain (1D), or random cluster (2D, 3D), of two species in equal numbers."""
    if dimension == 1:
        return chain(atoms, spacing, SPECIES, jitter=0.3 * spacing, rng=rng)
    flat_or_not: Literal[2, 3] = 2 if dimension == 2 else 3
    return cluster(atoms, spacing, rng, dimension=flat_or_not, species=SPECIES)


def half_filled_case(model: BoundTightBinding, features: Any, beta: float, dimension: int) -> Case:
    """The state at v̂ with µ midway between the two levels about half filling."""
    levels = np.linalg.eigvalsh(model.hamiltonian(features))
    occupied = (len(levels) + 1) // 2
    mu = 0.5 * float(levels[occupied - 1] + levels[occupied])
    return Case(model, grand_canonical_state(model, features, beta, mu), dimension)
