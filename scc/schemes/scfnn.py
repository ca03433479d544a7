r"""SCFNN-like: a local response to the smooth potential, iterated with that potential.

After A. Gao and R. C. Remsing, Nat. Commun. 13, 1572 (2022). The Coulomb interaction is split as in
local molecular field theory,

    1/r = v₀(r) + v₁(r),     v₁(r) = erf(r/σ)/r,

short-ranged v₀ is left to learned local functions, smooth v₁ is treated explicitly: one learned
function gives the charge distribution's local response to the smooth field, the field follows from
the charge distribution, and both are iterated to self-consistency; a second learned function gives
energies and forces at the converged field.

In the language of this package that is a fitted model (:class:`scc.ace.model.FittedModel`) whose
density functions and probes are Gaussians of one wide width s: the potential of one on the other is

    v₁(r) = erf(r/2s)/r,     σ = 2s,

its only potential features are the smooth potential and field, p = b(r) + χ(r) v̂ with n = 1 and
λ ≤ 1, and E = Σ_i E_i(r, v̂*) + ½ ∬ n v₁ n has no other explicit interaction than v₁. Atomic
multipoles λ ≤ 2 stand where the original has Wannier centres, invariants of :mod:`scc.ace.basis`
where it has networks; v̂ enters E_i up to second order. The closure is projection (4.1), forces are
exact by the adjoint.
"""

from __future__ import annotations

from scc.ace.density_design import DensityForm
from scc.ace.density_fit import DensityWeights
from scc.ace.energy_fit import EnergyWeights
from scc.ace.features import FeatureSet
from scc.ace.fit import FitSettings
from scc.ace.water import density_specification, energy_specification
from scc.ace.water_fit import ENERGY_PRIORS, PRIORS

SMOOTH_WIDTH = 2.0
"""s, bohr; σ = 4 bohr: beyond the cut-off of 7.56 bohr v₀ is below one percent of 1/r."""

_N_FLOW, _FLOW_DEGREE = 4, 5.0  # as in the fit of ``water``


def scfnn_settings(width: float = SMOOTH_WIDTH) -> FitSettings:
    """Settings of the fit; density and energy of products of two, as in ``water``."""
    features = FeatureSet((width,), 1)
    form = DensityForm(density_specification(features, 2), width, _N_FLOW, _FLOW_DEGREE)
    return FitSettings(
        form,
        energy_specification(features, 2),
        DensityWeights(priors=PRIORS),
        EnergyWeights(priors=ENERGY_PRIORS),
    )
