"""Bases for water: how many functions of each kind, for densities and for energies.

The limits leave some hundred functions of every L for each order; see :mod:`.specification`.
Products of two neighbours' features are kept short: two features meet mostly at the centre.
"""

from __future__ import annotations

from scc.ace.features import FeatureSet
from scc.ace.specification import BasisSpecification, TotalDegree
from scc.errors import InputError
from scc.units import ANGSTROM

SPECIES = ("H", "O")

CUTOFF = 4.0 * ANGSTROM
"""r_c, bohr."""

_DENSITY_LIMITS = ((11.0, 6.0), (8.0, 5.0), (6.0, 3.0))
_ENERGY_LIMITS = ((11.0, 6.0), (10.0, 7.0, 6.0), (7.0, 4.0, 3.0))

# Quadrupoles gain a little from l = 4 (one run, validation clusters of train_first.xyz: 2.8 instead
# of 3.0 % of the spread).
_DENSITY_L, _ENERGY_L = 4, 3


def density_specification(
    features: FeatureSet, order: int, cutoff: float = CUTOFF
) -> BasisSpecification:
    """For multipoles: affine in the features, L = 0, 1, 2."""
    return _specification(features, order, cutoff, _DENSITY_LIMITS, _DENSITY_L, 1, (0, 1, 2))


def energy_specification(
    features: FeatureSet, order: int, cutoff: float = CUTOFF
) -> BasisSpecification:
    """For energies: at most quadratic in the features, L = 0."""
    return _specification(features, order, cutoff, _ENERGY_LIMITS, _ENERGY_L, 2, (0,))


def _specification(
    features: FeatureSet,
    order: int,
    cutoff: float,
    limits: tuple[tuple[float, ...], ...],
    l_max: int,
    feature_degree: int,
    l_out: tuple[int, ...],
) -> BasisSpecification:
    if not 1 <= order <= len(limits):
        raise InputError(f"the order is {order}, allowed are 1 to {len(limits)}")
    degree = TotalDegree(limits[:order], l_max=l_max)
    return BasisSpecification(SPECIES, cutoff, order, degree, features, feature_degree, l_out)
