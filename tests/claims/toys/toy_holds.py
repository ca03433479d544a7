"""A claim that holds: the sum of the first n odd numbers is n²."""

import math
import os

import numpy as np

from scc.claims.claim import Claim, System


def systems(full):
    sizes = (0, 3, 10, 20, 40) if full else (0, 3, 10)
    return [System(f"n = {n} <odd & sum>", {"n": n, "beta": math.inf}) for n in sizes]


def measure(system):
    n = system.parameters["n"]
    if log := os.environ.get("SCC_TOY_LOG"):
        with open(log, "a") as file:
            file.write(f"{n}\n")
    sums = np.cumsum(2 * np.arange(max(n, 1)) + 1)
    return system.result(
        hypotheses={"n is positive": np.bool_(n > 0), "parity": n % 2},
        measured={"sum": sums[-1], "ratios": sums / np.arange(len(sums)).clip(1)},
        predicted={"sum": n**2},
        holds=sums[-1] == n**2,
        series={"file": sums, "dE/dv": sums * 0.1},
    )


CLAIM = Claim("toy-holds", "The sum of odd numbers is n².", "Lemma 0", systems, measure)
