"""A claim whose first two systems are quick and whose others wait to be interrupted."""

import time
from pathlib import Path

from scc.claims.claim import Claim, System


def systems(full):
    return [System(f"n = {n}", {"n": n}) for n in range(6)]


def measure(system):
    n = system.parameters["n"]
    # The file "go" beside this one's working directory lets the slow ones pass.
    while n >= 2 and not Path("go").exists():
        time.sleep(0.05)
    return system.result(hypotheses={}, measured={"n": n}, predicted={"n": n}, holds=True)


CLAIM = Claim("toy-slow", "n is n.", "Remark 0", systems, measure)
