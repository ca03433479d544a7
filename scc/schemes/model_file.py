r"""Trained schemes as files: sealed JSON (:mod:`scc.ace.sealed_json`) with its conventions inside.

Schemes of charges have a format of their own; the SCFNN-like one is a fitted model like ``water``
and is written by :mod:`scc.ace.model_file`. As there, a file holds what the model gives at a fixed
probe, so that an scc with another basis notices.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from scc.ace.model import FittedModel
from scc.ace.model_file import FORMAT as FITTED
from scc.ace.model_file import load_model, save_model
from scc.ace.model_parts import energy_of, energy_part, take
from scc.ace.sealed_json import read_sealed, sealed_format, write_sealed
from scc.ace.variational_model import VariationalModel
from scc.arrays import FloatArray
from scc.configuration import Configuration
from scc.errors import InputError
from scc.schemes.bpopnn import BpopnnModel
from scc.schemes.charge_energy import ChargeEnergy
from scc.schemes.charge_features import ChargeFeatures
from scc.schemes.hdnnp_4g import Hdnnp4gModel

FORMAT = "scc scheme of charges"
VERSION = 1

CONVENTIONS = {
    "units": "Hartree atomic units: energy hartree, length bohr, charge e",
    "charges": "net charges q (nuclei positive) of Gaussians exp(-x^2/(2 sigma^2))",
    "energy": "sum_i E_i(r, q) + Coulomb energy of the charges, their own energies included",
}

ChargeScheme: TypeAlias = BpopnnModel | Hdnnp4gModel
AnyModel: TypeAlias = ChargeScheme | FittedModel | VariationalModel

_PROBE_TOLERANCE = 1e-8  # as for fitted models: sums differ in the last digits, bases in the first


def save_scheme(model: AnyModel, path: str | os.PathLike[str]) -> None:
    """Write the model, complete or not at all. InputError if the file cannot be written."""
    if isinstance(model, FittedModel | VariationalModel):
        save_model(model, path)
        return
    body: dict[str, Any] = {
        "name": model.name,
        "kind": _kind(model),
        "conventions": CONVENTIONS,
        "width": model.width,
        "energy": _energy_part(model.energy),
    }
    if isinstance(model, Hdnnp4gModel):
        body["electronegativity"] = energy_part(model.electronegativity)
        body["hardness"] = model.hardness
    body["probe"] = _probe(model)
    body["provenance"] = dict(model.provenance)
    write_sealed(path, FORMAT, VERSION, body)


def load_scheme(path: str | os.PathLike[str]) -> AnyModel:
    """Read a trained scheme, or a fitted model of another kind.

    Raises:
        InputError: one line with the path: missing, of neither format, of a newer version, damaged,
            of other conventions, with parts missing or of the wrong shape, or of another basis.
    """
    path = Path(path)
    if sealed_format(path, (FITTED, FORMAT)) == FITTED:
        return load_model(path)
    body = read_sealed(path, FORMAT, VERSION)
    try:
        if body.get("conventions") != CONVENTIONS:
            raise InputError("its units or conventions are not those of this scc")
        model = _model(body)
        found, expected = _probe(model), take(body, "probe", np.ndarray)
        if found.shape != expected.shape:
            raise InputError(f"its probe has shape {expected.shape}, expected {found.shape}")
        off = float(np.max(np.abs(found - expected)))
        if off > _PROBE_TOLERANCE * (1.0 + float(np.max(np.abs(expected)))):
            raise InputError(f"its probe comes out {off:.2g} different: made for another basis")
    except InputError as error:
        raise InputError(f"cannot read {path}: {error}") from None
    return model


def _kind(model: ChargeScheme) -> str:
    return "bpopnn" if isinstance(model, BpopnnModel) else "4g"


def _model(body: Mapping[str, Any]) -> ChargeScheme:
    name, provenance = take(body, "name", str), take(body, "provenance", dict)
    energy, width = _energy_of(take(body, "energy", dict)), take(body, "width", float)
    kind = take(body, "kind", str)
    if kind == "bpopnn":
        return BpopnnModel(name, energy, width, provenance)
    if kind == "4g":
        electronegativity = energy_of(take(body, "electronegativity", dict))
        hardness = take(body, "hardness", np.ndarray)
        return Hdnnp4gModel(name, electronegativity, hardness, energy, width, provenance)
    raise InputError(f"a scheme of kind {kind!r}, this scc knows 'bpopnn' and '4g'")


def _energy_part(energy: ChargeEnergy) -> dict[str, Any]:
    return energy_part(energy.energy) | {
        "means": energy.features.means,
        "powers": energy.features.powers,
        "hardness": energy.hardness,
    }


def _energy_of(part: Mapping[str, Any]) -> ChargeEnergy:
    features = ChargeFeatures(take(part, "means", np.ndarray), take(part, "powers", int))
    return ChargeEnergy(energy_of(part), features, take(part, "hardness", np.ndarray))


def _probe(model: ChargeScheme) -> FloatArray:
    """E_i and ∂(ΣE_i)/∂q, and χ where there is one, of six atoms at made-up charges."""
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
    functional = model.functional(Configuration(species, positions))
    charges = 0.3 * np.sin(1.0 + 1.7 * np.arange(6.0))
    state = functional.model.evaluate(charges)
    rows = [state.site_energies, state.feature_energy_vjp()]
    if functional.equations is not None:
        rows.append(functional.equations.model.evaluate(charges).feature_energy_vjp())
    return np.stack(rows)
