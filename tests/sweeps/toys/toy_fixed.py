"""A claim without parameters."""

from scc.claims.claim import Claim, System


def systems(full):
    return [System("n = 1", {"n": 1})]


def measure(system):
    return system.result(hypotheses={}, measured={}, predicted={}, holds=True)


CLAIM = Claim("toy-fixed", "n is n.", "Remark 0", systems, measure)
