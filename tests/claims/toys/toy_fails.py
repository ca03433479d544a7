"""A claim that fails in one of its systems."""

from scc.claims.claim import Claim, System


def systems(full):
    return [System(f"n = {n}", {"n": n}) for n in (1, 2, 3)]


def measure(system):
    n = system.parameters["n"]
    return system.result(
        hypotheses={},
        measured={"square": float(n**2), "not measured": float("nan")},
        predicted={"square": float(2 * n - 1) if n < 3 else 9.0},
        holds=n**2 == 2 * n - 1 or n == 3,
    )


CLAIM = Claim("toy-fails", "n² is 2n − 1.", "Remark 0", systems, measure)
