"""Golden values of a system: every number twice, by two splittings, and only if the two agree."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import flint

from scc.electrostatics.goldens.catalogue import SYSTEMS
from scc.electrostatics.goldens.evaluate import Evaluation
from scc.electrostatics.goldens.numbers import (
    DIGITS,
    Real,
    agreed_decimals,
    exact,
    exact_array,
    largest,
    working_precision,
)
from scc.electrostatics.goldens.system import System
from scc.errors import InputError

FORMAT = "scc electrostatic golden values"
VERSION = 1
SPLITTINGS = (0.7, 0.9)
_MADELUNG = (
    "energy per {unit} = -madelung q^2/d, q = {charge}, d = nearest-neighbour distance = sqrt({d2})"
)
_WIGNER_SEITZ = (
    "energy per {unit} = -madelung_wigner_seitz q^2/r_s, 4 pi r_s^3/3 = volume per {unit}"
)


def compute(name: str) -> dict[str, Any]:
    """One system as the document that its file holds; numbers are :class:`decimal.Decimal`.

    Raises:
        InputError: no system of that name.
        ConvergenceError: two splittings disagree (a defect).
    """
    if name not in SYSTEMS:
        raise InputError(f"no golden system {name!r}; known systems: {', '.join(SYSTEMS)}")
    return document(SYSTEMS[name])


def document(system: System) -> dict[str, Any]:
    """See :func:`compute`, for any system."""
    with working_precision():
        results = _results(system)
    return inputs(system) | results | {"digits": DIGITS, "references": list(system.references)}


def inputs(system: System) -> dict[str, Any]:
    """The part of the document that says what the system is."""
    decimals: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "name": system.name,
        "description": system.description,
        "boundary": {
            "kind": system.kind,
            "cell": system.cell,
            "periodic": list(system.periodic),
            "screening": system.screening,
            "surface_permittivity": system.surface_permittivity,
        },
        "external": {
            "field": system.external_field,
            "charges": [
                {"position": place, "charge": charge} for place, charge in system.external_charges
            ],
        },
        "species": list(system.species),
        "positions": system.positions,
        "widths": system.widths,
        "l_max": system.l_max,
        "multipoles": system.multipoles,
    }
    plain = _plain(decimals)
    assert isinstance(plain, dict)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return Decimal(value)  # exact: the inputs are short binary fractions
    return value


def _results(system: System) -> dict[str, Any]:
    splittings = SPLITTINGS[:1] if system.kind == "open" else SPLITTINGS
    runs = [Evaluation(system, splitting) for splitting in splittings]
    first, second = runs[0], runs[-1]
    height = largest(first.potential)
    scale = largest(first.multipoles) * height
    points = exact_array(system.points) if system.points else exact_array([]).reshape(0, 3)
    results: dict[str, Any] = {}
    for key in ("energy", "external_energy", "self_energy"):
        results[key] = agreed_decimals(key, getattr(first, key), getattr(second, key), scale)
    results["potential"] = agreed_decimals("potential", first.potential, second.potential, height)
    results["features"] = [
        {
            "width": Decimal(wanted.width),
            "l_max": wanted.l_max,
            "self_interaction": wanted.self_interaction,
            "values": agreed_decimals(
                "features", first.features(wanted), second.features(wanted), height
            ),
        }
        for wanted in system.features
    ]
    results["potential_at"] = {
        "points": _plain(system.points),
        "values": agreed_decimals(
            "potential_at", first.potential_at(points), second.potential_at(points), height
        ),
    }
    results["forces"] = agreed_decimals("forces", first.forces, second.forces, scale)
    results["strain_derivative"] = results["stress"] = None
    if not first.outside and system.external_field is None:
        strains = (first.strain, second.strain)
        results["strain_derivative"] = agreed_decimals("strain_derivative", *strains, scale)
        if system.kind != "open":
            measure = first.measure
            stresses = (first.strain / measure, second.strain / measure)
            results["stress"] = agreed_decimals("stress", *stresses, scale / measure)
    return {"results": results} | _madelung(system, first, second)


def _madelung(system: System, first: Evaluation, second: Evaluation) -> dict[str, Any]:
    wanted = system.madelung
    if wanted is None:
        return {}
    squared = exact(wanted.squared_distance)
    words = {
        "unit": "electron" if wanted.wigner_seitz else "formula unit",
        "charge": f"{wanted.charge:g}",
        "d2": f"{wanted.squared_distance:g}",
    }

    def constant(length: Real) -> Decimal:
        values = [-run.energy * length / (wanted.units * exact(wanted.charge) ** 2) for run in runs]
        result = agreed_decimals("madelung", values[0], values[1], exact(0.0))
        assert isinstance(result, Decimal)
        return result

    runs = (first, second)
    result: dict[str, Any] = {
        "madelung": constant(squared.sqrt()),
        "madelung_convention": _MADELUNG.format(**words),
    }
    if wanted.wigner_seitz:
        sphere = 3 * first.measure / (4 * flint.arb.pi() * wanted.units)
        result["madelung_wigner_seitz"] = constant(sphere.root(3))
        result["madelung_convention"] += "; " + _WIGNER_SEITZ.format(**words)
    return result
