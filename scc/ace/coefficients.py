"""Checks that coefficients belong to their basis, and atoms to the model's elements."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from scc.arrays import FloatArray, IntArray
from scc.configuration import Configuration
from scc.errors import InputError


def checked_coefficients(values: FloatArray, shape: tuple[int, ...], name: str) -> FloatArray:
    """A read-only float64 copy. InputError for another shape or values that are not finite."""
    array = np.array(values, dtype=np.float64)
    if array.shape != shape:
        raise InputError(f"coefficients of {name} have shape {array.shape}, the basis has {shape}")
    if not np.all(np.isfinite(array)):
        raise InputError(f"coefficients of {name} have NaN or infinity")
    array.flags.writeable = False
    return array


def checked_width(width: float, name: str) -> float:
    """A positive finite width in bohr. InputError otherwise."""
    width = float(width)
    if not (math.isfinite(width) and width > 0.0):
        raise InputError(f"the {name} width must be positive, got {width}")
    return width


def checked_configuration(configuration: Configuration, species: Sequence[str]) -> IntArray:
    """Index of each atom's element in ``species``, (M,). InputError for one that is not there."""
    number = {symbol: index for index, symbol in enumerate(species)}
    for atom, symbol in enumerate(configuration.species):
        if symbol not in number:
            known = ", ".join(species)
            raise InputError(f"atom {atom} is {symbol}; this basis knows {known}")
    return np.array([number[symbol] for symbol in configuration.species], dtype=np.int64)
