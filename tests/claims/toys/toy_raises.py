"""A claim whose systems raise, each in its own way, but for the last."""

import os

from scc.claims.claim import Claim, System
from scc.errors import InputError


def systems(full):
    names = ("input", "defect", "not json", "wrong type", "objects", "dies", "fine")
    # In one process there is no outliving a process that dies.
    return [System(name, {"name": name}) for name in names if name != "dies" or full]


def measure(system):
    name = system.parameters["name"]
    if name == "input":
        raise InputError("beta must be positive, got -1")
    if name == "defect":
        return 1 / 0
    if name == "wrong type":
        return 3.0
    if name == "dies":
        os._exit(9)
    return system.result(
        hypotheses={},
        measured={"x": object() if name == "not json" else 1.0},
        predicted={},
        holds=True,
        series={"x": [object()]} if name == "objects" else {},
    )


CLAIM = Claim("toy-raises", "Nothing is raised.", "Remark 0", systems, measure)
