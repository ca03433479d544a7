"""What a fit of water starts from, for each set of features and each order.

Names of feature sets are (n_max, λ_max): the first n_max widths, λ ≤ λ_max; (0, 0) has none. Sets
nest, so that a larger one can only add functions.
"""

from __future__ import annotations

from scc.ace.density_design import DensityForm
from scc.ace.density_fit import DensityWeights
from scc.ace.energy_fit import EnergyWeights
from scc.ace.features import FeatureSet
from scc.ace.fit import FitSettings
from scc.ace.prior_choice import Prior
from scc.ace.water import density_specification, energy_specification
from scc.errors import InputError

WIDTHS = (1.0, 2.0, 4.0)
"""σ_n of the features, bohr."""

DENSITY_WIDTH = 1.0
"""σ_ρ, bohr. Errors on validation clusters depend little on it (``python -m scc.ace.selection
widths TRAIN.xyz…`` prints them for four values); wide densities have a smaller spectral radius of
χK."""

PRIORS = ((0.01, 1.0), (0.1, 1.0), (1.0, 1.0), (0.1, 2.0), (1.0, 2.0), (10.0, 2.0))
"""(ridge, γ) that densities choose from, each block and each model for itself."""

ENERGY_PRIORS = (*PRIORS, (0.1, 3.0), (1.0, 3.0), (10.0, 3.0))
"""The same for energies: without features, much is noise to them, and they choose strong ones."""

HIGH_FACTORS = (10.0, 100.0, 1000.0)
"""κ, one of which goes with each of these where ν = 3. Products of three are thousands, most of all
functions. Held like the others (κ = 1) they fit charges better and predict them worse: without
features, hexamers left out of the fit, ridge 0.1, γ = 1, the root mean square error of charges is
6.5 me at ν = 2; at ν = 3 it is 17.7, 10.1 and 7.7 me with κ = 1, 10 and 30, while that of dipoles
falls from 11.3 to 11.1, 10.3 and 10.0 me bohr (measured once, training clusters of ``data/water``).
Cross-validation took κ ≥ 10 for every block wherever κ = 1 was offered as well."""

_N_FLOW = 4
_FLOW_DEGREE = 5.0


def water_settings(n_max: int, l_max: int, order: int) -> FitSettings:
    """Settings for the features (n_max, λ_max) and products of up to ``order`` factors.

    Raises:
        InputError: more widths than there are, λ without a width, or an order out of range.
    """
    if not 0 <= n_max <= len(WIDTHS):
        raise InputError(f"between 0 and {len(WIDTHS)} feature widths, not {n_max}")
    features = FeatureSet(WIDTHS[:n_max], l_max)
    form = DensityForm(density_specification(features, order), DENSITY_WIDTH, _N_FLOW, _FLOW_DEGREE)
    return FitSettings(
        form,
        energy_specification(features, order),
        DensityWeights(priors=_with_factors(PRIORS, order)),
        EnergyWeights(priors=_with_factors(ENERGY_PRIORS, order)),
    )


def _with_factors(priors: tuple[Prior, ...], order: int) -> tuple[Prior, ...]:
    if order < 3:
        return priors
    return tuple((*prior, factor) for prior in priors for factor in HIGH_FACTORS)
