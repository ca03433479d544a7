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

from scc.ace.model import FittedModel
from scc.ace.model_parts import (
    density_of,
    density_part,
    energy_of,
    energy_part,
    response_of,
    response_part,
    take,
)
from scc.ace.sealed_json import read_sealed, write_sealed
from scc.ace.variational_model import VariationalModel
from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError

FORMAT = "scc fitted model"
VERSION = 1
KIND = "direct"
VARIATIONAL = "variational"

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

VARIATIONAL_CONVENTIONS = CONVENTIONS | {
    "density": "p = b + chi v; b: p_1, p_2 = sum_a c_a B_a, p_0 by flows between neighbours; "
    "chi = -sum_k (dw_k/dv)^T (dw_k/dv), w_k = sum_a c_ak B_a",
    "energy": "sum_i (E_i + 1/2 sum_k w_ik^2) + Coulomb energy of the multipoles, their own "
    "energies included",
}

# Another processor or BLAS changes sums in the last digits; another basis changes the first.
_PROBE_TOLERANCE = 1e-8


def save_model(model: FittedModel | VariationalModel, path: str | os.PathLike[str]) -> None:
    """Write the model, complete or not at all. InputError if the file cannot be written."""
    multipoles, site_energies = _probe(model)
    body: dict[str, Any] = {"name": model.name}
    if isinstance(model, FittedModel):
        body |= {
            "kind": KIND,
            "conventions": CONVENTIONS,
            "density": density_part(model.density),
            "energy": energy_part(model.energy),
        }
    else:
        body |= {
            "kind": VARIATIONAL,
            "conventions": VARIATIONAL_CONVENTIONS,
            "permanent": density_part(model.permanent),
            "response": response_part(model.response),
            "energy": energy_part(model.energy),
        }
    body["probe"] = {"multipoles": multipoles, "site_energies": site_energies}
    body["provenance"] = dict(model.provenance)
    write_sealed(path, FORMAT, VERSION, body)


def load_model(path: str | os.PathLike[str]) -> FittedModel | VariationalModel:
    """Read a model.

    Raises:
        InputError: one line with the path: missing, not a model, of a newer version, damaged, of
            other conventions, with parts missing or of the wrong shape, or of another basis.
    """
    path = Path(path)
    body = read_sealed(path, FORMAT, VERSION)
    try:
        kind = body.get("kind")
        if kind not in (KIND, VARIATIONAL):
            raise InputError(f"a model of kind {kind!r}, this scc knows {KIND!r}, {VARIATIONAL!r}")
        conventions = CONVENTIONS if kind == KIND else VARIATIONAL_CONVENTIONS
        if body.get("conventions") != conventions:
            raise InputError("its units or conventions are not those of this scc")
        model = _direct(body) if kind == KIND else _variational(body)
        found, expected = _probe(model), take(body, "probe", dict)
        for values, key in zip(found, ("multipoles", "site_energies"), strict=True):
            _compare(values, take(expected, key, np.ndarray), key)
    except InputError as error:
        raise InputError(f"cannot read {path}: {error}") from None
    return model


def _direct(body: Mapping[str, Any]) -> FittedModel:
    return FittedModel(
        name=take(body, "name", str),
        density=density_of(take(body, "density", dict)),
        energy=energy_of(take(body, "energy", dict)),
        provenance=take(body, "provenance", dict),
    )


def _variational(body: Mapping[str, Any]) -> VariationalModel:
    return VariationalModel(
        name=take(body, "name", str),
        permanent=density_of(take(body, "permanent", dict)),
        response=response_of(take(body, "response", dict)),
        energy=energy_of(take(body, "energy", dict)),
        provenance=take(body, "provenance", dict),
    )


def _probe(model: FittedModel | VariationalModel) -> tuple[FloatArray, FloatArray]:
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
    state = bound.evaluate(features)
    return state.density, state.site_energies


def _compare(found: FloatArray, expected: FloatArray, key: str) -> None:
    if found.shape != expected.shape:
        raise InputError(f"its probe {key} have shape {expected.shape}, expected {found.shape}")
    off = float(np.max(np.abs(found - expected)))
    if off > _PROBE_TOLERANCE * (1.0 + float(np.max(np.abs(expected)))):
        raise InputError(
            f"its {key} at the probe come out {off:.2g} different: made for another basis"
        )
