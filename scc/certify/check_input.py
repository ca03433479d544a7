"""Whether the input of an on-site certificate says what the checker reads, and nothing more.

A key the checker does not know may define another problem (a field, a cell); a string where a list
belongs would be read letter by letter. Both are refused.
"""

from __future__ import annotations

from typing import Any

from scc.certify.failure import RefusedError
from scc.certify.onsite_conventions import FORMULAS


def understood(stated: dict[str, Any]) -> None:
    """Raises RefusedError naming the first key or list that is not as it must be."""
    _keys("input", stated, "model", "species", "positions", "beta", "ensemble", "parameters")
    ensemble, parameters = stated["ensemble"], stated["parameters"]
    level = "electrons" if ensemble["kind"] == "canonical" else "chemical_potential"
    _keys("ensemble", ensemble, "kind", level)
    _keys("parameters", parameters, "widths", "nuclear_charges", "hamiltonian")
    rule = parameters["hamiltonian"]
    _lists(stated, "species", "positions")
    _lists(parameters, "widths", "nuclear_charges")
    if not all(isinstance(row, list) for row in stated["positions"]):
        raise RefusedError("a position in the input is not a list")
    if rule["kind"] == "s orbitals":
        _keys("hamiltonian", rule, "kind", "levels", "hopping")
        _lists(rule, "levels")
        if len(rule["levels"]) != len(stated["positions"]):
            raise RefusedError("the input has lists of different lengths")
        _hopping(rule["hopping"])
    elif rule["kind"] == "slater shells":
        _slater(rule, set(stated["species"]))
    else:
        raise RefusedError(f"unknown Hamiltonian {rule['kind']!r}")


def _hopping(hopping: dict[str, Any]) -> None:
    numbers = {
        "exponential": ("prefactor", "decay", "reference", "switch"),
        "constant": ("t", "cutoff"),
    }
    kind = hopping["kind"]
    if kind not in numbers:
        raise RefusedError(f"unknown hopping {kind!r}")
    _keys("hopping", hopping, "kind", "formula", *numbers[kind])
    if kind == "exponential":
        _lists(hopping, "switch")
    _formula(hopping)


def _slater(rule: dict[str, Any], species: set[str]) -> None:
    constants = ("wolfsberg_helmholz", "repulsion_distance_exponent", "switch")
    _keys("hamiltonian", rule, "kind", "formula", "elements", *constants)
    _keys("wolfsberg_helmholz", rule["wolfsberg_helmholz"], "ss", "sp", "pp")
    _lists(rule, "switch")
    _formula(rule)
    _keys("elements", rule["elements"], *species)
    for element in rule["elements"].values():
        _keys("element", element, "shells", "repulsion_charge", "repulsion_alpha")
        _lists(element, "shells")
        for shell in element["shells"]:
            _keys("shell", shell, "l", "level", "exponents", "coefficients")
            _lists(shell, "exponents", "coefficients")


def _formula(rule: dict[str, Any]) -> None:
    if rule["formula"] != FORMULAS[rule["kind"]]:
        raise RefusedError(f"the formula of {rule['kind']!r} is not that of this checker")


def _keys(name: str, part: dict[str, Any], *expected: str) -> None:
    if not isinstance(part, dict) or set(part) != set(expected):
        raise RefusedError(f"the {name} has {sorted(part)}, not {sorted(expected)}")


def _lists(part: dict[str, Any], *names: str) -> None:
    for name in names:
        if not isinstance(part[name], list):
            raise RefusedError(f"{name} is not a list")
