"""A claim with parameters; its systems wait for the file "go" where they are told to."""

import math
import time
from pathlib import Path

import numpy as np

from scc.claims.claim import Claim, System
from scc.claims.parameters import Family, Parameter, of_result


def systems(full):
    return [System("M = 2", {"M": 2, "beta": "1.0", "kind": "power", "wait": 0})]


def measure(system):
    p = system.parameters
    while p["wait"] and not Path("go").exists():
        time.sleep(0.02)
    if p["kind"] == "raises":
        raise ValueError(f"no system of {p['M']},\nand a comma")
    # Through BLAS and random numbers: what a killed and a whole run must agree on to the last bit.
    matrix = np.random.default_rng(p["M"]).standard_normal((120, 120))
    value = float(np.linalg.eigvalsh(matrix @ matrix.T)[p["M"] % 120]) + 1.0 / float(p["beta"])
    open_verdict = {"beta < inf": math.isfinite(float(p["beta"]))}
    return system.result(
        hypotheses=open_verdict,
        measured={"value": value, "size": p["M"]},
        predicted={"value": 300.0},
        holds=value <= 300.0,
    )


def _system(values):
    wait = int(values["M"] >= values["wait_from"])
    p = {"M": values["M"], "beta": repr(values["beta"]), "kind": values["kind"], "wait": wait}
    return System(f"M = {values['M']}", p)


CLAIM = Claim(
    "toy-growth",
    "An eigenvalue is at most 300.",
    "Remark 0",
    systems,
    measure,
    family=Family(
        (
            Parameter("M", 3, "size", 1, 1000),
            Parameter("beta", 2.0, "inverse temperature", 0.1, math.inf),
            Parameter("kind", "power", "what", choices=("power", "raises")),
            Parameter("wait_from", 1000, "systems from this size on wait for a file", 1, 1000),
        ),
        _system,
        "an eigenvalue",
        "<=",
        of_result("value", "value", size="size"),
        ("size",),
    ),
)
