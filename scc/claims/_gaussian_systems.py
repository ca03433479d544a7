"""Gaussian-orbital systems that the locality claims are tried on, from plain parameters.

Model A: one normalised s orbital e^{−α|x|²} an atom, nuclei ∝ e^{−2|x|²}, one potential function
Ξ = e^{−0.4|x|²} an atom (or, with ``complete``, v̂ = ∫φφV itself, (2.26)), ε_xc = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from scc.basis.shells import single_gaussian
from scc.basis.three_centre import PotentialFunction
from scc.claims._local_derivatives import Case
from scc.claims._onsite_systems import (
    SPECIES,
    equilibrium,
    grand_canonical_state,
    half_filled_case,
    random_configuration,
)
from scc.configuration import Configuration, chain
from scc.models.gaussian import GaussianTightBinding, OverlapMode
from scc.models.tight_binding import BoundTightBinding
from scc.occupations.ensemble import Canonical

FEATURE = PotentialFunction(0, 0.4)
NUCLEAR_EXPONENT = 2.0


def model_a(
    configuration: Configuration,
    exponent: float,
    charges: tuple[float, float] = (1.0, 1.0),
    overlap: OverlapMode = "loewdin",
    complete: bool = False,
) -> BoundTightBinding:
    """Model A at a configuration of the two species Na and Cl with nuclear ``charges``."""
    model = GaussianTightBinding(
        partial(single_gaussian, exponent=exponent),
        features=None if complete else (FEATURE,),
        overlap=overlap,
        nuclear_charges=dict(zip(SPECIES, charges, strict=True)),
        nuclear_exponent=NUCLEAR_EXPONENT,
    )
    return model.prepare(configuration)


def model_a_chain(p: Mapping[str, Any], complete: bool = False) -> BoundTightBinding:
    """Model A chain. Parameters: atoms, spacings, exponent, charges, overlap."""
    configuration = chain(p["atoms"], tuple(p["spacings"]), SPECIES)
    return model_a(configuration, p["exponent"], tuple(p["charges"]), p["overlap"], complete)


def model_a_case(p: Mapping[str, Any]) -> Case:
    """Model A chain at its equilibrium v̂*, from then on held fixed, and µ = its Fermi level.

    Parameters: those of :func:`model_a_chain`, beta.
    """
    model = model_a_chain(p)
    beta = float(p["beta"])
    # Half filled, one orbital an atom. (A sum of decimal charges may miss an even number by 1e-14.)
    found = equilibrium(model, beta, Canonical(float(p["atoms"])))
    return Case(model, grand_canonical_state(model, found.features, beta, found.fermi_level), 1)


def random_gaussian_case(p: Mapping[str, Any]) -> Case:
    """Model A on a random configuration with random v̂, half filled.

    Parameters: dimension, atoms, spacing, exponent, overlap, beta, seed; contrast and disorder:
    v̂ = ∓contrast/2 on the two species plus uniform in ±disorder, Hartree.
    """
    rng = np.random.default_rng(p["seed"])
    configuration = random_configuration(p["dimension"], p["atoms"], p["spacing"], rng)
    model = model_a(configuration, p["exponent"], overlap=p["overlap"])
    first = np.array([symbol == SPECIES[0] for symbol in configuration.species])
    features = np.where(first, -0.5, 0.5) * p["contrast"]
    features = features + p["disorder"] * rng.uniform(-1.0, 1.0, len(configuration))
    return half_filled_case(
        model, features.reshape(model.feature_shape), float(p["beta"]), p["dimension"]
    )
