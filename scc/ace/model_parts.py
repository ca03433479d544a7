"""Parts of a model file: basis, coefficients and widths as JSON values, and back with checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scc.ace.density_model import DensityModel
from scc.ace.energy_model import EnergyModel
from scc.ace.specification import BasisSpecification
from scc.ace.variational_response import ResponseModel
from scc.errors import InputError


def density_part(density: DensityModel) -> dict[str, Any]:
    """What :func:`density_of` reads."""
    return {
        "basis": density.specification.as_dict(),
        "width": density.width,
        "n_flow": density.n_flow,
        "coefficients": {str(L): c for L, c in density.coefficients.items()},
        "flow_offsets": density.flow_offsets,
    }


def density_of(part: Mapping[str, Any]) -> DensityModel:
    """Raises InputError for anything missing, of the wrong type or shape."""
    coefficients = take(part, "coefficients", dict)
    return DensityModel(
        specification=_specification(take(part, "basis", dict)),
        width=take(part, "width", float),
        n_flow=take(part, "n_flow", int),
        coefficients={L: take(coefficients, str(L), np.ndarray) for L in range(len(coefficients))},
        flow_offsets=take(part, "flow_offsets", np.ndarray),
    )


def energy_part(energy: EnergyModel) -> dict[str, Any]:
    """What :func:`energy_of` reads."""
    return {
        "basis": energy.specification.as_dict(),
        "coefficients": energy.coefficients,
        "constants": energy.constants,
    }


def energy_of(part: Mapping[str, Any]) -> EnergyModel:
    """Raises InputError for anything missing, of the wrong type or shape."""
    return EnergyModel(
        specification=_specification(take(part, "basis", dict)),
        coefficients=take(part, "coefficients", np.ndarray),
        constants=take(part, "constants", np.ndarray),
    )


def response_part(response: ResponseModel) -> dict[str, Any]:
    """What :func:`response_of` reads."""
    return {
        "basis": response.specification.as_dict(),
        "coefficients": {str(L): c for L, c in response.coefficients.items()},
    }


def response_of(part: Mapping[str, Any]) -> ResponseModel:
    """Raises InputError for anything missing, of the wrong type or shape."""
    specification = _specification(take(part, "basis", dict))
    coefficients = take(part, "coefficients", dict)
    if set(coefficients) != {str(L) for L in specification.l_out}:
        raise InputError(f"response coefficients are for L = {', '.join(sorted(coefficients))}")
    return ResponseModel(
        specification, {L: take(coefficients, str(L), np.ndarray) for L in specification.l_out}
    )


def take(mapping: Mapping[str, Any], key: str, kind: type) -> Any:
    """The value, of that type; an integer passes for a float. InputError otherwise."""
    if key not in mapping:
        raise InputError(f"{key} is missing")
    value = mapping[key]
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise InputError(f"{key} is a {type(value).__name__}, expected {kind.__name__}")
    return value


def _specification(values: Mapping[str, Any]) -> BasisSpecification:
    try:
        return BasisSpecification.from_dict(values)
    except InputError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"a basis in it is malformed: {error}") from None
