"""A fitted model as one file: sealed JSON (:mod:`.sealed_json`) with units and conventions inside.

Besides parameters the file holds what the model gives at a fixed probe (two molecules, made-up
features): an scc whose basis is another one, if only in the order of its functions, notices.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scc.ace.density_model import DensityModel
from scc.ace.energy_model import EnergyModel
from scc.ace.model import FittedModel
from scc.ace.sealed_json import read_sealed, write_sealed
from scc.ace.specification import BasisSpecification
from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError

FORMAT = "scc fitted model"
VERSION = 1
KIND = "direct"

CONVENTIONS = {
    "units": "Hartree atomic units: energy hartree, length bohr, charge e",
    "multipoles": "of rho - nu (electrons minus nuclei), lambda <= 2, real solid harmonics in "
    "Racah normalisation, index lambda^2 + lambda + mu; Gaussians exp(-x^2/(2 sigma^2)) of unit "
    "moment",
    "features": "projections of the potential felt by an electron on such Gaussians, an atom's own "
    "density included, index n (lambda_max + 1)^2 + lambda^2 + lambda + mu",
    "density": "p_1, p_2 = sum_a c_a B_a; p_0 by flows between neighbours",
    "energy": "sum_i E_i + Coulomb energy of the multipoles, their own energies included",
}

# Another processor or BLAS changes sums in the last digits; another basis changes the first.
_PROBE_TOLERANCE = 1e-8


def save_model(model: FittedModel, path: str | os.PathLike[str]) -> None:
    """Write the model, complete or not at all. InputError if the file cannot be written."""
    density, energy = model.density, model.energy
    multipoles, site_energies = _probe(model)
    body = {
        "kind": KIND,
        "name": model.name,
        "conventions": CONVENTIONS,
        "density": {
            "basis": density.specification.as_dict(),
            "width": density.width,
            "n_flow": density.n_flow,
            "coefficients": {str(L): c for L, c in density.coefficients.items()},
            "flow_offsets": density.flow_offsets,
        },
        "energy": {
            "basis": energy.specification.as_dict(),
            "coefficients": energy.coefficients,
            "constants": energy.constants,
        },
        "probe": {"multipoles": multipoles, "site_energies": site_energies},
        "provenance": dict(model.provenance),
    }
    write_sealed(path, FORMAT, VERSION, body)


def load_model(path: str | os.PathLike[str]) -> FittedModel:
    """Read a model.

    Raises:
        InputError: one line with the path: missing, not a model, of a newer version, damaged, of
            other conventions, with parts missing or of the wrong shape, or of another basis.
    """
    path = Path(path)
    body = read_sealed(path, FORMAT, VERSION)
    try:
        if body.get("conventions") != CONVENTIONS:
            raise InputError("its units or conventions are not those of this scc")
        if body.get("kind") != KIND:
            raise InputError(f"a model of kind {body.get('kind')!r}, this scc knows {KIND!r}")
        model = _model(body)
        found, expected = _probe(model), _take(body, "probe", dict)
        for values, key in zip(found, ("multipoles", "site_energies"), strict=True):
            _compare(values, _take(expected, key, np.ndarray), key)
    except InputError as error:
        raise InputError(f"cannot read {path}: {error}") from None
    return model


def _model(body: Mapping[str, Any]) -> FittedModel:
    density, energy = _take(body, "density", dict), _take(body, "energy", dict)
    coefficients = _take(density, "coefficients", dict)
    return FittedModel(
        name=_take(body, "name", str),
        density=DensityModel(
            specification=_specification(_take(density, "basis", dict)),
            width=_take(density, "width", float),
            n_flow=_take(density, "n_flow", int),
            coefficients={
                L: _take(coefficients, str(L), np.ndarray) for L in range(len(coefficients))
            },
            flow_offsets=_take(density, "flow_offsets", np.ndarray),
        ),
        energy=EnergyModel(
            specification=_specification(_take(energy, "basis", dict)),
            coefficients=_take(energy, "coefficients", np.ndarray),
            constants=_take(energy, "constants", np.ndarray),
        ),
        provenance=_take(body, "provenance", dict),
    )


def _take(mapping: Mapping[str, Any], key: str, kind: type) -> Any:
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


def _probe(model: FittedModel) -> tuple[FloatArray, FloatArray]:
    """p (M, 9) and E_i (M,) of two molecules at made-up features, nothing symmetric in either."""
    species = tuple(model.species[(1, 0, 0)[atom % 3] % len(model.species)] for atom in range(6))
    positions = np.array(
        [
            [0.00, 0.00, 0.00],
            [1.75, 0.25, -0.40],
            [-0.35, 1.70, 0.55],
            [4.90, 0.60, -1.30],
            [5.40, 2.20, -0.70],
            [6.10, -0.55, -0.35],
        ]
    )
    bound = model.prepare(Configuration(species, positions))
    number = np.arange(6 * model.features.n_features, dtype=np.float64)
    features = 0.1 * np.sin(1.0 + 1.7 * number).reshape(6, model.features.n_features)
    return bound.density.evaluate(features).multipoles, bound.energy.evaluate(
        features
    ).site_energies


def _compare(found: FloatArray, expected: FloatArray, key: str) -> None:
    if found.shape != expected.shape:
        raise InputError(f"its probe {key} have shape {expected.shape}, expected {found.shape}")
    off = float(np.max(np.abs(found - expected)))
    if off > _PROBE_TOLERANCE * (1.0 + float(np.max(np.abs(expected)))):
        raise InputError(
            f"its {key} at the probe come out {off:.2g} different: made for another basis"
        )
