"""The chains of the body-order claims, and the spectral sets X their polynomials are fitted on.

Model A: one s Gaussian e^{−0.4r²} an atom, Ξ = e^{−0.4r²}, nuclei ∝ e^{−2r²}, uniform spacing 1.8.
Model B: on-site, hopping −e^{−(r−1)}, levels ∓D/2, J = erf(r)/r. Both open and half filled.
"""

from typing import Literal

import numpy as np

from scc.arrays import FloatArray
from scc.basis.shells import single_gaussian
from scc.basis.three_centre import PotentialFunction
from scc.bodyorder.spectral_set import SpectralSet
from scc.configuration import chain
from scc.functional.energy import EnergyFunctional
from scc.models.gaussian import GaussianTightBinding, OverlapMode
from scc.models.model_systems import model_b
from scc.models.onsite import OnsiteTightBinding
from scc.models.tight_binding import BoundTightBinding

EXPONENT = 0.4
"""Of the orbitals and of Ξ in model A, bohr⁻²."""

NUCLEAR_EXPONENT = 2.0
"""Of the smeared nuclei in model A, bohr⁻²."""


def gaussian_model(overlap: OverlapMode) -> GaussianTightBinding:
    """Model A."""
    return GaussianTightBinding(
        basis=lambda configuration: single_gaussian(configuration, EXPONENT),
        features=(PotentialFunction(0, EXPONENT),),
        overlap=overlap,
        nuclear_exponent=NUCLEAR_EXPONENT,
    )


def gaussian_chain(
    atoms: int, overlap: OverlapMode = "loewdin", spacing: float = 1.8
) -> BoundTightBinding:
    """Model A on a uniform chain of hydrogen, one electron an atom."""
    return gaussian_model(overlap).prepare(chain(atoms, spacing))


def onsite_chain(
    atoms: int, gap: float, spacing: float | tuple[float, float] = 1.0
) -> BoundTightBinding:
    """Model B on a chain; Z = 1 on all atoms without a gap parameter D, 1.4 and 0.6 with one."""
    charges = (1.0, 1.0) if gap == 0.0 else (1.4, 0.6)
    model = OnsiteTightBinding(model_b(gap=gap, charges=charges))
    return model.prepare(chain(atoms, spacing, species=("Na", "Cl")))


def neutral_features(model: BoundTightBinding) -> FloatArray:
    """v̂ of superposed neutral atoms."""
    potential = EnergyFunctional(model).potential(model.initial_density())
    return model.fit_features(potential)


def spectral_hull(levels: FloatArray, margin: float, mu: float | None = None) -> SpectralSet:
    """[λ_min − margin, λ_max + margin], or, with µ, its two parts below and above the gap at µ.

    By Weyl's inequality it contains σ(H + A) for every ‖A‖ ≤ margin; on-site, for ‖v̂ − v̂*‖_∞ ≤
    margin.
    """
    low, high = float(np.min(levels)) - margin, float(np.max(levels)) + margin
    if mu is None:
        return SpectralSet(((low, high),))
    below = float(np.max(levels[levels < mu])) + margin
    above = float(np.min(levels[levels > mu])) - margin
    return SpectralSet(((low, below), (above, high)))


Kind = Literal["onsite", "gaussian"]
