"""What a variational fit of water starts from."""

from __future__ import annotations

from dataclasses import replace

from scc.ace.density_design import DensityForm
from scc.ace.features import FeatureSet
from scc.ace.specification import BasisSpecification, TotalDegree
from scc.ace.variational_training import VariationalSettings
from scc.ace.water import CUTOFF, SPECIES

WIDTH = 1.8
"""σ of densities and features, bohr: narrower, and intramolecular electrostatics are the harder to
make good for; wider, and neighbours are too blurred: see ``variational.md``."""

_NOTHING = FeatureSet()
_STARTER = ((7.0,), (6.0,))
_PERMANENT = ((10.0,), (8.0,))
_ENERGY = ((12.0,), (10.0,), (7.0,))
_RESPONSE = ((-1.0, 4.0), (-1.0, 3.0))


def water_variational_settings(
    width: float = WIDTH,
    response_order: int = 1,
    channels: tuple[int, int, int] = (1, 2, 1),
    joint_steps: int = 0,
) -> VariationalSettings:
    """Settings for amplitudes of products of up to ``response_order`` factors."""
    permanent = DensityForm(_basis(_PERMANENT, _NOTHING, 0, (0, 1, 2)), width, 4, 5.0)
    starter = replace(
        permanent, specification=_basis(_STARTER, _NOTHING, 0, (0, 1, 2)), flow_degree=4.0
    )
    response = _basis(_RESPONSE[:response_order], FeatureSet((width,), 2), 1, (0, 1, 2))
    return VariationalSettings(
        permanent,
        starter,
        response,
        channels,
        _basis(_ENERGY, _NOTHING, 0, (0,)),
        joint_steps=joint_steps,
    )


def _basis(
    limits: tuple[tuple[float, ...], ...],
    features: FeatureSet,
    degree: int,
    outputs: tuple[int, ...],
) -> BasisSpecification:
    return BasisSpecification(
        SPECIES, CUTOFF, len(limits), TotalDegree(limits), features, degree, outputs
    )
